"""`vidspec sandbox`: where it says that it listens, what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.sandbox.twins import TWINS

if TYPE_CHECKING:
    from pathlib import Path

Vidspec = Callable[..., CompletedProcess[str]]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A sandbox in a process of its own, ended as with Ctrl-C."""
    command = [sys.executable, "-m", "vidspec", "sandbox", "--port", "0", "--no-color", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(20)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def status(url: str, value: Any = None) -> int:
    data = None if value is None else json.dumps(value).encode()
    try:
        request = urllib.request.Request(url, data, {"Authorization": "Bearer x"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
def test_it_says_where_it_is_logs_every_request_and_ends_well(tmp_path: Path) -> None:
    plan = tmp_path / "f.yaml"
    plan.write_text("vidspec_faults: 1\nfaults: [{fault: throttled, provider: minimax}]\n")
    with running("--faults", str(plan), "--speed", "10x", "--seed", "7") as process:
        first = line(process)
        base = first.split()[5].rstrip(",;")
        assert first == f"the sandbox is open at {base}, 10 times as fast as the real thing; Ctrl-C closes it"
        exports = [line(process).strip() for _ in TWINS]
        assert f"export VIDSPEC_SILICONFLOW_BASE_URL={base}/siliconflow/v1" in exports
        assert line(process) == "any key is good that does not begin with `bad`"
        assert line(process) == "`--seed 7` gives the same ids and chances again"
        assert status(f"{base}/state.json") == 200
        assert status(f"{base}/nowhere") == 404
        assert re.fullmatch(r" +\d+\.\d s  404  GET /nowhere", line(process))
        status(f"{base}/minimax/v1/video_generation", {"model": "MiniMax-Hailuo-02"})
        logged = line(process)
        assert "POST /minimax/v1/video_generation  submit" in logged
        assert logged.endswith("  fault: throttled")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_json_is_a_line_for_the_opening_and_one_for_each_request() -> None:
    with running("--json", "--provider", "yutoai", "--provider", "gately") as process:
        opened = json.loads(line(process))
        assert opened["event"] == "listening"
        assert list(opened["env"]) == ["VIDSPEC_YUTOAI_BASE_URL", "VIDSPEC_GATELY_BASE_URL"]
        assert opened["env"]["VIDSPEC_GATELY_BASE_URL"] == f"{opened['base']}/gately/v1"
        assert status(f"{opened['base']}/minimax/v1") == 404
        request = json.loads(line(process))
        assert (request["event"], request["path"], request["status"]) == ("request", "/minimax/v1", 404)


@pytest.mark.slow
def test_quiet_leaves_the_requests_out_and_a_kill_ends_it_well() -> None:
    with running("--quiet", "--provider", "minimax") as process:
        base = line(process).split()[5].rstrip(",;")
        for _ in range(3):
            line(process)
        assert status(f"{base}/nowhere") == 404
        process.terminate()
        assert process.wait(20) == 0
        assert process.stdout
        assert process.stdout.read() == ""


@pytest.mark.slow
def test_it_goes_on_when_nobody_reads_what_it_says() -> None:
    with running("--provider", "minimax") as process:
        base = line(process).split()[5].rstrip(",;")
        assert process.stdout
        process.stdout.close()
        assert [status(f"{base}/nowhere") for _ in range(3)] == [404] * 3
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--speed", "fast"), "`--speed fast` is no speed: write one like `10x`", id="speed"),
        pytest.param(("--provider", "minmax"), "there is no twin of `minmax`", id="provider"),
        pytest.param(("--port", "70000"), "70000 is not in the range", id="port"),
        pytest.param(("--faults", "none.yaml"), "cannot read `none.yaml`", id="no file"),
        pytest.param(
            ("--faults", "wrong.yaml"), "wrong.yaml:2:18: error[E704]: there is no fault `cutt`", id="file"
        ),
    ],
)
def test_what_cannot_be_is_said_once(
    vidspec: Vidspec, project: Path, arguments: tuple[str, ...], said: str
) -> None:
    (project / "wrong.yaml").write_text("vidspec_faults: 1\nfaults: [{fault: cutt}]\n")
    ended = vidspec("sandbox", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_said(vidspec: Vidspec) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = vidspec("sandbox", "--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: cannot listen on port {port}: it is in use\n    help: `--port 0` takes any that is free\n"
    )
