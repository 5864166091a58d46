"""MiniMax V1, and Gately, which copies it: submit, query, and a look-up of the file that the query names.

MiniMax answers errors with HTTP 200 and a code in `base_resp`; Gately answers them with an HTTP status and an
`error`. So the status is looked at first, then `base_resp`, then `error`. Source: platform.minimax.io, the API
reference of video generation and its error codes; docs.gately.ai, the page on video generation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec.errors import InDoubt, Refused, Throttled, Unavailable
from vidspec.providers import answers, fields, table
from vidspec.wire import Call, Progress, Source, segment

if TYPE_CHECKING:
    from vidspec.errors import ProviderError
    from vidspec.wire import Blame, Reply, Sending, Talk, Ticket


class _Code(NamedTuple):
    """A documented code. One to blame on `rate` or `outage` may be asked again; the others are a definite no."""

    blame: Blame
    meaning: str


_CODES = {
    1000: _Code("outage", "unknown error"),
    1001: _Code("outage", "timeout"),
    1002: _Code("rate", "rate limit"),
    1004: _Code("key", "not authorised"),
    1008: _Code("billing", "balance too low"),
    1013: _Code("outage", "internal error"),
    1024: _Code("outage", "internal error"),
    1026: _Code("moderation", "sensitive input"),
    1027: _Code("moderation", "sensitive output"),
    1033: _Code("outage", "downstream error"),
    1039: _Code("rate", "token limit"),
    1041: _Code("rate", "connection limit"),
    1042: _Code("input", "too many invisible characters"),
    2013: _Code("input", "bad parameter"),
    2038: _Code("key", "no verified name"),
    2045: _Code("rate", "request rate grew too fast"),
    2049: _Code("key", "invalid key"),
    2056: _Code("quota", "the package's window is used up"),
}
_OF_THE_CALLER = frozenset({"rate", "key"})
"""What a code is to blame on that says nothing about the clip that is asked for."""
_OF_THE_CLIP = frozenset({"moderation", "input"})
"""What a code is to blame on that is for the shot list to change."""


def submit(sending: Sending) -> Talk[str]:
    """Ask for a clip. Camera moves stand in brackets at the head of the prompt."""
    call = Call(purpose="submit", verb="POST", path="/video_generation", body=_body(sending))
    reply = yield call
    found = answers.mapping(reply)
    request_id = answers.identity(found, "task_id")
    if not _is_well(reply, found) or not request_id:
        raise _failure(call, reply, found)
    return request_id


def _body(sending: Sending) -> dict[str, Any]:
    body, request, shape = fields.body(sending), sending.request, sending.rules.shape
    if request.get("camera"):
        body["prompt"] = fields.bracketed(request["camera"]) + body.get("prompt", "")
    if shape is not None and shape.wire:
        body[shape.wire] = request["resolution"].upper()
    if subjects := fields.pictures(sending, "references"):
        body["subject_reference"] = [{"type": "character", "image": subjects}]
    return body


def poll(ticket: Ticket) -> Talk[Progress]:
    """Look at a request. What has failed says why in `base_resp`, which is then no error of this call."""
    call = Call(purpose="poll", verb="GET", path=f"/query/video_generation?task_id={segment(ticket.request_id)}")
    reply = yield call
    found = answers.mapping(reply)
    word = answers.text(found, "status")
    phase = answers.phase(table(ticket.provider).states, word)
    code = _CODES.get(_number(found))
    if phase == "failed" and reply.ok and not (code and code.blame in _OF_THE_CALLER):
        return _failed(word, found, code)
    if not _is_well(reply, found) or not word:
        raise _failure(call, reply, found)
    return Progress(phase=phase, word=answers.said(word), handle=answers.identity(found, "file_id") or None)


def _failed(word: str, found: dict[str, Any], code: _Code | None) -> Progress:
    """A generation that has failed; a fault of theirs is no outage that would pass."""
    reason = _reason(found)
    blame = code.blame if code and code.blame in _OF_THE_CLIP else answers.fault(reason)
    return Progress(phase="failed", word=word, reason=reason or None, blame=blame)


def result(_ticket: Ticket, progress: Progress) -> Talk[Source]:
    """Ask for a link to the file. It lives for an hour, and every look-up gives a fresh one."""
    if not progress.handle:
        raise Refused("the request has succeeded, and its answer names no file", blame="lost")
    call = Call(purpose="result", verb="GET", path=f"/files/retrieve?file_id={segment(progress.handle)}")
    reply = yield call
    found = answers.mapping(reply)
    if not _is_well(reply, found):
        raise _failure(call, reply, found)
    link = answers.link(found, "file.download_url")
    if link is None:
        raise Unavailable(f"the file {answers.said(progress.handle)} has no link", blame="lost")
    return Source(url=link, size=_bytes(found))


def _bytes(found: dict[str, Any]) -> int | None:
    """The size of the file, where it is told."""
    count = answers.whole(found, "file.bytes")
    return count if count is not None and count > 0 else None


def _number(found: dict[str, Any]) -> int:
    """The code of `base_resp`; 0, which is `success`, where there is none."""
    return answers.whole(found, "base_resp.status_code") or 0


def _is_well(reply: Reply, found: dict[str, Any]) -> bool:
    return reply.ok and not _number(found)


def _reason(found: dict[str, Any]) -> str:
    """Why: the words of `base_resp` with its code, else those of `error`."""
    number = _number(found)
    if not number:
        return answers.message(found, ("error.message", "error"))
    code = _CODES.get(number)
    words = answers.message(found, ["base_resp.status_msg"]) or (code.meaning if code else "an unknown code")
    return f"{words} ({number})"


def _failure(call: Call, reply: Reply, found: dict[str, Any]) -> ProviderError:
    """The error by code where that is a definite answer, else by status, else as far as the code tells."""
    code = _CODES.get(_number(found))
    reason = _reason(found) or _lacking(call, reply, found)
    shown = reason if reply.ok else f"HTTP {reply.status}: {reason}"
    wait = answers.retry_after(reply)
    if code is not None and code.blame == "rate":
        return Throttled(shown, retry_after=wait)
    if code is not None and code.blame != "outage":
        return Refused(shown, blame=_blame(call, code))
    if not reply.ok or not _number(found):
        return answers.failure(call, reply, reason)
    if call.purpose != "submit":
        return Unavailable(shown, retry_after=wait)
    request_id = answers.identity(found, "task_id")
    named = f"; the answer names the request `{answers.said(request_id)}`" if request_id else ""
    return InDoubt(shown + named, blame="outage")


def _lacking(call: Call, reply: Reply, found: dict[str, Any]) -> str:
    """What an answer is that reports success and has not what makes one."""
    if not found or not reply.ok:
        return ""
    return f"an answer without `{'task_id' if call.purpose == 'submit' else 'status'}`"


def _blame(call: Call, code: _Code) -> Blame:
    """Whose turn it is: a bad parameter of a later call is an id that is not known any more."""
    return "lost" if code.blame == "input" and call.purpose != "submit" else code.blame
