"""Plain scalars by the core schema of YAML 1.2: `16:9` and `on` are text, `0042` is 42.

YAML 1.1, which most loaders still read, makes 969 of `16:9` and true of `on`.
"""

from __future__ import annotations

import re
from math import isinf
from typing import NamedTuple

MAX_DIGITS = 250
"""So that every integer, in hexadecimal too, is within the range of a float."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAYBE_NOT_TEXT = frozenset("-+.0123456789tTfFnN~")


class Unfit(NamedTuple):
    """Why a scalar has no value here, and what would be right."""

    message: str
    help: str


def is_surely_text(scalar: str) -> bool:
    """A quick yes for nearly every text; no says nothing."""
    return scalar != "" and scalar[0] not in _MAYBE_NOT_TEXT


def core_value(scalar: str) -> str | int | float | bool | Unfit | None:
    """What a plain scalar means."""
    if scalar in _NULL:
        return None
    if scalar in _BOOL:
        return _BOOL[scalar]
    if _INTEGER.fullmatch(scalar) or _OCTAL_OR_HEX.fullmatch(scalar):
        if len(scalar) > MAX_DIGITS:
            return Unfit(f"a number of {len(scalar)} digits", "put it in quotes")
        return int(scalar, 0) if scalar[1:2] in ("o", "x") else int(scalar)
    if _NOT_A_NUMBER.fullmatch(scalar):
        return Unfit(f"`{scalar}` has no meaning here", "write a finite number")
    if not _FLOAT.fullmatch(scalar):
        return scalar
    number = float(scalar)
    return Unfit(f"the number `{scalar[:20]}` is too large", "put it in quotes") if isinf(number) else number
