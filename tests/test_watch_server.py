"""The server over real sockets: texts, files and parts of them, a feed, and what is no request at all."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from vidspec.errors import UsageError
from vidspec.watch import server
from vidspec.watch.page import Place
from vidspec.watch.server import IDLE, MAX_HEAD, PULSE, Answer, Asked, listen, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class Fixed:
    """Answers always the same, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []

    def respond(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answer


@asynccontextmanager
async def served(fixed: Fixed) -> AsyncIterator[Callable[[], Awaitable[trio.SocketStream]]]:
    """A server, and how to connect to it."""
    listeners = await listen(0)
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, listeners, fixed)
        yield partial(trio.open_tcp_stream, "127.0.0.1", port)
        nursery.cancel_scope.cancel()


async def everything(stream: trio.SocketStream) -> bytes:
    data = bytearray()
    while part := await stream.receive_some():
        data += part
    return bytes(data)


def said(fixed: Fixed, *sent: bytes, half_close: bool = False) -> bytes:
    """What comes back for raw bytes until the connection is closed."""

    async def main() -> bytes:
        async with served(fixed) as connect, await connect() as stream:
            for part in sent:
                await stream.send_all(part)
                await trio.testing.wait_all_tasks_blocked()
            if half_close:
                await stream.send_eof()
            with trio.fail_after(10):
                return await everything(stream)

    return trio.run(main)


def split(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *rows = head.decode("latin-1").split("\r\n")
    return int(line.split()[1]), {name.lower(): value for name, value in (row.split(": ", 1) for row in rows)}, body


# --- texts -------------------------------------------------------------------------------------------------


def test_a_request_is_heard_and_answered_whole() -> None:
    fixed = Fixed(Answer(status=404, headers={"X-One": "1"}, body=b"nothing"))
    status, headers, body = split(
        said(fixed, b"GET /a?b HTTP/1.1\r\nHost: H:1\r\nX-A: b\r\nConnection: close\r\n\r\n")
    )
    assert (status, body) == (404, b"nothing")
    assert (headers["x-one"], headers["content-length"]) == ("1", "7")
    assert headers["date"].endswith("GMT")
    (asked,) = fixed.asked
    assert (asked.verb, asked.target, asked.headers["host"], asked.headers["x-a"]) == ("GET", "/a?b", "H:1", "b")


def test_a_connection_is_kept_for_the_next_request_also_for_one_that_came_early() -> None:
    fixed = Fixed(Answer(body=b"one"))
    assert said(fixed, GET, GET + GET + LAST).count(b"\r\n\r\none") == 4


def test_an_answer_to_head_has_no_body() -> None:
    raw = said(Fixed(Answer(body=b"one")), b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    status, headers, body = split(raw)
    assert (status, headers["content-length"], body) == (200, "3", b"")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"hello\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 413, id="a body"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            413,
            id="a chunked body",
        ),
        pytest.param(b"GET /" + b"a" * MAX_HEAD, 431, id="too long"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="TLS"),
    ],
)
def test_what_is_no_request_is_refused_and_never_answered(raw: bytes, status: int) -> None:
    fixed = Fixed(Answer(body=b"secret"))
    answer = said(fixed, raw, half_close=True)
    assert split(answer)[0] == status
    assert b"secret" not in answer
    assert fixed.asked == []


@pytest.mark.parametrize("raw", [b"", b"GET / HT"], ids=["nothing", "half a request"])
def test_who_goes_away_is_no_bug(raw: bytes) -> None:
    fixed = Fixed(Answer())
    said(fixed, raw, half_close=True)
    assert fixed.asked == []


def test_who_says_nothing_is_not_waited_for_for_ever() -> None:
    async def main() -> float:
        ours, theirs = trio.testing.memory_stream_pair()
        connection = server._Connection(theirs, Fixed(Answer()))  # type: ignore[arg-type]
        await ours.send_all(b"GET / HT")
        await connection.run()
        return trio.current_time()

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == pytest.approx(IDLE)


