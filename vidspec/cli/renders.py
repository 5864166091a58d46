"""The commands that plan, pay for and look after takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from vidspec.cli.parameters import ask, common, costs, make_console, optional_path, rehearsal

if TYPE_CHECKING:
    from pathlib import Path


@click.command("plan")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 1 where there is something to do.")
@common("files", "select", "exclude", "var", "json", "quiet", "color")
def plan(*, files: tuple[Path, ...], no_color: bool, **options: Any) -> int:
    from vidspec.commands import plan

    return plan.run(files, console=make_console(no_color=no_color), **options)


@click.command("render")
@click.option("--draft", is_flag=True, help="Draw every shot as an animatic, free, beside the real outputs.")
@click.option("--rehearse", is_flag=True, help="Render with local twins of the providers, free, without keys.")
@click.option("--faults", callback=optional_path, metavar="FILE", help="With --rehearse: what is to go wrong.")
@click.option("--speed", metavar="60x", help="With --rehearse: how much faster than real time.")
@click.option("--retry-failed", "retry", is_flag=True, help="Try again what has failed before.")
@click.option("--resubmit", "anew", multiple=True, metavar="SLATE", help="Submit this once more; may pay twice.")
@click.option("--only-new", is_flag=True, help="Pay for nothing that was rendered before, stale or lost.")
@click.option("--max-takes", "most", type=click.IntRange(1), metavar="N", help="Submit at most so many takes.")
@click.option(
    "--max-cost",
    "allowed",
    multiple=True,
    callback=costs,
    metavar="5usd",
    help="Refuse a plan of more than this.",
)
@click.option("--fail-fast", is_flag=True, help="Begin nothing more once something has failed.")
@click.option("--yes", "-y", is_flag=True, help="Agree to the price without being asked.")
@common("file", "select", "exclude", "var", "json", "quiet", "color")
def render(
    *,
    file: Path,
    variables: dict[str, Any],
    no_color: bool,
    rehearse: bool,
    faults: Path | None,
    speed: str | None,
    **options: Any,
) -> int:
    from vidspec.commands import render

    chosen = render.Options(
        rehearsal=rehearsal(rehearse=rehearse, draft=options["draft"], faults=faults, speed=speed),
        ask=ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        **options,
    )
    return render.run(file, variables=variables, options=chosen, console=make_console(no_color=no_color))


@click.command("status")
@common("file", "select", "exclude", "var", "json", "quiet", "color")
def status(*, file: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import status

    return status.run(file, console=make_console(no_color=no_color), **options)


@click.command("adopt")
@common("file")
@click.argument("slate")
@click.argument("request_id")
@common("color")
def adopt(*, file: Path, slate: str, request_id: str, no_color: bool) -> int:
    from vidspec.commands import adopt

    return adopt.run(file, slate, request_id, console=make_console(no_color=no_color))
