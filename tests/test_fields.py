from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vidspec.capability import Capability, Mode, Numbers, Option, Remix, Seed, Shape, Sound, Still, Switch, Text
from vidspec.providers import fields
from vidspec.wire import Sending

RULES: dict[str, Any] = {
    "prompt": Text(wire="prompt"),
    "negative_prompt": Text(wire="negative"),
    "shape": Shape(wire="size"),
    "duration": Numbers(values=(5, 10), wire="seconds"),
    "fps": Numbers(values=(24,), wire="fps"),
    "seed": Seed(wire="seed"),
    "audio": Switch(kind="switch", wire="generate_audio", file=Sound(wire="audio_url")),
    "watermark": Switch(kind="switch", wire="mark"),
    "enhance_prompt": Switch(kind="switch", wire="rewrite"),
    "first_frame": Still(wire="image"),
    "last_frame": Still(wire="tail"),
    "remix_of": Remix(wire="remix_from"),
    "options": {
        "user": Option(type="string", summary="who"),
        "level": Option(type="integer", summary="how", wire="lvl"),
    },
}


def sending(
    request: dict[str, Any] | None = None,
    media: dict[tuple[str, int], str] | None = None,
    *,
    seed: int | None = None,
    mode: Mode = "text_to_video",
    **rules: Any,
) -> Sending:
    return Sending(
        provider="a",
        model="m",
        mode=mode,
        request={"mode": mode, **(request or {})},
        rules=Capability(**{**RULES, **rules}),
        seed=seed,
        media=media or {},
    )


def seedless(given: Sending) -> Sending:
    return replace(given, rules=replace(given.rules, seed=None))


@pytest.mark.parametrize(
    ("request_part", "expected"),
    [
        pytest.param({"prompt": "a fox"}, {"prompt": "a fox"}, id="prompt"),
        pytest.param({"negative_prompt": "blur"}, {"negative": "blur"}, id="negative-prompt"),
        pytest.param({"duration": 10}, {"seconds": 10}, id="duration"),
        pytest.param({"fps": 24}, {"fps": 24}, id="fps"),
        pytest.param({"audio": True}, {"generate_audio": True}, id="audio"),
        pytest.param({"audio": False}, {"generate_audio": False}, id="no-audio"),
        pytest.param({"watermark": False}, {"mark": False}, id="watermark"),
        pytest.param({"enhance_prompt": True}, {"rewrite": True}, id="enhance-prompt"),
        pytest.param({"options": {"user": "me", "level": 2}}, {"user": "me", "lvl": 2}, id="options"),
        pytest.param({"size": "1280x720", "camera": ["shake"], "references": ["x"]}, {}, id="the-adapters-own"),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_a_setting_goes_by_the_name_that_the_model_has_for_it(
    request_part: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert fields.body(sending(request_part)) == {"model": "m", **expected}


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        pytest.param({("first_frame", 0): "u1"}, {"image": "u1"}, id="first-frame"),
        pytest.param({("last_frame", 0): "u2"}, {"tail": "u2"}, id="last-frame"),
        pytest.param({("remix_of", 0): "video_1"}, {"remix_from": "video_1"}, id="remix"),
        pytest.param({("audio", 0): "u3"}, {"audio_url": "u3"}, id="sound"),
        pytest.param({("references", 0): "u4"}, {}, id="references-are-the-adapters-own"),
    ],
)
def test_what_is_named_by_digest_is_sent_in_the_form_that_it_was_given(
    media: dict[tuple[str, int], str], expected: dict[str, str]
) -> None:
    digests = {setting: "sha256:0" for setting, _ in media}
    assert fields.body(sending(digests, media)) == {"model": "m", **expected}


def test_a_seed_is_sent_where_the_model_takes_one_and_zero_is_one() -> None:
    assert fields.body(sending(seed=0)) == {"model": "m", "seed": 0}
    assert fields.body(seedless(sending(seed=0))) == {"model": "m"}
    assert fields.body(sending()) == {"model": "m"}


@pytest.mark.parametrize(
    ("rules", "request_part"),
    [
        pytest.param({"duration": Numbers(values=(5,))}, {"duration": 5}, id="a-length-without-a-name"),
        pytest.param({"duration": Numbers(values=(5,), wire="--dur")}, {"duration": 5}, id="a-flag"),
        pytest.param({"prompt": Text(wire="metadata.content text")}, {"prompt": "x"}, id="a-place-in-words"),
        pytest.param({"audio": Switch(kind="always", wire="sound")}, {"audio": True}, id="always-so"),
        pytest.param({"watermark": Switch(kind="never")}, {"watermark": False}, id="never-so"),
        pytest.param({"negative_prompt": None}, {"negative_prompt": "x"}, id="nothing-of-the-kind"),
    ],
)
def test_what_is_no_field_of_the_body_is_not_in_it(rules: dict[str, Any], request_part: dict[str, Any]) -> None:
    assert fields.body(sending(request_part, **rules)) == {"model": "m"}


@pytest.mark.parametrize(("separator", "expected"), [("x", "1280x720"), ("*", "1280*720")])
def test_a_size_is_spelt_with_the_separator_of_the_table(separator: str, expected: str) -> None:
    assert fields.size(sending({"size": "1280x720"}, shape=Shape(separator=separator))) == expected


def test_pictures_come_in_the_order_of_the_settings_and_of_the_list() -> None:
    media = {("references", 1): "r2", ("last_frame", 0): "l", ("references", 0): "r1", ("first_frame", 0): "f"}
    assert fields.pictures(sending(media=media), "first_frame", "last_frame") == ["f", "l"]
    assert fields.pictures(sending(media=media), "references") == ["r1", "r2"]
    assert fields.pictures(sending(), "references") == []


def test_camera_moves_stand_in_one_pair_of_brackets_without_a_blank() -> None:
    assert fields.bracketed(["push in", "tilt up"]) == "[Push in,Tilt up]"
    assert fields.bracketed([]) == ""
