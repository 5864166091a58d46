"""`vidspec init [DIR]`: a storyboard repository that renders as it stands."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING

from vidspec import merge_driver, schema
from vidspec.diagnostic import listed
from vidspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vidspec.console import Console

SHIPPED = {
    "shots.yaml": "shots.yaml",
    "cast.yaml": "cast.yaml",
    "look.yaml": "look.yaml",
    "frames/valley.png": "frames/valley.png",
    "README.md": "README.md",
    ".gitattributes": "gitattributes",
    ".gitignore": "gitignore",
}
"""Files of a new project, and their names in the package: without a dot, since packaging loses dotfiles."""

SCHEMA = "schemas/shotlist.schema.json"

LOCK = "shots.lock"
"""The lockfile that the first render of a new project writes."""

_NEXT = (
    ("validate", "is anything wrong?"),
    ("plan", "what would a render do, and what would it cost?"),
    ("render", "draw the film on this machine, free"),
)


def run(folder: Path, *, quiet: bool, console: Console, with_driver: bool = False) -> int:
    """Write a new project into `folder`, or nothing at all where one of its files is there already. Always 0.

    With `with_driver` git is told to merge its lockfiles by takes; where there is a project, that is all.

    Raises:
        UsageError: a file is there already, the folder cannot be written to, or git cannot be told.
    """
    names = merge_driver.lockfiles(folder) if with_driver else []
    if with_driver:
        merge_driver.require_repository(folder)
    if not names:
        contents = _contents()
        _refuse_to_overwrite(folder, contents)
        _write(folder, contents)
        if not quiet:
            _print_written(folder, contents, console)
    if with_driver:
        done = merge_driver.set_up(folder, names or [LOCK])
        if not quiet:
            _print_driver(done, names or [LOCK], console)
    if not names and not quiet:
        _print_next(folder, console)
    return 0


def _contents() -> dict[str, bytes]:
    scaffold = files("vidspec") / "scaffold"
    contents = {name: scaffold.joinpath(shipped).read_bytes() for name, shipped in SHIPPED.items()}
    return {**contents, SCHEMA: schema.text("shotlist").encode()}


def _refuse_to_overwrite(folder: Path, names: Iterable[str]) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"`{folder}` is not a folder\n    help: name a new folder, or one to write into")
    taken = list(dict.fromkeys(found for name in names if (found := _in_the_way(folder, name))))
    if taken:
        shown = ", ".join(f"`{folder / name}`" for name in taken[:3])
        rest = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        verb = "is" if len(taken) == 1 else "are"
        raise UsageError(
            f"{shown}{rest} {verb} there already; nothing was written\n"
            "    help: name a new folder, as in `vidspec init my-film`, or move what is there"
        )


def _in_the_way(folder: Path, name: str) -> str | None:
    """What keeps a file from being made: the file itself, or a file where one of its folders would be."""
    if os.path.lexists(folder / name):
        return name
    parent, _, _ = name.rpartition("/")
    blocked = parent and os.path.lexists(folder / parent) and not (folder / parent).is_dir()
    return parent if blocked else None


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make all files, none of them over another; where one cannot be made, take back those that were."""
    made: list[Path] = []
    try:
        for name, content in contents.items():
            path = folder / name
            _make_folder(path.parent, made)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
    except OSError as error:
        _take_back(made)
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"cannot write `{error.filename or folder}`: {reason}; nothing was written\n"
            "    help: name a folder that you may write to"
        ) from error


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, and note in `made` which of them are new."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _print_written(folder: Path, names: Iterable[str], console: Console) -> None:
    for name in names:
        console.line(f"{console.paint('wrote', 'green')}  {folder / name}")


def _print_driver(done: Iterable[tuple[str, str]], names: Iterable[str], console: Console) -> None:
    rows = [[console.paint(verb, "green"), what] for verb, what in done]
    console.rows(rows, indent="")
    if not rows:
        console.line(f"git merges {listed(names)} by takes already; nothing was changed")
    else:
        console.line(f"to undo: git config --remove-section {merge_driver.SECTION}")


def _print_next(folder: Path, console: Console) -> None:
    console.line()
    console.line("next:")
    shot_list = shlex.quote(_as_argument(folder / "shots.yaml"))
    console.rows([[f"vidspec {command} {shot_list}", f"# {what}"] for command, what in _NEXT])


def _as_argument(path: Path) -> str:
    """The path as a command takes it: one that begins with a dash would be read as an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)
