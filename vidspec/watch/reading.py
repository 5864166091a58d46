"""A list while it is being written: read again after every save, with what is wrong, and where that belongs.

What has not changed on disk is not looked at again: a list may name hundreds of pictures, and is saved often.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vidspec import document, shotlist
from vidspec.diagnostic import in_order
from vidspec.errors import ShotListError
from vidspec.folder import ProjectFolder
from vidspec.project import Chosen, Opened
from vidspec.resolve import World, resolve
from vidspec.site import Site
from vidspec.stills import Fault
from vidspec.watch.lookout import look
from vidspec.watch.placing import Entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vidspec.diagnostic import Diagnostic
    from vidspec.picture import Picture
    from vidspec.stills import SoundFile
    from vidspec.watch.lookout import Mark

__all__ = ["Found", "Reader", "Reading"]

_T = TypeVar("_T")

_ACCOUNTS, _UNREADABLE, _OUTSIDE = "E412", "E101", "E502"
"""An account that is not in order, which drawing does not need; a file that is not there; one that is elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A diagnostic, and the shot that it belongs to as the list writes its id; None for the list as a whole."""

    diagnostic: Diagnostic
    shot: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A list as it was read: open where there is no error in it.

    `files` are those that it is made of, `gone` says that the list itself is not there, `unused` names variables of
    the command line that nothing in the list names.
    """

    found: tuple[Found, ...]
    files: frozenset[Path]
    opened: Opened | None = None
    gone: bool = False
    unused: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(one.diagnostic.severity == "error" for one in self.found)


class Reader:
    """Reads one list, as often as it is asked."""

    def __init__(self, file: Path, variables: Mapping[str, Any]) -> None:
        self._file = file
        self._variables = variables
        self._folder = KeptFolder(file.parent)
        self._files = frozenset({file})

    def read(self) -> Reading:
        """The list as it stands now. Never raises for what is in it."""
        try:
            shot_list = shotlist.load(self._file, str(self._file))
        except ShotListError as error:
            self._files |= _included(self._file)
            gone = any(one.code == _UNREADABLE for one in error.diagnostics) and not self._file.is_file()
            return Reading(found=self._placed(list(error.diagnostics)), files=self._files, gone=gone)
        self._folder.begin()
        world = World(
            folder=self._folder,
            today=datetime.now(UTC).date(),
            environment=os.environ,
            variables=self._variables,
            chosen=Chosen(Site.real(self._file).lock),
        )
        resolution = resolve(shot_list, world)
        sources = {Path(source.document.name) for source in shot_list.sources}
        self._files = frozenset({self._file, *sources, *self._folder.asked})
        found = [one for one in in_order(resolution.diagnostics) if one.code != _ACCOUNTS]
        wrong = any(one.severity == "error" for one in found)
        return Reading(
            found=self._placed(found),
            files=self._files,
            opened=None if wrong else Opened(shot_list=shot_list, resolution=resolution),
            unused=resolution.unused,
        )

    def _placed(self, found: list[Diagnostic]) -> tuple[Found, ...]:
        """The diagnostics, each with its shot; that of a fault in the text itself is found in the text."""
        name = str(self._file)
        entries = Entries(_text(self._file)) if any(one.shot is None for one in found) else None
        return tuple(
            Found(
                diagnostic=one,
                shot=entries.at(one.line) if entries and one.shot is None and one.file == name else one.shot,
            )
            for one in found
        )


def _text(file: Path) -> str:
    try:
        return document.read_bytes(file, file.name).decode("utf-8", "replace")
    except ShotListError:
        return ""


def _included(file: Path) -> frozenset[Path]:
    """The files that a list includes, and those that these include, as far as they can be read."""
    found: set[Path] = set()
    waiting = [file]
    while waiting and len(found) < shotlist.MAX_INCLUDES:
        try:
            data = document.read(waiting.pop(), file.name).data
        except ShotListError:
            continue
        named = data.get("include") if isinstance(data, dict) else None
        for item in named if isinstance(named, list) else ():
            path = file.parent / item if isinstance(item, str) and item else None
            if path is not None and path not in found and _is_inside(path, file.parent):
                found.add(path)
                waiting.append(path)
    return frozenset(found)


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


class KeptFolder:
    """The project folder, whose files are looked at again only where they have changed.

    `asked` are the files that were asked for since `begin`; what stands outside of the folder is none of them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[tuple[str, str], tuple[Mark | None, Any]] = {}
        self._now: dict[tuple[str, str], tuple[Mark | None, Any]] = {}
        self._folder = ProjectFolder(root)

    def begin(self) -> None:
        """Whatever is asked for from now on may have changed. What was not asked for the last time is forgotten."""
        self._kept, self._now = self._now, {}
        self._folder = ProjectFolder(self._root)

    @property
    def asked(self) -> set[Path]:
        """The files that were asked for."""
        kept = ((path, value) for (_, path), (_, value) in self._now.items())
        return {self._root / path for path, value in kept if not _is_elsewhere(value)}

    def picture(self, path: str) -> Picture | Fault:
        """A picture by its path from the folder, or why it cannot be used."""
        return self._of("picture", path, lambda: self._folder.picture(path))

    def sound(self, path: str) -> SoundFile | Fault:
        """A sound file by its path from the folder, or why it cannot be used."""
        return self._of("sound", path, lambda: self._folder.sound(path))

    def _of(self, kind: str, path: str, ask: Callable[[], _T]) -> _T:
        key = (kind, path)
        if key not in self._now:
            mark = look(self._root / path)
            kept = self._kept.get(key)
            same = kept is not None and mark is not None and kept[0] == mark
            self._now[key] = kept if kept is not None and same else (mark, ask())
        found: _T = self._now[key][1]
        return found


def _is_elsewhere(value: Any) -> bool:
    return isinstance(value, Fault) and value.code == _OUTSIDE
