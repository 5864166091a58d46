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

    def box(self, margin: float) -> tuple[float, float, float, float]:
        """What is seen of a flat picture enlarged by `margin`, in fractions: left, top, right, bottom."""
        half = 0.5 / (margin * self.zoom * (1 + self.dolly))
        middle = tuple(min(max(0.5 + shift, half), 1 - half) for shift in (self.x + self.dx, self.y + self.dy))
        return middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half


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

    @property
    def margin(self) -> float:
        """How much a flat picture must be enlarged so that no move shows what is outside of it."""
        x, y, dx, dy = (abs(end) for end in self._ends)
        bob = JITTER if self._shaken or "tracking shot" in self._moves else 0.0
        return 1 / (1 - 2 * (max(x + dx, y + dy) + bob))

    def view(self, done: float, time: float) -> View:
        """The view when `done` (0 to 1) of the shot is over, at `time` seconds."""
        eased = ease(done)
        x, y, dx, dy = (end * (2 * eased - 1) for end in self._ends)
        if self._shaken:
            x, y = x + JITTER * self._tremble(time, 0), y + JITTER * self._tremble(time, 3)
        if "tracking shot" in self._moves:
            dy += 0.4 * JITTER * math.sin(math.tau * 1.1 * time)
        return View(x=x, y=y, dx=dx, dy=dy, zoom=self._grown("zoom", ZOOM, eased), dolly=self._pushed(eased))

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
