"""Settings against the capability table: what would be sent, and what is wrong with it.

All of it is pure. The part that does not depend on texts and pictures is the same for most shots of a list, so
it is worked out once for each combination of settings (`Checker` remembers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vidspec import shape
from vidspec.diagnostic import described, listed, nearest, nearest_or, shown
from vidspec.providers.fields import bracketed
from vidspec.shot import CAMERA_MOVES, SHAPE_SETTINGS, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.capability import Camera, Capability, Mode, Model, Numbers, Option, Seed, Switch, Text

SWITCHES = ("audio", "watermark", "enhance_prompt")
_BRACKETED = re.compile(r"\[([^\[\]\n]{1,60})\]")
_FLAG = re.compile(r"(?<!\S)--[A-Za-z][A-Za-z_-]*")


@dataclass(slots=True)
class Settled:
    """The neutral request so far, those of its keys that nobody wrote, and what is wrong."""

    request: dict[str, Any] = field(default_factory=dict)
    defaulted: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def derive_mode(settings: Mapping[str, Any]) -> Mode:
    """The mode that the given pictures make: never typed, always derived."""
    if "remix_of" in settings:
        return "remix"
    if "references" in settings:
        return "reference_to_video"
    if "last_frame" in settings:
        return "first_last_frame"
    return "image_to_video" if "first_frame" in settings else "text_to_video"


def mode_problems(model: Model, mode: Mode, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Whether the model has the mode, and the pictures that the mode needs; and whether pictures go together."""
    drivers = [key for key in ("remix_of", "references", "first_frame", "last_frame") if key in settings]
    for key in drivers[1:]:
        if drivers[0] in ("remix_of", "references"):
            message = f"`{key}` cannot stand beside `{drivers[0]}`"
            yield Problem(code="E408", setting=key, message=message, help="write one of the two")
    if mode not in model.modes:
        yield _no_mode(model, mode, drivers)
        return
    capability = model.capabilities[mode]
    for key in ("first_frame", "last_frame"):
        still = getattr(capability, key)
        if still is not None and still.required and key not in settings:
            help_line = f"write `{key}`: a path, an https address, or a frame of another shot"
            yield Problem(code="E407", message=f"`{model.name}` needs a `{key}`", help=help_line)


def _no_mode(model: Model, mode: Mode, drivers: list[str]) -> Problem:
    needed = _NEEDED[model.modes[0]]
    if mode == "text_to_video":
        message = f"`{model.name}` needs {' and '.join(f'`{key}`' for key in needed)}"
        return Problem(code="E407", message=message, help=f"its modes are {listed(model.modes)}")
    key = "last_frame" if mode == "first_last_frame" else drivers[0]
    message = f"`{model.name}` has no mode {mode}, which `{key}` asks for"
    return Problem(code="E403", setting=key, message=message, help=f"its modes are {listed(model.modes)}")


_NEEDED: dict[Mode, tuple[str, ...]] = {
    "text_to_video": ("prompt",),
    "image_to_video": ("first_frame",),
    "first_last_frame": ("first_frame", "last_frame"),
    "reference_to_video": ("references",),
    "remix": ("remix_of",),
}


class Checker:
    """Checks the settings that are neither text nor picture, each combination once."""

    def __init__(self) -> None:
        self._known: dict[Any, Settled] = {}

    def settle(self, model: Model, mode: Mode, settings: Mapping[str, Any], picture: float | None) -> Settled:
        """The request's part for all but texts, pictures and seed. The result is shared: copy, do not change it."""
        key = (model.name, mode, picture, *((name, _hashable(settings.get(name))) for name in _PLAIN))
        found = self._known.get((id(model), key))
        if found is None:
            capability = model.capabilities.get(mode) or next(iter(model.capabilities.values()))
            found = self._known[(id(model), key)] = _settle(capability, settings, model.name, picture)
        return found


_PLAIN = (*SHAPE_SETTINGS, "duration", "fps", "camera", *SWITCHES, "options")


def _hashable(value: Any) -> Any:
    """A key that tells values apart by type too: `1`, `1.0` and `true` are three things."""
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        return tuple((key, _hashable(item)) for key, item in value.items())
    return (type(value), value)


