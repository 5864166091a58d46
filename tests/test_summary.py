from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidspec.console import Console
from vidspec.events import Tally
from vidspec.project import open_lists
from vidspec.summary import print_ending

Shots = Callable[..., Path]


@pytest.mark.parametrize(
    ("tally", "interrupted", "lines"),
    [
        (Tally(), False, ["done: nothing to do"]),
        (
            Tally(rendered=["a-t01", "b-t01"], seconds=1.25),
            False,
            ["done: 2 takes rendered in 1.2 s", "      in {}/renders"],
        ),
        (
            Tally(restored=["a-t01"], kept=["b-t01"]),
            False,
            ["done: 1 take restored, 1 take kept in 0.0 s", "      in {}/renders/a"],
        ),
        (
            Tally(rendered=["a-t01"], failed={"b-t01": "disk full"}, blocked={"c-t01": "b-t01"}),
            False,
            [
                "failed    b-t01: disk full",
                "blocked   c-t01: needs b-t01",
                "not done: 1 take rendered, 1 take failed, 1 take blocked",
                "      in {}/renders/a",
            ],
        ),
        (
            Tally(blocked={"c-t01": "b-t01"}),
            False,
            ["blocked   c-t01: needs b-t01; `--select +c` makes it too", "not done: 1 take blocked"],
        ),
        (
            Tally(rendered=["a-t01"], failed={"b-t01": "x"}),
            True,
            [
                "failed    b-t01: x",
                "interrupted: 1 take rendered, 1 take failed; the same command goes on from here",
                "      in {}/renders/a",
            ],
        ),
        (
            Tally(rendered=["a-t01", "d-t01"]),
            False,
            ["done: 2 takes rendered in 0.0 s", "      in {}"],
        ),
    ],
    ids=["nothing", "all", "restored and kept", "failed", "blocked by what was not selected", "interrupted", "top"],
)
def test_the_last_words_are_what_failed_then_counts_then_where(
    shots: Shots, project: Path, tally: Tally, interrupted: bool, lines: list[str]
) -> None:
    entries = "\n".join(f"- {{id: {name}, prompt: x}}" for name in "abc")
    (opened,), _ = open_lists([shots(f"{entries}\n- {{id: d, prompt: x, output: d.mp4}}")], {})
    found: Any = opened.plan()
    stream = io.StringIO()
    slates = {one.slate for one in found.takes}
    print_ending(Console(stream), project, found, slates, tally, interrupted=interrupted)
    said = [line.rstrip("/") for line in stream.getvalue().splitlines()]
    assert said == [line.format(project) for line in lines]
