from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.difference import Change
from vidspec.lock import Cost, Output, Record
from vidspec.project import open_lists
from vidspec.report.advice import Speech, commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.planned import Planned

    Shots = Callable[..., Path]

SPEECH = Speech(file="shots.yaml", variables={})
CLIP = Output(path="a.mp4", sha256=f"sha256:{'0' * 64}", bytes=5)
RENDERED = Record(shot="a", take=1, provider="animatic", model="animatic", fingerprint="x", request={}, output=CLIP)
EDIT = (Change("prompt", "x", "y"),)
USD = Cost(amount=0.4, currency="usd")


@pytest.fixture
def drawn(shots: Shots) -> Planned:
    (opened,), _ = open_lists([shots("- {id: a, prompt: x}")], {})
    return opened.plan().work[0]


def said(planned: Planned, record: Record | None = None, speech: Speech = SPEECH) -> list[tuple[str, str]]:
    return [(one.kind, one.text.removeprefix("vidspec ")) for one in commands(planned, record, speech)]


@pytest.mark.parametrize(
    ("changes", "record", "expected"),
    [
        (
            {"action": "keep", "state": "done"},
            RENDERED,
            [
                ("choose", "choose shots.yaml a-t01"),
                ("resubmit", "render shots.yaml --resubmit a-t01 --select a-t01"),
            ],
        ),
        (
            {"action": "keep", "state": "done"},
            replace(RENDERED, chosen=True),
            [
                ("unchoose", "choose shots.yaml a-t01 --clear"),
                ("resubmit", "render shots.yaml --resubmit a-t01 --select a-t01"),
            ],
        ),
        ({"action": "render", "state": "new"}, None, [("render", "render shots.yaml --select a-t01")]),
        ({"action": "wait", "state": "waiting"}, None, [("render", "render shots.yaml --select +a-t01")]),
        ({"action": "blocked", "state": "blocked"}, None, [("render", "render shots.yaml --select +a-t01")]),
        (
            {"action": "failed", "state": "failed"},
            None,
            [("retry", "render shots.yaml --retry-failed --select a-t01")],
        ),
        (
            {"action": "decide", "state": "in_doubt"},
            None,
            [
                ("adopt", "adopt shots.yaml a-t01 REQUEST_ID"),
                ("resubmit", "render shots.yaml --resubmit a-t01 --select a-t01"),
            ],
        ),
        (
            {"action": "restore", "state": "missing"},
            RENDERED,
            [("render", "render shots.yaml --select a-t01"), ("choose", "choose shots.yaml a-t01")],
        ),
        (
            {"action": "render", "state": "stale", "changes": EDIT},
            RENDERED,
            [
                ("render", "render shots.yaml --select a-t01"),
                ("accept", "accept shots.yaml a-t01"),
                ("choose", "choose shots.yaml a-t01"),
            ],
        ),
        (
            {"action": "collect", "state": "accepted", "changes": EDIT},
            RENDERED,
            [("render", "render shots.yaml --select a-t01"), ("choose", "choose shots.yaml a-t01")],
        ),
    ],
    ids=[
        "done",
        "chosen",
        "new",
        "waiting",
        "blocked",
        "failed",
        "in doubt",
        "missing",
        "edited",
        "edited under way",
    ],
)
def test_what_can_be_done_about_a_take(
    drawn: Planned, changes: dict[str, Any], record: Record | None, expected: list[tuple[str, str]]
) -> None:
    assert said(replace(drawn, **changes), record) == expected


def test_an_edit_that_was_accepted_can_be_taken_back(drawn: Planned) -> None:
    waived = replace(drawn, action="keep", state="waived", changes=EDIT, edited=drawn.take)
    assert ("undo", "accept shots.yaml a-t01 --undo") in said(waived, RENDERED)


def test_a_take_behind_an_edited_one_is_rendered_with_dependants_and_was_never_accepted(drawn: Planned) -> None:
    behind = (Change("first_frame", None, None, "b-t01 was rendered anew", behind=True),)
    left = replace(drawn, action="keep", state="stale", changes=behind, edited=drawn.take)
    found = said(left, RENDERED)
    assert ("render", "render shots.yaml --with-dependants --select a-t01") in found
    assert not [kind for kind, _ in found if kind == "undo"]


def test_a_command_says_what_it_costs_or_risks(drawn: Planned) -> None:
    def notes(**changes: Any) -> list[str]:
        return [one.note for one in commands(replace(drawn, **changes), None, SPEECH)]

    assert notes(cost=USD) == ["0.40 usd"]
    assert notes(cost=None) == ["unknown"]
    assert notes(action="collect", state="accepted", cost=None) == ["free"]
    assert notes(action="decide", state="in_doubt", cost=None)[1].startswith("may pay twice: ")
    assert notes(action="keep", state="done", cost=None) == ["pays again: free"]


@pytest.mark.parametrize("file", ["a film.yaml", "it's.yaml", "$(rm -rf).yaml", "夜.yaml", "-x.yaml", "a\nb.yaml"])
def test_a_shell_reads_the_file_and_the_variables_as_they_are(drawn: Planned, file: str) -> None:
    speech = Speech(file=file, variables={"weather": "rain & 'fog' `x`", "n": "2"})
    (one,) = commands(drawn, None, speech)
    name, *words = shlex.split(one.text)[2:]
    assert name.removeprefix("./") == file
    assert not name.startswith("-")
    assert words == ["--select", "a-t01", "--var", "weather=rain & 'fog' `x`", "--var", "n=2"]


def test_what_does_not_read_the_list_gets_no_variables(drawn: Planned) -> None:
    speech = Speech(file="shots.yaml", variables={"weather": "rain"})
    found = said(replace(drawn, action="keep", state="done"), RENDERED, speech)
    assert found[0] == ("choose", "choose shots.yaml a-t01")
