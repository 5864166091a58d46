"""`vidspec render FILE`: make what is missing or stale, and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import account, budget, clearance, journal, studio, summary
from vidspec.diagnostic import counted
from vidspec.errors import UsageError
from vidspec.events import Outcome, json_lines
from vidspec.plan import Afloat, Plan, plan
from vidspec.plan_table import price
from vidspec.portion import portion
from vidspec.project import ProjectDisk, open_lists, read_lock, selected
from vidspec.site import Site
from vidspec.store import Store, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from vidspec.account import Account
    from vidspec.conduct import Accounts
    from vidspec.console import Console
    from vidspec.lock import Lock
    from vidspec.plan import Planned
    from vidspec.progress import Display
    from vidspec.project import Opened
    from vidspec.rehearsal import Rehearsal
    from vidspec.run import Run
    from vidspec.sandbox.clock import FastClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about a run.

    `anew` are slates that are submitted once more even where that may pay twice; what is under way is collected
    all the same, so that the same command after a kill pays nothing. `only_new` and `most` say how much of the
    work is taken on, `allowed` what it may cost, by currency. `ask` puts a question that is answered by yes or no;
    None where nobody is there.
    """

    chosen: str | None = None
    left_out: str | None = None
    draft: bool = False
    rehearsal: Rehearsal | None = None
    retry: bool = False
    anew: Sequence[str] = ()
    yes: bool = False
    only_new: bool = False
    most: int | None = None
    fail_fast: bool = False
    allowed: Mapping[str, float] | None = None
    json: bool = False
    quiet: bool = False
    ask: Callable[[str], bool] | None = None

    @property
    def pays(self) -> bool:
        """Whether the run is the real thing."""
        return not self.draft and self.rehearsal is None


class _Intent(NamedTuple):
    """A plan, the slates of it that were selected, and the work among them."""

    site: Site
    lock: Lock
    plan: Plan
    slates: set[str]
    work: list[Planned]
    left: list[Planned]


def run(file: Path, *, variables: Mapping[str, Any], options: Options, console: Console) -> int:
    """Render a list. 0 where every selected take is there, 1 where some failed, 130 where it was interrupted.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong; nothing was done.
        Refusal, JournalError: over budget, no consent, another run holds the project, or the journal is damaged or
            cannot be written; nothing was submitted by it.
    """
    notes = console.beside(sys.stderr)
    (opened,), warnings = open_lists([file], variables, offline=not options.pays)
    if not options.quiet:
        notes.diagnostics(warnings)
    first = _intent(opened, options)  # what must not start leaves no trace
    accounts = _cleared(opened, first, options)
    from vidspec.hold import hold

    with hold(_state_folder(opened, first.site)):
        if options.rehearsal is not None:
            _clear(first.site)
        intent = _intent(opened, options)  # again: until now another run may have been at work
        new = {one.slate for one in intent.work if one.pays} - {one.slate for one in first.work if one.pays}
        if new or not _distant(intent, options) <= accounts.keys():
            accounts = _cleared(opened, intent, options)
        outcome = _run(opened, intent, accounts, options, notes)
    if not options.json and not options.quiet:
        with suppress(BrokenPipeError):
            summary.print_ending(
                console,
                opened.shot_list.project,
                intent.plan,
                intent.slates,
                outcome.tally,
                interrupted=outcome.interrupted,
                is_rehearsed=options.rehearsal is not None,
                keys=_own_keys(opened, intent),
            )
            if intent.left:
                console.line(f"      left for later: {counted(len(intent.left), 'take')}, {price(intent.left)}")
            if options.rehearsal is not None:
                options.rehearsal.print_bill(console, intent.work, outcome.tally, outcome.limits)
    elif options.quiet:
        summary.print_wrong(notes, intent.plan, intent.slates, outcome.tally, _own_keys(opened, intent))
    if outcome.interrupted:
        return 130
    stuck = any(one.action in ("failed", "decide", "blocked") for one in _among(intent))
    return 1 if outcome.tally.wrong or stuck else 0


def _among(intent: _Intent) -> list[Planned]:
    """The selected takes."""
    return [one for one in intent.plan.takes if one.slate in intent.slates]


