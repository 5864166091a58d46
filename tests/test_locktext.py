"""Lockfiles as text: what was written reads the same everywhere, and what cannot be read is said with its place."""

from __future__ import annotations

import json
import os
import string
import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import document, lockform, lockscan, locktext, schema
from vidspec.errors import LockError
from vidspec.lock import Cost, Head, Lock, Output, Record, Unknown, leads_out

Vidspec = Callable[..., subprocess.CompletedProcess[str]]
Edit = Callable[[str], str]

RELEASED = Path(__file__).parent / "locks"
DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64
BEGINNING = "vidspec_lock: 1\ntakes:\n"
AWKWARD = (
    "",
    "\u2028\u2029",
    "\x7f",
    '"',
    "\\",
    "🎬",
    "𐀀",
    "\ufeff",
    "\x85",
    "\r\n",
    "\t",
    "a: b # c",
    "\x00",
    "\uffff",
)

bare = Record(shot="s010", take=2)
finished = Record(
    shot="s010",
    take=1,
    provider="siliconflow",
    model="Wan-AI/Wan2.2-T2V-A14B",
    fingerprint=DIGEST,
    request={"mode": "text_to_video", "prompt": "a ferry", "options": {"steps": 1e-05}},
    defaulted=("size",),
    seed=7,
    seed_rule="auto",
    output=Output(path="renders/s010/s010-t01.mp4", sha256=DIGEST, bytes=812345, width=1280, height=720, fps=24.0),
    rendered_at="2026-11-20T10:00:00Z",
    cost=Cost(amount=2.0, currency="cny", basis="unsure"),
)
again = replace(finished, fingerprint=OTHER, seed=1).superseding(finished)


def lock_of(*records: Record) -> Lock:
    return Lock({f"{record.shot}-t{record.take:02d}": record for record in records})


TEXT = locktext.dump(lock_of(again, bare))


def parsed(text: str) -> Lock:
    """A lock of which every record has been taken apart."""
    lock = locktext.parse(text, "shots.lock")
    list(lock.items())
    return lock


def refusal(text: str) -> str:
    """Why a text is no lockfile."""
    with pytest.raises(LockError) as raised:
        parsed(text)
    message = str(raised.value)
    assert message.isprintable()
    return message


# --- everything that is written ------------------------------------------------------------------------------

texts = st.one_of(st.text(max_size=30), st.sampled_from(AWKWARD))
numbers = st.one_of(
    st.integers(min_value=0, max_value=2**63), st.floats(min_value=0, allow_infinity=False, allow_nan=False)
)
values = st.recursive(
    st.one_of(texts, st.booleans(), st.none(), numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True)
keys = st.one_of(names, texts, st.sampled_from(["null", "yes", "No", "on", "TRUE", "y", "references.1", "a: b"]))
SETTINGS = frozenset(schema.definition("lock", "request")["properties"])
"""Keys of a request whose values are of a certain kind."""
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
outputs = st.builds(
    Output,
    path=st.one_of(texts, st.sampled_from(["a/../b.mp4", "./b.mp4", "..b"])).filter(
        lambda path: not leads_out(path)
    ),
    sha256=digests,
    bytes=st.integers(min_value=0, max_value=2**40),
    width=st.none() | st.integers(min_value=1, max_value=9999),
    height=st.none() | st.integers(min_value=1, max_value=9999),
    fps=st.none() | st.floats(min_value=1e-6, max_value=1e3),
    duration=st.none() | st.floats(min_value=0, max_value=1e5),
    audio=st.none() | st.booleans(),
)
former: dict[str, Any] = {
    "provider": texts,
    "model": texts,
    "fingerprint": digests,
    "request": st.dictionaries(keys.filter(lambda key: key not in SETTINGS), values, max_size=4),
    "defaulted": st.lists(names, max_size=3).map(tuple),
    "seed": st.none() | st.integers(min_value=-(2**31), max_value=2**63),
    "seed_rule": st.sampled_from([None, "fixed", "auto", "random"]),
    "seed_used": st.none() | st.integers(),
    "frames": st.none() | st.dictionaries(st.just("references.1") | names, values, max_size=2),
    "pictures": st.none() | st.dictionaries(st.just("references.0") | names, texts.filter(bool), max_size=2),
    "vars": st.none() | st.dictionaries(keys, values, max_size=3),
    "request_id": st.none() | texts,
    "trace_id": st.none() | texts,
    "output": outputs,
    "rendered_at": st.none() | texts,
    "cost": st.none()
    | st.builds(
        Cost,
        amount=st.integers(min_value=0, max_value=99) | st.floats(min_value=0, max_value=1e20),
        currency=st.text(string.ascii_lowercase, min_size=3, max_size=3),
        basis=texts,
    ),
}
current: dict[str, Any] = {**former, "chosen": st.sampled_from([None, True]), "accepted": st.none() | digests}


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    made: dict[str, Record] = {}
    for shot in draw(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True), max_size=3)):
        about = {"shot": st.just(shot), "take": st.just(draw(st.integers(min_value=1, max_value=120)))}
        record = draw(st.builds(Record, **about, chosen=st.sampled_from([None, True])))
        if draw(st.booleans()):
            under = draw(st.lists(st.builds(Record, **about, **former), max_size=2))
            record = replace(draw(st.builds(Record, **about, **current)), superseded=tuple(under))
        made[f"{shot}-t{record.take:02d}"] = record
    return Lock(made)


