"""A film out of an edit: what is joined how, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import listed
from vidspec.errors import UsageError
from vidspec.export.edit import line, speed
from vidspec.join import Film, Piece

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from vidspec.export.edit import Edit, Placed
    from vidspec.join import Coding
    from vidspec.shape import Size

__all__ = ["LARGEST", "film_of", "pieces_of"]

LARGEST = 8192
"""Pixels of a film's longer side that are encoded."""

_BAR = 4
"""Pixels from which on bars are seen, and left; what is thinner is filled."""


def pieces_of(edit: Edit, list_name: str, *, slates: bool, black: bool) -> list[Piece]:
    """What is joined; with `black` a card stands where there is no clip.

    Raises:
        UsageError: there is no clip for a shot, and no card is wanted.
    """
    if not black:
        _require(edit, list_name)
    return [_piece(placed, slates=slates) for placed in edit.shots]


def _require(edit: Edit, list_name: str) -> None:
    lost = {
        "cannot be read": [one.active for one in edit.shots if one.active.trouble],
        "is neither rendered nor drafted": [one.active for one in edit.shots if one.active.path is None],
    }
    lines = [f"{version.slate} {words}" + (f": {version.trouble}" if version.trouble else "")
             for words, versions in lost.items() for version in versions]  # fmt: skip
    if not lines:
        return
    advice = []
    if any(one.kind == "take" for one in lost["cannot be read"]):
        advice.append(f"`vidspec restore {list_name}` brings clips back without paying")
    if lost["is neither rendered nor drafted"] or any(one.kind == "draft" for one in lost["cannot be read"]):
        advice.append(f"`vidspec render {list_name} --draft` draws stand-ins")
    advice.append("`--gaps black` cuts in a card")
    most = 20
    if len(lines) > most:
        lines[most:] = [f"and {len(lines) - most} more"]
    raise UsageError("\n    ".join(["a clip is missing:", *lines, f"help: {'; '.join(advice)}"]))


def _piece(placed: Placed, *, slates: bool) -> Piece:
    version, shot = placed.active, placed.shot
    mark = " (draft)" if version.kind == "draft" else ""
    title = f"{version.slate}{mark}" + (f" · {line(shot.scene)}" if shot.scene else "")
    if version.footage is None:
        missing = "not rendered" if version.path is None else "the clip is missing"
        card = (missing, line(str(version.facts.get("prompt") or "")))
        return Piece(
            footage=None, frames=placed.frames, title=title, card=card, burnt=version.slate if slates else ""
        )
    return Piece(
        footage=version.footage, frames=placed.frames, title=title, burnt=f"{version.slate}{mark}" if slates else ""
    )


def film_of(edit: Edit, pieces: list[Piece], size: Size | None, kind: Literal["mp4", "mov"]) -> tuple[Film, str]:
    """What is to be made of the pieces, and why their pictures are encoded anew; empty where they are not.

    Raises:
        UsageError: a film of that size cannot be encoded.
    """
    size = size or edit.size
    if max(size) > LARGEST or min(size) < 2 or size.width % 2 or size.height % 2:
        raise UsageError(f"a film of {size} cannot be encoded: pixels are even numbers up to {LARGEST}")
    reason = _reason(edit, pieces, size)
    sound = any(piece.footage is not None and piece.footage.sound for piece in pieces)
    film = Film(
        title=line(edit.title),
        rate=edit.rate,
        size=size,
        sound=sound,
        copied=not reason,
        start=edit.start,
        kind=kind,
    )
    return film, reason


def _reason(edit: Edit, pieces: list[Piece], size: Size) -> str:
    """Why the pictures cannot be taken over as they are, and which get bars; empty where they can."""
    clips = [(one.active.slate, one.active.footage) for one in edit.shots]
    footage = [(slate, found) for slate, found in clips if found is not None]
    odd = {
        f"not {speed(edit.rate)}": [slate for slate, found in footage if found.rate != edit.rate],
        "not at a steady rate": [slate for slate, found in footage if not found.steady],
        f"not {size}": [slate for slate, found in footage if found.size != size],
    }
    barred = [slate for slate, found in footage if _bars(found.size, size)]
    told = [f"{words}: {listed(slates, most=6)}" for words, slates in odd.items() if slates]
    if any(piece.burnt for piece in pieces):
        told = ["slates are written into them"]
    elif len(footage) < len(pieces):
        told = ["there are black ones among them"]
    elif not told and not _alike([found.coding for _, found in footage], size):
        told = ["they are not all encoded alike"]
    if barred:
        told.append(f"with bars, being of another shape: {listed(barred, most=6)}")
    return "; ".join(told)


def _bars(clip: Size, film: Size) -> bool:
    """Whether a clip leaves bars that can be seen beside it or above it."""
    scale = min(film.width / clip.width, film.height / clip.height)
    fitted = (2 * round(length * scale / 2) for length in clip)
    return any(whole - part >= _BAR for whole, part in zip(film, fitted, strict=True))


def _alike(codings: Sequence[Coding | None], size: Size) -> bool:
    """Whether clips are of one coding, which shows every pixel as it is stored."""
    only = codings[0]
    if only is None or any(one != only for one in codings):
        return False
    return only.size == size and only.aspect == 1 and not only.turned
