"""The commands that hand a film over to the edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vidspec.cli.parameters import common, make_console, optional_path, path

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.commands.export import Kind


export = click.Group("export")

_OUT = click.option("-o", "--out", callback=path, required=True, metavar="OUT", help="The file to be written.")
_FORCE = click.option("--force", is_flag=True, help="Write over a file that is not as an export has left it.")
_RATE = click.option("--rate", metavar="23.976", help="Frames a second of the film; else those of most clips.")
_START = click.option("--start", default="", metavar="01:00:00:00", help="The timecode that the film begins with.")
_ABSOLUTE = click.option("--absolute", is_flag=True, help="Name clips by absolute paths, not from OUT's folder.")
_COMMON = common("file", "select", "exclude", "var", "json", "quiet", "color")


@export.command("otio")
@_OUT
@click.option("--flat", is_flag=True, help="One track, without a stack for every scene.")
@click.option(
    "--relink", callback=optional_path, metavar="OTIO", help="Give this timeline the clips that there are."
)
@_RATE
@_START
@_ABSOLUTE
@_FORCE
@_COMMON
def otio(**options: Any) -> int:
    """Write an OpenTimelineIO timeline that knows every take."""
    return _run("otio", **options)


@export.command("edl")
@_OUT
@click.option(
    "--reel-length", type=click.IntRange(4, 32), default=8, show_default=True, help="Most signs of a reel."
)
@_RATE
@_START
@_ABSOLUTE
@_FORCE
@_COMMON
def edl(**options: Any) -> int:
    """Write an edit list in CMX 3600."""
    return _run("edl", **options)


@export.command("fcpxml")
@_OUT
@_RATE
@_START
@_ABSOLUTE
@_FORCE
@_COMMON
def fcpxml(**options: Any) -> int:
    """Write a document for Final Cut Pro or DaVinci Resolve."""
    return _run("fcpxml", **options)


@export.command("cut")
@_OUT
@click.option("--slates", is_flag=True, help="Write slate and timecode into the lower left corner.")
@click.option(
    "--gaps",
    type=click.Choice(["error", "black"]),
    default="error",
    show_default=True,
    help="What a shot without a clip is.",
)
@click.option("--size", metavar="1920x1080", help="Pixels of the film; else those of most clips.")
@_RATE
@_START
@_FORCE
@_COMMON
def cut(*, gaps: str, **options: Any) -> int:
    """Join the chosen takes into one film, a chapter for each shot."""
    return _run("cut", black=gaps == "black", **options)


def _run(kind: Kind, *, file: Path, out: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import export
    from vidspec.commands.export import Wishes

    asked = {name: options.pop(name) for name in Wishes.__slots__ if name in options}
    return export.run(kind, file, out, wishes=Wishes(**asked), console=make_console(no_color=no_color), **options)
