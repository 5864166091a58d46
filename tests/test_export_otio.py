"""Timelines, written out and read back by the library itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.errors import UsageError
from vidspec.export import library
from vidspec.export.edit import Shot, Version, laid_out
from vidspec.export.links import Links
from vidspec.export.otio import Builder, text_of
from vidspec.export.relink import relink
from vidspec.join import Footage
from vidspec.shape import Size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidspec.export.edit import Edit

otio: Any = pytest.importorskip("opentimelineio")

NTSC = Fraction(24000, 1001)
RATES = [
    pytest.param(Fraction(24), id="24"),
    pytest.param(Fraction(25), id="25"),
    pytest.param(Fraction(30), id="30"),
    pytest.param(NTSC, id="23.976"),
]


def version(slate: str, frames: int = 48, rate: Fraction = Fraction(24), **changes: Any) -> Version:
    path = Path(f"/film/renders/{slate}.mp4")
    footage = Footage(
        path=path,
        size=Size(1280, 720),
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
        "number": int(slate[-2:]),
        "kind": "take",
        "path": path,
        "rate": rate,
        "length": frames / rate,
        "sound": False,
        "footage": footage,
        "facts": {"slate": slate, "prompt": f"a prompt for {slate}", "seed": 7},
    }
    return Version(**(facts | changes))


def nothing(slate: str, frames: int = 48, rate: Fraction = Fraction(24)) -> Version:
    return version(slate, frames, rate, kind="none", path=None, footage=None)


def shot(name: str, *versions: Version, active: int = 0, scene: str = "", notes: str = "") -> Shot:
    return Shot(id=name, scene=scene, tags=("night",), notes=notes, versions=versions, active=versions[active])


def edit(shots: Sequence[Shot], rate: Fraction | None = None, **changes: Any) -> Edit:
    return replace(laid_out("Night ferry", shots, rate), **changes)


def written(found: Edit, *, flat: bool = False) -> Any:
    links = Links(Path("/film/film.otio"), absolute=False)
    timeline = otio.adapters.read_from_string(text_of(Builder(found, links).timeline(flat=flat)), "otio_json")
    assert isinstance(timeline, otio.schema.Timeline)
    return timeline


def pictures(timeline: Any) -> list[Any]:
    """The clips of the first track, those of stacks in it too."""
    return list(timeline.tracks[0].find_clips())


def frames(time: Any) -> tuple[float, float]:
    return time.value, time.rate


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("flat", [True, False], ids=["flat", "with scenes"])
def test_every_shot_is_a_clip_in_its_place_to_the_frame(rate: Fraction, flat: bool) -> None:
    lengths = [47, 121, 1, 300, 99]
    shots = [
        shot(f"s{number}", version(f"s{number}-t01", length, rate), scene="harbour" if number in (1, 2) else "")
        for number, length in enumerate(lengths)
    ]
    timeline = written(edit(shots), flat=flat)
    clips = pictures(timeline)
    assert [clip.name for clip in clips] == [f"s{number}-t01" for number in range(5)]
    assert frames(timeline.duration()) == (sum(lengths), float(rate))
    begin = 0
    for clip, length in zip(clips, lengths, strict=True):
        place = clip.transformed_time_range(clip.trimmed_range(), timeline.tracks)
        assert frames(place.start_time) == (begin, float(rate))
        assert frames(place.duration) == (length, float(rate))
        assert clip.available_range() == clip.source_range
        begin += length


def test_the_rate_of_23_976_is_the_exact_fraction() -> None:
    timeline = written(edit([shot("s010", version("s010-t01", 240, NTSC))]))
    assert timeline.duration().rate == 24000 / 1001
    assert timeline.duration().to_seconds() == pytest.approx(10.01, abs=1e-9)


def test_a_clip_of_another_rate_is_told_at_its_own_and_cut_at_the_films() -> None:
    found = edit([shot("a", version("a-t01", 48)), shot("b", version("b-t01", 121, Fraction(30)))], Fraction(24))
    _, clip = pictures(written(found))
    assert frames(clip.available_range().duration) == (121, 30)
    assert frames(clip.source_range.duration) == (96, 24)
    assert clip.source_range.end_time_exclusive() <= clip.available_range().end_time_exclusive()


def test_every_take_is_a_reference_by_its_slate_and_the_chosen_one_is_active() -> None:
    takes = version("s010-t01"), version("s010-t02", 50), nothing("s010-t03")
    (clip,) = pictures(written(edit([shot("s010", *takes, active=1)])))
    assert clip.active_media_reference_key == "s010-t02"
    assert list(clip.media_references()) == ["s010-t01", "s010-t02", "s010-t03"]
    assert clip.media_reference.target_url == "renders/s010-t02.mp4"
    assert clip.media_reference.name == "s010-t02.mp4"
    assert clip.name == "s010-t02"
    assert clip.source_range.duration.value == 50
    assert clip.media_references()["s010-t03"].is_missing_reference


def test_a_shot_without_a_clip_is_a_clip_whose_media_is_missing() -> None:
    found = edit([shot("a", version("a-t01")), shot("b", nothing("b-t01", 72)), shot("c", version("c-t01"))])
    timeline = written(found)
    _, clip, last = pictures(timeline)
    assert clip.media_reference.is_missing_reference
    assert clip.source_range.duration.value == 72
    assert last.range_in_parent().start_time.value == 48 + 72


def test_scenes_are_stacks_of_the_shots_that_follow_each_other() -> None:
    scenes = ["harbour", "harbour", "", "ferry", "harbour"]
    shots = [shot(f"s{number}", version(f"s{number}-t01"), scene=scene) for number, scene in enumerate(scenes)]
    track = written(edit(shots)).tracks[0]
    assert [(type(child).__name__, child.name) for child in track] == [
        ("Stack", "harbour"),
        ("Clip", "s2-t01"),
        ("Stack", "ferry"),
        ("Stack", "harbour"),
    ]
    assert [clip.name for clip in track[0].find_clips()] == ["s0-t01", "s1-t01"]
    flat = written(edit(shots), flat=True).tracks[0]
    assert all(isinstance(child, otio.schema.Clip) for child in flat)


def test_notes_are_markers_and_the_rest_is_metadata() -> None:
    facts = {
        "slate": "s010-t01", "clip": "take", "provider": "minimax", "model": "MiniMax-Hailuo-02", "seed": 7,
        "prompt": "the ferry leaves", "request_id": "r-1",
        "price": {"amount": 0.5, "currency": "usd", "basis": "listed"},
    }  # fmt: skip
    made = shot("s010", version("s010-t01", facts=facts), scene="harbour", notes="Hold the end.\nTwice.")
    (clip,) = pictures(written(edit([made])))
    (marker,) = clip.markers
    assert marker.comment == "Hold the end.\nTwice."
    assert marker.name == "Hold the end. Twice."
    assert marker.marked_range.start_time == clip.source_range.start_time
    about = clip.metadata["vidspec"]
    assert (about["shot"], about["scene"], list(about["tags"])) == ("s010", "harbour", ["night"])
    for told in (about, clip.media_reference.metadata["vidspec"]):
        assert {key: told[key] for key in ("provider", "model", "seed", "prompt", "request_id")} == {
            key: facts[key] for key in ("provider", "model", "seed", "prompt", "request_id")
        }
        assert dict(told["price"]) == facts["price"]


def test_clips_with_sound_are_on_a_track_of_sound_too_at_the_same_places() -> None:
    shots = [
        shot("a", version("a-t01", 10)),
        shot("b", version("b-t01", 20, sound=True), scene="harbour", notes="x"),
        shot("c", version("c-t01", 30)),
    ]
    timeline = written(edit(shots))
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio"]
    (heard,) = timeline.tracks[1].find_clips()
    assert (heard.name, frames(heard.range_in_parent().start_time)) == ("b-t01", (10, 24))
    assert not heard.markers
    assert timeline.tracks[1].duration() == timeline.tracks[0].duration()
    assert len(written(edit(shots[:1])).tracks) == 1


def test_the_timecode_begins_where_it_should() -> None:
    found = edit([shot("a", version("a-t01", rate=NTSC))], NTSC, start=86400)
    assert frames(written(found).global_start_time) == (86400, 24000 / 1001)


ODD = [
    pytest.param('quotes " and \\ and </script>', id="quotes"),
    pytest.param("夜の渡し船 \U0001f6a2 \u202eخليج\u202c", id="scripts"),
    pytest.param("line\nbreak\ttab\u2028sep\x00nul\x1b[31m", id="controls"),
    pytest.param("\ud800 alone", id="half a pair"),
    pytest.param("x" * 100_000, id="long"),
    pytest.param("", id="empty"),
]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_come_back_as_they_were(text: str) -> None:
    facts = {"slate": "a-t01", "prompt": text}
    made = shot("a", version("a-t01", facts=facts), scene=text, notes=text)
    timeline = written(replace(edit([made]), title=text))
    (clip,) = pictures(timeline)
    plain = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    assert clip.metadata["vidspec"]["prompt"] == plain
    assert [marker.comment for marker in clip.markers] == ([plain] if plain else [])


@pytest.mark.parametrize("seed", [2**63 - 1, 2**63, 2**64 - 1, -(2**63)])
def test_a_seed_of_any_size_comes_back(seed: int) -> None:
    (clip,) = pictures(written(edit([shot("a", version("a-t01", facts={"seed": seed}))])))
    assert int(clip.metadata["vidspec"]["seed"]) == seed


def test_addresses_may_be_absolute() -> None:
    links = Links(Path("/elsewhere/film.otio"), absolute=True)
    text = text_of(Builder(edit([shot("a", version("a-t01"))]), links).timeline(flat=True))
    assert '"target_url": "file:///film/renders/a-t01.mp4"' in text


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(UsageError, match=r"pip install 'vidspec\[otio\]'"):
        library.library()


def test_without_an_adapter_it_is_said_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"`cmx_4000`[^\n]*\n    help: `pip install 'vidspec\[otio\]'`"):
        library.library("cmx_4000")


# --- given new clips -------------------------------------------------------------------------------------


def cut_by_hand(tmp_path: Path, found: Edit) -> Path:
    """A timeline as an editor leaves it: out of order, trimmed, one shot twice, one left out, a title added."""
    timeline = written(found, flat=True)
    track = timeline.tracks[0]
    first, second, _ = (clip.deepcopy() for clip in track)
    del track[:]
    foreign = otio.schema.Clip(name="titles", source_range=second.source_range)
    again = first.deepcopy()
    again.source_range = otio.opentime.TimeRange(
        otio.opentime.RationalTime(5, 24), otio.opentime.RationalTime(10, 24)
    )
    track.extend([second, foreign, first, again])
    path = tmp_path / "cut.otio"
    otio.adapters.write_to_file(timeline, str(path), "otio_json")
    return path


def linked(path: Path, found: Edit) -> Any:
    return relink(path, found, Builder(found, Links(path, absolute=True)))


def test_an_edited_timeline_gets_the_clips_that_there_are_by_now_and_stays_cut_as_it_is(tmp_path: Path) -> None:
    before = [shot("a", nothing("a-t01")), shot("b", version("b-t01", kind="draft")), shot("c", nothing("c-t01"))]
    path = cut_by_hand(tmp_path, edit(before))
    now = [
        shot("a", version("a-t01"), version("a-t02"), active=1),
        shot("b", version("b-t01")),
        shot("c", version("c-t01")),
    ]
    done = linked(path, edit(now))
    assert (done.clips, done.warnings) == (3, ("not in the cut: `c`",))
    second, foreign, first, again = done.timeline.tracks[0]
    assert [clip.name for clip in (second, foreign, first, again)] == ["b-t01", "titles", "a-t02", "a-t02"]
    assert second.media_reference.target_url == "file:///film/renders/b-t01.mp4"
    assert first.active_media_reference_key == "a-t02"
    assert sorted(first.media_references()) == ["a-t01", "a-t02"]
    assert frames(again.source_range.start_time) == (5, 24)
    assert frames(again.source_range.duration) == (10, 24)
    assert foreign.media_reference.is_missing_reference


@pytest.mark.parametrize("known_by", ["name", "name of the file", "shot", "address"])
def test_a_clip_is_known_without_our_metadata(tmp_path: Path, known_by: str) -> None:
    timeline = written(edit([shot("a", version("a-t01"))]), flat=True)
    (clip,) = pictures(timeline)
    clip.metadata.clear()
    reference = otio.schema.ExternalReference(target_url="file:///old/place/other.mov")
    clip.name = {"name": "a-t01", "name of the file": "a-t01.mp4", "shot": "a", "address": "Clip 1"}[known_by]
    if known_by == "address":
        reference.target_url = "file:///old/place/a-t01.mp4"
    clip.media_reference = reference
    path = tmp_path / "cut.otio"
    otio.adapters.write_to_file(timeline, str(path), "otio_json")
    done = linked(path, edit([shot("a", version("a-t01"))]))
    assert done.clips == 1
    (clip,) = done.timeline.find_clips()
    assert clip.media_reference.target_url == "file:///film/renders/a-t01.mp4"


def test_a_clip_shorter_than_what_the_cut_shows_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    path.write_text(
        text_of(Builder(edit([shot("a", nothing("a-t01", 100))]), Links(path, absolute=True)).timeline(flat=True))
    )
    done = linked(path, edit([shot("a", version("a-t01", 90))]))
    assert done.warnings == ("the clip that is there now is shorter than what the cut shows of it: `a`",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(None, "no such file", id="missing"),
        pytest.param("", "it is none", id="empty"),
        pytest.param("{", "it is none", id="no JSON"),
        pytest.param('{"OTIO_SCHEMA": "Gap.1"}', "holds no timeline", id="a gap"),
        pytest.param('{"OTIO_SCHEMA": "Timeline.1"}', "it is none", id="a timeline cut short"),
        pytest.param(otio.schema.Timeline().to_json_string(), "no clip of", id="a timeline of others"),
    ],
)
def test_what_is_no_timeline_of_ours_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "cut.otio"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=reason):
        linked(path, edit([shot("a", version("a-t01"))]))


def test_clips_of_shots_that_are_left_out_are_not_said_to_be_of_another_list(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    shots = [shot(name, version(f"{name}-t01")) for name in "ab"]
    path.write_text(text_of(Builder(edit(shots), Links(path, absolute=True)).timeline(flat=True)))
    found = edit([shot("c", version("c-t01"))])
    others = {"a": "a", "a-t01": "a", "b": "b", "b-t01": "b", "d": "d"}
    with pytest.raises(UsageError) as refused:
        relink(path, found, Builder(found, Links(path, absolute=True)), others=others, without="`--select`")
    words = f"`--select` leaves out every clip of `{path}` that is a shot of this list: `a`, `b`"
    assert str(refused.value) == words
