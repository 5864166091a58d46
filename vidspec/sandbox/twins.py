"""The registry of twins: one row a provider, its module imported when it is opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidspec.sandbox.twin import House, Twin

__all__ = ["TWINS", "open_twin"]

TWINS: dict[str, str] = {
    "siliconflow": "siliconflow:SiliconFlow",
    "nebula": "nebula:Nebula",
    "leapx": "nebula:Nebula",
    "minimax": "minimax:MiniMax",
    "gately": "minimax:MiniMax",
    "yutoai": "yutoai:YutoAI",
}
"""Where a provider's twin is written: module and class. Two houses with one protocol share a class."""


def open_twin(name: str, house: House) -> Twin:
    """The twin of a provider in `TWINS`, in a house of its own."""
    module, _, kind = TWINS[name].partition(":")
    make: Any = getattr(import_module(f"vidspec.sandbox.{module}"), kind)
    shared = sum(where == TWINS[name] for where in TWINS.values()) > 1
    twin: Twin = make(house, name=name) if shared else make(house)
    return twin
