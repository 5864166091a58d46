"""What MiniMax's video models take by its first protocol, and what a request asks of them.

Where the documents are silent, this was chosen: a picture that a model has no mode for is a bad parameter; 20 MB
are 20,000,000 bytes; more than a tenth of a prompt makes too many invisible characters; commands are spelt as
listed, capital first; text in brackets that is no command stays in the prompt; a tier's number is the short side.
On Gately's page, which shows no more, a picture may also be bare base64, and `subject_reference` is as MiniMax's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec.sandbox.fields import BadField
from vidspec.sandbox.manners import is_sensitive
from vidspec.sandbox.pictures import Given, Limits, given

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.sandbox.fields import Fields

__all__ = ["COMMANDS", "GATELY_MODELS", "MODELS", "SHORT_SIDES", "Banned", "Wanted", "wanted"]

COMMANDS = (
    "Truck left", "Truck right", "Pan left", "Pan right", "Push in", "Pull out", "Pedestal up", "Pedestal down",
    "Tilt up", "Tilt down", "Zoom in", "Zoom out", "Shake", "Tracking shot", "Static shot",
)  # fmt: skip
MOST_AT_ONCE = 3
MOST_PROMPT = 2000
MOST_INVISIBLE = 0.1
PICTURES = Limits(formats=("jpeg", "png", "webp"), most_bytes=20_000_000 - 1, least_side=301, ratios=(2 / 5, 5 / 2))
SHORT_SIDES = {"512P": 512, "720P": 720, "768P": 768, "1080P": 1080}
WIDE = 16 / 9
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")

FIRST, LAST, SUBJECT = "first_frame_image", "last_frame_image", "subject_reference"
GATELY_FIELDS = frozenset({"model", "prompt", "prompt_optimizer", FIRST, SUBJECT})
FIELDS = GATELY_FIELDS | {"fast_pretreatment", "duration", "resolution", LAST, "callback_url", "aigc_watermark"}

Durations = dict[str, tuple[int, ...]]
"""Seconds by resolution; the first of each is what counts where nothing is sent."""

_MODERN: Durations = {"768P": (6, 10), "1080P": (6,)}
_WITH_512P: Durations = {**_MODERN, "512P": (6, 10)}
_OLD: Durations = {"720P": (6,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """One model: what it offers by mode (`t2v`, `i2v`, `fl2v`, `s2v`), and whether it obeys camera commands."""

    modes: Mapping[str, Durations]
    camera: bool = False
    hasty: tuple[str, ...] = ()
    """The modes in which `fast_pretreatment` counts."""


MODELS: dict[str, _Model] = {
    "MiniMax-Hailuo-2.3": _Model(modes={"t2v": _MODERN, "i2v": _MODERN}, camera=True, hasty=("t2v", "i2v")),
    "MiniMax-Hailuo-2.3-Fast": _Model(modes={"i2v": _MODERN}, camera=True, hasty=("i2v",)),
    "MiniMax-Hailuo-02": _Model(
        modes={"t2v": _MODERN, "i2v": _WITH_512P, "fl2v": _MODERN}, camera=True, hasty=("t2v", "i2v")
    ),
    "T2V-01-Director": _Model(modes={"t2v": _OLD}, camera=True),
    "T2V-01": _Model(modes={"t2v": _OLD}),
    "I2V-01-Director": _Model(modes={"i2v": _OLD}, camera=True),
    "I2V-01": _Model(modes={"i2v": _OLD}),
    "I2V-01-live": _Model(modes={"i2v": _OLD}),
    "S2V-01": _Model(modes={"s2v": _OLD}),
}
GATELY_MODELS = tuple(name for name in MODELS if "-01" in name)
NEEDS = {"t2v": "prompt", "i2v": FIRST, "fl2v": LAST, "s2v": SUBJECT}


TAKES = {"t2v": frozenset[str](), "i2v": {FIRST}, "fl2v": {FIRST, LAST}, "s2v": frozenset[str]()}
"""The frames that go with each mode."""


class Banned(ValueError):
    """A prompt that is refused for what it holds: `sensitive`, or `invisible` characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for: text for the model, neutral camera moves, pixels, seconds, pictures by part."""

    model: str
    prompt: str
    camera: tuple[str, ...]
    size: tuple[int, int]
    duration: int
    pictures: tuple[tuple[str, bytes], ...]
    changed: tuple[str, ...]


def wanted(fields: Fields, *, gately: bool = False) -> Wanted:
    """Read a submit. Raises `BadField` for a bad parameter and `Banned` for a bad prompt."""
    model = fields.needed_text("model")
    known = GATELY_FIELDS if gately else FIELDS
    if model not in (GATELY_MODELS if gately else MODELS):
        raise BadField("model", "it does not exist")
    mode = _mode(fields, known)
    if mode not in MODELS[model].modes:
        raise BadField(*_missing(model, mode))
    if extra := [name for name in (FIRST, LAST) if name in known - TAKES[mode] and fields.values.get(name)]:
        raise BadField(extra[0], f"{model} does not support it here")
    prompt = _prompt(fields, needed=mode == "t2v")
    pictures = _pictures(fields, mode, gately=gately)
    resolution, duration = _length(fields, model, mode) if not gately else ("720P", 6)
    text, camera, remarks = _directed(prompt, model)
    rewritten = _rewritten(fields, text)
    return Wanted(
        model=model,
        prompt=rewritten,
        camera=camera,
        size=_size(resolution, pictures),
        duration=duration,
        pictures=tuple((part, picture.data) for part, picture in pictures if picture.seen),
        changed=(
            *fields.ignored(known, model),
            *(remark for _, picture in pictures for remark in picture.remarks()),
            *(_beyond_the_page(pictures) if gately else ()),
            *_unheeded(fields, model, mode, known),
            *remarks,
            *_rewriting(fields, rewritten != text),
        ),
    )


def _mode(fields: Fields, known: frozenset[str]) -> str:
    sent = {name for name in known if fields.values.get(name) is not None}
    return next((mode for mode in ("s2v", "fl2v", "i2v") if NEEDS[mode] in sent), "t2v")


def _missing(model: str, mode: str) -> tuple[str, str]:
    """The parameter that is wrong where a model lacks a mode, and how: one too many, or one that it needs."""
    if mode == "t2v":
        return NEEDS[next(iter(MODELS[model].modes))], f"{model} needs it"
    return NEEDS[mode], f"{model} does not support it"


def _prompt(fields: Fields, *, needed: bool) -> str:
    prompt = fields.needed_text("prompt") if needed else fields.text("prompt") or ""
    if len(prompt) > MOST_PROMPT:
        raise BadField("prompt", f"it is longer than {MOST_PROMPT} characters")
    if sum(map(_is_invisible, prompt)) > MOST_INVISIBLE * len(prompt):
        raise Banned("invisible")
    if is_sensitive(prompt):
        raise Banned("sensitive")
    return prompt


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") and character not in "\n\r\t"


# --- pictures ----------------------------------------------------------------------------------------------


def _pictures(fields: Fields, mode: str, *, gately: bool) -> list[tuple[str, Given]]:
    """The pictures of a request by their part in the clip, within the limits."""
    sent: list[tuple[str, str, str]] = []
    if mode == "s2v":
        sent.append(("reference", SUBJECT, _subject(fields)))
    if mode in ("i2v", "fl2v") and (first := fields.text(FIRST)) is not None:
        sent.append(("first_frame", FIRST, first))
    if mode == "fl2v":
        sent.append(("last_frame", LAST, fields.needed_text(LAST)))
    found = [(part, given(text, name, bare=gately)) for part, name, text in sent]
    for _, picture in found:
        if fault := PICTURES.fault(picture):
            raise BadField(picture.field, fault)
    return found


def _subject(fields: Fields) -> str:
    match fields.values[SUBJECT]:
        case [{"type": "character", "image": [str(text)]}]:
            return text
    raise BadField(SUBJECT, 'it must be [{"type": "character", "image": [one picture]}]')


def _beyond_the_page(pictures: list[tuple[str, Given]]) -> Iterator[str]:
    for _, picture in pictures:
        if not picture.data:
            yield f"`{picture.field}` was taken as an address: Gately's page speaks of base64 alone"


def _size(resolution: str, pictures: list[tuple[str, Given]]) -> tuple[int, int]:
    """Pixels of the clip: the frame's ratio where it is known, else 16:9; a subject has no say."""
    ratios = [picture.ratio for part, picture in pictures if part != "reference" and picture.ratio]
    ratio = ratios[0] if ratios else WIDE
    short = SHORT_SIDES[resolution]
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)


