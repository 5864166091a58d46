"""A shared store in a folder: on this machine, or on a drive that several of them have mounted.

Nothing in it is linked to anything outside. A hard link to an output would be overwritten with the output, and one
to another store would make its owner's mistakes everybody's; a clone costs as little where the file system has
clones, and elsewhere bytes are copied. What is kept is made read-only, so that no program writes into it unawares.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from vidspec.diagnostic import shown
from vidspec.errors import UsageError
from vidspec.shared.transfer import BLOCK, Altered, SharedError, appearing, object_name, poured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_CLONE = 0x40049409  # FICLONE of linux/fs.h
_FORGOTTEN = 86_400
"""Seconds after which a temporary file that nobody has written to belongs to a run that was killed."""


class FolderStore:
    """The objects in a folder, `ab/cdef…`, as in a project's own store."""

    def __init__(self, root: Path) -> None:
        """Open the folder at an absolute path. Raises UsageError where there is none."""
        self.name = str(root)
        self._root = root
        with self._told(f"cannot look into the shared store {shown(self.name)}"):
            if not root.is_dir():
                help_line = "make the folder once; a drive that is not mounted looks the same"
                raise UsageError(f"there is no folder {shown(self.name)} to share clips in\n    help: {help_line}")

    def has(self, digest: str) -> bool:
        """Whether the bytes are there. Raises SharedError where nobody can tell."""
        with self._told(f"cannot look into the shared store `{self.name}`"):
            return (self._root / object_name(digest)).is_file()

    def bring(self, digest: str, target: Path) -> bool:
        """Put the bytes at a path, whole; False where they are not there.

        Raises:
            Altered: they are no longer those of the digest.
            SharedError: they cannot be read.
            OSError: the path cannot be written.
        """
        given = self._opened(digest)
        if given is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with given, appearing(target) as file:
            found = _cloned(given, file) or poured(self._blocks(given), file)
            if found != digest:
                raise Altered(
                    f"the bytes of {digest} in the shared store `{self.name}` have been changed\n"
                    f"    help: take `{object_name(digest)}` away there, and push them again from where they are"
                )
        return True

    def keep(self, path: Path, digest: str) -> bool:
        """Keep the bytes of a file; False where they are there already.

        Raises:
            Altered: the file's bytes are not those of the digest; nothing was kept.
            SharedError: the store cannot be written.
            OSError: the file cannot be opened.
        """
        if self.has(digest):
            return False
        place = self._root / object_name(digest)
        with path.open("rb") as given, self._told(f"cannot keep {digest} in the shared store `{self.name}`"):
            place.parent.mkdir(exist_ok=True)
            _sweep(place.parent)
            with appearing(place, read_only=True) as file:
                found = _cloned(given, file) or poured(iter(lambda: given.read(BLOCK), b""), file)
                if found != digest:
                    raise Altered(f"`{path.name}` does not hold the bytes of {digest}")
        return True

    def _opened(self, digest: str) -> BinaryIO | None:
        """The file that holds the bytes; None where there is none, or what stands there is no file."""
        with self._told(f"cannot read {digest} in the shared store `{self.name}`"):
            place = self._root / object_name(digest)
            return place.open("rb") if place.is_file() else None

    def _blocks(self, given: BinaryIO) -> Iterator[bytes]:
        with self._told(f"cannot read the shared store `{self.name}`"):
            while block := given.read(BLOCK):
                yield block

    @contextmanager
    def _told(self, failing: str) -> Iterator[None]:
        """Whatever the system says becomes a SharedError that says what failed, and why."""
        try:
            yield
        except OSError as error:
            raise SharedError(f"{failing}: {(error.strerror or str(error)).lower()}") from error


def _cloned(given: BinaryIO, file: BinaryIO) -> str | None:
    """Clone a file, and return the digest of the clone; None where the file system has no clones."""
    try:
        fcntl.ioctl(file.fileno(), _CLONE, given.fileno())
    except OSError:
        return None
    file.seek(0)
    seen = hashlib.sha256()
    while block := file.read(BLOCK):
        seen.update(block)
    return f"sha256:{seen.hexdigest()}"


def _sweep(folder: Path) -> None:
    """Take away what killed runs have left half written, long ago."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if time.time() - os.lstat(part).st_mtime > _FORGOTTEN:
                part.unlink()