def _state_folder(opened: Opened, site: Site) -> Path:
    try:
        folder = state_folder(opened.shot_list.project)
        site.lock.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write in the project folder: {(error.strerror or str(error)).lower()}") from error
    return folder


def _clear(site: Site) -> None:
    """Take away what the last rehearsal has left: its twins have forgotten everything."""
    shutil.rmtree(site.folder, ignore_errors=True)
    site.folder.mkdir(parents=True, exist_ok=True)


def _site(opened: Opened, options: Options) -> Site:
    path = opened.shot_list.path
    if options.rehearsal is not None:
        return Site.rehearsal(path)
    return Site.drafts(path) if options.draft else Site.real(path)


def _intent(opened: Opened, options: Options) -> _Intent:
    """What would be done now. Raises UsageError for a selection that matches nothing."""
    site = _site(opened, options)
    lock, flights = (read_lock(site.lock), journal.read(site.journal)) if options.rehearsal is None else _nothing()
    journal.settle(lock, flights)
    takes = [_placed(take, site, options) for take in opened.takes]
    disk = ProjectDisk(opened.shot_list.project, site.folder)
    anew = frozenset(options.anew)
    found = plan(takes, lock, disk, opened.skipped, Afloat(flights=flights, retry=options.retry, anew=anew))
    slates = selected(found, options.chosen, options.left_out)
    if missing := anew.difference(one.slate for one in found.takes):
        slate = min(missing)
        raise UsageError(f"`--resubmit {slate}`: the list has no take `{slate}`")
    if missing := anew - slates:
        slate = min(missing)
        raise UsageError(f"`--resubmit {slate}`: `--select` or `--exclude` leaves `{slate}` out")
    chosen = (one for one in found.work if one.slate in slates)
    work, left = portion(chosen, only_new=options.only_new, most=options.most)
    return _Intent(site, lock, found, slates, work, left)


def _nothing() -> tuple[Lock, dict[str, Any]]:
    from vidspec.lock import Lock

    return Lock(), {}


def _placed(take: Any, site: Site, options: Options) -> Any:
    """A take whose output stands where this kind of run puts it."""
    if options.draft:
        return replace(take, output=f"{site.outputs}/{take.slate}.mp4")
    return replace(take, output=f"{site.outputs}/{take.output}") if site.outputs else take


def _cleared(opened: Opened, intent: _Intent, options: Options) -> dict[str, Account]:
    """The accounts of a run that pays. Raises UsageError or Refusal for what must not start."""
    if not options.pays:
        return {}
    accounts = clearance.accounts(opened.shot_list, sorted(_distant(intent, options)), os.environ)
    if any(one.pays for one in intent.work):
        clearance.refuse_left_behind(opened.shot_list.path, intent.site.journal)
    clearance.hold_to_budget(opened.shot_list.budget, options.allowed, intent.work)
    if not options.yes:
        clearance.consent(intent.work, options.ask)
    return accounts


def _distant(intent: _Intent, options: Options) -> set[str]:
    """The providers for which a run needs accounts."""
    asked = {one.provider for one in intent.work if not studio.is_local(one.provider)} if options.pays else set()
    return asked | {one.record.provider or "" for one in _orphans(intent, options)}


def _run(
    opened: Opened, intent: _Intent, accounts: Mapping[str, Account], options: Options, notes: Console
) -> Outcome:
    from vidspec.ledger import Ledger

    ledger = Ledger(_laid_out(intent), intent.site.lock)
    orphans = _orphans(intent, options)
    if not intent.work and not orphans and not options.json:
        ledger.write()
        return Outcome()
    from vidspec.conduct import conduct
    from vidspec.drawer import Drawer
    from vidspec.history import History
    from vidspec.run import Run

    with ExitStack() as stack:
        shown = stack.enter_context(_display(notes, intent, options))
        spoken = _goes_out(intent, options) or orphans or (options.pays and options.anew)
        log = stack.enter_context(_journal(intent, ledger)) if spoken else None
        _decide(log, options.anew)
        given = Run(
            project=opened.shot_list.project,
            plan=intent.plan,
            work=tuple(intent.work),
            orphans=orphans,
            ledger=ledger,
            store=Store(intent.site.folder),
            listener=json_lines(sys.stdout) if options.json else shown,
            slots=_slots(opened, intent.work, options),
            maker=Drawer(opened.shot_list.title, drafts=options.draft),
            journal=log,
            fail_fast=options.fail_fast,
            purse=_purse(opened, options),
            history=History(intent.site.history) if log else None,
            drafts=options.draft,
            on_progress=shown.progress,
        )
        return conduct(given, _accounts(opened, given, accounts, options, shown.note), _clock(options))


