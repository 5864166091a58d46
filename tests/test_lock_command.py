"""`vidspec lock mv`: a renamed shot keeps what was paid for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vidspec.project import read_lock

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

BEFORE = "- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}"
AFTER = BEFORE.replace("id: a", "id: z").replace("shot: a", "shot: z")


@pytest.fixture
def renamed(shots: Shots, vidspec: Vidspec) -> Path:
    """A rendered list in which one shot has been renamed since; the folder."""
    shots(BEFORE)
    assert vidspec("render", "shots.yaml").returncode == 0
    return shots(AFTER).parent


def test_a_renamed_shot_keeps_its_clips_and_nothing_is_rendered(renamed: Path, vidspec: Vidspec) -> None:
    hint = vidspec("plan", "shots.yaml").stdout
    assert "`vidspec lock mv FILE a z`" in hint

    moved = vidspec("lock", "mv", "shots.yaml", "a", "z")

    assert (moved.returncode, moved.stdout) == (0, "moved  a-t01 → z-t01\nmoved  a-t02 → z-t02\n")
    assert "hint" not in vidspec("plan", "shots.yaml").stdout
    render = vidspec("render", "shots.yaml")
    assert render.stdout.startswith("done: 2 takes restored, 1 take kept")
    assert (renamed / "renders/z/z-t01.mp4").read_bytes() == (renamed / "renders/a/a-t01.mp4").read_bytes()
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode").returncode == 0


def test_a_shot_that_was_rendered_under_its_new_name_already_is_not_overwritten(
    renamed: Path, vidspec: Vidspec
) -> None:
    assert vidspec("render", "shots.yaml").returncode == 0
    before = (renamed / "shots.lock").read_text()

    refused = vidspec("lock", "mv", "shots.yaml", "a", "z")

    assert (refused.returncode, "would be overwritten" in refused.stderr) == (2, True)
    assert (renamed / "shots.lock").read_text() == before
    assert vidspec("lock", "mv", "shots.yaml", "a", "y").returncode == 0
    assert read_lock(renamed / "shots.lock").shots() == ["y", "z", "b"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("aa", "z", "the lockfile has no shot `aa`; the nearest is `a`", id="no such shot"),
        pytest.param("a", "a", "`a` has that id already", id="the same"),
        pytest.param("a", "z z", "`z z` cannot be an id", id="no id"),
        pytest.param("a", "../z", "`../z` cannot be an id", id="a path"),
    ],
)
@pytest.mark.usefixtures("renamed")
def test_what_cannot_be_moved_is_one_clear_message(vidspec: Vidspec, old: str, new: str, said: str) -> None:
    refused = vidspec("lock", "mv", "shots.yaml", old, new)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_without_a_lockfile_there_is_nothing_to_move(shots: Shots, vidspec: Vidspec) -> None:
    folder = shots("- {id: a, prompt: x}").parent
    refused = vidspec("lock", "mv", "shots.yaml", "a", "b")
    assert (refused.returncode, refused.stderr) == (2, "error: there is no lockfile shots.lock beside the list\n")
    assert [path.name for path in folder.iterdir()] == ["shots.yaml"]
