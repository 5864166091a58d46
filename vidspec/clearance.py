"""What must be in order before anything is sent: addresses, keys, the budget, and a person's consent."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from vidspec import account, budget, journal, studio, trust
from vidspec.account import Account
from vidspec.diagnostic import counted
from vidspec.errors import Refusal, UsageError
from vidspec.plan_table import price

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from vidspec.planned import Plan, Planned
    from vidspec.shotlist import ShotList


def accounts(shot_list: ShotList, providers: Iterable[str], environment: Mapping[str, str]) -> dict[str, Account]:
    """The accounts that a run needs, with their keys.

    Raises:
        UsageError: keys are missing, or would go to a host that nobody has named; all of it is said at once.
    """
    wanted = list(providers)
    trusted = trust.trusted(environment) if wanted else ()
    found: dict[str, Account] = {}
    problems: list[str] = []
    for provider in wanted:
        try:
            variable, key = account.key(shot_list, provider, environment)
        except UsageError as error:
            problems.append(str(error))
            continue
        address = account.address(shot_list, provider, environment)
        if address is None:
            named = f"`base_url` or `{account.base_url_variable(provider)}`"
            problems.append(f"`{provider}` has no address\n    help: something of yours is there; write {named}")
        elif key is None:
            problems.append(f"`{variable}` is not set\n    help: it holds the key of `{provider}`")
        elif problem := account.key_problem(provider, address, trusted):
            problems.append(problem)
        else:
            found[provider] = of(shot_list, provider, address.url, key)
    if problems:
        raise UsageError("\n".join((*problems, "nothing was submitted")))
    return found


def spare(shot_list: ShotList, providers: Iterable[str], environment: Mapping[str, str]) -> dict[str, Account]:
    """The accounts that a run can do without, as far as they are in order."""
    found: dict[str, Account] = {}
    for provider in providers:
        with suppress(UsageError):
            found |= accounts(shot_list, [provider], environment)
    return found


def of(shot_list: ShotList, provider: str, base_url: str, key: str) -> Account:
    """An account with the limits that the list gives it."""
    limits = account.settings(shot_list, provider)
    return Account(
        provider=provider,
        base_url=base_url.rstrip("/"),
        key=key,
        max_in_flight=int(limits["max_in_flight"]),
        submits_per_minute=float(limits["submits_per_minute"]),
        poll_interval=float(limits["poll_interval"]),
        deadline=float(limits["deadline"]),
        request_timeout=float(limits["request_timeout"]),
    )


def refuse_left_behind(shot_list: Path, own: Path) -> None:
    """Raise Refusal where a list was renamed and its journal was not: what is under way would be paid for again.

    `own` is the journal of this list. Only a journal that knows of live requests, and whose list is gone, counts.
    """
    if own.exists() or not own.parent.is_dir():
        return
    for other in sorted(own.parent.glob("*.jsonl")):
        is_gone = not any((shot_list.parent / f"{other.stem}{ending}").exists() for ending in (".yaml", ".yml", ""))
        live = sum(1 for one in journal.read(other).values() if one.collectable or one.doubtful) if is_gone else 0
        if live:
            raise Refusal(
                f"`{other.name}` in `.vidspec/journal` knows of {counted(live, 'take')} under way or in doubt, "
                "and its list is gone; nothing was submitted\n"
                f"    help: if `{other.stem}` was renamed, rename the journal to `{own.name}`, and the lockfile; "
                "else move the journal away"
            )


def refuse_no_place(project: Path, outputs: Iterable[str]) -> None:
    """Raise UsageError where a folder of a project that a clip is to go to cannot be made, or not be written in."""
    good = {project}
    for folder in {(project / output).parent for output in outputs}:
        while folder not in good and not os.path.lexists(folder):
            folder = folder.parent
        if folder not in good and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            reason = "cannot be written in" if folder.is_dir() else "is no folder"
            place = os.path.relpath(folder, project)
            raise UsageError(f"`{place}` {reason}, and clips are to go there; nothing was submitted")
        good.add(folder)


def hold_to_lock(found: Plan, slates: Collection[str]) -> None:
    """Raise Refusal, with what differs, where the list does not ask for just what its lockfile records.

    `found` is a plan by settings alone, with every recorded clip in its place: a missing one is no difference, nor
    is an edit that somebody has waived.
    """
    lines = [
        f"  {one.slate}: {'; '.join(one.reasons)}" for one in found.takes if one.slate in slates and one.differs
    ]
    if len(slates) == len(found.takes):
        lines += [f"  {slate}: no longer in the list" for slate in found.removed]
    if lines:
        told = "\n".join(lines)
        raise Refusal(f"list and lockfile differ, which `--locked` does not allow; nothing was submitted\n{told}")


def hold_to_budget(
    listed: Mapping[str, float] | None, asked: Mapping[str, float] | None, work: Iterable[Planned]
) -> None:
    """Raise Refusal where the work may cost more than the list allows, or than the command line does."""
    sums = budget.totals(one.cost for one in work if one.pays)
    for allowed, name in ((listed, "budget"), (asked, "`--max-cost`")):
        for sentence in budget.excesses(allowed, sums, name):
            raise Refusal(f"{sentence}; nothing was submitted")


def consent(work: Sequence[Planned], ask: Callable[[str], bool] | None) -> None:
    """Have a person agree to the price of the work, where there is one or it is unknown.

    `ask` puts a question that is answered by yes or no; None where nobody is there to be asked.

    Raises:
        Refusal: the answer was no, or nobody is there and `--yes` was not given.
    """
    sent = (one for one in work if one.pays and not studio.is_local(one.take.provider))
    paid = [one for one in sent if one.cost is None or one.cost.amount]
    if not paid:
        return
    question = f"this run submits {counted(len(paid), 'take')}: {price(paid)}"
    if ask is None:
        raise Refusal(f"{question}; `--yes` agrees to that; nothing was submitted")
    if not ask(f"{question}. Go on?"):
        raise Refusal("not agreed; nothing was submitted")
