"""Settings against the tables: modes, numbers, switches, camera, options, texts and seeds."""

from __future__ import annotations

from typing import Any

import pytest

from vidspec import check
from vidspec.capability import Camera, Capability, Model, Numbers, Option, Seed, Shape, Switch, Text
from vidspec.check import Checker, Settled
from vidspec.providers import PROVIDERS, table

MODELS = {
    f"{provider}:{model.name}": model
    for provider in PROVIDERS
    if provider != "leapx"
    for model in table(provider).models.values()
}
CAPABILITIES = {f"{name}:{mode}": (model, mode) for name, model in MODELS.items() for mode in model.modes}
every_capability = pytest.mark.parametrize(("model", "mode"), CAPABILITIES.values(), ids=CAPABILITIES)

PICTURES: dict[str, Any] = {
    "first_frame": "a.png",
    "last_frame": "b.png",
    "references": ["c.png"],
    "remix_of": "video_1",
}


def invented(**blocks: Any) -> Model:
    """A model of one mode, with the blocks that a test is about."""
    model = Model("m", {"summary": "", "source": "", "as_of": "", "modes": {"text_to_video": {}}}, {}, {})
    model.capabilities["text_to_video"] = Capability(**blocks)
    return model


def settle(model: Model, mode: Any = "text_to_video", **settings: Any) -> Settled:
    return Checker().settle(model, mode, settings, None)


def found(settled: Settled) -> list[str]:
    return [f"{problem.code} {problem.setting}" for problem in settled.problems]


def shaped(model: Model, mode: Any) -> dict[str, Any]:
    """A shape that the model makes, where the list must name one."""
    offered = model.capabilities[mode].shape
    if offered is None or not offered.required:
        return {}
    tier, row = next(iter(offered.tiers.items()))
    return {"resolution": tier, "aspect_ratio": next(iter(row))}


# --- modes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        pytest.param((), "text_to_video", id="nothing"),
        pytest.param(("first_frame",), "image_to_video", id="a first frame"),
        pytest.param(("last_frame",), "first_last_frame", id="a last frame"),
        pytest.param(("first_frame", "last_frame"), "first_last_frame", id="both"),
        pytest.param(("references",), "reference_to_video", id="references"),
        pytest.param(("remix_of",), "remix", id="a clip"),
        pytest.param(("references", "first_frame"), "reference_to_video", id="references beside a frame"),
    ],
)
def test_the_mode_follows_from_what_is_given(given: tuple[str, ...], mode: str) -> None:
    assert check.derive_mode({key: PICTURES[key] for key in given}) == mode


NEEDS: dict[str, tuple[str, ...]] = {
    "text_to_video": (),
    "image_to_video": ("first_frame",),
    "first_last_frame": ("first_frame", "last_frame"),
    "reference_to_video": ("references",),
    "remix": ("remix_of",),
}


@every_capability
def test_a_mode_of_a_model_is_reached_by_the_pictures_that_it_needs(model: Model, mode: Any) -> None:
    settings = {key: PICTURES[key] for key in NEEDS[mode]}
    assert check.derive_mode(settings) == mode
    assert list(check.mode_problems(model, mode, settings)) == []


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_mode_that_a_model_has_not_is_an_error_of_the_picture_that_asks_for_it(model: Model) -> None:
    for mode in NEEDS.keys() - set(model.modes):
        settings = {key: PICTURES[key] for key in NEEDS[mode]}
        (problem,) = check.mode_problems(model, check.derive_mode(settings), settings)
        assert (problem.code, problem.setting) == (
            ("E407", "") if mode == "text_to_video" else ("E403", NEEDS[mode][-1])
        )


def test_a_frame_that_the_mode_needs_is_missed() -> None:
    model = table("yutoai").models["wanx2.1-kf2v-plus"]
    (problem,) = check.mode_problems(model, "first_last_frame", {"last_frame": "b.png"})
    assert (problem.code, problem.setting) == ("E407", "")
    hailuo = table("minimax").models["MiniMax-Hailuo-02"]
    assert list(check.mode_problems(hailuo, "first_last_frame", {"last_frame": "b.png"})) == []


# --- numbers ---------------------------------------------------------------------------------------------


