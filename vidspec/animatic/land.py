"""Motifs of the country: hills in haze, winter, a wood with light between its trunks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image

from vidspec.animatic.layers import Layer, Sheet, Sprite, Strip, Veil
from vidspec.animatic.palette import mix
from vidspec.animatic.stage import Scene, faded, solid
from vidspec.animatic.texture import field, silhouette

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import ImageDraw

    from vidspec.animatic.palette import RGB
    from vidspec.animatic.stage import Stage

__all__ = ["hills", "winter", "wood"]


def hills(stage: Stage) -> Scene:
    """Ridge behind ridge in the haze, a low sun."""
    palette, chance = stage.palette, stage.chance
    sun = (chance.uniform(0.18, 0.82), chance.uniform(0.26, 0.44))
    many = chance.choice((4, 5, 5))
    layers: list[Layer] = [
        stage.halo(190, sun, palette.light, 0.55),
        stage.disc(chance.uniform(30, 58), sun, mix(palette.light, (255, 255, 255), 0.5)),
    ]
    for number in range(many):
        near = number / (many - 1)
        top = 0.50 + 0.40 * near**1.15
        mist = mix(palette.land(near), palette.horizon, 0.55 * (1 - near) + 0.10)
        paint = stage.wash(palette.land(near), mist, top - 0.06, top + 0.2)
        rise, firs = 46 + 44 * near, (34 if near == 1 else 0)
        layers.append(
            stage.range_of_hills(
                top=top, rise=rise, nearness=0.15 + 0.85 * near, paint=paint, speed=3 + 22 * near**1.5, firs=firs
            )
        )
    return Scene(ground=stage.sky(0.66, sun, 0.75), layers=tuple(layers), accent=solid(palette.accent))


def winter(stage: Stage) -> Scene:
    """Firs on white slopes, snow in three depths."""
    palette, chance = stage.palette, stage.chance
    moon = (chance.uniform(0.2, 0.8), chance.uniform(0.16, 0.3))
    pale = mix(palette.light, palette.horizon, 0.25)
    layers: list[Layer] = [stage.halo(150, moon, palette.light, 0.5)]
    for number, (top, firs, pace) in enumerate(((0.60, 26, 3.0), (0.72, 52, 7.0), (0.86, 96, 14.0))):
        near = (number + 1) / 3
        dark = mix(palette.land(near), palette.horizon, 0.45 * (1 - near))
        paint = stage.wash(dark, mix(pale, dark, 0.35), top + 0.02, top + 0.16)
        layers.append(
            stage.range_of_hills(top=top, rise=30, nearness=near, paint=paint, speed=pace, firs=firs, roughness=1.5)
        )
    sheets = []
    for size, many, fall, strength in ((1.3, 260, 42, 0.55), (2.4, 130, 80, 0.75), (4.6, 40, 150, 0.8)):
        mask = faded(_flakes(stage, size, many), strength)
        speed = (fall * chance.uniform(-0.3, 0.3) * stage.unit, fall * stage.unit)
        sheets.append(Sheet(mask=mask, speed=speed, depth=size / 4, sway=8 * size * stage.unit))
    layers.append(Veil(sheets=tuple(sheets), paint=stage.flat((255, 255, 255))))
    return Scene(ground=stage.sky(0.7, moon, 0.55), layers=tuple(layers), accent=solid(palette.accent))


def _flakes(stage: Stage, size: float, many: int) -> Image.Image:
    width, height = stage.size
    share = width * height / (1280 * 720 * stage.unit**2)

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for _ in range(round(many * share)):
            radius = stage.chance.uniform(0.6, 1.0) * size * stage.unit * fine
            x = stage.chance.uniform(radius, width * fine - radius)
            y = stage.chance.uniform(radius, height * fine - radius)
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=stage.chance.randint(120, 255))

    return silhouette(stage.size, draw)


def wood(stage: Stage) -> Scene:
    """Trunks in three depths, and light that falls between them."""
    palette, chance = stage.palette, stage.chance
    light = (chance.uniform(0.25, 0.75), chance.uniform(0.1, 0.3))
    aspect = stage.size[0] / stage.size[1]

    def shade(x: float, y: float) -> RGB:
        away = math.hypot((x - light[0]) * aspect * 0.8, y - light[1])
        colour = mix(palette.horizon, palette.middle, min(1.0, away * 1.1))
        colour = mix(colour, palette.light, 0.85 * math.exp(-((away / 0.34) ** 2)))
        return mix(colour, palette.near, max(0.0, y - 0.72) * 2.2 + max(0.0, away - 0.7) * 0.5)

    layers: list[Layer] = []
    for near, many, wide, speed in ((0.0, 14, 10, 4.0), (0.45, 9, 22, 9.0), (1.0, 5, 54, 22.0)):
        colour = mix(palette.land(near), palette.horizon, 0.5 * (1 - near) ** 2)
        layers += _trunks(stage, many, wide, near, colour, speed)
        if 0 < near < 1:
            layers.append(_beams(stage, light, near))
    return Scene(ground=field(stage.size, shade, chance), layers=tuple(layers), accent=solid(palette.accent))


def _trunks(stage: Stage, many: int, wide: float, near: float, colour: RGB, speed: float) -> list[Layer]:
    """Trunk for trunk, each as narrow as it is: the air between them costs nothing."""
    period = round(stage.size[0] * 1.3)
    many = max(2, round(many * stage.size[0] / (1280 * stage.unit)))
    paint = stage.wash(colour, mix(colour, stage.palette.near, 0.7), 0.3, 1.0)
    places = [(number + stage.chance.uniform(0.15, 0.85)) * period / many for number in range(many)]
    return [
        Sprite(
            mask=_trunk(stage, wide * stage.unit * stage.chance.uniform(0.55, 1.1)),
            paint=paint,
            place=_passing(place, speed * stage.unit, period, stage.size),
            depth=0.2 + 0.8 * near,
        )
        for place in places
    ]


def _passing(
    start: float, speed: float, period: int, size: tuple[int, int]
) -> Callable[[float], tuple[float, float]]:
    """Going by at the middle height, and coming again from the other side, out of sight."""
    outside = (period - size[0]) / 2
    return lambda time: ((start - speed * time) % period - outside, size[1] / 2)


def _trunk(stage: Stage, wide: float) -> Image.Image:
    height = round(stage.size[1] * 1.35)  # more than the picture, for a camera that looks up or down
    lean = stage.chance.uniform(-0.4, 0.4) * wide
    across = max(2, round(2 * abs(lean) + 1.8 * wide))

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        foot, top = (across - lean) / 2, (across + lean) / 2
        flare, waist = height * 0.80, foot + (top - foot) * 0.2
        outline = [
            (top - wide * 0.35, 0),
            (top + wide * 0.35, 0),
            (waist + wide * 0.5, flare),
            (foot + wide * 0.85, height),
            (foot - wide * 0.85, height),
            (waist - wide * 0.5, flare),
        ]
        canvas.polygon([(x * fine, y * fine) for x, y in outline], fill=255)

    return silhouette((across, height), draw)


def _beams(stage: Stage, light: tuple[float, float], near: float) -> Strip:
    """Rays from the light, laid over the trunks behind and under those before."""
    width, height = stage.size
    period = round(width * 1.3)
    origin = (light[0] * width, -0.5 * height)

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for _ in range(7):
            at = origin[0] + stage.chance.uniform(-0.9, 0.9) * height
            spread = stage.chance.uniform(0.03, 0.10) * height
            lean = (at - origin[0]) * 0.8
            corners = [(at, -10), (at + spread * 0.5, -10), (at + lean + spread * 2, height), (at + lean, height)]
            canvas.polygon([(x * fine, y * fine) for x, y in corners], fill=stage.chance.randint(25, 60))

    small = max(2, stage.px(14))
    mask = silhouette((period, height), draw, fine=1)
    soft = mask.reduce(small).resize(mask.size, Image.Resampling.BICUBIC)
    return Strip(
        edge=stage.endless(soft),
        paint=stage.wash(stage.palette.light, stage.palette.horizon),
        top=0,
        depth=0.1 + 0.3 * near,
        speed=-3 * stage.unit,
    )
