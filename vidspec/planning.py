"""What a render would do, and why: takes against the lockfile, the journal, and what is on disk.

Pure: what is on disk comes in as answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidspec.continuity import framed_as, framed_as_sent, mark, was_marked, with_recorded_frames
from vidspec.difference import Change, as_recorded, differences, short
from vidspec.fingerprint import fingerprint
from vidspec.planned import PAYS, Action, Afloat, Plan, Planned, State, price_of
from vidspec.providers import ADAPTERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from vidspec.lock import Lock, Record
    from vidspec.planned import Disk
    from vidspec.state import Flight
    from vidspec.take import Take

_NOTHING_AFLOAT = Afloat()


def plan(
    takes: Iterable[Take],
    lock: Lock,
    disk: Disk,
    skipped: Collection[str] = (),
    afloat: Afloat = _NOTHING_AFLOAT,
) -> Plan:
    """Compare takes with the lock, with what is on disk, and with what a provider may still have of them.

    `skipped` are ids of shots that are left out for now.

    Raises:
        LockError: a record cannot be read.
    """
    ordered = list(takes)
    by_slate = {take.slate: take for take in ordered}
    planner = _Planner(lock, disk, afloat)
    for take in _needed_first(ordered, by_slate):
        planner.add(take)
    gone = [slate for slate in lock if slate not in by_slate and lock.glance(slate)]
    removed = tuple(slate for slate in gone if (record := lock.get(slate)) and record.shot not in skipped)
    orphans = tuple(
        flight
        for slate, flight in afloat.flights.items()
        if slate not in by_slate and (flight.collectable or flight.doubtful)
    )
    planned = planner.planned
    return Plan(
        takes=tuple(planned[take.slate] for take in ordered),
        removed=removed,
        orphans=orphans,
        hints=(*_renamed(removed, orphans, lock, planned), *map(_left_behind, orphans)),
    )


def _needed_first(takes: list[Take], by_slate: Mapping[str, Take]) -> list[Take]:
    """The takes, each after those that it needs. There is no circle: `resolve` has seen to that."""
    if not any(take.inputs for take in takes):
        return takes
    ordered: dict[str, Take] = {}
    for take in takes:
        waiting = [take]
        while waiting:
            open_needs = [
                by_slate[slate] for slate in waiting[-1].needs if slate in by_slate and slate not in ordered
            ]
            if open_needs:
                waiting += open_needs
            else:
                last = waiting.pop()
                ordered.setdefault(last.slate, last)
    return list(ordered.values())


class _Planner:
    """Plans takes one by one, each after those that it needs."""

    def __init__(self, lock: Lock, disk: Disk, afloat: Afloat) -> None:
        self._lock = lock
        self._disk = disk
        self._afloat = afloat
        self.planned: dict[str, Planned] = {}

    def add(self, take: Take) -> None:
        """Plan one more take."""
        self.planned[take.slate] = self._one(take)

    def _one(self, take: Take) -> Planned:
        flight, anew = self._afloat.flights.get(take.slate), take.slate in self._afloat.anew
        if flight is not None:
            found = self._despite(take, flight, anew=anew)
            if found is None and not (anew and flight.may_be_given_up and not self._is_other(take, flight)):
                found = _in_flight(take, self._lock.get(take.slate), flight)
            if found is not None:
                return found
        if _is_plainly_done(take, self._lock, self._disk) and not anew:
            return _planned(take, "keep", "done", ())
        record = self._lock.get(take.slate)
        if anew:
            take = take if record is None else as_recorded(take, record)
            return _planned(take, "render", "new" if record is None else "stale", ("asked for once more",), record)
        found = self._by_record(take, record)
        if flight is not None and found.pays and self._fails_again(take, flight):
            found = _failed(found, flight, retry=self._afloat.retry)
        return self._unless_blocked(found)

    def _is_other(self, take: Take, flight: Flight) -> bool:
        """Whether what is under way, or in doubt, is another request than that of a take of the lockfile itself."""
        return self._afloat.frozen and flight.is_live and bool(_differences_since(take, flight))

    def _despite(self, take: Take, flight: Flight, *, anew: bool) -> Planned | None:
        """A take of the lockfile itself, whatever was sent for it since; None where that comes first.

        What was sent later may be another request: its clip is not the one that the lockfile has.
        """
        if not self._afloat.frozen or not flight.is_live:
            return None
        record, is_other = self._lock.get(take.slate), self._is_other(take, flight)
        found = None if anew else self._by_record(take, record)
        if found is not None and found.action == "restore" and (is_other or flight.doubtful):
            return found
        if not is_other or flight.doubtful:
            return None
        if found is not None and found.action == "keep":
            return found
        reasons = ("asked for once more",) if found is None else found.reasons
        other = f"another request is under way as {short(flight.request_id)}: a render of the list collects it"
        return _planned(take, "blocked", "blocked", (*reasons, other), record, flight)

    def _by_record(self, take: Take, record: Record | None) -> Planned:
        """What the lockfile's record makes of a take."""
        if record is None or not record.rendered:
            return self._new(take, record)
        written = take
        take, reframed = with_recorded_frames(take, record, self._lock, self.planned)
        take = as_recorded(take, record)
        said = {change.name for change in reframed}
        changes = (*differences(framed_as_sent(take, record, said), record), *reframed)
        if not changes:
            return _finished(take, record, self._disk)
        edit = mark(take, record, self._lock, self.planned)
        found = self._left(take, written, record, changes, edit) or self._stale(take, written, record, changes)
        return replace(found, changes=changes, edit=edit)

    def _new(self, take: Take, record: Record | None) -> Planned:
        waits = self._waits_for(take)
        if waits:
            return _planned(take, "wait", "waiting", (f"needs {', '.join(waits)} first",), record)
        return _planned(take, "render", "new", ("never rendered",), record)

    def _waits_for(self, take: Take) -> list[str]:
        """The takes that must be made or brought back before this one can be sent."""
        planned = self.planned
        return [slate for slate in take.needs if slate not in planned or planned[slate].action != "keep"]

    def _left(
        self, take: Take, written: Take, record: Record, changes: tuple[Change, ...], edit: str | None
    ) -> Planned | None:
        """A take that is left as it was rendered though it would be sent otherwise now; None where it is not.

        Somebody has waived the edit; or beyond that only a clip that it was made from is another now, and that
        costs money which nobody has asked to be spent.
        """
        waived = record.accepted is not None and record.accepted == edit
        if not waived and (self._afloat.dependants or not self._is_behind(take, written, record, changes)):
            return None
        found = _finished(_as_rendered(take, record), record, self._disk)
        if found.pays:
            return None
        left: State = "waived" if waived else "stale"
        state = left if found.action == "keep" else found.state
        return replace(found, state=state, reasons=(*found.reasons, *map(str, changes)), edited=take)

    def _is_behind(self, take: Take, written: Take, record: Record, changes: tuple[Change, ...]) -> bool:
        """Whether only money that nobody has asked to be spent brings a take up to a clip that it was made from."""
        if take.provider not in ADAPTERS:
            return False
        if not all(change.behind for change in changes):
            return was_marked(take, record, self._lock)
        former = self._former(written, record)
        return former is None or former.output is None or not self._disk.holds(former.output.sha256)

    def _stale(self, take: Take, written: Take, record: Record, changes: tuple[Change, ...]) -> Planned:
        """A take that is not to be as it was rendered: rendered anew, unless it was rendered so before."""
        reasons = tuple(map(str, changes))
        if (former := self._former(written, record)) is not None:
            here = former.output is not None and self._disk.holds(former.output.sha256)
            brought: Action = "restore" if here else "collect"
            return _planned(take, brought, "stale", (*reasons, "it was rendered so before"), former)
        action: Action = "wait" if self._waits_for(take) else "render"
        return _planned(take, action, "stale", reasons, record)

    def _fails_again(self, take: Take, flight: Flight) -> bool:
        """Whether a take has come to nothing, and would again: the same would be sent, frames and all."""
        if not flight.fails_again:
            return False
        framed, changes = with_recorded_frames(take, flight.record, self._lock, self.planned)
        return not changes and not differences(as_recorded(framed, flight.record), flight.record)

    def _unless_blocked(self, found: Planned) -> Planned:
        """The same, unless it would be paid for and needs what has failed, or what nobody can tell."""
        if not found.pays:
            return found
        for slate in found.take.needs:
            reason = _obstacle(self.planned[slate]) if slate in self.planned else None
            if reason is not None:
                return replace(found, action="blocked", state="blocked", reasons=(reason,), cost=None)
        return found

    def _former(self, take: Take, record: Record) -> Record | None:
        """The record of a former render that is just what is asked for again, if its clip may still be had: an edit
        undone, or what another branch has rendered.
        """
        for former in record.superseded:
            if not self._may_be_had(take, former):
                continue
            framed, changes = with_recorded_frames(take, former, self._lock, self.planned)
            if not changes and not differences(as_recorded(framed, former), former):
                others = tuple(one for one in record.superseded if one is not former)
                return replace(former, superseded=others).superseding(replace(record, superseded=others))
        return None

    def _may_be_had(self, take: Take, former: Record) -> bool:
        """Whether the clip of a former render is kept here, or may be asked for at its provider."""
        if former.output is None:
            return False
        asked = former.request_id is not None and take.provider in ADAPTERS
        return self._disk.holds(former.output.sha256) or asked


