"""A list that is read again and again: what is wrong, whose it is, and which files it is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from vidspec import picture
from vidspec.picture import Picture
from vidspec.stills import Fault
from vidspec.watch.reading import KeptFolder, Reader, Reading

Shots = Callable[..., Path]


def read(path: Path, **variables: str) -> Reading:
    return Reader(path.relative_to(Path.cwd()), variables).read()


def drawn(path: Path, colour: str = "red", size: tuple[int, int] = (64, 36)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def names(reading: Reading) -> set[str]:
    return set(map(str, reading.files))


# --- what is wrong -----------------------------------------------------------------------------------------


def test_a_good_list_is_open_and_nothing_is_wrong_with_it(shots: Shots) -> None:
    found = read(shots("- {id: a, prompt: one}"))
    assert found.opened is not None
    assert [take.slate for take in found.opened.takes] == ["a-t01"]
    assert (found.found, found.errors, found.gone) == ((), 0, False)


def test_a_list_with_an_error_is_not_open_and_says_whose_each_is(shots: Shots) -> None:
    found = read(
        shots(
            "- {id: a, prompt: one}\n- {id: b, prompt: x, durration: 2}\n- {id: c, prompt: '{{ y }}'}", "titel: x\n"
        )
    )
    assert found.opened is None
    assert found.errors == 3
    assert [(one.diagnostic.code, one.shot) for one in found.found] == [
        ("E201", None),
        ("E201", "b"),
        ("E302", "c"),
    ]


def test_a_list_that_cannot_be_parsed_has_its_error_at_the_shot_where_it_breaks(shots: Shots) -> None:
    found = read(shots("- {id: a, prompt: one}\n- id: b\n  prompt: 'x\n- {id: c, prompt: y}"))
    (one,) = found.found
    assert (one.diagnostic.code, found.opened) == ("E105", None)
    assert one.shot in ("b", "c")


def test_warnings_are_told_and_stop_nothing(shots: Shots) -> None:
    model = "{id: a, provider: nebula, model: sora-2, prompt: x, resolution: 720p, aspect_ratio: '16:9'}"
    found = read(shots(f"- {model}", defaults="{}"))
    assert found.opened is not None
    assert [(one.diagnostic.code, one.shot) for one in found.found] == [("W601", "a")]
    assert found.errors == 0


def test_accounts_need_not_be_in_order_where_nothing_is_asked_of_them(shots: Shots) -> None:
    found = read(shots("- {id: a, provider: gately, model: T2V-01, prompt: x}", defaults="{}"))
    assert found.opened is not None
    assert found.found == ()


def test_a_list_that_is_gone_is_told_apart_from_one_that_is_wrong(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    reader = Reader(Path(path.name), {})
    assert not reader.read().gone
    path.unlink()
    assert reader.read().gone
    path.write_text("")
    again = reader.read()
    assert (again.gone, again.found[0].diagnostic.code) == (False, "E104")


def test_an_error_of_an_included_file_is_nobodys(shots: Shots, project: Path) -> None:
    (project / "look.yaml").write_text("vidspec: 1\n\n\n\n\n\ndefaults: {provider: [}\n")
    found = read(shots("- {id: a, prompt: one}", "include: [look.yaml]\n"))
    assert [(one.diagnostic.file, one.shot) for one in found.found] == [("look.yaml", None)]


def test_variables_override_and_those_that_nothing_names_are_told(shots: Shots) -> None:
    found = read(shots("- {id: a, prompt: 'the {{ sky }}'}", "vars: {sky: moon}\n"), sky="rain", sun="up")
    assert found.opened is not None
    assert found.opened.takes[0].request["prompt"] == "the rain"
    assert found.unused == ("sun",)


def test_the_chosen_takes_are_those_of_the_lockfile(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: x, first_frame: {shot: a, at: last}}")
    record = 'vidspec_lock: 1\ntakes:\n  a-t02:\n    shot: "a"\n    take: 2\n    chosen: true\n'
    (project / "shots.lock").write_text(record)
    found = read(path)
    assert found.opened is not None
    assert found.opened.takes[2].needs == ("a-t02",)


# --- what it is made of ------------------------------------------------------------------------------------


def test_the_files_are_the_list_what_it_includes_and_the_pictures_that_it_names(
    shots: Shots, project: Path
) -> None:
    (project / "deep.yaml").write_text("vars: {who: nobody}\n")
    (project / "look.yaml").write_text("include: [deep.yaml]\nvars: {which: b}\n")
    drawn(project / "frames/b.png")
    entry = "- {id: a, prompt: x, first_frame: 'frames/{{ which }}.png', references: [c.png]}"
    found = read(shots(entry, "include: [look.yaml]\n"))
    assert names(found) == {"shots.yaml", "look.yaml", "deep.yaml", "frames/b.png", "c.png"}


def test_what_is_missing_is_one_of_the_files_so_that_its_coming_is_seen(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: x, first_frame: a.png}", "include: [look.yaml]\n")
    reader = Reader(Path(path.name), {})
    assert names(reader.read()) == {"shots.yaml", "look.yaml"}
    (project / "look.yaml").write_text("vars: {a: b}\n")
    found = reader.read()
    assert (found.opened, names(found)) == (None, {"shots.yaml", "look.yaml", "a.png"})
    drawn(project / "a.png")
    assert reader.read().opened is not None


def test_while_the_list_is_broken_its_files_are_those_that_it_had(shots: Shots, project: Path) -> None:
    drawn(project / "a.png")
    path = shots("- {id: a, prompt: x, first_frame: a.png}")
    reader = Reader(Path(path.name), {})
    whole = names(reader.read())
    path.write_text("vidspec: 1\nshots: [\n")
    assert names(reader.read()) == whole == {"shots.yaml", "a.png"}


def test_includes_in_a_circle_are_looked_at_once(shots: Shots, project: Path) -> None:
    (project / "look.yaml").write_text("include: [look.yaml, shots.yaml]\n")
    found = read(shots("- {id: a, prompt: x}", "include: [look.yaml]\n"))
    assert {one.diagnostic.code for one in found.found} == {"E211"}
    assert names(found) == {"shots.yaml", "look.yaml"}


@pytest.mark.parametrize("path", ["../b.png", "/etc/hostname", "link.png"])
def test_nothing_outside_of_the_project_is_followed(shots: Shots, project: Path, path: str) -> None:
    drawn(project.parent / "b.png")
    (project / "link.png").symlink_to("../b.png")
    found = read(shots(f"- {{id: a, prompt: x, first_frame: {path}}}"))
    assert [one.diagnostic.code for one in found.found] == ["E502"]
    assert names(found) == {"shots.yaml"}


@pytest.mark.parametrize("item", ["../look.yaml", "/etc/hostname", "link.yaml"])
def test_nothing_outside_of_the_project_is_included_or_followed(shots: Shots, project: Path, item: str) -> None:
    (project.parent / "look.yaml").write_text("include: [more.yaml]\n")
    (project / "link.yaml").symlink_to("../look.yaml")
    found = read(shots("- {id: a, prompt: x}", f"include: [{item}]\n"))
    assert [one.diagnostic.code for one in found.found] == ["E210"]
    assert names(found) == {"shots.yaml"}


# --- what is not looked at again ---------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures that are looked at."""
    asked: list[str] = []
    look = picture.look

    def noted(path: Path, name: str) -> Picture:
        asked.append(name)
        return look(path, name)

    monkeypatch.setattr(picture, "look", noted)
    return asked


