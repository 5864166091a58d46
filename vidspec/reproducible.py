"""How far a take that is rendered again will be what it was: said before it is paid for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vidspec import studio
from vidspec.diagnostic import counted
from vidspec.providers import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from vidspec.planned import Planned
    from vidspec.take import Take

_DATED = re.compile(r"(?<!\d)(?:20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
"""A day in the name of a model, which makes it one version: `doubao-seedance-1-0-pro-250528`."""

_NAMED = 4
"""Takes that are named in a sentence; of more, the rest are counted."""


def is_again(planned: Planned) -> bool:
    """Whether a take would be rendered again just as it was sent before."""
    return planned.pays and not planned.changes and planned.record is not None and planned.record.rendered


def sentences(work: Iterable[Planned], today: date) -> Iterator[str]:
    """A sentence for the takes of each model that would be rendered again with nothing changed."""
    groups: dict[str, list[str]] = {}
    for planned in work:
        if is_again(planned):
            groups.setdefault(f"{planned.take.model}: {promise(planned.take, today)}", []).append(planned.slate)
    for words, slates in groups.items():
        more = f" and {len(slates) - _NAMED} more" if len(slates) > _NAMED else ""
        yield f"{counted(len(slates), 'take')} again ({', '.join(slates[:_NAMED])}{more}), by {words}"


def promise(take: Take, today: date) -> str:
    """What can be said of a second render of the same request: the seed, the model's name, and the model's end."""
    if studio.is_local(take.provider):
        return "drawn here, so the same release draws the same picture"
    model = table(take.provider).models[take.model]
    if model.capabilities[take.mode].seed is None:
        parts = ["it takes no seed, so another clip comes back"]
    elif take.seed is None:
        parts = ["no seed was sent, so another clip comes back"]
    else:
        parts = ["it takes seeds, and the same one is sent again, yet nobody promises the same bytes"]
    dated = _DATED.search(take.model)
    parts.append("its name is that of one version" if dated else "its name may stand for a newer version by now")
    if model.sunset is not None:
        verb = "ended" if model.sunset.date <= today else "ends"
        parts.append(f"the vendor's own service of it {verb} on {model.sunset.date}")
    return "; ".join(parts)
