"""What the gateway asks of each of its families of models, and how a task looks to a family."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vidspec.sandbox.fields import Fields
    from vidspec.sandbox.pictures import Given, Limits
    from vidspec.sandbox.twin import Clip, House, Stage, Task

__all__ = ["DAY", "HOUR", "MEGABYTE", "MODERATED", "Family", "Order", "Sight", "drawn", "picture_fault", "scalar"]

HOUR = 3600.0
DAY = 24 * HOUR
MEGABYTE = 10**6
MODERATED = "content_policy_violation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a body comes to: an id, a clip, bounds of the render time in seconds, and how it is to fail, if so.

    `facts` are for the task's books. `changed` is what the real one changes without a word.
    """

    task_id: str
    clip: Clip
    typical: tuple[float, float]
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    changed: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A task as the gateway's books have it by now, which may lag behind. `keeps`: a link is signed only once."""

    house: House
    task: Task
    stage: Stage
    share: int
    keeps: bool = False

    @property
    def reason(self) -> tuple[str, str]:
        """The code and the message of a failure."""
        error = self.task.error or {}
        return str(error.get("code", "internal_error")), str(error.get("message", "the video could not be made"))

    @property
    def done(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in ("succeeded", "failed")

    def unix(self, moment: float) -> int:
        """A moment of the house's clock as a Unix timestamp."""
        return int(self.task.facts["unix"]) + math.floor(moment) - math.floor(self.task.accepted)

    def link(self, *, life: float) -> str:
        """The address of the clip: signed anew, or as it was signed first. `life` is in seconds."""
        if not self.keeps:
            return self.house.link(self.task, life=life)
        kept = f"link for {life:g} s"
        if kept not in self.task.facts:
            self.task.facts[kept] = self.house.link(self.task, life=life)
        return str(self.task.facts[kept])

    def answer(self, status: str, **more: object) -> dict[str, Any]:
        """The generic answer to a query."""
        return {"task_id": self.task.id, "status": status, "format": "mp4", **more}


class Family(Protocol):
    """Models that share their fields, ids and answers."""

    @property
    def models(self) -> Collection[str]:
        """What they are called in requests."""

    def order(self, house: House, model: str, fields: Fields) -> Order:
        """What a body comes to. Raises `Refused` or `BadField`."""

    def welcome(self, task: Task) -> dict[str, Any]:
        """The answer to a submit."""

    def report(self, sight: Sight) -> dict[str, Any]:
        """The flat answer to a query."""

    def upstream(self, sight: Sight) -> dict[str, Any]:
        """The upstream's raw answer, which the older backend keeps of a task."""


def drawn(part: str, picture: Given) -> list[tuple[str, bytes]]:
    """A picture as a part of a clip, where it can be shown."""
    return [(part, picture.data)] if picture.seen else []


def picture_fault(pictures: Sequence[Given], limits: Limits) -> str:
    """What is wrong with the first bad one of some pictures; empty where nothing is."""
    return next((f"{given.field}: {fault}" for given in pictures if (fault := limits.fault(given))), "")


def scalar(value: object) -> str:
    """A text or number as a remark shows it, short."""
    return str(value)[:40] if isinstance(value, str | int | float) else "no text or number"
