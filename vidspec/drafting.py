"""One shot into its takes: the texts expanded, the capability table asked, the request put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vidspec import check, prompt
from vidspec.check import Checker
from vidspec.diagnostic import listed, nearest, nearest_or, shown
from vidspec.fingerprint import auto_seed
from vidspec.inputs import FRAMES, Inputs
from vidspec.outputs import DEFAULT
from vidspec.prompt import TemplateFault
from vidspec.providers import PROVIDERS, table
from vidspec.scope import VariableFault
from vidspec.shot import Problem
from vidspec.take import Input, Take, slate
from vidspec.unfold import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.capability import Capability, Mode, Model, Seed
    from vidspec.scope import Scope
    from vidspec.shot import Shot
    from vidspec.shotlist import ShotList
    from vidspec.stills import Folder
    from vidspec.take import SeedRule

_UNTEXTED = frozenset({"takes", "seed", "output"})
_PER_TAKE = frozenset({"slate", "take"})
_ONE_TAG = 2
"""Braces of a text in which nothing can be wrong but the one thing that was found."""
_ORDER = (
    "mode", "prompt", "negative_prompt", "first_frame", "last_frame", "references", "remix_of", "resolution",
    "aspect_ratio", "size", "duration", "fps", "camera", "audio", "watermark", "enhance_prompt", "options",
)  # fmt: skip


@dataclass(slots=True)
class _Draft:
    """A request in the making, the same for every take of a shot unless a text names the take."""

    provider: str
    model: Model
    mode: Mode
    capability: Capability
    request: dict[str, Any]
    defaulted: frozenset[str]
    inputs: tuple[Input, ...]


@dataclass(slots=True)
class _Texts:
    """A shot's settings with their texts expanded for one take."""

    settings: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    per_take: bool = False


class Drafting:
    """Makes takes, remembering what many shots share."""

    def __init__(self, *, shot_list: ShotList, folder: Folder, chosen: Mapping[str, int]) -> None:
        self._folder = folder
        self._chosen = chosen
        self._checker = Checker()
        output = shot_list.main.mapping.get("output")
        self._output = output if output and isinstance(output, str) else DEFAULT

    def takes(self, shot: Shot, scope: Scope) -> Iterator[tuple[Take | None, list[Problem]]]:
        """The takes of a shot, each with what is wrong with it; None for a take that cannot be made."""
        count, seeds = _count(shot.settings)
        about = {"id": shot.id, "scene": shot.scene or "", "tags": list(shot.tags), "notes": shot.notes or ""}
        texts: _Texts | None = None
        draft: _Draft | None = None
        for number in range(1, count + 1):
            name = slate(shot.id, number)
            extra = {"shot": about, "slate": name, "take": number}
            problems: list[Problem] = []
            if texts is None or texts.per_take:
                texts = _expanded(shot.settings, scope, extra)
                problems += texts.problems
                draft = self._draft(texts, problems)
            if draft is None:
                yield None, problems
                return
            output = self._output_of(shot, scope, extra, problems)
            seed, rule = _seed(draft, shot.settings.get("seed"), seeds, number, name, problems)
            if seeds and not texts.per_take and (problem := _repeated(seeds, number)):
                problems.append(problem)
            yield _take(shot, number, name, draft, output, seed, rule, scope), problems

    def _output_of(self, shot: Shot, scope: Scope, extra: Mapping[str, Any], problems: list[Problem]) -> str:
        template = shot.settings.get("output") or self._output
        try:
            return scope.expand(template, extra) if prompt.is_template(template) else template
        except (TemplateFault, VariableFault) as fault:
            problems.append(problem_of(fault, "output", ()))
            return f"{extra['slate']}.mp4"

    def _draft(self, texts: _Texts, problems: list[Problem]) -> _Draft | None:
        settings = texts.settings
        if {"provider", "model"} & texts.broken:
            return None
        model = _model(settings, problems)
        if model is None:
            return None
        mode = check.derive_mode(settings)
        problems += check.mode_problems(model, mode, settings)
        capability = model.capabilities.get(mode) or next(iter(model.capabilities.values()))
        inputs = Inputs(self._folder, self._chosen, model.name)
        for key in (*FRAMES, "references", "remix_of", "audio"):
            if key in settings:
                inputs.add(key, settings[key], capability, judged=mode in model.modes)
        picture = inputs.picture
        settled = self._checker.settle(model, mode, settings, picture.width / picture.height if picture else None)
        problems += settled.problems
        request = {"mode": mode, **settled.request, **inputs.request}
        inputs.compare(capability, request.get("size"))
        problems += inputs.problems
        self._texts(texts, capability, model.name, request, problems)
        ordered = {key: request[key] for key in _ORDER if key in request}
        return _Draft(
            provider=settings["provider"],
            model=model,
            mode=mode,
            capability=capability,
            request=ordered,
            defaulted=frozenset(settled.defaulted),
            inputs=tuple(inputs.inputs),
        )

    def _texts(
        self, texts: _Texts, capability: Capability, model: str, request: dict[str, Any], problems: list[Problem]
    ) -> None:
        """The prompts into the request, and what the model would make of them."""
        settings = texts.settings
        moves = settings.get("camera")
        camera = (capability.camera, moves) if capability.camera and moves else None
        for key, rule in (("prompt", capability.prompt), ("negative_prompt", capability.negative_prompt)):
            if key in texts.broken:
                continue
            if settings.get(key):
                request[key] = settings[key]
            problems += check.text_problems(
                rule, key, settings.get(key), model=model, camera=camera if key == "prompt" else None
            )
        references = capability.references
        if references and references.marker and "prompt" not in texts.broken:
            text = settings.get("prompt") or ""
            for index in range(len(settings.get("references", ()))):
                marker = references.marker.replace("{n}", str(index + 1))
                if marker not in text:
                    message = f"the prompt does not name the reference `{marker}`"
                    help_line = f"`{model}` finds its references by these words in the prompt"
                    problems.append(
                        Problem(code="W606", setting="references", path=(index,), message=message, help=help_line)
                    )


