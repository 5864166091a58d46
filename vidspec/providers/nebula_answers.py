"""What the answers of Nebula and the LeapX Hub mean: how a take stands, and what an error is.

Errors come as `{error: {message, type, code}}`, as `{code, message, data}` with a word for code and perhaps JSON
in the message, without a code, or with no body at all; some are thought to come at HTTP 200. Sources: the pages
of query and overview, the guides to wan2.5 and Sora 2, and the published backend.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vidspec.errors import InDoubt, Refused, Throttled, Unavailable
from vidspec.providers import answers
from vidspec.wire import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.errors import ProviderError
    from vidspec.wire import Blame, Call, Phase, Reply

# --- how a take stands -------------------------------------------------------------------------------------

_LINKS = (
    "url",
    "video_url",
    *(f"{inner}.{place}" for inner in ("metadata", "data") for place in ("url", "video_url")),
    *(f"{inner}.{place}.video_url" for inner in ("metadata", "data") for place in ("output", "content")),
    "fail_reason",
)
_UPSTREAM = ("metadata.output.task_status", "data.output.task_status")
_FILTERED = ("metadata.response.raiMediaFilteredCount", "data.response.raiMediaFilteredCount")
_REASONS = (
    "error.message",
    "error",
    "failure_reason",
    "metadata.output.message",
    "metadata.error.message",
    "metadata.reason",
    "fail_reason",
    "data.error.message",
    "data.output.message",
)
"""Where a failure is explained, in the order in which to look."""

_CODES = ("error.code", "metadata.output.code", "metadata.error.code", "data.error.code", "data.output.code")
_ADDRESS = re.compile(r"\s*(https?://|data:)", re.IGNORECASE)


def progress_of(found: Any, states: Mapping[str, str], handle: str | None) -> Progress | None:
    """How the take of a query's answer stands; None for an answer without a status.

    `handle` is by what the clip is fetched where a success comes without a link.
    """
    task = answers.unwrapped(found)
    word, phase = _state(task, states)
    if not word:
        return None
    share = answers.share(task, "progress", "metadata.progress")
    if phase == "succeeded":
        return _success(task, word, share, handle)
    if phase not in ("failed", "cancelled"):
        return Progress(phase=phase, word=word, share=share)
    reason = _reason(task)
    return Progress(phase=phase, word=word, share=share, reason=reason or None, blame=answers.fault(reason))


def _state(task: Any, states: Mapping[str, str]) -> tuple[str, Phase]:
    """The word that tells how the task stands. Wan says `in_progress` of what its maker has still to begin."""
    word, upstream = answers.text(task, "status"), answers.text(task, *_UPSTREAM)
    phase, deeper = answers.phase(states, word), answers.phase(states, upstream)
    if word and ((phase == "unknown" and deeper != "unknown") or (phase == "running" and deeper == "queued")):
        return upstream, deeper
    return answers.said(word), phase


def _success(task: Any, word: str, share: float | None, handle: str | None) -> Progress:
    """A success has a link, or is fetched by its handle, or was kept back, or its link is gone."""
    named = [text for path in _LINKS for text in _texts(answers.at(task, path))]
    link = next((text.strip() for text in named if _ADDRESS.match(text) and text.strip().isprintable()), None)
    seed = answers.whole(task, "metadata.seed", "data.seed")
    if link is None and (answers.whole(task, *_FILTERED) or 0) > 0:
        reason = "the provider's safety filter has kept the clip back"
        return Progress(phase="failed", word=word, share=share, reason=reason, blame="moderation")
    gone = f"the link is not to be had any more: the answer says `{answers.said(named[0])}`" if named else None
    return Progress(
        phase="succeeded",
        word=word,
        share=share,
        link=link,
        handle=None if link else handle,
        seed_used=seed,
        reason=None if link else gone,
    )


def _texts(found: Any) -> list[str]:
    """A text, or those of an array, that are not empty."""
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str) and one.strip()]


def _reason(task: Any) -> str:
    """Why a task failed, with its code where that is a word of its own."""
    words, code = answers.said(answers.text(task, *_REASONS)), answers.text(task, *_CODES)
    return words if words and (code.isdigit() or code in words) else answers.said(f"{code}: {words}".rstrip(": "))


# --- what an error is --------------------------------------------------------------------------------------

_WORDS = (
    "code",
    "error.code",
    "error.type",
    "error.message",
    "error",
    "message",
    "failure_reason",
    "metadata.output.code",
    "metadata.output.message",
)
_MEANINGS: tuple[tuple[Blame, str], ...] = (
    ("moderation", answers.MODERATION),
    ("input", r"invalid_?parameter"),
    ("rate", r"rate[_ ]?limit|throttling|too many requests"),
    ("rate", r"^429$|[(（]429[)）]|(status\w*|code|http|error)\W{0,4}429\b"),
    ("billing", r"quota_not_enough|insufficient_?(user_?)?quota|quota is not enough|(余额|额度).{0,8}不足|预扣费"),
    ("key", r"invalid_?api_?key|invalid token|authentication_error"),
    ("input", r"invalid_request"),
)
"""What the words of an error say about whose turn it is; the first that is found counts. A 429 inside a sentence
says nothing: it may be a number of milliseconds."""

_READ = 2000
"""Characters of a text that are searched for meaning."""

_BY_STATUS = frozenset({401, 402, 404, 405, 408, 410, 429, *range(300, 400)})
"""Statuses that say by themselves what an error is."""

_FLAGS = re.IGNORECASE | re.MULTILINE
_NO_CHANNEL = re.compile("no available channel|无可用渠道", re.IGNORECASE)


def failure(call: Call, reply: Reply) -> ProviderError:
    """The error that a reply is which holds no task: what is documented first, then what its status means."""
    found = answers.value(reply)
    reason = answers.message(found) or answers.text(found, "error.code", "code")
    by_status = answers.failure(call, reply, reason, missing=_MISSING[call.purpose])
    words = _words(found)
    if call.purpose != "submit" and "task_not_exist" in words:
        return _not_there(call, by_status.reason)
    if reply.status in _BY_STATUS:
        return by_status
    if call.purpose == "submit" and _is_unread(found):
        return InDoubt(by_status.reason)
    blame = _blame(words)
    if blame == "rate":
        return Throttled(by_status.reason, retry_after=answers.retry_after(reply))
    if call.purpose == "submit":
        return _not_made(found, reply, blame, by_status)
    if reply.status < 500 and blame in _USELESS:
        return Refused(by_status.reason, blame=blame)
    return by_status


_MISSING = {"submit": "task_id", "poll": "status", "result": "base64"}
_USELESS = frozenset({"moderation", "key", "billing"})
"""What a question without an answer may be to blame on so that it need not be asked again."""


def _not_there(call: Call, said: str) -> ProviderError:
    """A task that the gateway does not have: the older backend answers a submit before it has stored it."""
    return Unavailable(said, blame="lost") if call.purpose == "poll" else Refused(said, blame="lost")


def _is_unread(found: Any) -> bool:
    """Whether the gateway could not read what its upstream answered to a submit: it may have said yes."""
    return answers.text(found, "code", "error.code") == "parse_error"


def _not_made(found: Any, reply: Reply, blame: Blame | None, by_status: ProviderError) -> ProviderError:
    """What a submit without an id is: only where it is a documented refusal was nothing made."""
    if reply.status == 503 and _has_no_channel(found):
        return Unavailable(by_status.reason, retry_after=answers.retry_after(reply))
    return Refused(by_status.reason, blame=blame) if reply.status < 500 and blame else by_status


def _has_no_channel(found: Any) -> bool:
    """The gateway has nobody to send the model's requests to: its own error, which has no code."""
    own = answers.text(found, "error.type") == "new_api_error" and not answers.text(found, "error.code")
    return own or _NO_CHANNEL.search(answers.text(found, "error.message", "message")) is not None


def _words(found: Any) -> str:
    """All that an error says: its codes, its type, its messages."""
    texts = [found if isinstance(found, str) else "", *(answers.text(found, path) for path in _WORDS)]
    return "\n".join(text[:_READ] for text in texts)


def _blame(words: str) -> Blame | None:
    return next((blame for blame, pattern in _MEANINGS if re.search(pattern, words, _FLAGS)), None)