def _accounts(
    opened: Opened,
    given: Run,
    accounts: Mapping[str, Account],
    options: Options,
    say: Callable[[str], None],
) -> Accounts:
    """The accounts of the run; in a rehearsal those of the twins, once these are open."""
    providers = {one.provider for one in given.work if not studio.is_local(one.provider)}
    if options.rehearsal is not None and providers:
        return options.rehearsal.accounts(opened.shot_list, sorted(providers), say)
    return nullcontext(accounts)


def _clock(options: Options) -> FastClock | None:
    return options.rehearsal.clock if options.rehearsal else None


def _display(notes: Console, intent: _Intent, options: Options) -> AbstractContextManager[Display]:
    """What shows the run: in a rehearsal by its own clock, and with what the real thing would cost."""
    from vidspec.progress import display

    quiet = options.quiet or options.json
    if options.rehearsal is None:
        return display(notes, intent.work, quiet=quiet)
    clock = options.rehearsal.clock.current_time
    return display(notes, intent.work, quiet=quiet, spending="for real:", clock=clock)


def _own_keys(opened: Opened, intent: _Intent) -> dict[str, str]:
    """The variables that the list itself names for keys, by provider."""
    providers = {one.provider for one in intent.work}
    named = {name: account.settings(opened.shot_list, name).get("api_key_env") for name in providers}
    return {name: variable for name, variable in named.items() if variable}


def _purse(opened: Opened, options: Options) -> budget.Purse | None:
    """What a run that pays may spend at the most, by the list and by the command line."""
    bounds = [one for one in (opened.shot_list.budget, options.allowed) if one is not None]
    return budget.Purse(bounds) if options.pays and bounds else None


def _goes_out(intent: _Intent, options: Options) -> bool:
    """Whether a provider is spoken to, or a twin of one."""
    return not options.draft and any(not studio.is_local(one.provider) for one in intent.work)


def _orphans(intent: _Intent, options: Options) -> tuple[Any, ...]:
    """Requests under way for takes that the list no longer has; a run about certain takes leaves them."""
    whole_list = options.pays and options.chosen is None and options.left_out is None
    return tuple(one for one in intent.plan.orphans if one.collectable) if whole_list else ()


def _journal(intent: _Intent, ledger: Any) -> journal.Journal:
    """The journal, without what the lockfile knows by now; with what a person has decided in it."""
    log = journal.Journal(intent.site.journal)
    ledger.write()
    log.forget([flight.slate for flight in log.flights.values() if flight.move == "delivered"])
    return log


def _decide(log: journal.Journal | None, slates: Sequence[str]) -> None:
    """Write down that a person has given up what may be under way for these takes."""
    for slate in slates:
        flight = log.flights.get(slate) if log else None
        if log is not None and flight is not None and flight.may_be_given_up:
            log.note(slate, "decided")


def _laid_out(intent: _Intent) -> Lock:
    """The lockfile with a record for every take, and every clip that was moved to its new place there."""
    found = intent.plan.takes
    lock = intent.lock.laid_out((one.slate, one.take.shot, one.take.number) for one in found)
    for one in found:
        if one.action == "keep" and (record := one.record) and record.output:
            lock.put(one.slate, replace(record, output=replace(record.output, path=one.take.output)))
    return lock


def _slots(opened: Opened, work: list[Planned], options: Options) -> dict[str, int]:
    """How many takes of each lane may be made at once: the account's limit, and for drawing the cores."""
    cores = os.cpu_count() or 1
    slots = {}
    for lane, provider in {one.lane: one.provider for one in work}.items():
        limit = int(account.settings(opened.shot_list, provider)["max_in_flight"])
        local = studio.is_local(provider)
        slots[lane] = cores if options.draft else min(limit, cores) if local else limit
    return slots
