"""The project folder: the files that a shot list names, and the ones that vidspec keeps beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vidspec.diagnostic import nearest, shown
from vidspec.errors import MediaError
from vidspec.fingerprint import digest
from vidspec.stills import Fault, SoundFile

if TYPE_CHECKING:
    from vidspec.picture import Picture

_INSIDE = "files stand inside the project folder, and are named from there with `/`"
_SOUNDS = (b"RIFF", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"fLaC", b"OggS")
_MAX_SOUND = 2**30


class ProjectFolder:
    """A folder whose files are looked at once each. Nothing outside of it is ever opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pictures: dict[str, Picture | Fault] = {}
        self._sounds: dict[str, SoundFile | Fault] = {}

    def picture(self, path: str) -> Picture | Fault:
        """A picture by its path from the folder, or why it cannot be used."""
        if path not in self._pictures:
            self._pictures[path] = self._look(path)
        return self._pictures[path]

    def sound(self, path: str) -> SoundFile | Fault:
        """A sound file by its path from the folder, or why it cannot be used."""
        if path not in self._sounds:
            self._sounds[path] = self._listen(path)
        return self._sounds[path]

    def _look(self, path: str) -> Picture | Fault:
        place = self._place(path)
        if isinstance(place, Fault):
            return place
        from vidspec.picture import look

        try:
            return look(place, path)
        except MediaError as error:
            return Fault("E503", str(error), "put a PNG, JPEG or WebP picture there")

    def _listen(self, path: str) -> SoundFile | Fault:
        place = self._place(path)
        if isinstance(place, Fault):
            return place
        try:
            data = place.read_bytes()[: _MAX_SOUND + 1]
        except OSError as error:
            return Fault("E501", f"cannot read `{path}`: {(error.strerror or str(error)).lower()}", "")
        if not data.startswith(_SOUNDS):
            return Fault("E503", f"`{path}` is no sound file", "put an MP3 or WAV file there")
        return SoundFile(len(data), digest(data))

    def _place(self, path: str) -> Path | Fault:
        """Where a file stands, after links: inside the folder, there, and a file."""
        try:
            place = (self.root / path).resolve()
            inside = place.is_relative_to(self.root.resolve()) and not Path(path).is_absolute()
        except (OSError, ValueError, RuntimeError) as error:
            return Fault("E501", f"cannot look for {shown(path)}: {error}", _INSIDE)
        if not inside:
            return Fault("E502", f"`{path}` is outside the project folder", _INSIDE)
        try:
            if not place.exists():
                return Fault("E501", f"there is no file `{path}`", self._nearest(path))
            if not place.is_file():
                what = "a directory" if place.is_dir() else "no file with bytes of its own"
                return Fault("E501", f"`{path}` is {what}", "name a file")
        except OSError as error:
            return Fault("E501", f"cannot look for `{path}`: {(error.strerror or str(error)).lower()}", "")
        return place

    def _nearest(self, path: str) -> str:
        folder = (self.root / path).parent
        names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  (names, not paths)
        near = nearest(Path(path).name, names)
        return f"the nearest is `{(Path(path).parent / near).as_posix()}`" if near else _INSIDE
