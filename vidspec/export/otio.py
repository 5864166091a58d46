"""OpenTimelineIO: a clip for every shot, every take of it a named media reference, the one that is cut in active.

Lengths are whole frames of the film, at its rate; what a clip has to offer (`available_range`) is told at its own
rate. A shot that has no clip yet is a clip too, whose reference is missing, so that a later export may fill it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from vidspec.export.edit import line, rate_name
from vidspec.export.library import library, plain, span, time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vidspec.export.edit import Edit, Placed, Shot, Version
    from vidspec.export.links import Links

__all__ = ["SPACE", "Builder", "text_of"]

SPACE = "vidspec"
"""The key that our metadata stand under."""


def text_of(timeline: Any) -> str:
    """A timeline as a file holds it."""
    return str(library().adapters.write_to_string(timeline, "otio_json", indent=2))


class Builder:
    """Makes the library's objects out of an edit. Raises UsageError where the library is not installed."""

    def __init__(self, edit: Edit, links: Links) -> None:
        self._otio = library()
        self._edit = edit
        self._links = links

    def timeline(self, *, flat: bool) -> Any:
        """The whole film: the shots of a scene that follow each other as a stack of their own, unless `flat`."""
        otio, edit = self._otio, self._edit
        timeline = otio.schema.Timeline(name=line(edit.title), global_start_time=time(otio, edit.start, edit.rate))
        timeline.metadata[SPACE] = plain({"vidspec_otio": 1, "title": edit.title, "rate": rate_name(edit.rate)})
        timeline.tracks.append(self._pictures(flat=flat))
        if edit.sound:
            timeline.tracks.append(self._track("sound", edit.shots, audio=True))
        return timeline

    def _pictures(self, *, flat: bool) -> Any:
        if flat:
            return self._track("shots", self._edit.shots)
        track = self._otio.schema.Track(name="shots", kind=self._otio.schema.TrackKind.Video)
        for scene, shots in groupby(self._edit.shots, key=lambda placed: placed.shot.scene):
            if scene:
                track.append(self._scene(scene, tuple(shots)))
            else:
                track.extend(map(self.clip, shots))
        return track

    def _scene(self, name: str, shots: Sequence[Placed]) -> Any:
        stack = self._otio.schema.Stack(name=line(name))
        stack.metadata[SPACE] = plain({"scene": name})
        stack.append(self._track(line(name), shots))
        return stack

    def _track(self, name: str, shots: Sequence[Placed], *, audio: bool = False) -> Any:
        kinds = self._otio.schema.TrackKind
        track = self._otio.schema.Track(name=name, kind=kinds.Audio if audio else kinds.Video)
        track.extend(self._heard(placed) if audio else self.clip(placed) for placed in shots)
        return track

    def _heard(self, placed: Placed) -> Any:
        if placed.active.sound:
            return self.clip(placed, marked=False)
        return self._otio.schema.Gap(source_range=span(self._otio, placed.frames, self._edit.rate))

    def clip(self, placed: Placed, *, marked: bool = True) -> Any:
        """A shot: all its takes, and the note that was written to it as a marker."""
        clip = self._otio.schema.Clip(name=placed.active.slate)
        clip.source_range = span(self._otio, placed.frames, self._edit.rate)
        self.link(clip, placed.shot)
        if marked and placed.shot.notes:
            clip.markers.append(self._marker(placed.shot.notes))
        return clip

    def link(self, clip: Any, shot: Shot) -> None:
        """Give a clip the takes of a shot as they are now, and what is known of them."""
        clip.set_media_references(
            {version.slate: self._reference(version) for version in shot.versions}, shot.active.slate
        )
        clip.metadata[SPACE] = plain(_about(shot))

    def _marker(self, notes: str) -> Any:
        otio = self._otio
        return otio.schema.Marker(
            name=line(notes)[:80],
            marked_range=span(otio, 1, self._edit.rate),
            color=otio.schema.MarkerColor.YELLOW,
            comment=plain({"": notes})[""],
            metadata={SPACE: {"notes": plain({"": notes})[""]}},
        )

    def _reference(self, version: Version) -> Any:
        schema = self._otio.schema
        if version.path is None:
            found = schema.MissingReference(name=version.slate)
        else:
            found = schema.ExternalReference(target_url=self._links.url(version.path))
            found.available_range = span(self._otio, version.frames, version.rate)
            found.name = version.path.name
        found.metadata[SPACE] = plain(dict(_told(version)))
        return found


def _about(shot: Shot) -> Mapping[str, Any]:
    """What is said of a shot: itself, and the take that is cut in."""
    about = {"shot": shot.id, "scene": shot.scene, "tags": shot.tags, "notes": shot.notes}
    return {key: value for key, value in about.items() if value} | dict(_told(shot.active))


def _told(version: Version) -> Iterator[tuple[str, Any]]:
    yield from version.facts.items()
    yield "take", version.number
    if version.trouble:
        yield "trouble", version.trouble
