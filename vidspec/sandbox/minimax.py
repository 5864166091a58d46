"""A twin of MiniMax's first video protocol, and of Gately, which mirrors it: submit, ask, look the file up.

MiniMax answers everything with HTTP 200 and says in `base_resp` what is wrong; Gately uses HTTP statuses. Where the
documents are silent, this was chosen: an unknown task or file is a bad parameter (2013); no key at all is 1004, a
wrong one 2049 on a submit and 1004 elsewhere, as the calls list their codes; a refused submit has an empty
`task_id`, other refusals hold `base_resp` alone; what is not served is a plain 404; Gately's other failures are
400 and 500, and a task of its that failed says so in `error`. A key with `unpaid` has no balance (1008).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec.sandbox import hailuo
from vidspec.sandbox.fields import BadField, Fields
from vidspec.sandbox.manners import Traces, header, noted, patience, unpaid
from vidspec.sandbox.minimax_description import described
from vidspec.sandbox.twin import Answer, Clip, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.twin import CallName, House, Request, Task

__all__ = ["MiniMax"]

LINK_LIFE = 3600.0
"""Seconds; the file can be looked up again for a fresh link."""
TYPICAL = {6: (240.0, 300.0), 10: (480.0, 540.0)}
"""Render times in seconds by the clip's length."""
FPS = 24.0
PREPARING = 3.0
"""Seconds for which a new task is `Preparing`, before it is `Queueing`."""
STATUS = {"queued": "Queueing", "running": "Processing", "succeeded": "Success", "failed": "Fail"}
OK = {"status_code": 0, "status_msg": "success"}
UNKNOWN, TIMEOUT, RATE, NO_KEY, BALANCE, FILES, INTERNAL = 1000, 1001, 1002, 1004, 1008, 1013, 1024
SENSITIVE, UNSEEMLY, DOWNSTREAM, CONNECTIONS, INVISIBLE, PARAMETER, KEY = 1026, 1027, 1033, 1041, 1042, 2013, 2049
MEANING = {
    UNKNOWN: "unknown error",
    TIMEOUT: "timeout",
    RATE: "rate limit",
    NO_KEY: "not authorized",
    BALANCE: "insufficient balance",
    FILES: "internal service error",
    INTERNAL: "internal error",
    SENSITIVE: "input new_sensitive",
    UNSEEMLY: "output new_sensitive",
    DOWNSTREAM: "downstream service error",
    CONNECTIONS: "connection limit",
    INVISIBLE: "too many invisible characters",
    KEY: "invalid api key",
}
GATELY_STATUS = {RATE: 429, CONNECTIONS: 429, NO_KEY: 401, KEY: 401, BALANCE: 400, SENSITIVE: 400, INVISIBLE: 400}
"""HTTP statuses of what Gately refuses; a bad parameter is 400 as well, all else 500."""
LIMITS = {"too fast": RATE, "too many": CONNECTIONS}
ROUTES: dict[tuple[str, tuple[str, ...]], CallName] = {
    ("POST", ("video_generation",)): "submit",
    ("GET", ("query", "video_generation")): "poll",
    ("GET", ("files", "retrieve")): "result",
    ("GET", ("files", "retrieve_content")): "download",
}


