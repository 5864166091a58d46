"""Connections that stay open from one exchange to the next.

httpx looks at every connection of a pool twice an exchange, and asks the system about each that is idle. So each
exchange has a transport of its own, which is that of the last exchange that has ended: it never holds more than one
connection, and there are as many as there were exchanges at once. What goes by way of a proxy goes by httpx's.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import httpx
import trio

from vidspec.http.line import Line

if TYPE_CHECKING:
    import ssl

KEEPALIVE = 30
"""Seconds for which an idle connection is kept for the next poll. Servers commonly close theirs after 60."""


class _Idle(NamedTuple):
    line: httpx.AsyncBaseTransport
    since: float


class Lines:
    """The connections to one provider, or those for one exchange each, by way of one proxy or of none."""

    def __init__(self, context: ssl.SSLContext, proxy: str, *, kept: bool) -> None:
        """`proxy` is an address, empty for none; a connection that is not `kept` serves one exchange.

        Raises:
            ValueError, httpx.InvalidURL, ImportError: the proxy cannot be used.
        """
        self._context = context
        way = httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None) if proxy else None
        self._way = way
        self._limits = httpx.Limits(max_keepalive_connections=int(kept), keepalive_expiry=KEEPALIVE)
        self._idle: deque[_Idle] = deque()
        self._free(self._made())

    def _made(self) -> httpx.AsyncBaseTransport:
        if self._way is None:
            return Line(self._context, keepalive=KEEPALIVE)
        return httpx.AsyncHTTPTransport(verify=self._context, limits=self._limits, proxy=self._way)

    def take(self) -> httpx.AsyncBaseTransport:
        """One that nobody uses: the one that was used last, as its connection is the likeliest to be open."""
        return self._idle.pop().line if self._idle else self._made()

    def _free(self, line: httpx.AsyncBaseTransport) -> None:
        self._idle.append(_Idle(line, trio.current_time()))

    async def give_back(self, line: httpx.AsyncBaseTransport) -> None:
        """An exchange is over; what nobody has used for long is closed."""
        self._free(line)
        if self._idle[0].since < trio.current_time() - KEEPALIVE:
            await self._idle.popleft().line.aclose()

    async def close(self) -> None:
        """Close every connection that is idle."""
        while self._idle:
            await self._idle.pop().line.aclose()
