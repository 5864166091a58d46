"""What a file may look like: the JSON Schemas, and their verdicts as diagnostics.

Nearly every shot is right, and jsonschema takes a tenth of a millisecond (and its import as long as the whole
program) to say so. So a schema is first compiled into plain predicates, which can only say yes or no; a value
they refuse goes to jsonschema, which says why. A property test holds the two to one verdict.

The schemas use no `oneOf` and no `anyOf`: their failures say only that nothing matched.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec.diagnostic import Diagnostic, described, listed, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from vidspec.document import Document, Place

    Accepts = Callable[[Any], bool]

NAMES = ("shotlist", "provider", "lock")


def text(name: str) -> str:
    """The text of a schema in `NAMES`, from the package or, in a checkout, from beside it.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    file = f"{name}.schema.json"
    shipped = files("vidspec") / "schemas" / file
    if shipped.is_file():
        return shipped.read_text("utf-8")
    return (Path(__file__).parent.parent / "schemas" / file).read_text("utf-8")


@cache
def load(name: str) -> Mapping[str, Any]:
    """A schema in `NAMES` as plain data."""
    loaded: Mapping[str, Any] = json.loads(text(name))
    return loaded


HEAD = "head"
"""The whole list but for what stands under its shots."""

WHOLE = "whole"
"""The schema itself."""


@cache
def definition(name: str, part: str) -> Mapping[str, Any]:
    """A definition under `$defs`; `HEAD` is the schema itself, its shots' items left out."""
    whole = load(name)
    if part not in (HEAD, WHOLE):
        found: Mapping[str, Any] = whole["$defs"][part]
        return found
    head = {key: value for key, value in whole.items() if key not in ("$schema", "$id", "$defs")}
    if part == WHOLE:
        return head
    shots = {key: value for key, value in head["properties"]["shots"].items() if key != "items"}
    return {**head, "properties": {**head["properties"], "shots": shots}}


def problems(name: str, part: str, document: Document, container: Any, key: Any) -> list[Diagnostic]:
    """Everything in the value under `key` of `container` that a definition of the schema does not allow.

    With `container` None the value is the whole document. jsonschema's own cost is paid only for what is wrong.
    """
    value = document.data if container is None else container[key]
    if accepts(name, part)(value):
        return []
    judged = _Judged(document, container, key, _SUBJECTS.get(part, f"the {part}"))
    return [found for error in _validator(name, part).iter_errors(value) for found in _diagnose(judged, error)]


# --- the quick yes ---------------------------------------------------------------------------------------


@cache
def accepts(name: str, part: str) -> Accepts:
    """A predicate that is true exactly where a definition of the schema allows a value."""
    return _compile(definition(name, part), load(name)["$defs"], {})


_IGNORED = frozenset({"description", "examples", "title", "default", "$schema", "$id", "$defs"})


def _compile(schema: Mapping[str, Any], defs: Mapping[str, Any], seen: dict[str, Accepts]) -> Accepts:
    if reference := schema.get("$ref"):
        target = reference.removeprefix("#/$defs/")
        if target not in seen:
            seen[target] = _compile(defs[target], defs, seen)
        return seen[target]
    tests = [_test(word, schema, defs, seen) for word in schema if word not in _IGNORED]
    found = [test for test in tests if test is not None]
    if len(found) == 1:
        return found[0]
    return lambda value: all(test(value) for test in found)


def _test(
    word: str, schema: Mapping[str, Any], defs: Mapping[str, Any], seen: dict[str, Accepts]
) -> Accepts | None:
    if word == "type":
        return _type_test(schema["type"])
    if word in _BOUNDS:
        return _BOUNDS[word](schema[word])
    if word in ("const", "enum"):
        allowed = schema["enum"] if word == "enum" else [schema["const"]]
        return lambda value: any(
            value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed
        )
    if word == "items":
        item = _compile(schema["items"], defs, seen)
        return lambda value: not isinstance(value, list) or all(map(item, value))
    if word == "propertyNames":
        name = _compile(schema["propertyNames"], defs, seen)
        return lambda value: not isinstance(value, dict) or all(map(name, value))
    if word in ("properties", "additionalProperties"):
        if word == "additionalProperties" and "properties" in schema:
            return None  # judged together with `properties`
        return _object_test(schema, defs, seen)
    raise ValueError(f"the schemas may not use `{word}`")


