"""The JSON Schemas: two judges with one verdict, and reasons that point at what is wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import referencing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidspec import document, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

steady = settings(
    derandomize=True, deadline=None, database=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)

PARTS = [(name, part) for name in schema.NAMES for part in (schema.WHOLE, *sorted(schema.load(name)["$defs"]))]
PARTS.append(("shotlist", schema.HEAD))
every_part = pytest.mark.parametrize(("name", "part"), PARTS, ids=[f"{name}:{part}" for name, part in PARTS])


def validator(name: str, part: str) -> jsonschema.Draft202012Validator:
    """jsonschema's own judge, put together without the code under test."""
    whole = schema.load(name)
    judged = {
        **deepcopy(dict(whole)),
        **({} if part in (schema.WHOLE, schema.HEAD) else {"$ref": f"#/$defs/{part}"}),
    }
    if part == schema.HEAD:
        del judged["properties"]["shots"]["items"]
    elif part != schema.WHOLE:
        judged = {"$ref": f"#/$defs/{part}", "$defs": whole["$defs"]}
    return jsonschema.Draft202012Validator(judged, registry=referencing.Registry())


def words(value: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword of a schema, with what it says."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from words(item)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)


KEYS = sorted(
    {
        key
        for name in schema.NAMES
        for said, item in words(schema.load(name))
        if said == "properties"
        for key in item
    }
)
EXAMPLES = [example for said, items in words(schema.load("shotlist")) if said == "examples" for example in items]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 1.0, 2, -1, 600, 601, 1000, 1001, 0.5, 1e300, 10**200]),
    st.sampled_from(["", "a", "usd", "usd\n", "A_TOKEN", "A_TOKEN\n", "1280x720", "1", "switch", "text_to_video"]),
    st.text(max_size=3),
)
KEYED = st.sampled_from([*KEYS, "usd", "x", ""])
MIXED = st.recursive(
    st.one_of(SCALARS, st.sampled_from(EXAMPLES)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYED, inner, max_size=4)),
    max_leaves=8,
)


