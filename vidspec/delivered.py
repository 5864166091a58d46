"""A clip as it was delivered against the clip that was asked for: what differs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec.shape import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.capability import Capability
    from vidspec.lock import Output

_SECONDS, _SHARE, _RATE = 0.3, 0.05, 0.5
"""A length may differ by so many seconds or by this share of it, whichever is more; a rate by so many frames."""


def mismatches(request: Mapping[str, Any], output: Output, rules: Capability) -> Iterator[str]:
    """What a clip is like and was not asked to be: pixels, seconds, frames a second.

    What the table itself only presumes of a model is not held against a clip.
    """
    size = parse_size(str(request.get("size", "")))
    if size is not None and output.width and (output.width, output.height) != size:
        yield f"it is {output.width}x{output.height}, not {size.width}x{size.height}"
    seconds = request.get("duration")
    if isinstance(seconds, int | float) and output.duration and not (rules.duration and rules.duration.unsure):
        allowed = max(_SECONDS, _SHARE * seconds)
        if abs(output.duration - seconds) > allowed:
            yield f"it is {output.duration:g} s long, not {seconds:g} s"
    rate = request.get("fps")
    presumed = rules.fps is not None and rules.fps.unsure
    if isinstance(rate, int | float) and output.fps and not presumed and abs(output.fps - rate) > _RATE:
        yield f"it has {output.fps:g} frames a second, not {rate:g}"
