"""The client against raw sockets: what it sends, what it makes of every way in which an answer can fail to come."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import ssl
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from vidspec import __version__
from vidspec.errors import InDoubt, ProviderError, Refused, Unavailable, UsageError
from vidspec.http import SLOWEST, Client, open_client
from vidspec.http.attempt import Attempt
from vidspec.wire import CLIP_BYTES, Call, Reply

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-0123456789/abcdef+ZY"
POLL = Call(purpose="poll", verb="GET", path="/tasks/17")
SUBMIT = Call(purpose="submit", verb="POST", path="/video/submit", body={"prompt": "夜 harbour"})
TIME = 60.0
"""Seconds for an exchange; they pass at once where everybody waits."""

_T = TypeVar("_T")
Stream = trio.SSLStream[trio.SocketStream] | trio.SocketStream
Script = Callable[[Stream], Awaitable[object]]


# --- a server of nothing but bytes --------------------------------------------------------------------------


class Site:
    """A server that reads a request and then does what its script does."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.gone = 0
        self.sent = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def attend(self, stream: Stream) -> None:
        self.connections += 1
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while request := await received(stream):
                self.requests.append(request)
                await self.script(stream)
        await trio.aclose_forcefully(stream)
        self.gone += 1

    async def flood(self, piece: bytes, times: int, stream: Stream) -> None:
        """Send a lot, and count how much of it anybody wanted."""
        for _ in range(times):
            await stream.send_all(piece)
            self.sent += len(piece)


async def received(stream: Stream) -> bytes:
    """One request, as it was sent; empty where the client has gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = await stream.receive_some()
        if not piece:
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    while len(body) < int(headers(head).get("content-length", "0")):
        body += await stream.receive_some()
    return head + b"\r\n\r\n" + body


def headers(request: bytes) -> dict[str, str]:
    """The headers of a request by lower-case name."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@asynccontextmanager
