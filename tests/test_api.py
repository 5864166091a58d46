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