def _count(settings: Mapping[str, Any]) -> tuple[int, list[int] | None]:
    takes = settings.get("takes", 1)
    if isinstance(takes, list):
        return len(takes), [int(seed) for seed in takes]
    return int(takes), None


def _expanded(settings: Mapping[str, Any], scope: Scope, extra: Mapping[str, Any]) -> _Texts:
    texts = _Texts()

    def deep(value: Any, key: str, path: tuple[str | int, ...]) -> Any:
        if type(value) is str:
            if "{" not in value or not prompt.is_template(value):
                return value
            try:
                texts.per_take = texts.per_take or not _PER_TAKE.isdisjoint(prompt.compile(value).names)
                return scope.expand(value, extra)
            except (TemplateFault, VariableFault) as fault:
                others = scope.undefined(value, extra) if value.count("{") > _ONE_TAG else []
                texts.problems += [problem_of(one, key, path) for one in (fault, *others)]
                texts.broken.add(key)
                return value
        if type(value) is list:
            return [deep(item, key, (*path, index)) for index, item in enumerate(value)]
        if type(value) is dict:
            return {name: deep(item, key, (*path, name)) for name, item in value.items()}
        return value

    for key, value in settings.items():
        if key not in _UNTEXTED:
            expanded = deep(value, key, ())
            if key not in texts.broken or key == "prompt":
                texts.settings[key] = expanded
    return texts


