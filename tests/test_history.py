from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vidspec.history import History
from vidspec.hold import hold

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.json"


def test_what_one_run_has_seen_the_next_one_knows(path: Path) -> None:
    first = History(path)
    for seconds in (90.0, 100.0, 110.0):
        first.saw("minimax", "MiniMax-Hailuo-02", seconds)
    first.write()
    assert History(path).lengths("minimax", "MiniMax-Hailuo-02") == first.lengths("minimax", "MiniMax-Hailuo-02")
    assert History(path).lengths("minimax", "T2V-01").count == 0


def test_a_run_that_has_seen_nothing_writes_nothing(path: Path) -> None:
    History(path).write()
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"vidspec_history": 9, "seen": {}}', '{"vidspec_history": 1}', "[" * 9000]
    + [
        json.dumps({"vidspec_history": 1, "seen": {"a": fields}})
        for fields in (3, {"count": "many"}, {"count": -1.0}, {"count": float("nan")}, {"sum": 1.0}, None)
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(path: Path, text: str) -> None:
    path.write_text(text)
    assert History(path).lengths("a", "b").count == 0


KILLED = """
import os, pathlib, signal, sys
from vidspec.history import History
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
history = History(pathlib.Path(sys.argv[1]))
history.saw("minimax", "MiniMax-Hailuo-02", 90.0)
history.write()
"""


def test_a_run_that_is_killed_while_it_writes_leaves_what_was_and_the_next_run_tidies_up(path: Path) -> None:
    before = History(path)
    before.saw("minimax", "MiniMax-Hailuo-02", 80.0)
    before.write()
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.with_name(".history.json.part").exists()
    with hold(path.parent):
        assert not path.with_name(".history.json.part").exists()
    assert History(path).lengths("minimax", "MiniMax-Hailuo-02").count == 1


def test_a_history_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history.json")
    history.saw("a", "b", 1.0)
    history.write()