class _Refused(Exception):
    """A code of `base_resp`, and its words where they are not the usual ones."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message or MEANING[code]
        super().__init__(self.message)


class MiniMax:
    """MiniMax V1, or Gately by the name `gately`: the six models of the 01 series alone, and HTTP errors."""

    def __init__(self, house: House, name: str = "minimax") -> None:
        self.name = name
        self.prefix = f"/{name}/v1"
        self._gately = name == "gately"
        self.title = "Gately" if self._gately else "MiniMax"
        self._house = house
        self._traces = Traces(name)
        self._files: dict[str, str] = {}

    def answer(self, request: Request) -> Answer:
        call = self.call_of(request)
        if call is None:
            plain = {"Content-Type": "text/plain; charset=utf-8"}
            return Answer(status=404, headers=plain, body=b"404 page not found")
        try:
            self._let_in(request, call)
            if call == "submit":
                return self._said({"task_id": self._submit(Fields.read(request.body))})
            if call == "poll":
                return self._said(self._query(self._asked(request)))
            task = self._filed(request)
            return self._said({"file": self._file(task)}) if call == "result" else self._bytes(task)
        except BadField as bad:
            return self._refused(call, PARAMETER, f"invalid params, {bad}")
        except hailuo.Banned as banned:
            return self._refused(call, SENSITIVE if str(banned) == "sensitive" else INVISIBLE)
        except _Refused as refused:
            return self._refused(call, refused.code, refused.message)

    def call_of(self, request: Request) -> CallName | None:
        return ROUTES.get((request.verb, request.path))

    def _let_in(self, request: Request, call: CallName) -> None:
        """Raises `_Refused` for a key that is missing, wrong, or without money."""
        if call == "submit" and unpaid(request):
            raise _Refused(BALANCE)
        if not self._house.key_is_good(request):
            raise _Refused(KEY if call == "submit" and header(request, "Authorization") else NO_KEY)

    # --- submit ----------------------------------------------------------------------------------------------

    def _submit(self, fields: Fields) -> str:
        wanted = hailuo.wanted(fields, gately=self._gately)
        verdict = self._house.may_submit(wanted.model)
        if verdict != "yes":
            raise _Refused(LIMITS[verdict])
        clip = Clip(
            prompt=wanted.prompt,
            label=f"{self.title} {wanted.model}",
            width=wanted.size[0],
            height=wanted.size[1],
            duration=float(wanted.duration),
            fps=FPS,
            camera=wanted.camera,
            pictures=wanted.pictures,
        )
        task_id = str(self._house.number(10**14, 10**15 - 1))
        task = self._house.accept(task_id, wanted.model, clip, typical=TYPICAL[wanted.duration])
        file_id = str(self._house.number(10**17, 9 * 10**17))
        self._files[file_id] = task.id
        task.facts["file_id"] = file_id
        noted(self._house, task, wanted.changed)
        return task.id

    # --- ask -------------------------------------------------------------------------------------------------

    def _asked(self, request: Request) -> Task:
        task = self._house.task(request.query.get("task_id", ""))
        if task is None:
            raise BadField("task_id", "it does not exist")
        return task

    def _query(self, task: Task) -> dict[str, Any]:
        stage = self._house.stage(task)
        status = task.word or STATUS[stage]
        if task.word is None and stage == "failed":
            return {"task_id": task.id, "status": status, "file_id": "", **self._failure(task)}
        if stage == "queued" and task.word is None and self._house.now() - task.accepted < PREPARING:
            status = "Preparing"
        done = stage == "succeeded" and task.word is None
        return {
            "task_id": task.id,
            "status": status,
            "file_id": task.facts["file_id"] if done else "",
            "video_width": task.clip.width if done else 0,
            "video_height": task.clip.height if done else 0,
        }

    def _failure(self, task: Task) -> dict[str, Any]:
        error = task.error or {}
        code, message = error.get("status_code", UNKNOWN), error.get("status_msg") or error.get("message")
        text = str(message or MEANING[UNKNOWN])
        return {"error": text} if self._gately else {"base_resp": {"status_code": code, "status_msg": text}}

    # --- the file --------------------------------------------------------------------------------------------

    def _filed(self, request: Request) -> Task:
        task = self._house.task(self._files.get(request.query.get("file_id", ""), ""))
        if task is None or self._house.stage(task) != "succeeded":
            raise BadField("file_id", "it does not exist")
        return task

    def _file(self, task: Task) -> dict[str, Any]:
        age = max(0.0, self._house.now() - task.ends)
        return {
            "file_id": int(task.facts["file_id"]),
            "bytes": self._house.size(task),
            "created_at": int(self._house.unix() - age),
            "filename": "output.mp4",
            "purpose": "video_generation",
            "download_url": self._house.link(task, life=LINK_LIFE),
        }

    def _bytes(self, task: Task) -> Answer:
        return Answer(headers={"Content-Type": "video/mp4", **self._trace()}, body=self._house.data(task))

    # --- faults and words ------------------------------------------------------------------------------------

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:
        return self._refused(self.call_of(request), RATE, **patience(retry_after))

    def overloaded(self, request: Request) -> Answer:
        return self._refused(self.call_of(request), DOWNSTREAM)

    def broken(self, request: Request) -> Answer:
        call = self.call_of(request)
        return self._refused(call, FILES if call in ("result", "download") else INTERNAL)

    def timed_out(self, request: Request) -> Answer:
        return self._refused(self.call_of(request), TIMEOUT)

    def moderated(self) -> Mapping[str, Any]:
        return {"status_code": UNSEEMLY, "status_msg": MEANING[UNSEEMLY]}

    def _refused(self, call: CallName | None, code: int, message: str = "", **headers: str) -> Answer:
        words = message or MEANING[code]
        if self._gately:
            status = 400 if code == PARAMETER else GATELY_STATUS.get(code, 500)
            return json_answer({"error": "Rate limit exceeded" if code == RATE else words}, status, **headers)
        known = {"task_id": ""} if call == "submit" else {}
        return self._said({**known, "base_resp": {"status_code": code, "status_msg": words}}, **headers)

    def _said(self, value: Mapping[str, Any], **headers: str) -> Answer:
        whole = value if self._gately or "base_resp" in value else {**value, "base_resp": OK}
        answer = json_answer(whole, 200, **headers)
        return Answer(headers={**answer.headers, **self._trace()}, body=answer.body)

    def _trace(self) -> dict[str, str]:
        return {} if self._gately else {"Trace-Id": self._traces.following()}

    def paths(self) -> Mapping[str, Any]:
        return described(self.prefix, self.title, gately=self._gately)
