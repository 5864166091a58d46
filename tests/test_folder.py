"""The project folder: nothing outside of it is opened, and every way a file can fail has a reason."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from vidspec.fingerprint import digest
from vidspec.folder import ProjectFolder
from vidspec.picture import Picture
from vidspec.stills import Fault, SoundFile

if TYPE_CHECKING:
    from pathlib import Path

MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x00 and so on"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a picture and a sound, beside files that are not the project's."""
    folder = tmp_path / "film"
    (folder / "frames").mkdir(parents=True)
    Image.new("RGB", (8, 4)).save(folder / "frames" / "harbour.png")
    Image.new("RGB", (8, 4)).save(tmp_path / "outside.png")
    (tmp_path / "film-two").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "film-two" / "a.png")
    (folder / "rain.mp3").write_bytes(MP3)
    return folder


def fault(project: Path, path: str) -> Fault:
    found = ProjectFolder(project).picture(path)
    assert isinstance(found, Fault)
    return found


def test_a_picture_is_named_as_it_is_written_and_known_by_its_bytes(project: Path) -> None:
    found = ProjectFolder(project).picture("frames/harbour.png")
    assert isinstance(found, Picture)
    assert (found.path, found.format, found.width, found.height) == ("frames/harbour.png", "png", 8, 4)
    assert found.digest == digest((project / "frames" / "harbour.png").read_bytes())


def test_a_sound_is_known_by_its_bytes(project: Path) -> None:
    assert ProjectFolder(project).sound("rain.mp3") == SoundFile(len(MP3), digest(MP3))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../outside.png", id="above"),
        pytest.param("frames/../../outside.png", id="above by a way round"),
        pytest.param("../film-two/a.png", id="a folder whose name begins alike"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("link.png", id="a link to a file outside"),
        pytest.param("elsewhere/outside.png", id="through a link to a folder outside"),
        pytest.param("dangling.png", id="a link to nothing outside"),
    ],
)
def test_nothing_outside_is_opened(project: Path, path: str) -> None:
    (project / "link.png").symlink_to("../outside.png")
    (project / "elsewhere").symlink_to("..")
    (project / "dangling.png").symlink_to("../nothing.png")
    assert fault(project, path).code == "E502"
    sound = ProjectFolder(project).sound(path)
    assert isinstance(sound, Fault)
    assert sound.code == "E502"


def test_an_absolute_path_is_outside_even_where_it_leads_inside(project: Path) -> None:
    assert fault(project, str(project / "frames" / "harbour.png")).code == "E502"


def test_a_link_inside_the_project_is_followed(project: Path) -> None:
    (project / "link.png").symlink_to("frames/harbour.png")
    assert isinstance(ProjectFolder(project).picture("link.png"), Picture)


def test_a_project_that_is_itself_reached_by_a_link_is_one(project: Path) -> None:
    (project.parent / "alias").symlink_to("film")
    assert isinstance(ProjectFolder(project.parent / "alias").picture("frames/harbour.png"), Picture)


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        pytest.param("frames/harbor.png", "E501", "there is no file `frames/harbor.png`", id="missing"),
        pytest.param("nowhere/a.png", "E501", "there is no file", id="missing with its folder"),
        pytest.param("frames", "E501", "`frames` is a directory", id="a directory"),
        pytest.param("", "E501", "is a directory", id="the project itself"),
        pytest.param("a\0b", "E501", r"`a\x00b`: embedded null byte", id="a null byte"),
        pytest.param("x" * 300, "E501", "file name too long", id="a name too long"),
        pytest.param("loop.png", "E501", "", id="a link to itself"),
        pytest.param("rain.mp3", "E503", "is not a picture", id="no picture"),
        pytest.param("empty.png", "E503", "is empty", id="empty"),
    ],
)
def test_a_file_that_cannot_be_used_has_a_reason(project: Path, path: str, code: str, said: str) -> None:
    (project / "loop.png").symlink_to("loop.png")
    (project / "empty.png").touch()
    found = fault(project, path)
    assert found.code == code
    assert said in found.message


def test_the_nearest_file_is_offered_with_its_folder(project: Path) -> None:
    assert fault(project, "frames/harbor.png").help == "the nearest is `frames/harbour.png`"
    assert "named from there" in fault(project, "frames/zzz.webp").help


@pytest.mark.parametrize(
    ("data", "code"),
    [pytest.param(b"", "E503", id="empty"), pytest.param(b"<html>", "E503", id="a page")],
)
def test_what_is_no_sound_is_refused(project: Path, data: bytes, code: str) -> None:
    (project / "a.mp3").write_bytes(data)
    found = ProjectFolder(project).sound("a.mp3")
    assert isinstance(found, Fault)
    assert found.code == code


def test_a_pipe_is_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "pipe.png")
    assert fault(project, "pipe.png").code == "E501"


def test_each_file_is_looked_at_once(project: Path) -> None:
    folder = ProjectFolder(project)
    first, missing = folder.picture("frames/harbour.png"), folder.picture("later.png")
    (project / "frames" / "harbour.png").rename(project / "later.png")
    assert folder.picture("frames/harbour.png") is first
    assert folder.picture("later.png") is missing
