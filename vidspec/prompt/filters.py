"""The filters and tests of templates, over plain values, each bounded before it makes anything.

They mean what Jinja's of the same names mean. `bounded` weighs what a filter is given and measures what it made; a
filter looks ahead only where that can be larger than all it was given.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import cache
from inspect import Signature, signature
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING, Any

from vidspec.prompt.template import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MISSING = object()
_MAX_DECIMALS = 15

_WORD = re.compile(r"\w+")
_WORD_START = re.compile(r"([-\s({\[<]+)")
_FORMAT = re.compile(r"%(?:%|[-+ 0]?[0-9]{0,2}(?:\.[0-9])?[sdf])")
_WIDEST = 99
_MAX_KEYS = 8


class Flaw(Exception):
    """What is wrong; `offset` is where in the source, as soon as that is known."""

    def __init__(self, message: str, help: str = "", *, code: str = "E304", offset: int | None = None) -> None:  # noqa: A002
        self.code = code
        self.message = message
        self.help = help
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands for a value that does not exist; holds what to say when it is used all the same."""

    flaw: Flaw


def kind(value: object) -> str:
    """What a value is, for a message."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple | range):
        return "a list"
    if isinstance(value, float) and not isfinite(value):
        return f"`{value}`"
    names = {bool: "true or false", str: "text", int: "a number", float: "a number", dict: "a mapping"}
    return names.get(type(value), "a value of another kind")


def text(value: object) -> str:
    """A value as it is printed: text, numbers, true and false."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return _digits(value)
    raise Flaw(f"{kind(value)} cannot be printed", _INSTEAD.get(kind(value), ""))


def _digits(value: float) -> str:
    try:
        return str(value)
    except ValueError:
        raise Flaw("a number of thousands of digits", code="E303") from None


_INSTEAD = {
    "null": "write `{{ x | default('…', true) }}`",
    "a list": "write `{{ x | join(', ') }}`",
    "a mapping": "write `{{ x.key }}`, or `{{ x | join(', ') }}` for its keys",
}


def fits(size: int, most: int = MAX_TEXT, unit: str = "characters") -> None:
    """Refuse what would be too large, before it is made."""
    if size > most:
        raise Flaw(f"a value of more than {most:,} {unit}", code="E303")


def items(value: object) -> Sequence[object]:
    """What a loop or a filter goes through: the items of a list, keys of a mapping, characters of a text."""
    if isinstance(value, list | tuple | range | str):
        return value
    if isinstance(value, dict):
        return list(value)
    raise Flaw(f"{kind(value)} is not a list")


def member(value: object, key: object) -> object:
    """An item of a mapping, a list or a text; MISSING where there is none."""
    if isinstance(value, dict):
        return value.get(key, MISSING) if key is None or isinstance(key, str | int | float) else MISSING
    if isinstance(value, list | tuple | range | str) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else MISSING
    return MISSING


@cache
def _signature(function: Callable[..., object]) -> Signature:
    return signature(function)


def takes(function: Callable[..., object], positional: int, keywords: list[str]) -> bool:
    """Whether a filter or test can be called with these arguments after the value."""
    try:
        _signature(function).bind(None, *[None] * positional, **dict.fromkeys(keywords))
    except TypeError:
        return False
    return True


def written(name: str) -> str:
    """How a filter is written, for a help line."""
    _, *parameters = _signature(FILTERS[name]).parameters.values()
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters]
    return f"{name}({', '.join(shown)})" if shown else name


def _number(value: object) -> Any:
    if not isinstance(value, int | float):
        raise Flaw(f"{kind(value)} is not a number")
    return value


def _at(item: object, path: object) -> object:
    keys = text(path).split(".")
    fits(len(keys), _MAX_KEYS, "keys")
    for key in keys:
        found = member(item, int(key) if key.isdecimal() else key)
        if found is MISSING:
            raise Flaw(f"`{key}` is not in every item", code="E302")
        item = found
    return item


def _key(case_sensitive: object, attribute: object) -> Callable[[object], Any]:
    def key(item: object) -> object:
        value = item if attribute is None else _at(item, attribute)
        return value.lower() if isinstance(value, str) and not case_sensitive else value

    return key


def _title(value: object) -> str:
    return "".join(part[:1].upper() + part[1:].lower() for part in _WORD_START.split(text(value)))


def _trim(value: object, chars: str | None = None) -> str:
    return text(value).strip(chars)


def _replace(value: object, old: object, new: object, count: int | None = None) -> str:
    whole, old, new = text(value), text(old), text(new)
    times = whole.count(old) if count is None or count < 0 else min(count, whole.count(old))
    fits(len(whole) + times * (len(new) - len(old)))
    return whole.replace(old, new, times)


