"""Shot lists in folders, each beside the exact text that `validate` prints about it, at a fixed date.

`python tests/test_reels.py` writes every `expected.txt` anew. Read the difference before you keep it: a text is
right where it points at the wrong value itself, says what is wrong, and states what would be right.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import shotlist
from vidspec.diagnostic import CODES, Diagnostic, in_order
from vidspec.errors import ShotListError
from vidspec.folder import ProjectFolder
from vidspec.resolve import World, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

REELS = Path(__file__).parent / "reels"
TODAY = date(2026, 11, 20)

ELSEWHERE = {
    "E101": "a list that cannot be opened: test_validate",
    "E102": "a file of 200 MB, made for the occasion: test_validate",
    "W608": "a picture of five megabytes, too much to keep: test_stills",
}


def reels(kind: str) -> list[Path]:
    return sorted(path.parent for path in (REELS / kind).glob("*/shots.yaml"))


@cache
def diagnose(folder: Path) -> tuple[Diagnostic, ...]:
    """What `validate` finds in the reel, run in its folder on the given day."""
    try:
        shot_list = shotlist.load(folder / "shots.yaml", "shots.yaml")
    except ShotListError as error:
        return tuple(in_order(error.diagnostics))
    return tuple(resolve(shot_list, World(folder=ProjectFolder(folder), today=TODAY)).diagnostics)


def printed(found: Iterable[Diagnostic]) -> str:
    return "".join(f"{one.text()}\n" for one in found)


every_reel = pytest.mark.parametrize(
    "folder", [*reels("invalid"), *reels("valid")], ids=lambda folder: f"{folder.parent.name}: {folder.name}"
)


@every_reel
def test_a_reel_is_judged_as_expected(folder: Path) -> None:
    assert printed(diagnose(folder)) == (folder / "expected.txt").read_text("utf-8")


@every_reel
def test_what_is_reported_lies_inside_its_file_and_fits_on_a_line(folder: Path) -> None:
    for found in diagnose(folder):
        lines = (folder / found.file).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        line = lines.replace("\r", "\n").split("\n")[found.line - 1]
        assert 1 <= found.column <= len(line) + 1
        assert found.text().replace("\n    help: ", "").isprintable()


@pytest.mark.parametrize("folder", reels("invalid"), ids=lambda folder: folder.name)
def test_an_invalid_reel_has_an_error(folder: Path) -> None:
    assert "error" in {found.severity for found in diagnose(folder)}


@pytest.mark.parametrize("folder", reels("valid"), ids=lambda folder: folder.name)
def test_a_valid_reel_has_warnings_at_most(folder: Path) -> None:
    assert "error" not in {found.severity for found in diagnose(folder)}


def test_every_code_is_shown_by_a_reel() -> None:
    shown = {found.code for kind in ("invalid", "valid") for folder in reels(kind) for found in diagnose(folder)}
    assert sorted(CODES.keys() - shown) == sorted(ELSEWHERE)


def test_there_are_many_reels() -> None:
    assert len(reels("invalid")) >= 100
    assert len(reels("valid")) >= 15


def record() -> None:
    for kind in ("invalid", "valid"):
        for folder in reels(kind):
            (folder / "expected.txt").write_text(printed(diagnose(folder)), "utf-8")


if __name__ == "__main__":
    record()
