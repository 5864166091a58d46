from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console as RichConsole

from vidspec import progress
from vidspec.console import Console
from vidspec.events import Event
from vidspec.progress import Bars, Lines, Silence, display
from vidspec.project import open_lists

if TYPE_CHECKING:
    from vidspec.planned import Planned

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


def test_a_log_gets_totals_at_most_once_a_minute_of_the_run(work: list[Planned]) -> None:
    stream = io.StringIO()
    shown = Lines(Console(stream), work)
    for at, kind, slate in (
        (0.0, "submitted", "a-t01"),
        (5.0, "submitted", "b-t01"),
        (65.0, "downloaded", "a-t01"),
        (66.0, "submitted", "c-t01"),
        (124.0, "submitted", "d-t01"),
        (125.0, "failed", "b-t01"),
        (300.0, "downloaded", "c-t01"),
        (400.0, "downloaded", "d-t01"),
        (500.0, "downloaded", "e-t01"),
    ):
        details = {"path": "x.mp4", "reason": "no"}
        shown(Event(event=kind, time=at, slate=slate, provider="animatic", details=details))  # type: ignore[arg-type]
    totals = [line.strip() for line in stream.getvalue().splitlines() if not line.startswith("[")]
    assert totals == [
        "after 60 s: 1 being drawn, 3 waiting; about 2 min left",
        "after 2 min: 2 being drawn, 1 waiting, 1 failed; about 60 s left",
        "after 5 min: 1 being drawn, 1 waiting, 1 failed; about 2 min left",
        "after 7 min: 1 waiting, 1 failed; about 3 min left",
    ]


def _seen(bars: Bars) -> list[str]:
    """What is to be seen, without colour and bars."""
    console = RichConsole(file=io.StringIO(), width=100, color_system=None)
    console.print(bars)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [re.sub(r"\s*[━╸╺]+\s*", " | ", line).rstrip() for line in lines]


def _bars(work: list[Planned], clock: Callable[[], float] = lambda: 0.0) -> tuple[Bars, io.StringIO]:
    stream = io.StringIO()
    return Bars(work, RichConsole(file=stream, width=100), clock=clock), stream


def test_the_bars_say_how_every_provider_and_take_stands_and_the_totals(work: list[Planned]) -> None:
    shown, _ = _bars(work)
    sent: dict[str, Any] = {"slate": "a-t01", "provider": "animatic", "request_id": "r"}
    shown(Event(event="submitted", time=0, **sent))
    shown(Event(event="submitted", time=0, **{**sent, "slate": "b-t01"}))
    shown(Event(event="state", time=30, details={"state": "running"}, **sent))
    shown.progress("a-t01", 0.5)
    shown.progress("never heard of", 0.5)
    shown(Event(event="failed", time=61, details={"reason": "no"}, **{**sent, "slate": "b-t01"}))
    throttled = {"wait": 20.0, "reason": "too fast", "call": "submit"}
    shown(Event(event="throttled", time=65, details=throttled, **{**sent, "slate": "c-t01"}))
    assert _seen(shown) == [
        "animatic | 1/5  1 in flight, 3 waiting, 1 failed; told to wait 20 s",
        "  a-t01 | 50%  running",
        "1 of 5 after 1:05",
    ]


def test_the_bars_go_on_between_two_events(work: list[Planned]) -> None:
    now = [7.0]
    shown, _ = _bars(work, lambda: now[0])
    throttled = {"wait": 20.0, "reason": "too fast", "call": "submit"}
    shown(Event(event="throttled", time=60, slate="a-t01", provider="animatic", details=throttled))
    seen = []
    for passed in (0.0, 5.0, 25.0, -9.0):
        now[0] = 7.0 + passed
        seen.append([line.rpartition("; ")[2] for line in _seen(shown)])
    assert [lines[-1] for lines in seen] == [f"0 of 5 after {at}" for at in ("1:00", "1:05", "1:25", "1:00")]
    assert [lines[0].partition(" wait ")[2] for lines in seen] == ["20 s", "15 s", "", "20 s"]


@pytest.mark.parametrize(
    ("details", "word"),
    [({"state": "queued"}, "queued"), ({"state": "succeeded"}, "downloading"), ({"state": "unknown"}, "unknown")],
    ids=["queued", "succeeded", "unknown"],
)
def test_a_take_stands_as_its_provider_says(work: list[Planned], details: dict[str, str], word: str) -> None:
    shown, _ = _bars(work)
    shown(Event(event="submitted", time=0, slate="a-t01", provider="animatic"))
    assert _seen(shown)[1].split() == ["a-t01", "being", "drawn"]
    shown(Event(event="state", time=1, slate="a-t01", provider="animatic", details={"word": "?", **details}))
    assert _seen(shown)[1].split() == ["a-t01", word]


def test_bars_count_every_take_that_ends(work: list[Planned]) -> None:
    shown, stream = _bars(work)
    for event in EVENTS:
        shown(event)
        shown.progress("b-t01", 0.5)
    assert _seen(shown) == ["animatic | 5/5  1 failed, 1 blocked", "5 of 5 after 0:03"]
    assert "b-t01  failed: [red]disk[/] full" in stream.getvalue()


def test_the_same_trouble_is_said_once_for_each_provider(work: list[Planned]) -> None:
    shown, stream = _bars(work)
    for number in range(9):
        details = {"reason": f"HTTP 503: no channel is free (request {number})", "wait": 0.0, "call": "poll"}
        for provider in ("leapx", "nebula"):
            shown(Event(event="retry", time=0, slate=f"{provider}-{number}", provider=provider, details=details))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["leapx-0", "nebula-0"]


def test_many_takes_at_once_are_not_all_drawn(work: list[Planned]) -> None:
    many = [replace(work[0], take=replace(work[0].take, slate=f"x-t{number:05}")) for number in range(10_000)]
    shown, _ = _bars(many)
    for one in many[:20]:
        shown(Event(event="submitted", time=0, slate=one.slate, provider="animatic"))
    assert [line.strip() for line in _seen(shown)] == [
        f"animatic{' ' * 22}0/10000  20 being drawn, 9980 waiting",
        *(f"x-t{number:05}{' ' * 29}being drawn" for number in range(8)),
        "0 of 10000 after 0:00",
    ]
    shown(Event(event="failed", time=1, slate="x-t00003", provider="animatic", details={"reason": "x"}))
    assert "x-t00008" in _seen(shown)[-2]


def test_what_a_terminal_cannot_say_is_escaped(work: list[Planned]) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stream:
        console = RichConsole(file=stream, width=16)
        shown = Bars(work, console)
        shown.note("夜渡")
        console.print(shown)
        stream.flush()
        assert raw.getvalue().split() == rb"\u591c\u6e21 animatic 0 of 5 after 0:0".split()


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


def test_bars_are_drawn_anew_while_nothing_happens_and_go_when_it_is_over(
    work: list[Planned], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_REFRESHES", 1000)
    monkeypatch.setenv("TERM", "xterm")
    ticks = iter(range(10_000))
    with display(Console(stream, colour=True), work, quiet=False, clock=lambda: float(next(ticks))):
        until = time.monotonic() + 10
        while "after 0:03" not in stream.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert "after 0:03" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_without_work_nothing_is_shown() -> None:
    stream = io.StringIO()
    with display(Console(stream), [], quiet=False) as shown:
        shown(EVENTS[0])
    assert stream.getvalue() == ""
