"""`vidspec lock prune FILE`: records of takes that the list no longer has are put aside; nothing paid is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from shlex import quote
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import counted, nearest_or, shown
from vidspec.errors import UsageError
from vidspec.hold import hold
from vidspec.ingredients import has_digest
from vidspec.journal import Journal, settle
from vidspec.landing import is_kept
from vidspec.ledger import Ledger
from vidspec.lock import Lock
from vidspec.plan_table import amount, sum_of
from vidspec.planned import Afloat
from vidspec.project import open_lists, read_lock
from vidspec.store import Store, state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Record
    from vidspec.project import Opened
    from vidspec.site import Site
    from vidspec.state import Flight

ASIDE = "pruned"
"""The folder, in `.vidspec`, of lockfiles with what was pruned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What the lockfile and the journal hold of takes that the list no longer has, by slate.

    `given_up` are requests that nobody will ask for any more; `staying` says why a take is left as it is.
    """

    lock: Lock
    log: Journal
    pruned: Mapping[str, Record]
    given_up: Mapping[str, Flight]
    staying: Mapping[str, str]

    @property
    def renders(self) -> list[Record]:
        """All that was ever rendered of the takes that are pruned."""
        records = (one for record in self.pruned.values() for one in (record, *record.superseded))
        return [record for record in records if record.rendered]

    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pruned and not self.given_up


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    given_up: Sequence[str],
    dry_run: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Take records of takes that are gone out of the lockfile. 1 where one must stay, else 0.

    What a provider has, or may have, of a take stays; with its slate in `given_up` it is never asked for again.
    Shots under `skip` are not gone. What is taken out goes to a lockfile in `.vidspec/pruned`, and its clips stay.

    Raises:
        ShotListError, UsageError: the list is not in order, or there is nothing of that name to give up.
        LockError, JournalError: the lockfile or the journal cannot be read or written.
        Refusal: another run holds the project.
    """
    (opened,), _ = open_lists([file], variables, offline=True)
    found, place = _gone(opened, given_up), None  # where nothing is to be done, no trace is left
    if not dry_run and not found.is_nothing():
        with hold(state_folder(opened.shot_list.project)):
            found = _gone(opened, given_up)
            place = _put_aside(found, opened.shot_list.project, opened.site)
    if not quiet:
        _print(console, found, opened, place, dry_run=dry_run)
    return 1 if found.staying else 0


def _gone(opened: Opened, given_up: Sequence[str]) -> Gone:
    site = opened.site
    if not site.has_lock and not site.journal.exists():
        raise UsageError(f"there is no lockfile {site.lock.name} beside the list")
    lock, log = read_lock(site.lock), Journal(site.journal)
    settle(lock, log.flights)
    listed = {take.slate for take in opened.takes}
    known = {slate: flight.record.shot for slate, flight in log.flights.items()}
    known |= {slate: record.shot for slate, record in lock.items()}
    gone = {slate: shot for slate, shot in known.items() if slate not in listed and shot not in opened.skipped}
    live = {slate: flight for slate, flight in log.flights.items() if slate in gone and flight.is_live}
    for slate in given_up:
        if slate not in live:
            raise UsageError(_not_to_be_given_up(slate, listed, known, live))
    staying = _renamed(opened, lock, log, {slate: shot for slate, shot in gone.items() if slate not in given_up})
    staying |= {slate: _why(flight) for slate, flight in live.items() if slate not in given_up}
    return Gone(
        lock=lock,
        log=log,
        pruned={slate: record for slate, record in lock.items() if slate in gone and slate not in staying},
        given_up={slate: live[slate] for slate in given_up},
        staying=staying,
    )


def _renamed(opened: Opened, lock: Lock, log: Journal, gone: Mapping[str, str]) -> dict[str, str]:
    """The recorded takes of shots that look as if they had another id now, with what a plan says of them."""
    hints = opened.plan(lock, Afloat(flights=log.flights)).hints
    said = {shot: hint for shot in gone.values() for hint in hints if f"`vidspec lock mv FILE {shot} " in hint}
    return {slate: said[shot] for slate, shot in gone.items() if shot in said and slate in lock}


def _why(flight: Flight) -> str:
    if flight.doubtful:
        return f"in doubt: `vidspec adopt` where `{flight.record.provider}` has it, else `--give-up {flight.slate}`"
    accepted = f"accepted as {shown(flight.request_id, most=24)}"
    return f"{accepted}: a render of the whole list collects it, free; else `--give-up {flight.slate}`"


