"""A provider that costs next to nothing: SiliconFlow's protocol on loopback, for `engine.py`, which starts it.

python tests/benchmarks/engine_server.py CLIP

It prints its port. `POST /reset` takes the settings of a run, and `GET /stats` tells what it saw of one. How long a
take renders depends on the number in its prompt alone, so that every client has the same work. Times in seconds.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import math
import random
import re
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

SIGMA, SEED = 0.4, 7
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"number (\d+)")
_FREE = b"\0\0\0\x18free"
"""The head of a box of 24 bytes that players pass over: it makes every clip another one."""


def length(number: int, mean: float) -> float:
    """How long a take renders: log-normal, the same for the same number."""
    spread = random.Random(f"{SEED}:{number}").gauss(0, SIGMA)
    return mean * math.exp(spread - SIGMA * SIGMA / 2)


def list_scheduling(lengths: list[float], slots: int) -> float:
    """When the last of some takes is there, where each goes to the slot that is free first."""
    free = [0.0] * slots
    for one in lengths:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


@dataclass(slots=True)
class Settings:
    """One run. `per_second` 0 is no limit; every `burst_every` seconds all is refused for `burst_length`."""

    mean: float = 2.0
    slots: int = 50
    per_second: int = 0
    burst_every: float = 0.0
    burst_length: float = 0.0


@dataclass(slots=True)
class Take:
    """A take that was accepted."""

    number: int
    ready: float
    looks: int = 0
    seen: float | None = None


@dataclass(slots=True)
class Books:
    """What was seen of one run."""

    settings: Settings = field(default_factory=Settings)
    takes: list[Take] = field(default_factory=list)
    refused: int = 0
    recent: deque[float] = field(default_factory=deque)
    first: float = 0.0
    last: float = 0.0
    fetched: int = 0
    fetched_at: float = 0.0
    flying: int = 0
    most_flying: int = 0

    def submit(self, number: int) -> int | None:
        """Accept a take; None where the limit refuses it."""
        now = time.time()
        self.first = self.first or now
        if not self._is_open(now):
            self.refused += 1
            return None
        self.last = now
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        self.takes.append(Take(number, now + length(number, self.settings.mean)))
        return len(self.takes) - 1

    def _is_open(self, now: float) -> bool:
        limit, every = self.settings.per_second, self.settings.burst_every
        if every and now - self.first >= every and (now - self.first) % every < self.settings.burst_length:
            return False
        if not limit:
            return True
        while self.recent and now - self.recent[0] >= 1:
            self.recent.popleft()
        if len(self.recent) >= limit:
            return False
        self.recent.append(now)
        return True

    def look(self, take: Take) -> bool:
        """Whether a take is there."""
        now = time.time()
        take.looks += 1
        if now < take.ready:
            return False
        if take.seen is None:
            take.seen = now
            self.flying -= 1
        return True

    def fetch(self) -> None:
        """A clip goes out."""
        self.fetched += 1
        self.fetched_at = time.time()

    def _allowed(self) -> float:
        """What the limit would have let through from the first submit to the last that was taken."""
        whole, every, burst = self.last - self.first, self.settings.burst_every, self.settings.burst_length
        shut = sum(min(burst, whole - at * every) for at in range(1, int(whole // every) + 1)) if every else 0.0
        return self.settings.per_second * (whole - shut) + 1

    def value(self) -> dict[str, Any]:
        """All of it, for a report."""
        lags = [take.seen - take.ready for take in self.takes if take.seen is not None]
        lengths = [length(take.number, self.settings.mean) for take in self.takes]
        count = max(1, len(self.takes))
        return {
            "settings": asdict(self.settings),
            "accepted": len(self.takes),
            "twice": len(self.takes) - len({take.number for take in self.takes}),
            "refused": self.refused,
            "first": self.first,
            "makespan": self.fetched_at - self.first,
            "bound": list_scheduling(lengths, self.settings.slots),
            "submitting": self.last - self.first,
            "allowed": self._allowed() if self.settings.per_second else 0.0,
            "looks": sum(take.looks for take in self.takes) / count,
            "lag": median(lags or [0.0]),
            "fetched": self.fetched,
            "most_flying": self.most_flying,
        }


class Server:
    """The answers."""

    def __init__(self, clip: bytes) -> None:
        self.port = 0
        self._clip = clip
        self._books = Books()

    def answer(self, verb: str, path: str, body: bytes) -> bytes:
        """An answer's bytes."""
        if path.startswith("/clip/"):
            self._books.fetch()
            mark = path.removeprefix("/clip/").encode().rjust(16, b"-")[:16]
            return _reply(200, self._clip + _FREE + mark, "video/mp4")
        value = json.loads(body) if body else {}
        status, found = self._answered(f"{verb} {path}", value)
        return _reply(status, json.dumps(found).encode(), "application/json")

    def _answered(self, what: str, value: dict[str, Any]) -> tuple[int, Any]:
        if what == "POST /video/status":
            return 200, self._status(value["requestId"])
        if what == "POST /video/submit":
            found = _NUMBER.search(value["prompt"])
            accepted = self._books.submit(int(found[1]) if found else 0)
            return (429, "rate limited") if accepted is None else (200, {"requestId": f"{accepted}"})
        if what == "POST /reset":
            self._books = Books(Settings(**value))
            return 200, {}
        return (200, self._books.value()) if what == "GET /stats" else (404, "404 page not found")

    def _status(self, request_id: str) -> dict[str, Any]:
        if request_id == "probe":
            return {"status": "InProgress"}
        if not self._books.look(self._books.takes[int(request_id)]):
            return {"status": "InProgress", "reason": "", "results": None}
        url = f"http://127.0.0.1:{self.port}/clip/{request_id}"
        return {"status": "Succeed", "reason": "", "results": {"videos": [{"url": url}], "seed": 1}}


def _reply(status: int, body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, read as little as may be."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._held = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end]
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            verb, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            self._transport.write(self._server.answer(verb, path.removeprefix("/v1"), body))
            if b"connection: close" in head.lower():
                self._transport.close()
                return


async def serve(server: Server) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=4096)
    server.port = listening.sockets[0].getsockname()[1]
    print(server.port, flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Server(Path(sys.argv[1]).read_bytes())))
