"""Runs that are killed, run into each other, or have their clock set: nothing is sent twice, nothing paid is lost.

Real processes and a real SIGKILL; what holds is read off the twins' own books. `VIDSPEC_KILLS=200` kills more often
than there is time for every day, and `--log-cli-level=info` shows the figures.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import trio
from PIL import Image

from vidspec import journal
from vidspec.fingerprint import digest
from vidspec.media import Encoder
from vidspec.project import read_lock
from vidspec.sandbox import FaultPlan, open_sandbox
from vidspec.sandbox.clock import FastClock
from vidspec.sandbox.films import Film as Reel
from vidspec.sandbox.timing import Limits
from vidspec.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.lock import Lock, Record
    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.twin import Clip, Task
    from vidspec.state import Flight

pytestmark = pytest.mark.slow

log = logging.getLogger(__name__)

KILLS = int(os.environ.get("VIDSPEC_KILLS", "12"))
DEAD = -signal.SIGKILL
DAY = 86_400
SHOTS = {
    "siliconflow": 'model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"',
    "nebula": "model: veo-3.0-fast-generate-001",
    "leapx": "model: sora-2",
    "minimax": "model: MiniMax-Hailuo-02, enhance_prompt: false",
    "gately": "model: T2V-01",
    "yutoai": "model: wanx2.1-t2v-turbo",
}
FIRST = "siliconflow"
AFTER = "model: Wan-AI/Wan2.2-I2V-A14B, size: 1280x720, first_frame: {shot: siliconflow, at: last}"
"""A shot that goes on where that of SiliconFlow has ended."""

Twins = Callable[..., Any]
Odd = Mapping[str, float]
USUAL: Odd = {}


# --- twins, with a clip of its own for every task -----------------------------------------------------------


class Reels:
    """Clips that are there at once, and no two of one length: they end in an empty box that grows."""

    def __init__(self, data: bytes, _nursery: trio.Nursery, folder: Path) -> None:
        self._data = data
        self._folder = folder
        self._count = 0

    def order(self, clip: Clip) -> Reel:
        self._count += 1
        path = self._folder / f"{self._count}.mp4"
        path.write_bytes(self._data + (8 + self._count).to_bytes(4, "big") + b"free" + bytes(self._count))
        return Reel(path=path, size=path.stat().st_size)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip that is fetched in more than one piece."""
    path = tmp_path_factory.mktemp("footage") / "clip.mp4"
    with Encoder(path, width=320, height=180, rate=Fraction(10)) as encoder:
        for number in range(4):
            noise = random.Random(number).randbytes(320 * 180 * 3)
            encoder.write(Image.frombytes("RGB", (320, 180), noise))
    return path.read_bytes()


