"""Where the camera looks at each moment, from the neutral names of its moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

__all__ = ["MOVES", "Camera", "View"]

MOVES = (
    "truck left", "truck right", "pan left", "pan right", "push in", "pull out", "pedestal up", "pedestal down",
    "tilt up", "tilt down", "zoom in", "zoom out", "shake", "tracking shot", "static shot",
)  # fmt: skip

PAN, TRUCK, TRACK, JITTER = 0.10, 0.14, 0.06, 0.010
ZOOM, PUSH, DRIFT = 0.28, 0.32, 0.045
SETTLE = 0.4
"""Seconds in which a hand that holds a camera begins to shake."""
SWAY = 1.3  # how far a slide carries a drawn scene compared with a flat picture

# Where each sliding move ends, in widths and heights of the picture: turned x, y, carried x, y. It begins opposite.
SLIDES = {
    "pan left": (-PAN, 0.0, 0.0, 0.0),
    "pan right": (PAN, 0.0, 0.0, 0.0),
    "tilt up": (0.0, -PAN, 0.0, 0.0),
    "tilt down": (0.0, PAN, 0.0, 0.0),
    "truck left": (0.0, 0.0, -TRUCK, 0.0),
    "truck right": (0.0, 0.0, TRUCK, 0.0),
    "pedestal up": (0.0, 0.0, 0.0, -TRUCK),
    "pedestal down": (0.0, 0.0, 0.0, TRUCK),
    "tracking shot": (0.0, 0.0, TRACK, 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One moment. Shifts are in widths and heights of the picture, to the right and down.

    Turning (`x`, `y`) moves everything alike, carrying (`dx`, `dy`) moves what is near more than what is far;
    so does `dolly` next to `zoom`. The view at rest is `View()`.
    """

    x: float = 0.0
    y: float = 0.0
    dx: float = 0.0
    dy: float = 0.0
    zoom: float = 1.0
    dolly: float = 0.0

    def scale(self, depth: float) -> float:
        """How much larger than at rest a thing is that stands at a depth: 0 is far, 1 is near."""
        return self.zoom * (1 + self.dolly * depth)

    def shift(self, depth: float, size: tuple[int, int]) -> tuple[float, float]:
        """How many pixels a thing of a drawn scene has gone to the left and up."""
        across, down = self.x + 2 * self.dx * depth, self.y + 1.5 * self.dy * depth
        return SWAY * size[0] * across, SWAY * size[1] * down


class Camera:
    """A camera that performs all its moves at once, eased over the length of the shot."""

    def __init__(self, moves: Sequence[str], chance: random.Random) -> None:
        self._moves = tuple(move for move in moves if move != "static shot")
        self._held = "static shot" in moves
        self._phases = [chance.uniform(0, math.tau) for _ in range(6)]
        slides = [SLIDES[move] for move in self._moves if move in SLIDES]
        self._ends = tuple(sum(slide[axis] for slide in slides) for axis in range(4))
        self._shaken = "shake" in self._moves

    @property
    def still(self) -> bool:
        """Whether every moment has the view at rest."""
        return not self._moves

    @property
    def held(self) -> bool:
        """Whether a still camera was asked for, rather than none."""
        return self._held

    def box(self, done: float, time: float) -> tuple[float, float, float, float]:
        """What is seen of a flat picture, in fractions: left, top, right, bottom. It begins with all of it.

        So that no slide shows what is outside, it comes nearer meanwhile. Drawing back does show what is outside.
        """
        eased, unrest = ease(done), min(1.0, time / SETTLE)
        x, y = ((self._ends[axis] + self._ends[axis + 2]) * eased for axis in (0, 1))
        bob = JITTER * unrest if self._shaken or "tracking shot" in self._moves else 0.0
        half = (0.5 - max(abs(x), abs(y)) - bob) * self._width(eased)
        unquiet = self._unquiet(time)
        middle = 0.5 + x + unrest * unquiet[0], 0.5 + y + unrest * unquiet[1]
        return middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half

    @property
    def border(self) -> float:
        """How far outside of a flat picture is seen, in widths and heights of it."""
        return max(0.0, self._width(1.0) - 1) / 2

    def _width(self, eased: float) -> float:
        """How much of a picture is seen by nearing and drawing back alone."""
        zoom, dolly = (f"{name} out" in self._moves for name in ("zoom", "pull"))
        back = (1 + ZOOM * eased * zoom) * (1 + PUSH * eased * dolly)
        near = (1 + ZOOM * eased * ("zoom in" in self._moves)) * (1 + PUSH * eased * ("push in" in self._moves))
        return back / near

    def view(self, done: float, time: float) -> View:
        """The view when `done` (0 to 1) of the shot is over, at `time` seconds."""
        eased = ease(done)
        x, y, dx, dy = (end * (2 * eased - 1) for end in self._ends)
        if self._shaken:
            x, y = x + JITTER * self._tremble(time, 0), y + JITTER * self._tremble(time, 3)
        dy += self._bob(time)
        return View(x=x, y=y, dx=dx, dy=dy, zoom=self._grown("zoom", ZOOM, eased), dolly=self._pushed(eased))

    def _unquiet(self, time: float) -> tuple[float, float]:
        """What a hand that is never quite still adds to where a camera looks."""
        shaken = JITTER * self._shaken
        return shaken * self._tremble(time, 0), 0.6 * shaken * self._tremble(time, 3) + self._bob(time)

    def _bob(self, time: float) -> float:
        return 0.4 * JITTER * math.sin(math.tau * 1.1 * time) * ("tracking shot" in self._moves)

    def _grown(self, name: str, amount: float, eased: float) -> float:
        return 1 + amount * (eased * (f"{name} in" in self._moves) + (1 - eased) * (f"{name} out" in self._moves))

    def _pushed(self, eased: float) -> float:
        return PUSH * (eased * ("push in" in self._moves) + (1 - eased) * ("pull out" in self._moves))

    def _tremble(self, time: float, first: int) -> float:
        """A hand's unrest between -1 and 1: three sines that never fall into step."""
        parts = ((0.5, 2.3), (0.3, 5.9), (0.2, 11.3))
        return sum(
            size * math.sin(math.tau * rate * time + phase)
            for (size, rate), phase in zip(parts, self._phases[first:], strict=False)
        )


def ease(done: float) -> float:
    """Speed up over the first quarter, go evenly, slow down over the last."""
    ramp = 0.25
    if done > 0.5:
        return 1 - ease(1 - done)
    return (done * done / (2 * ramp) if done < ramp else done - ramp / 2) / (1 - ramp)
