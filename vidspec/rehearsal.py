"""A rehearsal: a whole run against local twins of the providers, in a time of its own, free and without keys."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from vidspec import clearance
from vidspec.diagnostic import counted
from vidspec.plan_table import price
from vidspec.sandbox import FaultPlan, open_sandbox
from vidspec.sandbox.clock import FastClock, parse_speed
from vidspec.summary import duration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.account import Account
    from vidspec.console import Console
    from vidspec.events import Limits, Tally
    from vidspec.planned import Planned
    from vidspec.sandbox import Sandbox
    from vidspec.shotlist import ShotList

SPEED = 60.0
"""Rehearsed seconds in a real one, where nobody says otherwise."""

_KEY = "rehearsal"


class Rehearsal:
    """One rehearsal. Its clock is the run's: `speed` times as fast, and it stands still while clips are drawn."""

    def __init__(self, speed: float, faults: FaultPlan | None) -> None:
        self.clock = FastClock(speed, hold_while_drawing=True)
        self._faults = faults
        self._sandbox: Sandbox | None = None

    @classmethod
    def of(cls, *, faults: Path | None, speed: str | None) -> Self:
        """The rehearsal that a command line asks for.

        Raises:
            UsageError: the speed is none.
            ShotListError: the file of faults is wrong.
        """
        return cls(
            SPEED if speed is None else parse_speed(speed), FaultPlan.read(faults) if faults is not None else None
        )

    @asynccontextmanager
    async def accounts(
        self, shot_list: ShotList, providers: Sequence[str], say: Callable[[str], None]
    ) -> AsyncIterator[dict[str, Account]]:
        """The twins of some providers, open for business, and accounts at them with the list's own limits."""
        async with open_sandbox(providers, faults=self._faults) as sandbox:
            self._sandbox = sandbox
            say(f"rehearsing at {self.clock.rate:g} times real time; watch it at {sandbox.base}/")
            yield {name: clearance.of(shot_list, name, sandbox.base_url(name), _KEY) for name in providers}

    def print_bill(
        self, console: Console, work: Sequence[Planned], tally: Tally, limits: Mapping[str, Limits]
    ) -> None:
        """Print what the real thing would have cost, and what limits and silence did to the run."""
        accepted = set(tally.accepted)
        paid = [one for one in work if one.slate in accepted]
        console.line(f"rehearsed: {counted(len(paid), 'submit')}; for real: {price(paid)}")
        for name, limit in limits.items():
            if words := ", ".join(_limits(limit, tally.queued.get(name, 0.0))):
                console.line(f"  {name}: {words}")
        for line in self._changes():
            console.line(f"  {line}")

    def _changes(self) -> Iterator[str]:
        """What the twins have changed in silence, as the real ones would have."""
        if self._sandbox is not None:
            for provider, task, change in self._sandbox.changes():
                yield f"{provider} changed in silence: {change}{f' ({task})' if task else ''}"


def _limits(limit: Limits, queued: float) -> Iterator[str]:
    if queued >= 1:
        yield f"takes waited {duration(queued)} for a free place"
    if limit.waited >= 1:
        yield f"{duration(limit.waited)} for the rate of submits"
    if limit.throttled:
        yield f"told to slow down {counted(limit.throttled, 'time')}"
