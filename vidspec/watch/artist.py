"""Draws what is wanting of the newest list: a few drafts at a time, those that changed last before others.

A drawing is broken off where a save has made another of it; what a save has left alone is finished. The project is
held while something is drawn. Where another run holds it, that is said, and tried again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from vidspec import graph
from vidspec.diagnostic import counted
from vidspec.errors import Refusal, VidspecError
from vidspec.events import Tally
from vidspec.watch import drafts
from vidspec.watch.board import Problem
from vidspec.watch.view import Bell, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from vidspec.watch.board import Board
    from vidspec.watch.drafts import Drafts
    from vidspec.watch.view import View

__all__ = ["AGAIN_EVERY", "TELL_EVERY", "Artist", "trouble_of"]

AGAIN_EVERY = 1.0
"""Seconds after which it is tried again, where another run holds the project or what is recorded cannot be read."""
AT_ONCE = 3.0
"""Seconds that what is drawn at once should take: until then nothing that was saved since is begun."""
TELL_EVERY = 0.5
"""Seconds after which the page is told how far the drawing is."""


@dataclass(slots=True, kw_only=True)
class _Bill:
    """What has been done since a save, or since something else `began` it; whether a person waits to be told."""

    began: float | None = None
    drawn: int = 0
    is_awaited: bool = False
    is_long: bool = False


@dataclass(slots=True, kw_only=True)
class _Work:
    """What is being drawn: takes as they were when it began, how far each is, and how to break it off."""

    fingerprints: dict[str, str] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class Artist:
    """Draws for one board, and says in `folder` when it wants nobody else to write in the state folder.

    `hear` is told what was done, `print_page` is called when there is more to be shown.
    """

    def __init__(
        self,
        board: Board,
        folder: trio.Lock,
        hear: Callable[[Moment], None],
        print_page: Callable[[], None],
    ) -> None:
        self._board = board
        self._folder = folder
        self._hear = hear
        self._print = print_page
        self._view: View | None = None
        self._came = Bell()
        self._work = _Work()
        self._bill = _Bill()
        self._known: dict[str, str] | None = None
        self._fresh: set[str] = set()
        self._failed: dict[str, str] = {}
        self._is_told_of_hold = False
        self._most = self._cores = max(1, os.cpu_count() or 1)

    def take(self, view: View, *, saved: bool) -> None:
        """Draw another list from now on; `saved` where a person waits for it."""
        fingerprints = _fingerprints(view)
        if any(fingerprints.get(slate) != before for slate, before in self._work.fingerprints.items()):
            self._work.scope.cancel()
        if saved:
            self._bill.began, self._bill.is_awaited = trio.current_time(), True
            self._failed.clear()
            self._tell_failed(view)
        if self._known is not None:
            self._fresh |= {slate for slate, now in fingerprints.items() if self._known.get(slate) != now}
        self._known = fingerprints
        self._view = view
        self._came.ring()

    async def run(self) -> None:
        """Draw, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_how_far)
            while True:
                await self._came.heard()
                assert self._view is not None
                await self._bring_up(self._view)

    async def _tell_how_far(self) -> None:
        while True:
            await trio.sleep(TELL_EVERY)
            self._board.tell(drawing=dict(self._work.shares))

    async def _bring_up(self, view: View) -> None:
        """Draw all that is wanting of a list, unless another comes."""
        while self._view is view:
            try:
                if not await self._draw_some(view):
                    break
            except Refusal as refusal:
                await self._wait(str(refusal))
            except (VidspecError, OSError) as error:
                await self._suffer(trouble_of(error))

    async def _draw_some(self, view: View) -> bool:
        """Draw a few of what is wanting of a list; whether there was anything to draw."""
        found = await trio.to_thread.run_sync(view.drafts)
        able = found.without(self._failed)
        if self._view is view:
            self._board.tell(left=len(able.wanting))
            if able.wanting:
                await self._draw(view, able)
            else:
                self._rest(view)
            self._board.trouble("drafts")
        return bool(able.wanting)

    async def _draw(self, view: View, able: Drafts) -> None:
        """Draw a few of those that are wanting. Raises Refusal where another run holds the project."""
        slates = able.portion(self._most, self._fresh)
        if len(able.wanting) > len(slates) and not self._bill.is_long:
            self._bill.is_long = True
            self._hear(Moment(kind="drawing", words=f"{counted(len(able.wanting), 'take')} to draw"))
        began = trio.current_time()
        if self._bill.began is None:
            self._bill.began = began
        work = self._work = _Work(fingerprints=_with_needs(view, slates), shares=dict.fromkeys(slates, 0.0))
        tally = Tally()
        try:
            with work.scope:
                async with drafts.held(view.opened, self._folder) as intent:
                    self._is_told_of_hold = False
                    self._board.tell(held="")
                    await drafts.draw(intent, slates, tally, work.shares.__setitem__)
        finally:
            self._work = _Work()
            self._board.tell(drawing={})
        self._most = self._fitting(len(tally.rendered), trio.current_time() - began)
        self._note(view, tally, set() if work.scope.cancelled_caught else slates)

    def _fitting(self, drawn: int, seconds: float) -> int:
        """How many should be drawn at once, going by how long so many have taken."""
        fitting = round(drawn * AT_ONCE / max(seconds, 0.01))
        return min(max(self._cores, fitting), 2 * self._most)

    def _note(self, view: View, tally: Tally, asked: set[str]) -> None:
        """Note how takes ended; what was `asked` for and is not among them would be asked for again and again."""
        drawn = [*tally.rendered, *tally.restored, *tally.collected, *tally.kept]
        failed = {**tally.failed, **{slate: f"needs {needed}" for slate, needed in tally.blocked.items()}}
        failed |= dict.fromkeys(asked.difference(drawn, failed), "nothing came of it")
        self._bill.drawn += len(drawn)
        self._fresh.difference_update(drawn)
        self._failed |= failed
        self._tell_failed(view)
        if drawn:
            self._print()

    def _tell_failed(self, view: View) -> None:
        """Tell of the takes that could not be drawn, each at its shot."""
        shots = {take.slate: take.shot for take in view.opened.takes}
        told = (
            Problem(text=f"`{slate}` could not be drawn: {reason}", shots=(shots[slate],))
            for slate, reason in self._failed.items()
            if slate in shots
        )
        self._board.trouble("takes", *told)

    async def _wait(self, holder: str) -> None:
        """Wait a while for another run, or for another list."""
        self._board.tell(held=holder)
        if not self._is_told_of_hold:
            self._is_told_of_hold = True
            self._hear(Moment(kind="held", words=f"waiting to draw: {holder}"))
        with trio.move_on_after(AGAIN_EVERY):
            await self._came.rung()

    async def _suffer(self, problem: Problem) -> None:
        """Say what keeps everything from being drawn, and wait a while, or for another list."""
        self._board.tell(left=0, drawing={}, held="")
        if self._board.trouble("drafts", problem):
            self._hear(Moment(kind="wrong", words=problem.text))
        with trio.move_on_after(AGAIN_EVERY):
            await self._came.rung()

    def _rest(self, view: View) -> None:
        """Say what has been done since the last save."""
        bill, self._bill = self._bill, _Bill()
        self._board.tell(drawing={}, held="")
        if bill.began is None:
            return
        if self._failed:
            slate, reason = next(iter(self._failed.items()))
            words = f"{counted(len(self._failed), 'take')} could not be drawn: {slate}: {reason}"
            self._hear(Moment(kind="wrong", words=words))
        elif bill.is_awaited or bill.drawn:
            seconds = trio.current_time() - bill.began
            done = f"{counted(bill.drawn, 'take')} drawn in {seconds:.1f} s" if bill.drawn else "nothing to draw"
            doubts = f", {counted(len(view.warnings), 'warning')}" if view.warnings else ""
            self._hear(Moment(kind="drawn", words=f"{done}{doubts}"))


def trouble_of(error: Exception) -> Problem:
    """What an error says of itself, and what would help."""
    said = str(error)
    if isinstance(error, OSError):
        place = f": `{error.filename}`" if error.filename else ""
        said = f"{(error.strerror or said).lower()}{place}"
    text, _, help_line = said.partition("\n    help: ")
    return Problem(text=" ".join(text.split("\n")), help=help_line)


def _fingerprints(view: View) -> dict[str, str]:
    return {take.slate: take.fingerprint for take in view.opened.takes}


def _with_needs(view: View, slates: Collection[str]) -> dict[str, str]:
    """What takes are, and those whose frames they need, by slate."""
    fingerprints = _fingerprints(view)
    needs = {take.slate: take.needs for take in view.opened.takes}
    return {slate: fingerprints[slate] for slate in graph.with_needs(slates, needs)}
