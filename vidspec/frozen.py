"""A lockfile as if it were a list: the same requests, seeds and pictures, whatever the list says by now.

The list is not read and need not exist. Accounts are those of the tables and of the environment.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vidspec import document, journal
from vidspec.continuity import clip_of
from vidspec.diagnostic import shown
from vidspec.errors import LockError, UsageError
from vidspec.ingredients import has_digest
from vidspec.lock import leads_out
from vidspec.outputs import same, unfit_output
from vidspec.project import Opened, read_lock
from vidspec.providers import PROVIDERS, table
from vidspec.resending import misshapen, unfit
from vidspec.resolve import Resolution
from vidspec.shot import SHAPE_SETTINGS, Written
from vidspec.shotlist import ShotList
from vidspec.site import Site
from vidspec.store import Store, file_digest
from vidspec.take import Frame, Input, Take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vidspec.lock import Lock, Record
    from vidspec.planned import Plan, Planned

_DIGEST = "sha256:"
_INHERITED = (*SHAPE_SETTINGS, "duration", "fps", "audio")
_NO_LIST = "vidspec: 1\nshots: []\n"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".wav", ".mp3"})
"""Names of files that may be a picture or a sound that a take was made from."""


def open_frozen(file: Path) -> Opened:
    """What a lockfile says of its takes. `file` is the list, which need not be there, or the lockfile itself.

    Raises:
        UsageError: there is no lockfile, or nothing in it has been rendered.
        LockError: it cannot be read, names a model, a setting or an output that this release cannot use, or one
            output twice.
        JournalError: the journal cannot be read.
    """
    path = file.with_suffix(".yaml") if file.suffix == ".lock" else file
    site = Site.real(path)
    if not site.has_lock:
        raise UsageError(f"there is no lockfile {site.lock.name}, and without one nothing can be had again")
    lock = read_lock(site.lock)
    journal.settle(lock, journal.read(site.journal))
    finder = _Finder(path.parent, Store(site.folder))
    takes = _inheriting([_take(slate, record, finder) for slate, record in lock.items() if record.rendered])
    if not takes:
        raise UsageError(f"nothing in {site.lock.name} has been rendered yet")
    _check_places(takes)
    return Opened(
        shot_list=_no_list(path), resolution=Resolution(takes=takes, shots={}, diagnostics=[]), frozen=True
    )


def _check_places(takes: Iterable[Take]) -> None:
    """Raise LockError where two takes name one output: each would be written over the other."""
    owners: dict[str, str] = {}
    for take in takes:
        owner = owners.setdefault(same(take.output), take.slate)
        if owner != take.slate:
            both = f"the records of `{owner}` and `{take.slate}` name one output, {shown(take.output)}"
            raise LockError(
                f"{both}; nothing was done\n    help: one of them is wrong: `git log -p` may tell which"
            )


def unsendable(work: Iterable[Planned], found: Plan, lock: Lock, store: Store) -> Iterator[str]:
    """A line for everything without which a take cannot be made as it was made before, though it would be paid for.

    A frame of a take that is itself to be made anew is another one in any case.
    """
    by_slate = {one.slate: one for one in found.takes}
    for planned in (one for one in work if one.pays):
        for sentence in unfit(planned.take):
            yield f"{planned.slate}: {sentence}"
        for given in planned.take.inputs:
            if problem := _absent(given, by_slate, lock, store):
                yield f"{planned.slate}: its {given.setting} {problem}"


def _absent(given: Input, by_slate: Mapping[str, Planned], lock: Lock, store: Store) -> str | None:
    """Why an input cannot be had as it was; None where it can."""
    if given.digest is not None:
        is_here = given.path is not None or store.holds(given.digest)
        return None if is_here else f"({given.digest}) is neither in the project nor kept"
    if given.frame is None or given.frame.of is None:
        return None
    needed = by_slate.get(given.frame.slate)
    if needed is not None and (needed.pays or clip_of(needed, lock) == given.frame.of):
        return None
    return f"is from a clip that `{given.frame.slate}` has no more, and is not kept"


def _no_list(path: Path) -> ShotList:
    """A list of nothing, at the place of one that is not read."""
    read = document.parse(_NO_LIST, path.name)
    return ShotList(path=path, name=str(path), sources=(Written(read, read.data),), entries=(), diagnostics=())


def _take(slate: str, record: Record, finder: _Finder) -> Take:
    """A take as it was sent."""
    assert record.request is not None
    assert record.output is not None
    if problem := misshapen(record):
        raise LockError(f"the record of `{slate}` {problem}")
    if problem := unfit_output(record.output.path):
        raise LockError(f"the record of `{slate}` names the output {shown(record.output.path)}, which {problem}")
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
    if (source := (record.frames or {}).get("remix_of")) is not None:
        yield Input(setting="remix_of", frame=Frame(slate=source["slate"], at=None, of=source.get("of")))


def _input(setting: str, index: int, key: str, value: str, record: Record, finder: _Finder) -> Input:
    """One picture or sound: a frame of another take, an address, or bytes by their digest."""
    source = (record.frames or {}).get(key)
    if source is not None:
        kept = value if finder.store.holds(value) else None
        frame = Frame(slate=source["slate"], at=source["at"], of=source.get("of"))
        return Input(setting=setting, index=index, frame=frame, digest=kept)
    if not value.startswith(_DIGEST):
        return Input(setting=setting, index=index, url=value)
    path = finder.path(value, (record.pictures or {}).get(key))
    return Input(setting=setting, index=index, path=path, digest=value)


def _inheriting(takes: list[Take]) -> list[Take]:
    """The takes, each remix with what its clip takes over from the one it is made from: its price hangs on that."""
    by_slate = {take.slate: take for take in takes}
    made = []
    for take in takes:
        source, seen = take, {take.slate}
        while source.mode == "remix" and "duration" not in source.request and source.needs:
            needed = by_slate.get(source.needs[0])
            if needed is None or needed.slate in seen:
                break
            source = needed
            seen.add(source.slate)
        inherited = {key: source.request[key] for key in _INHERITED if key in source.request}
        made.append(replace(take, inherited=inherited) if source is not take else take)
    return made


class _Finder:
    """Finds files by digest: where they were, kept, or anywhere in the project."""

    def __init__(self, project: Path, store: Store) -> None:
        self._project = project
        self.store = store
        self._stands: dict[tuple[str, str], bool] = {}

    def path(self, digest: str, written: str | None) -> str | None:
        """The path in the project of a file with these bytes; None where they are kept, or nowhere."""
        if written is not None and self._is_there(written, digest):
            return written
        return None if self.store.holds(digest) else self._elsewhere.get(digest)

    def _is_there(self, path: str, digest: str) -> bool:
        """Whether a file of the project has these bytes; it is read once, however many takes were made from it."""
        if (path, digest) not in self._stands:
            self._stands[path, digest] = self._is_inside(path) and has_digest(self._project / path, digest)
        return self._stands[path, digest]

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
