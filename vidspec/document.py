"""YAML into plain data, with the place of every key and value.

PyYAML's own loaders build YAML 1.1 (`16:9` becomes 969, `on` becomes true, duplicate keys vanish), know no
positions once the data is built, and recurse in C until the stack is gone. This loader works on libyaml's
*events*: it keeps YAML 1.2 core scalars, notes where everything stood, refuses what a shot list has no use
for, and bounds depth, size and what aliases may expand to. It is also several times faster than nodes.

Places are kept as two character offsets packed into one integer, and only turned into a line and a column
when a diagnostic asks: ten thousand shots cost a few megabytes.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_right
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from vidspec.diagnostic import Diagnostic, in_order
from vidspec.errors import ShotListError
from vidspec.scalar import Unfit, core_value, is_surely_text
from vidspec.syntax import Stopped, complaint, forbidden, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_NODES = 10_000_000
MAX_ALIASED = 100_000

_Loader = getattr(yaml, "CLoader", yaml.Loader)
_OFFSET_BITS = 32
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1

_CORE_TAGS = {f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


_START = Place(1, 1)


class Document:
    """One YAML file: `data` is plain (dict, list, str, int, float, bool, None), `name` the user's word for it.

    Containers must not be copied: places are found by a container's identity.
    """

    def __init__(self, name: str, text: str, data: Any, places: dict[int, dict[Any, int]], root: int) -> None:
        self.name = name
        self.text = text
        self.data = data
        self._places = places
        self._root = root

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]

    def at(self, offset: int) -> Place:
        """The line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return Place(line, offset - self._line_starts[line - 1] + 1)

    def offset(self, container: Any, key: str | int) -> int:
        """The offset at which the value under `key` of `container` begins."""
        packed = self._places.get(id(container), {}).get(key)
        return self._root if packed is None else packed & _OFFSET_MASK

    def value_place(self, container: Any, key: str | int) -> Place:
        """Where the value under `key` of `container` begins; the document's start where that is unknown."""
        return self.at(self.offset(container, key))

    def key_place(self, container: Any, key: str | int) -> Place:
        """Where `key` itself is written; for an item of a list, the item."""
        packed = self._places.get(id(container), {}).get(key)
        return self.at(self._root if packed is None else packed >> _OFFSET_BITS)

    def root_place(self) -> Place:
        """Where the document's own value begins."""
        return self.at(self._root)

    def snippet_offset(self, container: Any, key: str | int, snippet: str, occurrence: int) -> int | None:
        """The offset of the n-th (from 0, not overlapping) `snippet` in the raw text of a value.

        None where the raw text does not hold it letter for letter (escapes, folded lines, aliases).
        """
        start = self.offset(container, key)
        end = self._ends.get(start, start)
        for _ in range(occurrence + 1):
            found = self.text.find(snippet, start, end)
            if found < 0:
                return None
            start = found + max(len(snippet), 1)
        return found

    @cached_property
    def _ends(self) -> dict[int, int]:
        """Where the value that begins at an offset ends. Read once more, for the few lists that need it."""
        ends: dict[int, int] = {}
        opened: list[int] = []
        loader = _Loader(self.text)
        try:
            while (event := loader.get_event()) is not None:
                kind = type(event)
                if kind is ScalarEvent:
                    ends.setdefault(event.start_mark.index, event.end_mark.index)
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    opened.append(event.start_mark.index)
                    ends[opened[-1]] = len(self.text)
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    ends[opened.pop()] = event.end_mark.index
        finally:
            loader.dispose()
        return ends


def read(path: Path, name: str) -> Document:
    """Read and parse a file that the user calls `name`.

    Raises:
        ShotListError: the file cannot be read, or is not one bounded YAML document in UTF-8.
    """
    return parse(decode(read_bytes(path, name), name), name)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a text file of at most `MAX_BYTES`. Raises ShotListError with one diagnostic otherwise."""
    try:
        if path.is_dir():
            raise _fault("E101", f"cannot read `{name}`: it is a directory", "name a YAML file", name)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _fault("E101", f"cannot read `{name}`: {reason}", "", name) from error
    except ValueError as error:  # a null byte in the path
        raise _fault("E101", f"cannot read `{name!r}`: {error}", "", name) from error
    if len(raw) > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise _fault("E102", f"`{name}` is larger than {limit} MiB", "split it into several lists", name)
    return raw


def decode(raw: bytes, name: str) -> str:
    """UTF-8 bytes as text, without a byte order mark. Raises ShotListError where they are not UTF-8."""
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8").removeprefix("\ufeff")
        place = Document(name, good, None, {}, 0).at(len(good))
        message = f"the file is not UTF-8 text: byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise _fault("E103", message, "save it as UTF-8", name, place) from error


@contextmanager
def _no_collection() -> Iterator[None]:
    """The cyclic collector finds nothing among growing trees, and looking costs more than parsing them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parse(text: str, name: str) -> Document:
    """Parse one YAML document.

    Raises:
        ShotListError: with every duplicate or unusable key, or with the one fault that ended the parsing.
    """
    builder = _Builder(name, text)
    with _no_collection():
        try:
            builder.run()
        except yaml.MarkedYAMLError as error:
            raise builder.syntax_error(error) from error
        except yaml.reader.ReaderError as error:
            raise builder.unreadable(error) from error
    if builder.faults:
        raise ShotListError(in_order(builder.faults))
    return builder.document()