@pytest.fixture
def twins(footage: bytes, monkeypatch: pytest.MonkeyPatch) -> Twins:
    """Opens twins of all providers in a thread of their own; they have no limits but their faults."""
    monkeypatch.setattr("vidspec.sandbox.opened.Films", partial(Reels, footage))

    @contextmanager
    def opened(faults: str = "", *, speed: float = 800.0) -> Iterator[Sandbox]:
        ready, box = threading.Event(), list[Any]()
        plan = FaultPlan.parse(f"vidspec_faults: 1\nfaults:\n{faults}", "faults.yaml") if faults else None

        async def main() -> None:
            with trio.CancelScope() as scope:
                async with open_sandbox(SHOTS, faults=plan, limits=dict.fromkeys(SHOTS, Limits())) as sandbox:
                    box.extend((sandbox, partial(trio.lowlevel.current_trio_token().run_sync_soon, scope.cancel)))
                    ready.set()
                    await trio.sleep_forever()

        thread = threading.Thread(target=lambda: trio.run(main, clock=FastClock(speed)))
        thread.start()
        try:
            assert ready.wait(20)
            yield box[0]
        finally:
            box[1]()
            thread.join(20)

    return opened


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Where the twins are, and keys for them."""
    places = {f"VIDSPEC_{name.upper()}_BASE_URL": sandbox.base_url(name) for name in SHOTS}
    return places | {f"{name.upper()}_API_KEY": "sk-very-secret-4711" for name in SHOTS}


# --- processes ----------------------------------------------------------------------------------------------


class Runner(Protocol):
    """Whoever runs commands, one at a time, each in a process of its own."""

    def start(self, project: Path, variables: Mapping[str, str], arguments: list[str], odd: Odd = USUAL) -> None:
        """Start a command."""

    def code(self) -> int | None:
        """The exit code; None while it runs."""

    def kill(self) -> None:
        """Kill it, unless it has ended."""

    def said(self, stream: str = "out") -> str:
        """What it has written so far."""


SOON = "from vidspec import cli, pacing; pacing.next_look = lambda *given: 0.05; cli.main()"
"""The command line, in a world where clips do not take minutes, and are looked for at once."""


class Started:
    """Starts commands as a user does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, project: Path, variables: Mapping[str, str], arguments: list[str], odd: Odd = USUAL) -> None:
        assert not odd
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SOON, *arguments],
                cwd=project,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def code(self) -> int | None:
        assert self.process is not None
        return self.process.poll()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def said(self, stream: str = "out") -> str:
        return (self.folder / stream).read_text()

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    """Gives places to start commands from; none of them outlives the test."""
    made: list[Started] = []

    def one(name: str) -> Started:
        made.append(Started(tmp_path / name))
        return made[-1]

    yield one
    for each in made:
        each.close()


def wait(run: Runner) -> int:
    """Wait for the end of a command, and return its exit code; one that has no end is killed."""
    deadline = time.monotonic() + 60
    while (code := run.code()) is None:
        if time.monotonic() > deadline:
            run.kill()
            raise AssertionError(f"it does not end: {run.said('err')}")
        time.sleep(0.005)
    return code


LOADED = """
import datetime, json, os, random, signal, sys, time

leap, wall, calendar = 0, time.time, datetime.datetime
time.time = lambda: wall() + random.choice((-leap, 0, leap))
class Calendar(calendar):
    @classmethod
    def now(cls, zone=None):
        return calendar.fromtimestamp(time.time(), zone)
datetime.datetime = Calendar

from vidspec import cli, pacing
import vidspec.commands.plan, vidspec.commands.render, vidspec.commands.status, vidspec.conduct, vidspec.drawer
import vidspec.engine, vidspec.http, vidspec.ledger, vidspec.progress, vidspec.remote, vidspec.summary

backoff = pacing.backoff
pacing.backoff = lambda *given, **more: backoff(*given, **more) / 20
pacing.next_look = lambda *given: 0.05

CALLS = {"write", "fdatasync", "fsync", "replace", "rename", "unlink", "open", "send", "recv", "connect", "close",
         "flock", "truncate", "mkdir", "ioctl"}

def counted(die_at):
    calls = 0
    def note(frame, event, function):
        nonlocal calls
        if event == "c_call" and function.__name__ in CALLS:
            calls += 1
            if calls == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(note)
    return lambda: calls

def run(order):
    global leap
    leap = order["odd"].get("leap", 0)
    os.chdir(order["project"])
    os.environ.update(order["variables"])
    random.seed()
    for number, place in enumerate(order["streams"]):
        os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY), number)
    sys.argv = ["vidspec", *order["arguments"]]
    calls = counted(order["odd"]["die_at"]) if "die_at" in order["odd"] else None
    try:
        cli.main()
    except SystemExit as ended:
        sys.setprofile(None)
        if calls:
            with open("../calls", "w") as file:
                file.write(str(calls()))
        os._exit(ended.code)

code = None
for line in sys.stdin:
    order = json.loads(line)
    if order["do"] == "start":
        pid, code = os.fork(), None
        if pid == 0:
            run(order)
    elif code is None:
        if order["do"] == "kill":
            os.kill(pid, signal.SIGKILL)
        ended, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if ended else None
    print(json.dumps(code), flush=True)
"""
"""A process that loads everything once, and is forked for every command: a kill costs no half second of imports.

Clips are looked for at once, and waits after failures are a twentieth. With `leap` every look at the wall clock may
be so many seconds off, either way; with `die_at` a process kills itself before so manyth of those of its calls that
leave something behind.
"""