async def served(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site(script)
    async with trio.open_nursery() as nursery:
        listeners: list[Any] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        site.port = listeners[0].socket.getsockname()[1]
        if tls is not None:
            listeners = [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]
        nursery.start_soon(partial(trio.serve_listeners, site.attend, listeners))
        yield site
        nursery.cancel_scope.cancel()


def says(answer: bytes) -> Script:
    async def script(stream: Stream) -> None:
        await stream.send_all(answer)

    return script


def ok(body: bytes, *more: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def hang(_stream: Stream) -> None:
    await trio.sleep_forever()


async def close(stream: Stream) -> None:
    await stream.aclose()


async def reset(stream: Stream) -> None:
    plain = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    plain.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await plain.aclose()


def then(*scripts: Script) -> Script:
    async def script(stream: Stream) -> None:
        for one in scripts:
            await one(stream)

    return script


async def trickle(stream: Stream) -> None:
    while True:
        await stream.send_all(b"a")
        await trio.sleep(7)


def run(work: Callable[[], Awaitable[_T]]) -> _T:
    """Run in real time, which names need: they are resolved in threads."""
    return trio.run(work)


def run_ahead(work: Callable[[], Awaitable[_T]]) -> _T:
    """Run in virtual time, which passes where server and client both wait for it."""
    return trio.run(work, clock=MockClock(autojump_threshold=0.01))


async def outcome(work: Awaitable[_T]) -> _T | ProviderError:
    """What comes of something: its value, or the error that it is all about."""
    try:
        return await work
    except ProviderError as error:
        return error


def asked(script: Script, call: Call = POLL, *, seconds: float = TIME) -> tuple[Reply | ProviderError, Site]:
    """What comes of one call to a server, and the server."""

    async def work() -> tuple[Reply | ProviderError, Site]:
        async with served(script) as site, open_client() as client:
            return await outcome(client.api("minimax", site.url, KEY, seconds).exchange(call)), site

    return run_ahead(work)


def reply_of(script: Script, call: Call = POLL) -> Reply:
    found, _ = asked(script, call)
    assert isinstance(found, Reply), found
    return found


def error_of(script: Script, call: Call = POLL, seconds: float = TIME) -> ProviderError:
    found, _ = asked(script, call, seconds=seconds)
    assert isinstance(found, ProviderError), found
    return found


def asked_at(url: str, call: Call = POLL, seconds: float = TIME) -> ProviderError:
    """What goes wrong with a call to a URL."""

    async def work() -> Reply | ProviderError:
        async with open_client() as client:
            return await outcome(client.api("minimax", url, KEY, seconds).exchange(call))

    found = run(work)
    assert isinstance(found, ProviderError), found
    return found


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxies, a home folder of its own, and no certificates, which would take their time to load."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_submit_is_sent_as_json_with_the_key_and_says_who_asks() -> None:
    found, site = asked(says(ok(b'{"id": 1}')), SUBMIT)
    assert found == Reply(status=200, headers={"content-length": "9"}, body=b'{"id": 1}')
    (request,) = site.requests
    body = '{"prompt":"夜 harbour"}'.encode()
    assert request.startswith(b"POST /v1/video/submit HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + body)
    assert headers(request) == {
        "host": f"127.0.0.1:{site.port}",
        "user-agent": f"vidspec/{__version__}",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "authorization": f"Bearer {KEY}",
        "connection": "close",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }


def test_a_post_without_a_body_says_so() -> None:
    _, site = asked(says(ok(b"{}")), Call(purpose="poll", verb="POST", path="/tasks/17"))
    (request,) = site.requests
    assert headers(request)["content-length"] == "0"
    assert "content-type" not in headers(request)


def test_a_call_without_a_body_has_no_content_type() -> None:
    _, site = asked(says(ok(b"{}")))
    (request,) = site.requests
    assert request.startswith(b"GET /v1/tasks/17 HTTP/1.1\r\n")
    assert set(headers(request)) == {"host", "user-agent", "accept", "accept-encoding", "authorization"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/tasks/a%2Fb", id="an encoded slash"),
        pytest.param("/tasks/%e5%A4%9c", id="capitals as they are"),
        pytest.param("/tasks?id=%2F%3F%26%25&b=a+b", id="a query"),
        pytest.param("/tasks/%2E%2E", id="encoded dots"),
        pytest.param("/tasks/a:b@c,d;e=f~g", id="other characters"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"], ids=["no slash", "a slash at the end of the base URL"])
def test_a_path_arrives_byte_for_byte(path: str, slash: str) -> None:
    async def work() -> Site:
        async with served(says(ok(b"{}"))) as site, open_client() as client:
            api = client.api("minimax", site.url + slash, KEY, 2)
            await api.exchange(Call(purpose="poll", verb="GET", path=path))
            return site

    assert run(work).requests[0].partition(b" HTTP/")[0] == f"GET /v1{path}".encode()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/tasks/..", id="one folder up"),
        pytest.param("/tasks/../../admin", id="elsewhere"),
        pytest.param("@elsewhere.example/x", id="another host"),
        pytest.param(":99/x", id="another port"),
        pytest.param("/tasks/夜", id="not encoded"),
        pytest.param("/tasks/a b", id="a blank"),
        pytest.param("/tasks/a\r\nX-Evil: 1", id="a line break"),
        pytest.param("/tasks/a#b", id="a fragment"),
        pytest.param("/" + "a" * 70_000, id="endless"),
    ],
)
def test_a_path_that_would_be_sent_as_another_is_not_sent(path: str) -> None:
    found, site = asked(says(ok(b"{}")), Call(purpose="submit", verb="POST", path=path, body={}))
    assert isinstance(found, Refused)
    assert found.reason == "submit: the provider's id makes a path that cannot be sent as it is"
    assert site.connections == 0


@pytest.mark.parametrize("key", ["", " ", "sk-1234 5678", "sk-12345678\n", "sk-ключ", "sk-\0"], ids=ascii)
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    async def work() -> ProviderError:
        async with open_client() as client:
            with pytest.raises(Refused) as caught:
                client.api("minimax", "https://api.example.net/v1", key, 2)
            return caught.value

    error = run(work)
    assert (error.blame, "sk-" in error.reason) == ("key", False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.example.net/v1", "not https"),
        ("http://127.0.0.1.example.net/v1", "not https"),
        ("ftp://127.0.0.1/v1", "not https"),
        ("https://[::1/v1", "cannot be read"),
        ("https://999.999.999.999/v1", "cannot be read"),
    ],
)
def test_a_key_is_never_sent_in_the_clear(url: str, said: str) -> None:
    async def work() -> ProviderError:
        async with open_client() as client:
            with pytest.raises(Refused) as caught:
                client.api("minimax", url, KEY, 2)
            return caught.value

    error = run(work)
    assert (error.blame, said in error.reason) == ("address", True)


def test_neither_netrc_nor_cookies_add_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    async def work() -> Site:
        async with served(says(ok(b"{}", "Set-Cookie: session=1; Path=/"))) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, 2)
            await api.exchange(POLL)
            await api.exchange(POLL)
            for _ in range(2):
                async with client.get(f"{site.url}/clip.mp4", patience=2) as answer:
                    await answer.read()
            return site

    first, second, *links = run(work).requests
    assert headers(first) == headers(second)
    assert headers(second)["authorization"] == f"Bearer {KEY}"
    for link in links:
        assert set(headers(link)) == {"host", "user-agent", "accept", "accept-encoding", "connection"}


# --- what comes back ----------------------------------------------------------------------------------------


def test_an_answer_is_read_whatever_its_status_and_headers_are_by_lower_case_name() -> None:
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\nbusy"
    found = reply_of(says(answer), SUBMIT)
    assert (found.status, found.body) == (503, b"busy")
    assert found.headers == {"retry-after": "3", "x-a": "1, 2", "content-length": "4"}


def test_headers_are_read_as_utf_8_where_they_are_and_byte_by_byte_where_not() -> None:
    found = reply_of(says(b"HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nX-B: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\n{}"))
    assert (found.headers["x-a"], found.headers["x-b"]) == ("café", "café")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: /v1/other\r\nContent-Length: 0\r\n\r\n".encode()
    found, site = asked(says(answer), SUBMIT)
    assert isinstance(found, Reply)
    assert (found.status, found.headers["location"], len(site.requests)) == (status, "/v1/other", 1)


def test_an_answer_may_come_in_chunks_and_after_a_word_of_patience() -> None:
    head = b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert reply_of(says(head + b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n')).body == b'{"a": 1}'


def test_an_answer_may_end_with_the_connection() -> None:
    script = then(says(b"HTTP/1.0 200 OK\r\n\r\n{}"), close)
    assert reply_of(script, SUBMIT).body == b"{}"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
    ids=["gzip", "x-gzip", "deflate", "bare deflate"],
)
def test_an_answer_may_be_compressed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = json.dumps({"words": ["night"] * 100_000}).encode()
    assert reply_of(says(ok(pack(body), f"Content-Encoding: {encoding}"))).body == body
    assert reply_of(says(ok(b"", f"Content-Encoding: {encoding}"))).body == b""


@pytest.mark.parametrize("call", [POLL, SUBMIT], ids=["poll", "submit"])
def test_a_key_that_is_repeated_is_struck_out(call: Call) -> None:
    escaped = KEY.replace("/", "\\/")
    encoded = KEY.replace("/", "%2F").replace("+", "%2B")
    body = f'{{"error": "bad key {KEY}", "again": "{escaped}", "link": "https://h/?k={encoded}"}}'.encode()
    found = reply_of(says(ok(body, f"X-Debug: Bearer {KEY}")), call)
    assert found.body == b'{"error": "bad key [key]", "again": "[key]", "link": "https://h/?k=[key]"}'
    assert found.headers["x-debug"] == "Bearer [key]"


# --- the request may have been sent -------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
NO_ANSWER = [
    pytest.param(close, "the connection was closed before an answer came", id="closed"),
    pytest.param(reset, "the connection was reset before an answer came", id="reset"),
    pytest.param(
        then(says(b"HTTP/1.1 200 OK\r\nConte"), close),
        "the connection was closed before an answer came",
        id="cut in the head",
    ),
    pytest.param(says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "the answer is not HTTP", id="a garbage status line"),
    pytest.param(says(b"\0" * 200_000), "the answer is not HTTP", id="an endless status line"),
    pytest.param(
        then(says(HEAD + b"abc"), close), "the connection was closed in the middle of the answer", id="cut"
    ),
    pytest.param(
        then(says(HEAD + b"abc"), reset), "the connection was reset in the middle of the answer", id="torn"
    ),
    pytest.param(says(HEAD.replace(b"10", b"abc")), "the answer is not HTTP", id="a length that is none"),
    pytest.param(
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        "the answer is not HTTP",
        id="bad chunks",
    ),
    pytest.param(
        says(ok(gzip.compress(b"a" * 1000)[:-9], "Content-Encoding: gzip")),
        "the answer is compressed, and damaged",
        id="gzip cut short",
    ),
    pytest.param(
        says(ok(b"not gzip at all", "Content-Encoding: gzip")),
        "the answer is compressed, and damaged",
        id="gzip that is none",
    ),
    pytest.param(
        says(ok(b"abc", "Content-Encoding: br")),
        "the answer is encoded in a way that was not asked for",
        id="another encoding",
    ),
]


@pytest.mark.parametrize(("script", "said"), NO_ANSWER)
def test_a_submit_without_a_whole_answer_is_in_doubt(script: Script, said: str) -> None:
    error = error_of(script, SUBMIT)
    assert (type(error), error.reason, error.blame) == (InDoubt, f"submit: {said}", "outage")


@pytest.mark.parametrize(("script", "said"), NO_ANSWER)
def test_a_poll_without_a_whole_answer_may_be_made_again(script: Script, said: str) -> None:
    error = error_of(script)
    assert (type(error), error.reason, error.blame) == (Unavailable, f"poll: {said}", "outage")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(hang, "no answer within 60 s", id="hangs"),
        pytest.param(trickle, "no answer within 60 s", id="a head that trickles"),
        pytest.param(then(says(HEAD), hang), "no complete answer within 60 s", id="hangs in the middle"),
        pytest.param(
            then(says(HEAD.replace(b"10", b"1000")), trickle), "no complete answer within 60 s", id="trickles"
        ),
    ],
)
@pytest.mark.parametrize(("call", "kind"), [(SUBMIT, InDoubt), (POLL, Unavailable)], ids=["submit", "poll"])
def test_an_exchange_has_its_time_and_no_more(
    script: Script, said: str, call: Call, kind: type[ProviderError]
) -> None:
    async def work() -> tuple[Reply | ProviderError, float]:
        async with served(script) as site, open_client() as client:
            began = trio.current_time()
            found = await outcome(client.api("minimax", site.url, KEY, TIME).exchange(call))
            return found, trio.current_time() - began

    error, took = run_ahead(work)
    assert isinstance(error, kind)
    assert (error.reason, TIME <= took < TIME + 1) == (f"{call.purpose}: {said}", True)