def _truncate(
    value: object, length: int = 255, killwords: object = False, end: object = "...", leeway: int = 5
) -> str:
    whole, end = text(value), text(end)
    if length < len(end):
        raise Flaw(f"`truncate` to {length} characters leaves no room for its end")
    if len(whole) <= length + leeway:
        return whole
    cut = whole[: length - len(end)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def _format(value: object, *values: object) -> str:
    pattern = text(value)
    if "%" in _FORMAT.sub("", pattern):
        raise Flaw("a format that templates do not know", "they know `%s`, `%d`, `%03d` and `%.2f`", code="E303")
    shown = [v if isinstance(v, int | float) and not isinstance(v, bool) else text(v) for v in values]
    fits(len(pattern) + sum(_WIDEST + len(v) for v in shown if isinstance(v, str)))
    return pattern % tuple(shown)


def _wordcount(value: object) -> int:
    return len(_WORD.findall(text(value)))


def _join(value: object, d: object = "", attribute: object = None) -> str:
    parts = [text(item if attribute is None else _at(item, attribute)) for item in items(value)]
    between = text(d)
    fits(sum(map(len, parts)) + len(between) * (len(parts) - 1))
    return between.join(parts)


def _default(value: object, default_value: object = "", boolean: object = False) -> object:
    return default_value if isinstance(value, Absent) or (boolean and not value) else value


def _length(value: object) -> int:
    return len(value) if isinstance(value, dict) else len(items(value))


def _end(index: int) -> Callable[[object], object]:
    def end(value: object) -> object:
        sequence = items(value)
        return sequence[index] if sequence else Absent(Flaw("the list is empty"))

    return end


def _sort(
    value: object, reverse: object = False, case_sensitive: object = False, attribute: object = None
) -> object:
    return sorted(items(value), key=_key(case_sensitive, attribute), reverse=bool(reverse))


def _unique(value: object, case_sensitive: object = False, attribute: object = None) -> object:
    key = _key(case_sensitive, attribute)
    by_key: dict[object, object] = {}
    for item in items(value):
        by_key.setdefault(key(item), item)
    return list(by_key.values())


def _reverse(value: object) -> object:
    return value[::-1] if isinstance(value, str) else list(reversed(items(value)))


def _extreme(choose: Callable[..., object]) -> Callable[..., object]:
    def extreme(value: object, case_sensitive: object = False, attribute: object = None) -> object:
        sequence = items(value)
        key = _key(case_sensitive, attribute)
        return choose(sequence, key=key) if sequence else Absent(Flaw("the list is empty"))

    return extreme


def _pairs(value: object) -> object:
    if not isinstance(value, dict):
        raise Flaw(f"{kind(value)} is not a mapping")
    return list(value.items())


def _map(value: object, *, attribute: object) -> object:
    return [_at(item, attribute) for item in items(value)]


def _list(value: object) -> object:
    return list(items(value))


def _round(value: object, precision: int = 0, method: str = "common") -> float:
    if abs(precision) > _MAX_DECIMALS:
        raise Flaw(f"`round` to {precision} decimals", f"at most {_MAX_DECIMALS}", code="E303")
    if method not in ("common", "ceil", "floor"):
        raise Flaw(f"`round` has no method `{method}`", "the methods are `common`, `ceil` and `floor`")
    number: float = _number(value)
    if method == "common":
        return round(number, precision)
    towards = ceil if method == "ceil" else floor
    return float(towards(number * 10**precision) / 10**precision)


def _int(value: Any, default: object = 0, base: int = 10) -> object:
    try:
        return int(value, base) if isinstance(value, str) else int(value)
    except (TypeError, ValueError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def _float(value: Any, default: object = 0.0) -> object:
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(_number(value)),
    "capitalize": lambda value: text(value).capitalize(),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _end(0),
    "float": _float,
    "format": _format,
    "int": _int,
    "items": _pairs,
    "join": _join,
    "last": _end(-1),
    "length": _length,
    "list": _list,
    "lower": lambda value: text(value).lower(),
    "map": _map,
    "max": _extreme(max),
    "min": _extreme(min),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "sort": _sort,
    "string": text,
    "title": _title,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
    "upper": lambda value: text(value).upper(),
    "wordcount": _wordcount,
}

TESTS: dict[str, Callable[..., bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Absent),
    "divisibleby": lambda value, num: bool(_number(value) % _number(num) == 0),
    "eq": operator.eq,
    "even": lambda value: bool(_number(value) % 2 == 0),
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "ge": operator.ge,
    "gt": operator.gt,
    "in": lambda value, seq: value in seq,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, str | list | tuple | range | dict),
    "le": operator.le,
    "lower": lambda value: text(value).islower(),
    "lt": operator.lt,
    "mapping": lambda value: isinstance(value, dict),
    "ne": operator.ne,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "odd": lambda value: bool(_number(value) % 2 == 1),
    "sequence": lambda value: isinstance(value, str | list | tuple | range | dict),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Absent),
    "upper": lambda value: text(value).isupper(),
}
