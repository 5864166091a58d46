"""The body of a submit from the capability table: every setting under the name that the model has for it.

What a table cannot say (how a tier is spelt, where pictures stand) is written by the adapter over this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidspec.wire import Sending

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
"""A name that is a field of the body; `--rs` or `resolution, aspectRatio` is an adapter's business."""


def body(sending: Sending) -> dict[str, Any]:
    """The model, and every setting of the request whose `wire` in the table is the name of a field.

    Shape, camera and `references` are left to the adapter.
    """
    return {"model": sending.model, **dict(_fields(sending))}


def _fields(sending: Sending) -> Iterator[tuple[str, Any]]:
    request, rules = sending.request, sending.rules
    for key in ("prompt", "negative_prompt", "duration", "fps"):
        rule = getattr(rules, key)
        if rule is not None and key in request and _is_field(rule.wire):
            yield rule.wire, request[key]
    if rules.seed is not None and sending.seed is not None and _is_field(rules.seed.wire):
        yield rules.seed.wire or "", sending.seed
    for key in ("audio", "watermark", "enhance_prompt"):
        switch = getattr(rules, key)
        if switch.kind == "switch" and isinstance(request.get(key), bool) and _is_field(switch.wire):
            yield switch.wire, request[key]
    yield from _media(sending)
    for name, value in (request.get("options") or {}).items():
        yield rules.options[name].wire or name, value


def _media(sending: Sending) -> Iterator[tuple[str, str]]:
    """What is named by digest in a request, in the form in which it is sent."""
    rules = sending.rules
    for key, rule in (
        ("audio", rules.audio.file),
        ("first_frame", rules.first_frame),
        ("last_frame", rules.last_frame),
        ("remix_of", rules.remix_of),
    ):
        if rule is not None and (key, 0) in sending.media and _is_field(rule.wire):
            yield rule.wire or "", sending.media[key, 0]


def _is_field(wire: str | None) -> bool:
    return wire is not None and _PLAIN.fullmatch(wire) is not None


def size(sending: Sending) -> str:
    """The pixel size as the model spells it: `1280x720`, or with another separator."""
    text: str = sending.request["size"]
    shape = sending.rules.shape
    return text.replace("x", shape.separator) if shape else text


def pictures(sending: Sending, *settings: str) -> list[str]:
    """The pictures of these settings, in this order and each setting's own, in the form in which they are sent."""
    return [sending.media[key] for setting in settings for key in sorted(sending.media) if key[0] == setting]


def bracketed(moves: Iterable[str]) -> str:
    """Camera moves as Hailuo reads them at the head of a prompt: `[Push in,Tilt up]`; empty for none."""
    joined = ",".join(move.capitalize() for move in moves)
    return f"[{joined}]" if joined else ""