def test_a_large_body_has_its_time_on_top() -> None:
    body = {"image": "x" * (11 * SLOWEST - len('{"image":""}'))}
    call = Call(purpose="submit", verb="POST", path="/submit", body=body)
    assert error_of(hang, call).reason == "submit: no answer within 70 s"


def test_a_large_answer_has_its_time_as_it_comes() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 13107200\r\n\r\n"

    async def steady(stream: Stream) -> None:
        await stream.send_all(head)
        for _ in range(4):
            await trio.sleep(30)
            await stream.send_all(bytes(25 * SLOWEST))

    large = Call(purpose="result", verb="GET", path="/clip", most_bytes=CLIP_BYTES)
    small = Call(purpose="result", verb="GET", path="/clip")
    found, _ = asked(steady, large)
    assert isinstance(found, Reply), found
    assert error_of(steady, small).reason == "result: no complete answer within 60 s"
    assert error_of(hang, large).reason == "result: no answer within 60 s"
    assert error_of(then(says(head), trickle), large).reason.startswith("result: no complete answer within 60")


@pytest.mark.parametrize("status", [400, 402, 429, 307])
@pytest.mark.parametrize("script", [close, reset, hang, trickle], ids=["closed", "reset", "hangs", "trickles"])
def test_a_submit_that_was_refused_stays_refused_where_the_reason_is_cut_short(status: int, script: Script) -> None:
    head = f"HTTP/1.1 {status} No\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n".encode()
    found, _ = asked(then(says(head), script), SUBMIT)
    assert isinstance(found, Reply)
    assert (found.status, found.headers["retry-after"], set(found.body) <= set(b"a")) == (status, "7", True)


