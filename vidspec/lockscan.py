"""Records recognised in a text of the form that `lockform` writes, and taken apart.

One regular expression, put together from a table of the fields, knows the form; its groups are what is read. That
takes a tenth of the time of a YAML loader, and allows nothing that YAML reads otherwise. What is of another form
(an editor's hand, a newer release) is not judged here.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec.lock import Cost, Glance, Output, Record
from vidspec.lockform import FIELDS, OUTPUT, quoted, scalar, written_key
from vidspec.take import slate as slate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# --- the form as a regular expression ------------------------------------------------------------------------

_ESCAPE = r'\\(?:["\\bfnrt]|u[0-9a-f]{4})'
_TEXT = rf'"([^"\\\n]*(?:{_ESCAPE}[^"\\\n]*)*)"'
_DIGEST = '"(sha256:[0-9a-f]{64})"'
_WHOLE = "(-?(?:0|[1-9][0-9]{0,99}))"
_COUNT = "(0|[1-9][0-9]{0,99})"
_PIXELS = "([1-9][0-9]{0,99})"
_FRACTION = r"(?:\.[0-9]{1,99}(?:e[-+]?[0-9]{1,2})?)?"
_NUMBER = rf"((?:0|[1-9][0-9]{{0,99}}){_FRACTION})"
_ABOVE_ZERO = rf"((?!0(?:\.0+)?[e\n])(?:0|[1-9][0-9]{{0,99}}){_FRACTION})"
_WORDS = r'(\[(?:"[^"\\\n]*"(?:, "[^"\\\n]*")*)?\])'
_ID = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

_OUTPUT_FORM = {
    "path": r'"((?!/|(?:[^"\n]*/)?\.\.[/"])[^"\\\n]+)"',
    "sha256": _DIGEST,
    "bytes": _COUNT,
    "width": _PIXELS,
    "height": _PIXELS,
    "fps": _ABOVE_ZERO,
    "duration": _NUMBER,
    "audio": "(true|false)",
}
_COST_FORM = {"amount": _NUMBER, "currency": '"([a-z]{3})"', "basis": _TEXT}
_ANY_TEXT = _TEXT.replace("(", "(?:", 1)
_ANY = rf"(?:{_ANY_TEXT}|-?[0-9][-+.0-9e]{{0,199}}|true|false|null|\[.*\]|\{{.*\}})"
_KEY = rf"[A-Za-z_][A-Za-z0-9_.]*|{_ANY_TEXT}"
_FREE = {"request": _ANY, "frames": _ANY, "pictures": _ANY_TEXT, "vars": _ANY}
"""Mappings with keys of their own, each once, and the form of their values."""

_FORM: dict[str, str | dict[str, str]] = {
    **dict.fromkeys(FIELDS, _TEXT),
    **dict.fromkeys(("fingerprint", "accepted"), _DIGEST),
    "defaulted": _WORDS,
    "seed": _WHOLE,
    "seed_rule": '"(fixed|auto|random)"',
    "seed_used": _WHOLE,
    "output": _OUTPUT_FORM,
    "cost": _COST_FORM,
}
"""The forms of all other fields; the first group of one is what is read."""

_NEEDED = frozenset(
    {"provider", "model", "fingerprint", "request", "output", "path", "sha256", "bytes", "amount", "currency"}
)


def _pattern(form: Mapping[str, str | dict[str, str]], indent: str) -> str:
    """Fields in their order; the group of what is read in one has its name."""
    found = []
    for name, one in form.items():
        if name in _FREE:
            line = _free(name, f"{indent}  ")
        elif isinstance(one, dict):
            line = "\\n" + _pattern(one, f"{indent}  ")
        else:
            line = " " + one.replace("(", f"(?P<{name}>", 1) + "\\n"
        line = f"{indent}{name}:{line}"
        found.append(line if name in _NEEDED else f"(?:{line})?")
    return "".join(found)


def _free(name: str, indent: str) -> str:
    once = rf"(?!.*\n(?:{indent}.*\n)*{indent}(?P={name}_key):)"
    pair = rf"{indent}(?P<{name}_key>{_KEY}):{once} {_FREE[name]}\n"
    return rf"(?P<{name}> \{{\}}\n|\n(?:{pair}){{1,{_MOST}}})"


_MOST = 200
"""Keys of a mapping beyond which this is not worth the while: each is looked for among all that follow."""


@cache
def _current() -> re.Pattern[str]:
    return re.compile(
        rf'    shot: "(?P<shot>{_ID})"\n    take: (?P<take>[1-9][0-9]{{0,8}})\n'
        rf"(?P<chosen>    chosen: true\n)?(?:{_pattern(_FORM, '    ')})?"
    )


@cache
def _former() -> re.Pattern[str]:
    return re.compile(f"      - {_pattern(_FORM, '        ').lstrip(' ')}")


_UNDER = "    superseded:\n"


class _Matched(NamedTuple):
    """A record in a text: its own fields, those of its former ones, and where it ends."""

    current: re.Match[str]
    former: list[re.Match[str]]
    end: int


def _matched(text: str, start: int) -> _Matched | None:
    """The record whose lines begin at an offset; None where they have another form."""
    current = _current().match(text, start)
    if current is None:
        return None
    former, end = [], current.end()
    if text.startswith(_UNDER, end):
        end += len(_UNDER)
        while one := _former().match(text, end):
            former.append(one)
            end = one.end()
        if not former:
            return None
    return _Matched(current, former, end)


# --- text into records -------------------------------------------------------------------------------------


class Entries(NamedTuple):
    """The lines of each record by slate, and by path the slates of records that name one output."""

    texts: dict[str, str]
    shared: dict[str, list[str]]


def entries(text: str, start: int) -> Entries | None:
    """The records that follow in a text from an offset on; None where one of them has another form."""
    texts: dict[str, str] = {}
    places: dict[str, str] = {}
    shared: dict[str, list[str]] = {}
    while start < len(text):
        begin = text.find("\n", start) + 1
        found = _matched(text, begin)
        if found is None:
            return None
        shot, take, path = found.current.group("shot", "take", "path")
        slate = slate_of(shot, int(take))
        if slate in texts or text[start:begin] != f"  {slate}:\n":
            return None
        if path is not None and (first := places.setdefault(path, slate)) != slate:
            shared.setdefault(path, [first]).append(slate)
        texts[slate] = text[begin : found.end]
        start = found.end
    return Entries(texts, shared)


_SENT = re.compile(r'\n    fingerprint: "(.+)"\n')
_CAME = re.compile(r'\n    output:\n      path: "(.+)"\n      sha256: "(.+)"\n      bytes: (.+)\n')


def glance(text: str) -> Glance | None:
    """What a plan compares of a record in this form; None where the take is not finished."""
    sent = _SENT.match(text, text.find("\n    fingerprint:"))
    came = _CAME.match(text, text.find("\n    output:"))
    return Glance(sent[1], came[1], came[2], int(came[3])) if sent and came else None


class _OtherForm(Exception):
    """A value that this module would have written otherwise: YAML may read something else."""


def record(text: str) -> Record | None:
    """A record from its lines; None where a value in them has another form."""
    found = _matched(text, 0)
    if found is None or found.end != len(text) or _ODD.search(text):
        return None
    shot, take, chosen = found.current.group("shot", "take", "chosen")
    try:
        former = tuple(_made(one, shot, int(take)) for one in found.former)
        return _made(found.current, shot, int(take), chosen=True if chosen else None, superseded=former)
    except (_OtherForm, ValueError, RecursionError):
        return None


_ODD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def _made(found: re.Match[str], shot: str, take: int, **more: Any) -> Record:
    fields = _values(found, _READ)
    if fields:
        fields["output"] = Output(**_values(found, _READ_OUTPUT))
        cost = _values(found, _READ_COST)
        fields["cost"] = Cost(**cost) if cost else None
    return Record(shot=shot, take=take, **fields, **more)


def _values(found: re.Match[str], readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """What stands in the groups of the fields that are there."""
    raw = found.group(*readers)
    return {name: readers[name](one) for name, one in zip(readers, raw, strict=True) if one is not None}


def _text(raw: str) -> str:
    """A text from what stands between its quotes."""
    if "\\" not in raw:
        return raw
    text: str = json.loads(f'"{raw}"')
    _hold(f'"{raw}"', quoted(text))
    return text


def _hold(raw: str, written: str) -> None:
    """What stands there against what this module would have written."""
    if raw != written:
        raise _OtherForm


_PAIR = re.compile(rf'^ +({_KEY}): (?:"([^"\\\n]*)"|(.+))$', re.MULTILINE)


def _mapping(raw: str) -> dict[str, Any]:
    """A mapping from the lines of its block, which begin with the end of the line of its name."""
    if raw == " {}\n":
        return {}
    pairs = _PAIR.findall(raw)
    made = {_read_key(key): _value(other) if other else text for key, text, other in pairs}
    if len(made) != raw.count("\n") - 1:
        raise _OtherForm
    return made


@lru_cache(4096)
def _read_key(raw: str) -> str:
    key: str = json.loads(raw) if raw.startswith('"') else raw
    _hold(raw, written_key(key))
    return key


def _value(raw: str) -> Any:
    if raw[0] == '"':
        return _text(raw[1:-1])  # the form has seen to the quotes
    if raw[0] in "[{":
        return _canonical(raw)
    return _lone(raw)


def _canonical(raw: str) -> Any:
    value = json.loads(raw)
    _hold(raw, scalar(value))
    return value


@lru_cache(4096)
def _lone(raw: str) -> Any:
    """A number, true, false or null."""
    return _canonical(raw)


@lru_cache(4096)
def _words(raw: str) -> tuple[str, ...]:
    return tuple(json.loads(raw))


def _number(raw: str) -> float:
    return float(raw) if "." in raw else int(raw)


_READ: dict[str, Callable[[str], Any]] = {
    **{name: _mapping if name in _FREE else _text for name in FIELDS if name not in ("output", "cost")},
    "defaulted": _words,
    "seed": int,
    "seed_used": int,
}
_READ_OUTPUT: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(OUTPUT, int),
    **dict.fromkeys(("path", "sha256"), str),
    **dict.fromkeys(("fps", "duration"), _number),
    "audio": "true".__eq__,
}
_READ_COST: dict[str, Callable[[str], Any]] = {"amount": _number, "currency": str, "basis": _text}
