from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vidspec.errors import Refusal, UsageError
from vidspec.hold import hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys, pathlib
from vidspec.hold import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the folder until it is killed or its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_folder_is_held_by_one_process_and_the_other_is_told_which(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with (
        pytest.raises(Refusal, match=rf"another run holds this project: process {holder.pid} on \S+$"),
        hold(tmp_path),
    ):
        pytest.fail("held twice")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_a_dead_process_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str], end: signal.Signals) -> None:
    holder.send_signal(end)
    holder.wait()
    with hold(tmp_path):
        assert re.fullmatch(rf"process {os.getpid()} on \S+\n", (tmp_path / "run.lock").read_text())


def test_a_folder_that_was_let_go_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(tmp_path):
            pass
    with pytest.raises(ZeroDivisionError), hold(tmp_path):
        raise ZeroDivisionError
    with hold(tmp_path):
        pass
    assert (tmp_path / "run.lock").read_text() == ""


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(Refusal, match=f"process {os.getpid()} on"), hold(tmp_path):
        pass


def test_a_link_in_the_place_of_the_lock_is_not_emptied(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "run.lock").symlink_to(victim)
    with pytest.raises(UsageError, match="cannot hold the project folder"), hold(tmp_path):
        pass
    assert victim.read_text() == "mine"


FULL = """
import resource, sys, pathlib
from vidspec.errors import UsageError
from vidspec.hold import hold
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with hold(pathlib.Path(sys.argv[1])):
        pass
except UsageError as error:
    print(error)
"""


def test_a_folder_without_room_for_a_word_is_one_line(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("cannot hold the project folder: file too large\n", "")


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot hold the project folder: no such file"), hold(tmp_path / "x"):
        pass


def test_what_a_killed_run_has_left_half_written_goes_when_the_folder_is_held_again(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    for left in (tmp_path / ".history.json.part", tmp_path / "journal/.shots.jsonl.part"):
        left.write_text("{")
    (tmp_path / "history.json").write_text("{}")
    with hold(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["history.json", "run.lock"]


def test_whoever_is_refused_takes_nothing_away(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    (tmp_path / ".history.json.part").write_text("{")
    with pytest.raises(Refusal), hold(tmp_path):
        pass
    assert (tmp_path / ".history.json.part").exists()


def test_a_refused_run_leaves_the_name_of_the_holder(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    for _ in range(2):
        with pytest.raises(Refusal, match=str(holder.pid)), hold(tmp_path):
            pass
