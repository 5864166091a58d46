"""`vidspec report FILE`: one page of HTML on which a render is judged."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import vidspec
from vidspec import report
from vidspec.diagnostic import counted
from vidspec.planned import Afloat
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vidspec.console import Console

_MANY = 24
"""Clips from which on a person is told how far it is."""


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    out: Path | None,
    self_contained: bool,
    force: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Write the report of a list, beside it or in the folder `out`; say where it is. Always 0.

    Raises:
        ShotListError, LockError, JournalError: the input is wrong; nothing was written.
        UsageError: the selection matches nothing, the folder cannot be used, or a page stands there that is not a
            report, and nobody has said with `force` that it may be written over.
    """
    (opened,), warnings = open_lists([file], variables, offline=True)
    lock, flights = opened.read()
    found = opened.plan(lock, Afloat(flights=flights))
    asked = report.Asked(
        slates=selected(found, chosen, left_out),
        folder=out or report.default_folder(opened.shot_list.path),
        is_default=out is None,
        inside=self_contained,
        force=force,
        flights=flights,
        variables=variables,
        made_at=datetime.now(UTC),
        version=vidspec.__version__,
        tell=None if quiet or not sys.stderr.isatty() else _progress(console.beside(sys.stderr)),
    )
    page = report.make(opened, found, lock, warnings, asked)
    if not quiet:
        size = page.stat().st_size / 1e6
        console.line(f"{page}: {counted(len(asked.slates), 'take')}, {size:.1f} MB")
    return 0


def _progress(console: Console) -> Callable[[str, int, int], None]:
    """Says how far it is, on a line that is written over; where there is little to be made, nothing."""

    def tell(what: str, done: int, of: int) -> None:
        if of >= _MANY:
            console.stream.write(f"\r{what}: {done} of {of}{chr(10) if done == of else ''}")
            console.stream.flush()

    return tell
