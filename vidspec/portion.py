"""How much of the work a run takes on: only what is new, or only so many submits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec import studio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidspec.planned import Planned


def portion(
    work: Iterable[Planned], *, only_new: bool, most: int | None, only_free: bool = False
) -> tuple[list[Planned], list[Planned]]:
    """The work that is done and the work that is left for later, each in its order.

    With `only_new` nothing is paid for that was rendered before, with `only_free` nothing at all; `most`
    bounds the submits that cost. What needs a take that is left is left too.
    """
    done: list[Planned] = []
    left: list[Planned] = []
    gone: set[str] = set()
    submits = 0
    for one in _needed_first(list(work)):
        paid = one.pays and not studio.is_local(one.provider)
        stale = only_new and one.pays and one.record is not None and one.record.rendered
        full = most is not None and paid and submits >= most
        if stale or full or (only_free and paid) or (one.pays and not gone.isdisjoint(one.take.needs)):
            left.append(one)
            gone.add(one.slate)
        else:
            done.append(one)
            submits += paid
    return done, left


def _needed_first(work: list[Planned]) -> list[Planned]:
    """The work in its order, but each take after those that it needs."""
    if not any(one.take.inputs for one in work):
        return work
    by_slate = {one.slate: one for one in work}
    ordered: dict[str, Planned] = {}
    for one in work:
        waiting = [one]
        while waiting:
            needs = (by_slate.get(slate) for slate in waiting[-1].take.needs)
            missing = [needed for needed in needs if needed is not None and needed.slate not in ordered]
            if missing:
                waiting += missing
            else:
                ordered.setdefault(waiting[-1].slate, waiting.pop())
    return list(ordered.values())
