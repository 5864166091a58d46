"""The commands about providers, and what stands around a project."""

from __future__ import annotations

from typing import Any

import click

from vidspec.cli.parameters import common, make_console, optional_path


@click.command("providers")
@click.argument("name", required=False)
@click.argument("model", required=False)
@common("json", "quiet", "color")
def providers(*, name: str | None, model: str | None, json: bool, **_plain: bool) -> int:
    from vidspec.commands import providers

    return providers.run(name, model, json=json)


@click.command("schema")
@click.argument("name", type=click.Choice(["shotlist", "provider", "lock"]), default="shotlist")
@common("quiet", "color")
def schema(*, name: str, **_plain: bool) -> int:
    from vidspec.commands import schema

    return schema.run(name)


@click.command("trust")
@click.argument("host", required=False)
@click.option("--list", "listed", is_flag=True, help="Show the hosts that are trusted.")
@click.option("--remove", "removed", metavar="HOST", help="Trust a host no longer.")
@common("json", "quiet", "color")
def trust(*, host: str | None, no_color: bool, **options: Any) -> int:
    from vidspec.commands import trust

    return trust.run(host, console=make_console(no_color=no_color), **options)


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8807, show_default=True, help="0: any free one.")
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--speed", default="1x", metavar="10x", help="How much faster than the real thing.")
@click.option("--faults", callback=optional_path, metavar="FILE", help="What is to go wrong.")
@click.option("--seed", type=int, metavar="N", help="Repeat the ids and chances of another time.")
@click.option("--quiet", "-q", is_flag=True, help="Print no line for each request.")
@common("json", "color")
def sandbox(*, no_color: bool, **options: Any) -> int:
    from vidspec.commands import sandbox

    return sandbox.run(console=make_console(no_color=no_color), **options)
