"""What a person sees while a run goes on: bars on a terminal, plain lines elsewhere. Never on stdout."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from threading import Event as Signal
from threading import RLock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from vidspec.lanes import Count, is_ending, roughly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console as RichConsole
    from rich.console import Group, OverflowMethod
    from rich.table import Table

    from vidspec.console import Console
    from vidspec.events import Event
    from vidspec.planned import Planned

_TROUBLE = frozenset({"throttled", "retry"})
_WRONG = frozenset({"failed", "blocked", "in_doubt"})

_ROWS = 8
"""Takes shown one by one; drawing hundreds of rows would cost more than the run."""

_EVERY = 60.0
"""Seconds of a run between two lines of totals in a log."""

_REFRESHES = 4
"""How often a second the bars are drawn anew."""

_BAR = 16
"""Columns of a bar."""

_ALIKE = 24
"""Reasons of one provider that begin with as many equal characters are the same trouble: the rest may be an id."""


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
    """A line for every take that ends, and now and then one of totals; for logs."""

    def __init__(self, console: Console, work: list[Planned], spending: str = "spent") -> None:
        """`spending` is the word before what was spent."""
        self._console = console
        self._count = Count(work)
        self._spending = spending
        self._due = _EVERY

    def progress(self, slate: str, share: float) -> None:
        """A log shows no shares."""

    def note(self, words: str) -> None:
        """Write a line."""
        self._console.line(words)

    def __call__(self, event: Event, /) -> None:
        """Write a line where a take has ended, where a person should know, and where totals are due."""
        total = self._count.total
        digits = len(str(total))
        if self._count(event):
            self._console.line(f"[{self._count.ended:{digits}}/{total}] {ending(event)}")
        elif note := ending(event) if is_ending(event) else remark(event):
            self._indented(note)
        if event.time >= self._due and self._count.ended < total:
            self._due = event.time + _EVERY
            self._indented(f"after {roughly(event.time)}: {totals(self._count, event.time, self._spending)}")

    def _indented(self, words: str) -> None:
        self._console.line(f"{' ' * (2 * len(str(self._count.total)) + 3)} {words}")


def totals(count: Count, now: float, spending: str) -> str:
    """`5 in flight, 6 waiting, 1 failed; spent 3.40 of 12.80 usd; about 12 min left`; only what there is."""
    counts = ", ".join(filter(None, (count.going(), count.wrong())))
    return "; ".join(filter(None, (counts, count.spent(spending), count.left(now))))


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
    word = next((word for word in ("restored", "collected") if details.get(word)), "rendered")
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


@dataclass(slots=True)
class _Row:
    """A take that is being made: a word on how it stands, and how much of it is done where that is known."""

    word: str
    share: float | None = None


class Bars:
    """A bar for every provider, some takes that are being made one by one, and the totals.

    `__rich__` gives what is to be seen now. Whoever draws it holds `screen` meanwhile: what is printed above the
    bars in the middle of that would tear them.
    """

    def __init__(
        self,
        work: list[Planned],
        console: RichConsole,
        spending: str = "spent",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`spending` is the word before what was spent; `clock` gives seconds, to go on between two events."""
        self._console = console
        self._count = Count(work)
        self._spending = spending
        self._clock = clock
        self._heard = clock()
        self._rows: dict[str, _Row] = {}
        self._said: set[tuple[str, str]] = set()
        self._overflow: OverflowMethod = "ellipsis" if console.encoding.lower().startswith("utf") else "crop"
        self.screen = RLock()
        self._lock = RLock()

    def progress(self, slate: str, share: float) -> None:
        """Move the bar of a take."""
        with self._lock:
            if slate in self._rows:
                self._rows[slate].share = share

    def note(self, words: str) -> None:
        """Print a line above the bars."""
        self._print(words, None)

    def __call__(self, event: Event, /) -> None:
        """Count an event, and say above the bars what a person should know; the same trouble only once."""
        with self._lock:
            self._heard = self._clock()
            if self._count(event) and event.slate:
                self._rows.pop(event.slate, None)
            elif event.slate and self._count.is_open(event.slate) and (word := _word(event)):
                self._rows.setdefault(event.slate, _Row(word)).word = word
        words, hue = (ending(event), "red") if event.event in _WRONG else (remark(event), "yellow")
        if words and self._is_news(event):
            self._print(words, hue)

    def _is_news(self, event: Event) -> bool:
        """Whether nothing like it was said before."""
        reason = event.details.get("reason")
        if reason is None:
            return True
        said = (event.event, f"{event.provider} {reason[:_ALIKE]}")
        is_news = said not in self._said
        self._said.add(said)
        return is_news

    def _print(self, words: str, style: str | None) -> None:
        encodable = words.encode(self._console.encoding, "backslashreplace").decode(self._console.encoding)
        with self.screen:
            self._console.print(encodable, markup=False, highlight=False, style=style)

    def __rich__(self) -> Group:
        """What is to be seen now."""
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            now = self._count.time + max(0.0, self._clock() - self._heard)
            return Group(self._table(now), Text(self._foot(now), no_wrap=True, overflow=self._overflow))

    def _foot(self, now: float) -> str:
        passed = f"{int(now) // 60}:{int(now) % 60:02}"
        parts = (
            f"{self._count.ended} of {self._count.total} after {passed}",
            self._count.left(now),
            self._count.spent(self._spending),
        )
        return "; ".join(filter(None, parts))

    def _table(self, now: float) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counts = {name: f"{lane.ended}/{lane.total}" for name, lane in self._count.lanes.items()}
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(min_width=10, max_width=24, no_wrap=True, overflow=self._overflow)
        table.add_column(width=_BAR)
        table.add_column(justify="right", no_wrap=True, min_width=max(map(len, counts.values())))
        table.add_column(no_wrap=True, overflow=self._overflow)
        for provider, lane in self._count.lanes.items():
            words = Text(lane.going())
            for more, style, mark in ((lane.wrong(), "red", ", "), (lane.held(now), "yellow", "; ")):
                if more:
                    words.append(mark if words else "").append(more, style)
            done = ProgressBar(total=lane.total, completed=lane.ended, width=_BAR)
            table.add_row(Text(provider), done, counts[provider], words)
        for slate, row in islice(self._rows.items(), _ROWS):
            share = f"{100 * row.share:.0f}%" if row.share is not None else ""
            part = ProgressBar(total=1.0, completed=row.share, width=_BAR) if row.share is not None else ""
            table.add_row(Text(f"  {slate}"), part, share, Text(row.word, "dim"))
        return table


