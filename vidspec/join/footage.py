"""What a clip is exactly, as far as that matters for putting it beside others: every frame's time is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import av

from vidspec.errors import MediaError
from vidspec.media import opened
from vidspec.shape import Size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["RATES", "Coding", "Footage", "Packets", "audible", "survey"]

RATES = (
    Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50),
    Fraction(60), Fraction(60000, 1001), Fraction(48), Fraction(16), Fraction(15), Fraction(12), Fraction(10),
    Fraction(8),
)  # fmt: skip
"""Frames a second that clips are made in, likeliest first."""

SLOWEST, FASTEST = Fraction(1, 10), Fraction(240)
"""Frames a second beyond which a clip's own word is not believed."""

COPIED = frozenset({"h264", "hevc"})
"""Codecs whose pictures players take from an MP4 file as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """All that two clips must share so that the pictures of both can stand in one stream.

    `setup` is what a decoder is given before the first picture; `lag` is how many frames decoding is ahead of
    showing; `colours` are primaries, transfer, matrix and range.
    """

    codec: str
    tag: str
    setup: bytes
    size: Size
    pixels: str | None
    aspect: Fraction
    turned: int
    colours: tuple[int, int, int, int]
    lag: int
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A clip as it can be cut in.

    `size` is what is seen: upright, with square pixels, even; `aspect` is how much wider than high a stored pixel
    is. `rate` is exact (24000/1001), in frames a second; where the clip is not `steady`, it is the average. `start`
    is when the first picture is shown by the clip's own clock, `length` how long pictures are shown, in seconds.
    `coding` is None where the pictures cannot be taken over without being encoded anew. Of what sounds, `channels`
    says how many there are.
    """

    path: Path
    size: Size
    aspect: Fraction
    rate: Fraction
    frames: int
    start: Fraction
    length: Fraction
    steady: bool
    sound: bool
    coding: Coding | None = field(repr=False)
    channels: int = 0


class Packets(NamedTuple):
    """The times of a clip's packets that are shown, in the order of decoding, in ticks of `base` seconds.

    `whole` says that the packets are all there and could be taken over as they are; `first` is the first frame.
    """

    shown: list[int]
    decoded: list[int]
    lasting: list[int]
    base: Fraction
    whole: bool
    first: VideoFrame


def survey(path: Path) -> Footage:
    """Look at every packet of a clip, and decode its first frame.

    Raises `MediaError` for what is no readable clip with pictures, and for one that is cut short.
    """
    with opened(path) as (container, stream):
        packets = _packets(path, container, stream)
        first = packets.first
        times = sorted(packets.shown)
        rate, steady = _rate(times, packets.base, _guesses(stream))
        last = packets.lasting[packets.shown.index(times[-1])]
        length = len(times) / rate if steady else (times[-1] + last - times[0]) * packets.base
        coding = _coding(container, stream, packets, rate) if steady and packets.whole else None
        heard = audible(container)
        return Footage(
            path=path,
            size=_seen(stream, first),
            aspect=_aspect(stream),
            rate=rate,
            frames=len(times),
            start=times[0] * packets.base,
            length=min(length, len(times) / SLOWEST) if length > 0 else len(times) / rate,
            steady=steady,
            sound=heard is not None,
            coding=coding,
            channels=heard.codec_context.channels if heard is not None else 0,
        )


def audible(container: InputContainer) -> AudioStream | None:
    """The first stream of sound that can be decoded; None where there is none."""
    return next((one for one in container.streams.audio if getattr(one, "codec_context", None) is not None), None)


def _packets(path: Path, container: InputContainer, stream: VideoStream) -> Packets:
    """Every packet's times; where a clip has none they are counted out at its average rate."""
    kept: list[tuple[int | None, int | None, int]] = []
    first: VideoFrame | None = None
    whole = True
    total = 0
    try:
        for packet in container.demux(stream):
            first = first or next(iter(packet.decode()), None)
            if packet.size:
                whole = (
                    whole and not packet.is_discard and not packet.is_corrupt and bool(total or packet.is_keyframe)
                )
                total += not packet.is_corrupt
                if not packet.is_discard:
                    kept.append((packet.pts, packet.dts, packet.duration or 0))
    except av.FFmpegError as error:
        raise MediaError(f"`{path}` is cut short or damaged") from error
    if total < stream.frames:
        whole = False
        if (there := _stored(path)) < stream.frames:
            raise MediaError(f"`{path}` is cut short: it holds {there} of its {stream.frames} frames")
    if not kept or first is None:
        raise MediaError(f"`{path}` holds no frame")
    base = stream.time_base or Fraction(1, 1000)
    shown = [pts for pts, _, _ in kept if pts is not None]
    decoded = [dts for _, dts, _ in kept if dts is not None]
    if len(shown) < len(kept):
        step = 1 / ((stream.average_rate or RATES[0]) * base)
        shown = [round(number * step) for number in range(len(kept))]
    if len(decoded) < len(kept):
        decoded, whole = shown, False
    return Packets(shown, decoded, [lasting for _, _, lasting in kept], base, whole, first)


