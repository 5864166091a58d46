"""What a run is given: the work, the places it is kept in, and those who make clips."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from vidspec.budget import Purse
    from vidspec.events import Listener, Report
    from vidspec.history import History
    from vidspec.journal import Journal
    from vidspec.ledger import Ledger
    from vidspec.lock import Record
    from vidspec.planned import Plan, Planned
    from vidspec.remote import Tell
    from vidspec.state import Flight
    from vidspec.store import Store
    from vidspec.studio import Pictures
    from vidspec.take import Take
    from vidspec.wire import Progress


class Maker(Protocol):
    """Whoever makes clips on this machine, and knows how to take a frame from one."""

    async def clip(self, take: Take, pictures: Pictures, part: Path, report: Report) -> None:
        """Make a take's clip at a path."""

    async def frame(self, take: Take, pictures: Pictures, clip: Path, at: str | float) -> bytes:
        """A frame (`first`, `last`, or a time in seconds) of a take's clip as a PNG, for another take to use."""


class Sender(Protocol):
    """Whoever has clips made by providers: `remote.Remote`."""

    async def request(self, take: Take, record: Record, media: Mapping[tuple[str, int], str], tell: Tell) -> Flight:
        """Have a take accepted, at most once."""

    async def watch(self, flight: Flight, tell: Tell, report: Report, *, at_once: bool) -> Progress:
        """Look at an accepted take until it has succeeded."""

    async def fetch(
        self,
        flight: Flight,
        progress: Progress,
        part: Path,
        look: Callable[[], None],
        tell: Tell,
        report: Report,
    ) -> None:
        """Fetch the clip of a take that has succeeded to a path, and have it looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run needs, given.

    `plan` holds all takes of the list, `work` those of them that are to be made, `stuck` those that were asked for
    and wait for a person (failed before, in doubt, blocked), `standing` says how many are done already; `orphans`
    are requests under way for takes that the list no longer has. With `drafts` every take is drawn here, free,
    whichever provider it is meant for; else `remote` and `journal` are there for takes of other providers; of these
    it speaks to those in `accounts`, where that is said. `untold` are settings that clips are not held against.
    """

    project: Path
    plan: Plan
    work: tuple[Planned, ...]
    ledger: Ledger
    store: Store
    listener: Listener
    slots: Mapping[str, int]
    maker: Maker
    remote: Sender | None = None
    accounts: Collection[str] | None = None
    journal: Journal | None = None
    history: History | None = None
    purse: Purse | None = None
    fail_fast: bool = False
    stuck: tuple[Planned, ...] = ()
    standing: int = 0
    orphans: tuple[Flight, ...] = ()
    drafts: bool = False
    untold: Collection[str] = ()
    on_progress: Callable[[str, float], None] = lambda _slate, _share: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw_seed: Callable[[int, int], int] = lambda low, high: low + secrets.randbelow(high - low + 1)

    def speaks_to(self, provider: str) -> bool:
        """Whether a provider can be asked for anything in this run."""
        return self.remote is not None and (self.accounts is None or provider in self.accounts)

    def may_ask(self, planned: Planned) -> bool:
        """Whether a provider can be asked for a recorded clip: the run speaks to it, and has nothing else there."""
        flight = self.journal.flights.get(planned.slate) if self.journal else None
        return self.speaks_to(planned.provider) and (flight is None or not flight.is_live)
