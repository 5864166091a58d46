"""Documents of FCPXML, held against the rules of the format, and read back by the adapter at rates it knows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import fromstring

import pytest

from vidspec.export.edit import Shot, Version, laid_out
from vidspec.export.fcpxml import text_of
from vidspec.export.links import Links
from vidspec.join import Footage
from vidspec.shape import Size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from vidspec.export.edit import Edit

NTSC = Fraction(24000, 1001)
LINKS = Links(Path("/film/film.fcpxml"), absolute=False)
RATES = [
    pytest.param(Fraction(24), id="24"),
    pytest.param(Fraction(25), id="25"),
    pytest.param(Fraction(30), id="30"),
    pytest.param(NTSC, id="23.976"),
    pytest.param(Fraction(30000, 1001), id="29.97"),
]

RULES: dict[str, tuple[list[str], set[str], set[str]]] = {
    "fcpxml": (["resources", "event"], {"version"}, set()),
    "resources": (["format|asset"], set(), set()),
    "format": ([], {"id"}, {"name", "frameDuration", "width", "height", "colorSpace"}),
    "asset": (
        ["media-rep", "metadata"],
        {"id"},
        {"name", "start", "duration", "hasVideo", "format", "hasAudio", "audioSources", "audioChannels"},
    ),
    "media-rep": ([], {"src"}, {"kind"}),
    "event": (["project"], set(), {"name"}),
    "project": (["sequence"], set(), {"name"}),
    "sequence": (
        ["note", "spine", "metadata"],
        {"format"},
        {"duration", "tcStart", "tcFormat", "audioLayout", "audioRate"},
    ),
    "spine": (["asset-clip|gap"], set(), set()),
    "asset-clip": (
        ["note", "conform-rate", "marker|keyword", "metadata"],
        {"ref"},
        {"name", "offset", "start", "duration", "tcFormat"},
    ),
    "gap": (["note", "marker|keyword", "metadata"], {"duration"}, {"name", "offset", "start"}),
    "note": ([], set(), set()),
    "conform-rate": ([], set(), {"scaleEnabled", "srcFrameRate"}),
    "marker": ([], {"start", "value"}, {"duration", "note", "completed"}),
    "keyword": ([], {"value"}, {"start", "duration", "note"}),
    "metadata": (["md"], set(), set()),
    "md": ([], {"key"}, {"value"}),
}
"""What the published definition of 1.9 allows of the elements we write: children in order, attributes."""


def version(slate: str, frames: int = 48, rate: Fraction = Fraction(24), **changes: Any) -> Version:
    size = changes.pop("size", Size(1280, 720))
    asked = changes.pop("asked", None)
    path = Path(f"/film/renders/{slate}.mp4")
    footage = Footage(
        path=path,
        size=size,
        aspect=Fraction(1),
        rate=rate,
        frames=frames,
        start=Fraction(0),
        length=frames / rate,
        steady=True,
        sound=False,
        coding=None,
    )
    facts: dict[str, Any] = {
        "slate": slate,
        "number": 1,
        "kind": "take",
        "path": path,
        "rate": rate,
        "length": frames / rate,
        "sound": False,
        "size": asked,
        "footage": footage,
        "facts": {"slate": slate, "prompt": "the ferry leaves", "seed": 7},
    }
    return Version(**(facts | changes))


def shot(active: Version, **changes: Any) -> Shot:
    facts: dict[str, Any] = {"id": active.slate[:-4], "scene": "", "tags": (), "notes": "", "versions": (active,)}
    return Shot(**(facts | changes), active=active)


def edit(shots: Sequence[Shot], rate: Fraction | None = None, **changes: Any) -> Edit:
    return replace(laid_out("Night ferry", shots, rate), **changes)


def document(found: Edit) -> Element:
    text = text_of(found, LINKS)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.9">')
    root = fromstring(text)
    check(root)
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(set(ids)) == len(ids)
    assert {one.get(key) for one in root.iter() for key in ("ref", "format") if one.get(key)} <= set(ids)
    return root


def check(element: Element) -> None:
    order, needed, allowed = RULES[element.tag]
    assert needed <= set(element.keys()) <= needed | allowed, element.tag
    places = [next(place for place, tags in enumerate(order) if child.tag in tags.split("|")) for child in element]
    assert places == sorted(places), element.tag
    for child in element:
        check(child)


def seconds(text: str | None) -> Fraction:
    assert text is not None
    assert text.endswith("s")
    return Fraction(text.removesuffix("s"))


def one(root: Element, path: str) -> Element:
    (found,) = root.findall(path)
    return found


@pytest.mark.parametrize("rate", RATES)
def test_every_time_is_an_exact_number_of_frames(rate: Fraction) -> None:
    lengths = [47, 121, 1, 300, 99]
    shots = [shot(version(f"s{number}-t01", length, rate)) for number, length in enumerate(lengths)]
    root = document(edit(shots))
    spine = one(root, "event/project/sequence/spine")
    assert [seconds(clip.get("duration")) * rate for clip in spine] == lengths
    assert [seconds(clip.get("offset")) * rate for clip in spine] == [0, 47, 168, 169, 469]
    assert seconds(one(root, "event/project/sequence").get("duration")) * rate == sum(lengths)
    assert seconds(one(root, "resources/format").get("frameDuration")) == 1 / rate
    assert [seconds(asset.get("duration")) * rate for asset in root.iter("asset")] == lengths


@pytest.mark.parametrize(("channels", "said"), [(1, "1"), (6, "6"), (0, None)])
def test_a_clip_has_as_many_channels_as_it_has(channels: int, said: str | None) -> None:
    heard = version("a-t01", sound=True)
    assert heard.footage is not None
    root = document(edit([shot(replace(heard, footage=replace(heard.footage, channels=channels)))]))
    asset = one(root, "resources/asset")
    assert (asset.get("hasAudio"), asset.get("audioChannels")) == ("1", said)


@pytest.mark.parametrize("rate", RATES[:3])
def test_the_adapter_of_others_reads_the_same(rate: Fraction) -> None:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_fcpx_xml_adapter")
    shots = [
        shot(version("a-t01", 47, rate), notes="Hold."),
        shot(version("b-t01", 30, rate, kind="none", path=None, footage=None)),
        shot(version("c-t01", 121, rate)),
    ]
    collection = otio.adapters.read_from_string(text_of(edit(shots), LINKS), "fcpx_xml")
    (timeline,) = collection
    assert timeline.name == "Night ferry"
    clips = list(timeline.find_clips())
    assert [(clip.name, clip.source_range.duration.value) for clip in clips] == [("a-t01", 47), ("c-t01", 121)]
    assert [clip.range_in_parent().start_time.value for clip in clips] == [0, 77]
    assert clips[1].range_in_parent().duration.rate == rate
    assert [marker.name for marker in clips[0].markers] == ["Hold."]


def test_clips_of_other_sizes_and_rates_have_formats_of_their_own_and_keep_their_speed() -> None:
    shots = [
        shot(version("a-t01")),
        shot(version("b-t01", 121, Fraction(30), size=Size(1920, 1080))),
        shot(version("c-t01", 16, Fraction(16))),
        shot(version("d-t01")),
    ]
    root = document(edit(shots, Fraction(24)))
    formats = {element.get("id"): element for element in root.iter("format")}
    assert len(formats) == 3
    assets = {asset.get("name"): asset for asset in root.iter("asset")}
    other = formats[assets["b-t01.mp4"].get("format")]
    assert (other.get("width"), other.get("height"), other.get("frameDuration")) == ("1920", "1080", "1/30s")
    conformed = [clip.find("conform-rate") for clip in root.iter("asset-clip")]
    assert [None if found is None else dict(found.attrib) for found in conformed] == [
        None,
        {"scaleEnabled": "0", "srcFrameRate": "30"},
        {"scaleEnabled": "0"},
        None,
    ]
    clip = list(root.iter("asset-clip"))[1]
    assert seconds(clip.get("duration")) == 4
    assert seconds(assets["b-t01.mp4"].get("duration")) == Fraction(121, 30)


def test_the_film_has_the_size_of_most_clips() -> None:
    shots = [shot(version("a-t01", size=Size(640, 360))), shot(version("b-t01")), shot(version("c-t01"))]
    root = document(edit(shots))
    kind = one(root, "event/project/sequence").get("format")
    assert [(one.get("width"), one.get("height")) for one in root.iter("format") if one.get("id") == kind] == [
        ("1280", "720")
    ]


def test_with_nothing_rendered_the_film_has_the_size_that_is_asked_for() -> None:
    missing = version("a-t01", kind="none", path=None, footage=None, asked=Size(320, 180))
    lost = version("b-t01", footage=None, asked=Size(640, 360))
    root = document(edit([shot(missing), shot(replace(missing, slate="c-t01")), shot(lost)]))
    formats = {one.get("id"): (one.get("width"), one.get("height")) for one in root.iter("format")}
    assert formats[one(root, "event/project/sequence").get("format")] == ("320", "180")
    assert formats[one(root, "resources/asset").get("format")] == ("640", "360")


def test_a_shot_without_a_clip_is_a_gap_that_says_so() -> None:
    missing = version("b-t01", 72, kind="none", path=None, footage=None)
    root = document(edit([shot(version("a-t01")), shot(missing, scene="harbour", notes="Hold.")]))
    gap = one(root, "event/project/sequence/spine/gap")
    assert (gap.get("name"), gap.get("duration"), gap.get("offset")) == ("b-t01", "3s", "2s")
    assert one(gap, "note").text == "b-t01 is not rendered. the ferry leaves"
    assert one(gap, "marker").get("value") == "Hold."


def test_scenes_are_keywords_notes_are_markers_and_the_rest_is_metadata() -> None:
    facts = {"slate": "a-t01", "provider": "minimax", "seed": 7, "request_id": "r-1", "prompt": "the ferry leaves",
             "price": {"amount": 0.5, "currency": "usd", "basis": "listed"}}  # fmt: skip
    root = document(edit([shot(version("a-t01", facts=facts), scene="harbour", notes="Hold.")]))
    clip = one(root, "event/project/sequence/spine/asset-clip")
    assert one(clip, "keyword").get("value") == "harbour"
    assert one(clip, "marker").get("value") == "Hold."
    assert one(clip, "note").text == "the ferry leaves"
    told = {md.get("key"): md.get("value") for md in clip.iter("md")}
    assert told["com.vidspec.provider"] == "minimax"
    assert told["com.vidspec.seed"] == "7"
    assert told["com.vidspec.request_id"] == "r-1"
    assert told["com.vidspec.price"] == "0.5 usd (listed)"


def test_addresses_are_relative_to_the_document_or_absolute() -> None:
    found = edit([shot(version("a t01", path=Path("/film/renders/a & b.mp4")))])
    assert one(document(found), "resources/asset/media-rep").get("src") == "renders/a%20%26%20b.mp4"
    text = text_of(found, Links(Path("/elsewhere/film.fcpxml"), absolute=True))
    assert 'src="file:///film/renders/a%20%26%20b.mp4"' in text


def test_sound_is_told_of() -> None:
    root = document(edit([shot(version("a-t01", sound=True)), shot(version("b-t01"))]))
    assert [asset.get("hasAudio") for asset in root.iter("asset")] == ["1", None]


@pytest.mark.parametrize("rate", [Fraction(24), NTSC])
def test_the_timecode_begins_where_it_should(rate: Fraction) -> None:
    root = document(edit([shot(version("a-t01", rate=rate))], start=86400))
    assert seconds(one(root, "event/project/sequence").get("tcStart")) == 86400 / rate
    assert seconds(one(root, "event/project/sequence/spine/asset-clip").get("offset")) == 86400 / rate


@pytest.mark.parametrize(
    "text", ["<&>\"'", "a\x00b\x1b\ufffe", "\ud800", "夜 \U0001f6a2", "]]>", "line\nbreak", "x" * 10_000, ""]
)
def test_odd_texts_leave_the_document_whole(text: str) -> None:
    facts = {"slate": "a-t01", "prompt": text, "provider": text}
    root = document(replace(edit([shot(version("a-t01", facts=facts), scene=text, notes=text)]), title=text))
    assert len(list(root.iter("asset-clip"))) == 1
