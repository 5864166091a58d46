"""What each command loads: a command must not wait for libraries that it does not use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Shots = Callable[..., Path]

CHILD = """
import sys
before = set(sys.modules)
from vidspec import cli
sys.argv = ["vidspec", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as ended:
    code = ended.code
names = {name for name in set(sys.modules) - before}
print("LOADED", code, *sorted(names), file=sys.stderr)
"""


def loaded(*arguments: str) -> tuple[str, set[str]]:
    """The exit code of a command, and the modules that it loaded."""
    command = [sys.executable, "-c", CHILD, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    _, code, *names = ended.stderr.splitlines()[-1].split()
    return code, set(names)


def outer(names: set[str]) -> set[str]:
    """The libraries among modules: what is neither ours nor Python's own."""
    tops = {name.partition(".")[0] for name in names}
    return {top for top in tops - sys.stdlib_module_names - {"vidspec"} if not top.startswith("_")}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("-h",), ("render", "--help"), ("plan", "-h")])
def test_help_and_version_load_nothing_but_click_and_the_command_line(arguments: tuple[str, ...]) -> None:
    code, names = loaded(*arguments)
    assert code == "0"
    assert outer(names) == {"click"}
    ours = {name for name in names if name.startswith("vidspec")}
    assert {name for name in ours if not name.startswith("vidspec.cli")} == {"vidspec"}


HEAVY = {"httpx", "trio", "av", "rich", "jsonschema", "referencing", "PIL", "jinja2", "click"}
NAMES = "vars: {weather: rain}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "entry", "libraries"),
    [
        ("validate", "{id: a, prompt: one}", {"click", "yaml"}),
        ("validate", "{id: a, prompt: 'the {{ weather }}', takes: 2}", {"click", "yaml"}),
        ("validate", "{id: a, prompt: '{{ weather | upper }}'}", {"click", "yaml", "jinja2"}),
        ("validate", "{id: a, prompt: one, first_frame: a.png}", {"click", "yaml", "PIL"}),
        ("plan", "{id: a, prompt: 'the {{ weather }}'}", {"click", "yaml"}),
        ("status", "{id: a, prompt: one}", {"click", "yaml"}),
        ("config", "{id: a, prompt: one}", {"click", "yaml"}),
    ],
    ids=["plain", "names", "template", "picture", "plan", "status", "config"],
)
def test_a_command_loads_what_the_list_needs(
    shots: Shots, project: Path, command: str, entry: str, libraries: set[str]
) -> None:
    Image.new("RGB", (64, 36)).save(project / "a.png")
    shots(f"- {entry}", NAMES)
    code, names = loaded(command, "shots.yaml")
    assert code == "0"
    assert outer(names) & HEAVY == libraries & HEAVY
    assert "yaml" in outer(names)


@pytest.mark.slow
def test_what_is_wrong_is_worth_a_library(shots: Shots) -> None:
    shots("- {id: a, prompt: one, durration: 2}")
    code, names = loaded("validate", "shots.yaml")
    assert code == "2"
    assert "jsonschema" in outer(names)


@pytest.mark.slow
def test_the_providers_are_shown_without_a_video_library() -> None:
    code, names = loaded("providers")
    assert code == "0"
    assert outer(names) & HEAVY == {"click"}


@pytest.mark.slow
def test_a_render_with_nothing_to_do_loads_no_video_library(shots: Shots) -> None:
    shots("- {id: a, prompt: one}")
    assert loaded("render", "shots.yaml")[0] == "0"
    code, names = loaded("render", "shots.yaml")
    assert code == "0"
    assert outer(names) & HEAVY == {"click"}