@every_capability
def test_every_length_and_rate_that_a_table_offers_is_accepted_and_sent(model: Model, mode: Any) -> None:
    shape = shaped(model, mode)
    capability = model.capabilities[mode]
    for key in ("duration", "fps"):
        numbers: Numbers | None = getattr(capability, key)
        if numbers is None or numbers.inherited:
            assert found(settle(model, mode, **shape, **{key: 5})) == [f"E405 {key}"]
            continue
        for value in numbers.values or (numbers.min, numbers.max):
            settled = settle(model, mode, **shape, **{key: value})
            assert found(settled) == []
            assert (settled.request[key], key in settled.defaulted) == (value, False)
        beyond = max(numbers.values or (numbers.max or 0,)) + 1
        below = min(numbers.values or (numbers.min or 0,)) / 2
        assert found(settle(model, mode, **shape, **{key: beyond})) == [f"E404 {key}"]
        assert found(settle(model, mode, **shape, **{key: below})) == [f"E404 {key}"]


@every_capability
def test_nothing_said_is_the_tables_default_and_is_marked_so(model: Model, mode: Any) -> None:
    settled = settle(model, mode, **shaped(model, mode))
    assert found(settled) == []
    assert settled.defaulted == settled.request.keys() - shaped(model, mode).keys()


@pytest.mark.parametrize("asked", [5.0, 5])
def test_a_whole_number_is_sent_as_one_however_it_is_written(asked: float) -> None:
    settled = settle(invented(duration=Numbers(values=(5, 6))), duration=asked)
    assert [(type(value), value) for value in settled.request.values()] == [(int, 5)]


@pytest.mark.parametrize(
    ("numbers", "asked", "near"),
    [
        pytest.param(Numbers(values=(6, 10)), 7, "6", id="listed"),
        pytest.param(Numbers(values=(6, 10)), 8, "6", id="half way: the shorter, which costs less"),
        pytest.param(Numbers(values=(6, 10)), 600, "10", id="beyond"),
        pytest.param(Numbers(min=3, max=12, step=1), 4.5, "4", id="between steps"),
        pytest.param(Numbers(min=3, max=12, step=1), 99, "12", id="beyond a range"),
        pytest.param(Numbers(min=0.04, max=600), 0.01, "0.04", id="below a range"),
    ],
)
def test_the_nearest_number_is_offered(numbers: Numbers, asked: float, near: str) -> None:
    (problem,) = settle(invented(duration=numbers), duration=asked).problems
    assert problem.help.endswith(f"the nearest is `{near}`")


def test_a_tier_may_have_fewer_lengths_and_then_another_default() -> None:
    shape = Shape(
        tiers={"768p": {"16:9": "1366x768"}, "1080p": {"16:9": "1920x1080"}}, default={"resolution": "768p"}
    )
    model = invented(shape=shape, duration=Numbers(values=(6, 10), default=10, by_resolution={"1080p": (6,)}))
    assert settle(model).request["duration"] == 10
    assert settle(model, resolution="1080p").request["duration"] == 6
    (problem,) = settle(model, resolution="1080p", duration=10).problems
    assert problem.message == "`m` has no `duration: 10` at 1080p"


def test_a_number_that_the_documents_disagree_about_is_a_warning() -> None:
    settled = settle(invented(duration=Numbers(min=3, max=12, step=1, doubtful=(2,))), duration=2)
    assert found(settled) == ["W609 duration"]
    assert settled.request["duration"] == 2


# --- switches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "asked", "codes", "sent"),
    [
        pytest.param(Switch(kind="never"), False, [], False, id="off where it never is"),
        pytest.param(Switch(kind="never"), True, ["E405 audio"], True, id="on where it never is"),
        pytest.param(Switch(kind="always"), True, [], True, id="on where it always is"),
        pytest.param(Switch(kind="always"), False, ["E405 audio"], False, id="off where it always is"),
        pytest.param(Switch(kind="switch"), True, [], True, id="on"),
        pytest.param(Switch(kind="switch", default=True), False, [], False, id="off against the default"),
        pytest.param(Switch(kind="switch", default=True), None, [], True, id="the default"),
        pytest.param(Switch(kind="switch"), None, [], None, id="no default: nothing is sent"),
        pytest.param(Switch(kind="always", default=True), None, [], None, id="what always is need not be sent"),
        pytest.param(Switch(kind="switch"), "rain.mp3", ["E405 audio"], "rain.mp3", id="a sound that is not taken"),
    ],
)
def test_a_switch_is_what_was_asked_or_an_error(
    switch: Switch, asked: bool | str | None, codes: list[str], sent: Any
) -> None:
    settled = settle(invented(audio=switch), **({} if asked is None else {"audio": asked}))
    assert found(settled) == codes
    assert settled.request.get("audio") == sent


