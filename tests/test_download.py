"""Clips from links that cannot be trusted: where they may lead, what may come of them, and what is left."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock

from vidspec import download
from vidspec.errors import ProviderError, Refused, Unavailable
from vidspec.http import open_client
from vidspec.wire import CLIP_BYTES

if TYPE_CHECKING:
    from pathlib import Path

CLIP = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 400
SECRET = "?Expires=1&Signature=s3cr3t%2Fabc%3D"

Stream = trio.SSLStream[trio.SocketStream] | trio.SocketStream
Script = Callable[[Stream], Awaitable[object]]


# --- a host of clips ----------------------------------------------------------------------------------------


class Host:
    """Answers each path in its own way, once for each connection, and remembers what it was asked."""

    def __init__(self, paths: dict[str, bytes | Script]) -> None:
        self.paths = paths
        self.requests: list[str] = []
        self.names: list[str | None] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def attend(self, stream: Stream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            request = b""
            while b"\r\n\r\n" not in request and (piece := await stream.receive_some()):
                request += piece
            if request:
                self.requests.append(request.decode("latin-1"))
                answer = self.paths[self.requests[-1].split()[1].partition("?")[0]]
                await (stream.send_all(answer) if isinstance(answer, bytes) else answer(stream))
        await trio.aclose_forcefully(stream)

    def headers(self, index: int = -1) -> dict[str, str]:
        lines = self.requests[index].partition("\r\n\r\n")[0].split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@asynccontextmanager
async def serving(paths: dict[str, Any], tls: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
    host = Host(paths)
    async with trio.open_nursery() as nursery:
        listeners: list[Any] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        host.port = listeners[0].socket.getsockname()[1]
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: host.names.append(name)
            listeners = [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]
        nursery.start_soon(partial(trio.serve_listeners, host.attend, listeners))
        yield host
        nursery.cancel_scope.cancel()


class Names(trio.abc.HostnameResolver):
    """Resolves names as it is told, each time with the next of its answers, and remembers who asked for what."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = names
        self.asked: list[str] = []

    async def getaddrinfo(
        self,
        host: bytes | None,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        assert host is not None
        name = host.decode()
        self.asked.append(name)
        answers = self.names.get(name.replace(".", "_"), [])
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        found = answers.pop(0)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in found
        ]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


def answer(body: bytes = CLIP, *more: str, status: int = 200, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body) if length is None else length}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(target: str, status: int = 302) -> bytes:
    return answer(b"", f"Location: {target}", status=status)


async def hang(_stream: Stream) -> None:
    await trio.sleep_forever()


def after(start: bytes, script: Script) -> Script:
    async def both(stream: Stream) -> None:
        await stream.send_all(start)
        await script(stream)

    return both


async def trickle(stream: Stream) -> None:
    while True:
        await stream.send_all(b"a")
        await trio.sleep(7)


async def reset(stream: Stream) -> None:
    assert isinstance(stream, trio.SocketStream)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No proxies, and no certificates, which would take their time to load."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.getbasetemp()))
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / ".clip.mp4.part"


Outcome = int | ProviderError


async def outcome(work: Awaitable[int]) -> Outcome:
    try:
        return await work
    except ProviderError as error:
        return error


def fetched(
    part: Path, paths: dict[str, Any], path: str = "/clip", *, own_host: str | None = "127.0.0.1", **options: Any
) -> tuple[Outcome, Host]:
    """What comes of a link to a host on this machine, and the host."""
    wanted = {"size": None, **options}

    async def work() -> tuple[Outcome, Host]:
        async with serving(paths) as host, open_client() as client:
            url = f"{host.url}{path}{SECRET}"
            return await outcome(download.fetch(client, url, part, own_host=own_host, **wanted)), host

    return trio.run(work, clock=MockClock(autojump_threshold=0.01))


def failed(part: Path, found: Outcome) -> ProviderError:
    """The error that it came to, which has left nothing and repeats no signature."""
    assert isinstance(found, ProviderError), found
    assert not os.path.lexists(part)
    assert "s3cr3t" not in str(found)
    return found


