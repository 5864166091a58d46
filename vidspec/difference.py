"""What differs between a take and the record of a render, with what nobody wrote as it was then.

A setting that nobody wrote is compared with what the lockfile recorded, not with the table's default of today,
so neither an upgrade nor a changed table makes a finished take stale.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vidspec.fingerprint import SWITCHES, canonical
from vidspec.shot import SHAPE_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.lock import Output, Record
    from vidspec.take import Input, Take


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


class Change(NamedTuple):
    """One input of a take that is not as it was when the take was rendered.

    `note` says in words what has changed where the values do not: the clip that a frame is taken from. It is
    `behind` where nobody has edited the take itself: a clip that it was made from is another now.
    """

    name: str
    old: Any
    new: Any
    note: str = ""
    behind: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.note or _change(self.old, self.new)}"


def differences(take: Take, record: Record) -> tuple[Change, ...]:
    """Every input that differs from the recorded one."""
    found = []
    for name, old, new in (("provider", record.provider, take.provider), ("model", record.model, take.model)):
        if old != new:
            found.append(Change(name, old, new))
    recorded, wanted = canonical(record.request or {}), canonical(take.request)
    for key in dict.fromkeys((*wanted, *recorded)):
        old, new = recorded.get(key, _absent(key)), wanted.get(key, _absent(key))
        if old != new and key != "mode":
            found.append(Change(key, old, new))
    if recorded.get("mode") != wanted.get("mode") and not found:
        found.append(Change("mode", recorded.get("mode"), wanted.get("mode")))
    if take.seed_rule == "random":
        if record.seed_rule != "random":
            found.append(Change("seed", record.seed, "random"))
    elif take.seed != record.seed and not {take.seed_rule, record.seed_rule or "none"} <= _UNWRITTEN_SEEDS:
        found.append(Change("seed", record.seed, take.seed))
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
            return f"…{short(old[start:])} → …{short(new[start:])}"
    return f"{short(old)} → {short(new)}"


_SHORT, _BEFORE = 40, 12
"""Characters of a value in a reason, and of those that may stand before what has changed."""


def short(value: Any) -> str:
    """A value as a reason names it: on one line, cut where it is long."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and "slate" in value:
        at = value.get("at", "clip")
        return f"{at} s of {value['slate']}" if isinstance(at, int | float) else f"{at} of {value['slate']}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {short(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(short(item) for item in value)
    text = "".join(one if one.isprintable() else "�" for one in " ".join(str(value).split()))
    if text.startswith("sha256:"):
        return text[:14] + "…"
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


# --- frames of other takes, as a request and a record name them -------------------------------------------


def frame_key(given: Input) -> str:
    """The name of an input under `frames` of a record: `first_frame`, `references.1`."""
    return f"{given.setting}.{given.index}" if given.setting == "references" else given.setting


def frame_source(given: Input, output: Output) -> dict[str, Any]:
    """What a record keeps of a frame: whose, where in it, and of which bytes."""
    assert given.frame is not None
    return {**given.frame.value(), "of": output.sha256}


def sent_as(take: Take, given: Input) -> Any:
    """What stands in a take's request for one of its inputs; None where nothing does."""
    value = take.request.get(given.setting)
    if given.setting != "references":
        return value
    return value[given.index] if isinstance(value, list) and given.index < len(value) else None


def with_frame(request: Mapping[str, Any], given: Input, digest: Any) -> dict[str, Any]:
    """A request in which a frame of another take stands by its digest, or by whatever else names it."""
    if given.setting != "references":
        return {**request, given.setting: digest}
    references = list(request["references"])
    references[given.index] = digest
    return {**request, "references": references}
