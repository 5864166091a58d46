"""Disks that are full, files that may not grow, folders that may not be written in: nothing is sent in vain."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image

from vidspec.media import Encoder
from vidspec.project import read_lock
from vidspec.sandbox import open_sandbox
from vidspec.sandbox.clock import FastClock
from vidspec.sandbox.films import Film
from vidspec.sandbox.timing import Limits, Schedule

if TYPE_CHECKING:
    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.twin import Clip, Task

pytestmark = pytest.mark.slow

Vidspec = Callable[..., subprocess.CompletedProcess[str]]

PAGE = 4096
SHOTS = {
    "siliconflow": "model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: '16:9'",
    "minimax": "model: MiniMax-Hailuo-02, enhance_prompt: false",
}
LIMITS = "{poll_interval: 0.05, submits_per_minute: 6000, request_timeout: 20}"


def shot_list(*names: str, about: str = "a boat") -> str:
    lines = ["vidspec: 1", "providers:", *(f"  {name}: {LIMITS}" for name in SHOTS), "shots:"]
    lines += [f"  - {{id: {name}, provider: {name}, {SHOTS[name]}, prompt: {about}}}" for name in names]
    return "\n".join([*lines, ""])


# --- twins ------------------------------------------------------------------------------------------------------


class OneFilm:
    """Clips that are all the same one, and there at once."""

    def __init__(self, data: bytes, _nursery: trio.Nursery, folder: Path) -> None:
        self._film = Film(path=folder / "clip.mp4", size=len(data))
        self._film.path.write_bytes(data)

    def order(self, clip: Clip) -> Film:
        return self._film


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip of some 20 kB: more than the journal and the lockfile of a few takes."""
    path = tmp_path_factory.mktemp("footage") / "clip.mp4"
    with Encoder(path, width=64, height=36, rate=Fraction(10)) as encoder:
        for number in range(9):
            noise = random.Random(number).randbytes(64 * 36 * 3)
            encoder.write(Image.frombytes("RGB", (64, 36), noise))
    return path.read_bytes()


@pytest.fixture
def sandbox(footage: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Twins in a thread of their own; the environment says where they are."""
    monkeypatch.setattr("vidspec.sandbox.opened.Films", partial(OneFilm, footage))
    monkeypatch.setattr("vidspec.pacing.next_look", lambda *_: 0.05)
    monkeypatch.setattr(Schedule, "span", lambda _schedule, _model, now, _typical: (now, now + 2))
    ready, box = threading.Event(), list[Any]()

    async def main() -> None:
        with trio.CancelScope() as scope:
            async with open_sandbox(SHOTS, limits=dict.fromkeys(SHOTS, Limits())) as sandbox:
                box.extend((sandbox, partial(trio.lowlevel.current_trio_token().run_sync_soon, scope.cancel)))
                ready.set()
                await trio.sleep_forever()

    thread = threading.Thread(target=lambda: trio.run(main, clock=FastClock(40)))
    thread.start()
    try:
        assert ready.wait(20)
        for name in SHOTS:
            monkeypatch.setenv(f"VIDSPEC_{name.upper()}_BASE_URL", box[0].base_url(name))
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "sk-very-secret-4711")
        yield box[0]
    finally:
        box[1]()
        thread.join(20)


def tasks(sandbox: Sandbox) -> list[Task]:
    """All that the twins have accepted."""
    return [task for place in sandbox.places.values() for task in list(place.house.tasks.values())]


# --- less and less room -----------------------------------------------------------------------------------------


SWEEP = """
import json, os, resource, shutil, sys
from pathlib import Path
from vidspec import cli, journal, pacing
from vidspec.project import read_lock
import vidspec.commands.render, vidspec.conduct, vidspec.drawer, vidspec.engine, vidspec.http, vidspec.ledger
import vidspec.progress, vidspec.remote, vidspec.summary

pacing.backoff = lambda *given, **more: 0.05
pacing.next_look = lambda *given: 0.05
order = json.loads(sys.argv[1])
disk = Path(order["disk"])
project = disk / "film"

def render(most_bytes):
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.chdir(project)
        os.dup2(to_out, 1)
        os.dup2(to_err, 2)
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        sys.argv = ["vidspec", "render", "shots.yaml", "--yes"]
        try:
            cli.main()
        except SystemExit as ended:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended.code)
    os.close(to_out)
    os.close(to_err)
    with open(out) as said, open(err) as told:
        words = said.read() + told.read()
    return {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "said": words}

