"""SiliconFlow: submit by POST, status by POST with the id in the body, links that live for minutes.

Errors are HTTP statuses; bodies may be objects or bare JSON strings, and a 429 has no code. Source:
docs.siliconflow.cn, the pages of `/video/submit` and `/video/status`, and the FAQ of error codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.errors import Refused, Unavailable
from vidspec.providers import answers, fields, table
from vidspec.wire import Call, Progress, Source

if TYPE_CHECKING:
    from vidspec.errors import ProviderError
    from vidspec.wire import Reply, Sending, Talk, Ticket

_OVERLOADED = 50505
"""The code of a 503 that says the model is overloaded: a refusal, so that nothing was made."""


def submit(sending: Sending) -> Talk[str]:
    """Ask for a clip."""
    body = fields.body(sending) | {"image_size": fields.size(sending)}
    call = Call(purpose="submit", verb="POST", path="/video/submit", body=body)
    reply = yield call
    request_id = answers.identity(answers.value(reply), "requestId")
    if not reply.ok or not request_id:
        raise _failure(call, reply)
    return request_id


def poll(ticket: Ticket) -> Talk[Progress]:
    """Look at a request. Before it has succeeded `results` may be absent, null, or empty."""
    call = Call(purpose="poll", verb="POST", path="/video/status", body={"requestId": ticket.request_id})
    reply = yield call
    found = answers.mapping(reply)
    word = answers.text(found, "status")
    if not reply.ok or not word:
        raise _failure(call, reply)
    phase = answers.phase(table(ticket.provider).states, word)
    failed = phase == "failed"
    reason = answers.message(found, ["reason"]) if failed else ""
    return Progress(
        phase=phase,
        word=answers.said(word),
        link=answers.link(found, "results.videos.0.url"),
        seed_used=answers.whole(found, "results.seed") if phase == "succeeded" else None,
        reason=reason or None,
        blame=answers.fault(reason) if failed else None,
    )


def result(_ticket: Ticket, progress: Progress) -> Talk[Source]:
    """The link of the status answer is the clip's."""
    yield from ()
    if not progress.link:
        raise Refused("the request has succeeded, and its answer names no clip", blame="lost")
    return Source(url=progress.link)


def _failure(call: Call, reply: Reply) -> ProviderError:
    found = answers.value(reply)
    if reply.status == 503 and answers.whole(found, "code") == _OVERLOADED:
        reason = answers.message(found) or "the model is overloaded"
        return Unavailable(f"HTTP 503: {reason}", retry_after=answers.retry_after(reply))
    if reply.status == 403:
        reason = answers.message(found) or "Forbidden"
        return Refused(f"HTTP 403: {reason} (no balance, or no verified name)", blame="billing")
    return answers.failure(call, reply, missing="requestId" if call.purpose == "submit" else "status")
