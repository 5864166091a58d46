"""A twin of SiliconFlow's video calls: Wan 2.2, submitted and asked about with POST.

Where its documents are silent, this was chosen: an unknown `requestId` is a 400 as any bad parameter; a path or a
verb that is not served is 404; a picture is judged when it is rendered, since no limits are published, and only
its form when it is submitted; seeds have 63 bits and a sign; each look at a finished request signs its link anew;
`results` before success is absent, null or empty, by chance for each request; too many unfinished requests are
answered as too many a minute, with another last word. A prompt with `nsfw` fails, a key with `unpaid` is a 403.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.description import TEXT, WHOLE, Schema, exactly, one_of, operation, or_null, record
from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import Traces, is_sensitive, noted, patience, unpaid
from vidspec.sandbox.pictures import Given, given
from vidspec.sandbox.twin import Answer, Clip, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.twin import CallName, House, Request, Task

__all__ = ["SiliconFlow"]

T2V, I2V = "Wan-AI/Wan2.2-T2V-A14B", "Wan-AI/Wan2.2-I2V-A14B"
SIZES = {"1280x720": (1280, 720), "720x1280": (720, 1280), "960x960": (960, 960)}
FIELDS = frozenset({"model", "prompt", "image_size", "negative_prompt", "seed"})
LINK_LIFE = 600.0
"""Seconds: the submit page's ten minutes, not the status page's hour."""
TYPICAL = (90.0, 240.0)
DURATION, FPS = 5.0, 16.0
BAD_REQUEST = 20012
OVERLOADED = 50505
STATUS = {"queued": "InQueue", "running": "InProgress", "succeeded": "Succeed", "failed": "Failed"}
LIMITS = {"too fast": "RPM limit reached.", "too many": "concurrency limit reached."}
ROUTES: dict[tuple[str, tuple[str, ...]], CallName] = {
    ("POST", ("video", "submit")): "submit",
    ("POST", ("video", "status")): "poll",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a submit asks for."""

    model: str
    prompt: str
    size: tuple[int, int]
    seed: int | None
    picture: Given | None
    ignored: tuple[str, ...]


class SiliconFlow:
    """SiliconFlow: errors as HTTP statuses, some of them with a bare JSON string for a body."""

    name = "siliconflow"
    prefix = "/siliconflow/v1"
    title = "SiliconFlow"

    def __init__(self, house: House) -> None:
        self._house = house
        self._traces = Traces(self.name)

    def answer(self, request: Request) -> Answer:
        call = self.call_of(request)
        if call is None:
            return self._said("404 page not found", 404)
        if unpaid(request):
            return self._said("Forbidden", 403)
        if not self._house.key_is_good(request):
            return self._said("Invalid token", 401)
        try:
            fields = Fields.read(request.body)
            return self._submit(fields) if call == "submit" else self._status(fields)
        except BadField as bad:
            return self._bad(str(bad))

    def call_of(self, request: Request) -> CallName | None:
        return ROUTES.get((request.verb, request.path))

    def _submit(self, fields: Fields) -> Answer:
        if fields.needed_text("model") not in (T2V, I2V):
            return self._bad("Model does not exist. Please check it carefully.")
        wanted = _wanted(fields)
        verdict = self._house.may_submit(wanted.model)
        if verdict != "yes":
            return self._limited(LIMITS[verdict])
        return self._said({"requestId": self._open(wanted)})

    def _open(self, wanted: _Wanted) -> str:
        seed = self._house.number(0, 2**31 - 1) if wanted.seed is None else wanted.seed
        picture = wanted.picture
        clip = Clip(
            prompt=wanted.prompt,
            label=f"{self.title} {wanted.model.rpartition('/')[2]}",
            width=wanted.size[0],
            height=wanted.size[1],
            duration=DURATION,
            fps=FPS,
            seed=seed,
            pictures=(("first_frame", picture.data),) if picture and picture.seen else (),
        )
        task = self._house.accept(self._house.word(20), wanted.model, clip, typical=TYPICAL)
        task.facts.update(seed=seed, early=self._house.number(0, 2))
        if is_sensitive(wanted.prompt):
            task.error = self.moderated()
        elif picture and picture.fault:
            task.error = {"reason": f"invalid image: {picture.fault}"}
        noted(self._house, task, (*wanted.ignored, *(picture.remarks() if picture else ())))
        return task.id

    def _status(self, fields: Fields) -> Answer:
        task = self._house.task(fields.needed_text("requestId"))
        if task is None:
            return self._bad("requestId does not exist.")
        stage = self._house.stage(task)
        status = task.word or STATUS[stage]
        if task.word is None and stage == "succeeded":
            return self._said({"status": status, "reason": "", "results": self._results(task)})
        if task.word is None and stage == "failed":
            error = task.error or {}
            reason = str(error.get("reason") or error.get("message") or "unknown error")
            return self._said({"status": status, "reason": reason, "results": None})
        return self._said({"status": status, "reason": "", **_early(task)})

    def _results(self, task: Task) -> dict[str, Any]:
        return {
            "videos": [{"url": self._house.link(task, life=LINK_LIFE)}],
            "timings": {"inference": round(max(0.0, task.ends - task.begins), 1)},
            "seed": task.facts["seed"],
        }

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:  # noqa: ARG002
        return self._limited(LIMITS["too fast"], **patience(retry_after))

    def overloaded(self, request: Request) -> Answer:  # noqa: ARG002
        message = "Model service overloaded. Please try again later."
        return self._said({"code": OVERLOADED, "message": message, "data": None}, 503)

    def broken(self, request: Request) -> Answer:  # noqa: ARG002
        return self._said({"code": 50000, "message": "Unknown server error.", "data": None}, 500)

    def timed_out(self, request: Request) -> Answer:  # noqa: ARG002
        return self._said("504 Gateway Timeout", 504)

    def moderated(self) -> Mapping[str, Any]:
        return {"reason": "content policy"}

    def _limited(self, limit: str, **headers: str) -> Answer:
        message = f"Request was rejected due to rate limiting. Details:{limit}"
        return self._said({"message": message, "data": None}, 429, **headers)

    def _bad(self, message: str) -> Answer:
        return self._said({"code": BAD_REQUEST, "message": message, "data": None}, 400)

    def _said(self, value: Any, status: int = 200, **headers: str) -> Answer:
        return json_answer(value, status, x_siliconcloud_trace_id=f"ti_{self._traces.following()}", **headers)

    def paths(self) -> Mapping[str, Any]:
        return {f"{self.prefix}/video/{call}": {"post": described} for call, described in _described().items()}


