"""How long clips took in this project, by provider and model: what a run learns for the next.

A small file on this machine, beside the journal. It holds averages and nothing of what was made; where it is gone
or cannot be read, a run begins with what the tables say.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vidspec.pacing import Lengths
from vidspec.store import whole

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1


class History:
    """The lengths that were seen, in seconds from acceptance to success."""

    def __init__(self, path: Path) -> None:
        """Read what former runs have seen."""
        self._path = path
        self._seen = _read(path)
        self._changed = False

    def lengths(self, provider: str, model: str) -> Lengths:
        """What was seen of a model."""
        return self._seen.setdefault(f"{provider}/{model}", Lengths())

    def saw(self, provider: str, model: str, seconds: float) -> None:
        """A clip of a model took so long."""
        self.lengths(provider, model).saw(seconds)
        self._changed = True

    def write(self) -> None:
        """Keep what was seen for the next run; where that cannot be done, nothing is lost but a better guess."""
        if not self._changed:
            return
        value = {"vidspec_history": VERSION, "seen": {name: asdict(one) for name, one in self._seen.items()}}
        with suppress(OSError), whole(self._path) as part:
            part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Lengths]:
    try:
        value = json.loads(path.read_bytes())
        if value["vidspec_history"] != VERSION:
            return {}
        return {name: _lengths(one) for name, one in value["seen"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _lengths(fields: Any) -> Lengths:
    """Moments as they were written. Raises ValueError or TypeError for what are none."""
    found = Lengths(**{name: float(value) for name, value in fields.items()})
    if not all(map(math.isfinite, (found.count, found.total, found.squares))) or found.count < 0:
        raise ValueError("not the moments of anything")
    return found
