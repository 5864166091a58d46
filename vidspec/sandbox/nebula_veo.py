"""The Veo models at the gateway: ids of more than 150 characters, and a `url` that is one of three things.

Where the documents are silent or disagree: the 3.0 models follow the older guide, which knows no `sampleCount` and
puts the clip into the answer; the 3.1 models follow the newer one, with links that live a day. Values that are not
listed are refused with 400, as is a last frame without a first or for a 3.0 model. Seeds have 32 bits, unsigned.
What a filter takes away is a success without a video. All samples of a task show the same clip.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import is_sensitive
from vidspec.sandbox.nebula_errors import Refused, upstream_error, uuid
from vidspec.sandbox.nebula_family import DAY, HOUR, MEGABYTE, MODERATED, Order, drawn, picture_fault
from vidspec.sandbox.pictures import Limits, given
from vidspec.sandbox.twin import Clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.nebula_family import Sight
    from vidspec.sandbox.pictures import Given
    from vidspec.sandbox.twin import House, Task

__all__ = ["Veo"]

FPS = 24
TYPICAL = (60.0, 180.0)
INLINE_LIFE = 12 * HOUR
DURATIONS = (4, 6, 8)
SIZES = {
    ("16:9", "720p"): (1280, 720),
    ("16:9", "1080p"): (1920, 1080),
    ("9:16", "720p"): (720, 1280),
    ("9:16", "1080p"): (1080, 1920),
}
SPELLINGS = {
    "durationSeconds": "duration_seconds",
    "aspectRatio": "aspect_ratio",
    "lastFrame": "last_frame",
    "generateAudio": "generate_audio",
}
FIELDS = frozenset(
    {"resolution", "fps", "image", "personGeneration", "addWatermark", "seed", "sampleCount"}
    | {*SPELLINGS, *SPELLINGS.values()}
)
PEOPLE = ("allow_all", "allow_adult", "dont_allow")
MOST_SEED = 2**32 - 1
PICTURES = Limits(formats=("jpeg", "png"), most_bytes=20 * MEGABYTE, least_side=1)


class Veo:
    """The Veo family."""

    models = (
        "veo-3.0-fast-generate-001",
        "veo-3.0-generate-001",
        "veo-3.0-generate-preview",
        "veo-3.1-fast-generate-preview",
        "veo-3.1-generate-preview",
    )

    def order(self, house: House, model: str, fields: Fields) -> Order:
        prompt = fields.needed_text("prompt")
        changed: list[str] = []
        known = _known(fields, model, changed)
        size = SIZES[_aspect(known), _tier(known)]
        seed = known.number("seed")
        _checked(known)
        pictures = _pictures(known, model, changed)
        clip = Clip(
            prompt=prompt,
            label=model,
            width=size[0],
            height=size[1],
            duration=_whole(known, "durationSeconds", DURATIONS),
            fps=FPS,
            seed=house.number(0, MOST_SEED) if seed is None else seed,
            pictures=[shown for part, picture in pictures for shown in drawn(part, picture)],
        )
        return Order(
            task_id=_id(house, model),
            clip=clip,
            typical=TYPICAL,
            facts={"samples": _samples(known, model, changed)},
            error=_error(prompt, [picture for _, picture in pictures]),
            changed=changed,
        )

    def welcome(self, task: Task) -> dict[str, Any]:
        return {"task_id": task.id}

    def report(self, sight: Sight) -> dict[str, Any]:
        code, message = sight.reason
        if sight.stage == "failed" and code == MODERATED:
            return sight.answer("succeeded", metadata={"response": {"raiMediaFilteredCount": 1}})
        if sight.stage == "failed":
            return sight.answer(
                "failed", error={"code": int(code) if code.isdecimal() else 500, "message": message}
            )
        if sight.stage == "succeeded":
            metadata = {"response": {"raiMediaFilteredCount": 0}}
            return sight.answer("succeeded", url=_url(sight), metadata=metadata)
        return sight.answer("submitted" if sight.stage == "queued" else "in_progress")

    def upstream(self, sight: Sight) -> dict[str, Any]:
        clip = sight.task.clip
        report = self.report(sight)
        if "url" not in report:
            return {"name": _name(sight.task.id), "done": sight.done, **report.get("metadata", {})}
        url = report["url"]
        several = {"url": url, "video_url": url[0]} if isinstance(url, list) else {"video_url": url}
        return {**several, "duration": clip.duration, "fps": FPS, "width": clip.width, "height": clip.height}


def _known(fields: Fields, model: str, changed: list[str]) -> Fields:
    """The fields that count, in one spelling, those of `metadata` among them; a top-level one goes first."""
    metadata = fields.values.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise BadField("metadata", "it must be an object")
    fields.text("user")
    changed += fields.ignored({"model", "prompt", "user", "metadata", *FIELDS}, model)
    if fields.values.get("duration") is not None:
        changed.append("`duration` is not `durationSeconds`: the clip has its default length")
    merged = {name: value for name, value in (metadata or {}).items() if name in FIELDS and value is not None}
    merged |= {name: value for name, value in fields.values.items() if name in FIELDS and value is not None}
    for name, other in SPELLINGS.items():
        if name in merged and other in merged:
            changed.append(f"`{other}` is ignored: `{name}` is there")
        if other in merged:
            value = merged.pop(other)
            merged.setdefault(name, value)
    return Fields(merged)


def _refused(message: str) -> Refused:
    """What upstream refuses at once: its error as JSON inside the message."""
    return Refused(upstream_error({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}, 400))


def _aspect(known: Fields) -> str:
    return _one_of(known, "aspectRatio", ("16:9", "9:16"))


def _tier(known: Fields) -> str:
    return _one_of(known, "resolution", ("1080p", "720p"))


def _one_of(known: Fields, name: str, values: tuple[str, ...]) -> str:
    """A text field that is one of a few; the first stands where nothing is sent."""
    value = known.text(name) or values[0]
    if value not in values:
        raise _refused(f"{name} must be one of {', '.join(values)}")
    return value


def _whole(known: Fields, name: str, values: tuple[int, ...]) -> int:
    """A number that is one of a few; the first stands where nothing is sent."""
    value = known.number(name)
    if value is None:
        return values[0]
    if value not in values:
        raise _refused(f"{name} must be one of {', '.join(map(str, values))}")
    return value


def _checked(known: Fields) -> None:
    """Look at what does not show in the clip, and only may be wrong."""
    _whole(known, "fps", (FPS,))
    _one_of(known, "personGeneration", PEOPLE)
    known.switch("addWatermark")
    if not 0 <= (known.number("seed") or 0) <= MOST_SEED:
        raise _refused(f"seed must be from 0 to {MOST_SEED}")


def _samples(known: Fields, model: str, changed: list[str]) -> int:
    """How many samples are made. Notes what a model passes over."""
    if known.switch("generateAudio") is False and "-fast-" in model:
        changed.append("`generateAudio: false` is ignored: a fast model always has audio, and bills it")
    samples = _whole(known, "sampleCount", (1, 2, 3, 4))
    if samples > 1 and not _is_new(model):
        changed.append(f"`sampleCount` is ignored: `{model}` makes one video")
        return 1
    return samples


def _is_new(model: str) -> bool:
    return model.startswith("veo-3.1")


def _pictures(known: Fields, model: str, changed: list[str]) -> list[tuple[str, Given]]:
    first, last = known.text("image"), known.text("lastFrame")
    if last and not _is_new(model):
        raise _refused("lastFrame is not supported by this model")
    if last and not first:
        raise _refused("lastFrame needs image")
    asked = (("first_frame", "image", first), ("last_frame", "lastFrame", last))
    pictures = [(part, given(text, field)) for part, field, text in asked if text]
    for _, picture in pictures:
        changed += picture.remarks()
    return pictures


def _error(prompt: str, pictures: list[Given]) -> Mapping[str, Any] | None:
    if is_sensitive(prompt):
        return {"code": 400, "message": "Prompt violates policy"}
    if fault := picture_fault(pictures, PICTURES):
        return {"code": 400, "message": f"invalid image: {fault}"}
    return None


def _id(house: House, model: str) -> str:
    place = "projects/nebula-video/locations/us-central1/publishers/google/models"
    return base64.urlsafe_b64encode(f"{place}/{model}/operations/{uuid(house)}".encode()).decode().rstrip("=")


def _name(task_id: str) -> str:
    return base64.urlsafe_b64decode(task_id + "=" * (-len(task_id) % 4)).decode()


def _url(sight: Sight) -> str | list[str]:
    """A link or several; or the clip itself, which is replaced by a word when it has been kept long enough."""
    if not _is_new(sight.task.model):
        if sight.house.now() > sight.task.ends + INLINE_LIFE:
            return "expired"
        return f"data:video/mp4;base64,{base64.b64encode(sight.house.data(sight.task)).decode()}"
    samples = sight.task.facts["samples"]
    links = [sight.link(life=DAY + number) for number in range(samples)]  # else all would be one address
    return links[0] if samples == 1 else links
