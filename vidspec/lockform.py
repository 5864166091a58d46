"""The form in which a lockfile's records are written: YAML in block layout, one field a line, JSON's quoting."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from vidspec.lock import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vidspec.lock import Record

    Write = Callable[[str, Any, str], str]

# --- scalars -----------------------------------------------------------------------------------------------

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][A-Za-z0-9_.]*", re.IGNORECASE)
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def scalar(value: Any) -> str:
    """A value in JSON's quoting, which YAML reads the same: in every version of YAML, whose floats have a dot."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is int:
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join([f'{quoted(key)}: {scalar(item)}' for key, item in value.items()])}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(scalar, value))}]"
    text = _dumps(value)
    return text.replace("e", ".0e") if kind is float and "." not in text else text


def quoted(text: str) -> str:
    """A text between quotes, on one line."""
    made = encode_basestring(text)
    return made if made.isprintable() else _UNPRINTABLE.sub(_escaped, made)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


@lru_cache(4096)
def written_key(key: str) -> str:
    """A key, in quotes where it might be taken for something else than a text."""
    return key if _PLAIN_KEY.fullmatch(key) else quoted(key)


# --- records into text -------------------------------------------------------------------------------------


def field(name: str, value: Any, indent: str) -> str:
    """The lines of one field: a mapping in a block, one level deep, anything else in one line."""
    if not isinstance(value, dict) or not value:
        return f"{indent}{written_key(name)}: {scalar(value)}\n"
    lines = [f"{indent}  {written_key(key)}: {scalar(item)}\n" for key, item in value.items()]
    return f"{indent}{written_key(name)}:\n{''.join(lines)}"


def _of(names: tuple[str, ...]) -> Write:
    """Writes the fields of a value that are there."""

    def write(name: str, value: Any, indent: str) -> str:
        pairs = [(key, getattr(value, key)) for key in names]
        lines = [f"{indent}  {key}: {scalar(item)}\n" for key, item in pairs if item is not None]
        return f"{indent}{name}:\n{''.join(lines)}"

    return write


OUTPUT = ("path", "sha256", "bytes", "width", "height", "fps", "duration", "audio")
COST = ("amount", "currency", "basis")
FIELDS: dict[str, Write] = {
    "provider": field,
    "model": field,
    "fingerprint": field,
    "accepted": field,
    "request": field,
    "defaulted": field,
    "seed": field,
    "seed_rule": field,
    "seed_used": field,
    "frames": field,
    "pictures": field,
    "vars": field,
    "request_id": field,
    "trace_id": field,
    "output": _of(OUTPUT),
    "rendered_at": field,
    "cost": _of(COST),
}
_NAMES = ("shot", "take", "chosen", *FIELDS, "superseded")


def lines(record: Record) -> str:
    """A record as text, without the line that names its slate."""
    found = {"shot": f"    shot: {quoted(record.shot)}\n", "take": f"    take: {record.take}\n"}
    if record.chosen:
        found["chosen"] = "    chosen: true\n"
    found |= _written(record, "    ")
    if record.superseded:
        found["superseded"] = f"    superseded:\n{''.join(map(_under, record.superseded))}"
    return _joined(found, record.unknown, "    ")


def _under(record: Record) -> str:
    text = _joined(_written(record, "        "), record.unknown, "        ")
    return f"      - {text.lstrip(' ')}"


def _written(record: Record, indent: str) -> dict[str, str]:
    found = {}
    for name, write in FIELDS.items():
        value = getattr(record, name)
        if value is not None and value != ():
            found[name] = write(name, value, indent)
    return found


def _joined(found: dict[str, str], unknown: tuple[Unknown, ...], indent: str) -> str:
    if not unknown:
        return "".join(found.values())
    for block, names in (("output", OUTPUT), ("cost", COST)):
        within = [one for one in unknown if one[2].startswith(f"{block}.")]
        if within and block in found:
            inner = [Unknown(one[0], one[1], one[2].removeprefix(f"{block}."), one[3]) for one in within]
            head, *rest = found[block].splitlines(keepends=True)
            by_key = {line.strip().partition(":")[0]: line for line in rest}
            found[block] = head + woven(by_key, names, inner, f"{indent}  ")
    return woven(found, _NAMES, [one for one in unknown if "." not in one[2]], indent)


def woven(found: Mapping[str, str], names: Iterable[str], unknown: Iterable[Unknown], indent: str) -> str:
    """The lines of known fields in their order, and behind each those of the unknown ones that stood behind it."""
    behind: dict[str, str] = {}
    for name, value, after, _ in unknown:
        behind[after] = behind.get(after, "") + field(name, value, indent)
    return "".join([found.get(name, "") + behind.get(name, "") for name in ("", *names)])
