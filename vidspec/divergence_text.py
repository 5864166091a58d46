"""What differs between a list and its lockfile, as a person reads it and as a program does."""

from __future__ import annotations

from difflib import SequenceMatcher
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import budget
from vidspec.console import width
from vidspec.contrast import Piece, bracketed, contrast, plain, wrapped
from vidspec.diagnostic import counted
from vidspec.difference import short
from vidspec.plan_table import amount, change_values, cost_value, prunable, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vidspec.console import Console
    from vidspec.difference import Change
    from vidspec.divergence import Divergence, Divergences
    from vidspec.lock import Cost
    from vidspec.planned import Planned

_HUES = {"changed": "yellow", "new": "green", "removed": "red", "accepted": "cyan"}
_NOTES = {
    "missing": ("missing", "yellow"),
    "changed": ("altered", "yellow"),
    "accepted": ("under way", "blue"),
    "in_doubt": ("in doubt", "red"),
    "failed": ("failed", "red"),
    "stale": ("stale", "yellow"),
    "blocked": ("blocked", "red"),
}
_STATES = {"changed": "stale", "new": "new", "accepted": "waived"}
"""What a plan calls the state of a take that is called so here, where `changed` says that bytes are others."""


def print_divergences(console: Console, name: str, lock: str, found: Divergences, columns: int) -> None:
    """Print every take that differs, with each input as it was and as it would be, in full; then the totals.

    `name` and `lock` are the names of the list and of its lockfile, `columns` is how wide a line may be.
    """
    for group in _groups(found.found):
        for line in _edit(console, group, columns):
            console.line(line)
        console.line()
    rows = list(_rows(console, found))
    if rows:
        console.rows(rows, indent="", right=(2,))
        console.line()
    for hint in (*found.hints, *prunable(found.removed, name)):
        console.line(f"{console.paint('hint:', 'cyan')} {hint}")
    console.line(verdict(name, lock, found))


def verdict(name: str, lock: str, found: Divergences) -> str:
    """One line: how many takes differ and what rendering them would cost, or that list and lockfile are in step."""
    counts = dict(found.counts)
    accepted = counts.pop("accepted", 0)
    beside = f"; {counted(accepted, 'accepted edit')}" if accepted else ""
    if not counts:
        return f"in step: {lock} records {counted(found.takes, 'take')} of {name}{beside}"
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    number = sum(counts.values())
    differ = f"{counted(number, 'take')} {'differs' if number == 1 else 'differ'}"
    return f"{name}: {differ}: {words}{beside}{_to_render(found.costs, found.costs_left)}"


def _to_render(costs: Sequence[Cost | None], left: Sequence[Cost | None]) -> str:
    """What it would cost to render what differs, and what is rendered only when that is asked for."""
    it = "it" if len(costs) + len(left) == 1 else "them"
    if not left:
        return f"; to render {it}: {sum_of(costs)}" if costs else ""
    if not costs:
        return f"; to render {it}, with `--with-dependants`: {sum_of(left)}"
    return f"; to render them: {sum_of(costs)}, and with `--with-dependants`: {sum_of([*costs, *left])}"


def _groups(found: Iterable[Divergence]) -> Iterator[list[Divergence]]:
    """The takes that have inputs to show; those with the very same changes together, where the first one stands."""
    groups: dict[str, list[Divergence]] = {}
    for one in found:
        if one.word != "new":
            alike = dumps([one.word, one.aside, one.is_left, change_values(one.changes), dict(one.origins)])
            groups.setdefault(alike, []).append(one)
    yield from groups.values()


def _edit(console: Console, group: Sequence[Divergence], columns: int) -> Iterator[str]:
    """The takes of a group, what they would cost, and each of their changes."""
    first = group[0]
    word = f"{first.word}  "
    slates = wrapped(plain(" ".join(one.slate for one in group)), max(20, columns - len(word)))
    for number, line in enumerate(slates):
        head = console.paint(word, _HUES[first.word]) if not number else " " * len(word)
        price = f"  {_price(group)}" if number == len(slates) - 1 else ""
        yield f"{head}{console.paint(line[0].text, 'bold')}{price}"
    for change in first.changes:
        yield from _change(console, change, first.origins, columns)


def _price(group: Sequence[Divergence]) -> str:
    costs = [one.cost for one in group]
    price = amount(costs[0]) if len(costs) == 1 else sum_of(costs)
    if group[0].aside:
        return f"{price}: {group[0].aside}"
    said = f"price {price}" if price == "unknown" else f"{price} to render again"
    if group[0].is_left:
        return f"{said}, with `--with-dependants`"
    return f"kept as it was rendered; {said}" if group[0].word == "accepted" else said


def _rows(console: Console, found: Divergences) -> Iterator[list[str]]:
    """A line for each take that has nothing to compare: new ones, removed ones, and what is told beside them."""
    for one in found.found:
        if one.word == "new":
            take = one.planned.take
            model = take.provider if take.provider == take.model else f"{take.provider} · {take.model}"
            about = one.aside or f"{model}, {take.mode.replace('_', ' ')}"
            yield [console.paint("new", _HUES["new"]), one.slate, amount(one.cost), about]
    for slate in found.removed:
        yield [console.paint("removed", _HUES["removed"]), slate, "", "no longer in the list; its clip is kept"]
    for note in found.notes:
        word, hue = ("moved", "blue") if _is_moved(note) else _NOTES[note.state]
        yield [console.paint(word, hue), note.slate, amount(note.cost) if note.pays else "", _note(note)]


