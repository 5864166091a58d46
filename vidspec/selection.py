"""Which takes a command is about: `--select "tag:night,provider:minimax +s020"`.

A blank joins, a comma intersects. A term is an id, a slate, a glob over either, or `tag:`, `scene:`, `state:`,
`provider:`, `model:` with a glob; a leading `+` adds what the takes need.
"""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, get_args

from vidspec import graph
from vidspec.diagnostic import listed, nearest
from vidspec.errors import UsageError
from vidspec.planned import Action, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vidspec.planned import Planned

    Facts = Callable[[Planned], Sequence[str]]

_FACTS: Mapping[str, Facts] = {
    "tag": lambda planned: planned.take.tags,
    "scene": lambda planned: (planned.take.scene or "",),
    "state": lambda planned: (planned.state, planned.action),
    "provider": lambda planned: (planned.take.provider,),
    "model": lambda planned: (planned.take.model,),
}


_STATES = tuple(dict.fromkeys((*get_args(State), *get_args(Action))))


def select(takes: Sequence[Planned], expression: str) -> set[str]:
    """The slates that an expression selects.

    Raises:
        UsageError: the expression cannot be read, or a part of it matches nothing.
    """
    needs = {planned.slate: planned.take.needs for planned in takes}
    found: set[str] = set()
    for part in _parts(expression):
        terms = [term for term in part.split(",") if term]
        if not terms:
            raise UsageError(f"the selection {expression!r} has an empty part")
        sets = [_term(takes, term, needs) for term in terms]
        common = set.intersection(*sets)
        if not common:
            empty = next((term for term, found in zip(terms, sets, strict=True) if not found), None)
            hint = _hint(takes, empty) if empty else ": no take has all of that"
            raise UsageError(f"the selection `{part}` matches nothing{hint}")
        found |= common
    return found


def _parts(expression: str) -> list[str]:
    try:
        parts = shlex.split(expression)
    except ValueError as error:
        raise UsageError(f"the selection {expression!r} cannot be read: {str(error).lower()}") from error
    if not parts:
        raise UsageError("the selection is empty")
    return parts


def _term(takes: Sequence[Planned], term: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    wanted = term.removeprefix("+")
    kind, colon, pattern = wanted.partition(":")
    if colon and kind not in _FACTS:
        raise UsageError(f"there is no selection `{kind}:`; there are {listed(f'{name}:' for name in _FACTS)}")
    facts: Facts = _FACTS[kind] if colon else lambda planned: (planned.take.shot, planned.slate)
    glob = pattern if colon else wanted
    found = {planned.slate for planned in takes if any(fnmatchcase(fact, glob) for fact in facts(planned))}
    return graph.with_needs(found, needs) if term.startswith("+") else found


def _hint(takes: Sequence[Planned], term: str) -> str:
    wanted = term.removeprefix("+")
    kind, colon, pattern = wanted.partition(":")
    if kind == "state" and colon and not any(fnmatchcase(state, pattern) for state in _STATES):
        return f": there is no such state; there are {listed(_STATES, most=len(_STATES))}"
    facts: Facts = _FACTS[kind] if colon else lambda planned: (planned.take.shot, planned.slate)
    near = nearest(pattern if colon else wanted, {fact for planned in takes for fact in facts(planned) if fact})
    return f"; the nearest is `{kind}:{near}`" if near and colon else f"; the nearest is `{near}`" if near else ""
