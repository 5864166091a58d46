"""What the page says, as values: shots in order, their takes, and what a person has to look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vidspec.delivered import compared as delivered_otherwise
from vidspec.plan_table import amount
from vidspec.providers import PROVIDERS, table
from vidspec.report import settings
from vidspec.report.advice import commands
from vidspec.report.money import money, on_card, paid
from vidspec.report.needs import Needs
from vidspec.summary import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vidspec.diagnostic import Diagnostic
    from vidspec.difference import Change
    from vidspec.lock import Lock, Output, Record
    from vidspec.planned import Plan, Planned
    from vidspec.report.advice import Command, Speech
    from vidspec.report.money import Money
    from vidspec.report.settings import Compared, Reworded, Sent
    from vidspec.shot import Shot
    from vidspec.state import Flight

Tone = Literal["good", "idle", "busy", "warn", "bad"]

WORDS: dict[str, tuple[str, Tone]] = {
    "done": ("done", "good"),
    "new": ("not rendered", "idle"),
    "waiting": ("waiting", "idle"),
    "accepted": ("under way", "busy"),
    "stale": ("edited since", "warn"),
    "waived": ("edit accepted", "good"),
    "missing": ("clip missing", "warn"),
    "changed": ("clip changed", "warn"),
    "blocked": ("blocked", "warn"),
    "failed": ("failed", "bad"),
    "in_doubt": ("in doubt", "bad"),
}
"""The states of a take as the page words them, and how loudly."""

_SHORTEST = 0.05
"""Seconds of footage under which there is none worth a word."""

_TROUBLE = ("failed", "in_doubt", "blocked", "missing", "changed")
"""States that a person has to look at, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A clip as the page shows it. `source` and `poster` are addresses; None where there is none.

    `kind` is that of the footage; `fault` says why there is nothing to be seen. A draft is `outdated` that was
    drawn from other settings than the list has now. Seconds, pixels.
    """

    kind: str
    source: str | None
    poster: str | None
    output: Output | None = None
    fault: str = ""
    outdated: bool = False

    @property
    def shape(self) -> str:
        """A class for its frame: `wide`, `even` or `tall`."""
        return _shape(self.output.width, self.output.height) if self.output else "wide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An input that is not as it was when the clip was rendered, in words."""

    name: str
    old: str
    new: str
    reworded: Reworded | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A clip that another has taken the place of."""

    rendered_at: str
    seed: int | None
    cost: str
    seen: Seen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeView:
    """One take on the page."""

    planned: Planned
    record: Record | None
    seen: Seen | None
    sent: Sent
    is_chosen: bool
    is_cut: bool
    warnings: list[str]
    edits: list[Edit]
    commands: list[Command]
    former: list[Former]
    times: str

    @property
    def slate(self) -> str:
        """Its printed name."""
        return self.planned.slate

    @property
    def state(self) -> str:
        """The word that `--select state:` knows."""
        return self.planned.state

    @property
    def word(self) -> str:
        """The state as the page words it."""
        return "source edited" if self.planned.is_left else WORDS[self.state][0]

    @property
    def tone(self) -> Tone:
        """How loudly it is said."""
        return WORDS[self.state][1]

    @property
    def provider(self) -> str:
        """Who made the clip, or would."""
        return (self.record.provider if self.record and self.record.rendered else None) or self.planned.provider

    @property
    def reasons(self) -> list[str]:
        """Why it stands so, but for edits, which are shown by themselves."""
        told = {str(change) for change in self.planned.changes}
        return [reason for reason in self.planned.reasons if reason not in told]

    @property
    def blame(self) -> str | None:
        """Whose turn it is after a failure."""
        return self.planned.flight.blame if self.planned.flight else None

    @property
    def price(self) -> str:
        """What the clip has cost, or what is under way; nothing where there is none."""
        return on_card(self.record, self.planned.flight)

    @property
    def to_pay(self) -> str:
        """What rendering it now would cost; nothing where nothing would be paid."""
        cost = self.planned.cost
        return amount(cost) if self.planned.pays and (cost is None or cost.amount) else ""

    @property
    def is_there(self) -> bool:
        """Whether its clip can be seen, at its place or as it is kept."""
        return self.seen is not None and self.seen.kind in ("clip", "kept") and not self.seen.fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotView:
    """One shot on the page. A skipped one has no takes."""

    id: str
    scene: str | None
    tags: tuple[str, ...]
    notes: str | None
    takes: list[TakeView]
    compared: Compared | None
    warnings: list[str]

    @property
    def shape(self) -> str:
        """The shape of its frames: of the first take that has something to show, else as asked for."""
        shapes = (take.seen.shape for take in self.takes if take.seen and take.seen.output)
        return next(shapes, self._asked)

    @property
    def _asked(self) -> str:
        size = str(self.takes[0].planned.take.request.get("size") or "") if self.takes else ""
        width, _, height = size.partition("x")
        return _shape(int(width), int(height)) if width.isdigit() and height.isdigit() else "wide"

    @property
    def clips(self) -> int:
        """How many takes have something to be played."""
        return sum(1 for take in self.takes if take.seen and take.seen.source)

    @property
    def cut(self) -> TakeView | None:
        """The take that goes into the cut."""
        return next((take for take in self.takes if take.is_cut), None)

    @property
    def face(self) -> TakeView | None:
        """The take that stands for the shot among all: of the cut, else one that shows anything, else the first."""
        shown = (take for take in self.takes if take.seen and take.seen.poster)
        return self.cut or next(shown, None) or next(iter(self.takes), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that the page says of the list."""

    shots: list[ShotView]
    removed: list[tuple[str, Former]]
    hints: tuple[str, ...]
    money: Money
    states: dict[str, int] = field(default_factory=dict)

    @property
    def takes(self) -> list[TakeView]:
        """All takes, in order."""
        return [take for shot in self.shots for take in shot.takes]

    @property
    def footage(self) -> str:
        """The length of the clips that are there; nothing where none is."""
        outputs = (take.record.output for take in self.takes if take.is_there and take.record)
        seconds = sum(output.duration or 0.0 for output in outputs if output)
        return duration(seconds).replace(".0 s", " s") if seconds >= _SHORTEST else ""

    @property
    def is_seen(self) -> bool:
        """Whether there is anything to be played."""
        return any(take.seen and take.seen.source for take in self.takes)

    @property
    def trouble(self) -> list[TakeView]:
        """The takes that a person has to look at, the worst first."""
        found = [take for take in self.takes if take.state in _TROUBLE]
        return sorted(found, key=lambda take: _TROUBLE.index(take.state))

    @property
    def undecided(self) -> list[ShotView]:
        """The shots of which several takes are there, and none is chosen."""
        return [
            shot
            for shot in self.shots
            if sum(1 for take in shot.takes if take.record and take.record.rendered) > 1
            and not any(take.is_chosen for take in shot.takes)
        ]

    def names(self, kind: str) -> list[str]:
        """What can be filtered by: the scenes, tags or providers that there are, each once."""
        of = {
            "scene": ((shot.scene,) for shot in self.shots),
            "tag": (shot.tags for shot in self.shots),
            "provider": ((take.provider,) for take in self.takes),
        }[kind]
        return list(dict.fromkeys(name for names in of for name in names if name))


