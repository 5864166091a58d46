"""Clips that are drawn on this machine, and frames out of clips, in threads.

Where the run has a clock that is to stand still meanwhile, it does: drawing takes no rehearsed time.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import trio

from vidspec import studio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.studio import Pictures
    from vidspec.take import Take


_T = TypeVar("_T")


@runtime_checkable
class Pausing(Protocol):
    """A clock that can stand still, and one that is to while clips are drawn."""

    hold_while_drawing: bool

    def held(self) -> AbstractContextManager[None]:
        """No time passes inside."""


class Drawer:
    """Makes clips by drawing them: in threads, as many at once as there are cores, stopped with the run.

    Frames are drawn anew without the lettering, which would stand in the next clip as if it were scenery. That
    goes for drafts; of a clip that somebody else has made, the frame is taken from the clip.
    """

    def __init__(self, title: str, *, drafts: bool) -> None:
        self._title = title
        self._drafts = drafts
        self._cores = trio.CapacityLimiter(max(1, os.cpu_count() or 1))

    async def clip(self, take: Take, pictures: Pictures, part: Path, report: Callable[[int, int], None]) -> None:
        """Draw a take."""

        def progress(done: int, of: int) -> None:
            trio.from_thread.check_cancelled()
            report(done, of)

        def draw() -> None:
            studio.draw(take, pictures, part, title=self._title, progress=progress)

        await self._in_thread(draw)

    async def frame(self, take: Take, pictures: Pictures, clip: Path, at: str | float) -> bytes:
        """A frame of a take: of its drawing, or of the clip that was delivered."""
        if self._drafts or studio.is_local(take.provider):
            return await self._in_thread(studio.frame, take, pictures, at)
        return await self._in_thread(studio.frame_of, clip, at)

    async def _in_thread(self, work: Callable[..., _T], *given: Any) -> _T:
        with held_while_drawing():
            return await trio.to_thread.run_sync(work, *given, limiter=self._cores)


def held_while_drawing() -> AbstractContextManager[None]:
    """Hold the running clock, if it is one that wants to be held while clips are drawn."""
    clock = trio.lowlevel.current_clock()
    return clock.held() if isinstance(clock, Pausing) and clock.hold_while_drawing else nullcontext()
