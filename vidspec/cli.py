"""The command line. Only click is imported here; a command's own modules are imported when it is called.

Exit codes: 0 all good, 1 some takes failed or something differs, 2 wrong input, 3 refused, 4 a bug,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TextIO

    from vidspec.console import Console
    from vidspec.rehearsal import Rehearsal

COMMANDS = {
    "init": "Lay out a new storyboard repository.",
    "validate": "Check shot lists: everything that is wrong, before anything is spent.",
    "config": "Show a list fully resolved: every take, and where each setting is from.",
    "plan": "Show what a render would do, what it would cost, and why.",
    "render": "Render what is missing or stale.",
    "status": "Show how every take stands.",
    "adopt": "Say that a take in doubt was accepted, by the provider's id of it.",
    "lock": "Work on a lockfile: `mv` for a shot that was renamed.",
    "providers": "Show the providers and what their models can do.",
    "schema": "Print a JSON Schema.",
    "trust": "Trust a host with keys, show those that are trusted, or trust one no longer.",
    "sandbox": "Serve local twins of the providers, until Ctrl-C.",
}
"""Name and help line of every command, so that help is printed without importing any of them."""


class Commands(click.Group):
    """A group that knows its commands by name, and makes one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; None for a name that is not one."""
        return _MADE[cmd_name]() if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help lines, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command where there is none of that name."""
        if args and args[0] not in COMMANDS:
            from vidspec.diagnostic import nearest

            near = nearest(args[0], COMMANDS)
            ctx.fail(f"there is no command `{args[0]}`{f'; the nearest is `{near}`' if near else ''}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from vidspec import __version__

        click.echo(f"vidspec {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def group() -> None:
    """Films as code: a YAML shot list, checked before a cent is spent, rendered at most once."""


# --- parameters that commands share ------------------------------------------------------------------------


def _path(_ctx: click.Context, _parameter: click.Parameter, value: str | tuple[str, ...]) -> Any:
    """Arguments as paths; pathlib is loaded here, since help has no use for it."""
    from pathlib import Path

    return Path(value) if isinstance(value, str) else tuple(map(Path, value))


def _optional_path(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    """A path that may be left out."""
    from pathlib import Path

    return None if value is None else Path(value)


def _costs(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float] | None:
    """`--max-cost 5usd` as amounts by currency; None where it was not given."""
    from vidspec import budget

    return budget.amounts(values) if values else None


def _ask(question: str) -> bool:
    """Put a question on the terminal; an answer that is none is a no."""
    return click.confirm(question, default=False, err=True)


def _rehearsal(*, rehearse: bool, draft: bool, faults: Path | None, speed: str | None) -> Rehearsal | None:
    """The rehearsal that the command line asks for. Raises UsageError for options that do not go together."""
    if not rehearse:
        for name, value in (("--faults", faults), ("--speed", speed)):
            if value is not None:
                raise click.UsageError(f"`{name}` goes with `--rehearse`")
        return None
    if draft:
        raise click.UsageError("`--draft` and `--rehearse` do not go together")
    from vidspec.rehearsal import Rehearsal

    return Rehearsal.of(faults=faults, speed=speed)


def _variable(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """`--var name=value` as a mapping of texts."""
    found: dict[str, Any] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"`{text}` is not of the form name=value")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise click.BadParameter(f"the value of `{name}` is not UTF-8 text")
        from vidspec.prompt import variable_fault

        if reason := variable_fault(name):
            raise click.BadParameter(f"`{name}` cannot be the name of a variable: {reason}")
        found[name] = value
    return found


def _common(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options that several commands have, each defined once."""

    def add(command: Callable[..., int]) -> Callable[..., int]:
        for name in reversed(names):
            command = _SHARED[name](command)
        return command

    return add


_SHARED: dict[str, Callable[[Callable[..., int]], Callable[..., int]]] = {
    "file": click.argument("file", callback=_path),
    "files": click.argument("files", callback=_path, nargs=-1, required=True),
    "var": click.option(
        "--var", "variables", multiple=True, callback=_variable, metavar="NAME=VALUE", help="Override a variable."
    ),
    "select": click.option("--select", "chosen", metavar="EXPR", help="Only these: ids, globs, tag:NAME, +ID …"),
    "exclude": click.option("--exclude", "left_out", metavar="EXPR", help="Not these takes."),
    "json": click.option("--json", is_flag=True, help="Print JSON."),
    "quiet": click.option("--quiet", "-q", is_flag=True, help="Print only what is wrong."),
    "color": click.option("--no-color", is_flag=True, help="Print without colour."),
}


def _console(*, no_color: bool) -> Console:
    from vidspec.console import Console

    return Console(colour=False if no_color else None)


# --- commands --------------------------------------------------------------------------------------------


def _init() -> click.Command:
    @click.command("init", help=COMMANDS["init"])
    @click.argument("folder", callback=_path, default=".")
    @_common("quiet", "color")
    def command(*, folder: Path, quiet: bool, no_color: bool) -> int:
        from vidspec.commands import init

        return init.run(folder, quiet=quiet, console=_console(no_color=no_color))

    return command


def _validate() -> click.Command:
    @click.command("validate", help=COMMANDS["validate"])
    @_common("files", "var", "json", "quiet", "color")
    def command(*, files: tuple[Path, ...], no_color: bool, **options: Any) -> int:
        from vidspec.commands import validate

        return validate.run(files, console=_console(no_color=no_color), **options)

    return command


def _config() -> click.Command:
    @click.command("config", help=COMMANDS["config"])
    @click.option("--shot", metavar="ID", help="Only this shot.")
    @_common("file", "var", "json", "quiet", "color")
    def command(*, file: Path, no_color: bool, **options: Any) -> int:
        from vidspec.commands import config

        return config.run(file, console=_console(no_color=no_color), **options)

    return command


def _plan() -> click.Command:
    @click.command("plan", help=COMMANDS["plan"])
    @click.option("--detailed-exitcode", is_flag=True, help="Exit 1 where there is something to do.")
    @_common("files", "select", "exclude", "var", "json", "quiet", "color")
    def command(*, files: tuple[Path, ...], no_color: bool, **options: Any) -> int:
        from vidspec.commands import plan

        return plan.run(files, console=_console(no_color=no_color), **options)

    return command


def _render() -> click.Command:
    @click.command("render", help=COMMANDS["render"])
    @click.option("--draft", is_flag=True, help="Draw every shot as an animatic, free, beside the real outputs.")
    @click.option("--rehearse", is_flag=True, help="Render with local twins of the providers, free, without keys.")
    @click.option("--faults", callback=_optional_path, metavar="FILE", help="With --rehearse: what is to go wrong.")
    @click.option("--speed", metavar="60x", help="With --rehearse: how much faster than real time.")
    @click.option("--retry-failed", "retry", is_flag=True, help="Try again what has failed before.")
    @click.option(
        "--resubmit", "anew", multiple=True, metavar="SLATE", help="Submit this once more; may pay twice."
    )
    @click.option("--only-new", is_flag=True, help="Pay for nothing that was rendered before, stale or lost.")
    @click.option("--max-takes", "most", type=click.IntRange(1), metavar="N", help="Submit at most so many takes.")
    @click.option(
        "--max-cost",
        "allowed",
        multiple=True,
        callback=_costs,
        metavar="5usd",
        help="Refuse a plan of more than this.",
    )
    @click.option("--fail-fast", is_flag=True, help="Begin nothing more once something has failed.")
    @click.option("--yes", "-y", is_flag=True, help="Agree to the price without being asked.")
    @_common("file", "select", "exclude", "var", "json", "quiet", "color")
    def command(
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
            rehearsal=_rehearsal(rehearse=rehearse, draft=options["draft"], faults=faults, speed=speed),
            ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
            **options,
        )
        return render.run(file, variables=variables, options=chosen, console=_console(no_color=no_color))

    return command


def _status() -> click.Command:
    @click.command("status", help=COMMANDS["status"])
    @_common("file", "select", "exclude", "var", "json", "quiet", "color")
    def command(*, file: Path, no_color: bool, **options: Any) -> int:
        from vidspec.commands import status

        return status.run(file, console=_console(no_color=no_color), **options)

    return command


def _adopt() -> click.Command:
    @click.command("adopt", help=COMMANDS["adopt"])
    @_common("file")
    @click.argument("slate")
    @click.argument("request_id")
    @_common("color")
    def command(*, file: Path, slate: str, request_id: str, no_color: bool) -> int:
        from vidspec.commands import adopt

        return adopt.run(file, slate, request_id, console=_console(no_color=no_color))

    return command


def _lock() -> click.Command:
    group = click.Group("lock", help=COMMANDS["lock"])

    @group.command("mv")
    @_common("file")
    @click.argument("old")
    @click.argument("new")
    @_common("quiet", "color")
    def command(*, file: Path, old: str, new: str, quiet: bool, no_color: bool) -> int:
        """Give the records of the shot OLD, renamed in the list, its NEW id: clips and seeds stay."""
        from vidspec.commands import lock

        return lock.mv(file, old, new, quiet=quiet, console=_console(no_color=no_color))

    return group


def _providers() -> click.Command:
    @click.command("providers", help=COMMANDS["providers"])
    @click.argument("name", required=False)
    @click.argument("model", required=False)
    @_common("json", "quiet", "color")
    def command(*, name: str | None, model: str | None, json: bool, **_plain: bool) -> int:
        from vidspec.commands import providers

        return providers.run(name, model, json=json)

    return command


def _schema() -> click.Command:
    @click.command("schema", help=COMMANDS["schema"])
    @click.argument("name", type=click.Choice(["shotlist", "provider", "lock"]), default="shotlist")
    @_common("quiet", "color")
    def command(*, name: str, **_plain: bool) -> int:
        from vidspec.commands import schema

        return schema.run(name)

    return command


def _trust() -> click.Command:
    @click.command("trust", help=COMMANDS["trust"])
    @click.argument("host", required=False)
    @click.option("--list", "listed", is_flag=True, help="Show the hosts that are trusted.")
    @click.option("--remove", "removed", metavar="HOST", help="Trust a host no longer.")
    @_common("json", "quiet", "color")
    def command(*, host: str | None, no_color: bool, **options: Any) -> int:
        from vidspec.commands import trust

        return trust.run(host, console=_console(no_color=no_color), **options)

    return command


def _sandbox() -> click.Command:
    @click.command("sandbox", help=COMMANDS["sandbox"])
    @click.option("--port", type=click.IntRange(0, 65535), default=8807, show_default=True, help="0: any free one.")
    @click.option("--provider", "providers", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
    @click.option("--speed", default="1x", metavar="10x", help="How much faster than the real thing.")
    @click.option("--faults", callback=_optional_path, metavar="FILE", help="What is to go wrong.")
    @click.option("--seed", type=int, metavar="N", help="Repeat the ids and chances of another time.")
    @click.option("--quiet", "-q", is_flag=True, help="Print no line for each request.")
    @_common("json", "color")
    def command(*, no_color: bool, **options: Any) -> int:
        from vidspec.commands import sandbox

        return sandbox.run(console=_console(no_color=no_color), **options)

    return command


_MADE: dict[str, Callable[[], click.Command]] = {
    "init": _init,
    "validate": _validate,
    "config": _config,
    "plan": _plan,
    "render": _render,
    "status": _status,
    "adopt": _adopt,
    "lock": _lock,
    "providers": _providers,
    "schema": _schema,
    "trust": _trust,
    "sandbox": _sandbox,
}


# --- the way in and the way out ------------------------------------------------------------------------------


def main() -> None:
    """Run the command line; never ends in a traceback."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before we began
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    try:
        code = group(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except click.Abort:
        code = 130
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = 130
    except SystemExit:
        code = 0  # click's own way out when nobody reads any more
    except Exception as error:  # noqa: BLE001  (the last one to see it)
        code = _report(error)
    sys.exit(_flushed(code if isinstance(code, int) else 0))


def _flushed(code: int) -> int:
    """The exit code, after all is written out; a reader who has gone away is no fault, a full disk is."""
    error = _flush(sys.stdout)
    if error is not None and not isinstance(error, BrokenPipeError):
        code = _report(error)
    _flush(sys.stderr)
    return code


def _flush(stream: TextIO) -> OSError | None:
    """Write out what waits in a stream. Where that fails, what is left goes nowhere, and the error is returned."""
    try:
        stream.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def _report(error: Exception) -> int:
    """Say what went wrong: our own errors in a line, a bug in a line and a file."""
    from vidspec.console import Console
    from vidspec.errors import ShotListError, VidspecError

    console = Console(sys.stderr, colour=False if "--no-color" in sys.argv else None)
    if isinstance(error, ShotListError):
        console.diagnostics(error.diagnostics)
        return error.exit_code
    if isinstance(error, VidspecError):
        console.line(f"{console.paint('error:', 'red', 'bold')} {error}")
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        console.line(f"{console.paint('error:', 'red', 'bold')} {error.strerror.lower()}{place}")
        return 1
    from vidspec.crash import write_report

    console.line(f"{console.paint('bug:', 'red', 'bold')} {type(error).__name__}; see {write_report(error)}")
    return 4