@settings(max_examples=80, deadline=None)
@given(locks())
def test_every_reader_of_yaml_reads_what_was_written(written: Lock) -> None:
    text = locktext.dump(written)
    assert parsed(text) == written
    by_yaml = parsed(f"# a hand was here\n{text}")
    assert by_yaml == written
    meant = document.parse(text, "shots.lock").data
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        assert yaml.load(text, Loader=loader) == meant
    assert text == locktext.dump(by_yaml)


@settings(max_examples=60, deadline=None)
@given(locks())
def test_a_text_that_was_written_is_written_again_letter_for_letter(written: Lock) -> None:
    text = locktext.dump(written)
    read = locktext.parse(text, "shots.lock")
    assert locktext.dump(read) == text, "as it was read"
    assert locktext.dump(Lock(dict(read.items()))) == text, "from the values"


@settings(max_examples=40, deadline=None)
@given(locks())
def test_a_glance_sees_what_the_whole_record_says(written: Lock) -> None:
    read = locktext.parse(locktext.dump(written), "shots.lock")
    for slate, record in written.items():
        glance = read.glance(slate)
        assert (glance is not None) == record.rendered
        if glance is not None:
            assert record.output is not None
            assert glance == (record.fingerprint, record.output.path, record.output.sha256, record.output.bytes)


def verdict(text: str) -> Any:
    try:
        return list(parsed(text).items())
    except LockError:
        return "refused"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whoever_reads_a_damaged_text_comes_to_one_verdict(data: st.DataObject) -> None:
    lines = locktext.dump(data.draw(locks().filter(len))).splitlines(keepends=True)
    number = data.draw(st.integers(min_value=2, max_value=len(lines) - 1))
    line, other = lines[number], lines[data.draw(st.integers(min_value=2, max_value=len(lines) - 1))]
    place = data.draw(st.integers(min_value=0, max_value=len(line) - 1))
    inserted = data.draw(
        st.sampled_from(['"', "\\", " ", "0", "-", ".", "x", ":", "#", "e", "[", "{", "\t", "\x85"])
    )
    lines[number] = data.draw(
        st.sampled_from(
            [
                "",
                line + line,
                other,
                other + line,
                line[:place] + line[place + 1 :],
                line[:place] + inserted + line[place:],
            ]
        )
    )
    text = "".join(lines)
    assert verdict(text) == verdict(f"# a hand was here\n{text}")


def test_the_text_has_its_version_above_and_each_record_under_its_slate() -> None:
    text = locktext.dump(lock_of(finished, bare))
    lines = lockform.lines(finished)
    assert text == f'{BEGINNING}  s010-t01:\n{lines}  s010-t02:\n    shot: "s010"\n    take: 2\n'


def test_an_empty_lock_is_a_lockfile_too() -> None:
    assert locktext.dump(Lock()) == "vidspec_lock: 1\ntakes: {}\n"
    assert parsed("vidspec_lock: 1\ntakes: {}\n") == Lock()


