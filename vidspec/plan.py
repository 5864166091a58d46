"""What a render would do, and why: takes against the lockfile, the journal, and what is on disk.

Pure: what is on disk comes in as answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from vidspec import budget
from vidspec.difference import as_recorded, differences, frame_key, short, with_frame
from vidspec.fingerprint import fingerprint
from vidspec.providers import ADAPTERS, table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vidspec.lock import Cost, Lock, Record
    from vidspec.state import Flight
    from vidspec.take import Take

Action = Literal["render", "collect", "restore", "keep", "wait", "blocked", "failed", "decide"]
State = Literal[
    "new", "stale", "missing", "changed", "waiting", "done", "accepted", "failed", "in_doubt", "blocked"
]  # fmt: skip

DOES = frozenset({"render", "collect", "restore", "wait"})
"""The actions for which a run does something."""

PAYS = frozenset({"render", "wait"})
"""The actions that end in a submit."""


class Disk(Protocol):
    """What a plan must know of the disk."""

    def size(self, output: str) -> int | None:
        """The size in bytes of the file at an output's place; None where there is no file."""

    def holds(self, digest: str) -> bool:
        """Whether the bytes of this digest are still kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Afloat:
    """What the journal knows, and what a person has said about it.

    `flights` are the present lives of takes by slate. With `retry` what has failed is tried again; the slates in
    `anew` are submitted once more even where that may pay twice, but for what is under way and may still be had.
    """

    flights: Mapping[str, Flight] = field(default_factory=dict)
    retry: bool = False
    anew: Collection[str] = ()


_NOTHING_AFLOAT = Afloat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One take, what would be done for it, and why.

    `take` is what would be sent: where the lockfile stands for settings that nobody wrote, they are in it.
    `state` is one word for how the take stands now. `flight` is its present life at a provider, if it has one.
    """

    take: Take
    action: Action
    state: State
    reasons: tuple[str, ...]
    cost: Cost | None
    record: Record | None = None
    flight: Flight | None = None

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request: of the one under way, else of the one that made the recorded clip."""
        if self.flight is not None and self.flight.request_id is not None:
            return self.flight.request_id
        return self.record.request_id if self.record else None

    @property
    def provider(self) -> str:
        """Who is asked for the clip: for a request under way whoever has it, whatever the list says now."""
        sent = self.flight.record.provider if self.flight is not None and self.action == "collect" else None
        return sent or self.take.provider

    @property
    def lane(self) -> str:
        """The door that only so many go through at once: the provider's, or one of its model's own."""
        record = self.flight.record if self.flight is not None and self.action == "collect" else None
        return lane_of(self.provider, (record.model if record else None) or self.take.model)

    @property
    def pays(self) -> bool:
        """Whether a run would submit the take: only that is paid."""
        return self.action in PAYS

    @property
    def slate(self) -> str:
        """The take's printed name."""
        return self.take.slate


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All takes of a list in its order, and what stands in the lockfile or the journal but not in the list."""

    takes: tuple[Planned, ...]
    removed: tuple[str, ...] = ()
    orphans: tuple[Flight, ...] = ()
    hints: tuple[str, ...] = field(default=())

    @property
    def work(self) -> list[Planned]:
        """The takes for which a run does something."""
        return [planned for planned in self.takes if planned.action in DOES]

    @property
    def costs(self) -> dict[str, float]:
        """What the work costs, by currency, as far as it is known."""
        return budget.totals(planned.cost for planned in self.work if planned.pays)

    @property
    def unpriced(self) -> list[Planned]:
        """The work whose price nobody knows."""
        return [planned for planned in self.work if planned.cost is None and planned.pays]


def lane_of(provider: str, model: str) -> str:
    """The lane of a model: its provider's, unless its limits hold for each model by itself."""
    return f"{provider} {model}" if table(provider).limits.get("per_model") else provider


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
    planned: dict[str, Planned] = {}
    ordered = list(takes)
    by_slate = {take.slate: take for take in ordered}
    for take in _needed_first(ordered, by_slate):
        planned[take.slate] = _one(take, lock, disk, planned, afloat)
    gone = [slate for slate in lock if slate not in by_slate and lock.glance(slate)]
    removed = tuple(slate for slate in gone if (record := lock.get(slate)) and record.shot not in skipped)
    orphans = tuple(
        flight
        for slate, flight in afloat.flights.items()
        if slate not in by_slate and (flight.collectable or flight.doubtful)
    )
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


