"""A line of a terminal that says how far the work is; it is gone in the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vidspec.diagnostic import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidspec.console import Console

__all__ = ["Bar"]

_COLUMNS = 24
_EVERY = 0.1
"""Seconds between two states of the bar."""


class Bar:
    """Draws the line on a console's stream."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._shown_at = float("-inf")
        encoding = getattr(console.stream, "encoding", None) or "utf-8"
        self._signs = ("━", "─") if encoding.lower().replace("-", "").startswith("utf8") else ("#", "-")

    def measuring(self, number: int, of: int) -> None:
        """So many of the clips have been looked at."""
        self.show(number / of, f"{number} of {counted(of, 'clip')}")

    def show(self, share: float, words: str) -> None:
        """Draw it anew, if the last time is long enough ago."""
        now = self._clock()
        if now - self._shown_at < _EVERY:
            return
        self._shown_at = now
        full, empty = self._signs
        done = min(_COLUMNS, int(share * _COLUMNS))
        bar = self._console.paint(full * done, "cyan") + empty * (_COLUMNS - done)
        self._console.stream.write(f"\r\033[2K{bar} {100 * share:3.0f}%  {words}")
        self._console.stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        self._shown_at = float("-inf")
        self._console.stream.write("\r\033[2K")
        self._console.stream.flush()
