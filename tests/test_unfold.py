"""Entries into shots: the matrix, the defaults under the settings, ids, and where each thing was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vidspec import shotlist, unfold
from vidspec.shot import Problem, Shot

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.unfold import Unfolding


def unfolded(folder: Path, text: str, **overrides: Any) -> Unfolding:
    path = folder / "shots.yaml"
    path.write_text(f"vidspec: 1\n{text}")
    return unfold.unfold(shotlist.load(path, "shots.yaml"), overrides, set())


def shots(folder: Path, text: str, **overrides: Any) -> list[Shot]:
    found = unfolded(folder, text, **overrides)
    assert found.diagnostics == []
    return [shot for shot, _ in found.shots]


def settings(folder: Path, defaults: str, shot: str) -> dict[str, Any]:
    (found,) = shots(folder, f"defaults: {{{defaults}}}\nshots: [{{id: a{shot}}}]\n")
    return dict(found.settings)


def faults(folder: Path, text: str) -> list[str]:
    found = unfolded(folder, text)
    return [f"{one.line}:{one.column} {one.code} {one.message}" for one in found.diagnostics]


# --- the matrix ------------------------------------------------------------------------------------------


def test_a_matrix_makes_every_combination_in_the_order_in_which_it_is_written(tmp_path: Path) -> None:
    text = "shots: [{id: '{{ a }}-{{ b }}', matrix: {a: [x, y], b: [1, 2]}}, {id: z}]\n"
    assert [shot.id for shot in shots(tmp_path, text)] == ["x-1", "x-2", "y-1", "y-2", "z"]


def test_a_value_of_the_matrix_stands_over_the_shots_variables_and_those_over_the_lists(tmp_path: Path) -> None:
    text = (
        "vars: {a: list, b: list, c: list}\n"
        "shots: [{id: '{{ a }}-{{ b }}-{{ c }}', vars: {a: shot, b: shot}, matrix: {a: [matrix]}}]\n"
    )
    assert [shot.id for shot in shots(tmp_path, text)] == ["matrix-shot-list"]
    assert [shot.id for shot in shots(tmp_path, text, a="line", b="line")] == ["matrix-line-list"]


def test_a_matrix_without_names_makes_one_shot(tmp_path: Path) -> None:
    assert [shot.id for shot in shots(tmp_path, "shots: [{id: a, matrix: {}}]\n")] == ["a"]


def test_all_that_a_person_reads_is_expanded(tmp_path: Path) -> None:
    text = (
        "vars: {hour: night}\n"
        "shots: [{id: a, scene: '{{ hour }}', tags: ['{{ hour }}', '{{ shot.id }}'], notes: '{{ title }}!',"
        " skip: true}]\n"
    )
    (found,) = shots(tmp_path, f"title: Ferry\n{text}")
    assert (found.scene, found.tags, found.notes, found.skipped) == ("night", ("night", "a"), "Ferry!", True)


def test_the_number_of_shots_is_bounded_over_all_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfold, "MAX_SHOTS", 5)
    text = "shots: [{id: 'a{{ n }}', matrix: {n: [1, 2, 3]}}, {id: 'b{{ n }}', matrix: {n: [1, 2%s]}}]\n"
    assert len(shots(tmp_path, text % "")) == 5
    found = unfolded(tmp_path, text % ", 3")
    assert [(one.code, one.column) for one in found.diagnostics] == [("E224", 56)]
    assert len(found.shots) == 3


# --- settings over settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("defaults", "shot", "wanted"),
    [
        pytest.param("fps: 24", "", {"fps": 24}, id="the default"),
        pytest.param("fps: 24", ", fps: 25", {"fps": 25}, id="the shot's own"),
        pytest.param("fps: 24", ", fps: null", {}, id="null drops it"),
        pytest.param("fps: null", ", fps: 25", {"fps": 25}, id="null under defaults is nothing"),
        pytest.param("camera: [shake]", ", camera: [push in]", {"camera": ["push in"]}, id="lists are replaced"),
        pytest.param("camera: [shake]", ", camera: []", {"camera": []}, id="an empty list is a list"),
        pytest.param(
            "options: {a: 1, b: 2}",
            ", options: {b: 3, c: 4}",
            {"options": {"a": 1, "b": 3, "c": 4}},
            id="options by name",
        ),
        pytest.param(
            "options: {a: 1, b: 2}", ", options: {a: null}", {"options": {"b": 2}}, id="an option dropped"
        ),
        pytest.param("options: {a: 1}", ", options: null", {}, id="all options dropped"),
        pytest.param(
            "options: {a: {b: 1}}", ", options: {a: {c: 1}}", {"options": {"a": {"c": 1}}}, id="no deeper"
        ),
        pytest.param(
            "size: 1280x720",
            ", resolution: 480p",
            {"resolution": "480p", "aspect_ratio": "16:9"},
            id="a tier keeps the ratio",
        ),
        pytest.param(
            "size: 1280x720",
            ', aspect_ratio: "1:1"',
            {"resolution": "720p", "aspect_ratio": "1:1"},
            id="a ratio keeps the tier",
        ),
        pytest.param(
            'resolution: 480p, aspect_ratio: "1:1"', ", size: 64x36", {"size": "64x36"}, id="a size replaces both"
        ),
        pytest.param("size: 1280x720", ", size: 64x36", {"size": "64x36"}, id="a size replaces a size"),
        pytest.param("size: 1280x720", ", size: null", {}, id="a size dropped"),
        pytest.param(
            "size: 1280x720",
            ", size: null, resolution: 480p",
            {"resolution": "480p", "aspect_ratio": "16:9"},
            id="a tier instead",
        ),
        pytest.param(
            'resolution: 480p, aspect_ratio: "1:1"',
            ", resolution: 720p",
            {"resolution": "720p", "aspect_ratio": "1:1"},
            id="one of the two",
        ),
        pytest.param(
            "size: wide", ", resolution: 480p", {"resolution": "480p"}, id="what is no size keeps nothing"
        ),
    ],
)
def test_a_shots_settings_stand_over_the_defaults(
    tmp_path: Path, defaults: str, shot: str, wanted: dict[str, Any]
) -> None:
    assert settings(tmp_path, defaults, shot) == wanted


def test_defaults_of_included_files_lie_under_those_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "far.yaml").write_text("defaults: {fps: 24, size: 1280x720, prompt: a}\n")
    (tmp_path / "near.yaml").write_text("defaults: {resolution: 480p, prompt: null}\n")
    (found,) = shots(tmp_path, "include: [far.yaml, near.yaml]\ndefaults: {fps: 25}\nshots: [{id: a}]\n")
    assert found.settings == {"fps": 25, "resolution": "480p", "aspect_ratio": "16:9"}


def test_a_default_of_a_wrong_shape_is_passed_over_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text("vidspec: 1\ndefaults: {fps: fast, prompt: a, zoom: 1}\nshots: [{id: a}]\n")
    ((shot, _),) = unfold.unfold(shotlist.load(path, "shots.yaml"), {}, set()).shots
    assert shot.settings == {"prompt": "a"}


# --- ids -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "0", "s010", "S.0_1-x", "a" * 100])
def test_an_id_can_be_a_file_name(tmp_path: Path, name: str) -> None:
    assert [shot.id for shot in shots(tmp_path, f"shots: [{{id: '{name}'}}]\n")] == [name]


@pytest.mark.parametrize("name", [".a", "-a", "_a", "a/b", "a b", "é", "a\\n", "..", "a" * 101, "{{ n }}"])
def test_any_other_id_is_an_error(tmp_path: Path, name: str) -> None:
    (found,) = faults(tmp_path, f'vars: {{n: ""}}\nshots: [{{id: "{name}"}}]\n')
    assert found.startswith("3:14 E221")


def test_the_first_of_two_shots_with_one_id_is_kept(tmp_path: Path) -> None:
    text = "shots: [{id: a, fps: 24}, {id: b}, {id: A, fps: 25}]\n"
    found = unfolded(tmp_path, text)
    assert [(shot.id, shot.settings) for shot, _ in found.shots] == [("a", {"fps": 24}), ("b", {})]
    assert [(one.code, one.column, one.shot) for one in found.diagnostics] == [("E220", text.index("A") + 1, "A")]


@pytest.mark.parametrize(
    "shot",
    [
        pytest.param("id: 'a{{ x }}'", id="id"),
        pytest.param("id: a, scene: '{{ x }}'", id="scene"),
        pytest.param("id: a, tags: [x, '{{ x }}']", id="tags"),
        pytest.param("id: a, notes: 'x {{ x }}'", id="notes"),
        pytest.param("id: '{{ y }}', vars: {y: '{{ x }}'}", id="a variable"),
    ],
)
def test_a_template_that_fails_is_told_of_where_it_is_written(tmp_path: Path, shot: str) -> None:
    text = f"shots: [{{{shot}}}]\n"
    assert faults(tmp_path, text) == [f"2:{text.index('x }}') + 1} E302 `x` is not defined"]


# --- where things were written -----------------------------------------------------------------------------

WRITTEN = """\
include: [far.yaml]
output: a.mp4
vars: {hero: Ada}
defaults:
  size: 1000x720
  options: {a: 1}
