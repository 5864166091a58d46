"""Clips: what one is, a frame out of one, frames into one. The only module that knows the video library.

Whatever comes from a provider is untrusted. Only formats that hold a clip in one file are tried, and only the
file itself is opened, so that a playlist under the name of a clip fetches nothing.
"""

from __future__ import annotations

import io
import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Self

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image

from vidspec.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["Encoder", "Probe", "frame", "jpeg", "matrix_of", "opened", "probe", "range_of"]

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,gif,asf"
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
CRF = 20
KEYFRAME_SECONDS = 2
COVER_ART = av.stream.Disposition.attached_pic


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a clip is: pixels as stored, average frames a second, seconds, and whether it has sound."""

    width: int
    height: int
    fps: float
    duration: float
    frames: int
    codec: str
    audio: bool


def probe(path: Path) -> Probe:
    """Measure a clip; every packet is read and the first frame decoded, so that a clip cut short is found.

    Raises `MediaError` for what is no readable clip with pictures.
    """
    with opened(path) as (container, stream):
        frames = _count(path, container, stream)
        length = _length(container, stream, frames)
        return Probe(
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=float(stream.average_rate or Fraction(frames) / Fraction(length)),
            duration=length,
            frames=frames,
            codec=stream.codec_context.name,
            audio=bool(container.streams.audio),
        )


def frame(path: Path, at: Literal["first", "last"] | float) -> bytes:
    """The first frame of a clip, the very last, or the one shown at a time in seconds, as a PNG in RGB.

    It is the frame as a player shows it: what an edit list hides is no frame of the clip. Of 255 levels each of
    red, green and blue is at most 3 from what the clip's own matrix and range say. Seconds count from the first
    picture; the end of the last one counts as the last frame. Raises `MediaError` for an unreadable clip and for
    a time outside of the pictures, whatever the sound does.
    """
    with opened(path) as (container, stream):
        if at == "first":
            found = next(container.decode(stream))
        elif at == "last":
            found = _newest(container, stream, None)
        else:
            found = _newest(container, stream, _moment(path, container, stream, at))
        return _png(found)


class Encoder:
    """Writes RGB pictures, one a frame, as a silent H.264 MP4 in BT.709, limited range.

    The same pictures give the same bytes: one thread, nothing of the clock or the library's version inside.
    Use it as a context manager; when the block ends the file is whole.
    """

    def __init__(self, path: Path, *, width: int, height: int, rate: Fraction) -> None:
        """Open `path` for a clip of even `width` x `height` pixels at `rate` frames a second."""
        if width <= 0 or height <= 0 or width % 2 or height % 2 or rate <= 0:
            raise ValueError(f"a clip of {width}x{height} at {rate} frames a second cannot be encoded")
        self._size = (width, height)
        self._frames = 0
        self._time_base = 1 / rate
        self._reformatter = VideoReformatter()
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._configure(rate)

    def _configure(self, rate: Fraction) -> None:
        context = self._stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = "yuv420p"
        context.time_base = self._time_base
        context.thread_count = 1
        context.gop_size = max(1, round(rate * KEYFRAME_SECONDS))
        context.flags |= av.codec.context.Flags.bitexact
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        # `ultrafast` leaves out what keeps dark gradients from breaking into blocks; it costs little.
        context.options = {"preset": "ultrafast", "crf": str(CRF), "x264-params": "deblock=0,0"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        else:
            with suppress(av.FFmpegError):
                self._container.close()

    def write(self, picture: Image.Image) -> None:
        """Append one frame. `picture` is RGB, of exactly the clip's size."""
        if picture.mode != "RGB" or picture.size != self._size:
            raise ValueError(f"a {picture.mode} picture of {picture.size} is no frame of {self._size}")
        packed = self._reformatter.reformat(
            self._carried(picture),
            format="yuv420p",
            interpolation=EXACT,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        packed.pts, packed.time_base = self._frames, self._time_base
        self._frames += 1
        self._container.mux(self._stream.encode(packed))

    def _carried(self, picture: Image.Image) -> VideoFrame:
        carrier = av.VideoFrame(*self._size, "rgb24")
        plane = carrier.planes[0]
        plane.update(picture.tobytes("raw", "RGB", plane.line_size, 1))
        return carrier


@contextmanager
def opened(path: Path, **more: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A clip's container and picture stream; what goes wrong with its bytes in the block becomes a `MediaError`.

    `more` are options of the library's reader.
    """
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file", **more}
    try:
        if path.stat().st_size == 0:
            raise MediaError(f"`{path}` is empty")
        with _container(path, options) as container:
            yield container, _pictures(path, container)
    except FileNotFoundError:
        raise MediaError(f"`{path}` does not exist") from None
    except (av.FFmpegError, OSError, StopIteration, UnicodeDecodeError) as error:
        raise MediaError(f"`{path}` is not a clip that can be read") from error


def _container(path: Path, options: dict[str, str]) -> InputContainer:
    """The file opened; titles and comments in it may be of any encoding, since nobody here reads them."""
    try:
        return av.open(str(path), options=options, metadata_errors="replace")
    except TypeError:  # a library that cannot be told so
        return av.open(str(path), options=options)


def _pictures(path: Path, container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & COVER_ART:
            if getattr(stream, "codec_context", None) is None:
                raise MediaError(f"`{path}` has pictures of a kind that nobody here can decode")
            stream.codec_context.thread_count = 1
            return stream
    raise MediaError(
        f"`{path}` has no pictures, only sound" if container.streams.audio else f"`{path}` has no pictures"
    )


def _count(path: Path, container: InputContainer, stream: VideoStream) -> int:
    """The frames that are really there, which is where a clip cut short gives itself away."""
    try:
        packets = (packet for packet in container.demux(stream) if packet.size and not packet.is_corrupt)
        frames = sum(1 for packet in packets if not packet.is_discard)
    except av.FFmpegError as error:
        raise MediaError(f"`{path}` is cut short or damaged") from error
    if frames < stream.frames and (there := _stored(path)) < stream.frames:
        raise MediaError(f"`{path}` is cut short: it holds {there} of its {stream.frames} frames")
    container.seek(0)
    if frames == 0 or next(container.decode(stream), None) is None:
        raise MediaError(f"`{path}` holds no frame")
    return frames


def _stored(path: Path) -> int:
    """The frames in a file with those that its edit list does not show: they are there, and not to be seen."""
    with opened(path, ignore_editlist="1") as (container, stream):
        return sum(1 for packet in container.demux(stream) if packet.size and not packet.is_corrupt)


def _length(container: InputContainer, stream: VideoStream, frames: int | None = None) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    return float((frames or stream.frames or 1) / (stream.average_rate or 25))


def _moment(path: Path, container: InputContainer, stream: VideoStream, at: float) -> float:
    length = _shown_for(container, stream)
    tick = float(stream.time_base or 0)
    if not math.isfinite(at) or at < 0 or at > length + max(tick, 1e-6):
        raise MediaError(f"`{path}` is {length:.6g} seconds long and has no frame at: {at:g}")
    return at


def _shown_for(container: InputContainer, stream: VideoStream) -> float:
    """Seconds from the first picture until the last one ends: what is cut off, and sound, do not count."""
    base = stream.time_base or Fraction(1, 1000)
    usual = 1 / (stream.average_rate or 25) / base
    shown = (packet for packet in container.demux(stream) if not packet.is_discard)
    ends = [packet.pts + (packet.duration or usual) for packet in shown if packet.pts is not None]
    return float(max(ends) * base) - _start(container, stream) if ends else _length(container, stream)


def _newest(container: InputContainer, stream: VideoStream, until: float | None) -> VideoFrame:
    """The newest frame, or the newest that is not after `until` seconds from the start."""
    start = _start(container, stream)
    limit = math.inf if until is None else start + until + 1e-6
    sought = _length(container, stream) if until is None else until
    base = stream.time_base or Fraction(1, 1000)
    with suppress(av.FFmpegError):
        container.seek(int((start + sought) / base), stream=stream)
        found = _scan(container, stream, limit)
        if found is not None:
            return found
    container.seek(0)
    found = _scan(container, stream, limit)
    return found if found is not None else next(container.decode(stream))


def _start(container: InputContainer, stream: VideoStream) -> float:
    container.seek(0)
    first = next(container.decode(stream))
    return 0.0 if first.pts is None else first.time


def _scan(container: InputContainer, stream: VideoStream, limit: float) -> VideoFrame | None:
    """Frames leave the decoder in the order of showing, so the first one after the limit ends the search."""
    found = None
    for candidate in container.decode(stream):
        if candidate.pts is not None and candidate.time > limit:
            break
        found = candidate
    return found


def _png(found: VideoFrame) -> bytes:
    rgb = VideoReformatter().reformat(
        found,
        format="rgb24",
        interpolation=EXACT | Interpolation.FULL_CHR_H_INT,
        src_colorspace=matrix_of(found),
        src_color_range=range_of(found),
        dst_color_range=ColorRange.JPEG,
    )
    plane = rgb.planes[0]
    picture = Image.frombytes("RGB", (rgb.width, rgb.height), bytes(plane), "raw", "RGB", plane.line_size)
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def jpeg(frame: bytes, most: int | None) -> bytes | None:
    """A frame as a JPEG of at most so many bytes, with colour for every pixel; None where it would be a poor one.

    Three qualities are tried. At the best of them the levels of a grainy picture are 2 off in the mean at most.
    """
    picture = Image.open(io.BytesIO(frame)).convert("RGB")
    for quality in (95, 90, 85):
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=quality, subsampling="4:4:4", optimize=True)
        if most is None or target.tell() <= most:
            return target.getvalue()
    return None


def matrix_of(found: VideoFrame) -> int:
    """The clip's own matrix; where it names none, what players assume: BT.709 for high definition, else BT.601."""
    named = {1: Colorspace.ITU709, 4: Colorspace.FCC, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020}
    if found.colorspace in named:
        return named[found.colorspace]
    if found.colorspace in {5, 6}:
        return Colorspace.ITU601
    return Colorspace.ITU709 if found.width >= 1280 or found.height > 576 else Colorspace.ITU601


def range_of(found: VideoFrame) -> int:
    """The clip's own range: of all levels, or limited as in television, which is what players assume."""
    full = found.color_range == ColorRange.JPEG or found.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or found.format.is_rgb else ColorRange.MPEG
