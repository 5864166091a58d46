"""`vidspec config FILE`: every take fully resolved, and where each setting is from."""

from __future__ import annotations

import sys
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec.diagnostic import nearest
from vidspec.errors import UsageError
from vidspec.project import open_lists

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.project import Opened
    from vidspec.shot import Shot
    from vidspec.take import Take


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    only: Collection[str] = (),
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print the takes of a list, or of some shots alone, as YAML with the origin of each setting, or as JSON.

    Raises:
        ShotListError: the list is wrong.
        UsageError: there is no shot of one of these ids, or it has no takes.
    """
    (opened,), warnings = open_lists([file], variables)
    if not quiet:
        console.beside(sys.stderr).diagnostics(warnings)
    _refuse_empty(only, opened)
    takes = [take for take in opened.takes if not only or take.shot in only]
    if json:
        value = {"vidspec_json": 1, "title": opened.shot_list.title, "takes": [_value(take) for take in takes]}
        console.line(dumps(value, ensure_ascii=False, indent=2))
        return 0
    console.line(f"title: {_scalar(opened.shot_list.title)}")
    console.line("takes:")
    for take in takes:
        for line in _lines(take, opened.resolution.shots[take.shot], opened):
            console.line(line)
    return 0


def _refuse_empty(only: Collection[str], opened: Opened) -> None:
    """Raise UsageError for the first of the shots that has no takes."""
    full, shots = {take.shot for take in opened.takes}, opened.resolution.shots
    for shot in only:
        if shot in shots and shot not in full:
            raise UsageError(f"the shot `{shot}` is skipped, so it has no takes")
        if shot not in shots:
            near = nearest(shot, shots)
            raise UsageError(f"there is no shot `{shot}`{f'; the nearest is `{near}`' if near else ''}")


def _value(take: Take) -> dict[str, Any]:
    return {
        "slate": take.slate,
        "shot": take.shot,
        "take": take.number,
        "scene": take.scene,
        "tags": list(take.tags),
        "provider": take.provider,
        "model": take.model,
        "request": dict(take.request),
        "defaulted": sorted(take.defaulted),
        "seed": take.seed,
        "seed_rule": take.seed_rule,
        "needs": list(take.needs),
        "output": take.output,
        "fingerprint": take.fingerprint,
    }


def _lines(take: Take, shot: Shot, opened: Opened) -> Iterator[str]:
    """One take as YAML; a comment says where what nobody wrote on the shot is from."""
    yield f"  {take.slate}:"
    for name, value in (("scene", take.scene), ("tags", list(take.tags))):
        if value:
            yield f"    {name}: {_scalar(value)}"
    yield f"    provider: {_scalar(take.provider)}{_origin('provider', take, shot, opened)}"
    yield f"    model: {_scalar(take.model)}{_origin('model', take, shot, opened)}"
    yield "    request:"
    for key, value in take.request.items():
        yield f"      {key}: {_scalar(value)}{_origin(key, take, shot, opened)}"
    if take.seed_rule != "none":
        how = {"fixed": "", "auto": "  # from the slate", "random": "  # drawn at the first render"}[take.seed_rule]
        yield f"    seed: {_scalar(take.seed)}{how}"
    yield f"    output: {_scalar(take.output)}{_origin('output', take, shot, opened)}"


def _origin(key: str, take: Take, shot: Shot, opened: Opened) -> str:
    """Where a value is from, as a comment; nothing where the shot itself writes it."""
    if key == "mode":
        return "  # derived"
    if key in take.defaulted:
        return f"  # {take.model}'s default" if not _shape_written(key, shot) else "  # follows from the above"
    layer = next((layer for layer in shot.layers if layer.mapping.get(key) is not None), None)
    if layer is None:
        return "  # default"
    if layer is shot.layers[0]:
        return ""
    line, _ = layer.place(key)
    name = layer.document.name if layer.document.name != opened.shot_list.name else ""
    return f"  # {name or 'defaults'}, line {line}"


def _shape_written(key: str, shot: Shot) -> bool:
    shapes = ("size", "resolution", "aspect_ratio")
    return key in shapes and any(shot.settings.get(name) for name in shapes)


def _scalar(value: Any) -> str:
    return dumps(value, ensure_ascii=False)
