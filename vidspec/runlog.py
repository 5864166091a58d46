"""The log of a run: its events as lines of JSON, kept on this machine, and what they say of each take's time.

Nothing depends on it: where it cannot be written a run goes on, and what cannot be read of it is left out. It
holds what `render --json` prints, and of every take the price, so that spending can be told too. There is no prompt
in it, no link and no key.
"""

from __future__ import annotations

import json
import math
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from vidspec.events import Event, Listener
    from vidspec.planned import Planned

VERSION = 1
KEPT = 20
"""Runs of one list whose logs are kept; older ones are removed when a new run begins."""

MOST_BYTES = 2**26
"""Bytes of one log; what would come after is left out, and is not read either."""

Kind = Literal["render", "rehearsal"]
Phase = Literal["held", "waiting", "queued", "rendering", "downloading"]
"""Held for takes that it needs; waiting for its turn; queued and rendering at its provider; on its way here."""

PHASES: tuple[Phase, ...] = ("held", "waiting", "queued", "rendering", "downloading")

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z\.jsonl")
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
_ENDINGS = frozenset({"downloaded", "failed", "blocked", "in_doubt"})
_TOLD = _ENDINGS | {"submitted"}
_STATES = ("begun", "queued", "running", "succeeded", "kept")
"""States that say how a take spends its time; `begun` is when one that is only collected has waited its turn."""


def folder_of(state: Path, stem: str) -> Path:
    """The logs of the list called `stem`, in the state folder of a kind of run."""
    return state / "runs" / stem


# --- writing -----------------------------------------------------------------------------------------------


@contextmanager
def kept(
    folder: Path,
    work: Iterable[Planned],
    listener: Listener,
    *,
    kind: Kind = "render",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Listener]:
    """A listener that keeps every event in a new log, as long as the block runs, and passes it on to `listener`.

    The log begins with the first `run_started`. That it cannot be written is no fault.
    """
    log = _Log(folder, {one.slate: _facts(one) for one in work}, kind, now)

    def hear(event: Event, /) -> None:
        with suppress(OSError, ValueError, TypeError):
            log.note(event)
        listener(event)

    try:
        yield hear
    finally:
        with suppress(OSError):
            log.close()


class _Log:
    def __init__(self, folder: Path, takes: Mapping[str, Any], kind: Kind, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._takes = takes
        self._kind = kind
        self._now = now
        self._descriptor = -1
        self._left = MOST_BYTES

    def note(self, event: Event) -> None:
        if event.event == "run_started" and self._descriptor < 0:
            self._open()
        if self._descriptor >= 0:
            self._write(event.value())

    def _open(self) -> None:
        """Begin the log, and make room for it."""
        moment = self._now().astimezone(UTC)
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in _logs(self._folder)[KEPT - 1 :]:
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._folder / f"{moment:{_STAMP}}.jsonl", flags, 0o666)
        head = {"vidspec_run": VERSION, "started_at": f"{moment:{_MOMENT}}", "kind": self._kind}
        self._write({**head, "takes": self._takes})

    def _write(self, value: Any) -> None:
        data = f"{json.dumps(value, ensure_ascii=False, separators=(',', ':'), default=str)}\n".encode()
        self._left -= len(data)
        if self._left >= 0:
            os.write(self._descriptor, data)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _facts(planned: Planned) -> dict[str, Any]:
    """What a log knows of a take from the beginning; a price only where its submit would be paid."""
    cost = planned.cost if planned.pays else None
    return {
        "provider": planned.provider,
        "model": planned.take.model,
        "action": planned.action,
        **({"needs": list(planned.take.needs)} if planned.take.needs else {}),
        **({"cost": {"amount": cost.amount, "currency": cost.currency, "basis": cost.basis}} if cost else {}),
    }


# --- reading -----------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """A part of a take's time; seconds from the beginning of the run."""

    phase: Phase
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTimes:
    """A take in one run: how it spent its time, one stretch after the other.

    `ending` is `done`, `restored`, `kept`, `failed`, `blocked`, `in_doubt`, or None where the run ended before it.
    """

    slate: str
    provider: str
    model: str
    stretches: tuple[Stretch, ...]
    ending: str | None
    reason: str | None = None

    @property
    def end(self) -> float:
        """When it ended, or the run did; 0 where nothing was done for it."""
        return self.stretches[-1].end if self.stretches else 0.0

    def seconds(self, phase: Phase) -> float:
        """How long it was in one phase."""
        return sum(one.end - one.start for one in self.stretches if one.phase == phase)


class Payment(NamedTuple):
    """A submit that was accepted: when, and its price as planned; None where nobody knows it."""

    time: float
    amount: float | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimes:
    """One run, as its log has it. `finished` is False where it was killed, or is going on.

    `slowed` counts by provider how often it said to slow down.
    """

    name: str
    started_at: datetime
    kind: Kind
    seconds: float
    finished: bool
    takes: tuple[TakeTimes, ...]
    payments: tuple[Payment, ...]
    slowed: Mapping[str, int]

    def spending(self) -> dict[str, list[tuple[float, float]]]:
        """By currency, the moments at which something was spent, and what it came to by then."""
        found: dict[str, list[tuple[float, float]]] = {}
        for time, amount, currency in self.payments:
            if amount and currency:
                steps = found.setdefault(currency, [])
                steps.append((time, round(amount + (steps[-1][1] if steps else 0.0), 6)))
        return found

    @property
    def unpriced(self) -> int:
        """How many submits nobody knows the price of."""
        return sum(1 for one in self.payments if one.amount is None)


def runs(folder: Path) -> list[RunTimes]:
    """The runs of a folder that can be read, newest first."""
    return [found for path in _logs(folder) if (found := read(path)) is not None]


