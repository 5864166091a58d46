"""Shots into takes: texts expanded, settings checked against the table, pictures looked at, seeds fixed.

Pure: the date, the chosen takes, the environment and a way to look at pictures come in as arguments. Nothing
stops at the first fault; whatever can still be said about the other shots is said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vidspec import account, graph
from vidspec.diagnostic import Diagnostic, counted, in_order, nearest_or, shown
from vidspec.drafting import Drafting
from vidspec.outputs import Outputs
from vidspec.providers import table
from vidspec.shape import parse_ratio, parse_size, same_ratio
from vidspec.shot import Problem, Written
from vidspec.unfold import unfold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from typing import Any

    from vidspec.shot import Shot
    from vidspec.shotlist import ShotList
    from vidspec.stills import Folder
    from vidspec.take import Frame, Input, Take

MAX_TAKES = 100_000
SUNSET_NOTICE = 90
"""Days before a model's end from which on it is a warning."""
_MAX_ADVICE = 100
_INHERITED = ("resolution", "aspect_ratio", "size", "duration", "fps", "audio")


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
    takes = _inheriting(takes)
    found += _models(takes, shots, shot_list, world)
    complete = len(shot_list.entries) == len(shot_list.shots) and not unfolding.diagnostics
    found += _References(takes, shots, complete=complete).diagnostics()
    declared = {name for layer in (*shot_list.layers("vars"), *_own_vars(shot_list)) for name in layer.mapping}
    unused = tuple(name for name in world.variables if name not in used | declared)
    return Resolution(takes=takes, shots=shots, diagnostics=in_order(found), unused=unused)


def _inheriting(takes: list[Take]) -> list[Take]:
    """The takes, each remix with what it takes over from the clip that it is made from, however far back."""
    by_slate = {take.slate: take for take in takes}
    found: dict[str, Mapping[str, Any]] = {}
    for take in takes:
        chain: dict[str, None] = {}
        source: Take | None = take
        while source is not None and _inherits(source) and source.slate not in found and source.slate not in chain:
            chain[source.slate] = None
            source = by_slate.get(source.needs[0])
        if chain and source is not None and source.slate not in chain:
            end = found.get(source.slate) or {
                key: source.request[key] for key in _INHERITED if key in source.request
            }
            found.update(dict.fromkeys(chain, end))
    return [replace(take, inherited=found[take.slate]) if take.slate in found else take for take in takes]


def _inherits(take: Take) -> bool:
    return take.mode == "remix" and "duration" not in take.request and bool(take.needs)


def _models(
    takes: list[Take], shots: Mapping[str, Shot], shot_list: ShotList, world: World
) -> Iterator[Diagnostic]:
    """Ends of models, and providers without an address: once for each shot."""
    homeless = {
        name
        for name in {take.provider for take in takes}
        if table(name).needs_base_url and not account.base_url(shot_list, name, world.environment)
    }
    for take in takes:
        if take.number > 1:
            continue
        sunset = table(take.provider).models[take.model].sunset
        if sunset is not None and (sunset.date - world.today).days <= SUNSET_NOTICE:
            verb = "ended" if sunset.date <= world.today else "ends"
            message = f"the vendor's own service of `{take.model}` {verb} on {sunset.date}"
            problem = Problem(code="W601", setting="model", message=message, help=sunset.note)
            yield shots[take.shot].diagnostic(problem)
        if take.provider in homeless:
            message = f"`{take.provider}` has no address of its own, and none is written"
            variable = account.base_url_variable(take.provider)
            help_line = f"write `providers: {{{take.provider}: {{base_url: …}}}}`, or set `{variable}`"
            problem = Problem(code="E412", setting="provider", message=message, help=help_line)
            yield shots[take.shot].diagnostic(problem)


def _own_vars(shot_list: ShotList) -> Iterator[Written]:
    """The `vars` of single shots."""
    for index in shot_list.entries:
        own = shot_list.shots[index].get("vars")
        if own:
            yield Written(shot_list.main.document, own)


