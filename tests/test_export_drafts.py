"""Drafts that are drawn by the command line, and the list changed after that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec.export.drafts import outdated
from vidspec.project import open_lists

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Vidspec = Callable[..., subprocess.CompletedProcess[str]]

ONE = "- {id: a, prompt: one}"
CHAIN = "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}\n- {id: c, prompt: three}"


def found(path: Path) -> frozenset[str]:
    (opened,), _ = open_lists([path], {}, offline=True)
    return outdated(opened)


@pytest.mark.parametrize(
    ("entries", "old"),
    [
        pytest.param(ONE, set(), id="nothing"),
        pytest.param(ONE.replace("one", "other"), {"a-t01"}, id="prompt"),
        pytest.param("- {id: a, prompt: one, duration: 0.4}", {"a-t01"}, id="duration"),
        pytest.param("- {id: a, prompt: one, notes: Hold., output: 'x.mp4'}", set(), id="what is not drawn"),
        pytest.param("- {id: a, prompt: one, takes: 2}", set(), id="a take more"),
        pytest.param("- {id: b, prompt: other}", set(), id="a take less"),
    ],
)
def test_a_draft_is_outdated_as_soon_as_another_would_be_drawn(
    shots: Callable[..., Path], vidspec: Vidspec, entries: str, old: set[str]
) -> None:
    shots(ONE)
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    path = shots(entries)
    assert found(path) == old
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    assert found(path) == set()


def test_what_was_drawn_from_an_outdated_draft_is_outdated_too(
    shots: Callable[..., Path], vidspec: Vidspec
) -> None:
    shots(CHAIN)
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    assert found(shots(CHAIN.replace("one", "other"))) == {"a-t01", "b-t01"}


@pytest.mark.parametrize(
    "lockfile", [None, "", "vidspec_lock: 99\n", "\x00"], ids=["gone", "empty", "newer", "broken"]
)
def test_nobody_can_tell_where_nothing_is_recorded(
    shots: Callable[..., Path], vidspec: Vidspec, lockfile: str | None
) -> None:
    shots(ONE)
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    lock = Path(".vidspec/drafts/shots.lock")
    lock.unlink()
    if lockfile is not None:
        lock.write_text(lockfile)
    assert found(shots(ONE.replace("one", "other"))) == set()
