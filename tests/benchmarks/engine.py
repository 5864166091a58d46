"""The paid path against a hand-written script: `python tests/benchmarks/engine.py [PART...]`. Run by hand.

Nothing is asserted; every figure is printed beside its target. The script is what one would write in an afternoon:
asyncio, httpx, a semaphore, a fixed interval between looks. Both speak to `engine_server.py` over real sockets on
loopback, each in a process of its own, and have the same takes to make, which render 2 s in the mean.

- `pace`: makespan, looks, lag, CPU and memory at 50 in flight; then again with the history of the first run. The
  floor is the same script on httpx and trio as it is fastest, with as many looks as make the lag the same
- `crowd`: memory per take in flight, from 50 to 1,000 at once
- `calls`: calls a second of `vidspec.http` against httpx behind a gate of as many slots
- `limit`: ten submits a second and a burst of refusals every 20 s; then none, and a limit that nobody has told
- `scale`: 10,000 takes against 2,500

All of them take twenty minutes. `--takes` sets how many are made in `pace`, `--profile FILE` has cProfile
watch the first run of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__)
PARTS = ("pace", "crowd", "calls", "limit", "scale")
MEAN, SLOTS, INTERVAL = 2.0, 50, 1.0
PROMPT = 0.34
"""The interval with which the script sees a clip as soon as vidspec should."""

CROWD, CROWD_MEAN = 1000, 10.0
GATE, CALLS, ROUNDS = 8, 5000, 3
TASKS = (100, 1000, 5000)
PER_SECOND, BURST_EVERY, BURST_LENGTH, LIMITED = 10, 20.0, 1.0, 600
SMALL, LARGE, SCALE_SLOTS = 2500, 10_000, 200
MODEL = "Wan-AI/Wan2.2-T2V-A14B"
KEY = "sk-benchmark-0123456789"

DRAW = """
import sys
from vidspec.animatic import Drawing, draw
from pathlib import Path
one = Drawing(slate="s1", prompt="sea", label="", seed=7, width=64, height=36, fps=16.0, duration=1.0, title="")
draw(one, Path(sys.argv[1]))
"""


class Ended(NamedTuple):
    """A child process that has ended: when it began, seconds, CPU seconds, and the most memory it had, in kB."""

    began: float
    seconds: float
    cpu: float
    peak: float
    said: str


class Ran(NamedTuple):
    """A client's run: its process, and what the server saw of it."""

    process: Ended
    stats: dict[str, Any]

    @property
    def cpu(self) -> float:
        """CPU milliseconds per take."""
        return self.process.cpu / float(self.stats["accepted"]) * 1000

    @property
    def cpu_of_exchange(self) -> float:
        """CPU milliseconds per take, by its exchanges: the submit, the looks, the clip."""
        return self.cpu / (float(self.stats["looks"]) + 2)

    @property
    def makespan(self) -> float:
        """From the first submit to the last clip, of what could be had."""
        return float(self.stats["makespan"]) / float(self.stats["bound"])


