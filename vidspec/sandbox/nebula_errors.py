"""The gateway's ways of saying no: five shapes for a body, and none of them everywhere.

Task errors come from its own code; an upstream's answer is passed on as JSON inside a message; who you are and
where you want to go is answered by the routing software, which has no `code` and repeats the request's id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vidspec.sandbox.twin import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.twin import House

SATURATED = "当前分组上游负载已饱和，请稍后再试"
UPSTREAM_FAILED = "请求上游地址失败"


class Refused(Exception):
    """A request is not taken on; `answer` says so to its caller."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def task_error(code: str, message: str, status: int = 400) -> Answer:
    """`{code, message, data: null}`: the errors of the gateway's own code."""
    return json_answer({"code": code, "message": message, "data": None}, status)


def invalid(message: str) -> Answer:
    """What the gateway itself finds wrong with a request."""
    return task_error("invalid_request", message)


def upstream_error(inner: Mapping[str, object], status: int) -> Answer:
    """An upstream's own error with its own status, as a text inside the message."""
    return task_error("fail_to_fetch_task", json.dumps(inner, ensure_ascii=False), status)


def routing_error(message: str, request_id: str, status: int) -> Answer:
    """What the software in front says: no `code`, and the id of the request at the end of the message."""
    text = f"{message} (request id: {request_id})"
    return json_answer({"error": {"message": text, "type": "new_api_error"}}, status)


def styled_error(message: str, kind: str, code: str, status: int) -> Answer:
    """An error in the style of OpenAI, as the gateway's overview has it."""
    return json_answer({"error": {"message": message, "type": kind, "code": code}}, status)


def no_such_task() -> Answer:
    """Nothing is known, or known any more, under an id."""
    return task_error("task_not_exist", "task_not_exist")


def too_many(trace: str, *, seedance: bool) -> Answer:
    """Too many requests, in one of four spellings by the chance in an id; for a Seedance submit in one of five.

    The fifth has the status in the middle of a Chinese sentence and is sent with HTTP 200.
    """
    spellings = [_styled, _from_wan, _replaced, _silent, *([_from_seedance] if seedance else [])]
    return spellings[int(trace[:8], 16) % len(spellings)](trace)


def _styled(_trace: str) -> Answer:
    return styled_error("Rate limit reached", "rate_limit_error", "rate_limit_exceeded", 429)


def _from_wan(trace: str) -> Answer:
    message = "Requests rate limit exceeded, please try again later."
    return upstream_error({"request_id": trace, "code": "Throttling.RateLimit", "message": message}, 429)


def _replaced(_trace: str) -> Answer:
    return task_error("fail_to_fetch_task", SATURATED, 429)


def _silent(_trace: str) -> Answer:
    return Answer(status=429)


def _from_seedance(trace: str) -> Answer:
    message = f"The request rate limit is exceeded. Request id: {trace}"
    inner = {"error": {"code": "RateLimitExceeded", "message": message, "type": "TooManyRequests"}}
    return task_error("api_error", f"请求频率超限(429): {json.dumps(inner)}", 200)


def uuid(house: House) -> str:
    """An id of 32 hexadecimal digits in five groups."""
    return "-".join(house.word(length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))
