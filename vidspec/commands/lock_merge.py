"""`vidspec lock merge A B [--base O] -o C`: two lockfiles in one, by takes; also what git calls to do that."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vidspec import locktext
from vidspec.errors import LockError, UsageError
from vidspec.hold import hold
from vidspec.merge import merge
from vidspec.project import read_lock
from vidspec.store import FOLDER, whole

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Lock

STDOUT = "-"


def run(a: Path, b: Path, *, base: Path | None, out: Path, quiet: bool, console: Console) -> int:
    """Merge two lockfiles into `out`, which may be one of them; `-` is the console's own stream. Always 0.

    `base` is the lockfile that both come from; an empty file says that there is none. What had to be decided is
    said on stderr.

    Raises:
        UsageError, LockError: a file is missing or no lockfile, or `out` cannot be written; nothing was written.
        Refusal: a run holds the project whose lockfile would be written.
    """
    if problem := _unfit(out, (a, b, base)):
        raise UsageError(f"cannot write `{out}`: {problem}")
    with _held(out):
        former = None if base is None or _is_empty(base) else _read(base)
        ours, theirs = _read(a), _read(b)
        merged = merge(ours, theirs, former)
        _write(locktext.dump(merged.lock), out, console)
    if not quiet:
        notes = console.beside(sys.stderr)
        for notice in dict.fromkeys((*ours.notices, *theirs.notices)):
            notes.line(f"{notes.paint('warning:', 'yellow')} {notice}")
        for decision in merged.decisions:
            notes.line(f"{notes.paint('merged', 'yellow')}  {decision}")
    return 0


def _unfit(out: Path, given: Collection[Path | None]) -> str | None:
    """Why a merged lockfile cannot go to a place, else None: nothing but a lockfile is written over."""
    if out.is_dir():
        return "is a directory"
    if str(out) == STDOUT or out in given or out.suffix == ".lock" or not out.is_file() or _is_empty(out):
        return None
    try:
        with out.open("rb") as file:
            is_lock = _NAME in file.read(_BEGINNING)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None if is_lock else "it is no lockfile, and would be overwritten"


_NAME = b"vidspec_lock"
_BEGINNING = 2**16
"""Bytes of a file in which a lockfile says that it is one, also between the marks of a conflict."""


def _held(out: Path) -> AbstractContextManager[None]:
    """A run in progress would write its own lockfile over a merged one."""
    folder = out.parent / FOLDER
    return hold(folder) if out.suffix == ".lock" and folder.is_dir() else nullcontext()


def _read(path: Path) -> Lock:
    """A lockfile that must be there: a file, or what another command writes (`<(git show :2:shots.lock)`)."""
    if path.is_fifo():
        try:
            return locktext.parse(path.read_bytes().decode(), str(path))
        except UnicodeDecodeError as error:
            raise LockError(f"`{path}` is not UTF-8 text") from error
    if not path.exists():
        raise UsageError(f"there is no file `{path}`; nothing was written")
    return read_lock(path)


def _is_empty(path: Path) -> bool:
    """Whether a file says nothing: git names such a one where two branches have begun a file each."""
    return path.is_file() and not path.stat().st_size


def _write(text: str, out: Path, console: Console) -> None:
    if str(out) == STDOUT:
        console.stream.flush()
        console.stream.buffer.write(text.encode())
        return
    try:
        if out.exists() and not out.is_file():  # a pipe or a device is written to, not replaced
            out.write_bytes(text.encode())
            return
        with whole(out) as part:
            part.write_bytes(text.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{out}`: {(error.strerror or str(error)).lower()}") from error
