"""Manners that the twins share: how they take notes, and what stands for an empty account or a bad prompt.

A key that holds `unpaid` is one whose account has no money. A prompt that holds `nsfw` is one that a filter
refuses; nothing else is looked for, so that a film about anything can be rehearsed.
"""

from __future__ import annotations

import hashlib
from itertools import count
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidspec.sandbox.twin import House, Request, Task

__all__ = ["Traces", "header", "is_sensitive", "noted", "patience", "unpaid"]

_SENSITIVE = "nsfw"
_UNPAID = "unpaid"


def header(request: Request, name: str) -> str:
    """A header's text, empty where it was not sent; names have no case."""
    return next((text for sent, text in request.headers.items() if sent.lower() == name.lower()), "")


def unpaid(request: Request) -> bool:
    """Whether the key is one whose account has no money: it holds the word `unpaid`."""
    return _UNPAID in header(request, "Authorization").lower()


def is_sensitive(prompt: str) -> bool:
    """Whether a prompt stands for what a provider's filter refuses: it holds `nsfw`. Nothing else is looked for."""
    return _SENSITIVE in prompt.lower()


def noted(house: House, task: Task, changes: Iterable[str]) -> None:
    """Record what was changed, cut or ignored in silence, in the task and with the house, once each."""
    for change in changes:
        house.note(task, change)
        if change not in task.changed:
            task.changed.append(change)


def patience(seconds: float | None) -> dict[str, str]:
    """The header `Retry-After` for `json_answer`, in whole seconds; nothing where a fault names none."""
    return {} if seconds is None else {"Retry_After": str(ceil(seconds))}


class Traces:
    """Ids of answers. They are counted, not drawn by chance: how often a task is looked at must change nothing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = count(1)

    def following(self) -> str:
        """The next id: 24 hexadecimal digits."""
        return hashlib.sha256(f"{self._name} {next(self._numbers)}".encode()).hexdigest()[:24]
