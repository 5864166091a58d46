"""What a render would do, and why: takes against the lockfile and what is on disk.

A setting that nobody wrote is compared with what the lockfile recorded, not with the table's default of today,
so neither an upgrade nor a changed table makes a finished take stale. Pure: what is on disk comes in as answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from vidspec import budget
from vidspec.fingerprint import SWITCHES, canonical, fingerprint
from vidspec.providers import table
from vidspec.shot import SHAPE_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vidspec.lock import Cost, Lock, Output, Record
    from vidspec.take import Input, Take

Action = Literal["render", "collect", "restore", "keep", "wait", "blocked", "failed", "decide"]
State = Literal["new", "stale", "missing", "changed", "waiting", "done"]

DOES = frozenset({"render", "collect", "restore", "wait"})
"""The actions for which a run does something."""

PAYS = frozenset({"render", "wait"})
"""The actions that end in a submit."""


class Disk(Protocol):
    """What a plan must know of the disk."""

    def size(self, output: str) -> int | None:
        """The size in bytes of the file at an output's place; None where there is no file."""

    def holds(self, digest: str) -> bool:
        """Whether the bytes of this digest are still kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One take, what would be done for it, and why.

    `take` is what would be sent: where the lockfile stands for settings that nobody wrote, they are in it.
    `state` is one word for how the take stands now.
    """

    take: Take
    action: Action
    state: State
    reasons: tuple[str, ...]
    cost: Cost | None
    record: Record | None = None

    @property
    def pays(self) -> bool:
        """Whether a run would submit the take: only that is paid."""
        return self.action in PAYS

    @property
    def slate(self) -> str:
        """The take's printed name."""
        return self.take.slate


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All takes of a list in its order, and what stands in the lockfile but not in the list."""

    takes: tuple[Planned, ...]
    removed: tuple[str, ...] = ()
    hints: tuple[str, ...] = field(default=())

    @property
    def work(self) -> list[Planned]:
        """The takes for which a run does something."""
        return [planned for planned in self.takes if planned.action in DOES]

    @property
    def costs(self) -> dict[str, float]:
        """What the work costs, by currency, as far as it is known."""
        return budget.totals(planned.cost for planned in self.work if planned.pays)

    @property
    def unpriced(self) -> list[Planned]:
        """The work whose price nobody knows."""
        return [planned for planned in self.work if planned.cost is None and planned.pays]


def plan(takes: Iterable[Take], lock: Lock, disk: Disk, skipped: Collection[str] = ()) -> Plan:
    """Compare takes with the lock and with what is on disk. `skipped` are ids of shots that are left out for now.

    Raises:
        LockError: a record cannot be read.
    """
    planned: dict[str, Planned] = {}
    ordered = list(takes)
    by_slate = {take.slate: take for take in ordered}
    for take in _needed_first(ordered, by_slate):
        planned[take.slate] = _one(take, lock, disk, planned)
    gone = [slate for slate in lock if slate not in by_slate and lock.glance(slate)]
    removed = tuple(slate for slate in gone if (record := lock.get(slate)) and record.shot not in skipped)
    return Plan(
        takes=tuple(planned[take.slate] for take in ordered),
        removed=removed,
        hints=tuple(_renamed(removed, lock, planned)),
    )


def _needed_first(takes: list[Take], by_slate: Mapping[str, Take]) -> list[Take]:
    """The takes, each after those that it needs. There is no circle: `resolve` has seen to that."""
    if not any(take.inputs for take in takes):
        return takes
    ordered: dict[str, Take] = {}
    for take in takes:
        waiting = [take]
        while waiting:
            open_needs = [
                by_slate[slate] for slate in waiting[-1].needs if slate in by_slate and slate not in ordered
            ]
            if open_needs:
                waiting += open_needs
            else:
                last = waiting.pop()
                ordered.setdefault(last.slate, last)
    return list(ordered.values())


def _one(take: Take, lock: Lock, disk: Disk, planned: Mapping[str, Planned]) -> Planned:
    if _is_plainly_done(take, lock, disk):
        return _planned(take, "keep", "done", ())
    record = lock.get(take.slate)
    if record is None or not record.rendered:
        return _new(take, record, planned)
    written = take
    take, frames_reason = _with_recorded_frames(take, record, lock, planned)
    take = as_recorded(take, record)
    said = {reason.partition(":")[0].partition(".")[0] for reason in frames_reason}
    reasons = (*differences(take, record, leave_out=said), *frames_reason)
    if reasons:
        if (former := _former(written, record, lock, disk, planned)) is not None:
            return _planned(take, "restore", "stale", (*reasons, "it was rendered so before"), former)
        action: Action = "wait" if _waits_for(take, planned) else "render"
        return _planned(take, action, "stale", reasons, record)
    return _finished(take, record, disk)


def _is_plainly_done(take: Take, lock: Lock, disk: Disk) -> bool:
    """The common case, told from four fields of the record: the same would be sent, and the clip is there."""
    glance = lock.glance(take.slate)
    return (
        glance is not None
        and take.seed_rule != "random"
        and not take.needs
        and glance.path == take.output
        and take.fingerprint == glance.fingerprint
        and disk.size(take.output) == glance.bytes
    )


def _new(take: Take, record: Record | None, planned: Mapping[str, Planned]) -> Planned:
    waits = _waits_for(take, planned)
    if waits:
        return _planned(take, "wait", "waiting", (f"needs {', '.join(waits)} first",), record)
    return _planned(take, "render", "new", ("never rendered",), record)


def _waits_for(take: Take, planned: Mapping[str, Planned]) -> list[str]:
    """The takes that must be made or brought back before this one can be sent."""
    return [slate for slate in take.needs if slate not in planned or planned[slate].action != "keep"]


def _finished(take: Take, record: Record, disk: Disk) -> Planned:
    """A take whose settings are as recorded: is its clip there?"""
    assert record.output is not None
    output, size = record.output, disk.size(take.output)
    if size == output.bytes:
        return _planned(take, "keep", "done", (), record)
    state: State = "missing" if size is None else "changed"
    reason = "the output is missing" if size is None else f"the output is {size} bytes, not {output.bytes}"
    if take.output != output.path:
        reason = f"output: {output.path} → {take.output}"
    moved = take.output != output.path and disk.size(output.path) == output.bytes
    action: Action = "restore" if moved or disk.holds(output.sha256) else "render"
    return _planned(take, action, state, (reason,), record)


def _former(take: Take, record: Record, lock: Lock, disk: Disk, planned: Mapping[str, Planned]) -> Record | None:
    """The record of a former render that is just what is asked for again, if its clip is kept: an edit undone."""
    for former in record.superseded:
        if former.output is None or not disk.holds(former.output.sha256):
            continue
        framed, reasons = _with_recorded_frames(take, former, lock, planned)
        if not reasons and not differences(as_recorded(framed, former), former):
            others = tuple(one for one in record.superseded if one is not former)
            return replace(former, superseded=others).superseding(replace(record, superseded=others))
    return None


def _planned(
    take: Take, action: Action, state: State, reasons: tuple[str, ...], record: Record | None = None
) -> Planned:
    paid = action in PAYS
    price = budget.cost(table(take.provider).models[take.model], take.facts) if paid else None
    return Planned(take=take, action=action, state=state, reasons=reasons, cost=price, record=record)


def as_recorded(take: Take, record: Record) -> Take:
    """The take with what nobody wrote as it was when it was rendered: defaults, and drawn or derived seeds.

    What another model, or another mode of it, was given by default means nothing to this one.
    """
    recorded = record.request or {}
    if (take.provider, take.model) != (record.provider, record.model):
        return take
    if record.seed is not None and record.seed_rule == take.seed_rule and take.seed_rule in ("auto", "random"):
        take = replace(take, seed=record.seed)
    if take.mode != recorded.get("mode"):
        return take
    request = dict(take.request)
    defaulted = set(take.defaulted)
    for key in _unwritten(take, recorded, set(record.defaulted)):
        written = key in take.request and key not in take.defaulted
        if key in recorded:
            request[key] = recorded[key]
            defaulted |= set() if written else {key}
        elif not written:
            request.pop(key, None)
            defaulted.discard(key)
    return replace(take, request=request, defaulted=frozenset(defaulted))


def _unwritten(take: Take, recorded: Mapping[str, Any], stood: set[str]) -> list[str]:
    """The keys that the list does not write now and did not write then.

    Size, resolution and ratio go together: what is written decides, and the rest follows from it, or where
    nothing is written from the picture that the clip begins with.
    """
    keys = [key for key in {*take.request, *recorded} if key not in SHAPE_SETTINGS and key != "mode"]
    now = {key for key in keys if key not in take.request or key in take.defaulted}
    found = [key for key in keys if key in now and (key in stood or key not in recorded)]
    written = {key for key in SHAPE_SETTINGS if key in take.request and key not in take.defaulted}
    wrote = {key for key in SHAPE_SETTINGS if key in recorded and key not in stood}
    follows = written or all(take.request.get(key) == recorded.get(key) for key in ("first_frame", "last_frame"))
    same = wrote <= written and follows and all(take.request[key] == recorded.get(key) for key in written)
    same = same or ("size" in take.request and take.request["size"] == recorded.get("size"))
    return [*found, *SHAPE_SETTINGS] if same else found


def differences(take: Take, record: Record, *, leave_out: Collection[str] = ()) -> tuple[str, ...]:
    """Every input that differs from the recorded one, as `name: old → new`, but for keys left out."""
    found = []
    for name, old, new in (("provider", record.provider, take.provider), ("model", record.model, take.model)):
        if old != new:
            found.append(f"{name}: {_short(old)} → {_short(new)}")
    recorded, wanted = canonical(record.request or {}), canonical(take.request)
    for key in dict.fromkeys((*wanted, *recorded)):
        old, new = recorded.get(key, _absent(key)), wanted.get(key, _absent(key))
        if old != new and key != "mode" and key not in leave_out:
            found.append(f"{key}: {_change(old, new)}")
    if recorded.get("mode") != wanted.get("mode") and not found:
        found.append(f"mode: {_short(recorded.get('mode'))} → {_short(wanted.get('mode'))}")
    if take.seed_rule == "random":
        if record.seed_rule != "random":
            found.append(f"seed: {_short(record.seed)} → random")
    elif take.seed != record.seed and not {take.seed_rule, record.seed_rule or "none"} <= _UNWRITTEN_SEEDS:
        found.append(f"seed: {_short(record.seed)} → {_short(take.seed)}")
    return tuple(found)


_UNWRITTEN_SEEDS = frozenset({"none", "auto"})
"""What a seed is where none is written: which of the two, the table says, and it may say another tomorrow."""


def _absent(key: str) -> Any:
    return False if key in SWITCHES else None


def _change(old: Any, new: Any) -> str:
    """Old and new; two texts that begin alike are shown from shortly before the word where they part."""
    if isinstance(old, str) and isinstance(new, str):
        pairs = enumerate(zip(old, new, strict=False))
        alike = next((index for index, (one, other) in pairs if one != other), min(len(old), len(new)))
        start = old.rfind(" ", 0, max(0, alike - _BEFORE)) + 1
        if start and max(len(old), len(new)) > _SHORT:
            return f"…{_short(old[start:])} → …{_short(new[start:])}"
    return f"{_short(old)} → {_short(new)}"


_SHORT, _BEFORE = 40, 12
"""Characters of a value in a reason, and of those that may stand before what has changed."""


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and "slate" in value:
        return f"{value.get('at', 'clip')} of {value['slate']}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    text = "".join(one if one.isprintable() else "�" for one in " ".join(str(value).split()))
    if text.startswith("sha256:"):
        return text[:14] + "…"
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


# --- frames of other takes -------------------------------------------------------------------------------


def frame_key(given: Input) -> str:
    """The name of an input under `frames` of a record: `first_frame`, `references.1`."""
    return f"{given.setting}.{given.index}" if given.setting == "references" else given.setting


def frame_source(given: Input, output: Output) -> dict[str, Any]:
    """What a record keeps of a frame: whose, where in it, and of which bytes."""
    assert given.frame is not None
    return {**given.frame.value(), "of": output.sha256}


def with_frame(request: Mapping[str, Any], given: Input, digest: str) -> dict[str, Any]:
    """A request in which a frame of another take stands by its digest."""
    if given.setting != "references":
        return {**request, given.setting: digest}
    references = list(request["references"])
    references[given.index] = digest
    return {**request, "references": references}


def _with_recorded_frames(
    take: Take, record: Record, lock: Lock, planned: Mapping[str, Planned]
) -> tuple[Take, tuple[str, ...]]:
    """The take with the frames it was rendered with, where those are still the frames it asks for.

    A frame is what it was as long as the clip it was taken from is; which clip that is, the record says.
    """
    reasons: list[str] = []
    request: Mapping[str, Any] = take.request
    for given in take.inputs:
        if given.frame is None:
            continue
        source = (record.frames or {}).get(frame_key(given))
        source = source if isinstance(source, dict) else {}
        needed = planned.get(given.frame.slate)
        asked = {key: source.get(key) for key in given.frame.value()} == given.frame.value()
        if needed is None or not asked or not source.get("sha256"):
            reasons.append(f"{frame_key(given)}: now {_short(given.frame.value())}")
        elif needed.pays:
            reasons.append(f"{frame_key(given)}: {given.frame.slate} will be rendered anew")
        elif _clip(needed, lock) != source.get("of"):
            reasons.append(f"{frame_key(given)}: {given.frame.slate} was rendered anew")
        else:
            request = with_frame(request, given, source["sha256"])
    return replace(take, request=dict(request)), tuple(reasons)


def _clip(planned: Planned, lock: Lock) -> str | None:
    """The digest of the clip that a take has, or will have again."""
    if planned.record is not None and planned.record.output is not None:
        return planned.record.output.sha256
    glance = lock.glance(planned.slate)
    return None if glance is None else glance.sha256


def _renamed(removed: Iterable[str], lock: Lock, planned: Mapping[str, Planned]) -> list[str]:
    """Finished takes of shots that are gone, and new takes that would be sent the same: the same shot, renamed."""
    new = [one for one in planned.values() if one.state in ("new", "waiting")]
    if not new:
        return []
    by_request = {_alike(one.take.provider, one.take.model, one.take.request): one for one in reversed(new)}
    hints: dict[tuple[str, str], str] = {}
    for slate in removed:
        record = lock.get(slate)
        if record is None or record.request is None:
            continue
        found = by_request.get(_alike(record.provider, record.model, record.request))
        if found is not None:
            old, now = record.shot, found.take.shot
            hints[(old, now)] = f"`{now}` looks like `{old}`, which is rendered: `vidspec lock mv FILE {old} {now}`"
    return list(hints.values())


def _alike(provider: str | None, model: str | None, request: Mapping[str, Any]) -> str:
    return fingerprint(provider=provider or "", model=model or "", request=request, seed=0, take=0)
