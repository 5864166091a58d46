"""Shots into takes: texts expanded, settings checked against the table, pictures looked at, seeds fixed.

Pure: the date, the chosen takes, the environment and a way to look at pictures come in as arguments. Nothing
stops at the first fault; whatever can still be said about the other shots is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vidspec import account, graph
from vidspec.diagnostic import Diagnostic, in_order, nearest
from vidspec.drafting import Drafting
from vidspec.outputs import Outputs
from vidspec.shot import Problem
from vidspec.unfold import unfold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from typing import Any

    from vidspec.shot import Shot
    from vidspec.shotlist import ShotList
    from vidspec.stills import Folder
    from vidspec.take import Input, Take

MAX_TAKES = 100_000
SUNSET_NOTICE = 90
"""Days before a model's end from which on it is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What resolving a list depends on besides the list: all that is not in the file."""

    folder: Folder
    today: date
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Resolution:
    """The takes of a list, in its order, and everything that was found wrong or doubtful, sorted.

    `shots` are all shots by id, skipped ones too; `unused` are variables of the command line that nothing names.
    """

    takes: list[Take]
    shots: dict[str, Shot]
    diagnostics: list[Diagnostic]
    unused: tuple[str, ...] = ()

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that stop everything."""
        return [found for found in self.diagnostics if found.severity == "error"]


def resolve(shot_list: ShotList, world: World, outputs: Outputs | None = None) -> Resolution:
    """The takes of a list. Never raises for what is in the list: that is in the diagnostics.

    `outputs` remembers who writes what, for lists that are resolved together.
    """
    used: set[str] = set()
    unfolding = unfold(shot_list, world.variables, used)
    found = [*shot_list.diagnostics, *unfolding.diagnostics, *account.problems(shot_list)]
    drafting = Drafting(shot_list=shot_list, folder=world.folder, chosen=world.chosen)
    outputs = outputs or Outputs()
    folder = str(shot_list.project.resolve())
    takes: list[Take] = []
    shots: dict[str, Shot] = {}
    for shot, scope in unfolding.shots:
        shots[shot.id] = shot
        if shot.skipped:
            continue
        for take, problems in drafting.takes(shot, scope):
            found += map(shot.diagnostic, problems)
            if take is not None:
                takes.append(take)
                found += map(shot.diagnostic, outputs.problems(take, folder=folder, of=shot_list.name))
        if len(takes) > MAX_TAKES:
            message = f"the list makes more than {MAX_TAKES} takes"
            found.append(shot.diagnostic(Problem(code="E224", message=message, help="split the list")))
            break
    found += _models(drafting, takes, shots, shot_list, world)
    complete = len(shot_list.entries) == len(shot_list.shots) and not unfolding.diagnostics
    found += _references(takes, shots, judge_missing=complete)
    declared = {name for layer in shot_list.layers("vars") for name in layer.mapping}
    unused = tuple(name for name in world.variables if name not in used | declared)
    return Resolution(takes=takes, shots=shots, diagnostics=in_order(found), unused=unused)


def _models(
    drafting: Drafting, takes: list[Take], shots: Mapping[str, Shot], shot_list: ShotList, world: World
) -> Iterator[Diagnostic]:
    """Ends of models, and providers without an address: once for each shot."""
    for take in takes:
        if take.number > 1:
            continue
        provider = drafting.provider(take.provider)
        sunset = provider.models[take.model].sunset
        if sunset is not None and (sunset.date - world.today).days <= SUNSET_NOTICE:
            verb = "ended" if sunset.date <= world.today else "ends"
            message = f"the vendor's own service of `{take.model}` {verb} on {sunset.date}"
            problem = Problem(code="W601", setting="model", message=message, help=sunset.note)
            yield shots[take.shot].diagnostic(problem)
        if provider.needs_base_url and not account.base_url(shot_list, take.provider, world.environment):
            message = f"`{take.provider}` has no address of its own, and none is written"
            variable = account.base_url_variable(take.provider)
            help_line = f"write `providers: {{{take.provider}: {{base_url: …}}}}`, or set {variable}"
            problem = Problem(code="E412", setting="provider", message=message, help=help_line)
            yield shots[take.shot].diagnostic(problem)


def _references(takes: list[Take], shots: Mapping[str, Shot], *, judge_missing: bool) -> Iterator[Diagnostic]:
    """Whether the takes that others need exist, can serve, and do not need each other."""
    by_slate = {take.slate: take for take in takes}
    needs = {take.slate: take.needs for take in takes if take.needs}
    for slate in needs:
        take = by_slate[slate]
        for given in take.inputs:
            if given.frame is None:
                continue
            needed = by_slate.get(given.frame.slate)
            problem = _serves(take, given, needed) if needed else _missing(given, shots, by_slate)
            if problem is not None and (needed or judge_missing):
                yield shots[take.shot].diagnostic(problem)
    found = graph.circle(needs)
    if found is not None:
        first = by_slate[found[0]]
        given = next(given for given in first.inputs if given.frame and given.frame.slate == found[1])
        message = f"shots that need each other: {' → '.join(found)}"
        problem = Problem(
            code="E507", setting=given.setting, message=message, help="break the circle at one of them"
        )
        yield shots[first.shot].diagnostic(problem)


def _missing(given: Input, shots: Mapping[str, Shot], by_slate: Mapping[str, Take]) -> Problem | None:
    assert given.frame is not None
    shot, _, number = given.frame.slate.rpartition("-t")
    path: tuple[str | int, ...] = (given.index,) if given.setting == "references" else ()
    if shot not in shots:
        near = nearest(shot, shots)
        help_line = f"the nearest is `{near}`" if near else "name the id of a shot in this list"
        message = f"there is no shot `{shot}`"
        return Problem(code="E506", setting=given.setting, path=(*path, "shot"), message=message, help=help_line)
    if shots[shot].skipped:
        message, help_line = f"the shot `{shot}` is skipped, so it has no frames", f"take `skip` out of `{shot}`"
        return Problem(code="E506", setting=given.setting, path=(*path, "shot"), message=message, help=help_line)
    count = sum(1 for take in by_slate.values() if take.shot == shot)
    if not count:
        return None  # the shot itself is wrong, and that has been said
    message = f"the shot `{shot}` has no take {int(number)}"
    help_line = f"it has {count} take{'s' if count > 1 else ''}"
    return Problem(code="E506", setting=given.setting, path=(*path, "take"), message=message, help=help_line)


def _serves(take: Take, given: Input, needed: Take) -> Problem | None:
    """Whether a take can be used as it is meant: a time within the clip; a remix of the same provider's clip."""
    assert given.frame is not None
    path: tuple[str | int, ...] = (given.index,) if given.setting == "references" else ()
    at, length = given.frame.at, needed.request.get("duration")
    if isinstance(at, int | float) and length is not None and at >= length:
        message = f"`{needed.slate}` is {length:g} s long and has no frame at {at:g} s"
        help_line = "write a smaller time, or `last`"
        return Problem(code="E506", setting=given.setting, path=(*path, "at"), message=message, help=help_line)
    if at is None and needed.provider != take.provider:
        message = f"`{take.provider}` cannot remix `{needed.slate}`, which `{needed.provider}` renders"
        help_line = "a remix is made by the provider of the first clip"
        return Problem(code="E408", setting=given.setting, message=message, help=help_line)
    return None
