"""The form of a lockfile's records: what is written, and what is recognised."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
import yaml

from vidspec import lockform, lockscan, schema
from vidspec.lock import Cost, Output, Record, Unknown

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64
AWKWARD = (
    "",
    "\u2028\u2029",
    "\x7f",
    '"',
    "\\",
    "'",
    "🎬",
    "𐀀",
    "\ufeff",
    "\x85",
    "\xa0\u3000",
    "\r\n",
    "\t",
    "a: b # c",
    "\x00",
    "\x1b[31m",
    "null",
    "\uffff",
    "16:9",
    "{}",
    "- a",
)

bare = Record(shot="s010", take=1)
finished = Record(
    shot="s010",
    take=1,
    provider="siliconflow",
    model="Wan-AI/Wan2.2-T2V-A14B",
    fingerprint=DIGEST,
    request={"mode": "text_to_video", "prompt": "a ferry", "size": "1280x720", "options": {"steps": 1e-05}},
    defaulted=("size",),
    seed=913884521,
    seed_rule="auto",
    request_id="n4q0",
    output=Output(path="renders/s010/s010-t01.mp4", sha256=DIGEST, bytes=812345, width=1280, height=720, fps=24.0),
    rendered_at="2026-11-20T10:00:00Z",
    cost=Cost(amount=2.0, currency="cny", basis="unsure"),
)
full = replace(
    finished,
    chosen=True,
    accepted=OTHER,
    seed_used=913884521,
    frames={"first_frame": {"slate": "s005-t01", "at": "last", "of": OTHER, "sha256": DIGEST}},
    pictures={"references.0": "frames/pier at night.png", "last_frame": "frames/dawn.png"},
    vars={"weather": "rain", "yes": "no"},
    trace_id="ti_1",
    superseded=(replace(finished, seed=1, pictures={"first_frame": "frames/pier.png"}), finished),
)


def loaded(text: str) -> Any:
    """What a YAML loader reads in a record."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


# --- what is written -------------------------------------------------------------------------------------------


def test_a_record_is_one_field_a_line_in_one_order() -> None:
    record = replace(full, superseded=full.superseded[:1])
    assert lockform.lines(record) == (
        '    shot: "s010"\n'
        "    take: 1\n"
        "    chosen: true\n"
        '    provider: "siliconflow"\n'
        '    model: "Wan-AI/Wan2.2-T2V-A14B"\n'
        f'    fingerprint: "{DIGEST}"\n'
        f'    accepted: "{OTHER}"\n'
        "    request:\n"
        '      mode: "text_to_video"\n'
        '      prompt: "a ferry"\n'
        '      size: "1280x720"\n'
        '      options: {"steps": 1.0e-05}\n'
        '    defaulted: ["size"]\n'
        "    seed: 913884521\n"
        '    seed_rule: "auto"\n'
        "    seed_used: 913884521\n"
        "    frames:\n"
        f'      first_frame: {{"slate": "s005-t01", "at": "last", "of": "{OTHER}", "sha256": "{DIGEST}"}}\n'
        "    pictures:\n"
        '      references.0: "frames/pier at night.png"\n'
        '      last_frame: "frames/dawn.png"\n'
        "    vars:\n"
        '      weather: "rain"\n'
        '      "yes": "no"\n'
        '    request_id: "n4q0"\n'
        '    trace_id: "ti_1"\n'
        "    output:\n"
        '      path: "renders/s010/s010-t01.mp4"\n'
        f'      sha256: "{DIGEST}"\n'
        "      bytes: 812345\n"
        "      width: 1280\n"
        "      height: 720\n"
        "      fps: 24.0\n"
        '    rendered_at: "2026-11-20T10:00:00Z"\n'
        "    cost:\n"
        "      amount: 2.0\n"
        '      currency: "cny"\n'
        '      basis: "unsure"\n'
        "    superseded:\n"
        '      - provider: "siliconflow"\n'
        '        model: "Wan-AI/Wan2.2-T2V-A14B"\n'
        f'        fingerprint: "{DIGEST}"\n'
        "        request:\n"
        '          mode: "text_to_video"\n'
        '          prompt: "a ferry"\n'
        '          size: "1280x720"\n'
        '          options: {"steps": 1.0e-05}\n'
        '        defaulted: ["size"]\n'
        "        seed: 1\n"
        '        seed_rule: "auto"\n'
        "        pictures:\n"
        '          first_frame: "frames/pier.png"\n'
        '        request_id: "n4q0"\n'
        "        output:\n"
        '          path: "renders/s010/s010-t01.mp4"\n'
        f'          sha256: "{DIGEST}"\n'
        "          bytes: 812345\n"
        "          width: 1280\n"
        "          height: 720\n"
        "          fps: 24.0\n"
        '        rendered_at: "2026-11-20T10:00:00Z"\n'
        "        cost:\n"
        "          amount: 2.0\n"
        '          currency: "cny"\n'
        '          basis: "unsure"\n'
    )


