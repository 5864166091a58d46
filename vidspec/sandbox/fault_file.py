"""Fault files: read and checked completely, with the place of everything that is wrong.

A file is `vidspec_faults: 1` and a list under `faults`, each entry a mapping with the name of its `fault`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidspec import document
from vidspec.diagnostic import Diagnostic, described, in_order, listed, nearest, nearest_or, shown
from vidspec.errors import ShotListError
from vidspec.sandbox.faults import EVERY, FAULTS, Fault, fault
from vidspec.sandbox.timing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from vidspec.document import Document, Place

__all__ = ["CODES", "FaultPlan"]

CODES: dict[str, str] = {
    "E701": "an unknown key",
    "E702": "a required key is missing",
    "E703": "a value of the wrong type",
    "E704": "a name that is not one of those offered",
    "E705": "a value outside its bounds",
    "E706": "keys that do not go together",
    "E707": "another version of the language",
    "E708": "an empty file",
}

PARAMETERS = ("retry_after", "seconds", "word")
KEYS = ("fault", "provider", "call", "model", "first", "times", "chance", "after", *PARAMETERS)
ALWAYS = "always"
MOST = 1_000_000
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Everything that is to go wrong, in the order of the file."""

    faults: tuple[Fault, ...]

    @classmethod
    def read(cls, path: Path) -> FaultPlan:
        """Read and check a file. Raises `ShotListError` with all that is wrong with it."""
        name = str(path)
        return cls.parse(document.decode(document.read_bytes(path, name), name), name)

    @classmethod
    def parse(cls, text: str, name: str) -> FaultPlan:
        """Check the text of a file that the user calls `name`. Raises `ShotListError` as `read` does."""
        read = document.parse(text, name) if text.strip() else document.Document(name, text, None, {}, 0)
        notes = _Notes(read)
        faults = _faults(notes)
        if notes.found:
            raise ShotListError(in_order(notes.found))
        return cls(faults)


class _Notes:
    """A document, and what was found to be wrong with it."""

    def __init__(self, read: Document) -> None:
        self.read = read
        self.found: list[Diagnostic] = []

    def report(self, code: str, place: Place, message: str, help_line: str = "") -> None:
        line, column = place
        self.found.append(
            Diagnostic(code=code, file=self.read.name, line=line, column=column, message=message, help=help_line)
        )

    def unknown_keys(self, mapping: dict[str, Any], known: Collection[str]) -> None:
        for key in mapping:
            if key not in known:
                near = nearest(key, known)
                help_line = f"the nearest key is `{near}`" if near else f"the keys here are {listed(known)}"
                self.report("E701", self.read.key_place(mapping, key), f"unknown key `{key}`", help_line)


def _faults(notes: _Notes) -> tuple[Fault, ...]:
    data, start = notes.read.data, notes.read.root_place()
    if data is None:
        notes.report("E708", start, "the file holds nothing", "a file of faults begins with `vidspec_faults: 1`")
        return ()
    if not isinstance(data, dict):
        message = f"a file of faults must be a mapping, not {described(data)}"
        notes.report("E703", start, message, "it begins with `vidspec_faults: 1`")
        return ()
    notes.unknown_keys(data, ("vidspec_faults", "faults"))
    _version(notes, data)
    if "faults" not in data:
        notes.report("E702", start, "the file has no `faults`", "`faults` is a list of mappings")
        return ()
    entries = data["faults"]
    if not isinstance(entries, list):
        place = notes.read.value_place(data, "faults")
        notes.report("E703", place, f"`faults` must be a list, not {described(entries)}")
        return ()
    found = [_Entry(notes, entries, index).fault() for index in range(len(entries))]
    return tuple(one for one in found if one is not None)


def _version(notes: _Notes, data: dict[str, Any]) -> None:
    version = data.get("vidspec_faults")
    if "vidspec_faults" not in data:
        place, help_line = notes.read.root_place(), "a file of faults begins with `vidspec_faults: 1`"
        notes.report("E702", place, "the file has no `vidspec_faults`", help_line)
    elif version != 1 or not isinstance(version, int) or isinstance(version, bool):
        place = notes.read.value_place(data, "vidspec_faults")
        notes.report("E707", place, f"`vidspec_faults` is {described(version)}; this release reads `1`")


