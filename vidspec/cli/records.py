"""The commands that work on lockfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vidspec.cli.parameters import common, make_console

if TYPE_CHECKING:
    from pathlib import Path


lock = click.Group("lock")


@lock.command("mv")
@common("file")
@click.argument("old")
@click.argument("new")
@common("quiet", "color")
def move(*, file: Path, old: str, new: str, quiet: bool, no_color: bool) -> int:
    """Give the records of the shot OLD, renamed in the list, its NEW id: clips and seeds stay."""
    from vidspec.commands import lock as records

    return records.mv(file, old, new, quiet=quiet, console=make_console(no_color=no_color))
