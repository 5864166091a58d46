"""A shot list as it was written: the file, what it includes, and whether both have the right shape."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vidspec import document, prompt, schema
from vidspec.diagnostic import Diagnostic, in_order, nearest, shown
from vidspec.errors import ShotListError
from vidspec.shot import Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vidspec.document import Document, Place

MAX_INCLUDES = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShotList:
    """One list and its includes. `sources` are the files' mappings, nearest first: the list itself leads.

    `entries` are the indices of the shots that have the right shape; `diagnostics` is all that was found.
    """

    path: Path
    name: str
    sources: tuple[Written, ...]
    entries: tuple[int, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def project(self) -> Path:
        """The folder that every relative path starts from."""
        return self.path.parent

    @property
    def main(self) -> Written:
        """The list's own file."""
        return self.sources[0]

    @property
    def title(self) -> str:
        """The film's name; empty where none is written."""
        return str(self.main.mapping.get("title") or "")

    @property
    def shots(self) -> list[Any]:
        """The entries as written, those of a wrong shape too."""
        shots: list[Any] = self.main.mapping["shots"]
        return shots

    @property
    def budget(self) -> Mapping[str, float] | None:
        """The most that the plan may cost, by currency; None where no budget is written."""
        budget: Mapping[str, float] | None = self.main.mapping.get("budget")
        return budget

    def layers(self, key: str) -> tuple[Written, ...]:
        """The mappings under `key` (`vars`, `defaults`) of all files, nearest first."""
        return tuple(
            Written(source.document, source.mapping[key])
            for source in self.sources
            if isinstance(source.mapping.get(key), dict)
        )

    def accounts(self) -> dict[str, dict[str, Written]]:
        """The keys of `providers`, by provider and key: the nearest mapping that writes each."""
        merged: dict[str, dict[str, Written]] = {}
        for layer in reversed(self.layers("providers")):
            for name, account in layer.mapping.items():
                if isinstance(account, dict):
                    written = Written(layer.document, account)
                    merged.setdefault(name, {}).update(dict.fromkeys(account, written))
        return merged


def load(path: Path, name: str) -> ShotList:
    """Read a shot list that the user calls `name`, with all that it includes, and judge the shape of all.

    Raises:
        ShotListError: a file cannot be read, or so much is wrong that the shots themselves cannot be judged.
    """
    read = document.read(path, name)
    found = schema.problems("shotlist", schema.HEAD, read, None, None)
    shots = read.data.get("shots") if isinstance(read.data, dict) else None
    if not isinstance(shots, list) or any(problem.code == "E207" for problem in found):
        raise ShotListError(in_order(found))
    includes = _Includes(path.parent, name)
    sources = (*includes.above(read, (path.resolve(),)), Written(read, read.data))[::-1]
    entries = []
    for index in range(len(shots)):
        wrong = schema.problems("shotlist", "shot", read, shots, index)
        found += wrong
        if not wrong:
            entries.append(index)
    if includes.found:
        raise ShotListError(in_order(found + includes.found))
    for source in sources:
        found += _variable_names(source)
    diagnostics = tuple(in_order(found))
    return ShotList(path=path, name=name, sources=sources, entries=tuple(entries), diagnostics=diagnostics)


class _Includes:
    """Reads included files, each once, and collects what is wrong with them."""

    def __init__(self, project: Path, name: str) -> None:
        self.project = project
        self._shown_project = PurePath(name).parent
        self.found: list[Diagnostic] = []
        self._read: dict[Path, Document] = {}
        self._layers: dict[Path, tuple[Written, ...]] = {}

    def above(self, including: Document, chain: tuple[Path, ...]) -> tuple[Written, ...]:
        """What a file includes, and what that includes, farthest first; each file once, where it is last."""
        items = including.data.get("include")
        layers: dict[Document, Written] = {}
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if item and isinstance(item, str):
                for layer in self._one(including, item, including.value_place(items, index), chain):
                    layers.pop(layer.document, None)
                    layers[layer.document] = layer
        return tuple(layers.values())

    def _one(self, including: Document, item: str, place: Place, chain: tuple[Path, ...]) -> tuple[Written, ...]:
        try:
            path = (self.project / item).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            self._report("E212", including, place, f"cannot include {shown(item)}: {error}", "")
            return ()
        if not path.is_relative_to(self.project.resolve()):
            help_line = "includes stand inside the project folder, and are named from there"
            self._report("E210", including, place, f"`{item}` is outside the project folder", help_line)
        elif path in chain:
            names = " → ".join(step.name for step in (*chain[chain.index(path) :], path))
            self._report("E211", including, place, f"includes in a circle: {names}", "take one of them out")
        elif len(self._read) >= MAX_INCLUDES and path not in self._read:
            self._report("E212", including, place, f"more than {MAX_INCLUDES} included files", "include fewer")
        elif (read := self._document(including, item, path, place)) is not None:
            if path not in self._layers:
                self._layers[path] = (*self.above(read, (*chain, path)), Written(read, read.data))
            return self._layers[path]
        return ()

    def _document(self, including: Document, item: str, path: Path, place: Place) -> Document | None:
        if path in self._read:
            return self._read[path]
        name = str(self._shown_project / item)
        try:
            read = document.read(path, name)
        except ShotListError as error:
            self.found += error.diagnostics
            first = error.diagnostics[0]
            if first.code in _NO_TEXT:
                self.found.remove(first)
                reason = first.message.removeprefix(f"cannot read `{name}`: ")
                self._report("E212", including, place, f"cannot include `{item}`: {reason}", _advice(path, item))
            return None
        wrong = schema.problems("shotlist", "included", read, None, None)
        self.found += wrong
        if wrong:
            return None
        self._read[path] = read
        return read

    def _report(self, code: str, read: Document, place: Place, message: str, help_line: str) -> None:
        line, column = place
        self.found.append(
            Diagnostic(code=code, message=message, help=help_line, file=read.name, line=line, column=column)
        )


_NO_TEXT = frozenset({"E101", "E102", "E104"})
"""Faults of a file that are told of where it is included: there is no place in it to show."""


def _advice(path: Path, item: str) -> str:
    names = os.listdir(path.parent) if path.parent.is_dir() else []  # noqa: PTH208  (names, not paths)
    near = nearest(path.name, names)
    if near and near != path.name:
        return f"the nearest is `{PurePath(item).parent / near}`"
    return "an include is a YAML file, named from the project folder"


def _variable_names(source: Written) -> Iterator[Diagnostic]:
    """Names of variables that no template could say, wherever one is introduced."""
    mappings = [source.mapping.get("vars")]
    for shot in source.mapping.get("shots", ()):
        if isinstance(shot, dict):
            mappings += (shot.get("vars"), shot.get("matrix"))
    for mapping in mappings:
        for name in mapping if isinstance(mapping, dict) else ():
            reason = prompt.variable_fault(name)
            if reason:
                line, column = source.document.key_place(mapping, name)
                yield Diagnostic(
                    code="E225",
                    message=f"not a name for a variable: {reason}",
                    help="a name is made of `a` to `z`, `A` to `Z`, digits and `_`, and begins with no digit",
                    file=source.document.name,
                    line=line,
                    column=column,
                )
