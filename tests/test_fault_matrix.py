"""Every fault of the twins, for every provider and in every call that it has: what becomes of the take.

Each cell is a rehearsal of the whole command line, with one fault for each take. Time jumps wherever everybody
waits, takes are looked at every 40 seconds, and all clips are one.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from trio.testing import MockClock

from vidspec import journal
from vidspec.commands import render
from vidspec.sandbox import open_sandbox
from vidspec.sandbox.delivery import NOT_DONE
from vidspec.sandbox.faults import EVERY, FAULTS, ON_TASKS
from vidspec.sandbox.films import Film
from vidspec.state import COLLECTABLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import trio

    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.exchange import Exchange
    from vidspec.sandbox.twin import Clip

pytestmark = pytest.mark.slow

Vidspec = Callable[..., subprocess.CompletedProcess[str]]


class Subject(NamedTuple):
    """A shot, and the calls that its provider needs until the clip is there."""

    provider: str
    model: str
    calls: str
    more: str = ""


SUBJECTS = {
    "siliconflow": Subject(
        "siliconflow", "Wan-AI/Wan2.2-T2V-A14B", "submit poll download", "resolution: 720p, aspect_ratio: '16:9'"
    ),
    "nebula": Subject("nebula", "wan2.5-t2v-preview", "submit poll download"),
    "veo": Subject("nebula", "veo-3.0-fast-generate-001", "submit poll"),
    "leapx": Subject("leapx", "sora-2", "submit poll result"),
    "minimax": Subject("minimax", "MiniMax-Hailuo-02", "submit poll result download", "enhance_prompt: false"),
    "gately": Subject("gately", "T2V-01", "submit poll result download"),
    "yutoai": Subject("yutoai", "wanx2.1-t2v-turbo", "submit poll download"),
}

TABLE = """
fault               submit   poll     result   download
throttled           again    again    again    again
overloaded          doubt    again    again    again
broken              doubt    again    again    again
timed_out           doubt    again    again    again
hang                doubt    again    again    again
drop                doubt    again    again    again
reset               doubt    again    again    again
cut                 doubt    again    again    again
slow                waits    waits    waits    waits
redirect            refused  left     left     again
garbage             doubt    again    again    again
huge                doubt    again    again    again
html                doubt    again    again    -
empty               doubt    again    again    -
nested              doubt    again    again    -
moderation          failed   -        -        -
unknown_state       left     -        -        -
unknown_state=90    waits    -        -        -
late_row=90         waits    -        -        -
link_expired        -        -        -        again
truncated_download  -        -        -        again
html_download       -        -        -        again
empty_download      -        -        -        again
wrong_length        -        -        -        again
"""
"""What one fault in a call comes to; a number is its seconds.

