"""A project on disk, the command line called in this process, and a clip to hand out."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Literal

import pytest
import trio
from jsonschema import Draft202012Validator
from PIL import Image
from trio.testing import MockClock

from vidspec import cli, download, journal
from vidspec.commands import render
from vidspec.ingredients import Ingredients
from vidspec.journal import Journal
from vidspec.ledger import Ledger
from vidspec.lock import Record
from vidspec.media import Encoder
from vidspec.project import open_lists, read_lock
from vidspec.sandbox.twin import Clip, Request, Task
from vidspec.wire import Call, Reply

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping

    from vidspec.sandbox.twin import Answer, Stage, Twin
    from vidspec.state import Flight, Move
    from vidspec.take import Take

TINY = "{provider: animatic, size: 64x36, duration: 0.2, fps: 10}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, which the command runs in; the terminal's and the user's settings left out."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "film"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def shots(project: Path) -> Callable[..., Path]:
    """Writes a list of tiny drawn shots: the entries, and what stands above them."""

    def write(entries: str, head: str = "", *, name: str = "shots.yaml", defaults: str = TINY) -> Path:
        text = f"vidspec: 1\n{dedent(head)}defaults: {defaults}\nshots:\n{indent(dedent(entries), '  ')}\n"
        path = project / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def vidspec(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Calls the command line in this process."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["vidspec", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, out, err)

    return call


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    """The bytes of a clip of two frames, 64x36, 0.2 seconds; another number gives another clip."""
    made: dict[int, bytes] = {}

    def give(number: int) -> bytes:
        if number not in made:
            path = tmp_path_factory.mktemp("clip") / "clip.mp4"
            with Encoder(path, width=64, height=36, rate=Fraction(10)) as encoder:
                for frame in range(2):
                    encoder.write(Image.new("RGB", (64, 36), (50 * number % 256, 40 + 80 * frame, number)))
            made[number] = path.read_bytes()
        return made[number]

    return give


# --- a twin's house ----------------------------------------------------------------------------------------


class FakeHouse:
    """A twin's house whose clock, limits and keys a test sets: 10 s in the queue, then the shortest usual time."""

    base = "http://127.0.0.1:8807"

    def __init__(self) -> None:
        self.time = 0.0
        self.verdict: Literal["yes", "too fast", "too many"] = "yes"
        self.tasks: dict[str, Task] = {}
        self.typical: list[tuple[float, float]] = []
        self.notes: list[str] = []
        self.links: list[str] = []
        self._chance = random.Random(1)

    def now(self) -> float:
        return self.time

    def unix(self) -> int:
        return 1_767_225_600 + int(self.time)

    def number(self, low: int, high: int) -> int:
        return self._chance.randint(low, high)

    def word(self, length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
        return "".join(self._chance.choices(alphabet, k=length))

    def key_is_good(self, request: Request) -> bool:
        return request.headers.get("authorization", "") == "Bearer good"

    def may_submit(self, model: str) -> Literal["yes", "too fast", "too many"]:
        return self.verdict

    def accept(self, task_id: str, model: str, clip: Clip, *, typical: tuple[float, float]) -> Task:
        begins = self.time + 10
        self.typical.append(typical)
        self.tasks[task_id] = Task(
            id=task_id,
            provider="fake",
            model=model,
            accepted=self.time,
            begins=begins,
            ends=begins + typical[0],
            clip=clip,
        )
        return self.tasks[task_id]

    def task(self, task_id: str) -> Task | None:
        found = self.tasks.get(task_id)
        return found if found and found.appears <= self.time else None

    def stage(self, task: Task) -> Stage:
        if self.time < task.ends:
            return "queued" if self.time < task.begins else "running"
        return "failed" if task.error is not None else "succeeded"

    def share(self, task: Task) -> int:
        done = (self.time - task.begins) / (task.ends - task.begins)
        return min(100, max(0, int(100 * done)))

    def size(self, task: Task) -> int:
        return len(self.data(task))

    def data(self, task: Task) -> bytes:
        return f"the clip of {task.id}".encode()

    def link(self, task: Task, *, life: float) -> str:
        self.links.append(f"{self.base}/files/{task.id}?life={life:g}&number={len(self.links)}")
        return self.links[-1]

    def note(self, task: Task | None, change: str) -> None:
        self.notes.append(change)

    @property
    def last(self) -> Task:
        """The task that was accepted last."""
        return list(self.tasks.values())[-1]


@pytest.fixture(scope="session")
def fake_house() -> type[FakeHouse]:
    """The class: tests import nothing from each other."""
    return FakeHouse


@pytest.fixture(scope="session")
def as_described() -> Callable[[Twin, Request, Answer], Any]:
    """Holds an answer against a twin's description of itself, and returns its JSON; None for other bodies."""

    def held(twin: Twin, request: Request, answer: Answer) -> Any:
        operation = _operation(twin, request)
        if operation is None:
            assert answer.status == 404
            return None
        described = operation["responses"][str(answer.status)]
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        value = json.loads(answer.body) if kind == "application/json" else None
        if "content" in described:
            Draft202012Validator(described["content"][kind]["schema"]).validate(value)
        return value

    return held


def _operation(twin: Twin, request: Request) -> Any:
    """What a twin says of the operation that a request is for."""
    for path, verbs in twin.paths().items():
        parts = tuple(path.removeprefix(f"{twin.prefix}/").split("/"))
        same = len(parts) == len(request.path) and all(
            part == given or (part.startswith("{") and given)
            for part, given in zip(parts, request.path, strict=True)
        )
        if same and request.verb.lower() in verbs:
            return verbs[request.verb.lower()]
    return None


# --- a film, and a provider in this process -----------------------------------------------------------------

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]
Step = Reply | Exception | Callable[[], Reply]