def _stored(path: Path) -> int:
    """The frames in a file, with those that its edit list does not show."""
    with opened(path, ignore_editlist="1") as (container, stream):
        return sum(1 for packet in container.demux(stream) if packet.size and not packet.is_corrupt)


def _guesses(stream: VideoStream) -> list[Fraction]:
    """What the clip says of its own rate, then what rates there are."""
    said = (stream.guessed_rate, stream.average_rate, stream.base_rate)
    return [*(Fraction(guess) for guess in said if guess and SLOWEST <= guess <= FASTEST), *RATES]


def _rate(times: Sequence[int], base: Fraction, guesses: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Frames a second, and whether every frame comes when it should: to a tick, for times are rounded."""
    for halves in (1, 2):
        for rate in guesses:
            if _keeps(times, 1 / (rate * base), halves):
                return rate, True
    steps = {later - earlier for earlier, later in pairwise(times)}
    if len(steps) == 1 and (only := steps.pop()) > 0:
        return 1 / (only * base), True
    span = (times[-1] - times[0]) * base
    average = (len(times) - 1) / span if span > 0 else guesses[0]
    return min(max(average, SLOWEST), FASTEST).limit_denominator(1001), False


def _keeps(times: Sequence[int], step: Fraction, halves: int) -> bool:
    """Whether times are a step apart, to so many halves of a tick; in whole numbers, for there are many."""
    wide, parts, begin = 2 * step.numerator, 2 * step.denominator, times[0]
    allowed = halves * step.denominator
    return all(abs((time - begin) * parts - number * wide) <= allowed for number, time in enumerate(times))


def _coding(container: InputContainer, stream: VideoStream, packets: Packets, rate: Fraction) -> Coding | None:
    """What other clips are compared with; None where the packets do not keep to the frames of an MP4 file."""
    context = stream.codec_context
    if context.name not in COPIED or "mp4" not in container.format.name.split(",") or not context.extradata:
        return None
    numbers = _numbered(packets, 1 / (rate * packets.base))
    if numbers is None or numbers[-1] - numbers[0] >= len(numbers):
        return None
    first = packets.first
    return Coding(
        codec=context.name,
        tag=context.codec_tag,
        setup=bytes(context.extradata),
        size=Size(context.width, context.height),
        pixels=context.pix_fmt,
        aspect=_aspect(stream),
        turned=int(first.rotation),
        colours=(first.color_primaries, first.color_trc, first.colorspace, first.color_range),
        lag=-numbers[0],
        rate=rate,
    )


def _numbered(packets: Packets, step: Fraction) -> list[int] | None:
    """The frame at whose time each packet is decoded, counted from the first that is shown; None without order."""
    start, wide, parts = min(packets.shown), step.numerator, step.denominator
    numbers = [(2 * (time - start) * parts + wide) // (2 * wide) for time in packets.decoded]
    for number, time in zip(numbers, packets.decoded, strict=True):
        if abs((time - start) * parts - number * wide) > parts:
            return None
    return numbers if all(earlier < later for earlier, later in pairwise(numbers)) else None


def _aspect(stream: VideoStream) -> Fraction:
    """How much wider than high a pixel is."""
    found = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return Fraction(found) if found else Fraction(1)


def _seen(stream: VideoStream, first: VideoFrame) -> Size:
    aspect = _aspect(stream)
    wide = Fraction(first.width) * max(aspect, Fraction(1))
    high = Fraction(first.height) / min(aspect, Fraction(1))
    if first.rotation % 180:
        wide, high = high, wide
    return Size(_even(wide), _even(high))


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
