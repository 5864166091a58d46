"""`vidspec diff FILE…`: what the list asks for and the lockfile does not record."""

from __future__ import annotations

import shutil
import sys
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import divergence_text
from vidspec.divergence import InPlace, diverge
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.divergence import Divergences
    from vidspec.project import Opened

_NARROWEST, _WIDEST = 40, 116
"""Columns of a line, however wide the terminal is."""


def run(
    files: Sequence[Path],
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print what differs between lists and their lockfiles. 1 where anything does, else 0.

    Settings alone count, and takes that are new or removed: a missing clip is no difference, nor is an edit that
    was accepted. With `quiet` nothing is printed where nothing differs.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong.
    """
    opened, warnings = open_lists(files, variables, offline=True)
    if not quiet and not json:
        console.beside(sys.stderr).diagnostics(warnings)
    values: list[dict[str, Any]] = []
    differs = False
    for one in opened:
        found = _divergences(one, chosen, left_out)
        differs = differs or found.is_any
        if json:
            names = {"file": one.shot_list.name, "lock": one.lock_path.name}
            values.append({**names, **divergence_text.divergences_value(found)})
        else:
            _print(console, one, found, quiet=quiet)
    if json:
        value = values[0] if len(values) == 1 else {"lists": values}
        console.line(dumps({"vidspec_json": 1, **value}, ensure_ascii=False, indent=2))
    return 1 if differs else 0


def _divergences(opened: Opened, chosen: str | None, left_out: str | None) -> Divergences:
    lock, flights = opened.read()
    now = opened.plan(lock, Afloat(flights=flights))
    recorded = plan(opened.takes, lock, InPlace(opened.takes, lock), opened.skipped)
    return diverge(recorded, now, lock, selected(now, chosen, left_out))


def _print(console: Console, opened: Opened, found: Divergences, *, quiet: bool) -> None:
    name, lock = opened.shot_list.name, opened.lock_path.name
    if quiet:
        if found.is_any:
            console.line(divergence_text.verdict(name, lock, found))
        return
    columns = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    divergence_text.print_divergences(console, name, lock, found, columns)
