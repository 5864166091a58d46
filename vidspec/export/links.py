"""How a file of ours names the clips: by where they stand from itself, so that both can be moved together."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

__all__ = ["Links"]


class Links:
    """Addresses of clips for one exported file.

    They are relative unless `absolute`: such a file is the same on every machine, may be kept under version
    control, and goes wherever the project folder goes. Some programs only open absolute ones by themselves.
    """

    def __init__(self, target: Path, *, absolute: bool) -> None:
        self._folder = target.parent.resolve()
        self._absolute = absolute

    def path(self, clip: Path) -> str:
        """The path of a clip, with slashes."""
        place = clip.parent.resolve() / clip.name
        return place.as_posix() if self._absolute else Path(os.path.relpath(place, self._folder)).as_posix()

    def url(self, clip: Path) -> str:
        """The same as a URL."""
        path = quote(self.path(clip).encode("utf-8", "surrogateescape"))
        return f"file://{path}" if self._absolute else path
