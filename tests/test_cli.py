from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vidspec import cli
from vidspec.errors import LockError, MediaError, Refusal, RenderError, UsageError

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]


def process(command: str, **options: object) -> CompletedProcess[str]:
    """A shell's command line in which `vidspec` is this one."""
    script = f'vidspec() {{ "{sys.executable}" -m vidspec "$@"; }}\n{command}'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)


# --- help --------------------------------------------------------------------------------------------------------


def test_every_command_has_a_help_line_and_is_made(vidspec: Vidspec) -> None:
    assert sorted(cli.COMMANDS) == sorted(name for names in cli._ROOMS.values() for name in names)
    ended = vidspec("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    said = " ".join(ended.stdout.split())
    for name, line in cli.COMMANDS.items():
        assert f" {name} {line}" in said


@pytest.mark.parametrize("command", cli.COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(vidspec: Vidspec, command: str, flag: str) -> None:
    ended = vidspec(command, flag)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Usage: ")
    assert cli.COMMANDS[command] in ended.stdout


def test_the_version_is_that_of_the_package(vidspec: Vidspec) -> None:
    from importlib.metadata import version

    assert vidspec("--version").stdout == f"vidspec {version('vidspec')}\n"


# --- usage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Usage:"),
        (("rendr",), "there is no command `rendr`; the nearest is `render`"),
        (("zzzzzz",), "there is no command `zzzzzz`"),
        (("render",), "Missing argument"),
        (("render", "a.yaml", "b.yaml"), "b.yaml"),
        (("validate",), "Missing argument"),
        (("plan",), "Missing argument"),
        (("plan", "--"), "Missing argument"),
        (("plan", "--", "--graph"), "cannot read `--graph`"),
        (("render", "a.yaml", "--frozen", "--with-dependants"), "`--frozen` and `--with-dependants` do not go"),
        (("render", "a.yaml", "--darft"), "--draft"),
        (("plan", "a.yaml", "--var", "weather"), "`weather` is not of the form name=value"),
        (("plan", "a.yaml", "--var", "=x"), "cannot be the name of a variable"),
        (("plan", "a.yaml", "--var", "slate=x"), "cannot be the name of a variable"),
        (("plan", "a.yaml", "--var", "name=\udcff"), "the value of `name` is not UTF-8 text"),
        (("plan", "nothing.yaml"), "cannot read `nothing.yaml`: no such file or directory"),
        (("plan", "nothing\udcff.yaml"), "cannot read `nothing\\udcff.yaml`"),
        (("status", "."), "a directory"),
        (("plan", "nu\0ll.yaml"), "null byte"),
        (("providers", "nobody"), "provider `nobody`"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, tuple) else None,
)
def test_wrong_usage_is_exit_2_and_says_what_is_wrong(
    vidspec: Vidspec, arguments: tuple[str, ...], message: str
) -> None:
    ended = vidspec(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("place", [".", "/", "", "..", "film", "film/"])
@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("verify", ()),
        ("restore", ()),
        ("push", ()),
        ("render", ("--frozen", "--yes")),
        ("lock mv", ("a", "b")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_directory_in_place_of_a_list_is_one_clear_message(
    vidspec: Vidspec,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    more: tuple[str, ...],
    place: str,
) -> None:
    (project / "film").mkdir()
    monkeypatch.setenv("VIDSPEC_STORE", str(project))
    ended = vidspec(*command.split(), place, *more)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert " is a directory, not a list\n    help: name the list itself, such as `shots.yaml`\n" in ended.stderr


FOUR = "\n".join(f"- {{id: {name}, prompt: x}}" for name in "abcd")


@pytest.mark.parametrize(
    ("options", "slates"),
    [
        (("--exclude", "a", "--exclude", "b c"), ["d-t01"]),
        (("--select", "a", "--select", "c,state:new"), ["a-t01", "c-t01"]),
        (("--select", "a b", "--select", "c", "--exclude", "a", "--exclude", "c"), ["b-t01"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
@pytest.mark.parametrize("command", ["plan", "status"])
def test_selections_that_are_given_one_by_one_are_joined(
    shots: Shots, vidspec: Vidspec, command: str, options: tuple[str, ...], slates: list[str]
) -> None:
    shots(FOUR)
    value = json.loads(vidspec(command, "shots.yaml", "--json", *options).stdout)
    assert [one["slate"] for one in value["takes"]] == slates


def test_nothing_that_was_left_out_one_by_one_is_rendered(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots(FOUR)
    assert vidspec("render", "shots.yaml", "--exclude", "a", "--exclude", "b", "--exclude", "c").returncode == 0
    assert [path.name for path in (project / "renders").iterdir()] == ["d"]


@pytest.mark.parametrize("option", ["--select", "--exclude"])
def test_a_selection_that_says_nothing_beside_another_is_not_passed_over(
    shots: Shots, vidspec: Vidspec, option: str
) -> None:
    shots(FOUR)
    ended = vidspec("plan", "shots.yaml", option, " ", option, "a")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: the selection is empty\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("so it is"), 2, "error: so it is"),
        (LockError("so it is"), 2, "error: so it is"),
        (Refusal("so it is"), 3, "error: so it is"),
        (MediaError("so it is"), 1, "error: so it is"),
        (RenderError("so it is"), 1, "error: so it is"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "error: permission denied: /x/y"),
        (OSError(28, "No space left on device"), 1, "error: no space left on device"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_the_exit_code_tells_whose_it_is(
    vidspec: Vidspec, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr("vidspec.commands.schema.run", fail)
    ended = vidspec("schema")
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (code, "", line)


# --- streams -----------------------------------------------------------------------------------------------------


@pytest.fixture
def long_list(shots: Shots) -> None:
    shots("\n".join(f"- {{id: s{number:04}, prompt: {'x' * 40}}}" for number in range(1500)))


@pytest.mark.slow
@pytest.mark.parametrize("command", ["plan shots.yaml", "plan shots.yaml --json", "status shots.yaml", "schema"])
@pytest.mark.parametrize("reader", ["head -c 10", "true"])
def test_a_reader_who_has_seen_enough_is_no_fault(long_list: None, command: str, reader: str) -> None:
    ended = process(f"vidspec {command} | {reader} >/dev/null; exit ${{PIPESTATUS[0]}}")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
def test_a_stdout_that_is_closed_is_no_fault(shots: Shots) -> None:
    shots("- {id: a, prompt: x}")
    ended = process("vidspec render shots.yaml >&- 2>&-; echo $?; vidspec plan shots.yaml --detailed-exitcode >&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_stdout_that_is_full_is_one_line(shots: Shots) -> None:
    shots("- {id: a, prompt: x}")
    ended = process("vidspec plan shots.yaml > /dev/full")
    assert (ended.returncode, ended.stderr) == (1, "error: no space left on device\n")


@pytest.mark.slow
def test_a_stream_that_cannot_say_it_gets_escapes(shots: Shots) -> None:
    shots("- {id: a, prompt: 夜}\n- {id: b, prompt: x, proivder: 渡}")
    ended = process("PYTHONIOENCODING=ascii PYTHONUTF8=0 LC_ALL=C vidspec plan shots.yaml")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environment", "flags", "colour"),
    [
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("--no-color",), False),
    ],
    ids=["FORCE_COLOR", "NO_COLOR", "--no-color"],
)
@pytest.mark.parametrize("command", ["validate", "plan", "render", "status"])
def test_colour_can_be_had_and_refused(
    shots: Shots,
    vidspec: Vidspec,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    environment: dict[str, str],
    flags: tuple[str, ...],
    colour: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shots("- {id: a, prompt: x}")
    ended = vidspec(command, "shots.yaml", *flags)
    assert ended.returncode == 0
    assert ("\033[" in ended.stdout) == colour
    assert colour or "\033[" not in ended.stderr


# --- where a command runs ----------------------------------------------------------------------------------------


def test_paths_start_at_the_list_wherever_the_command_runs(
    shots: Shots, vidspec: Vidspec, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots("- {id: a, prompt: x}")
    monkeypatch.chdir(tmp_path)
    assert vidspec("render", "film/shots.yaml").returncode == 0
    assert sorted(path.name for path in project.iterdir()) == [".vidspec", "renders", "shots.lock", "shots.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["film"]
    monkeypatch.chdir(project)
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode").returncode == 0


@pytest.mark.parametrize(
    "command", ["validate FILE", "plan FILE", "status FILE", "config FILE", "providers", "schema"]
)
def test_every_command_may_be_told_to_be_quiet_and_without_colour(
    shots: Callable[..., Path], vidspec: Callable[..., subprocess.CompletedProcess[str]], command: str
) -> None:
    path = shots("- {id: a, prompt: x}\n- {id: b, prompt: y}")
    arguments = [str(path) if word == "FILE" else word for word in command.split()]
    loud, quiet = vidspec(*arguments), vidspec(*arguments, "--quiet", "--no-color")
    assert (loud.returncode, quiet.returncode, quiet.stderr) == (0, 0, "")
    assert len(quiet.stdout) <= len(loud.stdout)
