"""Pictures, sounds and addresses against what a model takes."""

from __future__ import annotations

from typing import Any

import pytest

from vidspec import stills
from vidspec.capability import Sound, Still
from vidspec.picture import Picture
from vidspec.providers import table


def picture(**given: Any) -> Picture:
    facts = {
        "path": "a.png",
        "format": "png",
        "width": 1280,
        "height": 720,
        "bytes": 1000,
        "digest": "",
        "alpha": False,
    }
    return Picture(**{**facts, **given})


def unfit(rule: Still, seen: Picture, size: str | None = None) -> list[str]:
    found = stills.picture_problems(rule, seen, "first_frame", (), model="m", size=size)
    return [f"{problem.code} {problem.message.removeprefix('`m` does not take `a.png`: ')}" for problem in found]


# --- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        pytest.param("https://a.example.org/b.png", True, id="https"),
        pytest.param("HTTP://a", True, id="capitals"),
        pytest.param("data:image/png;base64,AA==", True, id="data"),
        pytest.param("mailto:a", True, id="another scheme"),
        pytest.param("frames/a.png", False, id="a path"),
        pytest.param("frames/a:b.png", False, id="a colon after a slash"),
        pytest.param("码头:a.png", False, id="a colon after another script"),
        pytest.param("C:\\frames\\a.png", False, id="a drive of Windows"),
        pytest.param("c:/frames/a.png", False, id="a drive of Windows with slashes"),
        pytest.param("//host/a.png", False, id="no scheme"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_an_address_begins_with_a_scheme(text: str, is_one: bool) -> None:
    assert stills.is_address(text) is is_one


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("https://media.example.org/a.png", None, id="public"),
        pytest.param("https://8.8.8.8/a.png", None, id="a public number"),
        pytest.param("https://media.example.org/a.png?width=100&v=2", None, id="a lasting query"),
        pytest.param("https://media.example.org/码头.png", None, id="any script"),
        pytest.param("http://media.example.org/a.png", "E505", id="not encrypted"),
        pytest.param("https:a.png", "E505", id="no host"),
        pytest.param("https://u@media.example.org/a.png", "E505", id="a user"),
        pytest.param("https://media.example.org:99999/a.png", "E505", id="no port"),
        pytest.param("https://media.example.org/a b.png", "E505", id="a blank"),
        pytest.param("https://media.example.org/a.png\n", "E505", id="a line break"),
        pytest.param("https://127.0.0.1/a.png", "W602", id="this machine"),
        pytest.param("https://192.168.1.7/a.png", "W602", id="a house"),
        pytest.param("https://169.254.169.254/latest", "W602", id="a link"),
        pytest.param("https://[::1]/a.png", "W602", id="this machine by a long number"),
        pytest.param("https://LOCALHOST/a.png", "W602", id="this machine by name"),
        pytest.param("https://media.internal/a.png", "W602", id="a company"),
        pytest.param("https://b.example.org/a?X-Goog-Expires=1&X-Goog-Signature=2", "W603", id="signed"),
        pytest.param("https://b.example.org/a?Expires=1", "W603", id="expiring"),
        pytest.param("https://b.example.org/a?se=2026&sig=x", "W603", id="signed in another way"),
        pytest.param("https://b.example.org/a?expires=", None, id="an empty parameter says nothing"),
    ],
)
def test_an_address_is_public_encrypted_and_lasting(url: str, code: str | None) -> None:
    found = list(stills.address_problems(url, "first_frame", ()))
    assert [problem.code for problem in found] == ([code] if code else [])


def test_a_secret_in_an_address_is_not_repeated() -> None:
    for url in ("https://user:hunter2@a.example.org/", "https://a.example.org/?Signature=hunter2"):
        (found,) = stills.address_problems(url, "first_frame", ())
        assert "hunter2" not in found.message + found.help


@pytest.mark.parametrize(
    ("forms", "text", "ok"),
    [
        pytest.param(("url",), "https://a", True, id="an address where addresses are taken"),
        pytest.param(("url",), "a.png", False, id="a file where addresses are taken"),
        pytest.param(("data",), "a.png", True, id="a file where files are taken"),
        pytest.param(("data",), "https://a", False, id="an address where files are taken"),
        pytest.param(("url", "data"), "a.png", True, id="either"),
    ],
)
def test_a_model_takes_files_addresses_or_both(forms: tuple[str, ...], text: str, ok: bool) -> None:
    found = stills.form_problem(forms, text, "references", (1,), "m")
    assert (found is None) is ok
    if found is not None:
        assert (found.code, found.setting, found.path) == ("E505", "references", (1,))


