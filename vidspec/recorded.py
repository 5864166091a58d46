"""A lockfile opened for a command that needs no list: what was rendered stands in it.

The list is looked at only for what the lockfile does not know of a take: its tags, its scene, the places of its
pictures. It need not be there, nor in order.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vidspec import journal
from vidspec.errors import ShotListError, UsageError
from vidspec.planned import Afloat, Plan, Planned
from vidspec.project import ProjectDisk, open_lists, read_lock, selected
from vidspec.site import Site
from vidspec.take import Frame, Input, Take

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vidspec.lock import Record
    from vidspec.planned import State
    from vidspec.project import Opened

_OF_THE_LIST = re.compile(r"(?:^|[\s,'\"])\+?(tag|scene):")


class Recorded:
    """A lockfile, with what the journal knows better, and its list where that can be read."""

    def __init__(self, file: Path, variables: Mapping[str, Any]) -> None:
        """Open the lockfile of a list, or the one that `file` itself is.

        Raises:
            UsageError: there is no lockfile.
            ShotListError: the list is wrong, where `variables` are given for it.
            LockError, JournalError: the lockfile or the journal cannot be read.
        """
        self.site = Site.real(file)
        self.list_path = _list_of(file)
        self._variables = variables
        if not self.site.has_lock:
            raise UsageError(f"there is no lockfile `{self.site.lock.name}`: nothing has been rendered yet")
        self.lock, self._flights = read_lock(self.site.lock), journal.read(self.site.journal)
        journal.settle(self.lock, self._flights)
        if variables:
            open_lists([self.list_path], variables, offline=True)

    @property
    def project(self) -> Path:
        """The project folder: where the lockfile stands."""
        return self.site.lock.parent

    @cached_property
    def opened(self) -> Opened | None:
        """The list, where it can be read."""
        try:
            (opened,), _ = open_lists([self.list_path], self._variables, offline=True)
        except ShotListError:
            return None
        return opened

    def records(self, chosen: str | None, left_out: str | None) -> list[tuple[str, Record]]:
        """The records that `--select` and `--exclude` leave, in the order of the lockfile.

        Raises:
            UsageError: what matches nothing, or asks for what only a list knows where there is none.
            LockError: a record cannot be read.
        """
        if chosen is None and left_out is None:
            return list(self.lock.items())
        if self.opened is None and (found := _OF_THE_LIST.search(f"{chosen or ''} {left_out or ''}")):
            help_line = f"`vidspec validate {self.list_path}` says why it cannot be read"
            raise UsageError(f"`{found[1]}:` stands in the list alone, not in the lockfile\n    help: {help_line}")
        slates = selected(Plan(takes=tuple(self._planned())), chosen, left_out)
        return [(slate, record) for slate, record in self.lock.items() if slate in slates]

    def _planned(self) -> Iterator[Planned]:
        """Every record as a selection sees it: as its list has it, else as the lockfile does."""
        afloat = Afloat(flights=self._flights)
        listed = {one.slate: one for one in self.opened.plan(self.lock, afloat).takes} if self.opened else {}
        disk = ProjectDisk(self.project, self.site.folder)
        for slate, record in self.lock.items():
            state = _state(record, disk)
            unlisted = Planned(take=_take(slate, record), action="keep", state=state, reasons=(), cost=None)
            yield listed.get(slate, unlisted)


def _list_of(file: Path) -> Path:
    """The list that a lockfile belongs to; any other file is one itself."""
    if file.suffix != ".lock":
        return file
    others = (file.with_suffix(suffix) for suffix in (".yaml", ".yml", ""))
    return next((one for one in others if one.exists()), file.with_suffix(".yaml"))


def _state(record: Record, disk: ProjectDisk) -> State:
    """How a take stands by its record and a glance at the disk."""
    if record.output is None:
        return "new"
    size = disk.size(record.output.path)
    return "missing" if size is None else "done" if size == record.output.bytes else "changed"


def _take(slate: str, record: Record) -> Take:
    """A take as its record has it, which is enough to select it."""
    request = dict(record.request or {})
    return Take(
        slate=slate,
        shot=record.shot,
        number=record.take,
        scene=None,
        tags=(),
        provider=record.provider or "",
        model=record.model or "",
        mode=request.get("mode", "text_to_video"),
        request=request,
        defaulted=frozenset(record.defaulted),
        seed=record.seed,
        seed_rule="none",
        inputs=tuple(_frames(record)),
        output=record.output.path if record.output else "",
        variables={},
    )


def _frames(record: Record) -> Iterator[Input]:
    """The frames of other takes that a take was made from."""
    for key, source in (record.frames or {}).items():
        if isinstance(source, dict) and isinstance(source.get("slate"), str):
            yield Input(setting=key.partition(".")[0], frame=Frame(slate=source["slate"], at=source.get("at")))
