from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.errors import InDoubt, ProviderError, Refused, Throttled, Unavailable
from vidspec.providers import answers
from vidspec.wire import Blame, Call, Purpose, Reply

SUBMIT = Call(purpose="submit", verb="POST", path="/x", body={})
POLL = Call(purpose="poll", verb="GET", path="/x")
DEEP = b"[" * 100_000
ANSWER: dict[str, Any] = {
    "results": {"videos": [{"url": "https://a.example.net/1.mp4"}], "seed": "4711"},
    "empty": "",
    "blank": "  ",
    "yes": True,
    "number": 12,
    "zero": 0,
    "fraction": 1.5,
    "list": [1],
}


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=body.encode() if isinstance(body, str) else body)


# --- values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\xfa", id="no-text"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"a": 1', id="cut"),
        pytest.param(DEEP, id="too-deep"),
        pytest.param(b"1" * 5000, id="a-number-of-5000-digits"),
    ],
)
def test_what_is_no_json_is_no_value(body: bytes) -> None:
    assert answers.value(reply(body)) is None
    assert answers.mapping(reply(body)) == {}


@pytest.mark.parametrize("body", ["null", "[]", '"words"', "1", "NaN"])
def test_what_is_no_object_is_an_empty_mapping(body: str) -> None:
    assert answers.mapping(reply(body)) == {}


def test_json_may_come_in_another_encoding_or_behind_a_byte_order_mark() -> None:
    text = '{"a": "é"}'
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert answers.value(reply(text.encode(encoding))) == {"a": "é"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("results.videos.0.url", "https://a.example.net/1.mp4", id="through-a-list"),
        pytest.param("results.videos.1.url", None, id="past-the-end"),
        pytest.param("results.videos.url", None, id="a-name-in-a-list"),
        pytest.param("number.more", None, id="into-a-number"),
        pytest.param("nowhere.at.all", None, id="nowhere"),
        pytest.param("results.seed", "4711", id="in-an-object"),
    ],
)
def test_a_dotted_path_leads_to_a_value_or_to_none(path: str, expected: object) -> None:
    assert answers.at(ANSWER, path) == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(
            ["empty", "blank", "yes", "fraction", "list", "number"], "12", id="the-first-that-says-anything"
        ),
        pytest.param(["zero"], "0", id="zero-is-a-digit"),
        pytest.param(["yes"], "", id="a-boolean-is-no-text"),
        pytest.param([], "", id="no-path"),
    ],
)
def test_a_text_is_the_first_that_is_not_empty(paths: list[str], expected: str) -> None:
    assert answers.text(ANSWER, *paths) == expected


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        pytest.param("n4q0", "n4q0", id="a-text"),
        pytest.param("a/b ?ü=", "a/b ?ü=", id="of-any-alphabet"),
        pytest.param("x" * 300, "x" * 300, id="of-300-characters"),
        pytest.param(9007199254740993, "9007199254740993", id="a-number"),
        pytest.param(310000000000001.0, "", id="a-float-has-lost-digits"),
        pytest.param("x" * 4096, "x" * 4096, id="of-4096-characters"),
        pytest.param("x" * 4097, "", id="of-4097-characters"),
        pytest.param("a\nb", "", id="with-a-line-break"),
        pytest.param("a\x1b[2J", "", id="with-a-terminal-code"),
        pytest.param("\ud800", "", id="with-half-a-character"),
        pytest.param("  ", "", id="blank"),
        pytest.param(None, "", id="null"),
        pytest.param(True, "", id="a-boolean"),
        pytest.param({"id": "a"}, "", id="an-object"),
    ],
)
def test_an_id_can_be_kept_shown_and_asked_for_again(given_id: object, expected: str) -> None:
    assert answers.identity({"id": given_id}, "id") == expected


def test_an_id_that_cannot_be_kept_gives_way_to_the_next() -> None:
    assert answers.identity({"id": "a\nb", "data": {"id": "c"}}, "id", "data.id") == "c"