class Writer:
    """Puts the content together. `seen` and `former` show footage, by slate and by digest; `times` by slate.

    `flights` are the present lives of takes by slate, where more is known of them than a plan says.
    """

    def __init__(
        self,
        *,
        lock: Lock,
        speech: Speech,
        seen: Mapping[str, Seen],
        former: Mapping[str, Seen],
        times: Mapping[str, str],
        warnings: Mapping[str, list[str]],
        flights: Mapping[str, Flight] | None = None,
    ) -> None:
        self._lock = lock
        self._speech = speech
        self._seen = seen
        self._former = former
        self._times = times
        self._warnings = warnings
        self._flights = flights or {}

    def content(self, plan: Plan, slates: set[str], shots: Iterable[Shot]) -> Content:
        """The page of the takes of a plan that were selected."""
        shots = list(shots)
        needs = Needs(plan, {shot.id: shot for shot in shots}, self._lock)
        by_shot: dict[str, list[Planned]] = {}
        for planned in plan.takes:
            if planned.slate in slates:
                by_shot.setdefault(planned.take.shot, []).append(planned)
        whole = len(slates) == len(plan.takes)
        views = [
            self._shot(shot, by_shot.get(shot.id, []), needs)
            for shot in shots
            if shot.id in by_shot or (shot.skipped and whole)
        ]
        chosen = [one for group in by_shot.values() for one in group]
        flights = {one.slate: one.flight for one in chosen if one.flight}
        return Content(
            shots=views,
            removed=[(slate, self._gone(slate)) for slate in plan.removed] if whole else [],
            hints=plan.hints,
            money=money(chosen, self._lock, {**flights, **self._flights}),
            states=dict(Counter(one.state for one in chosen)),
        )

    def _shot(self, shot: Shot, group: Sequence[Planned], needs: Needs) -> ShotView:
        cut = self._cut(group)
        takes = [self._take(planned, needs, is_cut=planned.slate == cut) for planned in group]
        return ShotView(
            id=shot.id,
            scene=shot.scene,
            tags=shot.tags,
            notes=shot.notes,
            takes=takes,
            compared=settings.compared([take.sent for take in takes]) if takes else None,
            warnings=self._warnings.get(shot.id, []),
        )

    def _cut(self, group: Sequence[Planned]) -> str | None:
        """The take that goes into the cut: the chosen one, else the first that is rendered."""
        records = [(one.slate, self._lock.get(one.slate)) for one in group]
        rendered = [(slate, record) for slate, record in records if record and record.rendered]
        chosen = (slate for slate, record in rendered if record.chosen)
        return next(chosen, next((slate for slate, _ in rendered), None))

    def _take(self, planned: Planned, needs: Needs, *, is_cut: bool) -> TakeView:
        record = self._lock.get(planned.slate)
        return TakeView(
            planned=planned,
            record=record,
            seen=self._seen.get(planned.slate),
            sent=settings.sent(planned.take, record),
            is_chosen=bool(record and record.rendered and record.chosen),
            is_cut=is_cut,
            warnings=list(_otherwise(record)) if record else [],
            edits=[_edit(change) for change in planned.changes],
            commands=list(commands(planned, record, self._speech, needs)),
            former=[self._former_of(one) for one in record.superseded] if record else [],
            times=self._times.get(planned.slate, ""),
        )

    def _gone(self, slate: str) -> Former:
        record = self._lock.get(slate)
        assert record is not None
        return self._former_of(record)

    def _former_of(self, record: Record) -> Former:
        digest = record.output.sha256 if record.output else ""
        return Former(
            rendered_at=record.rendered_at or "",
            seed=record.seed_used if record.seed_used is not None else record.seed,
            cost=paid(record),
            seen=self._former.get(digest),
        )


