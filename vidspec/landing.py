"""Clips to their places: kept by digest first, then renamed, and whatever stood there before kept too."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from vidspec import media
from vidspec.errors import MediaError
from vidspec.ingredients import has_digest
from vidspec.lock import Output
from vidspec.store import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.lock import Record
    from vidspec.state import Flight
    from vidspec.store import Store


def landed(store: Store, part: Path, path: str) -> Output:
    """Look at a clip that has been made, and keep it by digest. `path` is where it is to go.

    Raises:
        MediaError: it is no clip that can be read.
        OSError: it cannot be kept.
    """
    try:
        probe = media.probe(part)
    except MediaError as error:
        raise MediaError(str(error).replace(f"`{part}`", "the clip")) from error
    except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise MediaError("the clip is not one that can be read") from error
    return Output(
        path=path,
        sha256=store.keep(part),
        bytes=part.stat().st_size,
        width=probe.width,
        height=probe.height,
        fps=round(probe.fps, 3),
        duration=round(probe.duration, 3),
        audio=probe.audio,
    )


def keep_what_stands(store: Store, target: Path) -> None:
    """Whatever is about to be replaced is kept first, whoever made it."""
    if target.is_file():
        store.keep(target)


def same(output: str) -> str:
    """What two outputs have in common that are one file on some file system."""
    return posixpath.normpath(output).casefold()


def place_left(flight: Flight, taken: set[str]) -> str:
    """Where the clip of a take that is gone goes: to its place, unless that is another's by now."""
    name = f"{flight.slate}.mp4"
    places = (flight.output, f"renders/{flight.record.shot}/{name}", f"{FOLDER}/gone/{name}")
    path = next(one for one in places if same(one) not in taken)
    taken.add(same(path))
    return path


def is_kept(store: Store, project: Path, output: Output) -> bool:
    """Whether a clip's bytes are kept, after a look at the place where they stood when they were recorded."""
    former = project / output.path
    if not store.holds(output.sha256) and has_digest(former, output.sha256):
        store.keep(former, output.sha256)
    return store.holds(output.sha256)


def bring_back(store: Store, project: Path, output: Output, path: str) -> bool:
    """Put a kept clip at a place again; False where it is not kept. Raises MediaError where it is damaged."""
    if not is_kept(store, project, output):
        return False
    target = project / path
    keep_what_stands(store, target)
    store.bring_back(output.sha256, target)
    return True


def former_of(record: Record | None, new: Record) -> Record | None:
    """The record to keep under a new one: none where the same bytes came out again."""
    if record is None or record.output is None or new.output is None:
        return record
    if record.output.sha256 == new.output.sha256 and record.fingerprint == new.fingerprint:
        return replace(record, output=None)
    return record
