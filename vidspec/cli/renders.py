"""The commands that plan, pay for and look after takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from vidspec.cli.parameters import AS_RENDERED, ask, common, costs, make_console, optional_path, rehearsal, shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class _Plan(click.Command):
    """A command whose `--graph` may stand without a word behind it, also before a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, after the word has been put where it was left out."""
        end = args.index("--") if "--" in args else len(args)
        given = zip(args[:end], [*args[1:end], ""], strict=False)
        found = [
            "--graph=text" if word == "--graph" and following not in ("text", "mermaid") else word
            for word, following in given
        ]
        return super().parse_args(ctx, found + args[end:])


@click.command("plan", cls=_Plan)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 1 where there is something to do.")
@click.option("--with-dependants", "dependants", is_flag=True, help="What is stale only behind another take too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    help="How to print it; markdown is for a pull request or a CI summary.",
)
@click.option(
    "--graph",
    type=click.Choice(["text", "mermaid"]),
    default=None,
    help="Draw what needs what; mermaid is for a README.",
)
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
@click.option("--with-dependants", "dependants", is_flag=True, help="What is stale only behind another take too.")
@click.option("--locked", is_flag=True, help="Refuse where the settings of list and lockfile differ.")
@click.option("--frozen", is_flag=True, help="Go by the lockfile alone; the list is not read.")
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
    frozen: bool,
    json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    from vidspec.commands import render
    from vidspec.production import Options

    if frozen and (rehearse or options["draft"]):
        raise click.UsageError("`--frozen` goes with neither `--draft` nor `--rehearse`")
    if frozen and options["dependants"]:
        raise click.UsageError(f"`--frozen` and `--with-dependants` do not go together: {AS_RENDERED}")
    chosen = Options(
        rehearsal=rehearsal(rehearse=rehearse, draft=options["draft"], faults=faults, speed=speed),
        ask=ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        shared=None if rehearse or options["draft"] else shared(None),
        **options,
    )
    console = make_console(no_color=no_color)
    return render.run(
        file, variables=variables, options=chosen, console=console, frozen=frozen, json=json, quiet=quiet
    )


@click.command("restore")
@common("file", "select", "exclude", "store", "json", "quiet", "color")
def restore(*, file: Path, no_color: bool, store: str | None, json: bool, quiet: bool, **options: Any) -> int:
    from vidspec.commands import render
    from vidspec.production import Options

    chosen = Options(shared=shared(store), **options)
    return render.restore(file, options=chosen, console=make_console(no_color=no_color), json=json, quiet=quiet)


@click.command("verify")
@click.option("--kept", is_flag=True, help="Look at what is kept in `.vidspec` too.")
@common("file", "select", "exclude", "var", "json", "quiet", "color")
def verify(*, file: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import verify

    return verify.run(file, console=make_console(no_color=no_color), **options)


@click.command("push")
@click.option("--all", "superseded", is_flag=True, help="Former clips too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be pushed.")
@common("file", "select", "exclude", "var", "store", "json", "quiet", "color")
def push(*, file: Path, store: str | None, no_color: bool, **options: Any) -> int:
    from vidspec.commands import push

    return push.run(file, shared=shared(store), console=make_console(no_color=no_color), **options)


@click.command("diff")
@common("files", "select", "exclude", "var", "json", "quiet", "color")
def diff(*, files: tuple[Path, ...], no_color: bool, **options: Any) -> int:
    from vidspec.commands import diff

    return diff.run(files, console=make_console(no_color=no_color), **options)


@click.command("accept")
@common("file")
@click.argument("shots", nargs=-1, required=True, metavar="SHOT...")
@click.option("--undo", is_flag=True, help="Accept these edits no longer.")
@common("var", "quiet", "color")
def accept(*, file: Path, shots: tuple[str, ...], no_color: bool, **options: Any) -> int:
    from vidspec.commands import accept

    return accept.run(file, shots, console=make_console(no_color=no_color), **options)


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


@click.command("report")
@click.option("-o", "--out", callback=optional_path, metavar="DIR", help="Its folder; else beside the list.")
@click.option("--self-contained", is_flag=True, help="One file, with posters and small copies of the clips inside.")
@click.option("--force", is_flag=True, help="Write over a page that is not a report of vidspec.")
@common("file", "select", "exclude", "var", "quiet", "color")
def report(*, file: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import report

    return report.run(file, console=make_console(no_color=no_color), **options)


@click.command("choose")
@common("file")
@click.argument("slates", nargs=-1, metavar="SLATE...")
@click.option("--clear", is_flag=True, help="Take the mark off these.")
@click.option("--interactive", "-i", is_flag=True, help="Ask for each shot that has several takes.")
@common("var", "quiet", "color")
def choose(
    *,
    file: Path,
    slates: tuple[str, ...],
    interactive: bool,
    no_color: bool,
    variables: dict[str, Any],
    **options: Any,
) -> int:
    from vidspec.commands import choose

    console = make_console(no_color=no_color)
    if interactive and (slates or options["clear"]):
        raise click.UsageError("`--interactive` asks for the takes: name none")

    def record(named: Sequence[str]) -> int:
        return choose.run(file, named, variables=variables, console=console, **options)

    if interactive:
        from vidspec.choosing import settle

        return settle(file, variables, console, record)
    if not slates:
        raise click.UsageError("name the takes, such as `s010-t02`, or ask with `--interactive`")
    return record(slates)


@click.command("watch")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port of the page; any free one else.")
@common("file", "var", "quiet", "color")
def watch(*, file: Path, no_color: bool, **options: Any) -> int:
    from vidspec.commands import watch

    return watch.run(file, console=make_console(no_color=no_color), **options)
