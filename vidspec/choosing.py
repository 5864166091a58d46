"""Takes chosen one shot after the other at a terminal: what there is is shown, and one key says which it is to be.

What is asked and what an answer means are functions of values; keys come from, and lines go to, whoever calls.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
import termios
import textwrap
import tty
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vidspec.errors import ShotListError, UsageError
from vidspec.hold import hold
from vidspec.plan_table import amount
from vidspec.project import ProjectDisk, diagnose
from vidspec.report import settings
from vidspec.report.advice import Speech
from vidspec.report.settings import TEXTS
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.contrast import Piece
    from vidspec.lock import Lock, Record
    from vidspec.project import Opened
    from vidspec.report.settings import Compared
    from vidspec.take import Take

__all__ = ["Candidate", "Question", "answers", "ask", "questions", "settle"]

KEEP, BACK, END = "\r\n", "b", "q\x04"
"""The keys that leave a shot as it is, go back to the one before, and leave it and all others."""
ERASE = "\x7f\b"
"""The keys that take back a figure."""
UNKNOWN = "\x1b"
"""A key that means nothing, such as ESC itself."""
TOGETHER = 0.03
"""Seconds within which all is there that a terminal sends for one key."""
LONGEST = 4096
"""Bytes after which what does not end is no key."""

_KEY = re.compile(
    rb"""(?sx)
    \x1b+ \[\[? [ -?]* [^ -?\[]                    # an arrow, Home, F5: to the first byte that is no parameter
    | \x1b+ O [ -?]* [^ -?]                         # the same from the other half of the keyboards
    | \x1b+ [\]PX^_] .*? (?: \x07 | \x1b\\ )         # what a terminal says of itself
    | (?: \x1b+ (?! [\[O\]PX^_] ) )?                # Alt, or nothing, and a letter as UTF-8 has it
      (?: [^\x1b\xc0-\xf7] | [\xc0-\xdf]. | [\xe0-\xef].. | [\xf0-\xf7]... )
    """
)
"""What a terminal sends for one key; any of it may be several bytes long, and have figures among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A rendered take: how it is named and what it is, and what it has that others of its shot have otherwise.

    Of one that `is_gone` the clip is no longer where it was put.
    """

    number: int
    slate: str
    facts: tuple[str, ...]
    path: str
    is_chosen: bool
    is_gone: bool = False
    own: tuple[tuple[str, str], ...] = ()
    texts: Mapping[str, Sequence[Piece]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A shot of which several takes are rendered."""

    shot: str
    scene: str
    prompt: str
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The take that is chosen now."""
        return next((one for one in self.candidates if one.is_chosen), None)


# --- what there is to choose from --------------------------------------------------------------------------


def questions(opened: Opened, lock: Lock) -> list[Question]:
    """The shots of a list of which several takes are rendered, in its order. Raises LockError."""
    groups: dict[str, list[tuple[Take, Record]]] = {}
    for take in opened.takes:
        record = lock.get(take.slate)
        if record is not None and record.rendered:
            groups.setdefault(take.shot, []).append((take, record))
    disk = ProjectDisk(opened.shot_list.project, opened.site.folder)
    return [_question(shot, group, disk) for shot, group in groups.items() if len(group) > 1]


def _question(shot: str, group: Sequence[tuple[Take, Record]], disk: ProjectDisk) -> Question:
    compared = settings.compared([settings.sent(take, record) for take, record in group])
    return Question(
        shot=shot,
        scene=group[0][0].scene or "",
        prompt=compared.texts.get("prompt", ""),
        candidates=tuple(_candidate(*one, compared, index, disk) for index, one in enumerate(group)),
    )


def _candidate(take: Take, record: Record, compared: Compared, index: int, disk: ProjectDisk) -> Candidate:
    output = record.output
    assert output is not None
    seed = record.seed_used if record.seed_used is not None else record.seed
    facts = (
        f"{output.width}x{output.height}" if output.width and output.height else "",
        f"{output.duration:g} s" if output.duration else "",
        amount(record.cost) if record.cost is not None or record.request_id else "",
        "" if seed is None else f"seed {seed}",
    )
    return Candidate(
        number=take.number,
        slate=take.slate,
        facts=facts,
        path=output.path,
        is_chosen=bool(record.chosen),
        is_gone=disk.size(output.path) is None,
        own=tuple((one.name, one.value) for one in compared.own[index] if one.name != "seed"),
        texts={name: text.new for name, text in compared.reworded[index].items() if name in TEXTS},
    )


# --- what is asked, and what is answered -------------------------------------------------------------------


def answers(
    asked: Sequence[Question],
    show: Callable[[Question, int], None],
    read: Callable[[], str],
    refuse: Callable[[], None],
) -> dict[str, str]:
    """Ask one shot after the other; the slates that were chosen, by shot, without those that were so before.

    `show` puts the question of that place, with what was answered to it so far as what is chosen; `read` gives the
    next key and nothing where there are no more, and `refuse` is called for a key that means nothing.
    """
    found: dict[str, str] = {}
    place = 0
    while place < len(asked):
        question = asked[place]
        show(_so_far(question, found.get(question.shot)), place)
        answer = _answer(question, read, refuse)
        if answer == "end":
            break
        if answer == "back":
            place = max(0, place - 1)
            continue
        if isinstance(answer, Candidate):
            found.pop(question.shot, None)
            if [one.slate for one in question.candidates if one.is_chosen] != [answer.slate]:
                found[question.shot] = answer.slate
        place += 1
    return found


def _so_far(question: Question, slate: str | None) -> Question:
    """The question as it stands once that take was answered to it, if any was."""
    if slate is None:
        return question
    marked = tuple(replace(one, is_chosen=one.slate == slate) for one in question.candidates)
    return replace(question, candidates=marked)


def _answer(question: Question, read: Callable[[], str], refuse: Callable[[], None]) -> Candidate | str:
    """The take whose number is typed; or `keep`, `back` or `end`.

    A number is taken as soon as no other could be meant; where one could, the key that keeps ends it.
    """
    numbers = {str(one.number): one for one in question.candidates}
    typed = ""
    while True:
        key = read()
        if not key or key in END:
            return "end"
        if key in KEEP and typed in ("", *numbers):
            return numbers.get(typed, "keep")
        if key == BACK:
            return "back"
        if key in ERASE:
            typed = typed[:-1]
            continue
        fitting = [number for number in numbers if key.isdigit() and number.startswith(typed + key)]
        if fitting == [typed + key]:
            return numbers[typed + key]
        if fitting:
            typed += key
        else:
            refuse()
            typed = ""


# --- at the terminal ---------------------------------------------------------------------------------------


def settle(
    file: Path, variables: Mapping[str, Any], console: Console, record: Callable[[Sequence[str]], int]
) -> int:
    """Ask, and have the slates recorded by `record`; what that returns, or 0 where all stays as it is.

    Where they cannot be recorded, the command that does so later is printed. Raises as `ask` and `record` do.
    """
    slates = ask(file, variables, console)
    if not slates:
        return 0
    try:
        return record(slates)
    except Exception:
        notes = console.beside(sys.stderr)
        notes.line(f"{notes.paint('not recorded:', 'yellow')} what was chosen; this records it, once it can be:")
        notes.line(f"  {Speech(file=str(file), variables=variables).command('choose', *slates)}")
        raise


def ask(file: Path, variables: Mapping[str, Any], console: Console) -> list[str]:
    """Show the shots of which several takes are rendered, and ask which it is to be; the slates that were chosen.

    The project is held for a moment before anything is asked, and not while somebody thinks.

    Raises:
        UsageError: nobody sits at a terminal, or the project cannot be held at all.
        Refusal: another run holds the project.
        ShotListError, LockError, JournalError: the list, or what is recorded of it, cannot be read.
    """
    if not (sys.stdin and sys.stdin.isatty() and console.stream.isatty()):
        raise UsageError("`--interactive` needs a terminal\n    help: name the takes: `vidspec choose FILE SLATE…`")
    diagnostics, opened = diagnose([file], variables)
    if not opened:
        raise ShotListError(diagnostics)
    lock, _ = opened[0].read()
    asked = questions(opened[0], lock)
    if not asked:
        console.line("nothing to choose: no shot has more than one rendered take")
        return []
    with hold(state_folder(opened[0].shot_list.project)):
        pass

    def show(question: Question, place: int) -> None:
        for line in lines(question, place, len(asked), console):
            console.line(line)
        console.stream.flush()

    with _keys() as read:
        found = answers(asked, show, read, lambda: _bell(console))
    if not found:
        console.line("everything stays as it is")
    return list(found.values())


def lines(question: Question, place: int, of: int, console: Console) -> Iterator[str]:
    """A question as it is read."""
    columns = max(40, shutil.get_terminal_size().columns)
    scene = f"  {console.paint(_plain(question.scene), 'dim')}" if question.scene else ""
    yield ""
    yield f"{console.paint(question.shot, 'bold')}{scene}  {console.paint(f'{place + 1} of {of}', 'dim')}"
    prompt = textwrap.shorten(_plain(question.prompt), 3 * (columns - 2), placeholder=" …")
    yield from textwrap.wrap(prompt, columns - 2, initial_indent="  ", subsequent_indent="  ")
    for one in question.candidates:
        mark = f"  {console.paint('gone', 'red')}" if one.is_gone else ""
        mark += f"  {console.paint('chosen', 'green', 'bold')}" if one.is_chosen else ""
        facts = "  ".join(filter(None, one.facts))
        yield f"  {console.paint(str(one.number), 'bold')}  {one.slate}  {facts}  {_plain(one.path)}{mark}"
        if one.own:
            yield f"     {console.paint('; '.join(f'{name} {_plain(value)}' for name, value in one.own), 'yellow')}"
        for name, pieces in one.texts.items():
            told = "".join(_piece(each, console) for each in pieces)
            yield f"     {name.replace('_', ' ')}: {told or 'none'}"
    kept = f"keeps {question.chosen.slate}" if question.chosen else "leaves it as it is"
    back = ", b goes back" if place else ""
    yield console.paint(
        f"  {_numbers(question)} chooses, Enter {kept}{back}, q ends here, Ctrl-C forgets it all", "dim"
    )


def _numbers(question: Question) -> str:
    """The numbers that there are; those that follow each other as the first and the last of them."""
    runs: list[list[int]] = []
    for one in sorted(one.number for one in question.candidates):
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _piece(piece: Piece, console: Console) -> str:
    """A piece of a text; one that others have otherwise is marked, also where there is no colour."""
    text = _plain(piece.text)
    if not piece.differs:
        return text
    return console.paint(text, "yellow") if console.colour else f"[{text}]"


def _plain(text: str) -> str:
    """A text on one line, without codes that a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text)


def _bell(console: Console) -> None:
    console.stream.write("\a")
    console.stream.flush()


@contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """Keys as they are pressed, one by one; nothing more once the terminal has gone. It is left as it was found."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)

    try:
        yield lambda: _key(number)
    finally:
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSADRAIN, before)


def _key(number: int) -> str:
    """The next key at a terminal; `UNKNOWN` for each that is more than one byte long."""
    data = _byte(number)
    while data and len(data) < LONGEST and not _KEY.fullmatch(data) and (more := _byte(number, TOGETHER)):
        data += more
    return data.decode() if len(data) < 2 and data.isascii() else UNKNOWN


def _byte(number: int, patience: float | None = None) -> bytes:
    """The next byte; nothing where there is none within some seconds, or never will be."""
    try:
        return os.read(number, 1) if select.select([number], [], [], patience)[0] else b""
    except OSError:  # the terminal has gone
        return b""