def _one(take: Take, lock: Lock, disk: Disk, planned: Mapping[str, Planned], afloat: Afloat) -> Planned:
    flight, anew = afloat.flights.get(take.slate), take.slate in afloat.anew
    if flight is not None and not (anew and flight.may_be_given_up):
        found = _in_flight(take, lock.get(take.slate), flight)
        if found is not None:
            return found
    if _is_plainly_done(take, lock, disk) and not anew:
        return _planned(take, "keep", "done", ())
    record = lock.get(take.slate)
    if anew:
        take = take if record is None else as_recorded(take, record)
        return _planned(take, "render", "new" if record is None else "stale", ("asked for once more",), record)
    found = _by_record(take, record, lock, disk, planned)
    if flight is not None and found.pays and _fails_again(take, flight, lock, planned):
        found = _failed(found, flight, retry=afloat.retry)
    return _unless_blocked(found, planned)


def _by_record(
    take: Take, record: Record | None, lock: Lock, disk: Disk, planned: Mapping[str, Planned]
) -> Planned:
    """What the lockfile's record makes of a take."""
    if record is None or not record.rendered:
        return _new(take, record, planned)
    written = take
    take, frames_reason = _with_recorded_frames(take, record, lock, planned)
    take = as_recorded(take, record)
    said = {reason.partition(":")[0].partition(".")[0] for reason in frames_reason}
    reasons = (*differences(take, record, leave_out=said), *frames_reason)
    if reasons:
        if (former := _former(written, record, lock, disk, planned)) is not None:
            return _planned(take, "restore", "stale", (*reasons, "it was rendered so before"), former)
        action: Action = "wait" if _waits_for(take, planned) else "render"
        return _planned(take, action, "stale", reasons, record)
    return _finished(take, record, disk)


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
    )


def _new(take: Take, record: Record | None, planned: Mapping[str, Planned]) -> Planned:
    waits = _waits_for(take, planned)
    if waits:
        return _planned(take, "wait", "waiting", (f"needs {', '.join(waits)} first",), record)
    return _planned(take, "render", "new", ("never rendered",), record)


def _waits_for(take: Take, planned: Mapping[str, Planned]) -> list[str]:
    """The takes that must be made or brought back before this one can be sent."""
    return [slate for slate in take.needs if slate not in planned or planned[slate].action != "keep"]


def _finished(take: Take, record: Record, disk: Disk) -> Planned:
    """A take whose settings are as recorded: is its clip there?"""
    assert record.output is not None
    output, size = record.output, disk.size(take.output)
    if size == output.bytes:
        return _planned(take, "keep", "done", (), record)
    state: State = "missing" if size is None else "changed"
    reason = "the output is missing" if size is None else f"the output is {size} bytes, not {output.bytes}"
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
    changed = differences(as_recorded(_framed_as(take, flight.record), flight.record), flight.record)
    since = f"accepted as {short(flight.request_id)}"
    if flight.move == "expired" and flight.reason:
        since += f", and not had last time: {flight.reason}"
    more = (f"sent before this changed: {'; '.join(changed)}",) if changed else ()
    return _planned(take, "collect", "accepted", (since, *more), record, flight)


def _fails_again(take: Take, flight: Flight, lock: Lock, planned: Mapping[str, Planned]) -> bool:
    """Whether a take has come to nothing, and would again: the same would be sent, frames and all."""
    if not flight.fails_again:
        return False
    framed, reasons = _with_recorded_frames(take, flight.record, lock, planned)
    return not reasons and not differences(as_recorded(framed, flight.record), flight.record)


def _failed(found: Planned, flight: Flight, *, retry: bool) -> Planned:
    """A take that has failed, and is left so until somebody wants it tried again."""
    reason = flight.reason or flight.move
    if retry:
        return replace(found, state="failed", reasons=(f"failed before: {reason}",))
    return _planned(found.take, "failed", "failed", (reason,), found.record, flight)


def _framed_as(take: Take, record: Record) -> Take:
    """The take with the frames of other takes that were sent for it, as far as it asks for the same ones."""
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        source = (record.frames or {}).get(frame_key(given)) if given.frame else None
        if given.frame and isinstance(source, dict) and source.get("slate") == given.frame.slate:
            request = with_frame(request, given, source["sha256"])
    return replace(take, request=dict(request))


