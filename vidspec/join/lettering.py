"""What is written into the pictures of a film: slate and timecode in a corner, a card where a clip is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image, ImageDraw

from vidspec.animatic.lettering import ROBOTO, fit, legible, length, runs, shorten
from vidspec.animatic.overlay import Plate, timecode
from vidspec.media import EXACT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

    from vidspec.animatic.overlay import Ink
    from vidspec.shape import Size

__all__ = ["Burn", "card"]

_WHITE: Ink = (255, 255, 255, 0.95)
_SOFT: Ink = (255, 255, 255, 0.7)
_BOX, _TEXT, _COLOURLESS = 16, 235, 128
"""Levels in limited range: of the box, of what stands in it, and of both in the planes of colour."""

_DARKNESS = 190
"""How much of the picture the box covers, of 255."""

_TYPE, _SMALLEST = 22, 9
"""Pixels of type in a picture of 720 lines, and in the smallest."""


class Burn:
    """Slate and running timecode in a dark box in the lower left corner, where no animatic writes anything."""

    def __init__(self, size: Size, text: str, *, rate: Fraction, start: int) -> None:
        """`start` is the timecode of the first frame, in frames."""
        self._size, self._start = size, start
        self._nominal = max(1, round(rate))
        self._type = max(_SMALLEST, round(_TYPE * min(size.height, 1.1 * size.width) / 720))
        self._margin = round(0.55 * self._type)
        clock = _even(length("00:00:00:00", self._type))
        room = size.width - 2 * self._margin
        slate = shorten(legible(text), self._type, max(0, room - clock - self._type))
        self._clocked = room >= clock and slate.strip("…") != ""
        slate = slate if self._clocked else shorten(legible(text), self._type, room)
        wide = _even(length(slate, self._type))
        across = 2 * self._margin + wide + (self._type + clock if self._clocked else 0)
        self._box = min(size.width, _even(across)), min(size.height, _even(1.5 * self._type))
        self._base = round(1.1 * self._type)
        self._mask = Image.new("L", self._box)
        self._write(self._mask, self._margin, slate)
        self._clock = self._margin + wide + self._type

    def _write(self, mask: Image.Image, left: float, text: str) -> None:
        pen = ImageDraw.Draw(mask)
        for typeface, part in runs(text):
            face = typeface.at(self._type)
            pen.text((left, self._base), part, font=face, fill=255, anchor="ls")
            left += face.getlength(part)

    def __call__(self, frame: VideoFrame, number: int) -> VideoFrame:
        """A copy of a frame of the film's size, lettered as its frame `number`."""
        mask = self._mask.copy()
        if self._clocked:
            pen = ImageDraw.Draw(mask)
            text = timecode(self._start + number, self._nominal)
            pen.text((self._clock, self._base), text, font=ROBOTO.at(self._type), fill=255, anchor="ls")
        done = av.VideoFrame(*self._size, "yuv420p")
        wide, high = self._box
        for place, (source, target) in enumerate(zip(frame.planes, done.planes, strict=True)):
            step = 2 if place else 1
            sheet = Image.frombytes("L", (source.width, source.height), bytes(source), "raw", "L", source.line_size)
            top = source.height - high // step
            box = Image.new("L", (wide // step, high // step), _DARKNESS)
            sheet.paste(_COLOURLESS if place else _BOX, (0, top), box)
            if not place:
                sheet.paste(_TEXT, (0, top), mask)
            _fill(target, sheet)
        return done


def _fill(plane: VideoPlane, sheet: Image.Image) -> None:
    plane.update(sheet.tobytes("raw", "L", plane.line_size, 1))


def _even(length: float) -> int:
    return 2 * round(length / 2 + 0.49)


def card(size: Size, title: str, lines: Sequence[str]) -> VideoFrame:
    """A black picture that says what is missing: a title, and lines below it."""
    picture = Image.new("RGB", size)
    plate = Plate(size)
    unit = min(size.height, 1.1 * size.width) / 720
    room = round(0.84 * size.width)
    base = 0.44 * size.height
    for text, ink, high in ((title, _WHITE, 50.0), *((line, _SOFT, 24.0) for line in lines)):
        largest = max(_SMALLEST, round(high * unit))
        block = fit(legible(text), room, round(0.3 * size.height), (largest, max(_SMALLEST, round(0.6 * largest))))
        for line in block.lines:
            plate.write(((size.width - length(line, block.size)) / 2, base), line, block.size, ink)
            base += block.step
        base += 0.4 * block.step
    for band in plate.bands():
        picture.paste(band.paint, band.at, band.mask)
    return _frame(picture)


def _frame(picture: Image.Image) -> VideoFrame:
    carrier = av.VideoFrame(*picture.size, "rgb24")
    plane = carrier.planes[0]
    plane.update(picture.tobytes("raw", "RGB", plane.line_size, 1))
    return VideoReformatter().reformat(
        carrier,
        format="yuv420p",
        interpolation=EXACT,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )
