"""YutoAI: one endpoint for text, image and key frames to video, and one to look at what became of it.

The pages say nothing about errors. The state words and names are those of a family of gateways whose answers are
known better, so both of its envelopes and all of its error shapes are read; but only a 429 counts as a refusal
that may be sent again. Source: docs.yutoai.net, the pages of the Wan models and of the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec.errors import Refused, Unavailable
from vidspec.providers import answers, fields, table
from vidspec.wire import Call, Progress, Source, segment

if TYPE_CHECKING:
    from vidspec.errors import ProviderError
    from vidspec.wire import Reply, Sending, Talk, Ticket

_PATH = "/videos/generations"
_REASONS = ("error.message", "message", "error", "fail_reason")
_LINKS = ("data.output", "data.output.video_url", "data.video_url", "data.url", "data.content.video_url")


def submit(sending: Sending) -> Talk[str]:
    """Ask for a clip."""
    call = Call(purpose="submit", verb="POST", path=_PATH, body=_body(sending))
    reply = yield call
    request_id = answers.identity(answers.value(reply), "task_id", "data.task_id")
    if not reply.ok or not request_id:
        raise _failure(call, reply)
    return request_id


def _body(sending: Sending) -> dict[str, Any]:
    """Text to video takes a `size`. With pictures, which come as one list, only the tier is chosen."""
    body = fields.body(sending)
    shape = sending.rules.shape
    if shape is not None and shape.wire == "size":
        body["size"] = fields.size(sending)
    else:
        body["resolution"] = sending.request["resolution"].upper()
    if pictures := fields.pictures(sending, "first_frame", "last_frame"):
        body["images"] = pictures
    return body


def poll(ticket: Ticket) -> Talk[Progress]:
    """Look at a request. The link is at one of several places, by the upstream that made the clip."""
    call = Call(purpose="poll", verb="GET", path=f"{_PATH}/{segment(ticket.request_id)}")
    reply = yield call
    found = answers.unwrapped(answers.value(reply))
    word = answers.text(found, "status")
    if not reply.ok or not word:
        raise _failure(call, reply)
    phase = answers.phase(table(ticket.provider).states, word)
    reason = answers.message(found, _REASONS) if phase == "failed" else ""
    return Progress(
        phase=phase,
        word=answers.said(word),
        share=answers.share(found, "progress"),
        link=answers.link(found, *_LINKS, "fail_reason") if phase == "succeeded" else None,
        reason=reason or None,
        blame=answers.fault(reason) if phase == "failed" else None,
    )


def result(_ticket: Ticket, progress: Progress) -> Talk[Source]:
    """The link of the query is the clip's."""
    yield from ()
    if not progress.link:
        raise Refused("the request has succeeded, and its answer names no clip", blame="lost")
    return Source(url=progress.link)


def _failure(call: Call, reply: Reply) -> ProviderError:
    found = answers.value(reply)
    reason = answers.message(found, _REASONS)
    code = answers.text(found, "code")
    if code == "task_not_exist" and call.purpose == "poll":
        # The gateway answers a submit before it has stored it.
        return Unavailable(f"HTTP {reply.status}: {reason or code}", blame="lost")
    if code == "quota_not_enough" and 400 <= reply.status < 500:
        return Refused(f"HTTP {reply.status}: {reason or code}", blame="billing")
    return answers.failure(call, reply, reason, missing="task_id" if call.purpose == "submit" else "status")
