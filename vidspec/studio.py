"""Takes as drawings: what `animatic` makes of a request, whichever provider the request is meant for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from vidspec.providers import table
from vidspec.shape import Size, nominal_size, parse_ratio, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.animatic import Drawing
    from vidspec.take import Input, Take

Pictures = Mapping[tuple[str, int], bytes]
"""Encoded pictures by the input that they are for: setting, and index within it."""

_DEFAULT = Size(1280, 720)
_SECONDS = 5.0
_RATE = 24.0
_MODES = {
    "text_to_video": "text to video",
    "image_to_video": "image to video",
    "first_last_frame": "first and last frame",
    "reference_to_video": "reference to video",
    "remix": "remix",
}


def size_of(take: Take, picture: Size | None) -> Size:
    """The size to draw: the request's own, else what its tier and ratio promise, the picture's ratio over all."""
    request = take.facts
    if (size := parse_size(request.get("size", ""))) is not None:
        return size
    named = parse_ratio(request.get("aspect_ratio", ""))
    ratio = named or (picture.ratio if picture else _DEFAULT.ratio)
    return nominal_size(request.get("resolution", "720p"), ratio) or _DEFAULT


def draw(
    take: Take,
    pictures: Pictures,
    path: Path,
    *,
    title: str,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw a take to exactly `path`; blocks, so call it in a thread.

    An address cannot be fetched offline: it is drawn as if it were not there, and named.

    Raises:
        MediaError: a picture cannot be read.
        OSError: the clip cannot be written.
    """
    from vidspec import animatic

    animatic.draw(_drawing(take, pictures, title), path, progress=progress)


def frame(take: Take, pictures: Pictures, at: str | float) -> bytes:
    """A frame of a take's drawing (`first`, `last`, or a time in seconds) without its lettering, as a PNG; blocks.

    Raises:
        MediaError: a picture cannot be read, or the take is not that long.
    """
    from vidspec import animatic

    moment: Literal["first", "last"] | float = "first" if at == "first" else "last"
    return animatic.still(_drawing(take, pictures, ""), at if isinstance(at, float | int) else moment)


def frame_of(clip: Path, at: str | float) -> bytes:
    """A frame of a clip as it was delivered (`first`, `last`, or a time in seconds), as a PNG; blocks.

    Raises:
        MediaError: the clip cannot be read, or is not that long.
    """
    from vidspec import media

    return media.frame(clip, at if isinstance(at, float | int) else "first" if at == "first" else "last")


def _drawing(take: Take, pictures: Pictures, title: str) -> Drawing:
    from vidspec.animatic import Drawing

    first, last = pictures.get(("first_frame", 0)), pictures.get(("last_frame", 0))
    width, height = size_of(take, _picture_size(first or last))
    return Drawing(
        slate=take.slate,
        title=title,
        scene=take.scene or "",
        prompt=take.request.get("prompt", ""),
        label=_label(take),
        note=_note(take),
        seed=take.seed,
        width=width,
        height=height,
        fps=float(take.facts.get("fps") or _RATE),
        duration=float(take.facts.get("duration") or _SECONDS),
        camera=tuple(take.request.get("camera") or ()),
        first_frame=first,
        last_frame=last,
        references=tuple(data for (setting, _), data in sorted(pictures.items()) if setting == "references"),
    )


def _picture_size(data: bytes | None) -> Size | None:
    if data is None:
        return None
    from vidspec.picture import pixels

    found = pixels(data, "the picture")
    return Size(found.width, found.height)


def _label(take: Take) -> str:
    return take.model if take.provider == take.model else f"{take.provider} · {take.model}"


def _note(take: Take) -> str:
    notes = [_MODES[take.mode]]
    request: Mapping[str, Any] = take.request
    if take.mode == "remix":
        source = next((given.frame.slate for given in take.inputs if given.frame), request.get("remix_of"))
        notes = [f"remix of {source}"]
    notes += [f"{given.setting.replace('_', ' ')}: {_host(given)}" for given in take.inputs if given.url]
    if request.get("audio"):
        notes.append("sound")
    return ", ".join(notes)


def _host(given: Input) -> str:
    return (given.url or "").split("/")[2]


def is_local(provider: str) -> bool:
    """Whether a provider works without a network: it is drawn here."""
    return table(provider).key is None
