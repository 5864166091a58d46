"""The lockfile: what was asked and what came back, a record for every take, as a value and as text.

The text is YAML in block layout, one field a line, scalars in JSON's quoting. It is written here, and read here
line by line as long as it has the form it was written in; anything else (an editor's hand, a merge) goes to the
YAML loader, which reads the same and knows where an error is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import document, schema
from vidspec.diagnostic import shown
from vidspec.errors import LockError, ShotListError
from vidspec.take import slate as slate_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = 1
_HEAD = f"vidspec_lock: {VERSION}\n"
_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)( |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A clip as it was delivered: bytes, and what is in them. Pixels, frames a second, seconds."""

    path: str
    sha256: str
    bytes: int
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration: float | None = None
    audio: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A price; `basis` says how sure it is (`listed`, `unsure`)."""

    amount: float
    currency: str
    basis: str = "listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One take. Until it has been rendered only `shot` and `take` are there.

    `frames` names the clips that frames were taken from, by setting; `superseded` are the former records of the
    take, latest first.
    """

    shot: str
    take: int
    provider: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    request: Mapping[str, Any] | None = None
    defaulted: tuple[str, ...] = ()
    seed: int | None = None
    seed_rule: str | None = None
    seed_used: int | None = None
    frames: Mapping[str, Any] | None = None
    vars: Mapping[str, Any] | None = None
    request_id: str | None = None
    trace_id: str | None = None
    output: Output | None = None
    rendered_at: str | None = None
    cost: Cost | None = None
    superseded: tuple[Record, ...] = ()

    @property
    def rendered(self) -> bool:
        """Whether there is anything to compare with and to keep."""
        return self.output is not None and self.fingerprint is not None

    def superseding(self, former: Record | None) -> Record:
        """This record, with a former one of the same take kept under it."""
        if former is None or not former.rendered:
            return self if former is None else replace(self, superseded=former.superseded)
        return replace(self, superseded=(replace(former, superseded=()), *former.superseded))


class Glance(NamedTuple):
    """What tells whether a take is finished, without reading all of its record."""

    fingerprint: str
    path: str
    sha256: str
    bytes: int


