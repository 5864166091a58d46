"""MiniMax's first video protocol and Gately's, as paths of an OpenAPI description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.sandbox.description import TEXT, WHOLE, either, exactly, one_of, operation, query, record
from vidspec.sandbox.hailuo import COMMANDS, GATELY_MODELS, MODELS, SHORT_SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.sandbox.description import Schema

__all__ = ["described"]

_FILE = record(
    {
        "file_id": WHOLE | {"format": "int64"},
        "bytes": WHOLE,
        "created_at": WHOLE,
        "filename": TEXT,
        "purpose": exactly("video_generation"),
        "download_url": TEXT,
    }
)
_ASKED = {"task_id": TEXT, "status": TEXT, "file_id": TEXT, "video_width": WHOLE, "video_height": WHOLE}
_FAILED = {"task_id": TEXT, "status": exactly("Fail"), "file_id": exactly("")}
_FINE = record({"status_code": exactly(0), "status_msg": TEXT})
_WRONG = record({"status_code": WHOLE | {"not": {"enum": [0]}}, "status_msg": TEXT})
_REFUSED = record({"base_resp": _WRONG}, task_id=TEXT, status=TEXT, file_id=TEXT)
_VIDEO: Mapping[int, Schema] = {200: {"video/mp4": {"schema": {}}}}
_SWITCH: Schema = {"type": "boolean"}
_PICTURE = TEXT | {"description": "an http(s) address or a data URI"}


def described(prefix: str, title: str, *, gately: bool) -> Mapping[str, Schema]:
    """The four calls under a prefix, with MiniMax's way of failing or with Gately's."""
    task_id, file_id = query("task_id", "of the submit's answer"), query("file_id", "of a task that succeeded")

    def answers(*good: Mapping[str, Schema]) -> dict[int, tuple[str, Schema | None]]:
        return _gately_answers(*good) if gately else _answers(*good)

    failed = [{**_FAILED, "error": TEXT}] if gately else []
    return {
        f"{prefix}/video_generation": {
            "post": operation("Submit", answers({"task_id": TEXT}), tag=title, body=_body(gately=gately))
        },
        f"{prefix}/query/video_generation": {
            "get": operation("Ask about a task", answers(_ASKED, *failed), tag=title, parameters=[task_id])
        },
        f"{prefix}/files/retrieve": {
            "get": operation("Look a file up", answers({"file": _FILE}), tag=title, parameters=[file_id])
        },
        f"{prefix}/files/retrieve_content": {
            "get": operation("Fetch a file", answers(), tag=title, parameters=[file_id], content=_VIDEO)
        },
    }


def _answers(*good: Mapping[str, Schema]) -> dict[int, tuple[str, Schema | None]]:
    """Everything is 200; `base_resp` says what is meant."""
    return {200: ("see `base_resp`", either(*(record({**one, "base_resp": _FINE}) for one in good), _REFUSED))}


def _gately_answers(*good: Mapping[str, Schema]) -> dict[int, tuple[str, Schema | None]]:
    error = record({"error": TEXT})
    return {
        200: ("well", either(*map(record, good)) if good else None),
        400: ("a bad parameter, a bad prompt, or no balance", error),
        401: ("a bad key", error),
        429: ("too many requests", error),
        500: ("a failure inside", error),
    }


def _body(*, gately: bool) -> Schema:
    known: dict[str, Schema] = {
        "prompt": TEXT | {"maxLength": 2000, "description": f"camera commands in brackets: {', '.join(COMMANDS)}"},
        "prompt_optimizer": _SWITCH | {"default": True},
        "first_frame_image": _PICTURE,
        "subject_reference": _subjects(),
    }
    if not gately:
        known |= {
            "fast_pretreatment": _SWITCH | {"default": False},
            "duration": {"type": "integer", "enum": [6, 10]},
            "resolution": one_of(*SHORT_SIDES),
            "last_frame_image": _PICTURE,
            "callback_url": TEXT,
            "aigc_watermark": _SWITCH | {"default": False},
        }
    models = GATELY_MODELS if gately else tuple(MODELS)
    example = {"model": "T2V-01-Director", "prompt": "[Push in]a kettle begins to steam", "prompt_optimizer": False}
    return record({"model": one_of(*models)}, **known) | {"examples": [example]}


def _subjects() -> Schema:
    pictures = {"type": "array", "items": _PICTURE, "minItems": 1, "maxItems": 1}
    subject = record({"type": exactly("character"), "image": pictures})
    return {"type": "array", "items": subject, "minItems": 1, "maxItems": 1}
