"""How an answer goes out: whole, or as a fault has it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from vidspec.sandbox import files
from vidspec.sandbox.twin import Answer

if TYPE_CHECKING:
    from vidspec.sandbox.faults import Fault
    from vidspec.sandbox.twin import Request, Twin

__all__ = ["HUGE", "NOT_DONE", "PAGE", "Delivery", "Manner", "befallen", "refused"]

Manner = Literal["whole", "late", "drop", "reset", "cut", "slow", "huge", "overstated"]

HUGE = 2 * 2**30
DEEP = 100_000
GARBAGE = 600

NOT_DONE = frozenset({"throttled", "overloaded", "broken", "redirect"})
"""The faults in whose place nothing is done."""

PAGE = (
    b"<!doctype html><html lang=en><title>Sign in</title><h1>Sign in to the network</h1>"
    b"<p>You are not connected to the Internet.</p></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An answer, and how it goes out.

    `seconds` is how long that takes: before the answer (`late`; None for ever), or from its first byte to its last
    (`slow`). `overstated` announces more than comes.
    """

    answer: Answer
    manner: Manner = "whole"
    seconds: float | None = 0.0

    @property
    def silent(self) -> bool:
        """Whether no answer comes at all."""
        return self.manner in ("drop", "reset") or (self.manner == "late" and self.seconds is None)


def refused(fault: Fault, twin: Twin, request: Request, *, stored: bool, elsewhere: str) -> Answer:
    """The answer of a fault in whose place nothing is done, in the words of whoever is asked.

    That is the object store where what is asked for is `stored`, else the twin. A redirect leads `elsewhere`.
    """
    if fault.fault == "redirect":
        return Answer(status=302, headers={"Location": elsewhere, "Content-Type": "text/plain"}, body=b"moved\n")
    if stored:
        return _store_refusal(fault)
    if fault.fault == "throttled":
        return twin.throttled(request, retry_after=fault.retry_after)
    return twin.overloaded(request) if fault.fault == "overloaded" else twin.broken(request)


def befallen(fault: Fault, answer: Answer, twin: Twin, request: Request, *, stored: bool, salt: str) -> Delivery:
    """What a fault makes of the answer to a request that was carried out. `salt` varies the rubbish."""
    kind = fault.fault
    if kind == "timed_out":
        late = files.refusal("RequestTimeout") if stored else twin.timed_out(request)
        return Delivery(answer=late, manner="late", seconds=fault.seconds)
    if kind in _REPLACED:
        return Delivery(answer=_replaced(kind, answer, salt))
    return Delivery(answer=answer, manner=_MANNERS[kind], seconds=fault.seconds)


_MANNERS: dict[str, Manner] = {
    "hang": "late",
    "drop": "drop",
    "reset": "reset",
    "cut": "cut",
    "slow": "slow",
    "huge": "huge",
    "wrong_length": "overstated",
}

_REPLACED = frozenset(
    ["garbage", "html", "empty", "nested", "link_expired", "truncated_download", "html_download", "empty_download"]
)


def _replaced(kind: str, answer: Answer, salt: str) -> Answer:
    good = replace(answer, status=200)
    if kind == "garbage":
        return replace(good, body=random.Random(salt).randbytes(GARBAGE))  # noqa: S311  (rubbish)
    if kind in ("html", "html_download"):
        return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=PAGE)
    if kind == "nested":
        return replace(good, body=b"[" * DEEP + b"]" * DEEP)
    if kind == "truncated_download":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    if kind == "link_expired":
        return files.refusal("AccessDenied")
    return replace(good, body=b"")


def _store_refusal(fault: Fault) -> Answer:
    if fault.fault == "throttled":
        after = {} if fault.retry_after is None else {"Retry_After": f"{fault.retry_after:g}"}
        return files.refusal("SlowDown", **after)
    return files.refusal("ServiceUnavailable" if fault.fault == "overloaded" else "InternalError")