class _Entry:
    """One item of the list. What of it is wrong is reported, and as good as not written."""

    def __init__(self, notes: _Notes, entries: list[Any], index: int) -> None:
        self._notes = notes
        self._entry: dict[str, Any] = entries[index] if isinstance(entries[index], dict) else {}
        self._place = notes.read.key_place(entries, index)
        self._written = entries[index]

    def fault(self) -> Fault | None:
        """The fault that is meant, as far as it can be read; None where not even its kind can."""
        if not isinstance(self._written, dict):
            self._notes.report("E703", self._place, f"a fault must be a mapping, not {described(self._written)}")
            return None
        self._notes.unknown_keys(self._entry, KEYS)
        kind = self._kind()
        given: dict[str, Any] = {
            "providers": self._names("provider", LIMITS),
            "calls": self._names("call", EVERY),
            "first": self._count("first"),
            "times": self._count("times"),
            "chance": self._number("chance", 1.0),
            "after": self._number("after", DAY),
            **{key: self._number(key, DAY) for key in ("retry_after", "seconds")},
            **{key: self._text(key) for key in ("model", "word")},
        }
        if kind is None:
            return None
        self._fit(kind, given["calls"])
        good = {key: value for key, value in given.items() if value is not None}
        if self._entry.get("times") == ALWAYS:
            good["times"] = None
        return fault(kind, **good, place=f"{self._notes.read.name}:{self._place.line}")

    def _wrong(self, code: str, key: str, message: str, help_line: str = "") -> None:
        self._notes.report(code, self._notes.read.value_place(self._entry, key), message, help_line)

    def _kind(self) -> str | None:
        if "fault" not in self._entry:
            self._notes.report("E702", self._place, "the entry has no `fault`", "`fault` names what is to go wrong")
            return None
        names = self._names("fault", FAULTS, several=False)
        return names[0] if names else None

    def _names(self, key: str, offered: Collection[str], *, several: bool = True) -> tuple[str, ...] | None:
        """A name, or a list of them where there may be several."""
        if key not in self._entry:
            return None
        value = self._entry[key]
        names = value if isinstance(value, list) and several else [value]
        wanted = "a name or a list of names" if several else "a name"
        if not names:
            self._wrong("E705", key, f"`{key}` is an empty list", f"without `{key}`, all that fit are meant")
        good = []
        for index, name in enumerate(names):
            container, step = (value, index) if names is value else (self._entry, key)
            place = self._notes.read.value_place(container, step)
            if not isinstance(name, str):
                self._notes.report("E703", place, f"`{key}` must be {wanted}, not {described(name)}")
            elif name not in offered:
                help_line = nearest_or(name, offered, f"there are {listed(offered, most=40)}")
                self._notes.report("E704", place, f"there is no {key} {shown(name)}", help_line)
            else:
                good.append(name)
        return tuple(dict.fromkeys(good)) or None

    def _text(self, key: str) -> str | None:
        value = self._entry.get(key)
        if key not in self._entry:
            return None
        if not isinstance(value, str):
            self._wrong("E703", key, f"`{key}` must be a text, not {described(value)}")
        elif not value:
            self._wrong("E705", key, f"`{key}` is empty")
        else:
            return value
        return None

    def _count(self, key: str) -> int | None:
        value = self._entry.get(key)
        if key not in self._entry or (key == "times" and value == ALWAYS):
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            wanted = "an integer or `always`" if key == "times" else "an integer"
            self._wrong("E703", key, f"`{key}` must be {wanted}, not {described(value)}")
        elif not 1 <= value <= MOST:
            self._wrong("E705", key, f"`{key}` is {shown(value)}, not from 1 to {MOST}")
        else:
            return value
        return None

    def _number(self, key: str, most: float) -> float | None:
        value = self._entry.get(key)
        if key not in self._entry:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            self._wrong("E703", key, f"`{key}` must be a number, not {described(value)}")
        elif not 0 <= value <= most:
            self._wrong("E705", key, f"`{key}` is {shown(value)}, not from 0 to {most:g}")
        else:
            return float(value)
        return None

    def _fit(self, kind: str, calls: tuple[str, ...] | None) -> None:
        """Report what is good by itself, and does not go together."""
        known = FAULTS[kind]
        for call in calls or ():
            if call not in known.calls:
                help_line = f"it fits {listed(known.calls)}"
                self._wrong("E706", "call", f"`{kind}` does not fit the call `{call}`", help_line)
        offered = dict(known.parameters)
        for key in PARAMETERS:
            if key in self._entry and key not in offered:
                help_line = f"it has {listed(offered)}" if offered else f"`{kind}` has no parameters"
                self._wrong("E706", key, f"`{kind}` has no `{key}`", help_line)
        for key in ("first", "times"):
            if "chance" in self._entry and key in self._entry:
                help_line = "a fault comes by `chance`, or is counted with `first` and `times`"
                self._wrong("E706", key, f"`{key}` does not go with `chance`", help_line)
