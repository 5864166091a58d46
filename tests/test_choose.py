"""`vidspec choose`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vidspec.commands import choose
from vidspec.console import Console
from vidspec.errors import LockError, Refusal, ShotListError, UsageError
from vidspec.hold import hold
from vidspec.project import chosen_records, read_lock

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

CHAIN = """
- {id: a, prompt: one, takes: 3}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three, first_frame: {shot: b}}
- {id: d, prompt: four, takes: 2}
"""


def chosen(*slates: str, clear: bool = False, **options: Any) -> str:
    """What was printed."""
    stream = io.StringIO()
    asked = {"variables": {}, "quiet": False, **options}
    assert choose.run(Path("shots.yaml"), slates, clear=clear, console=Console(stream), **asked) == 0
    return stream.getvalue()


def marks(folder: Path) -> list[str]:
    return list(chosen_records(read_lock(folder / "shots.lock")))


@pytest.fixture
def ferry(film: Any) -> Any:
    """A project at a provider that takes money."""
    return film


@pytest.fixture
def drawn(shots: Shots, vidspec: Vidspec) -> Path:
    """A rendered film; its folder."""
    path = shots(CHAIN)
    assert vidspec("render", "shots.yaml").returncode == 0
    return path.parent


def actions(vidspec: Vidspec, *options: str) -> dict[str, str]:
    value = json.loads(vidspec("plan", "shots.yaml", "--json", *options).stdout)
    return {one["slate"]: one["action"] for one in value["takes"] if one["action"] != "keep"}


I2V = "model: Wan-AI/Wan2.2-I2V-A14B"
PAID = f"""
- {{id: a, prompt: one, takes: 2}}
- {{id: b, prompt: two, {I2V}, first_frame: {{shot: a}}}}
- {{id: c, prompt: three, {I2V}, first_frame: {{shot: b}}}}
"""


def test_a_chosen_take_is_marked_and_others_go_on_from_it(drawn: Path, vidspec: Vidspec) -> None:
    assert chosen("a-t02") == (
        "chosen  a-t02\n"
        "stale   b-t01  first_frame: last of a-t01 → last of a-t02; to render it: free\n"
        "stale   c-t01  first_frame: b-t01 will be rendered anew; to render it: free\n"
        "to render what is stale by that: free\n"
    )
    assert marks(drawn) == ["a-t02"]
    assert actions(vidspec) == {"b-t01": "render", "c-t01": "wait"}
    vidspec("render", "shots.yaml")
    frames = read_lock(drawn / "shots.lock").get("b-t01")
    assert frames is not None
    assert (frames.frames or {})["first_frame"]["slate"] == "a-t02"
    assert marks(drawn) == ["a-t02"]


def test_what_is_stale_by_a_choice_is_priced_and_what_is_behind_that_is_left(ferry: Any, vidspec: Vidspec) -> None:
    ferry.write(PAID)
    assert ferry.render().returncode == 0
    assert chosen("a-t02") == (
        "chosen  a-t02\n"
        "stale   b-t01  first_frame: last of a-t01 → last of a-t02; to render it: ~2.00 cny\n"
        "behind  c-t01  left so, unless `--with-dependants` is given: ~2.00 cny\n"
        "to render what is stale by that: about 2.00 cny; with `--with-dependants`: about 4.00 cny\n"
    )
    assert actions(vidspec) == {"b-t01": "render"}
    assert actions(vidspec, "--with-dependants") == {"b-t01": "render", "c-t01": "wait"}
    assert chosen("a-t02", clear=True) == (
        "cleared  a-t02\nkeep    b-t01  it is as it was rendered\nkeep    c-t01  it is as it was rendered\n"
    )


def test_choosing_another_take_takes_the_mark_off_the_first(drawn: Path) -> None:
    chosen("a-t02", "d-t01")
    before = (drawn / "shots.lock").read_text()
    assert chosen("a-t03").startswith("chosen  a-t03  instead of a-t02\n")
    assert marks(drawn) == ["a-t03", "d-t01"]
    chosen("a-t02")
    assert (drawn / "shots.lock").read_text() == before


def test_what_was_made_from_a_take_before_is_brought_back_free(drawn: Path, vidspec: Vidspec) -> None:
    chosen("a-t02")
    vidspec("render", "shots.yaml", "--with-dependants")
    assert chosen("a-t01") == (
        "chosen  a-t01  instead of a-t02\nback    b-t01  it was rendered so before: free\n"
        "back    c-t01  it was rendered so before: free\n"
    )
    assert actions(vidspec) == {"b-t01": "restore", "c-t01": "restore"}


def test_a_take_that_nothing_is_made_from_is_chosen_without_further_words(drawn: Path, vidspec: Vidspec) -> None:
    assert chosen("d-t02") == "chosen  d-t02\n"
    assert chosen("d-t02") == "chosen already  d-t02\n"
    assert chosen("a-t01") == "chosen  a-t01\n"  # the first take, which was meant anyway
    assert actions(vidspec) == {}


def test_a_mark_can_be_taken_back(drawn: Path) -> None:
    before = (drawn / "shots.lock").read_text()
    chosen("a-t02", "d-t02")
    assert chosen("a-t02", "d-t01", clear=True).splitlines()[:2] == ["cleared  a-t02", "not chosen before  d-t01"]
    assert marks(drawn) == ["d-t02"]
    chosen("d-t02", clear=True)
    assert (drawn / "shots.lock").read_text() == before


def test_a_mark_of_a_take_that_the_list_has_lost_is_an_error_until_it_is_taken_back_or_another_is_chosen(
    drawn: Path, shots: Shots, vidspec: Vidspec
) -> None:
    chosen("a-t03")
    shots(CHAIN.replace("takes: 3", "takes: 2"))
    wrong = vidspec("validate", "shots.yaml")
    assert wrong.returncode == 2
    assert "shots.yaml:6:39: error[E506]: the shot `a` has no take 3\n" in wrong.stdout
    assert "help: it has 2 takes, and the one that was chosen is gone: `vidspec choose` another" in wrong.stdout
    lock = (drawn / "shots.lock").read_text()
    with pytest.raises(ShotListError):
        chosen("d-t01")
    assert (drawn / "shots.lock").read_text() == lock
    (drawn / "shots.lock").write_text(lock.replace("    chosen: true\n", ""))
    with pytest.raises(UsageError, match="`a-t03` is no longer in the list, and not chosen"):
        chosen("a-t03")
    (drawn / "shots.lock").write_text(lock)
    assert chosen("a-t03", clear=True).startswith("cleared  a-t03\n")
    assert vidspec("validate", "shots.yaml").returncode == 0
    (drawn / "shots.lock").write_text(lock)
    assert chosen("a-t02").startswith("chosen  a-t02  instead of a-t03\n")
    assert marks(drawn) == ["a-t02"]


def test_marks_that_a_merge_has_left_on_two_takes_become_one(drawn: Path) -> None:
    chosen("a-t02")
    lock = drawn / "shots.lock"
    lock.write_text(lock.read_text().replace("    take: 3\n", "    take: 3\n    chosen: true\n"))
    assert marks(drawn) == ["a-t02", "a-t03"]
    assert chosen("a-t02").startswith("chosen  a-t02  instead of a-t03\n")
    assert marks(drawn) == ["a-t02"]


def test_a_take_that_was_never_rendered_may_be_chosen_and_is_told_of(
    shots: Shots, vidspec: Vidspec, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shots(CHAIN).parent
    assert chosen("a-t02") == "chosen  a-t02\n"
    assert capsys.readouterr().err == "not rendered yet: a-t02; it is chosen all the same\n"
    assert len(read_lock(folder / "shots.lock")) == 7
    waits = json.loads(vidspec("plan", "shots.yaml", "--json", "--select", "b").stdout)["takes"][0]["reasons"]
    assert waits == ["needs a-t02 first"]
    vidspec("render", "shots.yaml", "--select", "+b")
    assert marks(folder) == ["a-t02"]
    assert read_lock(folder / "shots.lock").glance("a-t01") is None


def test_a_take_that_was_added_to_the_list_gets_its_record(drawn: Path, shots: Shots) -> None:
    shots(CHAIN.replace("takes: 3", "takes: 4"))
    chosen("a-t04")
    assert marks(drawn) == ["a-t04"]
    assert list(read_lock(drawn / "shots.lock"))[:5] == ["a-t01", "a-t02", "a-t03", "a-t04", "b-t01"]


@pytest.mark.parametrize(
    ("slates", "said"),
    [
        pytest.param(["a-t04"], "the list has no take `a-t04`; the nearest is `a-t0", id="no such take"),
        pytest.param(["A-t01"], "the list has no take `A-t01`; the nearest is `a-t01`", id="another case"),
        pytest.param(["a"], "`a` is a shot: name one of its takes, `a-t01`, `a-t02`, `a-t03`", id="a shot"),
        pytest.param(
            ["b-t01", "a-t01", "a-t02"], "`a-t01` and `a-t02` are takes of one shot", id="two of one shot"
        ),
        pytest.param(["zzz"], "the list has no take `zzz`", id="nothing like it"),
    ],
)
@pytest.mark.parametrize("clear", [False, True], ids=["choose", "clear"])
def test_what_cannot_be_chosen_is_one_message_and_nothing_is_written(
    drawn: Path, slates: list[str], said: str, clear: bool
) -> None:
    before = (drawn / "shots.lock").read_text()
    if clear and len(slates) > 1:
        assert chosen(*slates, clear=True).startswith("not chosen before")
    else:
        with pytest.raises(UsageError, match=said):
            chosen(*slates, clear=clear)
    assert (drawn / "shots.lock").read_text() == before


def test_a_choice_that_would_close_a_circle_is_refused(shots: Shots, vidspec: Vidspec) -> None:
    entries = """
    - {id: a, prompt: one, takes: 2, first_frame: {shot: "{% if take == 2 %}b{% else %}z{% endif %}"}}
    - {id: b, prompt: two, first_frame: {shot: a}}
    - {id: z, prompt: three}
    """
    folder = shots(entries).parent
    assert vidspec("render", "shots.yaml").returncode == 0
    before = (folder / "shots.lock").read_text()
    with pytest.raises(ShotListError) as refused:
        chosen("a-t02")
    assert [one.code for one in refused.value.diagnostics] == ["E507"]
    assert (folder / "shots.lock").read_text() == before


def test_a_list_that_is_wrong_anyway_is_diagnosed_first(drawn: Path, shots: Shots) -> None:
    shots(CHAIN.replace("prompt: one", "promt: one"))
    with pytest.raises(ShotListError):
        chosen("a-t02")
    (drawn / "shots.yaml").unlink()
    with pytest.raises(ShotListError):
        chosen("a-t02")


def test_nothing_is_chosen_while_a_run_holds_the_project_or_where_the_lockfile_is_damaged(drawn: Path) -> None:
    with hold(drawn / ".vidspec"), pytest.raises(Refusal):
        chosen("a-t02")
    (drawn / "shots.lock").write_text("<<<<<<< ours\n")
    with pytest.raises(LockError):
        chosen("a-t02")


def test_quiet_says_nothing_of_what_went_well(drawn: Path) -> None:
    assert chosen("a-t02", quiet=True) == ""
    assert marks(drawn) == ["a-t02"]
