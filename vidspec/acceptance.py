"""Edits that somebody does not want to pay for: which can be accepted as they are, and why others cannot.

A mark in a record names what the edit comes to, so that it holds for that edit and no other. Whatever else is asked
of the take later is stale again, and a take that is rendered as it was edited begins without a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidspec.state import Flight

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from vidspec.lock import Cost, Lock
    from vidspec.planned import Plan, Planned

Planner = Callable[[Mapping[str, Flight]], "Plan"]
"""The plan by the lock as it is at that moment, with some takes under way or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What has become of the takes that somebody asked about, each in one of three.

    `done` are the slates whose mark was set, or taken away; `already` those that were marked before; `refused` says
    by slate why nothing was done. `before` and `after` are the plans by what is on disk here.
    """

    done: tuple[str, ...]
    already: tuple[str, ...]
    refused: Mapping[str, str]
    before: Plan
    after: Plan

    @property
    def lost(self) -> list[str]:
        """The accepted takes whose clips are not to be had here, so that a render here makes them anew."""
        marked = {*self.done, *self.already}
        return [planned.slate for planned in self.after.takes if planned.slate in marked and planned.pays]

    @property
    def unpaid(self) -> dict[str, Cost | None]:
        """The takes that would have been paid for, and are not to be any more, with their prices."""
        return _paid_only_in(self.before, self.after)

    @property
    def paid_again(self) -> dict[str, Cost | None]:
        """The takes that are to be paid for now, and were not before, with their prices."""
        return _paid_only_in(self.after, self.before)


def _paid_only_in(one: Plan, other: Plan) -> dict[str, Cost | None]:
    paid = {planned.slate for planned in other.takes if planned.pays}
    return {planned.slate: planned.cost for planned in one.takes if planned.pays and planned.slate not in paid}


def accept(
    lock: Lock, flights: Mapping[str, Flight], slates: AbstractSet[str], recorded: Planner, now: Planner
) -> Acceptance:
    """Mark the edited takes among `slates` in a lock, each after those that it needs.

    `recorded` plans as if every clip were in its place, since a mark is for every machine; `now` by what is. What
    has failed since it was edited may stay as it was rendered before.

    Raises:
        LockError: a record cannot be read.
    """
    before = now(flights)
    failed = {one.slate for one in before.takes if one.state == "failed" and one.slate in slates}
    afloat = {slate: flight for slate, flight in flights.items() if slate not in failed}
    marked: set[str] = set()
    while True:
        found = recorded(afloat)
        edited = [one for one in found.takes if one.slate in slates - marked and _is_edited(one)]
        waiting = {one.slate for one in edited}
        ready = [one for one in edited if one.edit is not None and waiting.isdisjoint(_needs(one))]
        if not ready:
            break
        for one in ready:
            _mark(lock, one.slate, one.edit)
            marked.add(one.slate)
    standing = {one.slate: one for one in found.takes}
    chosen = [one for one in found.takes if one.slate in slates]
    return Acceptance(
        done=tuple(one.slate for one in chosen if one.slate in marked),
        already=tuple(one.slate for one in chosen if one.state == "waived" and one.slate not in marked),
        refused={one.slate: _refusal(one, standing) for one in chosen if one.state != "waived"},
        before=before,
        after=now(flights),
    )


def undo(lock: Lock, flights: Mapping[str, Flight], slates: AbstractSet[str], now: Planner) -> Acceptance:
    """Take the marks of the takes among `slates` away.

    Raises:
        LockError: a record cannot be read.
    """
    before = now(flights)
    marked = {slate for slate in slates if (record := lock.get(slate)) and record.accepted is not None}
    for slate in marked:
        _mark(lock, slate, None)
    after = now(flights)
    refused = {one.slate: "has no accepted edit" for one in after.takes if one.slate in slates - marked}
    done = tuple(one.slate for one in after.takes if one.slate in marked)
    return Acceptance(done=done, already=(), refused=refused, before=before, after=after)


def _is_edited(planned: Planned) -> bool:
    """Whether the list asks for something else than was rendered, and nothing of that is under way."""
    return bool(planned.changes) and planned.state not in ("waived", "accepted", "in_doubt")


def _needs(planned: Planned) -> tuple[str, ...]:
    """The takes that a take needs as it is written."""
    return (planned.edited or planned.take).needs


def _mark(lock: Lock, slate: str, edit: str | None) -> None:
    """Set the mark of a record, or take it away."""
    record = lock.get(slate)
    assert record is not None
    lock.put(slate, replace(record, accepted=edit))


def _refusal(planned: Planned, standing: Mapping[str, Planned]) -> str:
    """Why there is nothing to accept about a take."""
    if planned.state == "accepted":
        return "is under way: a render collects it, free"
    if planned.state == "in_doubt":
        return "is in doubt: first say what became of it, with `vidspec adopt` or `--resubmit`"
    if not planned.changes:
        known = planned.action == "keep" or (planned.record is not None and planned.record.rendered)
        return "is as it was rendered" if known else "was never rendered: there is no clip to keep"
    missing = [slate for slate in _needs(planned) if slate in standing and standing[slate].action != "keep"]
    return f"needs {', '.join(missing)}, which is to be rendered anew: accept or render that first"
