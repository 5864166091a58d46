"""`vidspec accept`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vidspec.commands import accept
from vidspec.console import Console
from vidspec.errors import Refusal, UsageError
from vidspec.hold import hold
from vidspec.project import read_lock

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = (
    "- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}\n- {id: c, prompt: three, first_frame: {shot: a}}\n"
)


def accepted(*shots: str, undo: bool = False, **options: Any) -> str:
    """What was printed."""
    stream = io.StringIO()
    asked = {"variables": {}, "quiet": False, **options}
    assert accept.run(Path("shots.yaml"), shots, undo=undo, console=Console(stream), **asked) == 0
    return stream.getvalue()


@pytest.fixture
def edited(shots: Shots, vidspec: Vidspec) -> Path:
    """A rendered list in which `a` has been edited since; its folder."""
    shots(LIST)
    assert vidspec("render", "shots.yaml").returncode == 0
    return shots(LIST.replace("one", "uno")).parent


def clips(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("renders/**/*.mp4")}


def test_an_accepted_edit_is_kept_and_stays_visible_in_plan_and_status(edited: Path, vidspec: Vidspec) -> None:
    before = clips(edited)
    assert accepted("a") == (
        "accepted  a-t01  prompt: one → uno\n"
        "accepted  a-t02  prompt: one → uno\n"
        "kept too  c-t01\n"
        "2 edits accepted; not to be paid: free\n"
    )
    assert clips(edited) == before
    plan = vidspec("plan", "shots.yaml").stdout
    assert "  keep  a-t01    accepted: prompt: one → uno; to render it: free\n" in plan
    assert plan.endswith("nothing to do: 4 keep (2 accepted edits)\n")
    status = vidspec("status", "shots.yaml").stdout
    assert "waived  a-t01  animatic" in status
    assert "accepted: prompt: one → uno; to render it: free" in status
    value = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)
    assert [one["accepted"] for one in value["takes"]] == [True, True, False, False]
    assert value["takes"][0]["state"] == "waived"
    assert value["takes"][0]["changes"] == [{"setting": "prompt", "old": "one", "new": "uno", "note": ""}]
    assert value["totals"]["accepted"] == 2


def test_nothing_is_rendered_for_an_accepted_edit_and_the_mark_stays(edited: Path, vidspec: Vidspec) -> None:
    accepted("a")
    lock = (edited / "shots.lock").read_text()
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode").returncode == 0
    assert vidspec("render", "shots.yaml").stdout.startswith("done: 4 takes kept")
    assert (edited / "shots.lock").read_text() == lock


def test_an_accepted_edit_that_is_edited_further_is_stale_and_its_render_drops_the_mark(
    edited: Path, shots: Shots, vidspec: Vidspec
) -> None:
    accepted("a-t01")
    shots(LIST.replace("one", "unus"))
    assert vidspec("render", "shots.yaml").stdout.startswith("done: 3 takes rendered")
    lock = read_lock(edited / "shots.lock")
    assert [record.accepted for _, record in lock.items()] == [None] * 4


def test_a_list_that_goes_back_is_as_it_was_rendered(edited: Path, shots: Shots, vidspec: Vidspec) -> None:
    accepted("a")
    shots(LIST)
    assert vidspec("plan", "shots.yaml").stdout.endswith("nothing to do: 4 keep\n")


def test_undo_takes_the_mark_away(edited: Path, vidspec: Vidspec) -> None:
    lock = (edited / "shots.lock").read_text()
    accepted("a")
    assert accepted("a-t0?", undo=True) == (
        "taken back  a-t01  prompt: one → uno\n"
        "taken back  a-t02  prompt: one → uno\n"
        "stale too  c-t01\n"
        "2 edits no longer accepted; to render: free\n"
    )
    assert (edited / "shots.lock").read_text() == lock
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode").returncode == 1


def test_what_is_accepted_already_is_said_to_be(edited: Path) -> None:
    accepted("a")
    assert accepted("a-t01") == "accepted already  a-t01\n"


def test_of_a_glob_what_can_be_accepted_is_and_the_rest_is_told(
    edited: Path, shots: Shots, capsys: pytest.CaptureFixture[str]
) -> None:
    shots(LIST.replace("one", "uno").replace("three", "tre"))
    assert accepted("c a-t02", quiet=True) == ""
    assert capsys.readouterr().err == (
        "not accepted: c-t01 needs a-t01, which is to be rendered anew: accept or render that first\n"
    )
    assert accepted("*").splitlines()[-1] == "2 edits accepted; not to be paid: free"
    assert capsys.readouterr().err == ""


def test_one_that_was_asked_for_in_vain_beside_another_is_told(
    edited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted("a", "b")
    assert capsys.readouterr().err == "not accepted: b-t01 is as it was rendered\n"
    accepted("a", "b", undo=True)
    assert capsys.readouterr().err == "nothing to take back: b-t01 has no accepted edit\n"


def test_a_clip_that_is_not_here_is_told(edited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(edited / "renders")
    shutil.rmtree(edited / ".vidspec/objects", ignore_errors=True)
    accepted("a-t01", quiet=True)
    assert capsys.readouterr().err == ("no clip here: `a-t01`; a render on this machine makes what is lost anew\n")


def test_many_refusals_are_counted(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x, takes: 25}")
    assert vidspec("render", "shots.yaml", "--select", "a-t01").returncode == 0
    with pytest.raises(UsageError) as refused:
        accepted("a")
    lines = str(refused.value).splitlines()
    assert (len(lines), lines[-1]) == (22, "    and 5 more")


@pytest.mark.parametrize(
    ("asked", "undo", "said"),
    [
        (["b"], False, "nothing to accept: b-t01 is as it was rendered"),
        (["b", "c"], False, "nothing to accept:\n    b-t01 is as it was rendered\n    c-t01 needs a-t01"),
        (["a"], True, "nothing to take back:\n    a-t01 has no accepted edit"),
        (["z"], False, "the selection `z` matches nothing"),
        (["a", "zz"], False, "the selection `zz` matches nothing"),
    ],
    ids=["unchanged", "several", "no mark", "no such shot", "one of two"],
)
def test_where_there_is_nothing_to_do_nothing_is_written(
    edited: Path, asked: list[str], undo: bool, said: str
) -> None:
    lock = (edited / "shots.lock").read_text()
    with pytest.raises(UsageError) as refused:
        accepted(*asked, undo=undo)
    assert said in str(refused.value)
    assert refused.value.exit_code == 2
    assert (edited / "shots.lock").read_text() == lock


def test_before_the_first_render_there_is_nothing_to_accept(shots: Shots, project: Path) -> None:
    shots(LIST)
    with pytest.raises(UsageError, match=r"there is no lockfile shots\.lock beside the list"):
        accepted("a")
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


def test_a_project_that_another_run_holds_is_left_alone(edited: Path) -> None:
    with hold(edited / ".vidspec"), pytest.raises(Refusal, match="another run holds"):
        accepted("a")


def test_an_edit_by_a_variable_of_the_command_line_can_be_accepted(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: 'in {{ weather }}'}", "vars: {weather: rain}\n")
    assert vidspec("render", "shots.yaml").returncode == 0
    assert accepted("a", variables={"weather": "fog"}).startswith("accepted  a-t01  prompt: in rain → in fog\n")
    assert vidspec("plan", "shots.yaml", "--var", "weather=fog", "--detailed-exitcode").returncode == 0


def test_what_is_saved_is_said_in_money(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    """The clip of a provider, recorded as if it had been paid for."""
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots(
        "- {id: a, prompt: one, provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B}", defaults="{size: 1280x720}"
    )
    assert accepted("a").splitlines()[-1] == "1 edit accepted; not to be paid: about 2.00 cny"
    assert "; to render it: ~2.00 cny" in vidspec("plan", path.name).stdout
    assert accepted("a", undo=True).splitlines()[-1] == "1 edit no longer accepted; to render: about 2.00 cny"
