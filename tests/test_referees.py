"""The twins as programs see them that are not ours: a tester of descriptions, and clients of the same protocols.

The sandbox runs for real, on a loop in a thread, and is spoken to over sockets. Schemathesis makes up requests from
the sandbox's own description; `VIDSPEC_EXAMPLES=300 pytest tests/test_referees.py` has it try harder, by chance.
The clients are heavy or not kept up, so that nothing installs them by itself: `pip install minimax-mcp
minimax-python` has their tests run too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import trio

from vidspec import media
from vidspec.sandbox import FaultPlan, open_sandbox
from vidspec.sandbox.clock import FastClock
from vidspec.sandbox.faults import fault
from vidspec.sandbox.timing import Limits
from vidspec.sandbox.twins import TWINS, open_twin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.exchange import Exchange
    from vidspec.sandbox.twin import Clip, House, Task, Twin

EXAMPLES = os.environ.get("VIDSPEC_EXAMPLES")
"""How many requests are made up for each operation, where somebody says so."""

CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ASKED_FOR = ("throttled", "overloaded", "broken", "timed_out", "moderation", "unknown_state")
"""The faults that a twin has words of its own for."""

SPEED = 300.0


class SmallHouse:
    """A twin's house where every clip is tiny, and made within `typical` seconds where these are given."""

    def __init__(self, house: House, typical: tuple[float, float] | None) -> None:
        self._house = house
        self._typical = typical

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)

    def accept(self, task_id: str, model: str, clip: Clip, *, typical: tuple[float, float]) -> Task:
        tiny = replace(clip, width=64, height=36, duration=0.2, fps=10, pictures=())
        return self._house.accept(task_id, model, tiny, typical=self._typical or typical)


def small(name: str, house: House, *, typical: tuple[float, float] | None = None) -> Twin:
    return open_twin(name, SmallHouse(house, typical))


@contextmanager
def served(provider: str, *, speed: float = 1.0, **settings: Any) -> Iterator[Sandbox]:
    """A sandbox with one twin on a loop of its own; what fails there fails here when the block is left."""
    opened: SimpleQueue[tuple[Sandbox, trio.CancelScope, trio.lowlevel.TrioToken] | None] = SimpleQueue()

    async def main() -> None:
        try:
            with trio.CancelScope() as scope:
                async with open_sandbox([provider], **settings) as sandbox:
                    opened.put((sandbox, scope, trio.lowlevel.current_trio_token()))
                    await trio.sleep_forever()
        finally:
            opened.put(None)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(partial(trio.run, main, clock=FastClock(speed)))
        try:
            if (found := opened.get(timeout=30)) is not None:
                sandbox, scope, token = found
                try:
                    yield sandbox
                finally:
                    token.run_sync_soon(scope.cancel)
        finally:
            running.result(timeout=30)


# --- descriptions ------------------------------------------------------------------------------------------


