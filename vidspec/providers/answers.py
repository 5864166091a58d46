"""Reading what a provider answers: JSON that may be none, error texts in many shapes, and what a status means.

Nothing here raises, whatever the answer; whatever comes from it and is shown is of one line and bounded.
"""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from vidspec.errors import InDoubt, ProviderError, Refused, Throttled, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vidspec.wire import Blame, Call, Phase, Reply

_ADDRESS = re.compile(r"(https?://[^\s/?#\"'<>]+)[/?#][^\s\"'<>]*")
_REASON = 300
"""Characters of a provider's own words that are passed on."""

_MOST_ID = 4096
"""Characters of an id that is kept and asked for again."""

_MOST = 2**64
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_PERCENT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?)\s*%?")
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{0,10})?")
_LINK = re.compile(r"https?://|data:", re.IGNORECASE)
_TOO_LATE = 408
"""The server has waited for long enough: like its 5xx, it says nothing about what has been made meanwhile."""

_BLAMES: dict[int, Blame] = {401: "key", 402: "billing", 403: "key", 404: "address", 405: "address"}


# --- values ------------------------------------------------------------------------------------------------


def value(reply: Reply) -> Any:
    """The JSON value of a body; None for what is none, or is nested or spelt so that nobody should read it."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def mapping(reply: Reply) -> dict[str, Any]:
    """The JSON object of a body; empty for anything else."""
    found = value(reply)
    return found if isinstance(found, dict) else {}


def unwrapped(found: Any) -> Any:
    """What is inside `{"code": "success", "message": …, "data": {…}}`; anything else as it is."""
    inner = at(found, "data")
    return inner if at(found, "code") == "success" and isinstance(inner, dict) else found


def at(found: Any, path: str) -> Any:
    """What stands at a dotted path (`results.videos.0.url`) in a JSON value; None where the path ends early."""
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def text(found: Any, *paths: str) -> str:
    """The first text that is not empty at one of the paths; a number counts as its digits. Else the empty text."""
    for path in paths:
        here = at(found, path)
        if isinstance(here, str) and here.strip():
            return here
        if isinstance(here, int) and not isinstance(here, bool):
            return str(here)
    return ""


def identity(found: Any, *paths: str) -> str:
    """The first id at one of the paths that can be kept and shown: a text, or a whole number as its digits.

    The empty text where there is none, or nothing but one with line breaks, broken characters or no end.
    """
    ids = (text(found, path) for path in paths)
    return next((one for one in ids if one and one.isprintable() and len(one) <= _MOST_ID), "")


def link(found: Any, *paths: str) -> str | None:
    """The first web address or data URI at one of the paths."""
    links = (text(found, path).strip() for path in paths)
    return next((one for one in links if _LINK.match(one) and one.isprintable()), None)


def whole(found: Any, *paths: str) -> int | None:
    """The first whole number at one of the paths, also one that is written as a text of digits."""
    for path in paths:
        here = at(found, path)
        if isinstance(here, str) and _WHOLE.fullmatch(here.strip()):
            here = int(here)
        if isinstance(here, float) and here.is_integer():
            here = int(here)
        if isinstance(here, int) and not isinstance(here, bool) and abs(here) < _MOST:
            return here
    return None


def share(found: Any, *paths: str) -> float | None:
    """How much is done, from 0 to 1, of a number of percent that may be written `"30%"`."""
    for path in paths:
        here = at(found, path)
        if isinstance(here, str) and (match := _PERCENT.fullmatch(here.strip())):
            here = float(match[1])
        if isinstance(here, int | float) and not isinstance(here, bool):
            return min(100, max(0, here)) / 100
    return None


def phase(states: Mapping[str, str], word: str) -> Phase:
    """What a provider's state word means by its table; `unknown` for a word that the table does not have."""
    return cast("Phase", states.get(word, "unknown"))


# --- words -------------------------------------------------------------------------------------------------

_MESSAGES = ("error.message", "error", "message", "failure_reason", "fail_reason", "base_resp.status_msg", "reason")


