"""The text of a Seedance request: what is words, what is a flag, and what is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidspec.sandbox.seedance_text import number, switch, take_apart


@pytest.mark.parametrize(
    ("text", "words", "flags"),
    [
        pytest.param("a tram turns", "a tram turns", {}, id="no flags"),
        pytest.param(
            "a tram --rt 16:9 --rs 720p", "a tram", {"ratio": "16:9", "resolution": "720p"}, id="short names"
        ),
        pytest.param("a tram --duration 5 --seed -1", "a tram", {"duration": "5", "seed": "-1"}, id="long names"),
        pytest.param("--wm false --cf true", "", {"watermark": "false", "camerafixed": "true"}, id="no words"),
        pytest.param("two\nlines\t--fps\n24  ", "two\nlines", {"framespersecond": "24"}, id="any blanks"),
        pytest.param("a -- b --dur 5", "a -- b", {"duration": "5"}, id="a dash is a word"),
        pytest.param("", "", {}, id="nothing"),
    ],
)
def test_flags_at_the_end_are_taken_off_the_words(text: str, words: str, flags: dict[str, str]) -> None:
    found = take_apart(text)
    assert (found.words, found.flags, found.ignored) == (words, flags, ())


@pytest.mark.parametrize(
    ("text", "words", "flags", "remark"),
    [
        pytest.param("a --rs 720p tram", "a --rs 720p tram", {}, "not in the row of flags", id="among the words"),
        pytest.param("a --zoom 2 --dur 5", "a", {"duration": "5"}, "unknown flag `--zoom 2`", id="unknown"),
        pytest.param("a --ratio=16:9", "a", {}, "unknown flag `--ratio=16:9`", id="equals sign"),
        pytest.param("a --wm --dur 5", "a", {"duration": "5"}, "`--wm` without", id="no value"),
        pytest.param("a --dur 5 --duration 8", "a", {"duration": "8"}, "comes again", id="twice"),
        pytest.param("a --DUR 5", "a", {}, "unknown flag `--DUR 5`", id="capitals"),
    ],
)
def test_what_is_passed_over_is_told(text: str, words: str, flags: dict[str, str], remark: str) -> None:
    found = take_apart(text)
    assert (found.words, found.flags) == (words, flags)
    assert len(found.ignored) == 1
    assert remark in found.ignored[0]


@given(st.text(st.sampled_from("a1 -\n:"), max_size=60))
def test_words_and_flags_are_all_of_a_text(text: str) -> None:
    found = take_apart(text)
    assert text.strip().startswith(found.words)
    rest = text.strip().removeprefix(found.words).split()
    assert not rest or rest[0].startswith("--")
    assert found.flags == {}


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("-1", -1), ("5.0", None), ("", None), ("٣", None), ("9" * 19, None)]
)
def test_a_number_is_digits_with_or_without_a_sign(text: str, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("True", None), ("1", None)])
def test_a_switch_is_true_or_false(text: str, value: bool | None) -> None:
    assert switch(text) is value
