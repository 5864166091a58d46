"""The lockfile as values: records, their order, what is kept under them, and what is looked at of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidspec import locktext
from vidspec.lock import Cost, Head, Lock, Output, Record, Unknown, leads_out

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
again = replace(finished, fingerprint=OTHER, seed=1).superseding(finished)


def lock_of(*records: Record) -> Lock:
    return Lock({f"{record.shot}-t{record.take:02d}": record for record in records})


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
        written = locktext.parse(locktext.dump(written), "shots.lock")
    assert list(written.laid_out(named("d-t01", "b-t01"))) == ["a-t01", "d-t01", "e-t01", "b-t01", "c-t01"]


def test_a_removed_take_stays_only_where_something_was_rendered() -> None:
    former_only = replace(Record(shot="b", take=1), superseded=(replace(finished, shot="b"),))
    written = lock_of(Record(shot="a", take=1), former_only)
    assert list(written.laid_out([])) == ["b-t01"]


def test_laying_out_what_is_laid_out_changes_not_a_byte() -> None:
    text = locktext.dump(lock_of(again, Record(shot="s010", take=2)))
    read = locktext.parse(text, "shots.lock")
    assert locktext.dump(read.laid_out(named("s010-t01", "s010-t02"))) == text


def test_former_records_are_kept_latest_first_and_flat() -> None:
    third = replace(finished, seed=3).superseding(again)
    assert [record.seed for record in third.superseded] == [1, 913884521]
    assert all(record.superseded == () for record in third.superseded)


def test_a_record_that_was_never_rendered_is_not_kept_but_what_it_kept_is() -> None:
    empty = replace(bare, superseded=(finished,))
    assert finished.superseding(bare).superseded == ()
    assert finished.superseding(None).superseded == ()
    assert finished.superseding(empty).superseded == (finished,)


def test_a_take_stays_chosen_when_it_is_rendered_anew_and_its_former_record_is_not_the_chosen_one() -> None:
    anew = replace(finished, seed=2).superseding(replace(finished, chosen=True))
    assert anew.chosen
    assert [former.chosen for former in anew.superseded] == [None]
    assert finished.superseding(replace(bare, chosen=True)).chosen
    assert not finished.superseding(bare).chosen
    assert replace(finished, chosen=True).superseding(bare).chosen


def test_an_edit_is_accepted_of_one_record_and_of_none_that_follows_or_went_before() -> None:
    anew = replace(finished, seed=2).superseding(replace(finished, accepted=OTHER))
    assert anew.accepted is None
    assert [former.accepted for former in anew.superseded] == [None]
    assert replace(finished, accepted=OTHER).superseding(finished).accepted == OTHER


def test_what_a_newer_release_has_written_goes_with_its_record() -> None:
    unknown = (Unknown("mood", "calm", "take", "1.2"),)
    anew = replace(finished, seed=2).superseding(replace(finished, unknown=unknown))
    assert anew.unknown == ()
    assert [former.unknown for former in anew.superseded] == [unknown]


def test_what_was_read_of_the_file_itself_stays_with_every_lock_made_from_it() -> None:
    head, notices = Head(version="1.4"), ("shots.lock: of another version",)
    lock = Lock({"s010-t01": finished, "s020-t01": Record(shot="s020", take=1)}, head=head, notices=notices)
    for made in (lock.laid_out(named("s020-t01")), lock.renamed("s010", "s030")):
        assert (made.head, made.notices) == (head, notices)
    assert lock != Lock(dict(lock.items()))


@pytest.mark.parametrize(
    ("own", "kept", "version"),
    [
        ("1", [], "1"),
        ("1.4", [], "1.4"),
        ("1", ["1.2"], "1.2"),
        ("1.10", ["1.9"], "1.10"),
        ("1.9", ["1.2", "1.10"], "1.10"),
    ],
)
def test_a_lock_is_of_the_newest_version_that_something_in_it_is_of(
    own: str, kept: list[str], version: str
) -> None:
    unknown = tuple(Unknown("mood", "calm", "take", one) for one in kept)
    for record in (
        replace(finished, unknown=unknown),
        replace(finished, superseded=(replace(bare, unknown=unknown),)),
    ):
        assert Lock({"s010-t01": record}, head=Head(version=own)).version == version


def test_a_record_that_is_put_takes_the_place_of_the_one_before() -> None:
    lock = lock_of(bare)
    lock.put("s010-t01", finished)
    assert lock.get("s010-t01") == finished
    assert lock != lock_of(bare)
    assert (len(lock), "s010-t01" in lock) == (1, True)
    assert (lock.get("s999-t01"), lock.glance("s999-t01")) == (None, None)


def test_only_what_was_not_read_or_was_put_is_written_anew() -> None:
    lock = locktext.parse(locktext.dump(lock_of(finished, replace(finished, shot="b"))), "shots.lock")
    lock.put("b-t01", bare)
    written: list[Record] = []

    def write(record: Record) -> str:
        written.append(record)
        return "x"

    for _ in range(2):
        assert [lock.text(slate, write)[-1] for slate in lock] == ["\n", "x"]
    assert written == [bare]


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("a.mp4", False),
        ("./a.mp4", False),
        ("renders/../a.mp4", False),
        ("renders/..a/a.mp4", False),
        ("..a.mp4", False),
        ("/a.mp4", True),
        ("", True),
        (".", True),
        ("..", True),
        ("../a.mp4", True),
        ("renders/..", True),
        ("renders/../../a.mp4", True),
        ("./../a.mp4", True),
        ("..\\a.mp4", True),
        ("a\0.mp4", True),
    ],
)
def test_a_path_leads_out_by_its_name_alone(path: str, out: bool) -> None:
    assert leads_out(path) == out


def read_again(written: Lock) -> Lock:
    return locktext.parse(locktext.dump(written), "shots.lock")


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