def _settle(capability: Capability, settings: Mapping[str, Any], model: str, picture: float | None) -> Settled:
    settled = Settled()
    asked = {key: settings[key] for key in SHAPE_SETTINGS if key in settings}
    shaped = shape.settle(capability.shape, asked, model=model, picture=picture)
    settled.request.update(shaped.request)
    settled.defaulted.update(shaped.defaulted)
    settled.problems.extend(shaped.problems)
    for key in ("duration", "fps"):
        _number(settled, key, getattr(capability, key), settings.get(key), model)
    for key in SWITCHES:
        _switch(settled, key, getattr(capability, key), settings.get(key), model)
    _camera(settled, capability.camera, settings.get("camera"), model)
    _options(settled, capability, settings.get("options"), model)
    return settled


# --- numbers ---------------------------------------------------------------------------------------------


def _number(settled: Settled, key: str, numbers: Numbers | None, asked: float | None, model: str) -> None:
    if asked is None:
        if numbers is not None and numbers.default is not None:
            settled.request[key] = _default_number(numbers, settled.request.get("resolution"))
            settled.defaulted.add(key)
        return
    if numbers is None or numbers.inherited:
        reason = f"takes the `{key}` of the clip it is made from" if numbers else f"has no choice of `{key}`"
        message, help_line = f"`{model}` {reason}", f"take `{key}` out, or write `{key}: null` on the shot"
        settled.problems.append(Problem(code="E405", setting=key, message=message, help=help_line))
        return
    settled.request[key] = asked = int(asked) if float(asked).is_integer() else asked
    allowed = _values_at(numbers, settled.request.get("resolution"))
    if asked in numbers.doubtful:
        message = f"the provider's documents disagree about `{key}: {_plain(asked)}` for `{model}`"
        help_line = f"undisputed are {_offer(numbers, allowed)}"
        settled.problems.append(Problem(code="W609", setting=key, message=message, help=help_line))
    elif not _is_offered(numbers, allowed, asked):
        settled.problems.append(_not_offered(settled, key, numbers, allowed, asked, model))


def _default_number(numbers: Numbers, resolution: str | None) -> float | None:
    allowed = _values_at(numbers, resolution)
    return allowed[0] if allowed and numbers.default not in allowed else numbers.default


def _values_at(numbers: Numbers, resolution: str | None) -> tuple[float, ...]:
    return tuple(numbers.by_resolution.get(resolution or "", numbers.values))


def _is_offered(numbers: Numbers, allowed: tuple[float, ...], asked: float) -> bool:
    if allowed:
        return asked in allowed
    if not (numbers.min or 0) <= asked <= (numbers.max or asked):
        return False
    return not numbers.step or abs(asked / numbers.step - round(asked / numbers.step)) < 1e-9


def _not_offered(
    settled: Settled, key: str, numbers: Numbers, allowed: tuple[float, ...], asked: float, model: str
) -> Problem:
    at = ""
    if asked in numbers.values and (tier := settled.request.get("resolution")):
        at = f" at {tier}"
    near = _nearest(numbers, allowed, asked)
    help_line = f"it offers {_offer(numbers, allowed)}{at}; the nearest is `{_plain(near)}`"
    message = f"`{model}` has no `{key}: {_plain(asked)}`{at}"
    return Problem(code="E404", setting=key, message=message, help=help_line)


def _nearest(numbers: Numbers, allowed: tuple[float, ...], asked: float) -> float:
    if allowed:
        return min(allowed, key=lambda value: (abs(value - asked), value))
    bounded = min(max(asked, numbers.min or 0), numbers.max or asked)
    return round(bounded / numbers.step) * numbers.step if numbers.step else bounded


def _offer(numbers: Numbers, allowed: tuple[float, ...]) -> str:
    if allowed:
        return listed(_plain(value) for value in allowed)
    step = f" in steps of {_plain(numbers.step)}" if numbers.step else ""
    return f"{_plain(numbers.min or 0)} to {_plain(numbers.max or 0)}{step}"


