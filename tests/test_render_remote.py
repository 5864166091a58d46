"""`vidspec render` as a user runs it, against the local twins over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

from vidspec import journal, media
from vidspec.fingerprint import digest
from vidspec.project import read_lock
from vidspec.sandbox import FaultPlan, open_sandbox
from vidspec.sandbox.clock import FastClock

if TYPE_CHECKING:
    from vidspec.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("drawn_once")]

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]

KEY = "sk-very-secret-4711"
HEAD = "providers:\n  siliconflow: {poll_interval: 0.05, submits_per_minute: 6000, request_timeout: 5}\n"
WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'


@contextmanager
def twins(*names: str, faults: str = "", speed: float = 400.0) -> Iterator[Sandbox]:
    """Twins in a thread of their own, so that what they are asked comes from another process or loop."""
    opened: list[Sandbox] = []
    ready, stops = threading.Event(), list[Callable[[], None]]()
    plan = FaultPlan.parse(f"vidspec_faults: 1\nfaults:\n{faults}", "faults.yaml") if faults else None

    async def main() -> None:
        with trio.CancelScope() as scope:
            token = trio.lowlevel.current_trio_token()
            stops.append(lambda: token.run_sync_soon(scope.cancel))
            async with open_sandbox(names, faults=plan) as sandbox:
                opened.append(sandbox)
                ready.set()
                await trio.sleep_forever()

    clock = FastClock(speed, hold_while_drawing=True)
    thread = threading.Thread(target=lambda: trio.run(main, clock=clock))
    thread.start()
    try:
        assert ready.wait(20)
        yield opened[0]
    finally:
        stops[0]()
        thread.join(20)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sandbox], None]:
    """Points the environment at twins, with a key."""

    def point(sandbox: Sandbox) -> None:
        for name in sandbox.places:
            monkeypatch.setenv(f"VIDSPEC_{name.upper()}_BASE_URL", sandbox.base_url(name))
            monkeypatch.setenv(f"{name.upper()}_API_KEY", KEY)

    return point


def submits(sandbox: Sandbox) -> int:
    return sum(1 for one in sandbox.history.exchanges if one.call == "submit")


def everything_written(project: Path) -> Iterator[tuple[Path, bytes]]:
    for path in project.rglob("*"):
        if path.is_file() and path.suffix != ".mp4" and "objects" not in path.parts:
            yield path, path.read_bytes()


def test_a_list_is_rendered_recorded_and_then_done(
    shots: Shots, vidspec: Vidspec, project: Path, at: Callable[[Sandbox], None]
) -> None:
    shots("- {id: a, prompt: a boat, takes: 2}", HEAD, defaults=WAN)
    with twins("siliconflow") as sandbox:
        at(sandbox)
        assert vidspec("render", "shots.yaml").returncode == 3
        assert submits(sandbox) == 0
        ended = vidspec("render", "shots.yaml", "--yes")
        assert ended.returncode == 0, ended.stderr
        assert vidspec("render", "shots.yaml").stdout == "done: 2 takes kept\n"
        assert submits(sandbox) == 2
    record = read_lock(project / "shots.lock").get("a-t01")
    assert record is not None
    assert record.output is not None
    assert record.request_id
    assert record.trace_id
    assert record.seed_used == record.seed
    clip = project / record.output.path
    assert digest(clip.read_bytes()) == record.output.sha256
    assert (media.probe(clip).width, record.output.width) == (1280, 1280)
    for path, data in everything_written(project):
        assert KEY.encode() not in data, path
        assert b"signature=" not in data, path


def test_events_tell_of_the_request(shots: Shots, vidspec: Vidspec, at: Callable[[Sandbox], None]) -> None:
    shots("- {id: a, prompt: a boat}", HEAD, defaults=WAN)
    with twins("siliconflow") as sandbox:
        at(sandbox)
        ended = vidspec("render", "shots.yaml", "--yes", "--json")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[1], kinds[-2], kinds[-1]) == ("run_started", "submitted", "downloaded", "run_finished")
    assert len({event["request_id"] for event in events if event.get("slate")}) == 1
    assert events[-1]["accepted"] == 1
    assert KEY not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("fault", "code", "said", "asked"),
    [
        ("throttled, call: submit, times: 2", 0, "done", 3),
        ("overloaded, call: submit", 0, "done", 2),
        ("broken, call: submit", 1, "in doubt", 1),
        ("drop, call: submit", 1, "in doubt", 1),
        ("reset, call: submit", 1, "in doubt", 1),
        ("garbage, call: submit", 1, "in doubt", 1),
        ("html, call: submit", 1, "in doubt", 1),
        ("empty, call: submit", 1, "in doubt", 1),
        ("cut, call: submit", 1, "in doubt", 1),
        ("nested, call: submit", 1, "in doubt", 1),
        ("broken, call: poll, times: 2", 0, "done", 1),
        ("drop, call: poll, times: 2", 0, "done", 1),
        ("garbage, call: poll", 0, "done", 1),
        ("nested, call: poll", 0, "done", 1),
        ("unknown_state, seconds: 60", 0, "done", 1),
        ("moderation", 1, "failed", 1),
        ("link_expired, call: download", 0, "done", 1),
        ("truncated_download, call: download", 0, "done", 1),
        ("html_download, call: download", 0, "done", 1),
        ("empty_download, call: download", 0, "done", 1),
        ("wrong_length, call: download", 0, "done", 1),
    ],
)
def test_whatever_goes_wrong_a_take_is_submitted_at_most_once_and_no_finished_clip_is_lost(
    shots: Shots,
    vidspec: Vidspec,
    project: Path,
    at: Callable[[Sandbox], None],
    fault: str,
    code: int,
    said: str,
    asked: int,
) -> None:
    shots("- {id: a, prompt: a boat}", HEAD, defaults=WAN)
    with twins("siliconflow", faults=f"  - {{fault: {fault}}}\n") as sandbox:
        at(sandbox)
        ended = vidspec("render", "shots.yaml", "--yes")
        assert (ended.returncode, submits(sandbox)) == (code, asked), ended.stdout + ended.stderr
        assert said in ended.stdout
        assert "Traceback" not in ended.stderr
        again = vidspec("render", "shots.yaml", "--yes")
        assert (again.returncode, submits(sandbox)) == (code, asked), again.stdout + again.stderr
        assert len(sandbox.places["siliconflow"].house.tasks) <= 1
    assert (project / "renders/a/a-t01.mp4").exists() == (code == 0)


def test_an_address_that_redirects_is_not_followed_and_may_be_tried_again(
    shots: Shots, vidspec: Vidspec, at: Callable[[Sandbox], None]
) -> None:
    shots("- {id: a, prompt: a boat}", HEAD, defaults=WAN)
    with twins("siliconflow", faults="  - {fault: redirect, call: submit}\n") as sandbox:
        at(sandbox)
        ended = vidspec("render", "shots.yaml", "--yes")
        assert (ended.returncode, len(sandbox.places["siliconflow"].house.tasks)) == (1, 0)
        assert "the address redirects" in ended.stdout
        assert vidspec("render", "shots.yaml", "--yes").returncode == 0


def test_a_take_in_doubt_is_sent_again_only_when_a_person_says_so(
    shots: Shots, vidspec: Vidspec, project: Path, at: Callable[[Sandbox], None]
) -> None:
    shots("- {id: a, prompt: a boat}\n- {id: b, prompt: a bird}", HEAD, defaults=WAN)
    with twins("siliconflow", faults="  - {fault: drop, call: submit}\n") as sandbox:
        at(sandbox)
        assert vidspec("render", "shots.yaml", "--yes").returncode == 1
        (lost,) = (
            slate for slate, one in journal.read(project / ".vidspec/journal/shots.jsonl").items() if one.doubtful
        )
        assert "decide" in vidspec("plan", "shots.yaml").stdout
        assert submits(sandbox) == 2
        ended = vidspec("render", "shots.yaml", "--yes", "--resubmit", lost)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert submits(sandbox) == 3


def test_a_failed_take_is_sent_again_only_when_asked_for_or_changed(
    shots: Shots, vidspec: Vidspec, at: Callable[[Sandbox], None]
) -> None:
    shots("- {id: a, prompt: a boat}", HEAD, defaults=WAN)
    with twins("siliconflow", faults="  - {fault: moderation}\n") as sandbox:
        at(sandbox)
        assert vidspec("render", "shots.yaml", "--yes").returncode == 1
        ended = vidspec("render", "shots.yaml", "--yes")
        assert (ended.returncode, submits(sandbox)) == (1, 1)
        assert "--retry-failed" in ended.stdout
        assert vidspec("render", "shots.yaml", "--yes", "--retry-failed").returncode == 0
        assert submits(sandbox) == 2


def test_a_wrong_key_stops_the_account_and_spares_the_rest(
    shots: Shots, vidspec: Vidspec, at: Callable[[Sandbox], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shots("- {id: a, prompt: x, takes: 9}", HEAD, defaults=WAN)
    with twins("siliconflow") as sandbox:
        at(sandbox)
        monkeypatch.setenv("SILICONFLOW_API_KEY", "bad-key")
        ended = vidspec("render", "shots.yaml", "--yes")
        assert ended.returncode == 1
        assert submits(sandbox) <= 2
        assert ended.stderr.count("Invalid token") == 9
        assert "check `SILICONFLOW_API_KEY`; then the same command goes on" in ended.stdout
        assert "bad-key" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9/v1", "refused the connection"),
        ("https://host.invalid/v1", "cannot resolve the host"),
    ],
)
def test_where_nobody_answers_each_take_says_so_and_the_others_go_on(
    shots: Shots, vidspec: Vidspec, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setattr("vidspec.pacing.backoff", lambda *_, **__: 0.01)
    shots(f"- {{id: a, prompt: x, takes: 2}}\n- {{id: b, prompt: y, {DRAWN}}}", HEAD, defaults=WAN)
    monkeypatch.setenv("VIDSPEC_SILICONFLOW_BASE_URL", address)
    monkeypatch.setenv("SILICONFLOW_API_KEY", KEY)
    ended = vidspec("render", "shots.yaml", "--yes")
    assert ended.returncode == 1
    assert ended.stdout.count(said) == 2
    assert "1 take rendered, 2 takes failed" in ended.stdout


DRAWN = "provider: animatic, model: null, resolution: null, aspect_ratio: null, size: 64x36, duration: 0.2, fps: 10"


def start(project: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vidspec", "render", "shots.yaml", "--yes"]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_what_was_accepted_when_a_run_dies_is_collected_by_the_next(
    shots: Shots, vidspec: Vidspec, project: Path, at: Callable[[Sandbox], None], how: signal.Signals
) -> None:
    shots("- {id: a, prompt: a boat, takes: 2}", HEAD, defaults=WAN)
    with twins("siliconflow", speed=20) as sandbox:
        at(sandbox)
        running = start(project)
        until(lambda: submits(sandbox) == 2)
        time.sleep(0.2)
        os.kill(running.pid, how)
        _, err = running.communicate(timeout=30)
        assert running.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 130), err
        assert not list(project.rglob("*.mp4"))
        plan: dict[str, Any] = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)
        assert [one["action"] for one in plan["takes"]] == ["collect", "collect"]
        assert plan["totals"]["cost"] == {}
        ended = vidspec("render", "shots.yaml")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "2 takes collected" in ended.stdout
        assert submits(sandbox) == 2
