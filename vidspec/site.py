"""Where a run keeps its things: the real one, the drafts, and the rehearsal, each apart from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    @classmethod
    def real(cls, shot_list: Path) -> Site:
        """Where what is paid for is kept."""
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