def test_a_link_that_leads_nowhere_is_a_lockfile_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "shots.lock"
    assert locktext.read(path) == Lock()
    path.symlink_to(tmp_path / "drive/shots.lock")
    with pytest.raises(LockError, match=r"shots\.lock: it is a link, and what it leads to is not there") as raised:
        locktext.read(path)
    assert "a drive that is not mounted looks the same" in str(raised.value)
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive/shots.lock").write_text(locktext.dump(Lock()))
    assert locktext.read(path) == Lock()


def test_words_of_a_prompt_are_no_marks_of_a_merge() -> None:
    record = replace(finished, request={"prompt": "<<<<<<< HEAD\n=======\n"})
    assert parsed(locktext.dump(lock_of(record))).get("s010-t01") == record


# --- releases --------------------------------------------------------------------------------------------------

RELEASES = sorted(path.name for path in RELEASED.iterdir())


@pytest.mark.parametrize("release", RELEASES)
def test_the_lockfile_of_a_release_reads_and_is_written_again_letter_for_letter(release: str) -> None:
    text = (RELEASED / release / "shots.lock").read_text("utf-8")
    lock = locktext.parse(text, "shots.lock")
    records = dict(lock.items())
    assert lock.notices == ()
    assert locktext.dump(lock) == locktext.dump(Lock(records)) == text
    assert parsed(f"# a hand was here\n{text}") == lock


def test_the_lockfile_of_0_1_0_holds_everything_that_0_1_0_could_write() -> None:
    text = (RELEASED / "0.1.0" / "shots.lock").read_text("utf-8")
    records = [record for _, record in parsed(text).items()]
    assert [record for record in records if not record.rendered], "one that was never rendered"
    assert [former for record in records for former in record.superseded]
    assert {record.seed_rule for record in records} == {None, "fixed", "auto", "random"}
    later = {"chosen", "accepted", "pictures", "unknown"}
    for name in {one.name for one in fields(Record)} - later:
        assert any(getattr(record, name) not in (None, ()) for record in records), name
    plain = text.replace("clips/../", "")
    assert lockscan.entries(plain, len(BEGINNING)), "it has the form that is read without a YAML loader"


@pytest.mark.parametrize("rewritten", [False, True], ids=["as it is", "written again by this release"])
@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_has_rendered_is_kept(
    project: Path, vidspec: Vidspec, release: str, rewritten: bool
) -> None:
    copytree(RELEASED / release, project, dirs_exist_ok=True)
    path = project / "shots.lock"
    lock = locktext.read(path)
    records = dict(lock.items())
    if rewritten:
        path.write_text(locktext.dump(Lock(records)), "utf-8")
    for record in records.values():
        if record.output is not None:
            clip = project / record.output.path
            for folder in (Path(os.path.normpath(clip)).parent, project / "clips"):
                folder.mkdir(parents=True, exist_ok=True)
            clip.touch()
            os.truncate(clip, record.output.bytes)
    planned = json.loads(vidspec("plan", "--json", "shots.yaml").stdout)["takes"]
    actions = {one["slate"]: one["action"] for one in planned}
    assert actions == {slate: "keep" if records[slate].rendered else "render" for slate in actions}
    assert sum(action == "keep" for action in actions.values()) > 10


# --- versions --------------------------------------------------------------------------------------------------

NEWER = f"""vidspec_lock: 1.3
film: "Night ferry"
takes:
  s010-t01:
    shot: "s010"
    take: 1
    rating: 4.5
    provider: "siliconflow"
    model: "Wan-AI/Wan2.2-T2V-A14B"
    fingerprint: "{DIGEST}"
    lora:
      weights: "oilskin.safetensors"
      layers: [1, {{"name": "x", "scale": 0.5}}]
    request:
      mode: "text_to_video"
      prompt: "a ferry"
    output:
      container: "mp4"
      path: "renders/s010/s010-t01.mp4"
      sha256: "{DIGEST}"
      codec: "h264"
      bytes: 812345
      tracks: []
    cost:
      amount: 2.0
      currency: "cny"
      basis: "unsure"
      tax: 0.25
    superseded:
      - mood: "calm"
        provider: "siliconflow"
        model: "Wan-AI/Wan2.2-T2V-A14B"
        fingerprint: "{OTHER}"
        request:
          mode: "text_to_video"
        output:
          path: "renders/s010/s010-t01.mp4"
          sha256: "{OTHER}"
          bytes: 5
          codec: "vp9"
  s010-t02:
    shot: "s010"
    take: 2
    wanted: false
totals:
  cny: 2.0
"""


