"""The state of a sandbox as one JSON value: what `/state.json` answers and the page shows."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from vidspec.sandbox.faults import FAULTS
from vidspec.sandbox.twin import json_answer

if TYPE_CHECKING:
    from vidspec.sandbox.drill import Rule
    from vidspec.sandbox.house import LocalHouse
    from vidspec.sandbox.site import Place, Sandbox
    from vidspec.sandbox.twin import Answer, Task

__all__ = ["MOST_ROWS", "answer", "value"]

MOST_ROWS = 100
"""Tasks and requests shown of each provider, newest first; counts are over all of them."""

MOST_LETTERS = 300


def answer(sandbox: Sandbox) -> Answer:
    """What `/state.json` answers."""
    return json_answer(value(sandbox), Cache_Control="no-store")


def value(sandbox: Sandbox) -> dict[str, Any]:
    """The state of a sandbox now. Times are seconds since it opened."""
    return {
        "vidspec_sandbox": 1,
        "base": sandbox.base,
        "now": _seconds(sandbox.now()),
        "providers": [_provider(sandbox, name, place) for name, place in sandbox.places.items()],
        "faults": [_fault(rule) for rule in sandbox.drill.rules],
        "elsewhere": {
            "requests": sandbox.history.counts[None],
            "recent": [exchange.value() for exchange in sandbox.history.recent(None)],
        },
        "bugs": len(sandbox.history.bugs),
    }


def _provider(sandbox: Sandbox, name: str, place: Place) -> dict[str, Any]:
    house = place.house
    stages: Counter[str] = Counter(house.stage(task) for task in house.tasks.values())
    return {
        "name": name,
        "title": place.twin.title,
        "base_url": sandbox.base_url(name),
        "counts": {
            "requests": sandbox.history.counts[name],
            "tasks": len(house.tasks),
            "changed": sum(bool(task.changed) for task in house.tasks.values()),
            **{stage: stages[stage] for stage in ("queued", "running", "succeeded", "failed")},
        },
        "limits": _limits(house),
        "tasks": [_task(house, task) for task in islice(reversed(house.tasks.values()), MOST_ROWS)],
        "recent": [exchange.value() for exchange in sandbox.history.recent(name)],
    }


def _limits(house: LocalHouse) -> dict[str, Any]:
    return {
        "per_minute": house.limits.per_minute,
        "in_flight": house.limits.in_flight,
        "slots": house.limits.slots,
        "this_minute": house.submits_this_minute(),
        "unfinished": len(house.unfinished()),
        "too_fast": house.said_no["too fast"],
        "too_many": house.said_no["too many"],
    }


def _task(house: LocalHouse, task: Task) -> dict[str, Any]:
    clip = task.clip
    return {
        "id": task.id,
        "model": task.model,
        "stage": house.stage(task),
        "share": house.share(task),
        "accepted": _seconds(task.accepted),
        "begins": _seconds(task.begins),
        "ends": _seconds(task.ends),
        "appears": _seconds(task.appears),
        "says": task.word,
        "prompt": _cut(clip.prompt),
        "clip": f"{clip.width}x{clip.height}, {clip.duration:g} s, {clip.fps:g} fps",
        "seed": clip.seed,
        "bytes": house.size(task),
        "changed": [_cut(change) for change in task.changed],
        "remarks": [_cut(remark) for remark in house.remarks(task)],
    }


def _fault(rule: Rule) -> dict[str, Any]:
    fault = rule.fault
    return {
        "fault": fault.fault,
        "says": FAULTS[fault.fault].says,
        "place": fault.place,
        "providers": list(fault.providers),
        "calls": list(fault.calls),
        "model": fault.model,
        "matched": rule.seen,
        "fired": rule.fired,
        "of": fault.times if fault.chance is None else None,
        "chance": fault.chance,
    }


def _seconds(time: float) -> float:
    return round(time, 3)


def _cut(text: str) -> str:
    """A text short enough for a page, without halves of characters."""
    whole = text[: MOST_LETTERS + 1].encode("utf-8", "replace").decode()
    return f"{whole[:MOST_LETTERS]}…" if len(whole) > MOST_LETTERS else whole
