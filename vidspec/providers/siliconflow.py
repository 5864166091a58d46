"""SiliconFlow: submit by POST, status by POST with the id in the body, links that live for minutes.

Errors are HTTP statuses; bodies may be objects or bare JSON strings. Source: docs.siliconflow.cn, the pages of
`/video/submit` and `/video/status`, and the FAQ of error codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.errors import InDoubt, Refused, Unavailable
from vidspec.providers import answers, fields, table
from vidspec.wire import Call, Progress, Source

if TYPE_CHECKING:
    from vidspec.errors import ProviderError
    from vidspec.wire import Reply, Sending, Talk, Ticket

_OVERLOADED = 50505
"""The code of a 503 that says the model is overloaded: a refusal, so that nothing was made."""


def submit(sending: Sending) -> Talk[str]:
    """Ask for a clip; `image_size` is the table's pixel size as it stands."""
    body = fields.body(sending) | {"image_size": sending.request["size"]}
    call = Call(purpose="submit", verb="POST", path="/video/submit", body=body)
    reply = yield call
    if reply.status != 200:
        raise _failure(call, reply)
    request_id = answers.text(answers.value(reply), "requestId")
    if not request_id:
        raise InDoubt(f"the answer holds no `requestId`: {answers.message(answers.value(reply)) or 'nothing else'}")
    return request_id


def poll(ticket: Ticket) -> Talk[Progress]:
    """Look at a request."""
    call = Call(purpose="poll", verb="POST", path="/video/status", body={"requestId": ticket.request_id})
    reply = yield call
    found = answers.mapping(reply)
    word = answers.text(found, "status")
    if reply.status != 200 or not word:
        raise _failure(call, reply)
    phase = answers.phase(table(ticket.provider).states, word)
    return Progress(
        phase=phase,
        word=word,
        link=answers.text(found, "results.videos.0.url") or None,
        seed_used=answers.whole(found, "results.seed") if phase == "succeeded" else None,
        reason=answers.said(answers.text(found, "reason")) or None,
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
        return Unavailable(f"HTTP 503: {answers.message(found)}", retry_after=answers.retry_after(reply))
    if reply.status == 403:
        return Refused(f"HTTP 403: {answers.message(found)}; no balance, or no verified name", blame="billing")
    return answers.failure(call, reply)