# --- pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "good", "bad", "said"),
    [
        pytest.param(Still(formats=("png",)), {}, {"format": "gif"}, "it is a gif", id="format"),
        pytest.param(Still(alpha=False), {}, {"alpha": True}, "transparent parts", id="alpha"),
        pytest.param(
            Still(max_bytes=999_999), {"bytes": 999_999}, {"bytes": 1_000_000}, "it is 1.0 MB", id="bytes"
        ),
        pytest.param(Still(min_side=720), {}, {"height": 719}, "1280x719 pixels", id="least side"),
        pytest.param(Still(max_side=1280), {}, {"width": 1281}, "1281x720 pixels", id="greatest side"),
        pytest.param(Still(max_side=1280), {}, {"height": 1281}, "1280x1281 pixels", id="greatest height"),
        pytest.param(
            Still(min_short_side=301), {"height": 301}, {"height": 300}, "1280x300", id="least short side"
        ),
        pytest.param(
            Still(min_ratio=0.4, max_ratio=2.5),
            {"width": 2500, "height": 1000},
            {"width": 2501, "height": 1000},
            "2.50 wide to 1 high",
            id="greatest ratio",
        ),
        pytest.param(
            Still(min_ratio=0.4, max_ratio=2.5),
            {"width": 400, "height": 1000},
            {"width": 399, "height": 1000},
            "0.40 wide to 1 high",
            id="least ratio",
        ),
        pytest.param(Still(size="output"), {}, {"width": 1282}, "1282x720 pixels", id="exactly the clip's size"),
    ],
)
def test_a_picture_is_taken_up_to_the_very_bound(
    rule: Still, good: dict[str, Any], bad: dict[str, Any], said: str
) -> None:
    assert unfit(rule, picture(**good), "1280x720") == []
    (found,) = unfit(rule, picture(**bad), "1280x720")
    assert found.startswith("E504")
    assert said in found


def test_everything_wrong_with_a_picture_is_said_at_once() -> None:
    rule = Still(formats=("jpeg",), alpha=False, max_bytes=10, min_side=2000, max_ratio=1.0, min_ratio=0.5)
    assert len(unfit(rule, picture(alpha=True))) == 5


def test_a_picture_near_the_limit_is_a_warning_and_beyond_it_an_error() -> None:
    rule = table("nebula").models["wan2.5-i2v-preview"].capabilities["image_to_video"].first_frame
    assert rule is not None
    assert (rule.warn_bytes, rule.max_bytes) == (5_000_000, 10_000_000)
    assert unfit(rule, picture(bytes=5_000_000)) == []
    assert unfit(rule, picture(bytes=5_000_001)) == ["W608 `a.png` is 5.0 MB; `m` may take 5.0 MB"]
    assert [one[:4] for one in unfit(rule, picture(bytes=10_000_000))] == ["W608"]
    assert [one[:4] for one in unfit(rule, picture(bytes=10_000_001))] == ["E504"]


def test_a_model_that_documents_no_limits_takes_any_picture() -> None:
    assert unfit(Still(), picture(format="tiff", width=9, height=9000, bytes=10**9, alpha=True), "1280x720") == []


def test_an_exact_size_is_not_asked_for_where_the_clips_size_is_unknown() -> None:
    assert unfit(Still(size="output"), picture(width=7), None) == []


@pytest.mark.parametrize(
    ("size", "warned"),
    [
        pytest.param("1280x720", False, id="the same shape"),
        pytest.param("1366x768", False, id="the same to the eye"),
        pytest.param("720x1280", True, id="another shape"),
        pytest.param(None, False, id="unknown"),
    ],
)
def test_a_picture_of_another_shape_than_the_clip_is_a_warning(size: str | None, warned: bool) -> None:
    found = stills.shape_warning(picture(), "first_frame", size)
    assert (found is not None) is warned
    assert found is None or found.code == "W607"


# --- sounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size", "said"),
    [
        pytest.param("rain.mp3", 100, [], id="fit"),
        pytest.param("RAIN.WAV", 100, [], id="capitals"),
        pytest.param("rain.ogg", 100, ["`m` does not take `rain.ogg`"], id="format"),
        pytest.param("rain", 100, ["`m` does not take `rain`"], id="no ending"),
        pytest.param("rain.mp3", 101, ["`rain.mp3` is 0.1 kB"], id="too large"),
    ],
)
def test_a_sound_has_one_of_the_formats_and_a_greatest_size(path: str, size: int, said: list[str]) -> None:
    rule = Sound(formats=("mp3", "wav"), max_bytes=100)
    assert [problem.message for problem in stills.sound_problems(rule, path, size, model="m")] == said
