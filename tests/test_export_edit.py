from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.export.edit import Shot, Version, common_rate, exact_rate, laid_out, line, rate_name, speed, timecode
from vidspec.export.links import Links
from vidspec.shape import Size

if TYPE_CHECKING:
    from pathlib import Path

NTSC = Fraction(24000, 1001)


def version(rate: Fraction = Fraction(24), frames: int = 48, **changes: Any) -> Version:
    facts: dict[str, Any] = {"slate": "s010-t01", "number": 1, "kind": "take", "path": None, "sound": False}
    return Version(rate=rate, length=frames / rate, **(facts | changes))


def shot(active: Version) -> Shot:
    return Shot(id="s010", scene="", tags=(), notes="", versions=(active,), active=active)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("24", Fraction(24)),
        (24.0, Fraction(24)),
        ("23.976", NTSC),
        ("23.98", NTSC),
        (23.976023976, NTSC),
        ("24000/1001", NTSC),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("25", Fraction(25)),
    ],
)
def test_a_rate_is_taken_for_what_is_meant(written: str | float, meant: Fraction) -> None:
    assert exact_rate(written) == meant


@pytest.mark.parametrize("text", ["", "fast", "0", "-24", "1/0", "nan", "inf", "1001", "24fps"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="frames a second"):
        exact_rate(text)


@pytest.mark.parametrize(
    ("rate", "name"), [(Fraction(24), "24"), (NTSC, "23.976"), (Fraction(25, 2), "12.5"), (Fraction(100), "100")]
)
def test_a_rate_is_written_as_people_do(rate: Fraction, name: str) -> None:
    assert rate_name(rate) == name


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(1), "1 frame a second"),
        (NTSC, "23.976 frames a second"),
        (Fraction(3, 2), "1.5 frames a second"),
    ],
)
def test_one_frame_is_not_several(rate: Fraction, words: str) -> None:
    assert speed(rate) == words


def test_without_any_clip_the_film_has_the_size_that_most_takes_ask_for() -> None:
    sizes = [Size(640, 360), Size(321, 181), Size(321, 181), None]
    edit = laid_out("Ferry", [shot(version(size=size)) for size in sizes], None)
    assert edit.size == (320, 180)
    assert laid_out("Ferry", [shot(version())], None).size == (1280, 720)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30), NTSC], ids=str)
def test_a_clip_of_the_films_rate_fills_as_many_frames_as_it_has(rate: Fraction) -> None:
    assert version(rate, 121).lasting(rate) == 121


@pytest.mark.parametrize(
    ("of", "frames", "to", "lasting"),
    [
        pytest.param(Fraction(30), 120, Fraction(24), 96, id="to the frame"),
        pytest.param(Fraction(30), 121, Fraction(24), 96, id="what does not fill a frame is left out"),
        pytest.param(Fraction(24), 120, NTSC, 119, id="a thousandth slower"),
        pytest.param(NTSC, 120, Fraction(24), 120, id="a thousandth faster"),
        pytest.param(Fraction(25), 1, Fraction(8), 1, id="never less than one"),
    ],
)
def test_a_clip_of_another_rate_ends_with_the_last_whole_frame(
    of: Fraction, frames: int, to: Fraction, lasting: int
) -> None:
    assert version(of, frames).lasting(to) == lasting


def test_what_is_asked_for_and_not_there_is_as_many_frames_as_a_clip_would_have() -> None:
    assert version(Fraction(10), 2, kind="none").lasting(Fraction(24)) == 5


def test_shots_stand_one_behind_the_other() -> None:
    edit = laid_out("Ferry", [shot(version(frames=frames)) for frames in (10, 20, 30)], None, "01:00:00:00")
    assert [(placed.begin, placed.frames) for placed in edit.shots] == [(0, 10), (10, 20), (30, 30)]
    assert (edit.frames, edit.seconds, edit.start) == (60, Fraction(5, 2), 86400)


def test_the_films_rate_is_that_of_most_clips_that_are_there(tmp_path: Path) -> None:
    there: dict[str, Any] = {"path": tmp_path / "a.mp4", "kind": "take"}
    thirty, ntsc = version(Fraction(30), **there), version(NTSC, **there)
    assert common_rate([thirty, ntsc, ntsc]) == NTSC
    assert common_rate([thirty, ntsc]) == 30
    assert common_rate([version(Fraction(25)), version(Fraction(25)), thirty]) == 30
    assert common_rate([version(Fraction(25)), version(Fraction(25))]) == 25
    assert common_rate([]) == 24


@pytest.mark.parametrize(
    ("rate", "start", "frame"),
    [
        pytest.param(Fraction(24), "01:00:00:00", 86400, id="24"),
        pytest.param(Fraction(25), "00:00:01:24", 49, id="25"),
        pytest.param(NTSC, "01:00:00:00", 86400, id="23.976 counts 24"),
        pytest.param(Fraction(30000, 1001), "10:59:59:29", (11 * 3600) * 30 - 1, id="29.97 drops nothing"),
    ],
)
def test_timecode_counts_frames_and_drops_none(rate: Fraction, start: str, frame: int) -> None:
    edit = laid_out("", [shot(version(rate))], rate, start)
    assert edit.start == frame
    assert timecode(edit.start, rate) == start


@pytest.mark.parametrize(
    "start", ["1", "01:00:00", "01:00:00;00", "00:00:00:24", "24:00:00:00", "00:60:00:00", "a:b:c:d", "-1:00:00:00"]
)
def test_what_is_no_timecode_is_refused(start: str) -> None:
    with pytest.raises(ValueError, match="timecode"):
        laid_out("", [shot(version())], Fraction(24), start)


def test_a_text_becomes_one_line_of_what_can_be_seen() -> None:
    assert line("a\n b\tc\u2028d\x00e\x1b[31m \u202ef") == "a b c de[31m f"


def test_links_lead_from_the_file_to_the_clip(tmp_path: Path) -> None:
    clip = tmp_path / "renders" / "s 010" / "10%:夜.mp4"
    beside = Links(tmp_path / "film.otio", absolute=False)
    below = Links(tmp_path / "edit" / "v1" / "film.otio", absolute=False)
    assert beside.url(clip) == "renders/s%20010/10%25%3A%E5%A4%9C.mp4"
    assert beside.path(clip) == "renders/s 010/10%:夜.mp4"
    assert below.path(clip) == "../../renders/s 010/10%:夜.mp4"
    assert Links(tmp_path / "film.otio", absolute=True).url(clip) == clip.as_uri()


def test_links_of_a_file_behind_a_link_lead_to_the_clip_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "deep" / "down")
    assert Links(tmp_path / "out" / "film.otio", absolute=False).path(tmp_path / "a.mp4") == "../../a.mp4"