shots:
  - id: s010
    prompt: null
    first_frame: {shot: s000}
    options: {b: 2}
    vars: {boat: x}
    matrix: {n: [1]}
"""


@pytest.mark.parametrize(
    ("problem", "where"),
    [
        pytest.param({"setting": ""}, ("shots.yaml", 9, 9), id="no setting: the id"),
        pytest.param({"setting": "fps"}, ("far.yaml", 1, 17), id="an included default"),
        pytest.param({"setting": "size"}, ("shots.yaml", 6, 9), id="the lists default"),
        pytest.param({"setting": "aspect_ratio"}, ("shots.yaml", 6, 9), id="a ratio that follows from a size"),
        pytest.param({"setting": "seed"}, ("shots.yaml", 9, 9), id="written nowhere: the id"),
        pytest.param({"setting": "prompt"}, ("shots.yaml", 10, 13), id="dropped by null"),
        pytest.param({"setting": "output"}, ("shots.yaml", 3, 9), id="the lists output"),
        pytest.param({"setting": "options", "path": ("a",)}, ("shots.yaml", 7, 16), id="an option of the defaults"),
        pytest.param({"setting": "options", "path": ("b",)}, ("shots.yaml", 12, 18), id="an option of the shot"),
        pytest.param({"setting": "first_frame", "path": ("shot",)}, ("shots.yaml", 11, 25), id="a key inside"),
        pytest.param(
            {"setting": "first_frame", "path": ("take",)}, ("shots.yaml", 11, 18), id="a key nobody wrote"
        ),
        pytest.param({"setting": "vars", "path": ("hero",)}, ("shots.yaml", 4, 14), id="a variable of the list"),
        pytest.param({"setting": "vars", "path": ("boat",)}, ("shots.yaml", 13, 18), id="a variable of the shot"),
        pytest.param({"setting": "vars", "path": ("n",)}, ("shots.yaml", 14, 17), id="a name of the matrix"),
        pytest.param({"setting": "vars", "path": ("far",)}, ("far.yaml", 2, 13), id="an included variable"),
    ],
)
def test_a_problem_is_placed_where_its_setting_is_written(
    tmp_path: Path, problem: dict[str, Any], where: tuple[str, int, int]
) -> None:
    (tmp_path / "far.yaml").write_text("defaults: {fps: 24, prompt: far}\nvars: {far: 1, hero: far}\n")
    (shot,) = shots(tmp_path, WRITTEN)
    found = shot.diagnostic(Problem(code="E404", message="m", **problem))
    assert (found.file, found.line, found.column, found.shot) == (*where, "s010")
