"""What a twin lives in: its books, its limits, its chance and its clips."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vidspec.sandbox.films import fitted
from vidspec.sandbox.timing import Limits, Schedule, Window
from vidspec.sandbox.twin import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidspec.sandbox.films import Film, FilmStore
    from vidspec.sandbox.links import Links
    from vidspec.sandbox.twin import Clip, Request, Stage

__all__ = ["EPOCH", "LocalHouse", "Seen"]

EPOCH = 1_767_225_600
"""2026-01-01 in UTC: the date in a sandbox that was given none."""

NO = ("too fast", "too many")


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a twin touched while it answered one request: the last task, and what was changed in silence."""

    task: Task | None = None
    changed: list[str] = field(default_factory=list)


class LocalHouse:
    """One provider's house in this process. `clock` tells the seconds since the sandbox opened.

    `on_accept` is called with every task that is accepted, before the twin hears of it: that is how faults reach
    tasks. The same requests in the same order have the same ids and times in every run with the same `seed`.
    """

    def __init__(
        self,
        provider: str,
        *,
        base: str,
        clock: Callable[[], float],
        films: FilmStore,
        links: Links,
        limits: Limits,
        seed: int = 0,
        epoch: int = EPOCH,
    ) -> None:
        self.base = base
        self.provider = provider
        self.limits = limits
        self.said_no: Counter[str] = Counter(dict.fromkeys(NO, 0))
        self.tasks: dict[str, Task] = {}
        self.on_accept: Callable[[Task], None] = lambda _task: None
        self._clock = clock
        self._epoch = epoch
        self._films = films
        self._links = links
        self._chance = random.Random(f"{seed}|{provider}")  # noqa: S311  (ids of a sandbox, not secrets)
        self._schedule = Schedule(provider, limits.slots)
        self._submits: dict[str, Window] = {}
        self._unfinished: list[Task] = []
        self._film: dict[str, Film] = {}
        self._differs: dict[str, tuple[str, ...]] = {}
        self._tokens: dict[str, Task] = {}
        self._words: dict[str, float] = {}
        self._seen = Seen()

    # --- time and chance ---------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the sandbox opened."""
        return self._clock()

    def unix(self) -> int:
        """The time as a Unix timestamp."""
        return int(self._epoch + self._clock())

    def number(self, low: int, high: int) -> int:
        """A whole number by chance, both ends included."""
        return self._chance.randint(low, high)

    def word(self, length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
        """A text by chance."""
        return "".join(self._chance.choices(alphabet, k=length))

    # --- keys and limits ---------------------------------------------------------------------------------------

    def key_is_good(self, request: Request) -> bool:
        """Whether the request holds a bearer token; one that begins with `bad` is refused, for tests of that."""
        value = next((text for name, text in request.headers.items() if name.lower() == "authorization"), "")
        scheme, _, key = value.partition(" ")
        return scheme.lower() == "bearer" and bool(key.strip()) and not key.strip().startswith("bad")

    def may_submit(self, model: str) -> Literal["yes", "too fast", "too many"]:
        """Whether one more submit is within the limits: those of the account, or of the model alone."""
        fast, many = self.limits.per_minute, self.limits.in_flight
        window = self._window(model)
        if fast is not None and window.count(self.now()) >= fast:
            self.said_no["too fast"] += 1
            return "too fast"
        unfinished = [task for task in self.unfinished() if not self.limits.per_model or task.model == model]
        if many is not None and len(unfinished) >= many:
            self.said_no["too many"] += 1
            return "too many"
        return "yes"

    def unfinished(self) -> list[Task]:
        """The tasks that are queued or running."""
        self._unfinished = [task for task in self._unfinished if self.stage(task) in ("queued", "running")]
        return self._unfinished

    def _window(self, model: str) -> Window:
        return self._submits.setdefault(model if self.limits.per_model else "", Window())

    def submits_this_minute(self) -> int:
        """How many submits were accepted in the last 60 seconds."""
        return sum(window.count(self.now()) for window in self._submits.values())

    # --- the books ---------------------------------------------------------------------------------------------

    def accept(self, task_id: str, model: str, clip: Clip, *, typical: tuple[float, float]) -> Task:
        """Open a task, and have its clip drawn, as near to what was asked as can be drawn."""
        now = self.now()
        begins, ends = self._schedule.span(model, now, typical)
        clip, differs = fitted(clip)
        task = Task(
            id=task_id, provider=self.provider, model=model, accepted=now, begins=begins, ends=ends, clip=clip
        )
        self.tasks[task_id] = task
        self._film[task_id] = self._films.order(clip)
        self._tokens[self._links.token(self.provider, task_id)] = task
        self._window(model).add(now)
        self._unfinished.append(task)
        self._differs[task_id] = tuple(differs)
        self._seen.task = task
        self.on_accept(task)
        return task

    def task(self, task_id: str) -> Task | None:
        """A task that can be found by now."""
        task = self.tasks.get(task_id)
        if task is None or self.now() < task.appears:
            return None
        self._seen.task = task
        if task.word is not None and self.now() >= self._words.get(task_id, math.inf):
            task.word = None
        return task

    def say(self, task: Task, word: str, until: float | None) -> None:
        """Have a task report a state of our own choosing, until a time or for good."""
        task.word = word
        if until is not None:
            self._words[task.id] = until

    def stage(self, task: Task) -> Stage:
        """How a task stands; one that is over but not yet drawn is still running."""
        now = self.now()
        if now < task.begins:
            return "queued"
        if now < task.ends:
            return "running"
        if task.error is not None:
            return "failed"
        return "succeeded" if self._film[task.id].ready else "running"

    def share(self, task: Task) -> int:
        """How much is done, in percent: below 100 until the task has succeeded."""
        stage = self.stage(task)
        if stage in ("queued", "succeeded"):
            return 0 if stage == "queued" else 100
        done = (self.now() - task.begins) / max(task.ends - task.begins, 0.001)
        return min(99, int(100 * done))

    def note(self, task: Task | None, change: str) -> None:
        """Something was changed, cut or ignored in silence."""
        self._seen.changed.append(change)
        if task is not None:
            task.changed.append(change)

    # --- clips -------------------------------------------------------------------------------------------------

    def remarks(self, task: Task) -> tuple[str, ...]:
        """How a task's clip had to be drawn otherwise than asked; all of it is known once it has been."""
        return (*self._differs[task.id], *self._film[task.id].remarks)

    def size(self, task: Task) -> int:
        """The bytes of a finished task's clip; 0 for one that has none."""
        return self._film[task.id].size or 0

    def data(self, task: Task) -> bytes:
        """A finished task's clip; nothing for one that has none."""
        film = self._film[task.id]
        return film.data() if film.ready else b""

    def link(self, task: Task, *, life: float) -> str:
        """A signed address of the clip that lives for `life` seconds."""
        return self._links.link(self.provider, self._links.token(self.provider, task.id), life)

    def task_of_token(self, token: str) -> Task | None:
        """The task whose clip stands under a token, once it has succeeded."""
        task = self._tokens.get(token)
        return task if task is not None and self.stage(task) == "succeeded" else None

    # --- what is seen from outside ----------------------------------------------------------------------------

    def seen(self) -> Seen:
        """What was touched since this was last asked."""
        seen, self._seen = self._seen, Seen()
        return seen
