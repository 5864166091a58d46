"""What needs what: takes that begin, end, or are made from frames of other takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def circle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """One circle among `needs` (slate to slates), as a list that ends where it began; None where there is none.

    Without recursion: a chain may be as long as the list.
    """
    done: set[str] = set()
    for start in needs:
        if start not in done:
            path = [start]
            inside = {start}
            walks = [iter(needs.get(start, ()))]
            while walks:
                following = next(walks[-1], None)
                if following is None:
                    walks.pop()
                    finished = path.pop()
                    inside.discard(finished)
                    done.add(finished)
                elif following in inside:
                    return [*path[path.index(following) :], following]
                elif following not in done:
                    path.append(following)
                    inside.add(following)
                    walks.append(iter(needs.get(following, ())))
    return None


def with_needs(slates: Iterable[str], needs: Mapping[str, Sequence[str]]) -> set[str]:
    """The slates, and all that they need, directly or not."""
    found: set[str] = set()
    waiting = list(slates)
    while waiting:
        slate = waiting.pop()
        if slate not in found:
            found.add(slate)
            waiting.extend(needs.get(slate, ()))
    return found


def dependants(slates: Iterable[str], needs: Mapping[str, Sequence[str]]) -> set[str]:
    """All that needs the slates, directly or not; without them."""
    needed_by: dict[str, list[str]] = {}
    for slate, needed in needs.items():
        for one in needed:
            needed_by.setdefault(one, []).append(slate)
    start = set(slates)
    return with_needs(start, needed_by) - start
