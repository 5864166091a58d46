"""Clips that are drawn on this machine, and frames out of clips, in threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import trio

from vidspec import studio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.studio import Pictures
    from vidspec.take import Take


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

        await trio.to_thread.run_sync(draw, limiter=self._cores)

    async def frame(self, take: Take, pictures: Pictures, clip: Path, at: str | float) -> bytes:
        """A frame of a take: of its drawing, or of the clip that was delivered."""
        if self._drafts or studio.is_local(take.provider):
            return await trio.to_thread.run_sync(studio.frame, take, pictures, at, limiter=self._cores)
        return await trio.to_thread.run_sync(studio.frame_of, clip, at, limiter=self._cores)
