"""Where clips go: inside the project, one place for each take, whatever the file system thinks of case."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from vidspec.shot import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.take import Take

DEFAULT = "renders/{{ shot.id }}/{{ slate }}.mp4"
_HELP = "an output is a path inside the project folder that ends in `.mp4`"
_MAX_NAME = 255


class Outputs:
    """Remembers which take writes which file, over all lists that it is shown."""

    def __init__(self) -> None:
        self._writers: dict[str, tuple[str, str]] = {}

    def problems(self, take: Take, *, folder: str, of: str) -> Iterator[Problem]:
        """What is wrong with the output of a take of the list called `of`, whose project is at `folder`."""
        reason = unfit_output(take.output)
        if reason:
            yield Problem(code="E223", setting="output", message=f"`{take.output}` {reason}", help=_HELP)
            return
        place = f"{folder}/{same(take.output)}"
        writer, list_name = self._writers.setdefault(place, (take.slate, of))
        if (writer, list_name) != (take.slate, of):
            other = f"`{writer}`" if list_name == of else f"`{writer}` of {list_name}"
            message = f"`{take.slate}` and {other} would both write `{take.output}`"
            help_line = (
                "put `{{ slate }}` into the output's name" if list_name == of else "give one list its own `output`"
            )
            yield Problem(code="E222", setting="output", message=message, help=help_line)


def unfit_output(output: str) -> str | None:
    """Why a path cannot be an output, else None."""
    if not output.endswith(".mp4") or posixpath.basename(output) == ".mp4":
        return "is no name of an MP4 file"
    if output.startswith("/") or "\\" in output or any(ord(character) < 32 for character in output):
        return "is not a plain path inside the project folder"
    parts = posixpath.normpath(output).split("/")
    if ".." in parts:
        return "is outside the project folder"
    if parts[0].casefold() in (".vidspec", ".git"):
        return f"is inside `{parts[0]}`, where clips may not stand"
    if any(len(part.encode()) > _MAX_NAME for part in parts):
        return "has a name that is too long for a file system"
    return None


def same(output: str) -> str:
    """What two outputs have in common that are one file on some file system."""
    return posixpath.normpath(output).casefold()