def test_a_newer_minor_version_is_read_and_a_person_is_told() -> None:
    lock = parsed(NEWER)
    (notice,) = lock.notices
    assert notice == (
        "shots.lock:1:15: the lockfile is of version 1.3; this release knows 1, and keeps what is new in it; "
        "upgrade vidspec to use that"
    )
    assert lock.head.version == "1.3"
    first, stub = lock.get("s010-t01"), lock.get("s010-t02")
    assert first
    assert first.output == Output(path="renders/s010/s010-t01.mp4", sha256=DIGEST, bytes=812345)
    assert lock.glance("s010-t01") == (DIGEST, "renders/s010/s010-t01.mp4", DIGEST, 812345)
    assert stub == Record(shot="s010", take=2, unknown=(Unknown("wanted", False, "take", "1.3"),))


def test_what_a_newer_release_has_written_stands_where_it_stood_when_the_file_is_written_again() -> None:
    assert locktext.dump(parsed(NEWER)) == NEWER
    assert locktext.dump(parsed(NEWER).laid_out([("s010-t01", "s010", 1), ("s010-t02", "s010", 2)])) == NEWER
    renamed = parsed(NEWER).renamed("s010", "s020")
    assert locktext.dump(renamed) == NEWER.replace('shot: "s010"', 'shot: "s020"').replace("  s010-t", "  s020-t")


def test_a_change_leaves_what_a_newer_release_has_written_of_the_take() -> None:
    lock = parsed(NEWER)
    first = lock.get("s010-t01")
    assert first
    lock.put("s010-t01", replace(first, accepted=OTHER, superseded=()))
    kept = NEWER.replace("    request:\n", f'    accepted: "{OTHER}"\n    request:\n', 1)
    start, end = kept.index("    superseded:\n"), kept.index("  s010-t02:\n")
    assert locktext.dump(lock) == kept[:start] + kept[end:]


def test_a_take_rendered_anew_keeps_what_a_newer_release_has_written_under_its_former_record() -> None:
    lock = parsed(NEWER)
    lock.put("s010-t01", finished.superseding(lock.get("s010-t01")))
    text = locktext.dump(lock)
    loaded = yaml.safe_load(text)["takes"]["s010-t01"]
    assert "rating" not in loaded
    assert [former.get("rating") for former in loaded["superseded"]] == [4.5, None]
    assert loaded["superseded"][0]["output"]["codec"] == "h264"
    assert locktext.dump(parsed(text)) == text


def test_a_newer_record_in_another_lock_makes_that_newer_too() -> None:
    records = {slate: record for slate, record in parsed(NEWER).items() if slate == "s010-t02"}
    text = locktext.dump(Lock({**records, "a-t01": Record(shot="a", take=1)}))
    assert text.startswith("vidspec_lock: 1.3\ntakes:\n")
    assert dict(parsed(text).items())["s010-t02"] == records["s010-t02"]


def test_a_take_that_is_said_not_to_be_chosen_is_one_of_which_nothing_is_said() -> None:
    assert parsed(TEXT.replace("    take: 2\n", "    take: 2\n    chosen: false\n")).get("s010-t02") == bare


@pytest.mark.parametrize("version", ["1.1", "1.10", '"1.2"', "'1.2'", "1.2   # by a newer one"])
def test_a_newer_minor_version_is_kept_as_it_is_written(version: str) -> None:
    lock = parsed(TEXT.replace("vidspec_lock: 1", f"vidspec_lock: {version}"))
    assert len(lock.notices) == 1
    assert locktext.dump(lock).startswith(f"vidspec_lock: {version.partition(' ')[0]}\ntakes:\n")
    assert list(lock.items()) == list(parsed(TEXT).items())


@pytest.mark.parametrize("version", ["1.0", "1.00", "01"])
def test_the_version_of_this_release_in_other_words_is_no_newer_one(version: str) -> None:
    lock = parsed(TEXT.replace("vidspec_lock: 1", f"vidspec_lock: {version}"))
    assert (lock.head, lock.notices) == (Head(), ())
    assert locktext.dump(lock) == TEXT


def test_a_newer_minor_version_may_not_say_otherwise_what_this_release_knows() -> None:
    message = refusal(NEWER.replace("bytes: 812345", "bytes: many"))
    assert message.startswith("shots.lock:22:14: `output.bytes` must be an integer, not the text `many`")


