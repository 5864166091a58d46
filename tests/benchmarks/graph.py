"""Films whose shots are made from each other: `python tests/benchmarks/graph.py [--films N]`. Run by hand.

Nothing is asserted. The real engine makes 500 shots at 50 slots on trio's virtual clock; each takes as long as a
log-normal draw says. A shot is in three of five cases made from one or two of the forty before it. How long a run
takes is held against three figures of the same times and the same graph:

- `greedy`: a greedy schedule on paper, by hand-written code that loses no time: the slots take whatever may start,
  in the order in which vidspec begins takes
- `foreseen`: the same, by somebody who knows all times beforehand, longest remaining chain in seconds first
- `bound`: the greedy bound, work over slots and longest chain together, below which every greedy schedule ends

In `drawn` clips are made here. In `paid` the whole way to a provider is gone, with a look at least every five
seconds; the provider is quick in everything but the clips, and nothing is known of how long they take.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import tempfile
import time
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

import trio
from PIL import Image
from trio.testing import MockClock

from vidspec import download, engine, schedule, waves
from vidspec.account import Account
from vidspec.events import Tally
from vidspec.history import History
from vidspec.journal import Journal
from vidspec.ledger import Ledger
from vidspec.lock import Lock
from vidspec.media import Encoder, frame
from vidspec.project import open_lists
from vidspec.remote import Remote
from vidspec.run import Run
from vidspec.store import Store, state_folder
from vidspec.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vidspec.project import Opened
    from vidspec.take import Take
    from vidspec.wire import Call

SHOTS, SLOTS, FILMS = 500, 50, 5
NEAR, SHARE = 40, 0.6
"""How far back a shot looks for what it is made from, and the share of shots that do."""

MEDIAN, SPREAD = 90.0, 0.5
"""Seconds that a clip takes, and the spread of their logarithm: half take between 64 and 126."""

TARGET = 1.08
DRAWN = "{provider: animatic, size: 64x36, duration: 0.2, fps: 10}"
PAID = "{provider: siliconflow, model: Wan-AI/Wan2.2-I2V-A14B, resolution: 720p, aspect_ratio: '16:9'}"
T2V = "Wan-AI/Wan2.2-T2V-A14B"
Needs = dict[str, list[str]]


class Film(NamedTuple):
    """A random graph, and how long each take of it takes."""

    needs: Needs
    seconds: dict[str, float]


def film(number: int, most: int) -> Film:
    """A film of which every shot is made from at most so many others."""
    chance = random.Random(number)
    needs: Needs = {}
    for place in range(SHOTS):
        count = chance.randint(1, most) if place and chance.random() < SHARE else 0
        sources = (chance.randrange(max(0, place - NEAR), place) for _ in range(count))
        needs[slate(place)] = [slate(one) for one in dict.fromkeys(sources)]
    return Film(needs, {one: chance.lognormvariate(math.log(MEDIAN), SPREAD) for one in needs})


def slate(place: int) -> str:
    """The slate of a shot by its place in the list."""
    return f"s{place:03}-t01"


def written(folder: Path, made: Film, defaults: str) -> Opened:
    """The list of a film, opened."""
    lines = ["vidspec: 1", "providers: {siliconflow: {max_in_flight: 50, submits_per_minute: 6000}}"]
    lines += [f"defaults: {defaults}", "shots:"]
    for name, needed in made.needs.items():
        frames = [f"{{shot: {one.removesuffix('-t01')}}}" for one in needed]
        entry = {"id": name.removesuffix("-t01"), "prompt": f"a ferry casts off at dusk, {name}"}
        if defaults == PAID and not frames:
            entry["model"] = T2V
        text = ", ".join(f"{key}: {value!r}" for key, value in entry.items())
        settings = zip(("first_frame", "last_frame"), frames, strict=False)
        lines.append(f"  - {{{', '.join((text, *(f'{key}: {value}' for key, value in settings)))}}}")
    path = folder / "shots.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (opened,), _ = open_lists([path], {})
    return opened


# --- on paper ----------------------------------------------------------------------------------------------


def on_paper(made: Film, order: Iterable[str]) -> float:
    """How long a greedy schedule takes, in which what may start starts in some order."""
    rank = {name: place for place, name in enumerate(order)}
    behind, left = waves.needed_by(made.needs), {name: len(needed) for name, needed in made.needs.items()}
    ready = [(rank[name], name) for name, count in left.items() if not count]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < SLOTS:
            name = heapq.heappop(ready)[1]
            heapq.heappush(running, (now + made.seconds[name], name))
        now, ended = heapq.heappop(running)
        for one in behind.get(ended, ()):
            left[one] -= 1
            if not left[one]:
                heapq.heappush(ready, (rank[one], one))
    return now


def begun(made: Film) -> list[str]:
    """The order in which vidspec begins takes."""
    jobs = (schedule.Job(name, "lane", needed) for name, needed in made.needs.items())
    return [job.slate for job in schedule.chains_first(jobs)]


def foreseen(made: Film) -> list[str]:
    """The takes with most seconds still to come behind them first."""
    behind = waves.needed_by(made.needs)
    left: dict[str, float] = {}
    for name in reversed(made.needs):
        left[name] = made.seconds[name] + max((left[one] for one in behind.get(name, ())), default=0.0)
    return sorted(left, key=lambda name: -left[name])


def longest(made: Film) -> float:
    """The seconds of the longest chain."""
    done: dict[str, float] = {}
    for name, needed in made.needs.items():
        done[name] = made.seconds[name] + max((done[one] for one in needed), default=0.0)
    return max(done.values())


# --- the real thing ----------------------------------------------------------------------------------------


class Maker:
    """Makes clips by waiting for as long as they take."""

    def __init__(self, made: Film, clip: bytes, picture: bytes) -> None:
        self._made = made
        self._clip = clip
        self._picture = picture

    async def clip(self, take: Take, pictures: object, part: Path, report: Callable[[int, int], None]) -> None:
        """Make a take's clip."""
        await trio.sleep(self._made.seconds[take.slate])
        put(part, self._clip)

    async def frame(self, take: Take, pictures: object, clip: Path, at: str | float) -> bytes:
        """A frame of a take's clip."""
        await trio.lowlevel.checkpoint()
        return self._picture


