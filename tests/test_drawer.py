"""Drawing in threads, by clocks that stand still meanwhile and by others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import trio

from vidspec import studio
from vidspec.drawer import Drawer
from vidspec.project import open_lists
from vidspec.sandbox.clock import FastClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.take import Take

REAL = 0.05
"""Seconds that a drawing takes; at a hundred times real time, five."""


@pytest.fixture
def take(shots: Callable[..., Path]) -> Take:
    (opened,), _ = open_lists([shots("- {id: a, prompt: x}")], {})
    return opened.takes[0]


@pytest.fixture(autouse=True)
def slow_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing and taking frames take a while and come to nothing."""

    def slowly(*_: Any, **__: Any) -> bytes:
        time.sleep(REAL)
        return b"a frame"

    for name in ("draw", "frame", "frame_of"):
        monkeypatch.setattr(studio, name, slowly)


async def clip(drawer: Drawer, take: Take, place: Path) -> None:
    await drawer.clip(take, {}, place, lambda _done, _of: None)


async def frame(drawer: Drawer, take: Take, place: Path) -> None:
    assert await drawer.frame(take, {}, place, "last") == b"a frame"


@pytest.mark.parametrize("work", [clip, frame], ids=["a clip", "a frame"])
@pytest.mark.parametrize("drafts", [True, False], ids=["drawn", "delivered"])
@pytest.mark.parametrize("stands", [True, False], ids=["a clock that stands still", "one that goes on"])
def test_a_rehearsal_is_not_told_how_long_this_machine_draws(
    work: Any, drafts: bool, stands: bool, take: Take, tmp_path: Path
) -> None:
    async def main() -> float:
        await work(Drawer("", drafts=drafts), take, tmp_path / "a.mp4")
        return trio.current_time()

    seconds = trio.run(main, clock=FastClock(100, hold_while_drawing=stands))
    assert seconds < 100 * REAL if stands else seconds >= 100 * REAL


def test_under_the_usual_clock_it_is_drawn_too(take: Take, tmp_path: Path) -> None:
    trio.run(clip, Drawer("", drafts=False), take, tmp_path / "a.mp4")


def test_a_clock_goes_on_when_a_drawing_has_failed(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(studio, "draw", fail)
    clock = FastClock(100, hold_while_drawing=True)

    async def main() -> None:
        with pytest.raises(OSError, match="No space"):
            await clip(Drawer("", drafts=False), take, tmp_path / "a.mp4")
        await trio.sleep(0.1)

    trio.run(main, clock=clock)
