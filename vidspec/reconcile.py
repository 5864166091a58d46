"""One take of which two lockfiles tell: what is known of it, and which of its renders is the record.

Where the record that both come from is known, what one side alone has changed stands. Where it is not, and where
both have changed it, no render of either is lost, and nothing looks at which side is which.

Without a base this is the join of a lattice, so that any number of records make the same one in whatever order they
meet. A record is worth what it knows: which renders there are, and of when. One that knows all that the other knows
has the last word on which of them stands first, and on the edit that was accepted for it. Where neither does, the
latest stands first. The fields of one render are joined each by itself. Only what a later release has written in a
take that was never rendered has no place in this: it goes to the first render that it meets.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec.diagnostic import shown
from vidspec.lock import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vidspec.lock import Unknown

    Key = tuple[str, str, str]
    Renders = dict[Key, Record]

_APART = ("shot", "take", "accepted", "chosen", "superseded", "unknown")
"""What a record says of its take, whichever render it is of; and what a later release says."""

_SENT = ("provider", "model", "fingerprint", "request", "seed")
"""What only makes sense together."""

_GROUPS = (_SENT, *((one.name,) for one in fields(Record) if one.name not in (*_APART, *_SENT)))
"""The fields of a render, as they are merged."""


def reconciled(a: Record | None, b: Record | None, former: Record | None) -> tuple[Record | None, str]:
    """The record of one take by two sides, None where it was removed; and a phrase for what had to be decided.

    `former` is the record that both come from. None is a side, or a base, that has no such take. Which takes are
    chosen is a matter of the whole shot: where both sides have changed the record, it is left out.
    """
    if a is None or b is None:
        lone = a or b
        if former is None or lone == former:
            return (lone if former is None else None), ""
        return lone, "was removed on one side and changed on the other: it stays"
    if a == b or former in (a, b):
        return _agreed(a, b, former), ""
    a, b = _unchosen(a), _unchosen(b)
    return (_heavier(a, b), "") if a == b else _both(a, b, former and _unchosen(former))


# --- what is known of a take -----------------------------------------------------------------------------------


class _Known(NamedTuple):
    """What one side knows of a take: its renders, that of the record first, and the edit accepted for it."""

    renders: Renders
    accepted: str | None

    @property
    def head(self) -> Key | None:
        """The render that the record is of; None for a take that was never rendered."""
        return next(iter(self.renders), None)


def _both(a: Record, b: Record, former: Record | None) -> tuple[Record, str]:
    """The record of a take that both sides have changed, or that has no record that both come from."""
    mine, theirs, was = _known(a), _known(b), None if former is None else _known(former)
    renders = dict(mine.renders)
    for key, render in theirs.renders.items():
        before = was.renders.get(key) if was else None
        renders[key] = _blended(renders[key], render, before) if key in renders else render
    order, accepted = _joined(mine, theirs, renders) if was is None else _decided(mine, theirs, was, renders)
    head, under = _head(a, b, former, renders[order[0]] if order else None), order[1:]
    shot, take = _heavier((a.shot, a.take), (b.shot, b.take))
    former_renders = tuple(replace(renders[key], shot=shot, take=take) for key in under)
    record = replace(head, shot=shot, take=take, accepted=accepted, superseded=former_renders)
    return record, _told(mine, theirs, was, renders, order[0] if order else None)


def _head(a: Record, b: Record, former: Record | None, head: Record | None) -> Record:
    """The record's own render, with what records that were never rendered say."""
    stub = _bare(former) if former is not None and not _is_render(former) else None
    for one in (a, b):
        if not _is_render(one):
            head = _bare(one) if head is None else _blended(head, _bare(one), stub)
    assert head is not None
    return head


def _known(record: Record) -> _Known:
    """What a record says, each render once; where only former ones are there, the latest stands for the take."""
    renders: Renders = {}
    for one in (record, *record.superseded):
        if _is_render(one):
            key = _key(one)
            renders[key] = _blended(renders[key], _bare(one), None) if key in renders else _bare(one)
    if not _is_render(record):
        return _Known({key: renders[key] for key in _by_time(renders)}, None)
    return _Known(renders, record.accepted)


def _is_render(record: Record) -> bool:
    return record.output is not None or record.request_id is not None or record.fingerprint is not None


def _unchosen(record: Record) -> Record:
    return replace(record, chosen=None)


def _bare(record: Record) -> Record:
    """A record as it stands under another."""
    return replace(record, accepted=None, chosen=None, superseded=())


def _key(render: Record) -> Key:
    """What two records of one render have in common: provider, request (or what was sent), and clip."""
    clip = render.output.sha256 if render.output else ""
    return render.provider or "", render.request_id or render.fingerprint or "", clip


def _rank(key: Key, renders: Renders) -> tuple[tuple[bool, str], Key]:
    return _weight((renders[key].rendered_at,)), key