# --- files that somebody has touched ---------------------------------------------------------------------------


def by_hand(text: str) -> str:
    """The same lockfile as a person, or a formatter, would write it."""
    head, _, rest = text.partition("takes:\n")
    rest = rest.replace('"s010"', "s010").replace("    seed: 1\n", "    seed: 1.0   # the good one\n")
    return f"# our film\n\n{head}takes:\n{rest}"


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(by_hand, id="comments and other quotes"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: f"\ufeff{text}", id="a byte order mark"),
        pytest.param(lambda text: f"\ufeff{by_hand(text)}".replace("\n", "\r\n"), id="all of it"),
        pytest.param(
            lambda text: yaml.safe_dump(yaml.safe_load(text), sort_keys=False), id="another writer's YAML"
        ),
        pytest.param(
            lambda text: yaml.safe_dump(yaml.safe_load(text), sort_keys=True), id="another writer's order"
        ),
        pytest.param(lambda text: json.dumps(yaml.safe_load(text)) + "\n", id="JSON"),
        pytest.param(lambda text: text + "\n\n", id="blank lines at the end"),
    ],
)
def test_a_lock_in_another_form_reads_the_same(edit: Edit) -> None:
    text = edit(TEXT)
    assert text != TEXT
    assert parsed(text) == lock_of(again, bare)
    assert sorted(locktext.dump(parsed(text)).splitlines()) == sorted(TEXT.splitlines()), "in our form again"


@pytest.mark.parametrize("touched", [False, True], ids=["as written", "touched by hand"])
def test_records_that_name_one_output_are_read_and_told_of(touched: bool) -> None:
    text = locktext.dump(lock_of(finished, replace(finished, shot="s020"), replace(finished, shot="s030")))
    lock = parsed(by_hand(text) if touched else text)
    (notice,) = lock.notices
    assert notice == (
        "shots.lock: `s010-t01`, `s020-t01`, `s030-t01` name one output, `renders/s010/s010-t01.mp4`; "
        "only one of the clips can be there"
    )
    assert len(lock) == 3


# --- what is no lockfile ---------------------------------------------------------------------------------------

EARLIER = "bring an earlier one back, such as the one that was committed"
BEGINS = f"a lockfile begins with `vidspec_lock: 1` and `takes:`; {EARLIER}"
INDENTATION = "check the indentation of this line and of the one above"
OUTPUT = "renders/s010/s010-t01.mp4"
OUTSIDE = "of take 1 of `s010` names a clip outside the project folder"


def up_to(number: int, *more: str) -> Edit:
    """An edit that cuts off what follows a line, and what is to stand there."""
    return lambda text: "".join([*text.splitlines(keepends=True)[:number], *more])


def instead(right: str, wrong: str) -> Edit:
    """An edit that replaces the first of something."""

    def edit(text: str) -> str:
        assert right in text
        return text.replace(right, wrong, 1)

    return edit


def just(text: str) -> Edit:
    """An edit that leaves nothing as it was."""
    return lambda _: text


def followed_by(more: str) -> Edit:
    """An edit at the end."""
    return lambda text: text + more


