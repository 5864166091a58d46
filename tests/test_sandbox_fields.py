"""JSON bodies, field by field, and the manners that the twins share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import Traces, header, is_sensitive, noted, patience, unpaid
from vidspec.sandbox.twin import Clip, Request

if TYPE_CHECKING:
    from conftest import FakeHouse


def problem(name: str, value: Any, kind: str, *bounds: int) -> str:
    with pytest.raises(BadField) as caught:
        getattr(Fields({name: value}), kind)(name, *bounds)
    assert caught.value.field == name
    return caught.value.problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "the body is not valid JSON", id="nothing"),
        pytest.param(b'{"a": 1', "the body is not valid JSON", id="a part"),
        pytest.param('{"a": 1}'.encode("utf-16"), "the body is not valid JSON", id="another encoding"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', "the body is not valid JSON", id="a mark before it"),
        pytest.param(b'{"a": -Infinity}', "the body is not valid JSON", id="infinite by name"),
        pytest.param(b'{"a": 1e400}', "the body is not valid JSON", id="infinite by size"),
        pytest.param(b'{"a": ' * 100_000, "the body is not valid JSON", id="deep"),
        pytest.param(b'"a"', "the body is not a JSON object", id="a text"),
        pytest.param(b"null", "the body is not a JSON object", id="null"),
    ],
)
def test_a_body_is_an_object_in_utf_8(body: bytes, said: str) -> None:
    with pytest.raises(BadField) as caught:
        Fields.read(body)
    assert (caught.value.field, str(caught.value)) == ("", said)


@given(body=st.binary() | st.text().map(lambda text: json.dumps({text: [text, {text: 1.5}]}).encode()))
def test_whatever_is_read_can_be_written_again(body: bytes) -> None:
    try:
        values = Fields.read(body).values
    except BadField:
        return
    json.dumps(values, ensure_ascii=False).encode()


def test_halves_of_surrogate_pairs_are_replaced_everywhere_and_pairs_stay() -> None:
    values = Fields.read(rb'{"a\ud800": ["\udc00b", {"c": "\ud83d\ude00\u00e9"}], "d": 1.5}').values
    assert values == {"a?": ["?b", {"c": "😀é"}], "d": 1.5}


def test_of_two_fields_with_one_name_the_last_counts() -> None:
    assert Fields.read(b'{"a": 1, "a": 2}').number("a") == 2


@pytest.mark.parametrize("kind", ["text", "number", "switch"])
def test_null_is_as_good_as_nothing(kind: str) -> None:
    assert getattr(Fields({"a": None}), kind)("a") is None
    assert getattr(Fields({}), kind)("a") is None
    assert Fields({"a": None}).texts("a") == []


def test_values_come_as_they_were_sent() -> None:
    fields = Fields({"text": " a ", "number": -7, "switch": False, "texts": ["a", "b"]})
    assert (fields.text("text"), fields.needed_text("text"), fields.number("number")) == (" a ", " a ", -7)
    assert (fields.switch("switch"), fields.texts("texts")) == (False, ["a", "b"])


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        pytest.param("text", 5, "it must be a string", id="a number for a text"),
        pytest.param("needed_text", None, "it is required", id="nothing for a text"),
        pytest.param("needed_text", " \n", "it is required", id="blanks for a text"),
        pytest.param("number", "5", "it must be an integer", id="a text for a number"),
        pytest.param("number", 5.0, "it must be an integer", id="a fraction for a number"),
        pytest.param("number", True, "it must be an integer", id="true for a number"),
        pytest.param("switch", 0, "it must be a boolean", id="a number for a switch"),
        pytest.param("switch", "true", "it must be a boolean", id="a text for a switch"),
        pytest.param("texts", "a", "it must be an array of strings", id="a text for a list"),
        pytest.param("texts", ["a", None], "it must be an array of strings", id="null in a list"),
    ],
)
def test_another_type_is_a_bad_field(kind: str, value: Any, said: str) -> None:
    assert problem("a", value, kind) == said


def test_a_number_is_within_its_bounds() -> None:
    assert [Fields({"a": number}).number("a", 0, 9) for number in (0, 9)] == [0, 9]
    assert {problem("a", number, "number", 0, 9) for number in (-1, 10)} == {"it must be from 0 to 9"}
    assert Fields({"a": 2**63 - 1}).number("a") == 2**63 - 1
    assert problem("a", 2**63, "number").startswith("it must be from -9223372036854775808 to ")


def test_fields_that_a_model_does_not_know_are_named_and_long_names_cut() -> None:
    fields = Fields({"a": 1, "b": None, "c": 0, "x" * 90: 1})
    assert list(fields.ignored({"a"}, "m")) == [
        "`c` is ignored: `m` has no such field",
        f"`{'x' * 60}…` is ignored: `m` has no such field",
    ]


# --- manners -----------------------------------------------------------------------------------------------


def test_a_header_is_found_whatever_its_case() -> None:
    request = Request(verb="GET", path=(), headers={"AUTHORIZATION": "Bearer sk-UNPAID-1"})
    assert (header(request, "authorization"), header(request, "x")) == ("Bearer sk-UNPAID-1", "")
    assert unpaid(request)
    assert not unpaid(Request(verb="GET", path=(), headers={"x": "unpaid"}))


def test_only_one_word_stands_for_what_a_filter_refuses() -> None:
    assert is_sensitive("something NsFw") is True
    assert is_sensitive("a forbidden city, blood-red") is False


def test_a_wait_is_told_in_whole_seconds() -> None:
    assert [patience(seconds) for seconds in (None, 0, 1.2)] == [{}, {"Retry_After": "0"}, {"Retry_After": "2"}]


def test_traces_are_counted_not_drawn() -> None:
    first, second = Traces("a"), Traces("a")
    assert [first.following() for _ in range(3)] == [second.following() for _ in range(3)]
    assert first.following() != Traces("b").following()


@pytest.mark.parametrize("keeps", [True, False], ids=["a house that keeps them", "a house that does not"])
def test_a_note_is_kept_once_in_the_task(
    fake_house: type[FakeHouse], monkeypatch: pytest.MonkeyPatch, keeps: bool
) -> None:
    house = fake_house()
    clip = Clip(prompt="", label="", width=2, height=2, duration=1)
    task = house.accept("1", "m", clip, typical=(1, 2))
    if keeps:
        monkeypatch.setattr(house, "note", lambda of, change: of.changed.append(change))
    noted(house, task, ["a", "b"])
    assert task.changed == ["a", "b"]