`again`: the call is made again, and all is well. `waits`: it takes longer. `doubt`: nobody knows, and nothing is
sent again. `refused`: nothing was made, and the next run may send it again. `failed`: it was made, and came to
nothing. `left`: it is made, and left for the next run to collect.
"""

OTHERWISE = {
    # a documented refusal, which says that nothing was made
    ("overloaded", "submit"): dict.fromkeys(["siliconflow", "nebula", "veo", "leapx"], "again"),
    # nobody says of these that an id may not be known at first
    ("late_row=90", "submit"): dict.fromkeys(["siliconflow", "minimax", "gately"], "left"),
}

SAID = {
    ("overloaded", "submit"): "downstream service error|HTTP 503: no available channel",
    ("broken", "submit"): "HTTP 500|internal error (1024)",
    ("timed_out", "submit"): "HTTP 504|timeout",
    ("hang", "submit"): "no answer within",
    ("drop", "submit"): "the connection was closed before an answer came",
    ("reset", "submit"): "the connection was reset before an answer came",
    ("cut", "submit"): "the connection was closed in the middle of the answer",
    ("redirect", "submit"): "the address redirects; write the `base_url` it leads to",
    ("redirect", "poll"): "the address redirects; write the `base_url` it leads to",
    ("redirect", "result"): "the address redirects; write the `base_url` it leads to",
    ("garbage", "submit"): "HTTP 200: ",
    ("huge", "submit"): "the answer is larger than 4 MB",
    ("html", "submit"): "an HTML page, where an answer in JSON was expected",
    ("empty", "submit"): "an empty answer",
    ("nested", "submit"): "an answer that is not understood",
    ("moderation", "submit"): "content policy|moderation|safety filter|DataInspection|new_sensitive",
    ("unknown_state", "submit"): "not there after 1200 s; the next run looks again, free|not there after 1800 s",
    ("late_row=90", "submit"): "does not exist",
}
"""What is said of a take that does not end well: one of these."""


class Ending(NamedTuple):
    """What a take is in the journal, the word of the summary, whether the call is made again, and the exit code."""

    moves: Iterable[str]
    word: str = ""
    again: bool = False

    @property
    def code(self) -> int:
        return 1 if self.word else 0


ENDINGS = {
    "again": Ending({"delivered"}, again=True),
    "waits": Ending({"delivered"}),
    "doubt": Ending({"in_doubt"}, "in doubt"),
    "refused": Ending({"refused"}, "failed"),
    "failed": Ending({"failed"}, "failed"),
    "left": Ending(COLLECTABLE, "failed"),
}


def cells() -> dict[tuple[str, str], str]:
    """The table, by fault and call."""
    (_, *calls), *rows = (line.split() for line in TABLE.strip().splitlines())
    return {(fault, call): word for fault, *words in rows for call, word in zip(calls, words, strict=True)}


CELLS = {cell: word for cell, word in cells().items() if word != "-"}


# --- a rehearsal ------------------------------------------------------------------------------------------------


class OneFilm:
    """Clips that are all the same one, and there at once."""

    def __init__(self, data: bytes, _nursery: trio.Nursery, folder: Path) -> None:
        self._film = Film(path=folder / "clip.mp4", size=len(data))
        self._film.path.write_bytes(data)

    def order(self, clip: Clip) -> Film:
        return self._film


class Rehearsed(NamedTuple):
    """How a rehearsal has ended, and the twins' books of it."""

    code: int
    out: str
    err: str
    sandbox: Sandbox

    def exchanges(self, name: str) -> list[Exchange]:
        """All that was asked for one take, in order."""
        provider, model, *_ = SUBJECTS[name]
        found = self.sandbox.history.exchanges
        return [one for one in found if (one.provider, one.model) == (provider, model)]


Rehearse = Callable[..., Rehearsed]


