"""Text in one face: which characters it has, what stands for the others, and where lines may break.

Noto Sans CJK has Han, kana and Hangul, the Latin of Western Europe and Vietnam, Russian, and Greek without accents.
Any other letter with a mark is shown without it, a few have a double that looks or sounds alike, and all that
remains is named in words. The machine's own fonts are left alone, since a drawing depends on nothing but itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Block", "fit", "font", "has_glyph", "legible", "shorten"]

PACKAGE, FILE = "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"
SIMPLIFIED_CHINESE, SIMPLIFIED_CHINESE_MONO = 2, 7
DOUBLES = dict(zip("ŁłĦħŦŧıſƏəІіЄєҐґЈјЅѕЉљЊњЂђЋћ", "LlHhTtisEeIiЕеГгJjSsЛлНнĐđCc", strict=True)) | {
    "Џ": "Dz",
    "џ": "dz",
}
NARROWEST = 6  # more signs than any text has on the width of one em
NOWHERE = "\U0010ffff"  # no font has it, so it is drawn as what stands for a missing glyph

WIDE = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
CLOSING = "、。，．！？：；）」』】》〉〕”’…"
OPENING = "（「『【《〈〔“‘"
ATOMS = re.compile(rf" +|[{OPENING}]*[{WIDE}][{CLOSING}]*|[^ {WIDE}]+[{CLOSING}]*")


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


@lru_cache(maxsize=64)
def font(size: int, *, mono: bool = False) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels; `mono` has digits and letters of one width."""
    return _face(size, SIMPLIFIED_CHINESE_MONO if mono else SIMPLIFIED_CHINESE, None)


def _face(size: int, index: int, engine: ImageFont.Layout | None) -> ImageFont.FreeTypeFont:
    with as_file(files(PACKAGE) / FILE) as path:
        return ImageFont.truetype(str(path), size, index=index, layout_engine=engine)


@lru_cache(maxsize=8192)
def has_glyph(character: str) -> bool:
    """Whether the face itself can draw a character; composing it out of two does not count."""
    return character.isspace() or _picture(character) != _picture(NOWHERE)


def _picture(character: str) -> tuple[tuple[int, int], bytes]:
    mask = _plain_face().getmask(character)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _plain_face() -> ImageFont.FreeTypeFont:
    return _face(24, SIMPLIFIED_CHINESE, ImageFont.Layout.BASIC)


def legible(text: str) -> str:
    """The text in one line, in glyphs that exist; what has none is named: ‹clapper board›, ‹arabic text›."""
    parts = [_drawable(character) for character in unicodedata.normalize("NFC", text)]
    joined = re.sub(r"\s+", " ", "".join(parts)).strip()
    joined = joined.replace("›‹", ", ")
    joined = re.sub(r"\b([a-z]+ text)(?:, \1)+", r"\1", joined)
    return re.sub(r"(‹[a-z]+ text›)(?:[\s.,]*\1)+", r"\1", joined)


@lru_cache(maxsize=8192)
def _drawable(character: str) -> str:
    """A character, or what stands for it: nothing for one that only steers its neighbours."""
    kind = unicodedata.category(character)
    if character.isspace():
        return " "
    if kind in {"Cc", "Cf", "Cs"} or kind[0] == "M" or unicodedata.name(character, "").startswith("EMOJI MODIFIER"):
        return ""
    if has_glyph(character):
        return character
    plain = _plainer(character)
    if plain and all(has_glyph(sign) for sign in plain):
        return plain
    return _named(character, kind)


def _plainer(character: str) -> str:
    folded = "".join(DOUBLES.get(sign, sign) for sign in unicodedata.normalize("NFKD", character))
    return "".join(sign for sign in folded if not unicodedata.category(sign).startswith("M"))


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
    face = font(size)
    text = text[: NARROWEST * most * width // size + 1]  # what cannot fit by far need not be measured
    lines, line, used = [], "", 0.0
    for atom in _atoms(text, face, width):
        long = face.getlength(atom)
        if used + face.getlength(atom.rstrip()) > width and line:
            lines.append(line.rstrip())
            if len(lines) == most:
                lines[-1] = shorten(f"{lines[-1]} {atom}…", size, width, cut=True)
                return lines, False
            line, used = "", 0.0
        if line or not atom.isspace():
            line, used = line + atom, used + long
    return [*lines, line.rstrip()] if line.strip() else lines, True


def _atoms(text: str, face: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """The pieces between which a line may break; a word wider than a line breaks anywhere."""
    for found in ATOMS.finditer(text):
        atom = found.group()
        while face.getlength(atom) > width and len(atom) > 1:
            room = max(1, _room(atom, face, width))
            yield atom[:room]
            atom = atom[room:]
        yield atom


def _room(text: str, face: ImageFont.FreeTypeFont, width: float) -> int:
    """How many characters of a text fit."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if face.getlength(text[:middle]) <= width else (low, middle - 1)
    return low


def shorten(text: str, size: int, width: int, *, cut: bool = False) -> str:
    """One line of at most `width` pixels, with an ellipsis where it is cut (or was `cut` before)."""
    face = font(size)
    if not cut and face.getlength(text) <= width:
        return text
    kept = text.rstrip("…")
    kept = kept[: _room(kept, face, width - face.getlength("…"))]
    return kept.rstrip(" ,.;:，。、") + "…"
