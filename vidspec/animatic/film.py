"""The loop: a background, the lettering over it, the frame into the clip."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from vidspec.animatic.background import background_of
from vidspec.animatic.layout import overlay_of
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


def still(drawing: Drawing) -> bytes:
    """The background of a drawing as its first frame shows it, without any text, as a PNG."""
    target = io.BytesIO()
    background_of(drawing).frame(0.0, 0.0).save(target, "PNG")
    return target.getvalue()
