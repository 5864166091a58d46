"""What a list asks for that its lockfile does not record, take by take, with what making it so would cost.

Pure. Settings are held against each other, and nothing else, so that the answer is the same on every machine: a
clip that is missing, or a request that is under way, is told beside it, not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vidspec.difference import short
from vidspec.lock import Cost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from vidspec.difference import Change
    from vidspec.lock import Lock, Record
    from vidspec.planned import Plan, Planned
    from vidspec.take import Take

Word = Literal["changed", "new", "removed", "accepted"]
_WORDS: tuple[Word, ...] = ("changed", "new", "removed", "accepted")


class InPlace:
    """A disk on which every recorded clip stands where the list wants it: what is left to plan by are settings."""

    def __init__(self, takes: Iterable[Take], lock: Lock) -> None:
        found = ((take.output, lock.glance(take.slate)) for take in takes)
        self._sizes = {output: glance.bytes for output, glance in found if glance is not None}

    def size(self, output: str) -> int | None:
        """The size of a recorded clip."""
        return self._sizes.get(output)

    def is_altered(self, output: str, digest: str) -> bool:  # noqa: ARG002  (no clip is)
        """Whether a clip has other bytes: none has."""
        return False

    def holds(self, digest: str) -> bool:  # noqa: ARG002  (nothing is)
        """Whether bytes are kept elsewhere: none are."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One take that is not as its record has it, or has none yet.

    `cost` is what rendering the take would cost, None where nobody knows; `aside` says why that is nothing.
    `origins` says what pictures are, by their digests: a frame of a take, or a file.
    """

    word: Word
    planned: Planned
    cost: Cost | None
    aside: str = ""
    origins: Mapping[str, str]

    @property
    def slate(self) -> str:
        """The take's printed name."""
        return self.planned.slate

    @property
    def is_left(self) -> bool:
        """Whether only a clip that it was made from is another: a render leaves it, unless it is asked to."""
        return self.planned.is_left

    @property
    def changes(self) -> tuple[Change, ...]:
        """The inputs that are not as recorded."""
        return self.planned.changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergences:
    """A list against its lockfile: of so many `takes` those that differ, in the order of the list.

    `removed` are recorded takes that the list no longer has; `hints` say where one looks like one that is new.
    `notes` are takes that do not stand as they should here and now: on disk, or at their provider.
    """

    takes: int
    found: tuple[Divergence, ...]
    removed: tuple[str, ...]
    notes: tuple[Planned, ...]
    hints: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Word, int]:
        """How many takes each word is said of."""
        words: list[Word] = [one.word for one in self.found]
        counts: dict[Word, int] = {word: words.count(word) for word in _WORDS}
        counts["removed"] = len(self.removed)
        return {word: count for word, count in counts.items() if count}

    @property
    def is_any(self) -> bool:
        """Whether list and lockfile differ. What was accepted is no difference."""
        return any(word != "accepted" for word in self.counts)

    @property
    def costs(self) -> list[Cost | None]:
        """What rendering each take that differs would cost, but for those that a render leaves as they are."""
        return [one.cost for one in self.found if one.word != "accepted" and not one.is_left]

    @property
    def costs_left(self) -> list[Cost | None]:
        """What those would cost that are rendered only with those that they depend on."""
        return [one.cost for one in self.found if one.word != "accepted" and one.is_left]


def diverge(recorded: Plan, now: Plan, lock: Lock, slates: Collection[str]) -> Divergences:
    """Hold the takes among `slates` against a lock.

    `recorded` is a plan with every clip `InPlace` and nothing under way, `now` a plan by what is. Removed takes are
    told where all takes are asked for.

    Raises:
        LockError: a record cannot be read.
    """
    standing = {one.slate: one for one in now.takes}
    chosen = [one for one in recorded.takes if one.slate in slates]
    found = tuple(
        _divergence(word, one, standing[one.slate], lock.get(one.slate))
        for one in chosen
        if (word := _word(one)) is not None
    )
    is_whole = len(chosen) == len(recorded.takes)
    return Divergences(
        takes=len(chosen),
        found=found,
        removed=recorded.removed if is_whole else (),
        notes=tuple(_notes(chosen, standing)),
        hints=recorded.hints if is_whole else (),
    )


def _word(planned: Planned) -> Word | None:
    if planned.state == "waived":
        return "accepted"
    if planned.changes:
        return "changed"
    return "new" if planned.differs else None


def _notes(chosen: list[Planned], standing: Mapping[str, Planned]) -> Iterator[Planned]:
    for one in chosen:
        now = standing[one.slate]
        if now.state in ("missing", "changed", "accepted", "in_doubt", "failed") or (
            now.differs and not one.differs
        ):
            yield now


def _divergence(word: Word, planned: Planned, now: Planned, record: Record | None) -> Divergence:
    cost, aside = planned.again, ""
    if now.state == "stale" and now.action in ("restore", "collect") and now.edited is None:
        cost, aside = _nothing(cost), "it was rendered so before, and may be had again"
    elif now.state == "accepted" and not now.changes:
        cost, aside = _nothing(cost), "it is under way"
    origins = dict(_origins(record, planned.edited or planned.take))
    return Divergence(word=word, planned=planned, cost=cost, aside=aside, origins=origins)


def _nothing(cost: Cost | None) -> Cost:
    return Cost(amount=0.0, currency=cost.currency if cost else "usd")


def _origins(record: Record | None, take: Take) -> Iterator[tuple[str, str]]:
    """Digests of what was sent or would be, and the frame or the file that each is of."""
    if record is not None:
        for key, path in (record.pictures or {}).items():
            yield _sent(record, key), path
        for source in (record.frames or {}).values():
            if isinstance(source, dict) and "slate" in source and isinstance(source.get("sha256"), str):
                yield source["sha256"], short(source)
    for given in take.inputs:
        if given.path is not None and given.digest is not None:
            yield given.digest, given.path


def _sent(record: Record, key: str) -> str:
    """What was sent as an input, by its name in the record: `first_frame`, `references.1`."""
    setting, _, index = key.partition(".")
    value = (record.request or {}).get(setting)
    if isinstance(value, list) and index.isdecimal() and int(index) < len(value):
        value = value[int(index)]
    return value if isinstance(value, str) else ""
