"""The hooks for pre-commit and the workflow of the examples: what they call exists, and does what they want."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import click
import pytest

from vidspec import cli, document

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "ci"

Vidspec = Callable[..., CompletedProcess[str]]


def read(path: Path) -> Any:
    return document.parse(path.read_text("utf-8"), path.name).data


HOOKS: dict[str, dict[str, Any]] = {hook["id"]: hook for hook in read(ROOT / ".pre-commit-hooks.yaml")}
WORKFLOW = read(EXAMPLES / "film.yaml")
every_hook = pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)


def command(hook: dict[str, Any]) -> list[str]:
    """What pre-commit calls, without the program."""
    program, *arguments = shlex.split(hook["entry"])
    assert program == "vidspec"
    return [*arguments, *hook["args"]]


def steps(job: str) -> Iterator[dict[str, Any]]:
    yield from WORKFLOW["jobs"][job]["steps"]


def calls(job: str) -> list[list[str]]:
    """The calls of vidspec in a job, without the program."""
    lines = "\n".join(step.get("run", "") for step in steps(job)).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("vidspec ")]


def check_options(arguments: list[str]) -> None:
    """Hold a call against the command line: the command is there, and has every option."""
    found = cli.group.get_command(click.Context(cli.group), arguments[0])
    assert found, arguments
    options = {option for parameter in found.params for option in parameter.opts}
    assert {one for one in arguments if one.startswith("-")} <= options, arguments


# --- hooks -----------------------------------------------------------------------------------------------------


def test_there_is_a_hook_for_the_list_and_one_for_its_lockfile() -> None:
    assert set(HOOKS) == {"vidspec-validate", "vidspec-lock"}


@every_hook
def test_a_hook_is_a_command_that_exists_in_a_package_that_pre_commit_can_install(hook: dict[str, Any]) -> None:
    check_options(command(hook))
    assert hook["language"] == "python"
    assert 'vidspec = "vidspec.cli:main"' in (ROOT / "pyproject.toml").read_text("utf-8")


@every_hook
@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("shots.yaml", True),
        ("films/ferry/cast.yml", True),
        ("frames/valley.png", True),
        ("frames/pier.jpeg", True),
        ("README.md", False),
        ("yaml/notes.txt", False),
    ],
)
def test_a_hook_runs_for_all_that_a_list_may_be_made_of(hook: dict[str, Any], path: str, runs: bool) -> None:
    assert bool(re.search(hook["files"], path)) == runs
    assert hook["pass_filenames"] is False


def test_the_lockfile_is_looked_at_when_it_has_changed() -> None:
    assert re.search(HOOKS["vidspec-lock"]["files"], "shots.lock")


@pytest.mark.slow
def test_the_hooks_let_a_project_pass_that_is_right_and_rendered_and_no_other(
    vidspec: Vidspec, project: Path
) -> None:
    assert vidspec("init").returncode == 0
    right, in_step = command(HOOKS["vidspec-validate"]), command(HOOKS["vidspec-lock"])
    assert (vidspec(*right).returncode, vidspec(*in_step).returncode) == (0, 1)
    assert vidspec("render", "shots.yaml", "--select", "s010").returncode == 0
    assert vidspec(*in_step, "--select", "s010").returncode == 0
    look = project / "look.yaml"
    text = look.read_text("utf-8")
    look.write_text(f"{text}\n  durration: 5\n", "utf-8")
    assert vidspec(*right).returncode == 2


def test_the_configuration_of_the_examples_names_hooks_that_there_are() -> None:
    (repository,) = read(EXAMPLES / "pre-commit-config.yaml")["repos"]
    assert [hook["id"] for hook in repository["hooks"]] == list(HOOKS)


# --- workflow --------------------------------------------------------------------------------------------------


def test_every_call_of_the_workflow_is_one_that_the_program_knows() -> None:
    for job in WORKFLOW["jobs"]:
        for arguments in calls(job):
            check_options([one for part in arguments for one in (["--locked"] if part == "$LOCKED" else [part])])


def test_a_change_is_checked_planned_and_held_against_its_lockfile_without_a_key() -> None:
    called = calls("check")
    assert [arguments[0] for arguments in called] == ["validate", "plan", "render", "diff"]
    assert called[1][-4:] == ["--format", "markdown", ">>", "$GITHUB_STEP_SUMMARY"]
    assert called[2][-1] == "--draft"
    assert "secrets" not in str(WORKFLOW["jobs"]["check"])
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_a_render_is_started_by_hand_is_bounded_and_keeps_what_was_paid_for() -> None:
    job = WORKFLOW["jobs"]["render"]
    assert job["if"] == "github.event_name == 'workflow_dispatch'"
    assert calls("render") == [["render", "$LIST", "--yes", "--max-cost", "$MAX_COST", "$LOCKED"]]
    names = [step.get("name") or step.get("uses", "") for step in steps("render")]
    paid = names.index("Render")
    assert names[paid - 1].startswith("actions/cache/restore")
    assert all(step.get("if") == "always()" for step in list(steps("render"))[paid + 1 :])
    keyed = [step for step in steps("render") if "secrets." in str(step)]
    assert [step.get("name") for step in keyed] == ["Render"]
    assert job["concurrency"]["cancel-in-progress"] is False


def test_what_is_typed_into_the_form_reaches_the_shell_only_as_a_variable() -> None:
    scripts = [step.get("run", "") for job in WORKFLOW["jobs"] for step in steps(job)]
    assert not [script for script in scripts if "${{" in script]
