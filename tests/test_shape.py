"""Sizes, tiers and ratios: three words for one thing, held against every shape of every table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import shape
from vidspec.capability import Shape
from vidspec.providers import PROVIDERS, table
from vidspec.shape import Size, nominal_size, parse_ratio, parse_size, ratio_name, same_ratio, settle

steady = settings(derandomize=True, deadline=None, database=None, max_examples=200)

SHAPES = {
    f"{provider}:{model.name}:{mode}": capability.shape
    for provider in PROVIDERS
    for model in table(provider).models.values()
    for mode, capability in model.capabilities.items()
    if capability.shape is not None
}
OFFERED = [
    pytest.param(found, tier, ratio, size, id=f"{name}:{tier}:{ratio}")
    for name, found in SHAPES.items()
    if not found.any_size and not name.startswith("leapx")
    for tier, row in found.tiers.items()
    for ratio, size in row.items()
]
WAN = Shape(
    tiers={
        "480p": {"16:9": "832x480", "1:1": "624x624"},
        "720p": {"16:9": "1280x720", "1:1": "960x960", "4:3": "1088x832"},
    },
    default={"resolution": "720p", "aspect_ratio": "16:9"},
)
UNSAID = Shape(tiers={"720p": {"16:9": "1280x720", "9:16": "720x1280"}}, required=True)
FOLLOWING = Shape(tiers={"768p": {}, "1080p": {}}, default={"resolution": "768p"}, follows=True)
ANY = Shape(default={"resolution": "720p", "aspect_ratio": "16:9"}, any_size=True, min=16, max=4096, multiple=2)


Asked = dict[str, str]


def ask(offered: Shape | None, asked: Asked | None = None, *, picture: float | None = None, **more: str) -> Asked:
    found = settle(offered, {**(asked or {}), **more}, model="m", picture=picture)
    assert [problem.code for problem in found.problems] == []
    return dict(found.request)


def codes(
    offered: Shape | None, asked: Asked | None = None, *, picture: float | None = None, **more: str
) -> list[str]:
    found = settle(offered, {**(asked or {}), **more}, model="m", picture=picture)
    return [f"{problem.code} {problem.setting}".strip() for problem in found.problems]


# --- sizes and ratios ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1280x720", "1280*720", "1280×720"])
def test_a_size_is_two_numbers_however_they_are_joined(text: str) -> None:
    assert str(parse_size(text)) == "1280x720"


@pytest.mark.parametrize(
    "text", ["", "1280", "1280X720", "0x720", "1280x0", "-1x5", "1280x720 ", "123456x1", "１２x1"]
)
def test_anything_else_is_no_size(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("text", "ratio"), [("16:9", 16 / 9), ("1:1", 1.0), ("0:1", None), ("16/9", None), ("1:00", None)]
)
def test_a_ratio_is_two_numbers_with_a_colon(text: str, ratio: float | None) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize(
    ("size", "name"),
    [
        pytest.param(Size(1280, 720), "16:9", id="wide"),
        pytest.param(Size(1366, 768), "16:9", id="nearly wide"),
        pytest.param(Size(1088, 832), "4:3", id="nearly an old set"),
        pytest.param(Size(640, 480), "4:3", id="an old set"),
        pytest.param(Size(1000, 720), "25:18", id="nameless"),
    ],
)
def test_a_size_has_the_name_of_its_ratio(size: Size, name: str) -> None:
    assert ratio_name(size) == name


@steady
@given(
    tier=st.sampled_from(["480p", "720p", "1080p"]), ratio=st.sampled_from(["16:9", "9:16", "1:1", "4:3", "21:9"])
)
def test_the_size_that_a_tier_promises_has_that_short_side_and_ratio(tier: str, ratio: str) -> None:
    wanted = parse_ratio(ratio)
    assert wanted is not None
    size = nominal_size(tier, wanted)
    assert size is not None
    assert f"{min(size)}p" == tier
    assert same_ratio(size.ratio, wanted)
    assert not any(side % 2 for side in size)


# --- every shape of every table ----------------------------------------------------------------------------


@pytest.mark.parametrize(("offered", "tier", "ratio", "size"), OFFERED)
def test_a_shape_of_a_table_can_be_asked_for_by_tier_and_ratio_and_by_size(
    offered: Shape, tier: str, ratio: str, size: str | None
) -> None:
    wanted = {"resolution": tier, "aspect_ratio": ratio, **({"size": size} if size else {})}
    assert ask(offered, resolution=tier, aspect_ratio=ratio) == wanted
    named = parse_ratio(ratio)
    pixels = size or (named and nominal_size(tier, named))
    if pixels:
        assert ask(offered, size=str(pixels)) == wanted
        assert ask(offered, size=str(pixels).replace("x", "*"), resolution=tier, aspect_ratio=ratio) == wanted


@pytest.mark.parametrize("offered", SHAPES.values(), ids=SHAPES)
def test_a_table_has_a_default_shape_unless_the_list_must_say(offered: Shape) -> None:
    if offered.required:
        assert codes(offered) == ["E407"]
    elif not offered.inherited:
        assert ask(offered)


# --- what is asked for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        pytest.param({}, "1280x720", id="nothing: the default"),
        pytest.param({"resolution": "480p"}, "832x480", id="a tier, in the default's ratio"),
        pytest.param({"aspect_ratio": "1:1"}, "960x960", id="a ratio, in the default's tier"),
        pytest.param({"aspect_ratio": "4:3"}, "1088x832", id="a ratio that only one tier has"),
        pytest.param({"size": "624x624"}, "624x624", id="a size"),
        pytest.param({"size": "624x624", "resolution": "480p"}, "624x624", id="a size and its tier"),
    ],
)
def test_what_is_not_said_is_the_tables_default(asked: dict[str, str], size: str) -> None:
    assert ask(WAN, asked)["size"] == size


@pytest.mark.parametrize(
    ("offered", "asked", "found"),
    [
        pytest.param(WAN, {"size": "1280x721"}, ["E404 size"], id="a size that is not offered"),
        pytest.param(
            WAN,
            {"resolution": "1080p", "aspect_ratio": "3:4"},
            ["E404 resolution", "E404 aspect_ratio"],
            id="both wrong",
        ),
        pytest.param(WAN, {"resolution": "480p", "aspect_ratio": "4:3"}, ["E404 aspect_ratio"], id="not together"),
        pytest.param(
            WAN, {"size": "832x480", "resolution": "720p"}, ["E408 resolution"], id="contradiction of tiers"
        ),
        pytest.param(
            WAN, {"size": "832x480", "aspect_ratio": "1:1"}, ["E408 aspect_ratio"], id="contradiction of ratios"
        ),
        pytest.param(WAN, {"size": "big"}, ["E206 size"], id="no size"),
        pytest.param(
            WAN, {"aspect_ratio": "adaptive"}, ["E404 aspect_ratio"], id="adaptive, where that is not offered"
        ),
        pytest.param(UNSAID, {}, ["E407"], id="no default"),
        pytest.param(UNSAID, {"resolution": "720p"}, ["E407"], id="no default for the ratio"),
        pytest.param(
            None, {"size": "1280x720", "resolution": "720p"}, ["E405 size", "E405 resolution"], id="no choice"
        ),
        pytest.param(Shape(inherited=True), {"aspect_ratio": "1:1"}, ["E405 aspect_ratio"], id="inherited"),
        pytest.param(ANY, {"size": "1281x720"}, ["E404 size"], id="an odd side"),
        pytest.param(ANY, {"size": "14x14"}, ["E404 size"], id="too small"),
        pytest.param(ANY, {"size": "4098x16"}, ["E404 size"], id="too large"),
        pytest.param(ANY, {"resolution": "9999p"}, ["E404 resolution"], id="a tier too large"),
        pytest.param(
            ANY, {"size": "640x360", "resolution": "720p"}, ["E408 resolution"], id="any size, contradicted"
        ),
    ],
)
def test_what_cannot_be_had_is_an_error_of_the_setting_that_asks_for_it(
    offered: Shape | None, asked: dict[str, str], found: list[str]
) -> None:
    assert codes(offered, asked) == found


@pytest.mark.parametrize(
    ("offered", "asked", "near"),
    [
        pytest.param(WAN, {"size": "1280x730"}, "1280x720", id="a size"),
        pytest.param(WAN, {"size": "500x900"}, "624x624", id="a size of a shape that is not offered"),
        pytest.param(WAN, {"resolution": "1080p"}, "720p", id="a tier"),
        pytest.param(WAN, {"aspect_ratio": "5:4"}, "4:3", id="a ratio"),
        pytest.param(FOLLOWING, {"size": "1280x720"}, "768p", id="the tier of a size's short side"),
        pytest.param(
            Shape(tiers={"720p": {"16:9": None}}), {"size": "1280x700"}, "1280x720", id="a size chosen upstream"
        ),
    ],
)
def test_the_nearest_in_pixels_is_offered(offered: Shape, asked: dict[str, str], near: str) -> None:
    (problem,) = settle(offered, asked, model="m", picture=None).problems
    assert problem.help.endswith(f"; the nearest is `{near}`")


def test_a_model_that_follows_its_picture_takes_only_a_tier() -> None:
    assert ask(FOLLOWING) == {"resolution": "768p"}
    assert ask(FOLLOWING, resolution="1080p") == {"resolution": "1080p"}
    assert ask(FOLLOWING, aspect_ratio="16:9", picture=16 / 9) == {"resolution": "768p"}
    assert ask(FOLLOWING, size="1366x768", picture=16 / 9)["resolution"] == "768p"
    assert codes(FOLLOWING, resolution="720p") == ["E404 resolution"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({"aspect_ratio": "9:16"}, ["E504 aspect_ratio"], id="another ratio"),
        pytest.param({"size": "768x1366"}, ["E504 size"], id="another size"),
        pytest.param({"aspect_ratio": "16:9"}, [], id="its own"),
    ],
)
def test_a_model_that_follows_its_picture_makes_no_other_shape(asked: dict[str, str], found: list[str]) -> None:
    assert codes(FOLLOWING, asked, picture=16 / 9) == found
    assert codes(FOLLOWING, asked, picture=None) == []


def test_a_drawn_shot_has_any_size_within_bounds() -> None:
    named: dict[str, Any] = {"resolution": "720p", "aspect_ratio": "16:9"}
    forms: tuple[dict[str, Any], ...] = ({}, {"size": "1280x720"}, {"size": "1280*720"}, named)
    for asked in forms:
        assert ask(ANY, **asked)["size"] == "1280x720"
    assert ask(ANY, aspect_ratio="9:16")["size"] == "720x1280"
    assert ask(ANY, size="64x36") == {"size": "64x36"}


@pytest.mark.parametrize(
    ("kind", "asked", "sent", "defaulted"),
    [
        pytest.param("exact", {}, {"resolution", "aspect_ratio", "size"}, None, id="nothing is written"),
        pytest.param("exact", {"size": "720x1280"}, None, {"resolution", "aspect_ratio"}, id="a size"),
        pytest.param("exact", {"resolution": "720p"}, None, {"aspect_ratio", "size"}, id="a tier"),
        pytest.param(
            "named", {"size": "1280x720"}, {"resolution", "aspect_ratio"}, set(), id="a size that is not sent"
        ),
        pytest.param(
            "named", {"resolution": "720p"}, {"resolution", "aspect_ratio"}, {"aspect_ratio"}, id="named tier"
        ),
        pytest.param("follows", {"size": "1280x720"}, {"resolution"}, set(), id="a size of which the tier is sent"),
        pytest.param("follows", {"resolution": "720p"}, {"resolution"}, set(), id="the tier that is sent"),
        pytest.param("follows", {"aspect_ratio": "16:9"}, {"resolution"}, {"resolution"}, id="a ratio is not sent"),
    ],
)
def test_what_is_sent_of_a_shape_and_what_of_it_nobody_wrote(
    kind: str, asked: dict[str, str], sent: set[str] | None, defaulted: set[str] | None
) -> None:
    shapes = {
        "exact": SHAPES["nebula:sora-2:text_to_video"],
        "named": SHAPES["nebula:doubao-seedance-1-0-pro-250528:text_to_video"],
        "follows": SHAPES["nebula:wan2.5-i2v-preview:image_to_video"],
    }
    found = settle(shapes[kind], asked, model="m", picture=16 / 9)
    wanted = sent or {"resolution", "aspect_ratio", "size"}
    assert set(found.request) == wanted
    assert found.defaulted == (wanted if defaulted is None else defaulted)


SPOKEN = st.fixed_dictionaries(
    {},
    optional={
        "size": st.sampled_from(["1280x720", "832x480", "1366x768", "64x36", "big", "1280*720"]),
        "resolution": st.sampled_from(["480p", "720p", "768p", "1080p", "HD", "adaptive"]),
        "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1", "25:18", "adaptive", "wide"]),
    },
)


@settings(steady, max_examples=400)
@given(offered=st.sampled_from(sorted(SHAPES)), asked=SPOKEN, picture=st.sampled_from([None, 1.0, 16 / 9]))
def test_a_shape_is_settled_or_has_a_problem_that_names_what_was_asked(
    offered: str, asked: dict[str, str], picture: float | None
) -> None:
    found = settle(SHAPES[offered], asked, model="m", picture=picture)
    assert found.problems or all(key in ("size", "resolution", "aspect_ratio") for key in found.request)
    for problem in found.problems:
        assert problem.setting in asked or (problem.code == "E407" and not problem.setting)
    if not found.problems and "size" in asked and "size" in found.request:
        assert found.request["size"] == str(parse_size(asked["size"]))


def test_a_ratio_a_hair_off_is_the_same_ratio() -> None:
    assert shape.same_ratio(1366 / 768, 16 / 9)
    assert not shape.same_ratio(4 / 3, 1.3)
