"""A lockfile as if it were a list: the same requests, seeds and pictures, whatever the list says by now.

The list is not read and need not exist. Accounts are those of the tables and of the environment.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidspec import document
from vidspec.errors import LockError, UsageError
from vidspec.ingredients import has_digest
from vidspec.lock import leads_out
from vidspec.project import Opened, read_lock
from vidspec.providers import PROVIDERS, table
from vidspec.resolve import Resolution
from vidspec.shot import Written
from vidspec.shotlist import ShotList
from vidspec.site import Site
from vidspec.store import Store, file_digest
from vidspec.take import Frame, Input, Take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidspec.lock import Record
    from vidspec.planned import Planned

_DIGEST = "sha256:"
_NO_LIST = "vidspec: 1\nshots: []\n"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".wav", ".mp3"})
"""Names of files that may be a picture or a sound that a take was made from."""


def open_frozen(file: Path) -> Opened:
    """What a lockfile says of its takes. `file` is the list, which need not be there, or the lockfile itself.

    Raises:
        UsageError: there is no lockfile, or nothing in it has been rendered.
        LockError: it cannot be read, or names a model that no table has.
    """
    path = file.with_suffix(".yaml") if file.suffix == ".lock" else file
    site = Site.real(path)
    if not site.lock.exists():
        raise UsageError(f"there is no lockfile {site.lock.name}, and without one nothing can be had again")
    lock = read_lock(site.lock)
    finder = _Finder(path.parent, Store(site.folder))
    takes = [_take(slate, record, finder) for slate, record in lock.items() if record.rendered]
    if not takes:
        raise UsageError(f"nothing in {site.lock.name} has been rendered yet")
    return Opened(
        shot_list=_no_list(path), resolution=Resolution(takes=takes, shots={}, diagnostics=[]), frozen=True
    )


def missing_inputs(work: Iterable[Planned], store: Store) -> Iterator[str]:
    """A line for every picture or sound that a take would be made from once more, and that is not to be found."""
    for planned in work:
        for given in planned.take.inputs if planned.pays else ():
            if given.digest is not None and given.path is None and not store.holds(given.digest):
                yield f"{planned.slate}: its {given.setting} ({given.digest}) is neither in the project nor kept"


def _no_list(path: Path) -> ShotList:
    """A list of nothing, at the place of one that is not read."""
    read = document.parse(_NO_LIST, path.name)
    return ShotList(path=path, name=str(path), sources=(Written(read, read.data),), entries=(), diagnostics=())


def _take(slate: str, record: Record, finder: _Finder) -> Take:
    """A take as it was sent."""
    assert record.request is not None
    assert record.output is not None
    provider, model, request = record.provider or "", record.model or "", dict(record.request)
    known = provider in PROVIDERS and model in table(provider).models
    if not known or request.get("mode") not in table(provider).models[model].capabilities:
        raise LockError(f"the record of `{slate}` names `{provider}` and `{model}`, which this release cannot use")
    return Take(
        slate=slate,
        shot=record.shot,
        number=record.take,
        scene=None,
        tags=(),
        provider=provider,
        model=model,
        mode=request["mode"],
        request=request,
        defaulted=frozenset(record.defaulted),
        seed=record.seed,
        seed_rule=record.seed_rule or "none",  # type: ignore[arg-type]
        inputs=tuple(_inputs(record, finder)),
        output=record.output.path,
        variables=dict(record.vars or {}),
    )


def _inputs(record: Record, finder: _Finder) -> Iterator[Input]:
    for setting in ("first_frame", "last_frame", "audio"):
        value = (record.request or {}).get(setting)
        if isinstance(value, str):
            yield _input(setting, 0, setting, value, record, finder)
    for index, value in enumerate((record.request or {}).get("references", ())):
        yield _input("references", index, f"references.{index}", value, record, finder)
    source = _source(record, "remix_of")
    if source is not None:
        yield Input(setting="remix_of", frame=Frame(slate=source["slate"], at=None))


def _input(setting: str, index: int, key: str, value: str, record: Record, finder: _Finder) -> Input:
    """One picture or sound: a frame of another take, an address, or bytes by their digest."""
    source = _source(record, key)
    if source is not None:
        kept = value if finder.store.holds(value) else None
        frame = Frame(slate=source["slate"], at=source["at"], of=source.get("of"))
        return Input(setting=setting, index=index, frame=frame, digest=kept)
    if not value.startswith(_DIGEST):
        return Input(setting=setting, index=index, url=value)
    path = finder.path(value, (record.pictures or {}).get(key))
    return Input(setting=setting, index=index, path=path, digest=value)


def _source(record: Record, key: str) -> dict[str, Any] | None:
    """What a record says of the clip that an input was taken from; None where it says nothing that makes sense."""
    source = (record.frames or {}).get(key)
    whole = isinstance(source, dict) and "slate" in source and (key == "remix_of" or "at" in source)
    return source if whole else None


class _Finder:
    """Finds files by digest: where they were, kept, or anywhere in the project."""

    def __init__(self, project: Path, store: Store) -> None:
        self._project = project
        self.store = store

    def path(self, digest: str, written: str | None) -> str | None:
        """The path in the project of a file with these bytes; None where they are kept, or nowhere."""
        if written is not None and self._is_inside(written) and has_digest(self._project / written, digest):
            return written
        return None if self.store.holds(digest) else self._elsewhere.get(digest)

    def _is_inside(self, path: str) -> bool:
        """Whether a path leads to a file of the project, also where links are followed."""
        inside = not leads_out(path)
        return inside and (self._project / path).resolve().is_relative_to(self._project.resolve())

    @cached_property
    def _elsewhere(self) -> dict[str, str]:
        """The pictures and sounds of the project, by digest."""
        found: dict[str, str] = {}
        for folder, folders, names in os.walk(self._project):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                place = Path(folder, name)
                if place.suffix.lower() in _SUFFIXES and place.is_file():
                    found.setdefault(file_digest(place), place.relative_to(self._project).as_posix())
        return found
