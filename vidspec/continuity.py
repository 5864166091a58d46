"""Frames of other takes, as the lockfile and the journal know them: whose, where in the clip, of which bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vidspec.difference import Change, frame_key, short, with_frame
from vidspec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
        asked = {key: source.get(key) for key in given.frame.value()} == given.frame.value()
        if needed is None or not asked or not source.get("sha256"):
            changes.append(_framed_anew(given, source, f"now {short(given.frame.value())}"))
        elif needed.pays:
            changes.append(_framed_anew(given, source, f"{given.frame.slate} will be rendered anew", behind=True))
        elif _clip(needed, lock) != source.get("of"):
            changes.append(_framed_anew(given, source, f"{given.frame.slate} was rendered anew", behind=True))
        else:
            request = with_frame(request, given, source["sha256"])
    return replace(take, request=dict(request)), tuple(changes)


def _framed_anew(given: Input, source: Mapping[str, Any], note: str, *, behind: bool = False) -> Change:
    """A frame that is not the one that was sent."""
    assert given.frame is not None
    return Change(frame_key(given), source.get("sha256"), given.frame.value(), note, behind)


def mark(take: Take, lock: Lock, planned: Mapping[str, Planned]) -> str | None:
    """A digest of what would be sent for a take, with frames by the clips they would be taken from.

    None where one of those clips is still to be made: nobody can say then what would be sent.
    """
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        if given.frame is None or given.digest is not None:
            continue
        needed = planned.get(given.frame.slate)
        if needed is None or needed.pays or (clip := _clip(needed, lock)) is None:
            return None
        request = with_frame(request, given, {**given.frame.value(), "of": clip})
    return fingerprint(provider=take.provider, model=take.model, request=request, seed=take.seed, take=take.number)


def _clip(planned: Planned, lock: Lock) -> str | None:
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
            request = with_frame(request, given, source["sha256"])
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
