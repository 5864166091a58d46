"""YAML into plain data: what scalars mean, where everything stands, and what is refused."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import document
from vidspec.document import Document, Place
from vidspec.errors import ShotListError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

steady = settings(derandomize=True, deadline=None, database=None, max_examples=200)


def parse(text: str) -> Document:
    return document.parse(text, "shots.yaml")


def faults(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(ShotListError) as caught:
        parse(text)
    return [(found.code, found.line, found.column) for found in caught.value.diagnostics]


SCALARS: dict[str, tuple[str, Any]] = {
    "a ratio is no base-60 number": ("16:9", "16:9"),
    "a time is text": ("12:30:45", "12:30:45"),
    "a date is text": ("2026-11-20", "2026-11-20"),
    "on is text": ("on", "on"),
    "yes is text": ("Yes", "Yes"),
    "n is text": ("n", "n"),
    "leading zeros are decimal": ("0042", 42),
    "octal": ("0o17", 15),
    "hexadecimal": ("0x1F", 31),
    "an octal of YAML 1.1 is decimal": ("017", 17),
    "a number with underscores is text": ("1_000", "1_000"),
    "a binary number is text": ("0b11", "0b11"),
    "signs": ("-7", -7),
    "a plus sign": ("+7", 7),
    "a float": ("23.976", 23.976),
    "a float without a leading digit": (".5", 0.5),
    "a float without decimals": ("5.", 5.0),
    "an exponent needs no point": ("1e3", 1000.0),
    "a tiny number is zero": ("1e-999", 0.0),
    "a version is text": ("1.2.3", "1.2.3"),
    "true": ("True", True),
    "mixed case is text": ("tRUE", "tRUE"),
    "null": ("Null", None),
    "a tilde": ("~", None),
    "nothing": ("", None),
    "quoted numbers are text": ("'5'", "5"),
    "quoted nothing is text": ('""', ""),
    "a sign alone is text": ("-", ["-"]),
    "a string tag": ("!!str 5", "5"),
    "an int tag on a quoted text": ('!!int "5"', 5),
    "the tag that forbids meaning": ("! 5", "5"),
    "the word nan is text": ("nan", "nan"),
    "infinity as a word is text": ("inf", "inf"),
    "an escape": (r'"\u7801\n"', "码\n"),
    "a block keeps its lines": ("|\n  a\n  b\n", "a\nb\n"),
    "a folded block joins them": (">-\n  a\n  b\n", "a b"),
}


@pytest.mark.parametrize(("text", "wanted"), SCALARS.values(), ids=SCALARS)
def test_a_scalar_means_what_yaml_1_2_says(text: str, wanted: Any) -> None:
    found = parse(f"a: [{text}]\n" if text == "-" else f"a: {text}\n").data["a"]
    assert (found, type(found)) == (wanted, type(wanted))


def test_a_long_integer_is_whole_and_one_beyond_a_float_is_refused() -> None:
    assert parse(f"a: {'9' * 250}").data["a"] == 10**250 - 1
    assert faults(f"a: {'9' * 251}") == [("E109", 1, 4)]
    assert float(parse(f"a: 0x{'f' * 248}").data["a"]) > 0


PLACED = """\
# a film
vidspec: 1
title:   "Night ferry"
vars: {hero: Ada, list: [1,  two]}
shots:
  - id: s010
    prompt: |
      a harbour
    tags:
    - night

  - &second
    id: 码头
    码: !!str x
