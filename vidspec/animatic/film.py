"""The loop: a background, the lettering over it, the frame into the clip."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from PIL import Image

from vidspec.animatic.background import background_of
from vidspec.animatic.layout import overlay_of
from vidspec.errors import MediaError
from vidspec.media import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.animatic.drawing import Drawing
    from vidspec.animatic.overlay import Overlay

__all__ = ["draw", "still"]

REPORT_EVERY = 8
FADE = 0.4
"""Seconds in which lettering comes, and goes."""


def draw(drawing: Drawing, path: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
    """Draw a take as an MP4 at exactly `path`; blocks until it is whole.

    `progress(done, total)` counts frames; what it raises ends the drawing and passes through, and a partial file
    may remain. Raises `MediaError` for a picture that cannot be read.
    """
    background = background_of(drawing)
    overlay = overlay_of(drawing, background.accent)
    total, rate = drawing.frames, drawing.rate
    with Encoder(path, width=drawing.width, height=drawing.height, rate=rate) as encoder:
        for number in range(total):
            if progress and number % REPORT_EVERY == 0:
                progress(number, total)
            picture = background.frame(number / max(1, total - 1), float(number / rate))
            strength = _strength(number, total, float(rate)) if drawing.bare_ends else 1.0
            encoder.write(_lettered(picture, overlay, number, total, strength))
    if progress:
        progress(total, total)


def _strength(number: int, total: int, rate: float) -> float:
    """How much of the lettering a frame shows, from 0 at both ends to 1."""
    return min(1.0, min(number, total - 1 - number) / (FADE * rate))


def _lettered(picture: Image.Image, overlay: Overlay, number: int, total: int, strength: float) -> Image.Image:
    if not strength:
        return picture
    plain = picture.copy() if strength < 1 else picture
    overlay.lay(picture, number, total)
    return Image.blend(plain, picture, strength) if strength < 1 else picture


def still(drawing: Drawing, at: Literal["first", "last"] | float = "first") -> bytes:
    """A frame of a drawing (`first`, `last`, or a time in seconds) without any text, as a PNG.

    Raises `MediaError` for a picture that cannot be read, and for a time after the end.
    """
    last = drawing.frames - 1
    number = {"first": 0, "last": last}[at] if isinstance(at, str) else int(at * drawing.rate)
    if number > last:
        raise MediaError(f"`{drawing.slate}` is {drawing.duration:g} s long and has no frame at {at} s")
    target = io.BytesIO()
    background_of(drawing).frame(number / max(1, last), float(number / drawing.rate)).save(target, "PNG")
    return target.getvalue()
