"""What the page shows of clips: posters beside it or inside, and the addresses by which it reaches them."""

from __future__ import annotations

import base64
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vidspec.diagnostic import counted
from vidspec.report import posters
from vidspec.report.content import Seen
from vidspec.report.posters import COPY, POSTER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from vidspec.lock import Lock, Output
    from vidspec.report.footage import Archive, Footage
    from vidspec.report.posters import Still
    from vidspec.take import Take

MOST_INSIDE = 48 * 2**20
"""Bytes of small copies that a page holds at the most; clips beyond that are shown by their posters alone."""

_POSTER = re.compile(r"[0-9a-f]{64}\.webp")


class Gallery:
    """The clips of one report. `inside` the page has all that it shows; else it refers to files by relative ways.

    `copies` are small copies by slate, in base64; `note` says what a reader should know of them.
    """

    def __init__(
        self,
        archive: Archive,
        cache: Path,
        folder: Path,
        *,
        inside: bool,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._archive = archive
        self._cache = cache
        self._folder = folder
        self._inside = inside
        self._tell = tell
        self.copies: dict[str, str] = {}
        self.note = ""

    def seen(self, takes: Sequence[Take], lock: Lock) -> dict[str, Seen]:
        """What there is to be seen of each take, by slate."""
        found = {one.slate: self._archive.of(one.slate, one.output, lock.get(one.slate)) for one in takes}
        footage = {slate: one for slate, one in found.items() if one is not None}
        made = self._stills("posters", list(footage.values()), POSTER)
        shown = {still.path for still in made.values() if still.path}
        addresses = {path: self._poster(path) for path in shown}
        if self._inside:
            ordered = {one.slate: footage[one.slate] for one in _best_first(takes, lock) if one.slate in footage}
            self._copy(ordered, sum(1 for one in footage.values() if made[one.path].path))
        self._tidy(() if self._inside else shown)
        return {slate: self._seen(slate, one, made[one.path], addresses) for slate, one in footage.items()}

    def _seen(self, slate: str, footage: Footage, still: Still, addresses: Mapping[Path, str]) -> Seen:
        source: str | None = self._address(footage.path)
        if self._inside:
            source = f"#copy-{slate}" if slate in self.copies else None
        return Seen(
            kind=footage.kind,
            source=source if still.path is not None else None,
            poster=addresses[still.path] if still.path is not None else None,
            output=footage.output,
            fault=still.fault,
            outdated=footage.outdated,
        )

    def former(self, slates: Iterable[str], removed: Collection[str], lock: Lock) -> dict[str, Seen]:
        """Clips that others have taken the place of, or that the list no longer has, by digest."""
        if self._inside:
            return {}
        found: dict[str, Seen] = {}
        for slate in (*slates, *removed):
            record = lock.get(slate)
            if record is None:
                continue
            if slate in removed and record.output is not None:
                self._add(found, record.output, self._archive.rendered(record.output))
            for one in record.superseded:
                if one.output is not None:
                    self._add(found, one.output, self._archive.kept(one.output))
        return found

    def _add(self, found: dict[str, Seen], output: Output, footage: Footage | None) -> None:
        if footage is not None and footage.kind != "foreign":
            source = self._address(footage.path)
            found[output.sha256] = Seen(kind=footage.kind, source=source, poster=None, output=output)

    def _copy(self, footage: Mapping[str, Footage], pictured: int) -> None:
        """Small copies of clips, in their order, while there is room. Of `pictured` takes there are posters."""
        made = self._stills("small copies", list(footage.values()), COPY)
        left = MOST_INSIDE
        for slate, one in footage.items():
            path = made[one.path].path
            if path is not None and (size := path.stat().st_size) <= left:
                left -= size
                self.copies[slate] = base64.b64encode(path.read_bytes()).decode()
        self.note = "Small silent copies of the clips are inside this page; the clips themselves are not."
        if (others := pictured - len(self.copies)) > 0:
            self.note += f" Of {counted(others, 'take')} it has pictures alone."

    def _stills(self, what: str, footage: Sequence[Footage], end: str) -> dict[Path, Still]:
        def told(done: int, of: int) -> None:
            if self._tell is not None:
                self._tell(what, done, of)

        return posters.stills(footage, self._cache, end, told)

    def _poster(self, path: Path) -> str:
        """The address of a poster: its bytes, or a copy beside the page."""
        if self._inside:
            return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
        target = self._folder / "posters" / path.name
        if not target.is_file() or target.stat().st_size != path.stat().st_size:
            target.parent.mkdir(exist_ok=True)
            write(target, path.read_bytes())
        return f"posters/{path.name}"

    def _tidy(self, shown: Iterable[Path]) -> None:
        """Take away posters of an earlier report that this one has no use for; an empty folder goes too."""
        names = {path.name for path in shown}
        old = [path for path in self._old_posters() if path.name not in names]
        for path in old:
            path.unlink(missing_ok=True)
        if old and not names:
            with suppress(OSError):
                (self._folder / "posters").rmdir()

    def _old_posters(self) -> Iterator[Path]:
        folder = self._folder / "posters"
        if folder.is_dir() and not folder.is_symlink():
            yield from (path for path in folder.iterdir() if _POSTER.fullmatch(path.name))

    def _address(self, path: Path) -> str:
        """The way from the page to a file, as an address."""
        way = os.path.relpath(os.path.abspath(path), os.path.abspath(self._folder))  # noqa: PTH100  (as it is named)
        return quote(Path(way).as_posix(), safe="/")


def _best_first(takes: Iterable[Take], lock: Lock) -> list[Take]:
    """The takes that were chosen, then every first take of a shot, then the others."""

    def rank(take: Take) -> tuple[bool, int]:
        record = lock.get(take.slate)
        return not (record is not None and record.chosen), take.number

    return sorted(takes, key=rank)


def write(target: Path, data: bytes) -> None:
    """Write a file whole or not at all; a link that stands at its place makes way for it."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