@pytest.mark.parametrize(
    ("given_link", "expected"),
    [
        pytest.param(" https://a.example.net/1.mp4 ", "https://a.example.net/1.mp4", id="https"),
        pytest.param("HTTP://a.example.net/1.mp4", "HTTP://a.example.net/1.mp4", id="http"),
        pytest.param("data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA", id="data"),
        pytest.param("expired", None, id="a-word"),
        pytest.param("file:///etc/passwd", None, id="file"),
        pytest.param("//a.example.net/1.mp4", None, id="no-scheme"),
        pytest.param("https://a.example.net/\r\nHost: b", None, id="line-breaks"),
        pytest.param(["https://a.example.net/1.mp4"], None, id="a-list"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_link_is_an_address_or_a_data_uri(given_link: object, expected: str | None) -> None:
    assert answers.link({"url": given_link}, "url") == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(4711, 4711, id="a-number"),
        pytest.param("4711", 4711, id="a-text"),
        pytest.param(" -5 ", -5, id="a-text-with-a-sign"),
        pytest.param(4711.0, 4711, id="a-float-without-a-fraction"),
        pytest.param(1.5, None, id="a-fraction"),
        pytest.param(float("nan"), None, id="not-a-number"),
        pytest.param(float("inf"), None, id="infinity"),
        pytest.param(1e300, None, id="a-float-without-bounds"),
        pytest.param(10**300, None, id="a-number-of-300-digits"),
        pytest.param("1" * 300, None, id="a-text-of-300-digits"),
        pytest.param(2**64 - 1, 2**64 - 1, id="64-bits"),
        pytest.param(2**64, None, id="65-bits"),
        pytest.param("--5", None, id="two-signs"),
        pytest.param("٣", None, id="digits-of-another-script"),
        pytest.param("", None, id="empty"),
        pytest.param(True, None, id="a-boolean"),
        pytest.param([4711], None, id="a-list"),
    ],
)
def test_a_whole_number_may_be_written_as_a_text_and_is_bounded(number: object, expected: int | None) -> None:
    assert answers.whole({"seed": number}, "seed") == expected


def test_a_whole_number_is_looked_for_at_every_path() -> None:
    assert answers.whole({"a": "many", "b": 7}, "a", "b") == 7


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        pytest.param("30%", 0.3, id="percent"),
        pytest.param("55.5 %", 0.555, id="a-fraction-and-a-blank"),
        pytest.param("30", 0.3, id="without-a-sign"),
        pytest.param(30, 0.3, id="a-number"),
        pytest.param(250, 1.0, id="too-much"),
        pytest.param(-1, 0.0, id="too-little"),
        pytest.param(10**400, 1.0, id="a-number-of-400-digits"),
        pytest.param(float("nan"), 0.0, id="not-a-number"),
        pytest.param(float("inf"), 1.0, id="infinity"),
        pytest.param("soon", None, id="a-word"),
        pytest.param("1.2.3", None, id="two-points"),
        pytest.param("9" * 400, None, id="a-text-of-400-digits"),
        pytest.param(True, None, id="a-boolean"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_share_is_from_nothing_to_all(progress: object, expected: float | None) -> None:
    assert answers.share({"progress": progress}, "progress") == expected


def test_a_state_word_means_what_the_table_says_and_else_nothing_yet() -> None:
    assert answers.phase({"Fail": "failed"}, "Fail") == "failed"
    assert answers.phase({"Fail": "failed"}, "fail") == "unknown"


@pytest.mark.parametrize(
    ("found", "inside"),
    [
        pytest.param({"code": "success", "data": {"status": "x"}}, True, id="an-envelope"),
        pytest.param({"code": "failed", "data": {"status": "x"}}, False, id="another-code"),
        pytest.param({"code": "success", "data": None}, False, id="an-empty-envelope"),
        pytest.param({"data": {"output": "x"}}, False, id="flat"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_only_an_envelope_of_a_success_is_opened(found: Any, inside: bool) -> None:
    assert answers.unwrapped(found) == (found["data"] if inside else found)


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param("Invalid token", "Invalid token", id="a-bare-text"),
        pytest.param({"error": {"message": "a", "code": 1}, "message": "b"}, "a", id="an-error-object"),
        pytest.param({"error": "a", "message": "b"}, "a", id="an-error-text"),
        pytest.param({"error": {"code": 1}, "message": "b"}, "b", id="an-error-without-a-message"),
        pytest.param({"error": {"message": {"a": 1}}, "message": ["b"]}, "", id="no-text-anywhere"),
        pytest.param(
            {"message": '{"code": "Throttling", "message": "slow down"}'}, "Throttling: slow down", id="json"
        ),
        pytest.param({"message": '{"code": 1'}, '{"code": 1', id="json-that-is-cut"),
        pytest.param({"message": "{}"}, "{}", id="json-without-words"),
        pytest.param({"message": '{"code": 7}'}, '{"code": 7}', id="json-with-a-code-alone"),
        pytest.param({"message": '{"message": "no"}'}, "no", id="json-without-a-code"),
        pytest.param({"message": '"slow down"'}, "slow down", id="a-text-in-quotes"),
        pytest.param({"message": '{"error": {"code": "E1", "message": "no"}}'}, "E1: no", id="an-error-in-a-text"),
        pytest.param([], "", id="a-list"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_an_error_says_its_words_wherever_they_stand(found: object, expected: str) -> None:
    assert answers.message(found) == expected


def test_of_several_explanations_the_first_in_a_fixed_order_is_given() -> None:
    found: dict[str, Any] = {
        "error": {"message": "1"},
        "message": "2",
        "failure_reason": "3",
        "fail_reason": "4",
        "base_resp": {"status_msg": "5"},
        "reason": "6",
    }
    for number, name in enumerate(list(found), start=1):
        assert answers.message(found) == str(number)
        del found[name]
    assert answers.message(found) == ""


def test_the_order_in_which_to_look_may_be_another() -> None:
    assert answers.message({"error": "a", "message": "b"}, ["message", "error"]) == "b"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(" two\r\n  lines\t", "two lines", id="lines"),
        pytest.param("\x1b[31mred\x07", "[31mred", id="terminal-codes"),
        pytest.param("a\u202eb\ud800c", "a b c", id="direction-and-half-a-character"),
        pytest.param("x" * 300, "x" * 300, id="of-300-characters"),
        pytest.param("x" * 301, "x" * 299 + "…", id="of-301-characters"),
        pytest.param("[" * 10_000_000, "[" * 299 + "…", id="of-ten-megabytes"),
        pytest.param("\n" * 5000 + "late", "", id="nothing-for-a-long-time"),
    ],
)
def test_words_are_shown_on_one_bounded_line(words: str, expected: str) -> None:
    assert answers.said(words) == expected


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=())) | st.text('{}[]":,a1\\ \n', max_size=30))
def test_whatever_is_said_can_be_shown(words: str) -> None:
    shown = answers.said(words)
    assert shown.isprintable()
    assert len(shown) <= 300


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("", "provider", id="nothing"),
        pytest.param("content policy", "moderation", id="policy"),
        pytest.param("Output new_SENSITIVE (1027)", "moderation", id="sensitive"),
        pytest.param("内容违规", "moderation", id="chinese"),
        pytest.param("InvalidParameter.DataInspection: image rejected", "moderation", id="a-rejected-parameter"),
        pytest.param("the name is case-sensitive", "provider", id="case-sensitive"),
        pytest.param("InvalidParameter: size", "input", id="parameter"),
        pytest.param("invalid_request: no prompt", "input", id="request"),
        pytest.param("Throttling.RateLimit", "provider", id="rate"),
        pytest.param("quota_not_enough", "provider", id="money"),
        pytest.param("invalid token", "provider", id="key"),
        pytest.param("gpu lost", "provider", id="theirs"),
    ],
)
def test_a_failed_generation_is_never_the_accounts(words: str, expected: Blame) -> None:
    assert answers.fault(words) == expected


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "submit", "poll"),
    [
        pytest.param(100, (InDoubt, "provider"), (Unavailable, "outage"), id="100"),
        pytest.param(200, (InDoubt, "provider"), (Unavailable, "outage"), id="200"),
        pytest.param(300, (Refused, "address"), (Refused, "address"), id="300"),
        pytest.param(301, (Refused, "address"), (Refused, "address"), id="301"),
        pytest.param(400, (Refused, "input"), (Refused, "provider"), id="400"),
        pytest.param(401, (Refused, "key"), (Refused, "key"), id="401"),
        pytest.param(402, (Refused, "billing"), (Refused, "billing"), id="402"),
        pytest.param(403, (Refused, "key"), (Refused, "key"), id="403"),
        pytest.param(404, (Refused, "address"), (Refused, "lost"), id="404"),
        pytest.param(405, (Refused, "address"), (Refused, "address"), id="405"),
        pytest.param(408, (InDoubt, "outage"), (Unavailable, "outage"), id="408"),
        pytest.param(410, (Refused, "input"), (Refused, "lost"), id="410"),
        pytest.param(422, (Refused, "input"), (Refused, "provider"), id="422"),
        pytest.param(429, (Throttled, "rate"), (Throttled, "rate"), id="429"),
        pytest.param(500, (InDoubt, "outage"), (Unavailable, "outage"), id="500"),
        pytest.param(503, (InDoubt, "outage"), (Unavailable, "outage"), id="503"),
        pytest.param(599, (InDoubt, "outage"), (Unavailable, "outage"), id="599"),
    ],
)
def test_a_status_alone_says_whether_anything_can_have_been_made(
    status: int, submit: tuple[type[ProviderError], str], poll: tuple[type[ProviderError], str]
) -> None:
    for call, expected in ((SUBMIT, submit), (POLL, poll)):
        error = answers.failure(call, reply('"no"', status))
        assert (type(error), error.blame) == expected
        assert error.reason.startswith(f"HTTP {status}: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("", "an empty answer", id="empty"),
        pytest.param(" \n", "an empty answer", id="blank"),
        pytest.param("<!DOCTYPE html><p>x", "an HTML page, where an answer in JSON was expected", id="a-page"),
        pytest.param("\n <HTML>", "an HTML page, where an answer in JSON was expected", id="another-page"),
        pytest.param("upstream timed out\n", "upstream timed out", id="plain-text"),
        pytest.param("[1, 2]", "an answer that is not understood", id="a-list"),
        pytest.param("null", "an answer that is not understood", id="null"),
        pytest.param("12", "an answer that is not understood", id="a-number"),
        pytest.param('{"message": "x', "an answer that is not understood", id="cut"),
        pytest.param(b"\x00\x01\x02", "an answer that is not understood", id="bytes"),
        pytest.param(b"\xff\xfe\xfa no", "��� no", id="no-utf-8"),
        pytest.param(DEEP, "an answer that is not understood", id="too-deep"),
    ],
)
def test_a_body_without_words_is_described(body: str | bytes, said: str) -> None:
    assert answers.failure(SUBMIT, reply(body, 500)).reason == f"HTTP 500: {said}"


