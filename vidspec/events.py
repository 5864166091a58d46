"""What happens in a run, as records: for programs as JSON lines, for people through `progress`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from typing import TextIO

Kind = Literal[
    "run_started",
    "submitted",
    "state",
    "throttled",
    "retry",
    "downloaded",
    "failed",
    "blocked",
    "in_doubt",
    "run_finished",
]


Report = Callable[[int, int], None]
"""Told how far something is: done, of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, `time` seconds after the run began."""

    event: Kind
    time: float
    slate: str | None = None
    provider: str | None = None
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def value(self) -> dict[str, Any]:
        """The event as it is printed, without what is not known."""
        known = {"slate": self.slate, "provider": self.provider, "request_id": self.request_id}
        present = {key: value for key, value in known.items() if value is not None}
        return {"event": self.event, "time": round(self.time, 3), **present, **self.details}


@dataclass(slots=True)
class Tally:
    """How the takes of a run ended, by slate, and what it came to.

    `accepted` are those that a provider took on in this run, which is what is paid for; `queued` says how many
    seconds takes that were ready waited for a free slot of their provider; `amiss` names clips that are not
    what was asked for; `blames` says whose turn it is where takes have failed, in the words of `errors`;
    `under_way` are takes that their providers still have when the run ends: any later run may fetch them, free.
    `stuck` says how takes stood that the run could do nothing about: failed before, in doubt, or blocked by such.
    `again` names takes that were rendered again just as before: whether the same bytes came out. `standing` counts
    the selected takes that the run had nothing to do for, since their clips were there already.
    """

    rendered: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    in_doubt: dict[str, str] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    queued: dict[str, float] = field(default_factory=dict)
    amiss: dict[str, str] = field(default_factory=dict)
    blames: dict[str, str] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)
    again: dict[str, bool] = field(default_factory=dict)
    standing: int = 0
    seconds: float = 0.0

    @property
    def wrong(self) -> bool:
        """Whether a take of this run did not end well."""
        return bool(self.failed or self.blocked or self.in_doubt)

    def value(self) -> dict[str, Any]:
        """The totals of `run_finished`: what was kept is counted whether or not the run had to look, what was stuck
        before it began apart from what went wrong in it.
        """
        stuck = Counter(self.stuck.values())
        return {
            "rendered": len(self.rendered),
            "restored": len(self.restored),
            "collected": len(self.collected),
            "kept": len(self.kept) + self.standing,
            "failed": len(self.failed),
            "blocked": len(self.blocked),
            "in_doubt": len(self.in_doubt),
            "accepted": len(self.accepted),
            "stuck": {state: stuck[state] for state in ("failed", "blocked", "in_doubt")},
        }


@dataclass(slots=True, kw_only=True)
class Limits:
    """What a provider's limits did to a run: seconds that submits waited for the rate, and how often it said no."""

    waited: float = 0.0
    throttled: int = 0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run came to; `limits` by provider."""

    tally: Tally = field(default_factory=Tally)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    interrupted: bool = False


class Listener(Protocol):
    """Somebody who is told of every event, in order. Must not wait."""

    def __call__(self, event: Event, /) -> None:
        """Take note of an event."""


def json_lines(stream: TextIO) -> Listener:
    """A listener that writes every event as a line of JSON, at once."""

    def write(event: Event, /) -> None:
        value = event.value()
        try:
            stream.write(json.dumps(value, ensure_ascii=False) + "\n")
        except UnicodeEncodeError:  # the stream cannot say it as it is
            stream.write(json.dumps(value) + "\n")
        stream.flush()

    return write