def _word(event: Event) -> str:
    """How a take stands that is being made, in a word or two; nothing where the event does not say."""
    if event.event == "submitted":
        return "being drawn" if event.request_id is None else "submitted"
    if event.event == "state":
        state = str(event.details["state"])
        return "downloading" if state == "succeeded" else state
    return ""


@contextmanager
def display(
    console: Console,
    work: list[Planned],
    *,
    quiet: bool,
    spending: str = "spent",
    clock: Callable[[], float] = monotonic,
) -> Iterator[Display]:
    """The display that fits the stream: bars on a terminal, lines in a log, nothing where nothing is wanted.

    `spending` is the word before what was spent, `clock` gives the seconds that a run goes by.
    """
    if quiet or not work:
        yield Silence()
    elif not (sys.stderr.isatty() and console.colour):
        yield Lines(console, work, spending)
    else:
        from rich.console import Console as RichConsole

        screen = RichConsole(stderr=True)
        bars = Bars(work, screen, spending, clock)
        with _drawn(bars, screen):
            yield bars


@contextmanager
def _drawn(bars: Bars, screen: RichConsole) -> Iterator[None]:
    """Draw the bars anew some times a second, until the block ends; then they are gone."""
    from rich.live import Live

    over = Signal()
    with Live(bars, console=screen, auto_refresh=False, transient=True) as live:

        def draw() -> None:
            with suppress(OSError):  # the terminal is gone, and the run goes on
                while not over.wait(1 / _REFRESHES):
                    with bars.screen:
                        live.refresh()

        thread = Thread(target=draw, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
