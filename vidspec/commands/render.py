"""`vidspec render FILE`: make what is missing or stale, and nothing else."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vidspec import production, summary
from vidspec.diagnostic import counted
from vidspec.errors import UsageError
from vidspec.events import Outcome, json_lines
from vidspec.plan_table import price
from vidspec.project import open_lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vidspec.account import Account
    from vidspec.console import Console
    from vidspec.production import Intent, Options
    from vidspec.progress import Display
    from vidspec.project import Opened
    from vidspec.sandbox.clock import FastClock


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    options: Options,
    console: Console,
    frozen: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Render a list, or with `frozen` what its lockfile says.

    0 where every selected take is there, 1 where some failed, 130 where it was interrupted.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong; nothing was done.
        Refusal, JournalError: over budget, no consent, another run holds the project, or the journal is damaged or
            cannot be written; nothing was submitted by it.
    """
    notes = console.beside(sys.stderr)
    opened = _opened(file, variables, options, notes, frozen=frozen, quiet=quiet)
    if not quiet:
        note = notes.paint("note:", "cyan", "bold")
        options = replace(options, say=lambda line: notes.line(f"{note} {line}"))
    with production.admitted(opened, options) as (intent, accounts):
        outcome = _performed(intent, accounts, options, notes, json=json, quiet=quiet)
    if quiet:
        summary.print_wrong(notes, intent.plan, intent.slates, outcome.tally, intent.keys)
    elif not json:
        with suppress(BrokenPipeError):
            _print_ending(console, intent, outcome, options)
    if outcome.interrupted:
        return 130
    lost = options.only_free and bool(intent.left)
    return 1 if outcome.tally.wrong or intent.is_stuck or lost else 0


def _opened(
    file: Path, variables: Mapping[str, Any], options: Options, notes: Console, *, frozen: bool, quiet: bool
) -> Opened:
    if frozen:
        from vidspec.frozen import open_frozen

        if variables:
            raise UsageError(
                "`--var` has no place where the list is not read: `--frozen` goes by the lockfile alone"
            )
        return open_frozen(file)
    (opened,), warnings = open_lists([file], variables, offline=not options.pays)
    if not quiet:
        notes.diagnostics(warnings)
    return opened


def _performed(
    intent: Intent,
    accounts: Mapping[str, Account],
    options: Options,
    notes: Console,
    *,
    json: bool,
    quiet: bool,
) -> Outcome:
    if not intent.work and not intent.orphans and not json:
        production.lay_out(intent)
        return Outcome()
    from vidspec.conduct import conduct

    with _display(notes, intent, options, quiet=quiet or json) as shown:
        listener = json_lines(sys.stdout) if json else shown
        with production.prepared(intent, options, listener, shown.progress) as given:
            opening = production.accounts_of(intent, accounts, options, shown.note)
            return conduct(given, opening, _clock(options))


def _clock(options: Options) -> FastClock | None:
    return options.rehearsal.clock if options.rehearsal else None


def _display(notes: Console, intent: Intent, options: Options, *, quiet: bool) -> AbstractContextManager[Display]:
    """What shows the run: in a rehearsal by its own clock, and with what the real thing would cost."""
    from vidspec.progress import display

    if options.rehearsal is None:
        return display(notes, intent.work, quiet=quiet)
    clock = options.rehearsal.clock.current_time
    return display(notes, intent.work, quiet=quiet, spending="for real:", clock=clock)


def _print_ending(console: Console, intent: Intent, outcome: Outcome, options: Options) -> None:
    """The last words of a run, and what was left undone."""
    summary.print_ending(
        console,
        intent.opened.shot_list.project,
        intent.plan,
        intent.slates,
        outcome.tally,
        interrupted=outcome.interrupted,
        is_rehearsed=options.rehearsal is not None,
        keys=intent.keys,
    )
    if intent.left and options.only_free:
        _print_lost(console, intent)
    elif intent.left:
        console.line(f"      left for later: {counted(len(intent.left), 'take')}, {price(intent.left)}")
    if options.rehearsal is not None:
        options.rehearsal.print_bill(console, intent.work, outcome.tally, outcome.limits)


def _print_lost(console: Console, intent: Intent) -> None:
    """What can only be had by paying for it again."""
    for one in intent.left:
        console.line(f"{console.paint('lost', 'red', 'bold')}      {one.slate}: {'; '.join(one.reasons)}")
    words = f"{counted(len(intent.left), 'take')} cannot be had without paying: {price(intent.left)}"
    console.line(f"{' ' * 10}{words}; `vidspec render --frozen` renders them again")


def restore(
    file: Path,
    *,
    options: Options,
    console: Console,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Bring the clips of a lockfile back without paying: as kept here, as kept by others, or from their providers.

    0 where every selected clip is there, 1 where one cannot be had. Raises as `run` does.
    """
    free = replace(options, only_free=True)
    return run(file, variables={}, options=free, console=console, frozen=True, json=json, quiet=quiet)
