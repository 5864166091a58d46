"""Posters and small copies of clips, made in threads where they are not kept already, by digest."""

from __future__ import annotations

import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING

from vidspec.errors import MediaError
from vidspec.store import file_digest, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vidspec.report.footage import Footage

WIDTH = 640
"""Pixels of a poster, at the most."""

SMALL_WIDTH, SMALL_RATE = 320, 12
"""Pixels and frames a second of a small copy, at the most."""

POSTER, COPY = ".webp", "-320.mp4"
"""The ends of their names, after the digest of the clip."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What was made of one clip: the file of its poster or of its small copy, or why there is none."""

    path: Path | None = None
    fault: str = ""


@contextmanager
def cache(project: Path) -> Iterator[Path]:
    """The folder that posters are kept in; one for the time being where the project cannot be written in."""
    folder = None
    try:
        folder = state_folder(project) / "posters"
        folder.mkdir(exist_ok=True)
        if not os.access(folder, os.W_OK):
            folder = None
    except OSError:
        folder = None
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="vidspec-") as passing:
        yield Path(passing)


def stills(
    footage: Sequence[Footage], folder: Path, end: str, tell: Callable[[int, int], None] | None = None
) -> dict[Path, Still]:
    """Posters, or small copies, of several clips by the paths of these. `tell` hears how many of how many are done.

    What is in `folder` already is not made again.
    """
    wanted = list({one.path: one for one in footage}.values())
    found: dict[Path, Still] = {}
    pool = ThreadPoolExecutor(max(1, os.cpu_count() or 1))
    try:
        for one, still in zip(wanted, pool.map(lambda one: _still(one, folder, end), wanted), strict=True):
            found[one.path] = still
            if tell is not None:
                tell(len(found), len(wanted))
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _still(footage: Footage, folder: Path, end: str) -> Still:
    """The poster or copy of one clip. What is recorded of its bytes is believed only where it was made before."""
    try:
        target = folder / f"{_name(footage.digest)}{end}"
        if not (_name(footage.digest) and _is_there(target)):
            target = folder / f"{_name(file_digest(footage.path))}{end}"
        if not _is_there(target):
            _make(footage.path, target, end)
        return Still(path=target)
    except MediaError as error:
        return Still(fault=str(error))
    except OSError as error:
        return Still(fault=(error.strerror or str(error)).lower())


def _name(digest: str | None) -> str:
    """A digest as a name; nothing for what is none, so that it leads nowhere."""
    return digest.removeprefix("sha256:") if digest and _DIGEST.fullmatch(digest) else ""


def _is_there(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _make(clip: Path, target: Path, end: str) -> None:
    from vidspec import miniature

    part = target.with_name(f".{target.name}.{get_ident()}.part")
    try:
        if end == POSTER:
            part.write_bytes(miniature.poster(clip, WIDTH))
        else:
            miniature.proxy(clip, part, width=SMALL_WIDTH, rate=SMALL_RATE)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
