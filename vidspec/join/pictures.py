"""The pictures of a film: those of each clip taken over as they are, or brought to one size, rate and colour."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from vidspec.media import matrix_of, opened, range_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.filter.graph import Graph
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vidspec.join.footage import Footage
    from vidspec.shape import Size

__all__ = ["Conformer", "copied", "decoded", "shown"]

_MATRICES = {
    Colorspace.ITU709: "bt709",
    Colorspace.ITU601: "bt601",
    Colorspace.FCC: "fcc",
    Colorspace.SMPTE240M: "smpte240m",
    Colorspace.BT2020: "bt2020",
}
_AS_THEY_SHOULD_BE = "yuv420p", int(Colorspace.ITU709), int(ColorRange.MPEG)
_FLAGS = "bicubic+accurate_rnd+full_chroma_inp+full_chroma_int+bitexact"
_HAIR = 4
"""Pixels of a bar that nobody would see as one: the picture is stretched over them."""


def copied(footage: Footage, begin: int, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The packets of a clip as they are, as frames of `stream` from number `begin` on.

    Raises `MediaError` for a clip that cannot be read.
    """
    rate = footage.rate
    with opened(footage.path) as (container, source):
        base = source.time_base or Fraction(1, 1000)
        for packet in container.demux(source):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts = _number(packet.pts, base, footage, begin) * rate.denominator
                packet.dts = _number(packet.dts, base, footage, begin) * rate.denominator
                packet.duration = rate.denominator
                packet.time_base = Fraction(1, rate.numerator)
                packet.stream = stream
                yield packet


def _number(ticks: int, base: Fraction, footage: Footage, begin: int) -> int:
    return begin + round((ticks * base - footage.start) * footage.rate)


def decoded(footage: Footage) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Every frame of a clip with the second from which it is shown. Raises `MediaError`."""
    with opened(footage.path) as (container, stream):
        base = stream.time_base or Fraction(1, 1000)
        stream.codec_context.thread_count = 0
        for number, frame in enumerate(container.decode(stream)):
            if footage.steady or frame.pts is None:
                yield number / footage.rate, frame
            else:
                yield frame.pts * base - footage.start, frame


def shown(frames: Iterator[tuple[Fraction, VideoFrame]], rate: Fraction, count: int) -> Iterator[VideoFrame]:
    """What is seen at each of `count` frames of a film: the newest picture of the clip; the last one stays."""
    _, current = next(frames)
    following = next(frames, None)
    for number in range(count):
        while following is not None and following[0] <= number / rate:
            current = following[1]
            following = next(frames, None)
        yield current


class Conformer:
    """Brings frames to one size (with black bars), square pixels, and 4:2:0 in BT.709, limited range."""

    def __init__(self, size: Size) -> None:
        """`size` is even, in pixels."""
        self._size = size
        self._graphs: dict[tuple[object, ...], Graph] = {}
        self._last: tuple[VideoFrame, VideoFrame] | None = None

    def __call__(self, frame: VideoFrame, aspect: Fraction) -> VideoFrame:
        """A frame, whose pixels are so much wider than high, as the film has it; the same for the same frame."""
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self._conformed(frame, aspect)
        return self._last[1]

    def _conformed(self, frame: VideoFrame, aspect: Fraction) -> VideoFrame:
        colours = frame.format.name, int(matrix_of(frame)), int(range_of(frame))
        kind = (frame.width, frame.height, *colours, round(frame.rotation) % 360, aspect)
        if kind == (*self._size, *_AS_THEY_SHOULD_BE, 0, Fraction(1)):
            return frame
        if kind not in self._graphs:
            self._graphs[kind] = _graph(self._filters(frame, aspect), frame)
        graph = self._graphs[kind]
        graph.push(frame)
        done = graph.pull()
        assert isinstance(done, av.VideoFrame)
        return done

    def _filters(self, frame: VideoFrame, aspect: Fraction) -> Iterator[tuple[str, str]]:
        turned = round(frame.rotation) % 360
        wide, high = frame.width * aspect, Fraction(frame.height)
        if turned in _TURNS:
            yield from _TURNS[turned]
            wide, high = (high, wide) if turned % 180 else (wide, high)
        width, height = _fitted(wide, high, self._size)
        matrix, full = _MATRICES.get(Colorspace(matrix_of(frame)), "bt709"), range_of(frame) == ColorRange.JPEG
        colours = f"in_color_matrix={matrix}:out_color_matrix=bt709:in_range={'pc' if full else 'tv'}:out_range=tv"
        yield "scale", f"{width}:{height}:flags={_FLAGS}:{colours}"
        yield "format", "yuv420p"
        left, top = (self._size.width - width) // 4 * 2, (self._size.height - height) // 4 * 2
        yield "pad", f"{self._size.width}:{self._size.height}:{left}:{top}:black"
        yield "setsar", "1"


_TURNS: dict[int, tuple[tuple[str, str], ...]] = {
    90: (("transpose", "cclock"),),
    180: (("hflip", ""), ("vflip", "")),
    270: (("transpose", "clock"),),
}
"""What puts a picture upright that is to be turned counter-clockwise by so many degrees."""


def _fitted(wide: Fraction, high: Fraction, size: Size) -> tuple[int, int]:
    """As large as the film allows, in its own shape, even; bars too thin to be seen are left out."""
    scale = min(size.width / wide, size.height / high)
    width, height = (max(2, 2 * round(length * scale / 2)) for length in (wide, high))
    return (
        size.width if size.width - width < _HAIR else width,
        size.height if size.height - height < _HAIR else height,
    )


def _graph(filters: Iterator[tuple[str, str]], frame: VideoFrame) -> Graph:
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    for name, settings in filters:
        following = graph.add(name, settings or None)
        last.link_to(following)
        last = following
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def tag(stream: VideoStream) -> None:
    """Say in a stream that its colours are BT.709 in limited range."""
    context = stream.codec_context
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
