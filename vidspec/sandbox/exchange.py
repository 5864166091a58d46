"""What happened: one line a request, kept for the page, for the log and for whoever rehearsed."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Exchange", "History"]

KEPT = 20_000
SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it. Never holds a key or a signature.

    `time` is seconds since the sandbox opened. `status` is None where no answer went out. `fault` is the name of
    the one that befell the answer, `changed` what was changed, cut or ignored in silence. `key` says whether an
    `Authorization` header was sent. `bug` is an error of the sandbox itself.
    """

    number: int
    time: float
    provider: str | None
    verb: str
    path: str
    status: int | None
    call: str | None = None
    task: str | None = None
    model: str | None = None
    fault: str | None = None
    changed: tuple[str, ...] = ()
    key: bool = False
    size: int = 0
    bug: str | None = None

    def value(self) -> dict[str, Any]:
        """The exchange as JSON holds it."""
        return {**asdict(self), "time": round(self.time, 3), "changed": list(self.changed)}


class History:
    """The last exchanges in their order, and counts over all of them."""

    def __init__(self, listener: Callable[[Exchange], None] | None = None) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self.counts: Counter[str | None] = Counter()
        self.bugs: list[str] = []
        self._recent: dict[str | None, deque[Exchange]] = {}
        self._listener = listener
        self._number = 0

    def next_number(self) -> int:
        """The number of the exchange that begins."""
        self._number += 1
        return self._number

    def add(self, exchange: Exchange) -> None:
        """One more."""
        self.exchanges.append(exchange)
        self.counts[exchange.provider] += 1
        self._recent.setdefault(exchange.provider, deque(maxlen=SHOWN)).appendleft(exchange)
        if exchange.bug is not None:
            self.bugs.append(exchange.bug)
        if self._listener is not None:
            self._listener(exchange)

    def recent(self, provider: str | None) -> list[Exchange]:
        """The last exchanges with a provider, newest first; None for those with none."""
        return list(self._recent.get(provider, ()))
