"""`vidspec lock …`: work on a lockfile without rendering anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import nearest, shown
from vidspec.errors import UsageError
from vidspec.hold import hold
from vidspec.ledger import Ledger
from vidspec.project import read_lock
from vidspec.shot import MAX_ID, is_id
from vidspec.store import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Lock


def mv(file: Path, old: str, new: str, *, quiet: bool, console: Console) -> int:
    """Give the records of a shot that was renamed in the list its new id: clips and seeds stay.

    Raises:
        UsageError: there is nothing to move, or something rendered stands in the way.
        LockError: the lockfile cannot be read.
        Refusal: another run holds the project.
    """
    path = file.with_suffix(".lock")
    if not path.exists():
        raise UsageError(f"there is no lockfile {path.name} beside the list")
    with hold(state_folder(path.parent)):
        lock = read_lock(path)
        _refuse(lock, old, new)
        moved = lock.renamed(old, new)
        Ledger(moved, path).write()
    if not quiet:
        for slate, record in moved.items():
            if record.shot == new:
                console.line(f"moved  {old}{slate.removeprefix(new)} → {slate}")
    return 0


def _refuse(lock: Lock, old: str, new: str) -> None:
    if not is_id(new):
        help_line = f"letters, digits, `.`, `_` and `-`, a letter or digit first, at most {MAX_ID} characters"
        raise UsageError(f"{shown(new)} cannot be an id: {help_line}")
    if old == new:
        raise UsageError(f"`{old}` has that id already")
    shots = lock.shots()
    if old not in shots:
        near = nearest(old, shots)
        raise UsageError(f"the lockfile has no shot {shown(old)}{f'; the nearest is `{near}`' if near else ''}")
    for slate, record in lock.items():
        if record.shot == new and record.rendered:
            raise UsageError(f"`{slate}` is rendered too, and would be overwritten; nothing was moved")
