from __future__ import annotations

from typing import Any

import pytest

from vidspec.capability import Capability, Numbers
from vidspec.delivered import mismatches
from vidspec.lock import Output

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
