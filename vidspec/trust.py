"""The hosts that a user has trusted with keys: a text file in the user's own configuration folder.

Never in a project: whoever hands on a project must not be able to say where the keys of others go.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vidspec.diagnostic import nearest_or, shown
from vidspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = "trusted-hosts"
_HEAD = "# Hosts that vidspec may send keys to, one a line: `host`, or `host:port` where that is not 443.\n"
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9_.-]*)(?::([0-9]{1,5}))?")


def folder(environment: Mapping[str, str]) -> Path:
    """The user's configuration folder for vidspec, by the XDG base directory specification.

    Raises:
        UsageError: there is no home folder.
    """
    written = environment.get("XDG_CONFIG_HOME", "")
    if written.startswith("/"):
        return Path(written) / "vidspec"
    if not environment.get("HOME", "").startswith("/"):
        raise UsageError("there is no home folder: neither `XDG_CONFIG_HOME` nor `HOME` names one")
    return Path(environment["HOME"]) / ".config" / "vidspec"


def trusted(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts that the user has trusted; none where there is no home folder to say so in. Raises UsageError."""
    try:
        place = folder(environment)
    except UsageError:
        return ()
    return read(place)


def read(folder: Path) -> tuple[str, ...]:
    """The hosts that are trusted, in the order of the file; none where there is no file.

    Raises:
        UsageError: the file cannot be read, or holds a line that is no host.
    """
    return places(text(folder), str(folder / FILE))


def text(folder: Path) -> str:
    """The file as it is written; empty where there is none. Raises UsageError."""
    path = folder / FILE
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read `{path}`: it is not UTF-8 text") from error


def places(text: str, name: str = FILE) -> tuple[str, ...]:
    """The hosts in the text of a file, each once. Raises UsageError with the file's name and the line."""
    found: dict[str, None] = {}
    for number, entry in _entries(text):
        if not entry:
            continue
        try:
            found[place(entry)] = None
        except UsageError as error:
            raise UsageError(f"{name}:{number}: {error}") from error
    return tuple(found)


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """What stands in each line before a comment, and the line's number."""
    for number, line in enumerate(text.splitlines(), 1):
        yield number, line.partition("#")[0].strip()


def place(written: str) -> str:
    """A host as it is compared: in lower case, with its port where that is not 443.

    Raises:
        UsageError: it is no host.
    """
    match = _PLACE.fullmatch(written.lower())
    host, port = match.groups() if match else ("", None)
    try:
        host = f"[{ip_address(host[1:-1])}]" if host.startswith("[") else host.rstrip(".")
    except ValueError:
        host = ""
    if not host or (port is not None and not 0 < int(port) < 2**16):
        raise UsageError(f"{shown(written)} is no host\n    help: {_advice(written)}")
    return host if port is None or int(port) == 443 else f"{host}:{int(port)}"


def _advice(written: str) -> str:
    try:
        inner = urlsplit(written).netloc.rpartition("@")[2].lower()
    except ValueError:
        inner = ""
    if _PLACE.fullmatch(inner):
        return f"write the host alone: `{inner}`"
    return "write a name such as `api.example.net`, or `api.example.net:8443` with its port"


def added(text: str, new: str) -> str:
    """The text of the file with one more host."""
    if new in places(text):
        return text
    text = text or _HEAD
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{new}\n"


def removed(text: str, gone: str) -> str:
    """The text of the file without a host; comments stay. Raises UsageError where it is not in it."""
    known = places(text)
    if gone not in known:
        help_line = nearest_or(gone, known, "`vidspec trust --list` shows those that are")
        raise UsageError(f"`{gone}` is not trusted\n    help: {help_line}")
    lines = text.splitlines(keepends=True)
    return "".join(lines[number - 1] for number, entry in _entries(text) if not entry or place(entry) != gone)
