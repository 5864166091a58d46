"""Takes chosen at a terminal: what is asked, what a key means, and a real terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import choosing
from vidspec.choosing import Candidate, Question, answers, ask, lines, questions
from vidspec.console import Console
from vidspec.errors import ShotListError, UsageError
from vidspec.ledger import Ledger
from vidspec.lock import Cost, Lock, Output, Record
from vidspec.project import open_lists
from vidspec.site import Site

if TYPE_CHECKING:
    from vidspec.project import Opened

Shots = Callable[..., Path]


def film(path: Path, *, chosen: str = "", without: tuple[str, ...] = ()) -> tuple[Opened, Lock]:
    """A list, all of whose takes are rendered but for some, as its lockfile has it."""
    (opened,), _ = open_lists([path], {}, offline=True)
    lock = Lock()
    for take in opened.takes:
        if take.slate in without:
            lock.put(take.slate, Record(shot=take.shot, take=take.number))
            continue
        output = Output(
            path=take.output, sha256=f"sha256:{'0' * 64}", bytes=1, width=64, height=36, fps=10.0, duration=0.2
        )
        record = Record(
            shot=take.shot,
            take=take.number,
            provider=take.provider,
            model=take.model,
            fingerprint=take.fingerprint,
            request=dict(take.request),
            seed=take.seed,
            output=output,
            request_id="r1",
            cost=Cost(amount=2.0, currency="cny", basis="unsure"),
        )
        lock.put(take.slate, replace(record, chosen=True) if take.slate == chosen else record)
    Ledger(lock, Site.real(path).lock).write()
    return opened, lock


def question(shot: str = "a", numbers: tuple[int, ...] = (1, 2, 3), chosen: int = 0) -> Question:
    return Question(
        shot=shot,
        scene="",
        prompt="",
        candidates=tuple(
            Candidate(number=one, slate=f"{shot}-t{one:02d}", facts=(), path="", is_chosen=one == chosen)
            for one in numbers
        ),
    )


def answered(asked: list[Question], *keys: str) -> tuple[dict[str, str], list[str], int]:
    """What is chosen by some keys, which shots were shown, and how often a key meant nothing."""
    waiting = list("".join(keys))
    shown: list[str] = []
    refused: list[bool] = []
    found = answers(
        asked,
        lambda one, _place: shown.append(one.shot),
        lambda: waiting.pop(0) if waiting else "",
        lambda: refused.append(True),
    )
    return found, shown, len(refused)


# --- what is asked -----------------------------------------------------------------------------------------


def test_only_shots_with_several_rendered_takes_are_asked_about(shots: Shots) -> None:
    path = shots("- {id: a, prompt: x}\n- {id: b, prompt: x, takes: 2}\n- {id: c, prompt: x, takes: 3}")
    opened, lock = film(path, without=("b-t02", "c-t02"))
    (asked,) = questions(opened, lock)
    assert (asked.shot, [one.number for one in asked.candidates]) == ("c", [1, 3])


def test_a_take_is_told_with_what_it_is_and_what_it_has_otherwise(shots: Shots) -> None:
    entry = "{id: a, scene: harbour, prompt: 'a ferry, number {{ take }}', takes: [7, 9]}"
    opened, lock = film(shots(f"- {entry}"), chosen="a-t02")
    second = lock.get("a-t02")
    assert second is not None
    lock.put("a-t02", replace(second, request={**(second.request or {}), "duration": 3.0}, seed_used=11))
    (asked,) = questions(opened, lock)
    one, other = asked.candidates
    assert (asked.scene, asked.prompt, asked.chosen) == ("harbour", "a ferry, number 1", other)
    assert one.facts == ("64x36", "0.2 s", "~2.00 cny", "seed 7")
    assert other.facts[-1] == "seed 11"
    assert (one.path, other.path) == ("renders/a/a-t01.mp4", "renders/a/a-t02.mp4")
    assert (one.own, other.own) == ((("duration", "0.2 s"),), (("duration", "3 s"),))
    assert one.texts == {}
    assert [piece.text for piece in other.texts["prompt"] if piece.differs] == ["2"]


def test_a_clip_of_unknown_price_is_told_so_and_one_that_was_drawn_here_has_none(shots: Shots) -> None:
    opened, lock = film(shots("- {id: a, prompt: x, takes: 2}"))
    first, second = lock.get("a-t01"), lock.get("a-t02")
    assert first is not None
    assert second is not None
    lock.put("a-t01", replace(first, cost=None))
    lock.put("a-t02", replace(second, cost=None, request_id=None))
    (asked,) = questions(opened, lock)
    assert [one.facts[2] for one in asked.candidates] == ["unknown", ""]


# --- what a key means --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ("2", {"a": "a-t02"}),
        ("\n", {}),
        ("\r", {}),
        ("q", {}),
        ("", {}),
        ("\x04", {}),
        ("x2", {"a": "a-t02"}),
        ("0\n", {}),
        ("9é\x1b[A3", {"a": "a-t03"}),
        ("1", {}),
    ],
    ids=[
        "a number",
        "enter",
        "return",
        "q",
        "no keys any more",
        "end of file",
        "no number",
        "0",
        "arrows",
        "chosen",
    ],
)
def test_a_key_chooses_keeps_or_ends(keys: str, chosen: dict[str, str]) -> None:
    assert answered([question(chosen=1)], keys)[0] == chosen


def test_each_shot_is_asked_about_in_its_turn_and_q_leaves_the_rest() -> None:
    asked = [question(shot) for shot in "abcd"]
    found, shown, _ = answered(asked, "3\n2q")
    assert found == {"a": "a-t03", "c": "c-t02"}
    assert shown == ["a", "b", "c", "d"]


def test_one_can_go_back_and_think_again() -> None:
    asked = [question("a", chosen=1), question("b")]
    assert answered(asked, "2b3q")[0] == {"a": "a-t03"}
    assert answered(asked, "2b1q")[0] == {}
    assert answered(asked, "2b\nq")[0] == {"a": "a-t02"}
    assert answered(asked, "bb2q")[1] == ["a", "a", "a", "b"]


def test_a_number_of_two_figures_waits_for_the_second_where_it_must() -> None:
    asked = [question(numbers=(1, 2, 10, 11, 30))]
    assert answered(asked, "11")[0] == {"a": "a-t11"}
    assert answered(asked, "1\n")[0] == {"a": "a-t01"}
    assert answered(asked, "2")[0] == {"a": "a-t02"}
    assert answered(asked, "3\n30") == ({"a": "a-t30"}, ["a"], 1)
    assert answered(asked, "1\x7f2")[0] == {"a": "a-t02"}
    assert answered(asked, "192") == ({"a": "a-t02"}, ["a"], 1)


def test_keys_that_mean_nothing_are_refused_each() -> None:
    assert answered([question()], "x7?2") == ({"a": "a-t02"}, ["a"], 3)


# --- how it is read ----------------------------------------------------------------------------------------


def read(asked: Question, *, colour: bool = False) -> str:
    return "\n".join(lines(asked, 1, 3, Console(io.StringIO(), colour=colour)))


def test_a_question_is_read_in_a_few_lines(shots: Shots) -> None:
    entry = "{id: a, scene: harbour, prompt: 'a ferry, number {{ take }}', takes: [7, 9]}"
    opened, lock = film(shots(f"- {entry}"), chosen="a-t02")
    (asked,) = questions(opened, lock)
    assert read(asked).splitlines() == [
        "",
        "a  harbour  2 of 3",
        "  a ferry, number 1",
        "  1  a-t01  64x36  0.2 s  ~2.00 cny  seed 7  renders/a/a-t01.mp4",
        "  2  a-t02  64x36  0.2 s  ~2.00 cny  seed 9  renders/a/a-t02.mp4  chosen",
        "     prompt: a ferry, number [2]",
        "  1-2 chooses, Enter keeps a-t02, b goes back, q ends here, Ctrl-C forgets it all",
    ]
    assert "number \x1b[33m2\x1b[0m" in read(asked, colour=True)


def test_nothing_that_a_terminal_would_obey_is_written() -> None:
    asked = replace(question(), scene="a\x1b[2J", prompt="b\x07\n" + "long " * 500)
    candidate = replace(asked.candidates[0], path="c\x1b", own=(("x", "d\x1b"),))
    text = read(replace(asked, candidates=(candidate, *asked.candidates[1:])))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert text.count("\n") < 12


# --- a terminal --------------------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_asked(shots: Shots) -> None:
    path = shots("- {id: a, prompt: x, takes: 2}")
    film(path)
    with pytest.raises(UsageError, match="`--interactive` needs a terminal"):
        ask(path, {}, Console(io.StringIO()))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr(sys, "stdin", Terminal())
    return Console(Terminal(), colour=False)


def test_where_there_is_nothing_to_choose_that_is_said(shots: Shots, at_terminal: Console) -> None:
    path = shots("- {id: a, prompt: x}")
    film(path)
    assert ask(path, {}, at_terminal) == []
    assert isinstance(at_terminal.stream, Terminal)
    assert at_terminal.stream.getvalue() == "nothing to choose: no shot has more than one rendered take\n"


def test_a_list_that_cannot_be_read_is_said(shots: Shots, at_terminal: Console) -> None:
    path = shots("- {id: a, prompt: [x}")
    with pytest.raises(ShotListError, match="E105"):
        ask(path, {}, at_terminal)


CHILD = """
import fcntl, sys, termios
from pathlib import Path
from vidspec import choosing
from vidspec.console import Console
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
try:
    print("=>", *choosing.ask(Path("shots.yaml"), {}, Console()), flush=True)
