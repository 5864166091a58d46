"""Words of OpenAPI 3.1 that the twins describe themselves with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TEXT", "WHOLE", "Schema", "either", "exactly", "one_of", "operation", "or_null", "query", "record"]

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}


def one_of(*values: str) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}


def exactly(value: Any) -> Schema:
    """This value alone."""
    return {"enum": [value]}


def or_null(schema: Schema) -> Schema:
    """What a schema says, or null."""
    return {"anyOf": [schema, {"enum": [None]}]}


def record(needed: Mapping[str, Schema], **optional: Schema) -> Schema:
    """An object with fields that are always there, and others."""
    return {"type": "object", "properties": {**needed, **optional}, "required": list(needed)}


def query(name: str, meaning: str) -> Schema:
    """A parameter of the address."""
    return {"name": name, "in": "query", "required": True, "description": meaning, "schema": TEXT}


def either(*schemas: Schema) -> Schema:
    """What any of these schemas says."""
    return {"anyOf": list(schemas)}


def operation(
    summary: str,
    answers: Mapping[int, tuple[str, Schema | None]],
    *,
    tag: str,
    body: Schema | None = None,
    parameters: Sequence[Schema] = (),
    content: Mapping[int, Schema] | None = None,
) -> Schema:
    """One operation: its answers by status, each with a meaning and a schema of its JSON.

    None stands for an answer that may be anything, or nothing; `content` adds other media types to a status.
    """
    responses: Schema = {}
    for status, (meaning, schema) in answers.items():
        kinds = {**(_json(schema) if schema is not None else {}), **(content or {}).get(status, {})}
        responses[str(status)] = {"description": meaning, **({"content": kinds} if kinds else {})}
    described: Schema = {"summary": summary, "tags": [tag], "responses": responses}
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        described["requestBody"] = {"required": True, "content": _json(body)}
    return described


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