class Forked:
    """Forks commands from one process that has all of it loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        self._process.communicate(timeout=20)

    def start(self, project: Path, variables: Mapping[str, str], arguments: list[str], odd: Odd = USUAL) -> None:
        streams = [os.devnull, str(self.folder / "out"), str(self.folder / "err")]
        given = {"project": str(project), "variables": dict(variables), "arguments": arguments}
        self._ask("start", streams=streams, **given, odd=dict(odd))

    def code(self) -> int | None:
        return self._ask("look")

    def kill(self) -> None:
        self._ask("kill")

    def said(self, stream: str = "out") -> str:
        return (self.folder / stream).read_text()

    def _ask(self, do: str, **given: Any) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self._process.stdin.flush()
        code: int | None = json.loads(self._process.stdout.readline())
        return code


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    made = Forked(tmp_path_factory.mktemp("forked"))
    yield made
    made.close()


# --- a film, and what must hold of it -------------------------------------------------------------------------


@dataclass
class Film:
    """A project that is rendered by runs that do not live long, held against the books of the twins.

    `shots` are settings by shot; every prompt names its take and the version of the list. `decided` are the doubts
    that were ended by `--resubmit`: by take, the moments in which they began. `actions` are those of the last plan.
    """

    project: Path
    sandbox: Sandbox
    forked: Forked
    renders: Runner
    chance: random.Random
    shots: Mapping[str, str]
    limits: str = "max_in_flight: 9"
    version: int = 0
    kills: int = 0
    lives: int = 0
    actions: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    told: set[tuple[str, float]] = field(default_factory=set)
    decided: dict[str, set[float]] = field(default_factory=dict)

    def write(self) -> None:
        """The list, or its next version, in which every take has another prompt."""
        self.version += 1
        limits = f"{{poll_interval: 0.05, submits_per_minute: 6000, request_timeout: 20, {self.limits}}}"
        prompt = f"a boat, <{{{{ slate }}}} of version {self.version}>"
        lines = [
            "vidspec: 1",
            "providers:",
            *(f"  {name}: {limits}" for name in SHOTS),
            "shots:",
            *(f'  - {{id: {shot}, prompt: "{prompt}", {settings}}}' for shot, settings in self.shots.items()),
        ]
        (self.project / "shots.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")

    # --- a life -----------------------------------------------------------------------------------------------

    def live(self, *options: str, killed: bool = False, odd: Odd = USUAL) -> int:
        """One run, to its end or until it is killed; then what must hold at any moment."""
        arguments = ["render", "shots.yaml", "--yes", *options]
        self.renders.start(self.project, environment(self.sandbox), arguments, odd)
        if killed:
            self._let_it_come_to(self.chance.choice((0, *range(40))))
            time.sleep(self.chance.uniform(0.0, self.chance.choice((0.02, 0.02, 0.2))))
            self.renders.kill()
        code, said = wait(self.renders), self.renders.said()
        self.lives += 1
        self.kills += code == DEAD
        assert code in (DEAD, 0, 1), self.renders.said("err")
        assert "Traceback" not in self.renders.said("err")
        doubts = self.look()
        if code != DEAD:
            assert set(re.findall("^in doubt *([^:]+):", said, re.MULTILINE)) == doubts, said
            assert code == 1 or not doubts
        return code

    def _let_it_come_to(self, exchanges: int) -> None:
        """Wait until the twins have been asked so many times more, or the run is over."""
        before = self.sandbox.history.counts.total()
        while self.sandbox.history.counts.total() < before + exchanges and self.renders.code() is None:
            time.sleep(0.002)

    def look(self) -> set[str]:
        """The takes in doubt. Every request that the twins have, and we know nothing of, is one of theirs."""
        flights, lock = self.flights, read_lock(self.project / "shots.lock")
        self.known |= {one.request_id for one in flights.values() if one.request_id}
        self.known |= {record.request_id for _, record in records(lock) if record.request_id}
        doubts = {slate for slate, one in flights.items() if one.doubtful}
        self.actions = {one["slate"]: one["action"] for one in self.ask("plan")}
        assert {slate for slate, action in self.actions.items() if action == "decide"} == doubts
        if doubts:
            assert {one["slate"] for one in self.ask("status") if one["state"] == "in_doubt"} == doubts
        self.told |= {(slate, flights[slate].since) for slate in doubts}
        unknown = Counter(slate_of(task)[0] for task in self.tasks if task.id not in self.known)
        for slate, count in unknown.items():
            assert count <= len(self.decided.get(slate, ())) + (slate in doubts), (slate, count)
        return doubts

    def ask(self, command: str) -> list[dict[str, Any]]:
        """What `plan` or `status` says of every take."""
        self.forked.start(self.project, environment(self.sandbox), [command, "shots.yaml", "--json"])
        assert wait(self.forked) == 0, self.forked.said("err")
        takes: list[dict[str, Any]] = json.loads(self.forked.said())["takes"]
        return takes

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        return set(self.actions.values()) == {"keep"}

    def decide(self) -> list[str]:
        """Options that send again what is in doubt, once it was said to be."""
        options = []
        for slate, flight in self.flights.items():
            if flight.doubtful:
                assert (slate, flight.since) in self.told
                self.decided.setdefault(slate, set()).add(flight.since)
                options += ["--resubmit", slate]
        return options

    def be_killed(self, times: int, odd: Odd = USUAL) -> None:
        """Be killed so often; where a run comes to its end before that, the list has a next version."""
        self.write()
        while self.kills < times:
            options = self.decide() if self.lives and self.chance.random() < 0.5 else []
            if self.live(*options, killed=True, odd=odd) == 0 or self.chance.random() < 0.02:
                self.write()

    def finish(self, odd: Odd = USUAL) -> None:
        """The same command until all is there; what is in doubt is sent again when it was said."""
        for _ in range(60):
            if self.live(odd=odd) == 0 and self.is_complete:
                break
            if options := self.decide():
                self.live(*options, odd=odd)
        assert self.is_complete
        assert not [*self.project.glob("*.part"), *self.project.glob("renders/**/*.part")]

    # --- the books ----------------------------------------------------------------------------------------------

    @property
    def flights(self) -> dict[str, Flight]:
        return journal.read(self.project / ".vidspec/journal/shots.jsonl")

    @property
    def tasks(self) -> list[Task]:
        """All that the twins have ever accepted from this list."""
        tasks = [task for place in self.sandbox.places.values() for task in list(place.house.tasks.values())]
        return [task for task in tasks if slate_of(task)[0].rpartition("-")[0] in self.shots]

    def audit(self) -> None:
        """Nothing was sent twice without a decision, and no clip is lost."""
        lock = read_lock(self.project / "shots.lock")
        recorded = {record.request_id: (slate, record) for slate, record in records(lock)}
        assert self.known <= recorded.keys()
        accepted, lost = Counter[tuple[str, int]](), Counter[str]()
        for task in self.tasks:
            accepted[slate_of(task)] += 1
            if task.id in recorded:
                self._hold(task, *recorded[task.id], lock)
            else:
                lost[slate_of(task)[0]] += 1
        for slate in lock:
            decided = len(self.decided.get(slate, ()))
            assert accepted[slate, self.version] >= 1
            assert lost[slate] <= decided
            assert sum(count - 1 for (one, _), count in accepted.items() if one == slate) <= decided, accepted
        assert self.sandbox.history.bugs == []
        log.info("%s", self.figures)

    def _hold(self, task: Task, slate: str, record: Record, lock: Lock) -> None:
        """Hold what is recorded of a task, and what is kept, against what the twin has made."""
        made = digest(self.sandbox.places[task.provider].house.data(task))
        assert record.output is not None
        assert (slate, record.output.sha256) == (slate_of(task)[0], made)
        assert "<{} of version {}>".format(*slate_of(task)) in str(record.request)
        assert digest(Store(self.project / ".vidspec").place(made).read_bytes()) == made
        if lock.get(slate) == record:
            assert digest((self.project / record.output.path).read_bytes()) == made

    @property
    def figures(self) -> dict[str, int]:
        counts = {"versions": self.version, "lives": self.lives, "kills": self.kills}
        requests = {"accepted": len(self.tasks), "recorded": len(self.known)}
        return {**counts, **requests, "doubts": len(self.told), "decided": sum(map(len, self.decided.values()))}


def records(lock: Lock) -> Iterator[tuple[str, Record]]:
    """Every record, and those under it."""
    for slate, record in lock.items():
        yield from ((slate, one) for one in (record, *record.superseded))


def slate_of(task: Task) -> tuple[str, int]:
    """The take that a task was made for, and the version of the list."""
    found = re.search("<(.+) of version ([0-9]+)>", task.clip.prompt)
    assert found is not None
    return found[1], int(found[2])


@pytest.fixture
def film(project: Path, forked: Forked) -> Callable[..., Film]:
    """Opens a film at twins: one shot for every provider, rendered by forks, unless something else is said."""

    def made(sandbox: Sandbox, seed: str, **given: Any) -> Film:
        shots = {name: f"provider: {name}, {settings}" for name, settings in SHOTS.items()}
        usual = {"project": project, "forked": forked, "renders": forked, "shots": shots}
        return Film(sandbox=sandbox, chance=random.Random(seed), **{**usual, **given})

    return made


# --- kills ------------------------------------------------------------------------------------------------------


FAULTS = {
    "nothing else": "",
    "answers that are lost": """
  - {fault: drop, call: submit, chance: 0.2}
  - {fault: reset, call: submit, chance: 0.2}
