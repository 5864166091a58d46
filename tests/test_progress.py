from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec.console import Console
from vidspec.events import Event
from vidspec.progress import Bars, Lines, Silence, display
from vidspec.project import open_lists

if TYPE_CHECKING:
    from vidspec.plan import Planned

Shots = Callable[..., Path]

EVENTS = [
    Event(event="run_started", time=0),
    Event(event="submitted", time=0, slate="a-t01", provider="animatic"),
    Event(event="submitted", time=0, slate="b-t01", provider="animatic"),
    Event(event="downloaded", time=1.25, slate="a-t01", provider="animatic", details={"path": "renders/a.mp4"}),
    Event(event="failed", time=2, slate="b-t01", provider="animatic", details={"reason": "[red]disk[/] full"}),
    Event(event="blocked", time=2, slate="c-t01", provider="animatic", details={"reason": "needs b-t01"}),
    Event(
        event="downloaded", time=3, slate="d-t01", provider="animatic", details={"path": "d.mp4", "restored": True}
    ),
    Event(event="state", time=3, slate="e-t01", provider="animatic", details={"state": "kept"}),
    Event(event="run_finished", time=3),
]


@pytest.fixture
def work(shots: Shots) -> list[Planned]:
    entries = "\n".join(f"- {{id: {name}, prompt: x}}" for name in "abcde")
    (opened,), _ = open_lists([shots(entries)], {})
    return opened.plan().work


def test_a_log_gets_a_line_for_every_take_that_ends(work: list[Planned]) -> None:
    stream = io.StringIO()
    shown = Lines(Console(stream), work)
    shown.progress("a-t01", 0.5)
    for event in EVENTS:
        shown(event)
    assert stream.getvalue().splitlines() == [
        "[1/5] a-t01  rendered  renders/a.mp4  (1.2 s)",
        "[2/5] b-t01  failed: [red]disk[/] full",
        "[3/5] c-t01  blocked: needs b-t01",
        "[4/5] d-t01  restored  d.mp4  (3.0 s)",
        "[5/5] e-t01  kept",
    ]


REMARKS = [
    (
        Event(
            event="throttled", time=1, slate="a-t01", details={"call": "submit", "reason": "too fast", "wait": 12.0}
        ),
        "a-t01  submit: too fast; again in 12 s",
    ),
    (
        Event(event="retry", time=1, slate="a-t01", details={"call": "poll", "reason": "reset", "wait": 0.4}),
        "a-t01  poll: reset",
    ),
    (
        Event(
            event="state",
            time=1,
            slate="a-t01",
            provider="yutoai",
            details={"state": "unknown", "word": "ARCHIVING"},
        ),
        "a-t01  `yutoai` answers with a state that nobody knows: `ARCHIVING`",
    ),
    (Event(event="state", time=1, slate="a-t01", details={"state": "running"}), ""),
    (Event(event="submitted", time=1, slate="a-t01"), ""),
]


@pytest.mark.parametrize(("event", "line"), REMARKS, ids=["throttled", "retry", "unknown", "running", "submitted"])
def test_what_slows_a_run_down_is_remarked_without_being_counted(
    work: list[Planned], event: Event, line: str
) -> None:
    stream = io.StringIO()
    Lines(Console(stream), work)(event)
    assert stream.getvalue().strip() == line


def test_a_bar_says_how_a_take_stands(work: list[Planned]) -> None:
    from rich.console import Console as RichConsole
    from rich.progress import Progress

    stream = io.StringIO()
    bars = Progress(console=RichConsole(file=stream), auto_refresh=False)
    shown = Bars(work, bars)
    notes = []
    for kind, details in (
        ("submitted", {}),
        ("state", {"state": "queued"}),
        ("state", {"state": "running"}),
        ("state", {"state": "succeeded"}),
    ):
        shown(Event(event=kind, time=0, slate="a-t01", provider="animatic", details=details))  # type: ignore[arg-type]
        notes.append(bars.tasks[-1].fields["note"])
    assert notes == ["submitted", "queued", "running", "downloading"]


def test_bars_count_every_take_that_ends(work: list[Planned]) -> None:
    from rich.console import Console as RichConsole
    from rich.progress import Progress

    stream = io.StringIO()
    bars = Progress(console=RichConsole(file=stream), auto_refresh=False)
    shown = Bars(work, bars)
    for event in EVENTS:
        shown(event)
        shown.progress("b-t01", 0.5)
        shown.progress("never heard of", 0.5)
    (lane,) = bars.tasks
    assert (lane.description, lane.completed, lane.total) == ("animatic", 5, 5)
    assert lane.fields["wrong"] == "2 failed"
    assert "b-t01  failed: [red]disk[/] full" in stream.getvalue()


def test_many_takes_at_once_are_not_all_drawn(work: list[Planned]) -> None:
    from rich.console import Console as RichConsole
    from rich.progress import Progress

    bars = Progress(console=RichConsole(file=io.StringIO()), auto_refresh=False)
    shown = Bars(work, bars)
    for number in range(20):
        shown(Event(event="submitted", time=0, slate=f"x-t{number:02}", provider="animatic"))
    assert sum(task.visible for task in bars.tasks) == 1 + 8


@pytest.mark.parametrize(
    ("tty", "colour", "quiet", "kind"),
    [
        (True, True, False, Bars),
        (True, False, False, Lines),
        (False, True, False, Lines),
        (True, True, True, Silence),
    ],
    ids=["terminal", "terminal without colour", "log", "quiet"],
)
def test_the_display_fits_the_stream(
    work: list[Planned], monkeypatch: pytest.MonkeyPatch, tty: bool, colour: bool, quiet: bool, kind: type
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: tty)
    monkeypatch.setattr(sys, "stderr", stream)
    with display(Console(stream, colour=colour), work, quiet=quiet) as shown:
        assert isinstance(shown, kind)
        for event in EVENTS:
            shown(event)
            shown.progress("a-t01", 0.5)
    assert bool(stream.getvalue()) == (not quiet)


def test_without_work_nothing_is_shown() -> None:
    stream = io.StringIO()
    with display(Console(stream), [], quiet=False) as shown:
        shown(EVENTS[0])
    assert stream.getvalue() == ""
