"""How things stand: in one word, in words, and as the page reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from vidspec.watch.board import MOST, Board, Problem, Standing
from vidspec.watch.page import Page, Place

PAGE = Page(text="", policy="", name="p1")
ERROR, WARNING = Problem(text="wrong"), Problem(text="doubtful", severity="warning")


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({}, "ready", "watching s.yaml"),
        ({"problems": (WARNING,)}, "ready", "watching s.yaml"),
        ({"left": 1}, "drawing", "drawing: 1 take left"),
        ({"left": 3, "held": "another run"}, "held", "waiting to draw: another run"),
        ({"left": 3, "problems": (ERROR, WARNING, Problem(text="too"))}, "broken", "2 errors"),
        ({"troubles": {"page": (ERROR,), "drafts": (ERROR,)}}, "broken", "1 error"),
        ({"gone": True, "problems": (ERROR,)}, "gone", "s.yaml is gone; it is looked for"),
    ],
)
def test_what_matters_most_is_what_is_said(given: dict[str, Any], status: str, words: str) -> None:
    standing = Standing(file="s.yaml", **given)
    assert (standing.status, standing.words) == (status, words)


def test_the_page_reads_all_of_it_as_json() -> None:
    board = Board("s.yaml", PAGE)
    problem = Problem(text="x", help="h", code="E201", place="s.yaml:1:2", shots=("a", "b"))
    board.tell(problems=(problem,), left=2, drawing={"a-t01": 1 / 3})
    assert json.loads(board.text()) == {
        "page": "p1",
        "status": "broken",
        "words": "1 error",
        "errors": 1,
        "problems": [
            {
                "text": "x",
                "help": "h",
                "severity": "error",
                "code": "E201",
                "place": "s.yaml:1:2",
                "shots": ["a", "b"],
            }
        ],
        "more": 0,
        "drawing": {"a-t01": 0.33},
    }


def test_of_very_many_problems_the_first_are_told_and_all_are_counted() -> None:
    board = Board("s.yaml", PAGE)
    board.tell(problems=tuple(Problem(text=f"{number}") for number in range(MOST + 7)))
    value = json.loads(board.text())
    assert (len(value["problems"]), value["more"], value["errors"]) == (MOST, 7, MOST + 7)


def test_a_trouble_is_known_until_whoever_had_it_has_it_no_more() -> None:
    board = Board("s.yaml", PAGE)
    assert board.trouble("page", ERROR)
    assert not board.trouble("page", ERROR)
    assert not board.trouble("drafts", ERROR)
    board.trouble("page")
    assert board.standing.errors == 1
    board.trouble("drafts")
    assert board.standing.errors == 0
    assert board.trouble("page", ERROR)


def test_news_are_told_when_there_are_some_and_only_then() -> None:
    board = Board("s.yaml", PAGE)
    told: list[str] = []

    async def listen() -> None:
        last: str | None = None
        while True:
            last = await board.news(last)
            told.append(json.loads(last)["words"])

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            board.tell(left=0)
            board.show(PAGE)
            await trio.testing.wait_all_tasks_blocked()
            board.tell(left=2)
            await trio.testing.wait_all_tasks_blocked()
            board.tell(left=1)
            board.tell(left=0)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    trio.run(main)
    rest = "watching s.yaml"
    assert told == [rest, rest, "drawing: 2 takes left", "drawing: 2 takes left", rest, rest]


def test_what_the_page_before_shows_is_served_for_one_page_more() -> None:
    board = Board("s.yaml", PAGE)
    pages = [Page(text="", policy="", name=str(n), files={str(n): Place(Path(str(n)), Path())}) for n in range(3)]
    for page in pages:
        board.show(page)
        board.show(page)
    assert board.page is pages[2]
    assert set(board.files) == {"1", "2"}
