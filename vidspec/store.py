"""Clips and frames by digest, in `.vidspec/objects`: whatever was paid for stays here when its place is taken.

A kept clip shares no bytes with its output that a program could write into: it is a clone where the file system
has clones, which costs nothing, else a copy. A hard link would be overwritten with its output.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from vidspec.errors import MediaError
from vidspec.fingerprint import digest as digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ".vidspec"
_README = """This folder belongs to vidspec. It is local to this machine and is not committed.

journal/    what providers have accepted, and what came of it; without it, what is under way would be lost
objects/    clips and frames by their SHA-256 digest; clips that were replaced or lost are brought back from here
exports.json  what exports have written last, so that they may write it anew
posters/    pictures for reports, by the digest of their clips; made anew where they are gone
runs/       what happened in the last runs, for the chart of a report
pruned/     records that `vidspec lock prune` took out of a lockfile
drafts/     animatics drawn by `vidspec render --draft`
rehearsal/  the last rehearsal, whole
unread/     what providers have delivered and nobody here can read

Delete it only when nothing is running and `vidspec status` shows nothing as accepted or in doubt; clips that are
only here are then gone.
"""
_OBJECTS = "objects"
_WHILE = 60.0
"""Seconds after which nobody writes any more what has not been written to."""

_CHUNK = 2**20
_CLONE = 0x40049409  # FICLONE of linux/fs.h
_MAX_STEM = 200
"""Bytes of a name to which a few more can be added on every file system."""


def state_folder(project: Path) -> Path:
    """The folder `.vidspec` of a project, made where it is not there yet, with a note on who owns it."""
    folder = project / FOLDER
    if not (folder / "README").exists():
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        (folder / "README").write_text(_README, encoding="utf-8")
    return folder


def file_digest(path: Path) -> str:
    """The digest of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that becomes `target`, synced, when the block ends well; else it is gone.

    The block writes the file; nobody ever sees a part of it under its own name. What a killed run has left under
    the temporary name goes first: a link that stands there would be written through.
    """
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{_cut(target.name)}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def clear_parts(folder: Path) -> None:
    """Take away what killed runs have left under the temporary names of `whole` in a project's state folder.

    Only for one who holds the project. Kept clips may be written without it, so that what stands among them must
    have been left alone for a while. What cannot be taken away stays: it is in nobody's way.
    """
    parts: list[Path] = []
    with suppress(OSError):
        parts += folder.rglob(".*.part")
    for part in parts:
        with suppress(OSError):
            if part.relative_to(folder).parts[0] != _OBJECTS or time.time() - part.lstat().st_mtime > _WHILE:
                part.unlink()


def _cut(name: str) -> str:
    """A file's name; a long one cut, and told apart from others that begin alike."""
    data = name.encode()
    if len(data) <= _MAX_STEM:
        return name
    return f"{data[: _MAX_STEM - 20].decode(errors='ignore')}-{hashlib.sha256(data).hexdigest()[:16]}"


def sync_folder(folder: Path) -> None:
    """Have what was renamed or removed in a folder outlive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Store:
    """The objects of one project."""

    def __init__(self, folder: Path) -> None:
        self._objects = folder / _OBJECTS
        self._keeping = Lock()  # a clip is looked at in a thread, while others are put in their places

    def place(self, digest: str) -> Path:
        """Where the bytes of a digest stand, or would."""
        name = digest.removeprefix("sha256:")
        return self._objects / name[:2] / name[2:]

    def holds(self, digest: str) -> bool:
        """Whether the bytes are here."""
        return self.place(digest).is_file()

    def keep(self, path: Path, digest: str | None = None) -> str:
        """Keep a file's bytes; return their digest. Kept bytes that have been damaged are made good again."""
        digest = digest or file_digest(path)
        with self._keeping:
            if not self._is_sound(digest):
                with whole(self.place(digest)) as part:
                    _copy(path, part)
        return digest

    def keep_bytes(self, data: bytes) -> str:
        """Keep bytes; return their digest."""
        digest = digest_of(data)
        with self._keeping:
            if not self._is_sound(digest):
                with whole(self.place(digest)) as part:
                    part.write_bytes(data)
        return digest

    def _is_sound(self, digest: str) -> bool:
        """Whether the bytes are here, and are still those of the digest."""
        return self.holds(digest) and file_digest(self.place(digest)) == digest

    def bring_back(self, digest: str, target: Path) -> None:
        """Put kept bytes at `target`, whole.

        Raises:
            MediaError: the kept bytes are no longer those of the digest; they are left where they are.
        """
        with whole(target) as part:
            _copy(self.place(digest), part)
            if file_digest(part) != digest:
                raise MediaError(f"the kept bytes of {digest[:14]}… have been changed")


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as given, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _CLONE, given.fileno())
        except OSError:
            shutil.copyfileobj(given, copy, _CHUNK)