def test_a_port_in_use_is_said() -> None:
    async def main() -> None:
        (listener,) = await listen(0)
        async with listener:
            port = listener.socket.getsockname()[1]
            assert listener.socket.getsockname()[0] == "127.0.0.1"
            with pytest.raises(
                UsageError, match=rf"cannot listen on port {port}: it is in use\n    help: `--port 0`"
            ):
                await listen(port)

    trio.run(main)


# --- files -------------------------------------------------------------------------------------------------

BYTES = bytes(range(256)) * 1000


@pytest.fixture
def clip(tmp_path: Path) -> Place:
    (tmp_path / "a.mp4").write_bytes(BYTES)
    return Place(tmp_path / "a.mp4", tmp_path)


def fetched(place: Place, *headers: str) -> tuple[int, dict[str, str], bytes]:
    more = "".join(f"{one}\r\n" for one in headers)
    request = f"GET / HTTP/1.1\r\nHost: h\r\n{more}Connection: close\r\n\r\n".encode()
    return split(said(Fixed(Answer(headers={"Content-Type": "video/mp4"}, place=place)), request))


def test_a_file_is_given_whole_and_says_that_parts_can_be_had(clip: Place) -> None:
    status, headers, body = fetched(clip)
    assert (status, body) == (200, BYTES)
    assert (headers["content-type"], headers["accept-ranges"]) == ("video/mp4", "bytes")


SIZE = len(BYTES)


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100000-", 100000, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=5-{SIZE * 9}", 5, SIZE),
        (f"bytes=-{SIZE - 1}", 1, SIZE),
    ],
)
def test_a_part_of_a_file_is_given_so_that_a_film_can_be_wound(
    clip: Place, asked: str, begin: int, end: int
) -> None:
    status, headers, body = fetched(clip, f"Range: {asked}")
    assert (status, body) == (206, BYTES[begin:end])
    assert headers["content-range"] == f"bytes {begin}-{end - 1}/{SIZE}"
    assert headers["content-length"] == str(end - begin)


@pytest.mark.parametrize(
    "headers",
    [
        ("Range: bytes=0-1,5-9",),
        ("Range: lines=1-2",),
        ("Range: bytes=-",),
        ("Range: bytes=9-5",),
        ("Range: bytes=1e3-",),
        (f"Range: bytes={'9' * 5000}-",),
        ("Range: bytes=0-9", 'If-Range: "x"'),
        (f"Range: bytes=-{SIZE * 2}",),
        (f"Range: bytes=0-{SIZE}",),
    ],
    ids=[
        "several",
        "other units",
        "nothing",
        "backwards",
        "no number",
        "no number that is one",
        "if",
        "all",
        "all of it",
    ],
)
def test_what_asks_for_no_part_or_for_all_is_given_all(clip: Place, headers: tuple[str, ...]) -> None:
    status, answered, body = fetched(clip, *headers)
    assert (status, body) == (200, BYTES)
    assert "content-range" not in answered


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
def test_a_part_that_there_is_not_is_refused(clip: Place, asked: str) -> None:
    status, headers, body = fetched(clip, f"Range: {asked}")
    assert (status, body) == (416, b"")
    assert headers["content-range"] == f"bytes */{SIZE}"


def test_an_empty_file_is_given_empty(clip: Place) -> None:
    clip.path.write_bytes(b"")
    assert fetched(clip)[::2] == (200, b"")
    assert fetched(clip, "Range: bytes=0-")[0] == 416
    assert fetched(clip, "Range: bytes=-5")[0] == 416


def test_a_file_that_has_gone_is_not_there(clip: Place) -> None:
    clip.path.unlink()
    assert fetched(clip)[0] == 404


