"""Blocks of a capability table as a person reads them: in sentences, and in single words for tables."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vidspec.capability import (
        Camera,
        Capability,
        Numbers,
        Option,
        Price,
        Remix,
        Seed,
        Shape,
        Sound,
        Still,
        Switch,
        Text,
    )

HARD_BLANK = "\u00a0"
"""Where a line may not be broken; a blank in what is printed."""

_ALL_MOVES = 15
_OF_A_MODE = frozenset({"first_frame", "last_frame", "references", "remix_of"})


def settings(capability: Capability) -> dict[str, str]:
    """What a mode takes, setting by setting, each with the field it is sent as and what should be known."""
    found = {}
    for name, phrase in _PHRASES.items():
        block = getattr(capability, name)
        if _is_there(block):
            found[name] = phrase(block) + sent(block) + (f"\n{block.note}" if block.note else "")
    return found


def absent(capability: Capability) -> list[str]:
    """The settings that a mode does not take; the pictures of another mode are no loss."""
    return [name for name in _PHRASES if name not in _OF_A_MODE and not _is_there(getattr(capability, name))]


def _is_there(block: Any) -> bool:
    return block is not None and getattr(block, "kind", "") != "never"


def option(parameter: Option) -> str:
    """A provider's own parameter."""
    parts = [parameter.summary, either(parameter.values) if parameter.values else _KINDS[parameter.type]]
    parts += [f"default {plain(parameter.default)}"] if parameter.default is not None else []
    return "; ".join(parts) + sent(parameter)


_KINDS = {"string": "a text", "integer": "an integer", "number": "a number", "boolean": "true or false"}


# --- sentences -------------------------------------------------------------------------------------------


def _text(text: Text) -> str:
    parts = ["required" if text.required else "may be left out"]
    parts += [f"at most {text.max} characters"] if text.max else []
    reads = {"brackets": "camera moves in [brackets] are read", "flags": "words after `--` are read as flags"}
    return "; ".join([*parts, *([reads[text.reads]] if text.reads else [])])


def _negative(text: Text) -> str:
    return f"at most {text.max} characters" if text.max else "of any length"


def _shape(shape: Shape) -> str:
    if shape.inherited:
        return "that of the clip that is remixed"
    default = " ".join((shape.default or {}).values())
    parts = [f"default {default}"] if default else []
    parts += ["must be asked for: there is no default"] if shape.required else []
    parts += ["the ratio is that of the picture"] if shape.follows else []
    parts += ["the provider chooses the pixels"] if _unsized(shape) else []
    parts += [f"any other size of {shape.min} to {shape.max} pixels a side"] if shape.any_size else []
    if shape.follows:
        return "; ".join([either(shape.tiers), *parts])
    return "\n".join([*_tiers(shape.tiers), "; ".join(parts)])


def _unsized(shape: Shape) -> bool:
    return any(size is None for sizes in shape.tiers.values() for size in sizes.values())


def _tiers(tiers: Mapping[str, Mapping[str, str | None]]) -> list[str]:
    """A line for every set of ratios; tiers that offer the same share one."""
    grouped: dict[str, list[str]] = {}
    for tier, sizes in tiers.items():
        offered = ", ".join(f"{ratio}{HARD_BLANK}{size}" if size else ratio for ratio, size in sizes.items())
        grouped.setdefault(offered, []).append(tier)
    names = [", ".join(group) for group in grouped.values()]
    wide = max(map(len, names), default=0)
    return [f"{name:{wide}}  {offered}" for name, offered in zip(names, grouped, strict=True)]


def _duration(numbers: Numbers) -> str:
    return _numbers(numbers, "s")


def _rate(numbers: Numbers) -> str:
    return _numbers(numbers, "frames a second")


def _numbers(numbers: Numbers, unit: str) -> str:
    if numbers.inherited:
        return "that of the clip that is remixed"
    parts = [_offered(numbers, unit)]
    if numbers.default is not None and len(numbers.values) != 1:
        parts.append(f"default {numbers.default:g}")
    parts += [f"at {tier} only {either(values)}" for tier, values in numbers.by_resolution.items()]
    parts += [f"{either(numbers.doubtful)} is doubtful"] if numbers.doubtful else []
    return "; ".join(parts)


def _offered(numbers: Numbers, unit: str) -> str:
    if numbers.values:
        return f"{'about ' if numbers.unsure else ''}{either(numbers.values)} {unit}"
    step = f" in steps of {numbers.step:g}" if numbers.step else ""
    return f"{numbers.min:g} to {numbers.max:g} {unit}{step}"


def _seed(seed: Seed) -> str:
    if seed.max is None:
        return "any integer" if seed.min is None else f"an integer from {seed.min}"
    return f"{seed.min} to {seed.max}"


def _switch(switch: Switch) -> str:
    if switch.kind == "always":
        return "always"
    default = {True: "on", False: "off", None: "not documented"}[switch.default]
    text = f"on or off; default {default}"
    return text + (f"; or {_sound(switch.file)}" if switch.file else "")


def _sound(sound: Sound) -> str:
    parts = [f"your own sound as {_forms(sound.forms)}", " or ".join(name.upper() for name in sound.formats)]
    parts += [_bytes(sound.max_bytes)] if sound.max_bytes else []
    return ", ".join(filter(None, parts)) + (f", sent as `{sound.wire}`" if sound.wire else "")


def _camera(camera: Camera) -> str:
    form = {"brackets": "sent in brackets in the prompt", "camerafixed": "sent as `--cf true`", "drawn": "drawn"}[
        camera.form
    ]
    offered = f"any of the {len(camera.moves)} moves" if len(camera.moves) == _ALL_MOVES else either(camera.moves)
    parts = [offered, f"at most {camera.max} at once" if camera.max > 1 else "", form]
    return "; ".join(filter(None, parts))


