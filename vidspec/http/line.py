"""One connection, straight to a host: a transport of httpx on trio and h11, with which httpx itself reads.

httpx's own makes a pool, a lock, a trace and two writes of every exchange. Here it is one write and one read, which
takes half of the time. What goes by way of a proxy is left to httpx.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import h11
import httpx
import trio

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    Trace = Callable[[str, dict[str, Any]], Awaitable[None]]

_PORTS = {"http": 80, "https": 443}
_AT_ONCE = 2**16
"""Bytes that are read at once, and the most that are copied so as to be sent with what is before them."""

_LONGEST_HEAD = 100 * 1024
_RECORD_HEAD = 5
_RECORD_TYPES = range(20, 25)
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Line(httpx.AsyncBaseTransport):
    """At most one connection, for one exchange after another, each read to its end before the next.

    It is closed where an answer was not read to its end, where the other end wants that or has done it, and where
    it was idle for `keepalive` seconds. Of what httpx may be told besides a request it heeds the time for
    connecting, `sni_hostname`, and `trace`, to which it tells when it begins and ends to connect.
    """

    def __init__(self, context: ssl.SSLContext, *, keepalive: float) -> None:
        self._context = context
        self._keepalive = keepalive
        self._wire: _Wire | None = None
        self._since = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and wait for the head of the answer.

        Raises:
            httpx.HTTPError: there is none.
        """
        wire = await self._ready(_place(request.url), request.extensions)
        try:
            await wire.send(request)
            head = await wire.head()
        except BaseException:
            await wire.drop()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=_Body(self, wire))

    async def _ready(self, place: _Place, extensions: Mapping[str, Any]) -> _Wire:
        """The connection that is idle, or a new one. Whoever has it gives it back or closes it."""
        wire, self._wire = self._wire, None
        if wire is not None:
            if wire.place == place and trio.current_time() < self._since + self._keepalive and wire.is_quiet():
                return wire
            await wire.leave()
        return await _connected(place, self._context, extensions)

    async def give_back(self, wire: _Wire) -> None:
        """An answer was read to its end: the connection is idle, where it may be used again."""
        if wire.is_ready_again():
            self._wire, self._since = wire, trio.current_time()
        else:
            await wire.leave()

    async def aclose(self) -> None:
        """Close what is open."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.leave()


class _Place(NamedTuple):
    """The other end."""

    scheme: str
    host: str
    port: int


def _place(url: httpx.URL) -> _Place:
    """Where a URL leads. Raises httpx.UnsupportedProtocol."""
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol(f"neither http nor https: {url.scheme}")
    return _Place(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])


@dataclass(slots=True, kw_only=True)
class _Wire:
    """An open connection, and how far the exchange on it is."""

    place: _Place
    stream: trio.abc.Stream
    tcp: trio.SocketStream | _Records
    http: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
    )

    async def send(self, request: httpx.Request) -> None:
        """Send a request. Where the other end takes no more of it, it may have answered all the same."""
        assert isinstance(request.stream, httpx.ByteStream)
        try:
            head, body = self._written(request, b"".join(request.stream))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        with suppress(*_GONE):
            if len(body) <= _AT_ONCE:
                await self.stream.send_all(head + body)
            else:
                await self.stream.send_all(head)
                await self.stream.send_all(body)

    def _written(self, request: httpx.Request, body: bytes) -> tuple[bytes, bytes]:
        target, headers = request.url.raw_path, request.headers.raw
        head = self.http.send(h11.Request(method=request.method, target=target, headers=headers))
        sent = self.http.send(h11.Data(data=body)) if body else None
        end = self.http.send(h11.EndOfMessage())
        return head or b"", (sent or b"") + (end or b"")

    async def head(self) -> h11.Response:
        """The head of the answer; what only says that another follows is passed over. Raises httpx.HTTPError."""
        while isinstance(event := await self.event(), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("what came is no answer")
        return event

    async def event(self) -> h11.Event | type[h11.PAUSED]:
        """The next part of the answer.

        Raises:
            httpx.HTTPError: the connection broke, or what came is not HTTP.
        """
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                data = await self.stream.receive_some(_AT_ONCE)
                if not data and self.http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self.http.receive_data(bytes(data))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except _GONE as error:
            raise httpx.ReadError(str(error)) from error
        assert event is not h11.NEED_DATA
        return event  # type: ignore[return-value]

    def is_quiet(self) -> bool:
        """Whether an idle connection is open still: one on which there is something to read has been closed."""
        if isinstance(self.tcp, _Records):
            return not self.tcp.held and not self.tcp.stream.socket.is_readable()
        return not self.tcp.socket.is_readable()

    def is_ready_again(self) -> bool:
        """Whether another exchange may follow: not where more has come than was asked for."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        if self.http.trailing_data != (b"", False):
            return False
        self.http.start_next_cycle()
        return True

    async def leave(self) -> None:
        """Close the connection as is proper."""
        with suppress(*_GONE):
            await self.stream.aclose()

    async def drop(self) -> None:
        """Close the connection at once, whatever it is at."""
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self.stream)


