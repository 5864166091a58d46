"""The registry of providers, their capability tables and their adapters.

Literal dictionaries: one row a provider. The table stands beside this file, in `<name>.yaml`, the adapter in a
module of its own.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from vidspec import document
from vidspec.capability import Provider

if TYPE_CHECKING:
    from vidspec.providers.adapter import Adapter

PROVIDERS: dict[str, str] = {
    "animatic": "local, offline, free: draws the shot as a real MP4",
    "siliconflow": "Wan 2.2 text and image to video",
    "nebula": "gateway: Sora 2, Veo 3.x, Wan 2.5, Doubao Seedance",
    "leapx": "the same protocol as nebula, another house",
    "minimax": "Hailuo 01 series, 02 and 2.3",
    "gately": "gateway copying MiniMax's 01 series",
    "yutoai": "gateway: Wanxiang text, image and key frames to video",
}

ADAPTERS: dict[str, str] = {
    "siliconflow": "siliconflow",
    "nebula": "nebula",
    "leapx": "nebula",
    "minimax": "minimax",
    "gately": "minimax",
    "yutoai": "yutoai",
}
"""The module that speaks a provider's protocol. What is not here is made on this machine."""


# What a table takes from the one that it is `like`; its own rows win. What is charged is each house's own affair.
_TAKEN = ("models", "families", "states", "link", "refused", "trace_header")


@cache
def table(name: str) -> Provider:
    """The capability table of a provider in `PROVIDERS`."""
    own = _rows(name)
    if other := own.get("like"):
        taken = {key: _unpriced(value) for key, value in _rows(other).items() if key in _TAKEN}
        own = {**taken, **own}
    return Provider(own)


def _rows(name: str) -> dict[str, Any]:
    """A table as it is written."""
    file = files(__name__).joinpath(f"{name}.yaml")
    rows: dict[str, Any] = document.parse(file.read_text("utf-8"), f"{name}.yaml").data
    return rows


def _unpriced(rows: Any) -> Any:
    """Families or models without their price lists; anything else as it is."""
    if not isinstance(rows, dict):
        return rows
    return {key: _unpriced(value) for key, value in rows.items() if key != "price"}


def adapter(name: str) -> Adapter:
    """The adapter of a provider in `ADAPTERS`, imported when it is first asked for."""
    return cast("Adapter", import_module(f"{__name__}.{ADAPTERS[name]}"))
