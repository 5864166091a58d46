"""Where each piece of text stands, for a frame of any shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from vidspec.animatic.lettering import Block, fit, legible, length, shorten
from vidspec.animatic.overlay import Clock, Ink, Overlay, Plate
from vidspec.picture import pixels

if TYPE_CHECKING:
    from vidspec.animatic.drawing import Drawing

__all__ = ["overlay_of"]

TINY = 240  # pixels of the shorter side under which only slate and timecode are legible
WHITE, SOFT, FAINT = (250, 248, 243, 1.0), (245, 243, 238, 0.92), (240, 238, 233, 0.74)
THUMBNAILS = 4
NO_BREAK = "\u00a0"

SIGNS = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "in": "◎", "out": "○",
    "shake": "≈", "tracking shot": "→", "static shot": "■",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Sizes in units (pixels at 1280x720): a loud one over painted scenes, a quiet one over pictures."""

    slate: float
    clock: float
    prompt: tuple[float, float]
    facts: float
    title: float
    room: float
    darkness: float


LOUD = Style(slate=50, clock=29, prompt=(25, 16), facts=17, title=24, room=0.25, darkness=0.70)
QUIET = Style(slate=27, clock=21, prompt=(17, 15), facts=14.5, title=16, room=0.08, darkness=0.55)


def overlay_of(drawing: Drawing, accent: tuple[int, int, int]) -> Overlay:
    """Set all text of a drawing; the accent colours the line of progress."""
    size = (drawing.width, drawing.height)
    nominal = max(1, round(drawing.fps))
    if min(size) < TINY:
        return _tiny(drawing, Plate(size), accent, nominal)
    pictured = drawing.first_frame is not None or drawing.last_frame is not None
    return _Setter(drawing, QUIET if pictured else LOUD, accent).overlay(nominal)


def _tiny(drawing: Drawing, plate: Plate, accent: tuple[int, int, int], nominal: int) -> Overlay:
    """Slate and timecode, side by side where they fit, else one above the other, else the slate alone."""
    width, height = drawing.width, drawing.height
    margin, size = max(2, round(0.05 * min(width, height))), round(0.115 * min(width, height))
    if size < 8 or width < 48:
        return Overlay(bands=(), clock=None, line=None, accent=accent, nominal=nominal)
    base = height - round(1.6 * margin) - 2
    plate.shade(height - round(3.6 * size) - margin, base, 0.72)
    clock = Clock(width - margin, base, round(size * 0.86))
    slate = shorten(legible(drawing.slate), size, width - 2 * margin)
    beside = length(slate, size) + clock.width + size <= width - 2 * margin
    fits = clock.width <= width - 2 * margin
    plate.write((margin, base if beside or not fits else base - round(size * 1.2)), slate, size, WHITE)
    line = (margin, height - margin - 1, width - margin, height - margin + (1 if height > 120 else 0))
    return Overlay(
        bands=tuple(plate.bands()), clock=clock if fits else None, line=line, accent=accent, nominal=nominal
    )


