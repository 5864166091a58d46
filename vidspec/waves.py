"""Graph facts: how many takes one behind another, and which of them could be made at once.

Pure, of names alone: `needs` says by slate which slates must be there first. What is needed and stands in no entry
is thought to be there. There are no circles; chains may be as long as the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    Needs = Mapping[str, Sequence[str]]


def generations(needs: Needs) -> dict[str, int]:
    """The takes on the longest chain that ends with each: 1 for one that needs nothing."""
    left = {slate: sum(one in needs for one in set(needed)) for slate, needed in needs.items()}
    behind = needed_by(needs)
    found: dict[str, int] = {}
    ready = [slate for slate, count in left.items() if not count]
    for slate in ready:
        found[slate] = 1 + max((found[one] for one in needs[slate] if one in needs), default=0)
        for dependant in behind.get(slate, ()):
            left[dependant] -= 1
            if not left[dependant]:
                ready.append(dependant)
    return {slate: found[slate] for slate in needs}


def remaining(needs: Needs) -> dict[str, int]:
    """The takes on the longest chain that begins with each: 1 for one that nothing needs."""
    behind = needed_by(needs)
    return generations({slate: behind.get(slate, ()) for slate in needs})


def needed_by(needs: Needs) -> dict[str, list[str]]:
    """By slate the takes that need it, each once, in the order of the list."""
    found: dict[str, list[str]] = {}
    for slate, needed in needs.items():
        for one in dict.fromkeys(needed):
            if one in needs:
                found.setdefault(one, []).append(slate)
    return found


def waves(needs: Needs) -> list[list[str]]:
    """The takes by generation: those of one wave could all be made at once, when the waves before are there."""
    found: list[list[str]] = []
    for slate, generation in generations(needs).items():
        found += [[] for _ in range(generation - len(found))]
        found[generation - 1].append(slate)
    return found


def chain(end: str, needs: Needs, generation: Mapping[str, int]) -> list[str]:
    """The longest chain that ends with a take, from its beginning; of several the one that is needed first."""
    found = [end]
    while earlier := [needed for needed in needs[found[-1]] if needed in needs]:
        found.append(max(earlier, key=generation.__getitem__))
    return found[::-1]


def ends(needs: Needs) -> list[str]:
    """The takes that chains end with: they need others, and nothing needs them."""
    behind = needed_by(needs)
    return [slate for slate, needed in needs.items() if slate not in behind and any(one in needs for one in needed)]


def among(slates: Collection[str], needs: Needs) -> dict[str, list[str]]:
    """The part of a graph that is between some takes."""
    return {slate: [one for one in needed if one in slates] for slate, needed in needs.items() if slate in slates}


def connected(needs: Needs) -> set[str]:
    """The takes that need others, or are needed."""
    behind: Iterable[str] = needed_by(needs)
    return {*behind, *(slate for slate, needed in needs.items() if any(one in needs for one in needed))}
