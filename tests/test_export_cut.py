"""What is joined how, decided without touching a clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.errors import UsageError
from vidspec.export.cut import film_of, pieces_of
from vidspec.export.edit import Shot, Version, laid_out
from vidspec.join import Coding, Footage
from vidspec.shape import Size

if TYPE_CHECKING:
    from vidspec.export.edit import Edit

HD = Size(1280, 720)


def coding(**changes: Any) -> Coding:
    facts: dict[str, Any] = {
        "codec": "h264",
        "tag": "avc1",
        "setup": b"setup",
        "size": HD,
        "pixels": "yuv420p",
        "aspect": Fraction(1),
        "turned": 0,
        "colours": (1, 1, 1, 1),
        "lag": 0,
        "rate": Fraction(24),
    }
    return Coding(**(facts | changes))


def footage(slate: str, **changes: Any) -> Footage:
    facts: dict[str, Any] = {
        "path": Path(f"/film/{slate}.mp4"),
        "size": HD,
        "aspect": Fraction(1),
        "rate": Fraction(24),
        "frames": 48,
        "start": Fraction(0),
        "length": Fraction(2),
        "steady": True,
        "sound": False,
        "coding": coding(),
    }
    return Footage(**(facts | changes))


def version(slate: str, found: Footage | None = None, **changes: Any) -> Version:
    found = found or footage(slate)
    facts: dict[str, Any] = {
        "slate": slate,
        "number": 1,
        "kind": "take",
        "path": found.path,
        "rate": found.rate,
        "length": found.length,
        "sound": found.sound,
        "footage": found,
        "facts": {"prompt": "the ferry\nleaves"},
    }
    return Version(**(facts | changes))


def shot(active: Version, scene: str = "") -> Shot:
    return Shot(id=active.slate[:-4], scene=scene, tags=(), notes="", versions=(active,), active=active)


def edit(*versions: Version, scene: str = "") -> Edit:
    return laid_out("Night ferry", [shot(one, scene) for one in versions], None)


def missing(slate: str) -> Version:
    return version(slate, kind="none", path=None, footage=None)


def lost(slate: str, kind: str = "take") -> Version:
    return version(slate, kind=kind, footage=None, trouble=f"`{slate}.mp4` does not exist")


def made(found: Edit, *, slates: bool = False, black: bool = False, size: Size | None = None) -> tuple[Any, str]:
    return film_of(found, pieces_of(found, "shots.yaml", slates=slates, black=black), size, "mp4")


def test_clips_of_one_coding_are_taken_over_as_they_are() -> None:
    film, reason = made(edit(version("a-t01"), version("b-t01")))
    assert (film.copied, reason, film.size, film.rate, film.sound) == (True, "", HD, Fraction(24), False)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        pytest.param({"size": Size(1920, 1080)}, "not 1280x720: `c-t01`", id="size"),
        pytest.param({"rate": Fraction(25)}, "not 24 frames a second: `c-t01`", id="rate"),
        pytest.param({"steady": False, "coding": None}, "not at a steady rate: `c-t01`", id="steady"),
        pytest.param({"coding": coding(setup=b"other")}, "they are not all encoded alike", id="encoder"),
        pytest.param({"coding": coding(lag=2)}, "they are not all encoded alike", id="order"),
        pytest.param({"coding": None}, "they are not all encoded alike", id="codec"),
    ],
)
def test_one_clip_that_does_not_match_has_all_encoded_anew(other: dict[str, Any], reason: str) -> None:
    film, found = made(edit(version("a-t01"), version("b-t01"), version("c-t01", footage("c-t01", **other))))
    assert (film.copied, found) == (False, reason)


@pytest.mark.parametrize("changes", [{"turned": 90}, {"aspect": Fraction(4, 3)}], ids=["turned", "wide pixels"])
def test_what_players_must_turn_or_stretch_is_encoded_anew(changes: dict[str, Any]) -> None:
    film, reason = made(edit(version("a-t01", footage("a-t01", coding=coding(**changes)))))
    assert (film.copied, reason) == (False, "they are not all encoded alike")


def test_slates_and_another_size_have_pictures_encoded_anew() -> None:
    assert made(edit(version("a-t01")), slates=True)[1] == "slates are written into them"
    assert made(edit(version("a-t01")), size=Size(640, 360))[1] == "not 640x360: `a-t01`"


def test_every_way_in_which_clips_differ_is_named_and_who_gets_bars() -> None:
    others = [
        version("b-t01", footage("b-t01", rate=Fraction(30), size=Size(1920, 1080))),
        version("c-t01", footage("c-t01", steady=False, size=Size(720, 1280))),
        version("d-t01", footage("d-t01", size=Size(854, 480))),
    ]
    found = edit(version("a-t01"), version("e-t01"), *others)
    assert made(found)[1] == (
        "not 24 frames a second: `b-t01`; not at a steady rate: `c-t01`; not 1280x720: `b-t01`, `c-t01`, `d-t01`; "
        "with bars, being of another shape: `c-t01`"
    )
    assert made(found, slates=True)[1] == (
        "slates are written into them; with bars, being of another shape: `c-t01`"
    )


@pytest.mark.parametrize(("width", "barred"), [(1280, False), (1278, False), (1276, True), (960, True)])
def test_bars_are_told_of_where_they_are_seen(width: int, barred: bool) -> None:
    odd = version("b-t01", footage("b-t01", size=Size(width, 720)))
    assert ("with bars" in made(edit(version("a-t01"), odd), size=HD)[1]) == barred


def test_the_size_of_most_clips_is_the_films() -> None:
    wide = footage("w-t01", size=Size(1920, 1080))
    assert made(edit(version("a-t01"), version("b-t01"), version("c-t01", wide)))[0].size == HD
    assert made(edit(version("a-t01"), version("c-t01", wide)))[0].size == (1920, 1080)


def test_a_film_has_sound_as_soon_as_one_clip_has() -> None:
    assert made(edit(version("a-t01"), version("b-t01", footage("b-t01", sound=True))))[0].sound


@pytest.mark.parametrize("size", [Size(1281, 720), Size(0, 0), Size(10_000, 720)])
def test_a_size_that_cannot_be_encoded_is_refused(size: Size) -> None:
    with pytest.raises(UsageError, match="cannot be encoded"):
        made(edit(version("a-t01")), size=size)


def test_every_shot_without_a_clip_is_named_with_what_helps() -> None:
    found = edit(version("a-t01"), missing("b-t01"), lost("c-t01"))
    advice = [
        "`vidspec restore shots.yaml` brings clips back without paying",
        "`vidspec render shots.yaml --draft` draws stand-ins",
        "`--gaps black` cuts in a card",
    ]
    with pytest.raises(UsageError) as raised:
        pieces_of(found, "shots.yaml", slates=False, black=False)
    assert str(raised.value).splitlines() == [
        "a clip is missing:",
        "    c-t01 cannot be read: `c-t01.mp4` does not exist",
        "    b-t01 is neither rendered nor drafted",
        f"    help: {'; '.join(advice)}",
    ]


def test_only_what_helps_is_advised() -> None:
    with pytest.raises(UsageError) as raised:
        pieces_of(edit(missing("b-t01")), "shots.yaml", slates=False, black=False)
    assert "restore" not in str(raised.value)
    with pytest.raises(UsageError) as raised:
        pieces_of(edit(lost("b-t01", "draft")), "shots.yaml", slates=False, black=False)
    assert "restore" not in str(raised.value)
    assert "--draft" in str(raised.value)


def test_many_missing_clips_are_counted() -> None:
    with pytest.raises(UsageError, match="and 30 more") as raised:
        pieces_of(edit(*(missing(f"s{number}-t01") for number in range(50))), "x.yaml", slates=False, black=False)
    assert len(str(raised.value).splitlines()) < 25


def test_a_card_stands_where_a_clip_is_missing_if_that_is_wished_for() -> None:
    found = edit(version("a-t01"), missing("b-t01"), lost("c-t01"))
    pieces = pieces_of(found, "shots.yaml", slates=True, black=True)
    assert [(piece.footage is None, piece.frames, piece.card) for piece in pieces] == [
        (False, 48, ()),
        (True, 48, ("not rendered", "the ferry leaves")),
        (True, 48, ("the clip is missing", "the ferry leaves")),
    ]
    assert [piece.burnt for piece in pieces] == ["a-t01", "b-t01", "c-t01"]
    film, reason = film_of(found, pieces, None, "mp4")
    assert (film.copied, reason) == (False, "slates are written into them")
    assert made(found, black=True)[1] == "there are black ones among them"


def test_a_chapter_names_the_take_its_scene_and_that_it_is_a_draft() -> None:
    found = edit(version("a-t01"), version("b-t01", kind="draft"), scene="the\nharbour")
    pieces = pieces_of(found, "shots.yaml", slates=True, black=False)
    assert [piece.title for piece in pieces] == ["a-t01 · the harbour", "b-t01 (draft) · the harbour"]
    assert [piece.burnt for piece in pieces] == ["a-t01", "b-t01 (draft)"]