def _still(still: Still) -> str:
    parts = ["required" if still.required else "may be left out", _forms(still.forms)]
    parts += [", ".join(name.upper() for name in still.formats) + ("" if still.alpha else " without alpha")]
    parts += [f"over {_megabytes(still.warn_bytes)} is doubtful"] if still.warn_bytes else []
    parts += [_bytes(still.max_bytes)] if still.max_bytes else []
    parts += [_sides(still), "exactly the size of the clip" if still.size else ""]
    parts += [f"ratio {still.min_ratio:g} to {still.max_ratio:g}" if still.min_ratio and still.max_ratio else ""]
    return "; ".join(filter(None, parts))


def _references(still: Still) -> str:
    many = still.max_count > still.min_count
    count = f"{still.min_count} to {still.max_count} pictures" if many else "one picture"
    named = f"; named {still.marker.format(n=1)} in the prompt" if still.marker else ""
    return f"{count}; {_still(still)}{named}"


def _sides(still: Still) -> str:
    if still.min_short_side:
        return f"short side of {still.min_short_side} pixels or more"
    return f"sides of {still.min_side} to {still.max_side} pixels" if still.min_side and still.max_side else ""


def _remix(remix: Remix) -> str:
    prefix = f" that begins with `{remix.prefix}`" if remix.prefix else ""
    return f"a take of another shot, or an id{prefix}"


_PHRASES: dict[str, Callable[[Any], str]] = {
    "prompt": _text,
    "negative_prompt": _negative,
    "first_frame": _still,
    "last_frame": _still,
    "references": _references,
    "remix_of": _remix,
    "shape": _shape,
    "duration": _duration,
    "fps": _rate,
    "seed": _seed,
    "audio": _switch,
    "watermark": _switch,
    "enhance_prompt": _switch,
    "camera": _camera,
}


# --- single words, for tables ----------------------------------------------------------------------------


def ratios_word(shapes: Iterable[Shape | None]) -> str:
    """The ratios on offer, by name while there are two; `own` is that of the picture."""
    own = [shape for shape in shapes if shape and not shape.inherited]
    ratios = distinct(chain.from_iterable(chain.from_iterable(shape.tiers.values()) for shape in own))
    named = ratios if len(ratios) < 3 else [f"{len(ratios)} ratios"]
    return " ".join([*named, *(["own"] if any(shape.follows for shape in own) else [])])


def tiers_word(shapes: Iterable[Shape | None]) -> str:
    """The tiers on offer, the smallest first; of many only the ends."""
    tiers = sorted({tier for shape in shapes if shape for tier in shape.tiers}, key=lambda tier: int(tier[:-1]))
    return " ".join(tiers) if len(tiers) < 4 else f"{tiers[0]} to {tiers[-1]}"


def numbers_word(numbers: Numbers | None) -> str:
    """The lengths on offer."""
    if numbers is None:
        return "-"
    if numbers.values:
        return ("~" if numbers.unsure else "") + ", ".join(f"{value:g}" for value in numbers.values)
    return f"{numbers.min:g} to {numbers.max:g}"


def camera_word(camera: Camera | None) -> str:
    """The camera moves on offer: their number and how many go together."""
    if camera is None:
        return "-"
    return "static" if camera.form == "camerafixed" else f"{camera.max} of {len(camera.moves)}"


def price_word(prices: Sequence[Price]) -> str:
    """The least and the greatest price."""
    if not prices:
        return "unknown"
    amounts = sorted({price.amount for price in prices})
    if amounts == [0]:
        return "free"
    spread = "-".join(f"{amount:.2f}" for amount in (amounts[0], amounts[-1])[: len(amounts)])
    unit = {"second": "s", "clip": "clip"}[prices[0].per]
    doubt = "?" if any(price.basis == "unsure" for price in prices) else ""
    return f"{spread} {prices[0].currency}/{unit}{doubt}"


def price(row: Price) -> tuple[str, str]:
    """A row of a price list: what it holds for, and what is paid."""
    held = ", ".join(_condition(key, value) for key, value in row.when.items())
    if not row.amount:
        return held, "free"
    amount = f"{row.amount:.2f}" if round(row.amount, 2) == row.amount else f"{row.amount:g}"
    doubt = " (doubtful)" if row.basis == "unsure" else ""
    return held, f"{amount} {row.currency} a {row.per}{doubt}"


def _condition(key: str, value: Any) -> str:
    if key == "audio":
        return "with sound" if value else "silent"
    return f"{value:g} s" if key == "duration" else str(value)


# --- parts of sentences ----------------------------------------------------------------------------------


def time(seconds: float) -> str:
    """`20 min`, `1 h`, `330 s`."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def clause(note: str | None) -> str:
    """A note as the end of a sentence."""
    return f"; {note}" if note else ""


def sent(block: Any) -> str:
    """The field that a block is sent as, as the end of a sentence."""
    wire = getattr(block, "wire", None)
    return f"; sent as `{wire}`" if wire else ""


def either(values: Iterable[Any]) -> str:
    """`4, 8 or 12`."""
    *most, last = [plain(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last


def plain(value: Any) -> str:
    """A value as it is written in YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def distinct(words: Iterable[str]) -> list[str]:
    """Each word once, in order."""
    return list(dict.fromkeys(words))


def _forms(forms: Sequence[str]) -> str:
    return " or ".join({"url": "an https address", "data": "a file"}[form] for form in sorted(forms))


def _bytes(most: int) -> str:
    return f"under {_megabytes(most + 1)}" if (most + 1) % 1_000_000 == 0 else f"at most {_megabytes(most)}"


def _megabytes(number: int) -> str:
    return f"{number / 1_000_000:.3g} MB"
