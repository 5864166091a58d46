"""`vidspec diff`: its exit code, its output, and what it leaves alone."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vidspec.commands import diff
from vidspec.console import Console
from vidspec.errors import LockError, ShotListError, UsageError

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = "- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two, tags: [night]}\n"


def differ(*files: str, **options: Any) -> tuple[int, str]:
    """The exit code, and what was printed."""
    stream = io.StringIO()
    asked = {"variables": {}, "chosen": None, "left_out": None, "json": False, "quiet": False, **options}
    code = diff.run([Path(file) for file in files or ("shots.yaml",)], console=Console(stream), **asked)
    return code, stream.getvalue()


@pytest.fixture
def rendered(shots: Shots, vidspec: Vidspec) -> Path:
    """A list, rendered."""
    path = shots(LIST)
    assert vidspec("render", "shots.yaml").returncode == 0
    return path


def test_nothing_differs_after_a_render(rendered: Path) -> None:
    assert differ() == (0, "in step: shots.lock records 3 takes of shots.yaml\n")
    assert differ(quiet=True) == (0, "")


def test_an_edit_is_shown_and_the_exit_code_is_one(rendered: Path, shots: Shots) -> None:
    shots(LIST.replace("one", "uno"))
    code, out = differ()
    assert code == 1
    assert out == (
        "changed  a-t01 a-t02  free to render again\n"
        "  prompt: one → uno\n\n"
        "shots.yaml: 2 takes differ: 2 changed; to render them: free\n"
    )
    assert differ(quiet=True) == (1, "shots.yaml: 2 takes differ: 2 changed; to render them: free\n")


def test_without_a_lockfile_everything_is_new_and_nothing_is_written(shots: Shots, project: Path) -> None:
    shots(LIST)
    code, out = differ()
    assert (code, out.splitlines()[-1]) == (1, "shots.yaml: 3 takes differ: 3 new; to render them: free")
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


def test_a_clone_that_has_no_clips_is_in_step(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots(f"{LIST}- {{id: c, prompt: three, first_frame: {{shot: b}}}}")
    assert vidspec("render", "shots.yaml").returncode == 0
    shutil.rmtree(project / "renders")
    shutil.rmtree(project / ".vidspec", ignore_errors=True)
    code, out = differ()
    assert (code, out.splitlines()[-1]) == (0, "in step: shots.lock records 4 takes of shots.yaml")
    assert [line.split()[:2] for line in out.splitlines()[:4]] == [
        ["missing", "a-t01"],
        ["missing", "a-t02"],
        ["missing", "b-t01"],
        ["stale", "c-t01"],
    ]


def test_a_removed_shot_is_a_difference_but_not_of_the_others(rendered: Path, shots: Shots) -> None:
    shots(LIST.replace("id: b", "id: c"))
    assert "removed  b-t01" in differ()[1]
    assert "removed" not in differ(chosen="a")[1]
    assert differ(chosen="a")[0] == 0
    assert differ(left_out="c")[0] == 0


def test_a_selection_is_all_that_counts(rendered: Path, shots: Shots) -> None:
    shots(LIST.replace("one", "uno"))
    assert differ(chosen="tag:night")[0] == 0
    assert differ(chosen="state:stale")[0] == 1
    with pytest.raises(UsageError, match="matches nothing"):
        differ(chosen="c")


def test_variables_of_the_command_line_count(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: 'in {{ weather }}'}", "vars: {weather: rain}\n")
    assert vidspec("render", "shots.yaml").returncode == 0
    assert differ()[0] == 0
    assert differ(variables={"weather": "fog"})[0] == 1


def test_the_json_is_that_of_one_list_or_of_several(rendered: Path, shots: Shots) -> None:
    shots(LIST.replace("two", "due"))
    shots("- {id: x, prompt: x}", name="other.yaml")
    code, out = differ(json=True)
    value = json.loads(out)
    assert (code, value["vidspec_json"], value["file"], value["lock"]) == (1, 1, "shots.yaml", "shots.lock")
    assert [(one["slate"], one["state"], one["accepted"]) for one in value["takes"]] == [("b-t01", "stale", False)]
    assert value["takes"][0]["changes"] == [{"setting": "prompt", "old": "two", "new": "due", "note": ""}]
    code, out = differ("shots.yaml", "other.yaml", json=True)
    assert [one["file"] for one in json.loads(out)["lists"]] == ["shots.yaml", "other.yaml"]


def test_one_of_several_lists_that_differs_is_enough(rendered: Path, shots: Shots) -> None:
    shots("- {id: x, prompt: x}", name="other.yaml")
    code, out = differ("shots.yaml", "other.yaml", quiet=True)
    assert (code, out) == (1, "other.yaml: 1 take differs: 1 new; to render it: free\n")


def test_no_account_has_to_be_in_order(shots: Shots) -> None:
    shots("- {id: a, prompt: x, provider: leapx, model: sora-2}", defaults="{}")
    assert differ()[0] == 1


def test_a_list_or_a_lockfile_that_cannot_be_read_is_an_error(rendered: Path, shots: Shots, project: Path) -> None:
    (project / "shots.lock").write_text("<<<<<<< ours\n")
    with pytest.raises(LockError, match="merge conflict"):
        differ()
    shots("- {id: a, promt: x}")
    with pytest.raises(ShotListError):
        differ()


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("10", 40), ("500", 116)])
def test_lines_are_as_wide_as_the_terminal_within_reason(
    rendered: Path, shots: Shots, monkeypatch: pytest.MonkeyPatch, columns: str, widest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shots(LIST.replace("one", "one and so on " * 40))
    lines = [line for line in differ()[1].splitlines() if line.startswith("      ")]
    assert widest - 6 < max(map(len, lines)) <= widest