@every_capability
def test_off_is_honoured_wherever_the_model_does_not_always_do_it(model: Model, mode: Any) -> None:
    for key in check.SWITCHES:
        always = getattr(model.capabilities[mode], key).kind == "always"
        assert found(settle(model, mode, **shaped(model, mode), **{key: False})) == (
            [f"E405 {key}"] if always else []
        )


# --- camera ----------------------------------------------------------------------------------------------

THREE = Camera(moves=("push in", "tilt up", "shake", "pan left"), max=3, form="brackets")


@pytest.mark.parametrize(
    ("camera", "moves", "problems"),
    [
        pytest.param(THREE, [], [], id="none"),
        pytest.param(None, [], [], id="none, on a model without"),
        pytest.param(THREE, ["push in", "tilt up", "shake"], [], id="the greatest number"),
        pytest.param(THREE, ["push in", "tilt up", "shake", "pan left"], [()], id="one more"),
        pytest.param(None, ["push in"], [()], id="on a model without"),
        pytest.param(THREE, ["push in", "zoom in"], [(1,)], id="one that this model has not"),
        pytest.param(THREE, ["push in", "push in"], [(1,)], id="twice"),
        pytest.param(THREE, ["push", "in", "shake", "up"], [(0,), (1,), (3,), ()], id="everything at once"),
    ],
)
def test_camera_moves_are_those_of_the_model(
    camera: Camera | None, moves: list[str], problems: list[tuple[int, ...]]
) -> None:
    settled = settle(invented(camera=camera), camera=moves)
    assert [problem.path for problem in settled.problems] == problems
    assert {problem.code for problem in settled.problems} <= {"E410"}


# --- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "ok"),
    [
        pytest.param(Option(type="boolean", summary=""), True, True, id="true"),
        pytest.param(Option(type="boolean", summary=""), 1, False, id="one is not true"),
        pytest.param(Option(type="integer", summary=""), 1, True, id="an integer"),
        pytest.param(Option(type="integer", summary=""), True, False, id="true is no integer"),
        pytest.param(Option(type="integer", summary=""), 1.5, False, id="a fraction is no integer"),
        pytest.param(Option(type="number", summary=""), 1, True, id="an integer is a number"),
        pytest.param(Option(type="number", summary=""), "1", False, id="a text is no number"),
        pytest.param(Option(type="string", summary=""), None, False, id="null is no text"),
        pytest.param(Option(type="string", summary=""), ["a"], False, id="a list"),
        pytest.param(Option(type="string", summary="", values=("a", "b")), "b", True, id="one of several"),
        pytest.param(Option(type="string", summary="", values=("a", "b")), "c", False, id="none of several"),
        pytest.param(Option(type="number", summary="", min=0, max=1), 1, True, id="the upper bound"),
        pytest.param(Option(type="number", summary="", min=0, max=1), 1.01, False, id="above it"),
        pytest.param(Option(type="number", summary="", min=0), -1, False, id="below the lower bound"),
        pytest.param(Option(type="string", summary="", max_length=2), "码头", True, id="characters, not bytes"),
        pytest.param(Option(type="string", summary="", max_length=2), "abc", False, id="too long"),
    ],
)
def test_an_option_has_its_type_and_bounds(option: Option, value: Any, ok: bool) -> None:
    settled = settle(invented(options={"o": option}), options={"o": value})
    assert found(settled) == ([] if ok else ["E411 options"])
    assert [problem.path for problem in settled.problems] == ([] if ok else [("o",)])
    assert settled.request["options"] == {"o": value}


def test_a_field_that_is_not_for_shot_lists_says_why() -> None:
    model = invented(
        options={"user": Option(type="string", summary="")}, refused={"callback_url": "no public address"}
    )
    problems = settle(model, options={"callback_url": "x", "usr": "a", "zzz": 1}).problems
    assert [problem.help for problem in problems] == [
        "take `callback_url` out",
        "the nearest is `user`",
        "it has `user`",
    ]
    assert problems[0].message.endswith(": no public address")


# --- the memory of a checker -----------------------------------------------------------------------------


def test_a_checker_works_each_combination_out_once() -> None:
    checker, model = Checker(), invented(duration=Numbers(values=(5, 6), default=5))
    first = checker.settle(model, "text_to_video", {"duration": 6, "prompt": "a"}, None)
    assert checker.settle(model, "text_to_video", {"duration": 6, "prompt": "b"}, None) is first
    assert checker.settle(model, "text_to_video", {"duration": 5}, None) is not first
    assert checker.settle(model, "text_to_video", {"duration": 6}, 1.5) is not first


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, 1.0), (0, False)])
def test_values_of_different_types_are_different_combinations(one: Any, other: Any) -> None:
    checker, model = Checker(), invented(options={"o": Option(type="boolean", summary="")})
    first = checker.settle(model, "text_to_video", {"options": {"o": one}}, None)
    assert checker.settle(model, "text_to_video", {"options": {"o": other}}, None) is not first


