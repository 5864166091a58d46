"""What the commands do, as functions of Python: typed, and with the same objects that the commands use.

import trio, vidspec

film = vidspec.load("shots.yaml")
for planned in vidspec.plan(film).work:
    print(planned.slate, planned.action, planned.cost)
outcome = trio.run(lambda: vidspec.render(film, yes=True))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidspec import conduct, production, project
from vidspec.diagnostic import shown
from vidspec.errors import UsageError
from vidspec.events import Outcome
from vidspec.production import Options
from vidspec.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        UsageError: `file` is a directory.
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
    if dependants and film.frozen:
        raise UsageError("`dependants` does not go with `frozen`: takes are had again as they were rendered")
    _refuse_unfit(select=select, exclude=exclude, max_takes=max_takes)
    options = Options(
        chosen=select,
        left_out=exclude,
        draft=draft,
        retry=retry_failed,
        anew=_slates(resubmit),
        yes=yes,
        only_new=only_new,
        only_free=only_free,
        most=max_takes,
        fail_fast=fail_fast,
        dependants=dependants,
        locked=locked,
        allowed=None if max_cost is None else _amounts(max_cost),
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


def _refuse_unfit(*, select: Any, exclude: Any, max_takes: Any) -> None:
    """Raise UsageError for what would be taken for something else, or is found out only on the way."""
    for name, value in (("select", select), ("exclude", exclude)):
        if not (value is None or isinstance(value, str)):
            raise UsageError(f"`{name}` is a selection as a text, such as `tag:night s020`, not {shown(value)}")
    whole = isinstance(max_takes, int) and not isinstance(max_takes, bool)
    if not (max_takes is None or (whole and max_takes > 0)):
        raise UsageError(f"`max_takes` is a whole number from 1 on, not {shown(max_takes)}")


def _slates(given: Any) -> tuple[str, ...]:
    """What `resubmit` names. Raises UsageError for a text, which would be taken letter by letter."""
    slates = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (None,)
    if not all(isinstance(slate, str) for slate in slates):
        raise UsageError(f"`resubmit` is a list of slates, such as `['s010-t01']`, not {shown(given)}")
    return slates


def _amounts(given: Any) -> dict[str, float]:
    """What `max_cost` allows, by currency. Raises UsageError for what is no amount: nothing is spent under it."""
    found: dict[str, float] = {}
    for currency, amount in given.items() if isinstance(given, Mapping) else ((None, given),):
        number = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not (isinstance(currency, str) and number and 0 <= amount < math.inf):
            raise UsageError(f"`max_cost` is amounts by currency, such as `{{'usd': 5}}`, not {shown(given)}")
        found[currency.lower()] = amount
    return found


def _nobody(_event: Event, /) -> None:
    """A listener where nobody listens."""
