"""The gateway's three calls as paths of an OpenAPI description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.sandbox.description import TEXT, WHOLE, either, exactly, one_of, operation, or_null, query, record
from vidspec.sandbox.nebula_seedance import KINDS, ROLES
from vidspec.sandbox.nebula_sora import REMIX, SORA
from vidspec.sandbox.nebula_veo import FPS, MOST_SEED, PEOPLE, Veo
from vidspec.sandbox.nebula_wan import I2V, SIZES, T2V, TIERS
from vidspec.sandbox.nebula_wan import MOST_SEED as WAN_MOST_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.description import Schema

__all__ = ["described"]

_ANY: Schema = {}
_OBJECT: Schema = {"type": "object"}
_SWITCH: Schema = {"type": "boolean"}
_SAID = TEXT | {"pattern": r"\S"}
_ADDRESS = TEXT | {
    "pattern": "^https?://[A-Za-z0-9.-]+/[A-Za-z0-9./_-]*$",
    "description": "an http(s) address; a data URI with base64 is taken as well",
}
_OLD_STATES = ("NOT_START", "SUBMITTED", "QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE", "UNKNOWN")

_TASK_ERROR = record({"code": TEXT, "message": TEXT, "data": exactly(None)})
_ROUTED = record({"error": record({"message": TEXT, "type": exactly("new_api_error")})})
_STYLED = record({"error": record({"message": TEXT, "type": TEXT, "code": TEXT})})
_ERRORS: Mapping[int, tuple[str, Schema | None]] = {
    400: ("a bad request, or a task that does not exist", either(_TASK_ERROR, _ROUTED)),
    401: ("a bad key", _ROUTED),
    403: ("no quota", _TASK_ERROR),
    404: ("not a path of this service", _STYLED),
    429: ("too many requests: one of several bodies, or none", None),
    500: ("a failure inside", either(_TASK_ERROR, _STYLED)),
    503: ("no channel for the model, which may be an outage or a wrong name", _ROUTED),
    504: ("a timeout upstream", _TASK_ERROR),
}


def described(path: str, title: str, *, enveloped: bool) -> Mapping[str, Schema]:
    """The calls at a path and below it; `enveloped` for queries that are answered as the older backend does."""
    task_id: Schema = {"name": "task_id", "in": "path", "required": True, "schema": TEXT | {"minLength": 1}}
    good: dict[str, Schema] = {
        "submit": either(_accepted(), _TASK_ERROR),
        "query": _row() if enveloped else _report(),
        "download": _download(),
    }
    answers = {call: {200: ("the answer", schema), **_ERRORS} for call, schema in good.items()}
    return {
        path: {"post": operation("Submit", answers["submit"], tag=title, body=_body())},
        f"{path}/download": {
            "get": operation(
                "Fetch a Sora clip", answers["download"], tag=title, parameters=[query("id", "of the task")]
            )
        },
        f"{path}/{{task_id}}": {
            "get": operation("Ask about a task", answers["query"], tag=title, parameters=[task_id])
        },
    }


def _accepted() -> Schema:
    return record({"task_id": TEXT}, status=exactly("submitted"), format=exactly("mp4"), metadata=_OBJECT)


def _report() -> Schema:
    error = record({"message": TEXT, "code": either(TEXT, WHOLE)})
    return record(
        {"task_id": TEXT, "status": TEXT},
        format=exactly("mp4"),
        url=either(TEXT, {"type": "array", "items": TEXT}),
        metadata=_OBJECT,
        error=error,
        failure_reason=TEXT,
        progress=WHOLE,
        width=WHOLE,
        height=WHOLE,
        n_seconds=WHOLE,
        seconds=TEXT,
        size=TEXT,
    )


def _row() -> Schema:
    times = dict.fromkeys(("submit_time", "start_time", "finish_time"), WHOLE)
    status = TEXT | {"examples": list(_OLD_STATES)}
    texts: dict[str, Schema] = {"task_id": TEXT, "action": TEXT, "status": status, "fail_reason": TEXT}
    row = record({**texts, **times, "progress": TEXT, "data": or_null(_OBJECT)})
    return record({"code": exactly("success"), "message": exactly(""), "data": row})


def _download() -> Schema:
    ids = {"task_id": TEXT, "generation_id": TEXT}
    content = {"format": exactly("mp4"), "size": WHOLE, "base64": TEXT, "data_url": TEXT}
    return record({"success": exactly(True), **ids, **content})


# --- requests --------------------------------------------------------------------------------------------------


def _body() -> Schema:
    return either(_sora(), _veo(), _wan_from_text(), _wan_from_picture(), *map(_seedance, KINDS))


def _sora() -> Schema:
    """What a Sora request may hold: every length and size is taken, and most are corrected."""
    return record(
        {"model": exactly(SORA), "prompt": _SAID},
        seconds=_ANY | {"description": "4, 8 or 12; anything else becomes 4"},
        size=_ANY | {"description": "720x1280 or 1280x720; anything else becomes 720x1280"},
        width=_ANY,
        height=_ANY,
        input_reference=_ADDRESS,
        user=TEXT,
    ) | {"not": {"required": [REMIX]}}


def _veo() -> Schema:
    return record(
        {"model": one_of(*Veo.models), "prompt": _SAID},
        durationSeconds={"enum": [4, 6, 8]},
        aspectRatio=one_of("16:9", "9:16"),
        resolution=one_of("720p", "1080p"),
        fps=exactly(FPS),
        image=_ADDRESS,
        generateAudio=_SWITCH,
        personGeneration=one_of(*PEOPLE),
        addWatermark=_SWITCH,
        seed=_whole(0, MOST_SEED),
        sampleCount=_whole(1, 4),
        user=TEXT,
    ) | {"additionalProperties": False}


def _wan_fields() -> dict[str, Schema]:
    return {
        "duration": _ANY | {"description": "5 or 10; anything else becomes 5"},
        "resolution": one_of(*SIZES),
        "smart_rewrite": _SWITCH,
        "generate_audio": _SWITCH,
        "seed": _whole(0, WAN_MOST_SEED),
    }


def _wan_from_text() -> Schema:
    needed = {"model": exactly(T2V), "prompt": _SAID}
    return record(needed, size=one_of(*TIERS), **_wan_fields()) | {"additionalProperties": False}


def _wan_from_picture() -> Schema:
    needed = {"model": exactly(I2V), "prompt": _SAID, "image": _ADDRESS}
    return record(needed, **_wan_fields()) | {"additionalProperties": False}


def _seedance(model: str) -> Schema:
    text = record({"type": exactly("text"), "text": TEXT})
    picture = record(
        {"type": exactly("image_url"), "image_url": record({"url": _ADDRESS}), "role": exactly(next(iter(ROLES)))}
    )
    items = [text] if KINDS[model].text else [text, picture]
    content = {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    metadata = record({"content": content}) | {"additionalProperties": False}
    return record({"model": exactly(model), "metadata": metadata}) | {"additionalProperties": False}


def _whole(low: int, high: int) -> Schema:
    return WHOLE | {"minimum": low, "maximum": high}