def test_an_answer_that_lacks_what_makes_it_good_says_what() -> None:
    assert (
        answers.failure(POLL, reply('{"a": 1}'), missing="status").reason == "HTTP 200: an answer without `status`"
    )
    assert answers.failure(POLL, reply('{"a": 1}', 500), missing="status").reason.endswith("is not understood")
    assert answers.failure(POLL, reply('{"message": "no"}'), missing="status").reason == "HTTP 200: no"


def test_a_reason_that_the_adapter_found_is_shown_as_bounded_as_any() -> None:
    assert answers.failure(POLL, reply(status=500), "a\n" * 500).reason == f"HTTP 500: {('a ' * 150)[:299]}…"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"retry_after": "5"}, 5.0, id="seconds"),
        pytest.param({"retry_after": " 2.5 "}, 2.5, id="a-fraction"),
        pytest.param({"retry_after": "-5"}, None, id="before-now"),
        pytest.param({"retry_after": "9" * 400}, None, id="for-ever"),
        pytest.param({"retry_after": "soon"}, None, id="a-word"),
        pytest.param({"retry_after": "²"}, None, id="no-digit"),
        pytest.param(
            {"retry_after": "Fri, 20 Nov 2026 10:01:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"},
            60.0,
            id="a-date",
        ),
        pytest.param(
            {"retry_after": "Fri, 20 Nov 2026 09:00:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"},
            0.0,
            id="a-date-that-is-past",
        ),
        pytest.param({"retry_after": "Fri, 20 Nov 2026 10:01:00 GMT"}, None, id="a-date-without-a-clock"),
        pytest.param(
            {"retry_after": "Fri, 20 Nov 2026 10:01:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 -0000"},
            None,
            id="a-clock-without-a-zone",
        ),
        pytest.param(
            {"retry_after": "Fri, 20 Nov 2026 10:01:00 +99999999999999", "date": "Fri, 20 Nov 2026 10:00:00 GMT"},
            None,
            id="a-zone-beyond-all",
        ),
    ],
)
def test_a_wait_is_seconds_or_a_date_held_against_the_answers_own(
    headers: dict[str, str], expected: float | None
) -> None:
    asked = reply("", 429, **headers)
    assert answers.retry_after(asked) == expected
    error = answers.failure(SUBMIT, asked)
    assert isinstance(error, Throttled)
    assert error.retry_after == expected


@settings(max_examples=200)
@given(st.text() | st.text("0123456789.:+- FriNov20GMT,", max_size=40), st.text(max_size=40))
def test_no_header_is_too_odd_to_be_read(header: str, date: str) -> None:
    wait = answers.retry_after(reply("", 429, retry_after=header, date=date))
    assert wait is None or 0 <= wait < float("inf")


@settings(max_examples=200)
@given(st.integers(100, 999), st.sampled_from(get_args(Purpose)), st.binary() | st.from_type(str).map(json.dumps))
def test_every_reply_is_some_error(status: int, purpose: Purpose, body: bytes | str) -> None:
    error = answers.failure(Call(purpose=purpose, verb="POST", path="/x"), reply(body, status))
    assert error.blame in get_args(Blame)
    assert error.reason.isprintable()
    assert len(error.reason) < 320
    assert purpose == "submit" or not isinstance(error, InDoubt)


def test_of_an_address_in_a_providers_words_only_the_host_is_shown() -> None:
    words = 'failed for "https://cdn.example/a/b.mp4?Signature=secret&Expires=1", see https://docs.example/errors'
    assert answers.said(words) == 'failed for "https://cdn.example/…", see https://docs.example/…'
