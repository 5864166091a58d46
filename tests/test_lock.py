from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import document, lock
from vidspec.errors import LockError
from vidspec.lock import Cost, Lock, Output, Record

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64
BARE = "  a-t01: {shot: a, take: 1}\n"
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
    "\r\n",
    "\t",
    "a: b # c",
    "\x00",
    "null",
    "\uffff",
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
again = replace(finished, fingerprint=OTHER, seed=1).superseding(finished)


def lock_of(*records: Record) -> Lock:
    return Lock({f"{record.shot}-t{record.take:02d}": record for record in records})


# --- text ----------------------------------------------------------------------------------------------------

texts = st.one_of(st.text(max_size=30), st.sampled_from(AWKWARD))
numbers = st.one_of(
    st.integers(min_value=0, max_value=2**63), st.floats(min_value=0, allow_infinity=False, allow_nan=False)
)
values = st.recursive(
    st.one_of(texts, st.booleans(), numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True)
keys = st.one_of(names, st.sampled_from(["null", "yes", "No", "on", "TRUE", "y", "references.1", "时"]))
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
outputs = st.builds(
    Output,
    path=texts.filter(lambda text: text and not set(text) & set("/\\\0") and text != ".."),
    sha256=digests,
    bytes=st.integers(min_value=0, max_value=2**40),
    width=st.none() | st.integers(min_value=1, max_value=9999),
    height=st.none() | st.integers(min_value=1, max_value=9999),
    fps=st.none() | st.floats(min_value=1e-6, max_value=1e3),
    duration=st.none() | st.floats(min_value=0, max_value=1e5),
    audio=st.none() | st.booleans(),
)
former = {
    "provider": texts,
    "model": texts,
    "fingerprint": digests,
    "request": st.dictionaries(names, values, max_size=4),
    "defaulted": st.lists(names, max_size=3).map(tuple),
    "seed": st.none() | st.integers(min_value=-(2**31), max_value=2**63),
    "seed_rule": st.sampled_from([None, "fixed", "auto", "random"]),
    "seed_used": st.none() | st.integers(),
    "frames": st.none() | st.dictionaries(st.just("references.1") | names, values, max_size=2),
    "vars": st.none() | st.dictionaries(keys, texts, max_size=3),
    "request_id": st.none() | texts,
    "trace_id": st.none() | texts,
    "output": outputs,
    "rendered_at": st.none() | texts,
    "cost": st.none()
    | st.builds(
        Cost,
        amount=st.floats(min_value=0, max_value=1e20),
        currency=st.text(string.ascii_lowercase, min_size=3, max_size=3),
        basis=texts,
    ),
}


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    made: dict[str, Record] = {}
    for shot in draw(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True), max_size=3)):
        record = Record(shot=shot, take=draw(st.integers(min_value=1, max_value=120)))
        fields: Any = former
        if draw(st.booleans()):
            about = {"shot": record.shot, "take": record.take}
            olds = draw(
                st.lists(st.builds(Record, **{**{k: st.just(v) for k, v in about.items()}, **fields}), max_size=2)
            )
            record = draw(st.builds(Record, shot=st.just(shot), take=st.just(record.take), **fields))
            record = replace(record, superseded=tuple(olds))
        made[f"{shot}-t{record.take:02d}"] = record
    return Lock(made)


@settings(max_examples=150, deadline=None)
@given(locks())
def test_every_reader_of_yaml_reads_what_was_written(written: Lock) -> None:
    text = lock.dump(written)
    assert lock.parse(text, "shots.lock") == written
    by_yaml = lock.parse(f"# a hand was here\n{text}", "shots.lock")
    assert by_yaml == written
    assert yaml.load(text, Loader=yaml.CSafeLoader) == document.parse(text, "shots.lock").data
    assert lock.dump(lock.parse(text, "shots.lock")) == lock.dump(by_yaml) == text


@settings(max_examples=50, deadline=None)
@given(locks())
def test_a_glance_sees_what_the_whole_record_says(written: Lock) -> None:
    read = lock.parse(lock.dump(written), "shots.lock")
    for slate, record in written.items():
        glance = read.glance(slate)
        assert (glance is not None) == record.rendered
        if glance is not None:
            assert record.output is not None
            assert glance == (record.fingerprint, record.output.path, record.output.sha256, record.output.bytes)


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_an_awkward_text_stays_on_one_line_and_comes_back(text: str) -> None:
    record = replace(finished, request={"prompt": text}, vars={"who": text})
    written = lock.dump(lock_of(record))
    assert len(written.splitlines()) == written.count("\n")
    assert lock.parse(written, "shots.lock").get("s010-t01") == record
    assert yaml.load(written, Loader=yaml.CSafeLoader)["takes"]["s010-t01"]["request"]["prompt"] == text


@pytest.mark.parametrize("number", [1e-05, 1e22, 0.1, 5.0, 123456.789, 2.5e-10], ids=str)
def test_a_float_is_a_float_to_readers_of_yaml_1_1_too(number: float) -> None:
    written = lock.dump(lock_of(replace(finished, cost=Cost(amount=number, currency="usd"))))
    assert yaml.load(written, Loader=yaml.CSafeLoader)["takes"]["s010-t01"]["cost"]["amount"] == number


