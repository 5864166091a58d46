"""`vidspec lock …`: work on a lockfile without rendering anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import nearest, shown
from vidspec.errors import UsageError
from vidspec.hold import hold
from vidspec.journal import Journal, settle
from vidspec.ledger import Ledger
from vidspec.project import read_lock
from vidspec.shot import MAX_ID, is_id
from vidspec.site import Site
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Lock
    from vidspec.state import Flight


def mv(file: Path, old: str, new: str, *, quiet: bool, console: Console) -> int:
    """Give the records of a shot that was renamed in the list its new id: clips, seeds and what is under way stay.

    What was delivered is written down first, then the journal is moved, then the lockfile. Wherever this is
    cut off nothing is lost, and the same command goes on from there.

    Raises:
        UsageError: there is nothing to move, or something rendered or under way stands in the way.
        LockError, JournalError: the lockfile or the journal cannot be read.
        Refusal: another run holds the project.
    """
    site = Site.real(file)
    if not site.has_lock:
        raise UsageError(f"there is no lockfile {site.lock.name} beside the list")
    with hold(state_folder(site.lock.parent)):
        lock, log = read_lock(site.lock), Journal(site.journal)
        late = settle(lock, log.flights)
        _refuse(lock, log.flights, old, new)
        slates = {slate: f"{new}{slate.removeprefix(old)}" for slate in _slates(lock, log.flights, old)}
        if late:
            Ledger(lock, site.lock).write()
        if log.flights:
            log.forget([slate for slate, flight in log.flights.items() if flight.move == "delivered"])
            log.rename(slates, new)
            with log:
                pass
        Ledger(lock.renamed(old, new), site.lock).write()
    for was, now in () if quiet else slates.items():
        console.line(f"moved  {was} → {now}")
    return 0


def _slates(lock: Lock, flights: Mapping[str, Flight], shot: str) -> Iterator[str]:
    """The takes of a shot that are recorded or under way; one that is both comes twice."""
    yield from (slate for slate, record in lock.items() if record.shot == shot)
    yield from (slate for slate, flight in flights.items() if flight.record.shot == shot)


def _refuse(lock: Lock, flights: Mapping[str, Flight], old: str, new: str) -> None:
    if not is_id(new):
        help_line = f"letters, digits, `.`, `_` and `-`, a letter or digit first, at most {MAX_ID} characters"
        raise UsageError(f"{shown(new)} cannot be an id: {help_line}")
    if old == new:
        raise UsageError(f"`{old}` has that id already")
    shots = dict.fromkeys((*lock.shots(), *(flight.record.shot for flight in flights.values())))
    if old not in shots:
        near = nearest(old, shots)
        raise UsageError(f"the lockfile has no shot {shown(old)}{f'; the nearest is `{near}`' if near else ''}")
    for slate, record in lock.items():
        if record.shot == new and (record.rendered or record.superseded):
            raise UsageError(f"`{slate}` is rendered too, and would be overwritten; nothing was moved")
    for slate, flight in flights.items():
        was_moved = slate not in lock and f"{old}{slate.removeprefix(new)}" not in flights  # and then cut off
        if flight.record.shot == new and flight.is_live and not was_moved:
            raise UsageError(f"`{slate}` is under way or in doubt, and would be forgotten; nothing was moved")
