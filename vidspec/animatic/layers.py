"""Cut-outs that a picture is laid of, from far to near, each moving in its own way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidspec.animatic.camera import View

__all__ = ["Endless", "Layer", "Sheet", "Sprite", "Strip", "Veil"]

PHASES = 4


class Layer(Protocol):
    """Something that lays itself on a canvas as it is at `time` seconds."""

    @property
    def fixed(self) -> bool:
        """Whether only the camera moves it."""

    def lay(self, canvas: Image.Image, view: View, time: float) -> None:
        """Paint over what lies behind."""


class Endless:
    """A mask that repeats to the right for ever, to be looked at through a window of one width.

    Between whole pixels it is kept at a few places made beforehand, since cutting out is a hundred times
    cheaper than resampling.
    """

    def __init__(self, tile: Image.Image, width: int) -> None:
        self.period, self.height = tile.size
        self._width = width
        self._row = Image.new("L", (self.period + width + 2, self.height))
        for left in range(0, self._row.width, self.period):
            self._row.paste(tile, (left, 0))
        self._phases: dict[int, Image.Image] = {0: self._row}

    def window(self, left: float, rows: tuple[float, float], height: int, scale: float) -> Image.Image:
        """What is seen from `left` on between two rows, enlarged by `scale` to `height` rows."""
        left %= self.period
        if scale == 1 and rows[0].is_integer():
            whole, phase = divmod(round(left * PHASES), PHASES)
            return self._phase(phase).crop((whole, int(rows[0]), whole + self._width, int(rows[0]) + height))
        box = (left, rows[0], left + self._width / scale, min(rows[1], self.height))
        return self._row.resize((self._width, height), Image.Resampling.BILINEAR, box=box)

    def _phase(self, phase: int) -> Image.Image:
        if phase not in self._phases:
            shift = phase / PHASES
            size = (self._row.width - 1, self.height)
            box = (shift, 0, size[0] + shift, self.height)
            self._phases[phase] = self._row.resize(size, Image.Resampling.BILINEAR, box=box)
        return self._phases[phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """An endless band across the picture: hills, houses, waves, clouds.

    Below the edge a `solid` strip fills the picture. `paint` is as large as the picture. `speed` is in pixels a
    second to the left, `bob` how far it goes up and down, at a `pace`.
    """

    edge: Endless
    paint: Image.Image
    top: int
    depth: float
    speed: float = 0.0
    solid: bool = False
    bob: float = 0.0
    pace: float = 0.0

    @property
    def fixed(self) -> bool:
        """Whether only the camera moves it."""
        return not (self.speed or self.bob)

    def lay(self, canvas: Image.Image, view: View, time: float) -> None:
        """Paint the part of the band that the view sees, to a fraction of a pixel."""
        width, height = canvas.size
        scale = view.scale(self.depth)
        across, down = view.shift(self.depth, canvas.size)
        across, down = across + self.speed * time, down + self.bob * math.sin(self.pace * time)
        top = height / 2 + (self.top - height / 2 - down) * scale
        end = top + self.edge.height * scale
        first, last = max(0, math.ceil(top)), min(height, math.floor(end))
        if last > first:
            left = width / 2 * (1 - 1 / scale) + across
            mask = self.edge.window(left, ((first - top) / scale, (last - top) / scale), last - first, scale)
            canvas.paste(self.paint.crop((0, first, width, last)), (0, first), mask)
        if self.solid and end < height:
            below = (0, max(0, math.floor(end)), width, height)
            canvas.paste(self.paint.crop(below), below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprite:
    """One thing at a place: a moon, a boat, a lamp out of focus. `place` gives its middle in pixels."""

    mask: Image.Image
    paint: Image.Image
    place: Callable[[float], tuple[float, float]]
    depth: float
    fixed: bool = False

    def lay(self, canvas: Image.Image, view: View, time: float) -> None:
        """Paint it where the view sees it, if at all."""
        width, height = canvas.size
        scale = view.scale(self.depth)
        across, down = view.shift(self.depth, canvas.size)
        at_x, at_y = self.place(time)
        x = width / 2 + (at_x - width / 2 - across) * scale
        y = height / 2 + (at_y - height / 2 - down) * scale
        left, top = x - self.mask.width * scale / 2, y - self.mask.height * scale / 2
        right, end = left + self.mask.width * scale, top + self.mask.height * scale
        first = (max(0, math.ceil(left)), max(0, math.ceil(top)))
        last = (min(width, math.floor(right)), min(height, math.floor(end)))
        if last[0] > first[0] and last[1] > first[1]:
            box = (
                (first[0] - left) / scale,
                (first[1] - top) / scale,
                min((last[0] - left) / scale, self.mask.width),
                min((last[1] - top) / scale, self.mask.height),
            )
            mask = self.mask.resize((last[0] - first[0], last[1] - first[1]), Image.Resampling.BILINEAR, box=box)
            canvas.paste(self.paint.crop((*first, *last)), first, mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One depth of a veil: a mask of the picture's size that meets itself on all sides, and its pixels a second."""

    mask: Image.Image
    speed: tuple[float, float]
    depth: float
    sway: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """Sheets in one colour over the whole picture: rain, snow."""

    sheets: tuple[Sheet, ...]
    paint: Image.Image
    fixed: bool = False

    def lay(self, canvas: Image.Image, view: View, time: float) -> None:
        """All sheets become one mask; whole pixels are enough, for nothing in a veil moves slowly."""
        whole: Image.Image | None = None
        for sheet in self.sheets:
            across, down = view.shift(sheet.depth, canvas.size)
            x = sheet.speed[0] * time + sheet.sway * math.sin(0.7 * time) - across
            mask = ImageChops.offset(sheet.mask, round(x), round(sheet.speed[1] * time - down))
            whole = mask if whole is None else ImageChops.lighter(whole, mask)
        canvas.paste(self.paint, (0, 0), whole)