def _plain(number: float) -> str:
    return f"{number:g}"


# --- switches, camera, options -----------------------------------------------------------------------------


def _switch(settled: Settled, key: str, switch: Switch, asked: bool | str | None, model: str) -> None:
    if asked is None:
        if switch.kind == "switch" and switch.default is not None:
            settled.request[key] = switch.default
            settled.defaulted.add(key)
        return
    settled.request[key] = asked
    if isinstance(asked, str):
        if switch.file is None:
            message, help_line = f"`{model}` takes no sound", "write true or false, or take `audio` out"
            settled.problems.append(Problem(code="E405", setting=key, message=message, help=help_line))
    elif switch.kind != "switch" and asked != (switch.kind == "always"):
        word = "always" if switch.kind == "always" else "never"
        message = f"`{key}: {str(asked).lower()}` cannot be had: `{model}` {word} {_DOES[key]}"
        help_line = f"write `{key}: {str(not asked).lower()}`, or take it out"
        settled.problems.append(Problem(code="E405", setting=key, message=message, help=help_line))


_DOES = {"audio": "makes sound", "watermark": "marks the picture", "enhance_prompt": "rewrites the prompt"}


def _camera(settled: Settled, camera: Camera | None, asked: list[str] | None, model: str) -> None:
    if not asked:
        return
    if camera is None:
        message = f"`{model}` has no camera moves"
        help_line = "describe the move in the prompt, and take `camera` out"
        settled.problems.append(Problem(code="E410", setting="camera", message=message, help=help_line))
        return
    settled.request["camera"] = list(asked)
    for index, move in enumerate(asked):
        if move not in camera.moves:
            known = move in CAMERA_MOVES
            near = None if known else nearest(move, camera.moves)
            kind = f"`{model}` has no move" if known else "there is no camera move"
            help_line = f"the nearest is `{near}`" if near else f"`{model}` has {listed(camera.moves, most=15)}"
            settled.problems.append(
                Problem(code="E410", setting="camera", path=(index,), message=f"{kind} `{move}`", help=help_line)
            )
        elif move in asked[:index]:
            message = f"the move `{move}` is written twice"
            settled.problems.append(
                Problem(code="E410", setting="camera", path=(index,), message=message, help="write it once")
            )
    if len(asked) > camera.max:
        message = f"{len(asked)} camera moves at once; `{model}` takes {camera.max}"
        settled.problems.append(
            Problem(code="E410", setting="camera", message=message, help="write fewer, or split the shot")
        )


def _options(settled: Settled, capability: Capability, asked: Mapping[str, Any] | None, model: str) -> None:
    for name, value in (asked or {}).items():
        option = capability.options.get(name)
        problem = _unknown_option(capability, name, model) if option is None else _option(name, option, value)
        if problem is not None:
            settled.problems.append(problem)
        settled.request.setdefault("options", {})[name] = value


def _unknown_option(capability: Capability, name: str, model: str) -> Problem:
    if reason := capability.refused.get(name):
        message = f"`{model}` has the field `{name}`, but it is not for shot lists: {reason}"
        return Problem(code="E411", setting="options", path=(name,), message=message, help=f"take `{name}` out")
    offered = f"it has {listed(capability.options)}" if capability.options else "it has none"
    help_line = nearest_or(name, capability.options, offered)
    message = f"`{model}` has no option `{name}`"
    return Problem(code="E411", setting="options", path=(name,), message=message, help=help_line)


_OPTION_WORDS = {"string": "a text", "integer": "an integer", "number": "a number", "boolean": "true or false"}
_OPTION_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _option(name: str, option: Option, value: Any) -> Problem | None:
    typed = type(value) in _OPTION_TYPES[option.type]
    if not typed:
        message = f"the option `{name}` must be {_OPTION_WORDS[option.type]}, not {described(value)}"
    elif option.values and value not in option.values:
        message = f"the option `{name}` has no value {shown(value)}"
    elif (option.min is not None and value < option.min) or (option.max is not None and value > option.max):
        message = f"the option `{name}` is {shown(value)}, out of bounds"
    elif option.max_length is not None and len(value) > option.max_length:
        message = f"the option `{name}` is {len(value)} characters long, more than {option.max_length}"
    else:
        return None
    offered = [shown(one).strip("`") for one in option.values]
    near = nearest(str(value), offered)
    help_line = f"it is one of {listed(offered)}" if offered else option.summary
    if near:
        help_line += f"; the nearest is `{near}`"
    elif option.min is not None or option.max is not None:
        help_line = f"it is {_bound(option.min, 'at least')} {_bound(option.max, 'at most')}".strip()
    return Problem(code="E411", setting="options", path=(name,), message=message, help=help_line)


