"""The sound of a film: that of each clip for as long as its pictures last, and silence where there is none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import av

from vidspec.join.footage import audible
from vidspec.media import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

    from vidspec.join.footage import Footage

__all__ = ["RATE", "Soundtrack", "Voice"]

RATE = 48_000
"""Samples a second, on two sides."""

BITS = 192_000
"""Bits a second of the sound in a film."""

_SAMPLE = 8
"""Bytes of a sample: a float for each side."""

_SLACK = RATE // 20
"""Samples by which a clip's own times may wander before they are believed: some containers round them."""


class Voice:
    """The sound of a clip from its first picture on, read bit by bit; silence after it, or where there is none."""

    def __init__(self, footage: Footage | None) -> None:
        self._blocks = _blocks(footage.path, footage.start) if footage is not None and footage.sound else iter(())
        self._held = bytearray()

    def read(self, samples: int) -> bytes:
        """The next so many samples. Raises `MediaError` for a clip that cannot be read."""
        wanted = samples * _SAMPLE
        while len(self._held) < wanted:
            block = next(self._blocks, None)
            self._held += bytes(wanted - len(self._held)) if block is None else block
        taken = bytes(self._held[:wanted])
        del self._held[:wanted]
        return taken


def _blocks(path: Path, start: Fraction) -> Iterator[bytes]:
    """Samples without a break from `start` seconds on by the clip's clock: what comes too early is left out."""
    done = 0
    with opened(path) as (container, _):
        stream = audible(container)
        for number, part in enumerate(_parts(container, stream) if stream is not None else ()):
            data = bytes(part.planes[0])[: part.samples * _SAMPLE]
            place = (
                done if part.pts is None or part.time_base is None else _place(part.pts * part.time_base - start)
            )
            missing = place - done if not number or abs(place - done) > _SLACK else 0
            while missing > 0:
                silent = min(missing, RATE)
                yield bytes(silent * _SAMPLE)
                missing, done = missing - silent, done + silent
            data = data[-missing * _SAMPLE :]
            done += len(data) // _SAMPLE
            yield data


def _place(seconds: Fraction) -> int:
    return round(seconds * RATE)


def _parts(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """What is heard, as floats in stereo; what cannot be decoded is left out."""
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
    for packet in container.demux(stream):
        frames: list[AudioFrame] = []
        with suppress(av.FFmpegError):
            frames = packet.decode()
        for frame in frames:
            yield from resampler.resample(frame)
    with suppress(av.FFmpegError):
        yield from resampler.resample(None)


class Soundtrack:
    """Writes the sound of a film as AAC."""

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=RATE, layout="stereo")
        self._stream.bit_rate = BITS
        self._done = 0

    def until(self, voice: Voice, seconds: Fraction) -> None:
        """Go on with a voice until so many seconds of the film are written."""
        samples = round(seconds * RATE) - self._done
        if samples <= 0:
            return
        frame = av.AudioFrame(format="flt", layout="stereo", samples=samples)
        frame.planes[0].update(voice.read(samples))
        frame.sample_rate, frame.pts = RATE, self._done
        self._done += samples
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is still held back."""
        self._container.mux(self._stream.encode(None))