class House:
    """A provider that accepts everything at once and has each clip when it is due."""

    def __init__(self, made: Film) -> None:
        self._made = made
        self._due: dict[str, float] = {}
        self.looks = 0

    def api(self, provider: str, base_url: str, key: str, request_timeout: float) -> House:
        """The way to it."""
        return self

    async def exchange(self, call: Call) -> Reply:
        """Answer a call."""
        await trio.lowlevel.checkpoint()
        assert call.body is not None
        if call.purpose == "submit":
            name = str(call.body["prompt"]).rpartition(" ")[2]
            self._due[name] = trio.current_time() + self._made.seconds[name]
            return _reply({"requestId": name})
        self.looks += 1
        name = str(call.body["requestId"])
        if trio.current_time() < self._due[name]:
            return _reply({"status": "InProgress"})
        videos = [{"url": f"https://files.example/{name}.mp4"}]
        return _reply({"status": "Succeed", "results": {"videos": videos, "seed": 1}})


def _reply(value: Mapping[str, Any]) -> Reply:
    return Reply(status=200, headers={}, body=json.dumps(value).encode())


def put(path: Path, data: bytes) -> None:
    """Write a file."""
    path.write_bytes(data)


def rendered(folder: Path, made: Film, clip: bytes, *, paid: bool) -> float:
    """How long the engine takes, by the virtual clock."""
    opened = written(folder, made, PAID if paid else DRAWN)
    plan = opened.plan()
    state_folder(folder)
    lock = Lock().laid_out((one.slate, one.take.shot, one.take.number) for one in plan.takes)
    house, tally = House(made), Tally()
    picture = frame(_kept(folder, clip), "last")

    async def fetch(client: object, url: str, part: Path, **given: object) -> int:
        await trio.lowlevel.checkpoint()
        put(part, clip)
        return len(clip)

    async def main(log: Journal) -> float:
        account = Account(
            provider="siliconflow",
            base_url="https://api.siliconflow.cn/v1",
            key="sk-benchmark",
            max_in_flight=SLOTS,
            submits_per_minute=6000,
            poll_interval=5,
            deadline=3600,
            request_timeout=60,
        )
        chance = random.Random(0).random
        history = History(folder / "history.json")
        remote = Remote(
            {"siliconflow": account},
            client=house,  # type: ignore[arg-type]
            journal=log,
            history=history,
            chance=chance,
            beside=at_once,
        )
        given = Run(
            project=folder,
            plan=plan,
            work=tuple(plan.work),
            ledger=Ledger(lock, opened.lock_path),
            store=Store(opened.site.folder),
            listener=lambda _event: None,
            slots={one.lane: SLOTS for one in plan.work},
            maker=Maker(made, clip, picture),
            remote=remote if paid else None,
            journal=log if paid else None,
            drafts=not paid,
            now=lambda: datetime(2026, 11, 20, tzinfo=UTC),
        )
        await engine.run(given, tally)
        return trio.current_time()

    download.fetch = fetch
    with Journal(opened.site.journal) as log:
        begin = time.monotonic()
        took = trio.run(main, log, clock=MockClock(autojump_threshold=0))
    assert len(tally.rendered) == SHOTS, tally
    looks = f", {house.looks / SHOTS:.1f} looks a clip" if paid else ""
    print(f"      {took:7.0f} s on the clock, {time.monotonic() - begin:4.1f} s in all{looks}")
    return took


