"""Clips to their places: kept by digest first, then renamed, and whatever stood there before kept too."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from vidspec import media
from vidspec.errors import MediaError
from vidspec.ingredients import has_digest
from vidspec.lock import Output
from vidspec.outputs import same
from vidspec.store import FOLDER, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    except Exception as error:  # whatever a library makes of bytes that are not ours
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


@contextmanager
def set_aside(project: Path, part: Path, slate: str) -> Iterator[None]:
    """Keep what was fetched, where nobody here can read it: it is paid for, and somebody else may read it."""
    try:
        yield
    except MediaError as error:
        place = f"{FOLDER}/unread/{slate}.mp4"
        with suppress(OSError):
            if size_of(part):
                (project / place).parent.mkdir(parents=True, exist_ok=True)
                part.replace(project / place)
                raise MediaError(f"{error}; what came is kept as `{place}`") from error
        raise


def make_way(store: Store, target: Path, output: Output) -> None:
    """Take away another clip of exactly as many bytes, once it is kept.

    Whoever looks only at the size would take it for this one, where the run dies before it is replaced.
    """
    if target.is_file() and size_of(target) == output.bytes and not has_digest(target, output.sha256):
        store.keep(target)
        target.unlink()
        sync_folder(target.parent)


def keep_what_stands(store: Store, target: Path) -> None:
    """Whatever is about to be replaced is kept first, whoever made it."""
    if target.is_file():
        store.keep(target)


def size_of(path: Path) -> int | None:
    """The size of a file in bytes; None where it cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def reason_of(error: OSError, project: Path) -> str:
    """What the system says, and of which file; one of the project by its path in it."""
    reason = (error.strerror or str(error)).lower()
    place = error.filename2 or error.filename
    if not isinstance(place, str | bytes):  # there is none, or a descriptor
        return reason
    path = Path(os.fsdecode(place))
    return f"{reason}: {path.relative_to(project) if path.is_relative_to(project) else path}"


def place_left(flight: Flight, taken: set[str]) -> str:
    """Where the clip of a take that is gone goes: to its place, unless that is another's by now."""
    path = next(one for one in _places(flight) if same(one) not in taken)
    taken.add(same(path))
    return path


def _places(flight: Flight) -> Iterator[str]:
    yield flight.output
    yield f"renders/{flight.record.shot}/{flight.slate}.mp4"
    yield f"{FOLDER}/gone/{flight.slate}.mp4"
    yield from (f"{FOLDER}/gone/{number}/{flight.slate}.mp4" for number in count(2))


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


def is_again(former: Record, new: Record) -> bool:
    """Whether the same was rendered once more: the same request, and not the same clip fetched again."""
    fetched_again = new.request_id is not None and new.request_id == former.request_id
    return former.fingerprint == new.fingerprint and not fetched_again


def former_of(record: Record | None, new: Record) -> Record | None:
    """The record to keep under a new one: none where the same bytes came of the same request, or of none."""
    if record is None or record.output is None or new.output is None:
        return record
    is_same = (record.output.sha256, record.fingerprint) == (new.output.sha256, new.fingerprint)
    return replace(record, output=None) if is_same and record.request_id == new.request_id else record
