"""The journal: what was sent to a provider and what came of it, written before anything else happens.

One line of JSON a move, appended and synced before the run goes on; read again from the beginning by the next run.
A last line that is cut short was never synced, so nothing was done upon it: it is taken off. It is local to this
machine, holds no key and no link, and is written small again when a run begins.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, replace
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any, Self

from vidspec.errors import JournalError
from vidspec.lock import Cost, Output, Record, Unknown
from vidspec.state import LEGAL, PASSING, Flight, IllegalMove, check
from vidspec.store import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from vidspec.lock import Lock
    from vidspec.state import Move

VERSION = 1
_HEAD = f'{{"vidspec_journal": {VERSION}}}\n'
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def read(path: Path) -> dict[str, Flight]:
    """The present life of every take that a journal knows, by slate; none where there is no journal.

    Raises:
        JournalError: it cannot be read, or is damaged elsewhere than in its last line.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {(error.strerror or str(error)).lower()}") from error
    return _replayed(data, path)


def settle(lock: Lock, flights: Mapping[str, Flight]) -> list[str]:
    """Write down in a lock what was delivered when nobody had the time to; return the slates of those takes.

    What a lockfile had once, and this one has not, is of another branch, or was undone: where the lock has a clip
    for the take, that stays its record, and the other is kept under it, since it is paid for.

    Raises:
        LockError: a record cannot be read.
    """
    delivered = (flight for flight in flights.values() if flight.move == "delivered")
    late = [flight for flight in delivered if not _is_written(flight.record, lock.get(flight.slate))]
    for flight in late:
        former = lock.get(flight.slate)
        if flight.settled and former is not None and former.rendered:
            under = replace(flight.record, chosen=None, accepted=None)
            lock.put(flight.slate, replace(former, superseded=(under, *former.superseded)))
        else:
            lock.put(flight.slate, flight.record.in_place_of(former))
    return [flight.slate for flight in late]


def _is_written(record: Record, former: Record | None) -> bool:
    """Whether a lock's record, or one under it, is that of the same request and of the same bytes."""
    known = () if former is None else (former, *former.superseded)
    return any(one.request_id == record.request_id and _bytes(one) == _bytes(record) for one in known)


def _bytes(record: Record) -> str | None:
    return record.output.sha256 if record.output else None


class Journal:
    """A journal that is open for a run. Use it as a context manager; one process at a time (`hold`)."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        """Read what is there, and write it anew without what has no more to say. Raises JournalError."""
        self._path = path
        self._now = now
        self.flights = read(path)
        self._descriptor = -1
        self._has_sent = False

    def __enter__(self) -> Self:
        self._rewrite()
        try:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        except OSError as error:
            raise self._unwritten(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what matters was synced
            os.close(self._descriptor)

    def intend(self, slate: str, record: Record, *, output: str, base_url: str) -> Flight:
        """A submit is about to be sent. Raises JournalError, and it must then not be sent.

        An intent that may not outlive a power cut is taken back: it would be a doubt about what never was sent.
        """
        before = self.flights.get(slate)
        check(before.move if before else None, "intended", slate)
        flight = Flight(
            slate=slate, move="intended", record=record, output=output, base_url=base_url, since=self._now()
        )
        end = os.fstat(self._descriptor).st_size
        try:
            self._append(_line(flight, full=True), sync=True)
        except JournalError as error:
            if self._cut(end):
                raise
            raise JournalError(f"{error}; `{slate}` was not sent, and will be in doubt all the same") from error
        self._has_sent = True
        self.flights[slate] = flight
        return flight

    def adopt(self, flight: Flight) -> Flight:
        """A request that is known from elsewhere goes on from here. Raises JournalError."""
        before = self.flights.get(flight.slate)
        check(before.move if before else None, flight.move, flight.slate)
        self._append(_line(flight, full=True), sync=True)
        self.flights[flight.slate] = flight
        return flight

    def note(self, slate: str, move: Move, **changes: str | Record | None) -> Flight:
        """A move of a take that the journal knows. Raises JournalError where it cannot be written."""
        flight = self.flights[slate].moved(move, self._now(), **changes)
        self._append(_line(flight, full="record" in changes), sync=move not in PASSING)
        self.flights[slate] = flight
        return flight

    def forget(self, slates: Iterable[str]) -> None:
        """Leave out takes whose clips the lockfile knows, when the journal is next written anew."""
        for slate in slates:
            self.flights.pop(slate, None)

    def close(self, lock: Lock) -> None:
        """Note which deliveries a lock has that was written; where that cannot be, the next run finds out."""
        for slate, flight in self.flights.items():
            if flight.move == "delivered" and _is_written(flight.record, lock.get(slate)):
                self.flights[slate] = replace(flight, settled=True)
        with suppress(JournalError):
            self._rewrite()

    def rename(self, slates: Mapping[str, str], shot: str) -> None:
        """Give takes the slates of another shot, old to new, when the journal is next written anew.

        Frames that were taken from them are renamed too; what has ended under a new slate makes way.
        """
        flights, self.flights = list(self.flights.values()), {}
        for flight in flights:
            if flight.slate in slates.values() and not flight.is_live:
                continue
            record, slate = _with_frames_of(flight.record, slates), flight.slate
            if slate in slates:
                slate, record = slates[slate], replace(record, shot=shot)
            self.flights[slate] = replace(flight, slate=slate, record=record)

    def _append(self, line: str, *, sync: bool) -> None:
        data, end = line.encode(), os.fstat(self._descriptor).st_size
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self._cut(end)  # the next line would follow upon half of this one
            raise self._unwritten(error) from error
        try:
            if sync:
                _SYNC(self._descriptor)
        except OSError as error:
            raise self._unwritten(error) from error

    def _cut(self, end: int) -> bool:
        """Take off what was written after `end`; False where that cannot be done.

        A power cut may bring it back where this cannot be synced: a doubt then, which costs nothing but a look.
        """
        try:
            os.ftruncate(self._descriptor, end)
        except OSError:
            return False
        with suppress(OSError):
            _SYNC(self._descriptor)
        return True

    def _rewrite(self) -> None:
        """The lives that there are, each in one line. A life that ended well is the lockfile's to tell."""
        try:
            with whole(self._path) as part:
                lines = (_line(flight, full=True) for flight in self.flights.values())
                part.write_text("".join((_HEAD, *lines)), encoding="utf-8")
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> JournalError:
        reason = (error.strerror or str(error)).lower()
        then = "nothing more is submitted" if self._has_sent else "nothing was submitted"
        return JournalError(f"cannot write the journal {self._path.name}: {reason}; {then}")


