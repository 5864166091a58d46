"""What there is to be seen of a take: its clip, the kept bytes of one that is lost, or a draft that stands in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vidspec.errors import LockError
from vidspec.lock import Lock
from vidspec.project import read_lock
from vidspec.site import Site
from vidspec.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection

    from vidspec.lock import Output, Record

Kind = Literal["clip", "kept", "draft", "foreign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A file to look at.

    `kind` is `clip` for what was rendered, at its place; `kept` for its bytes in the store, where its place has
    lost them; `foreign` for other bytes at its place; `draft` for an animatic, which is `outdated` where it was
    drawn from other settings than the list has now. `digest` is what is recorded of it.
    """

    kind: Kind
    path: Path
    digest: str | None = None
    output: Output | None = None
    outdated: bool = False


class Archive:
    """The clips, kept bytes and drafts of one list. Nothing outside of the project is ever shown.

    `outdated` are the slates of drafts that were drawn from other settings than the list has now.
    """

    def __init__(self, shot_list: Path, outdated: Collection[str] = ()) -> None:
        self._project = shot_list.parent
        self._root = os.path.realpath(self._project)
        self._store = Store(Site.real(shot_list).folder)
        drafts = Site.drafts(shot_list)
        self._drafts = _readable(drafts.lock)
        self._drawn = drafts.outputs
        self._outdated = outdated

    def of(self, slate: str, output: str, record: Record | None) -> Footage | None:
        """What there is of a take whose clip belongs at `output`; a draft only where nothing was rendered."""
        if record is not None and record.output is not None:
            return self.rendered(record.output, output)
        return self._draft(slate)

    def rendered(self, recorded: Output, place: str | None = None) -> Footage | None:
        """A rendered clip: at its place now, where it was recorded, or as it is kept."""
        for name in dict.fromkeys((place or recorded.path, recorded.path)):
            if self._size(path := self._project / name) == recorded.bytes:
                return Footage(kind="clip", path=path, digest=recorded.sha256, output=recorded)
        if self._store.holds(recorded.sha256):
            kept = self._store.place(recorded.sha256)
            return Footage(kind="kept", path=kept, digest=recorded.sha256, output=recorded)
        path = self._project / (place or recorded.path)
        return Footage(kind="foreign", path=path) if self._size(path) else None

    def kept(self, recorded: Output) -> Footage | None:
        """The bytes of a former clip, whose place another has taken."""
        if not self._store.holds(recorded.sha256):
            return None
        return Footage(
            kind="kept", path=self._store.place(recorded.sha256), digest=recorded.sha256, output=recorded
        )

    def _draft(self, slate: str) -> Footage | None:
        path = self._project / self._drawn / f"{slate}.mp4"
        size = self._size(path)
        if not size:
            return None
        record = self._drafts.get(slate)
        output = record.output if record is not None else None
        outdated = slate in self._outdated
        if output is None or output.bytes != size:
            return Footage(kind="draft", path=path, outdated=outdated)
        return Footage(kind="draft", path=path, digest=output.sha256, output=output, outdated=outdated)

    def _size(self, path: Path) -> int | None:
        """The bytes of a file; None for none, and for what a link has outside of the project."""
        try:
            if not path.is_file() or not Path(os.path.realpath(path)).is_relative_to(self._root):
                return None
            return path.stat().st_size
        except (OSError, ValueError):
            return None


def _readable(path: Path) -> Lock:
    """A lockfile of drafts; empty where it cannot be read, since drafts are drawn again for nothing."""
    try:
        return read_lock(path)
    except LockError:
        return Lock()
