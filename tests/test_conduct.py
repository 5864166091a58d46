"""Runs whose terminal goes away: real processes, each with a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from vidspec.conduct import told
from vidspec.errors import JournalError, RenderError
from vidspec.events import Outcome
from vidspec.project import read_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHILD = """
import fcntl, sys, termios
from vidspec import cli
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ["vidspec", "render", "shots.yaml", *sys.argv[1:]]
cli.main()
"""
"""The command line in a session of its own, whose terminal is its input."""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--no-color",), ("--json",)], ids=["bars", "lines", "events"])
def test_a_run_whose_terminal_is_closed_ends_in_order(
    shots: Callable[..., Path], project: Path, options: tuple[str, ...]
) -> None:
    shots("- {id: a, prompt: x, takes: 60}", defaults="{provider: animatic, size: 320x180, duration: 10, fps: 24}")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *options],
        cwd=project,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        said = b""
        while b"a-t02" not in said and process.poll() is None:
            with suppress(OSError):
                said += os.read(ours, 4096)
        os.close(ours)
        assert process.wait(60) == 130, said.decode(errors="replace")
    recorded = [record.rendered for _, record in read_lock(project / "shots.lock").items()]
    assert len(recorded) == 60
    assert not all(recorded)
    assert not list(project.rglob("*.part"))
    assert not list(project.glob(".vidspec/bug-*"))


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("a run", [ExceptionGroup("a nursery", list(errors))])


def test_everything_that_went_wrong_is_said_once() -> None:
    found = told(group(JournalError("one"), RenderError("two"), JournalError("one")), Outcome())
    assert (str(found), type(found)) == ("one\ntwo", JournalError)
    assert getattr(found, "exit_code", None) == 1


def test_a_bug_is_said_before_anything_else() -> None:
    assert isinstance(told(group(JournalError("one"), ZeroDivisionError()), Outcome()), ZeroDivisionError)


def test_what_is_under_way_is_said_beside_what_went_wrong() -> None:
    outcome = Outcome()
    outcome.tally.under_way = ["a-t01", "b-t01"]
    found = told(group(JournalError("disk full")), outcome)
    assert str(found).splitlines() == [
        "disk full",
        "    help: 2 takes under way: their providers have them, and so has the journal",
    ]


@pytest.mark.parametrize(
    ("accepted", "in_doubt", "code"),
    [([], {}, 3), (["a-t01"], {}, 1), ([], {"a-t01": "no answer"}, 1)],
    ids=["nothing was sent", "accepted", "in doubt"],
)
def test_a_refusal_is_one_only_where_nothing_was_submitted(
    accepted: list[str], in_doubt: dict[str, str], code: int
) -> None:
    outcome = Outcome()
    outcome.tally.accepted, outcome.tally.in_doubt = accepted, in_doubt
    assert getattr(told(group(JournalError("disk full")), outcome), "exit_code", None) == code
