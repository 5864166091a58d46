"""`vidspec export otio|edl|fcpxml|cut FILE -o OUT`: the chosen takes in order, for whoever cuts the film."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Any, Literal

from vidspec import shape
from vidspec.diagnostic import counted, listed, shown
from vidspec.errors import UsageError
from vidspec.export import cut, edl, fcpxml, otio
from vidspec.export.bar import Bar
from vidspec.export.edit import common_rate, exact_rate, laid_out, rate_name, speed, timecode
from vidspec.export.gather import gather, warnings
from vidspec.export.library import library
from vidspec.export.links import Links
from vidspec.export.outlet import Outlet
from vidspec.export.relink import relink
from vidspec.join import join
from vidspec.project import open_lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.export.edit import Edit, Placed
    from vidspec.join import Film
    from vidspec.project import Opened
    from vidspec.shape import Size

__all__ = ["ENDINGS", "Kind", "Wishes", "run"]

Kind = Literal["otio", "edl", "fcpxml", "cut"]

ENDINGS: Mapping[Kind, tuple[str, ...]] = {
    "otio": (".otio",),
    "edl": (".edl",),
    "fcpxml": (".fcpxml", ".xml"),
    "cut": (".mp4", ".m4v", ".mov"),
}
"""How the name of each kind of file ends."""

_ADAPTERS: Mapping[Kind, str] = {"otio": "otio_json", "edl": "cmx_3600"}
"""The parts of the library that kinds are written with."""

CREDENTIALS = "a cut carries no content credentials; those of the clips stay with the clips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked of an export; each kind heeds what concerns it.

    `rate`, `size` and `start` (a timecode) are the film's, as written on the command line. `absolute` addresses
    of clips open everywhere on this machine. A timeline is `flat` without stacks for its scenes, or an existing one
    given new clips (`relink`). `slates` are written into a cut; `black` cards stand where a clip is missing.
    """

    rate: str | None = None
    size: str | None = None
    start: str = ""
    absolute: bool = False
    flat: bool = False
    relink: Path | None = None
    reel_length: int = edl.REEL_LENGTH
    slates: bool = False
    black: bool = False


