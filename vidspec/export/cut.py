"""A film out of an edit: what is joined how, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import listed
from vidspec.errors import UsageError
from vidspec.export.edit import line, rate_name
from vidspec.join import Film, Piece

if TYPE_CHECKING:
    from typing import Literal

    from vidspec.export.edit import Edit, Placed
    from vidspec.shape import Size

__all__ = ["LARGEST", "film_of", "pieces_of"]

LARGEST = 8192
"""Pixels of a film's longer side that are encoded."""


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
    """Why the pictures cannot be taken over as they are; empty where they can."""
    if any(piece.burnt for piece in pieces):
        return "slates are written into them"
    clips = [placed.active for placed, piece in zip(edit.shots, pieces, strict=True) if piece.footage is not None]
    footage = [version.footage for version in clips if version.footage is not None]
    if len(footage) < len(pieces):
        return "there are black ones among them"
    for differs, words in (
        ([one.slate for one in clips if one.rate != edit.rate], f"not {rate_name(edit.rate)} frames a second"),
        (
            [one.slate for one, found in zip(clips, footage, strict=True) if not found.steady],
            "not at a steady rate",
        ),
        ([one.slate for one, found in zip(clips, footage, strict=True) if found.size != size], f"not {size}"),
    ):
        if differs:
            return f"{words}: {listed(differs, most=6)}"
    codings = {found.coding for found in footage}
    only = next(iter(codings))
    if len(codings) > 1 or only is None or only.size != size or only.aspect != 1 or only.turned:
        return "they are not all encoded alike"
    return ""
