"""The body of a submit from the capability table: every setting under the name that the model has for it.

What a table cannot say (how a size is spelt, where pictures stand) is written by the adapter over this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.wire import Sending

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
"""A name that is a field of the body; `--rs` or `resolution, aspectRatio` is an adapter's business."""


def body(sending: Sending) -> dict[str, Any]:
    """The model, and every setting of the request whose `wire` in the table is the name of a field.

    Shape and `references` are left to the adapter.
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
    if rules.audio.file is not None and _is_field(rules.audio.file.wire) and ("audio", 0) in sending.media:
        yield rules.audio.file.wire or "", sending.media["audio", 0]
    for key in ("first_frame", "last_frame", "remix_of"):
        rule = getattr(rules, key)
        if rule is not None and (key, 0) in sending.media and _is_field(rule.wire):
            yield rule.wire, sending.media[key, 0]
    for name, value in (request.get("options") or {}).items():
        yield rules.options[name].wire or name, value


def _is_field(wire: str | None) -> bool:
    return wire is not None and _PLAIN.fullmatch(wire) is not None
