"""A twin of YutoAI's unified video endpoint, for its Wan models.

Errors, limits and the like are not documented there; they are taken from the family of gateways that it belongs to.
Where that is silent too, this was chosen: a model that is not Wan has no channel (503), a body without a model is
`invalid_request`, a path that is not served is 404 in the style of OpenAI, each look at a finished task signs its
link anew, and `start_time` is there for every second task. The three shapes of a 429 take turns. A prompt with
`nsfw` fails upstream; a key with `unpaid` has no quota.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.description import TEXT, WHOLE, Schema, either, exactly, one_of, operation, or_null, record
from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import Traces, is_sensitive, noted, patience, unpaid
from vidspec.sandbox.twin import Answer, Clip, json_answer
from vidspec.sandbox.yutoai_wan import MODELS, MOST_SEED, SIZES, Unfit, Wanted, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.twin import CallName, House, Request, Task

__all__ = ["YutoAI"]

LINK_LIFE = 86400.0
"""Seconds, as upstream."""
TYPICAL = (90.0, 240.0)
FPS = 30.0
STATUS = {"queued": "NOT_START", "running": "IN_PROGRESS", "succeeded": "SUCCESS", "failed": "FAILURE"}
SATURATED = "当前分组上游负载已饱和，请稍后再试"
UNREACHED = "请求上游地址失败"
HEX = "0123456789abcdef"


class YutoAI:
    """YutoAI: prompts that are too long are cut in silence, and upstream renders two at a time."""

    name = "yutoai"
    prefix = "/yutoai/v2"
    title = "YutoAI"

    def __init__(self, house: House) -> None:
        self._house = house
        self._traces = Traces(self.name)
        self._refusals = 0

    def answer(self, request: Request) -> Answer:
        call = self.call_of(request)
        if call is None:
            message = "Invalid URL: there is nothing here"
            return self._said({"error": {"message": message, "type": "not_found", "code": "not_found"}}, 404)
        if unpaid(request):
            return self._failed("quota_not_enough", "user quota is not enough", 403)
        if not self._house.key_is_good(request):
            return self._new_api("invalid token", 401)
        return self._query(request.path[-1]) if call == "poll" else self._submit(request.body)

    def call_of(self, request: Request) -> CallName | None:
        match (request.verb, *request.path):
            case ("POST", "videos", "generations"):
                return "submit"
            case ("GET", "videos", "generations", task_id) if task_id:
                return "poll"
        return None

    # --- submit ----------------------------------------------------------------------------------------------

    def _submit(self, body: bytes) -> Answer:
        try:
            fields = Fields.read(body)
        except BadField as bad:
            return self._new_api(str(bad), 400)
        try:
            model = fields.needed_text("model")
            if model not in MODELS:
                return self._new_api(f"no available channel for model {model[:80]}", 503)
            return self._accepted(wanted(fields))
        except BadField as bad:
            return self._failed("invalid_request", str(bad), 400)
        except Unfit as unfit:
            return self._failed("fail_to_fetch_task", self._upstream("InvalidParameter", str(unfit)), 400)

    def _accepted(self, asked: Wanted) -> Answer:
        verdict = self._house.may_submit(asked.model)
        if verdict != "yes":
            return self._limited()
        clip = Clip(
            prompt=asked.prompt,
            label=f"{self.title} {asked.model}",
            width=asked.size[0],
            height=asked.size[1],
            duration=float(asked.duration),
            fps=FPS,
            seed=self._house.number(0, MOST_SEED) if asked.seed is None else asked.seed,
            pictures=asked.pictures,
        )
        task = self._house.accept(self._new_id(), asked.model, clip, typical=TYPICAL)
        task.facts.update(submitted=self._house.unix(), started=self._house.number(0, 1) == 1)
        task.facts["separator"] = asked.separator
        if asked.fault:
            task.error = {"fail_reason": f"InvalidParameter: {asked.fault}"}
        elif is_sensitive(asked.prompt):
            task.error = {"fail_reason": "DataInspectionFailed: input rejected"}
        noted(self._house, task, asked.changed)
        return self._said({"task_id": task.id})

    def _new_id(self) -> str:
        parts = [self._house.word(length, HEX) for length in (8, 4, 3, 3, 12)]
        return f"{parts[0]}-{parts[1]}-4{parts[2]}-8{parts[3]}-{parts[4]}"

    # --- poll ------------------------------------------------------------------------------------------------

    def _query(self, task_id: str) -> Answer:
        task = self._house.task(task_id)
        if task is None:
            return self._failed("task_not_exist", "task_not_exist", 400)
        stage = self._house.stage(task)
        over = task.word is None and stage in ("succeeded", "failed")
        failed, succeeded = over and stage == "failed", over and stage == "succeeded"
        error = (task.error or {}) if failed else {}
        return self._said(
            {
                "task_id": task.id,
                "platform": "alibaba",
                "status": task.word or STATUS[stage],
                "fail_reason": _words(error) if failed else "",
                **self._times(task, over=over),
                "progress": "100%" if over else f"{self._share(task)}%",
                "data": {"output": self._house.link(task, life=LINK_LIFE)} if succeeded else None,
                "search_item": "",
            }
        )

    def _share(self, task: Task) -> int:
        stage = self._house.stage(task)
        return 0 if stage == "queued" else min(self._house.share(task), 99)

    def _times(self, task: Task, *, over: bool) -> dict[str, int]:
        submitted: int = task.facts["submitted"]
        times = {"submit_time": submitted}
        if task.facts["started"] and self._house.stage(task) != "queued":
            times["start_time"] = submitted + int(task.begins - task.accepted)
        times["finish_time"] = submitted + int(task.ends - task.accepted) if over else 0
        return times

    # --- faults and words ------------------------------------------------------------------------------------

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:  # noqa: ARG002
        return self._limited(**patience(retry_after))

    def overloaded(self, request: Request) -> Answer:  # noqa: ARG002
        return self._new_api("no available channel for this model", 503)

    def broken(self, request: Request) -> Answer:  # noqa: ARG002
        return self._failed("fail_to_fetch_task", UNREACHED, 500)

    def timed_out(self, request: Request) -> Answer:  # noqa: ARG002
        return self._failed("fail_to_fetch_task", UNREACHED, 504)

    def moderated(self) -> Mapping[str, Any]:
        return {"fail_reason": "DataInspectionFailed: output data may contain inappropriate content"}

    def _limited(self, **headers: str) -> Answer:
        """A 429 in one of three shapes: the upstream's, whose text is lost, the gateway's own, and an empty one."""
        self._refusals += 1
        if self._refusals % 3 == 1:
            return self._failed("fail_to_fetch_task", SATURATED, 429, **headers)
        if self._refusals % 3 == 2:
            return self._new_api("too many requests", 429, **headers)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return Answer(status=429, headers={"X-Oneapi-Request-Id": self._request_id(), **named})

    def _upstream(self, code: str, message: str) -> str:
        """The upstream's error as the gateway passes it on: JSON inside a string."""
        return json.dumps({"request_id": self._traces.following(), "code": code, "message": message})

    def _failed(self, code: str, message: str, status: int, **headers: str) -> Answer:
        return self._said({"code": code, "message": message, "data": None}, status, **headers)

    def _new_api(self, message: str, status: int, **headers: str) -> Answer:
        request_id = self._request_id()
        error = {"message": f"{message} (request id: {request_id})", "type": "new_api_error"}
        return json_answer({"error": error}, status, X_Oneapi_Request_Id=request_id, **headers)

    def _said(self, value: Any, status: int = 200, **headers: str) -> Answer:
        return json_answer(value, status, X_Oneapi_Request_Id=self._request_id(), **headers)

    def _request_id(self) -> str:
        moment = datetime.fromtimestamp(self._house.unix(), UTC)
        return f"{moment:%Y%m%d%H%M%S}{self._traces.following()}"

    # --- description -----------------------------------------------------------------------------------------

    def paths(self) -> Mapping[str, Any]:
        path = f"{self.prefix}/videos/generations"
        task_id = {"name": "task_id", "in": "path", "required": True, "schema": TEXT | {"minLength": 1}}
        return {
            path: {"post": operation("Submit", _answers(record({"task_id": TEXT})), tag=self.title, body=_body())},
            f"{path}/{{task_id}}": {
                "get": operation("Ask about a task", _answers(_STANDING), tag=self.title, parameters=[task_id])
            },
        }


