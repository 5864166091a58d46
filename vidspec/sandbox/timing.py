"""How long a provider takes, and how much it takes on: queues, render times and limits, the same in every run."""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from dataclasses import dataclass
from heapq import heapify, heapreplace

__all__ = ["LIMITS", "Limits", "Schedule", "Window"]

MINUTE = 60.0

QUEUED = (0.03, 0.15)
"""The share of a fast render that most requests wait before they begin."""

NINETIETH = 1.2816
"""How many deviations above the middle of a normal distribution nine tenths lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account may do; None where nothing is refused.

    `per_minute` submits are accepted in any 60 seconds, `in_flight` tasks may be unfinished at once, and of what
    is accepted only `slots` are worked on at a time: the rest waits in the queue. With `per_model`
    what is refused is counted for each model by itself.
    """

    per_minute: int | None = None
    in_flight: int | None = None
    slots: int | None = None
    per_model: bool = False


_GATEWAY = Limits(per_minute=30, in_flight=4)
_HAILUO = Limits(per_minute=5, in_flight=5)

LIMITS: dict[str, Limits] = {
    "siliconflow": Limits(per_minute=10, in_flight=2, per_model=True),
    "nebula": _GATEWAY,
    "leapx": _GATEWAY,
    "minimax": _HAILUO,
    "gately": _HAILUO,
    "yutoai": Limits(per_minute=10, slots=2),
}
"""MiniMax publishes 5 a minute for Hailuo 02 and 2.3 and says nothing of tasks at once; YutoAI's upstream works on
two tasks at once, per its own documents. The other houses publish no figures for video: these are cautious ones."""


class Window:
    """Counts what happened within the last minute."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        """One more, now."""
        self._times.append(now)

    def count(self, now: float) -> int:
        """How many there were in the 60 seconds up to now."""
        while self._times and self._times[0] <= now - MINUTE:
            self._times.popleft()
        return len(self._times)


class Schedule:
    """When each task of a provider begins and ends, drawn by chance from its model and its number alone."""

    def __init__(self, provider: str, slots: int | None) -> None:
        self._provider = provider
        self._counts: Counter[str] = Counter()
        self._free = [0.0] * (slots or 0)
        heapify(self._free)

    def span(self, model: str, now: float, typical: tuple[float, float]) -> tuple[float, float]:
        """Begin and end of a task accepted now. `typical` bounds the render times of eight in ten, in seconds."""
        self._counts[model] += 1
        # a stream of its own for each task, so that no other task moves it
        chance = random.Random(f"{self._provider}|{model}|{self._counts[model]}")  # noqa: S311
        low, high = max(0.1, min(typical)), max(0.1, *typical)
        begins = now + _length(chance, QUEUED[0] * low, QUEUED[1] * low)
        if self._free:
            begins = max(begins, self._free[0])
        ends = begins + _length(chance, low, high)
        if self._free:
            heapreplace(self._free, ends)
        return begins, ends


def _length(chance: random.Random, low: float, high: float) -> float:
    """A length, lognormal, one time in ten under `low` and one in ten over `high`, never far out of bounds."""
    middle = (math.log(low) + math.log(high)) / 2
    deviation = (math.log(high) - math.log(low)) / (2 * NINETIETH)
    return min(max(chance.lognormvariate(middle, deviation), 0.6 * low), 1.6 * high)
