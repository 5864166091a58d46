"""Which motif and palette a drawing gets: the prompt's words narrow them down, seed and prompt choose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec.animatic.heavens import aurora, moon, orbits
from vidspec.animatic.land import hills, winter, wood
from vidspec.animatic.palette import DARK, PALETTES, Palette
from vidspec.animatic.stage import Scene, Stage
from vidspec.animatic.town import rain, skyline
from vidspec.animatic.water import sea

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidspec.animatic.drawing import Drawing

__all__ = ["scene_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motif:
    """A way to draw, the palettes that suit it, and the words of a prompt that ask for it."""

    draw: Callable[[Stage], Scene]
    palettes: tuple[Palette, ...]
    words: str


MOTIFS = (
    Motif(
        draw=hills,
        palettes=PALETTES,
        words="mountain hill valley field meadow desert dune canyon 山 沙漠 草原 田野",
    ),
    Motif(
        draw=sea,
        palettes=PALETTES,
        words="sea ocean ferry boat ship harbour harbor pier wave beach lake 海 船 湖 港",
    ),
    Motif(draw=winter, palettes=PALETTES, words="snow snowy winter ice frost blizzard 雪 冬 冰"),
    Motif(draw=wood, palettes=PALETTES, words="forest wood tree jungle grove 森林 树 林"),
    Motif(draw=skyline, palettes=DARK, words="city town street skyline tower roof apartment neon 城市 街 楼 都市"),
    Motif(draw=rain, palettes=DARK, words="rain rainy raining storm umbrella wet 雨 伞"),
    Motif(draw=moon, palettes=DARK, words="moon moonlight moonlit night cloud midnight 月 夜 云"),
    Motif(draw=aurora, palettes=DARK, words="aurora arctic nordic 极光 北极"),
    Motif(draw=orbits, palettes=PALETTES + DARK, words="space planet star galaxy orbit satellite 宇宙 星 太空"),
)


def scene_of(drawing: Drawing) -> Scene:
    """The procedural background of a drawing, laid out and painted, ready to be moved."""
    motifs = asked(drawing.prompt) or MOTIFS
    motif = motifs[drawing.turn("motif", len(motifs))]
    palette = motif.palettes[drawing.turn("palette", len(motif.palettes))]
    return motif.draw(Stage(size=(drawing.width, drawing.height), palette=palette, chance=drawing.chance("scene")))


def asked(prompt: str) -> tuple[Motif, ...]:
    """The motifs that a prompt names, perhaps none."""
    lowered = prompt.lower()
    said = set(re.findall(r"[a-z]+", lowered))
    said |= {word.removesuffix("s") for word in said}
    return tuple(motif for motif in MOTIFS if any(_named(word, said, lowered) for word in motif.words.split()))


def _named(word: str, said: set[str], prompt: str) -> bool:
    return word in said if word.isascii() else word in prompt