def _words(error: Mapping[str, Any]) -> str:
    return str(error.get("fail_reason") or error.get("message") or "unknown error")


_STANDING = record(
    {
        "task_id": TEXT,
        "platform": TEXT,
        "status": TEXT,
        "fail_reason": TEXT,
        "submit_time": WHOLE,
        "finish_time": WHOLE,
        "progress": TEXT | {"pattern": "^[0-9]{1,3}%$"},
        "data": or_null(record({"output": TEXT})),
    },
    start_time=WHOLE,
    search_item=TEXT,
)


def _answers(good: Schema) -> dict[int, tuple[str, Schema | None]]:
    failed = record({"code": TEXT, "message": TEXT, "data": exactly(None)})
    new_api = record({"error": record({"message": TEXT, "type": TEXT}, code=TEXT)})
    return {
        200: ("well", good),
        400: ("a bad parameter, or no such task", either(failed, new_api)),
        401: ("a bad key", new_api),
        403: ("no quota", failed),
        404: ("not a path of this service", new_api),
        429: ("too many requests: one of two shapes, or an empty body", None),
        500: ("the upstream was not reached", failed),
        503: ("no channel for the model", new_api),
        504: ("the upstream was not reached", failed),
    }


def _body() -> Schema:
    switch: Schema = {"type": "boolean"}
    sizes = [f"{width}*{height}" for tier in SIZES.values() for width, height in tier]
    return record(
        {"model": one_of(*MODELS)},
        prompt=TEXT | {"description": "for t2v models required; cut at 800 characters"},
        negative_prompt=TEXT | {"description": "cut at 500 characters"},
        duration={"type": "integer", "enum": [5]},
        size=one_of(*sizes),
        resolution=one_of(*SIZES),
        images={"type": "array", "items": TEXT, "minItems": 1, "maxItems": 2},
        prompt_extend=either(switch, one_of("true", "false")),
        watermark=switch,
        template=TEXT,
        seed={"type": "integer", "minimum": 0, "maximum": MOST_SEED},
    ) | {
        "examples": [{"model": "wan2.2-t2v-plus", "prompt": "a fox crosses a frozen lake", "prompt_extend": False}]
    }
