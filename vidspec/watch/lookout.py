"""Which files have changed, found out by looking at them again and again, and told when they are at rest.

An editor may write a file in several steps, or put another in its place. What changes is told when nothing has
moved for a moment; a file that has gone or is empty now is given longer, since something most likely follows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

__all__ = ["Change", "Lookout", "Mark", "look"]

EVERY = 0.25
"""Seconds between two looks."""
REST = 0.1
"""Seconds for which nothing must have moved."""
LONG = 10
"""Times as long a rest is waited for where a file has gone or has been emptied."""
MOST_LOOKS = 100
"""Rests after which what never stands still is told all the same."""
RECORDS_EVERY = 2.0
"""Seconds between two tellings of what a run writes down, which may be many times a second."""


class Mark(NamedTuple):
    """What tells a file from what it was: nanoseconds, bytes, and the file's number on its disk."""

    changed: int
    size: int
    number: int


Marks = dict["Path", Mark | None]
"""Files as they were found; None where there was none."""


class Change(NamedTuple):
    """What has changed: `saved` where a person has saved something, else what a run has written down."""

    saved: bool


def look(path: Path) -> Mark | None:
    """A file as it is now, after links; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  (many times a second)
    except (OSError, ValueError):
        return None
    return Mark(found.st_mtime_ns, found.st_size, found.st_ino)


class Lookout:
    """Looks at the files that a list is made of, and at the `records` that runs keep of it."""

    def __init__(
        self, files: Iterable[Path], records: Collection[Path], look: Callable[[Path], Mark | None] = look
    ) -> None:
        self._look = look
        self._seen: Marks = self._marks(files)
        self._records = records
        self._recorded = self._marks(records)
        self._told_at = -RECORDS_EVERY
        self._missed = False

    def follow(self, files: Collection[Path], since: int) -> None:
        """Look at these files from now on; what has changed `since` (nanoseconds, Unix) was perhaps read before."""
        seen: Marks = {}
        for path in files:
            seen[path] = self._seen[path] if path in self._seen else self._look(path)
            self._missed |= path not in self._seen and (seen[path] or _NOTHING).changed >= since
        self._seen = seen

    async def change(self) -> Change:
        """Wait until something has changed and is at rest."""
        while True:
            if self._missed or self._now() != self._seen:
                found = await self._rested()
                missed, self._missed = self._missed, False
                if found != self._seen or missed:
                    self._seen = found
                    return Change(saved=True)
            recorded = self._marks(self._records)
            if recorded != self._recorded and trio.current_time() - self._told_at >= RECORDS_EVERY:
                await trio.sleep(REST)
                self._recorded = self._marks(self._records)
                self._told_at = trio.current_time()
                return Change(saved=False)
            await trio.sleep(EVERY)

    async def _rested(self) -> Marks:
        """The files when nothing has moved for long enough."""
        found, quiet = self._now(), 0
        for _ in range(MOST_LOOKS):
            await trio.sleep(REST)
            before, found = found, self._now()
            quiet = quiet + 1 if found == before else 0
            if quiet >= (LONG if self._is_emptied(found) else 1):
                break
        return found

    def _is_emptied(self, found: Marks) -> bool:
        """Whether a file that had something in it is gone, or empty."""
        return any(_size(mark) == 0 < _size(self._seen[path]) for path, mark in found.items())

    def _now(self) -> Marks:
        return self._marks(self._seen)

    def _marks(self, paths: Iterable[Path]) -> Marks:
        return {path: self._look(path) for path in paths}


_NOTHING = Mark(-1, 0, 0)


def _size(mark: Mark | None) -> int:
    return 0 if mark is None else mark.size
