"""A shot list opened for a command: read, resolved, and planned against its lockfile and its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from vidspec import journal, lockform, locktext, shotlist
from vidspec.diagnostic import in_order
from vidspec.errors import LockError, ShotListError, UsageError
from vidspec.folder import ProjectFolder
from vidspec.outputs import Outputs
from vidspec.planned import Afloat, Plan
from vidspec.planning import plan
from vidspec.resolve import Resolution, World, resolve
from vidspec.selection import select
from vidspec.site import Site
from vidspec.store import Store, file_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from vidspec.diagnostic import Diagnostic
    from vidspec.lock import Lock, Record
    from vidspec.shotlist import ShotList
    from vidspec.state import Flight
    from vidspec.take import Take


class ProjectDisk:
    """What a plan asks of the disk, answered by the project folder and a folder of kept clips.

    The bytes of the outputs in `doubted` are looked at, with `thorough` those of all; of others the size will do.
    """

    def __init__(self, project: Path, kept: Path, *, doubted: Collection[str] = (), thorough: bool = False) -> None:
        self._project = str(project)
        self._store = Store(kept)
        self._doubted = doubted
        self._thorough = thorough

    def size(self, output: str) -> int | None:
        """The size of the file at an output's place; None where there is none, or something else stands there."""
        try:
            found = os.stat(f"{self._project}/{output}")  # noqa: PTH116  (ten thousand times in a plan)
        except (OSError, ValueError):
            return None
        return found.st_size if S_ISREG(found.st_mode) else None

    def is_altered(self, output: str, digest: str) -> bool:
        """Whether the file at an output's place is known not to have these bytes."""
        if not self._thorough and output not in self._doubted:
            return False
        try:
            return file_digest(Path(self._project, output)) != digest
        except OSError:
            return True

    def holds(self, digest: str) -> bool:
        """Whether the bytes of this digest are kept in the store."""
        return self._store.holds(digest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """A list without errors; a `frozen` one is what its lockfile says of it."""

    shot_list: ShotList
    resolution: Resolution
    frozen: bool = False

    @property
    def takes(self) -> list[Take]:
        """All takes of the list, in its order."""
        return self.resolution.takes

    @property
    def lock_path(self) -> Path:
        """The lockfile of the list."""
        return self.site.lock

    @property
    def site(self) -> Site:
        """Where a render keeps its things."""
        return Site.real(self.shot_list.path)

    def read(self) -> tuple[Lock, dict[str, Flight]]:
        """The lockfile, with what the journal knows better, and the takes that are under way.

        Raises:
            LockError, JournalError: one of them cannot be read.
        """
        lock, flights = read_lock(self.lock_path), journal.read(self.site.journal)
        journal.settle(lock, flights)
        return lock, flights

    def plan(self, lock: Lock | None = None, afloat: Afloat | None = None) -> Plan:
        """What a render would do, by a lock and what is afloat; without them, by what is on disk now.

        Raises:
            LockError, JournalError: what is on disk cannot be read.
        """
        if lock is None:
            lock, flights = self.read()
            afloat = Afloat(flights=flights)
        afloat = afloat or Afloat()
        disk = ProjectDisk(self.shot_list.project, self.site.folder, doubted=afloat.landing)
        return plan(self.takes, lock, disk, self.skipped, afloat)

    @property
    def skipped(self) -> frozenset[str]:
        """The ids of the shots that are left out for now."""
        return frozenset(shot.id for shot in self.resolution.shots.values() if shot.skipped)


def read_lock(path: Path) -> Lock:
    """A lockfile from disk, empty where there is none.

    Raises:
        LockError: it cannot be read, or is not a lockfile of this version.
    """
    return locktext.read(path)


class Chosen(Mapping[str, int]):
    """The chosen take of each shot, by a lockfile that is looked into when a list first asks for one.

    Where it cannot be read, nothing is chosen: whoever needs the lockfile itself says what is wrong with it.
    """

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def __getitem__(self, shot: str) -> int:
        return self._takes[shot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._takes)

    def __len__(self) -> int:
        return len(self._takes)

    @cached_property
    def _takes(self) -> dict[str, int]:
        try:
            data = self._lock.read_bytes() if self._lock.is_file() else b""
            marks = [(shot.decode(), int(take)) for shot, take in _MARK.findall(data)]
            if len(marks) != data.count(b"chosen"):  # a word in a prompt, or another form
                marks = [(record.shot, record.take) for record in chosen_records(read_lock(self._lock)).values()]
        except (OSError, ValueError, LockError):
            return {}
        return dict(reversed(marks))


_MARK = re.compile(rb'\n    shot: "([^"\\\n]+)"\n    take: ([0-9]{1,9})\n    chosen: true\n')


def chosen_records(lock: Lock) -> dict[str, Record]:
    """The records of the takes that are chosen, by slate. Raises LockError for one that cannot be read."""
    slates = [slate for slate in lock if "    chosen: true\n" in lock.text(slate, lockform.lines)]
    return {slate: record for slate in slates if (record := lock.get(slate)) is not None and record.chosen}


def diagnose(
    files: Sequence[Path], variables: Mapping[str, Any], chosen: Mapping[str, int] | None = None
) -> tuple[list[Diagnostic], list[Opened]]:
    """Everything wrong or doubtful in several lists, sorted, and the lists that could be resolved.

    A list that is named twice is looked at once. `chosen` are takes by shot, where it is not for the lockfiles to
    say.

    Raises:
        UsageError: a variable of the command line that nothing names.
    """
    found: list[Diagnostic] = []
    opened: list[Opened] = []
    outputs = Outputs()
    files = _each_once(files)
    for file in files:
        try:
            shot_list = shotlist.load(file, str(file))
        except ShotListError as error:
            found += error.diagnostics
            continue
        world = World(
            folder=ProjectFolder(shot_list.project),
            today=datetime.now(UTC).date(),
            environment=os.environ,
            variables=variables,
            chosen=Chosen(Site.real(file).lock) if chosen is None else chosen,
        )
        resolution = resolve(shot_list, world, outputs)
        found += resolution.diagnostics
        opened.append(Opened(shot_list=shot_list, resolution=resolution))
    _refuse_unused(variables, opened, len(files))
    return in_order(found), opened


def _each_once(files: Sequence[Path]) -> Sequence[Path]:
    """The files without those that were named before. A link is a list of its own: its lockfile is another."""
    if len(files) < 2:
        return files
    places: dict[Path, Path] = {}
    for file in files:
        places.setdefault(file.absolute(), file)
    return list(places.values())


def _refuse_unused(variables: Mapping[str, Any], opened: Sequence[Opened], files: int) -> None:
    """A variable that no list names was mistyped; where a list could not be read, nobody can tell."""
    if len(opened) < files:
        return
    for name in variables:
        if all(name in one.resolution.unused for one in opened):
            raise UsageError(f"`--var {name}=…` is used by nothing: no template or `vars` names `{name}`")


_ACCOUNTS = "E412"


def open_lists(
    files: Sequence[Path],
    variables: Mapping[str, Any],
    *,
    offline: bool = False,
    chosen: Mapping[str, int] | None = None,
) -> tuple[list[Opened], list[Diagnostic]]:
    """Lists that are fit to be planned, and their warnings; `offline` nobody needs an account to be in order.

    `chosen` are takes by shot, where it is not for the lockfiles to say.

    Raises:
        ShotListError: with all diagnostics, where one of them is an error.
        UsageError: a variable of the command line that nothing names.
    """
    found, opened = diagnose(files, variables, chosen)
    if offline:
        found = [one for one in found if one.code != _ACCOUNTS]
    if any(one.severity == "error" for one in found):
        raise ShotListError(found)
    return opened, found


def selected(found: Plan, chosen: str | None, left_out: str | None) -> set[str]:
    """The slates that `--select` and `--exclude` leave. Raises UsageError for what matches nothing."""
    slates = {planned.slate for planned in found.takes} if chosen is None else select(found.takes, chosen)
    if left_out is not None:
        slates -= select(found.takes, left_out)
        if not slates:
            raise UsageError("the selection leaves nothing")
    return slates
