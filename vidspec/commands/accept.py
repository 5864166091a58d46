"""`vidspec accept FILE SHOT…`: edits that are not worth paying for; the clips stay as they were rendered."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from vidspec import acceptance
from vidspec.diagnostic import counted, listed
from vidspec.divergence import InPlace
from vidspec.errors import UsageError
from vidspec.hold import hold
from vidspec.ledger import Ledger
from vidspec.plan_table import sum_of
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import open_lists
from vidspec.selection import select
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.acceptance import Acceptance
    from vidspec.console import Console
    from vidspec.planned import Plan
    from vidspec.project import Opened
    from vidspec.state import Flight


def run(
    file: Path,
    shots: Sequence[str],
    *,
    variables: Mapping[str, Any],
    undo: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Mark the edited takes of some shots as good as they are; with `undo` take such marks away. Always 0.

    `shots` are ids, slates, globs, or whatever else a selection may say. Nothing but the lockfile is touched.

    Raises:
        ShotListError, LockError, JournalError: the input is wrong.
        UsageError: one of `shots` matches nothing, or there is nothing to be done; nothing was written.
        Refusal: another run holds the project.
        RenderError: the lockfile cannot be written.
    """
    (opened,), _ = open_lists([file], variables, offline=True)
    if not opened.site.has_lock:
        raise UsageError(f"there is no lockfile {opened.lock_path.name} beside the list: nothing was rendered yet")
    with hold(state_folder(opened.shot_list.project)):
        found, asked = _marked(opened, shots, undo=undo)
    if not quiet:
        for line in _lines(found, console, undo=undo):
            console.line(line)
    notes = console.beside(sys.stderr)
    for label, line in _notes(found, asked, undo=undo):
        notes.line(f"{notes.paint(label, 'yellow')} {line}")
    return 0


def _marked(opened: Opened, shots: Sequence[str], *, undo: bool) -> tuple[Acceptance, list[set[str]]]:
    """Change the marks and write the lockfile; returns also the slates that each of `shots` selects."""
    lock, flights = opened.read()

    def now(afloat: Mapping[str, Flight]) -> Plan:
        return opened.plan(lock, Afloat(flights=afloat))

    def recorded(afloat: Mapping[str, Flight]) -> Plan:
        return plan(opened.takes, lock, InPlace(opened.takes, lock), opened.skipped, Afloat(flights=afloat))

    takes = now(flights).takes
    asked = [select(takes, shot) for shot in shots]
    slates = set().union(*asked)
    if undo:
        found = acceptance.undo(lock, flights, slates, now)
    else:
        found = acceptance.accept(lock, flights, slates, recorded, now)
    if not found.done and not found.already:
        lines = _listed([f"{slate} {reason}" for slate, reason in found.refused.items()])
        what = "nothing to take back" if undo else "nothing to accept"
        raise UsageError(f"{what}: {lines[0]}" if len(lines) == 1 else "\n    ".join((f"{what}:", *lines)))
    Ledger(lock, opened.lock_path).write()
    return found, asked


_MOST = 20
"""Refusals that are told one by one; of more, the rest are counted."""


def _listed(lines: list[str]) -> list[str]:
    return [*lines[:_MOST], *([f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else [])]


def _lines(found: Acceptance, console: Console, *, undo: bool) -> Iterator[str]:
    """A line for each take whose mark has changed or that follows from it, and what that means in money."""
    money = found.paid_again if undo else found.unpaid
    word, other, hue = ("taken back", "stale too", "yellow") if undo else ("accepted", "kept too", "cyan")
    standing = {one.slate: one for one in found.after.takes}
    for slate in found.done:
        edit = "; ".join(map(str, standing[slate].changes)) or "is as it was rendered"
        yield f"{console.paint(word, hue)}  {slate}  {edit}"
    for slate in (slate for slate in money if slate not in found.done):
        yield f"{console.paint(other, hue)}  {slate}"
    for slate in found.already:
        yield f"accepted already  {slate}"
    if not found.done:
        return
    edits = counted(len(found.done), "edit")
    price = sum_of(list(money.values()))
    if undo:
        yield f"{edits} no longer accepted; {f'to render: {price}' if money else 'nothing is to be rendered'}"
    else:
        yield f"{edits} accepted; {f'not to be paid: {price}' if money else 'nothing was to be paid'}"


def _notes(found: Acceptance, asked: Sequence[set[str]], *, undo: bool) -> Iterator[tuple[str, str]]:
    """What a person should hear of: edits that could not be accepted, what was asked in vain, and lost clips."""
    label = "nothing to take back:" if undo else "not accepted:"
    told = set() if undo else {one.slate for one in found.after.takes if one.changes}
    served = {*found.done, *found.already}
    for slates in asked:
        told |= slates if served.isdisjoint(slates) else set()
    refused = [f"{slate} {reason}" for slate, reason in found.refused.items() if slate in told]
    for line in _listed(refused):
        yield label, line
    if found.lost and not undo:
        yield "no clip here:", f"{listed(found.lost, most=_MOST)}; a render on this machine makes what is lost anew"
