"""What may start now: takes in the order in which they are given, each as soon as what it needs is there.

Pure decisions; the awaiting is the engine's. A lane is a door that only so many go through at once (a provider).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from vidspec import waves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


class Job(NamedTuple):
    """One take to be made: its slate, its lane, and the slates it needs."""

    slate: str
    lane: str
    needs: Sequence[str]


def chains_first(jobs: Iterable[Job], before: Collection[str] = ()) -> list[Job]:
    """The jobs in the order in which they are best begun: those with the longest chain behind them come first.

    How long a job takes is not known, but a chain that is begun late ends late. The slates in `before` go before
    all others; among equals the order is that of the list.
    """
    found = list(jobs)
    behind = waves.remaining({job.slate: job.needs for job in found})
    return sorted(found, key=lambda job: (job.slate not in before, -behind[job.slate]))


class Schedule:
    """The jobs of a run. `there` are the slates that are finished already."""

    def __init__(self, jobs: Iterable[Job], there: set[str]) -> None:
        self._jobs = {job.slate: job for job in jobs}
        self._order = {slate: index for index, slate in enumerate(self._jobs)}
        self._ready: dict[str, list[int]] = {job.lane: [] for job in self._jobs.values()}
        self._slates = list(self._jobs)
        self._open = dict.fromkeys(self._ready, 0)
        self._missing: dict[str, set[str]] = {}
        self._dependants: dict[str, list[str]] = {}
        self._there = there
        self._ended: set[str] = set()
        for job in self._jobs.values():
            self._open[job.lane] += 1
            self._enter(job)

    def _enter(self, job: Job) -> None:
        missing = {slate for slate in job.needs if slate not in self._there}
        self._missing[job.slate] = missing
        for slate in missing:
            self._dependants.setdefault(slate, []).append(job.slate)
        if not missing:
            heapq.heappush(self._ready[job.lane], self._order[job.slate])

    def unreachable(self) -> dict[str, str]:
        """Jobs that can never start, with a slate each that nobody makes; they end here, and all behind them."""
        found: dict[str, str] = {}
        for slate, missing in self._missing.items():
            absent = next((needed for needed in missing if needed not in self._jobs), None)
            if absent is not None and slate not in found:
                found[slate] = absent
                found.update(dict.fromkeys(self.failed(slate), slate))
        return found

    def lanes(self) -> list[str]:
        """The lanes, in the order of their first job."""
        return list(self._ready)

    def take(self, lane: str) -> str | None:
        """The next job of a lane that may start now; None where there is none."""
        ready = self._ready[lane]
        while ready:
            slate = self._slates[heapq.heappop(ready)]
            if slate not in self._ended:
                return slate
        return None

    def is_open(self, lane: str) -> bool:
        """Whether the lane has jobs that have not ended."""
        return self._open[lane] > 0

    def finished(self, slate: str) -> list[str]:
        """A job has ended well: what waited for it alone may start, and is returned."""
        self._end(slate)
        freed = []
        for dependant in self._dependants.get(slate, ()):
            missing = self._missing[dependant]
            missing.discard(slate)
            if not missing and dependant not in self._ended:
                heapq.heappush(self._ready[self._jobs[dependant].lane], self._order[dependant])
                freed.append(dependant)
        return freed

    def failed(self, slate: str) -> list[str]:
        """A job has ended badly: everything behind it ends too, and is returned."""
        self._end(slate)
        behind: list[str] = []
        waiting = list(self._dependants.get(slate, ()))
        while waiting:
            dependant = waiting.pop()
            if dependant not in self._ended:
                self._end(dependant)
                behind.append(dependant)
                waiting.extend(self._dependants.get(dependant, ()))
        return behind

    def _end(self, slate: str) -> None:
        if slate not in self._ended:
            self._ended.add(slate)
            self._open[self._jobs[slate].lane] -= 1
