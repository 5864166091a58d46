"""Lines of a list, also of one that no parser reads, and the shots that they belong to."""

from __future__ import annotations

import time

import pytest

from vidspec.watch.placing import Entries, shots_of

BLOCK = """\
vidspec: 1
title: x
shots:
  # the first
  - id: s010
    prompt: >-
      - id: not an entry
      but a text
    takes: 2

  - prompt: a
    id: "s020-{{ weather }}"   # says the weather
    matrix: {weather: [rain, fog]}
  - {id: 's030', prompt: a,
     duration: 3}
  -
    id: s040
    references:
      - a.png
      - {shot: s010, at: last}
defaults: {provider: animatic}
vars:
  - not one
"""


@pytest.mark.parametrize(
    ("line", "shot"),
    [
        (1, None),
        (3, None),
        (4, None),
        (5, "s010"),
        (7, "s010"),
        (10, "s010"),
        (11, "s020-{{ weather }}"),
        (13, "s020-{{ weather }}"),
        (14, "s030"),
        (15, "s030"),
        (16, "s040"),
        (20, "s040"),
        (21, None),
        (23, None),
        (999, None),
        (0, None),
    ],
)
def test_a_line_belongs_to_the_entry_that_it_stands_in(line: int, shot: str | None) -> None:
    assert Entries(BLOCK).at(line) == shot


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("shots:\n- id: a\n  prompt: x\n- id: b\n  prompt: [x\n- id: c\n", 5, id="an open bracket"),
        pytest.param("shots:\n- id: a\n- id: b\n prompt: x\n", 4, id="a line too far to the left"),
        pytest.param("shots:\n- id: a\n- id: b\n  prompt: 'x\n", 4, id="an open quote"),
        pytest.param("shots:\n- id: a\n- id: b\n\tprompt: x\n", 4, id="a tab"),
        pytest.param("shots:\n- id: a\n- id: b\n  : x\n- id: c", 4, id="a key without a name"),
        pytest.param('"shots" : # all\n- {id: "b", prompt: {{ x }}}\n', 2, id="a template without quotes"),
        pytest.param("shots:\r\n- id: a\r\n- id: b\r\n  takes: [\r\n", 4, id="lines of another system"),
    ],
)
def test_that_holds_where_the_text_cannot_be_parsed(text: str, line: int) -> None:
    assert Entries(text).at(line) == "b"


@pytest.mark.parametrize("text", ["", "shots: []\n", "shots:\n", "shots:\n- prompt: no id\n", "- id: a\n", "\0\n"])
def test_where_nothing_is_known_nothing_is_said(text: str) -> None:
    assert Entries(text).at(2) is None


@pytest.mark.parametrize(
    ("written", "shots"),
    [
        ("s010", ("s010",)),
        ("s020-{{ weather }}", ("s020-rain", "s020-fog")),
        ("{{ a }}-{{ b }}", ("s020-rain", "s020-fog", "x-y-z")),
        ("{{ a }}{{ b }}", ("s010", "s020-rain", "s020-fog", "x-y-z")),
        ("x-{{ a }}-z", ("x-y-z",)),
        ("s020-{{ never", ("s020-{{ never",)),
        ("s020-rain{{ more }}", ()),
    ],
)
def test_an_id_with_templates_stands_for_the_shots_that_it_can_have_made(
    written: str, shots: tuple[str, ...]
) -> None:
    assert shots_of(written, ["s010", "s020-rain", "s020-fog", "x-y-z"]) == shots


def test_a_hostile_text_takes_no_time() -> None:
    began = time.perf_counter()
    entries = Entries("shots:\n" + "- id: a\n  prompt: x\n" * 50_000 + "- {" * 50_000 + "\n" + " " * 200_000)
    for line in range(1, 100_000, 10):
        entries.at(line)
    shots_of("a{{ x }}" * 2000, ["a" * 100] * 100)
    assert time.perf_counter() - began < 5
