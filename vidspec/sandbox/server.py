"""HTTP/1.1 over sockets, in the nursery of whoever runs the sandbox; answers may be cut short, late or never."""

from __future__ import annotations

import math
import re
import socket
import struct
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol

import h11
import trio

from vidspec.sandbox.delivery import HUGE
from vidspec.sandbox.incoming import Headers, Incoming

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vidspec.sandbox.delivery import Delivery
    from vidspec.sandbox.twin import Answer

__all__ = ["MAX_BODY", "Responder", "serve"]

MAX_BODY = 64 * 2**20
MAX_HEAD = 64 * 2**10
IDLE = 600.0
"""Seconds that a connection may say nothing."""
LINGER, MOST_LINGERED = 5.0, 4 * MAX_BODY
"""Seconds and bytes for which a connection is still heard after the last answer, so that the answer arrives."""
BLOCK = 2**16
PIECES = 40
OVERSTATED = 1000

_BODILESS = (204, 304)
_OURS = ("connection", "content-length", "date", "server", "transfer-encoding")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_UNSAYABLE = re.compile(r"[^\t\x20-\x7e\x80-\xff]+")


class Responder(Protocol):
    """What answers; see `site.Sandbox`."""

    def respond(self, incoming: Incoming) -> Delivery:
        """Answer a request."""

    def refuse(self, status: int, reason: str) -> Answer:
        """Answer what is no request."""


class _TooLarge(Exception):
    """The body is larger than `MAX_BODY`."""


async def serve(listeners: list[trio.SocketListener], responder: Responder, unix: Callable[[], float]) -> None:
    """Answer on all connections, until cancelled. `unix` tells the date for the headers."""

    async def handle(stream: trio.SocketStream) -> None:
        # whoever is connected may go away at any moment
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async with stream:
                await _Connection(stream, responder, unix).run()

    await trio.serve_listeners(handle, listeners)


