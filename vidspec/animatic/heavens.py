"""Motifs of the sky and beyond: moon and clouds, northern lights, bodies on their rounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from vidspec.animatic.layers import Layer, Sprite, Strip
from vidspec.animatic.palette import mix
from vidspec.animatic.stage import Scene, faded, solid, vignette
from vidspec.animatic.texture import clouds, feathered, field, ridge, silhouette

if TYPE_CHECKING:
    from vidspec.animatic.palette import RGB
    from vidspec.animatic.stage import Stage

__all__ = ["aurora", "moon", "orbits"]


def moon(stage: Stage) -> Scene:
    """A large moon, clouds before it, a dark line of land."""
    palette, chance = stage.palette, stage.chance
    at = (chance.uniform(0.25, 0.75), chance.uniform(0.26, 0.38))
    sky = stage.sky(0.95, at, 0.18)
    stage.stars(sky, round(200 * stage.size[0] / stage.size[1]), 0.75)
    layers: list[Layer] = [stage.halo(330, at, palette.light, 0.42), *_face(stage, at, chance.uniform(74, 112))]
    for near, cover, strength in ((0.1, 0.46, 0.55), (0.45, 0.58, 0.80)):
        layers.append(_bank(stage, near, cover, strength))
    land = stage.wash(mix(palette.near, palette.far, 0.12), palette.near, 0.8, 1.0)
    layers.append(stage.range_of_hills(top=0.88, rise=26, nearness=0.8, paint=land, speed=5, firs=30))
    return Scene(ground=sky, layers=tuple(layers), accent=solid(palette.accent))


def _face(stage: Stage, at: tuple[float, float], radius: float) -> list[Layer]:
    """The disc and its darker seas."""
    side = 2 * stage.px(radius)
    seas = faded(clouds((side, side), stage.chance, cover=0.6, stretch=1.0), 0.16)
    disc = stage.disc(radius, at, mix(stage.palette.light, (255, 255, 255), 0.35))
    round_seas = Image.new("L", disc.mask.size)
    round_seas.paste(seas, (1, 1), disc.mask.crop((1, 1, 1 + side, 1 + side)))
    return [
        disc,
        Sprite(mask=round_seas, paint=stage.flat(stage.palette.far), place=disc.place, depth=0.0, fixed=True),
    ]


def _bank(stage: Stage, near: float, cover: float, strength: float) -> Strip:
    palette, (width, height) = stage.palette, stage.size
    period, tall = round(width * 1.5), round(height * 0.5)
    edge = faded(feathered(clouds((period, tall), stage.chance, cover=cover, stretch=3.2)), strength)
    paint = stage.wash(mix(palette.middle, palette.light, 0.30 - 0.4 * near), palette.middle, 0.1, 0.8)
    speed = (9 + 40 * near) * stage.unit
    return Strip(
        edge=stage.endless(edge),
        paint=paint,
        top=round((0.02 + 0.6 * near) * height),
        depth=near,
        speed=speed,
    )


def aurora(stage: Stage) -> Scene:
    """Curtains of light over firs."""
    palette = stage.palette
    sky = stage.sky(1.1, (0.5, 1.0), 0.1)
    stage.stars(sky, round(260 * stage.size[0] / stage.size[1]), 0.8)
    tubes = (palette.accent, mix(palette.accent, palette.light, 0.5), mix(palette.horizon, palette.light, 0.3))
    layers: list[Layer] = [_curtain(stage, tube, number) for number, tube in enumerate(tubes)]
    for near, top, firs in ((0.4, 0.82, 22), (1.0, 0.92, 64)):
        land = mix(palette.land(0.4 + 0.6 * near), palette.near, 0.5)
        paint = stage.wash(land, palette.near, top, 1.0)
        layers.append(
            stage.range_of_hills(top=top, rise=26, nearness=near, paint=paint, speed=2 + 6 * near, firs=firs)
        )
    return Scene(ground=sky, layers=tuple(layers), accent=solid(palette.accent))


def _curtain(stage: Stage, tube: RGB, number: int) -> Strip:
    """Upright strokes on a wandering line: a sharp foot, fading upwards."""
    width, height = stage.size
    period = round(width * stage.chance.uniform(1.3, 1.6))
    tall, small = round(height * 0.62), 4
    line, patches, folds = (
        ridge(period, roughness, stage.chance, detail=detail)
        for roughness, detail in ((1.2, 7), (0.9, 8), (0.4, 70))
    )
    cells = (max(8, period // small), max(8, tall // small))
    canvas = Image.new("L", cells)
    for column in range(cells[0]):
        x = column * period / cells[0]
        foot = cells[1] * (0.68 + 0.22 * line(x))
        bright = max(0.0, 0.5 + 0.8 * patches(x)) ** 1.4 * max(0.0, 0.6 + 0.5 * folds(x))
        canvas.paste(_stroke(foot, cells[1], bright), (column, 0))
    edge = canvas.resize((period, tall), Image.Resampling.BICUBIC)
    upper = (tube[2] * 0.75, tube[0] * 0.5, tube[1] * 0.9)  # the same light, turned towards violet
    paint = stage.wash(mix(upper, stage.palette.middle, 0.2), tube, 0.08, 0.5)
    return Strip(
        edge=stage.endless(faded(edge, 0.85 - 0.15 * number)),
        paint=paint,
        top=round(height * (0.02 + 0.05 * number)),
        depth=0.05 * number,
        speed=(14 - 11 * number) * stage.unit,
    )


def _stroke(foot: float, cells: int, bright: float) -> Image.Image:
    levels = bytearray(cells)
    for row in range(cells):
        away = foot - row
        share = math.exp(-away / (0.26 * cells)) if away >= 0 else math.exp(-((away / (0.07 * cells)) ** 2))
        levels[row] = max(0, min(255, round(255 * bright * share)))
    return Image.frombytes("L", (1, cells), bytes(levels))


def orbits(stage: Stage) -> Scene:
    """A sun, rings, and bodies on their rounds; flat colours, as on a title card."""
    palette, chance, (width, height) = stage.palette, stage.chance, stage.size
    middle = (chance.uniform(0.40, 0.60), chance.uniform(0.36, 0.46))

    def shade(x: float, y: float) -> RGB:
        away = math.hypot((x - middle[0]) * width, (y - middle[1]) * height) / max(width, height)
        return vignette(mix(palette.middle, palette.zenith, 1.5 * away), x, y)

    ground = field(stage.size, shade, chance)
    stage.stars(ground, round(90 * width / height), 1.0)
    reach = 0.46 * min(width, 1.4 * height) / stage.unit
    radii = [reach * share for share in (0.34, 0.52, 0.72, 0.96, 1.24)]
    tilt = chance.uniform(0.34, 0.62)
    _rings(stage, ground, middle, radii, tilt)
    layers: list[Layer] = [
        stage.halo(reach * 0.5, middle, palette.light, 0.35),
        stage.disc(reach * 0.17, middle, mix(palette.light, palette.accent, 0.25)),
    ]
    for number, radius in enumerate(radii):
        layers.append(_body(stage, middle, radius, tilt, number))
    return Scene(ground=ground, layers=tuple(layers), accent=solid(palette.accent))


def _rings(stage: Stage, ground: Image.Image, middle: tuple[float, float], radii: list[float], tilt: float) -> None:
    width, height = stage.size
    x, y = middle[0] * width, middle[1] * height

    def draw(canvas: ImageDraw.ImageDraw, fine: int) -> None:
        for radius in radii:
            across, down = radius * stage.unit, radius * tilt * stage.unit
            oval = ((x - across) * fine, (y - down) * fine, (x + across) * fine, (y + down) * fine)
            canvas.ellipse(oval, outline=110, width=max(2, stage.px(2.4)))

    ground.paste(stage.flat(stage.palette.horizon), (0, 0), silhouette(stage.size, draw))


def _body(stage: Stage, middle: tuple[float, float], radius: float, tilt: float, number: int) -> Sprite:
    chance, palette = stage.chance, stage.palette
    x, y = middle[0] * stage.size[0], middle[1] * stage.size[1]
    start, turn = chance.uniform(0, math.tau), 0.55 / (1 + 0.8 * number) * chance.choice((1, 1, 1, -1))
    tube = (palette.accent, palette.horizon, palette.light, palette.far, mix(palette.accent, palette.horizon, 0.5))[
        number
    ]
    body = stage.disc(chance.uniform(9, 15) + 5 * number, middle, tube)

    def place(time: float) -> tuple[float, float]:
        angle = start + turn * time
        across = radius * stage.unit
        return x + across * math.cos(angle), y + across * tilt * math.sin(angle)

    return Sprite(mask=body.mask, paint=body.paint, place=place, depth=0.4)
