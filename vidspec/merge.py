"""Two lockfiles made one: no paid take of either is lost, and neither side counts for more than the other.

Each take is reconciled by itself; here are the takes that are chosen, by shot, and the order. Records stand as they
stand on both sides; where those differ, as on the side that has moved them, and without a base by shot and take:
the next render puts them in the order of the list. Without a base, merging commutes and associates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidspec.lock import Head, Lock, Record
from vidspec.reconcile import joined_unknown, reconciled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merged lock, and a sentence for each thing that both sides had changed, each in its own way."""

    lock: Lock
    decisions: tuple[str, ...] = ()


def merge(a: Lock, b: Lock, base: Lock | None = None) -> Merged:
    """Make one lock of two. `base` is the one that both come from: None, or an empty one, where there is none.

    Raises:
        LockError: a record cannot be read.
    """
    origin = base if base is not None and len(base) else None
    records: dict[str, Record] = {}
    said: dict[str, str] = {}
    for slate in {**dict.fromkeys(a), **dict.fromkeys(b)}:
        record, decision = reconciled(a.get(slate), b.get(slate), origin.get(slate) if origin else None)
        if record is not None:
            records[slate] = record
        if decision:
            said[slate] = f"`{slate}` {decision}"
    chosen, choices = _choices(a, b, origin)
    merged = Lock(head=_head(a.head, b.head, None if origin is None else origin.head))
    for slate in _ordered(list(a), list(b), None if origin is None else list(origin), records):
        merged.put(slate, _marked(records[slate], is_chosen=slate in chosen))
    return Merged(lock=merged, decisions=(*(said[slate] for slate in merged if slate in said), *choices))


def _head(a: Head, b: Head, former: Head | None) -> Head:
    """What the merged lockfile says of itself: the newer version, and what either has of a later release."""

    def newness(head: Head) -> tuple[list[int], str]:
        return [int(part) for part in re.findall("[0-9]+", head.version)], head.version

    unknown = joined_unknown(a.unknown, b.unknown, former.unknown if former else ())
    return Head(version=max(a, b, key=newness).version, unknown=unknown)


# --- the choice of takes ---------------------------------------------------------------------------------------


def _choices(a: Lock, b: Lock, origin: Lock | None) -> tuple[set[str], list[str]]:
    """The chosen takes of all shots; and where both sides have chosen, each another, what was decided."""
    mine, theirs, was = _chosen(a), _chosen(b), None if origin is None else _chosen(origin)
    chosen: set[str] = set()
    said = []
    for shot in sorted({*mine, *theirs}):
        ours, others = mine.get(shot, {}), theirs.get(shot, {})
        former = None if was is None else was.get(shot, {})
        if ours == others or others == former:
            chosen |= ours.keys()
        elif ours == former:
            chosen |= others.keys()
        else:
            both = {**ours, **others}
            last = max(both, key=lambda slate: (both[slate], slate))
            chosen.add(last)
            if ours and others:
                rest = ", ".join(f"`{slate}`" for slate in sorted(both) if slate != last)
                said.append(f"`{last}` was chosen on one side, {rest} on the other: `{last}` stays chosen")
    return chosen, said


def _marked(record: Record, *, is_chosen: bool) -> Record:
    return record if bool(record.chosen) == is_chosen else replace(record, chosen=is_chosen or None)


def _chosen(lock: Lock) -> dict[str, dict[str, int]]:
    """The chosen takes by shot: slates, with their numbers."""
    found: dict[str, dict[str, int]] = {}
    for slate, record in lock.items():
        if record.chosen:
            found.setdefault(record.shot, {})[slate] = record.take
    return found


# --- the order of takes ----------------------------------------------------------------------------------------


def _ordered(a: list[str], b: list[str], base: list[str] | None, records: Mapping[str, Record]) -> list[str]:
    """The slates of all records, in an order that does not depend on which side is which."""
    a, b = [slate for slate in a if slate in records], [slate for slate in b if slate in records]
    if a == b:
        return a
    by_name = sorted(records, key=lambda slate: _name(records[slate], slate))
    if base is None:
        return by_name
    return _woven(a, b, base, by_name)


def _name(record: Record, slate: str) -> tuple[Any, ...]:
    """What records are sorted by where nothing else says how: the shot, numbers in it by size, and the take."""
    parts = enumerate(re.split(r"([0-9]+)", record.shot))
    sized = [(len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (0, part) for index, part in parts]
    return sized, record.take, slate


def _woven(a: list[str], b: list[str], base: list[str], by_name: list[str]) -> list[str]:
    """Two orders in one: that of the side that has changed it, and what one side has alone behind its neighbour."""
    both = set(a) & set(b)
    ours, others, former = ([slate for slate in order if slate in both] for order in (a, b, base))
    if ours == others or others == former:
        spine = ours
    else:
        spine = others if ours == former else [slate for slate in by_name if slate in both]
    place = {slate: number for number, slate in enumerate(by_name)}
    behind = [_behind(order, both) for order in (a, b)]
    woven: list[str] = []
    for slate in (None, *spine):
        woven += () if slate is None else (slate,)
        runs = [run for side in behind if (run := side.get(slate))]
        for run in sorted(runs, key=lambda run: place[run[0]]):
            woven += run
    return woven


def _behind(order: Iterable[str], both: Collection[str]) -> dict[str | None, list[str]]:
    """What stands behind each slate that both sides have, and before the first of them."""
    found: dict[str | None, list[str]] = {}
    last: str | None = None
    for slate in order:
        if slate in both:
            last = slate
        else:
            found.setdefault(last, []).append(slate)
    return found
