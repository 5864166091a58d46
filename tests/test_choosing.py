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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import choosing
from vidspec.choosing import Candidate, Question, answers, ask, lines, questions, settle
from vidspec.console import Console
from vidspec.errors import Refusal, ShotListError, UsageError
from vidspec.hold import hold
from vidspec.ledger import Ledger
from vidspec.lock import Cost, Lock, Output, Record
from vidspec.project import chosen_records, open_lists, read_lock
from vidspec.site import Site
from vidspec.store import state_folder

if TYPE_CHECKING:
    from vidspec.project import Opened

Shots = Callable[..., Path]


def film(path: Path, *, chosen: str = "", without: tuple[str, ...] = (), **variables: str) -> tuple[Opened, Lock]:
    """A list, all of whose takes are rendered but for some, as its lockfile has it."""
    (opened,), _ = open_lists([path], variables, offline=True)
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
        clip = path.parent / take.output
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(b"x")
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


def test_a_clip_that_is_not_where_it_was_put_is_gone(shots: Shots) -> None:
    path = shots("- {id: a, prompt: x, takes: 3}")
    opened, lock = film(path)
    (path.parent / "renders/a/a-t01.mp4").unlink()
    (path.parent / "renders/a/a-t03.mp4").unlink()
    (path.parent / "renders/a/a-t03.mp4").mkdir()
    (asked,) = questions(opened, lock)
    assert [one.is_gone for one in asked.candidates] == [True, False, True]


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


def test_after_going_back_what_was_answered_is_shown_as_chosen() -> None:
    waiting = list("1bb2b\nbq")
    shown: list[tuple[str, list[int]]] = []

    def show(one: Question, _place: int) -> None:
        shown.append((one.shot, [each.number for each in one.candidates if each.is_chosen]))

    asked = [question("a", chosen=2), question("b")]
    assert answers(asked, show, lambda: waiting.pop(0), lambda: None) == {}
    assert shown == [
        ("a", [2]),
        ("b", []),
        ("a", [1]),
        ("a", [1]),
        ("b", []),
        ("a", [2]),
        ("b", []),
        ("a", [2]),
    ]


def test_one_of_two_takes_that_a_merge_has_marked_is_chosen() -> None:
    asked = question()
    marked = replace(asked, candidates=tuple(replace(one, is_chosen=one.number < 3) for one in asked.candidates))
    assert answered([marked], "1")[0] == {"a": "a-t01"}
    assert answered([marked], "2")[0] == {"a": "a-t02"}
    assert answered([marked], "\n")[0] == {}


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


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((1, 2), "1-2"),
        ((1, 3), "1, 3"),
        ((1, 3, 4, 6), "1, 3-4, 6"),
        ((2, 3, 4, 11), "2-4, 11"),
    ],
    ids=["two", "a gap", "gaps", "two figures"],
)
def test_only_numbers_that_choose_something_are_offered(numbers: tuple[int, ...], said: str) -> None:
    assert f"\n  {said} chooses, Enter leaves it as it is" in read(question(numbers=numbers))


def test_a_clip_that_is_gone_is_marked_so() -> None:
    asked = question(chosen=2)
    gone = replace(asked, candidates=tuple(replace(one, is_gone=one.number < 3) for one in asked.candidates))
    assert [line.split()[2:] for line in read(gone).splitlines()[2:5]] == [["gone"], ["gone", "chosen"], []]


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


