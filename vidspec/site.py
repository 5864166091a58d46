"""Where a run keeps its things: the real one, the drafts, and the rehearsal, each apart from the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec.diagnostic import shown
from vidspec.errors import UsageError
from vidspec.store import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

DRAFTS = f"{FOLDER}/drafts"
REHEARSAL = f"{FOLDER}/rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The lockfile, the journal, and the folder of kept clips of one kind of run.

    `outputs` is the folder, from the project folder, under which clips go; empty for the project folder itself.
    """

    lock: Path
    journal: Path
    folder: Path
    outputs: str = ""

    @property
    def history(self) -> Path:
        """What was learnt of how long clips take."""
        return self.folder / "history.json"

    @property
    def has_lock(self) -> bool:
        """Whether anything stands at the lockfile's place: a link that leads nowhere too, which cannot be read."""
        return os.path.lexists(self.lock)

    @classmethod
    def real(cls, shot_list: Path) -> Site:
        """Where what is paid for is kept. Raises UsageError for a path that can be no list's: a directory."""
        if shot_list.name in ("", "..") or os.path.isdir(shot_list):  # noqa: PTH112  (no path makes it raise)
            advice = "name the list itself, such as `shots.yaml`"
            raise UsageError(f"{shown(str(shot_list))} is a directory, not a list\n    help: {advice}")
        folder = shot_list.parent / FOLDER
        return cls(lock=shot_list.with_suffix(".lock"), journal=_journal(folder, shot_list), folder=folder)

    @classmethod
    def drafts(cls, shot_list: Path) -> Site:
        """Where drafts are kept; their clips share the folder of kept clips."""
        folder = shot_list.parent / DRAFTS
        lock = folder / shot_list.with_suffix(".lock").name
        return cls(lock=lock, journal=_journal(folder, shot_list), folder=folder.parent, outputs=DRAFTS)

    @classmethod
    def rehearsal(cls, shot_list: Path) -> Site:
        """Where the last rehearsal is kept, whole."""
        folder = shot_list.parent / REHEARSAL
        lock = folder / shot_list.with_suffix(".lock").name
        return cls(lock=lock, journal=_journal(folder, shot_list), folder=folder, outputs=REHEARSAL)


def _journal(folder: Path, shot_list: Path) -> Path:
    return folder / "journal" / f"{shot_list.stem}.jsonl"
