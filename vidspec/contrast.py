"""Two texts held against each other: which words differ, and lines of them that fit a width.

Pure. Words are what stands between blanks; in scripts without blanks each character is one.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from vidspec.console import width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_IDEOGRAPH = r"[\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
_TOKEN = re.compile(rf"\n|[^\S\n]+|{_IDEOGRAPH}|(?:(?!{_IDEOGRAPH})[\w\u0300-\u036f])+|[^\w\s]")
_ALONE = re.compile(_IDEOGRAPH)
_MOST_TOKENS = 1000
"""Words of a text beyond which only its beginning and its end are compared: the rest counts as changed."""
_ALIKE = 0.3
"""The share of common words under which two texts are two texts, and no edit of one."""


class Piece(NamedTuple):
    """A part of a text, and whether the other text has something else there."""

    text: str
    differs: bool = False


def contrast(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts, taken apart, with the words marked that the other has not; unmarked where little is common."""
    before, after = _tokens(old), _tokens(new)
    marks = _marks(before, after)
    common = sum(1 for token, differs in zip(before, marks[0], strict=True) if not differs and _is_word(token))
    if common < _ALIKE * max(sum(map(_is_word, before)), sum(map(_is_word, after))):
        marks = [False] * len(before), [False] * len(after)
    return _pieces(before, marks[0]), _pieces(after, marks[1])


def plain(text: str) -> list[Piece]:
    """A text that is held against nothing."""
    return [Piece(_shown(token)) for token in _tokens(text)]


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def _marks(old: Sequence[str], new: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Which tokens of either side the other has not."""
    start = _common(zip(old, new, strict=False))
    rest = min(len(old), len(new)) - start
    end = min(rest, _common(zip(reversed(old), reversed(new), strict=False)))
    middles = old[start : len(old) - end], new[start : len(new) - end]
    marks = [False] * len(old), [False] * len(new)
    for tag, low, high, from_, to in _edits(*middles):
        if tag != "equal":
            marks[0][start + low : start + high] = [True] * (high - low)
            marks[1][start + from_ : start + to] = [True] * (to - from_)
    return _tidied(old, marks[0]), _tidied(new, marks[1])


def _common(pairs: Iterable[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _edits(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """The steps from one to the other. Blanks and points that both have amid what differs are no common ground."""
    if max(len(old), len(new)) > _MOST_TOKENS:
        return [("replace", 0, len(old), 0, len(new))]
    steps: list[tuple[str, int, int, int, int]] = []
    for step in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        inside = bool(steps) and step[2] < len(old) and step[4] < len(new)
        if step[0] == "equal" and inside and not any(map(_is_word, old[step[1] : step[2]])):
            step = ("replace", *step[1:])
        steps.append(step)
    return steps


def _tidied(tokens: Sequence[str], marks: list[bool]) -> list[bool]:
    """The marks without the blanks at the ends of a run of words: what has changed is the words."""
    tidied = list(marks)
    for low, high in _runs(marks):
        inner = [index for index in range(low, high) if not tokens[index].isspace()]
        if inner:
            for index in (*range(low, inner[0]), *range(inner[-1] + 1, high)):
                tidied[index] = False
    return tidied


def _runs(marks: Sequence[bool]) -> Iterator[tuple[int, int]]:
    low = 0
    while low < len(marks):
        high = low
        while high < len(marks) and marks[high]:
            high += 1
        if high > low:
            yield low, high
        low = high + 1


def _pieces(tokens: Sequence[str], marks: Sequence[bool]) -> list[Piece]:
    """The tokens as they are shown. Blanks can be seen where nothing but blanks has changed."""
    pieces = [Piece(_shown(token), mark) for token, mark in zip(tokens, marks, strict=True)]
    for low, high in _runs(marks):
        if all(map(str.isspace, tokens[low:high])):
            for index in range(low, high):
                pieces[index] = Piece("".join(_BLANKS.get(one) or _visible(one) for one in tokens[index]), True)
    return pieces


_BLANKS = {" ": "·", "\n": "↵\n", "\t": "⇥"}


def _shown(text: str) -> str:
    """A token as it can be read: no code gets to the terminal."""
    if text.isprintable():
        return text
    if not text.isspace():
        return "".join(map(_visible, text))
    return text if text == "\n" else " " * len(text)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


# --- lines -------------------------------------------------------------------------------------------------


def bracketed(pieces: Sequence[Piece], opening: str, closing: str) -> list[Piece]:
    """The same without marks, and with brackets around each run of what was marked: where there is no colour."""
    found = [Piece(piece.text) for piece in pieces]
    for low, high in _runs([piece.differs for piece in pieces]):
        found[low] = Piece(f"{opening}{found[low].text}")
        last = found[high - 1].text
        found[high - 1] = Piece(f"{last[:-1]}{closing}\n" if last.endswith("\n") else f"{last}{closing}")
    return found


def wrapped(pieces: Iterable[Piece], columns: int) -> list[list[Piece]]:
    """Lines of at most so many columns of a terminal, broken at blanks and where a script allows it anywhere.

    A word that is longer than a line is broken where the line ends. There is always a line, if an empty one.
    """
    lines: list[list[Piece]] = [[]]
    filled = 0
    blank: Piece | None = None
    for chunk in _chunks(pieces):
        if chunk[0].text == "\n":
            lines.append([])
            filled, blank = 0, None
        elif chunk[0].text.isspace():
            blank = chunk[0]
        else:
            parts = [chunk] if _width(chunk) <= columns else _broken(chunk, columns)
            for number, part in enumerate(parts):
                gap = width(blank.text) if blank else 0
                if number or filled + gap + _width(part) > columns:
                    lines += [[]] if filled else []
                    filled, gap, blank = 0, 0, None
                lines[-1] += [blank, *part] if blank else part
                filled += gap + _width(part)
                blank = None
    return [_joined(line) for line in lines]


def _chunks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces that stay on one line: a word with the points that stand by it; a blank and a line's end alone."""
    chunk: list[Piece] = []
    for piece in _lines_apart(pieces):
        is_blank = piece.text.isspace()
        if chunk and (is_blank or _parts(chunk[-1].text, piece.text)):
            yield chunk
            chunk = []
        if is_blank:
            yield [piece]
        else:
            chunk.append(piece)
    if chunk:
        yield chunk


def _lines_apart(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, with each end of a line as one of its own."""
    for text, differs in pieces:
        before, end, _ = text.partition("\n")
        if before:
            yield Piece(before, differs)
        if end:
            yield Piece(end)


def _parts(before: str, after: str) -> bool:
    """Whether a line may end between two pieces without a blank."""
    return bool(_ALONE.search(after[0]) or (_ALONE.search(before[-1]) and _is_word(after)))


def _width(chunk: Iterable[Piece]) -> int:
    return sum(len(text) if text.isascii() else width(text) for text, _ in chunk)


def _broken(chunk: Iterable[Piece], columns: int) -> list[list[Piece]]:
    """A chunk that is too long for a line, as parts that are not."""
    parts: list[list[Piece]] = [[]]
    filled = 0
    for piece in chunk:
        for character in piece.text:
            taken = width(character)
            if parts[-1] and filled + taken > columns:
                parts.append([])
                filled = 0
            parts[-1].append(Piece(character, piece.differs))
            filled += taken
    return [_joined(part) for part in parts]


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].differs == piece.differs:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.differs)
        else:
            joined.append(piece)
    return joined