def message(found: Any, paths: Iterable[str] = _MESSAGES) -> str:
    """What an error says: at the first path that says anything, in a bare string, or in JSON inside a string."""
    if isinstance(found, str):
        return said(found)
    return said(text(found, *paths))


def said(words: str) -> str:
    """A provider's words as they may be shown: on one line, without control characters, of bounded length.

    Of an address in them only the host stays: what follows may be signed, and a signed link is a secret.
    """
    inner = _ADDRESS.sub(r"\1/…", _inner(words)[: 4 * _REASON])
    printable = "".join(one if one.isprintable() else " " for one in inner)
    line = " ".join(printable.split())
    return line if len(line) <= _REASON else f"{line[: _REASON - 1]}…"


def _inner(words: str) -> str:
    """The message of an error that was wrapped as JSON into the text of another."""
    if not words.lstrip().startswith(("{", '"')):
        return words
    try:
        found = json.loads(words)
    except (ValueError, RecursionError):
        return words
    if isinstance(found, str):
        return found
    code = text(found, "error.code", "code")
    deeper = text(found, *_MESSAGES)
    return f"{code}: {deeper}" if code and deeper else deeper or words


MODERATION = (
    r"data_?inspection|content[_ ]?policy|polic\w+[_ ]violation|violat\w+.{0,40}polic"
    r"|(?<!case-)sensitive|moderation|safety|\brai\b|\brai_?media|敏感|违规|审核"
)
"""The words of those who keep a clip back, or refuse a prompt or a picture."""

_FAULTS: tuple[tuple[Blame, str], ...] = (("moderation", MODERATION), ("input", r"invalid_?(parameter|request)"))


def fault(words: str) -> Blame:
    """Whose turn it is after a generation has failed: `moderation`, `input`, or `provider` where it does not say.

    Never the account's, whatever the words are: the request had been accepted, so that only a person asks again.
    """
    found = (blame for blame, pattern in _FAULTS if re.search(pattern, words, re.IGNORECASE))
    return next(found, "provider")


# --- errors ------------------------------------------------------------------------------------------------


def failure(call: Call, reply: Reply, reason: str = "", *, missing: str = "") -> ProviderError:
    """The error that a reply is by its status alone; the adapter looks first for what its provider documents.

    On a submit, whatever is neither a 4xx nor a documented refusal may have been accepted: it is in doubt.
    `missing` is the field that makes a good answer.
    """
    status, wait = reply.status, retry_after(reply)
    shown = f"HTTP {status}: {said(reason) or message(value(reply)) or _described(reply, missing)}"
    if status == 429:
        return Throttled(shown, retry_after=wait)
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: the address redirects; write the `base_url` it leads to", blame="address")
    if 400 <= status < 500 and status != _TOO_LATE:
        return Refused(shown, blame=_blame(call, status))
    if call.purpose == "submit":
        return InDoubt(shown, blame="outage" if status >= 400 else "provider")
    return Unavailable(shown, retry_after=wait)


def _blame(call: Call, status: int) -> Blame:
    """Whose turn it is after a 4xx. A request that was accepted and is not found any more is lost."""
    if call.purpose != "submit":
        return "lost" if status in (404, 410) else _BLAMES.get(status, "provider")
    return _BLAMES.get(status, "input")


def _described(reply: Reply, missing: str) -> str:
    """What a body is that says nothing in JSON."""
    if missing and mapping(reply) and reply.ok:
        return f"an answer without `{missing}`"
    start = reply.body[: 4 * _REASON].strip()
    if not start:
        return "an empty answer"
    if start.lower().startswith((b"<!doctype html", b"<html")):
        return "an HTML page, where an answer in JSON was expected"
    if start.startswith((b"{", b"[", b'"', b"null")) or value(reply) is not None:
        return "an answer that is not understood"
    return said(start.decode(errors="replace")) or "an answer that is not understood"


def retry_after(reply: Reply) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date held against the answer's own `Date`."""
    header = reply.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        until, now = parsedate_to_datetime(header), parsedate_to_datetime(reply.headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, ArithmeticError, LookupError):
        return None
