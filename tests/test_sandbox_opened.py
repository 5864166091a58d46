"""A sandbox that is open: twins, files and pages over real sockets, in the loop of whoever opened it."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11
import pytest
import trio

from vidspec import media
from vidspec.errors import UsageError
from vidspec.sandbox import FaultPlan, Sandbox, open_sandbox
from vidspec.sandbox.clock import FastClock
from vidspec.sandbox.timing import Limits
from vidspec.sandbox.twins import TWINS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

SUBMIT = {"model": "Wan-AI/Wan2.2-T2V-A14B", "prompt": "a ferry", "image_size": "1280x720"}


async def ask(url: str, value: Any = None, *, verb: str = "", key: str | None = "x") -> tuple[int, bytes]:
    """The status and body of an answer; a JSON value is posted."""
    parts = urlsplit(url)
    body = b"" if value is None else json.dumps(value).encode()
    headers = [("Host", parts.netloc), ("Content-Length", str(len(body))), ("Connection", "close")]
    if key is not None:
        headers.append(("Authorization", f"Bearer {key}"))
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    client = h11.Connection(h11.CLIENT)
    request = h11.Request(method=verb or ("POST" if value is not None else "GET"), target=target, headers=headers)
    sent = b"".join(filter(None, map(client.send, (request, h11.Data(data=body), h11.EndOfMessage()))))
    async with await trio.open_tcp_stream(parts.hostname or "", parts.port or 0) as stream:
        await stream.send_all(sent)
        status, found = 0, bytearray()
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                client.receive_data(await stream.receive_some())
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                found += event.data
    return status, bytes(found)


async def rendered(sandbox: Sandbox, value: Any) -> tuple[str, str, float]:
    """The id of a submitted task, its link, and when it was there."""
    base = sandbox.base_url("siliconflow")
    status, body = await ask(f"{base}/video/submit", value)
    assert status == 200, body
    task_id = json.loads(body)["requestId"]
    while True:
        await trio.sleep(10)
        _, body = await ask(f"{base}/video/status", {"requestId": task_id})
        found = json.loads(body)
        if found["status"] == "Succeed":
            return task_id, found["results"]["videos"][0]["url"], sandbox.now()
        assert found["status"] in ("InQueue", "InProgress")


@pytest.mark.slow
def test_a_clip_is_rendered_by_a_twin_in_minutes_that_take_seconds(tmp_path: Path) -> None:
    async def main() -> tuple[Sandbox, float, list[tuple[int, bytes]]]:
        async with open_sandbox(["siliconflow"]) as sandbox:
            _, link, when = await rendered(sandbox, SUBMIT)
            answers = [await ask(link, key=None), await ask(link)]
            await trio.sleep(601)
            answers.append(await ask(link, key=None))
            return sandbox, when, answers

    sandbox, when, answers = trio.run(main, clock=FastClock(300, hold_while_drawing=True))
    (task,) = sandbox.places["siliconflow"].house.tasks.values()
    assert task.ends <= when < task.ends + 60
    assert [status for status, _ in answers] == [200, 400, 403]
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(answers[0][1])
    found = media.probe(clip)
    assert (found.width, found.height, found.fps, found.frames) == (1280, 720, 16, 80)
    assert [one.status for one in sandbox.history.exchanges][-3:] == [200, 400, 403]


@asynccontextmanager
async def opened(*names: str, **given: Any) -> AsyncIterator[Sandbox]:
    async with open_sandbox(names or None, **given) as sandbox:
        yield sandbox


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(main)


def test_all_twins_are_open_unless_some_are_named() -> None:
    async def main() -> None:
        async with opened() as sandbox:
            assert list(sandbox.places) == list(TWINS)
            assert urlsplit(sandbox.base).hostname == "127.0.0.1"
        async with opened("minimax", "minimax", "yutoai") as sandbox:
            assert list(sandbox.places) == ["minimax", "yutoai"]
            with pytest.raises(KeyError):
                sandbox.base_url("nebula")

    run(main)


def test_a_twin_that_is_none_is_refused_with_the_nearest() -> None:
    async def main() -> None:
        async with opened("minmax"):
            pass

    with pytest.raises(UsageError, match="there is no twin of `minmax`\n    help: the nearest is `minimax`"):
        run(main)


def test_a_port_that_is_in_use_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        async def main() -> None:
            async with opened(port=port):
                pass

        with pytest.raises(UsageError, match=f"cannot listen on port {port}: it is in use"):
            run(main)


def test_a_port_can_be_had_again_after_the_sandbox() -> None:
    async def main() -> None:
        async with opened() as first:
            port = urlsplit(first.base).port
            assert (await ask(f"{first.base}/state.json"))[0] == 200
        async with opened(port=port) as second:
            assert second.base == first.base
            assert (await ask(f"{second.base}/state.json"))[0] == 200

    run(main)


def test_the_pages_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with opened() as sandbox:
            assert b"<title>vidspec sandbox</title>" in (await ask(sandbox.base, key=None))[1]
            assert json.loads((await ask(f"{sandbox.base}/state.json"))[1])["base"] == sandbox.base
            assert json.loads((await ask(f"{sandbox.base}/openapi.json"))[1])["openapi"] == "3.1.0"
            assert (await ask(f"{sandbox.base}/state.json", verb="HEAD"))[1] == b""

    run(main)


def test_limits_and_faults_are_those_that_were_given() -> None:
    plan = FaultPlan.parse("vidspec_faults: 1\nfaults: [{fault: broken, call: submit, first: 2}]\n", "f.yaml")

    async def main() -> list[int]:
        limits = {"siliconflow": Limits(per_minute=2)}
        async with opened("siliconflow", faults=plan, limits=limits) as sandbox:
            url = f"{sandbox.base_url('siliconflow')}/video/submit"
            return [(await ask(url, SUBMIT))[0] for _ in range(4)]

    assert run(main) == [200, 500, 200, 429]


def test_the_same_requests_have_the_same_ids_with_the_same_seed_alone() -> None:
    async def ids(seed: int) -> list[str]:
        async with opened("siliconflow", seed=seed) as sandbox:
            url = f"{sandbox.base_url('siliconflow')}/video/submit"
            return [json.loads((await ask(url, SUBMIT))[1])["requestId"] for _ in range(2)]

    async def main() -> None:
        one, again, other = await ids(1), await ids(1), await ids(2)
        assert one == again
        assert set(one).isdisjoint(other)
        assert len(set(one)) == 2

    run(main)


def test_whoever_listens_hears_of_every_request() -> None:
    heard: list[tuple[str, int | None]] = []

    async def main() -> None:
        async with opened("siliconflow", listener=lambda one: heard.append((one.path, one.status))) as sandbox:
            await ask(f"{sandbox.base}/nowhere")
            await ask(f"{sandbox.base_url('siliconflow')}/video/submit", SUBMIT, key="bad")

    run(main)
    assert heard == [("/nowhere", 404), ("/siliconflow/v1/video/submit", 401)]


def test_a_drawing_that_fails_ends_the_sandbox_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_drawing: object, _path: Path, **_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidspec.animatic.draw", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def main() -> None:
        async with opened("siliconflow") as sandbox:
            await ask(f"{sandbox.base_url('siliconflow')}/video/submit", SUBMIT)
            await trio.sleep_forever()

    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="No space left")):
        run(main)
    assert list(tmp_path.iterdir()) == []
