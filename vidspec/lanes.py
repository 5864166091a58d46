"""How far a run is, in counts: what waits, flies and has ended at each provider, what is spent, and what is left.

Pure: told of events, asked for words. A question costs the same for ten takes and for ten thousand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vidspec import budget
from vidspec.diagnostic import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidspec.events import Event
    from vidspec.lock import Cost
    from vidspec.planned import Planned

_ENDINGS = {"downloaded": "done", "failed": "failed", "blocked": "blocked", "in_doubt": "in doubt"}
WRONG = ("failed", "in doubt", "blocked")
"""Endings that a person has to look at, in the order in which they are said."""

_LATE = 0.1
"""A take that is overdue is thought to need this share of the usual time yet."""


def is_ending(event: Event) -> bool:
    """Whether a take ends with this event."""
    return event.event in _ENDINGS or (event.event == "state" and event.details["state"] == "kept")


@dataclass(slots=True, kw_only=True)
class Lane:
    """The takes of a run at one provider. All times in seconds since the run began.

    `collecting` counts requests of earlier runs, whose age nobody here knows; `flying` says since when the others
    are there. `seen` clips took `seconds` in all from their submit until they were here. Where the provider has
    said to slow down, it is left alone until `held_until`.
    """

    total: int = 0
    collecting: int = 0
    flying: dict[str, float] = field(default_factory=dict)
    endings: Counter[str] = field(default_factory=Counter)
    is_drawn: bool = False
    most: int = 0
    seen: int = 0
    seconds: float = 0.0
    held_until: float = 0.0
    per_minute: float | None = None

    @property
    def ended(self) -> int:
        """How many takes have ended, well or not."""
        return self.endings.total()

    @property
    def in_flight(self) -> int:
        """How many takes the provider has."""
        return self.collecting + len(self.flying)

    @property
    def waiting(self) -> int:
        """How many takes have yet to be sent, or to be brought back."""
        return max(0, self.total - self.ended - self.in_flight)

    def going(self) -> str:
        """`5 in flight, 23 waiting`; only what there is."""
        verb = "being drawn" if self.is_drawn else "in flight"
        return _joined({verb: self.in_flight, "waiting": self.waiting})

    def wrong(self) -> str:
        """`2 failed, 1 in doubt`; only what there is."""
        return _joined({word: self.endings[word] for word in WRONG})

    def held(self, now: float) -> str:
        """That the provider has said to slow down, while it lasts."""
        if now >= self.held_until:
            return ""
        if self.per_minute is not None:
            return f"told to slow to {self.per_minute:.2g} a minute"
        return f"told to wait {max(1, round(self.held_until - now))} s"

    def left(self, now: float) -> float | None:
        """Seconds until the last take is here, as far as this run has seen; None where there is nothing to go by.

        As many takes are thought to be made at once as were so far, each in the mean time of those that are here.
        """
        if not self.waiting and not self.flying:
            return None if self.collecting else 0.0
        if not self.seen:
            return None
        mean = self.seconds / self.seen
        free = sorted(max(mean - (now - since), mean * _LATE) for since in self.flying.values())
        free = [0.0] * (self.most - len(free)) + free
        if not self.waiting:
            return free[-1]
        rounds, last = divmod(self.waiting - 1, len(free))
        return max(free[last] + (rounds + 1) * mean, free[-1] + rounds * mean)

    def submitted(self, slate: str, now: float) -> None:
        """A take is being made."""
        self.flying[slate] = now
        self.most = max(self.most, len(self.flying))

    def finished(self, slate: str, now: float, word: str, *, is_clip: bool) -> None:
        """A take has ended; with `is_clip`, its clip was made and is here."""
        since = self.flying.pop(slate, None)
        self.endings[word] += 1
        if is_clip and since is not None:
            self.seen += 1
            self.seconds += now - since


class Count:
    """Everything that is counted of a run while it goes on."""

    def __init__(self, work: Iterable[Planned]) -> None:
        self._open = {one.slate: one for one in work}
        self.total = len(self._open)
        self.time = 0.0
        self.lanes: dict[str, Lane] = {}
        for one in self._open.values():
            lane = self.lanes.setdefault(one.provider, Lane())
            lane.total += 1
            lane.collecting += one.action == "collect"
        self._planned = budget.totals(one.cost for one in self._open.values() if one.pays)
        self._spent: dict[str, float] = {}
        self._accepted = 0
        self._unpriced = 0

    def __call__(self, event: Event, /) -> bool:
        """Count an event. True where a take of the run has ended with it."""
        self.time = max(self.time, event.time)
        planned = self._open.get(event.slate or "")
        if planned is None:
            return False
        lane = self.lanes[planned.provider]
        if event.event == "submitted":
            lane.is_drawn = event.request_id is None
            lane.submitted(planned.slate, event.time)
            if event.request_id is not None:
                self._pay(planned.cost)
        elif event.event == "throttled":
            lane.held_until = max(lane.held_until, event.time + event.details["wait"])
            lane.per_minute = event.details.get("per_minute")
        elif is_ending(event):
            del self._open[planned.slate]
            lane.collecting -= planned.action == "collect"
            is_clip = event.event == "downloaded" and not event.details.get("restored")
            lane.finished(planned.slate, event.time, _ENDINGS.get(event.event, "done"), is_clip=is_clip)
            return True
        return False

    def _pay(self, cost: Cost | None) -> None:
        self._accepted += 1
        self._unpriced += cost is None
        if cost is not None:
            self._spent[cost.currency] = round(self._spent.get(cost.currency, 0.0) + cost.amount, 6)

    @property
    def ended(self) -> int:
        """How many takes have ended, well or not."""
        return sum(lane.ended for lane in self.lanes.values())

    def is_open(self, slate: str) -> bool:
        """Whether a take belongs to the run and has not ended."""
        return slate in self._open

    def going(self) -> str:
        """What flies and waits, over all providers."""
        lanes = self.lanes.values()
        drawn = sum(lane.in_flight for lane in lanes if lane.is_drawn)
        flying = sum(lane.in_flight for lane in lanes) - drawn
        waiting = sum(lane.waiting for lane in lanes)
        return _joined({"in flight": flying, "being drawn": drawn, "waiting": waiting})

    def wrong(self) -> str:
        """What has not ended well, over all providers."""
        return _joined({word: sum(lane.endings[word] for lane in self.lanes.values()) for word in WRONG})

    def spent(self, word: str) -> str:
        """`spent 3.40 of 12.80 usd + 2 unpriced`, `spent` being the word; nothing before anything was sent."""
        sums = [
            f"{self._spent.get(currency, 0.0):.2f} of {amount:.2f} {currency}"
            for currency, amount in self._planned.items()
            if amount > 0
        ]
        if not self._accepted:
            return ""
        if not sums:
            return f"{counted(self._unpriced, 'take')} of unknown price" if self._unpriced else ""
        return f"{word} {' + '.join([*sums, *([f'{self._unpriced} unpriced'] if self._unpriced else [])])}"

    def left(self, now: float) -> str:
        """`about 12 min left`; nothing where there is nothing to go by."""
        found = [lane.left(now) for lane in self.lanes.values()]
        known = max((one for one in found if one is not None), default=0.0)
        if not known:
            return ""
        return f"{'more than' if None in found else 'about'} {roughly(known)} left"


def roughly(seconds: float) -> str:
    """A length of time no finer than anyone can foretell: `20 s`, `12 min`, `1 h 25 min`."""
    if seconds < 95:
        return f"{max(10, round(seconds / 10) * 10)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(5 * round(seconds / 300), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _joined(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
