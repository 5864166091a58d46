"""Whether a recorded request can be sent again: its shape, and what its model takes.

A lockfile may have been edited by hand, or be of a newer release that knows more settings. Whatever is sent from it
is paid, and called the same request: so it must be whole, and nothing in it may be passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vidspec import check, schema, stills
from vidspec.check import Checker
from vidspec.diagnostic import described, shown
from vidspec.providers import table
from vidspec.shape import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.lock import Record
    from vidspec.shot import Problem
    from vidspec.take import Take

_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_KNOWN = frozenset(schema.definition("lock", "request")["properties"])
"""The settings that this release knows how to send."""
_FILES = ("first_frame", "last_frame", "audio")
_FRAMED = ("first_frame", "last_frame", "references", "remix_of")


def misshapen(record: Record) -> str | None:
    """What in a record is neither a file nor a frame, where it should be one; None where all is well."""
    request = record.request or {}
    files = [(setting, request[setting]) for setting in _FILES if isinstance(request.get(setting), str)]
    for setting, value in (*files, *(("references", one) for one in request.get("references", ()))):
        if not _is_file(value):
            return f"has {described(value)} as its `{setting}`, which is neither a digest nor an address"
    for key, source in (record.frames or {}).items():
        if key.partition(".")[0] in _FRAMED and not _is_source(key, source):
            return f"does not say which frame its {shown(key)} is"
    return None


def _is_file(value: str) -> bool:
    """Whether a value stands for bytes: a digest, or an address that can be sent."""
    if _DIGEST.fullmatch(value):
        return True
    problems = stills.address_problems(value, "", ())
    return stills.is_address(value) and not any(problem.code.startswith("E") for problem in problems)


def _is_source(key: str, source: Any) -> bool:
    """Whether a record says of a frame whose it is, and where in the clip."""
    if not isinstance(source, dict) or not isinstance(source.get("slate"), str):
        return False
    at, of = source.get("at"), source.get("of")
    is_time = isinstance(at, int | float) and not isinstance(at, bool)
    is_place = at is None if key == "remix_of" else is_time or at in ("first", "last")
    return is_place and (of is None or isinstance(of, str))


def unfit(take: Take) -> Iterator[str]:
    """Why a request cannot be sent as it is, sentence by sentence: by what is known here, and by its model."""
    model, request = table(take.provider).models[take.model], take.request
    for setting in (one for one in request if one not in _KNOWN):
        yield f"this release does not know its setting {shown(setting)}, and would leave it out"
    if check.derive_mode(request) != take.mode:
        yield f"its pictures make it {check.derive_mode(request)}, and its `mode` is {take.mode}"
        return
    capability = model.capabilities[take.mode]
    size = parse_size(request.get("size", ""))
    settled = Checker().settle(model, take.mode, request, size.ratio if size else None)
    problems: list[Problem] = [*check.mode_problems(model, take.mode, request), *settled.problems]
    moves = request.get("camera")
    camera = (capability.camera, moves) if capability.camera and moves else None
    for key, rule in (("prompt", capability.prompt), ("negative_prompt", capability.negative_prompt)):
        problems += check.text_problems(
            rule, key, request.get(key), model=model.name, camera=camera if key == "prompt" else None
        )
    yield from (problem.message for problem in problems if problem.code.startswith("E"))
