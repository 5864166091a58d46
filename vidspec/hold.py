"""One run at a time: a lock on the project folder that a dead process does not keep."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from vidspec.errors import Refusal, UsageError
from vidspec.store import clear_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the state folder of a project for the length of the block.

    What killed runs have left half-written in it is taken away: nobody else writes there now.

    Raises:
        Refusal: another process holds it; the message says which.
        UsageError: the folder cannot be held at all.
    """
    with _opened(folder / "run.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().decode(errors="replace").strip() or "another process"
            raise Refusal(f"another run holds this project: {holder}") from None
        except OSError as error:
            raise _unheld(error) from error
        try:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        except OSError as error:
            raise _unheld(error) from error
        clear_parts(folder)
        yield
        with suppress(OSError):
            file.truncate(0)


def _opened(path: Path) -> FileIO:
    """The file, made where it is not there yet; never what a link of that name leads to, since it is emptied."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise _unheld(error) from error
    return os.fdopen(descriptor, "ab+", buffering=0)


def _unheld(error: OSError) -> UsageError:
    return UsageError(f"cannot hold the project folder: {(error.strerror or str(error)).lower()}")
