"""`vidspec verify FILE`: every recorded clip against the file at its place, and against what was asked for."""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from json import dumps
from typing import TYPE_CHECKING, Any, TypeVar

from vidspec import inspection
from vidspec.diagnostic import counted
from vidspec.recorded import Recorded
from vidspec.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.inspection import Damage, Finding

_T = TypeVar("_T")

_HUES = {"missing": "red", "changed": "red", "unreadable": "red", "mismatch": "yellow"}
_RESTORED = frozenset({"missing", "changed"})
_MANY = 32
"""Files from which on a person is told how far it is."""


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    kept: bool,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Print everything about the clips of a lockfile that is not as it should be. 0, or 1 where there is anything.

    With `kept`, what is kept in `.vidspec` is held against its digests too.

    Raises:
        UsageError: there is no lockfile, or the selection matches nothing.
        LockError, JournalError: one of them cannot be read.
    """
    recorded = Recorded(file, variables)
    records = recorded.records(chosen, left_out)
    tell = None if json or quiet or not sys.stderr.isatty() else console.beside(sys.stderr)
    clips = [(slate, record) for slate, record in records if record.output is not None]
    findings = _done([partial(inspection.inspect, recorded.project, *one) for one in clips], tell)
    objects = inspection.kept(Store(recorded.site.folder)) if kept else None
    damaged = [one for one in _done([partial(inspection.damage, *one) for one in objects or ()], tell) if one]
    totals: dict[str, int] = {**Counter(one.state for one in findings)}
    if len(clips) < len(records):
        totals["not_rendered"] = len(records) - len(clips)
    ok = not damaged and all(one.state == "ok" for one in findings)
    if json:
        value = {"vidspec_json": 1, "ok": ok, "takes": [_value(one) for one in findings], "totals": totals}
        if objects is not None:
            value["kept"] = {"looked_at": len(objects), "damaged": [_damage_value(one) for one in damaged]}
        console.line(dumps(value, ensure_ascii=False, indent=2))
        return 0 if ok else 1
    _print_problems(console, findings, damaged, _clips(recorded) if damaged else {})
    if not quiet:
        _print_advice(console, recorded.list_path, findings, damaged)
        console.line(_summary(findings, totals, None if objects is None else len(objects), len(damaged)))
    return 0 if ok else 1


def _done(jobs: Sequence[Callable[[], _T]], tell: Console | None) -> list[_T]:
    """What the jobs return, in their order; they are done in threads, as hashing and decoding may be."""
    results = []
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for result in pool.map(lambda job: job(), jobs):
            results.append(result)
            if tell is not None and len(jobs) >= _MANY:
                _tell(tell, len(results), len(jobs))
    return results


def _tell(console: Console, number: int, of: int) -> None:
    """Say on one line of a terminal how far it is; the line is gone in the end."""
    console.stream.write("\r\033[2K" if number == of else f"\r{number} of {counted(of, 'file')}")
    console.stream.flush()


def _clips(recorded: Recorded) -> dict[str, str]:
    """What is known of kept bytes, by digest: the clip of which take they are, or were."""
    found: dict[str, str] = {}
    for slate, record in recorded.lock.items():
        for one, words in ((record, "the clip"), *((former, "a former clip") for former in record.superseded)):
            if one.output is not None:
                found.setdefault(one.output.sha256, f"{words} of {slate}")
    return found


def _print_problems(
    console: Console, findings: Iterable[Finding], damaged: Iterable[Damage], clips: Mapping[str, str]
) -> None:
    rows = [
        [console.paint(finding.state, _HUES[finding.state]), finding.slate, problem.message]
        for finding in findings
        for problem in finding.problems
    ]
    for one in damaged:
        owner = clips.get(one.sha256, "of no record")
        rows.append([console.paint("damaged", "red"), f"{one.sha256[:19]}…", f"kept, {owner}: {one.message}"])
    console.rows(rows, indent="")


def _print_advice(console: Console, file: Path, findings: Iterable[Finding], damaged: Sequence[Damage]) -> None:
    """What is to be done, once for each kind of trouble."""
    kinds: dict[str, set[str]] = {}
    for finding in findings:
        kinds.setdefault(finding.state, set()).update(one.kind for one in finding.problems)
    advice = []
    if kinds.keys() & _RESTORED:
        advice.append(f"`vidspec restore {file}` brings back what is missing or changed, without paying")
    if "unreadable" in kinds.get("unreadable", ()):
        advice.append("let the files be read by who runs this")
    everything = {kind for state, found in kinds.items() if state not in _RESTORED for kind in found}
    if everything & {"asked_size", "asked_duration", "asked_fps", "asked_audio", "no_clip"}:
        again = f"`vidspec render {file} --resubmit SLATE`"
        advice.append(f"a clip that came otherwise than asked is paid and stays; {again} pays for another")
    if everything & {"bytes", "size", "duration", "fps", "audio"}:
        advice.append("the lockfile contradicts the very bytes that it names: it was edited, or merged wrongly")
    if damaged:
        advice.append("take damaged bytes out of `.vidspec/objects`: nothing can be brought back from them")
    for line in advice:
        console.line(f"    {console.paint('help:', 'cyan')} {line}")


def _summary(findings: Sequence[Finding], totals: Mapping[str, int], objects: int | None, damaged: int) -> str:
    counts = [f"{count} {state}" for state, count in totals.items() if state != "not_rendered"]
    words = f"{counted(len(findings), 'clip')}{': ' if counts else ''}{', '.join(counts)}"
    if unrendered := totals.get("not_rendered"):
        words += f"; {counted(unrendered, 'take')} not rendered"
    if objects is not None:
        words += f"; {objects} kept, {damaged} of them damaged"
    return words


def _value(finding: Finding) -> dict[str, Any]:
    problems = [
        {"kind": one.kind, "expected": one.expected, "found": one.found, "message": one.message}
        for one in finding.problems
    ]
    return {"slate": finding.slate, "state": finding.state, "problems": problems}


def _damage_value(damage: Damage) -> dict[str, Any]:
    return {"sha256": damage.sha256, "found": damage.found, "message": damage.message}
