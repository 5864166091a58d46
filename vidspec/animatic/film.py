"""The loop: a background, the lettering over it, the frame into the clip."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from vidspec.animatic.background import background_of
from vidspec.animatic.layout import overlay_of
from vidspec.errors import MediaError
from vidspec.media import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.animatic.drawing import Drawing

__all__ = ["draw", "still"]

REPORT_EVERY = 8


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
            overlay.lay(picture, number, total)
            encoder.write(picture)
    if progress:
        progress(total, total)


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