CUT = {
    "nothing": (just(""), "1:1", "the lockfile is empty", EARLIER),
    "blank lines": (just("\n\n"), "1:1", "the lockfile is empty", EARLIER),
    "a comment": (just("# ours\n"), "1:1", "the lockfile is empty", EARLIER),
    "its first line, cut": (
        just("vidspec_l"),
        "1:10",
        "the lockfile is cut short: its last line has no end",
        EARLIER,
    ),
    "only the version": (up_to(1), "1:1", "the file has no `takes`", BEGINS),
    "only the head": (up_to(2), "2:7", "`takes` must be a mapping, not `null`", BEGINS),
    "a line cut": (up_to(6, "    prov"), "7:9", "the lockfile is cut short: its last line has no end", EARLIER),
    "a record cut": (
        up_to(8),
        "3:3",
        "the record of take 1 of `s010` is cut short in the lockfile: it has no request, output",
        EARLIER,
    ),
    "a former record cut": (
        up_to(38),
        "3:3",
        "a former record of take 1 of `s010` is cut short in the lockfile: it has no output",
        EARLIER,
    ),
}
OTHER_VERSION = {
    "a later one": (
        instead("vidspec_lock: 1", "vidspec_lock: 2"),
        "1:15",
        "the lockfile is of version 2; this release reads 1",
        "upgrade vidspec",
    ),
    "a later one of another syntax": (
        just("# new\nvidspec_lock: 3.1   # newest\n}{"),
        "2:15",
        "the lockfile is of version 3.1; this release reads 1",
        "upgrade vidspec",
    ),
    "a later one at the end": (
        just("{takes: {}, vidspec_lock: 2}\n"),
        "1:27",
        "the lockfile is of version 2; this release reads 1",
        "upgrade vidspec",
    ),
    "one that never was": (
        instead("vidspec_lock: 1", "vidspec_lock: 0"),
        "1:15",
        "the lockfile is of version 0; this release reads 1",
        EARLIER,
    ),
    "one in quotes": (
        instead("vidspec_lock: 1", 'vidspec_lock: "1"'),
        "1:15",
        "`vidspec_lock` is the text `1`; this release reads `1`",
        "write it without quotes: `1`",
    ),
    "none": (instead("vidspec_lock: 1\n", ""), "1:1", "the file has no `vidspec_lock`", BEGINS),
}
NO_FORM = {
    "the marks of a merge": (
        instead("    take: 1\n", "    take: 1\n<<<<<<< HEAD\n"),
        "6:1",
        "the lockfile holds the marks of a merge conflict",
        "resolve it first, or join both sides with `vidspec lock merge`",
    ),
    "a list": (just("- 1\n"), "1:1", "the file must be a mapping, not a list", BEGINS),
    "takes in a list": (
        just("vidspec_lock: 1\ntakes: []\n"),
        "2:8",
        "`takes` must be a mapping, not a list",
        BEGINS,
    ),
    "binary": (
        just("\x00\x01\n"),
        "1:1",
        "not a lockfile: the character U+0000 may not stand in YAML: control characters are not allowed",
        "save it as plain text, in UTF-8",
    ),
    "a take twice": (
        followed_by('  s010-t02: {shot: "s010", take: 2}\n'),
        "54:3",
        "the key `s010-t02` is written twice; first at line 51",
        "keep one of the two",
    ),
    "a field twice": (
        instead("    take: 2\n", "    take: 2\n    take: 2\n"),
        "54:5",
        "the key `take` is written twice; first at line 53",
        "keep one of the two",
    ),
    "a setting twice": (
        instead('      prompt: "a ferry"\n', '      prompt: "a ferry"\n      prompt: "b"\n'),
        "12:7",
        "the key `prompt` is written twice; first at line 11",
        "keep one of the two",
    ),
    "a setting twice in one line": (
        instead('{"steps": 1.0e-05}', '{"steps": 1, "steps": 2}'),
        "12:29",
        "the key `steps` is written twice; first at line 12",
        "keep one of the two",
    ),
    "a tab": (
        instead("    take: 2", "    \ttake: 2"),
        "53:5",
        "not a lockfile: a tab in the indentation",
        "YAML is indented with blanks",
    ),
    "too far to the right": (
        instead("    take: 2", "     take: 2"),
        "53:6",
        "not a lockfile: not YAML: no key begins here",
        INDENTATION,
    ),
    "too far to the left": (
        instead("  s010-t02:", " s010-t02:"),
        "51:2",
        "not a lockfile: not YAML: no key begins here",
        INDENTATION,
    ),
    "a quote that is not closed": (
        instead('prompt: "a ferry"', 'prompt: "a ferry'),
        "11:15",
        "not a lockfile: not YAML: the quote that begins here is closed at line 12, and more text follows",
        "close the quote where the text ends",
    ),
}
NO_VALUE = {
    "an unknown field": (
        instead("    seed: 1", "    sead: 1"),
        "14:5",
        "unknown key `sead`",
        "the nearest key is `seed`",
    ),
    "an unknown field of a clip": (
        instead("      width:", "      wdith:"),
        "20:7",
        "unknown key `wdith`",
        "the nearest key is `width`",
    ),
    "an unknown field at the end": (
        followed_by("takse: 1\n"),
        "54:1",
        "unknown key `takse`",
        "the nearest key is `takes`",
    ),
    "a text for a number": (
        instead("    seed: 1", '    seed: "1"'),
        "14:11",
        "`seed` must be an integer, not the text `1`",
        "write it without quotes: `1`",
    ),
    "a word for a switch": (
        instead("    take: 2", "    take: 2\n    chosen: yes"),
        "54:13",
        "`chosen` must be true or false, not the text `yes`",
        "write it `true`",
    ),
    "a slate of another take": (
        instead("    take: 2", "    take: 3"),
        "51:3",
        "`s010-t02` is the record of take 3 of `s010`",
        "that is `s010-t03`: mend the one or the other",
    ),
    "a slate that a terminal would obey": (
        instead("  s010-t02:", '  "\\e[31mred":'),
        "51:3",
        "`\\x1b[31mred` is the record of take 2 of `s010`",
        "that is `s010-t02`: mend the one or the other",
    ),
    "take 0": (
        instead("take: 2", "take: 0"),
        "53:11",
        "`take` is `0`, less than `1`",
        "the take's number, counted from 1",
    ),
    "an id that cannot be one": (
        instead('    shot: "s010"\n    take: 2', '    shot: "../x"\n    take: 2'),
        "52:11",
        "`shot` is not of the right form: `../x`",
        "the shot's id: letters, digits, `.`, `_` and `-`, at most 100",
    ),
    "negative bytes": (
        instead("bytes: 812345", "bytes: -1"),
        "19:14",
        "`output.bytes` is `-1`, less than `0`",
        "size in bytes, 0 or more",
    ),
    "a digest of another kind": (
        instead(f'sha256: "{DIGEST}"', 'sha256: "md5:1"'),
        "18:15",
        "`output.sha256` is not of the right form: `md5:1`",
        "the digest of the bytes: `sha256:` and 64 hexadecimal digits",
    ),
    "a digest that is too short": (
        instead(f'sha256: "{DIGEST}"', 'sha256: "sha256:ab"'),
        "18:15",
        "`output.sha256` is not of the right form: `sha256:ab`",
        "the digest of the bytes: `sha256:` and 64 hexadecimal digits",
    ),
    "a digest that is too long": (
        instead(OTHER, f"{OTHER}0"),
        "8:18",
        f"`fingerprint` is not of the right form: `{OTHER[:59]}…`",
        "the digest of exactly what was sent: `sha256:` and 64 hexadecimal digits",
    ),
    "a currency that is too long": (
        instead('"cny"', '"yuan"'),
        "26:17",
        "`cost.currency` is not of the right form: `yuan`",
        "three small letters, such as `usd`",
    ),
    "a picture that is no path": (
        instead("    output:\n", "    pictures:\n      first_frame: 5\n    output:\n"),
        "17:20",
        "`pictures.first_frame` must be a text, not `5`",
        "a path in the project",
    ),
    "a clip at an absolute path": (
        instead(OUTPUT, "/etc/x.mp4"),
        "17:13",
        f"the record {OUTSIDE}: `/etc/x.mp4`",
        "clips stand inside it",
    ),
    "a clip above the project": (
        instead(OUTPUT, "renders/../../x.mp4"),
        "17:13",
        f"the record {OUTSIDE}: `renders/../../x.mp4`",
        "clips stand inside it",
    ),
    "a clip behind a backslash": (
        instead(OUTPUT, "..\\\\x.mp4"),
        "17:13",
        f"the record {OUTSIDE}: `..\\x.mp4`",
        "clips stand inside it",
    ),
    "a former clip above the project": (
        instead(f'          path: "{OUTPUT}', '          path: "../x.mp4'),
        "40:17",
        f"a former record {OUTSIDE}: `../x.mp4`",
        "clips stand inside it",
    ),
}
BROKEN = {
    f"{kind}: {name}": (edit, f"shots.lock:{place}: {what}; {advice}")
    for kind, cases in {
        "cut": CUT,
        "another version": OTHER_VERSION,
        "another form": NO_FORM,
        "a wrong value": NO_VALUE,
    }.items()
    for name, (edit, place, what, advice) in cases.items()
}
each_broken = pytest.mark.parametrize(("edit", "message"), BROKEN.values(), ids=BROKEN)


