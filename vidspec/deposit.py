"""What a lockfile names by digest, looked for in its project, and kept in a shared store."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vidspec.lock import leads_out
from vidspec.shared import Altered, is_digest
from vidspec.store import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vidspec.lock import Record
    from vidspec.shared import Shared
    from vidspec.store import Store

What = Literal["clip", "former clip", "picture"]
State = Literal["pushed", "to_push", "there", "missing", "changed", "unreadable"]


LOST = ("changed", "unreadable", "missing")
"""States of bytes that are not where other machines find them; what is said of several places comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Bytes that a record names, and where in the project they may stand beside the project's own store."""

    slate: str
    what: What
    sha256: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What has become of wanted bytes. `size` in bytes, where they were found in the project."""

    wanted: Wanted
    state: State
    size: int | None = None

    @property
    def is_lost(self) -> bool:
        """Whether a clip is neither in the shared store nor could be put there."""
        return self.state in LOST and self.wanted.what != "picture"


def wanted(records: Iterable[tuple[str, Record]], pictures: Mapping[str, str], *, superseded: bool) -> list[Wanted]:
    """Everything that records name by digest, each once: clips, then the pictures, frames and sounds they need.

    `pictures` are paths in the project by digest, as far as the list knows them; a record may know more. With
    `superseded` the former records count too.
    """
    found: dict[str, Wanted] = {}
    for slate, record in records:
        formers = record.superseded if superseded else ()
        for one in (record, *formers):
            for each in _of_record(slate, one, pictures, is_former=one is not record):
                found.setdefault(each.sha256, each)
    return sorted(found.values(), key=lambda one: one.what == "picture")


def _of_record(slate: str, record: Record, pictures: Mapping[str, str], *, is_former: bool) -> Iterator[Wanted]:
    if record.output is not None:
        what: What = "former clip" if is_former else "clip"
        yield Wanted(slate=slate, what=what, sha256=record.output.sha256, places=(record.output.path,))
    for key, digest in _named(record):
        if is_digest(digest):
            places = ((record.pictures or {}).get(key), pictures.get(digest))
            yield Wanted(slate=slate, what="picture", sha256=digest, places=tuple(filter(None, places)))


def _named(record: Record) -> Iterator[tuple[str, Any]]:
    """What a request holds where pictures, frames and sounds stand, by the keys that `pictures` has for them."""
    request = record.request or {}
    yield from ((setting, request.get(setting)) for setting in ("first_frame", "last_frame", "audio"))
    references = request.get("references")
    if isinstance(references, list | tuple):
        yield from ((f"references.{index}", value) for index, value in enumerate(references))


class Depositor:
    """Puts bytes of one project into a shared store. May be asked from several threads at once."""

    def __init__(self, project: Path, store: Store, shared: Shared, *, dry_run: bool) -> None:
        self._project = project
        self._store = store
        self._shared = shared
        self._dry_run = dry_run

    def deposit(self, wanted: Wanted) -> Deposit:
        """Put one thing there, unless it is there; blocks.

        Raises:
            SharedError: the shared store cannot be read or written.
            OSError: a file of the project cannot be read.
        """
        if self._shared.has(wanted.sha256):
            return Deposit(wanted=wanted, state="there")
        states = []
        for place in self._places(wanted):
            state = self._put(place, wanted.sha256)
            if state not in LOST:
                return Deposit(wanted=wanted, state=state, size=place.stat().st_size)
            states.append(state)
        return Deposit(wanted=wanted, state=next(state for state in LOST if state in states))

    def _places(self, wanted: Wanted) -> Iterator[Path]:
        """Where the bytes may be: kept, or at their places, as far as those are inside the project."""
        yield self._store.place(wanted.sha256)
        root = os.path.realpath(self._project)
        for path in wanted.places:
            if leads_out(path):
                continue
            place = self._project / path
            if os.path.realpath(place).startswith(f"{root}/"):
                yield place

    def _put(self, place: Path, digest: str) -> State:
        """Have the bytes of a file in the shared store, or with a dry run see whether that could be."""
        try:
            if not place.is_file():
                return "missing"
            if self._dry_run:
                return "to_push" if file_digest(place) == digest else "changed"
            self._shared.keep(place, digest)
        except Altered:
            return "changed"
        except OSError:
            return "unreadable"
        return "pushed"
