"""`vidspec watch FILE`: a page that is fresh while a list is being written, until Ctrl-C."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any

import trio

from vidspec.conduct import told
from vidspec.events import Outcome
from vidspec.watch import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.watch import Moment

_HUES = {"drawn": "green", "drawing": "cyan", "held": "yellow", "wrong": "red", "gone": "red"}


def run(file: Path, *, variables: Mapping[str, Any], port: int, quiet: bool, console: Console) -> int:
    """Watch a list: say what is wrong with it and draw what has changed, after every save. 0 when it is stopped.

    Raises:
        ShotListError: there is no such file.
        UsageError: the port cannot be had, or a variable is named by nothing in the list.
    """
    log = _Log(file, console, quiet=quiet)

    async def main() -> None:
        with trio.open_signal_receiver(*_endings()) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(Session(file, variables, log.hear).run, port)
                async for _ in signals:
                    nursery.cancel_scope.cancel()
                    return

    try:
        trio.run(main)
    except ExceptionGroup as group:  # nurseries make one of even a single error
        raise told(group, Outcome()) from group
    return 0


def _endings() -> list[signal.Signals]:
    """The signals that end it; the end of a terminal is none of them where somebody has said so (`nohup`)."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else [])]


class _Log:
    """What is printed: where the page is, and a line for each save."""

    def __init__(self, file: Path, console: Console, *, quiet: bool) -> None:
        self._file = file
        self._console = console
        self._quiet = quiet
        self._read = True

    def hear(self, moment: Moment) -> None:
        """Say what happened."""
        if moment.kind == "opened":
            address = self._console.paint(moment.words, "bold")
            self._print(f"watching {self._file}: {address}{'' if self._quiet else ' ; Ctrl-C ends it'}")
        elif not self._quiet or moment.kind in ("wrong", "gone"):
            now = self._console.paint(f"{datetime.now().astimezone():%H:%M:%S}", "dim")
            self._print(f"{now}  {self._console.paint(moment.words, _HUES[moment.kind])}")

    def _print(self, line: str) -> None:
        """Write a line at once. Whoever has stopped reading does not stop the page."""
        if not self._read:
            return
        try:
            self._console.line(line)
            self._console.stream.flush()
        except OSError:
            self._read = False
