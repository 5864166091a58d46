"""One shot into its takes: texts for each, the request as it will be sent, seeds, and what each take needs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from vidspec import shotlist
from vidspec.fingerprint import auto_seed, digest
from vidspec.folder import ProjectFolder
from vidspec.resolve import Resolution, World, resolve
from vidspec.take import Frame, Input

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.take import Take

WAN = "provider: nebula, model: wan2.5-t2v-preview, prompt: a"
HAILUO = "provider: minimax, model: MiniMax-Hailuo-02, prompt: a"
SEEDANCE = "provider: nebula, model: doubao-seedance-1-0-lite-i2v-250428, prompt: '[图1] [图2]'"
DRAWN = "provider: animatic, prompt: a"


def resolved(folder: Path, text: str, **world: Any) -> Resolution:
    path = folder / "shots.yaml"
    path.write_text(f"vidspec: 1\n{text}")
    given: dict[str, Any] = {"folder": ProjectFolder(folder), "today": date(2026, 1, 1), **world}
    return resolve(shotlist.load(path, "shots.yaml"), World(**given))


def takes(folder: Path, shot: str, head: str = "", **world: Any) -> list[Take]:
    found = resolved(folder, f"{head}shots: [{{id: s010, {shot}}}]\n", **world)
    assert [one.text() for one in found.diagnostics] == []
    return found.takes


def take(folder: Path, shot: str, head: str = "", **world: Any) -> Take:
    (found,) = takes(folder, shot, head, **world)
    return found


def codes(folder: Path, shot: str, head: str = "", **world: Any) -> list[str]:
    return [one.code for one in resolved(folder, f"{head}shots: [{{id: s010, {shot}}}]\n", **world).diagnostics]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    Image.new("RGB", (640, 360)).save(tmp_path / "a.png")
    Image.new("RGB", (640, 360), "white").save(tmp_path / "b.png")
    return tmp_path


# --- the request -----------------------------------------------------------------------------------------


def test_a_take_says_what_will_be_sent_in_the_order_of_the_lockfile(tmp_path: Path) -> None:
    found = take(
        tmp_path, f"{HAILUO}, camera: [push in], options: {{fast_pretreatment: true}}, scene: pier, tags: [b, a]"
    )
    assert list(found.request.items()) == [
        ("mode", "text_to_video"),
        ("prompt", "a"),
        ("resolution", "768p"),
        ("aspect_ratio", "16:9"),
        ("size", "1366x768"),
        ("duration", 6),
        ("camera", ["push in"]),
        ("enhance_prompt", True),
        ("options", {"fast_pretreatment": True}),
    ]
    assert found.defaulted == {"resolution", "aspect_ratio", "size", "duration", "enhance_prompt"}
    assert (found.slate, found.shot, found.number, found.scene, found.tags) == (
        "s010-t01",
        "s010",
        1,
        "pier",
        ("b", "a"),
    )
    assert (found.provider, found.model, found.mode) == ("minimax", "MiniMax-Hailuo-02", "text_to_video")
    assert (found.output, found.inputs, found.needs) == ("renders/s010/s010-t01.mp4", (), ())


def test_a_provider_of_one_model_need_not_name_it(tmp_path: Path) -> None:
    assert take(tmp_path, DRAWN).model == "animatic"


def test_texts_are_expanded_in_every_setting(tmp_path: Path) -> None:
    head = "vars: {move: push, size: 64x36, who: nobody}\n"
    shot = (
        "provider: '{{ \"minimax\" }}', model: 'MiniMax-{{ \"Hailuo\" }}-02', prompt: '{{ who }} {{ shot.id }}',"
        " camera: ['{{ move }} in'], resolution: '{{ 768 }}p'"
    )
    found = take(tmp_path, shot, head)
    assert (found.request["prompt"], found.request["camera"], found.request["resolution"]) == (
        "nobody s010",
        ["push in"],
        "768p",
    )


def test_a_prompt_that_names_the_take_is_expanded_for_each(tmp_path: Path) -> None:
    found = takes(
        tmp_path, "provider: animatic, takes: 3, prompt: '{{ slate }} {{ take }}', output: 'x/{{ take }}.mp4'"
    )
    assert [one.request["prompt"] for one in found] == ["s010-t01 1", "s010-t02 2", "s010-t03 3"]
    assert [one.output for one in found] == ["x/1.mp4", "x/2.mp4", "x/3.mp4"]


def test_a_prompt_that_names_no_take_is_one_request_for_all(tmp_path: Path) -> None:
    first, second = takes(tmp_path, "provider: animatic, takes: 2, prompt: '{{ shot.scene }}', scene: pier")
    assert first.request is second.request
    assert first.request["prompt"] == "pier"


def test_a_fault_in_one_take_is_told_and_the_others_stand(tmp_path: Path) -> None:
    text = "shots: [{id: s010, provider: animatic, takes: 3, prompt: '{{ 6 // (take - 2) }}'}]\n"
    found = resolved(tmp_path, text)
    assert [one.code for one in found.diagnostics] == ["E304"]
    assert [one.request.get("prompt") for one in found.takes if one.number != 2] == ["-6", "6"]


def test_what_was_overridden_on_the_command_line_is_recorded_with_the_take(tmp_path: Path) -> None:
    head = "vars: {who: nobody, boat: ferry}\n"
    found = take(tmp_path, "provider: animatic, prompt: '{{ who }}'", head, variables={"who": "Ada"})
    assert (found.request["prompt"], found.variables) == ("Ada", {"who": "Ada"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("duration: 5", "duration: 5.0", id="a length"),
        pytest.param("size: 1280x720", "resolution: 720p, aspect_ratio: '16:9'", id="a shape"),
        pytest.param("size: 1280x720", "size: 1280*720", id="a size"),
        pytest.param("audio: false", "watermark: false", id="what is off"),
        pytest.param("prompt: a", "prompt: '{{ \"a\" }}'", id="a text"),
        pytest.param("takes: 1", "takes: 1.0", id="how many takes"),
    ],
)
@pytest.mark.parametrize("provider", [DRAWN, WAN], ids=["animatic", "nebula"])
def test_what_says_the_same_is_the_same_take(tmp_path: Path, provider: str, one: str, other: str) -> None:
    base = provider.removesuffix(", prompt: a")
    default = {"prompt": "b"} if one.startswith("prompt") else {"prompt": "a"}
    head = f"defaults: {{{base}, prompt: {default['prompt']}}}\n"
    found = [take(tmp_path, text, head).fingerprint for text in (one, other)]
    assert found[0] == found[1]


# --- seeds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shot", "seeds", "rule"),
    [
        pytest.param(f"{WAN}, takes: 2", ["auto", "auto"], "auto", id="nothing said"),
        pytest.param(f"{WAN}, takes: 2, seed: auto", ["auto", "auto"], "auto", id="auto"),
        pytest.param(f"{WAN}, takes: 3, seed: 7", [7, 8, 9], "fixed", id="an integer counts up"),
        pytest.param(f"{WAN}, seed: 7.0", [7], "fixed", id="a whole number"),
        pytest.param(f"{WAN}, takes: [11, 12, 13]", [11, 12, 13], "fixed", id="a list of seeds"),
        pytest.param(f"{WAN}, takes: [11, 12.0], seed: auto", [11, 12], "fixed", id="a list of seeds beside auto"),
        pytest.param(f"{WAN}, takes: 2, seed: random", [None, None], "random", id="random is drawn later"),
        pytest.param(f"{HAILUO}, takes: 2", [None, None], "none", id="a model that takes none"),
        pytest.param(f"{HAILUO}, seed: auto", [None], "none", id="auto on a model that takes none"),
    ],
)
def test_each_take_has_its_seed(tmp_path: Path, shot: str, seeds: list[Any], rule: str) -> None:
    found = takes(tmp_path, shot)
    wanted = [
        auto_seed(one.slate, 0, 2**31 - 1) if seed == "auto" else seed
        for one, seed in zip(found, seeds, strict=True)
    ]
    assert [one.seed for one in found] == wanted
    assert {one.seed_rule for one in found} == {rule}
    assert all(type(one.seed) is int for one in found if one.seed is not None)


def test_an_automatic_seed_depends_on_the_slate_alone(tmp_path: Path) -> None:
    seeds = {
        take(tmp_path, f"{text}, size: 1280x720").seed
        for text in (WAN, DRAWN, WAN.replace("prompt: a", "prompt: b"))
    }
    assert len(seeds) == 1


@pytest.mark.parametrize(
    ("shot", "found"),
    [
        pytest.param(f"{WAN}, seed: 2147483648", ["E409"], id="too high"),
        pytest.param(f"{WAN}, seed: 2147483646, takes: 9", ["E409"], id="counted up too high, told once"),
        pytest.param(f"{WAN}, takes: [1, -1, 2, -2]", ["E409", "E409"], id="two of a list"),
        pytest.param(f"{HAILUO}, seed: 1, takes: 3", ["E409"], id="none taken"),
        pytest.param(f"{HAILUO}, takes: [1, 2, 3]", ["E409"], id="none taken, of a list"),
        pytest.param(f"{HAILUO}, seed: random, takes: 3", ["E409"], id="none taken, random"),
        pytest.param(f"{WAN}, takes: [1, 2], seed: 3", ["E408"], id="said twice"),
        pytest.param(f"{WAN}, seed: lucky, takes: 2", ["E204"], id="no seed"),
    ],
)
def test_a_seed_that_cannot_be_sent_is_told_once(tmp_path: Path, shot: str, found: list[str]) -> None:
    assert codes(tmp_path, shot) == found


# --- pictures, sounds, other shots -------------------------------------------------------------------------


def test_a_picture_goes_by_its_digest_and_is_kept_as_an_input(frames: Path) -> None:
    found = take(frames, f"{HAILUO}, first_frame: a.png, last_frame: b.png")
    one, other = (digest((frames / name).read_bytes()) for name in ("a.png", "b.png"))
    assert (found.mode, found.request["first_frame"], found.request["last_frame"]) == (
        "first_last_frame",
        one,
        other,
    )
    assert found.inputs == (
        Input(setting="first_frame", path="a.png", digest=one),
        Input(setting="last_frame", path="b.png", digest=other),
    )


def test_the_name_of_a_picture_is_not_sent(frames: Path) -> None:
    before = take(frames, f"{HAILUO}, first_frame: a.png").fingerprint
    (frames / "a.png").rename(frames / "c.png")
    assert take(frames, f"{HAILUO}, first_frame: c.png").fingerprint == before
    assert take(frames, f"{HAILUO}, first_frame: b.png").fingerprint != before


def test_an_address_is_its_own_identity(tmp_path: Path) -> None:
    found = take(tmp_path, f"{HAILUO}, first_frame: 'https://media.example.org/a.png'")
    assert found.request["first_frame"] == "https://media.example.org/a.png"
    assert found.inputs == (Input(setting="first_frame", url="https://media.example.org/a.png"),)


def test_references_are_kept_in_their_order(frames: Path) -> None:
    found = take(frames, f"{SEEDANCE}, references: [b.png, a.png]")
    assert [(given.index, given.path) for given in found.inputs] == [(0, "b.png"), (1, "a.png")]
    assert found.request["references"] == [given.digest for given in found.inputs]


def test_a_reference_that_the_prompt_does_not_name_is_a_warning(frames: Path) -> None:
    assert codes(frames, f"{SEEDANCE}, references: [a.png, a.png, b.png]") == ["W606"]
    assert codes(frames, "provider: animatic, prompt: a, references: [a.png]") == []


@pytest.mark.parametrize(
    ("written", "chosen", "at", "slate"),
    [
        pytest.param(
            "first_frame: {shot: s000}", {}, "last", "s000-t01", id="the first take, where none is chosen"
        ),
        pytest.param("first_frame: {shot: s000}", {"s000": 2}, "last", "s000-t02", id="the chosen take"),
        pytest.param(
            "first_frame: {shot: s000, take: chosen}", {"s000": 2}, "last", "s000-t02", id="chosen, in words"
        ),
        pytest.param("first_frame: {shot: s000, take: 1}", {"s000": 2}, "last", "s000-t01", id="a take by number"),
        pytest.param(
            "last_frame: {shot: s000}", {}, "first", "s000-t01", id="a last frame is the first of what follows"
        ),
        pytest.param("last_frame: {shot: s000, at: last}", {}, "last", "s000-t01", id="unless it is said"),
        pytest.param("first_frame: {shot: s000, at: 2.0}", {}, 2, "s000-t01", id="a time"),
        pytest.param("first_frame: {shot: '{{ other }}'}", {}, "last", "s000-t01", id="a shot by a variable"),
    ],
)
def test_a_frame_of_another_shot_is_named_by_take_and_time(
    tmp_path: Path, written: str, chosen: dict[str, int], at: Any, slate: str
) -> None:
    head = "vars: {other: s000}\n"
    shots = f"shots: [{{id: s000, {DRAWN}, takes: 2}}, {{id: s010, {DRAWN}, {written}}}]\n"
    found = resolved(tmp_path, head + shots, chosen=chosen)
    assert found.diagnostics == []
    taken = found.takes[-1]
    setting = written.partition(":")[0]
    assert taken.inputs == (Input(setting=setting, frame=Frame(slate=slate, at=at)),)
    assert taken.request[setting] == {"slate": slate, "at": at}
    assert type(taken.request[setting]["at"]) is type(at)
    assert taken.needs == (slate,)


def test_a_remix_names_a_clip_and_no_time(tmp_path: Path) -> None:
    sora = "provider: nebula, model: sora-2, prompt: a"
    entries = ("id: s000", "id: s010, remix_of: {shot: s000}", "id: s020, remix_of: video_1")
    text = f"shots: [{', '.join(f'{{{entry}, {sora}}}' for entry in entries)}]\n"
    _, from_shot, from_id = resolved(tmp_path, text).takes
    assert (from_shot.mode, from_shot.request["remix_of"], from_shot.needs) == (
        "remix",
        {"slate": "s000-t01"},
        ("s000-t01",),
    )
    assert (from_id.request["remix_of"], from_id.needs) == ("video_1", ())
    assert "size" not in from_shot.request
    assert "duration" not in from_shot.request


def test_needing_one_take_twice_is_needing_it_once(tmp_path: Path) -> None:
    text = f"shots: [{{id: a, {DRAWN}}}, {{id: b, {DRAWN}, references: [{{shot: a}}, {{shot: a, at: 1}}]}}]\n"
    assert resolved(tmp_path, text).takes[-1].needs == ("a-t01",)


def test_a_sound_by_its_address_is_sent_where_the_model_takes_one(tmp_path: Path) -> None:
    found = take(tmp_path, f"{WAN}, audio: 'https://media.example.org/rain.mp3'")
    assert found.request["audio"] == "https://media.example.org/rain.mp3"
    assert found.inputs == (Input(setting="audio", url="https://media.example.org/rain.mp3"),)


def test_a_picture_that_is_wrong_does_not_hide_what_else_is(tmp_path: Path) -> None:
    shot = f"{HAILUO.replace('prompt: a', 'prompt: {{{{ x }}}}')}, first_frame: none.png, duration: 7, seed: 1"
    assert codes(tmp_path, shot.replace("{{{{ x }}}}", "'{{ x }}'")) == ["E302", "E501", "E404", "E409"]
