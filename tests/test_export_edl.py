"""Lists of CMX 3600, read back by the maintained adapter."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.errors import UsageError
from vidspec.export.edit import Shot, Version, exact_rate, laid_out, speed
from vidspec.export.edl import countable, rates, reels, require, text_of
from vidspec.export.links import Links

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidspec.export.edit import Edit

otio: Any = pytest.importorskip("opentimelineio")

NTSC = Fraction(24000, 1001)
LINKS = Links(Path("/film/film.edl"), absolute=False)


def version(slate: str, frames: int = 48, rate: Fraction = Fraction(24), **changes: Any) -> Version:
    facts: dict[str, Any] = {
        "slate": slate,
        "number": 1,
        "kind": "take",
        "path": Path(f"/film/renders/{slate}.mp4"),
        "rate": rate,
        "length": frames / rate,
        "sound": False,
        "facts": {"slate": slate, "prompt": "the ferry leaves"},
    }
    return Version(**(facts | changes))


def shot(active: Version, **changes: Any) -> Shot:
    facts: dict[str, Any] = {"id": active.slate[:-4], "scene": "", "tags": (), "notes": "", "versions": (active,)}
    return Shot(**(facts | changes), active=active)


def edit(shots: Sequence[Shot], rate: Fraction | None = None, **changes: Any) -> Edit:
    return replace(laid_out("Night ferry", shots, rate), **changes)


def read(text: str, nominal: int) -> list[tuple[str, str, float, float, float]]:
    """What the adapter reads: name, kind of track, where it begins in the film and in its clip, how long it is."""
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=nominal)
    found = []
    for track in timeline.tracks:
        begins = track.source_range.start_time if track.source_range else otio.opentime.RationalTime(0, nominal)
        for clip in track.find_clips():
            place = clip.range_in_parent().start_time - begins
            source = clip.source_range
            found.append((clip.name, track.kind, place.value, source.start_time.value, source.duration.value))
    return found


@pytest.mark.parametrize(
    ("rate", "nominal"),
    [
        pytest.param(Fraction(24), 24, id="24"),
        pytest.param(Fraction(25), 25, id="25"),
        pytest.param(Fraction(30), 30, id="30"),
        pytest.param(NTSC, 24, id="23.976"),
        pytest.param(Fraction(30000, 1001), 30, id="29.97"),
    ],
)
def test_every_event_is_in_its_place_to_the_frame(rate: Fraction, nominal: int) -> None:
    lengths = [47, 121, 1, 30_000, 99]
    shots = [shot(version(f"s{number}-t01", length, rate)) for number, length in enumerate(lengths)]
    text = text_of(edit(shots), LINKS)
    begins = [0, 47, 168, 169, 30_169]
    assert read(text, nominal) == [
        (f"s{number}-t01.mp4", "Video", begin, 0, length)
        for number, (begin, length) in enumerate(zip(begins, lengths, strict=True))
    ]


def test_the_text_is_what_every_reader_knows() -> None:
    shots = [shot(version("s010-t01", 60)), shot(version("s020-t01", 30, sound=True))]
    assert text_of(edit(shots), LINKS) == (
        "TITLE: Night ferry\n"
        "FCM: NON-DROP FRAME\n"
        "\n"
        "001  S010T01  V     C        00:00:00:00 00:00:02:12 00:00:00:00 00:00:02:12\n"
        "* FROM CLIP NAME:  s010-t01.mp4\n"
        "* FROM CLIP: renders/s010-t01.mp4\n"
        "* VIDSPEC SHOT: s010\n"
        "* VIDSPEC SLATE: s010-t01\n"
        "* VIDSPEC PROMPT: the ferry leaves\n"
        "002  S020T01  AA/V  C        00:00:00:00 00:00:01:06 00:00:02:12 00:00:03:18\n"
        "* FROM CLIP NAME:  s020-t01.mp4\n"
        "* FROM CLIP: renders/s020-t01.mp4\n"
        "* VIDSPEC SHOT: s020\n"
        "* VIDSPEC SLATE: s020-t01\n"
        "* VIDSPEC PROMPT: the ferry leaves\n"
    )


def test_timecode_drops_no_frames_at_29_97_however_late_it_is() -> None:
    text = text_of(edit([shot(version("a-t01", 200_000, Fraction(30000, 1001)))]), LINKS)
    assert "01:51:06:20" in text
    assert ";" not in text


def test_a_shot_without_a_clip_is_a_gap_of_its_length() -> None:
    shots = [
        shot(version("a-t01", 10)),
        shot(version("b-t01", 20, kind="none", path=None)),
        shot(version("c-t01", 30, sound=True)),
    ]
    text = text_of(edit(shots), LINKS)
    events = re.findall(r"^\d{3}.*", text, re.MULTILINE)
    assert len(events) == 2
    assert " ".join(events[1].split()) == "002 CT01 AA/V C 00:00:00:00 00:00:01:06 00:00:01:06 00:00:02:12"
    assert [one[:3] for one in read(text, 24)] == [
        ("a-t01.mp4", "Video", 0),
        ("c-t01.mp4", "Video", 30),
        ("c-t01.mp4", "Audio", 30),
        ("c-t01.mp4", "Audio", 30),
    ]


def test_the_timecode_of_the_film_begins_where_it_should_and_that_of_clips_at_nought() -> None:
    text = text_of(edit([shot(version("a-t01"), notes="Hold.")], start=86400), LINKS)
    assert "00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00" in text
    assert "* LOC: 01:00:00:00 YELLOW  Hold.\n" in text


def test_a_clip_of_another_rate_is_as_long_in_the_film_as_in_its_own_time() -> None:
    shots = [shot(version("a-t01")), shot(version("b-t01", 121, Fraction(30)))]
    text = text_of(edit(shots, Fraction(24)), LINKS)
    assert read(text, 24)[1] == ("b-t01.mp4", "Video", 48, 0, 96)
    assert "* VIDSPEC RATE: the clip has 30 frames a second\n" in text


def test_what_is_known_of_a_take_stands_in_comments() -> None:
    facts = {
        "slate": "s010-t01", "provider": "minimax", "model": "MiniMax-Hailuo-02", "seed": 7, "request_id": "r-1",
        "prompt": "word " * 60, "price": {"amount": 0.5, "currency": "usd", "basis": "unsure"},
    }  # fmt: skip
    text = text_of(edit([shot(version("s010-t01", facts=facts, kind="draft"), scene="harbour")]), LINKS)
    for line in (
        "* VIDSPEC SCENE: harbour",
        "* VIDSPEC PROVIDER: minimax",
        "* VIDSPEC MODEL: MiniMax-Hailuo-02",
        "* VIDSPEC SEED: 7",
        "* VIDSPEC REQUEST ID: r-1",
        "* VIDSPEC PRICE: 0.5 usd (unsure)",
        "* VIDSPEC DRAFT: stands in for a take that is not rendered yet",
    ):
        assert f"{line}\n" in text
    prompts = re.findall(r"\* VIDSPEC PROMPT: (.*)", text)
    assert " ".join(prompts).split() == ["word"] * 60
    assert max(map(len, text.splitlines())) < 130


@pytest.mark.parametrize(
    "text",
    [
        "line\n002  AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
        "M2 s010 012.0 00:00:00:00",
        "* FROM CLIP NAME: other",
        "TITLE: other",
        "sep\u2028FCM: DROP FRAME\x0b\x1c\x85x",
        "夜の渡し船 \U0001f6a2",
        "",
    ],
)
def test_odd_texts_do_not_become_events(text: str) -> None:
    facts = {"slate": "a-t01", "prompt": text, "provider": text}
    found = edit([shot(version("a-t01", facts=facts), scene=text, notes=text), shot(version("b-t01"))])
    written = text_of(replace(found, title=text), LINKS)
    assert [one[0] for one in read(written, 24)] == ["a-t01.mp4", "b-t01.mp4"]
    assert len(re.findall(r"^\d{3}", written, re.MULTILINE)) == 2


def test_reels_are_cut_to_what_every_reader_takes_and_told_apart() -> None:
    slates = ["s010-t01", "s020-rain-t01", "s020-rain-t02", "s020-rain-t03", "...", "---"]
    assert reels(slates) == ["S010T01", "S020RAIN", "S020RAI2", "S020RAI3", "X", "X2"]
    assert reels(["s020-rain-t01"], 32) == ["S020RAINT01"]
    many = reels([f"a-very-long-name-t{number:03}" for number in range(1200)])
    assert len(set(many)) == 1200
    assert {len(name) for name in many} == {8}


def test_longer_reels_may_be_wished_for() -> None:
    text = text_of(edit([shot(version("s020-moon-t01"))]), LINKS, reel_length=32)
    assert "001  S020MOONT01 V     C" in text


def test_a_list_without_any_clip_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing is rendered"):
        text_of(edit([shot(version("a-t01", kind="none", path=None))]), LINKS)


def test_a_film_longer_than_a_day_is_refused() -> None:
    with pytest.raises(UsageError, match="24 hours"):
        text_of(edit([shot(version("a-t01"))], start=24 * 3600 * 24 - 1), LINKS)


def test_a_thousand_events_are_read_back() -> None:
    found = edit([shot(version(f"s{number:04}-t01", 25, sound=number % 2 == 0)) for number in range(1001)])
    pictures = [one for one in read(text_of(found, LINKS), 24) if one[1] == "Video"]
    assert len(pictures) == 1001
    assert pictures[-1] == ("s1000-t01.mp4", "Video", 25_000, 0, 25)


@pytest.mark.parametrize("rate", [24, 25, 30, 48, 50, 60, NTSC, Fraction(60000, 1001)], ids=str)
def test_every_rate_that_is_said_to_be_counted_is(rate: Fraction | int) -> None:
    assert round(rate) in rates()
    assert countable(Fraction(rate)) == rate
    shots = [shot(version("a-t01", 7, Fraction(rate))), shot(version("b-t01", 61, Fraction(rate)))]
    assert [one[2:] for one in read(text_of(edit(shots), LINKS), round(rate))] == [(0, 0, 7), (7, 0, 61)]


@pytest.mark.parametrize(
    ("rate", "other"),
    [("1", 24), ("7.5", 24), ("12", 24), ("15", 24), ("16", 24), ("26", 30), ("119.88", 60), ("1000", 60)],
)
def test_a_rate_that_timecode_cannot_count_is_refused_with_those_that_it_can(rate: str, other: int) -> None:
    asked = exact_rate(rate)
    assert countable(asked) == other
    for refusing in (lambda: require(asked), lambda: text_of(edit([shot(version("a-t01"))], asked), LINKS)):
        with pytest.raises(UsageError) as refused:
            refusing()
        words, advice = str(refused.value).split("\n    ")
        assert words == f"an edit list cannot count {speed(asked)}"
        assert advice.startswith(f"help: `--rate {other}`; it counts 24, 25, 30, 48, 50, 60, and what")


def test_a_draft_of_other_settings_is_one_in_the_comments() -> None:
    text = text_of(edit([shot(version("a-t01", kind="draft", outdated=True))]), LINKS)
    assert "* VIDSPEC DRAFT: drawn from other settings than the list has now\n" in text
