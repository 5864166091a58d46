"""A run from what somebody asks for to what the engine is given: planned, cleared, held, and written down."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vidspec import account, budget, clearance, journal, reproducible, studio
from vidspec.difference import sent_as
from vidspec.divergence import InPlace
from vidspec.errors import LockError, UsageError
from vidspec.frozen import open_frozen, unsendable
from vidspec.lock import Lock
from vidspec.planned import STUCK, Afloat
from vidspec.planning import plan
from vidspec.portion import portion
from vidspec.project import ProjectDisk, read_lock, selected
from vidspec.site import Site
from vidspec.store import Store, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.account import Account
    from vidspec.events import Listener
    from vidspec.planned import Plan, Planned
    from vidspec.project import Opened
    from vidspec.rehearsal import Rehearsal
    from vidspec.run import Run
    from vidspec.shared import Shared
    from vidspec.state import Flight
    from vidspec.take import Take


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a run.

    `anew` are slates that are submitted once more even where that may pay twice; what is under way is collected
    all the same, so that the same command after a kill pays nothing. `only_new`, `only_free` and `most` say how
    much of the work is taken on, `allowed` what it may cost, by currency. With `dependants` what is stale only
    behind another take is rendered too, with `locked` nothing is done where list and lockfile differ. `ask` puts
    a question that is answered by yes or no; None where nobody is there; `say` is told what a person should know
    before that. `shared` is a store that other machines keep clips in.
    """

    chosen: str | None = None
    left_out: str | None = None
    draft: bool = False
    rehearsal: Rehearsal | None = None
    retry: bool = False
    anew: Sequence[str] = ()
    yes: bool = False
    only_new: bool = False
    only_free: bool = False
    most: int | None = None
    fail_fast: bool = False
    dependants: bool = False
    locked: bool = False
    allowed: Mapping[str, float] | None = None
    ask: Callable[[str], bool] | None = None
    say: Callable[[str], None] = lambda _line: None
    shared: Shared | None = None

    @property
    def pays(self) -> bool:
        """Whether the run is the real thing."""
        return not self.draft and self.rehearsal is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A plan, the slates of it that were selected, the work among them, and what is left for later."""

    opened: Opened
    site: Site
    lock: Lock
    plan: Plan
    slates: set[str]
    work: list[Planned]
    left: list[Planned]
    orphans: tuple[Flight, ...]

    @property
    def takes(self) -> list[Planned]:
        """The selected takes."""
        return [one for one in self.plan.takes if one.slate in self.slates]

    @property
    def is_stuck(self) -> bool:
        """Whether a run must leave some of the takes as they are, because a person has to do something first."""
        return any(one.action in STUCK for one in self.takes)

    @property
    def distant(self) -> set[str]:
        """The providers that the work must be had from, over the network."""
        return {one.provider for one in self.work if not studio.is_local(one.provider)}

    @property
    def asked(self) -> set[str]:
        """The providers without which the work cannot be done: what is kept is brought back without one."""
        return {one.provider for one in self.work if one.action != "restore"} & self.distant

    @property
    def keys(self) -> dict[str, str]:
        """The variables that the list itself names for keys, by provider."""
        providers = {one.provider for one in self.work}
        named = {name: account.settings(self.opened.shot_list, name).get("api_key_env") for name in providers}
        return {name: variable for name, variable in named.items() if variable}


@contextmanager
def admitted(opened: Opened, options: Options) -> Iterator[tuple[Intent, dict[str, Account]]]:
    """What would be done, cleared to be done, with the project held as long as the block runs.

    Raises:
        LockError, UsageError: the input is wrong; nothing was done.
        Refusal, JournalError: over budget, no consent, another run holds the project, or the journal is damaged;
            nothing was submitted.
    """
    from vidspec.hold import hold

    first = _intent(opened, options)  # what must not start leaves no trace
    if _fetch_shared(first, options):
        opened = _opened_again(opened)
        first = _intent(opened, options)
    for notice in first.lock.notices:
        options.say(notice)
    accounts = _cleared(first, options)
    with hold(_state_folder(opened, first.site)):
        if options.rehearsal is not None:
            _clear(first.site)
        intent = _intent(_opened_again(opened), options)  # until now another run may have been at work
        new = {(one.slate, one.cost) for one in intent.work if one.pays}
        new -= {(one.slate, one.cost) for one in first.work if one.pays}
        if new or not (options.only_free or _asked(intent, options) <= accounts.keys()):
            accounts = _cleared(intent, options)
        yield intent, accounts


def _opened_again(opened: Opened) -> Opened:
    """The same takes; those of a lockfile as it is by now, with what is kept by now."""
    return open_frozen(opened.shot_list.path) if opened.frozen else opened


def planned(opened: Opened, options: Options) -> Plan:
    """What a run would do for every take, selected or not. Raises LockError and JournalError."""
    return _planned(opened, options)[1]


def _planned(opened: Opened, options: Options) -> tuple[Lock, Plan]:
    """The lock that a run goes by, with what the journal knows better, and the plan by it.

    What takes of the list, which is not read, have under way is no matter of those of a lockfile.
    """
    site = _site(opened, options)
    lock, flights = (read_lock(site.lock), journal.read(site.journal)) if options.rehearsal is None else _nothing()
    journal.settle(lock, flights)
    takes = [_placed(take, site, options) for take in opened.takes]
    afloat = Afloat(
        flights=flights,
        retry=options.retry,
        anew=frozenset(options.anew),
        dependants=options.dependants or not options.pays,
        frozen=opened.frozen,
    )
    project = opened.shot_list.project
    disk = ProjectDisk(project, site.folder, doubted=afloat.landing, thorough=opened.frozen)
    found = plan(takes, lock, disk, opened.skipped, afloat)
    return lock, replace(found, orphans=(), hints=()) if opened.frozen else found


def _intent(opened: Opened, options: Options) -> Intent:
    """What would be done now. Raises UsageError for a selection that matches nothing."""
    lock, found = _planned(opened, options)
    anew = frozenset(options.anew)
    slates = selected(found, options.chosen, options.left_out)
    if missing := anew.difference(one.slate for one in found.takes):
        slate = min(missing)
        raise UsageError(f"`--resubmit {slate}`: the list has no take `{slate}`")
    if missing := anew - slates:
        slate = min(missing)
        raise UsageError(f"`--resubmit {slate}`: `--select` or `--exclude` leaves `{slate}` out")
    chosen = (one for one in found.work if one.slate in slates)
    work, left = portion(chosen, only_new=options.only_new, only_free=options.only_free, most=options.most)
    return Intent(
        opened=opened,
        site=_site(opened, options),
        lock=lock,
        plan=found,
        slates=slates,
        work=work,
        left=left,
        orphans=_orphans(opened, found, options),
    )


def _fetch_shared(intent: Intent, options: Options) -> list[str]:
    """Bring in what is wanting here and kept by other machines; returns the digests of what has come."""
    if options.shared is None:
        return []
    from vidspec.shared import fetch_missing

    wanted = [
        one.record.output.sha256
        for one in intent.takes
        if one.action in ("render", "collect") and one.record is not None and one.record.output is not None
    ]
    inputs = ((one.take, given) for one in intent.takes if one.pays for given in one.take.inputs if not given.path)
    wanted += [digest for take, given in inputs if isinstance(digest := given.digest or sent_as(take, given), str)]
    return fetch_missing(Store(intent.site.folder), options.shared, dict.fromkeys(wanted))


def _nothing() -> tuple[Lock, dict[str, Any]]:
    return Lock(), {}


def _site(opened: Opened, options: Options) -> Site:
    path = opened.shot_list.path
    if options.rehearsal is not None:
        return Site.rehearsal(path)
    return Site.drafts(path) if options.draft else Site.real(path)


def _placed(take: Take, site: Site, options: Options) -> Take:
    """A take whose output stands where this kind of run puts it."""
    if options.draft:
        return replace(take, output=f"{site.outputs}/{take.slate}.mp4")
    return replace(take, output=f"{site.outputs}/{take.output}") if site.outputs else take


def _orphans(opened: Opened, found: Plan, options: Options) -> tuple[Flight, ...]:
    """Requests under way for takes that the list no longer has; a run about certain takes leaves them."""
    whole_list = options.pays and options.chosen is None and options.left_out is None and not opened.frozen
    return tuple(one for one in found.orphans if one.collectable) if whole_list else ()


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


def _cleared(intent: Intent, options: Options) -> dict[str, Account]:
    """The accounts of a run that pays. Raises UsageError or Refusal for what must not start."""
    opened = intent.opened
    if options.locked:
        lock = intent.lock if options.pays else opened.read()[0]
        recorded = plan(opened.takes, lock, InPlace(opened.takes, lock), opened.skipped)
        clearance.hold_to_lock(recorded, intent.slates)
    if not options.pays:
        return {}
    store = Store(intent.site.folder)
    if opened.frozen and (lines := list(unsendable(intent.work, intent.plan, intent.lock, store))):
        raise LockError("\n".join((*lines, "nothing was submitted")))
    shot_list = opened.shot_list
    bought = (one.take.output for one in intent.work if one.pays and not studio.is_local(one.provider))
    clearance.refuse_no_place(shot_list.project, bought)
    asked = _asked(intent, options)
    if options.only_free:
        return _cleared_to_look(intent, asked, options)
    accounts = clearance.accounts(shot_list, sorted(asked), os.environ)
    accounts |= clearance.spare(shot_list, sorted(intent.distant - asked), os.environ)
    if any(one.pays for one in intent.work):
        clearance.refuse_left_behind(shot_list.path, intent.site.journal)
    clearance.hold_to_budget(shot_list.budget, options.allowed, intent.work)
    for sentence in reproducible.sentences(intent.work, datetime.now(UTC).date()):
        options.say(sentence)
    if not options.yes:
        clearance.consent(intent.work, options.ask)
    return accounts


def _cleared_to_look(intent: Intent, asked: set[str], options: Options) -> dict[str, Account]:
    """The accounts that are in order, and a word on each other that is asked for: most can be had without one."""
    found: dict[str, Account] = {}
    for provider in sorted(intent.distant | asked):
        try:
            found |= clearance.accounts(intent.opened.shot_list, [provider], os.environ)
        except UsageError as error:
            if provider in asked:
                options.say(str(error).removesuffix("\nnothing was submitted"))
    return found


def _asked(intent: Intent, options: Options) -> set[str]:
    """The providers for which a run needs accounts."""
    asked = intent.asked if options.pays else set()
    return asked | {one.record.provider or "" for one in intent.orphans}


# --- what the engine is given ------------------------------------------------------------------------------


@contextmanager
def prepared(
    intent: Intent, options: Options, listener: Listener, on_progress: Callable[[str, float], None]
) -> Iterator[Run]:
    """What the engine is given, with the lockfile laid out and the journal open as long as the block runs.

    Raises:
        RenderError, JournalError: the lockfile or the journal cannot be written.
    """
    from vidspec.drawer import Drawer
    from vidspec.history import History
    from vidspec.ledger import Ledger
    from vidspec.run import Run

    ledger = Ledger(_laid_out(intent), intent.site.lock)
    shot_list = intent.opened.shot_list
    with _journal(intent, ledger, options) as log, _logged(intent, options, listener) as heard:
        _decide(log, [one.slate for one in intent.work if one.pays and one.slate in options.anew])
        yield Run(
            project=shot_list.project,
            plan=intent.plan,
            work=tuple(intent.work),
            orphans=intent.orphans,
            stuck=tuple(one for one in intent.takes if one.action in STUCK),
            standing=sum(one.action == "keep" for one in intent.takes),
            ledger=ledger,
            store=Store(intent.site.folder),
            listener=heard,
            slots=_slots(intent, options),
            maker=Drawer(shot_list.title, drafts=options.draft),
            journal=log,
            fail_fast=options.fail_fast,
            purse=_purse(intent, options),
            history=History(intent.site.history) if log else None,
            drafts=options.draft,
            untold=() if options.rehearsal is None else ("audio",),  # twins draw, and do not sing
            on_progress=on_progress,
        )
        if log is not None:
            log.close(ledger.lock)


def _logged(intent: Intent, options: Options, listener: Listener) -> AbstractContextManager[Listener]:
    """The listener, with a log of the run kept before it: a report draws it. Drafts leave none."""
    from vidspec import runlog

    if options.draft:
        return nullcontext(listener)
    folder = runlog.folder_of(intent.site.folder, intent.site.lock.stem)
    return runlog.kept(folder, intent.work, listener, kind="render" if options.pays else "rehearsal")


def lay_out(intent: Intent) -> None:
    """Bring the lockfile in step where there is nothing to do. Raises RenderError where it cannot be written."""
    from vidspec.ledger import Ledger

    Ledger(_laid_out(intent), intent.site.lock).write()


def _laid_out(intent: Intent) -> Lock:
    """The lockfile with a record for every take, and every clip that was moved to its new place there."""
    found, lock = intent.plan.takes, intent.lock
    if not intent.opened.frozen:
        lock = lock.laid_out((one.slate, one.take.shot, one.take.number) for one in found)
    for one in found:
        if one.action == "keep" and (record := one.record) and record.output:
            lock.put(one.slate, replace(record, output=replace(record.output, path=one.take.output)))
    return lock


def _journal(intent: Intent, ledger: Any, options: Options) -> Any:
    """The journal, without what the lockfile knows by now; None where no provider is spoken to, nor a twin."""
    spoken = not options.draft and bool(intent.distant)
    if not (spoken or intent.orphans or (options.pays and options.anew)):
        return nullcontext()
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


def _slots(intent: Intent, options: Options) -> dict[str, int]:
    """How many takes of each lane may be made at once: the account's limit, and for drawing the cores."""
    cores = os.cpu_count() or 1
    slots = {}
    for lane, provider in {one.lane: one.provider for one in intent.work}.items():
        limit = int(account.settings(intent.opened.shot_list, provider)["max_in_flight"])
        local = studio.is_local(provider)
        slots[lane] = cores if options.draft else min(limit, cores) if local else limit
    return slots


def _purse(intent: Intent, options: Options) -> budget.Purse | None:
    """What a run that pays may spend at the most, by the list and by what was asked."""
    bounds = [one for one in (intent.opened.shot_list.budget, options.allowed) if one is not None]
    return budget.Purse(bounds) if options.pays and bounds else None


def accounts_of(
    intent: Intent, accounts: Mapping[str, Account], options: Options, say: Callable[[str], None]
) -> AbstractAsyncContextManager[Mapping[str, Account]]:
    """The accounts of the run; in a rehearsal those of the twins, once these are open."""
    providers = intent.distant
    if options.rehearsal is not None and providers:
        return options.rehearsal.accounts(intent.opened.shot_list, sorted(providers), say)
    return nullcontext(accounts)
