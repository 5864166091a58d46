"""What is planned for a take, as values: what would be done, why, and for how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from vidspec import budget
from vidspec.providers import table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from vidspec.difference import Change
    from vidspec.lock import Cost, Record
    from vidspec.state import Flight
    from vidspec.take import Take

Action = Literal["render", "collect", "restore", "keep", "wait", "blocked", "failed", "decide"]
State = Literal[
    "new", "stale", "waived", "missing", "changed", "waiting", "done", "accepted", "failed", "in_doubt", "blocked"
]  # fmt: skip

DOES = frozenset({"render", "collect", "restore", "wait"})
"""The actions for which a run does something."""

PAYS = frozenset({"render", "wait"})
"""The actions that end in a submit."""

STUCK = frozenset({"failed", "decide", "blocked"})
"""The actions that leave a take as it is, because a person has to do something first."""


class Disk(Protocol):
    """What a plan must know of the disk."""

    def size(self, output: str) -> int | None:
        """The size in bytes of the file at an output's place; None where there is no file."""

    def is_altered(self, output: str, digest: str) -> bool:
        """Whether the file at an output's place, of the right size, is known not to have these bytes."""

    def holds(self, digest: str) -> bool:
        """Whether the bytes of this digest are still kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Afloat:
    """What the journal knows, and what a person has said about it.

    `flights` are the present lives of takes by slate. With `retry` what has failed is tried again; the slates in
    `anew` are submitted once more even where that may pay twice, but for what is under way and may still be had.
    With `dependants` what was made from a clip that is another now is rendered again too. With `frozen` the takes
    are those of the lockfile, and another request of theirs that is under way is left alone.
    """

    flights: Mapping[str, Flight] = field(default_factory=dict)
    retry: bool = False
    anew: Collection[str] = ()
    dependants: bool = False
    frozen: bool = False

    @property
    def landing(self) -> frozenset[str]:
        """Places of clips that were delivered by a run which may have been stopped before they stood there."""
        outputs = (one.record.output for one in self.flights.values() if one.move == "delivered")
        return frozenset(output.path for output in outputs if output is not None)


_NOTHING_AFLOAT = Afloat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One take, what would be done for it, and why.

    `take` is what would be sent: where the lockfile stands for settings that nobody wrote, they are in it.
    `state` is one word for how the take stands now. `flight` is its present life at a provider, if it has one.
    `changes` are the inputs that are not as recorded, and `edit` is a digest of what they come to, None where that
    cannot be said yet. Where they are left alone, because somebody has waived them (`vidspec accept`) or because
    only a clip behind them is another, `take` is what was rendered, and `edited` what would be sent now.
    """

    take: Take
    action: Action
    state: State
    reasons: tuple[str, ...]
    cost: Cost | None
    record: Record | None = None
    flight: Flight | None = None
    changes: tuple[Change, ...] = ()
    edit: str | None = None
    edited: Take | None = None

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request: of the one under way, else of the one that made the recorded clip."""
        if self.flight is not None and self.flight.request_id is not None:
            return self.flight.request_id
        return self.record.request_id if self.record else None

    @property
    def provider(self) -> str:
        """Who is asked for the clip: for a request under way whoever has it, whatever the list says now."""
        sent = self.flight.record.provider if self.flight is not None and self.action == "collect" else None
        return sent or self.take.provider

    @property
    def lane(self) -> str:
        """The door that only so many go through at once: the provider's, or one of its model's own."""
        record = self.flight.record if self.flight is not None and self.action == "collect" else None
        return lane_of(self.provider, (record.model if record else None) or self.take.model)

    @property
    def pays(self) -> bool:
        """Whether a run would submit the take: only that is paid."""
        return self.action in PAYS

    @property
    def slate(self) -> str:
        """The take's printed name."""
        return self.take.slate

    @property
    def is_left(self) -> bool:
        """Whether it is stale behind another take, and left so until somebody asks for its dependants too."""
        return self.edited is not None and self.state == "stale"

    @property
    def differs(self) -> bool:
        """Whether what the list asks for is not what the lockfile records, and nobody has waived that."""
        if self.state == "waived":
            return False
        return bool(self.changes) or (self.pays and (self.record is None or not self.record.rendered))

    @property
    def again(self) -> Cost | None:
        """What it would cost to render the take as it is written now; None where nobody knows."""
        return price_of(self.edited or self.take)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All takes of a list in its order, and what stands in the lockfile or the journal but not in the list."""

    takes: tuple[Planned, ...]
    removed: tuple[str, ...] = ()
    orphans: tuple[Flight, ...] = ()
    hints: tuple[str, ...] = field(default=())

    @property
    def work(self) -> list[Planned]:
        """The takes for which a run does something."""
        return [planned for planned in self.takes if planned.action in DOES]

    @property
    def costs(self) -> dict[str, float]:
        """What the work costs, by currency, as far as it is known."""
        return budget.totals(planned.cost for planned in self.work if planned.pays)

    @property
    def unpriced(self) -> list[Planned]:
        """The work whose price nobody knows."""
        return [planned for planned in self.work if planned.cost is None and planned.pays]


def price_of(take: Take) -> Cost | None:
    """The price of one take by its model's price list; None where it is unknown."""
    return budget.cost(table(take.provider).models[take.model], take.facts)


def lane_of(provider: str, model: str) -> str:
    """The lane of a model: its provider's, unless its limits hold for each model by itself."""
    return f"{provider} {model}" if table(provider).limits.get("per_model") else provider
