"""The Nebula gateway, and the LeapX Hub: the same protocol from an older backend, which wraps its answers.

Where the documents are silent: a path or verb that is not served is a 404; a key with `unpaid` has no quota; the
links of Nebula are signed anew at each look, those of LeapX are kept as they were first; LeapX looks upstream at
whole multiples of 15 seconds, and puts Veo's link into `fail_reason` too, as one guide says. Of a top-level state
`unknown`, wan's `metadata.output` tells the truth; any other word of a fault's stands for a task that goes on.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import Traces, header, noted, patience, unpaid
from vidspec.sandbox.nebula_description import described
from vidspec.sandbox.nebula_errors import (
    UPSTREAM_FAILED,
    Refused,
    invalid,
    no_such_task,
    routing_error,
    styled_error,
    task_error,
    too_many,
)
from vidspec.sandbox.nebula_family import DAY, MODERATED, Sight
from vidspec.sandbox.nebula_seedance import Seedance
from vidspec.sandbox.nebula_sora import SORA, Sora, download
from vidspec.sandbox.nebula_veo import Veo
from vidspec.sandbox.nebula_wan import Wan
from vidspec.sandbox.twin import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.nebula_family import Family
    from vidspec.sandbox.twin import CallName, House, Request, Stage, Task

__all__ = ["Nebula"]

PLACE = ("video", "generations")
TITLES = {"nebula": "Nebula", "leapx": "LeapX Hub"}
REFRESH = 15.0
"""Seconds between two looks of the older backend at what upstream does."""

OLD_WORDS = {"queued": "QUEUED", "running": "IN_PROGRESS", "succeeded": "SUCCESS", "failed": "FAILURE"}
_FAMILIES: tuple[Family, ...] = (Sora(), Veo(), Wan(), Seedance())
FAMILIES: dict[str, Family] = {model: family for family in _FAMILIES for model in family.models}


class Nebula:
    """The gateway under one of its two names. As `leapx` it answers queries as the older backend does."""

    def __init__(self, house: House, name: Literal["nebula", "leapx"] = "nebula") -> None:
        self.name: str = name
        self.prefix = f"/{name}/v1"
        self.title = TITLES[name]
        self._house = house
        self._old = name == "leapx"
        self._traces = Traces(name)

    def call_of(self, request: Request) -> CallName | None:
        if request.verb == "POST" and request.path == PLACE:
            return "submit"
        if request.verb != "GET" or request.path[:-1] != PLACE or not request.path[-1]:
            return None
        return "result" if request.path[-1] == "download" else "poll"

    def answer(self, request: Request) -> Answer:
        trace = self._trace()
        try:
            return self._said(self._answer(request, trace), trace)
        except Refused as refused:
            return self._said(refused.answer, trace)
        except BadField as bad:
            return self._said(invalid(str(bad)), trace)

    def _answer(self, request: Request, trace: str) -> Answer:
        call = self.call_of(request)
        if call is None:
            place = f"{request.verb} /v1/{'/'.join(request.path)}".encode("utf-8", "replace").decode()
            return styled_error(f"Invalid URL ({place})", "invalid_request_error", "not_found", 404)
        if not self._house.key_is_good(request):
            return routing_error("invalid token", trace, 401)
        if call == "submit":
            return self._submit(request, trace)
        if _claims_json(request) and not _is_json(request):
            return routing_error("invalid request body, unexpected end of JSON input", trace, 400)
        task_id = request.query.get("id", "") if call == "result" else request.path[-1]
        if not task_id:
            return task_error("missing_task_id", "task id is required")
        sight = self._sight(task_id)
        return download(sight) if call == "result" else json_answer(self._report(sight))

    def _submit(self, request: Request, trace: str) -> Answer:
        try:
            fields = Fields.read(request.body)
            model = fields.needed_text("model")
        except BadField as bad:
            return routing_error(f"invalid request body, {bad}", trace, 400)
        family = FAMILIES.get(model)
        if family is None:
            return _no_channel(f" for model {model}", trace)
        if unpaid(request):
            return task_error("quota_not_enough", "user quota is not enough", 403)
        if self._house.may_submit(model) != "yes":
            return too_many(trace[-24:], seedance=model in Seedance.models)
        task = self._open(family, model, fields)
        return json_answer({"task_id": task.id} if self._old else family.welcome(task))

    def _open(self, family: Family, model: str, fields: Fields) -> Task:
        order = family.order(self._house, model, fields)
        clip = replace(order.clip, label=f"{self.title} {model}")
        task = self._house.accept(order.task_id, model, clip, typical=order.typical)
        task.facts.update(order.facts, unix=self._house.unix())
        task.error = order.error or task.error
        noted(self._house, task, order.changed)
        return task

    # --- queries -----------------------------------------------------------------------------------------------

    def _sight(self, task_id: str) -> Sight:
        """A task as the books have it. Raises `Refused` for one that they do not have, or not any more."""
        task = self._house.task(task_id)
        if task is None or (task.model == SORA and self._house.now() > task.ends + DAY):
            raise Refused(no_such_task())
        stage, share = self._house.stage(task), self._house.share(task)
        if self._old:
            stage, share = self._refreshed(task, stage, share)
        told = task.word is None or (task.word == "unknown" and task.model in Wan.models)
        if not told and stage in ("succeeded", "failed"):
            stage, share = "running", 99
        return Sight(house=self._house, task=task, stage=stage, share=share, keeps=self._old)

    def _refreshed(self, task: Task, stage: Stage, share: int) -> tuple[Stage, int]:
        """What the older backend saw when it last looked upstream: nothing has moved since."""
        look = self._house.now() // REFRESH * REFRESH
        if task.facts.get("look") != look:
            if look < task.begins:
                stage, share = "queued", 0
            elif look < task.ends and stage != "queued":
                stage, share = "running", min(share, 99)
            task.facts.update(look=look, row=(stage, share))
        row: tuple[Stage, int] = task.facts["row"]
        return row

    def _report(self, sight: Sight) -> dict[str, Any]:
        family = FAMILIES[sight.task.model]
        report = family.report(sight)
        if self._old:
            succeeded = report["status"] == "succeeded"
            return {"code": "success", "message": "", "data": self._row(sight, family, succeeded=succeeded)}
        return report | {"status": sight.task.word or report["status"]}

    def _row(self, sight: Sight, family: Family, *, succeeded: bool) -> dict[str, Any]:
        """A task as a row of the older backend's table."""
        task, raw, reason = sight.task, None, ""
        started = sight.stage != "queued"
        status = "SUCCESS" if succeeded else OLD_WORDS[sight.stage]
        if task.facts["look"] <= task.accepted:
            status = "NOT_START"
        else:
            raw = family.upstream(sight)
            link = str(raw.get("video_url", ""))
            reason = sight.reason[1] if status == "FAILURE" else link if link.startswith("http") else ""
        return {
            "task_id": task.id,
            "action": "video_generation",
            "status": task.word or status,
            "fail_reason": reason,
            "submit_time": sight.unix(task.accepted),
            "start_time": sight.unix(task.begins) if started else 0,
            "finish_time": sight.unix(task.ends) if sight.done else 0,
            "progress": "100%" if sight.done else f"{sight.share}%",
            "data": raw,
        }

    # --- faults ------------------------------------------------------------------------------------------------

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:
        trace = self._trace()
        seedance = self.call_of(request) == "submit" and _model(request) in Seedance.models
        answer = self._said(too_many(trace[-24:], seedance=seedance), trace)
        wait = {name.replace("_", "-"): text for name, text in patience(retry_after).items()}
        return replace(answer, headers={**answer.headers, **wait})

    def overloaded(self, request: Request) -> Answer:
        trace, model = self._trace(), _model(request)
        return self._said(_no_channel(f" for model {model}" if model else "", trace), trace)

    def broken(self, request: Request) -> Answer:  # noqa: ARG002
        trace = self._trace()
        if int(trace[-1], 16) % 2:
            return self._said(task_error("fail_to_fetch_task", UPSTREAM_FAILED, 500), trace)
        return self._said(styled_error("internal server error", "server_error", "server_error", 500), trace)

    def timed_out(self, request: Request) -> Answer:  # noqa: ARG002
        return self._said(task_error("fail_to_fetch_task", UPSTREAM_FAILED, 504), self._trace())

    def moderated(self) -> Mapping[str, Any]:
        return {"code": MODERATED, "message": "rejected by moderation"}

    def _trace(self) -> str:
        """The id of a request: when it came, and 24 hexadecimal digits."""
        return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime(self._house.unix()))}{self._traces.following()}"

    def _said(self, answer: Answer, trace: str) -> Answer:
        return replace(answer, headers={**answer.headers, "X-Oneapi-Request-Id": trace})

    def paths(self) -> Mapping[str, Any]:
        return described(f"{self.prefix}/{'/'.join(PLACE)}", self.title, enveloped=self._old)


def _no_channel(about: str, trace: str) -> Answer:
    return routing_error(f"no available channel{about}", trace, 503)


def _claims_json(request: Request) -> bool:
    return header(request, "Content-Type").strip().lower().startswith("application/json")


def _is_json(request: Request) -> bool:
    try:
        Fields.read(request.body)
    except BadField:
        return False
    return True


def _model(request: Request) -> str:
    """The model that a request's body names, whatever else is in it."""
    try:
        return Fields.read(request.body).text("model") or ""
    except BadField:
        return ""
