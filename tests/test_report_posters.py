from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from vidspec import miniature
from vidspec.report.footage import Footage
from vidspec.report.posters import COPY, POSTER, cache, stills
from vidspec.store import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "posters").mkdir()
    return tmp_path / "posters"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The clips that a poster was made of."""
    seen: list[Path] = []
    poster = miniature.poster

    def noted(clip: Path, width: int) -> bytes:
        seen.append(clip)
        return poster(clip, width)

    monkeypatch.setattr(miniature, "poster", noted)
    return seen


def footage(path: Path, digest: str | None = None) -> Footage:
    return Footage(kind="clip", path=path, digest=digest)


@pytest.fixture
def a(tmp_path: Path, clip: Callable[[int], bytes]) -> Path:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip(1))
    return path


def test_a_poster_is_kept_by_the_digest_of_its_clip_and_made_once(
    a: Path, folder: Path, made: list[Path], tmp_path: Path
) -> None:
    first = stills([footage(a)], folder, POSTER)
    name = file_digest(a).removeprefix("sha256:")
    assert first[a].path == folder / f"{name}.webp"
    again = tmp_path / "b.mp4"
    again.write_bytes(a.read_bytes())
    assert stills([footage(again)], folder, POSTER)[again].path == first[a].path
    assert made == [a]
    assert [path.name for path in folder.iterdir()] == [f"{name}.webp"]


def test_where_the_digest_is_recorded_the_clip_is_not_read_again(a: Path, folder: Path, made: list[Path]) -> None:
    digest = file_digest(a)
    stills([footage(a)], folder, POSTER)
    a.unlink()
    assert stills([footage(a, digest)], folder, POSTER)[a].path is not None


def test_a_recorded_digest_is_not_believed_of_bytes_that_nobody_has_looked_at(
    a: Path, folder: Path, clip: Callable[[int], bytes], tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip(2))
    found = stills([footage(a, file_digest(other))], folder, POSTER)[a].path
    assert found is not None
    assert found.stem == file_digest(a).removeprefix("sha256:")


@pytest.mark.parametrize("digest", ["../../../x", "sha256:../x", "", "sha256:" + "A" * 64])
def test_what_is_no_digest_leads_nowhere(a: Path, folder: Path, digest: str) -> None:
    found = stills([footage(a, digest)], folder, POSTER)[a].path
    assert found is not None
    assert found.parent == folder
    assert found.stem == file_digest(a).removeprefix("sha256:")


def test_a_poster_that_was_lost_half_way_is_made_again(a: Path, folder: Path, made: list[Path]) -> None:
    (folder / f"{file_digest(a).removeprefix('sha256:')}.webp").touch()
    found = stills([footage(a, file_digest(a))], folder, POSTER)[a].path
    assert found is not None
    assert found.stat().st_size > 0
    assert made == [a]


def test_a_small_copy_is_kept_beside_the_poster(a: Path, folder: Path) -> None:
    found = stills([footage(a)], folder, COPY)[a].path
    assert found is not None
    assert found.name.endswith("-320.mp4")


def test_a_fault_is_told_of_each_clip_and_stops_no_other(a: Path, folder: Path, tmp_path: Path) -> None:
    bad, gone = tmp_path / "bad.mp4", tmp_path / "gone.mp4"
    bad.write_bytes(b"<html>")
    told: list[tuple[int, int]] = []
    found = stills(
        [footage(bad), footage(a), footage(gone), footage(a)], folder, POSTER, lambda *far: told.append(far)
    )
    assert found[a].path is not None
    assert (found[bad].path, found[bad].fault) == (None, "the clip is not a clip that can be read")
    assert (found[gone].path, found[gone].fault) == (None, "no such file or directory")
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(list(folder.iterdir())) == 1


def test_posters_are_kept_in_the_project_and_elsewhere_for_the_time_being_where_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cache(tmp_path) as folder:
        assert folder == tmp_path / ".vidspec/posters"
    assert (tmp_path / ".vidspec/.gitignore").exists()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with cache(tmp_path) as other:
        assert other != folder
        assert other.is_dir()
    assert not other.exists()


def test_a_file_in_place_of_the_folder_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / ".vidspec").write_text("")
    with cache(tmp_path) as folder:
        assert folder.is_dir()
