"""`vidspec trust [HOST | --list | --remove HOST]`: the hosts that keys may be sent to."""

from __future__ import annotations

import os
from json import dumps
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vidspec import trust
from vidspec.account import is_loopback
from vidspec.errors import UsageError
from vidspec.store import whole

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.console import Console


def run(host: str | None, *, listed: bool, removed: str | None, json: bool, quiet: bool, console: Console) -> int:
    """Trust a host, trust it no longer, or show those that are trusted. Always 0.

    Raises:
        UsageError: there is not exactly one thing to do, the host is none, or the file cannot be used.
    """
    if [host is not None, listed, removed is not None].count(True) != 1:
        raise UsageError("one thing at a time: name a host, or write `--list`, or `--remove HOST`")
    folder = trust.folder(os.environ)
    said = []
    if host is not None:
        said = [_add(folder, trust.place(host))]
    elif removed is not None:
        gone = trust.place(removed)
        _write(folder, trust.removed(trust.text(folder), gone))
        said = [f"trusted no longer  {gone}"]
    elif not json:
        said = [*trust.read(folder)] or ["no host is trusted but the providers' own"]
    if json:
        console.line(dumps({"vidspec_json": 1, "trusted": list(trust.read(folder))}, indent=2))
    elif listed or not quiet:
        for line in said:
            console.line(line)
    return 0


def _add(folder: Path, place: str) -> str:
    if is_loopback(urlsplit(f"//{place}").hostname or ""):
        raise UsageError(f"`{place}` is this machine, which needs no trust")
    before = trust.text(folder)
    after = trust.added(before, place)
    if after == before:
        return f"trusted already  {place}"
    _write(folder, after)
    return f"trusted  {place}"


def _write(folder: Path, text: str) -> None:
    """Write the file whole, for the user alone to read; where it is a link, what it leads to."""
    path = folder / trust.FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(path.resolve()) as part:
            part.touch(mode=0o600, exist_ok=False)
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from error
