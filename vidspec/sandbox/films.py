"""The clips: drawn once for each kind of request, in threads, into a folder that goes when the sandbox does."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import trio

from vidspec.animatic.camera import MOVES
from vidspec.errors import MediaError
from vidspec.sandbox.clock import held_while_drawing

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.sandbox.twin import Clip

__all__ = ["Film", "FilmStore", "Films", "fitted"]

SIDE = (16, 4096)
RATE = (1.0, 120.0)
LENGTH = (0.1, 600.0)
PROMPT = 4000
SLATE = "sandbox"


@dataclass(slots=True, kw_only=True, eq=False)
class Film:
    """A clip that was ordered. `size` is None until it has been drawn; `remarks` say what could not be shown."""

    path: Path
    size: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether it has been drawn."""
        return self.size is not None

    def data(self) -> bytes:
        """The bytes of a clip that is ready."""
        return self.path.read_bytes()


class FilmStore(Protocol):
    """Where clips come from."""

    def order(self, clip: Clip) -> Film:
        """Have a clip drawn that `fitted` has passed; returns at once, and for equal clips the same film."""


class Films:
    """Draws into a folder, as many clips at once as there are cores. What fails ends the nursery."""

    def __init__(self, nursery: trio.Nursery, folder: Path) -> None:
        self._nursery = nursery
        self._folder = folder
        self._films: dict[str, Film] = {}
        self._cores = trio.CapacityLimiter(max(1, os.cpu_count() or 1))

    def order(self, clip: Clip) -> Film:
        """Have a clip drawn, unless an equal one was ordered before."""
        name = _digest(clip)
        film = self._films.get(name)
        if film is None:
            film = self._films[name] = Film(path=self._folder / f"{name}.mp4")
            self._nursery.start_soon(self._draw, film, clip)
        return film

    async def _draw(self, film: Film, clip: Clip) -> None:
        with held_while_drawing():
            await trio.to_thread.run_sync(_draw, film, clip, limiter=self._cores)


def fitted(clip: Clip) -> tuple[Clip, list[str]]:
    """The clip as it can be drawn, and in words what of it had to be changed for that."""
    width, height = (min(max(int(side), SIDE[0]), SIDE[1]) // 2 * 2 for side in (clip.width, clip.height))
    fps, duration = _within(clip.fps, RATE, 24.0), _within(clip.duration, LENGTH, 5.0)
    camera = tuple(move for move in clip.camera if move in MOVES)
    found = []
    if (width, height) != (clip.width, clip.height):
        found.append(f"drawn as {width}x{height} instead of {clip.width}x{clip.height}")
    if fps != clip.fps:
        found.append(f"drawn with {fps:g} frames a second instead of {clip.fps}")
    if duration != clip.duration:
        found.append(f"drawn {duration:g} s long instead of {clip.duration} s")
    if len(camera) != len(clip.camera):
        found.append("drawn without camera moves that have no drawing")
    return replace(clip, width=width, height=height, fps=fps, duration=duration, camera=camera), found


def _within(number: float, bounds: tuple[float, float], otherwise: float) -> float:
    return min(max(number, bounds[0]), bounds[1]) if math.isfinite(number) else otherwise


def _digest(clip: Clip) -> str:
    pictures = [(part, hashlib.sha256(data).hexdigest()) for part, data in clip.pictures]
    facts = (clip.prompt, clip.label, clip.width, clip.height, clip.duration, clip.fps, clip.seed)
    return hashlib.sha256(repr((facts, tuple(clip.camera), pictures)).encode()).hexdigest()


def _draw(film: Film, clip: Clip) -> None:
    """Draw a clip; in a thread. Parts of it that are no pictures are left out, and named in the remarks."""
    from vidspec import animatic

    parts, remarks = _pictures(clip)
    drawing = animatic.Drawing(
        slate=SLATE,
        prompt=_text(clip.prompt)[:PROMPT],
        label=_text(clip.label),
        note="a drawing of the local sandbox",
        seed=clip.seed,
        width=clip.width,
        height=clip.height,
        fps=clip.fps,
        duration=clip.duration,
        camera=tuple(clip.camera),
        first_frame=next(iter(parts.get("first_frame", ())), None),
        last_frame=next(iter(parts.get("last_frame", ())), None),
        references=tuple(parts.get("reference", ())),
        bare_ends=True,
    )
    animatic.draw(drawing, film.path, progress=lambda _done, _of: trio.from_thread.check_cancelled())
    film.remarks = remarks
    film.size = film.path.stat().st_size


def _pictures(clip: Clip) -> tuple[dict[str, list[bytes]], tuple[str, ...]]:
    from vidspec.picture import pixels

    parts: dict[str, list[bytes]] = {}
    remarks = []
    for part, data in clip.pictures:
        try:
            pixels(data, f"the {part.replace('_', ' ')}")
        except MediaError as error:
            remarks.append(f"drawn without a picture: {error}")
        else:
            parts.setdefault(part, []).append(data)
    return parts, tuple(remarks)


def _text(text: str) -> str:
    """The text without halves of characters, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