"""


def test_every_key_and_value_has_its_place() -> None:
    read = parse(PLACED)
    data = read.data
    first, second = data["shots"]
    assert read.root_place() == (2, 1)
    assert read.value_place(data, "vidspec") == (2, 10)
    assert (read.key_place(data, "title"), read.value_place(data, "title")) == ((3, 1), (3, 10))
    assert (read.key_place(data["vars"], "list"), read.value_place(data["vars"], "list")) == ((4, 19), (4, 25))
    assert read.value_place(data["vars"]["list"], 1) == read.key_place(data["vars"]["list"], 1) == (4, 30)
    assert read.value_place(data, "shots") == (6, 3)
    assert read.value_place(data["shots"], 0) == (6, 5)
    assert read.value_place(first, "prompt") == (7, 13)
    assert read.value_place(first["tags"], 0) == (10, 7)
    assert read.value_place(data["shots"], 1) == (12, 5)
    assert (read.key_place(second, "码"), read.value_place(second, "码")) == ((14, 5), (14, 8))


def test_a_key_that_nobody_wrote_is_placed_at_the_start_of_the_document() -> None:
    read = parse("\n\n  a: 1\n")
    assert read.value_place(read.data, "b") == read.key_place([], 0) == Place(3, 3)


def test_what_stands_under_an_alias_is_placed_at_its_anchor() -> None:
    read = parse("a: &x {k: 1}\nb: *x\n")
    assert read.value_place(read.data, "b") == (2, 4)
    assert read.value_place(read.data["b"], "k") == (1, 11)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_lines_end_as_editors_end_them(newline: str) -> None:
    read = parse(newline.join(("a: 1", "", "b:", "  - x", "")))
    assert read.value_place(read.data["b"], 0) == (4, 5)


def test_a_line_separator_of_unicode_ends_no_line() -> None:
    read = parse('a: "x\u2028y\u0085z"\nb: 1\n')
    assert read.value_place(read.data, "b") == (2, 4)


# --- snippets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "snippet", "occurrence", "at"),
    [
        pytest.param("a: the hero", "hero", 0, 7, id="plain"),
        pytest.param("a: 'hero hero'", "hero", 1, 9, id="the second"),
        pytest.param("a: aaaa aa", "aa", 2, 8, id="occurrences do not overlap"),
        pytest.param("a: |\n  x\n  hero\n", "hero", 0, 11, id="in a block"),
        pytest.param(
            'a: "\\u0068ero"\nb: hero', "hero", 0, None, id="an escape hides it; what follows is not searched"
        ),
        pytest.param("a: x\nb: hero", "hero", 0, None, id="in another value"),
        pytest.param("a: hero", "hero", 1, None, id="only once"),
        pytest.param("z: &hero hero\na: *hero", "hero", 0, None, id="an alias is not the text"),
        pytest.param("a: [x, [hero]]\nb: hero", "hero", 0, 8, id="inside a list"),
        pytest.param("a:\n  hero: {k: x}\n  k: hero\n", "hero", 1, 23, id="inside a mapping"),
        pytest.param("a:\n- x\nb: hero", "hero", 0, None, id="after a list"),
    ],
)
def test_a_snippet_is_found_inside_its_value_alone(
    text: str, snippet: str, occurrence: int, at: int | None
) -> None:
    read = parse(text)
    assert read.snippet_offset(read.data, "a", snippet, occurrence) == at


# --- all faults at once, and bounds ------------------------------------------------------------------------


def test_a_key_written_twice_is_reported_at_the_second_and_the_third() -> None:
    assert faults("a: 1\nb: 2\na: 3\n'a': 4\n") == [("E106", 3, 1), ("E106", 4, 1)]


def test_keys_are_told_apart_by_their_text() -> None:
    assert parse("'1': a\n'01': b\n").data == {"1": "a", "01": "b"}


def test_faults_of_keys_before_a_fault_of_syntax_are_reported_with_it() -> None:
    assert faults("a: 1\na: 2\nb: !secret x\n") == [("E106", 2, 1), ("E109", 3, 4)]


def test_an_alias_may_be_used_often_but_not_expand_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_ALIASED", 6)
    assert parse("a: &x [1, 2]\nb: [*x, *x]").data["b"] == [[1, 2], [1, 2]]
    assert faults("a: &x [1, 2]\nb: [*x, *x, *x]") == [("E108", 2, 13)]


def test_a_file_has_a_greatest_number_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_NODES", 3)
    assert parse("[1, 2, 3]").data == [1, 2, 3]
    assert faults("[1, 2, 3, 4]") == [("E108", 1, 11)]


@pytest.mark.parametrize(
    ("opens", "closes"), [("[", "]"), ("{a: ", "}"), ("- ", "")], ids=["flow", "mapping", "block"]
)
def test_nesting_has_a_greatest_depth(opens: str, closes: str) -> None:
    assert parse(opens * 64 + closes * 64).data
    ((code, line, _),) = faults(opens * 65 + closes * 65)
    assert (code, line) == ("E108", 1)


def test_very_deep_nesting_is_refused_before_anything_breaks() -> None:
    assert faults("[" * 200_000)[0][0] == "E108"


def test_the_file_has_a_greatest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 8)
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 12345")
    assert document.read(path, "a.yaml").data == {"a": 12345}
    path.write_bytes(b"a: 123456")
    with pytest.raises(ShotListError) as caught:
        document.read(path, "a.yaml")
    assert [found.code for found in caught.value.diagnostics] == ["E102"]


@pytest.mark.parametrize("text", ["a: 1", "a: {{ b }}"], ids=["good", "wrong"])
def test_the_garbage_collector_runs_again_after_parsing(text: str) -> None:
    assert gc.isenabled()
    if text == "a: 1":
        parse(text)
    else:
        faults(text)
    assert gc.isenabled()


def test_where_utf_8_ends_is_told_by_line_and_column() -> None:
    with pytest.raises(ShotListError) as caught:
        document.decode("\ufeffa: 1\r\nb: 码".encode() + b"\xff", "x")
    (found,) = caught.value.diagnostics
    assert (found.code, found.line, found.column) == ("E103", 2, 5)
    assert "byte 0xff at offset 15" in found.message


# --- properties ------------------------------------------------------------------------------------------

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"]), max_size=12
).filter(lambda text: not text[:1] or text[0].isalpha())
"""Texts that YAML 1.1 and 1.2 read alike when they are written by the rules of 1.1."""

LEAVES = st.one_of(
    WORDS, st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.floats(-1e6, 1e6, allow_subnormal=False)
)
TREES = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner), st.dictionaries(WORDS, inner)), max_leaves=20)


@steady
@given(
    tree=TREES.filter(lambda tree: tree is not None),
    flow=st.sampled_from([None, True, False]),
    wide=st.sampled_from([20, 200]),
)
def test_documents_without_the_differences_of_yaml_1_1_are_read_as_pyyaml_reads_them(
    tree: Any, flow: bool | None, wide: int
) -> None:
    text = yaml.dump(tree, Dumper=yaml.CSafeDumper, default_flow_style=flow, allow_unicode=True, width=wide)
    wanted = yaml.load(text, yaml.CSafeLoader)
    assert parse(text).data == wanted == tree


def leaves(container: Any) -> Iterator[tuple[Any, Any, Any]]:
    for key, item in container.items() if isinstance(container, dict) else enumerate(container):
        yield container, key, item
        if isinstance(item, dict | list):
            yield from leaves(item)


@steady
@given(tree=st.lists(TREES, min_size=1), indent=st.sampled_from([None, 1, 3]))
def test_every_value_of_a_json_document_stands_where_it_is_said_to_stand(
    tree: list[Any], indent: int | None
) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=False)
    read = parse(text)
    assert read.data == tree
    lines = text.split("\n")
    for container, key, item in leaves(read.data):
        line, column = read.value_place(container, key)
        written = json.dumps(item, ensure_ascii=False)
        if isinstance(item, dict | list):
            written = written[0]
        assert lines[line - 1][column - 1 :].startswith(written)
        if isinstance(container, dict):
            line, column = read.key_place(container, key)
            assert lines[line - 1][column - 1 :].startswith(json.dumps(key, ensure_ascii=False))
