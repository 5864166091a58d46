"""The files of faults: what is in them, and everything that can be wrong with one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vidspec.errors import ShotListError
from vidspec.sandbox.fault_file import CODES, FaultPlan
from vidspec.sandbox.faults import EVERY, FAULTS, ON_TASKS, Fault, fault
from vidspec.sandbox.twins import TWINS

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "night-ferry" / "fire-drill.yaml"


def read(*entries: str) -> tuple[Fault, ...]:
    """The faults of a file with these entries, each in flow style."""
    return FaultPlan.parse(
        "vidspec_faults: 1\nfaults:\n" + "".join(f"  - {entry}\n" for entry in entries), "f.yaml"
    ).faults


def wrong(text: str) -> list[str]:
    """What is wrong with a file: place, code and message of each, and its help line."""
    with pytest.raises(ShotListError) as caught:
        FaultPlan.parse(text, "f.yaml")
    assert caught.value.exit_code == 2
    return [
        f"{one.line}:{one.column} {one.code} {one.message}" + (f" | {one.help}" if one.help else "")
        for one in caught.value.diagnostics
    ]


def wrong_entry(entry: str) -> list[str]:
    """What is wrong with one entry, written as `{…}` from the fifth column of the third line on."""
    return wrong(f"vidspec_faults: 1\nfaults:\n  - {{{entry}}}\n")


# --- what is right -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_known_by_its_name_alone_and_fits_some_calls(kind: str) -> None:
    (found,) = read(f"{{fault: {kind}}}")
    assert found == fault(kind, place="f.yaml:3")
    assert found.providers == tuple(TWINS)
    assert found.calls == FAULTS[kind].calls
    assert (found.first, found.times, found.chance, found.after, found.model) == (1, 1, None, 0.0, None)


@pytest.mark.parametrize(
    ("kind", "parameter", "wanted"),
    [
        ("hang", "seconds", None),
        ("slow", "seconds", 10.0),
        ("late_row", "seconds", 10.0),
        ("timed_out", "seconds", 0.0),
        ("throttled", "retry_after", None),
        ("unknown_state", "word", "ARCHIVING"),
        ("unknown_state", "seconds", None),
    ],
)
def test_parameters_have_defaults(kind: str, parameter: str, wanted: float | str | None) -> None:
    assert getattr(fault(kind), parameter) == wanted


def test_everything_that_can_be_written_is_read() -> None:
    found = read(
        "{fault: throttled, provider: minimax, call: submit, model: 'Mini*', first: 3, times: 2, retry_after: 1.5}",
        "{fault: slow, provider: [nebula, leapx, nebula], call: [poll, download], times: always, seconds: 4}",
        "{fault: broken, chance: 0.25, after: 60}",
        "{fault: unknown_state, word: PENDING_REVIEW, seconds: 30}",
    )
    assert found == (
        fault(
            "throttled", providers=("minimax",), calls=("submit",), model="Mini*", first=3, times=2,
            retry_after=1.5, place="f.yaml:3",
        ),
        fault(
            "slow", providers=("nebula", "leapx"), calls=("poll", "download"), times=None, seconds=4.0,
            place="f.yaml:4",
        ),
        fault("broken", chance=0.25, after=60.0, place="f.yaml:5"),
        fault("unknown_state", word="PENDING_REVIEW", seconds=30.0, place="f.yaml:6"),
    )  # fmt: skip


def test_a_file_without_faults_has_none() -> None:
    assert FaultPlan.parse("vidspec_faults: 1\nfaults: []\n", "f.yaml").faults == ()


def test_the_calls_of_a_fault_are_calls_and_those_on_tasks_befall_a_submit() -> None:
    for kind in FAULTS.values():
        assert set(kind.calls) <= set(EVERY)
    assert {FAULTS[kind].calls for kind in ON_TASKS} == {("submit",)}


def test_the_example_is_right_and_reaches_every_provider() -> None:
    plan = FaultPlan.read(EXAMPLE)
    assert {name for one in plan.faults for name in one.providers} == set(TWINS)
    assert {call for one in plan.faults for call in one.calls} == set(EVERY)
    assert len({one.fault for one in plan.faults}) >= 10
    assert plan.faults[0].place == f"{EXAMPLE}:9"


BEGINS = "a file of faults begins with `vidspec_faults: 1`"

# --- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", f"1:1 E708 the file holds nothing | {BEGINS}"),
        ("\n  \n", f"1:1 E708 the file holds nothing | {BEGINS}"),
        ("- a\n", "1:1 E703 a file of faults must be a mapping, not a list | it begins with `vidspec_faults: 1`"),
        ("faults: []\n", f"1:1 E702 the file has no `vidspec_faults` | {BEGINS}"),
        ("vidspec_faults: 1\n", "1:1 E702 the file has no `faults` | `faults` is a list of mappings"),
        ("vidspec_faults: 2\nfaults: []\n", "1:17 E707 `vidspec_faults` is `2`; this release reads `1`"),
        ("vidspec_faults: 1.0\nfaults: []\n", "1:17 E707 `vidspec_faults` is `1.0`; this release reads `1`"),
        ("vidspec_faults: true\nfaults: []\n", "1:17 E707 `vidspec_faults` is `true`; this release reads `1`"),
        ('vidspec_faults: "1"\nfaults: []\n', "1:17 E707 `vidspec_faults` is the text `1`; this release reads `1`"),
        ("vidspec_faults: 1\nfaults: {}\n", "2:9 E703 `faults` must be a list, not a mapping"),
        ("vidspec_faults: 1\nfaults: null\n", "2:9 E703 `faults` must be a list, not `null`"),
        ("vidspec_faults: 1\nfault: 1\nfaults: []", "2:1 E701 unknown key `fault` | the nearest key is `faults`"),
        ("vidspec_faults: 1\nfaults: [cut]\n", "2:10 E703 a fault must be a mapping, not the text `cut`"),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_shape_is_refused_where_it_is_wrong(text: str, found: str) -> None:
    assert wrong(text) == [found]


THERE_ARE = "there are `siliconflow`, `nebula`, `leapx`, `minimax`, `gately`, `yutoai`"
EITHER = "a fault comes by `chance`, or is counted with `first` and `times`"
FITS = "it fits `submit`, `poll`, `result`"
KEYS = "`fault`, `provider`, `call`, `model`, `first`, `times`, `chance`, `after`, `retry_after`, `seconds`, `word`"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("call: poll", "3:5 E702 the entry has no `fault` | `fault` names what is to go wrong"),
        ("fault: cutt", "3:13 E704 there is no fault `cutt` | the nearest is `cut`"),
        ("fault: [cut]", "3:13 E703 `fault` must be a name, not a list"),
        ("fault: null", "3:13 E703 `fault` must be a name, not `null`"),
        ("fault: cut, provider: minmax", "3:28 E704 there is no provider `minmax` | the nearest is `minimax`"),
        ("fault: cut, provider: [nebula, animatic]", f"3:37 E704 there is no provider `animatic` | {THERE_ARE}"),
        ("fault: cut, call: []", "3:24 E705 `call` is an empty list | without `call`, all that fit are meant"),
        ("fault: cut, provider: {a: 1}", "3:28 E703 `provider` must be a name or a list of names, not a mapping"),
        ("fault: cut, call: [5]", "3:25 E703 `call` must be a name or a list of names, not `5`"),
        ("fault: cut, call: polls", "3:24 E704 there is no call `polls` | the nearest is `poll`"),
        ("fault: cut, times: 0", "3:25 E705 `times` is `0`, not from 1 to 1000000"),
        ("fault: cut, times: alway", "3:25 E703 `times` must be an integer or `always`, not the text `alway`"),
        ("fault: cut, times: true", "3:25 E703 `times` must be an integer or `always`, not `true`"),
        ("fault: cut, first: 1.5", "3:25 E703 `first` must be an integer, not `1.5`"),
        ("fault: cut, first: always", "3:25 E703 `first` must be an integer, not the text `always`"),
        ("fault: cut, first: -1", "3:25 E705 `first` is `-1`, not from 1 to 1000000"),
        ("fault: cut, chance: 2", "3:26 E705 `chance` is `2`, not from 0 to 1"),
        ("fault: cut, chance: often", "3:26 E703 `chance` must be a number, not the text `often`"),
        ("fault: cut, chance: 0.5, times: 2", f"3:38 E706 `times` does not go with `chance` | {EITHER}"),
        ("fault: cut, after: -1", "3:25 E705 `after` is `-1`, not from 0 to 86400"),
        ("fault: cut, model: 5", "3:25 E703 `model` must be a text, not `5`"),
        ("fault: cut, model: ''", "3:25 E705 `model` is empty"),
        ("fault: cut, modle: a", "3:18 E701 unknown key `modle` | the nearest key is `model`"),
        ("fault: cut, zzz: a", f"3:18 E701 unknown key `zzz` | the keys here are {KEYS}"),
        ("fault: moderation, call: poll", "3:31 E706 `moderation` does not fit the call `poll` | it fits `submit`"),
        ("fault: html, call: [poll, download]", f"3:25 E706 `html` does not fit the call `download` | {FITS}"),
        ("fault: cut, seconds: 4", "3:27 E706 `cut` has no `seconds` | `cut` has no parameters"),
        ("fault: slow, retry_after: 4", "3:32 E706 `slow` has no `retry_after` | it has `seconds`"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_an_entry_is_refused_where_it_is_wrong_with_what_would_be_right(entry: str, found: str) -> None:
    assert wrong_entry(entry) == [found]


def test_everything_wrong_is_said_at_once_in_order() -> None:
    text = """\
vidspec_faults: 1
faults:
  - fault: cut
    times: 0
    provder: minimax
  - fault: moderation
    call: poll
  - nothing
"""
    assert [one.split(" ", 2)[:2] for one in wrong(text)] == [
        ["4:12", "E705"], ["5:5", "E701"], ["7:11", "E706"], ["8:5", "E703"],
    ]  # fmt: skip


def test_a_file_that_is_no_yaml_is_refused_like_a_shot_list() -> None:
    (found,) = wrong("vidspec_faults: 1\nfaults: [\n")
    assert re.match(r"\d+:\d+ E105 ", found)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShotListError) as caught:
        FaultPlan.read(tmp_path / "none.yaml")
    assert [one.code for one in caught.value.diagnostics] == ["E101"]
    assert "none.yaml" in caught.value.diagnostics[0].message


def test_every_code_has_a_meaning_and_is_used_here() -> None:
    used = set(re.findall(r"E7\d\d", Path(__file__).read_text("utf-8")))
    assert used == set(CODES)
