"""A clip as it was delivered against the clip that was asked for, or recorded: what differs, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidspec.shape import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.capability import Capability
    from vidspec.lock import Output
    from vidspec.media import Probe

_SECONDS, _SHARE, _RATE = 0.3, 0.05, 0.5
"""A length may differ by so many seconds or by this share of it, whichever is more; a rate by so many frames."""

_ALIKE = 0.05
"""By how much seconds or frames a second may differ when one clip is measured twice: libraries round otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One thing about a clip that is not as it should be. `kind` is stable: what a script may look for."""

    kind: str
    expected: Any
    found: Any
    message: str


def mismatches(request: Mapping[str, Any], output: Output, rules: Capability) -> Iterator[str]:
    """What a clip is like and was not asked to be, in words: pixels, seconds, frames a second, sound.

    What the table itself only presumes of a model is not held against a clip.
    """
    return (one.message for one in compared(request, output, rules))


def compared(request: Mapping[str, Any], output: Output, rules: Capability) -> Iterator[Mismatch]:
    """The same, with values; kinds `asked_size`, `asked_duration`, `asked_fps`, `asked_audio`."""
    size = parse_size(str(request.get("size", "")))
    if size is not None and output.width and (output.width, output.height) != size:
        yield _mismatch("asked_size", str(size), f"{output.width}x{output.height}", "it is {found}, not {expected}")
    seconds = request.get("duration")
    if isinstance(seconds, int | float) and output.duration and not (rules.duration and rules.duration.unsure):
        allowed = max(_SECONDS, _SHARE * seconds)
        if abs(output.duration - seconds) > allowed:
            words = "it is {found:g} s long, not {expected:g} s"
            yield _mismatch("asked_duration", seconds, output.duration, words)
    rate = request.get("fps")
    presumed = rules.fps is not None and rules.fps.unsure
    if isinstance(rate, int | float) and output.fps and not presumed and abs(output.fps - rate) > _RATE:
        yield _mismatch("asked_fps", rate, output.fps, "it has {found:g} frames a second, not {expected:g}")
    yield from _sound(request.get("audio"), output, rules)


def _sound(asked: Any, output: Output, rules: Capability) -> Iterator[Mismatch]:
    """Sound that did not come, or came unasked.

    A file that was sent is a wish for sound. Where nobody asked nothing is held against the clip; nor is a track
    of sound against a model that makes none, for some write an empty one.
    """
    if asked is None or output.audio is None:
        return
    wanted = asked is not False
    if wanted and not output.audio:
        yield _mismatch("asked_audio", True, False, "it has no sound, and sound was asked for")
    if not wanted and output.audio and rules.audio.kind != "never":
        yield _mismatch("asked_audio", False, True, "it has sound, and `audio: false` was asked for")


def altered(output: Output, probe: Probe) -> Iterator[Mismatch]:
    """What a file is like and its record does not say: kinds `size`, `duration`, `fps`, `audio`.

    What the record is silent about is not compared.
    """
    pixels = f"{probe.width}x{probe.height}"
    if output.width and output.height and (output.width, output.height) != (probe.width, probe.height):
        yield _mismatch("size", f"{output.width}x{output.height}", pixels, "it is {found}, recorded as {expected}")
    if output.duration is not None and abs(output.duration - probe.duration) > _ALIKE:
        words = "it is {found:g} s long, recorded as {expected:g} s"
        yield _mismatch("duration", output.duration, round(probe.duration, 3), words)
    if output.fps is not None and abs(output.fps - probe.fps) > _ALIKE:
        words = "it has {found:g} frames a second, recorded as {expected:g}"
        yield _mismatch("fps", output.fps, round(probe.fps, 3), words)
    if output.audio is not None and output.audio != probe.audio:
        words = "it has sound, recorded as without" if probe.audio else "it has no sound, recorded as with"
        yield _mismatch("audio", output.audio, probe.audio, words)


def _mismatch(kind: str, expected: Any, found: Any, words: str) -> Mismatch:
    message = words.format(expected=expected, found=found)
    return Mismatch(kind=kind, expected=expected, found=found, message=message)
