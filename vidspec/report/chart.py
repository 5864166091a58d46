"""Runs as charts: when each take waited, queued, rendered and came here, by provider, and what was spent by when.

Pure geometry. Times become percents of the width, so that the page can be as wide as it likes and its letters stay
letters; what must be a path has a box of 1,000 units that is drawn out to the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec.diagnostic import counted
from vidspec.runlog import PHASES
from vidspec.summary import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vidspec.runlog import Phase, RunTimes, TakeTimes

WORDS: dict[Phase, str] = {
    "held": "held for another take",
    "waiting": "waiting its turn",
    "queued": "queued",
    "rendering": "rendering",
    "downloading": "downloading",
}
_PAST: dict[Phase, str] = {
    "held": "held for another take",
    "waiting": "waited",
    "queued": "queued",
    "rendering": "rendered",
    "downloading": "downloaded",
}
_ENDINGS = {None: "the run ended first", "in_doubt": "in doubt"}

MOST_ROWS = 16
"""Takes of one provider that have rows of their own; more are folded into one picture, a line each."""

MOST_TABLE = 200
"""Takes of a run that its table lists."""

MOST_RUNS, MOST_TAKES = 10, 20_000
"""Runs that a page shows, and takes in all of them, but always the newest run."""

BOX = 1000
"""Units of a path's box."""

_MINUTES = (60, 120, 300, 600, 900, 1800)
_HOURS = (3600, 7200, 10800, 21600, 43200, 86400)
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 1, 2, 5, 10, 15, 30, *_MINUTES, *_HOURS)
_TICKS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of one take, in percents of the run."""

    phase: Phase
    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A take with a row of its own; `words` say what its bars show."""

    slate: str
    words: str
    bars: list[Bar]
    ending: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Many takes in one picture, a line of its box for each: for each phase one path."""

    count: int
    height: int
    paths: list[tuple[Phase, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The takes of one provider: each in a row, or all folded into one picture. `words` sum it up."""

    provider: str
    words: str
    rows: list[Row]
    folded: Folded | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was spent in one currency, as a path in a box of 1,000 by 100, and in all."""

    currency: str
    path: str
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """A line of the table: a take, its provider, its phases in words, and how it ended."""

    slate: str
    provider: str
    phases: list[str]
    ending: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One run."""

    id: str
    title: str
    words: str
    is_rehearsal: bool
    ticks: list[tuple[float, str]]
    lanes: list[Lane]
    lines: list[Line]
    unpriced: int
    table: list[Times]
    left_out: int

    @property
    def phases(self) -> list[tuple[Phase, str]]:
        """The phases that it shows, for a legend."""
        shown = {bar.phase for lane in self.lanes for row in lane.rows for bar in row.bars}
        shown |= {phase for lane in self.lanes if lane.folded for phase, _ in lane.folded.paths}
        return [(phase, WORDS[phase]) for phase in PHASES if phase in shown]


def charts(runs: Iterable[RunTimes]) -> list[Chart]:
    """The runs that a page shows, newest first."""
    found: list[Chart] = []
    takes = 0
    for run in sorted(runs, key=lambda run: run.started_at, reverse=True):
        takes += len(run.takes)
        if found and (len(found) >= MOST_RUNS or takes > MOST_TAKES):
            break
        found.append(_chart(run, f"run-{len(found) + 1}"))
    return found


def in_words(times: TakeTimes) -> str:
    """`waited 6.0 s, queued 18.2 s, rendered 1 min 50 s, downloaded 2.0 s`."""
    lengths = [(phase, times.seconds(phase)) for phase in PHASES]
    return ", ".join(f"{_PAST[phase]} {duration(seconds)}" for phase, seconds in lengths if seconds >= _SEEN)


_SEEN = 0.05
"""Seconds under which a phase is not worth a word."""


