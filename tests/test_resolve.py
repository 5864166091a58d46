"""A list into takes: what the world around it decides, what shots need of one another, and the ends of models."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import resolve as resolving
from vidspec import shotlist
from vidspec.folder import ProjectFolder
from vidspec.outputs import Outputs
from vidspec.resolve import Resolution, World, resolve

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "vidspec: 1\ndefaults: {provider: animatic, prompt: a}\n"


def world(folder: Path, **given: Any) -> World:
    return World(**{"folder": ProjectFolder(folder), "today": date(2026, 1, 1), **given})


def resolved(folder: Path, shots: str, head: str = HEAD, **given: Any) -> Resolution:
    path = folder / "shots.yaml"
    path.write_text(f"{head}shots: [{shots}]\n")
    return resolve(shotlist.load(path, "shots.yaml"), world(folder, **given))


def codes(folder: Path, shots: str, head: str = HEAD, **given: Any) -> list[str]:
    return [found.code for found in resolved(folder, shots, head, **given).diagnostics]


def test_takes_stand_in_the_order_of_the_list(tmp_path: Path) -> None:
    found = resolved(tmp_path, "{id: z, takes: 2}, {id: 'a{{ n }}', matrix: {n: [2, 1]}}")
    assert [take.slate for take in found.takes] == ["z-t01", "z-t02", "a2-t01", "a1-t01"]
    assert list(found.shots) == ["z", "a2", "a1"]
    assert (found.errors, found.unused) == ([], ())


def test_a_skipped_shot_is_known_but_has_no_takes_and_is_not_judged(tmp_path: Path) -> None:
    found = resolved(tmp_path, "{id: a, skip: true, provider: nobody, first_frame: none.png}, {id: b}")
    assert ([take.slate for take in found.takes], list(found.shots), found.diagnostics) == (
        ["b-t01"],
        ["a", "b"],
        [],
    )


def test_a_shot_that_is_wrong_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    found = resolved(tmp_path, "{id: a, provider: nobody}, {id: b}, {id: c, lens: 1}, {id: b}")
    assert [take.slate for take in found.takes] == ["b-t01"]
    assert [one.code for one in found.diagnostics] == ["E401", "E201", "E220"]


def test_the_number_of_takes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "MAX_TAKES", 3)
    assert codes(tmp_path, "{id: a, takes: 3}") == []
    assert codes(tmp_path, "{id: a, takes: 2}, {id: b, takes: 2}, {id: c, duration: 0.001}") == ["E224"]


def test_outputs_are_remembered_over_lists_that_are_resolved_together(tmp_path: Path) -> None:
    path, outputs = tmp_path / "shots.yaml", Outputs()
    path.write_text(f"{HEAD}shots: [{{id: a}}]\n")
    found = [
        resolve(shotlist.load(path, name), world(tmp_path), outputs).diagnostics
        for name in ("one.yaml", "two.yaml")
    ]
    assert [[one.code for one in each] for each in found] == [[], ["E222"]]


# --- the world -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "said"),
    [
        pytest.param(date(2026, 6, 25), None, id="more than ninety days before"),
        pytest.param(date(2026, 6, 26), "ends on 2026-09-24", id="ninety days before"),
        pytest.param(date(2026, 9, 23), "ends on 2026-09-24", id="the day before"),
        pytest.param(date(2026, 9, 24), "ended on 2026-09-24", id="the day itself"),
        pytest.param(date(2036, 1, 1), "ended on 2026-09-24", id="long after"),
    ],
)
def test_the_end_of_a_model_is_a_warning_from_ninety_days_before(
    tmp_path: Path, today: date, said: str | None
) -> None:
    head = "vidspec: 1\ndefaults: {provider: nebula, model: sora-2, prompt: a}\n"
    found = resolved(tmp_path, "{id: a, takes: 3}, {id: b}", head, today=today).diagnostics
    assert [(one.code, one.line, one.column) for one in found] == ([("W601", 2, 37)] if said else [])
    assert not said or found[0].message.endswith(said)


@pytest.mark.parametrize(
    ("head", "environment", "found"),
    [
        pytest.param("", {}, ["E412"], id="nowhere"),
        pytest.param("providers: {leapx: {base_url: 'https://a.example.org'}}\n", {}, [], id="in the list"),
        pytest.param("", {"VIDSPEC_LEAPX_BASE_URL": "https://a.example.org"}, [], id="in the environment"),
        pytest.param("", {"LEAPX_BASE_URL": "https://a.example.org"}, ["E412"], id="under another name"),
    ],
)
def test_a_provider_without_an_address_needs_one(
    tmp_path: Path, head: str, environment: dict[str, str], found: list[str]
) -> None:
    shots = "{id: a, provider: leapx, model: wan2.5-t2v-preview, prompt: a, takes: 2}"
    assert codes(tmp_path, shots, f"vidspec: 1\n{head}", environment=environment) == found


@pytest.mark.parametrize(
    ("shots", "unused"),
    [
        pytest.param("{id: a}", ("hero",), id="named by nothing"),
        pytest.param("{id: a, prompt: '{{ hero }}'}", (), id="named by a prompt"),
        pytest.param("{id: a, notes: '{{ hero }}'}", (), id="named by a note"),
        pytest.param("{id: a, vars: {boat: '{{ hero }}'}, prompt: '{{ boat }}'}", (), id="named by a variable"),
        pytest.param("{id: a, vars: {hero: b}}", (), id="declared by a shot"),
        pytest.param("{id: a, lens: 1}, {id: b}", ("hero",), id="in a list with an error"),
    ],
)
def test_a_variable_of_the_command_line_that_nothing_names_is_told(
    tmp_path: Path, shots: str, unused: tuple[str]
) -> None:
    assert resolved(tmp_path, shots, variables={"hero": "Ada"}).unused == unused


# --- shots that need shots -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("{shot: a}", None, id="there"),
        pytest.param("{shot: a, take: 2}", None, id="its second take"),
        pytest.param("{shot: a, take: 3}", "E506", id="a take it has not"),
        pytest.param("{shot: b, at: first}", "E506", id="a shot that is not there"),
        pytest.param("{shot: A}", "E506", id="a shot in another case"),
        pytest.param("{shot: off}", "E506", id="a shot that is skipped"),
        pytest.param("{shot: a, at: 0}", None, id="its beginning"),
        pytest.param("{shot: a, at: 3.99}", None, id="just before its end"),
        pytest.param("{shot: a, at: 4}", "E506", id="its end, where no frame is"),
        pytest.param("{shot: me}", "E507", id="itself"),
    ],
)
@pytest.mark.parametrize(
    "setting",
    ["first_frame: %s", "last_frame: %s", "references: [%s]"],
    ids=["first frame", "last frame", "reference"],
)
def test_a_frame_of_another_shot_must_be_there(tmp_path: Path, setting: str, frame: str, code: str | None) -> None:
    shots = "{id: a, takes: 2, duration: 4}, {id: off, skip: true}, {id: me, %s}"
    assert codes(tmp_path, shots % (setting % frame)) == ([code] if code else [])


def test_a_chosen_take_that_is_gone_is_told_of_where_the_shot_is_named(tmp_path: Path) -> None:
    found = resolved(tmp_path, "{id: a}, {id: b, first_frame: {shot: a}}", chosen={"a": 5})
    (one,) = found.diagnostics
    assert (one.code, one.message, one.line, one.shot) == ("E506", "the shot `a` has no take 5", 3, "b")
    assert (
        one.help == "it has 1 take, and the one that was chosen is gone: `vidspec choose` another, or write `take`"
    )
    line = (tmp_path / "shots.yaml").read_text().splitlines()[2]
    assert one.column == line.index("{shot: a}") + 1


def test_a_shot_that_could_not_be_made_is_not_called_missing(tmp_path: Path) -> None:
    assert codes(tmp_path, "{id: a, lens: 1}, {id: b, first_frame: {shot: a}}") == ["E201"]
    assert codes(tmp_path, "{id: a, provider: nobody}, {id: b, first_frame: {shot: a}}") == ["E401"]
    assert codes(tmp_path, "{id: '{{ x }}'}, {id: b, first_frame: {shot: a}}") == ["E302"]


def test_a_take_that_a_shot_has_not_is_told_even_beside_a_shot_that_could_not_be_made(tmp_path: Path) -> None:
    assert codes(tmp_path, "{id: a}, {id: b, first_frame: {shot: a, take: 9}}, {id: c, lens: 1}") == [
        "E506",
        "E201",
    ]


def test_a_circle_is_named_once_take_by_take(tmp_path: Path) -> None:
    needs = {"a": "c", "b": "a", "c": "b"}
    shots = ", ".join(f"{{id: {one}, takes: 2, first_frame: {{shot: {other}}}}}" for one, other in needs.items())
    (found,) = resolved(tmp_path, shots).diagnostics
    assert (found.code, found.shot) == ("E507", "a")
    assert found.message == "shots that need each other: a-t01 → c-t01 → b-t01 → a-t01"


def test_takes_of_one_shot_may_build_on_another_take_of_it(tmp_path: Path) -> None:
    shot = "{id: a, takes: 2, prompt: '{{ take }}', first_frame: {shot: a, take: 1}}"
    assert codes(tmp_path, shot) == ["E507"]  # its first take would need itself


def test_a_chain_through_thousands_of_shots_is_walked(tmp_path: Path) -> None:
    shots = "{id: s0}, " + ", ".join(f"{{id: s{n}, first_frame: {{shot: s{n - 1}}}}}" for n in range(1, 3000))
    assert codes(tmp_path, shots) == []


def test_thousands_of_shots_that_are_not_there_are_told_in_reasonable_time(tmp_path: Path) -> None:
    shots = ", ".join(f"{{id: s{n}, first_frame: {{shot: q{n}}}}}" for n in range(3000))
    started = time.perf_counter()
    assert codes(tmp_path, shots) == ["E506"] * 3000
    assert time.perf_counter() - started < 8


def test_a_clip_is_remixed_by_the_house_that_made_it(tmp_path: Path) -> None:
    head = "vidspec: 1\ndefaults: {provider: nebula, model: sora-2, prompt: a}\n"
    shots = "{id: a}, {id: b, remix_of: {shot: a}}, {id: c, provider: animatic, model: null, remix_of: {shot: a}}"
    assert codes(tmp_path, shots, head) == ["E408"]


# --- what a take has from the one it is made from ---------------------------------------------------------


SORA = "vidspec: 1\ndefaults: {provider: nebula, model: sora-2, prompt: a}\n"


def test_a_remix_takes_over_length_and_size_however_far_back_its_clip_is(tmp_path: Path) -> None:
    shots = "{id: c, remix_of: {shot: b}}, {id: b, remix_of: {shot: a}}, {id: a, duration: 8, size: 1280x720}"
    takes = {take.shot: take for take in resolved(tmp_path, shots, SORA).takes}

    for remix in ("b", "c"):
        assert (takes[remix].facts["duration"], takes[remix].facts["size"]) == (8, "1280x720")
        assert "duration" not in takes[remix].request, "it is not sent"
    assert takes["a"].inherited == {}


def test_a_remix_of_a_clip_that_only_the_provider_knows_takes_over_nothing(tmp_path: Path) -> None:
    (take,) = resolved(tmp_path, "{id: a, remix_of: video_1}", SORA).takes
    assert (take.inherited, "duration" in take.facts) == ({}, False)


def test_remixes_in_a_circle_take_over_nothing_and_are_an_error(tmp_path: Path) -> None:
    found = resolved(tmp_path, "{id: a, remix_of: {shot: b}}, {id: b, remix_of: {shot: a}}", SORA)
    assert [one.code for one in found.errors] == ["E507"]


FED = "id: b, size: 1280x720, first_frame: {shot: a}"


@pytest.mark.parametrize(
    ("head", "shots", "code"),
    [
        pytest.param(HEAD, f"{{id: a, size: 640x360}}, {{{FED}}}", None, id="ratio"),
        pytest.param(HEAD, f"{{id: a, size: 640x640}}, {{{FED}}}", "W607", id="crop"),
        pytest.param(SORA, f"{{id: a, size: 720x1280}}, {{{FED}}}", "E504", id="exactly"),
        pytest.param(
            SORA,
            f"{{id: a, provider: yutoai, model: wanx2.1-t2v-turbo, size: 832x480}}, {{{FED}}}",
            "E504",
            id="one ratio, yet not the very size",
        ),
        pytest.param(
            HEAD,
            f"{{id: a, size: 640x640}}, {{provider: nebula, model: wan2.5-i2v-preview, {FED}}}",
            "E504",
            id="a model that follows its picture",
        ),
    ],
)
def test_a_frame_of_another_shot_must_have_the_shape_that_is_asked_for(
    tmp_path: Path, head: str, shots: str, code: str | None
) -> None:
    found = resolved(tmp_path, shots, head, environment={"VIDSPEC_YUTOAI_BASE_URL": "https://a.example"})
    assert [one.code for one in found.diagnostics if one.code not in ("W601", "W609")] == ([code] if code else [])
