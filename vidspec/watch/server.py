"""HTTP/1.1 on loopback for one page: texts, parts of files, and a feed of news that ends with the connection.

What is answered is for `Door` to say; here it is carried over sockets.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from stat import S_ISREG
from typing import TYPE_CHECKING, Protocol

import h11
import trio

from vidspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import BinaryIO

    from vidspec.watch.page import Place

__all__ = ["HOST", "Answer", "Asked", "Responder", "listen", "serve"]

HOST = "127.0.0.1"
MAX_HEAD = 32 * 2**10
IDLE = 60.0
"""Seconds that a connection may be without a request."""
PULSE = 15.0
"""Seconds after which a feed without news says that it is still there."""
BLOCK = 2**16

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: its verb, its target as it was sent, and its headers by their names in lowercase."""

    verb: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: bytes, or a file, or a feed: `news` waits for what is not what was told last."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    place: Place | None = None
    news: Callable[[str | None], Awaitable[str]] | None = None


class Responder(Protocol):
    """What answers; see `door.Door`."""

    def respond(self, asked: Asked) -> Answer:
        """Answer a request."""


async def listen(port: int) -> list[trio.SocketListener]:
    """Listen on loopback; port 0 takes any that is free. Raises UsageError where the port cannot be had."""
    try:
        return await trio.open_tcp_listeners(port, host=HOST)
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
        help_line = "`--port 0` takes any that is free"
        raise UsageError(f"cannot listen on port {port}: {reason}\n    help: {help_line}") from error


async def serve(listeners: list[trio.SocketListener], responder: Responder) -> None:
    """Answer on all connections, until cancelled."""

    async def handle(stream: trio.SocketStream) -> None:
        # whoever is connected may go away at any moment, and so may a file
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            async with stream:
                await _Connection(stream, responder).run()

    await trio.serve_listeners(handle, listeners)


class _Connection:
    """One connection, from its first request to its last."""

    def __init__(self, stream: trio.SocketStream, responder: Responder) -> None:
        self._stream = stream
        self._responder = responder
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)

    async def run(self) -> None:
        """Answer one request after the other, as long as both sides wish to."""
        while await self._one():
            self._http.start_next_cycle()

    async def _one(self) -> bool:
        """Answer a request; whether another may follow."""
        try:
            with trio.fail_after(IDLE):
                request = await self._request()
        except h11.RemoteProtocolError as error:
            with suppress(h11.LocalProtocolError):  # the other side may have broken off so that nothing can be said
                await self._head(Answer(status=error.error_status_hint), 0, close=True)
            return False
        except trio.TooSlowError:
            return False
        if request is None:
            return False
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        asked = Asked(
            verb=request.method.decode("latin-1"), target=request.target.decode("latin-1"), headers=headers
        )
        return await self._answer(asked, self._responder.respond(asked))

    async def _request(self) -> h11.Request | None:
        """The next request, which brings nothing along; None where there is none any more."""
        request = await self._event()
        if not isinstance(request, h11.Request):
            return None
        if isinstance(await self._event(), h11.Data):
            raise h11.RemoteProtocolError("nothing is to be sent here", error_status_hint=413)
        return request

    async def _event(self) -> h11.Event | None:
        """What comes next; None where the connection is over."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.receive_some(BLOCK))
        return event if isinstance(event, h11.Event) else None

    async def _answer(self, asked: Asked, answer: Answer) -> bool:
        if answer.news is not None:
            await self._feed(answer, answer.news)
            return False
        if answer.place is not None:
            return await self._file(asked, answer, answer.place)
        await self._head(answer, len(answer.body))
        if answer.body and asked.verb != "HEAD":
            await self._send(h11.Data(data=answer.body))
        return await self._end()

    async def _feed(self, answer: Answer, news: Callable[[str | None], Awaitable[str]]) -> None:
        """Tell the news as they come, and in between that we are still here, as long as anybody listens."""
        await self._head(answer, None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._until_gone, nursery.cancel_scope)
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._tell(news)
            nursery.cancel_scope.cancel()

    async def _tell(self, news: Callable[[str | None], Awaitable[str]]) -> None:
        """Send what is new for ever."""
        told: str | None = None
        while True:
            with trio.move_on_after(PULSE) as pause:
                told = await news(told)
            text = ": still here" if pause.cancelled_caught else f"data: {told}"
            await self._send(h11.Data(data=f"{text}\n\n".encode("utf-8", "replace")))

    async def _until_gone(self, scope: trio.CancelScope) -> None:
        """Wait until the other side has gone."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while await self._stream.receive_some(BLOCK):
                pass
        scope.cancel()

    async def _file(self, asked: Asked, answer: Answer, place: Place) -> bool:
        """A file, or the part of it that is asked for."""
        try:
            file = _opened(place)
        except OSError:
            return await self._answer(
                asked, Answer(status=404, headers=_plain(answer.headers), body=b"not there\n")
            )
        with file:
            size = os.fstat(file.fileno()).st_size
            wanted = _part(asked.headers, size)
            headers = {**answer.headers, "Accept-Ranges": "bytes"}
            if wanted is None:
                unmet = {**_plain(headers), "Content-Range": f"bytes */{size}"}
                return await self._answer(asked, Answer(status=416, headers=unmet))
            begin, end = wanted
            if end - begin < size:
                headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
            await self._head(Answer(status=206 if end - begin < size else 200, headers=headers), end - begin)
            file.seek(begin)
            left = end - begin
            while left and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                await self._send(h11.Data(data=block))
        return not left and await self._end()

    async def _end(self) -> bool:
        await self._send(h11.EndOfMessage())
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _head(self, answer: Answer, length: int | None, *, close: bool = False) -> None:
        """The head of an answer; of a feed nobody knows how long it will be."""
        headers = {**answer.headers, "Date": formatdate(usegmt=True)}
        if length is not None:
            headers["Content-Length"] = str(length)
        if close or length is None:
            headers["Connection"] = "close"
        named = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send(h11.Response(status_code=answer.status, headers=named))

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send_all(data)


def _opened(place: Place) -> BinaryIO:
    """A file that does not lead out of its folder, open. Raises OSError for every other."""
    real, root = os.path.realpath(place.path), os.path.realpath(place.root)
    if os.path.commonpath((real, root)) != root:
        raise OSError(errno.EACCES, "leads out of its folder")
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if not S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EACCES, "is no file")
    return file


def _part(headers: Mapping[str, str], size: int) -> tuple[int, int] | None:
    """Where what is asked for begins and ends; None for what there is not. Several parts at once are not given."""
    asked = headers.get("range", "").strip()
    match = _RANGE.fullmatch(asked)
    if match is None or "if-range" in headers or not (match[1] or match[2]):
        return 0, size
    if not match[1]:
        return (max(0, size - int(match[2])), size) if int(match[2]) and size else None
    begin = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < begin:
        return 0, size
    return (begin, end) if begin < size else None


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "Content-Type": "text/plain; charset=utf-8"}
