"""`vidspec validate FILE…`: everything that is wrong, before anything is spent."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import counted
from vidspec.project import diagnose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.diagnostic import Diagnostic


def run(files: Sequence[Path], *, variables: Mapping[str, Any], json: bool, quiet: bool, console: Console) -> int:
    """Print every diagnostic of the lists. 0 where none is an error, else 2."""
    found, opened = diagnose(files, variables)
    errors = sum(one.severity == "error" for one in found)
    if json:
        value = {"vidspec_json": 1, "ok": not errors, "diagnostics": [one.value() for one in found]}
        console.line(dumps(value, ensure_ascii=False, indent=2))
        return 2 if errors else 0
    console.diagnostics(one for one in found if one.severity == "error" or not quiet)
    if not quiet:
        takes = sum(len(one.takes) for one in opened)
        shots = sum(len(one.resolution.shots) for one in opened)
        console.line(_summary(console, found, errors, f"{counted(shots, 'shot')}, {counted(takes, 'take')}"))
    return 2 if errors else 0


def _summary(console: Console, found: Sequence[Diagnostic], errors: int, size: str) -> str:
    warnings = len(found) - errors
    beside = f", {counted(warnings, 'warning')}" if warnings else ""
    if errors:
        return console.paint(f"{counted(errors, 'error')}{beside}", "red", "bold")
    return f"{console.paint('ok', 'green', 'bold')}: {size}{beside}"
