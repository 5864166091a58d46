"""What comes back: a head that is here, and a body that is read piece by piece, decoded, in bounded memory."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vidspec.http.attempt import Attempt

_PIECE = 2**18
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_DAMAGED = "the answer is compressed, and damaged"


class Answer:
    """An answer whose head is here, and whose body is still to be read. Headers are by lower-case name.

    `decoded` counts the bytes that were read so far. `release` is called when the answer is done with.
    """

    def __init__(self, response: httpx.Response, attempt: Attempt, release: Callable[[], Awaitable[None]]) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        attempt.answered = True
        self.attempt = attempt
        self.status = response.status_code
        self.headers = _by_name(response.headers.raw)
        self.encoding = self.headers.get("content-encoding", "").strip().lower()
        self.decoded = 0
        self._stream = response.stream
        self._release = release
        self._pieces = aiter(response.stream)
        self._inflater: Any = None
        self._waiting = b""

    async def read(self) -> bytes:
        """The next bytes of the body, decoded, a few hundred kilobytes at most; empty at its end.

        Raises:
            ProviderError: the body broke off, or cannot be decoded.
        """
        piece = await self._raw() if self.encoding in ("", "identity") else await self._inflated()
        self.decoded += len(piece)
        return piece

    async def _raw(self) -> bytes:
        try:
            async for piece in self._pieces:
                if piece:
                    return piece
        except httpx.HTTPError as error:
            raise self.attempt.failure(error) from error
        return b""

    async def _inflated(self) -> bytes:
        """A piece of what was compressed. What is small on the way may be a thousand times as large here."""
        if self.encoding not in _WINDOWS:
            raise self.attempt.broken("the answer is encoded in a way that was not asked for")
        while not (piece := self._inflate()):
            self._waiting = await self._raw()
            ended = self._inflater is None or self._inflater.eof
            if not self._waiting and ended:
                return b""
            if not self._waiting or (self._inflater is not None and ended):
                raise self.attempt.broken(_DAMAGED)
        return piece

    def _inflate(self) -> bytes:
        """Some of what the compressed bytes that are here come to; empty where more of them are needed."""
        try:
            if self._inflater is None and self._waiting:
                self._inflater = zlib.decompressobj(_window(self.encoding, self._waiting[0]))
            if self._inflater is None:
                return b""
            piece: bytes = self._inflater.decompress(self._waiting, _PIECE)
        except zlib.error as error:
            raise self.attempt.broken(_DAMAGED) from error
        self._waiting = self._inflater.unconsumed_tail
        return piece

    async def close(self) -> None:
        """Have done with the answer, read or not.

        What was not read is let go of by closing the connection under it; the reading then ends by itself.
        """
        with trio.CancelScope(shield=True):
            try:
                with suppress(httpx.HTTPError):
                    await self._stream.aclose()
                    async for _ in self._pieces:
                        pass
            finally:
                await self._release()


def _by_name(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; what comes more than once is one value, with commas."""
    found: dict[str, str] = {}
    for key, value in raw:
        name, text = _text(key).lower(), _text(value)
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _window(encoding: str, first: int) -> int:
    """What zlib is told of a stream: `deflate` comes with zlib's own head from some servers, bare from others."""
    return -15 if encoding == "deflate" and first & 0x0F != 8 else _WINDOWS[encoding]
