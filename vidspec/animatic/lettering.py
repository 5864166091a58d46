"""Text in two faces: which characters they have, which of them sets what, and where lines may break.

Roboto, which lies beside this module, sets every alphabet of Europe and Vietnamese, so that a word is always of one
face; Noto Sans CJK sets Han, kana, Hangul and the signs that Roboto lacks. What neither has is named in words. The
machine's own fonts are left alone, since a drawing depends on nothing but itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NOTO", "ROBOTO", "Block", "Typeface", "fit", "has_glyph", "legible", "length", "runs", "shorten"]

NARROWEST = 12  # more signs than any text has on the width of one em
NOWHERE = "\U0010ffff"  # no font has it, so it is drawn as what stands for a missing glyph
MARKS = "\u0300-\u036f"  # set over the letter before them, where Unicode has no letter with the mark

WIDE = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
CLOSING = "、。，．！？：；）」』】》〉〕”’…—·"
OPENING = "（「『【《〈〔“‘"
IDEOGRAM = rf"[{OPENING}]{{0,3}}[{WIDE}][{CLOSING}]*"  # with signs that are wide beside it, but narrow in a word
MARKER = r"\[[^\[\] ]{1,8}\]"  # `[图1]`: how a prompt names its references
ATOMS = re.compile(rf" +|{MARKER}|{IDEOGRAM}|(?:(?![{OPENING}]{{1,3}}[{WIDE}])[^ {WIDE}])+[{CLOSING}]*")
IDEOGRAMS = re.compile(rf"((?:{IDEOGRAM})+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeface:
    """A file of a package, and how much larger it is set so that its letters are as high as the other's."""

    package: str
    file: str
    index: int = 0
    scale: float = 1.0

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Ready to draw, at a size in pixels."""
        return _loaded(self, size * self.scale, None)

    def has(self, character: str) -> bool:
        """Whether the face itself can draw a character; composing it out of two does not count."""
        return _known(self, character)


ROBOTO = Typeface(package="vidspec.animatic", file="fonts/Roboto-Regular.ttf", scale=1.03)
NOTO = Typeface(package="noto_cjk_sans_otc", file="NotoSansCJK-Regular.ttc", index=2)  # 2 is Simplified Chinese


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines of text at a size in pixels."""

    size: int
    lines: tuple[str, ...]
    whole: bool

    @property
    def step(self) -> int:
        """From one line to the next, in pixels."""
        return round(self.size * 1.42)

    @property
    def height(self) -> int:
        """All lines together, in pixels."""
        return self.step * len(self.lines)


@lru_cache(maxsize=128)
def _loaded(typeface: Typeface, size: float, engine: ImageFont.Layout | None) -> ImageFont.FreeTypeFont:
    with as_file(files(typeface.package) / typeface.file) as path:
        return ImageFont.truetype(str(path), size, index=typeface.index, layout_engine=engine)


@lru_cache(maxsize=8192)
def _known(typeface: Typeface, character: str) -> bool:
    return character.isspace() or _picture(typeface, character) != _picture(typeface, NOWHERE)


def _picture(typeface: Typeface, character: str) -> tuple[tuple[int, int], bytes]:
    mask = _loaded(typeface, 24, ImageFont.Layout.BASIC).getmask(character)
    return mask.size, bytes(mask)


def has_glyph(character: str) -> bool:
    """Whether one of the faces can draw a character."""
    return ROBOTO.has(character) or NOTO.has(character)


@lru_cache(maxsize=4096)
def runs(text: str) -> tuple[tuple[Typeface, str], ...]:
    """The text in pieces of one face: ideograms with the signs beside them, words, and signs Roboto lacks."""
    found: list[tuple[Typeface, str]] = []
    for number, part in enumerate(IDEOGRAMS.split(text)):
        if number % 2:
            found.append((NOTO, part))
        else:
            found += [(ROBOTO if has else NOTO, "".join(run)) for has, run in groupby(part, ROBOTO.has)]
    return tuple(found)