def _chart(run: RunTimes, name: str) -> Chart:
    whole = max(run.seconds, 0.001)
    lanes: dict[str, list[TakeTimes]] = {}
    for times in run.takes:
        lanes.setdefault(times.provider, []).append(times)
    words = [counted(len(run.takes), "take"), duration(run.seconds)]
    if not run.finished:
        words.append("it was stopped, or is going on")
    return Chart(
        id=name,
        title=f"{run.started_at:%Y-%m-%d %H:%M} UTC",
        words=", ".join(words),
        is_rehearsal=run.kind == "rehearsal",
        ticks=list(_ticks(whole)),
        lanes=[_lane(name, group, whole, run.slowed.get(name, 0)) for name, group in lanes.items()],
        lines=[_line(currency, steps, whole) for currency, steps in run.spending().items()],
        unpriced=run.unpriced,
        table=[_times(one) for one in run.takes[:MOST_TABLE]],
        left_out=max(0, len(run.takes) - MOST_TABLE),
    )


def _ticks(whole: float) -> Iterator[tuple[float, str]]:
    steps = (step for step in _STEPS if whole / step <= _TICKS and (step >= 1 or whole < 1))
    step = next(steps, _STEPS[-1] * -(-whole // (_TICKS * _STEPS[-1])))
    count = int(whole / step + 1e-9)
    for number in range(count + 1):
        yield round(100 * number * step / whole, 3), _clock(number * step)


def _clock(seconds: float) -> str:
    if 0 < seconds < 1:
        return f"{seconds:g} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    return f"{minutes}:{rest:02}"


def _lane(provider: str, takes: Sequence[TakeTimes], whole: float, slowed: int) -> Lane:
    ordered = sorted(takes, key=_begun)
    words = [counted(len(takes), "take")]
    words += [f"told to slow down {'once' if slowed == 1 else counted(slowed, 'time')}"] if slowed else []
    few = len(takes) <= MOST_ROWS
    return Lane(
        provider=provider or "no provider",
        words=", ".join(words),
        rows=[_row(one, whole) for one in ordered] if few else [],
        folded=None if few else _folded(ordered, whole),
    )


def _begun(times: TakeTimes) -> tuple[float, float]:
    """When anything was done for a take, and when it was over."""
    return next(
        (one.start for one in times.stretches if one.phase not in ("held", "waiting")), times.end
    ), times.end


def _row(times: TakeTimes, whole: float) -> Row:
    bars = [
        Bar(
            phase=one.phase,
            x=round(100 * one.start / whole, 3),
            width=round(100 * (one.end - one.start) / whole, 3),
            words=f"{WORDS[one.phase]}, {duration(one.end - one.start)}",
        )
        for one in times.stretches
    ]
    return Row(slate=times.slate, words=_said(times), bars=bars, ending=times.ending)


def _said(times: TakeTimes) -> str:
    ending = _ENDINGS.get(times.ending, times.ending)
    return "; ".join(filter(None, (in_words(times), f"{ending}: {times.reason}" if times.reason else ending)))


def _folded(takes: Sequence[TakeTimes], whole: float) -> Folded:
    paths: dict[Phase, list[str]] = {}
    for number, times in enumerate(takes):
        for one in times.stretches:
            x, width = BOX * one.start / whole, BOX * (one.end - one.start) / whole
            paths.setdefault(one.phase, []).append(f"M{x:.1f} {number}h{width:.1f}v1h-{width:.1f}z")
    return Folded(
        count=len(takes),
        height=min(320, max(80, 3 * len(takes))),
        paths=[(phase, "".join(paths[phase])) for phase in PHASES if phase in paths],
    )


def _line(currency: str, steps: Sequence[tuple[float, float]], whole: float) -> Line:
    most = steps[-1][1]
    path = "M0 100" + "".join(f"H{BOX * time / whole:.1f}V{100 - 100 * total / most:.1f}" for time, total in steps)
    return Line(currency=currency, path=f"{path}H{BOX}", total=f"{most:.2f} {currency}")


def _times(times: TakeTimes) -> Times:
    lengths = [times.seconds(phase) for phase in PHASES]
    ending = _ENDINGS.get(times.ending) or str(times.ending)
    return Times(
        slate=times.slate,
        provider=times.provider,
        phases=[duration(seconds) if seconds >= _SEEN else "" for seconds in lengths],
        ending=f"{ending}: {times.reason}" if times.reason else ending,
    )
