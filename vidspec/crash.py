"""A bug's traceback, in a file that can be sent to us."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from vidspec import __version__
from vidspec.store import FOLDER, state_folder


def write_report(error: BaseException) -> Path:
    """Write the traceback under `.vidspec/` of this folder, else in the temporary folder; return the path.

    Local variables, arguments and the environment are left out: they may hold keys. So may a message, so what is
    a key in the environment is struck out of it.
    """
    now = datetime.now(UTC)
    lines = [
        f"vidspec {__version__}, Python {platform.python_version()}, {platform.platform()}\n",
        f"{now:%Y-%m-%d %H:%M} UTC, command: {' '.join(sys.argv[1:2])}\n\n",
        *traceback.format_exception(error),
    ]
    name = f"bug-{now:%Y%m%d-%H%M%S}.txt"
    text = _without_keys("".join(lines))
    try:
        folder = state_folder(Path.cwd()) if Path(FOLDER).is_dir() else Path(tempfile.mkdtemp(prefix="vidspec-"))
        path = folder / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="vidspec-")) / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _without_keys(text: str) -> str:
    for name, value in os.environ.items():
        if name.upper().endswith(("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and value.strip():
            text = text.replace(value.strip(), f"<{name}>")
    return text
