"""Text for a terminal: colour where it is wanted, columns that line up, also with Chinese in them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from vidspec.diagnostic import Diagnostic

_STYLES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "bold": "1", "dim": "2"}
_LEAST = 20
"""Columns below which a text is not folded."""


class Console:
    """Writes to one stream. `colour` is worked out from the stream and the environment unless it is given."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self.stream = stream if stream is not None else sys.stdout
        self.colour = _wants_colour(self.stream) if colour is None else colour
        self._asked = colour

    def beside(self, stream: TextIO) -> Console:
        """A console on another stream: in colour where that stream is fit for it and nobody has asked otherwise."""
        return Console(stream, colour=self._asked)

    def paint(self, text: str, *styles: str) -> str:
        """The text in colour, where there is colour."""
        if not self.colour or not text:
            return text
        return f"\033[{';'.join(_STYLES[style] for style in styles)}m{text}\033[0m"

    def line(self, text: str = "") -> None:
        """Write a line. What the stream cannot say is written as an escape, not as a crash."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Write diagnostics as they are read by people and editors."""
        for one in found:
            hue = "red" if one.severity == "error" else "yellow"
            place = self.paint(f"{one.file}:{one.line}:{one.column}:", "bold")
            kind = self.paint(f"{one.severity}[{one.code}]:", hue, "bold")
            self.line(f"{place} {kind} {one.message}")
            if one.help:
                self.line(f"    {self.paint('help:', 'cyan')} {one.help}")

    def notices(self, found: Iterable[str]) -> None:
        """Write what a person should know of a file that was read, and is no fault of the list."""
        for one in found:
            self.line(f"{self.paint('note:', 'cyan', 'bold')} {one}")

    def rows(self, rows: Sequence[Sequence[str]], *, indent: str = "  ", right: Iterable[int] = ()) -> None:
        """Write rows in columns two blanks apart; the columns named in `right` are set flush right.

        On a terminal what does not fit goes on below, in the last column.
        """
        flush = set(right)
        widths = [max(map(width, column)) for column in zip(*rows, strict=True)] if rows else []
        before = len(indent) + sum(one + 2 for one in widths[:-1])
        room = shutil.get_terminal_size().columns - before if self.stream.isatty() else 0
        for row in rows:
            cells = [_set(cell, widths[index], flush=index in flush) for index, cell in enumerate(row)]
            first, *more = _folded(cells.pop().rstrip(), room)
            self.line(f"{indent}{'  '.join((*cells, first))}".rstrip())
            for line in more:
                self.line(f"{' ' * before}{line}")


def width(text: str) -> int:
    """How many columns of a terminal a text takes, colour left out."""
    count, inside = 0, False
    for character in text:
        if inside:
            inside = character != "m"
        elif character == "\033":
            inside = True
        elif not combining(character):
            count += 2 if east_asian_width(character) in "WF" else 1
    return count


def _folded(text: str, columns: int) -> list[str]:
    """A text in lines of so many columns, broken at blanks; in one where they are too few to be read."""
    if columns < _LEAST or len(text) <= columns // 2:  # no letter is wider than two columns
        return [text]
    first, *words = text.split(" ")
    lines = [first]
    for word in words:
        if width(f"{lines[-1]} {word}") > columns:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


def _set(text: str, columns: int, *, flush: bool) -> str:
    blanks = " " * (columns - width(text))
    return blanks + text if flush else text + blanks


def _wants_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()
