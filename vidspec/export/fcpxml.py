"""FCPXML 1.9, which Final Cut Pro and DaVinci Resolve open: every time an exact fraction of a second.

Written here, and not by the adapter of OpenTimelineIO: that one knows no frame duration of 23.976 or 29.97 frames a
second, runs another program to learn a clip's size, and makes up a file for a shot that has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vidspec.export.edit import line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from vidspec.export.edit import Edit, Placed, Version
    from vidspec.export.links import Links
    from vidspec.shape import Size

__all__ = ["text_of"]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
_RATES = {"23.98", "24", "25", "29.97", "30", "60", "47.95", "48", "50", "59.94"}
"""The rates of clips that the format can name; the rule for others stands all the same."""

_KEYS = ("slate", "clip", "state", "provider", "model", "mode", "seed", "request_id", "rendered_at", "prompt")


def text_of(edit: Edit, links: Links) -> str:
    """An edit as a document; shots without a clip are gaps in it, with a note."""
    return _Document(edit, links).text()


class _Document:
    """Makes the elements, and sees to it that what they refer to is there."""

    def __init__(self, edit: Edit, links: Links) -> None:
        self._edit = edit
        self._links = links
        self._root = Element("fcpxml", version="1.9")
        self._resources = SubElement(self._root, "resources")
        self._ids: dict[object, str] = {}
        self._format(edit.size, edit.rate)

    def text(self) -> str:
        """The whole document."""
        name = line(self._edit.title) or "vidspec"
        project = SubElement(SubElement(self._root, "event", name=name), "project", name=name)
        sequence = SubElement(
            project,
            "sequence",
            format=self._format(self._edit.size, self._edit.rate),
            duration=self._at(self._edit.frames),
            tcStart=self._at(self._edit.start),
            tcFormat="NDF",
            audioLayout="stereo",
            audioRate="48k",
        )
        spine = SubElement(sequence, "spine")
        for placed in self._edit.shots:
            self._add(spine, placed)
        indent(self._root)
        return f"{_HEAD}{tostring(self._root, encoding='unicode')}\n"

    def _at(self, frame: int) -> str:
        return _seconds(frame / self._edit.rate)

    def _format(self, size: Size, rate: Fraction) -> str:
        key = (size, rate)
        if key not in self._ids:
            self._ids[key] = f"r{len(self._ids) + 1}"
            facts = {"frameDuration": _seconds(1 / rate), "width": str(size.width), "height": str(size.height)}
            SubElement(self._resources, "format", {"id": self._ids[key], **facts, "colorSpace": "1-1-1 (Rec. 709)"})
        return self._ids[key]

    def _asset(self, version: Version) -> str:
        assert version.path is not None
        if version.path not in self._ids:
            size = (version.footage.size if version.footage is not None else version.size) or self._edit.size
            kind = self._format(size, version.rate)
            self._ids[version.path] = f"r{len(self._ids) + 1}"
            heard = {"hasAudio": "1", "audioSources": "1"} if version.sound else {}
            if heard and version.footage is not None and version.footage.channels:
                heard["audioChannels"] = str(version.footage.channels)
            facts = {"id": self._ids[version.path], "name": line(version.path.name), "start": "0s"}
            facts |= {"duration": _seconds(version.frames / version.rate), "hasVideo": "1", "format": kind, **heard}
            asset = SubElement(self._resources, "asset", facts)
            SubElement(asset, "media-rep", kind="original-media", src=self._links.url(version.path))
        return self._ids[version.path]

    def _add(self, spine: Element, placed: Placed) -> None:
        """A shot; the parts of an element come in the order that the format wants."""
        version = placed.active
        facts = {
            "name": version.slate,
            "offset": self._at(self._edit.start + placed.begin),
            "start": "0s",
            "duration": self._at(placed.frames),
        }
        if version.path is None:
            clip = SubElement(spine, "gap", facts)
            _note(clip, f"{version.slate} is not rendered. {version.facts.get('prompt', '')}")
        else:
            clip = SubElement(spine, "asset-clip", facts, ref=self._asset(version), tcFormat="NDF")
            _note(clip, str(version.facts.get("prompt", "")))
            if version.rate != self._edit.rate:
                rate = f"{float(version.rate):.2f}".removesuffix(".00")
                known = {"srcFrameRate": rate} if rate in _RATES else {}
                SubElement(clip, "conform-rate", {"scaleEnabled": "0", **known})
        self._mark(clip, placed)
        metadata = SubElement(clip, "metadata")
        for key, value in _told(placed):
            SubElement(metadata, "md", key=f"com.vidspec.{key}", value=value)

    def _mark(self, clip: Element, placed: Placed) -> None:
        if placed.shot.notes:
            note = line(placed.shot.notes)
            SubElement(clip, "marker", start="0s", duration=_seconds(1 / self._edit.rate), value=note)
        if placed.shot.scene and placed.active.path is not None:
            SubElement(clip, "keyword", start="0s", duration=self._at(placed.frames), value=line(placed.shot.scene))


def _note(clip: Element, text: str) -> None:
    if words := line(text):
        SubElement(clip, "note").text = words


def _told(placed: Placed) -> Iterator[tuple[str, str]]:
    facts: dict[str, Any] = dict(placed.active.facts)
    yield "shot", placed.shot.id
    if placed.shot.scene:
        yield "scene", line(placed.shot.scene)
    for key in _KEYS:
        if facts.get(key) is not None:
            yield key, line(str(facts[key]))
    if price := facts.get("price"):
        yield "price", line(f"{price['amount']} {price['currency']} ({price['basis']})")


def _seconds(time: Fraction) -> str:
    """A time as the format has it: `1001/24000s`, `5s`."""
    if time.denominator == 1:
        return f"{time.numerator}s"
    return f"{time.numerator}/{time.denominator}s"