def _not_to_be_given_up(slate: str, listed: set[str], known: Mapping[str, str], live: Mapping[str, Flight]) -> str:
    if slate in listed:
        help_line = f"`vidspec adopt` where its provider has it, else `vidspec render --resubmit {slate}`"
        return f"`--give-up {slate}`: the list has `{slate}`\n    help: {help_line}"
    if slate in known and slate not in live:
        return f"`--give-up {slate}`: nothing of `{slate}` is under way or in doubt, or its shot is under `skip`"
    help_line = nearest_or(slate, live, "nothing that the list no longer has is under way or in doubt")
    return f"`--give-up {slate}`: the journal has no {shown(slate)}\n    help: {help_line}"


# --- doing it --------------------------------------------------------------------------------------------------


def _put_aside(found: Gone, project: Path, site: Site) -> Path | None:
    """Keep clips and records elsewhere first, then change the journal, then the lockfile.

    Wherever this is cut off, the same command goes on from there, and nothing is only in what was not yet written.
    """
    store = Store(site.folder)
    for record in found.renders:
        if record.output is not None:
            is_kept(store, project, record.output)
    place = None
    if found.renders:
        place = _free_place(site)
        Ledger(Lock(found.pruned), place).write()
    log = found.log
    delivered = [slate for slate in found.pruned if slate in log.flights and log.flights[slate].move == "delivered"]
    if delivered or found.given_up:
        log.forget(delivered)
        with log:
            for slate in found.given_up:
                log.note(slate, "decided")
    if found.pruned:
        rest = {slate: record for slate, record in found.lock.items() if slate not in found.pruned}
        Ledger(Lock(rest, head=found.lock.head), site.lock).write()
    return place


def _free_place(site: Site) -> Path:
    """Where what is pruned now goes; twice in a second is twice the name."""
    name = f"{site.lock.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{name}{f'-{number}' if number > 1 else ''}.lock" for number in count(1))
    return next(place for one in names if not (place := site.folder / ASIDE / one).exists())


# --- saying it -------------------------------------------------------------------------------------------------


def _print(console: Console, found: Gone, opened: Opened, place: Path | None, *, dry_run: bool) -> None:
    pruned, gave_up = ("to prune", "to give up") if dry_run else ("pruned", "gave up")
    rows = [(console.paint(gave_up, "red"), slate, "", _given(flight)) for slate, flight in found.given_up.items()]
    rows += [
        (console.paint(pruned, "green"), slate, _price(record), _told(record, opened))
        for slate, record in found.pruned.items()
    ]
    rows += [(console.paint("stays", "yellow"), slate, "", why) for slate, why in found.staying.items()]
    console.rows(rows, indent="", right=(2,))
    if not rows:
        console.line("nothing to prune: the list has every take of the lockfile")
    elif found.pruned:
        spent = sum_of([record.cost for record in found.renders])
        spent = "nothing" if spent == "free" else spent
        console.line(f"{counted(len(found.pruned), 'take')} {pruned}, which had cost {spent}")
    if place is not None:
        lock = opened.site.lock
        console.line(f"their records are in {place}; to bring them back:")
        console.line(f"  vidspec lock merge {quote(str(lock))} {quote(str(place))} -o {quote(str(lock))}")
    if dry_run and rows:
        console.line("nothing was done: `--dry-run`")


def _given(flight: Flight) -> str:
    if flight.doubtful:
        return f"sent to `{flight.record.provider}`, and the answer was lost; it may have been paid for"
    return f"accepted by `{flight.record.provider}` as {shown(flight.request_id, most=24)}, and paid for"


def _price(record: Record) -> str:
    return amount(record.cost) if record.rendered else ""


def _told(record: Record, opened: Opened) -> str:
    """When a take was rendered, and whether its clip is still to be had here."""
    former = f", {counted(len(record.superseded), 'former render')} under it" if record.superseded else ""
    if record.output is None:
        return f"never rendered{former}"
    output = record.output
    kept = Store(opened.site.folder).holds(output.sha256)
    here = kept or has_digest(opened.shot_list.project / output.path, output.sha256)
    day = f"rendered {record.rendered_at[:10]}" if record.rendered_at else "rendered"
    return f"{day}{former}; {'its clip is kept' if here else 'its clip is not on this machine'}"
