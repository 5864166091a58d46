"""Sora 2 at the gateway: a clip without an address, which is fetched as base64 inside JSON.

Where the documents are silent: a reference picture of another size than the clip's, or too large a one, fails the
task; one dimension without the other is no size; a remix of what is not there, not finished or not a Sora task is
refused; a clip has 30 frames a second.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.manners import is_sensitive
from vidspec.sandbox.nebula_errors import Refused, invalid, no_such_task, task_error
from vidspec.sandbox.nebula_family import DAY, MEGABYTE, MODERATED, Order, drawn, picture_fault, scalar
from vidspec.sandbox.pictures import Limits, given
from vidspec.sandbox.twin import Answer, Clip, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.fields import Fields
    from vidspec.sandbox.nebula_family import Sight
    from vidspec.sandbox.pictures import Given
    from vidspec.sandbox.twin import House, Task

__all__ = ["SORA", "Sora", "download"]

SORA = "sora-2"
FPS = 30
TYPICAL = (90.0, 240.0)
SECONDS = (4, 8, 12)
SIZES = {"720x1280": (720, 1280), "1280x720": (1280, 720)}
DEFAULT = "720x1280"
KNOWN = frozenset({"model", "prompt", "user", "seconds", "size", "width", "height", "input_reference"})
REMIX = "remix_from_video_id"
PICTURES = Limits(formats=("jpeg", "png", "webp"), most_bytes=10 * MEGABYTE, least_side=1)
STATUS = {"queued": "queued", "running": "in_progress", "succeeded": "succeeded", "failed": "failed"}


class Sora:
    """The family of one model."""

    models = (SORA,)

    def order(self, house: House, model: str, fields: Fields) -> Order:
        prompt = fields.needed_text("prompt")
        fields.text("user")
        remixed = fields.text(REMIX) or ""
        if remixed:
            return _remix(house, model, prompt, remixed, fields)
        changed = list(fields.ignored(KNOWN | {REMIX}, model))
        if fields.values.get("remix_video_id") is not None:
            changed.append(f"NO remix: the field is `{REMIX}`, so a new video is made")
        seconds, (width, height) = _seconds(fields, changed), _size(fields, changed)
        pictures = _reference(fields, changed)
        clip = Clip(
            prompt=prompt,
            label=model,
            width=width,
            height=height,
            duration=seconds,
            fps=FPS,
            seed=house.number(0, 2**31 - 1),
            pictures=[shown for picture in pictures for shown in drawn("first_frame", picture)],
        )
        error = _error(prompt, pictures, (width, height))
        return Order(task_id=_id(house), clip=clip, typical=TYPICAL, error=error, changed=changed)

    def welcome(self, task: Task) -> dict[str, Any]:
        metadata = {
            "id": task.id,
            "object": "video",
            "model": task.model,
            "status": "queued",
            "progress": 0,
            "seconds": f"{task.clip.duration:.0f}",
            "size": f"{task.clip.width}x{task.clip.height}",
            "created_at": task.facts["unix"],
            "completed_at": 0,
            "expires_at": 0,
            "error": None,
            "remixed_from_video_id": task.facts.get("remixed", ""),
        }
        return {"task_id": task.id, "status": "submitted", "format": "mp4", "metadata": metadata}

    def report(self, sight: Sight) -> dict[str, Any]:
        task, clip = sight.task, sight.task.clip
        report = {
            "task_id": task.id,
            "id": task.id,
            "object": "video",
            "model": task.model,
            "status": STATUS[sight.stage],
            "progress": 100 if sight.stage == "succeeded" else sight.share,
            "created_at": sight.unix(task.accepted),
            "completed_at": sight.unix(task.ends) if sight.done else 0,
            "prompt": clip.prompt,
            "seconds": f"{clip.duration:.0f}",
            "size": f"{clip.width}x{clip.height}",
            "width": clip.width,
            "height": clip.height,
            "n_seconds": round(clip.duration),
        }
        if sight.stage == "failed":
            code, message = sight.reason
            report |= {"failure_reason": code, "error": {"message": message, "code": code}}
        return report

    def upstream(self, sight: Sight) -> dict[str, Any]:
        report = self.report(sight)
        del report["task_id"]
        return report


def download(sight: Sight) -> Answer:
    """The answer to a download: a finished clip as base64, and again as a data URI, inside JSON."""
    if sight.task.model != SORA:
        return invalid(f"download is not supported for model {sight.task.model}")
    if sight.stage != "succeeded":
        return task_error("api_error", f"video is not ready, status: {STATUS[sight.stage]}")
    data = sight.house.data(sight.task)
    text = base64.b64encode(data).decode()
    return json_answer(
        {
            "success": True,
            "task_id": sight.task.id,
            "generation_id": sight.task.id,
            "format": "mp4",
            "size": len(data),
            "base64": text,
            "data_url": f"data:video/mp4;base64,{text}",
        }
    )


def _id(house: House) -> str:
    return f"video_{house.word(24)}"


def _remix(house: House, model: str, prompt: str, remixed: str, fields: Fields) -> Order:
    """A remix: length and size are those of the other clip, and only the prompt counts."""
    if not remixed.startswith("video_"):
        raise Refused(invalid(f"{REMIX} must start with video_"))
    source = house.task(remixed)
    if source is None or source.model != SORA or house.now() > source.ends + DAY:
        raise Refused(no_such_task())
    if house.stage(source) != "succeeded":
        raise Refused(invalid(f"{REMIX}: the video is not finished"))
    ignored = fields.ignored({"model", "prompt", "user", REMIX}, model)
    return Order(
        task_id=_id(house),
        clip=replace(source.clip, prompt=prompt),
        typical=TYPICAL,
        facts={"remixed": remixed},
        error=_error(prompt, [], (0, 0)),
        changed=[f"{remark}: in a remix only the prompt counts" for remark in ignored],
    )


def _seconds(fields: Fields, changed: list[str]) -> int:
    value = fields.values.get("seconds")
    if value is None:
        return SECONDS[0]
    for seconds in SECONDS:
        if value == str(seconds) or (value == seconds and not isinstance(value, bool)):
            return seconds
    changed.append(f"`seconds` is {scalar(value)} and becomes {SECONDS[0]}: only 4, 8 and 12 are taken")
    return SECONDS[0]


def _size(fields: Fields, changed: list[str]) -> tuple[int, int]:
    sides = [fields.values.get("width"), fields.values.get("height")]
    size = fields.values.get("size")
    if size is not None and sides != [None, None]:
        changed.append("`width` and `height` are ignored: `size` is there")
    elif sides != [None, None]:
        size = "x".join(scalar(side) for side in sides)
    if size is None:
        return SIZES[DEFAULT]
    if isinstance(size, str) and size in SIZES:
        return SIZES[size]
    changed.append(f"the size is {scalar(size)} and becomes {DEFAULT}: only {' and '.join(SIZES)} are taken")
    return SIZES[DEFAULT]


def _reference(fields: Fields, changed: list[str]) -> list[Given]:
    text = fields.text("input_reference")
    if not text:
        return []
    picture = given(text, "input_reference", bare=True)
    changed += picture.remarks()
    return [picture]


def _error(prompt: str, pictures: list[Given], size: tuple[int, int]) -> Mapping[str, Any] | None:
    if is_sensitive(prompt):
        return {"code": MODERATED, "message": "rejected by moderation"}
    if fault := picture_fault(pictures, PICTURES):
        return {"code": "invalid_input_reference", "message": fault}
    for seen in (picture.seen for picture in pictures if picture.seen):
        if (seen.width, seen.height) != size:
            found, wanted = f"{seen.width}x{seen.height}", f"{size[0]}x{size[1]}"
            message = f"input_reference is {found} and must match the requested size {wanted}"
            return {"code": "invalid_input_reference", "message": message}
    return None