class _Open:
    """A container being filled."""

    __slots__ = ("anchor", "count", "key", "key_offset", "places", "value")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.places: dict[Any, int] = {}
        self.key: str | None = None  # the key that waits for its value; only in mappings
        self.key_offset = 0
        self.count = 1  # nodes, as expanded


class _Builder:
    """Turns libyaml's events into data and places; one use."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.faults: list[Diagnostic] = []
        self.places: dict[int, dict[Any, int]] = {}
        self.root: Any = None
        self.root_offset = 0
        self._read = Document(name, text, None, {}, 0)
        self._last: Any = None
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._keys: dict[str, str] = {}
        self._documents = 0
        self._aliased = 0
        self._nodes = 0

    def document(self) -> Document:
        return Document(self.name, self.text, self.root, self.places, self.root_offset)

    def run(self) -> None:
        if not self.text.strip():
            raise self._stop("E104", "the file is empty", "a shot list begins with `vidspec: 1`", 0)
        loader = _Loader(self.text)
        try:
            self._consume(loader.get_event)
        finally:
            loader.dispose()
        if self.root is None:
            raise self._stop("E104", "the file holds nothing", "a shot list begins with `vidspec: 1`", 0)

    def _consume(self, next_event: Any) -> None:
        """The one loop over all events; the order of the branches is that of their frequency."""
        stack: list[_Open] = []
        event: Any = None
        try:
            while (event := next_event()) is not None:
                kind = type(event)
                if kind is ScalarEvent:
                    self._scalar(stack, event)
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    self._open(stack, event, {} if kind is MappingStartEvent else [])
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    self._close(stack)
                elif kind is AliasEvent:
                    self._alias(stack, event)
                elif kind is DocumentStartEvent:
                    self._begin(event.start_mark.index)
        finally:
            self._last = event

    def _begin(self, offset: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._stop("E109", "a second YAML document begins here", "one file holds one document", offset)

    def _scalar(self, stack: list[_Open], event: Any) -> None:
        offset = event.start_mark.index
        parent = stack[-1] if stack else None
        if parent is not None and parent.key is None and type(parent.value) is dict:
            self._key(parent, event, offset)
            return
        value = event.value
        if not event.implicit[1] and (event.tag or not is_surely_text(value)):
            value = self._typed(event, value, offset)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(parent, value, offset, 1)

    def _typed(self, event: Any, value: str, offset: int) -> Any:
        """A plain or tagged scalar by the rules of YAML 1.2's core schema."""
        if event.tag and event.tag != "!":
            kind = _CORE_TAGS.get(event.tag)
            if kind is None:
                raise self._stop("E109", f"the tag `{event.tag}` has no meaning here", "leave the tag out", offset)
            if kind == "str":
                return value
        elif event.tag:
            return value
        typed = core_value(value)
        if isinstance(typed, Unfit):
            raise self._stop("E109", typed.message, typed.help, offset)
        return typed

    def _key(self, parent: _Open, event: Any, offset: int) -> None:
        key = event.value
        if not event.implicit[1] and not is_surely_text(key):
            typed = self._typed(event, key, offset)
            if not isinstance(typed, str):
                self._report("E107", f"the key `{key}` is not a string", f'write it in quotes: `"{key}"`', offset)
        if key == "<<" and event.implicit[0]:
            help_line = "YAML 1.2 has no merge keys; use `defaults`, `vars` or `include`"
            raise self._stop("E109", "`<<` does not merge here", help_line, offset)
        if key in parent.places:
            first = self._read.at(parent.places[key] >> _OFFSET_BITS)
            message = f"the key `{key}` is written twice; first at line {first.line}"
            self._report("E106", message, "keep one of the two", offset)
        parent.key = self._keys.setdefault(key, key)
        parent.key_offset = offset

    def _open(self, stack: list[_Open], event: Any, value: Any) -> None:
        offset = event.start_mark.index
        parent = stack[-1] if stack else None
        if len(stack) >= MAX_DEPTH:
            raise self._stop("E108", f"nested deeper than {MAX_DEPTH} levels", "take some levels out", offset)
        if event.tag and event.tag not in _CORE_TAGS:
            raise self._stop("E109", f"the tag `{event.tag}` has no meaning here", "leave the tag out", offset)
        if parent is not None and parent.key is None and type(parent.value) is dict:
            raise self._complex_key(offset)
        self._put(parent, value, offset, 0)
        frame = _Open(value, event.anchor)
        if event.anchor:
            self._anchors[event.anchor] = (value, -1)  # open: an alias to it would be a circle
        self.places[id(value)] = frame.places
        stack.append(frame)

    def _close(self, stack: list[_Open]) -> None:
        frame = stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.value, frame.count)
        if stack:
            stack[-1].count += frame.count

    def _alias(self, stack: list[_Open], event: Any) -> None:
        offset = event.start_mark.index
        if event.anchor not in self._anchors:
            message = f"the alias `*{event.anchor}` names no anchor above it"
            raise self._stop("E105", message, "put a text that begins with `*` in quotes", offset)
        value, count = self._anchors[event.anchor]
        if count < 0:
            message = f"the alias `*{event.anchor}` stands inside its own anchor"
            raise self._stop("E108", message, "an alias repeats something that is complete above it", offset)
        self._aliased += count
        if self._aliased > MAX_ALIASED:
            message = f"the aliases of this file expand to more than {MAX_ALIASED} values"
            raise self._stop("E108", message, "write fewer aliases of aliases", offset)
        parent = stack[-1] if stack else None
        if parent is not None and parent.key is None and type(parent.value) is dict:
            raise self._complex_key(offset)
        self._put(parent, value, offset, count)

    def _put(self, parent: _Open | None, value: Any, offset: int, count: int) -> None:
        if parent is None:
            self.root, self.root_offset = value, offset
            return
        parent.count += count
        self._nodes += count
        if self._nodes > MAX_NODES:
            raise self._stop("E108", f"more than {MAX_NODES} values", "split it into several lists", offset)
        container = parent.value
        if type(container) is dict:
            key = cast("str", parent.key)
            parent.places[key] = parent.key_offset << _OFFSET_BITS | offset
            container[key] = value
            parent.key = None
        else:
            parent.places[len(container)] = offset << _OFFSET_BITS | offset
            container.append(value)

    def _complex_key(self, offset: int) -> ShotListError:
        start = offset - 1 if self.text[max(offset - 1, 0) : offset] == "{" else offset
        if self.text.startswith("{{", start):
            return self._stop(*unquoted(start))
        return self._stop("E107", "a key is a list or a mapping", "a key is a plain word", offset)

    def _stop(self, code: str, message: str, help_line: str, offset: int) -> ShotListError:
        self._report(code, message, help_line, offset)
        return ShotListError(in_order(self.faults))

    def _report(self, code: str, message: str, help_line: str, offset: int) -> None:
        place = self._read.at(offset)
        self.faults.append(
            Diagnostic(
                code=code,
                message=message,
                help=help_line,
                file=self.name,
                line=place.line,
                column=place.column,
            )
        )

    def syntax_error(self, error: yaml.MarkedYAMLError) -> ShotListError:
        """libyaml's complaint, in our words where the cause is one that shot lists often have."""
        length, last = len(self.text), self._last
        opened = min(error.context_mark.index, length) if error.context_mark else 0
        quoted = type(last) is ScalarEvent and last.style in ("'", '"')
        stopped = Stopped(
            problem=str(error.problem or ""),
            context=str(error.context or ""),
            offset=min(error.problem_mark.index, length) if error.problem_mark else opened,
            opened=opened,
            quote=(last.start_mark.index, last.end_mark.index) if quoted else None,
        )
        return self._stop(*complaint(self.text, stopped))

    def unreadable(self, error: yaml.reader.ReaderError) -> ShotListError:
        """A character that YAML does not allow, such as those of a binary file."""
        return self._stop(*forbidden(self.text, str(error.reason)))


def _fault(code: str, message: str, help_line: str, name: str, place: Place = _START) -> ShotListError:
    found = Diagnostic(code=code, message=message, help=help_line, file=name, line=place.line, column=place.column)
    return ShotListError([found])
