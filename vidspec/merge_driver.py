"""Git, told to merge lockfiles by takes: a line in `.gitattributes`, and a driver in the repository's own settings.

The line is committed and does nothing by itself: where the driver is not set up, git merges the text as it does
any other. A driver is a command, so git takes it from no repository; each clone sets it up for itself. Where our
command fails, or is not there, git's own merge of the text follows, with its marks of a conflict.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from vidspec.diagnostic import listed
from vidspec.errors import UsageError
from vidspec.store import whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "vidspec-lock"
SECTION = f"merge.{NAME}"

SETTINGS = {
    f"{SECTION}.name": "lockfiles of vidspec, by takes",
    f"{SECTION}.driver": (
        "vidspec lock merge %A %B --base %O -o %A"
        " || git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B"
    ),
}
"""What the driver is. Git puts the names of files in: ours (%A), theirs (%B), and what both come from (%O)."""

ATTRIBUTES = ".gitattributes"
_WHY = "# Lockfiles of vidspec are merged by takes, in clones where `vidspec init --merge-driver` was called."
_LIST = (re.compile(rb"^vidspec[ \t]*:", re.MULTILINE), re.compile(rb"^shots[ \t]*:", re.MULTILINE))
_LOCK = b"vidspec_lock:"
_LOOKED_AT = 2**20
"""Bytes of a file that are looked at to tell whether it is ours."""


def lockfiles(folder: Path) -> list[str]:
    """The names of the lockfiles of the shot lists in a folder, also of those that are still to be written."""
    if not folder.is_dir():
        return []
    found = set()
    for path in folder.iterdir():
        if path.suffix in (".yaml", ".yml") and all(mark.search(_beginning(path)) for mark in _LIST):
            found.add(path.with_suffix(".lock").name)
        elif path.suffix == ".lock" and _beginning(path).startswith(_LOCK):
            found.add(path.name)
    return sorted(found)


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; none of what cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT)
    except OSError:
        return b""


def require_repository(folder: Path) -> None:
    """Raise UsageError where a folder, which may still be missing, is in no git repository, or git is not there."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
    if _git(place, "rev-parse", "--is-inside-work-tree").strip() != "true":
        raise UsageError(f"`{folder}` is not in the working tree of a git repository")


def set_up(folder: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    """Set up the driver for the lockfiles of a folder, and say step by step what was done, and to what.

    What is so already is left as it is.

    Raises:
        UsageError: git refuses, or `.gitattributes` cannot be written.
    """
    done = []
    if missing := _without_attribute(folder, names):
        _append(folder / ATTRIBUTES, [f"{pattern(name)} merge={NAME}" for name in missing])
        done.append(("wrote", f"{folder / ATTRIBUTES}: merge={NAME} for {listed(missing)}"))
    for key, value in SETTINGS.items():
        former = _git(folder, "config", "--local", "--get", key, may_be_none=True).removesuffix("\n")
        if former != value:
            _git(folder, "config", "--local", key, value)
            done.append(("set", f"{key} in the settings of this clone{f'; it was: {former}' if former else ''}"))
    return done


def pattern(name: str) -> str:
    """A file of the folder itself, as `.gitattributes` names it: also one with blanks or wildcards in its name."""
    plain = re.sub(r"([\\*?\[])", r"\\\1", name)
    if re.search(r'[\s"\\]', plain) is None:
        return f"/{plain}"
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
    return f'"/{quoted}"'


def _without_attribute(folder: Path, names: Sequence[str]) -> list[str]:
    """The files that git would merge in another way."""
    said = _git(folder, "check-attr", "-z", "merge", "--", *(f"./{name}" for name in names)).split("\0")
    return [name for name, value in zip(names, said[2::3], strict=False) if value != NAME]


def _append(path: Path, lines: Sequence[str]) -> None:
    """Add lines to a file, whole; one that is a link is not followed, as git does not follow it."""
    if path.is_symlink():
        raise UsageError(f"`{path}` is a link, which git does not follow\n    help: put a file in its place")
    try:
        former = path.read_bytes() if path.exists() else b""
        end = b"" if former.endswith(b"\n") or not former else b"\n"
        with whole(path) as part:
            part.write_bytes(former + end + "".join(f"{line}\n" for line in (_WHY, *lines)).encode())
            if former:
                part.chmod(path.stat().st_mode)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from error


def _git(folder: Path, *arguments: str, may_be_none: bool = False) -> str:
    """What git says; with `may_be_none` nothing where it has no such thing. None of the project's own code is run.

    Raises:
        UsageError: git is not there, or refuses; with its own words.
    """
    program = shutil.which("git")
    if program is None:
        raise UsageError("git is not installed, or not on the path; nothing was set up")
    command = [program, "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    done = subprocess.run(  # noqa: S603  (a fixed program, and no shell)
        command,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if done.returncode == 0 or (may_be_none and done.returncode == 1):
        return done.stdout
    if "not a git repository" in done.stderr:
        raise UsageError(f"`{folder}` is in no git repository; nothing was set up\n    help: `git init` makes one")
    said = (done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[0]
    raise UsageError(f"git refuses: {said.removeprefix('fatal: ').removeprefix('error: ')}")
