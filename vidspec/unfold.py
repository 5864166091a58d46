"""Entries of a list into shots: the matrix multiplied out, the defaults laid under, the ids expanded."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec import prompt, schema
from vidspec.diagnostic import Diagnostic, shown
from vidspec.errors import VidspecError
from vidspec.prompt import TemplateFault
from vidspec.scope import Scope, VariableFault
from vidspec.shape import parse_size, ratio_name
from vidspec.shot import MAX_ID, SETTINGS, SHAPE_SETTINGS, Problem, Shot, Written, is_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.shotlist import ShotList

MAX_SHOTS = 100_000
_SETTINGS = frozenset(SETTINGS)


class Unfolded(NamedTuple):
    """A shot, and what its templates may name."""

    shot: Shot
    scope: Scope


@dataclass(slots=True)
class Unfolding:
    """All shots of a list, in its order, and what is wrong with their ids and variables."""

    shots: list[Unfolded] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def unfold(shot_list: ShotList, overrides: Mapping[str, Any], used: set[str]) -> Unfolding:
    """Make the shots of a list. `overrides` are variables of the command line; `used` collects names asked for."""
    unfolding = Unfolding()
    values = {name: value for layer in reversed(shot_list.layers("vars")) for name, value in layer.mapping.items()}
    scope = Scope(values, shot_list.title, used, overrides)
    defaults = _defaults(shot_list)
    below = (*shot_list.layers("defaults"), *shot_list.sources)
    seen: dict[str, tuple[str, Written]] = {}
    left = MAX_SHOTS
    for index in shot_list.entries:
        entry = Written(shot_list.main.document, shot_list.shots[index])
        left -= math.prod(len(values) for values in (entry.mapping.get("matrix") or {}).values())
        if left < 0:
            message = f"the list makes more than {MAX_SHOTS} shots"
            unfolding.diagnostics.append(_at_id(entry, below, "E224", message, "split the list"))
            break
        for unfolded in _entry(entry, defaults, below, scope, overrides, unfolding.diagnostics):
            shot = unfolded.shot
            fresh = shot.id.casefold() not in seen and is_id(shot.id)
            if fresh:
                seen[shot.id.casefold()] = (shot.id, entry)
                unfolding.shots.append(unfolded)
            else:
                unfolding.diagnostics.append(shot.diagnostic(_id_problem(shot.id, entry, seen)))
    return unfolding


def _defaults(shot_list: ShotList) -> dict[str, Any]:
    """The settings under `defaults` of all files; one of a wrong shape has been reported and is passed over."""
    merged: dict[str, Any] = {}
    for layer in reversed(shot_list.layers("defaults")):
        for key, value in layer.mapping.items():
            if key in _SETTINGS and schema.accepts("shotlist", key)(value):
                merged = _laid_over(merged, {key: value})
    return merged


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings over settings. Null drops; options are merged by name; a size above replaces a shape below."""
    merged = dict(below)
    shape_above = [key for key in SHAPE_SETTINGS if above.get(key) is not None]
    if "size" in shape_above:
        merged.pop("resolution", None)
        merged.pop("aspect_ratio", None)
    elif shape_above and "size" in merged and (size := parse_size(merged.pop("size"))):
        merged |= {"resolution": f"{min(size)}p", "aspect_ratio": ratio_name(size)}
    for key, value in above.items():
        if key == "options" and value is not None:
            value = {
                name: item for name, item in {**merged.get("options", {}), **value}.items() if item is not None
            }
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


