"""Who comes in, and what is there for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidspec.watch.board import Board
from vidspec.watch.door import Door
from vidspec.watch.page import Page, Place
from vidspec.watch.server import Answer, Asked

CLIP, POSTER = Place(Path("a.mp4"), Path()), Place(Path("a.webp"), Path())
PAGE = Page(
    text="<h1>né\ud800</h1>",
    policy="default-src 'none'",
    name="1",
    files={"clip/1/a.mp4": CLIP, "poster/a.webp": POSTER},
)


@pytest.fixture
def door() -> Door:
    return Door(Board("shots.yaml", PAGE), 4711)


def asked(door: Door, rest: str = "", *, host: str = "127.0.0.1:4711", verb: str = "GET") -> Answer:
    """What is answered to a request behind the right address."""
    path = "/" + door.address.split("/", 3)[3]
    return door.respond(Asked(verb=verb, target=f"{path}{rest}", headers={"host": host} if host else {}))


def test_the_address_is_on_this_machine_and_cannot_be_guessed(door: Door) -> None:
    other = Door(Board("shots.yaml", PAGE), 4711)
    assert door.address.startswith("http://127.0.0.1:4711/")
    assert len(door.address.split("/")[3]) >= 32
    assert door.address != other.address


def test_the_page_is_sent_with_its_policy_and_kept_by_nobody(door: Door) -> None:
    answer = asked(door)
    assert (answer.status, answer.body) == (200, "<h1>né?</h1>".encode())
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("rest", "place", "kind"),
    [
        ("clip/1/a.mp4", CLIP, "video/mp4"),
        ("poster/a.webp", POSTER, "image/webp"),
        ("clip/1/a.mp4?x=1", CLIP, "video/mp4"),
    ],
)
def test_what_the_page_shows_is_served_and_never_guessed_at(door: Door, rest: str, place: Place, kind: str) -> None:
    answer = asked(door, rest)
    assert (answer.status, answer.place, answer.headers["Content-Type"]) == (200, place, kind)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "rest",
    ["shots.yaml", "clip/1/", "clip/1/../1/a.mp4", "clip%2f1%2fa.mp4", "/etc/passwd", "..", "a.mp4", "index.html"],
)
def test_nothing_else_is_there(door: Door, rest: str) -> None:
    answer = asked(door, rest)
    assert (answer.status, answer.place) == (404, None)


def test_the_news_are_those_of_the_board(door: Door) -> None:
    answer = asked(door, "news")
    assert answer.news is not None
    assert answer.headers["Content-Type"] == "text/event-stream"


def test_without_its_slash_the_address_leads_to_the_one_with_it(door: Door) -> None:
    path = door.address.split("/", 3)[3].rstrip("/")
    answer = door.respond(Asked(verb="GET", target=f"/{path}", headers={"host": "localhost:4711"}))
    assert (answer.status, answer.headers["Location"]) == (308, f"/{path}/")


@pytest.mark.parametrize(
    "target", ["/", "", "*", "/x/", "/favicon.ico", "/%00/", "//", "/é/", "http://127.0.0.1:4711/"]
)
@pytest.mark.parametrize("verb", ["GET", "POST", "OPTIONS"])
def test_whoever_does_not_have_the_address_is_told_that_nothing_is_here(door: Door, target: str, verb: str) -> None:
    answer = door.respond(Asked(verb=verb, target=target, headers={"host": "127.0.0.1:4711"}))
    assert (answer.status, answer.body) == (404, b"nothing is here\n")
    assert answer.news is None
    assert answer.place is None


def test_a_part_of_the_address_is_not_enough(door: Door) -> None:
    token = door.address.split("/")[3]
    for wrong in (token[:-1], token + "x", token.swapcase(), "", token[:8]):
        answer = door.respond(Asked(verb="GET", target=f"/{wrong}/", headers={"host": "127.0.0.1:4711"}))
        assert answer.status == 404, wrong


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4711",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:4711.evil.example",
        "[::1]:4711",
    ],
)
def test_a_request_to_another_name_finds_nothing_whatever_it_knows(door: Door, host: str) -> None:
    assert (asked(door, host=host).status, asked(door, "news", host=host).news) == (404, None)


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost:4711", "LOCALHOST:4711"])
def test_this_machine_has_these_names(door: Door, host: str) -> None:
    assert asked(door, host=host).status == 200


def test_the_usual_port_need_not_be_named() -> None:
    usual = Door(Board("shots.yaml", PAGE), 80)
    assert asked(usual, host="127.0.0.1").status == 200
    assert asked(usual, host="127.0.0.1:80").status == 200
    assert asked(usual, host="evil.example").status == 404


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get"])
def test_it_can_only_be_read(door: Door, verb: str) -> None:
    for rest in ("", "news", "clip/1/a.mp4"):
        answer = asked(door, rest, verb=verb)
        assert (answer.status, answer.headers["Allow"], answer.place, answer.news) == (405, "GET", None, None)