def known():
    flights = journal.read(project / ".vidspec/journal/shots.jsonl")
    return {slate: [one.move, one.request_id] for slate, one in flights.items()}

for room, text in order["steps"]:
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    (project / "shots.yaml").write_text(text)
    filler = disk / "filler"
    if order["full"]:
        left = os.statvfs(disk)
        filler.write_bytes(bytes(left.f_frsize * (left.f_bavail - room)))
    first = render(None if order["full"] else room)
    parts = [path.name for path in project.rglob("*.part")]
    flights = known()
    filler.unlink(missing_ok=True)
    second = render(None)
    recorded = [record.request_id for _, record in read_lock(project / "shots.lock").items() if record.output]
    clips = [path.parent.name for path in project.glob("renders/*/*.mp4")]
    found = {"parts": parts, "flights": flights, "recorded": recorded, "clips": clips}
    print(json.dumps({"first": first, "second": second, **found}), flush=True)
"""
"""Renders a list in less room than it needs, and then again in enough, for each step of a sweep."""


def on_small_disk(place: Path) -> list[str]:
    """What gives a command a small disk of its own at a place; empty where this machine forbids it."""
    script = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(place)]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


@pytest.mark.parametrize("full", [True, False], ids=["the disk is full", "files may not grow"])
def test_whatever_does_not_fit_nothing_is_sent_twice_and_what_was_accepted_is_collected(
    full: bool, sandbox: Sandbox, footage: bytes, tmp_path: Path
) -> None:
    """Pages of a small disk, or bytes of each file. How long the prompt is decides what no longer fits."""
    command = [sys.executable, "-c", SWEEP]
    if full:
        if not (disk := on_small_disk(tmp_path)):
            pytest.skip("nothing may be mounted here")
        command = [*disk, *command]
    clip = len(footage) // PAGE + 1
    rooms = (
        [*range(7), 6 + clip, *range(6 + 2 * clip, 12 + 4 * clip, 2)] if full else [*range(0, 6000, 300), 99_999]
    )
    abouts = {room: f"a boat numbered {room} {'x' * (397 * (number % 5) + 1)}" for number, room in enumerate(rooms)}
    steps = [(room, shot_list(*SHOTS, about=about)) for room, about in abouts.items()]
    order = json.dumps({"disk": str(tmp_path), "full": full, "steps": steps})
    ended = subprocess.run([*command, order], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    for about, one in zip(abouts.values(), found, strict=True):
        hold(one, [task for task in tasks(sandbox) if task.clip.prompt == about], full=full)
    assert {one["first"]["code"] for one in found} == {0, 1, 2, 3}


def hold(found: dict[str, Any], accepted: list[Task], *, full: bool) -> None:
    """Hold one step of a sweep against the twins' books."""
    first, second, flights = found["first"], found["second"], found["flights"]
    story = (found, [task.id for task in accepted])
    reason = "no space left on device" if full else "file too large"
    assert first["code"] in (0, 1, 2, 3), story
    assert (first["code"] == 0) == (reason not in first["said"]), story
    assert "Traceback" not in first["said"] + second["said"], story
    assert found["parts"] == [], story
    doubts = {slate for slate, (move, _) in flights.items() if move in ("intended", "in_doubt")}
    assert set(re.findall("in doubt *([^:]+):", second["said"])) == doubts, story
    assert second["code"] == (1 if doubts else 0), story
    assert {f"{name}-t01" for name in found["clips"]} == {f"{name}-t01" for name in SHOTS} - doubts, story
    for task in accepted:
        assert (task.id in found["recorded"]) != (f"`{task.id}`" in first["said"]), story
    assert set(Counter(task.provider for task in accepted).values()) == {1}, story
    assert len(accepted) <= len(SHOTS), story
    if first["code"] in (2, 3):
        assert flights == {}, story


