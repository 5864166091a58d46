"""What a twin is, and what it lives in.

A twin answers as a provider would: a synchronous function from a request to an answer, with a state that it
keeps. Time, chance, clips and limits come from its house, so that a twin is tested without a socket or a clock.
Everything here is written from the providers' documents and knows nothing of our adapters or tables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CallName = Literal["submit", "poll", "result", "download"]
Stage = Literal["queued", "running", "succeeded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as a twin sees it. `path` follows the twin's prefix: split at `/`, each segment decoded."""

    verb: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: status, headers and bytes, exactly as they go out."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **named},
        body=json.dumps(value, ensure_ascii=False).encode(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What a finished clip is to show: drawn by `animatic` from what the request really asked for.

    Pixels, frames a second, seconds. `pictures` are encoded pictures by part: `first_frame`, `last_frame`,
    `reference` (several). `camera` holds neutral moves.
    """

    prompt: str
    label: str
    width: int
    height: int
    duration: float
    fps: float = 24.0
    seed: int | None = None
    camera: Sequence[str] = ()
    pictures: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """An accepted request in a twin's books. Times are seconds on the house's clock.

    `accepted`, `begins` and `ends` say how it goes on by itself; the clip must have been drawn as well before it
    has succeeded. `error` is how it is to fail, in the twin's own words (None: it will succeed). `word` is a state
    of a fault's choosing that is reported instead of the true one; `appears` is when the task can first be found.
    `facts` is whatever the twin wants to remember. `changed` lists what was silently corrected, cut or ignored.
    """

    id: str
    provider: str
    model: str
    accepted: float
    begins: float
    ends: float
    appears: float = 0.0
    clip: Clip
    error: Mapping[str, Any] | None = None
    word: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


class House(Protocol):
    """What a twin lives in: time, chance, books, limits, clips and links. One house a provider."""

    base: str
    """The address of the sandbox without a slash at the end: `http://127.0.0.1:8807`."""

    def now(self) -> float:
        """Seconds on the clock of the sandbox."""

    def unix(self) -> int:
        """The time as a Unix timestamp, for fields that hold one."""

    def number(self, low: int, high: int) -> int:
        """A whole number by chance, both ends included; the same in every run of the same requests."""

    def word(self, length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
        """A text by chance, for ids."""

    def key_is_good(self, request: Request) -> bool:
        """Whether `Authorization: Bearer …` holds a key that this sandbox takes: any but one made to fail."""

    def may_submit(self, model: str) -> Literal["yes", "too fast", "too many"]:
        """Whether one more submit is within the limits now: so many a minute, so many unfinished at once."""

    def accept(self, task_id: str, model: str, clip: Clip, *, typical: tuple[float, float]) -> Task:
        """Open a task in the books, and have its clip drawn. `typical` bounds most render times, in seconds."""

    def task(self, task_id: str) -> Task | None:
        """A task that can be found by now."""

    def stage(self, task: Task) -> Stage:
        """How a task stands now."""

    def share(self, task: Task) -> int:
        """How much of a running task is done, in percent."""

    def size(self, task: Task) -> int:
        """The bytes of a finished task's clip."""

    def data(self, task: Task) -> bytes:
        """A finished task's clip."""

    def link(self, task: Task, *, life: float) -> str:
        """A signed address of the clip that lives for `life` seconds; asking again signs anew."""

    def note(self, task: Task | None, change: str) -> None:
        """Something was changed, cut or ignored in silence: the page shows it."""


class Twin(Protocol):
    """One provider's local twin."""

    name: str
    """As a shot list calls it."""

    prefix: str
    """The path under which it is served: `/siliconflow/v1`."""

    title: str

    def answer(self, request: Request) -> Answer:
        """Answer a request, and change the books as it asks. Must not raise, whatever the bytes are."""

    def call_of(self, request: Request) -> CallName | None:
        """Which call a request is, for faults that are aimed at one; None for a path that is not served."""

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:
        """Its own way of saying that there are too many requests."""

    def overloaded(self, request: Request) -> Answer:
        """Its own way of saying that it cannot now (503, or what it says instead)."""

    def broken(self, request: Request) -> Answer:
        """Its own way of failing inside (500, or what it says instead)."""

    def timed_out(self, request: Request) -> Answer:
        """Its own way of saying that something behind it took too long (504, or what it says instead)."""

    def moderated(self) -> Mapping[str, Any]:
        """The `error` of a task whose output is not to be shown."""

    def paths(self) -> Mapping[str, Any]:
        """Its part of the OpenAPI description: the `paths` object, keys with the prefix."""
