"""Digests: of bytes, and of exactly what would be sent.

A fingerprint covers provider, model, the resolved neutral settings with pictures by digest, and the seed (or,
where a model takes none, the take's number). It does not cover base URLs, keys, limits, file names or vidspec's
version, so none of those ever makes a finished take stale.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

SWITCHES = frozenset({"audio", "watermark", "enhance_prompt"})


_SAID_BY_SIZE = ("resolution", "aspect_ratio")


def digest(data: bytes) -> str:
    """The digest of bytes, `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request without what says nothing, or says it again.

    `audio: false` is sent, or not sent, to one effect; and a size says what its tier and ratio say.
    """
    left_out = _SAID_BY_SIZE if "size" in request else ()
    return {
        key: value
        for key, value in request.items()
        if key not in left_out and not (value is False and key in SWITCHES)
    }


def fingerprint(*, provider: str, model: str, request: Mapping[str, Any], seed: int | None, take: int) -> str:
    """The digest of what would be sent for a take: equal exactly where the same thing would be."""
    sent = {
        "provider": provider,
        "model": model,
        "request": canonical(request),
        **({"take": take} if seed is None else {"seed": seed}),
    }
    return digest(_encode(sent).encode())


def auto_seed(slate: str, low: int, high: int) -> int:
    """The seed of `seed: auto`: from the slate alone, so the same on every machine; both ends are included."""
    drawn = int.from_bytes(hashlib.sha256(slate.encode()).digest()[:8], "big")
    return low + drawn % (high - low + 1)
