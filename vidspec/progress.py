"""What a person sees while a run goes on: bars on a terminal, plain lines elsewhere. Never on stdout."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from vidspec.console import Console
    from vidspec.events import Event
    from vidspec.plan import Planned

_ENDINGS = frozenset({"downloaded", "failed", "blocked", "in_doubt"})
_TROUBLE = frozenset({"throttled", "retry"})


def is_ending(event: Event) -> bool:
    """Whether a take ends with this event."""
    return event.event in _ENDINGS or (event.event == "state" and event.details["state"] == "kept")


_ROWS = 8
"""Takes shown one by one; drawing hundreds of rows would cost more than the run."""


class Display(Protocol):
    """Somebody who shows a run."""

    def __call__(self, event: Event, /) -> None:
        """Take note of an event."""

    def progress(self, slate: str, share: float) -> None:
        """A take is done to this share, from 0 to 1. Called from threads."""

    def note(self, words: str) -> None:
        """Something to be said beside it all."""


class Silence:
    """Shows nothing."""

    def __call__(self, event: Event, /) -> None:
        """Take no note."""

    def progress(self, slate: str, share: float) -> None:
        """Take no note."""

    def note(self, words: str) -> None:
        """Take no note."""


class Lines:
    """A line for every take that ends; for logs."""

    def __init__(self, console: Console, work: list[Planned]) -> None:
        self._console = console
        self._slates = {one.slate for one in work}
        self._count = len(work)
        self._ended = 0

    def progress(self, slate: str, share: float) -> None:
        """A log shows no shares."""

    def note(self, words: str) -> None:
        """Write a line."""
        self._console.line(words)

    def __call__(self, event: Event, /) -> None:
        """Write a line where a take has ended."""
        if is_ending(event) and event.slate in self._slates:
            self._ended += 1
            digits = len(str(self._count))
            self._console.line(f"[{self._ended:{digits}}/{self._count}] {ending(event)}")
        elif note := ending(event) if is_ending(event) else remark(event):
            self._console.line(f"{' ' * (2 * len(str(self._count)) + 3)} {note}")


def ending(event: Event) -> str:
    """How a take ended, in words."""
    details = event.details
    if event.event == "failed":
        return f"{event.slate}  failed: {details['reason']}"
    if event.event == "blocked":
        return f"{event.slate}  blocked: {details['reason']}"
    if event.event == "in_doubt":
        return f"{event.slate}  in doubt: {details['reason']}"
    if event.event == "state":
        return f"{event.slate}  {details['state']}"
    word = "restored" if details.get("restored") else "rendered"
    return f"{event.slate}  {word}  {details['path']}  ({event.time:.1f} s)"


def remark(event: Event) -> str:
    """What a person should know while it happens: that a provider slows us down, or is not understood."""
    details = event.details
    if event.event in _TROUBLE:
        again = f"; again in {details['wait']:.0f} s" if details["wait"] >= 1 else ""
        call = f"{details['call']}: "
        return f"{event.slate}  {call}{details['reason'].removeprefix(call)}{again}"
    if event.event == "state" and details["state"] == "unknown":
        return f"{event.slate}  `{event.provider}` answers with a state that nobody knows: `{details['word']}`"
    return ""


class Bars:
    """A bar for every provider, and one for every take that is being made."""

    def __init__(self, work: list[Planned], bars: Progress) -> None:
        self._bars = bars
        self._running: dict[str, TaskID] = {}
        self._lanes: dict[str, TaskID] = {}
        self._wrong: Counter[str] = Counter()
        self._slates = {one.slate for one in work}
        for provider, count in Counter(one.provider for one in work).items():
            self._lanes[provider] = bars.add_task(provider, total=count, note="", wrong="")

    def progress(self, slate: str, share: float) -> None:
        """Move the bar of a take."""
        if slate in self._running:
            self._bars.update(self._running[slate], completed=share)

    def note(self, words: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(words, markup=False, highlight=False)

    def __call__(self, event: Event, /) -> None:
        """Show a take that begins, and count one that ends."""
        if event.slate is None or event.provider is None:
            return
        if event.event == "submitted":
            visible = len(self._running) < _ROWS
            self._running[event.slate] = self._bars.add_task(
                f"  {event.slate}", total=1.0, note="submitted", wrong="", visible=visible
            )
        elif is_ending(event) and event.slate in self._slates:
            self._end(event.slate, event.provider, event)
        elif event.slate in self._running and event.event == "state":
            word = "downloading" if event.details["state"] == "succeeded" else event.details["state"]
            self._bars.update(self._running[event.slate], note=word)
        if note := remark(event):
            self._bars.console.print(note, markup=False, highlight=False, style="yellow")

    def _end(self, slate: str, provider: str, event: Event) -> None:
        task = self._running.pop(slate, None)
        if task is not None:
            self._bars.remove_task(task)
        self._bars.advance(self._lanes[provider])
        if event.event in ("failed", "blocked", "in_doubt"):
            self._wrong[provider] += 1
            self._bars.update(self._lanes[provider], wrong=f"{self._wrong[provider]} failed")
            self._bars.console.print(ending(event), markup=False, highlight=False, style="red")


@contextmanager
def display(console: Console, work: list[Planned], *, quiet: bool) -> Iterator[Display]:
    """The display that fits the stream: bars on a terminal, lines in a log, nothing where nothing is wanted."""
    if quiet or not work:
        yield Silence()
    elif not (sys.stderr.isatty() and console.colour):
        yield Lines(console, work)
    else:
        with _bars() as bars:
            yield Bars(work, bars)


def _bars() -> Progress:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    class Count(MofNCompleteColumn):
        """`3/12` for a provider, nothing for a single take."""

        def render(self, task):  # type: ignore[no-untyped-def]
            return super().render(task) if not task.description.startswith(" ") else f"{task.percentage:>3.0f}%"

    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(min_width=16, no_wrap=True)),
        BarColumn(bar_width=32),
        Count(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
        TextColumn("{task.fields[wrong]}", style="red", markup=False),
        console=RichConsole(stderr=True),
        transient=True,
        refresh_per_second=8,
    )
