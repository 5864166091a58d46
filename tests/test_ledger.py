from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import locktext
from vidspec.errors import RenderError
from vidspec.ledger import SETTLE_EVERY, Ledger
from vidspec.lock import Lock, Record

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Shows the time that it is set to."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Ledger:
    return Ledger(Lock({"a-t01": Record(shot="a", take=1)}), tmp_path / "shots.lock", clock)


def takes(path: Path) -> list[str]:
    return list(locktext.parse(path.read_text(), path.name))


def settle(ledger: Ledger, shot: str) -> None:
    ledger.settle(f"{shot}-t01", Record(shot=shot, take=1))


def test_settling_writes_at_once_and_then_when_time_has_passed(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "shots.lock"
    settle(ledger, "b")
    assert takes(path) == ["a-t01", "b-t01"]
    clock.time += SETTLE_EVERY - 0.01
    settle(ledger, "c")
    assert takes(path) == ["a-t01", "b-t01"]
    clock.time += 0.01
    settle(ledger, "d")
    assert takes(path) == ["a-t01", "b-t01", "c-t01", "d-t01"]


def test_writing_writes_what_has_not_been_written(ledger: Ledger, tmp_path: Path) -> None:
    settle(ledger, "b")
    settle(ledger, "c")
    ledger.write()
    assert takes(tmp_path / "shots.lock") == ["a-t01", "b-t01", "c-t01"]


def test_a_file_that_says_so_already_is_left_alone(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "shots.lock"
    path.write_text(locktext.dump(ledger.lock))
    before = path.stat()
    ledger.write()
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_lockfile_that_was_deleted_meanwhile_is_written_again(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    ledger.write()
    (tmp_path / "shots.lock").unlink()
    clock.time += SETTLE_EVERY
    settle(ledger, "b")
    assert takes(tmp_path / "shots.lock") == ["a-t01", "b-t01"]


def test_a_full_disk_is_an_error_and_leaves_the_old_file_whole(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    path = tmp_path / "shots.lock"
    ledger.write()
    before = path.read_text()

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    clock.time += SETTLE_EVERY
    with pytest.raises(RenderError, match=r"^cannot write the lockfile shots\.lock: no space left on device$"):
        settle(ledger, "b")
    assert path.read_text() == before
    assert [one.name for one in tmp_path.iterdir()] == ["shots.lock"]
    monkeypatch.undo()
    ledger.write()
    assert takes(path) == ["a-t01", "b-t01"]
