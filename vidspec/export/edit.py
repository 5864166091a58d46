"""An edit: shots in order, of each the take that is cut in, and where it stands to the frame.

One rule holds for every export, so that a cut and a timeline of the same list agree to the frame: a clip of the
film's own rate goes in frame by frame. A clip of another rate plays at its own speed, and ends with the last whole
frame of the film that it fills.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from vidspec.shape import Size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from vidspec.join import Footage

__all__ = [
    "Edit",
    "Placed",
    "Shot",
    "Version",
    "common_rate",
    "exact_rate",
    "laid_out",
    "line",
    "nominal",
    "rate_name",
    "speed",
    "timecode",
]

Kind = Literal["take", "draft", "none"]

_RATE = Fraction(24)
_SIZE = Size(1280, 720)
_NTSC = Fraction(1000, 1001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One take of a shot as an edit sees it: as it was rendered, as a draft that stands in for it, or not at all.

    `rate` is in frames a second, `length` in seconds, `size` in pixels: measured, else as recorded, else as asked.
    `footage` is None where there is no clip to be had now, and `trouble` says why. A draft is `outdated` that was
    drawn from other settings than the list has now. `facts` are what is known of the take.
    """

    slate: str
    number: int
    kind: Kind
    path: Path | None
    rate: Fraction
    length: Fraction
    sound: bool
    size: Size | None = None
    footage: Footage | None = None
    trouble: str = ""
    outdated: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many frames the clip has, at its own rate."""
        return self.footage.frames if self.footage is not None else max(1, round(self.length * self.rate))

    def lasting(self, rate: Fraction) -> int:
        """How many frames of a film the version fills."""
        if rate == self.rate and (self.footage is None or self.footage.steady):
            return self.frames
        frames = self.length * rate
        return max(1, round(frames) if self.kind == "none" else int(frames))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A shot with all its takes in order; `active` is the one that is cut in.

    `chosen` is the slate of the take that somebody has chosen, rendered or not, selected or not; empty for none.
    """

    id: str
    scene: str
    tags: tuple[str, ...]
    notes: str
    versions: tuple[Version, ...]
    active: Version
    chosen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A shot in the film: from frame `begin` on, for so many frames."""

    shot: Shot
    begin: int
    frames: int

    @property
    def active(self) -> Version:
        """The version that is cut in."""
        return self.shot.active


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """All shots at their places; `rate` is exact, and `start` the frame number that the timecode begins with."""

    title: str
    rate: Fraction
    shots: tuple[Placed, ...]
    start: int = 0

    @property
    def frames(self) -> int:
        """How long the film is."""
        return sum(placed.frames for placed in self.shots)

    @property
    def seconds(self) -> Fraction:
        """The same in seconds."""
        return self.frames / self.rate

    @property
    def size(self) -> Size:
        """The size that most clips have, the larger of two that are as many; without clips, that of most takes."""
        actives = [placed.active for placed in self.shots]
        sizes = Counter(one.footage.size for one in actives if one.footage is not None)
        sizes = sizes or Counter(_even(one.size) for one in actives if one.size is not None)
        return max(sizes, key=lambda size: (sizes[size], size.width * size.height), default=_SIZE)

    @property
    def sound(self) -> bool:
        """Whether there is anything to be heard."""
        return any(placed.active.sound for placed in self.shots)

    def of_kind(self, kind: Kind) -> list[Placed]:
        """The shots that a take, a draft, or nothing is cut in for."""
        return [placed for placed in self.shots if placed.active.kind == kind]


def laid_out(title: str, shots: Sequence[Shot], rate: Fraction | None, start: str = "") -> Edit:
    """Shots one after the other, at a rate or else at the one that most of them have.

    Raises:
        ValueError: `start` is no timecode.
    """
    rate = rate or common_rate(shot.active for shot in shots)
    lengths = [shot.active.lasting(rate) for shot in shots]
    begins = accumulate(lengths, initial=0)
    places = zip(shots, begins, lengths, strict=False)  # the end of the last shot begins none
    placed = (Placed(shot=shot, begin=begin, frames=frames) for shot, begin, frames in places)
    return Edit(title=title, rate=rate, shots=tuple(placed), start=_number(start, rate) if start else 0)


def common_rate(versions: Iterable[Version]) -> Fraction:
    """The rate of most clips, of the first where several are as many; clips that are there count before others."""
    versions = list(versions)
    for some in (
        [one for one in versions if one.footage is not None],
        [one for one in versions if one.path],
        versions,
    ):
        if some:
            return Counter(one.rate for one in some).most_common(1)[0][0]
    return _RATE


def _even(size: Size) -> Size:
    """A size that a film can have."""
    return Size(*(max(2, pixels // 2 * 2) for pixels in size))


def exact_rate(text: str | float) -> Fraction:
    """The rate that is meant: `24`, `29.97` (30000/1001), `24000/1001`. Raises ValueError for what is none."""
    try:
        rate = Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text} is not a number of frames a second") from None
    if not 1 <= rate <= 1000:
        raise ValueError(f"{text} is not from 1 to 1000 frames a second")
    whole = round(rate / _NTSC)
    if rate.denominator > 1 and abs(rate - whole * _NTSC) < Fraction(1, 200):
        return whole * _NTSC
    return rate.limit_denominator(1001)


def rate_name(rate: Fraction) -> str:
    """A rate as people write it: `24`, `23.976`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def speed(rate: Fraction) -> str:
    """A rate in words: `24 frames a second`."""
    return f"{rate_name(rate)} {'frame' if rate == 1 else 'frames'} a second"


def line(text: str) -> str:
    """A text on one line, without what cannot be seen."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def nominal(rate: Fraction) -> int:
    """The frames that timecode counts in a second: 24 for 23.976."""
    return max(1, round(rate))


def timecode(frame: int, rate: Fraction) -> str:
    """HH:MM:SS:FF of a frame counted from 0, without dropped frames."""
    seconds, rest = divmod(frame, nominal(rate))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"


def _number(text: str, rate: Fraction) -> int:
    """The frame that a timecode names. Raises ValueError."""
    parts = text.split(":")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise ValueError(f"{text} is not a timecode of the form 01:00:00:00, without dropped frames")
    hours, minutes, seconds, frames = map(int, parts)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= nominal(rate):
        raise ValueError(f"{text} is not a timecode at {speed(rate)}")
    return ((hours * 60 + minutes) * 60 + seconds) * nominal(rate) + frames