except KeyboardInterrupt:
    print("=> interrupted", flush=True)
sys.stdin.readline()
"""


@contextmanager
def terminal() -> Iterator[int]:
    """A real terminal in which somebody is asked: its other end."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        try:
            yield ours
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def heard(end: int, until: str) -> str:
    """What is written in a terminal, up to some words."""
    data = ""
    stop = time.monotonic() + 20
    while until not in data and time.monotonic() < stop:
        if select.select([end], [], [], 0.2)[0]:
            data += os.read(end, 10_000).decode("utf-8", "replace")
    assert until in data, data
    return data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (b"2\r", "=> a-t02"),
        (b"2q", "=> a-t02"),
        (b"q", "=>"),
        (b"23", "=> a-t02 b-t03"),
        (b"2\x03", "=> interrupted"),
    ],
    ids=["choose and keep", "choose and quit", "quit", "choose twice", "Ctrl-C"],
)
def test_keys_are_read_one_by_one_and_the_terminal_is_left_as_it_was(shots: Shots, keys: bytes, said: str) -> None:
    film(shots("- {id: a, prompt: x, takes: 2}\n- {id: b, prompt: x, takes: 3}"))
    with terminal() as end:
        before = termios.tcgetattr(end)
        heard(end, "Ctrl-C forgets it all")
        assert termios.tcgetattr(end) != before
        for key in keys:
            os.write(end, bytes([key]))
        assert said in heard(end, "=>" if said == "=>" else said)
        assert termios.tcgetattr(end)[3] == before[3]


@pytest.mark.slow
def test_a_terminal_that_goes_away_ends_it(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r+b", buffering=0) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with choosing._keys() as read_key:
            os.write(ours, b"7")
            assert read_key() == "7"
            os.close(ours)
            assert read_key() == ""