def read(path: Path) -> RunTimes | None:
    """What a log says; None where it is none. What nobody can make out in it is passed over."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).split(b"\n")
    except OSError:
        return None
    values = [value for line in lines if isinstance(value := _parsed(line), dict)]
    if not values or values[0].get("vidspec_run") != VERSION:
        return None
    moment = _moment(values[0].get("started_at"))
    if moment is None:
        return None
    told = _Told(values[0])
    for value in values[1:]:
        told.hear(value)
    return told.run(path.stem, moment, "rehearsal" if values[0].get("kind") == "rehearsal" else "render")


def _logs(folder: Path) -> list[Path]:
    """The logs of a folder, newest first."""
    try:
        names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]  # noqa: PTH208  (names, not paths)
    except OSError:
        return []
    return [folder / name for name in sorted(names, reverse=True)]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.strptime(str(text), _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(value: Any) -> float | None:
    """A number that can be a time or an amount."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST and math.isfinite(value) else None


_MOST = 1e9


@dataclass(slots=True)
class _Story:
    """What was heard of one take: when each thing happened first."""

    facts: dict[str, Any]
    provider: str
    marks: dict[str, float] = field(default_factory=dict)
    ending: str | None = None
    reason: str | None = None

    def stretches(self, held_until: float, over: float) -> tuple[Stretch, ...]:
        """The time from the beginning of the run until the take or the run ended, in phases."""
        end = min(self.marks.get("ended", over), over)
        found: list[Stretch] = []
        start = 0.0
        for phase, until in self._changes(held_until, end):
            until = min(max(until, start), end)
            if until > start:
                found.append(Stretch(phase, start, until))
            start = until
        return tuple(found)

    def _changes(self, held_until: float, end: float) -> Iterator[tuple[Phase, float]]:
        """Each phase with when it was over. What was seen neither to queue nor to run was running."""
        marks = self.marks
        yield "held", held_until
        if "submitted" not in marks and self.facts.get("action") != "collect":
            yield "waiting", end
            return
        yield "waiting", marks.get("submitted", marks.get("begun", held_until))
        if "queued" in marks:
            yield "queued", marks.get("running", marks["queued"] if "succeeded" in marks else end)
        yield "rendering", marks.get("succeeded", end)
        yield "downloading", end


class _Told:
    """The lines of a log, as they come."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self._stories: dict[str, _Story] = {}
        takes = head.get("takes")
        for slate, facts in takes.items() if isinstance(takes, dict) else ():
            known = facts if isinstance(facts, dict) else {}
            self._stories[slate] = _Story(known, _text(known.get("provider")) or "")
        self._payments: list[Payment] = []
        self._slowed: dict[str, int] = {}
        self._last = 0.0
        self._finished = False

    def hear(self, value: Mapping[str, Any]) -> None:
        """Take note of an event, if it is one."""
        time, kind = _seconds(value.get("time")), _text(value.get("event"))
        if time is None or kind is None:
            return
        self._last = max(self._last, time)
        self._finished = self._finished or kind == "run_finished"
        slate = _text(value.get("slate"))
        if kind == "throttled":
            provider = _text(value.get("provider")) or ""
            self._slowed[provider] = self._slowed.get(provider, 0) + 1
        if slate is not None and (kind in _TOLD or (kind == "state" and value.get("state") in _STATES)):
            self._hear_of(self._story(slate, value), kind, time, value)

    def _story(self, slate: str, value: Mapping[str, Any]) -> _Story:
        """A take that the head does not know is one that the list no longer has: it is collected."""
        unknown = _Story({"action": "collect"}, _text(value.get("provider")) or "")
        return self._stories.setdefault(slate, unknown)

    def _hear_of(self, story: _Story, kind: str, time: float, value: Mapping[str, Any]) -> None:
        state = _text(value.get("state"))
        mark = state if kind == "state" else kind
        if kind == "submitted" and value.get("request_id") is not None and "submitted" not in story.marks:
            self._payments.append(_payment(story.facts.get("cost"), time))
        if kind in _ENDINGS or state == "kept":
            word = "restored" if value.get("restored") else "done"
            story.ending = word if kind == "downloaded" else mark
            story.reason = _text(value.get("reason"))
            mark = "ended"
        if mark is not None:
            story.marks.setdefault(mark, time)

    def run(self, name: str, moment: datetime, kind: Kind) -> RunTimes:
        """All that was heard."""
        return RunTimes(
            name=name,
            started_at=moment,
            kind=kind,
            seconds=self._last,
            finished=self._finished,
            takes=tuple(self._times(slate, story) for slate, story in self._stories.items()),
            payments=tuple(self._payments),
            slowed=self._slowed,
        )

    def _times(self, slate: str, story: _Story) -> TakeTimes:
        return TakeTimes(
            slate=slate,
            provider=story.provider,
            model=_text(story.facts.get("model")) or "",
            stretches=story.stretches(self._held_until(story), self._last),
            ending=story.ending,
            reason=story.reason,
        )

    def _held_until(self, story: _Story) -> float:
        """When the last of the takes that it needs was there; those that this run had no work with were before."""
        needs = story.facts.get("needs")
        names = [name for name in needs if isinstance(name, str)] if isinstance(needs, list) else []
        needed = [self._stories[name] for name in names if name in self._stories]
        return max((one.marks.get("ended", self._last) for one in needed), default=0.0)


def _payment(cost: Any, time: float) -> Payment:
    known = cost if isinstance(cost, dict) else {}
    amount, currency = _seconds(known.get("amount")), _text(known.get("currency"))
    return Payment(time, amount if currency else None, currency if amount is not None else None)
