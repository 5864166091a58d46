"""Where a provider is spoken to: one account for one run, its doors, and what has closed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from vidspec import pacing
from vidspec.errors import ProviderError, Refused, Throttled
from vidspec.events import Limits
from vidspec.providers import table

if TYPE_CHECKING:
    from vidspec.account import Account
    from vidspec.errors import Unavailable
    from vidspec.http import Api

_UNREACHABLE_TRIES, _OUTAGE_TRIES = 4, 8
_LEAST_WAIT = 0.5
"""Seconds between two tries, whatever a `Retry-After` says."""


@dataclass(slots=True, kw_only=True, eq=False)
class Door:
    """Where submits go through one after the other, in the order of asking, as fast as the rate allows."""

    rate: pacing.Rate
    turnstile: trio.StrictFIFOLock = field(default_factory=trio.StrictFIFOLock)


@dataclass(slots=True, kw_only=True, eq=False)
class Desk:
    """Where a provider is spoken to."""

    account: Account
    api: Api
    doors: dict[str, Door] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    closed: ProviderError | None = None
    shut: trio.Event = field(default_factory=trio.Event)
    unreachable: bool = False
    strange: set[str] = field(default_factory=set)

    def door(self, model: str) -> Door:
        """The way in for a model: that of the account, unless limits hold for each model by itself."""
        lane = model if table(self.account.provider).limits.get("per_model") else ""
        if lane not in self.doors:
            self.doors[lane] = Door(rate=pacing.Rate(self.account.submits_per_minute))
        return self.doors[lane]

    def close(self, error: ProviderError) -> None:
        """Nothing more is sent, for this reason; who waits for a turn is told at once."""
        self.closed = error
        self.shut.set()

    async def turn(self, model: str) -> float:
        """Wait until one more is within the rate, in the order of asking; returns when that is.

        Raises:
            Refused: the account has been closed.
        """
        began, door = trio.current_time(), self.door(model)
        async with door.turnstile:
            while not self.closed and (at := door.rate.ready_at(trio.current_time())) > trio.current_time():
                with trio.move_on_at(at):
                    await self.shut.wait()
            self.limits.waited += trio.current_time() - began
            if self.closed is not None:
                raise Refused(f"not sent: {self.closed.reason}", blame=self.closed.blame)
            now = trio.current_time()
            door.rate.sent(now)
            return now

    def pause(
        self, model: str, error: Throttled | Unavailable, attempt: int, chance: float, sent: float | None = None
    ) -> float:
        """Seconds until the next try; where the provider has said to slow down, for all takes.

        `sent` is when the submit was sent that was refused; None for a look.
        """
        if isinstance(error, Throttled):
            self.limits.throttled += 1
            wait = min(error.retry_after or 0.0, self.account.deadline)
            self.door(model).rate.refused(trio.current_time(), wait, sent)
        if error.retry_after is not None:
            return max(error.retry_after, _LEAST_WAIT)
        return pacing.backoff(attempt, chance)

    def gives_up(self, error: Throttled | Unavailable, attempt: int, spent: float) -> bool:
        """Whether a submit has been tried often enough: less often where nobody answers at all."""
        if isinstance(error, Throttled):
            return spent > self.account.deadline
        if error.blame == "address":
            return self.unreachable or attempt >= _UNREACHABLE_TRIES
        return attempt >= _OUTAGE_TRIES or spent > self.account.deadline

    def too_late(self) -> ProviderError:
        """What is said of a take that is looked at no longer."""
        message = f"not there after {self.account.deadline:g} s; the next run looks again, free"
        return ProviderError(message, blame="outage")
