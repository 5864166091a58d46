from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vidspec.capability import Capability, Numbers, Switch, Switching
from vidspec.delivered import altered, compared, mismatches
from vidspec.lock import Output
from vidspec.media import Probe

OUTPUT = Output(path="a.mp4", sha256="sha256:0", bytes=1, width=1280, height=720, fps=24.0, duration=5.04)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"size": "1280x720", "duration": 5, "fps": 24}, []),
        ({}, []),
        ({"size": "1920x1080"}, ["it is 1280x720, not 1920x1080"]),
        ({"duration": 10}, ["it is 5.04 s long, not 10 s"]),
        ({"duration": 5.3}, []),
        ({"fps": 30}, ["it has 24 frames a second, not 30"]),
        ({"fps": 23.976}, []),
        ({"size": "1x1", "duration": 1, "fps": 1}, ["it is 1280x720", "it is 5.04 s", "it has 24"]),
    ],
    ids=["as-asked", "nothing-asked", "size", "length", "near", "rate", "near-rate", "all"],
)
def test_what_is_not_as_it_was_asked_for_is_named(request_: dict[str, Any], found: list[str]) -> None:
    told = list(mismatches(request_, OUTPUT, Capability()))
    assert len(told) == len(found)
    assert all(words.startswith(start) for words, start in zip(told, found, strict=True))


def test_what_the_table_only_presumes_is_not_held_against_a_clip() -> None:
    rules = Capability(duration=Numbers(unsure=True), fps=Numbers(unsure=True))
    assert list(mismatches({"duration": 9, "fps": 16}, OUTPUT, rules)) == []


NO_SOUND = "it has no sound, and sound was asked for"
SOUND = "it has sound, and `audio: false` was asked for"


@pytest.mark.parametrize(
    ("asked", "came", "kind", "found"),
    [
        (True, True, "switch", []),
        (True, False, "switch", [NO_SOUND]),
        (True, False, "always", [NO_SOUND]),
        (True, False, "never", [NO_SOUND]),
        ("sha256:0", False, "switch", [NO_SOUND]),
        ("https://media.example.net/rain.mp3", True, "switch", []),
        (False, False, "switch", []),
        (False, True, "switch", [SOUND]),
        (False, True, "always", [SOUND]),
        (False, True, "never", []),
        (None, False, "always", []),
        (None, True, "switch", []),
        (True, None, "switch", []),
        (False, None, "switch", []),
    ],
)
def test_sound_is_held_against_what_was_asked_and_what_the_model_can(
    asked: bool | str | None, came: bool | None, kind: Switching, found: list[str]
) -> None:
    request = {} if asked is None else {"audio": asked}
    rules = Capability(audio=Switch(kind=kind))
    assert list(mismatches(request, replace(OUTPUT, audio=came), rules)) == found


def test_a_mismatch_says_what_was_asked_and_what_came() -> None:
    request = {"size": "1920x1080", "duration": 10, "fps": 30, "audio": True}
    found = list(compared(request, replace(OUTPUT, audio=False), Capability()))
    assert [(one.kind, one.expected, one.found) for one in found] == [
        ("asked_size", "1920x1080", "1280x720"),
        ("asked_duration", 10, 5.04),
        ("asked_fps", 30, 24.0),
        ("asked_audio", True, False),
    ]


PROBE = Probe(width=1280, height=720, fps=24.0, duration=5.04, frames=121, codec="h264", audio=False)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (replace(OUTPUT, audio=False), []),
        (Output(path="a.mp4", sha256="sha256:0", bytes=1), []),
        (replace(OUTPUT, fps=24.04, duration=5.0), []),
        (replace(OUTPUT, width=640), [("size", "640x720", "1280x720")]),
        (replace(OUTPUT, duration=6.0), [("duration", 6.0, 5.04)]),
        (replace(OUTPUT, fps=25.0), [("fps", 25.0, 24.0)]),
        (replace(OUTPUT, audio=True), [("audio", True, False)]),
    ],
    ids=["alike", "nothing-recorded", "rounded", "size", "length", "rate", "sound"],
)
def test_what_a_file_is_like_and_its_record_does_not_say_is_named(
    output: Output, found: list[tuple[str, Any, Any]]
) -> None:
    told = list(altered(output, PROBE))
    assert [(one.kind, one.expected, one.found) for one in told] == found
    assert all("recorded as" in one.message for one in told)
