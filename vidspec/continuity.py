"""Frames of other takes, as the lockfile and the journal know them: whose, where in the clip, of which bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from vidspec.difference import Change, frame_key, short, with_frame
from vidspec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vidspec.lock import Lock, Record
    from vidspec.planned import Planned
    from vidspec.take import Input, Take


def with_recorded_frames(
    take: Take, record: Record, lock: Lock, planned: Mapping[str, Planned]
) -> tuple[Take, tuple[Change, ...]]:
    """The take with the frames it was rendered with, where those are still the frames it asks for.

    A frame is what it was as long as the clip it was taken from is; which clip that is, the record says.
    """
    changes: list[Change] = []
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        if given.frame is None or given.digest is not None:
            continue
        source = (record.frames or {}).get(frame_key(given))
        source = source if isinstance(source, dict) else {}
        needed = planned.get(given.frame.slate)
        if given.frame.of is not None and (needed is None or not needed.pays):
            continue  # the lockfile's own take: it was sent so, whichever clip that other take has by now
        asked = {key: source.get(key) for key in given.frame.value()} == given.frame.value()
        if needed is None or not asked or not source.get("sha256"):
            changes.append(_framed_anew(given, source, _renamed(source, given.frame.value())))
        elif needed.pays:
            changes.append(_framed_anew(given, source, f"{given.frame.slate} will be rendered anew", behind=True))
        elif clip_of(needed, lock) != source.get("of"):
            changes.append(_framed_anew(given, source, f"{given.frame.slate} was rendered anew", behind=True))
        else:
            request = with_frame(request, given, source["sha256"])
    return replace(take, request=dict(request)), tuple(changes)


def _renamed(source: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Which frame it was, and which it is to be."""
    was = {key: source[key] for key in asked if key in source}
    is_told = was.keys() == asked.keys() and was != asked
    return f"{short(was)} → {short(asked)}" if is_told else f"now {short(asked)}"


def _framed_anew(given: Input, source: Mapping[str, Any], note: str, *, behind: bool = False) -> Change:
    """A frame that is not the one that was sent."""
    assert given.frame is not None
    return Change(frame_key(given), source.get("sha256"), given.frame.value(), note, behind)


# --- marks of edits --------------------------------------------------------------------------------------------


def mark(take: Take, record: Record, lock: Lock, planned: Mapping[str, Planned]) -> str | None:
    """A digest of what an edit of a recorded take comes to, with frames by the clips they would be taken from.

    None where one of those clips is still to be made: nobody can say then what would be sent.
    """
    clips: list[str] = []
    for frame in (given.frame for given in _open_frames(take) if given.frame):
        needed = planned.get(frame.slate)
        clip = None if needed is None or needed.pays or _is_coming(needed) else clip_of(needed, lock)
        if clip is None:
            return None
        clips.append(clip)
    return _mark(take, record, clips)


def was_marked(take: Take, record: Record, lock: Lock) -> bool:
    """Whether an edit was accepted when the clips that its frames are taken from may have been others."""
    frames = _open_frames(take)
    if record.accepted is None or not frames:
        return False
    choices = product(*(_clips_ever(given, record, lock) for given in frames))
    return any(_mark(take, record, clips) == record.accepted for clips in islice(choices, _MOST_CHOICES))


_MOST_CHOICES = 1000
"""Former clips of several sources that are put together, to find those that an edit was accepted with."""


def _open_frames(take: Take) -> list[Input]:
    """The frames of other takes that have still to be taken."""
    return [given for given in take.inputs if given.frame is not None and given.digest is None]


def _is_coming(needed: Planned) -> bool:
    """Whether another clip of a take is under way than the one that is recorded."""
    if needed.action != "collect" or needed.flight is None:
        return False
    return needed.record is None or needed.flight.request_id != needed.record.request_id


def _clips_ever(given: Input, record: Record, lock: Lock) -> list[str]:
    """The digests of the clips that a frame was, or may have been, taken from."""
    assert given.frame is not None
    source, needed = (record.frames or {}).get(frame_key(given)), lock.get(given.frame.slate)
    renders = () if needed is None else (needed, *needed.superseded)
    found = [one.output.sha256 for one in renders if one.output is not None]
    if isinstance(source, dict) and isinstance(source.get("of"), str):
        found.append(source["of"])
    return list(dict.fromkeys(found))


def _mark(take: Take, record: Record, clips: Iterable[str]) -> str:
    """What an edit comes to, by what is written: not by names of shots, or what follows from them, which change.

    What another model, or another mode, is given by default may change with any release.
    """
    request: Mapping[str, Any] = take.request
    for given, clip in zip(_open_frames(take), clips, strict=True):
        place = {} if given.frame is None or given.frame.at is None else {"at": given.frame.at}
        request = with_frame(request, given, {**place, "of": clip})
    recorded = (record.provider, record.model, (record.request or {}).get("mode"))
    if recorded != (take.provider, take.model, take.mode):
        request = {key: value for key, value in request.items() if key not in take.defaulted}
    seed = take.seed if take.seed_rule == "fixed" else None
    return fingerprint(provider=take.provider, model=take.model, request=request, seed=seed, take=take.number)


# --- clips -----------------------------------------------------------------------------------------------------


def clip_of(planned: Planned, lock: Lock) -> str | None:
    """The digest of the clip that a take has, or will have again."""
    if planned.record is not None and planned.record.output is not None:
        return planned.record.output.sha256
    glance = lock.glance(planned.slate)
    return None if glance is None else glance.sha256


def framed_as(take: Take, record: Record) -> Take:
    """The take with the frames of other takes that were sent for it, as far as it asks for the same ones."""
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        source = (record.frames or {}).get(frame_key(given)) if given.frame else None
        if given.frame and isinstance(source, dict) and source.get("slate") == given.frame.slate:
            request = with_frame(request, given, source.get("sha256"))
    return replace(take, request=dict(request))


def framed_as_sent(take: Take, record: Record, names: Collection[str]) -> Take:
    """The take with the recorded values of some of its frames, so that the rest of it can be compared."""
    request: Mapping[str, Any] = take.request
    sent = record.request or {}
    for given in take.inputs:
        value = sent.get(given.setting)
        if given.setting == "references":
            value = value[given.index] if isinstance(value, list) and given.index < len(value) else None
        if frame_key(given) in names and value is not None:
            request = with_frame(request, given, value)
        elif frame_key(given) in names:
            request = {key: one for key, one in request.items() if key != given.setting}
    return replace(take, request=dict(request))