def _edit(change: Change) -> Edit:
    old, new = (settings.in_words(value) for value in (change.old, change.new))
    is_text = change.name in settings.TEXTS and change.old and change.new
    reworded = settings.reworded(old, new) if is_text else None
    return Edit(name=change.name.replace("_", " "), old=old, new=new, reworded=reworded, note=change.note)


def _otherwise(record: Record) -> Iterator[str]:
    """What was delivered otherwise than asked; nothing where the tables do not know the model any more."""
    request = record.request or {}
    models = table(record.provider).models if record.provider in PROVIDERS else {}
    known = models.get(record.model or "")
    rules = {str(mode): rule for mode, rule in known.capabilities.items()} if known else {}
    rule = rules.get(str(request.get("mode")))
    if record.output is not None and rule is not None:
        yield from (one.message for one in delivered_otherwise(request, record.output, rule))


def _shape(width: int | None, height: int | None) -> str:
    if not width or not height:
        return "wide"
    ratio = width / height
    return "tall" if ratio < 0.8 else "even" if ratio < 1.2 else "wide"


def by_shot(warnings: Iterable[Diagnostic]) -> dict[str, list[str]]:
    """What is said of each shot, by its id."""
    found: dict[str, list[str]] = {}
    for one in warnings:
        if one.shot is not None:
            found.setdefault(one.shot, []).append(one.message)
    return found
