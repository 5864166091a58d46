"""A list against its lockfile, take by take, over real lists, lockfiles and clips."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest

from vidspec.divergence import InPlace, diverge
from vidspec.lock import Lock
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import open_lists, read_lock
from vidspec.state import Flight

if TYPE_CHECKING:
    from vidspec.divergence import Divergences
    from vidspec.project import Opened
    from vidspec.state import Move

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a, at: last}}
- {id: c, prompt: three}
"""


@pytest.fixture
def rendered(shots: Shots, vidspec: Vidspec) -> Lock:
    """The lock of the list, rendered."""
    path = shots(LIST)
    assert vidspec("render", "shots.yaml").returncode == 0
    return read_lock(path.with_suffix(".lock"))


def opened(path: Path) -> Opened:
    (one,), _ = open_lists([path], {})
    return one


def flying(one: Opened, slate: str, move: Move, lock: Lock) -> dict[str, Flight]:
    """What the list asks for now of one take, under way."""
    (take,) = (take for take in one.takes if take.slate == slate)
    record = lock.get("a-t01")
    assert record
    sent = replace(record, shot=take.shot, request=take.request, seed=take.seed, output=None, superseded=())
    flight = Flight(
        slate=slate, move=move, record=sent, output=take.output, base_url="", since=0.0, request_id="r1"
    )
    return {slate: flight}


def found(
    one: Opened, lock: Lock, slates: Collection[str] = (), flights: dict[str, Flight] | None = None
) -> Divergences:
    """The divergences of some takes, or of all."""
    recorded = plan(one.takes, lock, InPlace(one.takes, lock), one.skipped)
    now = one.plan(lock, Afloat(flights=flights or {}))
    return diverge(recorded, now, lock, slates or {take.slate for take in one.takes})


def words(divergences: Divergences) -> list[tuple[str, str]]:
    return [(one.word, one.slate) for one in divergences.found]


def test_a_list_as_it_was_rendered_differs_in_nothing(rendered: Lock, shots: Shots) -> None:
    same = found(opened(shots(LIST)), rendered)
    assert (same.takes, same.found, same.removed, same.notes) == (3, (), (), ())
    assert (same.is_any, same.counts, same.costs) == (False, {}, [])


def test_each_take_has_a_word_and_its_changes(rendered: Lock, shots: Shots) -> None:
    text = LIST.replace("one", "uno").replace("- {id: c, prompt: three}", "- {id: e, prompt: five}")
    differing = found(opened(shots(text)), rendered)
    assert words(differing) == [("changed", "a-t01"), ("changed", "b-t01"), ("new", "e-t01")]
    assert differing.removed == ("c-t01",)
    assert [change.name for one in differing.found for change in one.changes] == ["prompt", "first_frame"]
    assert differing.counts == {"changed": 2, "new": 1, "removed": 1}
    assert differing.is_any


def test_a_take_that_was_laid_out_and_never_rendered_is_new(shots: Shots, vidspec: Vidspec) -> None:
    path = shots(LIST)
    assert vidspec("render", "shots.yaml", "--select", "a").returncode == 0
    lock = read_lock(path.with_suffix(".lock"))
    assert "c-t01" in lock
    assert words(found(opened(path), lock)) == [("new", "b-t01"), ("new", "c-t01")]


def test_before_the_first_render_everything_is_new(shots: Shots) -> None:
    assert found(opened(shots(LIST)), Lock()).counts == {"new": 3}


def test_an_accepted_edit_is_told_and_is_no_difference(rendered: Lock, shots: Shots) -> None:
    one = opened(shots(LIST.replace("three", "tre")))
    (edit,) = (planned.edit for planned in one.plan(rendered, Afloat()).takes if planned.edit)
    record = rendered.get("c-t01")
    assert record
    rendered.put("c-t01", replace(record, accepted=edit))
    accepted = found(one, rendered)
    assert words(accepted) == [("accepted", "c-t01")]
    assert (accepted.is_any, accepted.costs) == (False, [])


def test_a_missing_clip_is_a_note_and_no_difference(rendered: Lock, shots: Shots, project: Path) -> None:
    shutil.rmtree(project / "renders/c")
    (project / "renders/a/a-t01.mp4").write_bytes(b"foreign")
    noted = found(opened(shots(LIST)), rendered)
    assert not noted.is_any
    assert [(one.slate, one.state) for one in noted.notes] == [("a-t01", "changed"), ("c-t01", "missing")]


def test_what_must_be_made_anew_because_a_clip_is_lost_is_a_note_and_no_difference(
    rendered: Lock, shots: Shots, project: Path
) -> None:
    shutil.rmtree(project / "renders/a")
    shutil.rmtree(project / ".vidspec/objects", ignore_errors=True)
    noted = found(opened(shots(LIST)), rendered)
    assert not noted.is_any
    assert [(one.slate, one.state, one.action) for one in noted.notes] == [
        ("a-t01", "missing", "render"),
        ("b-t01", "stale", "wait"),
    ]


def test_a_clip_that_is_wanted_at_another_place_is_a_note_and_no_difference(rendered: Lock, shots: Shots) -> None:
    noted = found(opened(shots(LIST, 'output: "clips/{{ slate }}.mp4"\n')), rendered)
    assert not noted.is_any
    assert {(one.state, one.action) for one in noted.notes} == {("missing", "restore")}