_SYNC = getattr(os, "fdatasync", os.fsync)


_KNOWN = ("request_id", "trace_id", "reason", "blame")
_NAMES = tuple(field.name for field in fields_of(Record) if field.name != "superseded")
_KINDS: dict[str, type[Output | Cost]] = {"output": Output, "cost": Cost}


# --- lines -----------------------------------------------------------------------------------------------


def _with_frames_of(record: Record, slates: Mapping[str, str]) -> Record:
    """A record with other names for the takes that its frames were taken from."""
    if not record.frames:
        return record
    return replace(record, frames={key: _renamed(one, slates) for key, one in record.frames.items()})


def _renamed(source: Any, slates: Mapping[str, str]) -> Any:
    slate = source.get("slate") if isinstance(source, dict) else None
    return {**source, "slate": slates.get(slate, slate)} if isinstance(slate, str) else source


def _line(flight: Flight, *, full: bool) -> str:
    fields: dict[str, Any] = {"slate": flight.slate, "move": flight.move, "since": round(flight.since, 3)}
    for name in _KNOWN:
        if (value := getattr(flight, name)) is not None:
            fields[name] = value
    if flight.settled:
        fields["settled"] = True
    if full:
        fields |= {"output": flight.output, "base_url": flight.base_url, "record": _plain(flight.record)}
    return f"{_encode(fields)}\n"


def _plain(record: Record) -> dict[str, Any]:
    found = ((name, getattr(record, name)) for name in _NAMES)
    said = {name: value for name, value in found if value not in (None, ())}
    return said | {name: asdict(said[name]) for name in _KINDS if name in said}


def _record(fields: dict[str, Any]) -> Record:
    made = dict(fields)
    for name, kind in _KINDS.items():
        if name in made:
            made[name] = kind(**made[name])
    if "output" in made:
        _check_inside(made["output"].path)
    unknown = tuple(Unknown(*one) for one in made.get("unknown", ()))
    return Record(**{**made, "defaulted": tuple(made.get("defaulted", ())), "unknown": unknown})


def _replayed(data: bytes, path: Path) -> dict[str, Flight]:
    """The lives after every whole line of a journal."""
    flights: dict[str, Flight] = {}
    for number, line in _lines(data):
        try:
            fields = json.loads(line)
            if number == 1:
                _check_version(fields, path)
            else:
                flight = _after(flights.get(fields["slate"]), fields)
                flights[flight.slate] = flight
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IllegalMove) as error:
            message = f"the journal {path} is damaged at line {number}"
            raise JournalError(f"{message}; nothing may be submitted until it is mended or moved away") from error
    return flights


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole lines, numbered from 1: what follows the last line break was never synced."""
    yield from enumerate(data.split(b"\n")[:-1], 1)


def _check_version(fields: Any, path: Path) -> None:
    version = fields["vidspec_journal"]
    if version != VERSION:
        raise JournalError(f"the journal {path} is of version {version}; this release reads {VERSION}")


def _check_inside(*names: str) -> None:
    """Raise ValueError for a name under which a clip would be put outside the project: nobody here wrote that."""
    for name in names:
        if name.startswith("/") or "\0" in name or ".." in name.split("/"):
            raise ValueError(name)


def _after(before: Flight | None, fields: dict[str, Any]) -> Flight:
    """A take's life after one line. The first line of a life, or all of one written small, names its places."""
    move: Move = fields["move"]
    if move not in LEGAL:
        raise IllegalMove(move)
    changes: dict[str, Any] = {name: fields[name] for name in _KNOWN if name in fields}
    if "record" in fields:
        changes["record"] = _record(fields["record"])
    _check_inside(fields["slate"], fields.get("output", ""))
    if before is not None and "output" not in fields:
        return before.moved(move, fields["since"], **changes)
    if before is not None or move in ("intended", "accepted"):
        check(before.move if before else None, move, fields["slate"])
    places = {name: fields[name] for name in ("slate", "output", "base_url", "since")}
    return Flight(move=move, settled=fields.get("settled") is True, **places, **changes)
