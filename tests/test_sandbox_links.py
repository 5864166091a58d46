"""Signed links, and the object store behind them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from vidspec.sandbox import files
from vidspec.sandbox.links import Links, Standing

if TYPE_CHECKING:
    from vidspec.sandbox.twin import Answer

DATA = bytes(range(100))


class Place:
    """Links on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.unix = 1000.25
        self.links = Links("http://127.0.0.1:1", b"secret", lambda: self.unix)

    def standing(self, link: str, **changed: str) -> Standing:
        parts = urlsplit(link)
        _, _, provider, token, _ = parts.path.split("/")
        query = dict(parse_qsl(parts.query)) | {name: text for name, text in changed.items() if name in QUERY}
        path = {"provider": provider, "token": token} | {n: t for n, t in changed.items() if n not in QUERY}
        return self.links.standing(path["provider"], path["token"], query)


QUERY = ("expires", "signature")


@pytest.fixture
def place() -> Place:
    return Place()


# --- signatures --------------------------------------------------------------------------------------------------


def test_a_link_lives_as_long_as_it_was_given(place: Place) -> None:
    link = place.links.link("minimax", place.links.token("minimax", "a"), 600)
    seen = []
    for unix in (1000.25, 1600.25, 1601.0, 1601.01, 9e9):
        place.unix = unix
        seen.append(place.standing(link))
    assert seen == ["good", "good", "good", "expired", "expired"]


@pytest.mark.parametrize(
    "changed",
    [
        {"expires": "9999999999"},
        {"expires": ""},
        {"expires": "soon"},
        {"signature": ""},
        {"signature": "é"},
        {"signature": "0" * 64},
        {"token": "0" * 32},
        {"provider": "gately"},
    ],
    ids=str,
)
def test_a_link_that_was_changed_is_not_ours(place: Place, changed: dict[str, str]) -> None:
    link = place.links.link("minimax", place.links.token("minimax", "a"), 600)
    assert place.standing(link, **changed) == "unsigned"


def test_two_sandboxes_do_not_take_each_others_links(place: Place) -> None:
    other = Links("http://127.0.0.1:1", b"another", lambda: 0.0)
    assert place.standing(other.link("minimax", "0" * 32, 600)) == "unsigned"


# --- what is answered --------------------------------------------------------------------------------------------


def code(answer: Answer) -> tuple[int, str | None]:
    """The status of a refusal, and its code in XML."""
    assert answer.headers["Content-Type"] == "application/xml"
    return answer.status, ET.fromstring(answer.body).findtext("Code")


def test_a_clip_is_given_to_a_signed_link() -> None:
    answer = files.answer("GET", {}, "good", DATA)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, DATA, "video/mp4")
    assert files.answer("HEAD", {}, "good", DATA) == answer


@pytest.mark.parametrize(
    ("verb", "headers", "standing", "data", "wanted"),
    [
        pytest.param("GET", {}, "expired", DATA, (403, "AccessDenied"), id="expired"),
        pytest.param("GET", {}, "unsigned", DATA, (403, "SignatureDoesNotMatch"), id="unsigned"),
        pytest.param("GET", {}, "good", None, (404, "NoSuchKey"), id="no clip"),
        pytest.param("POST", {}, "good", DATA, (405, "MethodNotAllowed"), id="verb"),
        pytest.param("GET", {"authorization": "Bearer x"}, "good", DATA, (400, "InvalidArgument"), id="key"),
        pytest.param("GET", {"range": "bytes=100-"}, "good", DATA, (416, "InvalidRange"), id="beyond"),
        pytest.param("GET", {"range": "bytes=-0"}, "good", DATA, (416, "InvalidRange"), id="nothing"),
        pytest.param("GET", {"range": "bytes=9-8"}, "good", DATA, (416, "InvalidRange"), id="backwards"),
    ],
)
def test_everything_else_is_refused_as_object_stores_do(
    verb: str, headers: dict[str, str], standing: Standing, data: bytes | None, wanted: tuple[int, str]
) -> None:
    assert code(files.answer(verb, headers, standing, data)) == wanted


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        (f"bytes=5-{'9' * 5000}", 5, 99),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_part_is_given_that_was_asked_for(asked: str, first: int, last: int) -> None:
    answer = files.answer("GET", {"range": asked}, "good", DATA)
    assert (answer.status, answer.body) == (206, DATA[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/100"


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=0-1,3-4", "items=0-1", "", "bytes=a-b", "bytes=٣-"])
def test_a_range_that_is_none_gets_the_whole(asked: str) -> None:
    assert files.answer("GET", {"range": asked}, "good", DATA).body == DATA


def test_a_part_of_something_that_may_have_changed_is_the_whole() -> None:
    assert files.answer("GET", {"range": "bytes=0-1", "if-range": '"a"'}, "good", DATA).status == 200


@pytest.mark.parametrize("name", files.REFUSALS)
def test_every_refusal_is_xml_with_its_code(name: str) -> None:
    assert code(files.refusal(name)) == (files.REFUSALS[name][0], name)
    assert files.refusal(name, Retry_After="3").headers["Retry-After"] == "3"
