"""The lockfile as values: what was asked and what came back, a record for every take.

How they stand in a file is `locktext`'s business. A lock that was read from one takes its records apart only when
they are asked for, and remembers what a newer release has written and this one does not know.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from vidspec.take import slate as slate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A clip as it was delivered: bytes, and what is in them. Pixels, frames a second, seconds."""

    path: str
    sha256: str
    bytes: int
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration: float | None = None
    audio: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A price; `basis` says how sure it is (`listed`, `unsure`)."""

    amount: float
    currency: str
    basis: str = "listed"


class Unknown(NamedTuple):
    """A field that a newer release has written, kept for it where it stood.

    `after` is the known field that it was found behind, `output.bytes` for one inside a block, `output.` for the
    first of a block, and nothing for the very first. `since` is the version of the lockfile that it was found in.
    """

    name: str
    value: Any
    after: str
    since: str

    @property
    def where(self) -> tuple[str, str]:
        """The block that it stands in, empty for none, and its name."""
        return self.after.rpartition(".")[0], self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One take. Until it has been rendered only `shot` and `take` are there.

    `chosen` marks the take that goes into the cut, `accepted` an edit that somebody has said is not worth paying
    for. `frames` names the clips that frames were taken from, `pictures` the files of the project, both by input:
    `first_frame`, `references.0`. `superseded` are the former records of the take, latest first.
    """

    shot: str
    take: int
    chosen: bool | None = None
    provider: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    accepted: str | None = None
    request: Mapping[str, Any] | None = None
    defaulted: tuple[str, ...] = ()
    seed: int | None = None
    seed_rule: str | None = None
    seed_used: int | None = None
    frames: Mapping[str, Any] | None = None
    pictures: Mapping[str, str] | None = None
    vars: Mapping[str, Any] | None = None
    request_id: str | None = None
    trace_id: str | None = None
    output: Output | None = None
    rendered_at: str | None = None
    cost: Cost | None = None
    superseded: tuple[Record, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def rendered(self) -> bool:
        """Whether there is anything to compare with and to keep."""
        return self.output is not None and self.fingerprint is not None

    def as_sent(self) -> Record:
        """The record as it was before its clip came, without what is said of its take and may change until then."""
        return replace(self, output=None, superseded=(), request_id=None, chosen=None, accepted=None)

    def superseding(self, former: Record | None) -> Record:
        """This record, with a former one of the same take kept under it.

        That a take was chosen is said of the take, and goes on; that an edit was accepted ends with its record.
        What a later release says of a take that has no clip goes on with the first that it has.
        """
        if former is None:
            return self
        chosen, under, unknown = self.chosen or former.chosen, former.superseded, self.unknown
        if former.rendered:
            under = (replace(former, superseded=(), chosen=None, accepted=None), *under)
        else:
            told = {one.where for one in unknown}
            unknown += tuple(one for one in former.unknown if one.where not in told)
        return replace(self, chosen=chosen, superseded=under, unknown=unknown)

    def in_place_of(self, former: Record | None) -> Record:
        """This record, in place of one of the same take that may be of the same request, or the same render.

        A render stands under no second one of it. An edit that was accepted stays so where just what was sent
        before was sent, or fetched, once more: the edit has still not been rendered.
        """
        if former is None:
            return self
        under = tuple(one for one in former.superseded if not self._is_again(one))
        made = self.superseding(replace(former, superseded=under))
        same = (self.provider, self.fingerprint) == (former.provider, former.fingerprint)
        return replace(made, accepted=former.accepted) if same else made

    def _is_again(self, other: Record) -> bool:
        """Whether both are of one request at a provider, and of one clip that came of it."""
        ours, theirs = (
            (one.provider, one.request_id, one.output.sha256 if one.output else None) for one in (self, other)
        )
        return self.request_id is not None and ours == theirs


class Glance(NamedTuple):
    """What tells whether a take is finished, without reading all of its record."""

    fingerprint: str
    path: str
    sha256: str
    bytes: int


class Source(Protocol):
    """The text that a lock was read from; `texts` are the lines of each record, by slate."""

    texts: Mapping[str, str]

    def record(self, slate: str) -> Record:
        """One record, taken apart. Raises LockError for one that cannot be read."""

    def glance(self, slate: str) -> Glance | None:
        """The fields of a finished take that a plan compares; None for a take that is not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a lockfile says of itself: its version as it is written, and what this release does not know."""

    version: str = "1"
    unknown: tuple[Unknown, ...] = ()


_HEAD = Head()


class Lock:
    """All records, by slate, in the order of the list.

    A record that was read from text is taken apart only when it is asked for, and written back as it was read:
    a plan over ten thousand finished takes looks at four fields of each. `notices` are what a person should be
    told of the file, each a sentence that begins with its name.
    """

    def __init__(
        self,
        records: Mapping[str, Record] | None = None,
        *,
        source: Source | None = None,
        head: Head = _HEAD,
        notices: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._texts = {} if source is None else dict(source.texts)
        self._records: dict[str, Record | None] = {**dict.fromkeys(self._texts), **(records or {})}
        self.head = head
        self.notices = tuple(notices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lock) and self.head == other.head and list(self.items()) == list(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __contains__(self, slate: object) -> bool:
        return slate in self._records

    def get(self, slate: str) -> Record | None:
        """The record of a take, None where there is none. Raises LockError for one that cannot be read."""
        if slate not in self._records:
            return None
        record = self._records[slate]
        if record is None and self._source is not None:
            record = self._records[slate] = self._source.record(slate)
        return record

    def items(self) -> Iterator[tuple[str, Record]]:
        """Every slate with its record."""
        for slate in self._records:
            record = self.get(slate)
            assert record is not None
            yield slate, record

    def glance(self, slate: str) -> Glance | None:
        """The fields of a finished take that a plan compares; None for a take that is not finished."""
        record = self._records.get(slate)
        if record is None and self._source is not None and slate in self._records:
            return self._source.glance(slate)
        if record is None or record.output is None or record.fingerprint is None:
            return None
        return Glance(record.fingerprint, record.output.path, record.output.sha256, record.output.bytes)

    def put(self, slate: str, record: Record) -> None:
        """Set the record of one take; a new one goes to the end."""
        self._records[slate] = record
        self._texts.pop(slate, None)

    @property
    def version(self) -> str:
        """The version that the lock is written with: its own, or that of the newest field that it keeps."""
        held = (record for record in self._records.values() if record is not None)
        kept = (one[-1] for record in held for each in (record, *record.superseded) for one in each.unknown)
        return max((self.head.version, *kept), key=_newness)

    def text(self, slate: str, write: Callable[[Record], str]) -> str:
        """The lines of one record: as they were read, else as `write` writes them, which it is asked for once."""
        found = self._texts.get(slate)
        record = self._records[slate]
        if found is None and record is not None:
            found = self._texts[slate] = write(record)
        return found or ""

    def shots(self) -> list[str]:
        """The ids of the shots that have records, each once."""
        return list(dict.fromkeys(record.shot for _, record in self.items()))

    def renamed(self, old: str, new: str) -> Lock:
        """The lock with the records of one shot under another id, and with the frames taken from them renamed too.

        Records of the new id that have not been rendered make way.
        """
        slates = {name: slate_of(new, record.take) for name, record in self.items() if record.shot == old}
        renamed = Lock(head=self.head, notices=self.notices)
        for name, record in self.items():
            if record.shot == new and not record.rendered:
                continue
            shot = new if name in slates else record.shot
            former = tuple(_renamed_record(one, shot, slates) for one in record.superseded)
            record = replace(_renamed_record(record, shot, slates), superseded=former)
            renamed.put(slates.get(name, name), record)
        return renamed

    def laid_out(self, takes: Iterable[tuple[str, str, int]]) -> Lock:
        """The lock with a record for every take (slate, shot, number), in their order.

        Records of takes that the list no longer has stay, each behind the one it stood behind.
        """
        wanted = {slate: (shot, number) for slate, shot, number in takes}
        followers: dict[str | None, list[str]] = {}
        previous: str | None = None
        for slate in self._records:
            if slate in wanted:
                previous = slate
            elif self.glance(slate) or ((record := self.get(slate)) and record.superseded):
                followers.setdefault(previous, []).append(slate)
        ordered = list(followers.get(None, ()))
        for slate in wanted:
            ordered += (slate, *followers.get(slate, ()))
        laid_out = Lock(head=self.head, notices=self.notices)
        laid_out._source = self._source
        for slate in ordered:
            if slate in self._records:
                laid_out._records[slate] = self._records[slate]
            else:
                shot, number = wanted[slate]
                laid_out._records[slate] = Record(shot=shot, take=number)
        laid_out._texts = {slate: text for slate, text in self._texts.items() if slate in laid_out._records}
        return laid_out


def _newness(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", version))


def _renamed_record(record: Record, shot: str, slates: Mapping[str, str]) -> Record:
    """A record of a shot by its id now, with frames of renamed takes by their names now."""
    frames = record.frames and {key: _renamed_frame(source, slates) for key, source in record.frames.items()}
    return replace(record, shot=shot, frames=frames)


def _renamed_frame(source: Any, slates: Mapping[str, str]) -> Any:
    if isinstance(source, dict) and source.get("slate") in slates:
        return {**source, "slate": slates[source["slate"]]}
    return source


def leads_out(path: str) -> bool:
    """Whether a path of an output is none inside the project folder, by its name alone."""
    if path.startswith("/") or "\\" in path or "\0" in path:
        return True
    place = posixpath.normpath(path)
    return place in (".", "..") or place.startswith("../")