def test_the_tables_the_values_and_the_schema_know_the_same_fields_in_one_order() -> None:
    known = {part: list(schema.definition("lock", part)["properties"]) for part in ("record", "output", "cost")}
    assert list(lockform._NAMES) == known["record"] == [one.name for one in fields(Record) if one.name != "unknown"]
    assert list(lockform.OUTPUT) == known["output"] == [one.name for one in fields(Output)]
    assert list(lockform.COST) == known["cost"] == [one.name for one in fields(Cost)]
    current_alone = {"shot", "take", "chosen", "accepted", "superseded"}
    former = [name for name in known["record"] if name not in current_alone]
    assert list(schema.definition("lock", "former")["properties"]) == former


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_an_awkward_text_stays_on_one_line_and_comes_back(text: str) -> None:
    record = replace(finished, request={"prompt": text, "list": [text]}, vars={"who": text, text: "x"})
    written = lockform.lines(record)
    assert len(written.splitlines()) == written.count("\n")
    assert lockscan.record(written) == record
    assert loaded(written)["request"] == {"prompt": text, "list": [text]}
    assert loaded(written)["vars"] == {"who": text, text: "x"}


@pytest.mark.parametrize("number", [1e-05, 1e22, 0.1, 5.0, 123456.789, 2.5e-10, 1e-300, 1.7e308, -1e-07], ids=str)
def test_a_float_is_a_float_to_readers_of_yaml_1_1_too(number: float) -> None:
    written = lockform.lines(replace(finished, vars={"x": number}))
    found = loaded(written)["vars"]["x"]
    assert (type(found), found) == (float, number)


@pytest.mark.parametrize(
    "key", ["null", "yes", "No", "on", "TRUE", "y", "1", "1e3", "<<", "=", "~", "a b", "时", ""]
)
def test_a_key_that_is_no_text_to_some_loader_is_quoted(key: str) -> None:
    assert loaded(lockform.lines(replace(finished, vars={key: "x"})))["vars"] == {key: "x"}


@pytest.mark.parametrize("value", [{}, [], {"a": {}}, {"a": []}, {"a": None}], ids=str)
def test_what_is_empty_is_kept_as_it_is(value: Any) -> None:
    record = replace(finished, request={"mode": "x", "options": value}, vars={})
    assert lockscan.record(lockform.lines(record)) == record
    assert loaded(lockform.lines(record))["request"]["options"] == value


def test_unknown_fields_stand_where_they_stood_even_when_those_before_them_are_gone() -> None:
    unknown = (
        Unknown("first", 1, "", "1.2"),
        Unknown("rating", 5, "take", "1.2"),
        Unknown("lora", {"weights": "a", "on": [0.5, {"b": 1}]}, "accepted", "1.2"),
        Unknown("codec", "h264", "output.sha256", "1.2"),
        Unknown("begins", {"a": 1}, "output.", "1.2"),
        Unknown("tax", 0.5, "cost.basis", "1.2"),
        Unknown("behind", [], "output", "1.2"),
        Unknown("last", None, "superseded", "1.2"),
    )
    text = lockform.lines(replace(full, accepted=None, unknown=unknown))
    assert text.startswith('    first: 1\n    shot: "s010"\n    take: 1\n    rating: 5\n    chosen: true\n')
    assert f'"{DIGEST}"\n    lora:\n      weights: "a"\n      "on": [0.5, {{"b": 1}}]\n    request:\n' in text
    assert '    output:\n      begins:\n        a: 1\n      path: "renders/' in text
    assert f'      sha256: "{DIGEST}"\n      codec: "h264"\n      bytes: 812345\n' in text
    assert "      fps: 24.0\n    behind: []\n    rendered_at:" in text
    assert '      basis: "unsure"\n      tax: 0.5\n    superseded:\n      - provider:' in text
    assert text.endswith("    last: null\n")
    former = lockform.lines(replace(bare, superseded=(replace(finished, unknown=unknown),)))
    assert "    superseded:\n      - first: 1\n        rating: 5\n        provider:" in former
    kept: Any = json.loads(json.dumps(unknown))
    assert lockform.lines(replace(full, accepted=None, unknown=kept)) == text, "as a journal has kept them"