def _bound(bound: float | None, word: str) -> str:
    return "" if bound is None else f"{word} {_plain(bound)}"


# --- texts and seeds -----------------------------------------------------------------------------------


def text_problems(
    rule: Text | None, key: str, text: str | None, *, model: str, camera: tuple[Camera, list[str]] | None = None
) -> Iterator[Problem]:
    """Whether a model takes a prompt or negative prompt: there, not too long, and without words it would parse."""
    if not (text or "").strip():
        if rule is not None and rule.required:
            yield Problem(code="E407", setting=key, message=f"`{model}` needs a `{key}`", help="say what is seen")
        return
    assert text is not None
    if rule is None:
        help_line = f"take `{key}` out, or write `{key}: null` on the shot"
        yield Problem(code="E405", setting=key, message=f"`{model}` has no `{key}`", help=help_line)
        return
    added = len(bracketed(camera[1])) if camera and camera[0].form == "brackets" else 0
    if rule.max is not None and len(text) + added > rule.max:
        with_moves = " with its camera moves" if added else ""
        message = f"the `{key}` is {len(text) + added} characters long{with_moves}; `{model}` takes {rule.max}"
        over = len(text) + added - rule.max
        yield Problem(
            code="E406", setting=key, message=message, help=f"shorten it by {over}: the rest would be cut"
        )
    yield from _read_by_the_model(rule, key, text, model)


def _read_by_the_model(rule: Text, key: str, text: str, model: str) -> Iterator[Problem]:
    pattern = {"brackets": _BRACKETED, "flags": _FLAG}.get(rule.reads or "")
    if pattern is None:
        return
    seen: dict[str, int] = {}
    for match in pattern.finditer(text):
        occurrence = seen[match[0]] = seen.get(match[0], -1) + 1
        if rule.reads == "flags":
            code, kind, help_line = "W605", "a flag", "take the dashes out, or write the setting itself"
        else:
            code, kind, help_line = "W604", "a camera command", "write moves under `camera`, where they are checked"
        yield Problem(
            code=code,
            setting=key,
            message=f"`{model}` reads `{match[0]}` as {kind}",
            help=help_line,
            snippet=match[0],
            occurrence=occurrence,
        )


def seed_problem(
    rule: Seed | None, seed: Any, *, path: tuple[int, ...], setting: str, model: str, of: str = ""
) -> Problem | None:
    """Whether a model takes an integer seed, or one at all; `of` is the take whose seed was counted up to."""
    if rule is None:
        message, path = f"`{model}` takes no seed", ()
        help_line = "write `seed: auto`, or take it out" if setting == "seed" else "write how many takes, not seeds"
    elif isinstance(seed, int) and not _low(rule) <= seed <= _high(rule, seed):
        upper = "no stated end" if rule.max is None else str(rule.max)
        counted = f", which is that of `{of}`" if of else ""
        message, help_line = f"`{model}` takes no seed {seed}{counted}", f"seeds go from {_low(rule)} to {upper}"
    else:
        return None
    return Problem(code="E409", setting=setting, path=path, message=message, help=help_line)


def _low(rule: Seed) -> int:
    return 0 if rule.min is None else rule.min


def _high(rule: Seed, otherwise: int) -> int:
    return otherwise if rule.max is None else rule.max


def drawn_seeds(rule: Seed) -> tuple[int, int]:
    """The range that `auto` and `random` draw from: what the model takes, within 0 to 2147483647."""
    return max(_low(rule), 0), min(_high(rule, 2**31 - 1), 2**31 - 1)