def test_what_leads_out_of_its_folder_is_not_given(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (inside / "link.mp4").symlink_to("../secret")
    (inside / "folder").symlink_to("..")
    (inside / "sub" / "own.mp4").symlink_to("../real.mp4")
    (inside / "real.mp4").write_bytes(b"ours")
    os.mkfifo(inside / "pipe.mp4")
    for name in ("link.mp4", "folder/secret", "../secret", "sub", "pipe.mp4", "none"):
        status, _, body = fetched(Place(inside / name, inside))
        assert (status, b"secret" in body) == (404, False), name
    assert fetched(Place(inside / "sub/own.mp4", inside))[::2] == (200, b"ours")


def test_a_project_that_is_reached_by_a_link_is_served(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/a.mp4").write_bytes(b"ours")
    assert fetched(Place(tmp_path / "link/a.mp4", tmp_path / "link"))[::2] == (200, b"ours")


def test_a_file_that_becomes_shorter_on_the_way_ends_the_connection(clip: Place) -> None:
    clip.path.write_bytes(b"x" * (64 * 2**20))

    async def main() -> int:
        fixed = Fixed(Answer(place=clip))
        async with served(fixed) as connect, await connect() as stream:
            await stream.send_all(GET + GET)
            got = len(await stream.receive_some(1000))
            os.truncate(clip.path, 2**20)
            with trio.fail_after(10):
                return got + len(await everything(stream))

    assert trio.run(main) < 64 * 2**20


# --- a feed ------------------------------------------------------------------------------------------------


class News:
    """Two pieces of news, and nothing more."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    async def wait(self, told: str | None) -> str:
        self.told.append(told)
        if told is None:
            return "one"
        if told == "one":
            return "zwei ü"
        await trio.sleep_forever()
        raise AssertionError


def test_a_feed_tells_what_is_new_as_it_comes() -> None:
    news = News()

    async def main() -> bytes:
        fixed = Fixed(Answer(headers={"Content-Type": "text/event-stream"}, news=news.wait))
        async with served(fixed) as connect, await connect() as stream:
            await stream.send_all(GET)
            data = b""
            with trio.fail_after(10):
                while "zwei ü".encode() not in data:
                    data += await stream.receive_some()
        return data

    status, headers, body = split(trio.run(main))
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert b"data: one\n\n" in body
    assert "data: zwei ü\n\n".encode() in body
    assert news.told == [None, "one", "zwei ü"]


def test_a_feed_without_news_says_that_it_is_still_there() -> None:
    async def main() -> list[float]:
        ours, theirs = trio.testing.memory_stream_pair()
        fixed = Fixed(Answer(news=News().wait))
        times: list[float] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server._Connection(theirs, fixed).run)  # type: ignore[arg-type]
            await ours.send_all(GET)
            while len(times) < 3:
                if b": still here" in await ours.receive_some():
                    times.append(trio.current_time())
            nursery.cancel_scope.cancel()
        return times

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == pytest.approx([PULSE, 2 * PULSE, 3 * PULSE])


def test_a_feed_ends_when_nobody_listens_any_more() -> None:
    ended = trio.Event()

    async def wait(told: str | None) -> str:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()
        raise AssertionError

    async def main() -> None:
        async with served(Fixed(Answer(news=wait))) as connect:
            stream = await connect()
            await stream.send_all(GET)
            await stream.receive_some()
            await stream.aclose()
            with trio.fail_after(10):
                await ended.wait()

    trio.run(main)


def test_who_goes_away_in_the_middle_of_a_film_takes_nobody_along(clip: Place) -> None:
    clip.path.write_bytes(b"x" * (64 * 2**20))

    async def main() -> bytes:
        fixed = Fixed(Answer(place=clip))
        async with served(fixed) as connect:
            stream = await connect()
            await stream.send_all(GET)
            await stream.receive_some(1000)
            await stream.aclose()
            fixed.answer = Answer(body=b"still here")
            async with await connect() as other:
                await other.send_all(LAST)
                with trio.fail_after(10):
                    return await everything(other)

    assert trio.run(main).endswith(b"still here")
