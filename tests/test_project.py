from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vidspec.errors import LockError, ShotListError, UsageError
from vidspec.lock import Lock
from vidspec.project import ProjectDisk, diagnose, open_lists, read_lock

Shots = Callable[..., Path]


def test_the_lockfile_stands_beside_the_list_under_its_stem(shots: Shots) -> None:
    for name, lock in (
        ("shots.yaml", "shots.lock"),
        ("night.ferry.yml", "night.ferry.lock"),
        ("film", "film.lock"),
    ):
        path = shots("- {id: a, prompt: x}", name=name)
        (opened,), _ = open_lists([path], {})
        assert opened.lock_path == path.with_name(lock)
        assert opened.read() == (Lock(), {})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: path.mkdir(), "is a directory", id="a directory"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), "can't decode byte", id="no text"),
        pytest.param(lambda path: path.write_text("takes: {}\n"), "vidspec_lock", id="no lockfile"),
    ],
)
def test_a_lockfile_that_cannot_be_read_is_one_line_with_its_name(
    project: Path, make: Callable[[Path], object], message: str
) -> None:
    make(project / "shots.lock")
    with pytest.raises(LockError, match=message) as raised:
        list(read_lock(project / "shots.lock").items())
    assert "shots.lock" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_disk_tells_files_from_all_else(project: Path) -> None:
    disk = ProjectDisk(project, project / ".vidspec")
    (project / "a.mp4").write_bytes(b"clip")
    (project / "b.mp4").mkdir()
    (project / "c.mp4").symlink_to("gone.mp4")
    (project / "d.mp4").symlink_to("a.mp4")
    sizes = [disk.size(name) for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4", "a.mp4/b.mp4", "nul\0.mp4")]
    assert sizes == [4, None, None, 4, None, None, None]


def test_all_lists_are_diagnosed_at_once(shots: Shots) -> None:
    one = shots("- {id: a, prompt: x, provider: nobody}", name="one.yaml")
    two = shots("- {id: b, prompt: x, durration: 5}", name="two.yaml")
    missing = one.with_name("three.yaml")
    found, _ = diagnose([two, one, missing], {})
    assert [Path(diagnostic.file).name for diagnostic in found] == ["one.yaml", "three.yaml", "two.yaml"]
    with pytest.raises(ShotListError) as raised:
        open_lists([two, one, missing], {})
    assert raised.value.diagnostics == tuple(found)


def test_a_variable_that_nothing_names_is_refused_and_one_that_one_list_names_is_not(shots: Shots) -> None:
    one = shots("- {id: a, prompt: '{{ weather }}'}", "vars: {weather: rain}\n", name="one.yaml")
    two = shots("- {id: b, prompt: x, output: b.mp4}", name="two.yaml")
    with pytest.raises(UsageError, match="`--var wether=…` is used by nothing"):
        open_lists([one, two], {"wether": "fog"})
    opened, _ = open_lists([one, two], {"weather": "fog"})
    assert opened[0].takes[0].request["prompt"] == "fog"


def test_two_lists_may_not_write_one_clip(shots: Shots) -> None:
    one, two = (shots("- {id: a, prompt: x}", name=name) for name in ("one.yaml", "two.yaml"))
    with pytest.raises(ShotListError) as raised:
        open_lists([one, two], {})
    assert [diagnostic.code for diagnostic in raised.value.diagnostics] == ["E222"]
