"""The registry of providers, and their capability tables.

A literal dictionary: one row a provider. The table stands beside this file, in `<name>.yaml`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from vidspec import document
from vidspec.capability import Provider

PROVIDERS: dict[str, str] = {
    "animatic": "local, offline, free: draws the shot as a real MP4",
    "siliconflow": "Wan 2.2 text and image to video",
    "nebula": "gateway: Sora 2, Veo 3.x, Wan 2.5, Doubao Seedance",
    "leapx": "the same protocol as nebula, another house",
    "minimax": "Hailuo 01 series, 02 and 2.3",
    "gately": "gateway copying MiniMax's 01 series",
    "yutoai": "gateway: Wanxiang text, image and key frames to video",
}


@cache
def table(name: str) -> Provider:
    """The capability table of a provider in `PROVIDERS`."""
    file = files(__name__).joinpath(f"{name}.yaml")
    return Provider(document.parse(file.read_text("utf-8"), f"{name}.yaml").data)
