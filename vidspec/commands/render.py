"""`vidspec render FILE`: make what is missing or stale, and nothing else."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import account, budget, studio, summary
from vidspec.console import Console
from vidspec.errors import Refusal, UsageError
from vidspec.plan import Plan, plan
from vidspec.project import ProjectDisk, open_lists, read_lock, selected
from vidspec.store import Store, state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vidspec.engine import Run, Tally
    from vidspec.plan import Planned
    from vidspec.project import Opened


class _Options(NamedTuple):
    chosen: str | None
    left_out: str | None
    draft: bool
    json: bool
    quiet: bool


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
    notes = Console(sys.stderr, colour=console.colour and None)
    (opened,), warnings = open_lists([file], variables)
    if not quiet:
        notes.diagnostics(warnings)
    project = opened.shot_list.project
    from vidspec.hold import hold

    try:
        folder = state_folder(project)
        with hold(folder):
            return _held(opened, folder, _Options(chosen, left_out, draft, json, quiet), console, notes)
    except PermissionError as error:
        raise UsageError(f"cannot write in the project folder: {(error.strerror or str(error)).lower()}") from error


def _held(opened: Opened, folder: Path, options: _Options, console: Console, notes: Console) -> int:
    lock_path, found = _drafts(opened, folder) if options.draft else (opened.lock_path, opened.plan())
    slates = selected(found, options.chosen, options.left_out)
    work = [planned for planned in found.work if planned.slate in slates]
    if not options.draft:
        _refuse(opened, found, work)
    tally, interrupted = _run(opened, folder, lock_path, found, work, options, notes)
    if not options.json and not options.quiet:
        summary.print_ending(console, opened.shot_list.project, found, slates, tally, interrupted=interrupted)
    if interrupted:
        return 130
    return 1 if tally.failed or tally.blocked else 0


def _drafts(opened: Opened, folder: Path) -> tuple[Path, Plan]:
    """The plan of the drafts: the same takes, drawn into `.vidspec/drafts`, with a lockfile of their own."""
    drafts = folder / "drafts"
    drafts.mkdir(exist_ok=True)
    lock_path = drafts / opened.lock_path.name
    project = opened.shot_list.project
    inside = drafts.relative_to(project).as_posix()
    takes = [replace(take, output=f"{inside}/{take.slate}.mp4") for take in opened.takes]
    return lock_path, plan(takes, read_lock(lock_path), ProjectDisk(project))


def _refuse(opened: Opened, found: Plan, work: list[Planned]) -> None:
    """What must not start: takes that this release cannot make, and plans over budget."""
    distant = sorted({one.take.provider for one in work if not studio.is_local(one.take.provider)})
    if distant:
        names = ", ".join(f"`{name}`" for name in distant)
        raise UsageError(
            f"this release renders with `animatic` only, and this plan needs {names}; nothing was submitted\n"
            "    help: `--draft` draws every shot as an animatic, free"
        )
    for sentence in budget.excesses(opened.shot_list.budget, found.costs):
        raise Refusal(f"{sentence}; nothing was submitted")


def _run(
    opened: Opened,
    folder: Path,
    lock_path: Path,
    found: Plan,
    work: list[Planned],
    options: _Options,
    notes: Console,
) -> tuple[Tally, bool]:
    from vidspec.engine import Run, Tally
    from vidspec.events import json_lines
    from vidspec.ledger import Ledger
    from vidspec.progress import display

    laid_out = read_lock(lock_path).laid_out((one.slate, one.take.shot, one.take.number) for one in found.takes)
    ledger = Ledger(laid_out, lock_path)
    if not work and not options.json:
        ledger.write()
        return Tally(kept=[]), False
    shows = display(notes, work, quiet=options.quiet or options.json)
    with shows as shown:
        given = Run(
            project=opened.shot_list.project,
            work=tuple(work),
            there=frozenset(one.slate for one in found.takes if one.action == "keep"),
            ledger=ledger,
            store=Store(folder),
            listener=json_lines(sys.stdout) if options.json else shown,
            slots=_slots(opened, work, draft=options.draft),
            title=opened.shot_list.title,
            on_progress=shown.progress,
        )
        return _in_trio(given)


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

    tally = engine.Tally()

    async def main() -> bool:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals, trio.CancelScope() as whole_run:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_on, signals, whole_run)
                await engine.run(given, tally)
                nursery.cancel_scope.cancel()
        return whole_run.cancelled_caught

    return tally, trio.run(main)


async def _cancel_on(signals: Any, scope: Any) -> None:
    async for _ in signals:
        scope.cancel()
        return
