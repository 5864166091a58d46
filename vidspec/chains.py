"""How the takes of a plan hang together, in words and as JSON: waves, chains, and what goes stale behind others."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import budget, graph, studio, waves
from vidspec.diagnostic import counted
from vidspec.plan_table import behind, sum_of
from vidspec.planned import DOES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidspec.lock import Cost
    from vidspec.planned import Plan, Planned

SOFT = 4
"""Generations from which on a picture that was handed on has become soft enough to be told of."""

_MOST_CHAINS, _MOST_TAKES = 100, 10_000
"""Chains that are told of as JSON, and the takes in all of them together."""
_SHOWN = 6
"""Names in a row that are shown; of more, the first and the last."""


class Chain(NamedTuple):
    """Takes that are each made from the one before."""

    takes: tuple[Planned, ...]

    @property
    def slates(self) -> list[str]:
        """Their names, the first one first."""
        return [one.slate for one in self.takes]

    @property
    def costs(self) -> list[Cost | None]:
        """What it would cost to render each as it is written now."""
        return [one.again for one in self.takes]

    @property
    def due(self) -> list[Cost | None]:
        """What is to be paid for those that would be rendered now."""
        return [one.cost for one in self.takes if one.pays]


class Web:
    """The takes of a plan by what they are made from; of interest are those among `slates`.

    `thorough` is the plan by which what is stale behind others is rendered too; None where there is no such take.
    """

    def __init__(self, plan: Plan, slates: set[str], thorough: Plan | None = None) -> None:
        self.plan = plan
        self.slates = slates
        self.planned = {one.slate: one for one in plan.takes}
        self.needs = {slate: (one.edited or one.take).needs for slate, one in self.planned.items()}
        self._thorough = thorough

    @cached_property
    def connected(self) -> set[str]:
        """The takes that are made from others, or that others are made from."""
        return waves.connected(self.needs)

    @cached_property
    def generations(self) -> dict[str, int]:
        """How many takes a picture has gone through when it is in each clip, that clip included."""
        return waves.generations(self.needs)

    @cached_property
    def waves(self) -> list[list[str]]:
        """The takes for which a run does something, by what must be there first."""
        work = {slate: one for slate, one in self.planned.items() if slate in self.slates and one.action in DOES}
        asked = {slate: () if _is_had(one) else one.take.needs for slate, one in work.items()}
        return waves.waves(waves.among(work, asked))

    @cached_property
    def chains(self) -> list[Chain]:
        """The longest chain to each of the ends, the longest first: those that hold selected takes."""
        found = (waves.chain(end, self.needs, self.generations) for end in self._ends())
        chains = [Chain(tuple(self.planned[slate] for slate in one)) for one in found]
        return [one for one in chains if any(slate in self.slates for slate in one.slates)]

    def _ends(self) -> list[str]:
        """As many ends as their chains may be told of, those of the longest first."""
        ends = sorted(waves.ends(self.needs), key=lambda slate: -self.generations[slate])
        total = 0
        for number, end in enumerate(ends):
            total += self.generations[end]
            if number and (number == _MOST_CHAINS or total > _MOST_TAKES):
                return ends[:number]
        return ends

    @cached_property
    def soft(self) -> list[str]:
        """The selected takes of so late a generation that it is to be told, the latest first."""
        late = [slate for slate in self.planned if slate in self.slates and self.generations[slate] >= SOFT]
        return sorted(late, key=lambda slate: -self.generations[slate])

    @cached_property
    def stale(self) -> list[Planned]:
        """The takes that are stale behind others, or will be, and are left so."""
        if self._thorough is None:
            return []
        paid = [slate for slate in self.slates if slate in self.planned and self.planned[slate].pays]
        reached = {*self.slates, *graph.dependants(paid, self.needs)}
        return [one for one in behind(self.plan, self._thorough) if one.slate in reached]

    def value(self) -> dict[str, Any]:
        """How the takes hang together, as `plan --json` prints it."""
        return {
            "waves": self.waves,
            "depth": max((self.generations[slate] for slate in self.planned if slate in self.slates), default=0),
            "chains": [
                {"takes": one.slates, "generations": len(one.takes), **_sum(one.costs), "due": _sum(one.due)}
                for one in self.chains
            ],
            "dependants": {"takes": [one.slate for one in self.stale], **_sum([one.cost for one in self.stale])},
        }


def _is_had(planned: Planned) -> bool:
    """Whether a clip is under way, or kept and paid for, so that nothing must be there first."""
    paid = not studio.is_local(planned.take.provider)
    return planned.action == "collect" or (planned.action == "restore" and paid)


def _sum(costs: Sequence[Cost | None]) -> dict[str, Any]:
    known = [cost for cost in costs if cost is not None]
    return {"cost": budget.totals(known), "unknown_price": len(costs) - len(known)}


def lines(web: Web) -> Iterator[tuple[str, str]]:
    """What there is to say under a plan, each as a label and a sentence; nothing where no take is from another."""
    if web.connected.isdisjoint(web.slates):
        return
    if len(web.waves) > 1:
        sizes = _some([f"{len(wave)}" for wave in web.waves], ", ")
        sizes = " and ".join(sizes.rsplit(", ", 1))
        yield "waves:", f"{len(web.waves)}, of {sizes} takes; each take begins as soon as what it needs is there"
    if web.chains:
        yield "longest chain:", _chain(web.chains[0])
    if stale := web.stale:
        said = f"{_some([one.slate for one in stale], ', ')}, {counted(len(stale), 'take')} behind others"
        yield "left stale:", f"{said}; with `--with-dependants`: {sum_of([one.cost for one in stale])} more"
    if web.soft:
        yield "hint:", _softness(web)


def _chain(chain: Chain) -> str:
    names, generations = _some(chain.slates, " → "), counted(len(chain.takes), "generation")
    whole = sum_of(chain.costs)
    if len(chain.due) == len(chain.takes):
        return f"{names}; {generations}, {whole}"
    due = f"{sum_of(chain.due)} now, " if chain.due else ""
    return f"{names}; {generations}, {due}{whole} for all of it anew"


def _softness(web: Web) -> str:
    first, generation = web.soft[0], web.generations[web.soft[0]]
    more = f" (and {counted(len(web.soft) - 1, 'more take')} from the {SOFT}th on)" if len(web.soft) > 1 else ""
    said = f"`{first}` is of generation {generation}{more}: every hop softens the picture"
    return f"{said}; one key frame for several shots does not"


def _some(words: Sequence[str], separator: str) -> str:
    """Words in a row; of many, the first ones and the last."""
    if len(words) <= _SHOWN:
        return separator.join(words)
    middle = f"… {len(words) - _SHOWN + 1} more …"
    return separator.join((*words[: _SHOWN - 2], middle, words[-1]))
