"""`vidspec plan FILE…`: what a render would do, what it would cost, and why."""

from __future__ import annotations

import sys
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import budget, chains, graph_text, plan_markdown, plan_table
from vidspec.chains import Web
from vidspec.errors import UsageError
from vidspec.planned import Afloat
from vidspec.project import open_lists, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
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
    graph: str | None = None,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print the plans of the lists. 0; with `detailed_exitcode` 1 where there is something to do.

    With `dependants` what is stale only behind another take is taken to be rendered too. `form` is `text`, or
    `markdown` for a pull request or the summary of a CI run. `graph` draws what is made from what instead of a
    table: as `text`, or as `mermaid` and nothing else beside it; in Markdown it is a diagram below the plan.

    Raises:
        ShotListError, LockError, UsageError: the input is wrong.
    """
    _refuse_contradictions(form, graph, json=json)
    opened, warnings = open_lists(files, variables)
    notes = console.beside(sys.stderr)
    if not quiet and not json:
        notes.diagnostics(warnings)
    values: list[dict[str, Any]] = []
    webs: list[tuple[str, Web]] = []
    busy = False
    for one in opened:
        lock, flights = one.read()
        if not quiet:
            notes.notices(lock.notices)
        found = one.plan(lock, Afloat(flights=flights, dependants=dependants))
        slates = selected(found, chosen, left_out)
        busy = busy or any(planned.action != "keep" and planned.slate in slates for planned in found.takes)
        is_left = any(planned.is_left for planned in found.takes)
        thorough = one.plan(lock, Afloat(flights=flights, dependants=True)) if is_left else None
        web = Web(found, slates, thorough)
        webs.append((one.shot_list.name, web))
        if json:
            values.append(
                {"file": one.shot_list.name, **plan_table.plan_value(found, slates, lock), "graph": web.value()}
            )
        elif form == "markdown":
            _print_markdown(console, one, web, graph=graph, quiet=quiet, lists=len(opened))
        elif graph != "mermaid":
            _print(console, one, web, graph=graph, quiet=quiet)
    if graph == "mermaid" and form == "text":
        _print_diagram(console, notes, webs, quiet=quiet)
    if json:
        value = values[0] if len(values) == 1 else {"lists": values}
        console.line(dumps({"vidspec_json": 1, **value}, ensure_ascii=False, indent=2))
    return 1 if detailed_exitcode and busy else 0


def _refuse_contradictions(form: str, graph: str | None, *, json: bool) -> None:
    if json and form != "text":
        raise UsageError(f"`--format {form}` and `--json` do not go together")
    if json and graph is not None:
        raise UsageError("`--graph` and `--json` do not go together: what `--json` prints has the graph in it")


def _excesses(opened: Opened, web: Web) -> list[str]:
    """What the budget has against a plan."""
    costs = budget.totals(one.cost for one in web.plan.work if one.slate in web.slates)
    return list(budget.excesses(opened.shot_list.budget, costs))


def _print(console: Console, opened: Opened, web: Web, *, graph: str | None, quiet: bool) -> None:
    """Print one plan, and whether the budget allows it."""
    drawing = graph_text.text(console, web) if graph == "text" else None
    name = opened.shot_list.name
    plan_table.print_plan(
        console, name, web.plan, web.slates, quiet=quiet, notes=chains.lines(web), drawing=drawing
    )
    for sentence in _excesses(opened, web):
        console.line(f"{console.paint('over budget:', 'red', 'bold')} {sentence}; a render would be refused")


def _print_markdown(
    console: Console, opened: Opened, web: Web, *, graph: str | None, quiet: bool, lists: int
) -> None:
    """Print one plan as Markdown, with a diagram where one is asked for and small enough to be shown."""
    name, characters = opened.shot_list.name, plan_markdown.LIMIT // lists
    diagram = graph_text.mermaid([(name, web)]) if graph is not None and not quiet else ""
    if len(diagram) > characters // 2:
        diagram = ""
    excesses, left = _excesses(opened, web), characters - len(diagram)
    console.line(plan_markdown.markdown(name, web.plan, web.slates, excesses, quiet=quiet, characters=left))
    console.line()
    if diagram:
        console.line(f"```mermaid\n{diagram}\n```\n")


def _print_diagram(console: Console, notes: Console, webs: Sequence[tuple[str, Web]], *, quiet: bool) -> None:
    """Print nothing but a diagram, so that it may be put into a file."""
    diagram = graph_text.mermaid(webs)
    console.line(diagram)
    if not quiet and not graph_text.is_shown(diagram):
        said = "the diagram is larger than most pages show: `--select` draws a part of it"
        notes.line(f"{notes.paint('hint:', 'cyan')} {said}")
