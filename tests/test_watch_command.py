"""`vidspec watch`: what it prints, and how it ends."""

from __future__ import annotations

import io
import re
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vidspec.commands import watch
from vidspec.console import Console
from vidspec.errors import ShotListError, UsageError

Shots = Callable[..., Path]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, ended as with Ctrl-C."""
    command = [sys.executable, "-m", "vidspec", "watch", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(20)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], 30)
    assert ready, "it says nothing"
    return process.stdout.readline().rstrip("\n")


def run(path: Path, **more: Any) -> int:
    asked: dict[str, Any] = {"variables": {}, "port": 0, "quiet": False, "console": Console(io.StringIO()), **more}
    return watch.run(path, **asked)


@pytest.mark.slow
def test_it_says_where_the_page_is_and_then_a_line_for_each_save(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    with running("shots.yaml") as process:
        found = re.fullmatch(
            r"watching shots\.yaml: (http://127\.0\.0\.1:\d+/[\w-]{32}/) ; Ctrl-C ends it", line(process)
        )
        assert found
        assert re.fullmatch(r"\d\d:\d\d:\d\d  1 take drawn in \d+\.\d s", line(process))
        with urllib.request.urlopen(found[1], timeout=20) as answer:
            assert b"take-a-t01" in answer.read()
        path.write_text(path.read_text().replace("one", "one, durration: 2"))
        assert line(process)[8:] == "  1 error: shots.yaml:4:26: unknown key `durration`"
        path.write_text(path.read_text().replace("durration: 2", "notes: x"))
        assert line(process)[8:] == "  nothing to draw"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP], ids=["a kill", "the end of its terminal"])
def test_quiet_says_only_where_it_is_and_what_is_wrong(shots: Shots, end: signal.Signals) -> None:
    path = shots("- {id: a, prompt: one}")
    with running("shots.yaml", "-q") as process:
        assert re.fullmatch(r"watching shots\.yaml: http://\S+", line(process))
        path.write_text(path.read_text().replace("one", "one, durration: 2"))
        assert line(process)[8:] == "  1 error: shots.yaml:4:26: unknown key `durration`"
        process.send_signal(end)
        assert process.wait(20) == 0
        assert process.stdout
        assert process.stdout.read() == ""
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_it_goes_on_when_nobody_reads_what_it_says(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    with running("shots.yaml") as process:
        address = line(process).split()[2]
        assert process.stdout
        process.stdout.close()
        path.write_text(path.read_text().replace("one", "whale"))
        for _ in range(200):
            with urllib.request.urlopen(address, timeout=20) as answer:
                if b">whale<" in answer.read():
                    break
            select.select([], [], [], 0.1)
        else:
            pytest.fail("the page is never made again")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_what_cannot_be_watched_is_said_by_its_own_error(shots: Shots) -> None:
    with pytest.raises(ShotListError, match=r"none\.yaml:1:1: error\[E101\]: cannot read `none\.yaml`"):
        run(Path("none.yaml"))
    with pytest.raises(UsageError, match="`--var sky=…` is used by nothing"):
        run(shots("- {id: a, prompt: one}"), variables={"sky": "x"})


def test_a_bug_comes_out_as_itself(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _reading: object, *, saved: bool) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("vidspec.watch.session.Session._take_in", broken)
    with pytest.raises(ZeroDivisionError):
        run(shots("- {id: a, prompt: one}"))


def test_an_end_of_the_terminal_that_is_not_to_matter_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_IGN)
    assert signal.SIGHUP not in watch._endings()
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_DFL)
    assert signal.SIGHUP in watch._endings()
