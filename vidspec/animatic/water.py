"""Motifs of the water: a sea with a low sun and a sail."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from vidspec.animatic.layers import Layer, Sprite, Strip
from vidspec.animatic.palette import mix
from vidspec.animatic.stage import Scene, faded, solid
from vidspec.animatic.texture import clouds, feathered, ridge, silhouette

if TYPE_CHECKING:
    from PIL import ImageDraw

    from vidspec.animatic.stage import Stage

__all__ = ["sea"]

HORIZON = 0.56


def sea(stage: Stage) -> Scene:
    """A low sun over the water, its glitter, a sail, and waves that come nearer."""
    palette, chance = stage.palette, stage.chance
    sun = (chance.uniform(0.25, 0.75), chance.uniform(0.34, 0.48))
    layers: list[Layer] = [
        stage.halo(170, sun, palette.light, 0.55),
        stage.disc(chance.uniform(34, 60), sun, mix(palette.light, (255, 255, 255), 0.4)),
        _mist(stage),
        _water(stage),
        _glitter(stage, sun[0]),
        _sail(stage, chance.uniform(0.15, 0.85)),
    ]
    layers += [_wave(stage, number / 6, number) for number in range(7)]
    return Scene(ground=stage.sky(HORIZON, sun, 0.7), layers=tuple(layers), accent=solid(palette.accent))


def _mist(stage: Stage) -> Strip:
    period, height = round(stage.size[0] * 1.4), round(stage.size[1] * 0.36)
    edge = stage.endless(faded(feathered(clouds((period, height), stage.chance, cover=0.46, stretch=5)), 0.45))
    paint = stage.wash(mix(stage.palette.horizon, stage.palette.light, 0.4), stage.palette.light, 0.05, 0.5)
    return Strip(edge=edge, paint=paint, top=round(0.04 * stage.size[1]), depth=0.05, speed=5 * stage.unit)


def _water(stage: Stage) -> Strip:
    period, height = stage.size[0], max(2, stage.px(3))
    palette = stage.palette
    tile = Image.new("L", (period, height), 255)
    tile.paste(0, (0, 0, period, 1))
    paint = stage.wash(mix(palette.horizon, palette.far, 0.55), mix(palette.far, palette.near, 0.75), HORIZON, 1.0)
    return Strip(edge=stage.endless(tile), paint=paint, top=round(HORIZON * stage.size[1]), depth=0.1, solid=True)


def _glitter(stage: Stage, at: float) -> Sprite:
    """Short bright dashes under the sun, wider and sparser the nearer they are."""
    width, height = stage.size
    deep, wide = max(2, round(height * (1 - HORIZON))), max(2, round(0.7 * height))

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for _ in range(420):
            down = stage.chance.random() ** 1.4
            spread = (0.035 + 0.15 * down) * height
            x, y = wide / 2 + stage.chance.gauss(0, 0.5) * spread, 2 + down * deep
            half = (3 + 22 * down) * stage.unit * stage.chance.uniform(0.4, 1.0)
            thick = (0.5 + 1.8 * down) * stage.unit
            level = stage.chance.randint(60, 220)
            dash = ((x - half) * fine, (y - thick) * fine, (x + half) * fine, (y + thick) * fine)
            canvas.ellipse(dash, fill=level)

    def place(time: float) -> tuple[float, float]:
        return at * width, HORIZON * height + deep / 2 + 1.2 * stage.unit * math.sin(1.6 * time)

    return Sprite(
        mask=silhouette((wide, deep), draw), paint=stage.flat(stage.palette.light), place=place, depth=0.1
    )


def _wave(stage: Stage, near: float, number: int) -> Strip:
    """A crest that catches the light and sinks back into the water, or for the nearest a dark swell."""
    width, height = stage.size
    period = round(width * stage.chance.uniform(1.2, 1.5))
    line = ridge(period, 0.45 + 0.35 * near, stage.chance, detail=34)
    rise, nearest = stage.px(3 + 15 * near), near > 0.8
    deep = rise * (2 if nearest else 6)

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        points = [(x * fine, rise * (1 - max(-1.0, min(1.0, line(x)))) * fine) for x in range(0, period + 2, 2)]
        canvas.polygon([(0, deep * fine), *points, (period * fine, deep * fine)], fill=255)

    top = HORIZON + 0.045 + 0.37 * near**1.3
    crest = silhouette((period, deep), draw)
    deepest = mix(stage.palette.far, stage.palette.near, 0.55 + 0.45 * near)
    lit = mix(mix(stage.palette.far, stage.palette.horizon, 0.5), stage.palette.light, 0.15)
    paint = stage.wash(mix(lit, deepest, 0.25 + 0.55 * near), deepest, top - 0.01, top + 0.05 + 0.1 * near)
    return Strip(
        edge=stage.endless(crest if nearest else faded(_sinking(crest), 0.85)),
        paint=paint,
        top=round(top * height) - rise,
        depth=0.2 + 0.8 * near,
        speed=(6 + 26 * near) * stage.unit * (1 if number % 2 else -0.7),
        solid=nearest,
        bob=(1 + 6 * near) * stage.unit,
        pace=1.1 - 0.35 * near,
    )


def _sinking(crest: Image.Image) -> Image.Image:
    levels = bytes(round(255 * min(1.0, 1.3 * (1 - row / 63))) for row in range(64))
    column = Image.frombytes("L", (1, 64), levels)
    return ImageChops.multiply(crest, column.resize(crest.size, Image.Resampling.BICUBIC))


def _sail(stage: Stage, at: float) -> Sprite:
    width, height = stage.size
    size = stage.px(46)
    paint = stage.flat(mix(stage.palette.near, stage.palette.far, 0.15))

    def place(time: float) -> tuple[float, float]:
        drift = 4 * stage.unit * time
        return (at * width + drift) % (width + size) - size / 2, (HORIZON + 0.052) * height - size / 2 + math.sin(
            time
        )

    return Sprite(mask=_boat(size), paint=paint, place=place, depth=0.15)


def _boat(size: int) -> Image.Image:
    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        def shape(*corners: tuple[float, float]) -> None:
            canvas.polygon([(x * size * fine, y * size * fine) for x, y in corners], fill=255)

        shape((0.12, 0.84), (0.88, 0.84), (0.76, 0.98), (0.24, 0.98))
        shape((0.50, 0.02), (0.50, 0.78), (0.86, 0.78))
        shape((0.46, 0.12), (0.46, 0.78), (0.18, 0.78))

    return silhouette((size, size), draw, fine=4)