def test_a_picture_is_looked_at_again_only_where_it_has_changed(
    shots: Shots, project: Path, looks: list[str]
) -> None:
    drawn(project / "a.png")
    drawn(project / "b.png")
    path = shots("- {id: a, prompt: x, takes: 2, first_frame: a.png}\n- {id: b, prompt: x, first_frame: b.png}")
    reader = Reader(Path(path.name), {})
    first = reader.read().opened
    assert looks == ["a.png", "b.png"]
    reader.read()
    assert looks == ["a.png", "b.png"]
    drawn(project / "a.png", "blue", (128, 72))
    last = reader.read().opened
    assert looks == ["a.png", "b.png", "a.png"]
    assert first is not None
    assert last is not None
    assert [a.fingerprint == b.fingerprint for a, b in zip(first.takes, last.takes, strict=True)] == [
        False,
        False,
        True,
    ]


def test_a_picture_that_was_not_there_is_looked_for_each_time(project: Path) -> None:
    kept = KeptFolder(project)
    for _ in range(2):
        kept.begin()
        assert isinstance(kept.picture("a.png"), Fault)
    drawn(project / "a.png")
    kept.begin()
    assert isinstance(kept.picture("a.png"), Picture)
    assert kept.asked == {project / "a.png"}


def test_a_sound_is_no_picture_of_the_same_name(project: Path) -> None:
    (project / "a").write_bytes(b"RIFF....WAVE")
    kept = KeptFolder(project)
    kept.begin()
    assert isinstance(kept.picture("a"), Fault)
    assert not isinstance(kept.sound("a"), Fault)


def test_what_is_asked_for_no_more_is_forgotten(project: Path, looks: list[str]) -> None:
    drawn(project / "a.png")
    kept = KeptFolder(project)
    kept.begin()
    kept.picture("a.png")
    kept.begin()
    kept.begin()
    kept.picture("a.png")
    assert looks == ["a.png", "a.png"]
