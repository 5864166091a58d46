"""A clock that runs faster than the wall's, and stands still while it is held."""

from __future__ import annotations

import math
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import trio

from vidspec.drawer import held_while_drawing
from vidspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MOST_SPEED", "FastClock", "held_while_drawing", "parse_speed"]

MOST_SPEED = 600.0
"""Beyond that, what a machine needs to answer is longer than what it is asked to rehearse."""


class FastClock(trio.abc.Clock):
    """Time that passes `rate` times as fast as real seconds, from 0, for `trio.run(…, clock=…)`.

    While it is held, no virtual time passes and no deadline falls due: only I/O and threads wake the loop. With
    `hold_while_drawing` it is held while clips are drawn, by twins or for the list's own drawn takes, so that slow
    drawing costs no virtual time.
    Hold and let go only from within the loop. Raises `ValueError` for a rate that is not positive and finite.
    """

    def __init__(
        self,
        rate: float = 1.0,
        *,
        hold_while_drawing: bool = False,
        real: Callable[[], float] = time.perf_counter,
    ) -> None:
        if not 0 < rate < math.inf:
            raise ValueError(f"a clock's rate is positive and finite, not: {rate}")
        self.rate = rate
        self.hold_while_drawing = hold_while_drawing
        self._real = real
        self._since = real()
        self._virtual = 0.0
        self._holds = 0

    def start_clock(self) -> None:
        """Virtual time is 0 now."""
        self._since = self._real()

    def current_time(self) -> float:
        """Virtual seconds."""
        if self._holds:
            return self._virtual
        return self._virtual + (self._real() - self._since) * self.rate

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Real seconds until a virtual deadline; while the clock is held, none will come that has not yet."""
        left = deadline - self.current_time()
        if left <= 0:
            return 0.0
        return math.inf if self._holds else left / self.rate

    def pause(self) -> None:
        """Stop the clock until there are as many calls of `resume` as of this."""
        self._virtual = self.current_time()
        self._holds += 1

    def resume(self) -> None:
        """Take back one `pause`; after the last, time goes on from where it stood."""
        if not self._holds:
            raise RuntimeError("the clock is not held")
        self._holds -= 1
        if not self._holds:
            self._since = self._real()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No virtual time passes inside, however often this is nested."""
        self.pause()
        try:
            yield
        finally:
            self.resume()


def parse_speed(text: str) -> float:
    """A speed as it is written: `60x`, `1.5x`, `10`. Raises `UsageError` for what is none."""
    match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,9})?)x?", text.strip(), re.ASCII)
    if match is None or not 0 < float(match[1]) <= MOST_SPEED:
        raise UsageError(f"`--speed {text}` is no speed: write one like `10x`, at most `{MOST_SPEED:g}x`")
    return float(match[1])
