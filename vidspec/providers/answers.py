"""Reading what a provider answers: JSON that may be none, error texts in many shapes, and what a status means."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from vidspec.errors import InDoubt, ProviderError, Refused, Throttled, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vidspec.wire import Call, Phase, Reply

_REASON = 300
"""Characters of a provider's own words that are passed on."""

_BLAMES = {401: "key", 402: "billing", 403: "key", 404: "address", 405: "address"}


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


def whole(found: Any, *paths: str) -> int | None:
    """The first whole number at one of the paths, also one that is written as a text of digits."""
    for path in paths:
        here = at(found, path)
        if isinstance(here, bool):
            continue
        if isinstance(here, int) or (isinstance(here, float) and here.is_integer()):
            return int(here)
        if isinstance(here, str) and here.strip().lstrip("-").isdecimal() and len(here) < 40:
            return int(here)
    return None


_MESSAGES = ("error.message", "error", "message", "failure_reason", "fail_reason", "base_resp.status_msg", "reason")


def message(found: Any, paths: Iterable[str] = _MESSAGES) -> str:
    """What an error says: at the first path that says anything, in a bare string, or in JSON inside a string."""
    if isinstance(found, str):
        return said(found)
    return said(text(found, *paths))


def said(words: str) -> str:
    """A provider's words as they may be shown: on one line, without control characters, of bounded length."""
    inner = _inner(words)
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


def phase(states: Mapping[str, str], word: str) -> Phase:
    """What a provider's state word means by its table; `unknown` for a word that the table does not have."""
    found: Any = states.get(word, "unknown")
    return found  # type: ignore[no-any-return]


def share(found: Any, *paths: str) -> float | None:
    """How much is done, from 0 to 1, of a number of percent that may be written `"30%"`."""
    for path in paths:
        here = at(found, path)
        number = _number(here) if isinstance(here, str) else here
        if isinstance(number, int | float) and not isinstance(number, bool):
            return min(1.0, max(0.0, float(number) / 100))
    return None


def _number(words: str) -> float | None:
    digits = words.strip().removesuffix("%").strip()
    return float(digits) if digits.replace(".", "", 1).isdecimal() and len(digits) < 20 else None


def failure(call: Call, reply: Reply, reason: str = "") -> ProviderError:
    """The error that a reply is by its status alone; the adapter looks first for what its provider documents.

    On a submit, whatever is neither a 4xx nor a documented refusal may have been accepted: it is in doubt.
    """
    reason = reason or message(value(reply)) or _described(reply)
    status = reply.status
    shown = f"HTTP {status}: {reason}"
    if status == 429:
        return Throttled(shown, retry_after=retry_after(reply))
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: the address redirects; write the `base_url` it leads to", blame="address")
    if 400 <= status < 500:
        return Refused(shown, blame=_BLAMES.get(status, "input"))
    if call.purpose == "submit":
        return InDoubt(shown, blame="outage" if status >= 500 else "provider")
    return Unavailable(shown, retry_after=retry_after(reply))


def _described(reply: Reply) -> str:
    """What a body is that says nothing."""
    if not reply.body.strip():
        return "an empty answer"
    start = reply.body[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page, where an answer in JSON was expected"
    return "an answer that is not understood"


def retry_after(reply: Reply) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date held against the answer's own `Date`."""
    header = reply.headers.get("retry-after", "").strip()
    if header.replace(".", "", 1).isdecimal() and len(header) < 12:
        return float(header)
    try:
        until, now = parsedate_to_datetime(header), parsedate_to_datetime(reply.headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None