def _kept(folder: Path, clip: bytes) -> Path:
    put(folder / "clip.mp4", clip)
    return folder / "clip.mp4"


def small(folder: Path) -> bytes:
    """A clip of two frames."""
    with Encoder(folder / "small.mp4", width=64, height=36, rate=Fraction(10)) as encoder:
        for level in (40, 90):
            encoder.write(Image.new("RGB", (64, 36), (level, level, level)))
    return (folder / "small.mp4").read_bytes()


async def at_once(work: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """A real thread would let the virtual clock leap while it works."""
    await trio.lowlevel.checkpoint()
    return work(*given)


# --- figures -----------------------------------------------------------------------------------------------


def compare(name: str, films: int, clip: bytes, *, paid: bool) -> None:
    """Print how long runs take against what they could take."""
    print(f"{name}: {films} films of {SHOTS} shots at {SLOTS} slots")
    found: dict[str, list[float]] = {"greedy": [], "foreseen": [], "bound": []}
    for number in range(films):
        made = film(number, 1 if paid else 2)
        work, chain = sum(made.seconds.values()) / SLOTS, longest(made)
        depth = max(waves.generations(made.needs).values())
        print(f"  film {number}: {depth} generations; work over slots {work:.0f} s, longest chain {chain:.0f} s")
        with tempfile.TemporaryDirectory() as folder:
            took = rendered(Path(folder), made, clip, paid=paid)
        found["greedy"].append(took / on_paper(made, begun(made)))
        found["foreseen"].append(took / on_paper(made, foreseen(made)))
        found["bound"].append(took / (work + chain))
    for key, ratios in found.items():
        target = f"  target {TARGET}" if key != "foreseen" else ""
        print(f"  of {key:9} {mean(ratios):.3f} in the mean, {max(ratios):.3f} at the most{target}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--films", type=int, default=FILMS)
    films = parser.parse_args().films
    trio.to_thread.run_sync = at_once  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        clip = small(Path(folder))
    compare("drawn", films, clip, paid=False)
    compare("paid", films, clip, paid=True)


if __name__ == "__main__":
    main()
