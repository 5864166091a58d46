"""What can go wrong on demand: the kinds of faults, and what one entry of a fault file says.

`fault_file` reads such files, and `drill` has the faults happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidspec.sandbox.timing import LIMITS

__all__ = ["EVERY", "FAULTS", "ON_TASKS", "Fault", "Kind", "fault"]

API = ("submit", "poll", "result")
EVERY = (*API, "download")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault is. `calls` are those that it fits; `parameters` have a default, None for none or ever."""

    calls: tuple[str, ...]
    says: str
    parameters: tuple[tuple[str, float | str | None], ...] = ()


FAULTS: dict[str, Kind] = {
    "throttled": Kind(EVERY, "too many requests; nothing is done", (("retry_after", None),)),
    "overloaded": Kind(EVERY, "it cannot now; nothing is done"),
    "broken": Kind(EVERY, "it fails inside; nothing is done"),
    "timed_out": Kind(EVERY, "the request is carried out, and a time-out is the answer", (("seconds", 0.0),)),
    "hang": Kind(EVERY, "the request is carried out, and the answer comes late or never", (("seconds", None),)),
    "drop": Kind(EVERY, "the request is carried out, and the connection closed without an answer"),
    "reset": Kind(EVERY, "the request is carried out, and the connection reset"),
    "cut": Kind(EVERY, "the connection closes in the middle of the answer"),
    "slow": Kind(EVERY, "the answer trickles in", (("seconds", 10.0),)),
    "redirect": Kind(EVERY, "another host is named, with status 302; only a download can be had there"),
    "garbage": Kind(EVERY, "the request is carried out, and the answer is random bytes"),
    "huge": Kind(EVERY, "the request is carried out, and the answer is two gigabytes long"),
    "html": Kind(API, "the request is carried out, and the answer is a page for people"),
    "empty": Kind(API, "the request is carried out, and the answer has no body"),
    "nested": Kind(API, "the request is carried out, and the answer is JSON nested 100,000 deep"),
    "moderation": Kind(("submit",), "the task is accepted, and fails for what it would show"),
    "unknown_state": Kind(
        ("submit",), "the task reports a state that no document names", (("seconds", None), ("word", "ARCHIVING"))
    ),
    "late_row": Kind(("submit",), "the task is accepted, and cannot be found at first", (("seconds", 10.0),)),
    "link_expired": Kind(("download",), "the link is refused as if it had expired"),
    "truncated_download": Kind(("download",), "only half of the clip comes, as if that were all of it"),
    "html_download": Kind(("download",), "a page for people comes in place of the clip"),
    "empty_download": Kind(("download",), "the clip has no bytes"),
    "wrong_length": Kind(("download",), "a greater length is announced than comes"),
}

ON_TASKS = frozenset({"moderation", "unknown_state", "late_row"})
"""The faults that befall an accepted task, not an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry. It holds for every matching call from the `first` on, `times` times (None: always); with a
    `chance`, for every matching call with that probability. `after` and `seconds` are seconds.

    `place` is where it is written, as `file:line`.
    """

    fault: str
    providers: tuple[str, ...] = tuple(LIMITS)
    calls: tuple[str, ...]
    model: str | None = None
    first: int = 1
    times: int | None = 1
    chance: float | None = None
    after: float = 0.0
    retry_after: float | None = None
    seconds: float | None = None
    word: str | None = None
    place: str = ""


def fault(kind: str, **given: Any) -> Fault:
    """A fault with the defaults of its kind: the calls that it fits, and its parameters."""
    known = FAULTS[kind]
    return Fault(fault=kind, **{"calls": known.calls, **dict(known.parameters), **given})
