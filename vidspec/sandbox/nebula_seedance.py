"""The Doubao Seedance models at the gateway: everything in `metadata.content`, settings as flags in a text.

Where the documents are silent or disagree: what upstream refuses at submit (roles, a missing text or picture) is
an `api_error` with status 400; a picture out of bounds fails its task; a flag that a model cannot take is passed
over for the default as any bad one; the default tier is 720p, the default ratio 16:9 or, with a first frame,
`adaptive`, which comes to the nearest of the six ratios; 2 seconds are taken by the 1.0 models; links live a day.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import is_sensitive
from vidspec.sandbox.nebula_errors import Refused, task_error
from vidspec.sandbox.nebula_family import DAY, MEGABYTE, MODERATED, Order, drawn, picture_fault
from vidspec.sandbox.pictures import Limits, given
from vidspec.sandbox.seedance_text import number, switch, take_apart
from vidspec.sandbox.twin import Clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.nebula_family import Sight
    from vidspec.sandbox.pictures import Given
    from vidspec.sandbox.seedance_text import Text
    from vidspec.sandbox.twin import House, Task

__all__ = ["Seedance"]

STOCK = "视频生成请求"
FPS = 24
MOST_SEED = 2**32 - 1
SILENT = "-noAudio"
TYPICAL = (40.0, 120.0)
KEPT = frozenset({"content", "callback_url", "return_last_frame"})
ROLES = {"first_frame": "first_frame", "last_frame": "last_frame", "reference_image": "reference"}
PICTURES = Limits(
    formats=("jpeg", "png", "gif", "webp", "bmp", "tiff"),
    most_bytes=10 * MEGABYTE,
    least_side=300,
    most_side=6000,
    ratios=(0.4, 2.5),
)
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
SIZES = {
    "480p": ((864, 480), (736, 544), (640, 640), (544, 736), (480, 864), (960, 416)),
    "720p": ((1248, 704), (1120, 832), (960, 960), (832, 1120), (704, 1248), (1504, 640)),
    "1080p": ((1920, 1088), (1664, 1248), (1440, 1440), (1248, 1664), (1088, 1920), (2176, 928)),
}
"""Pixels by tier and by ratio in the order of `RATIOS`. No document gives them: they are even and plausible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What a model takes: a text alone, a first frame, a last one, how many references; tiers; seconds."""

    text: bool = True
    first: bool = True
    last: bool = False
    references: int = 0
    tiers: tuple[str, ...] = ("480p", "720p", "1080p")
    durations: tuple[int, int] = (2, 12)


_NEW = _Kind(last=True, tiers=("480p", "720p"), durations=(4, 12))
KINDS = {
    "doubao-seedance-1-0-lite-t2v-250428": _Kind(first=False),
    "doubao-seedance-1-0-lite-i2v-250428": _Kind(text=False, last=True, references=4),
    "doubao-seedance-1-0-pro-250528": _Kind(),
    "doubao-seedance-1-5-pro-251215": _NEW,
    f"doubao-seedance-1-5-pro-251215{SILENT}": _NEW,
}


class Seedance:
    """The Seedance family."""

    models = tuple(KINDS)

    def order(self, house: House, model: str, fields: Fields) -> Order:
        changed: list[str] = []
        text, pictures = _items(_content(fields, model, changed), model)
        parts = _roles(pictures, KINDS[model])
        asked = take_apart(text)
        changed += asked.ignored
        wish = _wish(asked, KINDS[model], parts, changed)
        if wish["seed"] == -1:
            wish["seed"] = house.number(0, MOST_SEED)
        looked_at = [picture for _, picture in parts]
        for picture in looked_at:
            changed += picture.remarks()
        return Order(
            task_id=f"cgt-{time.strftime('%Y%m%d%H%M%S', time.gmtime(house.unix()))}-{house.word(5)}",
            clip=_clip(asked.words, model, parts, wish),
            typical=TYPICAL,
            facts=wish,
            error=_error(asked.words, looked_at),
            changed=changed,
        )

    def welcome(self, task: Task) -> dict[str, Any]:
        return {"task_id": task.id, "status": "submitted"}

    def report(self, sight: Sight) -> dict[str, Any]:
        if sight.stage == "succeeded":
            raw = self.upstream(sight)
            return sight.answer("succeeded", url=raw["content"]["video_url"], metadata=raw)
        if sight.stage == "failed":
            code, message = sight.reason
            return sight.answer("failed", error={"code": code, "message": message})
        return sight.answer("queued" if sight.stage == "queued" else "in_progress")

    def upstream(self, sight: Sight) -> dict[str, Any]:
        task, clip = sight.task, sight.task.clip
        raw = {"id": task.id, "model": task.model.removesuffix(SILENT), "status": sight.stage}
        if sight.stage == "failed":
            code, message = sight.reason
            return {**raw, "error": {"code": code, "message": message}}
        if sight.stage != "succeeded":
            return raw
        tokens = clip.width * clip.height * (FPS * task.facts["duration"] + 1) // 1024
        return {
            **raw,
            "content": {"video_url": sight.link(life=DAY)},
            "seed": task.facts["seed"],
            "resolution": task.facts["resolution"],
            "duration": task.facts["duration"],
            "ratio": task.facts["ratio"],
            "framespersecond": FPS,
            "usage": {"completion_tokens": tokens, "total_tokens": tokens},
            "created_at": sight.unix(task.accepted),
            "updated_at": sight.unix(task.ends),
        }


def _content(fields: Fields, model: str, changed: list[str]) -> list[Any]:
    """The content array: of `metadata`, or of the whole body where that is missing, or the stock sentence."""
    metadata = fields.values.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise BadField("metadata", "it must be an object")
    if metadata is not None:
        changed += Fields({**fields.values, "metadata": None}).ignored({"model"}, model)
    held = Fields(fields.values if metadata is None else metadata)
    known = KEPT | {"model"} if metadata is None else KEPT
    changed += [f"{remark}: the gateway drops it" for remark in held.ignored(known, model)]
    held.switch("return_last_frame")
    if held.text("callback_url"):
        changed.append("`callback_url` is not called by the sandbox")
    content = held.values.get("content")
    if content is not None and not isinstance(content, list):
        raise BadField("content", "it must be an array")
    if not content:
        changed.append(f"THERE IS NO `content`: a video of the stock sentence `{STOCK}` is made, and billed")
        return [{"type": "text", "text": STOCK}]
    return content


def _items(content: list[Any], model: str) -> tuple[str, list[tuple[str | None, Given]]]:
    """The texts as one, and the pictures with their roles."""
    texts: list[str] = []
    pictures: list[tuple[str | None, Given]] = []
    for place, item in enumerate(content):
        if not isinstance(item, dict):
            raise BadField(f"content[{place}]", "it must be an object")
        fields = Fields(item)
        kind = fields.text("type")
        if kind == "text":
            texts.append(fields.text("text") or "")
        elif kind == "image_url":
            pictures.append((fields.text("role"), _picture(item, place)))
        else:
            raise _refused(f"content[{place}].type must be text or image_url")
    if not texts and KINDS[model].text and not pictures:
        raise _refused("content holds no text")
    return " ".join(texts), pictures


def _picture(item: Mapping[str, Any], place: int) -> Given:
    holder = item.get("image_url")
    if not isinstance(holder, dict):
        raise BadField(f"content[{place}].image_url", "it must be an object")
    url = Fields(holder).text("url")
    try:
        return given(url or "", f"content[{place}]")
    except BadField as bad:
        raise _refused(str(bad)) from None


def _roles(pictures: list[tuple[str | None, Given]], kind: _Kind) -> list[tuple[str, Given]]:
    """The pictures with what they are for. A single one without a role is a first frame."""
    if len(pictures) == 1 and not pictures[0][0]:
        pictures = [("first_frame", pictures[0][1])]
    for role, picture in pictures:
        if role not in ROLES:
            raise _refused(f"{picture.field}.role must be one of {', '.join(ROLES)}")
    found = [ROLES[role] for role, _ in pictures if role]
    firsts, lasts, references = (found.count(part) for part in ROLES.values())
    faults = {
        "first or last frames cannot be mixed with reference images": bool(references and (firsts or lasts)),
        "a first frame and a last frame can be given once": max(firsts, lasts) > 1,
        "a last frame needs a first frame": lasts > firsts,
        "the model does not take a first frame": firsts > 0 and not kind.first,
        "the model does not take a last frame": lasts > 0 and not kind.last,
        f"the model takes {kind.references or 'no'} reference images": references > kind.references,
        "the model needs an image": not found and not kind.text,
    }
    for fault, is_so in faults.items():
        if is_so:
            raise _refused(fault)
    return [(part, picture) for part, (_, picture) in zip(found, pictures, strict=True)]


def _refused(message: str) -> Refused:
    """What upstream refuses at once: its error stands in a Chinese sentence."""
    inner = {"error": {"code": "InvalidParameter", "message": message, "param": "", "type": "BadRequest"}}
    return Refused(task_error("api_error", f"上游请求失败(400): {json.dumps(inner, ensure_ascii=False)}"))


def _wish(asked: Text, kind: _Kind, parts: list[tuple[str, Given]], changed: list[str]) -> dict[str, Any]:
    """The settings that hold: flags where their values can be taken, else defaults, which is noted."""
    references = any(part == "reference" for part, _ in parts)
    moving = bool(parts) and not references
    tiers = [tier for tier in kind.tiers if not (references and tier == "1080p")]
    ratios = [*RATIOS, "adaptive"] if kind.first and not references else [*RATIOS]
    seconds, seed, fps = (number(asked.flags.get(name, "")) for name in ("duration", "seed", "framespersecond"))
    values: dict[str, tuple[bool, Any, Any]] = {
        "ratio": (asked.flags.get("ratio") in ratios, asked.flags.get("ratio"), "adaptive" if moving else "16:9"),
        "resolution": (asked.flags.get("resolution") in tiers, asked.flags.get("resolution"), "720p"),
        "duration": (seconds is not None and kind.durations[0] <= seconds <= kind.durations[1], seconds, 5),
        "framespersecond": (fps == FPS, fps, FPS),
        "seed": (seed is not None and -1 <= seed <= MOST_SEED, seed, -1),
    }
    for name in ("watermark", "camerafixed"):
        value = switch(asked.flags.get(name, ""))
        values[name] = (value is not None and not (name == "camerafixed" and references), value, False)
    for name, (good, _, default) in values.items():
        if name in asked.flags and not good:
            changed.append(f"`--{name} {asked.flags[name][:40]}` is ignored: {default} is used")
    wish = {name: value if good else default for name, (good, value, default) in values.items()}
    if wish["duration"] == 2:
        changed.append("2 seconds: the documents disagree on whether fewer than 3 are taken")
    if wish["ratio"] == "adaptive":
        wish["ratio"] = _nearest(parts, changed)
    return wish


def _nearest(parts: list[tuple[str, Given]], changed: list[str]) -> str:
    """The ratio that an adaptive clip gets: the nearest to its first frame's."""
    shape = parts[0][1].ratio if parts else None
    if shape is None:
        changed.append("`adaptive` comes to 16:9: there is no picture to look at")
        return "16:9"
    return min(RATIOS, key=lambda ratio: abs(math.log(shape / _shape(ratio))))


def _shape(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


def _clip(words: str, model: str, parts: list[tuple[str, Given]], wish: Mapping[str, Any]) -> Clip:
    width, height = SIZES[wish["resolution"]][RATIOS.index(wish["ratio"])]
    return Clip(
        prompt=words,
        label=model,
        width=width,
        height=height,
        duration=wish["duration"],
        fps=FPS,
        seed=wish["seed"],
        camera=("static shot",) if wish["camerafixed"] else (),
        pictures=[shown for part, picture in parts for shown in drawn(part, picture)],
    )


def _error(words: str, pictures: list[Given]) -> dict[str, Any] | None:
    if is_sensitive(words):
        return {"code": MODERATED, "message": "the request was rejected by moderation"}
    if fault := picture_fault(pictures, PICTURES):
        return {"code": "InvalidParameter", "message": f"invalid image: {fault}"}
    return None
