"""Where an export goes: whole or not at all, and never over what somebody else has made.

What was written is remembered by its digest, so that the same command may write it anew as long as nobody has
touched it. Anything else is only written over when that is said.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from vidspec.errors import UsageError
from vidspec.store import FOLDER, file_digest, state_folder, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Outlet"]

_NAME = "exports.json"
_MOST = 500
"""Files that are remembered; the oldest are forgotten first."""


class Outlet:
    """One file to be written."""

    def __init__(self, target: Path, project: Path, *, force: bool) -> None:
        self._target = target
        self._project = project
        self._force = force

    def check(self, suffixes: Iterable[str], inputs: Iterable[Path]) -> None:
        """See that the file may be written, before any work is done.

        Raises:
            UsageError: it has another ending than `suffixes`, is one of the files that are read, is no file, has a
                name that no file can have there, or stands there, of another's hand, and nobody has said that it
                may be written over.
        """
        endings = tuple(suffixes)
        if self._target.suffix.lower() not in endings:
            raise UsageError(f"`{self._target}` does not end in {' or '.join(f'`{ending}`' for ending in endings)}")
        if not self._stands():
            return
        if not self._target.is_file():
            raise UsageError(f"`{self._target}` is not a file")
        for path in inputs:
            with suppress(OSError):
                if path.samefile(self._target):
                    raise UsageError(f"`{self._target}` is one of the files that are read for this")
        if not self._force and not self._is_ours():
            raise UsageError(
                f"`{self._target}` stands there already, and is not as an export has left it\n"
                "    help: `--force` writes over it"
            )

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A path to write to, which becomes the file when the block ends well.

        Raises:
            UsageError: it cannot be written, the disk being full for one; what stood there is as it was.
        """
        try:
            with whole(self._target) as part:
                yield part
        except OSError as error:
            raise self._fault(_reason(error)) from error
        with suppress(OSError):
            self._remember()

    def _stands(self) -> bool:
        """Whether something has the file's name. Raises UsageError where nothing could have it."""
        try:
            self._target.stat()
        except FileNotFoundError:
            return False
        except NotADirectoryError as error:
            file = next(parent for parent in self._target.parents if parent.exists())
            raise self._fault(f"`{file}` is not a folder") from error
        except OSError as error:
            raise self._fault(_reason(error)) from error
        return True

    def _fault(self, reason: str) -> UsageError:
        return UsageError(f"cannot write `{self._target}`: {reason}")

    def _is_ours(self) -> bool:
        try:
            return self._read().get(self._key) == file_digest(self._target)
        except OSError:
            return False

    @property
    def _key(self) -> str:
        """The file's name in the memory: from the project folder, so that the folder may be moved."""
        return os.path.relpath(self._target.parent.resolve() / self._target.name, self._project.resolve())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads((self._project / FOLDER / _NAME).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self) -> None:
        known = self._read()
        known.pop(self._key, None)
        known[self._key] = file_digest(self._target)
        text = json.dumps(dict(list(known.items())[-_MOST:]), ensure_ascii=False, indent=0)
        with whole(state_folder(self._project) / _NAME) as part:
            part.write_text(f"{text}\n", encoding="utf-8")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
