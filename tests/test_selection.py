from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, get_args

import pytest

from vidspec.errors import UsageError
from vidspec.planned import Action, State
from vidspec.project import open_lists, selected
from vidspec.selection import select

if TYPE_CHECKING:
    from vidspec.planned import Plan

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = """
- {id: s010, scene: pier, tags: [night, wide], prompt: one, takes: 2}
- {id: s020, scene: pier, tags: [night], prompt: two, first_frame: {shot: s010}}
- {id: s030, scene: sea, tags: ["day, dull"], prompt: three, first_frame: {shot: s020}}
- {id: s040, prompt: four, provider: minimax, model: MiniMax-Hailuo-02, size: null, fps: null, duration: null}
"""


@pytest.fixture
def found(shots: Shots) -> Plan:
    (opened,), _ = open_lists([shots(LIST)], {})
    return opened.plan()


@pytest.mark.parametrize(
    ("expression", "slates"),
    [
        ("s010", "s010-t01 s010-t02"),
        ("s010-t02", "s010-t02"),
        ("s0[12]0", "s010-t01 s010-t02 s020-t01"),
        ("*-t02", "s010-t02"),
        ("s020 s030", "s020-t01 s030-t01"),
        ("tag:night", "s010-t01 s010-t02 s020-t01"),
        ("tag:night,scene:pier,s020", "s020-t01"),
        ("tag:wide s030", "s010-t01 s010-t02 s030-t01"),
        ("scene:s*", "s030-t01"),
        ("provider:minimax", "s040-t01"),
        ("model:MiniMax-*", "s040-t01"),
        ("state:new", "s010-t01 s010-t02 s040-t01"),
        ("state:wait", "s020-t01 s030-t01"),
        ("state:waiting", "s020-t01 s030-t01"),
        ("+s030", "s010-t01 s020-t01 s030-t01"),
        ("+s030,tag:night", "s010-t01 s020-t01"),
        ("+scene:sea", "s010-t01 s020-t01 s030-t01"),
        ("*", "s010-t01 s010-t02 s020-t01 s030-t01 s040-t01"),
        ("  s010   s010 ", "s010-t01 s010-t02"),
    ],
)
def test_an_expression_selects(found: Plan, expression: str, slates: str) -> None:
    assert sorted(select(found.takes, expression)) == slates.split()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("s01", "the selection `s01` matches nothing; the nearest is `s010`"),
        ("s010 s999x", "the selection `s999x` matches nothing"),
        ("tag:nite", "the selection `tag:nite` matches nothing; the nearest is `tag:night`"),
        ("tag:night,tag:nite", "matches nothing; the nearest is `tag:night`"),
        ("tag:night,scene:sea", "the selection `tag:night,scene:sea` matches nothing: no take has all of that"),
        (
            "state:bogus",
            "the selection `state:bogus` matches nothing: there is no such state; there are `new`, `stale`",
        ),
        ("state:x*", "there is no such state"),
        ("state:failed", "the selection `state:failed` matches nothing"),
        ("tags:night", "there is no selection `tags:`; there are `tag:`"),
        ("S010", "matches nothing; the nearest is `s010`"),
        ("", "the selection is empty"),
        ("   ", "the selection is empty"),
        (",", "has an empty part"),
        ("+", "matches nothing"),
        ("'s010", "cannot be read: no closing quotation"),
    ],
)
def test_what_selects_nothing_is_an_error_that_helps(found: Plan, expression: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        select(found.takes, expression)
    assert message in str(raised.value)


def test_every_state_and_action_is_named_where_somebody_asks_for_one_that_is_none(found: Plan) -> None:
    with pytest.raises(UsageError) as raised:
        select(found.takes, "state:bogus")
    words = str(raised.value).partition("there are ")[2].replace("`", "").split(", ")
    assert sorted(words) == sorted({*get_args(State), *get_args(Action)})


@pytest.mark.parametrize(
    ("chosen", "left_out", "slates"),
    [
        (None, None, "s010-t01 s010-t02 s020-t01 s030-t01 s040-t01"),
        (None, "tag:night", "s030-t01 s040-t01"),
        ("scene:pier", "*-t02", "s010-t01 s020-t01"),
    ],
)
def test_exclude_takes_away_from_what_is_selected(
    found: Plan, chosen: str | None, left_out: str | None, slates: str
) -> None:
    assert sorted(selected(found, chosen, left_out)) == slates.split()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--select", "nothing-like-it"),
        ("--exclude", "nothing-like-it"),
        ("--select", "s010", "--exclude", "s010"),
        ("--select", ""),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["plan", "render", "status"])
def test_a_selection_of_nothing_is_exit_2_and_leaves_no_trace(
    shots: Shots, vidspec: Vidspec, project: Path, command: str, arguments: tuple[str, ...]
) -> None:
    shots(LIST)
    ended = vidspec(command, "shots.yaml", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: the selection")
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


def test_render_makes_what_is_selected_and_nothing_else(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two, tags: [x]}\n- {id: c, prompt: three, tags: [x]}")
    assert vidspec("render", "shots.yaml", "--select", "tag:x", "--exclude", "c").returncode == 0
    assert [path.name for path in project.rglob("*.mp4")] == ["b-t01.mp4"]
