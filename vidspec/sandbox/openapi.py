"""The description of everything that a sandbox serves, in OpenAPI 3.1: the twins' own parts, files and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec import __version__
from vidspec.sandbox.description import TEXT, WHOLE, operation, or_null, record
from vidspec.sandbox.twin import json_answer

if TYPE_CHECKING:
    from vidspec.sandbox.site import Sandbox
    from vidspec.sandbox.twin import Answer

__all__ = ["answer", "value"]

NUMBER = {"type": "number"}
TEXTS = {"type": "array", "items": TEXT}
TAG = "sandbox"


def answer(sandbox: Sandbox) -> Answer:
    """What `/openapi.json` answers."""
    return json_answer(value(sandbox))


def value(sandbox: Sandbox) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, Any] = {}
    for place in sandbox.places.values():
        paths |= place.twin.paths()
    paths |= _own_paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vidspec sandbox",
            "version": __version__,
            "description": "Local twins of video providers, written from the providers' documents. "
            "Any bearer token is a good key unless it begins with `bad`.",
        },
        "servers": [{"url": sandbox.base}],
        "security": [{"key": []}],
        "tags": _tags(paths),
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _tags(paths: dict[str, Any]) -> list[dict[str, str]]:
    used = (tag for path in paths.values() for described in path.values() for tag in described.get("tags", ()))
    return [{"name": name} for name in dict.fromkeys(used)]


def _own_paths() -> dict[str, Any]:
    return {
        "/files/{provider}/{token}/clip.mp4": {"get": _file()},
        "/": {"get": _open(operation("What goes on here, for people", {200: ("a page", None)}, tag=TAG))},
        "/state.json": {"get": _open(operation("What goes on here", {200: ("now", _ref("State"))}, tag=TAG))},
        "/openapi.json": {"get": _open(operation("This description", {200: ("it", {"type": "object"})}, tag=TAG))},
    }


def _open(described: dict[str, Any]) -> dict[str, Any]:
    """An operation for which no key is wanted."""
    return {**described, "security": []}


def _file() -> dict[str, Any]:
    clip = {"video/mp4": {"schema": {"type": "string", "contentMediaType": "video/mp4"}}}
    error = {"application/xml": {"schema": TEXT}}
    meanings = {
        200: "the clip",
        206: "the part of it that was asked for with `Range`",
        400: "a key was sent along with the signed address",
        403: "the address has expired, or is not signed",
        404: "there is no such clip",
        416: "no such part",
        500: "a failure inside the store",
        503: "the store cannot now, or wants fewer requests",
        504: "a timeout",
    }
    parameters: list[dict[str, Any]] = [
        *({"name": name, "in": "path", "required": True, "schema": TEXT} for name in ("provider", "token")),
        *({"name": name, "in": "query", "required": True, "schema": TEXT} for name in ("expires", "signature")),
        {"name": "Range", "in": "header", "schema": TEXT},
    ]
    answers = {status: (meaning, None) for status, meaning in meanings.items()}
    content = {status: clip if status < 300 else error for status in meanings}
    return _open(operation("A finished clip", answers, tag=TAG, parameters=parameters, content=content))


def _schemas() -> dict[str, Any]:
    return {
        "State": record(
            {
                "vidspec_sandbox": {"const": 1},
                "base": TEXT,
                "now": NUMBER,
                "providers": _list("Provider"),
                "faults": _list("Fault"),
                "elsewhere": record({"requests": WHOLE, "recent": _list("Exchange")}),
                "bugs": WHOLE,
            }
        ),
        "Provider": _provider(),
        "Task": _task(),
        "Exchange": _exchange(),
        "Fault": _fault(),
    }


def _provider() -> dict[str, Any]:
    counts = ("requests", "tasks", "changed", "queued", "running", "succeeded", "failed")
    bounds = {name: or_null(WHOLE) for name in ("per_minute", "in_flight", "slots")}
    used = dict.fromkeys(("this_minute", "unfinished", "too_fast", "too_many"), WHOLE)
    return record(
        {
            **_all(TEXT, "name title base_url"),
            "counts": record(dict.fromkeys(counts, WHOLE)),
            "limits": record({**bounds, **used}),
            "tasks": _list("Task"),
            "recent": _list("Exchange"),
        }
    )


def _task() -> dict[str, Any]:
    stages = ["queued", "running", "succeeded", "failed"]
    return record(
        {
            **_all(TEXT, "id model prompt clip"),
            **_all(NUMBER, "accepted begins ends appears"),
            "stage": {"type": "string", "enum": stages},
            "share": {"type": "integer", "minimum": 0, "maximum": 100},
            "says": or_null(TEXT),
            "seed": or_null(WHOLE),
            "bytes": WHOLE,
            **_all(TEXTS, "changed remarks"),
        }
    )


def _exchange() -> dict[str, Any]:
    return record(
        {
            **_all(WHOLE, "number size"),
            "time": NUMBER,
            **_all(TEXT, "verb path"),
            **_all(or_null(TEXT), "provider call task model fault bug"),
            "status": or_null(WHOLE),
            "changed": TEXTS,
            "key": {"type": "boolean"},
        }
    )


def _fault() -> dict[str, Any]:
    return record(
        {
            **_all(TEXT, "fault says place"),
            **_all(TEXTS, "providers calls"),
            "model": or_null(TEXT),
            **_all(WHOLE, "matched fired"),
            "of": or_null(WHOLE),
            "chance": or_null(NUMBER),
        }
    )


def _all(schema: dict[str, Any], names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), schema)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}
