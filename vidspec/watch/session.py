"""A list that is watched: read after every save, drawn where it has changed, and shown.

Three tasks beside the server: one reads, one draws (`artist`), one makes the page. The newest list without an error
is what is drawn and shown.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from vidspec import document
from vidspec.diagnostic import counted
from vidspec.errors import UsageError, VidspecError
from vidspec.site import Site
from vidspec.store import state_folder
from vidspec.watch import drafts, page
from vidspec.watch.artist import Artist, trouble_of
from vidspec.watch.board import Board, Problem
from vidspec.watch.door import Door
from vidspec.watch.lookout import Lookout
from vidspec.watch.placing import shots_of
from vidspec.watch.reading import Reader
from vidspec.watch.server import listen, serve
from vidspec.watch.view import Bell, Moment, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vidspec.watch.page import Page
    from vidspec.watch.reading import Found, Reading

__all__ = ["Session"]

PRINT_EVERY = 1.0
"""Seconds between two pages, where nothing has been saved in between."""
TICK = 50_000_000
"""Nanoseconds by which the clock of a file system may be behind ours."""
_OWN = "watch-"
"""What the name of a session's own folder begins with."""


class Session:
    """Watches one list. `hear` is told what happens, in order, and must not wait."""

    def __init__(self, file: Path, variables: Mapping[str, Any], hear: Callable[[Moment], None]) -> None:
        self._file = file
        self._variables = variables
        self._hear = hear
        self._reader = Reader(file, variables)
        self._board = Board(file.name, page.bare(file.name))
        self._wanted, self._urgent = Bell(), Bell()
        self._written = trio.Lock()
        self._artist = Artist(self._board, self._written, hear, self._wanted.ring)
        self._view: View | None = None
        self._stack = ExitStack()
        self._folder: Path | None = None

    async def run(self, port: int) -> None:
        """Serve the page of the list at a port of this machine (0: any that is free), until cancelled.

        Raises:
            ShotListError: there is no such file.
            UsageError: the port cannot be had, or a variable is named by nothing in the list.
        """
        document.read_bytes(self._file, str(self._file))
        site = Site.real(self._file)
        since = time.time_ns() - TICK
        lookout = Lookout([self._file], (site.lock, site.journal))
        reading = await trio.to_thread.run_sync(self._reader.read)
        for name in reading.unused if reading.opened else ():
            raise UsageError(f"`--var {name}=…` is used by nothing: no template or `vars` names `{name}`")
        listeners = await listen(port)
        door = Door(self._board, listeners[0].socket.getsockname()[1])
        self._hear(Moment(kind="opened", words=door.address))
        with self._stack:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve, listeners, door)
                nursery.start_soon(self._artist.run)
                nursery.start_soon(self._print_on)
                await self._read_on(lookout, reading, since)

    # --- reading ---------------------------------------------------------------------------------------------

    async def _read_on(self, lookout: Lookout, reading: Reading, since: int) -> None:
        """Read the list again whenever something of it has changed."""
        saved = True
        while True:
            lookout.follow(reading.files, since)
            self._take_in(reading, saved=saved)
            saved = (await lookout.change()).saved
            since = time.time_ns() - TICK
            reading = await trio.to_thread.run_sync(self._reader.read)

    def _take_in(self, reading: Reading, *, saved: bool) -> None:
        """Have what was read drawn and shown; or what is wrong with it said."""
        problems = tuple(self._problem(one) for one in reading.found)
        self._board.tell(gone=reading.gone, problems=problems)
        if reading.opened is None:
            if saved:
                self._hear(_complaint(self._file, reading))
            return
        warnings = tuple(one.diagnostic for one in reading.found)
        view = View(opened=reading.opened, warnings=warnings, made_at=datetime.now(UTC))
        if saved:
            self._urgent.ring()
        elif self._view is not None:
            view = replace(view, made_at=self._view.made_at)  # else the page would be another one
        self._view = view
        self._artist.take(view, saved=saved)
        self._wanted.ring()

    def _problem(self, found: Found) -> Problem:
        one = found.diagnostic
        known = self._view.opened.resolution.shots if self._view else ()
        return Problem(
            text=one.message,
            help=one.help,
            severity=one.severity,
            code=one.code,
            place=f"{one.file}:{one.line}:{one.column}",
            shots=() if found.shot is None else shots_of(found.shot, known),
        )

    # --- showing ---------------------------------------------------------------------------------------------

    async def _print_on(self) -> None:
        """Make the page again whenever there is something else to be shown, yet not all the time."""
        while True:
            await self._wanted.heard()
            view = self._view
            assert view is not None
            try:
                async with self._written:
                    made = await trio.to_thread.run_sync(self._made, view)
            except (VidspecError, OSError) as error:
                problem = trouble_of(error)
                if self._board.trouble("page", problem):
                    self._hear(Moment(kind="wrong", words=problem.text))
                self._wanted.ring()
            else:
                self._board.trouble("page")
                self._board.show(made)
            with trio.move_on_after(PRINT_EVERY):
                await self._urgent.heard()

    def _made(self, view: View) -> Page:
        """The page of a list, as things are on disk; in a thread.

        A run that begins elsewhere takes away what is half written, ours too: then it is made again.
        """
        for _ in range(3):
            with suppress(FileNotFoundError):
                return self._made_once(view)
        return self._made_once(view)

    def _made_once(self, view: View) -> Page:
        real, lock = view.plan()
        current = drafts.look_at(view.opened, real).current
        return page.make(
            view.opened,
            view.warnings,
            {one.slate for one in real.takes if one.slate in current and drafts.is_open(one)},
            real=real,
            lock=lock,
            variables=self._variables,
            folder=self._own_folder(),
            made_at=view.made_at,
            tell=lambda _what, _done, _of: trio.from_thread.check_cancelled(),
        )

    def _own_folder(self) -> Path:
        """A folder for what the page shows besides clips, as long as the session lasts."""
        if self._folder is None:
            try:
                state = state_folder(self._file.parent)
                _clear_dead(state)
                self._folder = _own(state, self._stack)
            except OSError:  # a project that may only be read, or whose folders cannot be held
                made = tempfile.TemporaryDirectory(prefix="vidspec-watch-")
                self._folder = Path(self._stack.enter_context(made))
        return self._folder


def _own(state: Path, stack: ExitStack) -> Path:
    """A new folder in the state folder, held until it goes, which is when `stack` ends. Raises OSError."""
    while True:
        made = tempfile.TemporaryDirectory(prefix=_OWN, dir=state)
        try:
            stack.enter_context(_held(Path(made.name)))
        except (BlockingIOError, FileNotFoundError):  # another session has cleared it before it was held
            made.cleanup()
        except OSError:
            made.cleanup()
            raise
        else:
            return Path(stack.enter_context(made))


def _clear_dead(state: Path) -> None:
    """Take away the folders of sessions that were killed: nobody holds them any more."""
    for folder in state.glob(f"{_OWN}*"):
        with suppress(OSError), _held(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder, as no dead process does. Raises OSError: BlockingIOError where another holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.stat()
        yield
    finally:
        os.close(descriptor)


def _complaint(file: Path, reading: Reading) -> Moment:
    """What is wrong with a list, in one line: how many errors, and the first of them."""
    if reading.gone:
        return Moment(kind="gone", words=f"{file} is gone; waiting for it to return")
    first = next(one.diagnostic for one in reading.found if one.diagnostic.severity == "error")
    place = f"{first.file}:{first.line}:{first.column}"
    return Moment(kind="wrong", words=f"{counted(reading.errors, 'error')}: {place}: {first.message}")
