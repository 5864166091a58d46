"""The README: every command it shows runs, and its tables are those of the program."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidspec import catalogue

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)


def between(mark: str) -> str:
    """The text between two comments of the README."""
    match = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", README, re.DOTALL)
    assert match, f"README.md has no {mark}"
    return match[1]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place like a clone of the repository, to run the commands in, one after the other."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=COMMANDS)
def test_every_command_of_the_readme_runs(command: str, clone: Path) -> None:
    program, *arguments = shlex.split(command)
    assert program == "vidspec"

    done = subprocess.run(
        [sys.executable, "-m", "vidspec", *arguments], cwd=clone, capture_output=True, text=True, check=False
    )

    assert done.returncode == (1 if "--faults" in arguments else 0), done.stdout + done.stderr
    assert done.stdout


def test_the_readme_shows_the_table_of_providers_that_the_program_has() -> None:
    assert between("providers").strip() == catalogue.markdown().strip(), "run `python tests/test_readme.py`"


def test_the_two_commands_that_set_everything_up_are_one_line_each() -> None:
    for mark in ("quickstart", "test"):
        assert len(between(mark).strip().splitlines()) == 3


def write_the_table() -> None:
    """Put the program's table into the README."""
    path = ROOT / "README.md"
    old = between("providers")
    table = f"<!-- providers -->\n{catalogue.markdown()}"
    path.write_text(README.replace(f"<!-- providers -->\n{old}", table), "utf-8")


if __name__ == "__main__":
    write_the_table()
