"""CMX 3600: one video track, cuts only, timecode without dropped frames; what else is known stands in comments.

The maintained adapter of OpenTimelineIO writes the events. A list of this kind has one rate, so all times are given
to it as frames at the nominal one (24 for 23.976), in which frames are counted.
"""

from __future__ import annotations

import re
from fractions import Fraction
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from vidspec.errors import UsageError
from vidspec.export.edit import line, nominal, speed, timecode
from vidspec.export.library import library

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidspec.export.edit import Edit, Placed
    from vidspec.export.links import Links

__all__ = ["MOST_EVENTS", "REEL_LENGTH", "countable", "rates", "reels", "require", "text_of"]

REEL_LENGTH = 8
"""Characters of a reel's name that every reader takes."""

MOST_EVENTS = 999
"""Events that every reader takes: their number has three digits."""

_DAY = 24 * 3600
_FASTEST = 1000
_WIDTH = 100
_FACTS = {
    "slate": "SLATE",
    "provider": "PROVIDER",
    "model": "MODEL",
    "seed": "SEED",
    "request_id": "REQUEST ID",
}


def rates() -> list[int]:
    """The frames in a second that timecode can be counted in. Raises UsageError where the library is missing."""
    is_known = library("cmx_3600").opentime.RationalTime.is_smpte_timecode_rate
    return [rate for rate in range(1, _FASTEST + 1) if is_known(rate)]


def countable(rate: Fraction) -> Fraction:
    """A rate in which the frames of a list can be counted: the same, else the next one up, else the highest."""
    known = rates()
    if nominal(rate) in known:
        return rate
    return Fraction(next((one for one in known if one > rate), known[-1]))


def require(rate: Fraction) -> None:
    """See that frames can be counted in a rate. Raises UsageError, which names those in which they can."""
    if (other := countable(rate)) != rate:
        known = ", ".join(map(str, rates()))
        raise UsageError(
            f"an edit list cannot count {speed(rate)}\n"
            f"    help: `--rate {other}`; it counts {known}, and what rounds to one of them, as 23.976 does"
        )


def text_of(edit: Edit, links: Links, *, reel_length: int = REEL_LENGTH) -> str:
    """An edit as the text of a list; shots without a clip are gaps in it.

    Raises:
        UsageError: there is no clip at all, the film is longer than timecode counts or has a rate that it cannot
            count in, or an extra is missing.
    """
    require(edit.rate)
    events = [placed for placed in edit.shots if placed.active.path is not None]
    if not events:
        raise UsageError(
            "there is no clip to be listed: nothing is rendered\n    help: `vidspec render --draft` draws stand-ins"
        )
    if edit.start + edit.frames > _DAY * nominal(edit.rate):
        raise UsageError("the film is longer than timecode can count: it ends after 24 hours")
    otio = library("cmx_3600")
    timeline = otio.schema.Timeline(name=line(edit.title))
    timeline.tracks.append(_track(otio, edit, links, reel_length))
    written = otio.adapters.write_to_string(timeline, "cmx_3600", rate=float(nominal(edit.rate)))
    return _completed(str(written), edit, events)


def _track(otio: Any, edit: Edit, links: Links, reel_length: int) -> Any:
    track = otio.schema.Track(name="V", kind=otio.schema.TrackKind.Video)
    if edit.start:
        track.append(_gap(otio, edit.start, edit))
    names = reels([placed.active.slate for placed in edit.shots], reel_length)
    for placed, reel in zip(edit.shots, names, strict=True):
        if placed.active.path is None:
            track.append(_gap(otio, placed.frames, edit))
            continue
        clip = otio.schema.Clip(name=line(placed.active.path.name), source_range=_span(otio, placed.frames, edit))
        clip.media_reference = otio.schema.ExternalReference(target_url=line(links.path(placed.active.path)))
        clip.metadata["cmx_3600"] = {"reel": reel, "comments": list(_comments(placed, edit))}
        track.append(clip)
    return track


def _gap(otio: Any, frames: int, edit: Edit) -> Any:
    return otio.schema.Gap(source_range=_span(otio, frames, edit))


def _span(otio: Any, frames: int, edit: Edit) -> Any:
    rate = float(nominal(edit.rate))
    return otio.opentime.TimeRange(otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(frames, rate))


def reels(slates: Sequence[str], most: int = REEL_LENGTH) -> list[str]:
    """A reel's name for each slate: its letters and digits, cut to `most`, told apart by a number where need be."""
    names: list[str] = []
    taken: set[str] = set()
    for slate in slates:
        name = plain = re.sub("[^A-Z0-9]", "", slate.upper())[:most] or "X"
        number = 1
        while name in taken:
            number += 1
            name = f"{plain[: most - len(str(number))]}{number}"
        taken.add(name)
        names.append(name)
    return names


def _comments(placed: Placed, edit: Edit) -> Iterator[str]:
    """What stands below an event; a note is a locator, at its place in the film."""
    shot, facts = placed.shot, placed.active.facts
    if shot.notes:
        yield f"LOC: {timecode(edit.start + placed.begin, edit.rate)} YELLOW  {line(shot.notes)}"
    yield f"VIDSPEC SHOT: {shot.id}"
    if shot.scene:
        yield f"VIDSPEC SCENE: {line(shot.scene)}"
    for key, label in _FACTS.items():
        if facts.get(key) is not None:
            yield f"VIDSPEC {label}: {line(str(facts[key]))}"
    if price := facts.get("price"):
        yield f"VIDSPEC PRICE: {price['amount']} {line(price['currency'])} ({line(price['basis'])})"
    if placed.active.kind == "draft":
        yield "VIDSPEC DRAFT: stands in for a take that is not rendered yet"
    if placed.active.outdated:
        yield "VIDSPEC DRAFT: drawn from other settings than the list has now"
    if placed.active.rate != edit.rate:
        yield f"VIDSPEC RATE: the clip has {speed(placed.active.rate)}"
    for part in wrap(line(str(facts.get("prompt") or "")), _WIDTH):
        yield f"VIDSPEC PROMPT: {part}"


_EVENT = re.compile(r"(\d{3,}  \S+ +)V    ( C )")


def _completed(text: str, edit: Edit, events: Sequence[Placed]) -> str:
    """What the adapter leaves out: how frames are counted, and which events have sound."""
    waiting = iter(events)
    lines = [f"TITLE: {line(edit.title)}", "FCM: NON-DROP FRAME", ""]
    for one in text.splitlines():
        if found := _EVENT.match(one):
            channels = "AA/V" if next(waiting).active.sound else "V"
            lines.append(f"{found[1]}{channels:5}{found[2]}{one[found.end() :]}")
        elif one and not one.startswith("TITLE:"):
            lines.append(one)
    return "\n".join(lines) + "\n"