@each_broken
def test_what_is_wrong_is_said_in_one_line_with_its_place_and_what_would_be_right(edit: Edit, message: str) -> None:
    text = edit(TEXT)
    assert refusal(text) == message
    if text.endswith("\n") and "\0" not in text:
        assert refusal(text.replace("\n", "\r\n")) == message, "and of a file with the line ends of Windows"


@each_broken
def test_a_plan_and_a_render_end_before_anything_is_written(
    project: Path, vidspec: Vidspec, edit: Edit, message: str
) -> None:
    (project / "shots.yaml").write_text(
        "vidspec: 1\ndefaults: {provider: animatic, size: 64x36, duration: 0.2, fps: 10}\n"
        "shots:\n  - {id: s010, prompt: a ferry, takes: 2}\n"
    )
    (project / "shots.lock").write_text(edit(TEXT), "utf-8")
    before = (project / "shots.lock").read_bytes()
    for command in ("render", "plan"):
        ended = vidspec(command, "shots.yaml")
        assert (ended.returncode, ended.stderr) == (2, f"error: {message}\n")
    assert (project / "shots.lock").read_bytes() == before
    assert sorted(path.name for path in project.iterdir()) == ["shots.lock", "shots.yaml"]


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> night", "||||||| 1234567"])
def test_each_mark_of_a_merge_is_known(mark: str) -> None:
    assert refusal(TEXT.replace("    take: 1\n", f"    take: 1\n{mark}\n")).startswith(
        "shots.lock:6:1: the lockfile holds"
    )


