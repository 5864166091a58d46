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
    for word, hue, line in _wrong(found, slates, tally):
        console.line(f"{console.paint(word, hue, 'bold')}{' ' * (10 - len(word))}{line}")
    for slate, words in tally.amiss.items():
        console.line(
            f"{console.paint('warning', 'yellow', 'bold')}   {slate}: delivered otherwise than asked: {words}"
        )
    kept = sum(1 for one in found.takes if one.slate in slates and one.action == "keep") + len(tally.kept)
    before = sum(1 for one in found.takes if one.slate in slates and one.action in _STUCK)
    words = ", ".join(_counts(tally, kept)) or "nothing to do"
    made = [slate for slate in (*tally.rendered, *tally.collected, *tally.restored) if slate in by_slate]
    if interrupted:
        word, hue, more = "interrupted", "yellow", "; the same command goes on from here"
    elif tally.wrong or before:
        word, hue, more = "not done", "red", ""
    else:
        word, hue, more = "done", "green", f" in {duration(tally.seconds)}" if made else ""
    console.line(f"{console.paint(word, hue, 'bold')}: {words}{more}")
    if made:
        folders = {by_slate[slate].output.rpartition("/")[0] for slate in made}
        inner = folders.pop() if len(folders) == 1 else _common(folders)
        console.line(f"      in {project / inner}")


_STUCK = frozenset({"failed", "decide", "blocked"})
"""Actions of takes that a run leaves as they are, because a person has to do something first."""


def _wrong(found: Plan, slates: set[str], tally: Tally) -> Iterator[tuple[str, str, str]]:
    """A word, its colour, and a line for every take that did not end well, in this run or before it."""
    shots = {one.slate: one.take.shot for one in found.takes}
    collected = {one.slate for one in found.takes if one.action == "collect"}
    for slate, reason in tally.failed.items():
        more = f"; `--resubmit {slate}` would pay for another" if slate in collected else ""
        yield "failed", "red", f"{slate}: {reason}{more}"
    for slate, reason in tally.in_doubt.items():
        yield "in doubt", "red", f"{slate}: {reason}; {_decision(slate)}"
    for slate, needed in tally.blocked.items():
        known = needed in tally.failed or needed in tally.blocked or needed in tally.in_doubt
        hint = "" if known else f"; `--select +{shots[slate]}` makes it too"
        yield "blocked", "yellow", f"{slate}: needs {needed}{hint}"
    for one in found.takes:
        if one.slate not in slates or one.slate in tally.failed or one.slate in tally.blocked:
            continue
        reason = "; ".join(one.reasons)
        if one.action == "failed":
            yield "failed", "red", f"{one.slate}: {reason} (before; `--retry-failed` tries it again)"
        elif one.action == "decide":
            yield "in doubt", "red", f"{one.slate}: {reason}; {_decision(one.slate)}"
        elif one.action == "blocked":
            yield "blocked", "yellow", f"{one.slate}: {reason}"


def _decision(slate: str) -> str:
    """What a person can do about a take in doubt."""
    return f"see whether the provider has it; `--resubmit {slate}` sends it once more, which may pay twice"


def duration(seconds: float) -> str:
    """A length of time as a person says it: `12.3 s`, `9 min 20 s`, `2 h 5 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _counts(tally: Tally, kept: int) -> Iterator[str]:
    """`3 takes rendered`, `1 kept`: every ending that there was."""
    counts = {
        "rendered": len(tally.rendered),
        "collected": len(tally.collected),
        "restored": len(tally.restored),
        "kept": kept,
        "failed": len(tally.failed),
        "blocked": len(tally.blocked),
        "in doubt": len(tally.in_doubt),
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