# --- no room at one place ---------------------------------------------------------------------------------------


class Full(io.FileIO):
    """A file on a disk that has room for so many bytes and no more."""

    room = 1000

    def write(self, data: Any, /) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise no_space()
        return super().write(data) or 0


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


Patch = Callable[[pytest.MonkeyPatch], None]


def line(move: str) -> Patch:
    """No room for the journal's line of a move: half of it is written."""
    write = os.write

    def patched(descriptor: int, data: bytes) -> int:
        if f'"move":"{move}"'.encode() not in data:
            return write(descriptor, data)
        if len(data) < 100:
            raise no_space()
        return write(descriptor, data[:-50])

    def halved(descriptor: int, data: bytes) -> int:
        if len(data) == 50 and data.endswith(b"}\n"):
            raise no_space()
        return patched(descriptor, data)

    return lambda monkeypatch: monkeypatch.setattr(os, "write", halved)


def file(name: str) -> Patch:
    """No room for a file that is written under a temporary name."""
    opening = Path.open

    def opened(path: Path, mode: str = "r", *given: Any, **more: Any) -> Any:
        if re.fullmatch(name, path.name) and set(mode) & set("xw"):
            return io.BufferedWriter(Full(path, mode))
        return opening(path, mode, *given, **more)

    return lambda monkeypatch: monkeypatch.setattr(Path, "open", opened)


def lockfile(writing: int) -> Patch:
    """No room for the lockfile when it is written for the so manyth time."""
    write, count = Path.write_bytes, iter(range(1, 99))

    def patched(path: Path, data: bytes) -> int:
        if path.name == ".shots.lock.part" and next(count) >= writing:
            raise no_space()
        return write(path, data)

    return lambda monkeypatch: monkeypatch.setattr(Path, "write_bytes", patched)


def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for another name in the folder of the clips."""
    replace = Path.replace

    def patched(path: Path, target: Path) -> Path:
        if target.suffix == ".mp4":
            raise no_space()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", patched)


JOURNAL, LOCKFILE = "cannot write the journal shots.jsonl", "cannot write the lockfile shots.lock"


@pytest.mark.parametrize(
    ("patch", "code", "said", "sent", "then"),
    [
        (line("intended"), 3, JOURNAL, 0, "render"),
        (line("accepted"), 1, JOURNAL, 1, "decide"),
        (line("succeeded"), 1, JOURNAL, 1, "collect"),
        (line("delivered"), 1, JOURNAL, 1, "collect"),
        (file(r"\.siliconflow-t01\.mp4\.part"), 1, "failed    siliconflow-t01", 1, "collect"),
        (file(r"\.[0-9a-f]{62}\.part"), 1, "failed    siliconflow-t01", 1, "collect"),
        (renamed, 1, "failed    siliconflow-t01", 1, "restore"),
        (lockfile(1), 1, LOCKFILE, 0, "render"),
        (lockfile(2), 1, LOCKFILE, 1, "keep"),
    ],
    ids=[
        "intent",
        "acceptance",
        "success",
        "delivery",
        "clip",
        "kept clip",
        "place",
        "lockfile",
        "lockfile at last",
    ],
)
def test_a_disk_that_is_full_at_one_place(
    patch: Patch,
    code: int,
    said: str,
    sent: int,
    then: str,
    sandbox: Sandbox,
    project: Path,
    vidspec: Vidspec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (project / "shots.yaml").write_text(shot_list("siliconflow"), encoding="utf-8")
    with monkeypatch.context() as full:
        patch(full)
        ended = vidspec("render", "shots.yaml", "--yes")
    told = ended.stdout + ended.stderr
    assert (ended.returncode, len(tasks(sandbox))) == (code, sent), told
    assert said in told
    assert "no space left on device" in told
    assert "Traceback" not in told
    assert [task.id for task in tasks(sandbox) if f"`{task.id}`: keep this id" in told] == re.findall(
        "`([^`]+)`: keep", told
    )
    assert ("keep this id" in told) == (then == "decide")
    assert not list(project.rglob("*.part"))
    assert not list(project.glob("renders/*/*.mp4")) or then == "keep"
    planned = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)["takes"]
    assert [one["action"] for one in planned] == [then]
    again = vidspec("render", "shots.yaml", "--yes")
    assert again.returncode == (1 if then == "decide" else 0), again.stdout + again.stderr
    assert len(tasks(sandbox)) == 1
    record = read_lock(project / "shots.lock").get("siliconflow-t01")
    assert record is not None
    assert record.rendered == (then != "decide")


def test_an_acceptance_that_is_lost_leaves_the_others_to_be_collected(
    sandbox: Sandbox, project: Path, vidspec: Vidspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line goes before the one that is written a moment later, when there is room again."""
    (project / "shots.yaml").write_text(shot_list(*SHOTS), encoding="utf-8")
    write, accepted = os.write, list[bytes]()

    def first_does_not_fit(descriptor: int, data: bytes) -> int:
        if b'"move":"accepted"' in data:
            accepted.append(data)
            if len(accepted) == 1:
                return write(descriptor, data[:50])
        if accepted and data == accepted[0][50:]:
            raise no_space()
        return write(descriptor, data)

    with monkeypatch.context() as full:
        full.setattr(os, "write", first_does_not_fit)
        ended = vidspec("render", "shots.yaml", "--yes")
    assert ended.returncode == 1
    lost, kept = (json.loads(one) for one in accepted)
    assert f"`{lost['slate']}` was accepted as `{lost['request_id']}`: keep this id" in ended.stderr
    again = vidspec("render", "shots.yaml", "--yes")
    assert again.returncode == 1
    assert "1 take collected" in again.stdout
    assert f"in doubt  {lost['slate']}: " in again.stdout
    assert [path.stem for path in project.glob("renders/*/*.mp4")] == [kept["slate"]]
    assert len(tasks(sandbox)) == 2