def test_a_lock_cut_anywhere_never_gives_a_rendered_take_another_clip_or_none() -> None:
    written = lock_of(again, replace(finished, shot="s020"), Record(shot="s030", take=1))
    text = locktext.dump(written)
    refused = 0
    for end in range(len(text)):
        try:
            records = dict(parsed(text[:end]).items())
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
    mapping = yaml.safe_load(locktext.dump(lock_of(finished)))
    del mapping["takes"]["s010-t01"][field]
    assert f"take 1 of `s010` is cut short in the lockfile: it has no {field};" in refusal(yaml.safe_dump(mapping))


# --- files -----------------------------------------------------------------------------------------------------


def test_a_lockfile_is_read_from_disk_and_where_there_is_none_there_is_nothing_in_it(tmp_path: Path) -> None:
    path = tmp_path / "shots.lock"
    assert locktext.read(path) == Lock()
    assert locktext.read(path / "shots.lock") == Lock()
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert locktext.read(path) == lock_of(again, bare)
    assert locktext.read(path / "shots.lock") == Lock(), "a file is no folder"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(Path.mkdir, "cannot read the lockfile shots.lock: is a directory", id="a folder"),
        pytest.param(
            lambda path: path.symlink_to("shots.lock"),
            "cannot read the lockfile shots.lock: too many levels of symbolic links",
            id="a link to itself",
        ),
        pytest.param(
            os.mkfifo,
            "cannot read the lockfile shots.lock: something else stands there, not a file",
            id="a pipe that nobody writes into",
        ),
        pytest.param(
            lambda path: path.write_bytes(TEXT.replace("a ferry", "eine Fähre", 1).encode("latin-1")),
            f"shots.lock:11:22: not UTF-8 text: can't decode byte 0xe4; save it as UTF-8, or {EARLIER}",
            id="not UTF-8",
        ),
        pytest.param(
            lambda path: path.write_bytes(TEXT.encode("utf-16")),
            f"shots.lock:1:1: not UTF-8 text: can't decode byte 0xff; save it as UTF-8, or {EARLIER}",
            id="UTF-16",
        ),
    ],
)
def test_what_cannot_be_read_at_all_is_said_too(tmp_path: Path, make: Callable[[Path], Any], message: str) -> None:
    make(tmp_path / "shots.lock")
    with pytest.raises(LockError) as raised:
        locktext.read(tmp_path / "shots.lock")
    assert str(raised.value) == message


def test_a_lockfile_that_may_not_be_read_is_no_empty_one(foreign: Path, as_user: Vidspec) -> None:
    (foreign / "shots.yaml").write_text("vidspec: 1\nshots:\n  - {id: a, prompt: x, provider: animatic}\n")
    (foreign / "shots.lock").write_text(TEXT)
    (foreign / "shots.yaml").chmod(0o644)
    (foreign / "shots.lock").chmod(0)
    ended = as_user("plan", "shots.yaml")
    assert (ended.returncode, ended.stderr) == (
        2,
        "error: cannot read the lockfile shots.lock: permission denied\n",
    )