@lru_cache(maxsize=8192)
def length(text: str, size: int) -> float:
    """How wide one line is, in pixels."""
    return sum(typeface.at(size).getlength(part) for typeface, part in runs(text))


def legible(text: str) -> str:
    """The text in one line, in glyphs that exist; what has none is named: ‹clapper board›, ‹arabic text›."""
    parts = [_drawable(character) for character in unicodedata.normalize("NFC", text)]
    joined = re.sub(r"\s+", " ", "".join(parts)).strip()
    joined = re.sub(rf"([{MARKS}]{{2}})[{MARKS}]+", r"\1", joined)
    joined = joined.replace("›‹", ", ")
    joined = re.sub(r"\b([a-z]+ text)(?:, \1)+", r"\1", joined)
    return re.sub(r"(‹[a-z]+ text›)(?:[\s.,]*\1)+", r"\1", joined)


@lru_cache(maxsize=8192)
def _drawable(character: str) -> str:
    """A character, or what stands for it: nothing for one that only steers its neighbours."""
    kind = unicodedata.category(character)
    if character.isspace():
        return " "
    if kind in {"Cc", "Cf", "Cs"} or unicodedata.name(character, "").startswith("EMOJI MODIFIER"):
        return ""
    if kind[0] == "M":
        return character if re.match(f"[{MARKS}]", character) else ""
    plain = character if has_glyph(character) else unicodedata.normalize("NFKC", character)
    return plain if all(has_glyph(sign) for sign in plain) else _named(character, kind)


def _named(character: str, kind: str) -> str:
    """Signs by their name; letters and digits by their script."""
    name = unicodedata.name(character, "").lower()
    if not name:
        return "□"
    return f"‹{name.split(maxsplit=1)[0]} text›" if kind[0] in "LN" else f"‹{name}›"


def fit(text: str, width: int, height: int, sizes: tuple[int, int]) -> Block:
    """The text as large as `sizes` (largest, smallest) allow in `width` and `height`, else cut with an ellipsis."""
    largest, smallest = sizes
    size = largest
    while True:
        block = Block(size=size, lines=(), whole=False)
        lines, whole = wrap(text, size, width, max(1, height // block.step))
        if whole or size <= smallest:
            return Block(size=size, lines=tuple(lines), whole=whole)
        size = max(smallest, min(size - 1, round(size * 0.93)))


def wrap(text: str, size: int, width: int, most: int) -> tuple[list[str], bool]:
    """At most so many lines of `width` pixels, and whether they hold the whole text."""
    text = text[: NARROWEST * most * width // size + 1]  # what cannot fit by far need not be measured
    lines, line, used = [], "", 0.0
    for atom in _atoms(text, size, width):
        long = length(atom, size)
        if line and used + long > width and not atom.isspace():
            lines.append(line.rstrip())
            if len(lines) == most:
                lines[-1] = shorten(f"{lines[-1]} {atom}…", size, width, cut=True)
                return lines, False
            line, used = "", 0.0
        if line or not atom.isspace():
            line, used = line + atom, used + long
    return [*lines, line.rstrip()] if line.strip() else lines, True


def _atoms(text: str, size: int, width: int) -> Iterator[str]:
    """The pieces between which a line may break; a word wider than a line breaks anywhere."""
    for found in ATOMS.finditer(text):
        atom = found.group()
        while len(atom) > 1 and length(atom, size) > width:
            room = max(1, len(_longest(atom, size, width, str)))
            yield atom[:room]
            atom = atom[room:]
        yield atom


def _longest(text: str, size: int, width: int, ended: Callable[[str], str]) -> str:
    """The longest beginning of a text that fits when it is `ended`, and so ended."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(ended(text[:middle]), size) <= width else (low, middle - 1)
    return ended(text[:low])


def shorten(text: str, size: int, width: int, *, cut: bool = False) -> str:
    """One line of at most `width` pixels, with an ellipsis where it is cut (or was `cut` before)."""
    if not cut and length(text, size) <= width:
        return text
    return _longest(text.rstrip("…"), size, width, lambda kept: kept.rstrip(" ,.;:，。、") + "…")
