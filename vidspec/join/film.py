"""One film out of many clips: pictures and sound one after the other into an MP4 file, with a chapter for each."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from math import ceil
from typing import TYPE_CHECKING, Literal

import av
from av.video.frame import PictureType

from vidspec.errors import MediaError
from vidspec.join.lettering import Burn, card
from vidspec.join.pictures import Conformer, copied, decoded, shown, tag
from vidspec.join.sound import Soundtrack, Voice
from vidspec.media import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from av.container import OutputContainer
    from av.container.core import Chapter
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vidspec.join.footage import Footage
    from vidspec.shape import Size

__all__ = ["Film", "Piece", "join"]

CRF = 16
"""How closely x264 keeps to the pictures: a cut is looked at, and cut again."""

_KEYFRAME_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A clip for so many frames of the film, or a black card in its place; `title` is that of its chapter.

    `burnt` is what is written into a corner of its pictures beside the timecode, `card` are the lines on a card.
    """

    footage: Footage | None
    frames: int
    title: str
    burnt: str = ""
    card: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What is to be made: frames a second, pixels, and the frame number that the timecode begins with.

    With `copied` the pictures are taken over as they are: every piece must be of one coding, and nothing burnt in.
    """

    title: str
    rate: Fraction
    size: Size
    sound: bool
    copied: bool
    start: int = 0
    kind: Literal["mp4", "mov"] = "mp4"


def join(
    pieces: Sequence[Piece], film: Film, path: Path, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write a film at exactly `path`; blocks until it is whole.

    `progress(number, frames)` is told which piece it is at, and how much of the film is made.

    Raises:
        MediaError: a clip cannot be read, or the film cannot be written.
        OSError: the disk is full, or the place cannot be written to.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    try:
        with av.open(str(path), "w", format=film.kind, options=options) as container:
            container.set_chapters(_chapters(pieces, film.rate))
            container.metadata.update({"title": film.title} if film.title else {})
            _fill(container, pieces, film, progress)
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise MediaError(f"the film cannot be written: {error.strerror or error}") from error


def _fill(
    container: OutputContainer,
    pieces: Sequence[Piece],
    film: Film,
    progress: Callable[[int, int], None] | None,
) -> None:
    stream = _copying(container, pieces, film) if film.copied else _encoding(container, film)
    soundtrack = Soundtrack(container) if film.sound else None
    conformer = Conformer(film.size)
    begin = done = 0
    for number, piece in enumerate(pieces):
        voice = Voice(piece.footage)
        packets = _copied(piece, begin, stream) if film.copied else _encoded(piece, begin, stream, conformer, film)
        for count, some in enumerate(packets, 1):
            container.mux(some)
            done = begin + min(count, piece.frames)
            if soundtrack is not None:
                soundtrack.until(voice, done / film.rate)
            if progress is not None:
                progress(number, done)
        begin += piece.frames
    if not film.copied:
        container.mux(stream.encode(None))
    if soundtrack is not None:
        soundtrack.close()


def _copying(container: OutputContainer, pieces: Sequence[Piece], film: Film) -> VideoStream:
    footage = pieces[0].footage
    assert footage is not None
    with opened(footage.path) as (_, source):
        stream = container.add_stream_from_template(source)
    stream.time_base = Fraction(1, film.rate.numerator)
    return stream


def _encoding(container: OutputContainer, film: Film) -> VideoStream:
    stream = container.add_stream("libx264", rate=film.rate)
    context = stream.codec_context
    context.width, context.height = film.size
    context.pix_fmt = "yuv420p"
    context.time_base = 1 / film.rate
    context.gop_size = max(1, round(film.rate * _KEYFRAME_SECONDS))
    context.options = {"preset": "veryfast", "crf": str(CRF), "forced-idr": "1"}
    tag(stream)
    return stream


def _copied(piece: Piece, begin: int, stream: VideoStream) -> Iterator[list[Packet[VideoStream]]]:
    assert piece.footage is not None
    for packet in copied(piece.footage, begin, stream):
        yield [packet]


def _encoded(
    piece: Piece, begin: int, stream: VideoStream, conformer: Conformer, film: Film
) -> Iterator[list[Packet[VideoStream]]]:
    """What comes of each frame of a piece; the first is one that a player can jump to."""
    burn = Burn(film.size, piece.burnt, rate=film.rate, start=film.start + begin) if piece.burnt else None
    for number, frame in enumerate(_frames(piece, conformer, film)):
        done = burn(frame, number) if burn is not None else frame
        done.pts, done.time_base = begin + number, 1 / film.rate
        done.pict_type = PictureType.NONE if number else PictureType.I
        yield stream.encode(done)


def _frames(piece: Piece, conformer: Conformer, film: Film) -> Iterator[VideoFrame]:
    if piece.footage is None:
        return repeat(card(film.size, piece.title, piece.card), piece.frames)
    aspect = piece.footage.aspect
    frames = shown(decoded(piece.footage), film.rate, piece.frames)
    return (conformer(frame, aspect) for frame in frames)


def _chapters(pieces: Sequence[Piece], rate: Fraction) -> list[Chapter]:
    """A chapter for each piece, in thousandths of a second as MP4 has them, not before its first frame is shown."""
    chapters: list[Chapter] = []
    begin = 0
    for number, piece in enumerate(pieces):
        start, end = (ceil(frame / rate * 1000) for frame in (begin, begin + piece.frames))
        chapters.append(
            {
                "id": number,
                "start": start,
                "end": end,
                "time_base": Fraction(1, 1000),
                "metadata": {"title": piece.title},
            }
        )
        begin += piece.frames
    return chapters