def try_out(sandbox: Sandbox, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have requests made up from the description, good ones and bad ones, and the answers held against it."""
    chance = ["-n", EXAMPLES] if EXAMPLES else ["-n", "12", "--generation-deterministic"]
    command = ["run", f"{sandbox.base}/openapi.json", "--header", "Authorization: Bearer key", *chance]
    command += ["--checks", ",".join(CHECKS), "--suppress-health-check", "all", "--no-color"]
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command],
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("provider", TWINS)
def test_a_twin_answers_made_up_requests_as_it_describes_itself(provider: str, tmp_path: Path) -> None:
    faults = FaultPlan(tuple(fault(kind, times=None, chance=0.05) for kind in ASKED_FOR))
    make = partial(small, typical=(0.1, 0.4))
    with served(provider, make=make, faults=faults, limits={provider: Limits(in_flight=6)}) as sandbox:
        done = try_out(sandbox, tmp_path)
        seen = [one for one in sandbox.history.exchanges if one.provider == provider]
        assert done.returncode == 0, done.stdout + done.stderr
        assert sandbox.history.bugs == []
        assert [one for one in seen if is_failure(one) and one.fault is None] == []
        assert went_well(seen) >= {"submit", "poll"}
        assert {one.fault for one in seen} >= {"throttled", "overloaded", "broken", "timed_out"}


def is_failure(exchange: Exchange) -> bool:
    """Whether a provider has failed; a gateway's 503 only says that it does not know a model."""
    return (exchange.status or 0) >= 500 and exchange.status != 503


def went_well(exchanges: Iterable[Exchange]) -> set[str | None]:
    """The calls that were answered about a task."""
    return {one.call for one in exchanges if one.status == 200 and one.task is not None}


# --- clients -----------------------------------------------------------------------------------------------


def client(module: str, package: str) -> Any:
    """A client's module, whatever it warns of; the test is skipped where the package is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(module, reason=f"needs `pip install {package}`")


def clips(sandbox: Sandbox, provider: str) -> list[bytes]:
    house = sandbox.places[provider].house
    return [house.data(task) for task in house.tasks.values()]


@pytest.fixture
def mcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The server of `minimax-mcp`, which saves clips in a folder, and waits as fast as the sandbox's time goes."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MINIMAX_API_KEY", "key")
    monkeypatch.setenv("MINIMAX_API_HOST", "http://127.0.0.1:9")
    server = client("minimax_mcp.server", "minimax-mcp")
    monkeypatch.setattr(server, "base_path", str(tmp_path))
    monkeypatch.setattr(server, "resource_mode", "local")
    monkeypatch.setattr(server, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / SPEED)))
    return server


@contextmanager
def hailuo(mcp: Any, key: str = "key") -> Iterator[Sandbox]:
    """The twin of MiniMax, to which the server of `minimax-mcp` speaks."""
    with served("minimax", make=small, speed=SPEED) as sandbox:
        host = sandbox.base_url("minimax").removesuffix("/v1")
        mcp.api_client = mcp.MinimaxAPIClient(key, host)
        try:
            yield sandbox
        finally:
            mcp.api_client.session.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        {"model": "MiniMax-Hailuo-02", "duration": 6, "resolution": "768P"},
        {"model": "T2V-01-Director"},
        {"model": "I2V-01", "first_frame_image": "https://pictures.example/a.png"},
    ],
    ids=["hailuo", "director", "picture"],
)
def test_minimax_s_own_server_for_assistants_gets_its_clip(mcp: Any, asked: dict[str, Any]) -> None:
    with hailuo(mcp) as sandbox:
        said = mcp.generate_video(prompt="a kite over dunes [Pan left]", **asked).text
        saved = Path(said.removeprefix("Success. Video saved as: "))
        assert clips(sandbox, "minimax") == [saved.read_bytes()]
        assert media.probe(saved).frames == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "asked", "said"),
    [
        ("key", {"model": "T2V-99"}, "2013-invalid params, model"),
        ("key", {"model": "MiniMax-Hailuo-02", "duration": 7}, "2013-invalid params, duration"),
        ("key", {"prompt": "nsfw"}, "1026-"),
        ("bad", {}, "2049-"),
        ("unpaid", {}, "1008-"),
    ],
    ids=["model", "duration", "sensitive", "key", "balance"],
)
def test_minimax_s_own_server_for_assistants_understands_a_refusal(
    mcp: Any, key: str, asked: dict[str, Any], said: str
) -> None:
    with hailuo(mcp, key) as sandbox:
        text = mcp.generate_video(**{"model": "T2V-01", "prompt": "a kite", **asked}).text
        assert text.startswith(f"Failed to generate video: API Error: {said}")
        assert clips(sandbox, "minimax") == []


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["minimax", "gately"])
def test_an_sdk_gets_its_clip_from_either_house(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    sdk = client("minimax", "minimax-python")
    with served(provider, make=small, speed=SPEED) as sandbox:
        monkeypatch.setattr(sdk.Minimax, "BASE_URL", sandbox.base_url(provider))
        with sdk.Minimax(api_key="key", group_id="group") as here:
            made = here.text_to_video("a kite over dunes", model="T2V-01")
            found = here.retrieve_video(file_id=made.file_id, download_path=str(tmp_path / "clip.mp4"))
        assert clips(sandbox, provider) == [(tmp_path / "clip.mp4").read_bytes()]
        assert found.bytes == len(clips(sandbox, provider)[0])
