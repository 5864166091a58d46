"""What a report finds of a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vidspec.export.drafts import outdated
from vidspec.project import open_lists
from vidspec.report.footage import Archive

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Vidspec = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("recorded", [True, False], ids=["as it was drawn", "with other bytes"])
def test_a_draft_of_other_settings_than_the_list_has_now_is_marked(
    shots: Callable[..., Path], vidspec: Vidspec, recorded: bool
) -> None:
    entries = "- {id: a, prompt: one}\n- {id: b, prompt: two}"
    shots(entries)
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    path = shots(entries.replace("two", "other"))
    if not recorded:
        for slate in ("a-t01", "b-t01"):
            with (path.parent / f".vidspec/drafts/{slate}.mp4").open("ab") as file:
                file.write(b"more")
    (opened,), _ = open_lists([path], {}, offline=True)
    archive = Archive(path, outdated(opened))
    for slate, old in (("a-t01", False), ("b-t01", True)):
        footage = archive.of(slate, f"renders/{slate}.mp4", None)
        assert footage is not None
        assert (footage.kind, footage.outdated, footage.output is not None) == ("draft", old, recorded)


def test_without_being_told_an_archive_marks_nothing(shots: Callable[..., Path], vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    footage = Archive(shots("- {id: a, prompt: other}")).of("a-t01", "a-t01.mp4", None)
    assert footage is not None
    assert not footage.outdated
