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
from math import isinf
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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_NODES = 10_000_000
MAX_ALIASED = 100_000
_MAX_DIGITS = 400

_Loader = getattr(yaml, "CLoader", yaml.Loader)
_OFFSET_BITS = 32
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAYBE_NOT_TEXT = frozenset("-+.0123456789tTfFnN~")
_CORE_TAGS = {f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_TEMPLATE_START = re.compile(r"(?:[:?-][ \t]+|^[ \t]*)(\{\{|\{%)")


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
        return [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.text))]

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
        """The offset of the n-th (from 0) `snippet` in the raw text of a value, whatever its quoting.

        None where the raw text does not hold it letter for letter (escapes, folded lines).
        """
        offset = self.offset(container, key) - 1
        for _ in range(occurrence + 1):
            offset = self.text.find(snippet, offset + 1)
            if offset < 0:
                return None
        return offset


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
            raise _fault("E101", f"`{name}` is a directory", "name a YAML file, such as `shots.yaml`", name)
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
        if not self._documents:
            raise self._stop("E104", "the file holds only comments", "a shot list begins with `vidspec: 1`", 0)

    def _consume(self, next_event: Any) -> None:
        """The one loop over all events; the order of the branches is that of their frequency."""
        stack: list[_Open] = []
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
                self._documents += 1
                if self._documents > 1:
                    offset = event.start_mark.index
                    raise self._stop(
                        "E109", "a second YAML document begins here", "one file holds one document", offset
                    )

    def _scalar(self, stack: list[_Open], event: Any) -> None:
        offset = event.start_mark.index
        parent = stack[-1] if stack else None
        if parent is not None and parent.key is None and type(parent.value) is dict:
            self._key(parent, event, offset)
            return
        value = event.value
        if not event.implicit[1] and (event.tag or not value or value[0] in _MAYBE_NOT_TEXT):
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
        if value in _NULL:
            return None
        if value in _BOOL:
            return _BOOL[value]
        return self._number(value, offset)

    def _number(self, value: str, offset: int) -> Any:
        """A number where the text is one by YAML 1.2's core schema, else the text."""
        if _INTEGER.fullmatch(value) or _OCTAL_OR_HEX.fullmatch(value):
            if len(value) > _MAX_DIGITS:
                help_line = "put a long number in quotes"
                raise self._stop("E109", f"a number of {len(value)} digits", help_line, offset)
            return int(value, 0) if value[1:2] in ("o", "x") else int(value)
        if _NOT_A_NUMBER.fullmatch(value):
            raise self._stop("E109", f"`{value}` has no meaning here", "write a finite number", offset)
        if not _FLOAT.fullmatch(value):
            return value
        number = float(value)
        if isinf(number):
            raise self._stop("E109", f"the number `{value[:20]}` is too large", "", offset)
        return number

    def _key(self, parent: _Open, event: Any, offset: int) -> None:
        key = event.value
        if not event.implicit[1] and (not key or key[0] in _MAYBE_NOT_TEXT):
            typed = self._typed(event, key, offset)
            if not isinstance(typed, str):
                self._report("E107", f"the key `{key}` is not a string", f'write it in quotes: `"{key}"`', offset)
        if key == "<<" and event.implicit[0]:
            help_line = "YAML 1.2 has no merge keys; use `defaults`, `vars` or `include`"
            raise self._stop("E109", "`<<` does not merge here", help_line, offset)
        if key in parent.places:
            first = self.document().at(parent.places[key] >> _OFFSET_BITS)
            message = f"the key `{key}` is written twice; first at line {first.line}"
            self._report("E106", message, "keep one of the two", offset)
        parent.key = self._keys.setdefault(key, key)
        parent.key_offset = offset

    def _open(self, stack: list[_Open], event: Any, value: Any) -> None:
        offset = event.start_mark.index
        parent = stack[-1] if stack else None
        if len(stack) >= MAX_DEPTH:
            raise self._stop("E108", f"nested deeper than {MAX_DEPTH} levels", "", offset)
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
            raise self._stop("E105", f"the alias `*{event.anchor}` names no anchor above it", "", offset)
        value, count = self._anchors[event.anchor]
        if count < 0:
            raise self._stop("E108", f"the alias `*{event.anchor}` stands inside its own anchor", "", offset)
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
            raise self._stop(
                "E108", f"more than {MAX_NODES} values in one file", "split it into several lists", offset
            )
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
        if self.text[max(offset - 1, 0) : offset + 1] == "{{":
            return self._unquoted(offset - 1)
        return self._stop("E107", "a key is a list or a mapping", "a key is a plain word", offset)

    def _unquoted(self, offset: int) -> ShotListError:
        help_line = "put the whole text in quotes, or write it as a block after `|`"
        return self._stop("E110", "a template that is not in quotes", help_line, offset)

    def _stop(self, code: str, message: str, help_line: str, offset: int) -> ShotListError:
        self._report(code, message, help_line, offset)
        return ShotListError(in_order(self.faults))

    def _report(self, code: str, message: str, help_line: str, offset: int) -> None:
        place = self.document().at(offset)
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
        mark = error.problem_mark or error.context_mark
        if "end of stream" in str(error.problem):
            mark = error.context_mark or mark  # the quote that was opened, not the end of the file
        offset = min(mark.index, len(self.text)) if mark else 0
        document = self.document()
        line_start = document._line_starts[document.at(offset).line - 1]
        line = self.text[line_start:].split("\n", 1)[0]
        if (match := _TEMPLATE_START.search(line)) and line_start + match.start(1) <= offset:
            return self._unquoted(line_start + match.start(1))
        problem = str(error.problem or error.context or "not YAML").replace("'\\t'", "a tab")
        if "\t" in line[: len(line) - len(line.lstrip())] or self.text[offset : offset + 1] == "\t":
            tab = line_start + line.index("\t")
            return self._stop("E105", "a tab in the indentation", "YAML is indented with blanks", tab)
        context = f" {error.context}" if error.context and error.context != problem else ""
        return self._stop("E105", f"not YAML: {problem}{context}", _ADVICE.get(problem, ""), offset)

    def unreadable(self, error: yaml.reader.ReaderError) -> ShotListError:
        """A character that YAML does not allow, such as those of a binary file."""
        found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", self.text)
        offset = found.start() if found else 0
        character = ord(self.text[offset]) if found else 0
        message = f"the character U+{character:04X} may not stand in YAML: {error.reason}"
        return self._stop("E105", message, "is this a text file?", offset)


_ADVICE = {
    "mapping values are not allowed in this context": "put a text that holds `: ` in quotes",
    "could not find expected ':'": "a key is followed by a colon and a blank",
    "did not find expected key": "check the indentation of this line and of the one above",
    "did not find expected '-' indicator": "check the indentation of this list",
    "found unexpected end of stream": "a quote or bracket is not closed",
    "did not find expected ',' or ']'": "the list is not closed, or a text in it wants quotes",
    "did not find expected ',' or '}'": "the mapping is not closed, or a text in it wants quotes",
}


def _fault(code: str, message: str, help_line: str, name: str, place: Place = _START) -> ShotListError:
    found = Diagnostic(code=code, message=message, help=help_line, file=name, line=place.line, column=place.column)
    return ShotListError([found])
