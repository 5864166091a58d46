"""How fast a provider may be asked, and when to look: functions of time and chance. All times in seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_MINUTE, _SECOND = (60.0, 0.25), (1.0, 0.015)
"""Windows in which submits are counted, each with the seconds by which the journeys of two requests may differ."""

_LEAST_SHARE, _REGAINED = 1 / 16, 0.05


class Rate:
    """So many submits in any minute, as they are counted at the other end; fewer after it has said no.

    A no halves the share of the rate that is used, and each submit that is taken wins a little of it back (AIMD).
    A rate of more than one a second is spread over the seconds as well.
    """

    def __init__(self, per_minute: float) -> None:
        """`per_minute` may be a fraction: 0.5 is one in two minutes."""
        length, margin = _MINUTE
        count = max(1, int(per_minute))
        self._windows = [(count, length * count / per_minute + margin)]
        if per_minute > length:
            each = max(1, int(per_minute / length))
            self._windows.append((each, each * length / per_minute + _SECOND[1]))
        self._sent: deque[float] = deque(maxlen=count)
        self._not_before = float("-inf")
        self._per_minute = per_minute
        self.share = 1.0

    @property
    def per_minute(self) -> float:
        """How many go in a minute now."""
        return self._per_minute * self.share

    def ready_at(self, now: float) -> float:
        """The next moment, not before `now`, at which one more may be sent."""
        at = max(now, self._not_before)
        for count, length in self._windows:
            allowed = max(1, int(count * self.share))
            if len(self._sent) >= allowed:
                at = max(at, self._sent[-allowed] + length * (allowed / (count * self.share)))
        return at

    def sent(self, now: float) -> None:
        """One has been sent."""
        self._sent.append(now)

    def refused(self, now: float, wait: float, *, counts: bool = False) -> None:
        """The provider has said no: nothing goes for so long, and after that half as much.

        What was refused is not counted, unless it was no submit (`counts`).
        """
        if self._sent and not counts:
            self._sent.pop()
        if now >= self._not_before:
            self.share = max(_LEAST_SHARE, self.share / 2)
        self._not_before = max(self._not_before, now + wait)

    def taken(self) -> None:
        """The provider has taken one."""
        self.share = min(1.0, self.share + _REGAINED)


def backoff(attempt: int, chance: float, *, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): doubling, at most `most`, then spread.

    `chance` is from 0 to 1; the wait is between half of what doubling gives and all of it.
    """
    wait = min(most, first * 2.0 ** min(attempt - 1, 30))
    return wait * (0.5 + chance / 2)


# --- when to look ----------------------------------------------------------------------------------------

_PRICE = 0.0165
"""What a look costs, as a share of how long a clip takes: some five looks a clip then, each seen soon after it is
there. Half of it is seven looks and two thirds of the lag; double is three and a half, and one and a half times."""

_PRIOR = 4.0
"""How many clips a provider's own word counts for."""

_ENOUGH = 3
_LEAST_SPREAD = 0.08
_TENTH = 1.2816
"""How far from the middle of a normal distribution a tenth lies on either side, in standard deviations."""

_MEMORY = 200.0


@dataclass(slots=True, kw_only=True)
class Lengths:
    """How long the clips of one model take, from acceptance to success: moments of the logarithm.

    `count` is how much has been seen, `total` and `squares` sum the logarithms of seconds and their squares.
    What was seen long ago counts for less and less.
    """

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def saw(self, seconds: float) -> None:
        """A clip took so long."""
        if self.count >= _MEMORY:
            fade = (_MEMORY - 1) / self.count
            self.count, self.total, self.squares = self.count * fade, self.total * fade, self.squares * fade
        value = math.log(max(seconds, 1e-3))
        self.count += 1
        self.total += value
        self.squares += value * value

    def known(self, typical: tuple[float, ...]) -> tuple[float, float] | None:
        """Middle and spread of the logarithm; None where nobody knows enough. `typical` bounds most of them."""
        count, total, squares = self.count, self.total, self.squares
        if len(typical) == 2 and 0 < typical[0] < typical[1]:
            low, high = map(math.log, typical)
            middle, spread = (low + high) / 2, (high - low) / (2 * _TENTH)
            count, total = count + _PRIOR, total + _PRIOR * middle
            squares += _PRIOR * (spread * spread + middle * middle)
        if count < _ENOUGH:
            return None
        middle = total / count
        return middle, max(_LEAST_SPREAD, math.sqrt(max(0.0, squares / count - middle * middle)))


def next_look(known: tuple[float, float] | None, elapsed: float, interval: float, chance: float) -> float:
    """Seconds until the next look at a request that was accepted `elapsed` seconds ago.

    The longer a gap, the fewer looks and the later a clip is seen. Where the chance that it is there in the next
    second is h, the sum of both is least for a gap of sqrt(2 c / h), c being what a look costs in seconds. The
    first look comes when there is a chance at all; after that no gap is longer than `interval`. Where nothing is
    known, looks come at the interval, spread so that they do not bunch.
    """
    if known is None:
        return interval * (0.8 + chance / 5)
    middle, spread = known
    price = _PRICE * math.exp(middle + spread * spread / 2)
    step = math.exp(middle) / 256
    if not elapsed:
        first = math.exp(middle - 3.5 * spread)
        return first + _gap(first, middle, spread, price, step, math.exp(middle))
    return min(interval, _gap(elapsed, middle, spread, price, step, interval))


def _gap(start: float, middle: float, spread: float, price: float, step: float, most: float) -> float:
    """The gap for which waiting longer would cost more than another look."""
    gap = step
    while gap < most and gap * gap * _hazard(start + gap / 2, middle, spread) < 2 * price:
        gap += max(step, gap / 16)
    return gap


def _hazard(at: float, middle: float, spread: float) -> float:
    """The chance a second that a log-normal length ends at this moment, given that it has not ended before."""
    score = (math.log(at) - middle) / spread
    left = 0.5 * math.erfc(score / math.sqrt(2))
    if left < 1e-9:
        return score / (spread * at)
    return math.exp(-score * score / 2) / (at * spread * math.sqrt(2 * math.pi) * left)
