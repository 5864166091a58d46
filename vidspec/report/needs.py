"""What a take needs that is not there yet: what would bring it, what that costs, and what could stand in for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vidspec import graph
from vidspec.plan_table import sum_of
from vidspec.planned import STUCK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vidspec.lock import Cost, Lock
    from vidspec.planned import Plan, Planned
    from vidspec.shot import Shot
    from vidspec.take import Input, Take

UNDONE = ("failed", "decide")
"""What is done for a take that has come to nothing, until a person says more."""


class Needs:
    """The takes of a plan by what they need. `shots` are those of the list by id, as they are written."""

    def __init__(self, plan: Plan, shots: Mapping[str, Shot], lock: Lock) -> None:
        self._planned = {one.slate: one for one in plan.takes}
        self._shots = shots
        self._lock = lock

    @cached_property
    def _of(self) -> dict[str, tuple[str, ...]]:
        return {slate: one.take.needs for slate, one in self._planned.items()}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {slate: place for place, slate in enumerate(self._planned)}

    @cached_property
    def _there(self) -> dict[str, Planned]:
        """The first take of each shot whose clip is there."""
        found: dict[str, Planned] = {}
        for one in self._planned.values():
            if one.action == "keep" and (record := self._lock.get(one.slate)) is not None and record.rendered:
                found.setdefault(one.take.shot, one)
        return found

    def chain(self, planned: Planned) -> list[Planned]:
        """A take and all that it needs, directly or not, in the order of the list."""
        slates = graph.with_needs([planned.slate], self._of)
        known = sorted(slates & self._planned.keys(), key=self._places.__getitem__)
        return [self._planned[slate] for slate in known]

    def instead(self, planned: Planned) -> list[Planned]:
        """Takes that are there and could be chosen, so that none is needed any more that has come to nothing.

        Nothing where another than a chosen take is asked for, or where no other take of the shot is there.
        """
        chain = self.chain(planned)
        stuck = [one for one in chain if one.action in UNDONE]
        if not all(self._is_by_choice(other, one) for one in stuck for other in chain):
            return []
        shots = dict.fromkeys(one.take.shot for one in stuck)
        return [self._there[shot] for shot in shots] if all(shot in self._there for shot in shots) else []

    def _is_by_choice(self, planned: Planned, needed: Planned) -> bool:
        """Whether a take that is made from another one is so because that is the one of its shot to be used."""
        uses = [one for one in planned.take.inputs if one.frame and one.frame.slate == needed.slate]
        return all(self._is_unnumbered(planned.take, one) for one in uses)

    def _is_unnumbered(self, take: Take, given: Input) -> bool:
        shot = self._shots.get(take.shot)
        if shot is None:
            return False
        written = shot.settings.get(given.setting)
        if isinstance(written, list):
            written = written[given.index]
        return not isinstance(written, dict) or written.get("take", "chosen") == "chosen"


def price_of_all(chain: Sequence[Planned]) -> str:
    """What is paid where all of these are rendered, those too that have failed, are in doubt, or wait for such."""
    costs: list[Cost | None] = []
    for one in chain:
        if one.pays:
            costs.append(one.cost)
        elif one.action in STUCK:
            costs.append(one.again)
    return sum_of(costs)
