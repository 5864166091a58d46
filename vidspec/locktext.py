"""Lockfiles as text: read and written, and, where one cannot be read, the place and the reason.

A text in the form in which `dump` writes is taken apart by `lockscan`. Any other (an editor's hand, a merge, a
newer release) goes to the YAML loader, which reads the same and knows where everything stands.

`vidspec_lock` is name and version. Another major version is refused. A newer minor one (`1.3`) may have fields that
this release does not know, and nothing else that is new: it is read, and they are kept where they stand.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from vidspec import document, lockform, lockscan, schema
from vidspec.diagnostic import in_order, listed, shown
from vidspec.errors import LockError, ShotListError
from vidspec.lock import Cost, Head, Lock, Output, Record, Unknown, leads_out
from vidspec.take import slate as slate_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from vidspec.diagnostic import Diagnostic
    from vidspec.document import Document, Place
    from vidspec.lock import Glance

MAJOR = 1
_BEGINNING = f"vidspec_lock: {MAJOR}\ntakes:\n"
_EMPTY = f"vidspec_lock: {MAJOR}\ntakes: {{}}\n"
_EARLIER = "bring an earlier one back, such as the one that was committed"
_LEADS_NOWHERE = (
    "it is a link, and what it leads to is not there\n"
    "    help: take the link away where there is no lockfile yet; a drive that is not mounted looks the same"
)
_HEAD_HELP = f"a lockfile begins with `vidspec_lock: {MAJOR}` and `takes:`; {_EARLIER}"


def dump(lock: Lock) -> str:
    """The text of a lock."""
    takes = "".join([f"  {slate}:\n{lock.text(slate, lockform.lines)}" for slate in lock])
    found = {
        "vidspec_lock": f"vidspec_lock: {lock.version}\n",
        "takes": f"takes:\n{takes}" if takes else "takes: {}\n",
    }
    return lockform.woven(found, found, lock.head.unknown, "")


def read(path: Path) -> Lock:
    """A lockfile from disk, an empty lock where there is none.

    Raises:
        LockError: it cannot be read, is a link that leads nowhere, or is no lockfile that this release reads.
    """
    name = path.name
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise LockError(f"cannot read the lockfile {name}: something else stands there, not a file")
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.path.lexists(path):
            raise LockError(f"cannot read the lockfile {name}: {_LEADS_NOWHERE}") from error
        return Lock()
    except OSError as error:
        raise LockError(f"cannot read the lockfile {name}: {(error.strerror or str(error)).lower()}") from error
    try:
        return parse(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        place = document.Document(name, good, None, {}, 0).at(len(good))
        what = f"not UTF-8 text: can't decode byte 0x{data[error.start]:02x}"
        raise _error(name, place, what, f"save it as UTF-8, or {_EARLIER}") from error


def parse(text: str, name: str) -> Lock:
    """Read a lockfile that the user calls `name`. A byte order mark and the line ends of Windows do no harm.

    Raises:
        LockError: with the place and the reason, for anything that is no lockfile of this version.
    """
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if text == _EMPTY:
        return Lock()
    found = lockscan.entries(text, len(_BEGINNING)) if text.startswith(_BEGINNING) else None
    if found is None or not found.texts:
        return _by_yaml(text, name)
    return Lock(source=_Written(found.texts, name), notices=_shared(found.shared, name))


def _error(name: str, place: Place | tuple[int, int], what: str, advice: str) -> LockError:
    line, column = place
    return LockError(f"{name}:{line}:{column}: {what}{f'; {advice}' if advice else ''}")


def _shared(shared: Mapping[str, Collection[str]], name: str) -> list[str]:
    """What to say of records that name one output: the list may have changed, so both may be right."""
    return [
        f"{name}: {listed(slates)} name one output, {shown(path)}; only one of the clips can be there"
        for path, slates in shared.items()
    ]


class _Written:
    """A text in the form in which it is written: the source of a lock whose records are read when needed."""

    def __init__(self, texts: Mapping[str, str], name: str) -> None:
        self.texts = texts
        self._name = name

    def record(self, slate: str) -> Record:
        """One record. Raises LockError where a value in it is none after all."""
        found = lockscan.record(self.texts[slate])
        return found if found is not None and _is_sound(found) else self._records[slate]

    def glance(self, slate: str) -> Glance | None:
        """What a plan compares of one record."""
        return lockscan.glance(self.texts[slate])

    @cached_property
    def _records(self) -> dict[str, Record]:
        text = "".join([_BEGINNING, *(f"  {slate}:\n{lines}" for slate, lines in self.texts.items())])
        return dict(_by_yaml(text, self._name).items())


def _is_sound(record: Record) -> bool:
    """Whether the requests of a record and of those under it are as they must be: `lockscan` takes any values."""
    is_request = schema.accepts("lock", "request")
    return all(is_request(one.request or {}) for one in (record, *record.superseded))


# --- by the YAML loader --------------------------------------------------------------------------------------

_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)( |$)", re.MULTILINE)
_TOP = re.compile(r"""(?:[ \t]*(?:#.*)?\n|---[ \t]*\n)*["']?vidspec_lock["']?:[ \t]+(?=\S)""")
_VERSION = re.compile(r"""(["']?)([0-9]{1,9})(?:\.([0-9]{1,9}))?\1(?![^\s,}])""")
_RENDERED = ("provider", "model", "fingerprint", "request", "output")
"""What a record has from the moment that its take has been rendered: all of it, or none."""
_BARE = frozenset({"shot", "take", "chosen", "superseded"})
_ABOVE = frozenset({"shot", "take", "superseded"})
_INTEGERS = frozenset({"take", "seed", "seed_used", "bytes", "width", "height"})


def _by_yaml(text: str, name: str) -> Lock:
    """A lock from a text of any form. Raises LockError."""
    bare = document.Document(name, text, None, {}, 0)
    _refuse_broken(bare)
    try:
        read = document.parse(text, name)
    except ShotListError as error:
        found = error.diagnostics[0]
        if found.code == "E104":
            raise _error(name, (1, 1), _IS_EMPTY, _EARLIER) from error
        what = found.message if found.code == "E106" else f"not a lockfile: {found.message}"
        raise _error(name, (found.line, found.column), what, found.help) from error
    return _Reading(read).lock()


_IS_EMPTY = "the lockfile is empty"


def _refuse_broken(bare: Document) -> None:
    """What no loader need be asked about: the marks of a merge, another version, and a file that was cut off."""
    text, name = bare.text, bare.name
    if not text.strip():
        raise _error(name, (1, 1), _IS_EMPTY, _EARLIER)
    if conflict := _CONFLICT.search(text):
        what = "the lockfile holds the marks of a merge conflict"
        advice = "resolve it first, or join both sides with `vidspec lock merge`"
        raise _error(name, bare.at(conflict.start()), what, advice)
    if (top := _TOP.match(text)) and (version := _VERSION.match(text, top.end())):
        _refuse_other_major(version, bare)
    if not text.endswith("\n"):
        what = "the lockfile is cut short: its last line has no end"
        raise _error(name, bare.at(len(text)), what, _EARLIER)


def _refuse_other_major(version: re.Match[str], read: Document) -> None:
    if int(version[2]) != MAJOR:
        what = f"the lockfile is of version {version[0]}; this release reads {MAJOR}"
        advice = "upgrade vidspec" if int(version[2]) > MAJOR else _EARLIER
        raise _error(read.name, read.at(version.start()), what, advice)


class _Reading:
    """One reading of a document that should be a lockfile."""

    def __init__(self, read: Document) -> None:
        self._read = read
        self._unknown: dict[int, tuple[Unknown, ...]] = {}

    def lock(self) -> Lock:
        """The lock. Raises LockError."""
        version = self._newer_version()
        head = Head(version=version, unknown=self._take_out_unknown(version)) if version else Head()
        problem = self._first_problem()
        if problem is not None:
            self._fail((problem.line, problem.column), problem.message, problem.help)
        takes = self._read.data["takes"]
        records = {slate: self._record(takes, slate) for slate in takes}
        notices = [self._notice(version)] if version else []
        return Lock(records, head=head, notices=[*notices, *_shared(_by_output(records), self._read.name)])

    def _fail(self, place: Place | tuple[int, int], what: str, advice: str) -> NoReturn:
        raise _error(self._read.name, place, what, advice)

    # versions

    def _newer_version(self) -> str | None:
        """The version as it is written, where it is newer than this release and yet to be read; else None."""
        data = self._read.data
        if not isinstance(data, dict) or "vidspec_lock" not in data:
            return None
        version = _VERSION.match(self._read.text, self._read.offset(data, "vidspec_lock"))
        if version is None:
            return None
        _refuse_other_major(version, self._read)
        return version[0] if int(version[3] or 0) > 0 else None

    def _notice(self, version: str) -> str:
        line, column = self._read.value_place(self._read.data, "vidspec_lock")
        what = f"the lockfile is of version {version}; this release knows {MAJOR}, and keeps what is new in it"
        return f"{self._read.name}:{line}:{column}: {what}; upgrade vidspec to use that"

    def _take_out_unknown(self, version: str) -> tuple[Unknown, ...]:
        """Take out everything that this release does not know, and the newer version too; return what was above."""
        data = self._read.data
        data["vidspec_lock"] = MAJOR
        takes = data.get("takes")
        for fields in takes.values() if isinstance(takes, dict) else ():
            self._note_unknown(fields, "record", version)
            formers = fields.get("superseded") if isinstance(fields, dict) else None
            for former in formers if isinstance(formers, list) else ():
                self._note_unknown(former, "former", version)
        return _taken_out(data, schema.WHOLE, version)

    def _note_unknown(self, fields: Any, part: str, version: str) -> None:
        if isinstance(fields, dict) and id(fields) not in self._unknown:
            found = _taken_out(fields, part, version)
            for block in ("output", "cost"):
                found += _taken_out(fields.get(block), block, version, f"{block}.")
            self._unknown[id(fields)] = found

    # what is in it

    def _first_problem(self) -> Diagnostic | None:
        """The first thing in the file that the schema does not allow."""
        data = self._read.data
        if schema.accepts("lock", schema.WHOLE)(data):
            return None
        is_record = schema.accepts("lock", "record")
        takes: Any = data.get("takes") if isinstance(data, dict) else None
        for slate in takes if isinstance(takes, dict) else ():
            if not is_record(takes[slate]):
                return in_order(schema.problems("lock", "record", self._read, takes, slate))[0]
        found = in_order(schema.problems("lock", schema.WHOLE, self._read, None, None))[0]
        return found if found.code in ("E201", "E207") else replace(found, help=_HEAD_HELP)

    def _record(self, takes: Mapping[str, Any], slate: str) -> Record:
        fields, place = takes[slate], self._read.key_place(takes, slate)
        shot, take = fields["shot"], int(fields["take"])
        right, who = slate_of(shot, take), f"take {take} of `{shot}`"
        if slate != right:
            advice = f"that is `{right}`: mend the one or the other"
            self._fail(place, f"{shown(slate)} is the record of {who}", advice)
        under = [self._values(one, f"a former record of {who}", place) for one in fields.get("superseded", ())]
        former = tuple(Record(shot=shot, take=take, **values) for values in under)
        values = self._values(fields, f"the record of {who}", place)
        return Record(shot=shot, take=take, superseded=former, **values)

    def _values(self, fields: Mapping[str, Any], which: str, place: Place) -> dict[str, Any]:
        """What a record is made of, current or former, but for whose it is. `place` is that of its slate."""
        missing = [name for name in _RENDERED if name not in fields]
        if missing and not fields.keys() <= _BARE:
            what = f"{which} is cut short in the lockfile: it has no {', '.join(missing)}"
            self._fail(place, what, _EARLIER)
        values = {name: value for name, value in _whole(fields).items() if name not in _ABOVE}
        if "output" in values:
            values["output"] = output = Output(**_whole(values["output"]))
            if leads_out(output.path):
                what = f"{which} names a clip outside the project folder: {shown(output.path)}"
                self._fail(self._read.value_place(fields["output"], "path"), what, "clips stand inside it")
        if "cost" in values:
            values["cost"] = Cost(**values["cost"])
        if "defaulted" in values:
            values["defaulted"] = tuple(values["defaulted"])
        if "chosen" in values:
            values["chosen"] = values["chosen"] or None
        return {**values, "unknown": self._unknown.get(id(fields), ())}


def _whole(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with whole numbers as such: other programs write 7.0 for 7."""
    return {name: int(value) if name in _INTEGERS else value for name, value in fields.items()}


def _taken_out(fields: Any, part: str, version: str, before: str = "") -> tuple[Unknown, ...]:
    """Take out of a mapping what a part of the schema does not know, and note behind what each stood."""
    if not isinstance(fields, dict):
        return ()
    known = schema.definition("lock", part)["properties"]
    found, after = [], before
    for name in list(fields):
        if name in known:
            after = f"{before}{name}"
        else:
            found.append(Unknown(name, fields.pop(name), after, version))
    return tuple(found)


def _by_output(records: Mapping[str, Record]) -> dict[str, list[str]]:
    """By path the slates of records that name one output."""
    slates: dict[str, list[str]] = {}
    for slate, record in records.items():
        if record.output is not None:
            slates.setdefault(record.output.path, []).append(slate)
    return {path: some for path, some in slates.items() if len(some) > 1}