def _by_time(renders: Renders) -> tuple[Key, ...]:
    """Renders, latest first."""
    return tuple(sorted(renders, key=lambda key: _rank(key, renders), reverse=True))


def _joined(mine: _Known, theirs: _Known, renders: Renders) -> tuple[tuple[Key, ...], str | None]:
    """Without a base: the order of the renders of both, the record's own first, and the record's mark.

    Whoever knows all that the other knows has the last word. Where both know the same, an order that somebody has
    made, by bringing back a former render, counts for more than the order in time.
    """
    usual, sides = _by_time(renders), (mine, theirs)
    times = [{key: _rank(key, side.renders) for key in side.renders} for side in sides]
    knowing = [one for one, other in ((0, 1), (1, 0)) if _covers(times[one], times[other])]
    claims = [(tuple(sides[one].renders), sides[one].accepted) for one in knowing] or [(usual, None)]

    def weight(claim: tuple[tuple[Key, ...], str | None]) -> tuple[bool, list[Any], tuple[bool, str]]:
        return claim[0] != usual, [_rank(key, renders) for key in claim[0]], _weight(claim[1])

    return max(claims, key=weight)


def _covers(times: Mapping[Key, Any], others: Mapping[Key, Any]) -> bool:
    return all(key in times and times[key] >= time for key, time in others.items())


def _decided(mine: _Known, theirs: _Known, was: _Known, renders: Renders) -> tuple[tuple[Key, ...], str | None]:
    """With a base: the side that has another render than the base has the last word; then the latest."""
    if mine.head == theirs.head:
        accepted = _agreed(mine.accepted, theirs.accepted, was.accepted if was.head == mine.head else None)
        winner = mine
    else:
        winner = _winner(mine, theirs, was, renders)
        accepted = winner.accepted
    rest = (key for key in _by_time(renders) if key != winner.head)
    return (() if winner.head is None else (winner.head, *rest)), accepted


def _winner(mine: _Known, theirs: _Known, was: _Known, renders: Renders) -> _Known:
    """Of two sides with different renders: the one that has one at all, and a new one, and the latest."""

    def weight(side: _Known) -> tuple[bool, bool, Any]:
        return side.head is not None, side.head != was.head, side.head and _rank(side.head, renders)

    return max(mine, theirs, key=weight)


def _told(mine: _Known, theirs: _Known, was: _Known | None, renders: Renders, head: Key | None) -> str:
    """What is said of a take that was rendered on both sides, where neither knew of the other's render."""
    heads = {one.head for one in (mine, theirs) if one.head is not None}
    is_known = mine.head in theirs.renders or theirs.head in mine.renders or (was and was.head in heads)
    if head is None or len(heads) < 2 or is_known:
        return ""
    under = sorted((_rank(key, renders), key) for key in heads if key != head)
    others = ", ".join(_named(renders[key]) for _, key in under)
    return f"was rendered on both sides: the record is {_named(renders[head])}; kept under it: {others}"


def _named(render: Record) -> str:
    name = render.request_id or (render.output.sha256 if render.output else "")
    return f"{shown(name, most=24)} of {render.rendered_at}" if render.rendered_at else shown(name, most=24)


# --- values ----------------------------------------------------------------------------------------------------


def _weight(value: Any) -> tuple[bool, str]:
    """An order of all values that looks at nothing but them; something goes before nothing."""
    parts = value if isinstance(value, tuple) else (value,)
    return any(part is not None and part != () for part in parts), repr(value)


def _heavier(a: Any, b: Any) -> Any:
    return max(a, b, key=_weight)


def _agreed(a: Any, b: Any, former: Any) -> Any:
    """What becomes of a value: what one side alone has changed stands, else the heavier of the two."""
    if a != b and former in (a, b):
        return b if a == former else a
    return _heavier(a, b)


def _blended(a: Record, b: Record, former: Record | None) -> Record:
    """Two records of one render: the same clip, though it may have been moved, or fetched twice."""
    if a == b:
        return _heavier(a, b)  # type: ignore[no-any-return]
    changes: dict[str, Any] = {}
    for group in _GROUPS:
        was = former and _fields(former, group)
        changes |= zip(group, _agreed(_fields(a, group), _fields(b, group), was), strict=True)
    return replace(a, **changes, unknown=joined_unknown(a.unknown, b.unknown, former.unknown if former else ()))


def joined_unknown(
    a: tuple[Unknown, ...], b: tuple[Unknown, ...], former: tuple[Unknown, ...]
) -> tuple[Unknown, ...]:
    """The fields of a later release, each by itself."""
    if a == b or former in (a, b):
        return b if a == former else a
    ours, others, was = ({(one.after.rpartition(".")[0], one.name): one for one in side} for side in (a, b, former))
    found = (_agreed(ours.get(key), others.get(key), was.get(key)) for key in sorted({**ours, **others}))
    return tuple(one for one in found if one is not None)


def _fields(record: Record, group: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in group)