def followed(part: Path, url: str, names: Names | None = None, own_host: str | None = None) -> ProviderError:
    """The error that a link comes to, which leads to nowhere that is served here."""

    async def work() -> Outcome:
        if names is not None:
            trio.socket.set_custom_hostname_resolver(names)
        async with open_client() as client:
            return await outcome(download.fetch(client, url, part, own_host=own_host, size=None))

    return failed(part, trio.run(work))


# --- clips that come ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, len(CLIP)], ids=["nobody knows how many", "the provider says how many"])
def test_a_clip_arrives_byte_for_byte_and_nothing_says_who_asked(part: Path, size: int | None) -> None:
    told: list[tuple[int, int]] = []
    found, host = fetched(part, {"/clip": answer()}, size=size, report=lambda *count: told.append(count))
    assert (found, part.read_bytes()) == (len(CLIP), CLIP)
    assert told[-1] == (len(CLIP), len(CLIP))
    assert [count for count, _ in told] == sorted({count for count, _ in told})
    assert host.requests[0].startswith(f"GET /clip{SECRET} HTTP/1.1\r\n")
    headers = host.headers()
    assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert (headers["host"], headers["accept-encoding"]) == (f"127.0.0.1:{host.port}", "identity")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", id="chunks"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nabcde", id="the connection's end"),
        pytest.param(answer(gzip.compress(b"abcde"), "Content-Encoding: gzip"), id="compressed all the same"),
    ],
)
def test_a_clip_of_unknown_length_is_as_long_as_it_is(part: Path, sent: bytes) -> None:
    told: list[tuple[int, int]] = []
    found, _ = fetched(part, {"/clip": sent}, report=lambda *count: told.append(count))
    assert (found, part.read_bytes(), told[-1]) == (5, b"abcde", (5, 0))
    told.clear()
    found, _ = fetched(part, {"/clip": sent}, size=5, report=lambda *count: told.append(count))
    assert (found, told[-1]) == (5, (5, 5))


def test_what_stood_there_before_is_gone_and_nothing_is_written_through_it(part: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    part.symlink_to(precious)
    assert fetched(part, {"/clip": answer()})[0] == len(CLIP)
    assert (precious.read_bytes(), part.is_symlink(), part.read_bytes()) == (b"mine", False, CLIP)
    assert type(failed(part, fetched(part, {"/clip": answer(b"")})[0])) is Unavailable


def test_names_in_a_link_or_its_answer_are_nobodys_files(part: Path, tmp_path: Path) -> None:
    sent = answer(CLIP, 'Content-Disposition: attachment; filename="../../evil.mp4"')
    assert fetched(part, {"/../../evil": sent, "/evil": sent}, "/../../evil")[0] == len(CLIP)
    assert [path.name for path in tmp_path.iterdir()] == [part.name]


# --- clips that do not --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_has_died_is_lost(part: Path, status: int) -> None:
    error = failed(part, fetched(part, {"/clip": answer(b"<Error>s3cr3t</Error>", status=status)})[0])
    said = f"the link has expired or is not to be had (HTTP {status})"
    assert (type(error), error.blame, error.reason) == (Refused, "lost", said)


@pytest.mark.parametrize("status", [400, 402, 405, 416, 304])
def test_a_link_that_brings_no_clip_is_refused(part: Path, status: int) -> None:
    error = failed(part, fetched(part, {"/clip": answer(b"", status=status)})[0])
    assert (type(error), error.reason) == (Refused, f"the link brings no clip (HTTP {status})")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_a_host_that_is_busy_may_be_asked_again(part: Path, status: int) -> None:
    error = failed(part, fetched(part, {"/clip": answer(b"", "Retry-After: 7", status=status)})[0])
    assert isinstance(error, Unavailable)
    assert (error.reason, error.retry_after) == (f"the link cannot be had now (HTTP {status})", 7)


@pytest.mark.parametrize("status", [201, 204, 206])
def test_another_kind_of_success_is_none(part: Path, status: int) -> None:
    assert type(failed(part, fetched(part, {"/clip": answer(b"", status=status)})[0])) is Unavailable


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/html; charset=utf-8", b"<!DOCTYPE html><p>Sign in", "an HTML page"),
        ("text/html", b"Sign in", "an HTML page"),
        ("video/mp4", b"\xef\xbb\xbf\n <HTML>", "an HTML page"),
        ("application/octet-stream", b"<!-- x --><html>", "an HTML page"),
        ("video/mp4", b'<?xml version="1.0"?><Error/>', "an XML document"),
        ("application/xml", b"Error", "`application/xml`"),
        ("application/json", b'{"error": "gone"}', "JSON"),
        ("application/problem+json", b"null", "`application/problem+json`"),
        ("video/mp4", b' {"error": "gone"}', "JSON"),
        ("text/plain", b"not found", "`text/plain`"),
    ],
)
def test_a_page_is_no_clip(part: Path, kind: str, body: bytes, said: str) -> None:
    error = failed(part, fetched(part, {"/clip": answer(body, f"Content-Type: {kind}")})[0])
    assert (type(error), error.reason) == (Unavailable, f"{said} instead of a clip")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "binary/octet-stream", ""])
