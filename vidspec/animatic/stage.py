"""What every motif is built with: the stage's measures, skies, and cut-outs that go on for ever."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from vidspec.animatic.layers import Endless, Layer, Sprite, Strip
from vidspec.animatic.palette import mix
from vidspec.animatic.texture import Size, field, glow, ridge, silhouette

if TYPE_CHECKING:
    import random

    from vidspec.animatic.palette import RGB, Palette

__all__ = ["Scene", "Stage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A background that never moves and the layers that do, from far to near."""

    ground: Image.Image
    layers: tuple[Layer, ...]
    accent: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The size in pixels, the palette and the chance of one picture; `unit` is a pixel at 1280x720."""

    size: Size
    palette: Palette
    chance: random.Random

    @property
    def unit(self) -> float:
        """How many pixels stand for one at 1280x720."""
        return min(self.size[1], 1.1 * self.size[0]) / 720

    def px(self, length: float) -> int:
        """A length in units as whole pixels, at least one."""
        return max(1, round(length * self.unit))

    def sky(self, horizon: float, sun: tuple[float, float], strength: float) -> Image.Image:
        """From the zenith to `horizon`, with light around `sun`; both in fractions of the picture."""
        aspect = self.size[0] / self.size[1]

        def shade(x: float, y: float) -> RGB:
            height = min(1.0, y / horizon)
            upper = mix(self.palette.zenith, self.palette.middle, min(1.0, height * 1.7))
            colour = mix(upper, self.palette.horizon, max(0.0, height - 0.35) / 0.65)
            away = math.hypot((x - sun[0]) * aspect, y - sun[1])
            colour = mix(colour, self.palette.light, strength * math.exp(-((away / 0.28) ** 1.2)))
            return vignette(colour, x, y)

        return field(self.size, shade, self.chance)

    def wash(self, upper: RGB, lower: RGB, top: float = 0.0, end: float = 1.0) -> Image.Image:
        """A paint that goes from one colour to another between two heights (fractions of the picture)."""
        cells = 24
        spots = [
            vignette(
                mix(upper, lower, (row / (cells - 1) - top) / (end - top)), column / (cells - 1), row / (cells - 1)
            )
            for row in range(cells)
            for column in range(cells)
        ]
        coarse = Image.frombytes("RGB", (cells, cells), bytes(round(level) for spot in spots for level in spot))
        return coarse.resize(self.size, Image.Resampling.BICUBIC)

    def flat(self, colour: RGB) -> Image.Image:
        """A paint of one colour."""
        return Image.new("RGB", self.size, solid(colour))

    def endless(self, tile: Image.Image) -> Endless:
        """A tile, repeated for ever."""
        return Endless(tile, self.size[0])

    def range_of_hills(
        self,
        *,
        top: float,
        rise: float,
        nearness: float,
        paint: Image.Image,
        speed: float,
        roughness: float = 1.15,
        firs: float = 0.0,
    ) -> Strip:
        """Hills whose middle line is at `top` (fraction), `rise` units up and down, with firs of some units."""
        period = round(self.size[0] * self.chance.uniform(1.25, 1.6))
        line = ridge(period, roughness, self.chance)
        room, tall = self.px(rise), self.px(firs) if firs else 0
        forest = self._forest(period, tall)

        def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
            def height(x: float) -> float:
                return tall + room * (1 - max(-1.0, min(1.0, line(x))))

            points = [(x * fine, height(x) * fine) for x in range(0, period + 2, 2)]
            end = (tall + 2 * room + 2) * fine
            canvas.polygon([(0, end), *points, (period * fine, end)], fill=255)
            for x, size in forest:
                _fir(canvas, x * fine, (height(x) + size * 0.1) * fine, size * fine)

        tile = silhouette((period, tall + 2 * room), draw)
        return Strip(
            edge=self.endless(tile),
            paint=paint,
            top=round(self.size[1] * top) - room - tall,
            depth=nearness,
            speed=speed * self.unit,
            solid=True,
        )

    def _forest(self, period: int, tall: int) -> list[tuple[float, float]]:
        trees: list[tuple[float, float]] = []
        x = float(tall)
        while tall and x < period - tall:
            trees.append((x, tall * self.chance.uniform(0.45, 1.0)))
            x += tall * self.chance.choice((0.16, 0.22, 0.3, 0.3, 0.9))
        return trees

    def disc(self, radius: float, at: tuple[float, float], colour: RGB, *, strength: float = 1.0) -> Sprite:
        """A round thing at a place (fractions of the picture), far away."""
        side = 2 * self.px(radius) + 2
        mask = silhouette(
            (side, side), lambda canvas, fine: canvas.ellipse(_inset(side * fine, fine), fill=255), fine=4
        )
        place = (at[0] * self.size[0], at[1] * self.size[1])
        return Sprite(
            mask=faded(mask, strength), paint=self.flat(colour), place=lambda _: place, depth=0.0, fixed=True
        )

    def halo(self, radius: float, at: tuple[float, float], colour: RGB, strength: float) -> Sprite:
        """A light around a place (fractions of the picture), far away."""
        place = (at[0] * self.size[0], at[1] * self.size[1])
        mask = faded(glow(self.px(radius)), strength)
        return Sprite(mask=mask, paint=self.flat(colour), place=lambda _: place, depth=0.0, fixed=True)

    def stars(self, sky: Image.Image, many: int, lowest: float) -> None:
        """Sprinkle a sky with points of light, fewer and fainter towards the horizon."""
        canvas = ImageDraw.Draw(sky)
        for _ in range(many):
            x = self.chance.randrange(self.size[0])
            height = self.chance.random() ** 1.5 * lowest
            y = int(height * self.size[1])
            bright = self.chance.uniform(0.15, 0.95) ** 2 * (1 - 0.6 * height / lowest)
            behind = sky.getpixel((x, y))
            assert isinstance(behind, tuple)
            colour = solid(mix((behind[0], behind[1], behind[2]), (255, 255, 255), bright))
            wide = 1 if bright > 0.45 and self.unit > 0.8 else 0
            canvas.rectangle((x, y, x + wide, y + wide), fill=colour)


def solid(colour: RGB) -> tuple[int, int, int]:
    """A colour in whole levels."""
    return round(colour[0]), round(colour[1]), round(colour[2])


def vignette(colour: RGB, x: float, y: float) -> RGB:
    """A lens lets a little less light through at its edges."""
    away = (x - 0.5) ** 2 + (y - 0.5) ** 2
    return mix(colour, (0, 0, 0), 0.55 * away)


def faded(mask: Image.Image, strength: float) -> Image.Image:
    """A mask that covers only in part."""
    return mask.point(lambda level: int(level * strength + 0.5))


def _inset(side: int, fine: int) -> tuple[int, int, int, int]:
    return fine, fine, side - fine, side - fine


def _fir(canvas: ImageDraw.ImageDraw, x: float, foot: float, size: float) -> None:
    for tier in range(3):
        top, end = foot - size * (1 - 0.24 * tier), foot - size * (0.5 - 0.24 * tier)
        half = size * (0.10 + 0.055 * tier)
        canvas.polygon([(x, top), (x - half, end), (x + half, end)], fill=255)
