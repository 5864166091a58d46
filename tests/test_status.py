from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest

from vidspec.commands import status
from vidspec.planned import State

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three}
- {id: d, prompt: four}
"""


@pytest.fixture
def mixed(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    """Every state at once: `a` edited, `b` behind it, `c` lost, `d` done, `e` new, `f` removed."""
    shots(f"{LIST}- {{id: f, prompt: six}}")
    assert vidspec("render", "shots.yaml").returncode == 0
    shots(
        f"{LIST.replace('one', 'uno')}- {{id: e, prompt: five}}\n- {{id: g, prompt: 7s, first_frame: {{shot: e}}}}"
    )
    shutil.rmtree(project / "renders/c")
    (project / "renders/d/d-t01.mp4").write_bytes(b"foreign")


def test_every_take_has_one_word_for_how_it_stands(mixed: None, vidspec: Vidspec) -> None:
    ended = vidspec("status", "shots.yaml")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:6]] == [
        ["stale", "a-t01"],
        ["stale", "b-t01"],
        ["missing", "c-t01"],
        ["changed", "d-t01"],
        ["new", "e-t01"],
        ["waiting", "g-t01"],
    ]
    assert lines[6] == "6 takes: 2 stale, 1 missing, 1 changed, 1 new, 1 waiting"
    assert lines[7] == "removed  f-t01  no longer in the list; its clip is kept"
    assert lines[8] == "hint: `vidspec lock prune shots.yaml` takes what was removed out of the lockfile"
    assert "64x36  0.20 s" in lines[2]


def test_the_json_says_the_same(mixed: None, vidspec: Vidspec) -> None:
    ended = vidspec("status", "shots.yaml", "--json")
    value = json.loads(ended.stdout)
    assert value["vidspec_json"] == 1
    assert value["totals"] == {"stale": 2, "missing": 1, "changed": 1, "new": 1, "waiting": 1}
    assert value["removed"] == ["f-t01"]
    takes = {take["slate"]: take for take in value["takes"]}
    assert not any(take["accepted"] for take in takes.values())
    assert takes["c-t01"]["action"] == "restore"
    assert takes["c-t01"]["reasons"] == ["the output is missing"]
    assert takes["c-t01"]["sha256"].startswith("sha256:")
    assert takes["c-t01"]["rendered_at"].endswith("Z")
    assert (takes["e-t01"]["sha256"], takes["e-t01"]["request_id"], takes["e-t01"]["rendered_at"]) == (
        None,
        None,
        None,
    )


def test_the_chosen_take_is_marked_where_a_shot_has_several(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    vidspec("render", "shots.yaml")
    assert "chosen" not in vidspec("status", "shots.yaml").stdout
    assert vidspec("choose", "shots.yaml", "a-t02", "b-t01").returncode == 0
    lines = vidspec("status", "shots.yaml").stdout.splitlines()
    assert [line.split()[1:3] for line in lines[:3]] == [
        ["a-t01", "animatic"],
        ["a-t02", "chosen"],
        ["b-t01", "animatic"],
    ]
    assert "a-t02  chosen" in vidspec("status", "shots.yaml", "--select", "a-t02").stdout


def test_a_selection_by_state_shows_those_takes(mixed: None, vidspec: Vidspec) -> None:
    value = json.loads(vidspec("status", "shots.yaml", "--json", "--select", "state:stale state:new").stdout)
    assert [take["slate"] for take in value["takes"]] == ["a-t01", "b-t01", "e-t01"]


def test_before_the_first_render_everything_is_new_and_nothing_is_written(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("status", "shots.yaml").stdout.splitlines()[-1] == "1 take: 1 new"
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_a_hue(state: str) -> None:
    assert state in status._HUES