def _object_test(schema: Mapping[str, Any], defs: Mapping[str, Any], seen: dict[str, Accepts]) -> Accepts:
    known = {key: _compile(part, defs, seen) for key, part in schema.get("properties", {}).items()}
    rest = schema.get("additionalProperties", True)
    other: Accepts = _compile(rest, defs, seen) if isinstance(rest, dict) else lambda _: bool(rest)

    def test(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(known.get(key, other)(item) for key, item in value.items())

    return test


_TYPES: dict[str, Accepts] = {
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in (int, float),
}
_EXACT = {"string": str, "boolean": bool, "null": type(None), "array": list, "object": dict}


def _type_test(types: str | list[str]) -> Accepts:
    names = [types] if isinstance(types, str) else types
    if all(name in _EXACT for name in names):
        exact = frozenset(_EXACT[name] for name in names)
        return lambda value: type(value) in exact
    tests = [_TYPES[name] for name in names]
    return lambda value: any(test(value) for test in tests)


def _number(value: Any) -> bool:
    return type(value) in (int, float)


_BOUNDS: dict[str, Callable[[Any], Accepts]] = {
    "minimum": lambda bound: lambda value: not _number(value) or value >= bound,
    "maximum": lambda bound: lambda value: not _number(value) or value <= bound,
    "exclusiveMinimum": lambda bound: lambda value: not _number(value) or value > bound,
    "exclusiveMaximum": lambda bound: lambda value: not _number(value) or value < bound,
    "minLength": lambda bound: lambda value: type(value) is not str or len(value) >= bound,
    "maxLength": lambda bound: lambda value: type(value) is not str or len(value) <= bound,
    "minItems": lambda bound: lambda value: type(value) is not list or len(value) >= bound,
    "maxItems": lambda bound: lambda value: type(value) is not list or len(value) <= bound,
    "minProperties": lambda bound: lambda value: type(value) is not dict or len(value) >= bound,
    "pattern": lambda bound: lambda value: type(value) is not str or re.search(bound, value) is not None,
    "required": lambda bound: lambda value: type(value) is not dict or all(key in value for key in bound),
}


# --- the reasons of a no ---------------------------------------------------------------------------------


@cache
def _validator(name: str, part: str) -> Any:
    import jsonschema
    import referencing

    whole = load(name)
    schema = {**definition(name, part), "$schema": whole["$schema"], "$defs": whole["$defs"]}
    return jsonschema.Draft202012Validator(schema, registry=referencing.Registry())


class _Judged(NamedTuple):
    """A part of a document that was found wrong: where it stands, and what it is called."""

    document: Document
    container: Any
    key: Any
    subject: str

    def step(self, path: list[Any]) -> tuple[Any, Any]:
        """The container and key at the end of a path from here."""
        container, key = self.container, self.key
        for following in path:
            container, key = (self.document.data if container is None else container[key]), following
        return container, key

    def value_place(self, path: list[Any]) -> Place:
        container, key = self.step(path)
        return self.document.root_place() if container is None else self.document.value_place(container, key)

    def name(self, path: list[Any]) -> str:
        """`defaults.duration`, `takes[0]`: the end of a path, or what the part itself is called."""
        start = -3 if len(path) > 2 and isinstance(path[-2], int) else -2
        names = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[start:]]
        text = "".join(names).lstrip(".")
        return self.subject if not text else f"`{text}`"

    def report(self, code: str, place: Place, message: str, help_line: str) -> Diagnostic:
        line, column = place
        return Diagnostic(
            code=code, message=message, help=help_line, file=self.document.name, line=line, column=column
        )


_SUBJECTS = {WHOLE: "the file", HEAD: "the shot list", "included": "the included file"}