def test_the_text_is_one_field_a_line_in_the_order_of_the_contract() -> None:
    assert lock.dump(lock_of(finished, Record(shot="s010", take=2))) == (
        "vidspec_lock: 1\n"
        "takes:\n"
        "  s010-t01:\n"
        '    shot: "s010"\n'
        "    take: 1\n"
        '    provider: "siliconflow"\n'
        '    model: "Wan-AI/Wan2.2-T2V-A14B"\n'
        f'    fingerprint: "{DIGEST}"\n'
        "    request:\n"
        '      mode: "text_to_video"\n'
        '      prompt: "a ferry"\n'
        '      size: "1280x720"\n'
        '      options: {"steps": 1.0e-05}\n'
        '    defaulted: ["size"]\n'
        "    seed: 913884521\n"
        '    seed_rule: "auto"\n'
        '    request_id: "n4q0"\n'
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
        "  s010-t02:\n"
        '    shot: "s010"\n'
        "    take: 2\n"
    )


def test_an_empty_lock_is_a_lockfile_too() -> None:
    assert lock.parse(lock.dump(Lock()), "shots.lock") == Lock()


# --- files that somebody has touched -------------------------------------------------------------------------


def by_hand(text: str) -> str:
    """The same lockfile as a person, or a formatter, would write it."""
    head, _, rest = text.partition("takes:\n")
    rest = rest.replace('"s010"', "s010").replace("    seed: 1\n", "    seed: 1   # the good one\n")
    return f"# our film\n\n{head}takes:\n{rest}"


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(by_hand, id="comments and other quotes"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(
            lambda text: yaml.safe_dump(yaml.safe_load(text), sort_keys=False), id="another writer's YAML"
        ),
        pytest.param(
            lambda text: yaml.safe_dump(yaml.safe_load(text), sort_keys=True), id="another writer's order"
        ),
        pytest.param(lambda text: text + "\n\n", id="blank lines at the end"),
    ],
)
def test_a_lock_in_another_form_reads_the_same(edit: Any) -> None:
    written = lock_of(again, Record(shot="s010", take=2))
    text = edit(lock.dump(written))
    assert text != lock.dump(written)
    assert lock.parse(text, "shots.lock") == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("vidspec_lock: 2\ntakes: {}\n", "version 2; this release reads 1", id="a later version"),
        pytest.param("takes: {}\n", "vidspec_lock", id="no version"),
        pytest.param("vidspec_lock: 1\n", "takes", id="no takes"),
        pytest.param("vidspec_lock: 1\ntakes: []\n", "takes", id="takes are a list"),
        pytest.param("- 1\n", "the file must be a mapping", id="a list"),
        pytest.param("vidspec_lock: 1\ntakes: {a-t01: {shot: a}}\n", "take", id="a record without a number"),
        pytest.param("vidspec_lock: 1\ntakes: {a-t01: {shot: a, take: 1, tkae: 2}}\n", "tkae", id="an unknown key"),
        pytest.param(f"vidspec_lock: 1\ntakes:\n{BARE * 2}", "twice", id="a take twice"),
        pytest.param("vidspec_lock: 1\ntakes: {}", "cut short", id="no end of the last line"),
        pytest.param("\x00\n", "not a lockfile", id="binary"),
        pytest.param("", "empty", id="nothing"),
    ],
)  # fmt: skip
def test_what_is_no_lockfile_is_said_with_the_files_name(text: str, message: str) -> None:
    with pytest.raises(LockError, match=message) as raised:
        list(lock.parse(text, "shots.lock").items())
    assert str(raised.value).startswith("shots.lock:")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> night", "||||||| 1234567"])
def test_the_marks_of_a_merge_are_named_with_their_line(mark: str) -> None:
    lines = lock.dump(lock_of(finished)).splitlines()
    text = "\n".join([*lines[:4], mark, *lines[4:], ""])
    with pytest.raises(LockError, match=r"^shots\.lock:5:1: .*merge conflict"):
        lock.parse(text, "shots.lock")


def test_words_of_a_prompt_are_no_marks_of_a_merge() -> None:
    record = replace(finished, request={"prompt": "<<<<<<< HEAD\n=======\n"})
    assert lock.parse(lock.dump(lock_of(record)), "shots.lock").get("s010-t01") == record


def test_a_lock_cut_anywhere_never_gives_a_rendered_take_another_clip_or_none() -> None:
    written = lock_of(again, replace(finished, shot="s020"), Record(shot="s030", take=1))
    text = lock.dump(written)
    refused = 0
    for end in range(len(text)):
        try:
            records = dict(lock.parse(text[:end], "shots.lock").items())
        except LockError:
            refused += 1
            continue
        for slate, record in records.items():
            original = written.get(slate)
            assert original is not None
            same = (record.fingerprint, record.output and record.output.sha256) == (
                original.fingerprint,
                original.output and original.output.sha256,
            )
            assert same or record == Record(shot=record.shot, take=record.take)
    assert refused > len(text) * 0.95