BASE = "https://api.siliconflow.cn/v1"
HEAD = "providers:\n  siliconflow: {poll_interval: 10, submits_per_minute: 60, deadline: 300, max_in_flight: 2}\n"
WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, headers=named, body=json.dumps(value).encode())


@dataclass
class House:
    """A provider that accepts whatever it is sent and has it done at once, unless the next step says otherwise.

    `submits` and `looks` are scripts of what the next calls of their kind come to; `sent` are the prompts that
    were submitted, `asked` the ids that were looked at.
    """

    clip: Callable[[int], bytes]
    submits: list[Step] = field(default_factory=list)
    looks: list[Step] = field(default_factory=list)
    links: list[Exception | bytes] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    interrupts: list[signal.Signals] = field(default_factory=list)
    seconds: float = 1.0
    fetching: float = 0.0
    reply = staticmethod(reply)

    def api(self, provider: str, base_url: str, key: str, request_timeout: float) -> House:
        return self

    async def exchange(self, call: Call) -> Reply:
        await trio.lowlevel.checkpoint()
        assert call.body is not None
        if call.purpose == "submit":
            self.sent.append(str(call.body["prompt"]))
            accepted = reply({"requestId": f"r{len(self.sent)}"})
            for one in self.interrupts:
                await trio.sleep(1)
                os.kill(os.getpid(), one)
            self.interrupts.clear()
            await trio.sleep(self.seconds)
            return _played(self.submits, accepted)
        request_id = str(call.body["requestId"])
        self.asked.append(request_id)
        link = {"url": f"https://cdn.example/{request_id}?sig=s3cret"}
        return _played(self.looks, reply({"status": "Succeed", "results": {"videos": [link], "seed": 7}}))

    async def fetch(self, client: Any, url: str, part: Path, **given: Any) -> int:
        await trio.sleep(self.fetching)
        step = self.links.pop(0) if self.links else self.clip(int(url.partition("?")[0].rpartition("r")[2] or 0))
        if isinstance(step, Exception):
            raise step
        _write(part, step)
        return len(step)


def _write(part: Path, data: bytes) -> None:
    part.unlink(missing_ok=True)
    part.write_bytes(data)


async def _at_once(work: Callable[[], None]) -> None:
    """While a real thread was busy, the virtual clock would leap."""
    await trio.lowlevel.checkpoint()
    work()


def _played(script: list[Step], otherwise: Reply) -> Reply:
    step: Step = script.pop(0) if script else otherwise
    if isinstance(step, Exception):
        raise step
    return step if isinstance(step, Reply) else step()


