"""Digests: the same on every machine and in every version, and different where something else is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.fingerprint import auto_seed, canonical, digest, fingerprint

steady = settings(derandomize=True, deadline=None, database=None, max_examples=200)
SENT: dict[str, Any] = {
    "provider": "siliconflow",
    "model": "Wan-AI/Wan2.2-T2V-A14B",
    "request": {"mode": "text_to_video", "prompt": "a ferryman, 码头", "size": "1280x720", "duration": 5},
    "seed": 913884521,
    "take": 1,
}


def of(**changed: Any) -> str:
    return fingerprint(**{**SENT, **changed})


def test_a_digest_is_that_of_sha_256() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_fingerprint_never_changes_from_one_release_to_the_next() -> None:
    assert of() == "sha256:6506a6e0c0be243e7cdbd572605e623c7b7a81f8a06e11658ca65d08e86b4561"


@pytest.mark.parametrize(
    ("slate", "low", "high", "seed"),
    [
        pytest.param("s010-t01", 0, 2147483647, 1278902423, id="a slate"),
        pytest.param("s010-t02", 0, 2147483647, 2067483511, id="its next take"),
        pytest.param("s010-t01", 0, 9, 5, id="a small range"),
        pytest.param("s010-t01", 5, 5, 5, id="one value"),
    ],
)
def test_an_automatic_seed_is_the_same_on_every_machine(slate: str, low: int, high: int, seed: int) -> None:
    assert auto_seed(slate, low, high) == seed


@steady
@given(slate=st.text(), low=st.integers(0, 10), width=st.integers(0, 2**32))
def test_an_automatic_seed_is_in_its_range(slate: str, low: int, width: int) -> None:
    assert low <= auto_seed(slate, low, low + width) <= low + width


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"provider": "minimax"}, id="provider"),
        pytest.param({"model": "Wan-AI/Wan2.2-I2V-A14B"}, id="model"),
        pytest.param({"seed": 7}, id="seed"),
        pytest.param({"seed": None}, id="no seed"),
        pytest.param({"request": {**SENT["request"], "duration": 6}}, id="a setting"),
        pytest.param({"request": {**SENT["request"], "audio": True}}, id="something switched on"),
        pytest.param({"request": {**SENT["request"], "options": {"audio": False}}}, id="an option that is false"),
    ],
)
def test_what_is_sent_differently_has_another_fingerprint(changed: dict[str, Any]) -> None:
    assert of(**changed) != of()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"take": 2}, id="the number of a take that has a seed"),
        pytest.param({"request": dict(reversed(SENT["request"].items()))}, id="the order of settings"),
        pytest.param({"request": {**SENT["request"], "audio": False, "watermark": False}}, id="off, said or not"),
        pytest.param(
            {"request": {**SENT["request"], "resolution": "720p", "aspect_ratio": "16:9"}}, id="a size said twice"
        ),
    ],
)
def test_what_is_sent_alike_has_one_fingerprint(changed: dict[str, Any]) -> None:
    assert of(**changed) == of()


def test_takes_without_a_seed_are_told_apart_by_their_number() -> None:
    assert of(seed=None, take=1) != of(seed=None, take=2)


def test_only_switches_that_are_off_are_left_out() -> None:
    request = {"audio": False, "watermark": True, "enhance_prompt": False, "options": {"a": False}, "prompt": ""}
    assert canonical(request) == {"watermark": True, "options": {"a": False}, "prompt": ""}
