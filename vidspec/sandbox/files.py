"""What stands behind a signed link: an object store, with its XML errors, its ranges and its own idea of keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from vidspec.sandbox.twin import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.links import Standing

__all__ = ["answer", "refusal"]

REFUSALS: dict[str, tuple[int, str]] = {
    "AccessDenied": (403, "Request has expired"),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidArgument": (400, "Only one auth mechanism allowed: a signed address and an Authorization header"),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource"),
    "NoSuchKey": (404, "The specified key does not exist"),
    "RequestTimeout": (504, "The request was not completed within the time allowed"),
    "ServiceUnavailable": (503, "Please try again"),
    "SignatureDoesNotMatch": (403, "The request signature does not match the one that we calculated"),
    "SlowDown": (503, "Please reduce your request rate"),
}

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def refusal(code: str, **headers: str) -> Answer:
    """An object store's refusal, by its code; underscores in header names stand for hyphens."""
    status, message = REFUSALS[code]
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    )
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers={"Content-Type": "application/xml", **named}, body=body.encode())


def answer(verb: str, headers: Mapping[str, str], standing: Standing, data: bytes | None) -> Answer:
    """The answer to a request for a clip; `data` is None where there is none.

    A key is not to be sent along: object stores refuse an address that is signed and a header that authorises.
    """
    if verb not in ("GET", "HEAD"):
        return refusal("MethodNotAllowed", Allow="GET, HEAD")
    if "authorization" in headers:
        return refusal("InvalidArgument")
    if standing != "good":
        return refusal("AccessDenied" if standing == "expired" else "SignatureDoesNotMatch")
    if data is None:
        return refusal("NoSuchKey")
    return _whole_or_part(headers, data)


def _whole_or_part(headers: Mapping[str, str], data: bytes) -> Answer:
    named = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes"}
    asked = _RANGE.fullmatch(headers.get("range", "").strip()) if "range" in headers else None
    if asked is None or asked[0] == "bytes=-" or "if-range" in headers:
        return Answer(headers=named, body=data)
    first, last = _bounds(asked[1], asked[2], len(data))
    if first >= len(data) or last < first:
        return refusal("InvalidRange", Content_Range=f"bytes */{len(data)}")
    named["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Answer(status=206, headers=named, body=data[first : last + 1])


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and last byte that a range asks for; digits beyond any size are taken for too many."""
    if not first:
        wanted = min(int(last[:20]), size)
        return (size - wanted, size - 1) if wanted else (size, size)
    return int(first[:20]), min(int(last[:20]), size - 1) if last else size - 1