@pytest.fixture
def house(clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> House:
    """The provider behind every address, with a key for it."""
    made = House(clip)

    @asynccontextmanager
    async def client() -> AsyncIterator[House]:
        await trio.lowlevel.checkpoint()
        yield made

    monkeypatch.setattr("vidspec.http.open_client", client)
    monkeypatch.setattr(download, "fetch", made.fetch)
    monkeypatch.setattr(render, "_clock", lambda _options: MockClock(autojump_threshold=0))
    monkeypatch.setattr("vidspec.conduct.random.random", lambda: 1.0)
    monkeypatch.setattr("vidspec.remote.in_thread", _at_once)
    for name in ("SILICONFLOW", "MINIMAX", "LEAPX"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-very-secret")
        monkeypatch.delenv(f"VIDSPEC_{name}_BASE_URL", raising=False)
    return made


def sent(take: Take) -> Record:
    """The record to be of a take that was sent."""
    return Ingredients(request=dict(take.request)).record(take, None)


@dataclass
class Film:
    """A project with its list, its lockfile and its journal."""

    project: Path
    shots: Shots
    vidspec: Vidspec
    sent = staticmethod(sent)

    @property
    def path(self) -> Path:
        return self.project / ".vidspec/journal/shots.jsonl"

    @property
    def lock(self) -> Path:
        return self.project / "shots.lock"

    @property
    def flights(self) -> Mapping[str, Flight]:
        return journal.read(self.path)

    def write(self, entries: str, head: str = HEAD) -> None:
        self.shots(entries, head, defaults=WAN)

    def take(self, slate: str) -> Take:
        (opened,), _ = open_lists([self.project / "shots.yaml"], {})
        return next(one for one in opened.takes if one.slate == slate)

    def record(self, slate: str) -> Record:
        found = read_lock(self.lock).get(slate)
        assert found is not None
        return found

    def afloat(self, slate: str, move: Move, request_id: str | None = "r900", *, base_url: str = BASE) -> None:
        """As a killed run leaves it: a take of the list under way, or in doubt."""
        take = self.take(slate)
        lock = read_lock(self.lock)
        if slate not in lock:
            lock.put(slate, Record(shot=take.shot, take=take.number))
        Ledger(lock, self.lock).write()
        with Journal(self.path) as log:
            log.intend(slate, sent(take), output=take.output, base_url=base_url)
            if move not in ("intended", "in_doubt", "refused"):
                log.note(slate, "accepted", request_id=request_id)
            if move not in ("intended", "accepted"):
                log.note(slate, move)

    def render(self, *options: str) -> subprocess.CompletedProcess[str]:
        ended = self.vidspec("render", "shots.yaml", "--yes", *options)
        assert "Traceback" not in ended.stderr
        return ended

    def as_it_must_be(self, house: House) -> set[str]:
        """Nothing was sent twice, and every take has the clip that was made for it, or is in doubt: those."""
        assert len(set(house.sent)) == len(house.sent)
        found = self.planned()
        assert set(found.values()) <= {"keep", "decide"}, found
        doubts = {slate for slate, action in found.items() if action == "decide"}
        for slate in found.keys() - doubts:
            made = int(str(self.record(slate).request_id).removeprefix("r"))
            assert (self.project / self.take(slate).output).read_bytes() == house.clip(made)
        return doubts

    def wipe(self) -> None:
        """Begin from nothing."""
        for folder in (".vidspec", "renders"):
            shutil.rmtree(self.project / folder, ignore_errors=True)
        self.lock.unlink()

    def planned(self, *options: str) -> dict[str, str]:
        ended = self.vidspec("plan", "shots.yaml", "--json", *options)
        assert ended.returncode == 0, ended.stderr
        return {one["slate"]: one["action"] for one in json.loads(ended.stdout)["takes"]}


@pytest.fixture
def film(project: Path, shots: Shots, vidspec: Vidspec, house: House) -> Film:
    return Film(project, shots, vidspec)


# --- an ordinary user --------------------------------------------------------------------------------------


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A project that an ordinary user may read, and not write in; that user is who runs the commands."""
    folder = Path(tempfile.mkdtemp(prefix="vidspec-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


LIST = "vidspec: 1\ndefaults: {provider: animatic, size: 64x36, duration: 0.2, fps: 10}\nshots:\n"
AS_NOBODY = """
import os, sys, tempfile
from vidspec import cli
def call(*arguments):
    sys.argv = ["vidspec", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code
folder, *arguments = sys.argv[1:]
if os.getuid() == 0:
    # An interpreter may stand where only root can read, so all of it is loaded before root is given up.
    with tempfile.TemporaryDirectory() as rehearsal:
        from PIL import Image
        Image.new("RGB", (64, 36)).save(f"{rehearsal}/a.png")
        with open(f"{rehearsal}/a.yaml", "w") as file:
            file.write(LIST + "  - {id: a, prompt: x, first_frame: a.png}\\n")
        for command in ("validate", "plan", "status", "render"):
            call(command, f"{rehearsal}/a.yaml", "--quiet" if command in ("validate", "render") else "--json")
        call("init", f"{rehearsal}/new", "--quiet")
        call("init", f"{rehearsal}/a.yaml")
        call("validate", f"{rehearsal}/gone.yaml")
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
os.chdir(folder)
for stream in (sys.stdout, sys.stderr):
    print("<<<", file=stream, flush=True)
sys.exit(call(*arguments))
"""


@pytest.fixture
def as_user(foreign: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in the folder of `foreign`, as nobody where we are root."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = AS_NOBODY.replace("LIST", repr(LIST))
        command = [sys.executable, "-c", script, str(foreign), *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        out, err = (said.partition("<<<\n")[2] for said in (ended.stdout, ended.stderr))
        return subprocess.CompletedProcess(arguments, ended.returncode, out, err)

    return call


CLIPS: dict[tuple[float, ...], bytes] = {}


@pytest.fixture
def drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of one size and length are drawn once for all tests: what they show is not looked at."""
    from vidspec.sandbox import films

    draw = films._draw

    def again(film: films.Film, clip: Clip) -> None:
        kind = (clip.width, clip.height, clip.fps, clip.duration)
        if kind not in CLIPS:
            draw(film, clip)
            CLIPS[kind] = film.path.read_bytes()
        film.path.write_bytes(CLIPS[kind])
        film.size = len(CLIPS[kind])

    monkeypatch.setattr(films, "_draw", again)
