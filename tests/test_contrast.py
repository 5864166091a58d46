from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vidspec.console import width
from vidspec.contrast import Piece, bracketed, contrast, plain, wrapped


def marked(old: str, new: str) -> tuple[str, str]:
    """Both texts with brackets around what differs."""
    before, after = contrast(old, new)
    return text(bracketed(before, "[-", "-]")), text(bracketed(after, "{+", "+}"))


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def lines(said: str, columns: int) -> list[str]:
    return [text(line) for line in wrapped(plain(said), columns)]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        pytest.param("a red fox", "a blue fox", "a [-red-] fox", "a {+blue+} fox", id="a word"),
        pytest.param("a fox runs", "a fox runs far", "a fox runs", "a fox runs {+far+}", id="at the end"),
        pytest.param("a fox runs", "a very old fox runs", "a fox runs", "a {+very old+} fox runs", id="inside"),
        pytest.param("a fox, or so", "a fox; or so", "a fox[-,-] or so", "a fox{+;+} or so", id="a point"),
        pytest.param(
            "the red, old fox runs",
            "the shy, new fox runs",
            "the [-red, old-] fox runs",
            "the {+shy, new+} fox runs",
            id="a point is no common ground",
        ),
        pytest.param("雨很大，灯塔", "雪很大，灯塔", "[-雨-]很大，灯塔", "{+雪+}很大，灯塔", id="characters"),
        pytest.param("one  two", "one two", "one[-··-]two", "one{+·+}two", id="blanks"),
        pytest.param("one two", "one\ntwo", "one[-·-]two", "one{+↵+}\ntwo", id="a line's end"),
        pytest.param("one two", "one\ttwo", "one[-·-]two", "one{+⇥+}two", id="a tab"),
        pytest.param("one two", "one\u00a0two", "one[-·-]two", "one{+\\xa0+}two", id="a firm blank"),
        pytest.param("same", "same", "same", "same", id="nothing"),
        pytest.param("", "new words", "", "new words", id="from nothing"),
        pytest.param("all of it was", "nothing here is", "all of it was", "nothing here is", id="everything"),
    ],
)
def test_the_words_that_differ_are_marked_on_both_sides(old: str, new: str, before: str, after: str) -> None:
    assert marked(old, new) == (before, after)


def test_codes_of_a_terminal_and_what_cannot_be_seen_are_written_out() -> None:
    assert text(plain("\x1b[2J a\u200bb \u202e")) == "\\x1b[2J a\\u200bb \\u202e"
    assert marked("go on home", "go on\x07 home")[1] == "go on{+\\x07+} home"


@given(some.text(), some.text())
def test_marks_change_no_word_of_either_text(old: str, new: str) -> None:
    for pieces, said in zip(contrast(old, new), (old, new), strict=True):
        pairs = list(zip(pieces, plain(said), strict=True))
        assert all(piece.text == same.text for piece, same in pairs if not same.text.isspace())
        assert all(piece.text == same.text for piece, same in pairs if not piece.differs)


@given(some.lists(some.sampled_from(["a", "b", "夜", ",", " ", "\n", "word"])).map("".join))
def test_a_text_differs_in_nothing_from_itself(said: str) -> None:
    for pieces in contrast(said, said):
        assert pieces == plain(said)


def test_long_texts_that_repeat_themselves_are_compared_in_no_time() -> None:
    began = time.monotonic()
    same = "the same words stand here " * 400
    before, after = contrast(f"{same}{'a b ' * 900}", f"{same}{'b b a ' * 600}")
    assert time.monotonic() - began < 5
    assert not any(piece.differs for piece in after[:3999])
    assert all(piece.differs for piece in after[4001:-2])
    assert any(piece.differs for piece in before)


# --- lines -----------------------------------------------------------------------------------------------------


def test_lines_end_at_blanks_and_keep_points_by_their_words() -> None:
    assert lines("the ferry leaves, slowly, at dawn", 12) == ["the ferry", "leaves,", "slowly, at", "dawn"]
    assert lines("one\n\ntwo", 12) == ["one", "", "two"]
    assert lines("  set in", 12) == ["  set in"]
    assert lines("", 12) == [""]


def test_a_script_without_blanks_is_broken_anywhere_but_before_a_point() -> None:
    assert lines("夜里渡船离开码头，雨", 8) == ["夜里渡船", "离开码", "头，雨"]


def test_a_word_longer_than_a_line_is_broken() -> None:
    assert lines("see sha256:0123456789 now", 8) == ["see", "sha256:0", "12345678", "9 now"]


@given(
    some.lists(some.sampled_from(["word", "夜", ",", " ", "   ", "\n", "a" * 30, "e\u0301"]), max_size=40).map(
        "".join
    ),
    some.integers(2, 30),
)
def test_no_line_is_wider_than_it_may_be_and_no_word_is_lost(said: str, columns: int) -> None:
    found = wrapped(plain(said), columns)
    assert all(width(text(line)) <= columns for line in found)
    assert "".join(text(line) for line in found).replace(" ", "") == said.replace(" ", "").replace("\n", "")


def test_marks_last_over_the_end_of_a_line() -> None:
    found = wrapped([Piece("one", True), Piece(" ", True), Piece("two", True), Piece("\n"), Piece("on")], 4)
    assert found == [[Piece("one", True)], [Piece("two", True)], [Piece("on", False)]]