def _diagnose(judged: _Judged, error: ValidationError) -> Iterator[Diagnostic]:
    path = list(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        container, _ = judged.step([*path, None])
        code, message = _phrase(error, "the name")
        yield judged.report(
            code, judged.document.key_place(container, str(error.instance)), message, _advice(error)
        )
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(judged, error)
    elif error.validator == "required":
        known = _mapping(error.schema)["properties"]
        for key in _missing(error):
            message = f"{judged.name(path)} has no `{key}`"
            yield judged.report("E202", judged.value_place(path), message, _description(known[key]))
    else:
        code, message = _phrase(error, judged.name(path))
        yield judged.report(code, judged.value_place(path), message, _advice(error))


def _phrase(error: ValidationError, subject: str) -> tuple[str, str]:
    return _PHRASES[str(error.validator)](subject, error.instance, error.validator_value)


def _unknown_keys(judged: _Judged, error: ValidationError) -> Iterator[Diagnostic]:
    known = _mapping(error.schema).get("properties", {})
    for key in _mapping(error.instance):
        if key not in known:
            near = nearest(key, known)
            help_line = f"the nearest key is `{near}`" if near else f"the keys here are {listed(known, most=40)}"
            yield judged.report(
                "E201", judged.document.key_place(error.instance, key), f"unknown key `{key}`", help_line
            )


def _missing(error: ValidationError) -> list[str]:
    required: Any = error.validator_value
    return [key for key in required if key not in _mapping(error.instance)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _description(schema: Mapping[str, Any]) -> str:
    """What a property is for, in a sentence; a reference is followed, into the schema that users write by first."""
    if reference := schema.get("$ref"):
        name = reference.removeprefix("#/$defs/")
        schema = next(load(one)["$defs"][name] for one in NAMES if name in load(one)["$defs"])
    sentence = str(schema.get("description", "")).split(". ")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _advice(error: ValidationError) -> str:
    found = error.instance
    if error.validator == "const" and isinstance(found, str):
        return f"write it without quotes: {shown(error.validator_value)}"
    if error.validator == "type":
        wanted = set(_types(error.validator_value))
        if isinstance(found, str):
            return _for_a_text(found, wanted) or _description(_mapping(error.schema))
        if isinstance(found, bool | int | float) and _FREE.intersection(list(error.absolute_path)[-2:]):
            return "put it in quotes"
    return _description(_mapping(error.schema))


def _for_a_text(found: str, wanted: set[str]) -> str | None:
    """What to write for a text that should have been something else, where that is plain."""
    if wanted & {"number", "integer"} and _A_NUMBER.fullmatch(found):
        return f"write it without quotes: `{found}`"
    if "boolean" in wanted and found.lower() in _MEANT:
        return f"write it `{_MEANT[found.lower()]}`"
    if "array" in wanted and "integer" not in wanted:
        return f"write it as a list: {shown(f'[{found}]')}"
    return None


_FREE = frozenset({"id", "negative_prompt", "notes", "prompt", "scene", "tags", "title"})
"""Settings for which any text will do."""

_A_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MEANT = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def _types(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


_NAMED_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _wanted(types: Any) -> str:
    names = [_NAMED_TYPES[name] for name in _types(types) if name != "null"]
    return " or ".join(names)


_PHRASES: dict[str, Callable[[str, Any, Any], tuple[str, str]]] = {
    "type": lambda name, value, types: ("E203", f"{name} must be {_wanted(types)}, not {described(value)}"),
    "const": lambda name, value, one: ("E207", f"{name} is {described(value)}; this release reads {shown(one)}"),
    "enum": lambda name, value, some: ("E204", f"{name} is {shown(value)}, not one of {listed(some)}"),
    "minimum": lambda name, value, bound: ("E205", f"{name} is {shown(value)}, less than {shown(bound)}"),
    "maximum": lambda name, value, bound: ("E205", f"{name} is {shown(value)}, more than {shown(bound)}"),
    "exclusiveMinimum": lambda name, value, bound: (
        "E205",
        f"{name} is {shown(value)}, not more than {shown(bound)}",
    ),
    "minLength": lambda name, _value, _bound: ("E205", f"{name} is empty"),
    "minItems": lambda name, _value, _bound: ("E205", f"{name} is an empty list"),
    "maxItems": lambda name, value, bound: ("E205", f"{name} has {len(value)} items, more than {bound}"),
    "pattern": lambda name, value, _: ("E206", f"{name} is not of the right form: {shown(value)}"),
}