def _entry(
    entry: Written,
    defaults: Mapping[str, Any],
    below: tuple[Written, ...],
    scope: Scope,
    overrides: Mapping[str, Any],
    found: list[Diagnostic],
) -> Iterator[Unfolded]:
    """The shots of one entry: one, or one for every combination of its matrix."""
    mapping = entry.mapping
    settings = _laid_over(defaults, {key: value for key, value in mapping.items() if key in _SETTINGS})
    own = {name: overrides.get(name, value) for name, value in (mapping.get("vars") or {}).items()}
    matrix: Mapping[str, list[Any]] = mapping.get("matrix") or {}
    for combination in itertools.product(*matrix.values()):
        inner = scope.over({**own, **dict(zip(matrix, combination, strict=True))})
        try:
            yield Unfolded(_shot(entry, settings, (entry, *below), inner), inner)
        except _Unreadable as unreadable:
            found.append(_bare(entry, below).diagnostic(unreadable.problem))


def _shot(entry: Written, settings: Mapping[str, Any], layers: tuple[Written, ...], scope: Scope) -> Shot:
    mapping = entry.mapping
    shot_id = _text(scope, mapping["id"], {}, "id")
    about = {"shot": {"id": shot_id}}
    scene, notes = mapping.get("scene"), mapping.get("notes")
    tags = enumerate(mapping.get("tags") or ())
    return Shot(
        id=shot_id,
        scene=None if scene is None else _text(scope, scene, about, "scene"),
        tags=tuple(_text(scope, tag, about, "tags", index) for index, tag in tags),
        notes=None if notes is None else _text(scope, notes, about, "notes"),
        settings=settings,
        layers=layers,
        skipped=bool(mapping.get("skip")),
    )


class _Unreadable(VidspecError):
    """A shot whose id, scene, tags or notes cannot be expanded, and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def _text(scope: Scope, text: str, extra: Mapping[str, Any], setting: str, *path: int) -> str:
    try:
        return scope.expand(text, extra) if prompt.is_template(text) else text
    except (TemplateFault, VariableFault) as fault:
        raise _Unreadable(problem_of(fault, setting, path)) from fault


def _bare(entry: Written, below: tuple[Written, ...]) -> Shot:
    """A shot of which nothing is known but where it stands."""
    layers = (entry, *below)
    return Shot(
        id=str(entry.mapping["id"]), scene=None, tags=(), notes=None, settings={}, layers=layers, skipped=False
    )


def _at_id(entry: Written, below: tuple[Written, ...], code: str, message: str, help_line: str) -> Diagnostic:
    return _bare(entry, below).diagnostic(Problem(code=code, setting="id", message=message, help=help_line))


def _id_problem(shot_id: str, entry: Written, seen: dict[str, tuple[str, Written]]) -> Problem:
    if not is_id(shot_id):
        message = f"{shown(shot_id)} cannot be an id"
        help_line = f"letters, digits, `.`, `_` and `-`, a letter or digit first, at most {MAX_ID} characters"
        return Problem(code="E221", setting="id", message=message, help=help_line)
    other, written = seen[shot_id.casefold()]
    if written.mapping is entry.mapping and entry.mapping.get("matrix"):
        names = ", ".join(f"`{{{{ {name} }}}}`" for name in entry.mapping["matrix"])
        message = f"the matrix makes two shots with the id `{shot_id}`"
        help_line = f"name the values of the matrix in the id: {names}"
    else:
        by = "" if other == shot_id else f" by `{other}`"
        message = f"the id `{shot_id}` is taken{by} at line {written.place('id').line}"
        help_line = "ids are unique in a list, whatever their case"
    return Problem(code="E220", setting="id", message=message, help=help_line)


def problem_of(fault: TemplateFault | VariableFault, setting: str, path: tuple[str | int, ...]) -> Problem:
    """A template's fault as a problem of the setting that holds the template, or of the variable that does."""
    if isinstance(fault, VariableFault):
        setting, path = ("title", ()) if fault.name == "title" else ("vars", (fault.name,))
        fault = fault.fault
    return Problem(
        code=fault.code,
        message=fault.message,
        help=fault.help,
        setting=setting,
        path=path,
        snippet=fault.snippet,
        occurrence=fault.occurrence,
        offset=fault.offset,
    )
