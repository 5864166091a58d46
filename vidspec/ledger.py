"""The lockfile while a run writes it: whole each time, but not for every take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vidspec import locktext
from vidspec.errors import RenderError
from vidspec.store import whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.lock import Lock, Record

SETTLE_EVERY = 2.0
"""Seconds between two writings; a lock of ten thousand takes is a hundredth of that in the writing."""


class Ledger:
    """A lock, and the file it is kept in."""

    def __init__(self, lock: Lock, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = lock
        self._path = path
        self._clock = clock
        self._written_at = float("-inf")
        self._dirty = True

    def settle(self, slate: str, record: Record) -> None:
        """Note the outcome of a take; write when the last writing is long enough ago."""
        self.lock.put(slate, record)
        self._dirty = True
        if self._clock() - self._written_at >= SETTLE_EVERY:
            self.write()

    def write(self) -> None:
        """Write what has been settled, unless the file says so already.

        Raises:
            RenderError: the lockfile cannot be written; the clips themselves are where they belong.
        """
        if not self._dirty:
            return
        text = locktext.dump(self.lock).encode()
        try:
            if not (self._path.exists() and self._path.read_bytes() == text):
                with whole(self._path) as part:
                    part.write_bytes(text)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RenderError(f"cannot write the lockfile {self._path.name}: {reason}") from error
        self._written_at = self._clock()
        self._dirty = False
