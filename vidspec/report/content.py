"""What the page says, as values: shots in order, their takes, and what a person has to look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vidspec import budget
from vidspec.delivered import compared as delivered_otherwise
from vidspec.plan_table import amount, price
from vidspec.providers import PROVIDERS, table
from vidspec.report import settings
from vidspec.report.advice import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vidspec.difference import Change
    from vidspec.lock import Lock, Output, Record
    from vidspec.planned import Plan, Planned
    from vidspec.report.advice import Command, Speech
    from vidspec.report.settings import Compared, Reworded, Sent
    from vidspec.shot import Shot

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

_TROUBLE = ("failed", "in_doubt", "blocked", "missing", "changed")
"""States that a person has to look at, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A clip as the page shows it. `source` and `poster` are addresses; None where there is none.

    `kind` is that of the footage; `fault` says why there is nothing to be seen. Seconds, pixels.
    """

    kind: str
    source: str | None
    poster: str | None
    output: Output | None = None
    fault: str = ""

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
        """What the clip has cost; nothing where there is none."""
        if self.record is None or not self.record.rendered:
            return ""
        return _price(self.record)

    @property
    def to_pay(self) -> str:
        """What rendering it now would cost; nothing where nothing would be paid."""
        return amount(self.planned.cost) if self.planned.pays else ""


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
    spent: str
    to_pay: str
    seconds: float
    states: dict[str, int] = field(default_factory=dict)

    @property
    def takes(self) -> list[TakeView]:
        """All takes, in order."""
        return [take for shot in self.shots for take in shot.takes]

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
    """Puts the content together. `seen` and `former` show footage, by slate and by digest; `times` by slate."""

    def __init__(
        self,
        *,
        lock: Lock,
        speech: Speech,
        seen: Mapping[str, Seen],
        former: Mapping[str, Seen],
        times: Mapping[str, str],
        warnings: Mapping[str, list[str]],
    ) -> None:
        self._lock = lock
        self._speech = speech
        self._seen = seen
        self._former = former
        self._times = times
        self._warnings = warnings

    def content(self, plan: Plan, slates: set[str], shots: Iterable[Shot]) -> Content:
        """The page of the takes of a plan that were selected."""
        by_shot: dict[str, list[Planned]] = {}
        for planned in plan.takes:
            if planned.slate in slates:
                by_shot.setdefault(planned.take.shot, []).append(planned)
        whole = len(slates) == len(plan.takes)
        views = [
            self._shot(shot, by_shot.get(shot.id, []))
            for shot in shots
            if shot.id in by_shot or (shot.skipped and whole)
        ]
        chosen = [one for group in by_shot.values() for one in group]
        records = [record for one in chosen if (record := self._lock.get(one.slate))]
        return Content(
            shots=views,
            removed=[(slate, self._gone(slate)) for slate in plan.removed] if whole else [],
            hints=plan.hints,
            spent=_spent(records),
            to_pay=price([one for one in chosen if one.pays]) if any(one.pays for one in chosen) else "",
            seconds=sum(record.output.duration or 0.0 for record in records if record.output),
            states=dict(Counter(one.state for one in chosen)),
        )

    def _shot(self, shot: Shot, group: Sequence[Planned]) -> ShotView:
        cut = self._cut(group)
        takes = [self._take(planned, is_cut=planned.slate == cut) for planned in group]
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

    def _take(self, planned: Planned, *, is_cut: bool) -> TakeView:
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
            commands=list(commands(planned, record, self._speech)),
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
            cost=_price(record),
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


def _price(record: Record) -> str:
    """What a clip has cost; nothing for one that was drawn here."""
    if record.cost is None:
        return "price unknown" if record.request_id else ""
    return amount(record.cost)


def _spent(records: Iterable[Record]) -> str:
    """What all that is recorded has cost, former clips too."""
    every = [one for record in records for one in (record, *record.superseded) if one.rendered]
    unpriced = sum(1 for one in every if one.cost is None and one.request_id)
    unsure = any(one.cost and one.cost.amount and one.cost.basis == "unsure" for one in every)
    known = budget.shown(budget.totals(one.cost for one in every), free="")
    words = [f"{'about ' if unsure else ''}{known}" if known else "", f"{unpriced} unpriced" if unpriced else ""]
    return " + ".join(filter(None, words))


def _shape(width: int | None, height: int | None) -> str:
    if not width or not height:
        return "wide"
    ratio = width / height
    return "tall" if ratio < 0.8 else "even" if ratio < 1.2 else "wide"
