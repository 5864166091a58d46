"""The page on which a director judges a render: one file of HTML beside its posters, or all in one.

`footage` finds what there is to be seen, `posters` makes pictures and small copies of it, and `gallery` puts them
where the page finds them. `content` and `settings` say what the page says, `advice` what can be done, `chart` draws
the runs, and `page` puts it all into HTML.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidspec import runlog
from vidspec.errors import UsageError
from vidspec.export.drafts import outdated
from vidspec.report import posters
from vidspec.report.advice import Speech
from vidspec.report.chart import charts, in_words
from vidspec.report.content import Writer, by_shot
from vidspec.report.footage import Archive
from vidspec.report.gallery import Gallery, write
from vidspec.report.page import page
from vidspec.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from vidspec.diagnostic import Diagnostic
    from vidspec.lock import Lock
    from vidspec.planned import Plan
    from vidspec.project import Opened
    from vidspec.runlog import RunTimes
    from vidspec.state import Flight

__all__ = ["Asked", "default_folder", "make"]

_NAME = "index.html"
_MARK = b'<meta name="generator" content="vidspec'
"""What every report has held near its beginning."""
_HEAD = 2**14
"""Bytes in which it is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a report: the takes, where it goes, and whether it is to be one file.

    With `force` it may take the place of a page that is not a report. `flights` are the present lives of takes by
    slate, `variables` those of the command line; `tell` hears what is being made, how much of it is there, and of
    how much.
    """

    slates: set[str]
    folder: Path
    is_default: bool
    inside: bool
    force: bool
    flights: Mapping[str, Flight]
    variables: Mapping[str, Any]
    made_at: datetime
    version: str
    tell: Callable[[str, int, int], None] | None = None


def default_folder(shot_list: Path) -> Path:
    """Where the report of a list goes when nobody says otherwise: beside it."""
    return shot_list.parent / f"{shot_list.stem}-report"


def make(opened: Opened, plan: Plan, lock: Lock, warnings: Sequence[Diagnostic], asked: Asked) -> Path:
    """Write the report of a plan; returns the path of the page.

    Raises:
        UsageError: the folder cannot be used, or a page stands there that is not a report.
        OSError: a file cannot be written.
        LockError: a record cannot be read.
    """
    path = opened.shot_list.path
    folder = _folder(asked, opened.shot_list.project)
    real, rehearsal = (_runs(site) for site in (Site.real(path), Site.rehearsal(path)))
    with posters.cache(opened.shot_list.project) as cache:
        gallery = Gallery(Archive(path, outdated(opened)), cache, folder, inside=asked.inside, tell=asked.tell)
        seen = gallery.seen([one.take for one in plan.takes if one.slate in asked.slates], lock)
        writer = Writer(
            lock=lock,
            speech=Speech(file=opened.shot_list.name, variables=asked.variables),
            seen=seen,
            former=gallery.former(asked.slates, plan.removed, lock),
            times=_times(real),
            warnings=by_shot(warnings),
            flights=asked.flights,
        )
        text = page(
            writer.content(plan, asked.slates, opened.resolution.shots.values()),
            charts([*real, *rehearsal]),
            name=path.name,
            title=opened.shot_list.title,
            made_at=asked.made_at,
            version=asked.version,
            copies=gallery.copies if asked.inside else None,
            note=gallery.note,
        )
    target = folder / _NAME
    write(target, text.encode("utf-8", "replace"))
    return target


def _folder(asked: Asked, project: Path) -> Path:
    """The folder of the report, there and ready. One that nobody named may not lead out of the project."""
    folder = asked.folder
    try:
        if asked.is_default and not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(project)):
            raise UsageError(f"`{folder.name}` leads out of the project folder; name a place with `-o`")
        _check(folder, asked)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.is_default and not (folder / ".gitignore").exists():
            write(folder / ".gitignore", b"*\n")
    except OSError as error:
        raise UsageError(f"cannot write in `{folder}`: {(error.strerror or str(error)).lower()}") from error
    return folder


def _check(folder: Path, asked: Asked) -> None:
    """See that nothing is lost that is another's. Raises UsageError where it would be; OSError."""
    page, posters_folder = folder / _NAME, folder / "posters"
    if page.is_dir():
        raise UsageError(f"`{page}` is not a file")
    if not asked.force and not _is_free(page, is_default=asked.is_default):
        raise UsageError(
            f"`{page}` stands there already, and is not a report of vidspec\n"
            "    help: name another folder with `-o`; `--force` writes over it"
        )
    if not asked.inside and posters_folder.is_symlink():
        raise UsageError(f"`{posters_folder}` is a link, and posters are not written through it: take it away")


def _is_free(page: Path, *, is_default: bool) -> bool:
    """Whether a page may be written there: none stands there, or a report. In our own folder a link makes way."""
    if page.is_symlink() and is_default:
        return True
    if not os.path.lexists(page):
        return True
    if not page.is_file():
        return False
    with page.open("rb") as file:
        return _MARK in file.read(_HEAD)


def _runs(site: Site) -> list[RunTimes]:
    return runlog.runs(runlog.folder_of(site.folder, site.lock.stem))


def _times(runs: Iterable[RunTimes]) -> dict[str, str]:
    """How each take spent the time of the last run that brought its clip."""
    found: dict[str, str] = {}
    for run in runs:
        for one in run.takes:
            if one.ending == "done":
                found.setdefault(one.slate, in_words(one))
    return found
