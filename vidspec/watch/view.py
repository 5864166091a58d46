"""What is drawn and shown: the newest list without an error; and how the tasks of a session call each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import trio

from vidspec.planned import Afloat
from vidspec.watch import drafts

if TYPE_CHECKING:
    from datetime import datetime

    from vidspec.diagnostic import Diagnostic
    from vidspec.lock import Lock
    from vidspec.planned import Plan
    from vidspec.project import Opened

__all__ = ["Bell", "Kind", "Moment", "View"]

Kind = Literal["opened", "drawing", "drawn", "held", "wrong", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that whoever watches is told once."""

    kind: Kind
    words: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A list without an error, and when it was read."""

    opened: Opened
    warnings: tuple[Diagnostic, ...]
    made_at: datetime

    def plan(self) -> tuple[Plan, Lock]:
        """What a render would do, and the lockfile.

        Raises:
            LockError, JournalError: what is recorded cannot be read.
        """
        lock, flights = self.opened.read()
        return self.opened.plan(lock, Afloat(flights=flights)), lock

    def drafts(self) -> drafts.Drafts:
        """How the drafts stand. Raises as `plan` does."""
        return drafts.look_at(self.opened, self.plan()[0])


class Bell:
    """Rung by those who want something done, and heard by the one who does it: once, however often it was rung."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        """Want it done."""
        self._rung.set()

    async def rung(self) -> None:
        """Wait until it is wanted, and leave it so."""
        await self._rung.wait()

    async def heard(self) -> None:
        """Wait until it is wanted, to do it now."""
        await self._rung.wait()
        self._rung = trio.Event()
