"""A list and its includes as written: which file stands over which, and what is judged of each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import shotlist
from vidspec.errors import ShotListError

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.shotlist import ShotList

SHOTS = "shots: [{id: s010, provider: animatic}]\n"


def load(folder: Path, text: str, name: str = "shots.yaml") -> ShotList:
    path = folder / "shots.yaml"
    path.write_text(f"vidspec: 1\n{text}")
    return shotlist.load(path, name)


def faults(folder: Path, text: str, name: str = "shots.yaml") -> list[str]:
    with pytest.raises(ShotListError) as caught:
        load(folder, text, name)
    return [f"{found.file}:{found.line}:{found.column} {found.code}" for found in caught.value.diagnostics]


def values(found: ShotList, key: str = "vars") -> list[dict[str, Any]]:
    return [dict(layer.mapping) for layer in found.layers(key)]


def test_a_list_is_what_is_written(tmp_path: Path) -> None:
    found = load(tmp_path, f"title: Night ferry\nbudget: {{usd: 5}}\n{SHOTS}")
    assert (found.title, found.budget, found.project, found.entries) == ("Night ferry", {"usd": 5}, tmp_path, (0,))
    assert found.shots == [{"id": "s010", "provider": "animatic"}]
    assert found.diagnostics == ()


def test_a_list_without_a_title_or_budget_has_none(tmp_path: Path) -> None:
    found = load(tmp_path, SHOTS)
    assert (found.title, found.budget, found.layers("vars"), found.accounts()) == ("", None, (), {})


def test_includes_stand_later_over_earlier_and_the_list_over_all(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text(f"vars: {{from: {name}}}\n")
    (tmp_path / "b.yaml").write_text("include: [c.yaml]\nvars: {from: b}\n")
    found = load(tmp_path, f"include: [a.yaml, b.yaml]\nvars: {{from: list}}\n{SHOTS}")
    assert [layer["from"] for layer in values(found)] == ["list", "b", "c", "a"]


def test_a_file_included_twice_counts_once_where_it_is_last(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(f"vars: {{from: {name}}}\n")
    found = load(tmp_path, f"include: [a.yaml, b.yaml, ./a.yaml]\n{SHOTS}")
    assert [layer["from"] for layer in values(found)] == ["a", "b"]


def test_files_that_all_include_the_next_twice_are_read_quickly(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.yaml").write_text(f"include: [{number + 1}.yaml, {number + 1}.yaml]\n")
    (tmp_path / "20.yaml").write_text("vars: {deep: down}\n")
    started = time.perf_counter()
    found = load(tmp_path, f"include: [0.yaml]\n{SHOTS}")
    assert time.perf_counter() - started < 1
    assert values(found) == [{"deep": "down"}]


def test_an_include_is_named_from_the_project_folder_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "night.yaml").write_text("include: [looks/base.yaml]\n")
    (tmp_path / "looks" / "base.yaml").write_text("vars: {a: 1}\n")
    assert values(load(tmp_path, f"include: [looks/night.yaml]\n{SHOTS}")) == [{"a": 1}]
    (tmp_path / "looks" / "night.yaml").write_text("include: [base.yaml]\n")
    assert faults(tmp_path, f"include: [looks/night.yaml]\n{SHOTS}") == ["looks/night.yaml:1:11 E212"]


def test_an_included_file_is_named_beside_the_name_that_the_user_gave(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("vars: [a]\n")
    assert faults(tmp_path, f"include: [cast.yaml]\n{SHOTS}", "film/shots.yaml") == ["film/cast.yaml:1:7 E203"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(
            lambda folder: (folder / "link.yaml").symlink_to(folder.parent / "far.yaml"), "E210", id="outside"
        ),
        pytest.param(lambda folder: (folder / "link.yaml").symlink_to("link.yaml"), "E212", id="itself"),
        pytest.param(lambda folder: (folder / "link.yaml").symlink_to("shots.yaml"), "E211", id="the list"),
        pytest.param(lambda folder: (folder / "link.yaml").mkdir(), "E212", id="a directory"),
        pytest.param(lambda folder: (folder / "link.yaml").write_bytes(b"\xff"), "E103", id="no text"),
    ],
)
def test_an_include_that_is_a_link_is_what_it_leads_to(tmp_path: Path, make: Any, code: str) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    (tmp_path / "far.yaml").write_text("vars: {a: 1}\n")
    make(folder)
    (found,) = faults(folder, f"include: [link.yaml]\n{SHOTS}")
    assert found.endswith(code)


@pytest.mark.parametrize(
    "item",
    [pytest.param('"a\\0b"', id="a null byte"), pytest.param("x" * 300, id="a name too long")],
)
def test_an_include_that_no_file_can_be_called_is_an_error(tmp_path: Path, item: str) -> None:
    assert faults(tmp_path, f"include: [{item}]\n{SHOTS}") == ["shots.yaml:2:11 E212"]


def test_there_is_a_greatest_number_of_included_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shotlist, "MAX_INCLUDES", 2)
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text("vars: {a: 1}\n")
    assert len(load(tmp_path, f"include: [a.yaml, b.yaml, a.yaml]\n{SHOTS}").sources) == 3
    assert faults(tmp_path, f"include: [a.yaml, b.yaml, c.yaml]\n{SHOTS}") == ["shots.yaml:2:27 E212"]


def test_a_circle_of_three_is_told_once_where_it_closes(tmp_path: Path) -> None:
    for name, following in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"include: [{following}.yaml]\n")
    assert faults(tmp_path, f"include: [a.yaml, b.yaml]\n{SHOTS}")[0] == "c.yaml:1:11 E211"


def test_accounts_are_merged_key_by_key_with_the_place_of_each(tmp_path: Path) -> None:
    (tmp_path / "far.yaml").write_text("providers: {minimax: {max_in_flight: 1, deadline: 9}, nebula: null}\n")
    found = load(tmp_path, f"include: [far.yaml]\nproviders:\n  minimax: {{deadline: 7}}\n{SHOTS}").accounts()
    assert found.keys() == {"minimax"}
    placed = {key: (written.document.name, written.place(key)) for key, written in found["minimax"].items()}
    assert placed == {"max_in_flight": ("far.yaml", (1, 38)), "deadline": ("shots.yaml", (4, 23))}


# --- what is judged, and when -----------------------------------------------------------------------------


def test_shots_of_a_wrong_shape_are_left_out_and_the_others_kept(tmp_path: Path) -> None:
    found = load(tmp_path, "shots:\n- {id: a}\n- {id: 7}\n- text\n- {id: b, lens: 1}\n- {id: c}\n")
    assert found.entries == (0, 4)
    assert [(one.code, one.line) for one in found.diagnostics] == [("E203", 4), ("E203", 5), ("E201", 6)]


def test_the_head_and_the_shots_are_judged_together(tmp_path: Path) -> None:
    found = load(tmp_path, "titel: a\nshots: [{id: a, lens: 1}]\n")
    assert [(one.code, one.line) for one in found.diagnostics] == [("E201", 2), ("E201", 3)]


@pytest.mark.parametrize("text", ["", "shots: {}\n", "shots: text\n"], ids=["none", "a mapping", "a text"])
def test_without_a_list_of_shots_nothing_more_is_said(tmp_path: Path, text: str) -> None:
    assert len(faults(tmp_path, f"include: [nowhere.yaml]\n{text}")) == 1


def test_a_later_version_is_not_judged_by_the_rules_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "shots.yaml").write_text("vidspec: 2\nreels: []\nshots: [{tempo: fast}]\n")
    with pytest.raises(ShotListError) as caught:
        shotlist.load(tmp_path / "shots.yaml", "shots.yaml")
    assert "E207" in {found.code for found in caught.value.diagnostics}
    assert not {found.line for found in caught.value.diagnostics} - {1, 2}


def test_names_of_variables_are_judged_wherever_they_are_introduced(tmp_path: Path) -> None:
    (tmp_path / "far.yaml").write_text("vars: {slate: 1}\n")
    text = "vars: {a-b: 1, ok: 2}\nshots: [{id: a, vars: {take: 1}, matrix: {if: [1], _: [2]}}]\n"
    found = load(tmp_path, f"include: [far.yaml]\n{text}")
    assert [(one.file, one.code, one.line, one.column) for one in found.diagnostics] == [
        ("far.yaml", "E225", 1, 8),
        ("shots.yaml", "E225", 3, 8),
        ("shots.yaml", "E225", 4, 24),
        ("shots.yaml", "E225", 4, 43),
    ]
