"""The last words of a run: what became of every take, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.events import Tally
    from vidspec.plan import Plan


def print_ending(
    console: Console, project: Path, found: Plan, slates: set[str], tally: Tally, *, interrupted: bool
) -> None:
    """Print what failed and why, then one line of counts, then where the clips are."""
    by_slate = {one.slate: one.take for one in found.takes}
    for slate, reason in tally.failed.items():
        console.line(f"{console.paint('failed', 'red', 'bold')}   {slate}: {reason}")
    for slate, needed in tally.blocked.items():
        known = needed in tally.failed or needed in tally.blocked
        hint = "" if known else f"; `--select +{by_slate[slate].shot}` makes it too"
        console.line(f"{console.paint('blocked', 'yellow', 'bold')}  {slate}: needs {needed}{hint}")
    kept = sum(1 for one in found.takes if one.slate in slates and one.action == "keep") + len(tally.kept)
    words = ", ".join(_counts(tally, kept)) or "nothing to do"
    made = tally.rendered + tally.restored
    if interrupted:
        word, hue, more = "interrupted", "yellow", "; the same command goes on from here"
    elif tally.failed or tally.blocked:
        word, hue, more = "not done", "red", ""
    else:
        word, hue, more = "done", "green", f" in {tally.seconds:.1f} s" if made else ""
    console.line(f"{console.paint(word, hue, 'bold')}: {words}{more}")
    if made:
        folders = {by_slate[slate].output.rpartition("/")[0] for slate in made}
        inner = folders.pop() if len(folders) == 1 else _common(folders)
        console.line(f"      in {project / inner}")


def _counts(tally: Tally, kept: int) -> Iterator[str]:
    """`3 takes rendered`, `1 kept`: every ending that there was."""
    counts = {
        "rendered": len(tally.rendered),
        "restored": len(tally.restored),
        "kept": kept,
        "failed": len(tally.failed),
        "blocked": len(tally.blocked),
    }
    for word, count in counts.items():
        if count:
            yield f"{counted(count, 'take')} {word}"


def _common(folders: set[str]) -> str:
    """The folder that all these folders are in."""
    shared: list[str] = []
    for names in zip(*(folder.split("/") for folder in folders), strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)
