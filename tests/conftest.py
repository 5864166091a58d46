"""A project on disk, the command line called in this process, and a clip to hand out."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from vidspec import cli
from vidspec.media import Encoder
from vidspec.sandbox.twin import Clip, Request, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vidspec.sandbox.twin import Answer, Stage, Twin

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
