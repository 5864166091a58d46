"""Parameters that commands share, each defined once, and what their texts become."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.rehearsal import Rehearsal
    from vidspec.shared import Shared


AS_RENDERED = "what the lockfile records is had again as it was rendered, whatever it was made from"


def path(_ctx: click.Context, _parameter: click.Parameter, value: str | tuple[str, ...]) -> Any:
    """Arguments as paths; pathlib is loaded here, since help has no use for it."""
    from pathlib import Path

    return Path(value) if isinstance(value, str) else tuple(map(Path, value))


def optional_path(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    """A path that may be left out."""
    from pathlib import Path

    return None if value is None else Path(value)


def joined(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Selections that were given one by one, as one: a blank joins. None where none was given.

    One that says nothing (a shell's variable that is not set) makes the whole say nothing, which no command takes.
    """
    if not values:
        return None
    return " ".join(values) if all(value.strip() for value in values) else ""


def costs(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float] | None:
    """`--max-cost 5usd` as amounts by currency; None where it was not given."""
    from vidspec import budget

    return budget.amounts(values) if values else None


def ask(question: str) -> bool:
    """Put a question on the terminal; an answer that is none is a no."""
    return click.confirm(question, default=False, err=True)


def rehearsal(*, rehearse: bool, draft: bool, faults: Path | None, speed: str | None) -> Rehearsal | None:
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


def shared(store: str | None) -> Shared | None:
    """The store that machines share, by the command line or `VIDSPEC_STORE`; None where none is named."""
    name = store or os.environ.get("VIDSPEC_STORE", "").strip()
    if not name:
        return None
    from vidspec.shared import open_shared

    return open_shared(name)


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


def common(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options that several commands have, each defined once."""

    def add(command: Callable[..., int]) -> Callable[..., int]:
        for name in reversed(names):
            command = _SHARED[name](command)
        return command

    return add


_SHARED: dict[str, Callable[[Callable[..., int]], Callable[..., int]]] = {
    "file": click.argument("file", callback=path),
    "files": click.argument("files", callback=path, nargs=-1, required=True),
    "var": click.option(
        "--var", "variables", multiple=True, callback=_variable, metavar="NAME=VALUE", help="Override a variable."
    ),
    "select": click.option(
        "--select",
        "chosen",
        multiple=True,
        callback=joined,
        metavar="EXPR",
        help="Only these: ids, globs, tag:NAME, +ID …",
    ),
    "exclude": click.option(
        "--exclude", "left_out", multiple=True, callback=joined, metavar="EXPR", help="Not these takes."
    ),
    "store": click.option(
        "--store", metavar="STORE", help="A folder or s3://BUCKET/PREFIX that keeps clips; else VIDSPEC_STORE."
    ),
    "json": click.option("--json", is_flag=True, help="Print JSON."),
    "quiet": click.option("--quiet", "-q", is_flag=True, help="Print only what is wrong."),
    "color": click.option("--no-color", is_flag=True, help="Print without colour."),
}


def make_console(*, no_color: bool) -> Console:
    from vidspec.console import Console

    return Console(colour=False if no_color else None)