def test_nothing_is_asked_while_another_run_holds_the_project(
    shots: Shots, project: Path, at_terminal: Console
) -> None:
    path = shots("- {id: a, prompt: x, takes: 2}")
    film(path)
    with hold(state_folder(project)), pytest.raises(Refusal, match="another run holds this project"):
        ask(path, {}, at_terminal)
    assert isinstance(at_terminal.stream, Terminal)
    assert at_terminal.stream.getvalue() == ""


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys that somebody types, which a test may add to."""
    waiting: list[str] = []

    @contextmanager
    def keys() -> Iterator[Callable[[], str]]:
        yield lambda: waiting.pop(0) if waiting else ""

    monkeypatch.setattr(choosing, "_keys", keys)
    return waiting


def test_the_project_is_not_held_while_somebody_thinks(
    shots: Shots, project: Path, at_terminal: Console, typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shots("- {id: a, prompt: x, takes: 2}")
    film(path)

    def key() -> str:
        with hold(state_folder(project)):
            return "2"

    monkeypatch.setattr(choosing, "_keys", contextmanager(lambda: iter([key])))
    assert ask(path, {}, at_terminal) == ["a-t02"]


def test_what_was_answered_is_recorded(shots: Shots, at_terminal: Console, typed: list[str]) -> None:
    path = shots("- {id: a, prompt: x, takes: 2}\n- {id: b, prompt: x, takes: 3}")
    film(path)
    recorded: list[str] = []

    def record(slates: Sequence[str]) -> int:
        recorded.extend(slates)
        return 7

    assert settle(path, {}, at_terminal, record) == 0
    typed += "23"
    assert settle(path, {}, at_terminal, record) == 7
    assert recorded == ["a-t02", "b-t03"]


def test_where_it_cannot_be_recorded_the_command_that_does_so_is_printed(
    shots: Shots, at_terminal: Console, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shots(
        "- {id: a, prompt: 'the {{ sky }}', takes: 2}\n- {id: b, prompt: x, takes: 3}", name="my list.yaml"
    )
    film(path, sky="rain or fog")
    typed += "23"

    def record(_slates: Sequence[str]) -> int:
        raise Refusal("another run holds this project")

    with pytest.raises(Refusal):
        settle(Path("my list.yaml"), {"sky": "rain or fog"}, at_terminal, record)
    assert capsys.readouterr().err == (
        "not recorded: what was chosen; this records it, once it can be:\n"
        "  vidspec choose 'my list.yaml' a-t02 b-t03 --var 'sky=rain or fog'\n"
    )


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
def terminal(*command: str) -> Iterator[int]:
    """A real terminal in which somebody is asked: its other end."""
    ours, theirs = pty.openpty()
    kept = termios.tcgetattr(theirs)
    kept[3] |= termios.NOFLSH  # else Ctrl-C may throw away what is printed upon it
    termios.tcsetattr(theirs, termios.TCSANOW, kept)
    command = (sys.executable, *(command or ("-c", CHILD)))
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


KEYS = {
    "Home": b"\x1b[1~",
    "Home of another terminal": b"\x1b[H",
    "Insert": b"\x1b[2~",
    "Delete": b"\x1b[3~",
    "PageDown": b"\x1b[6~",
    "F1": b"\x1bOP",
    "F1 of the console": b"\x1b[[A",
    "F5": b"\x1b[15~",
    "Ctrl-Right": b"\x1b[1;5C",
    "Shift-F1": b"\x1bO2P",
    "keypad 1": b"\x1bOq",
    "Alt-2": b"\x1b2",
    "Alt-e acute": "\x1bé".encode(),
    "Alt-Delete": b"\x1b\x1b[3~",
    "a letter of two bytes": "é".encode(),
    "a letter of three bytes": "日".encode(),
    "a letter of four bytes": "🎬".encode(),
    "half a letter": "é".encode()[1:],
    "a colour that was asked for": b"\x1b]11;rgb:1e1e/2222/3333\x1b\\",
    "a name of the terminal": b"\x1bP>|2.3\x1b\\",
}


@contextmanager
def line_of(data: bytes) -> Iterator[int]:
    """Something to read from in which some bytes wait, and nothing follows."""
    ours, theirs = os.pipe()
    try:
        os.write(theirs, data)
        os.close(theirs)
        yield ours
    finally:
        os.close(ours)


@pytest.mark.parametrize("sent", KEYS.values(), ids=KEYS)
def test_a_key_that_sends_several_bytes_is_one_that_means_nothing(sent: bytes) -> None:
    with line_of(sent + b"2" + sent + b"q") as line:
        assert [choosing._key(line) for _ in range(4)] == [choosing.UNKNOWN, "2", choosing.UNKNOWN, "q"]
    assert answered([question()], choosing.UNKNOWN) == ({}, ["a"], 1)


@pytest.mark.parametrize(
    "sent",
    [b"\x1b", b"\x1b[", b"\x1bO", b"\x1b[1;5", b"\x1b]11;rgb", b"\xe6\x97"],
    ids=["ESC", "Alt-[", "Alt-O", "half a key", "half of what was asked for", "half a letter"],
)
def test_what_nothing_follows_at_once_is_a_key_by_itself(sent: bytes) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "wb", buffering=0) as end:
        end.write(sent)
        assert choosing._key(ours) == choosing.UNKNOWN
        end.write(b"2")
        assert choosing._key(ours) == "2"


def test_what_never_ends_is_given_up() -> None:
    with line_of(b"\x1b[" + b"1" * (choosing.LONGEST - 2) + b"2") as line:
        assert [choosing._key(line), choosing._key(line)] == [choosing.UNKNOWN, "2"]


@pytest.mark.slow
def test_home_and_delete_choose_nothing(shots: Shots) -> None:
    film(shots("- {id: a, prompt: x, takes: 4}"))
    with terminal() as end:
        heard(end, "Ctrl-C forgets it all")
        for key in (b"\x1b[1~", b"\x1b[3~"):
            os.write(end, key)
            heard(end, "\a")
        os.write(end, b"q")
        heard(end, "everything stays as it is")


@pytest.mark.slow
def test_answers_are_not_lost_to_a_run_that_began_meanwhile(shots: Shots, project: Path) -> None:
    film(shots("- {id: a, prompt: x, takes: 2}\n- {id: b, prompt: x, takes: 3}"))
    with terminal("-m", "vidspec", "choose", "-i", "shots.yaml") as end:
        heard(end, "Ctrl-C forgets it all")
        with hold(state_folder(project)):
            os.write(end, b"23")
            said = heard(end, "another run holds this project")
    assert "  vidspec choose shots.yaml a-t02 b-t03\r\n" in re.sub(r"\x1b\[\d*m", "", said)
    assert not chosen_records(read_lock(project / "shots.lock"))
    with terminal("-m", "vidspec", "choose", "-i", "shots.yaml") as end:
        heard(end, "Ctrl-C forgets it all")
        os.write(end, b"23")
        assert "a-t02" in heard(end, "b-t03\r\n")
    assert list(chosen_records(read_lock(project / "shots.lock"))) == ["a-t02", "b-t03"]


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
