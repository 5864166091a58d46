"""`vidspec choose FILE SLATE…`: the takes that go into the cut, and that other shots go on from."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import graph
from vidspec.diagnostic import listed, nearest, shown
from vidspec.errors import ShotListError, UsageError
from vidspec.hold import hold
from vidspec.ledger import Ledger
from vidspec.plan_table import amount, behind, sum_of
from vidspec.planned import Afloat
from vidspec.project import chosen_records, diagnose, open_lists
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Lock
    from vidspec.planned import Planned
    from vidspec.project import Opened
    from vidspec.state import Flight


class _Mark(NamedTuple):
    """Whose take it is that is chosen, and which."""

    shot: str
    take: int


Marks = dict[str, _Mark]
"""The takes that are chosen, by slate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What was chosen before, what was asked for, and what it means for other takes.

    `stale` are rendered takes that a render would now make anew, `left` those behind them that it would leave as
    they are, `back` those whose clips were made from the new choice before, and `kept` those that were stale by the
    former choice alone.
    """

    before: Marks
    asked: Marks
    unrendered: list[str]
    stale: list[Planned]
    left: list[Planned]
    back: list[Planned]
    kept: list[Planned]


def run(
    file: Path,
    slates: Sequence[str],
    *,
    variables: Mapping[str, Any],
    clear: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Choose takes, each the only one of its shot; with `clear` take the mark off those that are given. Always 0.

    Nothing but the lockfile is touched.

    Raises:
        ShotListError: the list is wrong, or would be with these takes chosen; nothing was written.
        UsageError: a slate is that of no take, or two are of one shot; nothing was written.
        LockError, JournalError: the lockfile or the journal cannot be read.
        Refusal: another run holds the project.
        RenderError: the lockfile cannot be written.
    """
    diagnostics, opened = diagnose([file], variables)
    if not opened:
        raise ShotListError(diagnostics)
    with hold(state_folder(opened[0].shot_list.project)):
        found = _choose(file, variables, dict.fromkeys(slates), clear=clear)
    for line in () if quiet else _lines(found, console, clear=clear):
        console.line(line)
    notes = console.beside(sys.stderr)
    for slate in found.unrendered:
        notes.line(f"{notes.paint('not rendered yet:', 'yellow')} {slate}; it is chosen all the same")
    return 0


def _choose(file: Path, variables: Mapping[str, Any], slates: Mapping[str, None], *, clear: bool) -> _Choice:
    """Change the marks, write the lockfile, and look at what that means for the other takes."""
    _, (opened,) = diagnose([file], variables)  # it may be wrong: a choice may be what is wrong with it
    lock, flights = opened.read()
    before = {slate: _Mark(record.shot, record.take) for slate, record in chosen_records(lock).items()}
    known = {take.slate: _Mark(take.shot, take.number) for take in opened.takes}
    known = before | known if clear else known
    if unknown := next((slate for slate in slates if slate not in known), None):
        open_lists([file], variables, offline=True)  # what is wrong with it may be why
        raise _unknown(unknown, known, lock)
    asked = {slate: known[slate] for slate in slates}
    after = _without(before, asked) if clear else _with(before, asked)
    (then,), _ = open_lists([file], variables, offline=True, chosen=_by_shot(after))
    was = _Plans.by_what_stands(file, variables, lock, flights)
    lock = _marked(lock, then, before, after)
    now = _Plans.of(then, lock, flights)
    Ledger(lock, opened.lock_path).write()
    shots = {mark.shot for mark in asked.values()}
    affected = graph.dependants(
        (take.slate for take in then.takes if take.shot in shots),
        {take.slate: take.needs for take in then.takes},
    )
    new = () if clear else asked.keys() - before.keys()
    return _Choice(
        before=before,
        asked=asked,
        unrendered=sorted(slate for slate in new if not ((record := lock.get(slate)) and record.rendered)),
        **_consequences(was, now, affected),
    )


# --- marks -------------------------------------------------------------------------------------------------


def _unknown(slate: str, known: Marks, lock: Lock) -> UsageError:
    """What to say of a slate that no take has."""
    if slate in lock:
        return UsageError(f"`{slate}` is no longer in the list, and not chosen")
    takes = [name for name, mark in known.items() if mark.shot == slate]
    if takes:
        return UsageError(f"`{slate}` is a shot: name one of its takes, {listed(takes)}")
    near = nearest(slate, known)
    return UsageError(f"the list has no take {shown(slate)}{f'; the nearest is `{near}`' if near else ''}")