# --- too much -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_reading_stops_where_an_answer_is_larger_than_anyone_wants(announced: bool) -> None:
    piece = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\n"
    head += b"Content-Length: 2000000000\r\n\r\n" if announced else b"Transfer-Encoding: chunked\r\n\r\n"
    site: list[Site] = []

    async def script(stream: Stream) -> None:
        await stream.send_all(head)
        await site[0].flood(piece, 30_000, stream)

    async def work() -> list[Reply | ProviderError]:
        async with served(script) as found, open_client() as client:
            site.append(found)
            api = client.api("minimax", found.url, KEY, 20)
            return [await outcome(api.exchange(call)) for call in (SUBMIT, POLL)]

    doubt, unavailable = run(work)
    assert isinstance(doubt, InDoubt)
    assert isinstance(unavailable, Unavailable)
    assert unavailable.reason == "poll: the answer is larger than 4 MB"
    assert 2 * 2**22 <= site[0].sent < 2 * (2**22 + 2**23)


def test_a_refusal_that_never_ends_is_still_one() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
    call = Call(purpose="submit", verb="POST", path="/submit", body={}, most_bytes=1000)
    found = reply_of(says(head + b"10000\r\n" + b"x" * 2**16 + b"\r\n0\r\n\r\n"), call)
    assert (found.status, found.body) == (404, b"x" * 1000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_blown_up(encoding: str) -> None:
    import tracemalloc

    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 2**17
    script = says(ok(bomb, f"Content-Encoding: {encoding}"))
    tracemalloc.start()
    try:
        error = error_of(script)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.reason == "poll: the answer is larger than 4 MB"
    assert peak < 3 * 2**23


def test_an_answer_of_just_the_most_is_read() -> None:
    call = Call(purpose="poll", verb="GET", path="/x", most_bytes=1000)
    assert reply_of(says(ok(b"x" * 1000)), call).body == b"x" * 1000
    assert error_of(says(ok(b"x" * 1001)), call).reason == "poll: the answer is larger than 0.000953674 MB"


# --- nothing was sent ---------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@pytest.mark.parametrize("call", [SUBMIT, POLL], ids=["submit", "poll"])
def test_nothing_was_sent_where_a_connection_is_refused(call: Call) -> None:
    port = closed_port()
    error = asked_at(f"http://127.0.0.1:{port}/v1", call)
    said = f"{call.purpose}: `127.0.0.1:{port}` refused the connection"
    assert (type(error), error.reason, error.blame) == (Unavailable, said, "address")


@pytest.mark.parametrize("host", ["llm.invalid", f"{'a' * 64}.invalid", "a..invalid"])
def test_nothing_was_sent_where_a_name_does_not_resolve(host: str) -> None:
    error = asked_at(f"https://{host}/v1", SUBMIT, seconds=20)
    said = f"submit: cannot resolve the host `{host}`"
    assert (type(error), error.reason, error.blame) == (Unavailable, said, "address")


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        pytest.param(hang, Unavailable, "no connection to `{host}` within 30 s", id="hangs"),
        pytest.param(close, Unavailable, "`{host}` closed the connection before anything was sent", id="closed"),
        pytest.param(reset, Unavailable, "`{host}` closed the connection before anything was sent", id="reset"),
        pytest.param(
            says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            Refused,
            "cannot speak TLS with `{host}`: wrong version number",
            id="plain HTTP",
        ),
    ],
)
def test_nothing_was_sent_where_the_hand_shake_fails(script: Script, kind: type[ProviderError], said: str) -> None:
    async def begun(stream: Stream) -> None:
        await stream.receive_some()
        await script(stream)

    async def work() -> tuple[object, str]:
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, begun, 0, host="127.0.0.1"))
            host = f"127.0.0.1:{listener.socket.getsockname()[1]}"
            async with open_client() as client:
                found = await outcome(client.api("minimax", f"https://{host}/v1", KEY, TIME).exchange(SUBMIT))
            nursery.cancel_scope.cancel()
        return found, host

    error, host = run_ahead(work)
    assert isinstance(error, kind)
    assert (error.reason, error.blame) == (f"submit: {said.format(host=host)}", "address")


