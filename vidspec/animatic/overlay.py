"""The lettering over a drawing: what never changes, drawn once, and the clock, drawn every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from vidspec.animatic.lettering import ROBOTO, length, runs

if TYPE_CHECKING:
    from vidspec.animatic.texture import Size

__all__ = ["Clock", "Ink", "Overlay", "Plate", "timecode"]

Ink = tuple[int, int, int, float]  # red, green, blue, and how much it covers


class Plate:
    """A transparent sheet as large as the picture, to be lettered and then cut to what is used of it."""

    def __init__(self, size: Size) -> None:
        self._sheet = Image.new("RGBA", size)
        self._size = size

    def shade(self, start: int, full: int, darkness: float) -> None:
        """Darken softly from row `start` on, wholly from `full` on to the edge of the picture beyond it."""
        steps = 64
        parts = [step / (steps - 1) for step in range(steps)]
        levels = bytes(round(255 * darkness * part * part * (3 - 2 * part)) for part in parts)
        column = Image.frombytes("L", (1, steps), levels if full > start else levels[::-1])
        mask = Image.new("L", self._size)
        beyond = (0, full, self._size[0], self._size[1]) if full > start else (0, 0, self._size[0], full)
        mask.paste(round(255 * darkness), beyond)
        upper, lower = sorted((start, full))
        mask.paste(column.resize((self._size[0], max(1, lower - upper)), Image.Resampling.BICUBIC), (0, upper))
        self._cover(mask, (6, 7, 10))

    def write(self, at: tuple[float, float], text: str, size: int, ink: Ink, *, flush_right: bool = False) -> None:
        """One line of text with a soft shadow; its base line begins at a point, or ends there if `flush_right`."""
        mask = Image.new("L", self._size)
        pen = ImageDraw.Draw(mask)
        left, base = at[0] - length(text, size) if flush_right else at[0], at[1]
        for typeface, part in runs(text):
            face = typeface.at(size)
            pen.text((left, base), part, font=face, fill=round(255 * ink[3]), anchor="ls")
            left += face.getlength(part)
        shadow = mask.filter(ImageFilter.BoxBlur(max(1.0, size / 11))).point(lambda level: min(150, level * 2))
        self._cover(shadow, (0, 0, 0))
        self._cover(mask, ink[:3])

    def fill(self, box: tuple[int, int, int, int], ink: Ink) -> None:
        """A rectangle; right and end are not part of it."""
        mask = Image.new("L", self._size)
        mask.paste(round(255 * ink[3]), box)
        self._cover(mask, ink[:3])

    def picture(self, picture: Image.Image, at: tuple[int, int], radius: int) -> None:
        """A small picture with round corners and a fine pale edge."""
        fine = 3
        box = (0, 0, picture.width * fine - 1, picture.height * fine - 1)
        shape = Image.new("L", (picture.width * fine, picture.height * fine))
        ImageDraw.Draw(shape).rounded_rectangle(box, radius * fine, fill=255)
        edged = picture.copy()
        line = Image.new("L", shape.size)
        ImageDraw.Draw(line).rounded_rectangle(box, radius * fine, outline=200, width=max(3, radius // 2 * fine))
        edged.paste((245, 243, 238), (0, 0), line.reduce(fine))
        edged.putalpha(shape.reduce(fine))
        self._sheet.alpha_composite(edged.convert("RGBA"), at)

    def _cover(self, mask: Image.Image, colour: tuple[int, int, int]) -> None:
        box = mask.getbbox()
        if box:
            part = Image.new("RGBA", (box[2] - box[0], box[3] - box[1]), colour)
            part.putalpha(mask.crop(box))
            self._sheet.alpha_composite(part, box[:2])

    def bands(self) -> list[Band]:
        """What is used of the sheet, as the upper and the lower half, so that the middle costs nothing."""
        width, height = self._size
        found = []
        for half in ((0, 0, width, height // 2), (0, height // 2, width, height)):
            part = self._sheet.crop(half)
            box = part.getchannel("A").getbbox()
            if box:
                used = part.crop(box)
                found.append(
                    Band(paint=used.convert("RGB"), mask=used.getchannel("A"), at=(box[0], half[1] + box[1]))
                )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A cut-out to be laid at a place."""

    paint: Image.Image
    mask: Image.Image
    at: tuple[int, int]


class Clock:
    """The running timecode, right-aligned at a base line, in digits of one width drawn beforehand."""

    def __init__(self, right: int, base: int, size: int) -> None:
        face = ROBOTO.at(size)
        ascent, descent = face.getmetrics()
        self._masks: dict[str, Image.Image] = {}
        for sign in "0123456789:":
            cell = max(1, round(face.getlength(sign)))
            mask = Image.new("L", (cell, ascent + descent))
            ImageDraw.Draw(mask).text((cell / 2, ascent), sign, font=face, fill=235, anchor="ms")
            self._masks[sign] = mask
        self._at = (right - self.width, base - ascent)

    @property
    def width(self) -> int:
        """Of all eleven signs, in pixels."""
        return sum(self._masks[sign].width for sign in "00:00:00:00")

    def lay(self, canvas: Image.Image, text: str) -> None:
        """Write eleven signs."""
        left, top = self._at
        for sign in text:
            mask = self._masks[sign]
            canvas.paste((245, 243, 238), (left, top, left + mask.width, top + mask.height), mask)
            left += mask.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """All lettering of a drawing. `line` is where progress runs, `nominal` the frames in a second of timecode."""

    bands: tuple[Band, ...]
    clock: Clock | None
    line: tuple[int, int, int, int] | None
    accent: tuple[int, int, int]
    nominal: int

    def lay(self, canvas: Image.Image, number: int, frames: int) -> None:
        """Letter frame `number` (from 0) of `frames`."""
        for band in self.bands:
            canvas.paste(band.paint, band.at, band.mask)
        if self.clock:
            self.clock.lay(canvas, timecode(number, self.nominal))
        if self.line:
            left, top, right, end = self.line
            done = (number + 1) / frames
            canvas.paste(self.accent, (left, top, max(left + 1, left + round((right - left) * done)), end))


def timecode(number: int, nominal: int) -> str:
    """HH:MM:SS:FF of a frame counted from 0, without dropped frames."""
    seconds, frame = divmod(number, nominal)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour % 100:02}:{minute:02}:{second:02}:{frame % 100:02}"