def test_models_of_one_name_at_two_houses_are_told_apart() -> None:
    checker = Checker()
    here, there = invented(duration=Numbers(values=(5,))), invented(duration=Numbers(values=(6,)))
    assert found(checker.settle(here, "text_to_video", {"duration": 5}, None)) == []
    assert found(checker.settle(there, "text_to_video", {"duration": 5}, None)) == ["E404 duration"]


# --- texts and seeds -------------------------------------------------------------------------------------


def texts(rule: Text | None, text: str | None, camera: tuple[Camera, list[str]] | None = None) -> list[str]:
    return [problem.code for problem in check.text_problems(rule, "prompt", text, model="m", camera=camera)]


@pytest.mark.parametrize(
    ("rule", "text", "codes"),
    [
        pytest.param(Text(required=True), None, ["E407"], id="missing"),
        pytest.param(Text(required=True), " \n", ["E407"], id="blank"),
        pytest.param(Text(), None, [], id="not needed"),
        pytest.param(None, "a", ["E405"], id="a model without"),
        pytest.param(None, " ", [], id="blank on a model without"),
        pytest.param(Text(max=3), "码头码", [], id="characters are counted, not bytes"),
        pytest.param(Text(max=3), "😀😀😀", [], id="an emoji is one character"),
        pytest.param(Text(max=3), "abcd", ["E406"], id="too long"),
        pytest.param(Text(), "a" * 20_000, [], id="no limit known"),
        pytest.param(Text(reads="brackets"), "a [Push in] b [x\ny] []", ["W604"], id="a command in brackets"),
        pytest.param(Text(reads="flags"), "a --dur 5 a--b -- c", ["W605"], id="a flag"),
        pytest.param(Text(), "a [Push in] --dur 5", [], id="a model that reads neither"),
    ],
)
def test_a_prompt_is_there_and_fits_and_is_not_taken_for_something_else(
    rule: Text | None, text: str | None, codes: list[str]
) -> None:
    assert texts(rule, text) == codes


def test_moves_that_go_into_the_prompt_count_into_its_length() -> None:
    moves = ["push in"]
    assert texts(Text(max=10), "a", (THREE, moves)) == []
    assert texts(Text(max=9), "a", (THREE, moves)) == ["E406"]
    assert texts(Text(max=9), "a", (Camera(moves=("push in",), max=1, form="drawn"), moves)) == []


def test_each_of_several_commands_is_pointed_at() -> None:
    problems = list(check.text_problems(Text(reads="brackets"), "prompt", "[a] [b] [a]", model="m"))
    assert [(problem.snippet, problem.occurrence) for problem in problems] == [("[a]", 0), ("[b]", 0), ("[a]", 1)]


@pytest.mark.parametrize(
    ("rule", "seed", "ok"),
    [
        pytest.param(Seed(min=0, max=9), 9, True, id="the greatest"),
        pytest.param(Seed(min=0, max=9), 10, False, id="above"),
        pytest.param(Seed(min=-1, max=9), -1, True, id="the least"),
        pytest.param(Seed(min=0, max=9), -1, False, id="below"),
        pytest.param(Seed(), 2**70, True, id="no stated end"),
        pytest.param(Seed(), -1, False, id="none below zero unless that is stated"),
        pytest.param(None, 0, False, id="a model without"),
        pytest.param(None, "random", False, id="random on a model without"),
        pytest.param(Seed(min=0, max=9), "random", True, id="random"),
    ],
)
def test_a_seed_is_within_what_the_model_takes(rule: Seed | None, seed: Any, ok: bool) -> None:
    problem = check.seed_problem(rule, seed, path=(), setting="seed", model="m")
    assert (problem is None) is ok
    assert problem is None or problem.code == "E409"


@pytest.mark.parametrize(
    ("rule", "drawn"),
    [
        pytest.param(Seed(), (0, 2**31 - 1), id="no stated ends"),
        pytest.param(Seed(min=-1, max=2**32), (0, 2**31 - 1), id="a wide range"),
        pytest.param(Seed(min=5, max=9), (5, 9), id="a narrow one"),
    ],
)
def test_a_seed_that_nobody_chose_is_drawn_from_what_every_model_takes(rule: Seed, drawn: tuple[int, int]) -> None:
    assert check.drawn_seeds(rule) == drawn
