"""Clips made small, to be looked at on a page: one picture of a clip, or a copy of few pixels and few frames."""

from __future__ import annotations

import io
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from vidspec.errors import MediaError
from vidspec.media import Encoder, matrix_of, opened, range_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL import Image

QUALITY = 76
"""Of a poster, from 0 to 100, as WebP counts."""

SHARE = 0.4
"""How far into a clip its poster is taken: a first frame is often black, or not yet what the shot is about."""

LONGEST = 30.0
"""Seconds of a clip that a small copy shows at the most."""

_SMOOTH = Interpolation.AREA | Interpolation.ACCURATE_RND


def poster(clip: Path, width: int) -> bytes:
    """A frame of a clip as a WebP picture, at most `width` pixels wide.

    Raises:
        MediaError: it is no clip with pictures that can be read; the message does not say where it stands.
    """
    with _named(clip), opened(clip) as (container, stream):
        found = _shown_at(container, stream, SHARE * _length(container, stream))
        target = io.BytesIO()
        _small(found, _size(found, stream, width)).save(target, "WEBP", quality=QUALITY, method=4)
        return target.getvalue()


def proxy(clip: Path, target: Path, *, width: int, rate: int) -> None:
    """Write a small silent copy of a clip, at most `width` pixels wide and `rate` frames a second, as H.264.

    Raises:
        MediaError: it is no clip with pictures that can be read, or the copy cannot be written.
    """
    with _named(clip), opened(clip) as (container, stream):
        frames = _paced(container, stream, Fraction(1, rate))
        first = next(frames)
        size = _size(first, stream, width)
        with Encoder(target, width=size[0], height=size[1], rate=Fraction(rate)) as encoder:
            encoder.write(_small(first, size))
            for found in frames:
                encoder.write(_small(found, size))


@contextmanager
def _named(clip: Path) -> Iterator[None]:
    """Whatever is wrong is said of the clip, wherever on this machine it stands."""
    try:
        yield
    except MediaError as error:
        raise MediaError(str(error).replace(f"`{clip}`", "the clip")) from error
    except (ValueError, ArithmeticError) as error:  # whatever a library makes of bytes that are not ours
        raise MediaError("the clip is not one that can be read") from error


def _length(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _shown_at(container: InputContainer, stream: VideoStream, at: float) -> VideoFrame:
    """The frame that is shown at a time, or the last before the clip ends or breaks."""
    found = next(container.decode(stream))
    if found.pts is None or stream.time_base is None:
        return found
    start = found.time
    with suppress(av.FFmpegError):
        container.seek(int((start + at) / stream.time_base), stream=stream)
        for candidate in container.decode(stream):
            if candidate.pts is None or candidate.time > start + at + _ROUNDING:
                break
            found = candidate
    return found


_ROUNDING = 1e-6


def _paced(container: InputContainer, stream: VideoStream, step: Fraction) -> Iterator[VideoFrame]:
    """The frames that are shown at every step, up to where a clip ends or breaks."""
    shown: VideoFrame | None = None
    start, due = None, Fraction(0)
    with suppress(av.FFmpegError):
        for found in container.decode(stream):
            moment = 0.0 if found.pts is None else found.time
            start = moment if start is None else start
            while shown is not None and moment - start > due + _ROUNDING:
                yield shown
                due += step
            shown = found
            if due >= LONGEST:
                return
    if shown is not None:
        yield shown


def _size(found: VideoFrame, stream: VideoStream, width: int) -> tuple[int, int]:
    """The pixels of a small picture: even, of the shape in which the clip is shown."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    wide = max(1.0, float(found.width * aspect))
    scale = min(1.0, width / wide)
    return _even(wide * scale), min(_even(found.height * scale), 4 * width)


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))


def _small(found: VideoFrame, size: tuple[int, int]) -> Image.Image:
    scaled = VideoReformatter().reformat(
        found,
        width=size[0],
        height=size[1],
        format="rgb24",
        interpolation=_SMOOTH,
        src_colorspace=matrix_of(found),
        src_color_range=range_of(found),
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    picture: Image.Image = scaled.to_image()  # type: ignore[no-untyped-call]
    return picture
