"""What a drawn take depends on, and the chance that follows from it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from fractions import Fraction

from vidspec.animatic.camera import MOVES

__all__ = ["Drawing", "rate_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All that a drawn take depends on; nothing else (no clock, no machine) does.

    Even pixels, frames a second (23.976 means 24000/1001), seconds; pictures are encoded bytes. With `bare_ends`
    the lettering comes and goes, and the first and the last frame are without it: a clip can go on from there.
    Raises `ValueError` for a size, rate, length or camera move that cannot be drawn.
    """

    slate: str
    prompt: str
    title: str = ""
    scene: str = ""
    label: str
    note: str = ""
    seed: int | None
    width: int
    height: int
    fps: float
    duration: float
    camera: tuple[str, ...] = ()
    first_frame: bytes | None = None
    last_frame: bytes | None = None
    references: tuple[bytes, ...] = ()
    bare_ends: bool = False

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.width % 2 or self.height % 2:
            raise ValueError(f"a drawing's size is even and positive, not: {self.width}x{self.height}")
        if not 0 < self.fps <= 1000:
            raise ValueError(f"a drawing's rate is from 0 to 1000 frames a second, not: {self.fps:g}")
        if not 0 < self.duration < float("inf"):
            raise ValueError(f"a drawing lasts more than 0 seconds, not: {self.duration:g}")
        for move in self.camera:
            if move not in MOVES:
                raise ValueError(f"not a camera move: {move}")

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return rate_of(self.fps)

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return max(1, round(self.duration * self.fps))

    def chance(self, purpose: str) -> random.Random:
        """A source of numbers of its own for each purpose, the same for the same seed and prompt.

        Without a seed the slate stands in for it, so that two takes are told apart all the same.
        """
        text = f"{purpose}|{self._variation}|{self.prompt}"
        return random.Random(hashlib.sha256(text.encode("utf-8", "replace")).digest())  # noqa: S311  (pictures)

    def turn(self, purpose: str, choices: int) -> int:
        """A choice in which two neighbouring seeds never agree (given two choices or more)."""
        digest = hashlib.sha256(f"{purpose}|{self.prompt}".encode("utf-8", "replace")).digest()
        step = self.seed if self.seed is not None else _number(self.slate)
        return (int.from_bytes(digest[:8], "big") + step) % choices

    @property
    def _variation(self) -> str:
        return self.slate if self.seed is None else str(self.seed)


def rate_of(fps: float) -> Fraction:
    """The exact rate meant by a rounded one: 29.97 is 30000/1001."""
    nominal = round(fps * 1.001)
    if nominal and not float(fps).is_integer() and abs(fps * 1.001 - nominal) < 0.005:
        return Fraction(nominal * 1000, 1001)
    return Fraction(fps).limit_denominator(1001)


def _number(slate: str) -> int:
    """The take's number at the end of a slate, so that neighbouring takes are neighbouring numbers."""
    digits = slate[len(slate.rstrip("0123456789")) :]
    return int(digits or "0")