def _model(settings: dict[str, Any], problems: list[Problem]) -> Model | None:
    """The model that a shot names, or its provider's only one; None, and why, where there is none."""
    name = settings.get("provider")
    if name is None:
        help_line = f"write `provider` on the shot or under `defaults`: there are {listed(PROVIDERS)}"
        problems.append(Problem(code="E407", message="the shot names no provider", help=help_line))
        return None
    if name not in PROVIDERS:
        help_line = nearest_or(name, PROVIDERS, f"there are {listed(PROVIDERS)}")
        message = f"there is no provider {shown(name)}"
        problems.append(Problem(code="E401", setting="provider", message=message, help=help_line))
        return None
    provider = table(name)
    wanted = settings.get("model") or provider.default_model
    if wanted in provider.models:
        return provider.models[wanted]
    offered = f"it has {listed(provider.models, most=20)}"
    if wanted is None:
        message = f"the shot names no model of `{name}`"
        problems.append(Problem(code="E407", message=message, help=f"write `model`: {offered}"))
        return None
    near = nearest(wanted, provider.models)
    elsewhere = [other for other in PROVIDERS if wanted in table(other).models]
    if elsewhere:
        offered = f"{offered}; {listed(elsewhere)} {'has' if len(elsewhere) == 1 else 'have'} `{wanted}`"
    help_line = f"the nearest is `{near}`; {offered}" if near else offered
    message = f"`{name}` has no model {shown(wanted)}"
    problems.append(Problem(code="E402", setting="model", message=message, help=help_line))
    return None


def _seed(
    draft: _Draft, written: Any, seeds: list[int] | None, number: int, name: str, problems: list[Problem]
) -> tuple[int | None, SeedRule]:
    """The seed of one take, and what it follows from."""
    rule, model = draft.capability.seed, draft.model.name
    if isinstance(written, str) and written not in ("auto", "random"):
        message, help_line = f"`seed` is the text {shown(written)}", "write an integer, `auto` or `random`"
        problems.append(Problem(code="E204", setting="seed", message=message, help=help_line))
        return None, "none"
    if seeds is not None:
        if written is not None and written != "auto" and number == 1:
            message = "`takes` lists the seeds, and `seed` says another"
            problems.append(Problem(code="E408", setting="seed", message=message, help="write one of the two"))
        return _fixed(rule, seeds[number - 1], "takes", (number - 1,), model, problems)
    if written is None or written == "auto":
        return (None, "none") if rule is None else (auto_seed(name, *check.drawn_seeds(rule)), "auto")
    if written == "random":
        problem = check.seed_problem(rule, written, path=(), setting="seed", model=model)
        if problem and number == 1:
            problems.append(problem)
        return None, "none" if rule is None else "random"
    return _counted(rule, int(written), number, name, model, problems)


def _counted(
    rule: Seed | None, first: int, number: int, name: str, model: str, problems: list[Problem]
) -> tuple[int, SeedRule]:
    """The seed of a take that counts up from the first; the first that is too high is told of, not all."""
    seed = first + number - 1
    before = number > 1 and check.seed_problem(rule, seed - 1, path=(), setting="seed", model=model)
    if before:
        return seed, "fixed"
    return _fixed(rule, seed, "seed", (), model, problems, of=name if number > 1 else "")


def _repeated(seeds: list[int], number: int) -> Problem | None:
    """A seed that an earlier take of the same texts has: the same clip, paid for twice."""
    seed, path = seeds[number - 1], (number - 1,)
    if seed not in seeds[: number - 1]:
        return None
    message = f"the seed {seed} is written twice: both takes would be one clip, paid for twice"
    return Problem(code="E408", setting="takes", path=path, message=message, help="write each seed once")


def _fixed(
    rule: Seed | None,
    seed: int,
    setting: str,
    path: tuple[int, ...],
    model: str,
    problems: list[Problem],
    *,
    of: str = "",
) -> tuple[int, SeedRule]:
    problem = check.seed_problem(rule, seed, path=path, setting=setting, model=model, of=of)
    if problem:
        problems.append(problem)
    return seed, "fixed"


def _take(
    shot: Shot,
    number: int,
    name: str,
    draft: _Draft,
    output: str,
    seed: int | None,
    rule: SeedRule,
    scope: Scope,
) -> Take:
    return Take(
        slate=name,
        shot=shot.id,
        number=number,
        scene=shot.scene,
        tags=shot.tags,
        provider=draft.provider,
        model=draft.model.name,
        mode=draft.mode,
        request=draft.request,
        defaulted=draft.defaulted,
        seed=seed,
        seed_rule=rule,
        inputs=draft.inputs,
        output=output,
        variables=scope.overrides,
    )
