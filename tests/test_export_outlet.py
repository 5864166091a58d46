from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from vidspec.errors import UsageError
from vidspec.export.outlet import Outlet

ENDINGS = (".otio",)


def put(target: Path, project: Path, text: str, *, force: bool = False) -> None:
    outlet = Outlet(target, project, force=force)
    outlet.check(ENDINGS, ())
    with outlet.opened() as part:
        part.write_text(text)


def test_what_an_export_wrote_may_be_written_anew(tmp_path: Path) -> None:
    for text in ("one", "two", "two"):
        put(tmp_path / "film.otio", tmp_path, text)
        assert (tmp_path / "film.otio").read_text() == text


def test_what_somebody_else_wrote_stays_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    target = tmp_path / "film.otio"
    target.write_text("mine")
    with pytest.raises(UsageError, match=r"stands there already[^\n]*\n    help: `--force`"):
        put(target, tmp_path, "one")
    assert target.read_text() == "mine"
    put(target, tmp_path, "one", force=True)
    assert target.read_text() == "one"


def test_what_was_changed_since_it_was_written_stays(tmp_path: Path) -> None:
    target = tmp_path / "film.otio"
    put(target, tmp_path, "one")
    target.write_text("one, cut by hand")
    with pytest.raises(UsageError, match="not as an export has left it"):
        put(target, tmp_path, "two")
    put(target, tmp_path, "two", force=True)
    put(target, tmp_path, "three")


def test_a_file_is_known_by_whatever_name_it_is_called_and_after_the_project_has_moved(tmp_path: Path) -> None:
    project = tmp_path / "film"
    (project / "out").mkdir(parents=True)
    put(project / "out" / "film.otio", project, "one")
    put(project / "out" / ".." / "out" / "film.otio", project, "two")
    moved = project.rename(tmp_path / "moved")
    put(moved / "out" / "film.otio", moved, "three")
    assert (moved / "out" / "film.otio").read_text() == "three"


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"film.otio": 7}', "\xff"])
def test_a_memory_that_cannot_be_read_trusts_nobody(tmp_path: Path, memory: str) -> None:
    put(tmp_path / "film.otio", tmp_path, "one")
    (tmp_path / ".vidspec" / "exports.json").write_text(memory, "latin-1")
    with pytest.raises(UsageError, match="--force"):
        put(tmp_path / "film.otio", tmp_path, "two")


def test_the_memory_is_bounded_and_keeps_what_is_newest(tmp_path: Path) -> None:
    (tmp_path / ".vidspec").mkdir()
    full = {f"{number}.otio": "sha256:0" for number in range(600)}
    (tmp_path / ".vidspec" / "exports.json").write_text(json.dumps(full))
    put(tmp_path / "film.otio", tmp_path, "one")
    known = json.loads((tmp_path / ".vidspec" / "exports.json").read_text())
    assert len(known) == 500
    assert list(known)[-1] == "film.otio"


def test_a_folder_that_is_not_there_is_made_and_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "film.otio"
    put(target, tmp_path, "one")
    with pytest.raises(KeyboardInterrupt):
        stopped(target, tmp_path)
    assert [path.name for path in target.parent.iterdir()] == ["film.otio"]
    assert target.read_text() == "one"


def stopped(target: Path, project: Path) -> None:
    with Outlet(target, project, force=False).opened() as part:
        part.write_text("half")
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["film", "film.mp4", "film.otio.bak", ".otio"])
def test_a_file_of_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"does not end in `\.otio`"):
        Outlet(tmp_path / name, tmp_path, force=True).check(ENDINGS, ())


def test_capitals_do_not_matter(tmp_path: Path) -> None:
    Outlet(tmp_path / "FILM.OTIO", tmp_path, force=False).check(ENDINGS, ())


def test_what_is_read_is_never_written_over(tmp_path: Path) -> None:
    clip = tmp_path / "clip.otio"
    clip.write_text("a clip")
    (tmp_path / "film.otio").symlink_to(clip)
    with pytest.raises(UsageError, match="one of the files that are read"):
        Outlet(tmp_path / "film.otio", tmp_path, force=True).check(ENDINGS, [tmp_path / "gone", clip])


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.otio").mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        Outlet(tmp_path / "film.otio", tmp_path, force=True).check(ENDINGS, ())


def test_a_project_that_cannot_be_written_to_is_no_hindrance(tmp_path: Path) -> None:
    project = tmp_path / "film"
    project.mkdir()
    (project / ".vidspec").write_text("not a folder")
    put(tmp_path / "film.otio", project, "one")
    assert (tmp_path / "film.otio").read_text() == "one"


LONG = f"{'a' * 300}.otio"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("shots.yaml/film.otio", "`{folder}/shots.yaml` is not a folder", id="below a file"),
        pytest.param("shots.yaml/a/film.otio", "`{folder}/shots.yaml` is not a folder", id="far below a file"),
        pytest.param(LONG, "file name too long", id="a long name"),
        pytest.param(f"{LONG}/film.otio", "file name too long", id="below a long name"),
        pytest.param("round.otio", "too many levels of symbolic links", id="a link to itself"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_before_any_work_is_done(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "shots.yaml").write_text("a list")
    (tmp_path / "round.otio").symlink_to("round.otio")
    target = tmp_path / name
    with pytest.raises(UsageError) as refused:
        Outlet(target, tmp_path, force=True).check(ENDINGS, ())
    assert str(refused.value) == f"cannot write `{target}`: {reason.format(folder=tmp_path)}"


def test_a_folder_that_takes_no_files_is_told_of_by_the_name_that_was_given() -> None:
    with pytest.raises(UsageError, match=r"^cannot write `/proc/film\.otio`: [a-z -]+$"):
        put(Path("/proc/film.otio"), Path("/proc"), "one")


def test_a_disk_that_is_full_half_way_is_told_of_and_leaves_what_stood_there(tmp_path: Path) -> None:
    target = tmp_path / "film.otio"
    target.write_text("one")
    with pytest.raises(UsageError) as refused:
        filled(target, tmp_path)
    assert str(refused.value) == f"cannot write `{target}`: no space left on device"
    assert target.read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["film.otio"]


def filled(target: Path, project: Path) -> None:
    with Outlet(target, project, force=True).opened() as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device", str(part))


def test_a_file_that_may_not_be_read_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "film.otio", tmp_path, "one")

    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("vidspec.export.outlet.file_digest", refuse)
    with pytest.raises(UsageError, match="--force"):
        put(tmp_path / "film.otio", tmp_path, "two")