# --- where nothing may be written -------------------------------------------------------------------------------


def test_in_a_folder_that_is_not_ours_to_write_in_nothing_is_sent(
    sandbox: Sandbox,
    foreign: Path,
    as_user: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (foreign / "shots.yaml").write_text(shot_list(*SHOTS), encoding="utf-8")
    before = sorted(foreign.rglob("*"))
    foreign.chmod(0o555)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(foreign))
    ended = as_user("render", "shots.yaml", "--yes")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error: cannot write in the project folder: permission denied" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert sorted(foreign.rglob("*")) == before
    assert sandbox.history.counts.total() == 0


@pytest.mark.parametrize(
    ("obstacle", "code", "said", "sent"),
    [
        (".vidspec/journal", 3, "cannot write the journal shots.jsonl", 0),
        (".vidspec/objects", 1, "failed    siliconflow-t01: ", 1),
        ("renders", 2, "`renders` is no folder, and clips are to go there; nothing was submitted", 0),
        ("shots.lock", 2, "", 0),
    ],
)
def test_something_else_stands_where_a_file_is_to_go(
    obstacle: str, code: int, said: str, sent: int, sandbox: Sandbox, project: Path, vidspec: Vidspec
) -> None:
    (project / "shots.yaml").write_text(shot_list("siliconflow"), encoding="utf-8")
    place = project / obstacle
    place.parent.mkdir(exist_ok=True)
    if place.suffix:
        place.mkdir()
    else:
        place.write_bytes(b"")
    ended = vidspec("render", "shots.yaml", "--yes")
    told = ended.stdout + ended.stderr
    assert (ended.returncode, len(tasks(sandbox))) == (code, sent), told
    assert said in told
    assert "Traceback" not in told
    assert "bug" not in told
    assert not list(project.rglob("*.part"))
    place.rmdir() if place.is_dir() else place.unlink()
    again = vidspec("render", "shots.yaml", "--yes")
    assert (again.returncode, len(tasks(sandbox))) == (0, 1), again.stdout + again.stderr
