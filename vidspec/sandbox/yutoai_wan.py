"""What YutoAI's Wan models take, and what a request asks of them.

Where the documents are silent, this was chosen. Another `duration` than the fixed 5 counts as 5 in silence, as an
over-long prompt is cut in silence: nothing speaks of an error there, and whoever trusts in one should find out; an
upstream that has 3 to 5 seconds (`wanx2.1-i2v-turbo`) gets them. A `size` or `resolution` that a model lacks, and a
seed out of bounds, are the upstream's 400. A field of the other page is ignored. Pictures give a clip its ratio, at
the area of its resolution; one that is out of bounds fails later. Frames a second are 30 for all models, which is
documented for wan2.2 alone. `prompt_extend` is true where it is not sent, as upstream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from vidspec.sandbox.fields import BadField
from vidspec.sandbox.pictures import Given, Limits, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.sandbox.fields import Fields

__all__ = ["MODELS", "Unfit", "Wanted", "wanted"]

Size = tuple[int, int]

MOST_PROMPT, MOST_NEGATIVE = 800, 500
MOST_SEED = 2**31 - 1
USUAL_DURATION = 5
PICTURES = Limits(
    formats=("jpeg", "png", "bmp", "webp"), most_bytes=10_000_000, least_side=360, most_side=2000, alpha=False
)
SIZES: dict[str, tuple[Size, ...]] = {
    "480P": ((832, 480), (480, 832), (624, 624)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
}
"""Pixels by tier; the first of each is what a tier is without a picture."""
_SIZE = re.compile(r"([0-9]{2,4})([*x×])([0-9]{2,4})")
_SHARED = frozenset(
    {"model", "prompt", "negative_prompt", "duration", "prompt_extend", "watermark", "template", "seed"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """One model: its tiers, the usual one, and how many pictures it takes, which decides between the pages."""

    tiers: tuple[str, ...]
    usual: str
    pictures: int = 0
    durations: tuple[int, ...] = (USUAL_DURATION,)

    @property
    def fields(self) -> frozenset[str]:
        return _SHARED | ({"images", "resolution"} if self.pictures else {"size"})


MODELS: dict[str, _Model] = {
    "wan2.2-t2v-plus": _Model(tiers=("480P", "1080P"), usual="1080P"),
    "wanx2.1-t2v-turbo": _Model(tiers=("480P", "720P"), usual="720P"),
    "wanx2.1-t2v-plus": _Model(tiers=("720P",), usual="720P"),
    "wan2.2-i2v-plus": _Model(tiers=("480P", "1080P"), usual="1080P", pictures=1),
    "wan2.2-i2v-flash": _Model(tiers=("480P", "720P"), usual="720P", pictures=1),
    "wanx2.1-i2v-turbo": _Model(tiers=("480P", "720P"), usual="720P", pictures=1, durations=(3, 4, 5)),
    "wanx2.1-i2v-plus": _Model(tiers=("720P",), usual="720P", pictures=1),
    "wanx2.1-kf2v-plus": _Model(tiers=("720P",), usual="720P", pictures=2),
}


class Unfit(ValueError):
    """What the upstream refuses, in its words: the gateway passes them on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for; `fault` is why the upstream will fail it, `separator` how `size` was written."""

    model: str
    prompt: str
    size: Size
    duration: int
    seed: int | None
    pictures: tuple[tuple[str, bytes], ...]
    fault: str
    separator: str
    changed: tuple[str, ...]


def wanted(fields: Fields) -> Wanted:
    """Read a submit for a model in `MODELS`. Raises `BadField`, and `Unfit` for what the upstream refuses."""
    name = fields.needed_text("model")
    model = MODELS[name]
    _check_types(fields)
    prompt, *cuts = _cut(fields.text("prompt") or "" if model.pictures else fields.needed_text("prompt"), "prompt")
    cuts += _cut(fields.text("negative_prompt") or "", "negative_prompt")[1:]
    duration, remarks = _duration(fields, name)
    pictures, fault = _pictures(fields, model)
    size, separator = _resolved(fields, name, pictures), ""
    if not model.pictures:
        size, separator = _sized(fields, name)
    extended = _extends(fields) is not False and bool(prompt)
    return Wanted(
        model=name,
        prompt=f"{prompt.rstrip('., ')}, soft light, fine texture" if extended else prompt,
        size=size,
        duration=duration,
        seed=_seed(fields),
        pictures=tuple((part, picture.data) for part, picture in pictures if picture.seen),
        fault=fault,
        separator=separator,
        changed=(
            *fields.ignored(model.fields, name),
            *cuts,
            *remarks,
            *(remark for _, picture in pictures for remark in picture.remarks()),
            *_guesses(separator),
            *_rewriting(fields, extended),
        ),
    )


def _check_types(fields: Fields) -> None:
    """What has no effect here is still of the documented type."""
    fields.switch("watermark")
    fields.text("template")


def _cut(text: str, name: str) -> list[str]:
    """A text within its limit, and a remark where it was cut."""
    most = MOST_PROMPT if name == "prompt" else MOST_NEGATIVE
    if len(text) <= most:
        return [text]
    return [text[:most], f"`{name}` was cut from {len(text)} to {most} characters"]


def _extends(fields: Fields) -> bool | None:
    """`prompt_extend`: a boolean on one page, a string on the others."""
    spelt = {"true": True, "false": False}
    value = fields.values.get("prompt_extend")
    return spelt[value] if isinstance(value, str) and value in spelt else fields.switch("prompt_extend")


def _rewriting(fields: Fields, happened: bool) -> Iterator[str]:
    if happened and _extends(fields) is None:
        yield "the prompt was rewritten: `prompt_extend` is true upstream where it is not sent"


def _duration(fields: Fields, name: str) -> tuple[int, list[str]]:
    """Seconds; a text of digits is a number too, as other families of this endpoint write it."""
    value = fields.values.get("duration")
    spelt = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
    asked = int(str(value)) if spelt else fields.number("duration")
    remarks = ["`duration` was sent as a string: taken as a number"] if spelt else []
    if asked is None or asked in MODELS[name].durations:
        return asked or USUAL_DURATION, remarks
    return USUAL_DURATION, [*remarks, f"`duration` {asked} counts as {USUAL_DURATION}"]


def _seed(fields: Fields) -> int | None:
    seed = fields.number("seed")
    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise Unfit(f"seed must be in [0, {MOST_SEED}]")
    return seed


# --- sizes and pictures ------------------------------------------------------------------------------------


def _sized(fields: Fields, name: str) -> tuple[Size, str]:
    """Pixels by `size`, and how it was written."""
    text = fields.text("size")
    if text is None:
        return SIZES[MODELS[name].usual][0], ""
    match = _SIZE.fullmatch(text)
    size = (int(match[1]), int(match[3])) if match else None
    if match is None or not any(size in SIZES[tier] for tier in MODELS[name].tiers):
        raise Unfit(f"The size is not supported by {name}")
    return (int(match[1]), int(match[3])), match[2]


def _guesses(separator: str) -> Iterator[str]:
    if separator == "x":
        yield "`size` was written with `x`: a guess, the upstream takes `*` and the page prints `×`"
    elif separator == "×":
        yield "`size` was written with `×` as the page prints it: the upstream takes `*`"


def _pictures(fields: Fields, model: _Model) -> tuple[list[tuple[str, Given]], str]:
    """The pictures by their part in the clip, and why the upstream will not take one of them."""
    if not model.pictures:
        return [], ""
    texts = fields.texts("images")
    if len(texts) != model.pictures:
        raise BadField("images", f"it must hold exactly {model.pictures}, not {len(texts)}")
    found, faults = [], []
    for number, (part, text) in enumerate(zip(("first_frame", "last_frame"), texts, strict=False)):
        field = f"images[{number}]"
        try:
            picture = given(text, field)
        except BadField as bad:
            faults.append(str(bad))
        else:
            found.append((part, picture))
            faults += [f"{field}: {fault}" for fault in [PICTURES.fault(picture)] if fault]
    return found, faults[0] if faults else ""


def _resolved(fields: Fields, name: str, pictures: list[tuple[str, Given]]) -> Size:
    """Pixels by `resolution`: the area of the tier in the ratio of the first picture."""
    model = MODELS[name]
    tier = (fields.text("resolution") if model.pictures else None) or model.usual
    if tier not in model.tiers:
        raise Unfit(f"The resolution is not supported by {name}, use one of {', '.join(model.tiers)}")
    usual = SIZES[tier][0]
    ratio = next((picture.ratio for _, picture in pictures if picture.ratio), None)
    if ratio is None:
        return usual
    height = sqrt(usual[0] * usual[1] / ratio)
    return round(height * ratio / 2) * 2, round(height / 2) * 2