# --- certificates -------------------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="there is no openssl to make certificates"
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, and a certificate for `localhost` and `api.example.test` that vouches for itself."""
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    names = "subjectAltName=DNS:localhost,DNS:api.example.test"
    uses = "keyUsage=critical,digitalSignature,keyCertSign"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=vidspec test", "-days", "2", "-addext", names, "-addext", uses]
    subprocess.run([*command, "-keyout", path, "-out", path.with_name("cert.pem")], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_name("cert.pem").read_text())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def asked_with_tls(tls: ssl.SSLContext, host: str, call: Call = SUBMIT) -> tuple[Reply | ProviderError, Site]:
    async def work() -> tuple[Reply | ProviderError, Site]:
        async with served(says(ok(b"{}")), tls) as site, open_client() as client:
            api = client.api("minimax", f"https://{host}:{site.port}/v1", KEY, 5)
            return await outcome(api.exchange(call)), site

    return run(work)


@needs_openssl
def test_certificates_that_the_environment_names_are_trusted(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    found, site = asked_with_tls(tls, "localhost")
    assert isinstance(found, Reply), found
    assert headers(site.requests[0])["host"] == f"localhost:{site.port}"


@needs_openssl
def test_a_certificate_that_vouches_for_itself_is_not_trusted(tls: ssl.SSLContext) -> None:
    error, site = asked_with_tls(tls, "localhost")
    assert isinstance(error, Refused)
    assert (error.blame, site.requests) == ("address", [])
    assert error.reason.startswith(f"submit: cannot speak TLS with `localhost:{site.port}`: its certificate")
    assert "self-signed certificate" in error.reason


@needs_openssl
def test_a_certificate_for_another_host_is_not_trusted(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    error, site = asked_with_tls(tls, "127.0.0.1")
    assert isinstance(error, Refused)
    assert (site.requests, "IP address mismatch" in error.reason) == ([], True)


@pytest.mark.parametrize(("content", "said"), [(None, "no such file or directory"), ("x", "no certificates")])
def test_certificates_that_cannot_be_read_are_said_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, said: str
) -> None:
    path = tmp_path / "certificates.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    async def work() -> None:
        async with open_client():
            pass

    with pytest.raises(UsageError, match=f"cannot read what `SSL_CERT_FILE` names: {said}"):
        run(work)


# --- proxies ------------------------------------------------------------------------------------------------


def through_a_proxy(script: Script, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Site]:
    """What comes of a submit to a public host by way of a proxy."""

    async def work() -> tuple[Reply | ProviderError, Site]:
        async with served(script) as site, open_client() as client:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{site.port}")
            api = client.api("minimax", "https://api.example.test/v1", KEY, TIME)
            return await outcome(api.exchange(SUBMIT)), site

    return run_ahead(work)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(
            says(b"HTTP/1.1 407 Secret needed\r\nContent-Length: 0\r\n\r\n"),
            "the proxy `127.0.0.1` does not connect to `api.example.test`: HTTP 407",
            id="refused",
        ),
        pytest.param(hang, "no connection to the proxy `127.0.0.1` within 60 s", id="hangs"),
        pytest.param(close, "the proxy `127.0.0.1` closed the connection before anything was sent", id="closed"),
        pytest.param(reset, "the proxy `127.0.0.1` closed the connection before anything was sent", id="reset"),
        pytest.param(says(b"what?\r\n\r\n"), "the proxy", id="garbage"),
    ],
)
def test_nothing_was_sent_where_a_proxy_does_not_connect(
    script: Script, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, site = through_a_proxy(script, monkeypatch)
    assert (type(error), error.blame) == (Unavailable, "address")
    assert error.reason.startswith(f"submit: {said}")
    (request,) = site.requests
    assert request.startswith(b"CONNECT api.example.test:443 HTTP/1.1\r\n")
    assert "authorization" not in headers(request)


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{closed_port()}")
    error = asked_at("https://api.example.test/v1", SUBMIT)
    assert (type(error), error.reason) == (Unavailable, "submit: the proxy `127.0.0.1` refused the connection")


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "socks5://127.0.0.1:1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_refused(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = asked_at("https://api.example.test/v1", SUBMIT)
    assert type(error) is Refused
    assert error.reason == "submit: the proxy that the environment names cannot be used"


@needs_openssl
def test_the_key_goes_through_a_proxy_inside_tls_and_a_lost_answer_is_in_doubt(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    inner: list[bytes] = []

    async def tunnel(stream: Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        await stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n")
        secure = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        inner.append(await received(secure))
        if len(inner) == 1:
            await secure.send_all(ok(b"{}"))
        await secure.aclose()

    found, site = through_a_proxy(tunnel, monkeypatch)
    assert isinstance(found, Reply), found
    assert headers(inner[0])["authorization"] == f"Bearer {KEY}"
    assert headers(site.requests[0])["proxy-authorization"].startswith("Basic ")
    assert "proxy-authorization" not in headers(inner[0])
    found, _ = through_a_proxy(tunnel, monkeypatch)
    assert (type(found), len(inner)) == (InDoubt, 2)


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_what_is_on_this_machine_is_never_asked_by_way_of_a_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert reply_of(says(ok(b"{}"))).status == 200


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "p:1"}, "https://a.example/x", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https://a.example/x", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.example/x", ""),
        ({"ALL_PROXY": "https://p:1"}, "https://a.example/x", "https://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, "https://a.example/x", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://a.example/x", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.example"}, "https://a.example/x", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://localhost/x", ""),
        ({"HTTPS_PROXY": "http://p:1"}, "https://[::1]:8/x", ""),
    ],
)
def test_a_proxy_is_found_as_everyone_finds_it(
    environment: dict[str, str], url: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def work() -> str:
        async with open_client() as client:
            return client.proxy(url)

    assert run(work) == proxy


def test_a_link_whose_host_is_asked_without_a_proxy_is_not_asked_through_one_at_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> Site:
        async with served(says(ok(b"a clip"))) as site, open_client() as client:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{site.port}")
            monkeypatch.setenv("NO_PROXY", "cdn.example")
            with suppress(Unavailable):
                async with client.get("https://cdn.example/1.mp4", address="192.0.2.1", patience=0.1):
                    pass
            return site

    assert run(work).connections == 0


# --- connections --------------------------------------------------------------------------------------------


def test_polls_share_a_connection_and_a_submit_never_does() -> None:
    async def work() -> Site:
        async with served(says(ok(b"{}"))) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, 2)
            counts = []
            for call in (POLL, POLL, SUBMIT, POLL, SUBMIT):
                await api.exchange(call)
                counts.append(site.connections)
            assert counts == [1, 1, 2, 2, 3]
            return site

    assert len(run(work).requests) == 5


async def at_once(api: Any, count: int) -> None:
    """Make some polls at the same time."""
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(api.exchange, POLL)


async def a_second_later(stream: Stream) -> None:
    await trio.sleep(1)
    await stream.send_all(ok(b"{}"))


def test_there_are_as_many_connections_as_polls_at_once_and_each_is_used_again() -> None:
    async def work() -> list[int]:
        async with served(a_second_later) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, TIME)
            counts = []
            for count in (3, 3, 1, 2, 4):
                await at_once(api, count)
                counts.append(site.connections)
            return counts

    assert run_ahead(work) == [3, 3, 3, 3, 4]


def test_a_connection_that_nobody_has_used_for_long_is_closed() -> None:
    async def work() -> tuple[int, int, int]:
        async with served(a_second_later) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, TIME)
            await at_once(api, 2)
            await trio.sleep(20)
            await at_once(api, 1)
            await trio.sleep(1)
            before = site.gone
            await trio.sleep(20)
            await at_once(api, 1)
            await trio.sleep(1)
            return before, site.gone, site.connections

    assert run_ahead(work) == (0, 1, 2)


def test_providers_and_clients_that_end_leave_no_connection_open() -> None:
    async def work() -> tuple[int, int]:
        async with served(a_second_later) as site:
            async with open_client() as client:
                await at_once(client.api("minimax", site.url, KEY, TIME), 2)
                await at_once(client.api("gately", site.url, KEY, TIME), 3)
                assert site.gone == 0
            await trio.sleep(1)
            return site.connections, site.gone

    assert run_ahead(work) == (5, 5)


def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    async def work() -> Site:
        async with served(then(says(ok(b"{}")), close)) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, 2)
            for _ in range(3):
                await api.exchange(POLL)
                await trio.sleep(0.02)
            return site

    assert run(work).connections == 3


@pytest.fixture
def tls_of(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], ssl.SSLContext | None]:
    """What a server at `localhost` needs to speak TLS, where it does; everybody trusts it."""

    def found(is_secure: bool) -> ssl.SSLContext | None:
        if not is_secure:
            return None
        monkeypatch.setenv("SSL_CERT_FILE", str(request.getfixturevalue("certificate")))
        context: ssl.SSLContext = request.getfixturevalue("tls")
        return context

    return found


RECORD = 2**14
"""Bytes that one record of TLS holds: what follows comes with it, and is not read with it."""

CONNECTIONS = [pytest.param(False, id="plain"), pytest.param(True, id="TLS", marks=needs_openssl)]


@pytest.mark.parametrize("is_secure", CONNECTIONS)
def test_what_more_is_sent_than_was_asked_for_answers_no_other_call(
    is_secure: bool, tls_of: Callable[[bool], ssl.SSLContext | None]
) -> None:
    tls = tls_of(is_secure)
    room = RECORD - len(ok(b" " * RECORD)) + RECORD
    answers = [ok(name.ljust(room)) for name in (b"a", b"b", b"c")]
    answers[0] += answers[0]

    async def script(stream: Stream) -> None:
        await stream.send_all(answers.pop(0))

    async def work() -> tuple[list[bytes], int]:
        async with served(script, tls) as site, open_client() as client:
            url = f"https://localhost:{site.port}" if is_secure else site.url
            api = client.api("minimax", url, KEY, 5)
            return [(await api.exchange(POLL)).body.rstrip() for _ in range(3)], site.connections

    assert run(work) == ([b"a", b"b", b"c"], 2)


@pytest.mark.parametrize("wish", ["Connection: close", "Connection: Keep-Alive, close"])
def test_a_connection_that_the_server_wants_closed_is_closed(wish: str) -> None:
    async def work() -> tuple[int, int]:
        async with served(says(ok(b"{}", wish))) as site, open_client() as client:
            api = client.api("minimax", site.url, KEY, TIME)
            for _ in range(3):
                await api.exchange(POLL)
                await trio.sleep(1)
            return site.connections, site.gone

    assert run_ahead(work) == (3, 3)


@pytest.mark.parametrize("is_secure", CONNECTIONS)
def test_an_answer_that_comes_before_all_was_sent_is_read(
    is_secure: bool, tls_of: Callable[[bool], ssl.SSLContext | None]
) -> None:
    """As of a server that does not want so much: it says so, and listens no more."""
    tls = tls_of(is_secure)

    async def attend(stream: Stream) -> None:
        await stream.receive_some(2**16)
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        tcp = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
        tcp.socket.shutdown(socket.SHUT_WR)
        await trio.sleep(0.1)
        await trio.aclose_forcefully(stream)

    async def work() -> Reply | ProviderError:
        async with trio.open_nursery() as nursery, open_client() as client:
            listeners: list[Any] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listeners[0].socket.getsockname()[1]
            if tls is not None:
                listeners = [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]
            nursery.start_soon(partial(trio.serve_listeners, attend, listeners))
            url = f"https://localhost:{port}" if is_secure else f"http://127.0.0.1:{port}"
            large = Call(purpose="submit", verb="POST", path="/video/submit", body={"prompt": "sea " * 2**22})
            found = await outcome(client.api("minimax", url, KEY, 5).exchange(large))
            nursery.cancel_scope.cancel()
            return found

    found = run(work)
    assert isinstance(found, Reply), found
    assert (found.status, found.body) == (413, b"{}")


@pytest.mark.parametrize(
    ("url", "kind"), [("ftp://127.0.0.1/a.mp4", Unavailable), ("https://.example.test/a.mp4", Unavailable)]
)
def test_a_link_that_nobody_could_follow_is_no_bug(url: str, kind: type[ProviderError]) -> None:
    async def work() -> ProviderError:
        async with served(hang) as site, open_client() as client:
            with pytest.raises(ProviderError) as caught:
                async with client.get(f"{url}", address="127.0.0.1", patience=2):
                    pass
            assert site.requests == []
        return caught.value

    assert type(run(work)) is kind


@pytest.mark.parametrize("size", [1, 2**16 - 100, 2**16 + 100, 2**22], ids=str)
def test_a_body_arrives_as_it_is_however_large(size: int) -> None:
    prompt = bytes(97 + number % 26 for number in range(size)).decode()
    _, site = asked(says(ok(b"{}")), Call(purpose="submit", verb="POST", path="/video/submit", body={"p": prompt}))
    (request,) = site.requests
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"p": prompt}


@needs_openssl
def test_polls_share_a_connection_with_tls_too(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    spoken = []

    async def script(stream: Stream) -> None:
        assert isinstance(stream, trio.SSLStream)
        spoken.append(stream.selected_alpn_protocol())
        await stream.send_all(ok(b"{}"))

    async def work() -> Site:
        tls.set_alpn_protocols(["h2", "http/1.1"])
        async with served(script, tls) as site, open_client() as client:
            api = client.api("minimax", f"https://localhost:{site.port}/v1", KEY, 5)
            for _ in range(3):
                await api.exchange(POLL)
            return site

    site = run(work)
    assert (site.connections, len(site.requests)) == (1, 3)
    assert spoken == ["http/1.1"] * 3


def test_an_answer_may_come_byte_by_byte() -> None:
    async def script(stream: Stream) -> None:
        for number in range(len(answer)):
            await stream.send_all(answer[number : number + 1])
            await trio.testing.wait_all_tasks_blocked()

    answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok(b'{"id": 1}', "X-Trace: 7")
    assert reply_of(script) == Reply(status=200, headers={"content-length": "9", "x-trace": "7"}, body=b'{"id": 1}')


class Crowd:
    """Counts how many are served at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, stream: Stream) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await trio.sleep(5)
        self.now -= 1
        await stream.send_all(ok(b"{}"))