def test_a_clip_is_one_by_any_name(part: Path, kind: str) -> None:
    assert fetched(part, {"/clip": answer(CLIP, f"Content-Type: {kind}")})[0] == len(CLIP)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        pytest.param(answer(b""), "an empty file instead of a clip", id="empty"),
        pytest.param(answer(CLIP[:1000]), f"the clip is 1000 bytes, and the provider said {len(CLIP)}", id="short"),
        pytest.param(
            answer(CLIP + b"x"),
            f"the clip is {len(CLIP) + 1} bytes, and the provider said {len(CLIP)}",
            id="long",
        ),
        pytest.param(
            answer(length=len(CLIP) + 1),
            "download: the connection was closed in the middle of the answer",
            id="cut",
        ),
        pytest.param(
            after(answer(length=len(CLIP) + 1), reset),
            "download: the connection was reset in the middle of the answer",
            id="torn",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
            "download: the connection was closed in the middle of the answer",
            id="a missing last chunk",
        ),
        pytest.param(b"", "download: the connection was closed before an answer came", id="nothing"),
        pytest.param(b"ICY 200 OK\r\n\r\n", "download: the answer is not HTTP", id="garbage"),
        pytest.param(reset, "download: the connection was reset before an answer came", id="reset"),
        pytest.param(
            answer(CLIP, "Content-Encoding: br"),
            "download: the answer is encoded in a way that was not asked for",
            id="another encoding",
        ),
    ],
)
def test_a_clip_that_is_not_whole_may_be_asked_for_again(part: Path, sent: object, said: str) -> None:
    error = failed(part, fetched(part, {"/clip": sent}, size=len(CLIP))[0])
    assert (type(error), error.reason) == (Unavailable, said)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(hang, id="no answer"),
        pytest.param(after(answer(length=10**6), hang), id="no more"),
        pytest.param(after(answer(b"", length=10**6), trickle), id="a trickle"),
        pytest.param(after(b"HTTP/1.1 200 OK\r\nX: ", trickle), id="a trickle of a head"),
    ],
)
def test_a_download_that_stalls_is_given_up(part: Path, script: Script) -> None:
    error = failed(part, fetched(part, {"/clip": script})[0])
    assert (type(error), error.reason) == (Unavailable, "the download stalled: less than 64 kB in 60 s")