def _wanted(fields: Fields) -> _Wanted:
    model, size = fields.needed_text("model"), fields.needed_text("image_size")
    if size not in SIZES:
        raise BadField("image_size", f"it must be one of {', '.join(SIZES)}")
    fields.text("negative_prompt")
    wants_picture = model == I2V
    return _Wanted(
        model=model,
        prompt=fields.needed_text("prompt"),
        size=SIZES[size],
        seed=fields.number("seed"),
        picture=given(fields.needed_text("image"), "image") if wants_picture else None,
        ignored=tuple(fields.ignored(FIELDS | {"image"} if wants_picture else FIELDS, model)),
    )


def _early(task: Task) -> dict[str, Any]:
    """The field `results` of a request that has not succeeded: the documents do not say which of three it is."""
    empty = {"videos": [], "timings": {"inference": 0}, "seed": 0}
    return ({}, {"results": None}, {"results": empty})[task.facts["early"]]


def _described() -> dict[str, Schema]:
    coded = record({"code": WHOLE, "message": TEXT, "data": exactly(None)})
    errors: dict[int, tuple[str, Schema | None]] = {
        400: ("a bad parameter", coded),
        401: ("a bad key", exactly("Invalid token")),
        403: ("no permission", exactly("Forbidden")),
        404: ("not a path of this service", exactly("404 page not found")),
        429: ("too many requests", record({"message": TEXT, "data": exactly(None)})),
        500: ("an unknown error", coded),
        503: ("the model is overloaded", coded),
        504: ("a timeout", TEXT),
    }
    submit = record(
        {"model": one_of(T2V, I2V), "prompt": TEXT, "image_size": one_of(*SIZES)},
        negative_prompt=TEXT,
        image=TEXT | {"description": "for the I2V model: an http(s) address or a data URI"},
        seed=WHOLE,
    ) | {"examples": [{"model": T2V, "prompt": "a paper boat drifts past reeds", "image_size": "1280x720"}]}
    videos = {"type": "array", "items": record({"url": TEXT})}
    results = record({"videos": videos, "timings": record({"inference": {"type": "number"}}), "seed": WHOLE})
    status = record({"status": TEXT, "reason": TEXT}, results=or_null(results))
    accepted = record({"requestId": TEXT})
    return {
        "submit": operation("Submit", {200: ("accepted", accepted), **errors}, tag="SiliconFlow", body=submit),
        "status": operation("Status", {200: ("status", status), **errors}, tag="SiliconFlow", body=accepted),
    }
