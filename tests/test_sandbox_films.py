"""The clips of the sandbox: drawn once for equal requests, and near to what was asked where it cannot be drawn."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image

from vidspec import media
from vidspec.sandbox.clock import FastClock
from vidspec.sandbox.films import Film, Films, fitted
from vidspec.sandbox.twin import Clip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CLIP = Clip(prompt="a ferry", label="siliconflow · Wan", width=64, height=36, duration=0.5, fps=8.0, seed=7)


def picture(colour: str = "red") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (32, 18), colour).save(target, "PNG")
    return target.getvalue()


def drawn(folder: Path, clips: Sequence[Clip], clock: FastClock | None = None) -> list[Film]:
    """The films of some clips, once all are ready."""

    async def main() -> list[Film]:
        async with trio.open_nursery() as nursery:
            films = Films(nursery, folder)
            return [films.order(clip) for clip in clips]

    ordered = trio.run(main, clock=clock)
    assert all(film.ready for film in ordered)
    return ordered


def test_a_clip_is_drawn_as_it_was_asked_for(tmp_path: Path) -> None:
    (film,) = drawn(tmp_path, [CLIP])
    found = media.probe(film.path)
    assert (found.width, found.height, found.fps, found.frames) == (64, 36, 8, 4)
    assert film.size == len(film.data()) > 500
    assert film.remarks == ()


def test_equal_clips_are_drawn_once_and_others_apart(tmp_path: Path) -> None:
    with_picture = replace(CLIP, pictures=(("first_frame", picture()),))
    others = [
        replace(CLIP, seed=8),
        replace(CLIP, prompt="a train"),
        replace(CLIP, camera=("push in",)),
        with_picture,
        replace(CLIP, pictures=(("last_frame", picture()),)),
        replace(CLIP, pictures=(("first_frame", picture("blue")),)),
    ]
    films = drawn(tmp_path, [CLIP, replace(CLIP), *others, replace(with_picture)])
    assert films[0] is films[1]
    assert films[5] is films[-1]
    assert len(set(map(id, films))) == 1 + len(others) == len(list(tmp_path.iterdir()))


def test_a_clip_of_the_same_facts_has_the_same_bytes_in_every_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (one,), (two,) = drawn(tmp_path / "one", [CLIP]), drawn(tmp_path / "two", [CLIP])
    assert one.data() == two.data()


def test_a_film_is_not_ready_when_it_is_ordered(tmp_path: Path) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            film = Films(nursery, tmp_path).order(CLIP)
            assert not film.ready

    trio.run(main)


def test_pictures_that_are_none_are_left_out_and_named(tmp_path: Path) -> None:
    parts = (("first_frame", b"no picture"), ("reference", picture()), ("last_frame", picture()[:-25]))
    (film,) = drawn(tmp_path, [replace(CLIP, pictures=parts)])
    assert film.remarks == (
        "drawn without a picture: the first frame is not a picture that can be read",
        "drawn without a picture: the last frame is cut short or damaged",
    )


@pytest.mark.parametrize(
    "prompt",
    ["", "half a \ud83d character", "a\x00b\x1b[31m", "长" * 5000, "🛳️ e\u0301\u202e", "x" * 100_000],
    ids=["none", "half a character", "codes", "Chinese", "signs", "long"],
)
def test_any_prompt_can_be_drawn(tmp_path: Path, prompt: str) -> None:
    large = replace(CLIP, prompt=prompt, label=prompt[:100], width=320, height=240, duration=0.2)
    assert drawn(tmp_path, [large])[0].size


@pytest.mark.parametrize("size", [(16, 16), (16, 4096), (4096, 16)], ids=str)
def test_the_smallest_and_the_longest_sides_can_be_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    small = replace(CLIP, width=size[0], height=size[1], duration=0.1)
    found = media.probe(drawn(tmp_path, [small])[0].path)
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    ("asked", "got", "said"),
    [
        pytest.param({"width": 1365}, {"width": 1364}, "1364x36 instead of 1365x36", id="odd"),
        pytest.param({"height": 0}, {"height": 16}, "64x16 instead of 64x0", id="none"),
        pytest.param({"width": 10**9}, {"width": 4096}, "4096x36", id="vast"),
        pytest.param({"fps": 0.0}, {"fps": 1.0}, "1 frames a second instead of 0.0", id="no frames"),
        pytest.param({"fps": float("nan")}, {"fps": 24.0}, "24 frames a second instead of nan", id="no number"),
        pytest.param({"duration": float("inf")}, {"duration": 5.0}, "5 s long instead of inf s", id="endless"),
        pytest.param({"duration": -1.0}, {"duration": 0.1}, "0.1 s long", id="over before it began"),
        pytest.param({"camera": ("push in", "orbit")}, {"camera": ("push in",)}, "without camera moves", id="move"),
    ],
)
def test_what_cannot_be_drawn_is_fitted_and_said(asked: dict[str, Any], got: dict[str, Any], said: str) -> None:
    clip, found = fitted(replace(CLIP, **asked))
    assert clip == replace(CLIP, **got)
    assert len(found) == 1
    assert said in found[0]


def test_what_can_be_drawn_is_left_alone() -> None:
    assert fitted(CLIP) == (CLIP, [])


def test_drawing_takes_no_virtual_time_where_the_clock_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(_drawing: object, path: Path, *, progress: Callable[[int, int], None]) -> None:
        for step in range(4):
            time.sleep(0.02)
            progress(step, 4)
        path.write_bytes(b"clip")

    monkeypatch.setattr("vidspec.animatic.draw", slowly)

    async def main() -> float:
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            film = Films(nursery, tmp_path).order(CLIP)
            await trio.sleep(2)  # falls due only when the clip has been drawn
            assert film.ready
            return trio.current_time() - begun

    assert trio.run(main, clock=FastClock(100, hold_while_drawing=True)) < 2 + 4  # 80 ms would be 8 s


def test_a_drawing_stops_with_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[int] = []

    def endless(_drawing: object, _path: Path, *, progress: Callable[[int, int], None]) -> None:
        while len(frames) < 5000:
            time.sleep(0.001)
            frames.append(1)
            progress(0, 1)

    monkeypatch.setattr("vidspec.animatic.draw", endless)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            Films(nursery, tmp_path).order(CLIP)
            await trio.sleep(0.05)
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert len(frames) < 5000
