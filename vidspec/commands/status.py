"""`vidspec status FILE`: how every take stands, and what is recorded of it."""

from __future__ import annotations

import sys
from collections import Counter
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import counted
from vidspec.plan_table import is_accepted, is_chosen, prunable, request_id, why
from vidspec.planned import Afloat
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.lock import Lock, Record
    from vidspec.planned import Planned

_HUES = {
    "done": "green",
    "new": "blue",
    "stale": "yellow",
    "missing": "red",
    "changed": "red",
    "waiting": "yellow",
    "accepted": "blue",
    "waived": "cyan",
    "failed": "red",
    "in_doubt": "red",
    "blocked": "yellow",
}


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print the state of every take, or the counts alone. Always 0: that something is left to do is no failure.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong.
    """
    (opened,), _ = open_lists([file], variables)
    lock, flights = opened.read()
    console.beside(sys.stderr).notices(() if quiet else lock.notices)
    found = opened.plan(lock, Afloat(flights=flights))
    slates = selected(found, chosen, left_out)
    takes = [planned for planned in found.takes if planned.slate in slates]
    if json:
        states = [_value(planned, lock.get(planned.slate)) for planned in takes]
        counts = dict(Counter(planned.state for planned in takes))
        value = {"vidspec_json": 1, "takes": states, "totals": counts, "removed": list(found.removed)}
        console.line(dumps(value, ensure_ascii=False, indent=2))
        return 0
    if not quiet:
        _print_takes(console, takes, lock, Counter(planned.take.shot for planned in found.takes))
    counted_states = Counter(planned.state.replace("_", " ") for planned in takes)
    words = ", ".join(f"{count} {state}" for state, count in counted_states.items())
    console.line(f"{counted(len(takes), 'take')}: {words}")
    for slate in () if quiet else found.removed:
        console.line(f"{console.paint('removed', 'yellow')}  {slate}  no longer in the list; its clip is kept")
    for hint in () if quiet else prunable(found.removed, opened.shot_list.name):
        console.line(f"{console.paint('hint:', 'cyan')} {hint}")
    return 0


def _print_takes(console: Console, takes: Sequence[Planned], lock: Lock, counts: Mapping[str, int]) -> None:
    """A row for each take. Which is chosen is said where there is a choice: `counts` are the takes of each shot."""
    rows = []
    for planned in takes:
        record = lock.get(planned.slate)
        marked = is_chosen(record) and counts[planned.take.shot] > 1
        rows.append(
            [
                console.paint(planned.state.replace("_", " "), _HUES[planned.state]),
                f"{planned.slate}  {console.paint('chosen', 'bold')}" if marked else planned.slate,
                planned.take.provider,
                *_facts(record),
                why(planned),
            ]
        )
    console.rows(rows, indent="")


def _facts(record: Record | None) -> tuple[str, str, str]:
    """Size, length and day of what is recorded; blanks where nothing is."""
    if record is None or record.output is None:
        return "", "", ""
    output = record.output
    size = f"{output.width}x{output.height}" if output.width else ""
    length = f"{output.duration:.2f} s" if output.duration else ""
    return size, length, (record.rendered_at or "")[:10]


def _value(planned: Planned, record: Record | None) -> dict[str, Any]:
    output = record.output if record else None
    return {
        "slate": planned.slate,
        "shot": planned.take.shot,
        "take": planned.take.number,
        "state": planned.state,
        "action": planned.action,
        "reasons": list(planned.reasons),
        "accepted": is_accepted(planned),
        "chosen": is_chosen(record),
        "output": planned.take.output,
        "sha256": output.sha256 if output else None,
        "request_id": request_id(planned, record),
        "rendered_at": record.rendered_at if record else None,
    }