def likely(rules: dict[str, Any], defs: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values near to what a schema asks for, most of them wrong somewhere."""
    if reference := rules.get("$ref"):
        rules = defs[reference.removeprefix("#/$defs/")]
    types = [rules.get("type")] if isinstance(rules.get("type"), str) else rules.get("type", [])
    some = [SCALARS, st.sampled_from(rules.get("enum") or [rules.get("const", 1)])]
    if "object" in types and depth < 3:
        known = {key: likely(part, defs, depth + 1) for key, part in rules.get("properties", {}).items()}
        required = {key: known.pop(key) for key in rules.get("required", ()) if key in known}
        optional = dict(sorted(known.items())[:12])
        some += [st.fixed_dictionaries(required, optional=optional)] * 3
        rest = rules.get("additionalProperties")
        if isinstance(rest, dict):
            some.append(st.dictionaries(KEYED, likely(rest, defs, depth + 1), max_size=2))
    if "array" in types and depth < 3:
        some.append(st.lists(likely(rules.get("items", {}), defs, depth + 1), max_size=3))
    return st.one_of(some)


@every_part
def test_the_quick_predicate_and_jsonschema_give_one_verdict(name: str, part: str) -> None:
    quick, slow = schema.accepts(name, part), validator(name, part)
    whole = schema.load(name)
    wanted = likely(dict(whole if part in (schema.WHOLE, schema.HEAD) else whole["$defs"][part]), whole["$defs"])

    @settings(steady, max_examples=40)
    @given(value=st.one_of(wanted, MIXED))
    def one_verdict(value: Any) -> None:
        assert quick(value) == slow.is_valid(value)

    one_verdict()


BOUNDING = frozenset({*schema._BOUNDS, "const"}) - {"pattern", "required"}
SAID = {(said, item) for name in schema.NAMES for said, item in words(schema.load(name)) if said in BOUNDING}
BOUNDS = sorted((said, item) for said, item in SAID if isinstance(item, int))


@pytest.mark.parametrize(("word", "bound"), BOUNDS, ids=[f"{word} {bound}" for word, bound in BOUNDS])
def test_the_two_judges_agree_at_the_very_bound(word: str, bound: int) -> None:
    if isinstance(bound, bool) or bound > 10**5:
        edges: list[Any] = [bound - 1, bound, bound + 1]
    else:
        lengths = [max(bound + step, 0) for step in (-1, 0, 1)]
        edges = [bound - 1, bound, bound + 1, bound + 0.5, bound - 0.5, True]
        edges += [kind * length for length in lengths for kind in ("a", [0])]
        edges += [{str(number): 0 for number in range(length)} for length in lengths]
    quick, slow = schema._compile({word: bound}, {}, {}), jsonschema.Draft202012Validator({word: bound})
    assert [quick(value) for value in edges] == [slow.is_valid(value) for value in edges]


@pytest.mark.parametrize("name", schema.NAMES)
def test_a_schema_is_a_schema_and_its_examples_are_right(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema.load(name))
    for part, rules in schema.load(name)["$defs"].items():
        for example in rules.get("examples", ()):
            assert schema.accepts(name, part)(example), (part, example)


@pytest.mark.parametrize("name", schema.NAMES)
def test_a_schema_never_leaves_a_choice_whose_failure_says_only_that_nothing_matched(name: str) -> None:
    assert not {said for said, _ in words(schema.load(name))} & {"oneOf", "anyOf", "not", "if", "allOf"}


@pytest.mark.parametrize("part", ["shot", "defaults", "account", schema.HEAD, "included"])
def test_every_key_of_a_shot_list_is_described(part: str) -> None:
    for key, rules in schema.definition("shotlist", part)["properties"].items():
        assert schema._description(rules), key


def test_a_keyword_that_the_quick_judge_does_not_know_is_refused_and_not_passed_over() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        schema._compile({"multipleOf": 2}, {}, {})


def problems(text: str, part: str = schema.WHOLE) -> list[str]:
    read = document.parse(text, "shots.yaml")
    found = schema.problems("shotlist", part, read, None, None)
    return [
        f"{one.line}:{one.column} {one.code} {one.message}" for one in sorted(found, key=lambda one: one.column)
    ]


@steady
@given(value=MIXED)
def test_whatever_is_refused_has_a_reason_and_whatever_is_accepted_has_none(value: Any) -> None:
    read = document.parse("vidspec: 1", "shots.yaml")
    read.data = {"shots": [value]}
    found = schema.problems("shotlist", "shot", read, read.data["shots"], 0)
    assert bool(found) != validator("shotlist", "shot").is_valid(value)
    assert all(one.message for one in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{takes: [1, a]}", "1:13 E203 `takes[1]` must be an integer, not the text `a`", id="an item"),
        pytest.param(
            "{first_frame: {shot: s, at: []}}",
            "1:29 E203 `first_frame.at` must be a text or a number, not a list",
            id="a key inside",
        ),
        pytest.param(
            "{references: [{shot: 1}]}",
            "1:22 E203 `references[0].shot` must be a text, not `1`",
            id="a key of an item",
        ),
        pytest.param("{promt: a}", "1:2 E201 unknown key `promt`", id="an unknown key, at the key"),
        pytest.param(
            "{first_frame: {at: 1}}", "1:15 E202 `first_frame` has no `shot`", id="a missing key, at what misses it"
        ),
    ],
)
def test_a_reason_stands_at_the_value_and_names_where_that_is(text: str, said: str) -> None:
    assert said in problems(text, "shot")


def test_a_value_that_two_keys_share_is_told_of_at_its_own_place() -> None:
    read = document.parse("a: &x {promt: 1, id: a}\nb: *x\n", "shots.yaml")
    (found,) = schema.problems("shotlist", "shot", read, read.data, "b")
    assert (found.line, found.column) == (1, 8)


def test_a_schema_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(FileNotFoundError):
        schema.text("nothing")
