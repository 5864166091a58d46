"""The Python interface: the same as the commands, without a terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

import vidspec
from vidspec.errors import Refusal, ShotListError, UsageError

Shots = Callable[..., Path]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'


def render(path: Path, **options: object) -> vidspec.Outcome:
    """Render a list under a trio of its own."""

    async def main() -> vidspec.Outcome:
        return await vidspec.render(vidspec.load(path), **options)  # type: ignore[arg-type]

    return trio.run(main)


def test_every_public_name_can_be_had_and_no_other() -> None:
    for name in vidspec.__all__:
        assert getattr(vidspec, name) is not None
    with pytest.raises(AttributeError, match="has no attribute `reel`"):
        _ = vidspec.reel


def test_the_public_names_are_listed_before_they_are_asked_for() -> None:
    code = "import vidspec; print(set(vidspec.__all__) <= set(dir(vidspec)), 'import_module' in dir(vidspec))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["True", "True"]


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, vidspec; print(*(n for n in sys.modules if n.partition('.')[0] in ('vidspec', 'trio')))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["vidspec"]


def test_what_is_wrong_is_a_list_of_diagnostics(shots: Shots) -> None:
    assert vidspec.validate(shots("- {id: a, prompt: one}")) == []
    (found,) = vidspec.validate(str(shots("- {id: a, prompt: one, duraton: 2}")))
    assert (found.code, found.line) == ("E201", 4)
    with pytest.raises(ShotListError) as raised:
        vidspec.load(shots("- {id: a, prompt: one, duraton: 2}"))
    assert raised.value.diagnostics == (found,)
    assert str(raised.value) == found.text()


def test_variables_override_those_of_the_list_and_must_be_named_by_it(shots: Shots) -> None:
    path = shots("- {id: a, prompt: 'the {{ sky }}'}", "vars: {sky: moon}\n")
    (take,) = vidspec.load(path, variables={"sky": "rain"}).takes
    assert take.request["prompt"] == "the rain"
    with pytest.raises(UsageError, match="sun"):
        vidspec.load(path, variables={"sun": "up"})


@pytest.mark.slow
def test_a_list_is_planned_rendered_and_planned_again(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    heard: list[vidspec.Event] = []
    assert [planned.action for planned in vidspec.plan(vidspec.load(path)).takes] == ["render", "render"]
    outcome = render(path, on_event=heard.append)
    assert sorted(outcome.tally.rendered) == ["a-t01", "b-t01"]
    assert (heard[0].event, heard[-1].event) == ("run_started", "run_finished")
    assert [planned.action for planned in vidspec.plan(vidspec.load(path)).takes] == ["keep", "keep"]
    lock = vidspec.read_lock(path)
    assert lock == vidspec.read_lock(project / "shots.lock")
    record = lock.get("a-t01")
    assert record is not None
    assert record.output is not None
    assert (project / record.output.path).stat().st_size == record.output.bytes


@pytest.mark.slow
def test_what_is_lost_comes_back_from_the_lockfile_alone(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one}")
    render(path)
    (project / "renders/a/a-t01.mp4").unlink()
    path.unlink()

    async def main() -> vidspec.Outcome:
        return await vidspec.render(vidspec.load(path, frozen=True), only_free=True)

    assert trio.run(main).tally.restored == ["a-t01"]


def test_nothing_is_paid_without_a_yes(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-secret")
    path = shots("- {id: a, prompt: one}", defaults=WAN)
    with pytest.raises(Refusal, match="nothing was submitted"):
        render(path)
    with pytest.raises(Refusal, match="differ"):
        render(path, yes=True, locked=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_cost": 5}, r"`max_cost` is amounts by currency, such as `\{'usd': 5\}`, not `5`"),
        ({"max_cost": {"cny": "1"}}, "`max_cost` is amounts by currency"),
        ({"max_cost": {"cny": float("nan")}}, "`max_cost` is amounts by currency"),
        ({"max_cost": {"cny": -1}}, "`max_cost` is amounts by currency"),
        ({"max_cost": {"cny": True}}, "`max_cost` is amounts by currency"),
        ({"max_cost": {5: 5}}, "`max_cost` is amounts by currency"),
        ({"max_takes": 0}, "`max_takes` is a whole number from 1 on, not `0`"),
        ({"max_takes": -1}, "`max_takes` is a whole number from 1 on, not `-1`"),
        ({"max_takes": True}, "`max_takes` is a whole number"),
        ({"max_takes": 1.5}, "`max_takes` is a whole number"),
        ({"resubmit": "a-t01"}, r"`resubmit` is a list of slates, such as `\['s010-t01'\]`, not `a-t01`"),
        ({"resubmit": [1]}, "`resubmit` is a list of slates"),
        ({"resubmit": None}, "`resubmit` is a list of slates"),
        ({"select": ["a"]}, "`select` is a selection as a text"),
        ({"exclude": ["a"]}, "`exclude` is a selection as a text"),
    ],
    ids=str,
)
def test_what_a_render_cannot_take_is_said_and_nothing_is_done(
    shots: Shots, project: Path, options: dict[str, object], message: str
) -> None:
    path = shots("- {id: a, prompt: one}")
    with pytest.raises(UsageError, match=message):
        render(path, **options)
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


def test_a_bound_may_name_its_currency_in_any_case(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-secret")
    path = shots("- {id: a, prompt: one}", defaults=WAN)
    with pytest.raises(Refusal, match="the plan may cost 2 cny; the `--max-cost` is 1 cny"):
        render(path, yes=True, max_cost={"CNY": 1})


def test_takes_to_submit_again_may_come_one_by_one(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    with pytest.raises(UsageError, match="the list has no take `b-t01`"):
        render(path, resubmit=(slate for slate in ["b-t01"]))


@pytest.mark.parametrize("place", [".", "/", ""])
def test_a_directory_has_no_lockfile(project: Path, place: str) -> None:
    with pytest.raises(UsageError, match="is a directory, not a list"):
        vidspec.read_lock(place)
    with pytest.raises(UsageError, match="is a directory, not a list"):
        vidspec.load(place, frozen=True)


def test_what_is_frozen_has_no_dependants_to_render(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one}")
    render(path)

    async def main() -> vidspec.Outcome:
        return await vidspec.render(vidspec.load(path, frozen=True), dependants=True)

    with pytest.raises(UsageError, match="`dependants` does not go with `frozen`"):
        trio.run(main)


@pytest.mark.slow
def test_the_example_script_renders_a_list_and_says_how_it_went(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one, scene: night}")
    command = [sys.executable, "-W", "error", str(EXAMPLES / "scripting" / "overnight.py"), str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "night: 1 takes" in ended.stdout
    assert "1 rendered, 0 failed" in ended.stdout
    assert f"a-t01  {project / 'renders/a/a-t01.mp4'}" in ended.stdout
    shots("- {id: a, prompt: one, scene: night, reel: 4}")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "E201" in ended.stdout
