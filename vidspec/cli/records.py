"""The commands that work on lockfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vidspec.cli.parameters import common, make_console, optional_path, path

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


@lock.command("merge")
@click.argument("a", callback=path)
@click.argument("b", callback=path)
@click.option("--base", callback=optional_path, metavar="FILE", help="The lockfile that both come from.")
@click.option("-o", "--output", "out", callback=path, required=True, metavar="FILE", help="Where to; `-`: stdout.")
@common("quiet", "color")
def merge(*, a: Path, b: Path, no_color: bool, **options: Any) -> int:
    """Make one lockfile of two, by takes: no paid take of either is lost."""
    from vidspec.commands import lock_merge

    return lock_merge.run(a, b, console=make_console(no_color=no_color), **options)


@lock.command("prune")
@click.option("--give-up", "given_up", multiple=True, metavar="SLATE", help="Never ask for this request again.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@common("file", "var", "quiet", "color")
def prune(*, file: Path, no_color: bool, **options: Any) -> int:
    """Put records of takes that the list no longer has aside, into `.vidspec/pruned`; their clips are kept."""
    from vidspec.commands import lock_prune

    return lock_prune.run(file, console=make_console(no_color=no_color), **options)
