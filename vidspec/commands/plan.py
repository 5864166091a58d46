"""`vidspec plan FILE…`: what a render would do, what it would cost, and why."""

from __future__ import annotations

import sys
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import budget, plan_table
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console


def run(
    files: Sequence[Path],
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    detailed_exitcode: bool,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print the plans of the lists. 0; with `detailed_exitcode` 1 where there is something to do.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong.
    """
    opened, warnings = open_lists(files, variables)
    notes = console.beside(sys.stderr)
    if not quiet and not json:
        notes.diagnostics(warnings)
    values: list[dict[str, Any]] = []
    busy = False
    for one in opened:
        found = one.plan()
        slates = selected(found, chosen, left_out)
        busy = busy or any(planned.action != "keep" and planned.slate in slates for planned in found.takes)
        if json:
            values.append({"file": one.shot_list.name, **plan_table.plan_value(found, slates)})
            continue
        plan_table.print_plan(console, one.shot_list.name, found, slates, quiet=quiet)
        costs = budget.totals(planned.cost for planned in found.work if planned.slate in slates)
        for sentence in budget.excesses(one.shot_list.budget, costs):
            console.line(f"{console.paint('over budget:', 'red', 'bold')} {sentence}; a render would be refused")
    if json:
        value = values[0] if len(values) == 1 else {"lists": values}
        console.line(dumps({"vidspec_json": 1, **value}, ensure_ascii=False, indent=2))
    return 1 if detailed_exitcode and busy else 0