@pytest.fixture
def rehearse(
    project: Path, vidspec: Vidspec, clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> Rehearse:
    """Rehearses some of the subjects, each with one fault."""
    monkeypatch.setattr("vidspec.sandbox.opened.Films", partial(OneFilm, clip(1)))
    monkeypatch.setattr("vidspec.sandbox.server.HUGE", 8 * 2**20)
    monkeypatch.setattr("vidspec.pacing.next_look", lambda *_: 40.0)
    monkeypatch.setattr(render, "_clock", lambda _options: MockClock(autojump_threshold=0.002))
    opened: list[Sandbox] = []

    @asynccontextmanager
    async def noted(*given: Any, **more: Any) -> AsyncIterator[Sandbox]:
        async with open_sandbox(*given, **more) as sandbox:
            opened.append(sandbox)
            yield sandbox

    monkeypatch.setattr("vidspec.rehearsal.open_sandbox", noted)

    def run(names: list[str], faults: str = "vidspec_faults: 1\nfaults: []\n") -> Rehearsed:
        (project / "shots.yaml").write_text(shots(names), encoding="utf-8")
        (project / "faults.yaml").write_text(faults, encoding="utf-8")
        ended = vidspec("render", "shots.yaml", "--rehearse", "--faults", "faults.yaml")
        return Rehearsed(ended.returncode, ended.stdout, ended.stderr, opened.pop())

    return run


def shots(names: list[str]) -> str:
    """A list with one shot for each subject."""
    providers = dict.fromkeys(SUBJECTS[name].provider for name in names)
    lines = [f"  {provider}: {{submits_per_minute: 600}}" for provider in providers]
    lines = ["vidspec: 1", "providers:", *lines, "shots:"]
    for name in names:
        provider, model, _, more = SUBJECTS[name]
        lines.append(f"  - {{id: {name}, prompt: a boat, provider: {provider}, model: {model}, {more}}}")
    return "\n".join([*lines, ""])


def faults_of(fault: str, call: str, names: list[str]) -> str:
    """A file with one fault for each subject."""
    kind, _, seconds = fault.partition("=")
    more = f", seconds: {seconds}" if seconds else ""
    lines = ["vidspec_faults: 1", "faults:"]
    for name in names:
        provider, model, *_ = SUBJECTS[name]
        lines.append(f"  - {{fault: {kind}, call: {call}, provider: {provider}, model: {model}{more}}}")
    return "\n".join([*lines, ""])


# --- the table ---------------------------------------------------------------------------------------------------


def test_the_table_has_every_fault_in_every_call_that_it_fits() -> None:
    fitting = {(fault, call) for fault, kind in FAULTS.items() for call in kind.calls}
    assert {(fault.partition("=")[0], call) for fault, call in cells()} == {
        (one, call) for one in FAULTS for call in EVERY
    }
    assert {(fault.partition("=")[0], call) for fault, call in CELLS} == fitting


@pytest.mark.parametrize(("fault", "call"), CELLS, ids=map(" ".join, CELLS))
def test_what_one_fault_comes_to(fault: str, call: str, rehearse: Rehearse, project: Path) -> None:
    words = {name: CELLS[fault, call] for name, subject in SUBJECTS.items() if call in subject.calls}
    words |= OTHERWISE.get((fault, call), {})
    for code in (0, 1):
        names = [name for name, word in words.items() if ENDINGS[word].code == code]
        if names:
            ended = rehearse(names, faults_of(fault, call, names))
            assert ended.code == code, ended.out + ended.err
            assert "Traceback" not in ended.err
            assert ended.sandbox.history.bugs == []
            for name in names:
                hold(ended, name, ENDINGS[words[name]], fault, call, project)


def hold(ended: Rehearsed, name: str, expected: Ending, fault: str, call: str, project: Path) -> None:
    """Hold what became of one take against what was expected."""
    exchanges = ended.exchanges(name)
    submits = [one for one in exchanges if one.call == "submit"]
    assert len(submits) == (2 if expected.again and call == "submit" else 1), name
    nothing_made = call == "submit" and fault in NOT_DONE and not expected.again
    assert len({one.task for one in submits if one.task}) == (0 if nothing_made else 1), name
    if fault.partition("=")[0] not in ON_TASKS:
        (at,) = (number for number, one in enumerate(exchanges) if one.fault is not None)
        assert (exchanges[at].fault, exchanges[at].call) == (fault, call)
        made_again = any(one.call == call for one in exchanges[at + 1 :])
        assert made_again == (expected.again or (fault, call) == ("slow", "poll")), name
    site = project / ".vidspec/rehearsal"
    assert journal.read(site / "journal/shots.jsonl")[f"{name}-t01"].move in expected.moves, name
    assert (site / f"renders/{name}/{name}-t01.mp4").exists() == (expected.code == 0), name
    assert not list(site.rglob("*.part"))
    said = [line for line in ended.out.splitlines() if f"{name}-t01: " in line and "otherwise than" not in line]
    assert [line.startswith(expected.word) for line in said] == [True] * expected.code, said
    if said:
        assert any(words in said[0] for words in SAID[fault, call].split("|")), said


def test_every_call_that_a_subject_is_said_to_need_is_made(rehearse: Rehearse) -> None:
    ended = rehearse(list(SUBJECTS))
    assert ended.code == 0, ended.out + ended.err
    for name, subject in SUBJECTS.items():
        assert {one.call for one in ended.exchanges(name)} == set(subject.calls.split()), name
