"""The door to OpenTimelineIO, which not everybody needs: an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

__all__ = ["library", "plain", "span", "time"]

_EXTRA = "otio"
_WHOLE = 2**63
"""Whole numbers from here on are no whole numbers in every reader's C++."""


def library(adapter: str = "otio_json") -> Any:
    """The library, with what writes a format.

    Raises:
        UsageError: one of them is not installed.
    """
    try:
        import opentimelineio as otio  # type: ignore[import-untyped]
    except ImportError:
        raise _missing("OpenTimelineIO") from None
    if adapter not in otio.adapters.available_adapter_names():
        raise _missing(f"the adapter `{adapter}` of OpenTimelineIO")
    return otio


def _missing(what: str) -> UsageError:
    return UsageError(f"{what} is not installed\n    help: `pip install 'vidspec[{_EXTRA}]'`")


def time(otio: Any, frames: float, rate: Fraction) -> Any:
    """A time in frames, at a rate as the library has it."""
    return otio.opentime.RationalTime(frames, float(rate))


def span(otio: Any, frames: float, rate: Fraction, begin: float = 0) -> Any:
    """So many frames from one on."""
    return otio.opentime.TimeRange(time(otio, begin, rate), time(otio, frames, rate))


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as the library can hold it: text is UTF-8 and has no end in it, a number too long for it is text."""
    return {key: _plain(value) for key, value in facts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, int) and not isinstance(value, bool) and not -_WHOLE <= value < _WHOLE:
        return str(value)
    if isinstance(value, dict):
        return plain(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
