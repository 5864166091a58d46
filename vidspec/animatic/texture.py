"""Fields of colour, grain, ridges and mist: what the pictures are cut from.

Large soft fields are reckoned on a coarse grid and enlarged, since a smooth thing needs few samples; grain then
hides the steps that eight bits would show.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageMath

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from vidspec.animatic.palette import RGB

__all__ = ["Size", "clouds", "feathered", "field", "glow", "ridge", "silhouette"]

Size = tuple[int, int]
CELLS = 48
GRAIN = 1.6


def field(size: Size, shade: Callable[[float, float], RGB], chance: random.Random) -> Image.Image:
    """A smooth picture: `shade` gives the colour at (x, y), both from 0 to 1."""
    across, down = _grid(size)
    spots = [shade(column / (across - 1), row / (down - 1)) for row in range(down) for column in range(across)]
    grain = _grain(size, chance)
    bands = [_band([spot[band] for spot in spots], (across, down), size, grain) for band in range(3)]
    return Image.merge("RGB", bands)


def _grid(size: Size) -> Size:
    longest = max(size)
    return max(2, round(CELLS * size[0] / longest)), max(2, round(CELLS * size[1] / longest))


def _band(levels: Sequence[float], grid: Size, size: Size, grain: Image.Image) -> Image.Image:
    coarse = Image.new("F", grid)
    coarse.putdata(levels)
    inset = (0.5, 0.5, grid[0] - 0.5, grid[1] - 0.5)  # from the middle of the first cell to the middle of the last
    smooth = coarse.resize(size, Image.Resampling.BICUBIC, box=inset)
    grained = ImageMath.lambda_eval(lambda given: given["smooth"] + given["grain"], smooth=smooth, grain=grain)
    assert isinstance(grained, Image.Image)
    return grained.convert("L")


def _grain(size: Size, chance: random.Random) -> Image.Image:
    """Noise around zero, half a level of rounding included, as levels of brightness."""
    noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).convert("F")
    return noise.point(lambda level: level * (GRAIN / 127.5) + (0.5 - GRAIN))


def ridge(period: int, roughness: float, chance: random.Random, *, detail: int = 48) -> Callable[[float], float]:
    """A line of hills that meets itself after `period` pixels; its height is around -1 to 1."""
    waves = [
        (chance.uniform(0.4, 1.0) / step**roughness, math.tau * step / period, chance.uniform(0, math.tau))
        for step in range(1, detail)
    ]
    whole = math.sqrt(sum(size * size for size, _, _ in waves))
    return lambda x: sum(size * math.sin(rate * x + phase) for size, rate, phase in waves) / (1.8 * whole)


def silhouette(size: Size, draw: Callable[[ImageDraw.ImageDraw, int], None], *, fine: int = 2) -> Image.Image:
    """A mask with smooth edges: `draw` gets a canvas that is `fine` times as large."""
    large = Image.new("L", (size[0] * fine, size[1] * fine))
    draw(ImageDraw.Draw(large), fine)
    return large.reduce(fine)


def glow(radius: int, *, power: float = 2.0) -> Image.Image:
    """A round light that fades to nothing at `radius` pixels."""
    cells = 33
    middle = (cells - 1) / 2
    spots = bytes(
        round(255 * max(0.0, 1 - math.hypot(x - middle, y - middle) / middle) ** power)
        for y in range(cells)
        for x in range(cells)
    )
    coarse = Image.frombytes("L", (cells, cells), spots)
    return coarse.resize((2 * radius, 2 * radius), Image.Resampling.BICUBIC)


def clouds(size: Size, chance: random.Random, *, cover: float = 0.5, stretch: float = 3.0) -> Image.Image:
    """Mist as a mask that meets itself at the sides; `cover` (0 to 1) is how much of the sky it takes."""
    whole = Image.new("L", size, 0)
    share = 0.5
    cells = max(2.0, 2.5 * size[0] / size[1] / stretch)
    for octave in range(5):
        across, down = max(2, round(cells * 2**octave)), max(2, round(2.5 * 2**octave))
        whole = ImageChops.add(
            whole, _noise(size, (across, down), chance).point(lambda level, share=share: int(level * share))
        )
        share /= 2
    floor = 255 * (0.74 - 0.5 * cover)
    return whole.point(lambda level: int(min(255.0, max(0.0, (level - floor) * 3.2))))


def feathered(mask: Image.Image, share: float = 0.35) -> Image.Image:
    """The mask, fading out towards its upper and lower end over a share of its height."""
    steps = 64
    away = [min(step, steps - 1 - step) / (share * steps) for step in range(steps)]
    levels = bytes(round(255 * min(1.0, part) ** 2 * (3 - 2 * min(1.0, part))) for part in away)
    column = Image.frombytes("L", (1, steps), levels)
    return ImageChops.multiply(mask, column.resize(mask.size, Image.Resampling.BICUBIC))


def _noise(size: Size, cells: Size, chance: random.Random) -> Image.Image:
    """Smooth noise; the first columns stand again after the last, so that the sides meet."""
    across, down = cells
    tile = Image.frombytes("L", cells, chance.randbytes(across * down))
    wide = Image.new("L", (across + 4, down))
    for left in (-across + 2, 2, across + 2):
        wide.paste(tile, (left, 0))
    return wide.resize(size, Image.Resampling.BICUBIC, box=(2, 0, across + 2, down))
