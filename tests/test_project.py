from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vidspec.errors import LockError, ShotListError, UsageError
from vidspec.lock import Lock
from vidspec.project import Chosen, ProjectDisk, chosen_records, diagnose, open_lists, read_lock

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]


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


@pytest.mark.parametrize(
    "command",
    [
        "render shots.yaml --yes",
        "plan shots.yaml",
        "status shots.yaml",
        "diff shots.yaml",
        "accept shots.yaml a",
        "choose shots.yaml a-t01",
        "lock mv shots.yaml a b",
        "lock prune shots.yaml",
    ],
)
def test_a_lockfile_on_a_drive_that_is_not_mounted_is_no_reason_to_begin_anew(
    shots: Shots, vidspec: Vidspec, project: Path, command: str
) -> None:
    shots("- {id: a, prompt: x}")
    (project / "shots.lock").symlink_to("drive/shots.lock")
    ended = vidspec(*command.split())
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot read the lockfile shots.lock: it is a link, and what it leads to is not there" in ended.stderr
    assert (project / "shots.lock").is_symlink()
    assert not (project / "renders").exists()


def test_a_list_that_is_named_twice_is_looked_at_once_and_a_link_to_it_is_another(
    shots: Shots, project: Path
) -> None:
    path = shots("- {id: a, prompt: x, duraton: 2}")
    path.with_name("link.yaml").symlink_to("shots.yaml")
    found, _ = diagnose([path, Path("shots.yaml"), Path("link.yaml"), path], {})
    assert len(found) == 2
    path = shots("- {id: a, prompt: x}")
    _, opened = diagnose([Path("shots.yaml"), path], {})
    assert [one.shot_list.path for one in opened] == [Path("shots.yaml")]


def test_the_disk_tells_files_from_all_else(project: Path) -> None:
    disk = ProjectDisk(project, project / ".vidspec")
    (project / "a.mp4").write_bytes(b"clip")
    (project / "b.mp4").mkdir()
    (project / "c.mp4").symlink_to("gone.mp4")
    (project / "d.mp4").symlink_to("a.mp4")
    sizes = [disk.size(name) for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4", "a.mp4/b.mp4", "nul\0.mp4")]
    assert sizes == [4, None, None, 4, None, None, None]


CHOSEN = """\
vidspec_lock: 1
takes:
  a-t01:
    shot: "a"
    take: 1
  a-t02:
    shot: "a"
    take: 2
    chosen: true
  a-t03:
    shot: "a"
    take: 3
    chosen: true
"""
GOES_ON = "- {id: a, prompt: x, takes: 3}\n- {id: b, prompt: y, first_frame: {shot: a}}"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        pytest.param(CHOSEN, "a-t02", id="the first of two that a merge has left"),
        pytest.param(CHOSEN.replace("    chosen: true\n", ""), "a-t01", id="none"),
        pytest.param(f"# by hand\n{CHOSEN}", "a-t02", id="touched by hand"),
        pytest.param(CHOSEN.replace("\n", "\r\n"), "a-t02", id="line ends of Windows"),
        pytest.param(
            "vidspec_lock: 1\ntakes: {a-t03: {chosen: true, take: 3, shot: a}}\n", "a-t03", id="another form"
        ),
        pytest.param(CHOSEN.replace("chosen: true", "chosen: false", 1), "a-t03", id="said not to be"),
        pytest.param(f"{CHOSEN}<<<<<<< ours\n", "a-t02", id="a conflict elsewhere"),
        pytest.param("- chosen\n", "a-t01", id="no lockfile"),
        pytest.param("\x00chosen", "a-t01", id="no text"),
    ],
)
def test_a_shot_goes_on_from_the_take_that_the_lockfile_says_is_chosen(
    shots: Shots, text: str, needed: str
) -> None:
    path = shots(GOES_ON)
    path.with_suffix(".lock").write_bytes(text.encode())
    found, (opened,) = diagnose([path], {})
    assert found == []
    assert opened.takes[-1].needs == (needed,)


def test_a_word_in_a_prompt_chooses_nothing(shots: Shots, vidspec: Callable[..., object]) -> None:
    path = shots(GOES_ON.replace("prompt: x", "prompt: 'a chosen one'"))
    vidspec("render", "shots.yaml")
    lock = path.with_suffix(".lock")
    lock.write_text(lock.read_text().replace("    take: 3\n", "    take: 3\n    chosen: true\n"))
    _, (opened,) = diagnose([path], {})
    assert opened.takes[-1].needs == ("a-t03",)


def test_a_lockfile_that_cannot_be_read_breaks_no_validation(shots: Shots) -> None:
    path = shots(GOES_ON)
    path.with_suffix(".lock").mkdir()
    found, (opened,) = diagnose([path], {})
    assert (found, opened.takes[-1].needs) == ([], ("a-t01",))


def test_the_lockfile_is_not_looked_into_where_no_shot_asks_for_a_chosen_take(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    class Watched(Chosen):
        def __getitem__(self, shot: str) -> int:
            looks.append(shot)
            return super().__getitem__(shot)

    monkeypatch.setattr("vidspec.project.Chosen", Watched)
    diagnose([shots(GOES_ON.replace("{shot: a}", "{shot: a, take: 2}"))], {})
    assert looks == []
    diagnose([shots(GOES_ON)], {})
    assert looks == ["a"]


def test_what_is_chosen_may_be_given_instead(shots: Shots) -> None:
    path = shots(GOES_ON)
    path.with_suffix(".lock").write_text(CHOSEN)
    (opened,), _ = open_lists([path], {}, chosen={"a": 3})
    assert opened.takes[-1].needs == ("a-t03",)


def test_what_is_chosen_is_a_mapping_by_shot(shots: Shots) -> None:
    lock = shots(GOES_ON).with_suffix(".lock")
    lock.write_text(CHOSEN)
    assert dict(Chosen(lock)) == {"a": 2}
    assert len(Chosen(lock)) == 1
    assert list(chosen_records(read_lock(lock))) == ["a-t02", "a-t03"]


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
