from __future__ import annotations

import io

import pytest

from vidspec.console import Console, width
from vidspec.diagnostic import Diagnostic, counted

FOUND = Diagnostic(
    code="E401", message="there is no provider `x`", help="name one", file="a.yaml", line=3, column=7
)


class Stream(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(
    ("tty", "environment", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=["terminal", "pipe", "NO_COLOR", "NO_COLOR empty", "dumb", "FORCE_COLOR", "both"],
)
def test_colour_is_for_terminals_and_for_who_wants_it(
    monkeypatch: pytest.MonkeyPatch, tty: bool, environment: dict[str, str], colour: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Stream(tty=tty)
    Console(stream).diagnostics([FOUND])
    assert ("\033[" in stream.getvalue()) == colour
    assert "there is no provider `x`" in stream.getvalue()


def test_what_is_given_goes_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Console(Stream(tty=True), colour=False).paint("x", "red") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(Stream(tty=False), colour=True).paint("x", "red", "bold") == "\033[31;1mx\033[0m"


def test_a_diagnostic_is_a_line_that_editors_know_and_a_help_line() -> None:
    stream = Stream(tty=False)
    Console(stream, colour=False).diagnostics([FOUND])
    assert stream.getvalue() == "a.yaml:3:7: error[E401]: there is no provider `x`\n    help: name one\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_stream_cannot_say_is_an_escape_and_no_crash(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    Console(stream, colour=False).line("夜 \udcff é")
    said = raw.getvalue().decode(encoding)
    assert said.endswith("\n")
    assert "\\udcff" in said
    assert ("\\u591c" in said) == (encoding != "utf-8")


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("夜渡", 4), ("e\u0301", 1), ("\033[31;1mred\033[0m", 3), ("ｗ", 2)],
    ids=ascii,
)
def test_width_is_columns_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_columns_line_up_whatever_is_in_them() -> None:
    stream = Stream(tty=False)
    console = Console(stream, colour=True)
    console.rows([["夜", "1", "x"], [console.paint("ab", "red"), "10", "y"], ["abc", "", ""]], right=[1])
    assert stream.getvalue().splitlines() == ["  夜    1  x", "  \033[31mab\033[0m   10  y", "  abc"]
    console.rows([])


@pytest.mark.parametrize("columns", [40, 61, 200])
def test_on_a_terminal_the_last_column_goes_on_below_itself(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Stream(tty=True)
    words = "prompt: a ferry casts off → 夜渡 casts off at dusk, slowly; seed: 7 → 8"
    rows = [["render", "s010-t01", words], ["wait", "s020-t01", "needs s010-t01 first"]]
    Console(stream, colour=False).rows(rows)
    lines = stream.getvalue().splitlines()
    assert max(map(width, lines)) <= columns
    assert (len(lines) > 2) == (columns < 100)
    assert lines[-1] == "  wait    s020-t01  needs s010-t01 first"
    assert all(line.startswith(" " * 20) and line[20] != " " for line in lines[1:-1])
    assert " ".join([lines[0][20:], *(line[20:] for line in lines[1:-1])]) == words


def test_where_there_is_no_room_for_the_last_column_it_is_left_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Stream(tty=True)
    Console(stream, colour=False).rows([["render", "s010-t01", "a ferry casts off at dusk"]])
    assert stream.getvalue() == "  render  s010-t01  a ferry casts off at dusk\n"


def test_one_is_one_and_all_else_is_many() -> None:
    assert [counted(count, "take") for count in (0, 1, 2)] == ["0 takes", "1 take", "2 takes"]