def _unless_blocked(found: Planned, planned: Mapping[str, Planned]) -> Planned:
    """The same, unless it would be paid for and needs what has failed, or what nobody can tell."""
    if not found.pays:
        return found
    for slate in found.take.needs:
        reason = _obstacle(planned[slate]) if slate in planned else None
        if reason is not None:
            return replace(found, action="blocked", state="blocked", reasons=(reason,), cost=None)
    return found


def _obstacle(needed: Planned) -> str | None:
    """Why a take that needs another must not be paid for yet."""
    if needed.action in ("failed", "decide", "blocked"):
        return f"needs {needed.slate}"
    if needed.action == "collect" and needed.flight is not None and len(needed.reasons) > 1:
        return f"needs {needed.slate}, which was sent before it was changed"
    return None


def _former(take: Take, record: Record, lock: Lock, disk: Disk, planned: Mapping[str, Planned]) -> Record | None:
    """The record of a former render that is just what is asked for again, if its clip is kept: an edit undone."""
    for former in record.superseded:
        if former.output is None or not disk.holds(former.output.sha256):
            continue
        framed, reasons = _with_recorded_frames(take, former, lock, planned)
        if not reasons and not differences(as_recorded(framed, former), former):
            others = tuple(one for one in record.superseded if one is not former)
            return replace(former, superseded=others).superseding(replace(record, superseded=others))
    return None


def _planned(
    take: Take,
    action: Action,
    state: State,
    reasons: tuple[str, ...],
    record: Record | None = None,
    flight: Flight | None = None,
) -> Planned:
    paid = action in PAYS
    price = budget.cost(table(take.provider).models[take.model], take.facts) if paid else None
    return Planned(take=take, action=action, state=state, reasons=reasons, cost=price, record=record, flight=flight)


# --- frames of other takes -------------------------------------------------------------------------------


def _with_recorded_frames(
    take: Take, record: Record, lock: Lock, planned: Mapping[str, Planned]
) -> tuple[Take, tuple[str, ...]]:
    """The take with the frames it was rendered with, where those are still the frames it asks for.

    A frame is what it was as long as the clip it was taken from is; which clip that is, the record says.
    """
    reasons: list[str] = []
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        if given.frame is None:
            continue
        source = (record.frames or {}).get(frame_key(given))
        source = source if isinstance(source, dict) else {}
        needed = planned.get(given.frame.slate)
        asked = {key: source.get(key) for key in given.frame.value()} == given.frame.value()
        if needed is None or not asked or not source.get("sha256"):
            reasons.append(f"{frame_key(given)}: now {short(given.frame.value())}")
        elif needed.pays:
            reasons.append(f"{frame_key(given)}: {given.frame.slate} will be rendered anew")
        elif _clip(needed, lock) != source.get("of"):
            reasons.append(f"{frame_key(given)}: {given.frame.slate} was rendered anew")
        else:
            request = with_frame(request, given, source["sha256"])
    return replace(take, request=dict(request)), tuple(reasons)


def _clip(planned: Planned, lock: Lock) -> str | None:
    """The digest of the clip that a take has, or will have again."""
    if planned.record is not None and planned.record.output is not None:
        return planned.record.output.sha256
    glance = lock.glance(planned.slate)
    return None if glance is None else glance.sha256


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
    new = [one for one in planned.values() if one.state in ("new", "waiting")]
    if not new:
        return []
    by_request = {_alike(one.take.provider, one.take.model, one.take.request): one for one in reversed(new)}
    hints: dict[tuple[str, str], str] = {}
    known = [(record, "rendered") for slate in removed if (record := lock.get(slate))]
    for record, how in (*known, *((flight.record, "under way") for flight in orphans)):
        if record.request is None:
            continue
        found = by_request.get(_alike(record.provider, record.model, record.request))
        if found is not None:
            old, now = record.shot, found.take.shot
            hints[(old, now)] = f"`{now}` looks like `{old}`, which is {how}: `vidspec lock mv FILE {old} {now}`"
    return list(hints.values())


def _alike(provider: str | None, model: str | None, request: Mapping[str, Any]) -> str:
    return fingerprint(provider=provider or "", model=model or "", request=request, seed=0, take=0)
