"""The text of a Seedance request: words, then flags at the end, which upstream takes or leaves without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG = {
    "rt": "ratio",
    "rs": "resolution",
    "dur": "duration",
    "fps": "framespersecond",
    "wm": "watermark",
    "cf": "camerafixed",
}
FLAGS = frozenset({*_LONG.values(), "seed"})
_WORD = re.compile(r"\S+")
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text taken apart: the words, the flags by their long names, and what was passed over."""

    words: str
    flags: Mapping[str, str]
    ignored: tuple[str, ...] = ()


def take_apart(text: str) -> Text:
    """Words and flags. Flags count only in the row at the very end; of two of a kind the last counts."""
    tokens = list(_WORD.finditer(text))
    first, pairs = _row(tokens)
    words = text[: tokens[first].start()].strip() if first < len(tokens) else text.strip()
    flags: dict[str, str] = {}
    ignored = [f"`{token}` is not in the row of flags at the end: read as words" for token in _stray(words)]
    for name, value in pairs:
        known = _LONG.get(name, name)
        shown = f"--{name} {value}"[:_SHOWN].rstrip()
        if known not in FLAGS:
            ignored.append(f"unknown flag `{shown}` is ignored")
        elif not value:
            ignored.append(f"flag `{shown}` without a value is ignored")
        else:
            if known in flags:
                ignored.append(f"`--{known} {flags[known][:_SHOWN]}` is ignored: the flag comes again")
            flags[known] = value
    return Text(words=words, flags=flags, ignored=tuple(ignored))


def _row(tokens: list[re.Match[str]]) -> tuple[int, list[tuple[str, str]]]:
    """Where the row of flags at the end begins, and its pairs in order."""
    at = len(tokens)
    pairs: list[tuple[str, str]] = []
    while at:
        last = tokens[at - 1][0]
        before = tokens[at - 2][0] if at > 1 else ""
        if _is_flag(last):
            pairs.append((last[2:], ""))
            at -= 1
        elif _is_flag(before):
            pairs.append((before[2:], last))
            at -= 2
        else:
            break
    return at, pairs[::-1]


def _is_flag(token: str) -> bool:
    return len(token) > 2 and token.startswith("--")


def _stray(words: str) -> list[str]:
    """Known flags that stand among the words."""
    return [
        token[0]
        for token in _WORD.finditer(words)
        if _is_flag(token[0]) and _LONG.get(token[0][2:], token[0][2:]) in FLAGS
    ]


def number(value: str) -> int | None:
    """The integer that a flag's value is, if it is one."""
    return int(value) if _INTEGER.fullmatch(value) else None


def switch(value: str) -> bool | None:
    """The boolean that a flag's value is, if it is one."""
    return {"true": True, "false": False}.get(value)