def test_a_download_may_take_as_long_as_it_likes_while_it_goes_on(part: Path) -> None:
    async def slow(stream: Stream) -> None:
        await stream.send_all(answer(b"", length=4 * 2**16))
        for _ in range(4):
            await trio.sleep(50)
            await stream.send_all(bytes(2**16))

    assert fetched(part, {"/clip": slow})[0] == 4 * 2**16


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_a_clip_that_is_too_large_is_not_taken_in(part: Path, announced: bool) -> None:
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
    sent = 0

    async def flood(stream: Stream) -> None:
        nonlocal sent
        head = b"Content-Length: 2000000000" if announced else b"Transfer-Encoding: chunked"
        await stream.send_all(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        for _ in range(30_000):
            await stream.send_all(chunk)
            sent += len(chunk)

    error = failed(part, fetched(part, {"/clip": flood}, most_bytes=2**20)[0])
    assert (type(error), error.reason) == (Refused, "the clip is larger than 1 MB")
    assert sent < 2**24


def test_whatever_goes_wrong_here_is_an_error_of_this_machine_and_leaves_nothing(part: Path) -> None:
    def full(_count: int, _total: int) -> None:
        assert part.exists()
        raise OSError(28, "No space left on device")

    with pytest.raises(ExceptionGroup) as caught:
        fetched(part, {"/clip": answer()}, report=full)
    assert caught.group_contains(OSError, match="No space left")
    assert not part.exists()
    with pytest.raises(ExceptionGroup) as caught:
        fetched(part / "nowhere", {"/clip": answer()})
    assert caught.group_contains(FileNotFoundError)


def test_an_interrupted_download_leaves_nothing(part: Path) -> None:
    async def work() -> None:
        async with serving({"/clip": after(answer(length=10**6), hang)}) as host, open_client() as client:
            with trio.move_on_after(5) as scope:
                url = f"{host.url}/clip"
                await download.fetch(client, url, part, own_host="localhost", size=None)
            assert scope.cancelled_caught

    trio.run(work, clock=MockClock(autojump_threshold=0.01))
    assert not part.exists()


# --- links that may not be followed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "the link to the clip cannot be read"),
        ("ftp://clips.example/a.mp4", "the link to the clip at `clips.example` is not https"),
        ("gopher://localhost:70/", "the link to the clip at `localhost` is not https"),
        ("http://clips.example/a?s3cr3t", "the link to the clip at `clips.example` is not https"),
        ("http://127.0.0.1.clips.example/", "the link to the clip at `127.0.0.1.clips.example` is not https"),
        (
            "https://user:s3cr3t@clips.example/",
            "the link to the clip at `clips.example` holds a user name or password",
        ),
        ("https://@clips.example/", "the link to the clip at `clips.example` holds a user name or password"),
        (
            "https://clips.example:99999/",
            "the link to the clip at `clips.example` cannot be read: port out of range",
        ),
        ("https://clips.example\\@127.0.0.1/", "the link to the clip at `127.0.0.1` holds a user name or password"),
        ("https://[::1/", "the link to the clip cannot be read"),
        ("https:///a.mp4", "the link to the clip cannot be read"),
        ("https://夜.example/", "the link to the clip cannot be read"),
        ("https://clips.ex%61mple/", "the link to the clip cannot be read"),
        ("https://clips.example/a\r\nX: y", "the link to the clip cannot be read"),
        ("//clips.example/a", "the link to the clip at `clips.example` is not https"),
        ("clips.example/a", "the link to the clip cannot be read"),
        ("", "the link to the clip cannot be read"),
    ],
)
def test_a_link_is_an_https_address_and_nothing_else(part: Path, url: str, said: str) -> None:
    error = followed(part, url)
    assert (type(error), error.reason.startswith(said)) == (Refused, True), error


def test_an_address_that_is_none_is_no_way_out(part: Path) -> None:
    error = followed(part, "https://999.1.1.1/a", Names(**{"999_1_1_1": [["8.8.8.8"]]}))
    assert (type(error), error.reason) == (Refused, "download: the link cannot be read")


PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *(
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ),
    *("2002:7f00:1::", "64:ff9b::a00:1", "64:ff9b:1::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_asked_whether_it_is_written_or_hidden_behind_a_name(
    part: Path, address: str
) -> None:
    written = followed(part, f"https://[{address}]/a" if ":" in address else f"https://{address}/a")
    hidden = followed(part, "https://clips.example/a?s3cr3t", Names(clips_example=[[address]]))
    for error in (written, hidden):
        assert type(error) is Refused
        assert "leads into a private network, and was not followed" in error.reason


@pytest.mark.parametrize(
    ("host", "own_host"),
    [
        pytest.param("localhost", None, id="of nobody"),
        pytest.param("localhost", "api.example", id="of another"),
        pytest.param("127.0.0.1", "gateway.lan", id="of a gateway in the same house"),
        pytest.param("10.0.0.2", "10.0.0.1", id="a neighbour"),
        pytest.param("2130706433", "127.0.0.1", id="a number that is this machine"),
        pytest.param("0x7f.1", "127.0.0.1", id="another"),
    ],
)
def test_what_is_private_is_the_providers_own_or_nobodys(part: Path, host: str, own_host: str | None) -> None:
    error = followed(part, f"https://{host}/a", own_host=own_host)
    assert "leads into a private network" in error.reason


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_may_be_asked(address: str) -> None:
    from ipaddress import ip_address

    assert download.is_public(ip_address(address))
    assert not any(download.is_public(ip_address(one)) for one in PRIVATE)