@pytest.mark.parametrize("field", ["provider", "model", "fingerprint", "request", "output"])
def test_a_record_with_some_of_a_render_but_not_all_is_refused(field: str) -> None:
    mapping = yaml.safe_load(lock.dump(lock_of(finished)))
    del mapping["takes"]["s010-t01"][field]
    with pytest.raises(LockError, match=f"take 1 of `s010` is cut short in the lockfile: it has no {field}"):
        list(lock.parse(yaml.safe_dump(mapping), "shots.lock").items())


@pytest.mark.parametrize(
    "path", ["/etc/clip.mp4", "../clip.mp4", "renders/../../clip.mp4", "..\\clip.mp4", "renders/..", "a\x00.mp4"]
)
@pytest.mark.parametrize("where", ["record", "superseded"])
def test_an_output_outside_the_project_is_refused(path: str, where: str) -> None:
    assert finished.output is not None
    bad = replace(finished, output=replace(finished.output, path=path))
    record = bad if where == "record" else replace(finished, fingerprint=OTHER).superseding(bad)
    read = lock.parse(lock.dump(lock_of(record)), "shots.lock")
    with pytest.raises(LockError, match="outside the project"):
        read.get("s010-t01")


# --- the order of records --------------------------------------------------------------------------------------


def named(*slates: str) -> list[tuple[str, str, int]]:
    return [(slate, slate[:-4], int(slate[-2:])) for slate in slates]


def test_records_stand_in_the_order_of_the_list_and_every_take_has_one() -> None:
    laid_out = lock_of(finished).laid_out(named("s005-t01", "s010-t01", "s010-t02"))
    assert list(laid_out) == ["s005-t01", "s010-t01", "s010-t02"]
    assert laid_out.get("s005-t01") == Record(shot="s005", take=1)
    assert laid_out.get("s010-t01") == finished


@pytest.mark.parametrize("from_text", [False, True], ids=["in memory", "read from text"])
def test_removed_takes_stay_behind_those_they_stood_behind(from_text: bool) -> None:
    written = lock_of(*(replace(finished, shot=shot) for shot in ("a", "b", "c", "d", "e")))
    if from_text:
        written = lock.parse(lock.dump(written), "shots.lock")
    assert list(written.laid_out(named("d-t01", "b-t01"))) == ["a-t01", "d-t01", "e-t01", "b-t01", "c-t01"]


def test_a_removed_take_stays_only_where_something_was_rendered() -> None:
    former_only = replace(Record(shot="b", take=1), superseded=(replace(finished, shot="b"),))
    written = lock_of(Record(shot="a", take=1), former_only)
    assert list(written.laid_out([])) == ["b-t01"]


def test_laying_out_what_is_laid_out_changes_not_a_byte() -> None:
    text = lock.dump(lock_of(again, Record(shot="s010", take=2)))
    read = lock.parse(text, "shots.lock")
    assert lock.dump(read.laid_out(named("s010-t01", "s010-t02"))) == text


def test_former_records_are_kept_latest_first_and_flat() -> None:
    third = replace(finished, seed=3).superseding(again)
    assert [record.seed for record in third.superseded] == [1, 913884521]
    assert all(record.superseded == () for record in third.superseded)


def test_a_record_that_was_never_rendered_is_not_kept_but_what_it_kept_is() -> None:
    empty = replace(bare, superseded=(finished,))
    assert finished.superseding(bare).superseded == ()
    assert finished.superseding(None).superseded == ()
    assert finished.superseding(empty).superseded == (finished,)


def test_a_record_that_is_put_takes_the_place_of_the_one_before() -> None:
    lock = lock_of(bare)
    lock.put("s010-t01", finished)
    assert lock.get("s010-t01") == finished
    assert lock != lock_of(bare)
    assert (len(lock), "s010-t01" in lock) == (1, True)
    assert (lock.get("s999-t01"), lock.glance("s999-t01")) == (None, None)


def read_again(written: Lock) -> Lock:
    return lock.parse(lock.dump(written), "shots.lock")


def test_a_renamed_shot_takes_its_records_and_the_frames_taken_from_it_along() -> None:
    follower = replace(finished, shot="s030", frames={"first_frame": {"slate": "s010-t01", "at": "last"}})
    given = Lock({"s010-t01": replace(finished, superseded=(finished,)), "s025-t01": Record(shot="s025", take=1)})
    given.put("s030-t01", replace(follower, superseded=(follower,)))

    renamed = read_again(given.renamed("s010", "s025"))

    assert list(renamed) == ["s025-t01", "s030-t01"]
    moved, behind = renamed.get("s025-t01"), renamed.get("s030-t01")
    assert moved
    assert behind
    assert (moved.shot, moved.seed, moved.output) == ("s025", finished.seed, finished.output)
    assert [former.shot for former in moved.superseded] == ["s025"]
    for one in (behind, *behind.superseded):
        assert one.frames == {"first_frame": {"slate": "s025-t01", "at": "last"}}
    assert given.shots() == ["s010", "s025", "s030"], "the lock itself is as it was"