def _is_moved(planned: Planned) -> bool:
    """Whether the list wants a clip at another place than it was rendered to."""
    output = planned.record.output if planned.record and planned.state in ("missing", "changed") else None
    return output is not None and output.path != planned.take.output


def _note(planned: Planned) -> str:
    """Why a take does not stand as it should, edits left out, and what a render does about it."""
    reasons = planned.reasons
    if planned.edited is not None:
        reasons = reasons[: len(reasons) - len(planned.changes)]
    return "; ".join((*reasons, *([_DOES[planned.action]] if planned.action in _DOES else [])))


_DOES = {
    "restore": "a render brings it back, free",
    "collect": "a render collects it, free",
    "render": "a render makes it anew",
    "wait": "a render makes it anew",
    "failed": "a render leaves it so until `--retry-failed`",
    "decide": "a person must say what became of it",
}


# --- one change --------------------------------------------------------------------------------------------


def _change(console: Console, change: Change, origins: Mapping[str, str], columns: int) -> Iterator[str]:
    """An input as it was and as it would be: on one line where both are short, else on lines of their own."""
    old, new = _said(change.old, origins), _said(change.new, origins)
    if _is_frame(change.new):
        old = [origins.get(str(change.old), old[0])]
    if old == new and change.note:
        yield f"  {change.name}: {new[0]} ({change.note})"
    elif _is_brief(change.name, old, new, columns):
        before, after = (console.paint(_text(plain(*one)), hue) for one, hue in ((old, "red"), (new, "green")))
        yield f"  {change.name}: {before} → {after}"
    elif _is_text(change.old) and _is_text(change.new):
        yield f"  {change.name}:"
        for sign, pieces in zip("-+", contrast(change.old, change.new), strict=True):
            yield from _side(console, sign, pieces, columns)
    else:
        yield f"  {change.name}:"
        yield from _items(console, old, new, columns)


def _is_brief(name: str, old: Sequence[str], new: Sequence[str], columns: int) -> bool:
    if len(old) != 1 or len(new) != 1 or "\n" in old[0] + new[0]:
        return False
    return width(f"  {name}: {old[0]} → {new[0]}") <= min(columns, _ONE_LINE)


_ONE_LINE = 76
"""Columns of a change that is still read at one glance."""


def _text(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _said(value: Any, origins: Mapping[str, str]) -> list[str]:
    """A value in full, an item a line where it has several."""
    if isinstance(value, dict) and not _is_frame(value):
        return [f"{key}: {' '.join(_said(item, origins))}" for key, item in value.items()] or ["none"]
    if isinstance(value, list):
        items = [line for item in value for line in _said(item, origins)]
        named = any(_is_frame(item) or str(item).startswith("sha256:") for item in value)
        return items if named else [", ".join(items) or "none"]
    if _is_frame(value):
        return [short(value)]
    if isinstance(value, str):
        origin = origins.get(value)
        return [f"{value} ({origin})" if origin else value if value not in _WORDS else f'"{value}"']
    return ["none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"]


_WORDS = ("", "none", "true", "false")
"""Texts that would be taken for a value that is no text."""


def _is_frame(value: Any) -> bool:
    return isinstance(value, dict) and "slate" in value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not value.startswith("sha256:")


def _items(console: Console, old: Sequence[str], new: Sequence[str], columns: int) -> Iterator[str]:
    """The lines of two values, with those that both have once."""
    for tag, low, high, from_, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            for line in old[low:high]:
                yield from _side(console, " ", plain(line), columns)
            continue
        for line in old[low:high]:
            yield from _side(console, "-", plain(line), columns)
        for line in new[from_:to]:
            yield from _side(console, "+", plain(line), columns)


_SIDES = {"-": ("red", "[-", "-]"), "+": ("green", "{+", "+}"), " ": ("dim", "", "")}


def _side(console: Console, sign: str, pieces: Sequence[Piece], columns: int) -> Iterator[str]:
    """One side of a change in lines. Words that differ are in colour where there is any, else in brackets."""
    hue, opening, closing = _SIDES[sign]
    rest = () if any(piece.differs for piece in pieces) else (hue,)
    if not console.colour:
        pieces = bracketed(pieces, opening, closing)
    for number, line in enumerate(wrapped(pieces, max(20, columns - 6))):
        head = " " if number else console.paint(sign, hue)
        body = "".join(_painted(console, one, (hue, "bold") if one.differs else rest) for one in line)
        yield f"    {head} {body}".rstrip()


def _painted(console: Console, piece: Piece, styles: Sequence[str]) -> str:
    return console.paint(piece.text, *styles) if styles else piece.text


# --- as JSON -----------------------------------------------------------------------------------------------


def divergences_value(found: Divergences) -> dict[str, Any]:
    """What `diff --json` prints of one list."""
    counts = {str(word): count for word, count in found.counts.items()}
    return {
        "takes": [
            {
                "slate": one.slate,
                "shot": one.planned.take.shot,
                "take": one.planned.take.number,
                "state": _STATES[one.word],
                "changes": change_values(one.changes),
                "cost": cost_value(one.cost),
                "accepted": one.word == "accepted",
            }
            for one in found.found
        ],
        "removed": list(found.removed),
        "notes": [{"slate": one.slate, "state": one.state, "reasons": list(one.reasons)} for one in found.notes],
        "hints": list(found.hints),
        "totals": {
            "takes": found.takes,
            **{word: counts.get(word, 0) for word in _HUES},
            "cost": budget.totals(found.costs),
            "cost_left": budget.totals(found.costs_left),
            "unknown_price": sum(1 for cost in (*found.costs, *found.costs_left) if cost is None),
        },
    }
