"""How fast a provider may be asked: pure functions of time and chance. All times in seconds."""

from __future__ import annotations

from collections import deque

WINDOW = 60.0
_MARGIN = 0.25
"""Seconds by which the journeys of two requests may differ."""


class Rate:
    """So many submits in any minute, as they are counted at the other end."""

    def __init__(self, per_minute: float) -> None:
        """`per_minute` may be a fraction: 0.5 is one in two minutes."""
        self._count = max(1, int(per_minute))
        self._window = WINDOW * self._count / per_minute
        self._booked: deque[float] = deque(maxlen=self._count)
        self._not_before = float("-inf")

    def book(self, now: float) -> float:
        """The next moment at which one may be sent, not before `now`; it is taken with the asking."""
        at = max(now, self._not_before)
        if len(self._booked) == self._count:
            at = max(at, self._booked[0] + self._window + _MARGIN)
        self._booked.append(at)
        return at

    def hold_off(self, until: float) -> None:
        """Nothing goes before this moment: the provider has said so."""
        self._not_before = max(self._not_before, until)


def backoff(attempt: int, chance: float, *, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): doubling, at most `most`, then spread.

    `chance` is from 0 to 1; the wait is between half of what doubling gives and all of it.
    """
    wait = min(most, first * 2.0 ** min(attempt - 1, 30))
    return wait * (0.5 + chance / 2)


def look_after(interval: float, chance: float) -> float:
    """Seconds until the next look at a request: never more than `interval`, spread so that looks do not bunch."""
    return interval * (0.8 + chance / 5)
