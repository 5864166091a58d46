"""A request as it came over the wire, taken apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Headers", "Incoming", "model_named"]


class Headers(Mapping[str, str]):
    """Headers whose names are looked up whatever their case; repeated ones are joined by commas."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            folded = name.lower()
            self._values[folded] = f"{self._values[folded]}, {value}" if folded in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A whole request. `target` is the request line's own: a path with its query, or anything else."""

    verb: str
    target: str
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was sent, without its query: all of the target after the host where it names one."""
        path = self.target.partition("?")[0]
        scheme, found, rest = path.partition("://")
        if found and "/" not in scheme:
            return f"/{rest.partition('/')[2]}"
        return path

    @property
    def segments(self) -> tuple[str, ...]:
        """The path split at `/` and decoded: `("siliconflow", "v1", "video", "submit")`."""
        return tuple(unquote(part, errors="replace") for part in self.path.removeprefix("/").split("/"))

    @property
    def query(self) -> dict[str, str]:
        """The query; of what is given twice, the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True, errors="replace"))


def model_named(body: bytes) -> str | None:
    """The `model` of a body that is a JSON object; None for whatever else it is."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    model = value.get("model") if isinstance(value, dict) else None
    return model if isinstance(model, str) else None
