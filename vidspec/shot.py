"""A shot: what was written, before anything is derived from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vidspec.document import Document, Place

SETTINGS = (
    "provider",
    "model",
    "prompt",
    "negative_prompt",
    "first_frame",
    "last_frame",
    "references",
    "remix_of",
    "resolution",
    "aspect_ratio",
    "size",
    "duration",
    "fps",
    "seed",
    "takes",
    "camera",
    "audio",
    "watermark",
    "enhance_prompt",
    "options",
    "output",
)
"""The settings of a shot; each is also legal under `defaults`."""

SHAPE_SETTINGS = ("size", "resolution", "aspect_ratio")
"""Three settings that say one thing."""

MAX_ID = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_id(text: str) -> bool:
    """Whether a text can be a shot's id: it becomes part of file names."""
    return len(text) <= MAX_ID and _ID.fullmatch(text) is not None


CAMERA_MOVES = (
    "truck left",
    "truck right",
    "pan left",
    "pan right",
    "push in",
    "pull out",
    "pedestal up",
    "pedestal down",
    "tilt up",
    "tilt down",
    "zoom in",
    "zoom out",
    "shake",
    "tracking shot",
    "static shot",
)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A mapping of the user's own, and the document it stands in: enough to point at anything under it."""

    document: Document
    mapping: Mapping[str, Any]

    def place(self, key: str, within: Sequence[str | int] = ()) -> Place:
        """Where the value under `key`, or the value at the path `within` it, begins."""
        return self.document.value_place(*self.holder(key, within))

    def holder(self, key: str, within: Sequence[str | int]) -> tuple[Any, str | int]:
        """The container of the value at the path `within` the value under `key`, and the value's key there."""
        container: Any = self.mapping
        step: str | int = key
        for following in within:
            container, step = container[step], following
        return container, step


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with one setting, before anyone has looked up where that stands.

    `path` leads into the setting (`references`, 1); an empty `setting` points at the shot's id. `snippet` is
    the piece of text at fault: its `occurrence` in the written text, and how far into it the fault lies.
    """

    code: str
    message: str
    help: str = ""
    setting: str = ""
    path: tuple[str | int, ...] = ()
    snippet: str | None = None
    occurrence: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One entry of the list, its id expanded, the defaults laid under it, one value of each matrix name chosen.

    `settings` holds what is written, on the shot or under `defaults`, still unexpanded; `layers` are the places
    it may be written in, nearest first.
    """

    id: str
    scene: str | None
    tags: tuple[str, ...]
    notes: str | None
    settings: Mapping[str, Any]
    layers: tuple[Written, ...]
    skipped: bool = False

    def diagnostic(self, problem: Problem) -> Diagnostic:
        """A problem of this shot, at the place where its setting is written."""
        layer, key, path = self._origin(problem)
        line, column = layer.place(key, path)
        if problem.snippet is not None:
            line, column = _inside(layer, key, path, problem) or (line, column)
        return Diagnostic(
            code=problem.code,
            message=problem.message,
            help=problem.help,
            file=layer.document.name,
            line=line,
            column=column,
            shot=self.id,
        )

    def _origin(self, problem: Problem) -> tuple[Written, str, tuple[str | int, ...]]:
        """The nearest layer that writes the setting (or the option, or the variable); else the shot's id.

        A setting that is written as null is meant where it is: what stands below it is dropped. A tier or ratio
        that nobody wrote is that of the `size` below.
        """
        keys = ("matrix", "vars") if problem.setting == "vars" else (problem.setting,)
        for layer in self.layers:
            for key in keys:
                if _writes(layer, key, problem.path):
                    return layer, key, _as_written(layer.mapping[key], problem.path)
        if problem.setting in ("resolution", "aspect_ratio"):
            return self._origin(replace(problem, setting="size"))
        return self.layers[0], "id", ()


_BY_NAME = frozenset({"options", "vars", "matrix"})
"""Mappings that are merged name by name, so that a layer may write the mapping but not the name."""


def _writes(layer: Written, key: str, path: tuple[str | int, ...]) -> bool:
    if key not in _BY_NAME:
        return key in layer.mapping
    value = layer.mapping.get(key)
    return isinstance(value, dict) and (not path or path[0] in value)


def _as_written(value: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """As much of a path as is there: what is derived (a chosen take) is written nowhere."""
    for length, step in enumerate(path):
        there = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step not in there:
            return path[:length]
        value = value[step]
    return path


def _inside(layer: Written, key: str, path: tuple[str | int, ...], problem: Problem) -> Place | None:
    container, step = layer.holder(key, path)
    found = layer.document.snippet_offset(container, step, problem.snippet or "", problem.occurrence)
    return None if found is None else layer.document.at(found + problem.offset)
