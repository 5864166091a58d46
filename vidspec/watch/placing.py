"""Which shot a line of a list belongs to, found in the text alone: the text may be one that cannot be parsed.

A list is a sequence under `shots`, and its entries begin with a dash in one column. That holds also while an entry
is half written, which is when nothing else knows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Entries", "shots_of"]

_SHOTS = re.compile(r"""(?:shots|"shots"|'shots')\s*:\s*(?:#.*)?""")
_ITEM = re.compile(r"( *)-(?:\s|$)")
_ID = re.compile(r"""(?:^\s*(?:-\s+)?|[{,]\s*)(?:id|"id"|'id')\s*:\s*("[^"]*"|'[^']*'|[^\s,}#][^,}#]*)""")
_LONGEST = 400
"""Characters of a line in which an id is looked for."""


class Entries:
    """The entries of a list's text."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._starts: list[int] = []
        self._outside: list[int] = []
        self._find()

    def _find(self) -> None:
        """Note in which lines, from 0, entries begin, and which lines are the list's own."""
        column: int | None = None
        inside = False
        for number, written in enumerate(self._lines):
            if _SHOTS.fullmatch(written[:_LONGEST].rstrip()):
                inside, column = True, None
                self._outside.append(number)
            elif _is_outside(written):
                inside = False
                self._outside.append(number)
            elif inside and (match := _ITEM.match(written)):
                column = len(match[1]) if column is None else column
                if len(match[1]) == column:
                    self._starts.append(number)

    def at(self, line: int) -> str | None:
        """The id, as it is written, of the entry that a line (from 1) stands in; None where it stands in none."""
        place = bisect_left(self._starts, line) - 1
        if place < 0:
            return None
        begin = self._starts[place]
        end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._lines)
        own = bisect_left(self._outside, begin)
        if own < len(self._outside) and self._outside[own] < min(line, end):
            return None
        found = (_ID.search(written[:_LONGEST]) for written in self._lines[begin:end])
        return next((match[1].strip().strip("\"'") for match in found if match), None)


def _is_outside(written: str) -> bool:
    """Whether a line is the list's own: it begins with a key."""
    return bool(written) and not written[0].isspace() and written[0] not in "-#]}"


def shots_of(written: str, known: Iterable[str]) -> tuple[str, ...]:
    """The shots that an id as it is written stands for; one with templates in it, among those that are known."""
    pieces = list(_around_templates(written))
    if len(pieces) == 1:
        return (written,)
    return tuple(shot for shot in known if _fits(shot, pieces))


def _around_templates(written: str) -> Iterator[str]:
    """What stands before, between and after the templates of a text."""
    while (begin := written.find("{{")) >= 0 and (end := written.find("}}", begin)) >= 0:
        yield written[:begin]
        written = written[end + 2 :]
    yield written


def _fits(shot: str, pieces: list[str]) -> bool:
    """Whether an id can be had by putting something between the pieces."""
    first, *others, last = pieces
    if not (shot.startswith(first) and shot.endswith(last) and len(shot) > len(first) + len(last)):
        return False
    rest = shot[len(first) : len(shot) - len(last)]
    for piece in others:
        place = rest.find(piece, 1)
        if place < 0:
            return False
        rest = rest[place + len(piece) :]
    return bool(rest)
