"""What a diagnostic looks like, how many are ordered, and which word was likely meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import vidspec
from vidspec.diagnostic import CODES, Diagnostic, described, in_order, listed, nearest, shown


def diagnostic(**given: Any) -> Diagnostic:
    return Diagnostic(**{"code": "E201", "message": "m", "file": "a.yaml", "line": 1, "column": 1, **given})


def test_the_text_is_one_line_and_an_indented_help_line() -> None:
    found = diagnostic(message="unknown key `a`", help="write `b`", line=14, column=19)
    assert found.text() == "a.yaml:14:19: error[E201]: unknown key `a`\n    help: write `b`"
    assert diagnostic(code="W601").text() == "a.yaml:1:1: warning[W601]: m"


def test_what_a_terminal_would_obey_is_shown_and_not_sent() -> None:
    found = diagnostic(message="a\x1b[31m\nb\x85\u2028", help="码\t\x07")
    assert found.text() == r"a.yaml:1:1: error[E201]: a\x1b[31m\nb\x85\u2028" + "\n    help: 码" + r"\t\x07"
    assert found.value()["message"] == r"a\x1b[31m\nb\x85\u2028"


def test_diagnostics_are_sorted_by_file_place_and_code() -> None:
    wanted = [
        diagnostic(file="a", line=2, column=9, code="W601"),
        diagnostic(file="a", line=10, column=1),
        diagnostic(file="a", line=10, column=2, code="E101"),
        diagnostic(file="a", line=10, column=2, code="E201", message="a"),
        diagnostic(file="a", line=10, column=2, code="E201", message="b"),
        diagnostic(file="b", line=1),
    ]
    assert in_order(reversed(wanted)) == wanted


def test_one_fault_of_many_shots_is_said_once_of_the_first_of_them() -> None:
    found = in_order([diagnostic(shot="s010"), diagnostic(shot="s020"), diagnostic(shot="s030", line=2)])
    assert [(one.shot, one.line) for one in found] == [("s010", 1), ("s030", 2)]


@pytest.mark.parametrize(
    ("word", "offered", "wanted"),
    [
        pytest.param("promt", ["prompt", "provider"], "prompt", id="a letter left out"),
        pytest.param("PROMPT", ["prompt"], "prompt", id="whatever the case"),
        pytest.param(
            "minimax-hailuo-2", ["MiniMax-Hailuo-02"], "MiniMax-Hailuo-02", id="the offered spelling is given"
        ),
        pytest.param("xyz", ["prompt"], None, id="nothing near"),
        pytest.param("", ["prompt"], None, id="nothing at all"),
        pytest.param("a", [], None, id="nothing offered"),
        pytest.param("prompt" * 1000, ["prompt" * 1000], None, id="too long to be a slip"),
    ],
)
def test_the_nearest_word_is_the_one_most_likely_meant(word: str, offered: list[str], wanted: str | None) -> None:
    assert nearest(word, offered) == wanted


def test_a_list_of_words_ends_with_how_many_are_left_out() -> None:
    assert listed("abc") == "`a`, `b`, `c`"
    assert listed(range(15)).endswith("`10`, `11` and 3 more")
    assert listed([]) == ""


@pytest.mark.parametrize(
    ("value", "quoted", "contrasted"),
    [
        pytest.param("a", "`a`", "the text `a`", id="text"),
        pytest.param("5", "`5`", "the text `5`", id="a number in quotes"),
        pytest.param(5, "`5`", "`5`", id="number"),
        pytest.param(None, "`null`", "`null`", id="null"),
        pytest.param(False, "`false`", "`false`", id="false"),
        pytest.param([1], "`a list`", "a list", id="list"),
        pytest.param({}, "`a mapping`", "a mapping", id="mapping"),
        pytest.param(" a\nb ", "` a\\nb `", "the text ` a\\nb `", id="blanks and line breaks are shown"),
    ],
)
def test_a_value_is_quoted_in_short(value: object, quoted: str, contrasted: str) -> None:
    assert shown(value) == quoted
    assert described(value) == contrasted


def test_a_long_value_is_cut() -> None:
    assert shown("x" * 60) == f"`{'x' * 60}`"
    assert shown("x" * 61) == f"`{'x' * 59}…`"
    assert len(shown("\n" * 100_000)) == 62


def test_every_code_that_the_program_uses_has_a_meaning_and_every_meaning_a_use() -> None:
    folder = Path(vidspec.__file__).parent
    sources = [path.read_text("utf-8") for path in folder.rglob("*.py") if path.name != "diagnostic.py"]
    used = {code for source in sources for code in re.findall(r'"([EW][1-6]\d\d)"', source)}
    assert sorted(used) == sorted(CODES)