def _as_rendered(take: Take, record: Record) -> Take:
    """The take as its record says that it was sent."""
    assert record.provider is not None
    assert record.model is not None
    request = dict(record.request or {})
    return replace(
        take,
        provider=record.provider,
        model=record.model,
        mode=request.get("mode", take.mode),
        request=request,
        defaulted=frozenset(record.defaulted),
        seed=record.seed,
        inputs=(),
        inherited={},
    )


def _is_plainly_done(take: Take, lock: Lock, disk: Disk) -> bool:
    """The common case, told from four fields of the record: the same would be sent, and the clip is there."""
    glance = lock.glance(take.slate)
    return (
        glance is not None
        and take.seed_rule != "random"
        and not take.needs
        and glance.path == take.output
        and take.fingerprint == glance.fingerprint
        and disk.size(take.output) == glance.bytes
        and not disk.is_altered(take.output, glance.sha256)
    )


def _finished(take: Take, record: Record, disk: Disk) -> Planned:
    """A take whose settings are as recorded: is its clip there?"""
    assert record.output is not None
    output, size = record.output, disk.size(take.output)
    altered = size == output.bytes and disk.is_altered(take.output, output.sha256)
    if size == output.bytes and not altered:
        return _planned(take, "keep", "done", (), record)
    state: State = "missing" if size is None else "changed"
    reason = "the output is missing" if size is None else f"the output is {size} bytes, not {output.bytes}"
    if altered:
        reason = "the output has other bytes than were rendered"
    if take.output != output.path:
        reason = f"output: {output.path} → {take.output}"
    moved = take.output != output.path and disk.size(output.path) == output.bytes
    action: Action = "restore" if moved or disk.holds(output.sha256) else "render"
    if action == "render" and record.request_id is not None and take.provider in ADAPTERS:
        action = "collect"
    return _planned(take, action, state, (reason,), record)