def test_an_accepted_edit_is_no_difference_where_the_clip_is_not_to_be_had(
    rendered: Lock, shots: Shots, project: Path
) -> None:
    one = opened(shots(LIST.replace("three", "tre")))
    (edit,) = (planned.edit for planned in one.plan(rendered, Afloat()).takes if planned.edit)
    record = rendered.get("c-t01")
    assert record
    rendered.put("c-t01", replace(record, accepted=edit))
    shutil.rmtree(project / "renders/c")
    shutil.rmtree(project / ".vidspec/objects", ignore_errors=True)
    accepted = found(one, rendered)
    assert (words(accepted), accepted.is_any) == ([("accepted", "c-t01")], False)
    assert [(note.slate, note.state) for note in accepted.notes] == [("c-t01", "stale")]


@pytest.mark.parametrize(
    ("move", "noted"),
    [("accepted", "accepted"), ("in_doubt", "in_doubt"), ("intended", "in_doubt")],
)
def test_what_is_under_way_is_told_and_is_still_no_record(
    rendered: Lock, shots: Shots, move: Move, noted: str
) -> None:
    one = opened(shots(LIST + "- {id: e, prompt: five}"))
    away = found(one, rendered, flights=flying(one, "e-t01", move, rendered))
    assert words(away) == [("new", "e-t01")]
    assert [(note.slate, note.state) for note in away.notes] == [("e-t01", noted)]


def test_what_is_under_way_as_it_is_written_is_paid_for_already(shots: Shots) -> None:
    path = shots("- {id: e, prompt: five, provider: nebula, model: sora-2}", defaults="{}")
    one, lock = opened(path), Lock()
    (take,) = one.takes
    from vidspec.lock import Record

    sent = Record(
        shot="e", take=1, provider="nebula", model="sora-2", request=take.request, defaulted=tuple(take.defaulted)
    )
    flight = Flight(slate="e-t01", move="accepted", record=sent, output=take.output, base_url="", since=0.0)
    costs = [found(one, lock, flights=flights).found[0] for flights in ({}, {"e-t01": flight})]
    assert [(divergence.cost and divergence.cost.amount > 0, divergence.aside) for divergence in costs] == [
        (True, ""),
        (False, "it is under way"),
    ]


def test_an_edit_undone_costs_nothing(rendered: Lock, shots: Shots, vidspec: Vidspec) -> None:
    path = shots(LIST.replace("three", "tre"))
    assert vidspec("render", "shots.yaml").returncode == 0
    shots(LIST)
    (one,) = found(opened(path), read_lock(path.with_suffix(".lock"))).found
    assert (one.word, one.cost and one.cost.amount, one.aside) == (
        "changed", 0, "it was rendered so before, and may be had again",
    )  # fmt: skip


def test_a_selection_is_about_its_takes_alone(rendered: Lock, shots: Shots) -> None:
    one = opened(shots("- {id: a, prompt: uno}\n- {id: c, prompt: tre}"))
    part = found(one, rendered, {"c-t01"})
    assert (words(part), part.removed, part.takes) == ([("changed", "c-t01")], (), 1)
    assert found(one, rendered).removed == ("b-t01",)


def test_a_shot_that_looks_renamed_is_hinted_at(rendered: Lock, shots: Shots) -> None:
    (hint,) = found(opened(shots(LIST.replace("id: c", "id: z"))), rendered).hints
    assert "`vidspec lock mv FILE c z`" in hint


def test_pictures_are_called_by_what_they_are_of(rendered: Lock, shots: Shots, project: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 36)).save(project / "new.png")
    (one,) = found(opened(shots(LIST.replace("{shot: a, at: last}", "new.png"))), rendered).found
    (change,) = one.changes
    assert (one.origins[change.old], one.origins[change.new]) == ("last of a-t01", "new.png")


@pytest.mark.parametrize(
    ("setting", "before", "after", "key"),
    [
        ("first_frame", "old.png", "new.png", "first_frame"),
        ("references", "[new.png, old.png]", "[new.png]", "references.1"),
    ],
)
def test_a_picture_that_is_gone_is_called_by_the_file_it_was(
    shots: Shots, vidspec: Vidspec, project: Path, setting: str, before: str, after: str, key: str
) -> None:
    from PIL import Image

    for number, name in enumerate(("old.png", "new.png")):
        Image.new("RGB", (64, 36), (number, 0, 0)).save(project / name)
    path = shots(f"- {{id: a, prompt: x, {setting}: {before}}}")
    assert vidspec("render", "shots.yaml").returncode == 0
    lock = read_lock(path.with_suffix(".lock"))
    record = lock.get("a-t01")
    assert record
    lock.put("a-t01", replace(record, pictures={key: "old.png"}))
    (one,) = found(opened(shots(f"- {{id: a, prompt: x, {setting}: {after}}}")), lock).found
    (change,) = one.changes
    old = change.old if isinstance(change.old, str) else change.old[1]
    assert (one.origins[old], "new.png" in one.origins.values()) == ("old.png", True)


@pytest.mark.parametrize("key", ["references.9", "references.x", "gone", "first_frame"])
def test_a_record_whose_pictures_somebody_has_broken_is_read_all_the_same(
    rendered: Lock, shots: Shots, key: str
) -> None:
    record = rendered.get("c-t01")
    assert record
    rendered.put("c-t01", replace(record, pictures={key: "x.png"}))
    assert words(found(opened(shots(LIST.replace("three", "tre"))), rendered)) == [("changed", "c-t01")]
