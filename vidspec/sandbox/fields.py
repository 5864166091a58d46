"""A JSON body, field by field. Whatever the bytes are, nothing else is raised than `BadField`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["BadField", "Fields"]

_MOST_SHOWN = 60


class BadField(ValueError):
    """What is wrong with a field; an empty `field` means the body as a whole."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object that was sent. A field that is null counts as not sent.

    Every way of asking raises `BadField` for a value of another type than the one that is asked for.
    """

    values: Mapping[str, Any]

    @classmethod
    def read(cls, body: bytes) -> Fields:
        """The object in a body: UTF-8, finite numbers, nesting within reason; the last of two same names counts."""
        try:
            text = body.decode()
            value = json.loads(text, parse_constant=_finite, parse_float=_finite)
            if "\\u" in text:
                value = _sound(value)
        except (ValueError, RecursionError):
            raise BadField("", "the body is not valid JSON") from None
        if not isinstance(value, dict):
            raise BadField("", "the body is not a JSON object")
        return cls(value)

    def text(self, name: str) -> str | None:
        """A text, however long; None where it was not sent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise BadField(name, "it must be a string")
        return value

    def needed_text(self, name: str) -> str:
        """A text with something in it."""
        value = self.text(name)
        if value is None or not value.strip():
            raise BadField(name, "it is required")
        return value

    def number(self, name: str, low: int = -(2**63), high: int = 2**63 - 1) -> int | None:
        """A whole number within bounds; None where it was not sent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadField(name, "it must be an integer")
        if not low <= value <= high:
            raise BadField(name, f"it must be from {low} to {high}")
        return value

    def switch(self, name: str) -> bool | None:
        """True or false; None where it was not sent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadField(name, "it must be a boolean")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty where it was not sent."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadField(name, "it must be an array of strings")
        return value

    def ignored(self, known: Collection[str], model: str) -> Iterator[str]:
        """A remark on each field that was sent and that a model does not know."""
        for name in self.values:
            if name not in known and self.values[name] is not None:
                shown = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…"
                yield f"`{shown}` is ignored: `{model}` has no such field"


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("not a finite number")
    return number


def _sound(value: Any) -> Any:
    """A parsed value without halves of surrogate pairs, which an escape can smuggle in."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode() if not value.isascii() else value
    if isinstance(value, list):
        return [_sound(item) for item in value]
    if isinstance(value, dict):
        return {_sound(name): _sound(item) for name, item in value.items()}
    return value
