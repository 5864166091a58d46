"""A recorded clip against the file at its place: is it there, is it the same, is it what was asked for."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vidspec import media
from vidspec.capability import Capability
from vidspec.delivered import Mismatch, altered, compared
from vidspec.diagnostic import shown
from vidspec.errors import MediaError
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.lock import Output, Record
    from vidspec.store import Store

BLOCK = 2**20
"""Bytes that are read at once."""

State = Literal["ok", "missing", "changed", "unreadable", "mismatch"]

_STATES: dict[str, State] = {
    "missing": "missing",
    "unreadable": "unreadable",
    "outside": "changed",
    "no_file": "changed",
    "sha256": "changed",
    "no_clip": "unreadable",
}
"""The state that a kind of problem makes; what has the word stands first. All other kinds make a mismatch."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_TYPES = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_NAME = re.compile("[0-9a-f]{2}/[0-9a-f]{62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How the clip of one take was found."""

    slate: str
    problems: tuple[Mismatch, ...] = ()

    @property
    def state(self) -> State:
        """One word for all problems: the worst."""
        kinds = {one.kind for one in self.problems}
        found = (state for kind, state in _STATES.items() if kind in kinds)
        return next(found, "mismatch" if kinds else "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Kept bytes that are not those of the digest by whose name they stand; None where they cannot be read."""

    sha256: str
    found: str | None
    message: str


class _NoFile(Exception):
    """What stands at a place is no file with bytes of its own; the text says what it is."""


def inspect(project: Path, slate: str, record: Record) -> Finding:
    """Look at the clip of a record that has one; blocks, and reads the whole file."""
    assert record.output is not None
    problems = (*_of_file(project, record.output), *_of_request(record, record.output))
    return Finding(slate=slate, problems=problems)


def _of_request(record: Record, output: Output) -> Iterator[Mismatch]:
    """What was delivered otherwise than asked, by what is recorded of it."""
    request = record.request or {}
    yield from compared(request, output, _rules(record.provider, record.model, request.get("mode")))


def _rules(provider: str | None, model: str | None, mode: object) -> Capability:
    """What the table says of a model; nothing, where it does not know it (any more)."""
    known = table(provider).models.get(model or "") if provider in PROVIDERS else None
    modes = {str(name): rules for name, rules in known.capabilities.items()} if known else {}
    return modes.get(str(mode), Capability())


def _of_file(project: Path, output: Output) -> Iterator[Mismatch]:
    """What is wrong with the file at the place of an output."""
    seen = _look(project, output.path)
    if isinstance(seen, Mismatch):
        yield seen
        return
    digest, size = seen
    if digest != output.sha256:
        words = f"{_quoted(output.path)} holds other bytes: {_short(digest)}, recorded as {_short(output.sha256)}"
        yield Mismatch(kind="sha256", expected=output.sha256, found=digest, message=words)
    if size != output.bytes:
        words = f"{_quoted(output.path)} is {size} bytes, recorded as {output.bytes}"
        yield Mismatch(kind="bytes", expected=output.bytes, found=size, message=words)
    yield from _of_clip(project / output.path, output)


def _of_clip(path: Path, output: Output) -> Iterator[Mismatch]:
    """What is in a file, against what is recorded."""
    try:
        probe = media.probe(path)
    except (MediaError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        reason = str(error) if isinstance(error, MediaError) else f"`{path}` is not a clip that can be read"
        words = reason.replace(f"`{path}`", _quoted(output.path))
        yield Mismatch(kind="no_clip", expected="a clip", found=None, message=words)
        return
    yield from altered(output, probe)


def _look(project: Path, path: str) -> tuple[str, int] | Mismatch:
    """Digest and bytes of an output, or why there is none to look at. Nothing outside of the project is opened."""
    place = Path(os.path.realpath(project / path))
    if not place.is_relative_to(os.path.realpath(project)):
        words = f"{_quoted(path)} leads out of the project folder, to {_quoted(str(place))}"
        return Mismatch(kind="outside", expected="inside the project folder", found=str(place), message=words)
    try:
        return _digest(place)
    except _NoFile as other:
        return Mismatch(
            kind="no_file", expected="a file", found=str(other), message=f"{_quoted(path)} is {other}, no file"
        )
    except OSError as error:
        if error.errno in _ABSENT:
            return Mismatch(kind="missing", expected="a file", found=None, message=_absence(project / path, path))
        words = f"cannot read {_quoted(path)}: {_reason(error)}"
        return Mismatch(kind="unreadable", expected="a file", found=None, message=words)


def _absence(place: Path, path: str) -> str:
    return f"{_quoted(path)} is a link to nothing" if place.is_symlink() else f"there is no file {_quoted(path)}"


def _digest(place: Path) -> tuple[str, int]:
    """Digest and bytes of a file, read once. Raises _NoFile and OSError."""
    mode = place.stat().st_mode
    if not stat.S_ISREG(mode):
        raise _NoFile(next((name for is_one, name in _TYPES if is_one(mode)), "something else"))
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        seen, size, block = hashlib.sha256(), 0, bytearray(BLOCK)
        view = memoryview(block)
        while count := os.readv(descriptor, [block]):
            seen.update(view[:count])
            size += count
    finally:
        os.close(descriptor)
    return f"sha256:{seen.hexdigest()}", size


def _quoted(path: str) -> str:
    return shown(path, most=300)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _short(digest: str) -> str:
    return f"{digest[:19]}…"


# --- what is kept -------------------------------------------------------------------------------------------


def kept(store: Store) -> list[tuple[str, Path]]:
    """Every digest under which bytes are kept, and where; what else stands in the folder is passed over."""
    objects = store.place(f"sha256:{'0' * 64}").parents[1]
    names = (path.relative_to(objects).as_posix() for path in objects.glob("??/*"))
    return [(f"sha256:{name.replace('/', '')}", objects / name) for name in sorted(names) if _NAME.fullmatch(name)]


def damage(digest: str, path: Path) -> Damage | None:
    """What has become of kept bytes, None where they are what they should be; blocks, and reads all of them."""
    try:
        found, _ = _digest(path)
    except _NoFile as other:
        return Damage(sha256=digest, found=None, message=f"it is {other}, no file")
    except OSError as error:
        return Damage(sha256=digest, found=None, message=f"cannot be read: {_reason(error)}")
    if found == digest:
        return None
    return Damage(sha256=digest, found=found, message=f"it holds other bytes: {_short(found)}")