def run(
    kind: Kind,
    file: Path,
    out: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    wishes: Wishes,
    force: bool,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Write an export of one kind, and say what is in it. Always 0: what is missing in a timeline is only told of.

    Raises:
        ShotListError, LockError, JournalError: the list, its lockfile or its journal cannot be read.
        UsageError: the command line asks for what cannot be, an extra is missing, a cut has no clip for a shot, or
            the file cannot be written; nothing was.
        MediaError: a clip cannot be joined; nothing was written.
    """
    _refuse_idle(wishes)
    (opened,), found = open_lists([file], variables, offline=True)
    notes = console.beside(sys.stderr)
    if not quiet and not json:
        notes.diagnostics(found)
    bar = None if quiet or json or not sys.stderr.isatty() else Bar(notes)
    outlet = Outlet(out, opened.shot_list.project, force=force)
    size = _size(wishes.size)
    edit = _edit(kind, opened, outlet, wishes, (chosen, left_out), bar)
    export = _Export(
        kind=kind,
        opened=opened,
        out=out,
        wishes=wishes,
        selection=(chosen, left_out),
        size=size,
        edit=edit,
        bar=bar,
    )
    export.write(outlet)
    if json:
        console.line(dumps(export.value(), ensure_ascii=False, indent=2))
    elif not quiet:
        for warning in export.warnings:
            notes.line(f"{notes.paint('warning:', 'yellow')} {warning}")
        for line in export.words():
            console.line(line)
    return 0


def _edit(
    kind: Kind,
    opened: Opened,
    outlet: Outlet,
    wishes: Wishes,
    selection: tuple[str | None, str | None],
    bar: Bar | None,
) -> Edit:
    """The shots at their places, after everything has been looked at that can go wrong before the work is done."""
    rate = _rate(wishes.rate)
    if kind in _ADAPTERS:
        library(_ADAPTERS[kind])
    if kind == "edl" and rate is not None:
        edl.require(rate)
    outlet.check(ENDINGS[kind], [opened.shot_list.path, opened.lock_path])
    shots = gather(opened, *selection, tell=None if bar is None else bar.measuring)
    if bar is not None:
        bar.clear()
    outlet.check(ENDINGS[kind], [one.path for shot in shots for one in shot.versions if one.path is not None])
    if kind == "edl":
        rate = rate or edl.countable(common_rate(shot.active for shot in shots))
    title = opened.shot_list.title or opened.shot_list.path.stem
    try:
        return laid_out(title, shots, rate, wishes.start)
    except ValueError as error:
        raise UsageError(f"`--start`: {error}") from None


@dataclass(slots=True, kw_only=True)
class _Export:
    """One export, while it is made and when it is told of."""

    kind: Kind
    opened: Opened
    out: Path
    wishes: Wishes
    selection: tuple[str | None, str | None]
    size: Size | None
    edit: Edit
    bar: Bar | None
    said: list[str] = field(default_factory=list)
    film: Film | None = None
    reason: str = ""
    clips: int | None = None

    def write(self, outlet: Outlet) -> None:
        """Make the file."""
        if self.kind == "cut":
            self._join(outlet)
            return
        text = self._text(Links(self.out, absolute=self.wishes.absolute))
        with outlet.opened() as part:
            part.write_text(text, encoding="utf-8", errors="replace", newline="\n")

    def _text(self, links: Links) -> str:
        if self.kind == "edl":
            own = common_rate(placed.active for placed in self.edit.shots)
            if self.wishes.rate is None and own != self.edit.rate:
                self.said.append(
                    f"an edit list cannot count {speed(own)}, which most clips have: it is written at "
                    f"{rate_name(self.edit.rate)}"
                )
            if sum(1 for placed in self.edit.shots if placed.active.path is not None) > edl.MOST_EVENTS:
                self.said.append(f"some programs read no more than {edl.MOST_EVENTS} events of such a list")
            return edl.text_of(self.edit, links, reel_length=self.wishes.reel_length)
        if self.kind == "fcpxml":
            return fcpxml.text_of(self.edit, links)
        builder = otio.Builder(self.edit, links)
        if self.wishes.relink is None:
            return otio.text_of(builder.timeline(flat=self.wishes.flat))
        relinked = relink(self.wishes.relink, self.edit, builder, others=self._others(), without=self._selecting())
        self.clips = relinked.clips
        self.said += relinked.warnings
        return otio.text_of(relinked.timeline)

    def _others(self) -> dict[str, str]:
        """The shots of the list that are not in the edit, by their names and slates."""
        here = {placed.shot.id for placed in self.edit.shots}
        names = {take.slate: take.shot for take in self.opened.takes}
        names |= {name: name for name in self.opened.resolution.shots}
        return {name: shot for name, shot in names.items() if shot not in here}

    def _selecting(self) -> str:
        """What leaves shots of the list out of the edit."""
        given = zip(("--select", "--exclude"), self.selection, strict=True)
        return listed(name for name, value in given if value is not None) or "`skip`"

    def _join(self, outlet: Outlet) -> None:
        name = self.opened.shot_list.name
        pieces = cut.pieces_of(self.edit, name, slates=self.wishes.slates, black=self.wishes.black)
        kind: Literal["mp4", "mov"] = "mov" if self.out.suffix.lower() == ".mov" else "mp4"
        self.film, self.reason = cut.film_of(self.edit, pieces, self.size, kind)
        try:
            with outlet.opened() as part:
                join(pieces, self.film, part, progress=self._joining)
        finally:
            if self.bar is not None:
                self.bar.clear()

    def _joining(self, number: int, frames: int) -> None:
        if self.bar is not None:
            slate = self.edit.shots[number].active.slate
            self.bar.show(frames / self.edit.frames, f"{slate}, {number + 1} of {len(self.edit.shots)}")

    @property
    def warnings(self) -> list[str]:
        """What somebody who cuts should know."""
        return [*warnings([placed.shot for placed in self.edit.shots], self.opened.shot_list.name), *self.said]

    def words(self) -> list[str]:
        """What has been written, for people."""
        edit = self.edit
        if self.clips is not None:
            return [f"{self.out}: {counted(self.clips, 'clip')} linked anew"]
        lasting = f"{timecode(edit.frames, edit.rate)} at {speed(edit.rate)}"
        line = f"{self.out}: {counted(len(edit.shots), 'shot')}, {counted(edit.frames, 'frame')}, {lasting}"
        if self.film is None:
            return [line]
        pictures = f"pictures encoded anew: {self.reason}" if self.reason else "pictures copied as they are"
        sound = "sound encoded anew" if self.film.sound else "no sound"
        return [f"{line}, {self.film.size}", f"    {pictures}; {sound}", f"    {CREDENTIALS}"]

    def value(self) -> dict[str, Any]:
        """The same for a program."""
        edit, film = self.edit, self.film
        value: dict[str, Any] = {
            "vidspec_json": 1,
            "kind": self.kind,
            "file": str(self.out),
            "rate": str(edit.rate),
            "frames": edit.frames,
            "seconds": round(float(edit.seconds), 6),
            "shots": [_value(placed, self.opened.shot_list.project) for placed in edit.shots],
            "warnings": self.warnings,
        }
        if self.clips is not None:
            value["relinked"] = self.clips
        if film is not None:
            made = {
                "width": film.size.width,
                "height": film.size.height,
                "sound": film.sound,
                "copied": film.copied,
            }
            value |= made | {"encoded_because": self.reason or None, "content_credentials": False}
        return value


def _value(placed: Placed, project: Path) -> dict[str, Any]:
    version = placed.active
    return {
        "shot": placed.shot.id,
        "slate": version.slate,
        "clip": version.kind,
        "path": None if version.path is None else version.path.relative_to(project).as_posix(),
        "missing": version.footage is None,
        "begin": placed.begin,
        "frames": placed.frames,
        "clip_rate": str(version.rate),
        "clip_frames": version.frames,
    }


def _refuse_idle(wishes: Wishes) -> None:
    """Refuse what does nothing where a timeline is given new clips, for its cut is left alone."""
    if wishes.relink is None:
        return
    for name in ("flat", "rate", "start"):
        if getattr(wishes, name):
            raise UsageError(f"`--{name}` does not go with `--relink`")


def _rate(text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        return exact_rate(text)
    except ValueError as error:
        raise UsageError(f"`--rate`: {error}") from None


def _size(text: str | None) -> Size | None:
    if text is None:
        return None
    found = shape.parse_size(text)
    if found is None:
        raise UsageError(f"`--size`: {shown(text)} is not a size such as 1920x1080")
    return found