class Lock:
    """All records, by slate, in the order of the list.

    A record that was read from text is taken apart only when it is asked for, and written back as it was read:
    a plan over ten thousand finished takes looks at four fields of each.
    """

    def __init__(self, records: Mapping[str, Record] | None = None, texts: Mapping[str, str] | None = None) -> None:
        self._records: dict[str, Record | None] = dict(records or {})
        self._texts = dict(texts or {})
        if texts:
            self._records = dict.fromkeys(texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lock) and list(self.items()) == list(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __contains__(self, slate: object) -> bool:
        return slate in self._records

    def get(self, slate: str) -> Record | None:
        """The record of a take, None where there is none. Raises LockError for one that cannot be read."""
        if slate not in self._records:
            return None
        record = self._records[slate]
        if record is None:
            record = self._records[slate] = _from_mapping(_read_record(self._texts[slate], slate))
        return record

    def items(self) -> Iterator[tuple[str, Record]]:
        """Every slate with its record."""
        for slate in self._records:
            record = self.get(slate)
            assert record is not None
            yield slate, record

    def glance(self, slate: str) -> Glance | None:
        """The fields of a finished take that a plan compares; None for a take that is not finished."""
        record = self._records.get(slate)
        text = self._texts.get(slate)
        if record is None and text is not None:
            sent = _SENT.match(text, text.find("\n    fingerprint:"))
            came = _CAME.match(text, text.find("\n    output:"))
            if sent and came:
                return Glance(sent[1], came[1], came[2], int(came[3]))
        record = self.get(slate)
        if record is None or record.output is None or record.fingerprint is None:
            return None
        return Glance(record.fingerprint, record.output.path, record.output.sha256, record.output.bytes)

    def put(self, slate: str, record: Record) -> None:
        """Set the record of one take; a new one goes to the end."""
        self._records[slate] = record
        self._texts.pop(slate, None)

    def text(self, slate: str) -> str:
        """The lines of one record, as read or as they would be written."""
        found = self._texts.get(slate)
        record = self._records[slate]
        if found is None and record is not None:
            found = self._texts[slate] = "".join(_lines(record))
        return found or ""

    def shots(self) -> list[str]:
        """The ids of the shots that have records, each once."""
        return list(dict.fromkeys(record.shot for _, record in self.items()))

    def renamed(self, old: str, new: str) -> Lock:
        """The lock with the records of one shot under another id, and with the frames taken from them renamed too.

        Records of the new id that have not been rendered make way.
        """
        slates = {name: slate_of(new, record.take) for name, record in self.items() if record.shot == old}
        renamed = Lock()
        for name, record in self.items():
            if record.shot == new and not record.rendered:
                continue
            shot = new if name in slates else record.shot
            former = tuple(_renamed_record(one, shot, slates) for one in record.superseded)
            record = replace(_renamed_record(record, shot, slates), superseded=former)
            renamed.put(slates.get(name, name), record)
        return renamed

    def laid_out(self, takes: Iterable[tuple[str, str, int]]) -> Lock:
        """The lock with a record for every take (slate, shot, number), in their order.

        Records of takes that the list no longer has stay, each behind the one it stood behind.
        """
        wanted = {slate: (shot, number) for slate, shot, number in takes}
        followers: dict[str | None, list[str]] = {}
        previous: str | None = None
        for slate in self._records:
            if slate in wanted:
                previous = slate
            elif self.glance(slate) or ((record := self.get(slate)) and record.superseded):
                followers.setdefault(previous, []).append(slate)
        ordered = list(followers.get(None, ()))
        for slate in wanted:
            ordered += (slate, *followers.get(slate, ()))
        laid_out = Lock()
        for slate in ordered:
            if slate in self._records:
                laid_out._records[slate] = self._records[slate]
            else:
                shot, number = wanted[slate]
                laid_out._records[slate] = Record(shot=shot, take=number)
        laid_out._texts = {slate: text for slate, text in self._texts.items() if slate in laid_out._records}
        return laid_out


def _renamed_record(record: Record, shot: str, slates: Mapping[str, str]) -> Record:
    """A record of a shot by its id now, with frames of renamed takes by their names now."""
    frames = record.frames and {key: _renamed_frame(source, slates) for key, source in record.frames.items()}
    return replace(record, shot=shot, frames=frames)


def _renamed_frame(source: Any, slates: Mapping[str, str]) -> Any:
    if isinstance(source, dict) and source.get("slate") in slates:
        return {**source, "slate": slates[source["slate"]]}
    return source


# --- text ------------------------------------------------------------------------------------------------

_FIELDS = (
    "provider", "model", "fingerprint", "request", "defaulted", "seed", "seed_rule", "seed_used", "frames", "vars",
    "request_id", "trace_id", "output", "rendered_at", "cost",
)  # fmt: skip
_OUTPUT_FIELDS = ("path", "sha256", "bytes", "width", "height", "fps", "duration", "audio")
_COST_FIELDS = ("amount", "currency", "basis")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_RENDERED = frozenset({"provider", "model", "fingerprint", "request", "output"})
"""What a record has from the moment that its take has been rendered: all of it, or none."""
_PLAIN_KEY = re.compile(r"(?!(?i:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][A-Za-z0-9_.]*")
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode


_SENT = re.compile(r'\n    fingerprint: "(sha256:[0-9a-f]{64})"\n')
_CAME = re.compile(
    r'\n    output:\n      path: "([^"\\]+)"\n      sha256: "(sha256:[0-9a-f]{64})"\n      bytes: ([0-9]+)\n'
)
_ENTRY = re.compile(r"  ([A-Za-z0-9][A-Za-z0-9._-]*-t[0-9]+):\n((?:    .*\n)+)")


def dump(lock: Lock) -> str:
    """The text of a lock."""
    head = [_HEAD, "takes:\n" if len(lock) else "takes: {}\n"]
    return "".join([*head, *(f"  {slate}:\n{lock.text(slate)}" for slate in lock)])


def _lines(record: Record) -> Iterator[str]:
    yield f"    shot: {_scalar(record.shot)}\n    take: {record.take}\n"
    yield from _record(record, "    ")
    if record.superseded:
        yield "    superseded:\n"
        for former in record.superseded:
            first, *rest = _record(former, "        ")
            yield f"      - {first.lstrip()}"
            yield from rest


def _record(record: Record, indent: str) -> Iterator[str]:
    for name in _FIELDS:
        value = getattr(record, name)
        if value is None or value == ():
            continue
        if name == "output":
            yield from _block(name, {key: getattr(value, key) for key in _OUTPUT_FIELDS}, indent)
        elif name == "cost":
            yield from _block(name, {key: getattr(value, key) for key in _COST_FIELDS}, indent)
        elif isinstance(value, dict):
            yield from _block(name, value, indent)
        else:
            yield f"{indent}{name}: {_scalar(list(value) if isinstance(value, tuple) else value)}\n"


def _block(name: str, mapping: Mapping[str, Any], indent: str) -> Iterator[str]:
    present = {key: value for key, value in mapping.items() if value is not None}
    if not present:
        yield f"{indent}{name}: {{}}\n"
        return
    yield f"{indent}{name}:\n"
    for key, value in present.items():
        yield f"{indent}  {key if _PLAIN_KEY.fullmatch(key) else _scalar(key)}: {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    """A value in JSON's quoting, which YAML reads the same: in every version of YAML, whose floats have a dot."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    text = _dumps(value)
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")
    if _UNPRINTABLE.search(text):
        text = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text


class _OtherForm(Exception):
    """The text does not have the form that `dump` writes."""


def parse(text: str, name: str) -> Lock:
    """Read a lockfile that the user calls `name`.

    Raises:
        LockError: with the place and the reason, for anything that is no lockfile of this version.
    """
    if any(mark in text for mark in _MARKS) and (conflict := _CONFLICT.search(text)):
        line = text.count("\n", 0, conflict.start()) + 1
        raise LockError(f"{name}:{line}:1: the lockfile holds the marks of a merge conflict; resolve it first")
    if text and not text.endswith("\n"):
        raise LockError(f"{name}:{text.count(chr(10)) + 1}:1: the lockfile is cut short: its last line has no end")
    texts = _split(text)
    if texts is not None:
        return Lock(texts=texts)
    return Lock({slate: _from_mapping(mapping) for slate, mapping in _read_yaml(text, name).items()})


def _split(text: str) -> dict[str, str] | None:
    """The lines of each record, where the whole text has the form that `dump` writes; else None."""
    if text == f"{_HEAD}takes: {{}}\n":
        return {}
    start = len(_HEAD) + len("takes:\n")
    if not text.startswith(f"{_HEAD}takes:\n"):
        return None
    texts: dict[str, str] = {}
    while match := _ENTRY.match(text, start):
        if match[1] in texts:
            return None
        texts[match[1]] = match[2]
        start = match.end()
    return texts if start == len(text) else None


def _read_record(text: str, slate: str) -> dict[str, Any]:
    """One record from its lines. Raises LockError for what a lockfile does not hold."""
    try:
        mapping = _read_lines(text)
    except _OtherForm:
        mapping = None
    if mapping is None or not schema.accepts("lock", "record")(mapping):
        takes = _read_yaml(f"{_HEAD}takes:\n  {slate}:\n{text}", f"the record of {slate}")
        mapping = takes[slate]
    return mapping


def _read_yaml(text: str, name: str) -> dict[str, Any]:
    try:
        read = document.parse(text, name)
    except ShotListError as error:
        found = error.diagnostics[0]
        raise LockError(f"{name}:{found.line}:{found.column}: not a lockfile: {found.message}") from error
    if (
        isinstance(read.data, dict)
        and (version := read.data.get("vidspec_lock")) != VERSION
        and version is not None
    ):
        raise LockError(f"{name}: the lockfile is of version {version}; this release reads {VERSION}")
    for found in schema.problems("lock", schema.WHOLE, read, None, None):
        raise LockError(f"{name}:{found.line}:{found.column}: {found.message}")
    takes: dict[str, Any] = read.data["takes"]
    return takes


def _read_lines(text: str) -> dict[str, Any]:
    """The fields of a record in the written form. Raises _OtherForm where a line is of another."""
    fields: dict[str, Any] = {}
    stack: list[tuple[int, Any]] = [(4, fields)]
    for line in text.split("\n")[:-1]:
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        if body.startswith("- "):
            while stack[-1][0] > indent:
                stack.pop()
            former: dict[str, Any] = {}
            if type(stack[-1][1]) is not list:
                raise _OtherForm
            stack[-1][1].append(former)
            indent, body = indent + 2, body[2:]
            stack.append((indent, former))
        while stack[-1][0] > indent:
            stack.pop()
        level, mapping = stack[-1]
        if level != indent or type(mapping) is not dict:
            raise _OtherForm
        _read_field(body, indent, mapping, stack)
    return fields


def _read_field(body: str, indent: int, mapping: dict[str, Any], stack: list[tuple[int, Any]]) -> None:
    key, colon, rest = body.partition(":")
    if not colon or key in mapping or '"' in key:
        raise _OtherForm
    if not rest:
        opened: Any = [] if key == "superseded" else {}
        mapping[key] = opened
        stack.append((indent + 2, opened))
    elif rest[1:2] == '"' and rest[-1] == '"' and "\\" not in rest and rest.count('"') == 2:
        mapping[key] = rest[2:-1]
    else:
        try:
            mapping[key] = json.loads(rest)
        except ValueError:
            raise _OtherForm from None


def _from_mapping(mapping: Mapping[str, Any]) -> Record:
    """A record from its fields. Raises LockError for one that is cut short, or leads out of the project."""
    fields = dict(mapping)
    if mapping.keys() - {"shot", "take", "superseded"} and not mapping.keys() >= _RENDERED:
        missing = ", ".join(sorted(_RENDERED - mapping.keys()))
        raise LockError(f"the record of {_name(mapping)} is cut short in the lockfile: it has no {missing}")
    if "output" in fields:
        fields["output"] = Output(**fields["output"])
        if _leads_out(fields["output"].path):
            raise LockError(
                f"the record of {_name(mapping)} names a clip outside the project folder: "
                f"{shown(fields['output'].path)}"
            )
    if "cost" in fields:
        fields["cost"] = Cost(**fields["cost"])
    if "defaulted" in fields:
        fields["defaulted"] = tuple(fields["defaulted"])
    if "superseded" in fields:
        about = {"shot": mapping["shot"], "take": mapping["take"]}
        fields["superseded"] = tuple(_from_mapping({**about, **former}) for former in fields["superseded"])
    return Record(**fields)


def _name(mapping: Mapping[str, Any]) -> str:
    return f"take {mapping['take']} of `{mapping['shot']}`"


def _leads_out(path: str) -> bool:
    return path.startswith("/") or "\\" in path or "\0" in path or ".." in path.split("/")