class _Connection:
    """One connection, from its first request to its last."""

    def __init__(self, stream: trio.SocketStream, responder: Responder, unix: Callable[[], float]) -> None:
        self._stream = stream
        self._responder = responder
        self._unix = unix
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._manners: dict[str, Callable[[Delivery, str], Awaitable[bool]]] = {
            "whole": self._whole,
            "late": self._late,
            "drop": self._drop,
            "reset": self._reset,
            "cut": self._cut,
            "slow": self._slow,
            "huge": self._huge,
            "overstated": self._overstated,
        }

    async def run(self) -> None:
        """Answer one request after the other, as long as both sides wish to."""
        while await self._one():
            self._http.start_next_cycle()

    async def _one(self) -> bool:
        """Answer a request; whether another may follow."""
        try:
            incoming = await self._incoming()
        except h11.RemoteProtocolError as error:
            return await self._refuse(error.error_status_hint, f"bad HTTP: {error}")
        except _TooLarge:
            return await self._refuse(413, f"the body is larger than {MAX_BODY // 2**20} MiB")
        except trio.TooSlowError:
            return await self._refuse(408, "nothing more came") if self._begun() else False
        if incoming is None:
            return False
        delivery = self._responder.respond(incoming)
        return await self._manners[delivery.manner](delivery, incoming.verb)

    # --- in --------------------------------------------------------------------------------------------------

    async def _incoming(self) -> Incoming | None:
        """The next whole request; None where there is none any more."""
        request = await self._event()
        if not isinstance(request, h11.Request):
            return None
        if request.http_version not in (b"1.0", b"1.1"):
            raise h11.RemoteProtocolError("another version than 1.0 or 1.1", error_status_hint=505)
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
        if int(headers.get("content-length", "0")) > MAX_BODY:
            raise _TooLarge
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                raise _TooLarge
        verb, target = request.method.decode("latin-1"), request.target.decode("latin-1")
        return Incoming(verb=verb, target=target, headers=headers, body=bytes(body))

    async def _event(self) -> h11.Event | None:
        """What comes next; None where the connection is over."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            with trio.fail_after(IDLE):
                self._http.receive_data(await self._stream.receive_some(BLOCK))
        return event if isinstance(event, h11.Event) else None

    def _begun(self) -> bool:
        """Whether a part of a request has come."""
        return self._http.their_state is not h11.IDLE or bool(self._http.trailing_data[0])

    # --- out -------------------------------------------------------------------------------------------------

    async def _refuse(self, status: int, reason: str) -> bool:
        answer = self._responder.refuse(status, reason)
        with suppress(h11.LocalProtocolError):  # the other side may have broken off so that nothing can be said
            await self._head(answer, len(answer.body), close=True)
            await self._send(h11.Data(data=answer.body))
            await self._send(h11.EndOfMessage())
        await self._linger()
        return False

    async def _whole(self, delivery: Delivery, verb: str) -> bool:
        answer = delivery.answer
        await self._head(answer, len(answer.body))
        if _has_body(answer, verb):
            await self._send(h11.Data(data=answer.body))
        return await self._end()

    async def _end(self) -> bool:
        await self._send(h11.EndOfMessage())
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            return True
        await self._linger()
        return False

    async def _late(self, delivery: Delivery, verb: str) -> bool:
        """The answer after a while, or never; not at all to one who has not waited."""
        patience = math.inf if delivery.seconds is None else delivery.seconds
        with trio.move_on_after(patience):
            while data := await self._stream.receive_some(BLOCK):
                self._http.receive_data(data)
            return False
        return await self._whole(delivery, verb)

    async def _drop(self, _delivery: Delivery, _verb: str) -> bool:
        return False

    async def _reset(self, _delivery: Delivery, _verb: str) -> bool:
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    async def _cut(self, delivery: Delivery, verb: str) -> bool:
        answer = delivery.answer
        await self._head(answer, len(answer.body))
        if _has_body(answer, verb):
            await self._stream.send_all(answer.body[: len(answer.body) // 2])
        return False

    async def _slow(self, delivery: Delivery, verb: str) -> bool:
        answer = delivery.answer
        await self._head(answer, len(answer.body))
        if _has_body(answer, verb):
            step = max(1, math.ceil(len(answer.body) / PIECES))
            pause = (delivery.seconds or 0.0) / max(1, math.ceil(len(answer.body) / step))
            for start in range(0, len(answer.body), step):
                await trio.sleep(pause)
                await self._send(h11.Data(data=answer.body[start : start + step]))
        return await self._end()

    async def _huge(self, delivery: Delivery, verb: str) -> bool:
        """Two gigabytes of blanks, or as much of them as the other side will have."""
        await self._head(delivery.answer, HUGE)
        if _has_body(delivery.answer, verb):
            block = b" " * BLOCK
            for _ in range(HUGE // BLOCK):
                await self._stream.send_all(block)
        return False

    async def _overstated(self, delivery: Delivery, verb: str) -> bool:
        answer = delivery.answer
        await self._head(answer, len(answer.body) + OVERSTATED)
        if _has_body(answer, verb):
            await self._stream.send_all(answer.body)
        return False

    async def _head(self, answer: Answer, length: int, *, close: bool = False) -> None:
        named = [
            (name, _UNSAYABLE.sub(" ", value).strip())
            for name, value in answer.headers.items()
            if _TOKEN.fullmatch(name) and name.lower() not in _OURS
        ]
        named += [("Date", formatdate(self._unix(), usegmt=True)), ("Server", "vidspec-sandbox")]
        if answer.status not in _BODILESS:
            named.append(("Content-Length", str(length)))
        if close:
            named.append(("Connection", "close"))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in named]
        await self._send(h11.Response(status_code=answer.status, headers=headers))

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send_all(data)

    async def _linger(self) -> None:
        """Say that this was all, and hear the rest out: a close over unread bytes would destroy the answer."""
        left = MOST_LINGERED
        with trio.move_on_after(LINGER):
            await self._stream.send_eof()
            while left > 0 and (data := await self._stream.receive_some(BLOCK)):
                left -= len(data)


def _has_body(answer: Answer, verb: str) -> bool:
    return verb != "HEAD" and answer.status not in _BODILESS and bool(answer.body)
