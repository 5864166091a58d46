"""The server over real sockets: good HTTP, bad HTTP, and answers that do not come as they should."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
import pytest
import trio
import trio.testing

from vidspec.sandbox.delivery import HUGE, Delivery
from vidspec.sandbox.server import IDLE, MAX_BODY, serve
from vidspec.sandbox.twin import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vidspec.sandbox.incoming import Incoming

BODY = bytes(range(256)) * 4
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class Echo:
    """Answers with what it is told to, and remembers what it was asked."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.asked: list[Incoming] = []
        self.refused: list[tuple[int, str]] = []
        self._deliveries = list(deliveries)

    def respond(self, incoming: Incoming) -> Delivery:
        self.asked.append(incoming)
        return self._deliveries.pop(0) if self._deliveries else Delivery(answer=Answer(body=BODY))

    def refuse(self, status: int, reason: str) -> Answer:
        self.refused.append((status, reason))
        return json_answer({"error": reason}, status)


@asynccontextmanager
async def served(echo: Echo) -> AsyncIterator[Callable[[], Awaitable[trio.SocketStream]]]:
    """A server, and how to connect to it."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, listeners, echo, lambda: 0.0)
        yield partial(trio.open_tcp_stream, "127.0.0.1", port)
        nursery.cancel_scope.cancel()


async def everything(stream: trio.SocketStream) -> bytes:
    """All that comes until the connection is closed."""
    data = bytearray()
    while part := await stream.receive_some():
        data += part
    return bytes(data)


def said(echo: Echo, *sent: bytes, half_close: bool = False) -> bytes:
    """What comes back for raw bytes until the connection is closed."""

    async def main() -> bytes:
        async with served(echo) as connect, await connect() as stream:
            for part in sent:
                await stream.send_all(part)
                await trio.testing.wait_all_tasks_blocked()
            if half_close:
                await stream.send_eof()
            with trio.fail_after(10):
                return await everything(stream)

    return trio.run(main)


def split(raw: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and body of a raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *rows = head.split(b"\r\n")
    return line, {name.lower(): value for name, _, value in (row.partition(b": ") for row in rows)}, body


# --- good HTTP ---------------------------------------------------------------------------------------------------


def test_a_request_is_heard_whole_and_answered_whole() -> None:
    echo = Echo(Delivery(answer=json_answer("é", 201, X_Trace="t")))
    head = b"POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 6\r\n"
    line, headers, body = split(said(echo, head, b"Connection: close\r\n\r\nabc", b"def"))
    (incoming,) = echo.asked
    assert (incoming.verb, incoming.target, incoming.body) == ("POST", "/a%20b?c=d", b"abcdef")
    assert incoming.headers["x-a"] == "1"
    assert line == b"HTTP/1.1 201 "
    assert body == '"é"'.encode()
    assert headers[b"content-length"] == b"4"
    assert headers[b"x-trace"] == b"t"
    assert headers[b"date"] == b"Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_chunked_body_is_put_together() -> None:
    echo = Echo()
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    said(echo, head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
    assert echo.asked[0].body == b"abcde"


def test_a_connection_is_kept_for_the_next_request_also_for_one_that_came_early() -> None:
    echo = Echo()
    raw = said(echo, GET, GET + GET + LAST)
    assert len(echo.asked) == 4
    assert raw.count(b"HTTP/1.1 200") == 4
    assert raw.count(BODY) == 4


def test_an_old_client_is_answered_and_its_connection_closed() -> None:
    line, headers, body = split(said(Echo(), b"GET /a HTTP/1.0\r\n\r\n"))
    assert (line[:12], headers[b"connection"], body) == (b"HTTP/1.1 200", b"close", BODY)


def test_a_client_that_has_said_all_it_wants_to_is_still_answered() -> None:
    assert split(said(Echo(), GET, half_close=True))[2] == BODY


@pytest.mark.parametrize("manner", ["whole", "cut", "slow", "huge", "overstated"])
def test_a_look_at_the_head_has_the_length_and_no_body(manner: Any) -> None:
    echo = Echo(Delivery(answer=Answer(body=BODY), manner=manner))
    raw = said(echo, b"HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    _, headers, body = split(raw)
    assert body == b""
    assert int(headers[b"content-length"]) >= len(BODY)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status: int) -> None:
    _, headers, body = split(said(Echo(Delivery(answer=Answer(status=status, body=b"x"))), LAST))
    assert (b"content-length" in headers, body) == (False, b"")


def test_one_who_asks_first_is_told_to_go_on() -> None:
    echo = Echo()
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"

    async def main() -> bytes:
        async with served(echo) as connect, await connect() as stream:
            await stream.send_all(head)
            first = await stream.receive_some()
            assert first.startswith(b"HTTP/1.1 100 ")
            await stream.send_all(b"abc")
            return await everything(stream)

    assert split(trio.run(main))[2] == BODY
    assert echo.asked[0].body == b"abc"


def test_headers_of_an_answer_that_cannot_be_said_do_no_harm() -> None:
    wild = {
        "X-Evil": "a\r\nX-More: b\x00",
        "Bad Name": "c",
        "Content-Length": "5",
        "Transfer-Encoding": "chunked",
        "X-Han": "你",
    }
    _, headers, body = split(said(Echo(Delivery(answer=Answer(headers=wild, body=BODY))), LAST))
    assert body == BODY
    assert headers[b"x-evil"] == b"a X-More: b"
    assert headers[b"x-han"] == b""
    assert {b"bad name", b"x-more", b"transfer-encoding"}.isdisjoint(headers)


def test_many_connections_are_answered_at_once() -> None:
    echo = Echo()

    async def one(connect: Callable[[], Awaitable[trio.SocketStream]]) -> None:
        async with await connect() as stream:
            await stream.send_all(LAST)
            assert (await everything(stream)).endswith(BODY)

    async def main() -> None:
        async with served(echo) as connect, trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(one, connect)

    trio.run(main)
    assert len(echo.asked) == 200


# --- bad HTTP ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400, id="TLS"),
        pytest.param(b"GET\r\n\r\n", 400, id="no target"),
        pytest.param(b"GET /a b HTTP/1.1\r\n\r\n", 400, id="blank in the target"),
        pytest.param(b"GET /a HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /a HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n", 400, id="header"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="another version"),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, id="length"),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, id="two lengths"
        ),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: zip\r\n\r\n", 501, id="another encoding"),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="chunk"),
        pytest.param(b"GET /a HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 70_000, 431, id="endless header"),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n", 413, id="large"),
        pytest.param(b"\r\n" * 40_000, 400, id="nothing but line breaks"),
    ],
)
def test_bad_http_is_told_so_and_the_connection_closed(sent: bytes, status: int) -> None:
    echo = Echo()
    line, headers, body = split(said(echo, sent))
    assert line.startswith(b"HTTP/1.1 %d" % status)
    assert headers[b"connection"] == b"close"
    assert b'{"error": ' in body
    assert not echo.asked
    assert [one for one, _ in echo.refused] == [status]


def test_any_bytes_get_an_answer() -> None:
    chance = random.Random(1)
    pieces = [
        b"GET ",
        b"POST ",
        b"/a",
        b" HTTP/1.1",
        b"\r\n",
        b"\n",
        b"Host: h",
        b"Content-Length: 3",
        b"\x00",
        b":",
    ]

    async def main() -> None:
        async with served(Echo()) as connect:
            for _ in range(300):
                parts = [*chance.choices(pieces, k=chance.randint(1, 12)), chance.randbytes(chance.randint(0, 9))]
                chance.shuffle(parts)
                async with await connect() as stream:
                    await stream.send_all(b"".join(parts))
                    await stream.send_eof()
                    with trio.fail_after(10):
                        raw = await everything(stream)
                    assert raw == b"" or raw.startswith(b"HTTP/1.1 "), parts
                    assert raw or not b"".join(parts).strip(b"\r\n"), parts

    trio.run(main)


def test_a_request_that_breaks_off_is_no_request() -> None:
    echo = Echo()
    raw = said(echo, b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", half_close=True)
    assert raw.startswith(b"HTTP/1.1 400")
    assert not echo.asked


def test_a_body_that_grows_too_large_is_refused_on_the_way() -> None:
    echo = Echo()
    block = b"100000\r\n" + b"a" * 2**20 + b"\r\n"

    async def main() -> bytes:
        async with served(echo) as connect, await connect() as stream:
            await stream.send_all(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(MAX_BODY // 2**20 + 1):
                await stream.send_all(block)
            return await stream.receive_some()

    assert trio.run(main).startswith(b"HTTP/1.1 413")
    assert not echo.asked


def test_a_client_that_sends_all_of_a_body_that_is_too_large_still_hears_why() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    assert said(Echo(), head, b"a" * 5_000_000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"GET /a HT", b"HTTP/1.1 408", id="half a head"),
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", b"HTTP/1.1 408", id="half"),
    ],
)
def test_a_connection_that_falls_silent_is_closed(sent: bytes, answered: bytes) -> None:
    async def main() -> None:
        async with served(Echo()) as connect, await connect() as stream:
            if sent:
                await stream.send_all(sent)
            raw = await everything(stream)
            assert raw.startswith(answered)
            assert bool(raw) == bool(answered)
            assert trio.current_time() >= IDLE

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.002))


def test_clients_that_go_away_at_any_moment_do_no_harm() -> None:
    echo = Echo(*[Delivery(answer=Answer(body=b"a" * 10_000_000)) for _ in range(3)])

    async def main() -> None:
        async with served(echo) as connect:
            for sent in (b"", b"GET", GET, GET + GET):
                stream = await connect()
                await stream.send_all(sent or b"\r\n")
                await trio.testing.wait_all_tasks_blocked()
                await stream.aclose()
            async with await connect() as stream:
                await stream.send_all(LAST)
                assert await everything(stream)

    trio.run(main)


# --- answers that do not come as they should -------------------------------------------------------------------


def test_a_dropped_answer_is_a_closed_connection() -> None:
    echo = Echo(Delivery(answer=Answer(body=BODY), manner="drop"))
    assert said(echo, GET) == b""
    assert len(echo.asked) == 1


def test_a_reset_is_no_orderly_close() -> None:
    with pytest.RaisesGroup(trio.BrokenResourceError):
        said(Echo(Delivery(answer=Answer(body=BODY), manner="reset")), GET)


def test_an_answer_is_cut_in_its_middle() -> None:
    _, headers, body = split(said(Echo(Delivery(answer=Answer(body=BODY), manner="cut")), GET))
    assert headers[b"content-length"] == b"1024"
    assert body == BODY[:512]


def test_more_is_announced_than_comes() -> None:
    _, headers, body = split(said(Echo(Delivery(answer=Answer(body=BODY), manner="overstated")), GET))
    assert (headers[b"content-length"], body) == (b"2024", BODY)


def timed(delivery: Delivery, seconds: float) -> tuple[bytes, float]:
    """What comes within so many virtual seconds, and when the last of it came."""

    async def main() -> tuple[bytes, float]:
        async with served(Echo(delivery)) as connect, await connect() as stream:
            await stream.send_all(LAST)
            data, last = bytearray(), 0.0
            with trio.move_on_after(seconds):
                while part := await stream.receive_some():
                    data += part
                    last = trio.current_time()
            return bytes(data), last

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.002))


def test_an_answer_comes_late() -> None:
    raw, when = timed(Delivery(answer=Answer(body=BODY), manner="late", seconds=30), 100)
    assert raw.endswith(BODY)
    assert when == pytest.approx(30, abs=1)


def test_an_answer_never_comes() -> None:
    assert timed(Delivery(answer=Answer(body=BODY), manner="late", seconds=None), 10_000) == (b"", 0.0)


def test_whoever_does_not_wait_for_a_late_answer_is_let_go() -> None:
    delivery = Delivery(answer=Answer(body=BODY), manner="late", seconds=None)
    assert said(Echo(delivery), GET, half_close=True) == b""


def test_a_request_that_came_while_an_answer_was_late_is_heard_after_it() -> None:
    echo = Echo(Delivery(answer=Answer(body=BODY), manner="late", seconds=0.05))
    raw = said(echo, GET, LAST)
    assert raw.count(BODY) == 2
    assert len(echo.asked) == 2


def test_an_answer_trickles() -> None:
    raw, when = timed(Delivery(answer=Answer(body=BODY), manner="slow", seconds=20), 100)
    assert raw.endswith(BODY)
    assert when == pytest.approx(20, abs=1)


def test_an_answer_of_no_length_does_not_trickle_for_ever() -> None:
    raw, when = timed(Delivery(answer=Answer(), manner="slow", seconds=20), 100)
    assert raw.startswith(b"HTTP/1.1 200")
    assert when < 1


def test_a_huge_answer_goes_on_until_nobody_wants_it() -> None:
    echo = Echo(Delivery(answer=Answer(body=b"x"), manner="huge"))

    async def main() -> None:
        async with served(echo) as connect:
            async with await connect() as stream:
                await stream.send_all(GET)
                data = await stream.receive_some()
                assert b"content-length: %d" % HUGE in data.lower()
                count = len(data)
                while count < 5_000_000:
                    count += len(await stream.receive_some())
            async with await connect() as stream:
                await stream.send_all(LAST)
                assert (await everything(stream)).endswith(BODY)

    trio.run(main)


def test_h11_reads_what_was_written_as_one_exchange() -> None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/a", headers=[("Host", "h"), ("Connection", "close")]))
    client.send(h11.EndOfMessage())
    client.receive_data(said(Echo(), LAST))
    answer, body = client.next_event(), client.next_event()
    assert isinstance(answer, h11.Response)
    assert isinstance(body, h11.Data)
    assert bytes(body.data) == BODY
    assert isinstance(client.next_event(), h11.EndOfMessage)