def _length(fields: Fields, model: str, mode: str) -> tuple[str, int]:
    """Resolution and seconds, by the table of the model and mode."""
    offered = MODELS[model].modes[mode]
    usual = next(iter(offered))
    if mode == "s2v":
        return usual, offered[usual][0]
    resolution = fields.text("resolution") or usual
    if resolution not in offered:
        raise BadField("resolution", f"{model} supports {', '.join(offered)} here")
    duration = fields.number("duration")
    if duration is None:
        return resolution, offered[resolution][0]
    if duration not in offered[resolution]:
        raise BadField("duration", f"{model} supports {', '.join(map(str, offered[resolution]))} at {resolution}")
    return resolution, duration


# --- the prompt --------------------------------------------------------------------------------------------


def _directed(prompt: str, model: str) -> tuple[str, tuple[str, ...], list[str]]:
    """The prompt without its camera commands, these as neutral moves in their order, and remarks on the rest."""
    moves: list[str] = []
    remarks: list[str] = []

    def taken(match: re.Match[str]) -> str:
        words = [word.strip() for word in match[1].split(",")]
        known = [word for word in words if word in COMMANDS]
        moves.extend(word.lower() for word in known)
        if len(known) > MOST_AT_ONCE:
            remarks.append(f"`{match[0]}` holds more than {MOST_AT_ONCE} commands: it may not be followed")
        remarks.extend(f"`[{word[:40]}]` is no camera command: ignored" for word in words if word not in COMMANDS)
        return "" if known else match[0]

    if not MODELS[model].camera:
        found = _BRACKETS.search(prompt)
        kept = f"`{found[0][:40]}` stays as text: `{model}` obeys no camera commands" if found else None
        return prompt, (), [kept] if kept else []
    text = _BRACKETS.sub(taken, prompt)
    return text.strip() if moves else text, tuple(dict.fromkeys(moves)), remarks


def _rewritten(fields: Fields, text: str) -> str:
    if fields.switch("prompt_optimizer") is False or not text:
        return text
    return f"{text.rstrip('., ')}, cinematic light, rich detail"


def _rewriting(fields: Fields, happened: bool) -> Iterator[str]:
    if happened and fields.switch("prompt_optimizer") is None:
        yield "the prompt was rewritten: `prompt_optimizer` is true where it is not sent"


def _unheeded(fields: Fields, model: str, mode: str, known: frozenset[str]) -> Iterator[str]:
    """Fields that are known, and that have no effect in this mode or in this sandbox."""
    if "fast_pretreatment" in known and fields.switch("fast_pretreatment") and mode not in MODELS[model].hasty:
        yield f"`fast_pretreatment` is ignored: `{model}` has no such field"
    if "aigc_watermark" in known and fields.switch("aigc_watermark"):
        yield "`aigc_watermark` is taken: the sandbox draws no watermark"
    if "callback_url" in known and fields.text("callback_url"):
        yield "`callback_url` is not called by the sandbox"
    if mode == "s2v" and "duration" in known:
        for name in ("duration", "resolution"):
            if fields.values.get(name) is not None:
                yield f"`{name}` is ignored: `{model}` has no such field"
