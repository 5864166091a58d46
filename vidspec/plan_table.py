"""A plan as a person reads it: by provider and model, with counts, seconds of video, prices and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec import budget
from vidspec.diagnostic import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vidspec.console import Console
    from vidspec.lock import Cost
    from vidspec.plan import Plan, Planned

_HUES = {
    "render": ("green",),
    "restore": ("blue",),
    "collect": ("blue",),
    "wait": ("yellow",),
    "blocked": ("red",),
    "failed": ("red",),
    "decide": ("red", "bold"),
    "keep": ("dim",),
}


def print_plan(console: Console, name: str, found: Plan, slates: set[str], *, quiet: bool) -> None:
    """Print the takes among `slates`, grouped, then the totals."""
    takes = [planned for planned in found.takes if planned.slate in slates]
    if not quiet:
        console.line(console.paint(f"{name}: {counted(len(takes), 'take')}", "bold"))
        for (provider, model), group in _groups(takes):
            _print_group(console, provider, model, group)
        for slate in found.removed:
            console.line(
                f"  {console.paint('removed', 'yellow')}  {slate}  no longer in the list; its clip is kept"
            )
        for hint in found.hints:
            console.line(f"  {console.paint('hint:', 'cyan')} {hint}")
        console.line()
    for line in totals(takes):
        console.line(line)


def _groups(takes: Iterable[Planned]) -> Iterator[tuple[tuple[str, str], list[Planned]]]:
    groups: dict[tuple[str, str], list[Planned]] = {}
    for planned in takes:
        groups.setdefault((planned.take.provider, planned.take.model), []).append(planned)
    yield from groups.items()


def _print_group(console: Console, provider: str, model: str, group: Sequence[Planned]) -> None:
    work = [planned for planned in group if planned.action != "keep"]
    kept = len(group) - len(work)
    title = provider if provider == model else f"{provider} · {model}"
    console.line()
    facts = [
        counted(len(group), "take"),
        f"{seconds(group):g} s of video",
        price(work) if work else "nothing to do",
    ]
    console.line(f"{console.paint(title, 'bold')}  {', '.join(facts)}")
    rows = [
        [console.paint(one.action, *_HUES[one.action]), one.slate, one_price(one), "; ".join(one.reasons)]
        for one in work
    ]
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
    return _shown(planned.cost)


def _shown(cost: Cost | None) -> str:
    if cost is None:
        return "unknown"
    if not cost.amount:
        return "free"
    unsure = "~" if cost.basis == "unsure" else ""
    return f"{unsure}{cost.amount:.2f} {cost.currency}"


def price(takes: Sequence[Planned]) -> str:
    """The price of several takes: sums by currency, and how many have none that is known."""
    paid = [planned for planned in takes if planned.pays]
    if not paid:
        return "free"
    unknown = sum(1 for planned in paid if planned.cost is None)
    known = [planned.cost for planned in paid if planned.cost is not None]
    unsure = "about " if any(cost.basis == "unsure" and cost.amount for cost in known) else ""
    parts = [unsure + budget.shown(budget.totals(known))] if known else []
    if unknown:
        parts.append("price unknown" if not known else f"{counted(unknown, 'take')} of unknown price")
    return " and ".join(parts)


def totals(takes: Sequence[Planned]) -> Iterator[str]:
    """The last lines: what there is to do, and what it costs."""
    counts: dict[str, int] = {}
    for planned in takes:
        counts[planned.action] = counts.get(planned.action, 0) + 1
    words = ", ".join(f"{count} {action}" for action, count in counts.items())
    work = [planned for planned in takes if planned.action != "keep"]
    if not work:
        yield f"nothing to do: {words}"
        return
    yield f"total: {words}; {seconds(work):g} s of video; {price(work)}"


def plan_value(found: Plan, slates: set[str]) -> dict[str, Any]:
    """A plan as `plan --json` prints it."""
    takes = [planned for planned in found.takes if planned.slate in slates]
    work = [planned for planned in takes if planned.action != "keep"]
    paid = [planned for planned in work if planned.pays]
    actions: dict[str, int] = {}
    for planned in takes:
        actions[planned.action] = actions.get(planned.action, 0) + 1
    return {
        "takes": [_take_value(planned) for planned in takes],
        "totals": {
            "takes": len(takes),
            "actions": actions,
            "seconds": seconds(work),
            "cost": budget.totals(planned.cost for planned in paid),
            "unknown_price": sum(1 for planned in paid if planned.cost is None),
        },
        "removed": list(found.removed),
        "hints": list(found.hints),
    }


def _take_value(planned: Planned) -> dict[str, Any]:
    take, cost = planned.take, planned.cost
    return {
        "slate": take.slate,
        "shot": take.shot,
        "take": take.number,
        "provider": take.provider,
        "model": take.model,
        "mode": take.mode,
        "action": planned.action,
        "state": planned.state,
        "reasons": list(planned.reasons),
        "seed": take.seed,
        "cost": None if cost is None else {"amount": cost.amount, "currency": cost.currency, "basis": cost.basis},
        "request_id": planned.request_id,
        "output": take.output,
    }