def test_a_name_that_does_not_resolve_may_be_asked_for_again(part: Path) -> None:
    error = followed(part, "https://clips.example/a", Names())
    assert (type(error), error.blame) == (Unavailable, "address")
    assert error.reason == "download: cannot resolve the host `clips.example`"


@pytest.mark.parametrize("own_host", ["127.0.0.1", "LOCALHOST", "localhost.", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_this_machine_a_link_may_lead_to_this_machine(part: Path, own_host: str, host: str) -> None:
    async def work() -> Outcome:
        async with serving({"/clip": answer()}) as site, open_client() as client:
            url = f"http://{host}:{site.port}/clip"
            return await outcome(download.fetch(client, url, part, own_host=own_host, size=None))

    assert trio.run(work) == len(CLIP)


# --- redirects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/b/c?x=%2F", "c?x=%2F", "//{host}/b/c?x=%2F", "http://{host}/b/c?x=%2F"])
def test_a_redirect_is_followed(part: Path, status: int, target: str) -> None:
    async def work() -> tuple[Outcome, Host]:
        paths: dict[str, Any] = {"/b/c": answer()}
        async with serving(paths) as host, open_client() as client:
            paths["/b/a"] = redirect(target.format(host=f"127.0.0.1:{host.port}"), status)
            url = f"{host.url}/b/a{SECRET}"
            return await outcome(download.fetch(client, url, part, own_host="127.0.0.1", size=None)), host

    found, host = trio.run(work)
    assert (found, part.read_bytes()) == (len(CLIP), CLIP)
    assert [request.split()[1] for request in host.requests] == [f"/b/a{SECRET}", "/b/c?x=%2F"]
    assert set(host.headers()) == {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_another_host_hears_nothing_of_the_first(part: Path) -> None:
    async def work() -> tuple[Outcome, Host]:
        async with serving({"/there": answer()}) as second, open_client() as client:
            paths = {"/clip": answer(b"", "Set-Cookie: a=s3cr3t", f"Location: {second.url}/there", status=307)}
            async with serving(paths) as first:
                url = f"{first.url}/clip{SECRET}"
                return await outcome(download.fetch(client, url, part, own_host="127.0.0.1", size=None)), second

    found, second = trio.run(work)
    assert found == len(CLIP)
    assert "s3cr3t" not in second.requests[0]
    assert second.headers()["host"] == f"127.0.0.1:{second.port}"


@pytest.mark.parametrize(("count", "arrives"), [(5, True), (6, False)])
def test_five_redirects_are_followed_and_no_more(part: Path, count: int, arrives: bool) -> None:
    paths: dict[str, Any] = {f"/{number}": redirect(f"/{number + 1}") for number in range(count)}
    found, host = fetched(part, {**paths, f"/{count}": answer()}, "/0")
    if arrives:
        assert found == len(CLIP)
    else:
        error = failed(part, found)
        said = "the link to the clip at `127.0.0.1` redirects more than 5 times"
        assert (type(error), error.blame, error.reason) == (Refused, "lost", said)
    assert len(host.requests) == 6


def test_redirects_in_a_circle_come_to_an_end(part: Path) -> None:
    found, host = fetched(part, {"/a": redirect("/b"), "/b": redirect("/a")}, "/a")
    assert failed(part, found).blame == "lost"
    assert len(host.requests) == 6


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("file:///etc/passwd", "the link to the clip cannot be read"),
        ("http://clips.example/s3cr3t", "the link to the clip at `clips.example` is not https"),
        ("https://user@clips.example/", "holds a user name or password"),
        ("https://192.168.0.1/", "leads into a private network"),
        ("https://[fe80::1]/", "leads into a private network"),
    ],
)
def test_every_redirect_is_looked_at_as_the_link_was(part: Path, target: str, said: str) -> None:
    error = failed(part, fetched(part, {"/clip": redirect(target)})[0])
    assert (type(error), said in error.reason) == (Refused, True), error


def test_a_redirect_to_nowhere_brings_no_clip(part: Path) -> None:
    error = failed(part, fetched(part, {"/clip": answer(b"", status=302)})[0])
    assert (type(error), error.reason) == (Refused, "the link brings no clip (HTTP 302)")


# --- hosts by name, with certificates -----------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="there is no openssl to make certificates"
)
NAME = "clips.example.test"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, and a certificate for one name that vouches for itself."""
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    uses = "keyUsage=critical,digitalSignature,keyCertSign"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=x", "-days", "2", "-addext", f"subjectAltName=DNS:{NAME}", "-addext", uses]
    subprocess.run([*command, "-keyout", path, "-out", path.with_name("cert.pem")], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_name("cert.pem").read_text())
    return path


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS for `NAME`, which clients trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def fetched_by_name(
    part: Path, tls: ssl.SSLContext, names: Names, paths: dict[str, Any], host_name: str = NAME
) -> tuple[Outcome, Host]:
    async def work() -> tuple[Outcome, Host]:
        trio.socket.set_custom_hostname_resolver(names)
        async with serving(paths, tls) as host, open_client() as client:
            url = f"https://{host_name}:{host.port}/clip{SECRET}"
            return await outcome(download.fetch(client, url, part, own_host=host_name, size=None)), host

    return trio.run(work)


@needs_openssl
def test_the_address_that_was_checked_is_the_one_that_is_asked(part: Path, tls: ssl.SSLContext) -> None:
    names = Names(clips_example_test=[["127.0.0.1"], ["10.0.0.1"]])
    found, host = fetched_by_name(part, tls, names, {"/clip": answer()})
    assert (found, names.asked) == (len(CLIP), [NAME])
    assert (host.names, host.headers()["host"]) == ([NAME], f"{NAME}:{host.port}")


@needs_openssl
def test_a_certificate_is_held_against_the_name_and_not_the_address(part: Path, tls: ssl.SSLContext) -> None:
    names = Names(other_example_test=[["127.0.0.1"]])
    found, host = fetched_by_name(part, tls, names, {"/clip": answer()}, "other.example.test")
    error = failed(part, found)
    assert (type(error), host.requests) == (Refused, [])
    assert error.reason.startswith(f"download: cannot speak TLS with `other.example.test:{host.port}`: its cert")


@needs_openssl
def test_where_one_address_does_not_answer_another_is_asked(part: Path, tls: ssl.SSLContext) -> None:
    names = Names(clips_example_test=[["127.0.0.2", "127.0.0.1"]])
    assert fetched_by_name(part, tls, names, {"/clip": answer()})[0] == len(CLIP)
    names = Names(clips_example_test=[["127.0.0.1", "127.0.0.2"]])
    found, host = fetched_by_name(part, tls, names, {"/clip": b""})
    assert "closed before an answer came" in failed(part, found).reason
    assert len(host.requests) == 1


@needs_openssl
@pytest.mark.parametrize("target", ["http://127.0.0.1:1/clip", "https://localhost:1/clip", "http://[::1]/clip"])
def test_from_elsewhere_a_redirect_never_leads_to_this_machine(
    part: Path, tls: ssl.SSLContext, target: str
) -> None:
    names = Names(clips_example_test=[["127.0.0.1"]])
    error = failed(part, fetched_by_name(part, tls, names, {"/clip": redirect(target)})[0])
    assert error.reason == f"the link to the clip at `{NAME}` redirects to this machine"


@needs_openssl
def test_https_is_never_left_again(part: Path, tls: ssl.SSLContext) -> None:
    names = Names(clips_example_test=[["127.0.0.1"]])
    error = failed(part, fetched_by_name(part, tls, names, {"/clip": redirect(f"http://{NAME}/clip")})[0])
    assert error.reason == f"the link to the clip at `{NAME}` is not https"


# --- proxies ------------------------------------------------------------------------------------------------


@needs_openssl
def test_a_proxy_resolves_the_name_itself(part: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def proxy(stream: trio.SocketStream) -> None:
        asked.append(await stream.receive_some())
        await stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n")
        secure = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        await secure.receive_some()
        await secure.send_all(answer())
        await secure.aclose()

    async def work() -> Outcome:
        names = Names()
        trio.socket.set_custom_hostname_resolver(names)
        async with trio.open_nursery() as nursery, open_client() as client:
            (listener,) = await nursery.start(partial(trio.serve_tcp, proxy, 0, host="127.0.0.1"))
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.socket.getsockname()[1]}")
            link = f"https://{NAME}/clip"
            found = await outcome(download.fetch(client, link, part, own_host=None, size=None))
            nursery.cancel_scope.cancel()
        assert names.asked == []
        return found

    assert trio.run(work) == len(CLIP)
    assert asked[0].startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("host", ["10.0.0.1", "[fe80::1]", "127.0.0.1", "localhost", "169.254.169.254"])
def test_a_proxy_is_not_sent_into_a_private_network_either(
    part: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    error = followed(part, f"https://{host}/clip")
    assert (type(error), "leads into a private network" in error.reason) == (Refused, True)


# --- clips inside answers -----------------------------------------------------------------------------------


def data_address(data: bytes, head: str = "data:video/mp4;base64,") -> str:
    return head + base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(data_address(CLIP), id="plain"),
        pytest.param(data_address(CLIP, "DATA:Video/MP4;codecs=avc1; BASE64,"), id="capitals and more"),
        pytest.param(data_address(CLIP, "data:application/octet-stream;base64,"), id="bytes"),
        pytest.param(data_address(CLIP).rstrip("="), id="no padding"),
        pytest.param(data_address(CLIP).replace("+", "%2B").replace("=", "%3D"), id="percent-encoded"),
    ],
)
def test_a_clip_in_an_address_is_decoded(url: str) -> None:
    assert download.decoded(url) == CLIP


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        pytest.param("https://clips.example/a", Refused, id="a link"),
        pytest.param("data:video/mp4;base64", Refused, id="no data"),
        pytest.param("data:video/mp4,abcd", Refused, id="not base64 by its own words"),
        pytest.param("data:text/html;base64,PGh0bWw+", Refused, id="a page"),
        pytest.param("data:;base64,AAAA", Refused, id="of no kind"),
        pytest.param("data:video/mp4;base64,AAA*", Unavailable, id="a character that is none"),
        pytest.param("data:video/mp4;base64,AA AA", Unavailable, id="a blank"),
        pytest.param("data:video/mp4;base64,AAAAA", Unavailable, id="cut"),
        pytest.param("data:video/mp4;base64,AA==AAAA", Unavailable, id="padding in the middle"),
        pytest.param("data:video/mp4;base64,夜夜夜夜", Unavailable, id="not ASCII"),
        pytest.param("data:video/mp4;base64," + "A" * (CLIP_BYTES + 1), Refused, id="too much"),
    ],
)
def test_an_address_that_holds_no_clip_is_none(url: str, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        download.decoded(url)
    assert type(caught.value) is kind
    assert len(str(caught.value)) < 100


def test_bytes_are_stored_whole_over_whatever_stood_there(part: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    part.symlink_to(tmp_path / "precious")
    assert download.store_bytes(CLIP, part, len(CLIP)) == len(CLIP)
    assert (part.is_symlink(), part.read_bytes(), (tmp_path / "precious").read_bytes()) == (False, CLIP, b"mine")


@pytest.mark.parametrize(
    ("data", "size", "said"),
    [
        (b"", None, "an empty file instead of a clip"),
        (CLIP, 7, f"the clip is {len(CLIP)} bytes, and the provider said 7"),
        (b"<html>", None, "an HTML page instead of a clip"),
        (b'{"error": 1}', None, "JSON instead of a clip"),
    ],
)
def test_bytes_that_are_no_clip_are_not_stored(part: Path, data: bytes, size: int | None, said: str) -> None:
    with pytest.raises(Unavailable) as caught:
        download.store_bytes(data, part, size)
    assert (caught.value.reason, part.exists()) == (said, False)


def test_bytes_that_cannot_be_written_are_an_error_of_this_machine(part: Path) -> None:
    with pytest.raises(FileNotFoundError):
        download.store_bytes(CLIP, part / "nowhere", None)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.Example.net./v1", "api.example.net"),
        ("http://[::1]:8/", "::1"),
        ("https://user@h:1/", "h"),
        ("https://[::1", None),
        ("data:video/mp4;base64,AAAA", None),
        ("https://a b/", None),
    ],
)
def test_the_host_of_an_address_is_read_from_it(url: str, host: str | None) -> None:
    assert download.host_of(url) == host
