"""Bytes from one store to another: by their digest, whole or not at all, and looked at on the way."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from vidspec.diagnostic import shown
from vidspec.errors import VidspecError
from vidspec.store import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

BLOCK = 2**20
"""Bytes that are read, hashed and written at once."""

_DIGEST = re.compile(r"sha256:([0-9a-f]{2})([0-9a-f]{62})")


class SharedError(VidspecError):
    """A shared store cannot be read or written. The message names the store, and no key, endpoint or link."""

    exit_code = 1


class Altered(SharedError):
    """Bytes that are not those of the digest they go by."""


def is_digest(text: object) -> bool:
    """Whether a value names bytes by their digest."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def object_name(digest: str) -> str:
    """Where the bytes of a digest stand in every store: `ab/cdef…`. Raises SharedError for what is no digest."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise SharedError(f"{shown(digest)} is no digest")
    return f"{match[1]}/{match[2]}"


@contextmanager
def appearing(target: Path, *, read_only: bool = False) -> Iterator[BinaryIO]:
    """A file that stands at `target`, synced, when the block ends well; else nothing is left of it.

    Its temporary name is its own, since other runs and other machines may be writing the same at this moment.
    """
    part = target.with_name(f".{target.name[:48]}.{token_hex(4)}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            if read_only:
                with suppress(OSError):
                    os.fchmod(descriptor, os.fstat(descriptor).st_mode & 0o444)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # some file systems cannot be asked to, and do it anyway
        sync_folder(target.parent)


def poured(blocks: Iterable[bytes], file: BinaryIO) -> str:
    """Write blocks to a file; return the digest of what was written."""
    seen = hashlib.sha256()
    for block in blocks:
        seen.update(block)
        file.write(block)
    return f"sha256:{seen.hexdigest()}"