async def _connected(place: _Place, context: ssl.SSLContext, extensions: Mapping[str, Any]) -> _Wire:
    """A new connection. Raises httpx.ConnectTimeout, httpx.ConnectError."""
    trace: Trace = extensions.get("trace", _unheard)
    patience = extensions.get("timeout", {}).get("connect")
    await trace("connection.connect_tcp.started", {})
    try:
        with trio.fail_after(float("inf") if patience is None else patience):
            tcp = await trio.open_tcp_stream(place.host, place.port)
            if place.scheme == "http":
                wire = _Wire(place=place, stream=tcp, tcp=tcp)
            else:
                records = _Records(tcp)
                name = extensions.get("sni_hostname", place.host)
                wire = _Wire(place=place, stream=await _shaken(records, context, name), tcp=records)
    except trio.TooSlowError as error:
        raise httpx.ConnectTimeout(f"no connection within {patience} s") from error
    except (OSError, *_GONE) as error:
        raise httpx.ConnectError(str(error)) from error
    await trace("connection.connect_tcp.complete", {})
    return wire


async def _shaken(records: _Records, context: ssl.SSLContext, name: str) -> trio.SSLStream[_Records]:
    """TLS over a connection. Raises httpx.ConnectError, or trio.BrokenResourceError with what is wrong as cause."""
    try:
        tls = trio.SSLStream(records, context, server_hostname=name, https_compatible=True)
        await tls.do_handshake()
    except BaseException as error:
        await trio.aclose_forcefully(records)
        if isinstance(error, ValueError):
            raise httpx.ConnectError(f"TLS does not take the name: {error}") from error
        raise
    return tls


class _Records(trio.abc.Stream):
    """The bytes under TLS, one record at a time (RFC 8446, 5.1), so that it shows where too much has come.

    Where the other end takes no more, what it has said before that can be read all the same.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        """`held` is what has come, and was not yet wanted."""
        self.stream = stream
        self.held = bytearray()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """A whole record, or what there is where that is none. Raises as a SocketStream does."""
        while len(self.held) < self._end:
            data = await self.stream.receive_some(max_bytes or _AT_ONCE)
            if not data:
                break
            self.held += data
        record = bytes(self.held[: self._end])
        del self.held[: self._end]
        return record

    @property
    def _end(self) -> int:
        """How many bytes are wanted: a record, or all there is where what has come is not TLS at all."""
        if len(self.held) < _RECORD_HEAD:
            return _RECORD_HEAD
        if self.held[0] not in _RECORD_TYPES:
            return len(self.held)
        return _RECORD_HEAD + int.from_bytes(self.held[3:_RECORD_HEAD], "big")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, as far as it is taken."""
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close it."""
        await self.stream.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes; nothing more after its end, or once it was let go of."""

    def __init__(self, line: Line, wire: _Wire) -> None:
        self._line = line
        self._wire: _Wire | None = wire

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        wire = self._wire
        if wire is None:
            raise StopAsyncIteration
        try:
            event = await wire.event()
        except BaseException:
            await self.aclose()
            raise
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self._wire = None
        await self._line.give_back(wire)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Have done with it; what was not read is let go of by closing the connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.drop()


async def _unheard(step: str, details: dict[str, Any]) -> None:
    """Whoever sends the request does not want to know."""