def test_only_so_many_calls_go_to_a_provider_at_once_and_waiting_costs_no_time_of_theirs() -> None:
    crowd = Crowd()

    async def work() -> list[object]:
        found: list[object] = []

        async def one(client: Client, api: Any, call: Call) -> None:
            found.append(await outcome(api.exchange(call)))

        async with served(crowd) as site, open_client(slots=3) as client:
            api = client.api("minimax", site.url, KEY, 12)
            async with trio.open_nursery() as nursery:
                for number in range(30):
                    nursery.start_soon(one, client, api, SUBMIT if number % 2 else POLL)
        return found

    found = run_ahead(work)
    assert [type(one) for one in found] == [Reply] * 30
    assert crowd.most == 3


def test_a_provider_that_hangs_holds_up_no_other() -> None:
    async def work() -> Reply | ProviderError:
        async with served(hang) as slow, served(says(ok(b"{}"))) as quick, open_client(slots=2) as client:
            hanging = client.api("nebula", slow.url, KEY, 30)
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(hanging.exchange, POLL)
                await trio.sleep(1)
                found = await outcome(client.api("minimax", quick.url, KEY, 5).exchange(POLL))
                nursery.cancel_scope.cancel()
            return found

    assert isinstance(run_ahead(work), Reply)


def test_whoever_is_interrupted_leaves_at_once_and_the_next_is_served() -> None:
    answers = [hang, then(says(HEAD), hang), says(ok(b"{}"))]

    async def script(stream: Stream) -> None:
        await answers.pop(0)(stream)

    async def work() -> Reply | ProviderError:
        async with served(script) as site, open_client(slots=1) as client:
            api = client.api("minimax", site.url, KEY, 30)
            for call in (SUBMIT, POLL):
                with trio.move_on_after(5) as scope:
                    await api.exchange(call)
                assert scope.cancelled_caught
            return await outcome(api.exchange(POLL))

    assert isinstance(run_ahead(work), Reply)


def test_whatever_a_step_is_called_that_is_not_known_it_counts_as_sent() -> None:
    async def after(*events: str) -> ProviderError:
        attempt = Attempt("submit", "h", patience=1, limit=1)
        for event in events:
            await attempt.extensions["trace"](event, {})
        return attempt.failure(None)

    tcp, sending = "connection.connect_tcp", "http11.send_request_headers"
    assert isinstance(trio.run(after, f"{tcp}.started", f"{tcp}.failed"), Unavailable)
    assert isinstance(trio.run(after, f"{tcp}.started", f"{tcp}.complete"), InDoubt)
    assert isinstance(trio.run(after, f"{tcp}.started", "wire.bytes.started"), InDoubt)
    assert isinstance(trio.run(after, f"{tcp}.complete", f"{sending}.started"), InDoubt)
    assert isinstance(trio.run(after), InDoubt)