def _with(marks: Marks, asked: Marks) -> Marks:
    """The marks with other takes chosen. Raises UsageError for two takes of one shot."""
    by_shot: dict[str, str] = {}
    for slate, mark in asked.items():
        if (other := by_shot.setdefault(mark.shot, slate)) != slate:
            raise UsageError(f"`{other}` and `{slate}` are takes of one shot, of which one can be chosen")
    return {slate: mark for slate, mark in marks.items() if mark.shot not in by_shot} | asked


def _without(marks: Marks, asked: Marks) -> Marks:
    return {slate: mark for slate, mark in marks.items() if slate not in asked}


def _by_shot(marks: Marks) -> dict[str, int]:
    """The chosen take of each shot; the first, where a merge has left several."""
    return {mark.shot: mark.take for mark in reversed(marks.values())}


def _marked(lock: Lock, opened: Opened, before: Marks, after: Marks) -> Lock:
    """The lock with the marks as they are to be, and a record for every take that has one."""
    if any(slate not in lock for slate in after):
        lock = lock.laid_out((take.slate, take.shot, take.number) for take in opened.takes)
    for slate in before.keys() | after.keys():
        record = lock.get(slate)
        if record is not None and bool(record.chosen) != (slate in after):
            lock.put(slate, replace(record, chosen=True if slate in after else None))
    return lock


# --- what it means -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plans:
    """What a render would do, and what it would do with `--with-dependants`; nothing where the list is wrong."""

    plain: Mapping[str, Planned] = field(default_factory=dict)
    behind: Mapping[str, Planned] = field(default_factory=dict)

    @classmethod
    def of(cls, opened: Opened, lock: Lock, flights: Mapping[str, Flight]) -> _Plans:
        """The plans for a list by a lock that is not written yet."""
        plain = opened.plan(lock, Afloat(flights=flights))
        thorough = opened.plan(lock, Afloat(flights=flights, dependants=True))
        return cls({one.slate: one for one in plain.takes}, {one.slate: one for one in behind(plain, thorough)})

    @classmethod
    def by_what_stands(
        cls, file: Path, variables: Mapping[str, Any], lock: Lock, flights: Mapping[str, Flight]
    ) -> _Plans:
        """The plans by what is chosen until now."""
        try:
            (opened,), _ = open_lists([file], variables, offline=True)
        except ShotListError:
            return cls()
        return cls.of(opened, lock, flights)


def _consequences(was: _Plans, now: _Plans, affected: Collection[str]) -> dict[str, list[Planned]]:
    """What has become of the takes that were rendered and are made, directly or not, from what was chosen."""
    changed = []
    for slate, one in now.plain.items():
        former = was.plain.get(slate)
        rendered = one.record is not None and one.record.rendered
        same = former is not None and (former.action, former.is_left) == (one.action, one.is_left)
        if slate in affected and rendered and not same:
            changed.append(one)
    return {
        "stale": [one for one in changed if one.pays],
        "left": [one for slate, one in now.behind.items() if slate in affected and slate not in was.behind],
        "back": [one for one in changed if one.action in ("restore", "collect")],
        "kept": [one for one in changed if one.action == "keep" and one.edited is None],
    }


def _lines(found: _Choice, console: Console, *, clear: bool) -> Iterator[str]:
    """A line for each take that was asked for and each that follows from it, and what that means in money."""
    for slate, mark in found.asked.items():
        yield _one(slate, mark, found, console, clear=clear)
    for one in found.stale:
        reasons = "; ".join(map(str, one.changes)) or "; ".join(one.reasons)
        yield f"{console.paint('stale', 'yellow')}   {one.slate}  {reasons}; to render it: {amount(one.cost)}"
    for one in found.left:
        said = f"left so, unless `--with-dependants` is given: {amount(one.cost)}"
        yield f"{console.paint('behind', 'yellow')}  {one.slate}  {said}"
    for one in found.back:
        yield f"{console.paint('back', 'blue')}    {one.slate}  it was rendered so before: free"
    for one in found.kept:
        yield f"{console.paint('keep', 'green')}    {one.slate}  it is as it was rendered"
    if found.stale or found.left:
        price = sum_of([one.cost for one in found.stale])
        more = f"; with `--with-dependants`: {sum_of([one.cost for one in (*found.stale, *found.left)])}"
        yield f"to render what is stale by that: {price}{more if found.left else ''}"


def _one(slate: str, mark: _Mark, found: _Choice, console: Console, *, clear: bool) -> str:
    if clear:
        if slate not in found.before:
            return f"not chosen before  {slate}"
        return f"{console.paint('cleared', 'cyan')}  {slate}"
    if slate in found.before and all(one == slate or found.before[one].shot != mark.shot for one in found.before):
        return f"chosen already  {slate}"
    former = ", ".join(name for name, one in found.before.items() if one.shot == mark.shot and name != slate)
    return f"{console.paint('chosen', 'green')}  {slate}{f'  instead of {former}' if former else ''}"
