"""Git told to merge lockfiles by takes: what is set up, and what git then makes of two branches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import locktext, merge_driver
from vidspec.errors import LockError, UsageError
from vidspec.fingerprint import digest
from vidspec.lock import Lock, Output, Record

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

LIST = "vidspec: 1\nshots:\n- {id: a, prompt: x}\n"
PROGRAM = """#!{python}
import sys
from pathlib import Path
from vidspec.commands import lock_merge
from vidspec.console import Console
lock, merge, a, b, base_option, base, out_option, out = sys.argv[1:]
assert (lock, merge, base_option, out_option) == ("lock", "merge", "--base", "-o")
sys.exit(lock_merge.run(Path(a), Path(b), base=Path(base), out=Path(out), quiet=False, console=Console()))
"""
"""The command as the driver calls it."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of nobody's settings, with git and `vidspec` alone on the path; the test runs in it."""
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for name, value in {**names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(name, value)
    programs, folder = tmp_path / "bin", tmp_path / "film"
    for one in (programs, folder):
        one.mkdir()
    (programs / "vidspec").write_text(PROGRAM.format(python=sys.executable))
    (programs / "vidspec").chmod(0o755)
    (programs / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(folder)
    git("init", "--quiet", "--initial-branch=main")
    return folder


def git(*arguments: str, fails: bool = False) -> str:
    """What git says, on both streams."""
    command = ["git", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


# --- what is set up --------------------------------------------------------------------------------------------


def test_the_lockfiles_of_a_folder_are_those_of_its_lists_and_those_that_are_there(tmp_path: Path) -> None:
    for name, text in {
        "shots.yaml": LIST,
        "teaser.yml": f"# a film\n{LIST}",
        "cast.yaml": "vars: {a: b}\n",
        "workflow.yaml": "shots: []\n",
        "old.lock": "vidspec_lock: 1\ntakes: {}\n",
        "uv.lock": "version = 1\n",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "yarn.lock").mkdir()
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    assert merge_driver.lockfiles(tmp_path) == ["old.lock", "shots.lock", "teaser.lock"]
    assert merge_driver.lockfiles(tmp_path / "no-such-folder") == []


NAMES = ["shots.lock", "my film.lock", "a*b[c]?.lock", "#1!.lock", '"x".lock', "夜渡.lock", "back\\slash.lock"]


def test_git_finds_exactly_the_named_files_whatever_their_names(repository: Path) -> None:
    done = merge_driver.set_up(repository, NAMES)
    assert [verb for verb, _ in done] == ["wrote", "set", "set"]
    others = ["uv.lock", "axb[c]?.lock", "a*bcx.lock", "below/shots.lock", "shots.lockx"]
    said = git("check-attr", "-z", "merge", "--", *NAMES, *others).split("\0")[2::3]
    assert said == [merge_driver.NAME] * len(NAMES) + ["unspecified"] * len(others)


def test_setting_up_again_changes_nothing(repository: Path) -> None:
    merge_driver.set_up(repository, ["shots.lock"])
    before = [(repository / name).read_bytes() for name in (".gitattributes", ".git/config")]
    assert merge_driver.set_up(repository, ["shots.lock"]) == []
    assert [(repository / name).read_bytes() for name in (".gitattributes", ".git/config")] == before


@pytest.mark.parametrize("former", ["*.png binary", "*.png binary\n", "*.lock -text\n"])
def test_what_stood_in_the_attributes_stays(repository: Path, former: str) -> None:
    (repository / ".gitattributes").write_text(former)
    (repository / ".gitattributes").chmod(0o640)
    merge_driver.set_up(repository, ["shots.lock"])
    lines = (repository / ".gitattributes").read_text().splitlines()
    assert lines == [former.strip(), merge_driver._WHY, "/shots.lock merge=vidspec-lock"]
    assert (repository / ".gitattributes").stat().st_mode & 0o777 == 0o640


def test_attributes_that_name_the_driver_elsewhere_are_enough(repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.lock merge=vidspec-lock\n")
    (repository / "first").mkdir()
    done = merge_driver.set_up(repository / "first", ["shots.lock"])
    assert [verb for verb, _ in done] == ["set", "set"]
    assert list((repository / "first").iterdir()) == []


def test_a_driver_of_that_name_is_replaced_and_what_it_was_is_said(repository: Path) -> None:
    git("config", "merge.vidspec-lock.driver", "old %A")
    done = merge_driver.set_up(repository, ["shots.lock"])
    assert done[2] == ("set", "merge.vidspec-lock.driver in the settings of this clone; it was: old %A")
    assert git("config", "merge.vidspec-lock.driver").strip() == merge_driver.SETTINGS["merge.vidspec-lock.driver"]


def test_the_settings_can_be_taken_back_as_it_says(repository: Path) -> None:
    before = (repository / ".git/config").read_bytes()
    merge_driver.set_up(repository, ["shots.lock"])
    git("config", "--remove-section", merge_driver.SECTION)
    assert (repository / ".git/config").read_bytes() == before


@pytest.mark.parametrize("inside", [".", "films/first", "films/first/of/all"])
def test_a_folder_that_is_still_to_be_made_is_in_the_repository_around_it(repository: Path, inside: str) -> None:
    merge_driver.require_repository(repository / inside)
    merge_driver.require_repository(Path(inside))


def test_outside_of_a_working_tree_there_is_nothing_to_set_up(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match=r"is in no git repository; nothing was set up\n.*`git init`"):
        merge_driver.require_repository(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is not in the working tree of a git repository"):
        merge_driver.require_repository(repository / ".git")


def test_without_git_there_is_one_clear_message(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(UsageError, match=r"^git is not installed, or not on the path; nothing was set up$"):
        merge_driver.require_repository(repository)


def test_what_git_refuses_is_said_in_its_own_words(repository: Path) -> None:
    (repository / ".git/config").write_text("[broken\n")
    with pytest.raises(UsageError, match=r"^git refuses: bad config line 1 in file"):
        merge_driver.set_up(repository, ["shots.lock"])


@pytest.mark.parametrize("what", ["a folder", "a link"])
def test_attributes_that_cannot_be_written_are_one_clear_message(repository: Path, what: str) -> None:
    place = repository / ".gitattributes"
    if what == "a folder":
        place.mkdir()
    else:
        (repository / "other").write_text("mine\n")
        place.symlink_to("other")
    with pytest.raises(UsageError, match=r"\.gitattributes`"):
        merge_driver.set_up(repository, ["shots.lock"])
    if what == "a link":
        assert (repository / "other").read_text() == "mine\n"


# --- what git makes of two branches ----------------------------------------------------------------------------


def stub(slate: str) -> Record:
    """A take that was never rendered."""
    shot, _, number = slate.rpartition("-t")
    return Record(shot=shot, take=int(number))


def render(slate: str, number: int = 1) -> Record:
    """A render of a take, made in the minute of its number."""
    clip = digest(f"{slate}/{number}".encode())
    return replace(
        stub(slate),
        provider="siliconflow",
        model="m",
        fingerprint=clip,
        request={"mode": "text_to_video", "prompt": f"prompt {number}"},
        request_id=f"r{number}",
        output=Output(path=f"renders/{slate}.mp4", sha256=clip, bytes=number),
        rendered_at=f"2026-11-20T10:0{number}:00Z",
    )


def lock_of(*records: Record) -> Lock:
    return Lock({f"{record.shot}-t{record.take:02d}": record for record in records})


STUBS = (stub("a-t01"), stub("a-t02"), stub("b-t01"))


@pytest.fixture
def branches(repository: Path) -> Callable[..., str]:
    """Makes two branches with a lockfile each, merges them, and returns what was said. None is no lockfile yet."""

    def merge(
        base: Lock | None, ours: Lock, theirs: Lock, *, fails: bool = False, driver: bool = True, how: str = "merge"
    ) -> str:
        git("commit", "--quiet", "--allow-empty", "--message", "begin")
        if driver:
            merge_driver.set_up(repository, ["shots.lock"])
            git("add", ".gitattributes")
        _commit(repository, base)
        git("checkout", "--quiet", "-b", "theirs")
        _commit(repository, theirs)
        git("checkout", "--quiet", "main")
        _commit(repository, ours)
        return git(how, "theirs", *(() if how == "rebase" else ("--message", "merged")), fails=fails)

    return merge


def _commit(folder: Path, lock: Lock | None) -> None:
    if lock is not None:
        (folder / "shots.lock").write_text(locktext.dump(lock))
        git("add", "shots.lock")
    git("commit", "--quiet", "--allow-empty", "--message", "a lock")


def found(folder: Path) -> Lock:
    """The lockfile after the merge, with nothing left over beside it."""
    assert {path.name for path in folder.iterdir()} <= {".git", ".gitattributes", "shots.lock"}
    return locktext.read(folder / "shots.lock")


BOTH = (lock_of(render("a-t01", 1), *STUBS[1:]), lock_of(render("a-t01", 2), *STUBS[1:]))


@pytest.mark.slow
def test_two_renders_of_one_take_are_a_conflict_without_the_driver(
    repository: Path, branches: Callable[..., str]
) -> None:
    branches(lock_of(*STUBS), *BOTH, driver=False, fails=True)
    with pytest.raises(LockError, match="merge conflict"):
        found(repository)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["merge", "rebase"])
def test_two_renders_of_one_take_merge_and_both_are_kept(
    repository: Path, branches: Callable[..., str], how: str
) -> None:
    said = branches(lock_of(*STUBS), *BOTH, how=how)
    assert "`a-t01` was rendered on both sides: the record is `r2` of" in said
    assert found(repository) == lock_of(render("a-t01", 2).superseding(render("a-t01", 1)), *STUBS[1:])
    assert git("status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        pytest.param(
            lock_of(render("a-t01"), render("a-t02"), render("b-t01")),
            lock_of(render("a-t01"), render("b-t01")),
            lock_of(render("a-t01", 2).superseding(render("a-t01")), render("a-t02"), render("b-t01")),
            lock_of(render("a-t01", 2).superseding(render("a-t01")), render("b-t01")),
            id="one pruned and its neighbour rendered",
        ),
        pytest.param(
            lock_of(*STUBS),
            lock_of(*STUBS, render("c-t01")),
            lock_of(*STUBS, render("d-t01")),
            lock_of(*STUBS, render("c-t01"), render("d-t01")),
            id="a new shot at the end of both",
        ),
        pytest.param(
            None,
            lock_of(render("a-t01"), stub("b-t01")),
            lock_of(stub("a-t01"), render("b-t01")),
            lock_of(render("a-t01"), render("b-t01")),
            id="both have begun the lockfile",
        ),
        pytest.param(
            lock_of(render("a-t01"), stub("b-t01")),
            lock_of(render("a-t01"), stub("b-t01")).renamed("a", "z"),
            lock_of(render("a-t01"), render("b-t01")),
            lock_of(replace(render("a-t01"), shot="z"), render("b-t01")),
            id="one renamed and its neighbour rendered",
        ),
    ],
)
def test_what_git_takes_for_a_conflict_is_none(
    repository: Path, branches: Callable[..., str], base: Lock | None, ours: Lock, theirs: Lock, expected: Lock
) -> None:
    branches(base, ours, theirs)
    assert found(repository) == expected
    assert git("status", "--porcelain") == ""


@pytest.mark.slow
def test_in_a_clone_that_was_not_told_git_merges_as_it_does_any_text(
    repository: Path, branches: Callable[..., str]
) -> None:
    merge_driver.set_up(repository, ["shots.lock"])
    git("config", "--remove-section", merge_driver.SECTION)
    ours, theirs = lock_of(render("a-t01"), *STUBS[1:]), lock_of(STUBS[0], render("a-t02"), STUBS[2])
    branches(lock_of(*STUBS), ours, theirs, driver=False)
    assert locktext.read(repository / "shots.lock") == lock_of(render("a-t01"), render("a-t02"), STUBS[2])


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["the command fails", "the command is not there"])
def test_where_the_driver_fails_git_leaves_its_ordinary_conflict(
    repository: Path, branches: Callable[..., str], trouble: str, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "vidspec"
    program.write_text("#!/bin/sh\necho error: no >&2\nexit 2\n")
    if trouble == "the command is not there":
        program.unlink()
    branches(lock_of(*STUBS), *BOTH, fails=True)
    text = (repository / "shots.lock").read_text()
    marks = [line for line in text.splitlines() if line.startswith(("<<<<<<<", "=======", ">>>>>>>"))]
    assert marks == ["<<<<<<< ours", "=======", ">>>>>>> theirs"]
    assert '"r1"' in text
    assert '"r2"' in text
    assert git("status", "--porcelain") == "UU shots.lock\n"
