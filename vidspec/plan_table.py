"""A plan as a person reads it: by provider and model, with counts, seconds of video, prices and reasons."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from vidspec import budget
from vidspec.diagnostic import counted
from vidspec.planned import DOES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vidspec.console import Console
    from vidspec.difference import Change
    from vidspec.lock import Cost, Lock, Record
    from vidspec.planned import Plan, Planned

HUES = {
    "render": ("green",),
    "restore": ("blue",),
    "collect": ("blue",),
    "wait": ("yellow",),
    "blocked": ("red",),
    "failed": ("red",),
    "decide": ("red", "bold"),
    "keep": ("dim",),
}
"""The colours of the actions."""


def print_plan(
    console: Console,
    name: str,
    found: Plan,
    slates: set[str],
    *,
    quiet: bool,
    notes: Iterable[tuple[str, str]] = (),
    drawing: Iterable[str] | None = None,
) -> None:
    """Print the takes among `slates`, grouped, or a drawing of them; then notes, and the totals.

    A note is a label and a sentence.
    """
    takes = [planned for planned in found.takes if planned.slate in slates]
    if not quiet:
        console.line(console.paint(f"{name}: {counted(len(takes), 'take')}", "bold"))
        if drawing is None:
            for (provider, model), group in _groups(takes):
                _print_group(console, provider, model, group)
        for line in () if drawing is None else ("", *drawing):
            console.line(line)
        notes = list(notes)
        if found.removed or found.hints or notes:
            console.line()
        for label, sentence in notes:
            console.line(f"  {console.paint(label, 'cyan')} {sentence}")
        for slate in found.removed:
            console.line(
                f"  {console.paint('removed', 'yellow')}  {slate}  no longer in the list; its clip is kept"
            )
        for hint in (*found.hints, *prunable(found.removed, name)):
            console.line(f"  {console.paint('hint:', 'cyan')} {hint}")
        console.line()
    for line in totals(takes):
        console.line(line)


def _groups(takes: Iterable[Planned]) -> Iterator[tuple[tuple[str, str], list[Planned]]]:
    groups: dict[tuple[str, str], list[Planned]] = {}
    for planned in takes:
        groups.setdefault((planned.take.provider, planned.take.model), []).append(planned)
    yield from groups.items()


def prunable(removed: Sequence[str], name: str) -> Iterator[str]:
    """What a person may do about records of takes that the list of that name no longer has."""
    if removed:
        yield f"`vidspec lock prune {shlex.quote(name)}` takes what was removed out of the lockfile"


def _print_group(console: Console, provider: str, model: str, group: Sequence[Planned]) -> None:
    work = [planned for planned in group if planned.action in DOES]
    told = [planned for planned in group if planned.action != "keep" or planned.edited is not None]
    kept = len(group) - len(told)
    title = provider if provider == model else f"{provider} · {model}"
    console.line()
    facts = [
        counted(len(group), "take"),
        f"{seconds(group):g} s of video",
        price(work) if work else "nothing to do",
    ]
    console.line(f"{console.paint(title, 'bold')}  {', '.join(facts)}")
    rows = [[console.paint(one.action, *HUES[one.action]), one.slate, one_price(one), why(one)] for one in told]
    console.rows(rows, right=(2,))
    if kept:
        console.line(f"  {console.paint('keep', 'dim')}  {counted(kept, 'take')}")


def seconds(takes: Iterable[Planned]) -> float:
    """Seconds of video, of the takes whose length is known."""
    return sum(float(planned.take.facts.get("duration") or 0) for planned in takes)


def one_price(planned: Planned) -> str:
    """The price of one take: an amount, `free`, `unknown`, or nothing where nothing is paid."""
    if not planned.pays:
        return ""
    return amount(planned.cost)


def is_accepted(planned: Planned) -> bool:
    """Whether somebody has waived the edit of a take, wherever its clip is now."""
    record = planned.record if planned.edited is not None else None
    return record is not None and record.accepted is not None and record.accepted == planned.edit


def why(planned: Planned) -> str:
    """The reasons of a take. Where an edit is left alone, that is said, and what rendering it would cost."""
    if planned.edited is None:
        return "; ".join(planned.reasons)
    place = len(planned.reasons) - len(planned.changes)
    edit = "; ".join(planned.reasons[place:])
    if is_accepted(planned):
        told = f"accepted: {edit}; to render it: {amount(planned.again)}"
    else:
        told = f"left so: {edit}; to render it, with `--with-dependants`: {amount(planned.again)}"
    return "; ".join((*planned.reasons[:place], told))


def amount(cost: Cost | None) -> str:
    """One price in a few letters: `0.40 usd`, `~2.00 cny` where it is unsure, `free`, or `unknown`."""
    if cost is None:
        return "unknown"
    if not cost.amount:
        return "free"
    unsure = "~" if cost.basis == "unsure" else ""
    return f"{unsure}{cost.amount:.2f} {cost.currency}"


def price(takes: Iterable[Planned]) -> str:
    """The price of several takes: sums by currency, and how many have none that is known."""
    return sum_of([planned.cost for planned in takes if planned.pays])


def sum_of(costs: Sequence[Cost | None]) -> str:
    """What several takes cost together; None is a price that nobody knows."""
    known = [cost for cost in costs if cost is not None and cost.amount]
    unknown = len(costs) - sum(1 for cost in costs if cost is not None)
    unsure = "about " if any(cost.basis == "unsure" for cost in known) else ""
    if not unknown:
        return unsure + budget.shown(budget.totals(known))
    if len(costs) == unknown:
        return "price unknown"
    beside = f"{counted(unknown, 'take')} of unknown price"
    return f"{unsure}{budget.shown(budget.totals(known))} and {beside}" if known else beside


def totals(takes: Sequence[Planned]) -> Iterator[str]:
    """The last lines: what there is to do, and what it costs."""
    counts: dict[str, int] = {}
    for planned in takes:
        counts[planned.action] = counts.get(planned.action, 0) + 1
    words = ", ".join(f"{count} {action}" for action, count in counts.items())
    accepted, left = _left_alone(takes)
    beside = [counted(accepted, "accepted edit")] if accepted else []
    beside += [f"{left} left stale"] if left else []
    words += f" ({', '.join(beside)})" if beside else ""
    work = [planned for planned in takes if planned.action != "keep"]
    if not work:
        yield f"nothing to do: {words}"
        return
    yield f"total: {words}; {seconds(work):g} s of video; {price(work)}"


def _left_alone(takes: Iterable[Planned]) -> tuple[int, int]:
    """How many edits were accepted, and how many takes are left stale behind others."""
    edited = [planned for planned in takes if planned.edited is not None]
    accepted = sum(map(is_accepted, edited))
    return accepted, len(edited) - accepted


def request_id(planned: Planned, record: Record | None) -> str | None:
    """The provider's id of the request that a take is, or was made by. `record` is the lockfile's.

    A plan says nothing of the record of a take that is plainly done: it has not looked at it.
    """
    if planned.record is not None or record is None:
        return planned.request_id
    return planned.request_id or record.request_id


def is_chosen(record: Record | None) -> bool:
    """Whether a take is the one of its shot that goes into the cut because somebody has said so."""
    return record is not None and bool(record.chosen)


def plan_value(found: Plan, slates: set[str], lock: Lock) -> dict[str, Any]:
    """A plan as `plan --json` prints it. Raises LockError for a record that cannot be read."""
    takes = [planned for planned in found.takes if planned.slate in slates]
    work = [planned for planned in takes if planned.action != "keep"]
    paid = [planned for planned in work if planned.pays]
    actions: dict[str, int] = {}
    for planned in takes:
        actions[planned.action] = actions.get(planned.action, 0) + 1
    return {
        "takes": [_take_value(planned, lock.get(planned.slate)) for planned in takes],
        "totals": {
            "takes": len(takes),
            "actions": actions,
            "seconds": seconds(work),
            "cost": budget.totals(planned.cost for planned in paid),
            "unknown_price": sum(1 for planned in paid if planned.cost is None),
            "accepted": _left_alone(takes)[0],
        },
        "removed": list(found.removed),
        "hints": list(found.hints),
    }


def cost_value(cost: Cost | None) -> dict[str, Any] | None:
    """A price as JSON has it; null where nobody knows it, or nothing is paid."""
    return None if cost is None else {"amount": cost.amount, "currency": cost.currency, "basis": cost.basis}


def behind(plain: Plan, thorough: Plan) -> list[Planned]:
    """The takes that only the second of two plans pays for: the one in which dependants are rendered too."""
    paid = {one.slate for one in plain.takes if one.pays}
    return [one for one in thorough.takes if one.pays and one.slate not in paid]


def change_values(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Inputs that are not as recorded, as JSON has them."""
    return [{"setting": one.name, "old": one.old, "new": one.new, "note": one.note} for one in changes]


def _take_value(planned: Planned, record: Record | None) -> dict[str, Any]:
    take = planned.take
    return {
        "slate": take.slate,
        "shot": take.shot,
        "take": take.number,
        "provider": take.provider,
        "model": take.model,
        "mode": take.mode,
        "needs": list((planned.edited or take).needs),
        "action": planned.action,
        "state": planned.state,
        "reasons": list(planned.reasons),
        "changes": change_values(planned.changes),
        "accepted": is_accepted(planned),
        "chosen": is_chosen(record),
        "seed": take.seed,
        "cost": cost_value(planned.cost),
        "request_id": request_id(planned, record),
        "output": take.output,
    }
