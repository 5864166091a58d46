"""Records recognised in a text, and taken apart; and all that is left to others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidspec import lockform, lockscan
from vidspec.lock import Cost, Output, Record

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64
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


def entry(record: Record) -> str:
    """A record with its slate, as it stands in a lockfile."""
    return f"  {record.shot}-t{record.take:02d}:\n{lockform.lines(record)}"


@pytest.mark.parametrize(
    "record", [bare, replace(bare, chosen=True), finished, full], ids=["bare", "chosen", "finished", "full"]
)
def test_a_record_comes_back_from_its_lines(record: Record) -> None:
    text = entry(record)
    found = lockscan.entries(text, 0)
    assert found is not None
    assert found.texts == {"s010-t01": lockform.lines(record)}
    assert lockscan.record(found.texts["s010-t01"]) == record


def test_a_glance_sees_four_fields_and_those_of_the_current_record() -> None:
    assert lockscan.glance(lockform.lines(bare)) is None
    assert lockscan.glance(lockform.lines(replace(bare, superseded=(finished,)))) is None
    glance = lockscan.glance(lockform.lines(replace(full, fingerprint=OTHER)))
    assert glance == (OTHER, "renders/s010/s010-t01.mp4", DIGEST, 812345)


def test_records_that_name_one_output_are_told() -> None:
    records = [replace(finished, shot=shot) for shot in ("a", "b", "c")]
    other = replace(finished, shot="d", output=Output(path="d.mp4", sha256=DIGEST, bytes=1))
    found = lockscan.entries("".join(map(entry, [*records, other])), 0)
    assert found is not None
    assert found.shared == {"renders/s010/s010-t01.mp4": ["a-t01", "b-t01", "c-t01"]}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("  s010-t01:\n", "  s010-t1:\n", id="another slate"),
        pytest.param("  s010-t01:\n", "  s011-t01:\n", id="the slate of another shot"),
        pytest.param("  s010-t01:\n", " s010-t01:\n", id="another indentation"),
        pytest.param("    take: 1\n", "    take: 0\n", id="no take"),
        pytest.param("    take: 1\n", "    take: 1\n    take: 1\n", id="a field twice"),
        pytest.param('shot: "s010"', "shot: s010", id="no quotes"),
        pytest.param('"siliconflow"', '"silicon\\qflow"', id="no escape"),
        pytest.param('    model: "Wan-AI/Wan2.2-T2V-A14B"\n', "", id="a missing field"),
        pytest.param(DIGEST, DIGEST[:-1], id="a digest cut short"),
        pytest.param(DIGEST, f"{DIGEST}0", id="a digest too long"),
        pytest.param('mode: "text_to_video"', 'mode: "text_to_video', id="a quote that is not closed"),
        pytest.param('      prompt: "a ferry"\n', '      prompt: "a ferry"\n      prompt: "b"\n', id="a key twice"),
        pytest.param('      prompt: "a ferry"\n', '      size: "b"\n', id="a key twice, further down"),
        pytest.param("812345", "-1", id="negative bytes"),
        pytest.param("812345", "812345.0", id="bytes that are no integer"),
        pytest.param("width: 1280", "width: 0", id="no width"),
        pytest.param("fps: 24.0", "fps: 0.0", id="no rate"),
        pytest.param("fps: 24.0", "fps: 0.00e-07", id="no rate, in other words"),
        pytest.param("amount: 2.0", "amount: -2.0", id="a negative price"),
        pytest.param('"cny"', '"CNY"', id="a currency in capitals"),
        pytest.param('"auto"', '"dice"', id="an unknown rule"),
        pytest.param("renders/s010/s010-t01.mp4", "/renders/a.mp4", id="an absolute path"),
        pytest.param("renders/s010/s010-t01.mp4", "renders/../../a.mp4", id="a path that leads out"),
        pytest.param("renders/s010/s010-t01.mp4", "..", id="the folder above"),
        pytest.param("    seed: ", "    sead: ", id="an unknown field"),
        pytest.param("    seed: 913884521\n", "\n    seed: 913884521\n", id="an empty line"),
        pytest.param("    seed: 913884521\n", "    seed: 913884521 # mine\n", id="a comment"),
        pytest.param("    seed: 913884521\n", "    seed: 913884521\r\n", id="another line end"),
        pytest.param('"unsure"\n', '"unsure"', id="no end"),
    ],
)
def test_another_form_is_left_to_others(right: str, wrong: str) -> None:
    text = entry(finished)
    assert right in text
    assert lockscan.entries(text.replace(right, wrong), 0) is None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param('{"steps": 1.0e-05}', '{"steps": 1, "steps": 1}', id="a key twice in one line"),
        pytest.param('{"steps": 1.0e-05}', '{"steps":1}', id="other blanks"),
        pytest.param('{"steps": 1.0e-05}', '{"steps": 1e5}', id="a float that is a text to some"),
        pytest.param('{"steps": 1.0e-05}', '{"steps": [}', id="not closed"),
        pytest.param('{"steps": 1.0e-05}', f"{'[' * 3000}{']' * 3000}", id="nested without end"),
        pytest.param('{"steps": 1.0e-05}', "0042", id="an octal number to some"),
        pytest.param('{"steps": 1.0e-05}', "9" * 150, id="a number like any other"),
        pytest.param("a ferry", "a\u2028ferry", id="a line break to some"),
        pytest.param("a ferry", "a\tferry", id="a control character"),
        pytest.param("a ferry", "\\ud83d\\udea2", id="a character in two halves"),
        pytest.param("a ferry", "\\u0061", id="an escape that need not be"),
        pytest.param("      mode:", '      "mode":', id="quotes that need not be"),
        pytest.param("      mode:", "      true:", id="a key that is no text"),
    ],
)
def test_a_value_that_would_be_written_otherwise_is_left_to_others(right: str, wrong: str) -> None:
    text = entry(finished)
    assert right in text
    found = lockscan.entries(text.replace(right, wrong), 0)
    assert found is not None
    record = lockscan.record(found.texts["s010-t01"])
    assert (record is None) == (wrong != "9" * 150)


def test_a_mapping_of_very_many_keys_is_left_to_others_and_not_compared_for_ever() -> None:
    for count, known in ((200, True), (201, False), (20_000, False)):
        text = entry(replace(finished, vars={f"k{number}": "x" for number in range(count)}))
        assert (lockscan.entries(text, 0) is not None) == known