""",
    "answers that take long": """
  - {fault: slow, call: submit, seconds: 80, chance: 0.5}
  - {fault: hang, call: submit, seconds: 40, chance: 0.5}
""",
    "looks that fail": """
  - {fault: broken, call: [poll, result], chance: 0.1}
  - {fault: drop, call: [poll, result], chance: 0.1}
  - {fault: garbage, call: [poll, result], chance: 0.1}
""",
    "links that die": "  - {fault: link_expired, chance: 0.5}\n",
    "downloads that break": """
  - {fault: truncated_download, chance: 0.2}
  - {fault: wrong_length, chance: 0.2}
  - {fault: html_download, chance: 0.2}
""",
    "too much at once": """
  - {fault: throttled, call: submit, chance: 0.3}
  - {fault: throttled, call: [poll, download], chance: 0.1}
""",
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_kills_with_something_else_wrong_send_nothing_twice_and_lose_nothing(
    faults: str, twins: Twins, film: Callable[..., Film]
) -> None:
    with twins(faults) as sandbox:
        made = film(sandbox, faults)
        made.be_killed(max(1, KILLS // len(FAULTS)))
        made.finish()
        made.audit()


def test_a_film_is_complete_in_the_end_however_often_its_runs_are_killed(
    twins: Twins, film: Callable[..., Film], started: Callable[[str], Started]
) -> None:
    """A dozen takes, one at a time for each provider; the runs are started as a user starts them."""
    shots = {name: f"provider: {name}, {settings}, takes: 2" for name, settings in SHOTS.items() if name != FIRST}
    shots |= {FIRST: f"provider: {FIRST}, {SHOTS[FIRST]}", "after": f"provider: {FIRST}, {AFTER}"}
    faults = "".join(FAULTS.values()).replace("chance: 0.", "chance: 0.0")
    with twins(faults, speed=400) as sandbox:
        made = film(sandbox, "film", renders=started("runs"), shots=shots, limits="max_in_flight: 1")
        made.be_killed(KILLS // 2)
        made.finish()
        made.audit()


def test_a_run_may_be_killed_before_any_of_its_calls(
    twins: Twins, film: Callable[..., Film], tmp_path: Path
) -> None:
    """Before each write, sync, rename, send and so on in turn, as far as there is time for it."""
    shot = f"provider: minimax, {SHOTS['minimax']}"
    with twins(speed=2000) as sandbox:
        whole = film(sandbox, "whole", shots={"whole": shot})
        whole.write()
        assert whole.live(odd={"die_at": 0}) == 0
        calls = int((tmp_path / "calls").read_text())
        died = 0
        for number in range(KILLS):
            project = tmp_path / f"film{number}"
            project.mkdir()
            made = film(sandbox, f"{number}", project=project, shots={f"shot{number}": shot})
            made.write()
            at = calls * number // KILLS + made.chance.randint(1, max(1, calls // KILLS))
            died += made.live(odd={"die_at": at}) == DEAD
            made.finish()
            made.audit()
    assert died >= KILLS * 0.8
    log.info("%s calls, %s kills", calls, died)


# --- two at once, and a clock that is set ----------------------------------------------------------------------


def test_of_two_runs_at_once_one_works_and_the_other_says_who_holds_the_project(
    twins: Twins, film: Callable[..., Film], started: Callable[[str], Started]
) -> None:
    with twins(speed=100) as sandbox:
        made = film(sandbox, "two")
        made.write()
        both = [started("one"), started("other")]
        for run in both:
            run.start(made.project, environment(sandbox), ["render", "shots.yaml", "--yes"])
        until(lambda: any(run.code() is not None for run in both))
        refused, holder = sorted(both, key=lambda run: run.code() is None)
        assert (wait(refused), refused.said()) == (3, "")
        assert "another run holds this project" in refused.said("err")
        until(lambda: len(made.tasks) == len(SHOTS))
        assert holder.code() is None
        for command in (["render", "shots.yaml", "--yes"], ["render", "shots.yaml", "--rehearse"]):
            made.forked.start(made.project, environment(sandbox), command)
            assert (wait(made.forked), made.forked.said()) == (3, "")
            assert f"another run holds this project: process {holder.pid} on " in made.forked.said("err")
        assert wait(holder) == 0, holder.said("err")
        made.audit()
        assert len(made.tasks) == len(SHOTS)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_wall_clock_that_is_set_by_a_day_now_and_then_changes_nothing(
    twins: Twins, film: Callable[..., Film]
) -> None:
    """Whatever waits, for a look, an answer, a retry or the deadline, goes by a clock that nobody can set."""
    faults = "  - {fault: broken, call: poll, chance: 0.2}\n  - {fault: throttled, call: submit, times: 3}\n"
    with twins(faults) as sandbox:
        made = film(sandbox, "clock", limits="deadline: 30")
        made.write()
        leap = {"leap": DAY}
        assert made.live(odd=leap) == 0, made.forked.said()
        assert len(made.tasks) == len(SHOTS)
        lines = (made.project / ".vidspec/journal/shots.jsonl").read_text().splitlines()[1:]
        days = {round((json.loads(line)["since"] - time.time()) / DAY) for line in lines}
        assert {0} != days <= {-1, 0, 1}
        made.be_killed(2, leap)
        made.finish(leap)
        made.audit()
