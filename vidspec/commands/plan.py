"""`vidspec plan FILE…`: what a render would do, what it would cost, and why."""

from __future__ import annotations

import sys
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import budget, plan_markdown, plan_table
from vidspec.errors import UsageError
from vidspec.planned import Afloat
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.planned import Plan
    from vidspec.project import Opened


def run(
    files: Sequence[Path],
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    detailed_exitcode: bool,
    dependants: bool = False,
    form: str = "text",
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print the plans of the lists. 0; with `detailed_exitcode` 1 where there is something to do.

    With `dependants` what is stale only behind another take is taken to be rendered too. `form` is `text`, or
    `markdown` for a pull request or the summary of a CI run.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong.
    """
    if json and form != "text":
        raise UsageError(f"`--format {form}` and `--json` do not go together")
    opened, warnings = open_lists(files, variables)
    notes = console.beside(sys.stderr)
    if not quiet and not json:
        notes.diagnostics(warnings)
    values: list[dict[str, Any]] = []
    busy = False
    for one in opened:
        lock, flights = one.read()
        if not quiet:
            notes.notices(lock.notices)
        found = one.plan(lock, Afloat(flights=flights, dependants=dependants))
        slates = selected(found, chosen, left_out)
        busy = busy or any(planned.action != "keep" and planned.slate in slates for planned in found.takes)
        if json:
            values.append({"file": one.shot_list.name, **plan_table.plan_value(found, slates)})
            continue
        _print(console, one, found, slates, form=form, quiet=quiet, characters=plan_markdown.LIMIT // len(opened))
    if json:
        value = values[0] if len(values) == 1 else {"lists": values}
        console.line(dumps({"vidspec_json": 1, **value}, ensure_ascii=False, indent=2))
    return 1 if detailed_exitcode and busy else 0


def _print(
    console: Console, opened: Opened, found: Plan, slates: set[str], *, form: str, quiet: bool, characters: int
) -> None:
    """Print one plan, and whether the budget allows it."""
    name = opened.shot_list.name
    costs = budget.totals(planned.cost for planned in found.work if planned.slate in slates)
    excesses = list(budget.excesses(opened.shot_list.budget, costs))
    if form == "markdown":
        console.line(plan_markdown.markdown(name, found, slates, excesses, quiet=quiet, characters=characters))
        console.line()
        return
    plan_table.print_plan(console, name, found, slates, quiet=quiet)
    for sentence in excesses:
        console.line(f"{console.paint('over budget:', 'red', 'bold')} {sentence}; a render would be refused")
