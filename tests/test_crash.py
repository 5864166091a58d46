from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec.crash import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

SECRET = "sk-0123456789abcdef"


def failed(message: str = "broken") -> BaseException:
    def fail() -> None:
        local_secret = SECRET
        raise RuntimeError(message.replace("KEY", local_secret))

    with pytest.raises(RuntimeError) as raised:
        fail()
    return raised.value


@pytest.fixture(autouse=True)
def arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["vidspec", "render", "--var", f"key={SECRET}"])


def test_a_report_stands_under_the_state_folder_where_there_is_one(project: Path) -> None:
    (project / ".vidspec").mkdir()
    path = write_report(failed())
    assert path.parent == project / ".vidspec"
    text = path.read_text()
    assert "RuntimeError: broken" in text
    assert 'in fail\n    raise RuntimeError(message.replace("KEY", local_secret))' in text
    assert "command: render\n" in text


def test_without_one_it_stands_where_nobody_else_writes(project: Path) -> None:
    path = write_report(failed())
    assert "RuntimeError: broken" in path.read_text()
    assert path.parent.stat().st_mode & 0o077 == 0
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("name", ["MINIMAX_API_KEY", "SOME_TOKEN", "my_api_key"])
def test_a_report_holds_no_key(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, SECRET)
    text = write_report(failed("401 for key KEY")).read_text()
    assert SECRET not in text
    assert f"401 for key <{name}>" in text


def test_a_folder_that_cannot_be_written_is_passed_over(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".vidspec").mkdir()
    original = Path.write_text

    def refuse(path: Path, *given: str, **named: str) -> int:
        if path.is_relative_to(project):
            raise PermissionError
        return original(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", refuse)
    path = write_report(failed())
    assert not path.is_relative_to(project)
    assert "RuntimeError: broken" in path.read_text()


def test_text_that_cannot_be_encoded_is_written_all_the_same(project: Path) -> None:
    assert "\\udcff" in write_report(failed("\udcff")).read_text()


def test_a_bug_is_exit_4_one_line_and_a_file(
    project: Path, vidspec: Callable[..., CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> int:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("vidspec.commands.schema.run", bug)
    monkeypatch.setenv("MINIMAX_API_KEY", SECRET)
    (project / ".vidspec").mkdir()
    ended = vidspec("schema")
    assert (ended.returncode, ended.stdout) == (4, "")
    (line,) = ended.stderr.splitlines()
    start, _, path = line.partition("; see ")
    assert start == "bug: ZeroDivisionError"
    report = Path(path)
    assert report.parent == project / ".vidspec"
    assert "Traceback" in report.read_text()
    assert SECRET not in report.read_text()


def test_a_folder_that_is_gone_does_not_hide_the_bug(project: Path) -> None:
    project.rmdir()
    assert "RuntimeError: broken" in write_report(failed()).read_text()
