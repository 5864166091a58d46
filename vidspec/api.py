"""What the commands do, as functions of Python: typed, and with the same objects that the commands use.

import trio, vidspec

film = vidspec.load("shots.yaml")
for planned in vidspec.plan(film).work:
    print(planned.slate, planned.action, planned.cost)
outcome = trio.run(lambda: vidspec.render(film, yes=True))
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidspec import conduct, production, project
from vidspec.errors import UsageError
from vidspec.events import Outcome
from vidspec.production import Options
from vidspec.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from vidspec.diagnostic import Diagnostic
    from vidspec.events import Event, Listener
    from vidspec.lock import Lock
    from vidspec.planned import Plan
    from vidspec.project import Opened

    Name = str | PathLike[str]


def validate(*files: Name, variables: Mapping[str, Any] | None = None) -> list[Diagnostic]:
    """Everything that is wrong or doubtful in shot lists, sorted by place; empty where all is well.

    `variables` override the `vars` of the lists, as `--var` does.

    Raises:
        UsageError: a variable that no list names.
    """
    found, _ = project.diagnose([Path(file) for file in files], variables or {})
    return found


def load(file: Name, *, variables: Mapping[str, Any] | None = None, frozen: bool = False) -> Opened:
    """A shot list, read, checked and resolved into takes; with `frozen` what its lockfile says of it instead.

    Raises:
        ShotListError: with all diagnostics, where one of them is an error.
        UsageError: a variable that the list does not name, or any where it is not read; or no lockfile to go by.
        LockError: the lockfile cannot be read, or names what this release cannot use.
    """
    if frozen:
        from vidspec.frozen import open_frozen

        if variables:
            raise UsageError("`variables` have no place where the list is not read: `frozen` goes by the lockfile")
        return open_frozen(Path(file))
    (opened,), _ = project.open_lists([Path(file)], variables or {})
    return opened


def plan(film: Opened, *, dependants: bool = False) -> Plan:
    """What a render would do for every take, what it would cost, and why; nothing is changed.

    With `dependants` what is stale only behind another take would be rendered too.

    Raises:
        LockError, JournalError: the lockfile or the journal cannot be read.
    """
    return production.planned(film, Options(dependants=dependants))


def read_lock(file: Name) -> Lock:
    """The lockfile of a shot list, given by the list's own path or the lockfile's; empty where there is none.

    Raises:
        LockError: it is no lockfile that this release can read.
    """
    return project.read_lock(Site.real(Path(file)).lock)


async def render(
    film: Opened,
    *,
    select: str | None = None,
    exclude: str | None = None,
    yes: bool = False,
    max_cost: Mapping[str, float] | None = None,
    max_takes: int | None = None,
    only_new: bool = False,
    only_free: bool = False,
    retry_failed: bool = False,
    resubmit: Sequence[str] = (),
    locked: bool = False,
    fail_fast: bool = False,
    dependants: bool = False,
    draft: bool = False,
    on_event: Listener | None = None,
) -> Outcome:
    """Render a film, as `vidspec render` does: under trio, and at most once whatever happens.

    Money is only spent with `yes`, and within `max_cost` (amounts by currency) and the list's own budget. With
    `only_free` nothing is spent: what is kept or was accepted before is brought back. `on_event` is told of every
    event, in order, and must not wait. A run that is cancelled stops submitting and keeps what was accepted; the
    next one goes on from there.

    Raises:
        LockError, UsageError: the input is wrong; nothing was done.
        Refusal: over budget, no consent, or another run holds the project; nothing was submitted.
        JournalError, RenderError: the journal or the lockfile cannot be written.
    """
    if draft and film.frozen:
        raise UsageError("`draft` draws what a list says: it does not go with `frozen`")
    options = Options(
        chosen=select,
        left_out=exclude,
        draft=draft,
        retry=retry_failed,
        anew=tuple(resubmit),
        yes=yes,
        only_new=only_new,
        only_free=only_free,
        most=max_takes,
        fail_fast=fail_fast,
        dependants=dependants,
        locked=locked,
        allowed=max_cost,
    )
    outcome = Outcome()
    with (
        production.admitted(film, options) as (intent, accounts),
        production.prepared(intent, options, on_event or _nobody, lambda _slate, _share: None) as given,
    ):
        try:
            await conduct.perform(given, nullcontext(accounts), outcome)
        except ExceptionGroup as group:
            raise conduct.told(group, outcome) from group
    return outcome


def _nobody(_event: Event, /) -> None:
    """A listener where nobody listens."""
