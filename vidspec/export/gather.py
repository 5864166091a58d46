"""What there is to be cut: the takes of each shot as they stand on disk, measured, and the one to be used."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import listed
from vidspec.errors import MediaError, UsageError
from vidspec.export.drafts import outdated
from vidspec.export.edit import Shot, Version, exact_rate
from vidspec.join import survey
from vidspec.planned import Afloat
from vidspec.project import chosen_records, selected
from vidspec.shape import Size
from vidspec.site import Site
from vidspec.studio import size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.export.edit import Kind
    from vidspec.join import Footage
    from vidspec.lock import Lock, Record
    from vidspec.planned import Planned
    from vidspec.project import Opened
    from vidspec.take import Take

__all__ = ["gather", "warnings"]

_SECONDS, _RATE = 5, 24
"""What a clip is taken to be like of which nothing is known."""


def gather(
    opened: Opened, chosen: str | None, left_out: str | None, *, tell: Callable[[int, int], None] | None = None
) -> list[Shot]:
    """The shots of a list in its order, with the takes that `--select` and `--exclude` leave.

    Of each shot the chosen take is active if it was rendered, else the first that was; where none was, the chosen
    one if it has a draft, else the first that has one, else the chosen one, else the first. `tell(number, of)`
    counts the clips that have been measured.

    Raises:
        UsageError: the selection matches nothing, or every shot is skipped.
        LockError, JournalError: what is on disk cannot be read.
    """
    lock, flights = opened.read()
    plan = opened.plan(lock, Afloat(flights=flights))
    slates = selected(plan, chosen, left_out)
    found = _Found(opened, lock)
    for planned in plan.takes:
        if planned.slate in slates:
            found.add(planned)
    if chosen is None and left_out is None:
        found.add_removed(plan.removed)
    shots = found.shots(tell)
    if not shots:
        raise UsageError("there is nothing to be cut: every shot of the list is skipped")
    return shots


class _Found:
    """The takes of a list as they are met, and then the shots."""

    def __init__(self, opened: Opened, lock: Lock) -> None:
        self._opened = opened
        self._lock = lock
        self._drafts = opened.shot_list.project / Site.drafts(opened.shot_list.path).outputs
        self._chosen = {record.shot: slate for slate, record in reversed(chosen_records(lock).items())}
        self._takes: list[tuple[str, int, str, Planned | None]] = []

    def add(self, planned: Planned) -> None:
        """A take of the list."""
        self._takes.append((planned.take.shot, planned.take.number, planned.slate, planned))

    def add_removed(self, slates: Iterable[str]) -> None:
        """Takes that the list has no longer, of which a shot may have chosen one all the same."""
        shots = {shot for shot, *_ in self._takes}
        for slate in slates:
            record = self._lock.get(slate)
            if record is not None and record.chosen and record.rendered and record.shot in shots:
                last = max(place for place, (shot, *_) in enumerate(self._takes) if shot == record.shot)
                self._takes.insert(last + 1, (record.shot, record.take, slate, None))

    def shots(self, tell: Callable[[int, int], None] | None) -> list[Shot]:
        """Everything measured, and put together by shots."""
        files = [self._file(slate) for _, _, slate, _ in self._takes]
        old = outdated(self._opened) if any(kind == "draft" for kind, _ in files) else frozenset()
        footage = _surveyed([path for _, path in files if path is not None], tell)
        versions = [
            (shot, self._version(number, slate, planned, kind, path, footage.get(path) if path else None, old))
            for (shot, number, slate, planned), (kind, path) in zip(self._takes, files, strict=True)
        ]
        return [
            self._shot(shot, [version for _, version in some])
            for shot, some in groupby(versions, key=lambda one: one[0])
        ]

    def _file(self, slate: str) -> tuple[Kind, Path | None]:
        record = self._lock.get(slate)
        if record is not None and record.rendered and record.output is not None:
            return "take", self._opened.shot_list.project / record.output.path
        draft = self._drafts / f"{slate}.mp4"
        return ("draft", draft) if draft.is_file() else ("none", None)

    def _version(
        self,
        number: int,
        slate: str,
        planned: Planned | None,
        kind: Kind,
        path: Path | None,
        found: Footage | MediaError | None,
        old: Collection[str],
    ) -> Version:
        record = self._lock.get(slate)
        footage = None if isinstance(found, MediaError) else found
        rate, length, sound = _measures(footage, record, planned.take if planned else None)
        return Version(
            slate=slate,
            number=number,
            kind=kind,
            path=path,
            rate=rate,
            length=length,
            sound=sound,
            footage=footage,
            size=footage.size if footage is not None else _size(record, planned.take if planned else None),
            trouble=self._relative(str(found)) if isinstance(found, MediaError) else "",
            outdated=kind == "draft" and slate in old,
            facts=_facts(slate, kind, record, planned),
        )

    def _relative(self, message: str) -> str:
        """A message that names a clip as the list does."""
        return message.replace(f"`{self._opened.shot_list.project}/", "`")

    def _shot(self, name: str, versions: Sequence[Version]) -> Shot:
        written = self._opened.resolution.shots[name]
        return Shot(
            id=name,
            scene=written.scene or "",
            tags=written.tags,
            notes=written.notes or "",
            versions=tuple(versions),
            active=min(versions, key=self._rank),
            chosen=self._chosen.get(name, ""),
        )

    def _rank(self, version: Version) -> tuple[int, bool, int]:
        """What is cut in before others: the rendered before drafts, and of either the chosen before the first."""
        record = self._lock.get(version.slate)
        kinds = ("take", "draft", "none")
        return kinds.index(version.kind), not (record is not None and record.chosen), version.number


def _surveyed(paths: Sequence[Path], tell: Callable[[int, int], None] | None) -> dict[Path, Footage | MediaError]:
    """What each clip is, or why it cannot be said; in threads, since all of it is read."""
    found: dict[Path, Footage | MediaError] = {}
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for number, (path, one) in enumerate(zip(paths, pool.map(_survey, paths), strict=True), 1):
            found[path] = one
            if tell is not None:
                tell(number, len(paths))
    return found


def _survey(path: Path) -> Footage | MediaError:
    try:
        return survey(path)
    except MediaError as error:
        return error


def _measures(footage: Footage | None, record: Record | None, take: Take | None) -> tuple[Fraction, Fraction, bool]:
    """Rate, seconds, and sound of a take: measured, else as its lockfile has it, else as the list asks for it."""
    if footage is not None:
        return footage.rate, footage.length, footage.sound
    output = record.output if record is not None and record.rendered else None
    asked = take.facts if take is not None else {}
    rate = _rate(output.fps if output else None) or _rate(asked.get("fps")) or Fraction(_RATE)
    seconds = (output.duration if output else None) or asked.get("duration") or _SECONDS
    return rate, Fraction(str(seconds)), bool(output and output.audio)


def _size(record: Record | None, take: Take | None) -> Size | None:
    """The pixels of a take, as its lockfile has them, else as the list asks for them; None where neither says."""
    output = record.output if record is not None and record.rendered else None
    if output is not None and output.width and output.height:
        return Size(output.width, output.height)
    return size_of(take, None) if take is not None else None


def _rate(fps: Any) -> Fraction | None:
    try:
        return exact_rate(fps) if fps else None
    except ValueError:
        return None


def _facts(slate: str, kind: Kind, record: Record | None, planned: Planned | None) -> dict[str, Any]:
    """What is known of a take: how it was rendered, else how it is asked for."""
    facts: dict[str, Any] = {"slate": slate, "clip": kind}
    if planned is not None:
        facts["state"] = planned.state
    if kind == "take" and record is not None:
        request: Mapping[str, Any] = record.request or {}
        facts |= {"provider": record.provider, "model": record.model, **_asked(request)}
        facts["seed"] = record.seed if record.seed_used is None else record.seed_used
        facts |= {"request_id": record.request_id, "trace_id": record.trace_id, "rendered_at": record.rendered_at}
        facts["sha256"] = record.output.sha256 if record.output else None
        cost = record.cost
        facts["price"] = {"amount": cost.amount, "currency": cost.currency, "basis": cost.basis} if cost else None
    elif planned is not None:
        take = planned.take
        facts |= {"provider": take.provider, "model": take.model, **_asked(take.request), "seed": take.seed}
        facts["request_id"] = planned.request_id
    return {key: value for key, value in facts.items() if value is not None}


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: request.get(key) for key in ("mode", "prompt", "negative_prompt")}


def warnings(shots: Sequence[Shot], list_name: str) -> Iterator[str]:
    """What somebody who cuts should know of the clips that are cut in."""
    for shot in shots:
        if shot.active.trouble:
            yield f"{shot.active.slate}: {shot.active.trouble}"
    lost = [shot for shot in shots if shot.active.kind == "take" and shot.active.trouble]
    if lost:
        yield f"`vidspec restore {list_name}` brings back what is missing or changed, without paying"
    for state, words in _DOUBTS.items():
        found = [shot.active.slate for shot in shots if shot.active.facts.get("state") == state]
        if found := [slate for slate in found if slate not in {shot.active.slate for shot in lost}]:
            yield f"{words}: {listed(found)}"
    yield from _passed_over(shots)
    drafts = [shot.active for shot in shots if shot.active.kind == "draft"]
    if drafts:
        yield f"drafts stand in for what is not rendered yet: {listed(one.slate for one in drafts)}"
    if old := [one.slate for one in drafts if one.outdated]:
        anew = f"`vidspec render {list_name} --draft` draws {'it' if len(old) == 1 else 'them'} anew"
        yield f"drawn from other settings than the list has now: {listed(old)}; {anew}"
    nothing = [shot.active.slate for shot in shots if shot.active.kind == "none"]
    if nothing:
        yield f"neither rendered nor drafted: {listed(nothing)}"


def _passed_over(shots: Sequence[Shot]) -> Iterator[str]:
    """What is chosen and all the same not cut in, and what is in its place."""
    passed = [shot for shot in shots if shot.chosen and shot.chosen != shot.active.slate]
    here = {version.slate for shot in shots for version in shot.versions}
    for words, some in (
        ("chosen and not rendered", [shot for shot in passed if shot.chosen in here]),
        ("chosen and not among these takes", [shot for shot in passed if shot.chosen not in here]),
    ):
        if some:
            instead = listed(shot.active.slate for shot in some)
            stand = "stands in" if len(some) == 1 else "stand in"
            yield f"{words}: {listed(shot.chosen for shot in some)}; {instead} {stand}"


_DOUBTS = {
    "stale": "rendered from other settings than the list has now",
    "changed": "not the files that were rendered",
}
"""What is to be said of the clips in a state."""