class _Setter:
    """Sets one drawing: from the bottom upwards, then the head."""

    def __init__(self, drawing: Drawing, style: Style, accent: tuple[int, int, int]) -> None:
        self._drawing = drawing
        self._style = style
        self._accent = accent
        self._unit = min(drawing.height, 1.1 * drawing.width) / 720
        self._margin = self._px(42)
        self._left, self._right = self._margin, drawing.width - self._margin
        self._plate = Plate((drawing.width, drawing.height))

    def _px(self, length: float) -> int:
        return max(1, round(length * self._unit))

    def _type(self, size: float) -> int:
        """A size of type, never too small to be read."""
        return max(9, self._px(size))

    def overlay(self, nominal: int) -> Overlay:
        """Everything, from bottom to top; the shade under it first, as high as the text will be."""
        drawing, style = self._drawing, self._style
        facts = self._facts()
        prompt = self._prompt()
        line_top = drawing.height - self._margin - facts.height - self._px(3)
        prompt_top = line_top - self._px(17) - prompt.height
        slate_base = prompt_top - self._px(12 if prompt.lines else 2)
        shade_top = max(0, slate_base - round(self._type(style.slate) * 2.6))
        self._plate.shade(shade_top, slate_base + self._px(30), style.darkness)
        self._head()
        clock = self._slate(slate_base)
        self._write_block(prompt, prompt_top, SOFT)
        self._write_block(facts, line_top + self._px(9), FAINT)
        line = (self._left, line_top, self._right, line_top + self._px(3))
        self._plate.fill(line, (255, 255, 255, 0.25))
        return Overlay(
            bands=tuple(self._plate.bands()), clock=clock, line=line, accent=self._accent, nominal=nominal
        )

    def _slate(self, base: int) -> Clock:
        size = self._type(self._style.slate)
        clock = Clock(self._right, base, self._type(self._style.clock))
        room = self._right - self._left - clock.width - self._px(24)
        slate = legible(self._drawing.slate)
        while size > self._type(self._style.facts) and length(slate, size) > room:
            size = round(size * 0.94) - 1
        bar = self._px(5)
        self._plate.fill(
            (self._left, base - round(size * 0.78), self._left + bar, base + self._px(2)), (*self._accent, 1.0)
        )
        at = self._left + bar + self._px(12)
        self._plate.write((at, base), shorten(slate, size, room - bar), size, WHITE)
        return clock

    def _prompt(self) -> Block:
        text = legible(self._drawing.prompt)
        room = round(self._style.room * self._drawing.height)
        sizes = (self._type(self._style.prompt[0]), self._type(self._style.prompt[1]))
        return fit(text, self._right - self._left, room, sizes)

    def _facts(self) -> Block:
        drawing = self._drawing
        facts = [f"seed {drawing.seed}"] if drawing.seed is not None else []
        facts += [f"{drawing.width}×{drawing.height}", f"{drawing.fps:g} fps", f"{drawing.duration:g} s"]
        facts += [f"{_sign(move)} {move}" for move in drawing.camera]
        size = self._type(self._style.facts)
        unbroken = [fact.replace(" ", NO_BREAK) for fact in facts]
        return fit("   ".join(unbroken), self._right - self._left, 3 * size, (size, size))

    def _write_block(self, block: Block, top: int, ink: Ink) -> None:
        for number, line in enumerate(block.lines):
            base = top + number * block.step + round(block.size * 1.08)
            self._plate.write((self._left, base), line, block.size, ink)

    def _head(self) -> None:
        """The film and the scene on the left, what would be asked to draw it on the right."""
        drawing, style = self._drawing, self._style
        large, small = self._type(style.title), self._type(style.facts)
        left = [(drawing.title, large, SOFT), (drawing.scene, small, FAINT)]
        right = [(drawing.label, small, SOFT), (drawing.note, small, FAINT)]
        self._plate.shade(self._margin + 5 * large, 0, 0.85 * style.darkness)
        half = round((self._right - self._left) * 0.48)
        self._column(left, self._left, half)
        end = self._column(right, self._right, half, flush_right=True)
        self._thumbnails(end + self._px(10))

    def _column(self, rows: list[tuple[str, int, Ink]], at: int, width: int, *, flush_right: bool = False) -> int:
        base = self._margin
        for text, size, ink in rows:
            if text:
                base += size
                self._plate.write(
                    (at, base), shorten(legible(text), size, width), size, ink, flush_right=flush_right
                )
                base += round(0.42 * size)
        return base

    def _thumbnails(self, top: int) -> None:
        """The references in their order, the last one at the right margin."""
        tall, right = self._px(70), self._right
        references = enumerate(self._drawing.references[:THUMBNAILS], 1)
        shown = [pixels(data, f"reference {number}") for number, data in references]
        for picture in reversed(shown):
            wide = round(tall * min(1.8, max(0.6, picture.width / picture.height)))
            small = ImageOps.fit(picture, (wide, tall), Image.Resampling.LANCZOS)
            self._plate.picture(small, (right - wide, top), self._px(5))
            right -= wide + self._px(10)


def _sign(move: str) -> str:
    return SIGNS.get(move) or SIGNS[move.rsplit(maxsplit=1)[-1]]
