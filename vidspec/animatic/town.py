"""Motifs of the town: a skyline at night, rain before lights out of focus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from vidspec.animatic.layers import Layer, Sheet, Sprite, Strip, Veil
from vidspec.animatic.palette import mix
from vidspec.animatic.stage import Scene, faded, solid
from vidspec.animatic.texture import field, silhouette

if TYPE_CHECKING:
    from vidspec.animatic.palette import RGB
    from vidspec.animatic.stage import Stage

__all__ = ["rain", "skyline"]


def skyline(stage: Stage) -> Scene:
    """Three rows of houses with lit windows, stars, a moon."""
    palette, chance = stage.palette, stage.chance
    moon = (chance.uniform(0.15, 0.85), chance.uniform(0.12, 0.26))
    sky = stage.sky(0.82, (0.5, 0.95), 0.25)
    stage.stars(sky, round(150 * stage.size[0] / stage.size[1]), 0.5)
    layers: list[Layer] = [
        stage.halo(120, moon, palette.light, 0.30),
        stage.disc(chance.uniform(20, 34), moon, palette.light, strength=0.95),
    ]
    for near, foot, tall, speed in ((0.0, 0.80, 250, 3.0), (0.5, 0.88, 270, 7.0), (1.0, 1.0, 250, 14.0)):
        layers += _row(stage, near, foot, tall, speed)
    return Scene(ground=sky, layers=tuple(layers), accent=solid(palette.accent))


def _row(stage: Stage, near: float, foot: float, tall: float, speed: float) -> list[Layer]:
    palette = stage.palette
    period = round(stage.size[0] * stage.chance.uniform(1.2, 1.4))
    houses, windows = Image.new("L", (period, stage.px(tall))), Image.new("L", (period, stage.px(tall)))
    _build(stage, houses, windows, near)
    top = round(foot * stage.size[1]) - houses.height
    depth, moving = 0.25 + 0.75 * near, speed * stage.unit
    colour = mix(palette.land(near), palette.horizon, 0.35 * (1 - near))
    paint = stage.wash(colour, mix(colour, palette.horizon, 0.4 * (1 - near)), foot - 0.3, foot)
    lamps = stage.flat(mix(palette.light, palette.accent, 0.35))
    lit = faded(windows, 0.45 + 0.45 * near)
    return [
        Strip(edge=stage.endless(houses), paint=paint, top=top, depth=depth, speed=moving, solid=True),
        Strip(edge=stage.endless(lit), paint=lamps, top=top, depth=depth, speed=moving),
    ]


def _build(stage: Stage, houses: Image.Image, windows: Image.Image, near: float) -> None:
    """Set house beside house, each with its own grid of windows and now and then a mast."""
    chance, walls, panes = stage.chance, ImageDraw.Draw(houses), ImageDraw.Draw(windows)
    width, height = houses.size
    x = 0
    while x < width:
        wide = min(stage.px(chance.uniform(34, 84) * (0.7 + 0.6 * near)), width - x)
        rise = round(height * (0.22 + 0.66 * chance.random() ** 1.6))
        walls.rectangle((x, height - rise, x + wide - 1, height), fill=255)
        _roof(stage, walls, x, wide, height - rise)
        _light(stage, panes, (x, height - rise, x + wide, height), near)
        x += wide + (stage.px(chance.uniform(0, 14)) if chance.random() < 0.3 else 0)


def _roof(stage: Stage, walls: ImageDraw.ImageDraw, x: int, wide: int, top: int) -> None:
    kind = stage.chance.random()
    middle = x + wide // 2
    if kind < 0.3:
        walls.rectangle((x + wide // 4, top - stage.px(9), x + wide * 3 // 4, top), fill=255)
    if kind < 0.18 or kind > 0.9:
        mast = max(1, stage.px(1.4))
        walls.rectangle((middle, top - stage.px(stage.chance.uniform(16, 34)), middle + mast, top), fill=255)


def _light(stage: Stage, panes: ImageDraw.ImageDraw, house: tuple[int, int, int, int], near: float) -> None:
    chance = stage.chance
    step = stage.px(7 + 5 * near)
    wide, tall = max(1, round(step * 0.42)), max(1, round(step * chance.choice((0.4, 0.55))))
    share = chance.choice((0.08, 0.18, 0.3, 0.42))
    for y in range(house[1] + step, house[3] - step, max(2, round(step * 1.25))):
        storey = chance.random() < 0.06
        for x in range(house[0] + step // 2, house[2] - wide - step // 3, step):
            if chance.random() < (0.9 if storey else share):
                panes.rectangle((x, y, x + wide - 1, y + tall - 1), fill=chance.choice((90, 150, 200, 255)))


def rain(stage: Stage) -> Scene:
    """Street lights out of focus, their images on the wet ground, rain in two depths."""
    palette, chance = stage.palette, stage.chance
    street = chance.uniform(0.56, 0.64)

    def shade(x: float, y: float) -> RGB:
        lit = math.exp(-(((y - street) / 0.24) ** 2)) * (0.75 + 0.25 * math.cos(3.0 * (x - 0.5)))
        return mix(mix(palette.zenith, palette.middle, y), palette.horizon, 0.75 * lit)

    layers: list[Layer] = []
    paints = [stage.flat(tube) for tube in (palette.light, palette.accent, palette.horizon, palette.light)]
    many = max(10, round(30 * stage.size[0] / (1280 * stage.unit)))
    for number in range(many):
        layers += _lamp(stage, paints[number % 4], street, near=(number / many) ** 2)
    slant = chance.uniform(-0.16, 0.16)
    pale = stage.flat(mix(palette.light, (255, 255, 255), 0.4))
    sheets = []
    for length, many, strength, fall in ((26, 300, 0.30, 900), (64, 90, 0.42, 1500)):
        mask = faded(_streaks(stage, length, many, slant), strength)
        speed = (slant * fall * stage.unit, fall * stage.unit)
        sheets.append(Sheet(mask=mask, speed=speed, depth=length / 64))
    layers.append(Veil(sheets=tuple(sheets), paint=pale))
    return Scene(ground=field(stage.size, shade, chance), layers=tuple(layers), accent=solid(palette.accent))


def _lamp(stage: Stage, paint: Image.Image, street: float, near: float) -> list[Layer]:
    chance, (width, height) = stage.chance, stage.size
    radius = 12 + 46 * near * chance.uniform(0.6, 1.0) + chance.uniform(0, 8)
    x, above = chance.uniform(0, width), chance.gauss(0.08, 0.07) + 0.10 * near
    swing, phase = chance.uniform(2, 6) * (1 + 3 * near) * stage.unit, chance.uniform(0, math.tau)
    bright = chance.uniform(0.25, 0.75) * (1 - 0.55 * near)

    def place(time: float) -> tuple[float, float]:
        return x + swing * math.sin(0.5 * time + phase), (street - above) * height

    def mirrored(time: float) -> tuple[float, float]:
        return place(time)[0], (street + 0.10 + 0.8 * abs(above)) * height

    side = 2 * stage.px(radius) + 4
    ring = _bokeh(side)
    pool = ring.resize((side, round(side * 2.6)), Image.Resampling.BILINEAR)
    return [
        Sprite(mask=faded(pool, bright * 0.22), paint=paint, place=mirrored, depth=0.3 + near),
        Sprite(mask=faded(ring, bright), paint=paint, place=place, depth=0.3 + near),
    ]


def _bokeh(side: int) -> Image.Image:
    """A disc with a brighter rim, as a lens draws a point out of focus."""

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for inset, level in ((0.0, 200), (0.03, 255), (0.09, 215), (0.2, 195)):
            start = fine + inset * side * fine  # one pixel stays free, for places between pixels
            canvas.ellipse((start, start, side * fine - start, side * fine - start), fill=level)

    return silhouette((side, side), draw, fine=3)


def _streaks(stage: Stage, length: float, many: int, slant: float) -> Image.Image:
    width, height = stage.size
    share = width * height / (1280 * 720 * stage.unit**2)
    thick = max(1, round(stage.unit * length / 24))

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for _ in range(round(many * share)):
            x, y = stage.chance.uniform(0, width), stage.chance.uniform(0, height)
            long = length * stage.unit * stage.chance.uniform(0.6, 1.2)
            level = stage.chance.randint(110, 255)
            for up in (0, height):
                ends = (x * fine, (y - up) * fine, (x + slant * long) * fine, (y - up + long) * fine)
                canvas.line(ends, fill=level, width=thick)

    return silhouette(stage.size, draw)
