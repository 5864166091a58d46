"""`vidspec render FILE`: make what is missing or stale, and nothing else."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import account, budget, studio, summary
from vidspec.errors import Refusal, UsageError
from vidspec.events import Tally, json_lines
from vidspec.plan import Plan, plan
from vidspec.project import ProjectDisk, open_lists, read_lock, selected
from vidspec.store import FOLDER, Store, state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.engine import Run
    from vidspec.lock import Lock
    from vidspec.plan import Planned
    from vidspec.project import Opened


class _Options(NamedTuple):
    chosen: str | None
    left_out: str | None
    draft: bool
    json: bool
    quiet: bool


class _Intent(NamedTuple):
    """A plan, the slates of it that were selected, and the work among them."""

    lock_path: Path
    lock: Lock
    plan: Plan
    slates: set[str]
    work: list[Planned]


_DRAFTS = "drafts"


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    draft: bool,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Render a list. 0 where every selected take is there, 1 where some failed, 130 where it was interrupted.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong; nothing was done.
        Refusal: over budget, or another run holds the project; nothing was done.
    """
    notes = console.beside(sys.stderr)
    (opened,), warnings = open_lists([file], variables, offline=draft)
    if not quiet:
        notes.diagnostics(warnings)
    options = _Options(chosen, left_out, draft, json, quiet)
    _intent(opened, options)  # what must not start leaves no trace
    from vidspec.hold import hold

    folder = _state_folder(opened.shot_list.project, draft=draft)
    with hold(folder):
        intent = _intent(opened, options)  # again: until now another run may have been at work
        tally, interrupted = _run(opened, folder, intent, options, notes)
    if not json and not quiet:
        with suppress(BrokenPipeError):
            summary.print_ending(
                console, opened.shot_list.project, intent.plan, intent.slates, tally, interrupted=interrupted
            )
    if interrupted:
        return 130
    return 1 if tally.failed or tally.blocked else 0


def _state_folder(project: Path, *, draft: bool) -> Path:
    try:
        folder = state_folder(project)
        if draft:
            (folder / _DRAFTS).mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write in the project folder: {(error.strerror or str(error)).lower()}") from error
    return folder


def _intent(opened: Opened, options: _Options) -> _Intent:
    """What would be done now. Raises UsageError or Refusal for what must not start."""
    lock_path = _drafts_lock(opened) if options.draft else opened.lock_path
    lock = read_lock(lock_path)
    found = _drafts(opened, lock) if options.draft else opened.plan(lock)
    slates = selected(found, options.chosen, options.left_out)
    work = [planned for planned in found.work if planned.slate in slates]
    if not options.draft:
        _refuse(opened, work)
    return _Intent(lock_path, lock, found, slates, work)


def _drafts_lock(opened: Opened) -> Path:
    return opened.shot_list.project / FOLDER / _DRAFTS / opened.lock_path.name


def _drafts(opened: Opened, lock: Lock) -> Plan:
    """The plan of the drafts: the same takes, drawn into `.vidspec/drafts`, with a lockfile of their own."""
    takes = [replace(take, output=f"{FOLDER}/{_DRAFTS}/{take.slate}.mp4") for take in opened.takes]
    return plan(takes, lock, ProjectDisk(opened.shot_list.project), opened.skipped)


def _refuse(opened: Opened, work: list[Planned]) -> None:
    """What must not start: takes that this release cannot make, and plans over budget."""
    distant = sorted({one.take.provider for one in work if not studio.is_local(one.take.provider)})
    if distant:
        names = ", ".join(f"`{name}`" for name in distant)
        raise UsageError(
            f"this release renders with `animatic` only, and this plan needs {names}; nothing was submitted\n"
            "    help: `--draft` draws every shot as an animatic, free"
        )
    for sentence in budget.excesses(opened.shot_list.budget, budget.totals(one.cost for one in work)):
        raise Refusal(f"{sentence}; nothing was submitted")


def _run(opened: Opened, folder: Path, intent: _Intent, options: _Options, notes: Console) -> tuple[Tally, bool]:
    from vidspec.ledger import Ledger

    found, work = intent.plan, intent.work
    ledger = Ledger(_laid_out(intent), intent.lock_path)
    if not work and not options.json:
        ledger.write()
        return Tally(), False
    from vidspec.engine import Drawer, Run
    from vidspec.progress import display

    shows = display(notes, work, quiet=options.quiet or options.json)
    with shows as shown:
        given = Run(
            project=opened.shot_list.project,
            plan=found,
            work=tuple(work),
            ledger=ledger,
            store=Store(folder),
            listener=json_lines(sys.stdout) if options.json else shown,
            slots=_slots(opened, work, draft=options.draft),
            maker=Drawer(opened.shot_list.title),
            drafts=options.draft,
            on_progress=shown.progress,
        )
        return _in_trio(given)


def _laid_out(intent: _Intent) -> Lock:
    """The lockfile with a record for every take, and every clip that was moved to its new place there."""
    found = intent.plan.takes
    lock = intent.lock.laid_out((one.slate, one.take.shot, one.take.number) for one in found)
    for one in found:
        if one.action == "keep" and (record := one.record) and record.output:
            lock.put(one.slate, replace(record, output=replace(record.output, path=one.take.output)))
    return lock


def _slots(opened: Opened, work: list[Planned], *, draft: bool) -> dict[str, int]:
    """How many takes of each provider may be made at once: the account's limit, and for drawing the cores."""
    cores = os.cpu_count() or 1
    slots = {}
    for provider in {one.take.provider for one in work}:
        limit = int(account.settings(opened.shot_list, provider)["max_in_flight"])
        slots[provider] = cores if draft else min(limit, cores) if studio.is_local(provider) else limit
    return slots


def _in_trio(given: Run) -> tuple[Tally, bool]:
    """Run the engine; an interrupt from the keyboard, or a polite kill, ends it in good order."""
    import trio

    from vidspec import engine

    tally = Tally()

    async def main() -> bool:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals, trio.CancelScope() as whole_run:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_on, signals, whole_run)
                await engine.run(given, tally)
                nursery.cancel_scope.cancel()
        return whole_run.cancelled_caught

    try:
        return tally, trio.run(main)
    except ExceptionGroup as group:
        raise _first(group) from group


def _first(group: ExceptionGroup) -> Exception:
    """The first error of a group, which nurseries make of even a single one."""
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _cancel_on(signals: Any, scope: Any) -> None:
    async for _ in signals:
        scope.cancel()
        return