class _References:
    """Whether the takes that others need exist, can serve, and do not need each other.

    Without `complete` some shots of the list could not be made, so that a missing one may be one of them.
    """

    def __init__(self, takes: list[Take], shots: Mapping[str, Shot], *, complete: bool) -> None:
        self._shots = shots
        self._complete = complete
        self._by_slate = {take.slate: take for take in takes}
        self._counts = Counter(take.shot for take in takes)
        self._advice: dict[str, str] = {}

    def diagnostics(self) -> Iterator[Diagnostic]:
        needs = {take.slate: take.needs for take in self._by_slate.values() if take.needs}
        for slate in needs:
            take = self._by_slate[slate]
            for given in take.inputs:
                if given.frame is not None and (problem := self._problem(take, given, given.frame)):
                    yield self._shots[take.shot].diagnostic(problem)
        found = graph.circle(needs)
        if found is not None:
            yield self._circle(found)

    def _problem(self, take: Take, given: Input, frame: Frame) -> Problem | None:
        needed = self._by_slate.get(frame.slate)
        path: tuple[str | int, ...] = (given.index,) if given.setting == "references" else ()
        if needed is None:
            return self._missing(take, given, path, frame)
        problem = _serves(take, given.setting, path, frame, needed)
        if problem is None and given.setting == "first_frame":
            problem = _fits(take, self._shots[take.shot].settings, needed)
        return problem

    def _circle(self, circle: list[str]) -> Diagnostic:
        first = self._by_slate[circle[0]]
        given = next(given for given in first.inputs if given.frame and given.frame.slate == circle[1])
        message = f"shots that need each other: {' → '.join(circle)}"
        help_line = "break the circle at one of them"
        problem = Problem(code="E507", setting=given.setting, message=message, help=help_line)
        return self._shots[first.shot].diagnostic(problem)

    def _missing(self, take: Take, given: Input, path: tuple[str | int, ...], frame: Frame) -> Problem | None:
        setting = given.setting
        shot, _, number = frame.slate.rpartition("-t")
        if shot not in self._shots:
            if not self._complete:
                return None
            message, help_line = f"there is no shot {shown(shot)}", self._nearest(shot)
        elif self._shots[shot].skipped:
            message = f"the shot `{shot}` is skipped, so it has no frames"
            help_line = f"take `skip` out of `{shot}`"
        elif not self._counts[shot]:
            return None  # the shot itself is wrong, and that has been said
        else:
            message = f"the shot `{shot}` has no take {int(number)}"
            help_line = f"it has {counted(self._counts[shot], 'take')}"
            if self._is_chosen(take, given):
                help_line += ", and the one that was chosen is gone: `vidspec choose` another, or write `take`"
            return Problem(code="E506", setting=setting, path=(*path, "take"), message=message, help=help_line)
        return Problem(code="E506", setting=setting, path=(*path, "shot"), message=message, help=help_line)

    def _is_chosen(self, take: Take, given: Input) -> bool:
        """Whether the take that is meant is the chosen one, and not one that the list names by its number."""
        written = self._shots[take.shot].settings.get(given.setting)
        if isinstance(written, list):
            written = written[given.index]
        return not isinstance(written, dict) or written.get("take", "chosen") == "chosen"

    def _nearest(self, shot: str) -> str:
        """What was likely meant by an id; looked for only so often, since that goes through all shots."""
        if shot not in self._advice:
            known = self._shots if len(self._advice) < _MAX_ADVICE else ()
            self._advice[shot] = nearest_or(shot, known, "name the id of a shot in this list")
        return self._advice[shot]


def _serves(take: Take, setting: str, path: tuple[str | int, ...], frame: Frame, needed: Take) -> Problem | None:
    """Whether a take can be used as it is meant: a time within the clip; a remix of the same provider's clip."""
    at, length = frame.at, needed.facts.get("duration")
    if isinstance(at, int | float) and length is not None and at >= length:
        message = f"`{needed.slate}` is {length:g} s long and has no frame at {at:g} s"
        help_line = "write a smaller time, or `last`"
        return Problem(code="E506", setting=setting, path=(*path, "at"), message=message, help=help_line)
    if at is None and needed.provider != take.provider:
        message = f"`{take.provider}` cannot remix `{needed.slate}`, which `{needed.provider}` renders"
        help_line = "a remix is made by the provider of the first clip"
        return Problem(code="E408", setting=setting, message=message, help=help_line)
    return None


def _fits(take: Take, asked: Mapping[str, Any], needed: Take) -> Problem | None:
    """Whether the frames of a take have the shape that the clip they begin is to have."""
    theirs = parse_size(needed.facts.get("size", ""))
    capability = table(take.provider).models[take.model].capabilities.get(take.mode)
    if theirs is None or capability is None:
        return None
    frames = f"the frames of `{needed.slate}` are {theirs} pixels, and the clip is to be"
    if capability.shape is not None and capability.shape.follows:
        size = parse_size(asked.get("size", ""))
        ratio = size.ratio if size else parse_ratio(asked.get("aspect_ratio", ""))
        if ratio is None or same_ratio(theirs.ratio, ratio):
            return None
        help_line = f"`{take.model}` takes the shape of its first frame: give both shots one shape"
        message = f"{frames} {size or asked['aspect_ratio']}"
        return Problem(code="E504", setting="first_frame", message=message, help=help_line)
    ours = parse_size(take.request.get("size", ""))
    if ours is None or theirs == ours:
        return None
    if capability.first_frame is not None and capability.first_frame.size == "output":
        help_line = f"`{take.model}` takes a first frame of exactly the clip's size: give both shots one size"
        return Problem(code="E504", setting="first_frame", message=f"{frames} {ours}", help=help_line)
    if same_ratio(theirs.ratio, ours.ratio):
        return None
    help_line = "give both shots one shape, or expect a crop"
    return Problem(code="W607", setting="first_frame", message=f"{frames} {ours}", help=help_line)
