"""The command line. Only click is imported here; a command's own modules are imported when it is called.

Exit codes: 0 all good, 1 some takes failed or something differs, 2 wrong input, 3 refused, 4 a bug,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import TextIO

COMMANDS = {
    "init": "Lay out a new storyboard repository.",
    "validate": "Check shot lists: everything that is wrong, before anything is spent.",
    "config": "Show a list fully resolved: every take, and where each setting is from.",
    "plan": "Show what a render would do, what it would cost, and why.",
    "render": "Render what is missing or stale.",
    "diff": "Show what the list asks for that its lockfile does not record.",
    "accept": "Say that an edit is not worth paying for: the clip stays as it is.",
    "verify": "Check every clip against the lockfile, and against what was asked for.",
    "restore": "Bring clips of the lockfile back without paying.",
    "push": "Copy clips to a store that several machines share.",
    "status": "Show how every take stands.",
    "choose": "Choose the take of a shot that goes into the cut.",
    "watch": "Draw what changes while you write; nothing is submitted.",
    "report": "Write the page on which a render is judged.",
    "adopt": "Say that a take in doubt was accepted, by the provider's id of it.",
    "export": "Hand the film over to the edit: a timeline, an edit list, or the cut itself.",
    "lock": "Work on lockfiles: `merge` two, `mv` a renamed shot, `prune` what is gone.",
    "providers": "Show the providers and what their models can do.",
    "schema": "Print a JSON Schema.",
    "trust": "Trust a host with keys, show those that are trusted, or trust one no longer.",
    "sandbox": "Serve local twins of the providers, until Ctrl-C.",
}
"""Name and help line of every command, so that help is printed without importing any of them."""

_ROOMS = {
    "lists": ("init", "validate", "config"),
    "renders": (
        "plan",
        "render",
        "diff",
        "accept",
        "verify",
        "restore",
        "push",
        "status",
        "adopt",
        "choose",
        "watch",
        "report",
    ),
    "exports": ("export",),
    "records": ("lock",),
    "surroundings": ("providers", "schema", "trust", "sandbox"),
}
"""The module of this package that each command is declared in."""


class Commands(click.Group):
    """A group that knows its commands by name, and makes one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; None for a name that is not one."""
        if cmd_name not in COMMANDS:
            return None
        room = next(room for room, names in _ROOMS.items() if cmd_name in names)
        command: click.Command = getattr(import_module(f"vidspec.cli.{room}"), cmd_name)
        command.help = COMMANDS[cmd_name]
        return command

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
