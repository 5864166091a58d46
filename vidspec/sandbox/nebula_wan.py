"""Wan 2.5 at the gateway: lengths corrected in silence, and failures told only by `metadata.output`.

Where the documents are silent: what upstream finds wrong at once is its own error inside a 400; the model for text
refuses a picture, and takes a tier without a size as 16:9; fields that a model lacks are dropped; a picture out of
bounds (10 MB, 360 to 2000 pixels a side, as the front end has it) fails its task; a clip from a picture has the
pixels of its tier in the picture's ratio; times are those of Beijing; a clip has 24 frames a second.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import is_sensitive
from vidspec.sandbox.nebula_errors import Refused, upstream_error, uuid
from vidspec.sandbox.nebula_family import DAY, MEGABYTE, MODERATED, Order, drawn, picture_fault, scalar
from vidspec.sandbox.pictures import Limits, given
from vidspec.sandbox.twin import Clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.nebula_family import Sight
    from vidspec.sandbox.pictures import Given
    from vidspec.sandbox.twin import House, Task

__all__ = ["Wan"]

T2V, I2V = "wan2.5-t2v-preview", "wan2.5-i2v-preview"
FPS = 24
TYPICAL = {5: (60.0, 120.0), 10: (120.0, 180.0)}
PRICES = {"480p": 0.0369, "720p": 0.0738, "1080p": 0.1233}
"""US dollars a second."""
SIZES = {
    "480p": ("832*480", "480*832", "624*624"),
    "720p": ("1280*720", "720*1280", "960*960", "1088*832", "832*1088"),
    "1080p": ("1920*1080", "1080*1920", "1440*1440", "1632*1248", "1248*1632"),
}
TIERS = {size: tier for tier, sizes in SIZES.items() for size in sizes}
KNOWN = frozenset(
    {"model", "prompt", "image", "duration", "resolution", "smart_rewrite", "generate_audio", "audio_url", "seed"}
)
MOST_SEED = 2**31 - 1
PICTURES = Limits(formats=("jpeg", "png", "bmp", "webp"), most_bytes=10 * MEGABYTE, least_side=360, most_side=2000)
GUIDE_BYTES = 5 * MEGABYTE
STEP = 16
STATUS = {"queued": "PENDING", "running": "RUNNING", "succeeded": "SUCCEEDED", "failed": "FAILED"}
BEIJING = timezone(timedelta(hours=8))


class Wan:
    """The Wan 2.5 family."""

    models = (T2V, I2V)

    def order(self, house: House, model: str, fields: Fields) -> Order:
        prompt = fields.needed_text("prompt")
        changed = list(fields.ignored(KNOWN | {"size"} if model == T2V else KNOWN, model))
        duration = _duration(fields, changed)
        _audio(fields, changed)
        pictures = _pictures(house, model, fields, changed)
        tier, (width, height) = _size(house, model, fields, pictures, changed)
        clip = Clip(
            prompt=prompt,
            label=model,
            width=width,
            height=height,
            duration=duration,
            fps=FPS,
            seed=_seed(house, fields),
            pictures=[shown for picture in pictures for shown in drawn("first_frame", picture)],
        )
        return Order(
            task_id=uuid(house),
            clip=clip,
            typical=TYPICAL[duration],
            facts={"tier": tier, "request": uuid(house)},
            error=_error(prompt, pictures),
            changed=changed,
        )

    def welcome(self, task: Task) -> dict[str, Any]:
        metadata = {
            "model_price": PRICES[task.facts["tier"]],
            "requested_seconds": round(task.clip.duration),
            "billing_pending": True,
            "group_ratio": 1,
            "output": {"task_id": task.id, "task_status": "PENDING"},
            "request_id": task.facts["request"],
        }
        return {"task_id": task.id, "status": "submitted", "format": "mp4", "metadata": metadata}

    def report(self, sight: Sight) -> dict[str, Any]:
        raw = self.upstream(sight)
        if sight.stage == "succeeded":
            metadata = {"billing_pending": False, "usage": raw["usage"], "output": raw["output"]}
            return sight.answer("succeeded", url=raw["output"]["video_url"], metadata=metadata)
        status = "failed" if sight.stage == "failed" else "in_progress"
        return sight.answer(status, metadata={"output": raw["output"]})

    def upstream(self, sight: Sight) -> dict[str, Any]:
        task = sight.task
        output: dict[str, Any] = {"task_id": task.id, "task_status": STATUS[sight.stage]}
        raw = {"request_id": task.facts["request"], "output": output}
        if sight.done:
            output |= {"submit_time": _local(sight, task.accepted), "end_time": _local(sight, task.ends)}
        if sight.stage == "failed":
            code, message = sight.reason
            output |= {"code": "InvalidParameter.DataInspection" if code == MODERATED else code, "message": message}
        if sight.stage == "succeeded":
            output["video_url"] = sight.link(life=DAY)
            usage = {"video_count": 1, "duration": round(task.clip.duration), "resolution": task.facts["tier"]}
            raw["usage"] = usage
        return raw


def _local(sight: Sight, moment: float) -> str:
    """A moment as upstream writes it: to the millisecond, and no word of the zone."""
    stamp = datetime.fromtimestamp(sight.unix(moment), BEIJING)
    return f"{stamp:%Y-%m-%d %H:%M:%S}.{int(moment * 1000) % 1000:03}"


def _refused(house: House, message: str) -> Refused:
    """What upstream refuses at once: its error as JSON inside the message."""
    return Refused(upstream_error({"request_id": uuid(house), "code": "InvalidParameter", "message": message}, 400))


def _duration(fields: Fields, changed: list[str]) -> int:
    value = fields.values.get("duration")
    if value is None:
        return 5
    if isinstance(value, int | float) and value in TYPICAL:
        return int(value)
    changed.append(f"`duration` is {scalar(value)} and becomes 5: only the numbers 5 and 10 are taken")
    return 5


def _audio(fields: Fields, changed: list[str]) -> None:
    fields.switch("smart_rewrite")
    wanted, url = fields.switch("generate_audio"), fields.text("audio_url")
    if not url:
        return
    if not url.lower().startswith("https://"):
        raise BadField("audio_url", "it must be an https address")
    changed.append("`audio_url` is not fetched offline: the clip is silent")
    if wanted:
        changed.append("`generate_audio` is ignored: there is `audio_url`")


def _seed(house: House, fields: Fields) -> int:
    seed = fields.number("seed")
    if seed is None:
        return house.number(0, MOST_SEED)
    if not 0 <= seed <= MOST_SEED:
        raise _refused(house, f"seed must be from 0 to {MOST_SEED}")
    return seed


def _pictures(house: House, model: str, fields: Fields, changed: list[str]) -> list[Given]:
    text = fields.text("image")
    if text and model == T2V:
        raise _refused(house, f"image is not supported by {model}")
    if not text and model == T2V:
        return []
    if not text:
        raise _refused(house, "image is required")
    picture = given(text, "image")
    changed += picture.remarks()
    if picture.seen and GUIDE_BYTES < picture.seen.bytes <= PICTURES.most_bytes:
        changed.append("`image` has more than the 5 MB of the guide, not more than the 10 MB of the front end")
    return [picture]


def _size(
    house: House, model: str, fields: Fields, pictures: list[Given], changed: list[str]
) -> tuple[str, tuple[int, int]]:
    """The tier and the pixels of a clip."""
    tier, size = fields.text("resolution") or "720p", fields.text("size")
    if tier not in SIZES:
        raise _refused(house, f"resolution must be one of {', '.join(SIZES)}")
    if model == I2V:
        return tier, _like(pictures[0], tier, changed)
    if size is not None and size not in TIERS:
        raise _refused(house, f"size must be one of {', '.join(TIERS)}")
    if size is not None and TIERS[size] != tier and fields.text("resolution"):
        changed.append(f"`resolution` is ignored: `size` is {size}")
    size = size or SIZES[tier][0]
    return TIERS[size], _pixels(size)


def _pixels(size: str) -> tuple[int, int]:
    width, _, height = size.partition("*")
    return int(width), int(height)


def _like(picture: Given, tier: str, changed: list[str]) -> tuple[int, int]:
    """A clip's pixels in the ratio of a picture: as many as the tier has in 16:9, sides in steps of 16."""
    wide, high = _pixels(SIZES[tier][0])
    if picture.ratio is None:
        changed.append("the clip is 16:9: there is no picture to look at")
        return wide, high
    ratio = min(max(picture.ratio, 0.2), 5.0)
    width, height = math.sqrt(wide * high * ratio), math.sqrt(wide * high / ratio)
    return max(STEP, round(width / STEP) * STEP), max(STEP, round(height / STEP) * STEP)


def _error(prompt: str, pictures: list[Given]) -> Mapping[str, Any] | None:
    if is_sensitive(prompt):
        return {"code": MODERATED, "message": "the prompt may hold what must not be shown"}
    if fault := picture_fault(pictures, PICTURES):
        return {"code": "InvalidParameter.DataInspection", "message": f"image rejected: {fault}"}
    return None
