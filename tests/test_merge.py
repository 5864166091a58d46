"""Two lockfiles made one: which takes, which of them are chosen, in what order, and git's own merge of the text."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import locktext
from vidspec.fingerprint import digest as digest_of
from vidspec.lock import Cost, Head, Lock, Output, Record
from vidspec.merge import merge

if TYPE_CHECKING:
    from pathlib import Path


def stub(slate: str) -> Record:
    """A take that was never rendered."""
    shot, _, number = slate.rpartition("-t")
    return Record(shot=shot, take=int(number))


def render(slate: str, number: int = 1) -> Record:
    """A render of a take; the number tells several of them apart, and the later is the greater."""
    digest = digest_of(f"{slate}/{number}".encode())
    return replace(
        stub(slate),
        provider="siliconflow",
        model="Wan-AI/Wan2.2-T2V-A14B",
        fingerprint=digest,
        request={"mode": "text_to_video", "prompt": f"a ferry {number}", "size": "1280x720"},
        seed=7,
        request_id=f"{slate}/{number}",
        output=Output(path=f"renders/{slate}.mp4", sha256=digest, bytes=812345, width=1280, height=720),
        rendered_at=f"2026-11-20T10:0{number}:00Z",
        cost=Cost(amount=2.0, currency="cny"),
    )


def lock_of(*slates: str, **renders: int) -> Lock:
    """Takes that were never rendered, in this order, but for those of `a=2`: take 1 of that shot in its second."""
    numbers = {f"{shot}-t01": number for shot, number in renders.items()}
    made = {slate: render(slate, numbers[slate]) if slate in numbers else stub(slate) for slate in slates}
    return Lock(made)


def takes(shots: str) -> list[str]:
    """`a b` as `a-t01`, `b-t01`."""
    return [f"{shot}-t01" for shot in shots.split()]


def merged(a: Lock, b: Lock, base: Lock | None = None) -> Lock:
    """The merged lock; the same, and said in the same words, whichever side is which."""
    one, other = merge(a, b, base), merge(b, a, base)
    assert locktext.dump(one.lock) == locktext.dump(other.lock)
    assert one.decisions == other.decisions
    return one.lock


# --- takes -----------------------------------------------------------------------------------------------------


def test_each_side_gives_what_it_has_rendered() -> None:
    base = lock_of(*takes("a b c"))
    found = merged(lock_of(*takes("a b c"), a=1), lock_of(*takes("a b c"), c=1), base)
    assert found == lock_of(*takes("a b c"), a=1, c=1)


def test_what_was_pruned_or_renamed_on_one_side_is_gone_and_what_the_other_has_added_is_there() -> None:
    base = lock_of(*takes("a b c"), a=1, b=1, c=1)
    ours = base.renamed("b", "z")
    theirs = lock_of(*takes("a c d"), a=1, c=1, d=1)
    assert list(merged(ours, theirs, base)) == takes("a z c d")


def test_an_empty_base_is_none() -> None:
    a, b = lock_of(*takes("a b"), a=1), lock_of(*takes("a b"), b=1)
    assert merged(a, b, Lock()) == merged(a, b) == lock_of(*takes("a b"), a=1, b=1)


def test_what_had_to_be_decided_is_said_by_slate_in_the_order_of_the_lock() -> None:
    base = lock_of(*takes("b a c"), c=1)
    decisions = merge(lock_of(*takes("b a"), a=1, b=1), lock_of(*takes("b a c"), a=2, b=2, c=2), base).decisions
    assert [one.partition(":")[0] for one in decisions] == [
        "`b-t01` was rendered on both sides",
        "`a-t01` was rendered on both sides",
        "`c-t01` was removed on one side and changed on the other",
    ]
    assert decisions[0].endswith(
        "the record is `b-t01/2` of 2026-11-20T10:02:00Z; kept under it: `b-t01/1` of 2026-11-20T10:01:00Z"
    )


# --- text ------------------------------------------------------------------------------------------------------


def read(text: str) -> Lock:
    return locktext.parse(text, "shots.lock")


def test_what_no_side_has_changed_is_written_as_it_was_read() -> None:
    text = locktext.dump(lock_of(*takes("b a c"), a=1, b=2))
    ours = text.replace("10:01:00Z", "11:01:00Z")
    assert locktext.dump(merged(read(ours), read(text), read(text))) == ours


def test_fields_of_a_later_release_stay_where_they_stand_and_so_does_its_version() -> None:
    text = locktext.dump(lock_of(*takes("a b"), a=1))
    newer = text.replace("vidspec_lock: 1\n", 'vidspec_lock: 1.3\nmood: "blue"\n')
    newer = newer.replace('    shot: "a"\n    take: 1\n', '    shot: "a"\n    take: 1\n    note: "good"\n')
    theirs = text + locktext.dump(lock_of("c-t01", c=1)).partition("takes:\n")[2]
    found = locktext.dump(merged(read(newer), read(theirs), read(text)))
    assert found == newer + theirs.removeprefix(text)
    assert locktext.dump(merged(read(newer), read(theirs))) == found


@pytest.mark.parametrize("versions", [("1.9", "1.10"), ("1", "1.10"), ("1.10", "1.10")])
def test_the_newer_version_is_written(versions: tuple[str, str]) -> None:
    a, b = (Lock(head=Head(version=version)) for version in versions)
    assert merged(a, b).head.version == "1.10"


# --- chosen takes ----------------------------------------------------------------------------------------------

TAKES = ("a-t01", "a-t02", "a-t10", "b-t01")


def choosing(*slates: str) -> Lock:
    """Rendered takes, some of which are chosen."""
    return Lock({slate: replace(render(slate), chosen=slate in slates or None) for slate in TAKES})


@pytest.mark.parametrize(
    ("a", "b", "base", "chosen"),
    [
        pytest.param(["a-t01"], [], None, ["a-t01"], id="on one side"),
        pytest.param(["a-t01"], ["b-t01"], None, ["a-t01", "b-t01"], id="of two shots"),
        pytest.param(["a-t02"], ["a-t10"], None, ["a-t10"], id="another on each side, without a base"),
        pytest.param(["a-t02"], ["a-t10"], ["a-t01"], ["a-t10"], id="another on each side"),
        pytest.param(["a-t02"], ["a-t01"], ["a-t01"], ["a-t02"], id="another on one side"),
        pytest.param([], ["a-t01"], ["a-t01"], [], id="cleared on one side"),
        pytest.param([], ["a-t02"], ["a-t01"], ["a-t02"], id="cleared on one side, another on the other"),
        pytest.param(["a-t02"], ["a-t02"], ["a-t01"], ["a-t02"], id="the same on both sides"),
    ],
)
def test_a_shot_has_the_take_that_was_chosen_last_and_never_two(
    a: list[str], b: list[str], base: list[str] | None, chosen: list[str]
) -> None:
    found = merged(choosing(*a), choosing(*b), None if base is None else choosing(*base))
    assert [slate for slate, record in found.items() if record.chosen] == chosen


def test_a_choice_that_gives_way_is_said() -> None:
    assert merge(choosing("a-t02"), choosing("a-t10")).decisions == (
        "`a-t10` was chosen on one side, `a-t02` on the other: `a-t10` stays chosen",
    )


def test_a_choice_and_a_new_render_of_the_other_take_go_together() -> None:
    base = choosing()
    again = choosing()
    again.put("a-t01", render("a-t01", 2).superseding(render("a-t01")))
    found = merged(choosing("a-t02"), again, base)
    assert found.get("a-t02") == choosing("a-t02").get("a-t02")
    assert found.get("a-t01") == again.get("a-t01")


# --- the order of takes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "base", "expected"),
    [
        pytest.param("z b a", "z b a", None, "z b a", id="the same on both sides"),
        pytest.param("s10 s9", "s9 s10", None, "s9 s10", id="by shot and take, without a base"),
        pytest.param("b a", "b a c", "b a", "b a c", id="one at the end"),
        pytest.param("b a", "b c a", "b a", "b c a", id="one between"),
        pytest.param("b a", "c b a", "b a", "c b a", id="one before"),
        pytest.param("b x a", "b y a", "b a", "b x y a", id="one each at one place"),
        pytest.param("b y a", "b a x", "b a", "b y a x", id="one each, elsewhere"),
        pytest.param("a b", "b a", "b a", "a b", id="moved on one side"),
        pytest.param("a b x", "b a y", "b a", "a y b x", id="moved on one side, added to on both"),
        pytest.param("c a b", "b c a", "a c b", "a b c", id="moved on both sides: by shot and take"),
        pytest.param("a c", "a b c", "a b c", "a c", id="removed on one side"),
    ],
)
def test_the_order_is_that_of_the_side_that_has_changed_it(a: str, b: str, base: str | None, expected: str) -> None:
    found = merged(lock_of(*takes(a)), lock_of(*takes(b)), None if base is None else lock_of(*takes(base)))
    assert list(found) == takes(expected)


# --- laws ------------------------------------------------------------------------------------------------------


@st.composite
def some_locks(draw: st.DrawFn) -> Lock:
    """A lock of some of a few takes, in any order, each rendered or not, chosen or not."""
    made = {}
    for slate in draw(st.lists(st.sampled_from(["a-t01", "a-t02", "b-t01", "c-t01"]), unique=True)):
        number = draw(st.integers(0, 3))
        record = render(slate, number).superseding(render(slate, number - 1)) if number > 1 else stub(slate)
        made[slate] = replace(render(slate) if number == 1 else record, chosen=draw(st.sampled_from([None, True])))
    return Lock(made)


def joined(a: Lock, b: Lock) -> Lock:
    return merge(a, b).lock


def paid(*found: Lock) -> set[str | None]:
    """The request ids that locks know of."""
    tops = [record for lock in found for _, record in lock.items()]
    return {one.request_id for record in tops for one in (record, *record.superseded)} - {None}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(some_locks(), some_locks(), some_locks())
def test_without_a_base_lockfiles_may_be_merged_in_any_order(a: Lock, b: Lock, c: Lock) -> None:
    assert locktext.dump(joined(joined(a, b), c)) == locktext.dump(joined(a, joined(b, c)))
    assert paid(joined(a, b)) == paid(a, b)
    assert joined(a, a) == a
    assert locktext.dump(joined(a, b)) == locktext.dump(joined(b, a))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(some_locks(), some_locks(), some_locks())
def test_with_a_base_neither_side_counts_for_more_and_what_one_left_alone_is_the_others(
    a: Lock, b: Lock, base: Lock
) -> None:
    found = merged(a, b, base)
    lost = paid(a, b) - paid(found)
    left_alone = {slate for slate in base if base.get(slate) in (a.get(slate), b.get(slate))}
    assert {str(request_id).partition("/")[0] for request_id in lost} <= left_alone
    if len(base):
        assert locktext.dump(merged(a, base, base)) == locktext.dump(a)


# --- git's own merge of the text -------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Git with the settings of nobody."""
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def merge_of_text(folder: Path, base: Lock, ours: Lock, theirs: Lock) -> Lock:
    """What git makes of two branches that change a lockfile, without being told what it is."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    for branch, how, lock in (("main", "-B", base), ("theirs", "-B", theirs), ("main", "--", ours)):
        git(folder, "checkout", "--quiet", *([branch] if how == "--" else [how, branch]))
        (folder / "shots.lock").write_text(locktext.dump(lock), encoding="utf-8")
        git(folder, "add", "shots.lock")
        git(folder, "commit", "--quiet", "--message", branch)
    done = git(folder, "merge", "--quiet", "theirs")
    assert done.returncode == 0, done.stdout
    return locktext.parse((folder / "shots.lock").read_text("utf-8"), "shots.lock")


FOUR = ("s010-t01", "s010-t02", "s010-t03", "s020-t01")
NEIGHBOURS = [(done, one, other) for done in ("", "1234", "13", "23") for one, other in combinations(FOUR, 2)]
"""Which of four takes are rendered already, and two of them that are rendered next, each on its branch."""


def with_render(lock: Lock, slate: str) -> Lock:
    """The lock after another render of a take."""
    changed = Lock(dict(lock.items()))
    changed.put(slate, render(slate, 2).superseding(lock.get(slate)))
    return changed


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(("done", "one", "other"), NEIGHBOURS)
def test_two_branches_that_render_different_takes_merge_as_text(
    tmp_path: Path, done: str, one: str, other: str
) -> None:
    numbered = zip("1234", FOUR, strict=True)
    base = Lock({slate: render(slate) if number in done else stub(slate) for number, slate in numbered})
    ours, theirs = with_render(base, one), with_render(base, other)
    found = merge_of_text(tmp_path, base, ours, theirs)
    assert found == with_render(ours, other) == merged(ours, theirs, base)
