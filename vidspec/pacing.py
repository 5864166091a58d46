"""How fast a provider may be asked, and when to look: functions of time and chance. All times in seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_MINUTE, _MARGIN = 60.0, 0.25
"""The window in which submits are counted, and by how much the journeys of two requests may differ."""

_APART, _LATE = 1.03, 0.01
"""Submits of more than one a second go out evenly, and so much further apart than they might; one that was late, by
up to so many seconds, or a fifth of what they are apart, does not make the next late."""

_CUT, _HOLD, _LONGER = 0.8, 0.25, 1.3
"""What a no leaves of the rate, for how long nothing goes after the first, and how much longer after each more."""

_REGAINED, _LEAST_REGAINED, _EASIER = 0.05, 0.01, 1.1
"""What one that is taken wins back, as a share of where the last no came; how little that becomes, and how fast it
grows again, once more than `_NEAR` times as much is taken, or all of it."""

_NEAR = 1.1
_LEAST_SHARE, _LEAST_RATE = 1 / 16, 3.75
"""What always goes: a share of the rate, or so many a minute if that is less."""


class Rate:
    """So many submits in any minute, as they are counted at the other end; fewer after it has said no.

    Each no puts submits further apart and holds them all for a moment, longer with every one in a row; each that is
    taken wins some of it back: quickly to near where the no came, then little by little (AIMD). Where one no comes
    about where the last did, that is likely the limit, and what is won back beyond grows smaller.
    """

    def __init__(self, per_minute: float) -> None:
        """`per_minute` may be a fraction: 0.5 is one in two minutes."""
        self._per_minute = per_minute
        self._count = max(1, int(per_minute))
        self._window = _MINUTE * self._count / per_minute + _MARGIN
        self._sent: deque[float] = deque(maxlen=self._count)
        self._late = 0.0
        self._not_before = float("-inf")
        self._in_a_row = 0
        self._limit = 0.0
        self._regained = _REGAINED
        self.share = 1.0

    @property
    def per_minute(self) -> float:
        """How many go in a minute now."""
        return self._per_minute * self.share

    @property
    def _gap(self) -> float:
        """Seconds between two submits: none for a rate that is slow and has never been refused."""
        if self.share < 1.0:
            return _MINUTE / self.per_minute
        return _APART * _MINUTE / self._per_minute if self._per_minute > _MINUTE else 0.0

    def ready_at(self, now: float) -> float:
        """The next moment, not before `now`, at which one more may be sent."""
        at = max(now, self._not_before)
        if len(self._sent) == self._count:
            at = max(at, self._sent[0] + self._window)
        return max(at, self._sent[-1] + self._gap - self._late) if self._sent else at

    def sent(self, now: float) -> None:
        """One has been sent."""
        due = self._sent[-1] + self._gap - self._late if self._sent else now
        self._late = max(0.0, min(now - due, _LATE, self._gap / 5))
        self._sent.append(now)

    def refused(self, now: float, wait: float, sent: float | None = None) -> None:
        """The provider has said no, and for how many seconds (0: not for how long). Nothing goes until then.

        `sent` is when that one was sent: it is not counted.
        """
        if sent is not None and sent in self._sent:
            self._sent.remove(sent)
            self._late = 0.0
        if now >= self._not_before:
            if not self._in_a_row:
                near = self.share <= _NEAR * self._limit
                self._regained = max(_LEAST_REGAINED, self._regained / 2) if near else _REGAINED
                self._limit = self.share
            self.share = max(min(_LEAST_SHARE, _LEAST_RATE / self._per_minute), self.share * _CUT)
            wait = max(wait, min(_MINUTE, _HOLD * _LONGER**self._in_a_row))
            self._in_a_row += 1
        self._not_before = max(self._not_before, now + wait)

    def taken(self) -> None:
        """The provider has taken one."""
        self._in_a_row = 0
        near = self._limit * _CUT
        if self.share < near:
            self.share = min(near, self.share * 2)
            return
        self.share = min(1.0, self.share + self._regained * self._limit)
        if self._limit and self.share >= min(1.0, _NEAR * self._limit):
            self._limit = self.share
            self._regained = min(_REGAINED, self._regained * _EASIER)


def backoff(attempt: int, chance: float, *, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): doubling, at most `most`, then spread.

    `chance` is from 0 to 1; the wait is between half of what doubling gives and all of it.
    """
    wait = min(most, first * 2.0 ** min(attempt - 1, 30))
    return wait * (0.5 + chance / 2)


# --- when to look ----------------------------------------------------------------------------------------

_PRICE = 0.0138
"""What a look costs, as a share of how long a clip takes: some five looks a clip then, each seen soon after it is
there. Half of it is seven looks and two thirds of the lag; double is three and a half, and one and a half times."""

_PRIOR = 4.0
"""How many clips a provider's own word counts for."""

_ENOUGH = 3
_USUAL_SPREAD, _DOUBT = 0.4, 2.0
"""The spread that is presumed, and for how many clips that counts: the first few to come are the quickest, and lie
close together."""

_LEAST_SPREAD = 0.08
_TENTH = 1.2816
"""How far from the middle of a normal distribution a tenth lies on either side, in standard deviations."""

_MEMORY = 200.0
_AT_FIRST = 0.9
"""How long a clip took that the first look finds, as a share of the time until then."""


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
        seen = max(0.0, squares - count * middle * middle)
        spread = (seen + _DOUBT * _USUAL_SPREAD**2) / (count + _DOUBT) * (1 + 1 / count)
        return middle, max(_LEAST_SPREAD, math.sqrt(spread))


def length(missed: float, found: float) -> float:
    """How long a clip took that was not there yet after `missed` seconds (0: nobody looked) and was after `found`.

    The middle; but the first look comes when there is hardly a chance, so what it finds was hardly there before.
    """
    return (missed + found) / 2 if missed else _AT_FIRST * found


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
    """The gap for which waiting longer would cost more than another look, to within a thirtieth."""

    def is_short(gap: float) -> bool:
        return gap * gap * _hazard(start + gap / 2, middle, spread) < 2 * price

    low, high = 0.0, step
    while high < most and is_short(high):
        low, high = high, 1.5 * high
    high = min(high, most)
    for _ in range(4):
        gap = (low + high) / 2
        low, high = (gap, high) if is_short(gap) else (low, gap)
    return high


def _hazard(at: float, middle: float, spread: float) -> float:
    """The chance a second that a log-normal length ends at this moment, given that it has not ended before."""
    score = (math.log(at) - middle) / spread
    left = 0.5 * math.erfc(score / math.sqrt(2))
    if left < 1e-9:
        return score / (spread * at)
    return math.exp(-score * score / 2) / (at * spread * math.sqrt(2 * math.pi) * left)