def child(command: list[str], environment: dict[str, str] | None = None, said: Path | None = None) -> Ended:
    """Run a process to its end. What it says goes to a file, as a pipe nobody reads would stop it."""
    with tempfile.TemporaryFile() as spare, (said or Path(os.devnull)).open("wb") as kept:
        began = time.time()
        process = subprocess.Popen(command, stdout=kept if said else spare, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        spare.seek(0)
        text = spare.read().decode()
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    peak = usage.ru_maxrss / (1 if sys.platform == "linux" else 1024)
    return Ended(began, time.time() - began, usage.ru_utime + usage.ru_stime, peak, text)


class Bench:
    """A server, and a folder to work in."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self._environment = os.environ | {
            "VIDSPEC_SILICONFLOW_BASE_URL": self.base_url,
            "SILICONFLOW_API_KEY": KEY,
        }

    def ask(self, path: str, value: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the server for something, or tell it."""
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.base_url}{path}", data) as reply:
            found: dict[str, Any] = json.loads(reply.read())
        return found

    def vidspec(self, project: Path, profile: str | None = None, **settings: Any) -> Ran:
        """`vidspec render`, as anyone would call it."""
        self.ask("/reset", settings)
        watch = ["-m", "cProfile", "-o", profile] if profile else []
        command = [
            sys.executable,
            *watch,
            "-m",
            "vidspec",
            "render",
            f"{project / 'shots.yaml'}",
            "--yes",
            "--json",
        ]
        said = project / "events.jsonl"
        ended = child(command, self._environment, said)
        last = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])
        ran = Ran(ended, self.ask("/stats"))
        assert last["event"] == "run_finished", last
        assert last["rendered"] == ran.stats["accepted"] == ran.stats["fetched"], (last, ran.stats)
        assert not ran.stats["twice"]
        return ran

    def script(
        self, takes: int, slots: int, interval: float, gate: int, library: str = "asyncio", **settings: Any
    ) -> Ran:
        """The hand-written script. More than a hundred calls that queue in httpx's pool time out in it."""
        self.ask("/reset", {"slots": slots, **settings})
        target = self.folder / "script"
        target.mkdir()
        arguments = [self.base_url, f"{takes}", f"{slots}", f"{interval}", f"{gate}", str(target)]
        ended = child([sys.executable, str(HERE), f"--{library}", *arguments])
        shutil.rmtree(target)
        return Ran(ended, self.ask("/stats"))

    @contextmanager
    def project(self, takes: int, slots: int, interval: float, rate: float = 100_000) -> Iterator[Path]:
        """A project with a list of so many takes."""
        folder = self.folder / "project"
        folder.mkdir()
        with (folder / "shots.yaml").open("w", encoding="utf-8") as file:
            account = f"max_in_flight: {slots}, poll_interval: {interval:g}, submits_per_minute: {rate:g}"
            file.write(f"vidspec: 1\ntitle: Benchmark\nproviders: {{siliconflow: {{{account}}}}}\n")
            size = "resolution: 720p, aspect_ratio: '16:9', duration: 5"
            file.write(f"defaults: {{provider: siliconflow, model: {MODEL}, {size}}}\nshots:\n")
            for number in range(takes):
                file.write(f"  - {{id: s{number:05}, prompt: 'a ferry casts off at dusk, number {number}'}}\n")
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def forget(project: Path) -> None:
    """Take away all that a run has left, but for how long clips took."""
    for path in (*project.glob("*"), *(project / ".vidspec").glob("*")):
        if path.name not in ("shots.yaml", ".vidspec", "history.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


# --- the other side ----------------------------------------------------------------------------------------


async def script(base_url: str, takes: int, slots: int, interval: float, gate: int, target: Path) -> None:
    """What one would write by hand."""
    import httpx

    semaphore, calling = asyncio.Semaphore(slots), asyncio.Semaphore(gate)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:

        async def post(path: str, body: dict[str, str]) -> Any:
            async with calling:
                reply = await client.post(f"{base_url}{path}", json=body)
            return reply.raise_for_status().json()

        async def one(number: int) -> None:
            async with semaphore:
                prompt = f"a ferry casts off at dusk, number {number}"
                body = {"model": MODEL, "prompt": prompt, "image_size": "1280x720"}
                request_id = (await post("/video/submit", body))["requestId"]
                while True:
                    await asyncio.sleep(interval)
                    found = await post("/video/status", {"requestId": request_id})
                    if found["status"] == "Succeed":
                        break
            async with calling:
                clip = await client.get(found["results"]["videos"][0]["url"])
            (target / f"{number}.mp4").write_bytes(clip.raise_for_status().content)

        await asyncio.gather(*map(one, range(takes)))


async def floor(base_url: str, takes: int, slots: int, interval: float, gate: int, target: Path) -> None:
    """The same on trio, which keeps no more connections open than it has calls under way."""
    import httpx
    import trio

    semaphore, calling = trio.Semaphore(slots), trio.CapacityLimiter(gate)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client, trio.open_nursery() as nursery:

        async def post(path: str, body: dict[str, str]) -> Any:
            async with calling:
                reply = await client.post(f"{base_url}{path}", json=body)
            return reply.raise_for_status().json()

        async def one(number: int) -> None:
            async with semaphore:
                prompt = f"a ferry casts off at dusk, number {number}"
                body = {"model": MODEL, "prompt": prompt, "image_size": "1280x720"}
                request_id = (await post("/video/submit", body))["requestId"]
                while True:
                    await trio.sleep(interval)
                    found = await post("/video/status", {"requestId": request_id})
                    if found["status"] == "Succeed":
                        break
            async with calling:
                clip = await client.get(found["results"]["videos"][0]["url"])
            (target / f"{number}.mp4").write_bytes(clip.raise_for_status().content)

        for number in range(takes):
            nursery.start_soon(one, number)


BARE = """
import sys, time, httpx, {library}
url, tasks, calls, gate = sys.argv[1], *map(int, sys.argv[2:])
async def main():
    slots = {gate}
    async with httpx.AsyncClient(headers={{"Authorization": "Bearer 0123456789"}}, timeout=60) as client:
        async def one():
            for _ in range(calls // tasks):
                async with slots:
                    reply = await client.post(f"{{url}}/video/status", json={{"requestId": "probe"}})
                assert reply.json()["status"]
        begin = time.perf_counter()
        {gather}
        print(time.perf_counter() - begin)
{library}.run({main})
"""
GATHER = "await asyncio.gather(*(one() for _ in range(tasks)))"
NURSERY = """async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(one)"""
OURS = """
import sys, time, json, trio
from vidspec.http import open_client
from vidspec.wire import Call
url, tasks, calls, gate = sys.argv[1], *map(int, sys.argv[2:])
async def main():
    async with open_client(slots=gate) as client:
        api = client.api("siliconflow", url, "0123456789", 60)
        async def one():
            for _ in range(calls // tasks):
                call = Call(purpose="poll", verb="POST", path="/video/status", body={"requestId": "probe"})
                reply = await api.exchange(call)
                assert json.loads(reply.body)["status"]
        begin = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(one)
        print(time.perf_counter() - begin)
trio.run(main)
"""
CLIENTS = {
    "vidspec.http": OURS,
    "httpx, trio": BARE.format(library="trio", gate="trio.CapacityLimiter(gate)", gather=NURSERY, main="main"),
    "httpx, asyncio": BARE.format(library="asyncio", gate="asyncio.Semaphore(gate)", gather=GATHER, main="main()"),
}


# --- the parts ---------------------------------------------------------------------------------------------


def show(name: str, figure: str, target: str = "") -> None:
    """One line: a figure, and what it should be."""
    beside = f"   (target {target})" if target else ""
    print(f"  {name:50}{figure:>10}{beside}", flush=True)


def pace(bench: Bench, options: argparse.Namespace) -> None:
    """Makespan, looks, lag, CPU."""
    takes = options.takes
    theirs = bench.script(takes, SLOTS, INTERVAL, SLOTS, mean=MEAN)
    prompt = bench.script(takes, SLOTS, PROMPT, SLOTS, mean=MEAN)
    least = bench.script(takes, SLOTS, PROMPT, GATE, "trio", mean=MEAN)
    with bench.project(takes, SLOTS, INTERVAL) as project:
        cold = bench.vidspec(project, options.profile, mean=MEAN, slots=SLOTS)
        forget(project)
        warm = bench.vidspec(project, mean=MEAN, slots=SLOTS)
    print(f"{takes} takes, {SLOTS} in flight")
    runs = {"script": theirs, "prompt script": prompt, "floor": least, "cold": cold, "warm": warm}
    for name, one in runs.items():
        aims = ("1.08", "5.5", "0.17 s", "1.20") if name in ("cold", "warm") else ("", "", "", "")
        show(f"{name}: makespan, of list scheduling", f"{one.makespan:.3f}", aims[0])
        show(f"{name}: looks per take", f"{one.stats['looks']:.2f}", aims[1])
        show(f"{name}: median lag", f"{one.stats['lag']:.3f} s", aims[2])
        show(f"{name}: CPU per take, of the script's", f"{one.cpu / theirs.cpu:.2f}", aims[3])
        show(f"{name}: CPU per take, of the prompt script's", f"{one.cpu / prompt.cpu:.2f}")
        show(f"{name}: CPU per take", f"{one.cpu:.2f} ms")
        show(f"{name}: CPU per take, by its exchanges", f"{one.cpu_of_exchange:.2f} ms")
        show(f"{name}: peak memory", f"{one.process.peak / 1024:.0f} MiB")


def crowd(bench: Bench, options: argparse.Namespace) -> None:
    """Memory per take in flight."""
    grown = {}
    for name in ("script", "vidspec"):
        few, many = (_crowded(bench, name, slots) for slots in (SLOTS, CROWD))
        flying = many.stats["most_flying"] - few.stats["most_flying"]
        grown[name] = (many.process.peak - few.process.peak) / flying
        show(f"{name}: most in flight at once", f"{many.stats['most_flying']}")
        show(f"{name}: memory per take in flight", f"{grown[name]:.1f} kB")
    show("above the script's", f"{grown['vidspec'] - grown['script']:.1f} kB", "12 kB")


def _crowded(bench: Bench, name: str, slots: int) -> Ran:
    """One run. The script has all of its takes in flight from the start, so it gets no more of them."""
    mean = CROWD_MEAN if slots == CROWD else MEAN / 4
    interval = 2 * INTERVAL if slots == CROWD else INTERVAL
    if name == "script":
        return bench.script(slots, slots, interval, GATE, mean=mean)
    with bench.project(CROWD, slots, interval) as project:
        return bench.vidspec(project, mean=mean, slots=slots)


def calls(bench: Bench, options: argparse.Namespace) -> None:
    """Calls a second through a gate."""
    alone: dict[int, float] = {}
    for tasks in TASKS:
        found: dict[str, list[float]] = {name: [] for name in CLIENTS}
        for _ in range(ROUNDS):
            for name, code in CLIENTS.items():
                command = [sys.executable, "-c", code, bench.base_url, f"{tasks}", f"{CALLS}", f"{GATE}"]
                found[name].append(CALLS / float(child(command).said))
        speed = {name: median(one) for name, one in found.items()}
        ours = alone[tasks] = speed["vidspec.http"]
        for name, one in speed.items():
            show(f"{tasks} tasks: {name}", f"{one:.0f} /s")
        show(f"{tasks} tasks: of httpx on trio", f"{ours / speed['httpx, trio']:.2f}", "0.90")
        show(f"{tasks} tasks: of httpx on asyncio", f"{ours / speed['httpx, asyncio']:.2f}")
    show("many tasks against few", f"{alone[TASKS[-1]] / alone[TASKS[0]]:.2f}", "0.90")


def limit(bench: Bench, options: argparse.Namespace) -> None:
    """A limit, told and untold, with bursts of refusals."""
    bursts: dict[str, Any] = {"burst_every": BURST_EVERY, "burst_length": BURST_LENGTH}
    told = 60.0 * PER_SECOND
    for name, rate, more, aims in (
        ("told", told, bursts, ("0.95", "3 %")),
        ("told, no bursts", told, {}, ("0.95", "3 %")),
        ("twice as much told", 2 * told, {}, ("", "")),
        ("untold", 100_000.0, {}, ("", "")),
    ):
        with bench.project(LIMITED, SLOTS, INTERVAL, rate) as project:
            one = bench.vidspec(project, mean=MEAN, slots=SLOTS, per_second=PER_SECOND, **more).stats
        show(f"{name}: share of the limit", f"{one['accepted'] / one['allowed']:.3f}", aims[0])
        refused = one["refused"] / (one["refused"] + one["accepted"])
        show(f"{name}: submits refused", f"{refused:.2%}", aims[1])


def scale(bench: Bench, options: argparse.Namespace) -> None:
    """Many takes against a quarter of them."""
    found = {}
    for takes in (SMALL, LARGE):
        with bench.project(takes, SCALE_SLOTS, INTERVAL) as project:
            one = found[takes] = bench.vidspec(project, mean=MEAN, slots=SCALE_SLOTS)
        aims = ("250 MB", "2 s") if takes == LARGE else ("", "")
        show(f"{takes} takes: peak memory", f"{one.process.peak * 1024 / 1e6:.0f} MB", aims[0])
        show(f"{takes} takes: first submit after", f"{one.stats['first'] - one.process.began:.2f} s", aims[1])
        show(f"{takes} takes: time per take", f"{one.process.seconds / takes * 1000:.2f} ms")
        show(f"{takes} takes: CPU per take", f"{one.cpu:.2f} ms")
        show(f"{takes} takes: makespan, of list scheduling", f"{one.makespan:.3f}")
    show("CPU per take, many against few", f"{found[LARGE].cpu / found[SMALL].cpu:.2f}", "1.1")
    show("time per take, many against few", f"{_each(found[LARGE]) / _each(found[SMALL]):.2f}", "1.1")


def _each(ran: Ran) -> float:
    return float(ran.process.seconds / ran.stats["accepted"])


@contextmanager
def serving() -> Iterator[Bench]:
    """A server with a small clip, and a folder."""
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name, "clip.mp4")
        subprocess.run([sys.executable, "-c", DRAW, str(clip)], check=True)
        command = [sys.executable, str(HERE.with_name("engine_server.py")), str(clip)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield Bench(Path(name), int(process.stdout.readline()))
            finally:
                process.kill()


def load() -> str:
    """How busy the machine is."""
    return "/".join(f"{one:.1f}" for one in os.getloadavg())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    parser.add_argument("--takes", type=int, default=1000)
    parser.add_argument("--profile", metavar="FILE")
    options = parser.parse_args()
    work: dict[str, Callable[[Bench, argparse.Namespace], None]] = {
        "pace": pace,
        "crowd": crowd,
        "calls": calls,
        "limit": limit,
        "scale": scale,
    }
    with serving() as bench:
        for part in options.parts or PARTS:
            print(f"{part}, load average {load()} before", flush=True)
            work[part](bench, options)
    print(f"load average {load()} at the end")


if __name__ == "__main__":
    if sys.argv[1:2] in (["--asyncio"], ["--trio"]):
        url, count, at_once, gap, calls_at_once, folder = sys.argv[2:]
        given = (url, int(count), int(at_once), float(gap), int(calls_at_once), Path(folder))
        if sys.argv[1] == "--trio":
            import trio

            trio.run(floor, *given)
        else:
            asyncio.run(script(*given))
    else:
        main()