# --- what a provider may still have ----------------------------------------------------------------------


def _in_flight(take: Take, record: Record | None, flight: Flight) -> Planned | None:
    """What the present life of a take leaves to be done; None where it says nothing about what to do now."""
    if flight.doubtful:
        reason = f"sent to {flight.record.provider}, and the answer was lost"
        return _planned(take, "decide", "in_doubt", (reason,), record, flight)
    if not flight.collectable:
        return None
    changes = _differences_since(take, flight)
    since = f"accepted as {short(flight.request_id)}"
    if flight.move == "expired" and flight.reason:
        since += f", and not had last time: {flight.reason}"
    more = (f"sent before this changed: {'; '.join(map(str, changes))}",) if changes else ()
    return replace(_planned(take, "collect", "accepted", (since, *more), record, flight), changes=changes)


def _differences_since(take: Take, flight: Flight) -> tuple[Change, ...]:
    """What is another in a take than was sent for it."""
    return differences(as_recorded(framed_as(take, flight.record), flight.record), flight.record)


def _failed(found: Planned, flight: Flight, *, retry: bool) -> Planned:
    """A take that has failed, and is left so until somebody wants it tried again."""
    reason = flight.reason or flight.move
    if retry:
        return replace(found, state="failed", reasons=(f"failed before: {reason}",))
    return _planned(found.take, "failed", "failed", (reason,), found.record, flight)


def _obstacle(needed: Planned) -> str | None:
    """Why a take that needs another must not be paid for yet."""
    if needed.action in ("failed", "decide", "blocked"):
        return f"needs {needed.slate}"
    if needed.action == "collect" and needed.flight is not None and len(needed.reasons) > 1:
        return f"needs {needed.slate}, which was sent before it was changed"
    return None


def _planned(
    take: Take,
    action: Action,
    state: State,
    reasons: tuple[str, ...],
    record: Record | None = None,
    flight: Flight | None = None,
) -> Planned:
    price = price_of(take) if action in PAYS else None
    return Planned(take=take, action=action, state=state, reasons=reasons, cost=price, record=record, flight=flight)


def _left_behind(flight: Flight) -> str:
    """What a person should know of a request for a take that the list no longer has."""
    gone = f"`{flight.slate}` is no longer in the list"
    if flight.doubtful:
        return f"{gone}, and in doubt: see whether the provider has it"
    return f"{gone}, and accepted as {short(flight.request_id)}: a render of the whole list collects it, free"


def _renamed(
    removed: Iterable[str], orphans: Iterable[Flight], lock: Lock, planned: Mapping[str, Planned]
) -> list[str]:
    """Takes of shots that are gone, and new takes that would be sent the same: the same shot, renamed."""
    gone = [(record, "rendered") for slate in removed if (record := lock.get(slate))]
    gone += [(flight.record, "under way") for flight in orphans]
    if not gone:
        return []
    new = [one for one in planned.values() if one.state in ("new", "waiting")]
    by_request = {_alike(one.take.provider, one.take.model, one.take.request): one for one in reversed(new)}
    hints: dict[tuple[str, str], str] = {}
    for record, how in gone:
        if record.request is None:
            continue
        found = by_request.get(_alike(record.provider, record.model, record.request))
        if found is not None:
            old, now = record.shot, found.take.shot
            hints[(old, now)] = f"`{now}` looks like `{old}`, which is {how}: `vidspec lock mv FILE {old} {now}`"
    return list(hints.values())


def _alike(provider: str | None, model: str | None, request: Mapping[str, Any]) -> str:
    return fingerprint(provider=provider or "", model=model or "", request=request, seed=0, take=0)
