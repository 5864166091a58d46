"""The commands that write and check lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vidspec.cli.parameters import common, make_console, path

if TYPE_CHECKING:
    from pathlib import Path


@click.command("init")
@click.argument("folder", callback=path, default=".")
@click.option("--merge-driver", "with_driver", is_flag=True, help="Have git merge lockfiles by takes.")
@common("quiet", "color")
def init(*, folder: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import init

    return init.run(folder, console=make_console(no_color=no_color), **options)


@click.command("validate")
@common("files", "var", "json", "quiet", "color")
def validate(*, files: tuple[Path, ...], no_color: bool, **options: Any) -> int:
    from vidspec.commands import validate

    return validate.run(files, console=make_console(no_color=no_color), **options)


@click.command("config")
@click.option("--shot", "only", multiple=True, metavar="ID", help="Only this shot; may be given again.")
@common("file", "var", "json", "quiet", "color")
def config(*, file: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import config

    return config.run(file, console=make_console(no_color=no_color), **options)
