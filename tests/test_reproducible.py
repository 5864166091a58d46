"""What is said before a take is rendered again: how far the same will come out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec.project import open_lists
from vidspec.reproducible import promise

if TYPE_CHECKING:
    from conftest import Film, House

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}',
            (
                "it takes seeds, and the same one is sent again, yet nobody promises the same bytes; "
                "its name may stand for a newer version by now"
            ),
        ),
        (
            "{provider: minimax, model: MiniMax-Hailuo-02}",
            "it takes no seed, so another clip comes back; its name may stand for a newer version by now",
        ),
        (
            "{provider: nebula, model: doubao-seedance-1-0-pro-250528}",
            (
                "it takes seeds, and the same one is sent again, yet nobody promises the same bytes; "
                "its name is that of one version"
            ),
        ),
        (
            "{provider: nebula, model: sora-2, size: 1280x720}",
            (
                "it takes no seed, so another clip comes back; its name may stand for a newer version by now; "
                "the vendor's own service of it ended on 2026-09-24"
            ),
        ),
        (
            "{provider: animatic, size: 64x36, duration: 0.2, fps: 10}",
            "drawn here, so the same release draws the same picture",
        ),
    ],
    ids=["seed", "no seed", "dated name", "sunset", "drawn here"],
)
def test_a_promise_says_what_the_table_knows(shots: Shots, entry: str, said: str) -> None:
    (opened,), _ = open_lists([shots("- {id: a, prompt: one}", defaults=entry)], {})
    assert promise(opened.takes[0], TODAY) == said


def test_what_is_rendered_again_as_it_was_is_named_before_it_is_paid_for(film: Film, house: House) -> None:
    film.write("- {id: a, prompt: one, takes: 6}")
    assert "again" not in film.render().stderr
    lock = film.lock.read_text("utf-8")
    for number in range(1, 7):
        lock = lock.replace(f'    request_id: "r{number}"\n', "")
    film.lock.write_text(lock, "utf-8")
    for folder in ("renders", ".vidspec"):
        shutil.rmtree(film.project / folder)
    ended = film.vidspec("render", "shots.yaml")
    assert (ended.returncode, len(house.sent)) == (3, 6)
    said = "6 takes again (a-t01, a-t02, a-t03, a-t04 and 2 more), by Wan-AI/Wan2.2-T2V-A14B: it takes seeds"
    assert said in ended.stderr


def test_an_edited_take_is_not_one_that_is_rendered_again(film: Film, house: House) -> None:
    film.write("- {id: a, prompt: one}")
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: two}")
    assert "again" not in film.render().stderr
