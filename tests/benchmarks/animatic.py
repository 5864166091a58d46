"""How fast the animatic draws, beside the same encoder fed with ready-made frames. Run by hand:

python tests/benchmarks/animatic.py
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from vidspec.animatic import Drawing, draw, still
from vidspec.media import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ((640, 360), (1280, 720), (1920, 1080))
PROMPTS = ("mountain", "sea", "snow", "forest", "city", "rain", "moon", "aurora", "space")
SECONDS, FPS = 5.0, 24.0
FRAMES = round(SECONDS * FPS)


def drawing(size: tuple[int, int], prompt: str, **settings: object) -> Drawing:
    """Five seconds in English, with every line of lettering in use."""
    values: dict[str, object] = {"title": "Night ferry", "scene": "harbour", "note": "text to video"} | settings
    return Drawing(
        slate="s010-t01",
        prompt=prompt,
        label="animatic",
        seed=7,
        width=size[0],
        height=size[1],
        fps=FPS,
        duration=SECONDS,
        **values,  # type: ignore[arg-type]
    )


def timed(work: Callable[[], None]) -> float:
    """Frames a second."""
    start = time.perf_counter()
    work()
    return FRAMES / (time.perf_counter() - start)


def encode_ready(size: tuple[int, int], path: Path) -> None:
    """The codec's own share: twelve moving pictures, over and over."""
    wide = Image.linear_gradient("L").resize((size[0] * 2, size[1])).convert("RGB")
    ready = [wide.crop((step * 8, 0, step * 8 + size[0], size[1])) for step in range(12)]
    with Encoder(path, width=size[0], height=size[1], rate=drawing(size, "").rate) as encoder:
        for number in range(FRAMES):
            encoder.write(ready[number % 12])


def in_threads(one: Drawing, folder: Path, many: int) -> float:
    """Frames a second of several drawings at once."""
    threads = [threading.Thread(target=draw, args=(one, folder / f"{number}.mp4")) for number in range(many)]

    def work() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return many * timed(work)


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "one.mp4"
        picture = still(drawing((1920, 1080), "sea"))
        for size in SIZES:
            plain = timed(lambda size=size: encode_ready(size, path))  # type: ignore[misc]
            print(f"{size[0]}x{size[1]}: encoder alone {plain:.0f} frames/s")
            subjects = {prompt: drawing(size, prompt) for prompt in PROMPTS}
            subjects["forest, push in"] = drawing(size, "forest", camera=("push in",))
            subjects["picture, slow push"] = drawing(size, "", first_frame=picture)
            subjects["picture, pan right"] = drawing(size, "", first_frame=picture, camera=("pan right",))
            subjects["picture, held"] = drawing(size, "", first_frame=picture, camera=("static shot",))
            for title, one in subjects.items():
                speed = timed(lambda one=one: draw(one, path))  # type: ignore[misc]
                print(f"  {title:20} {speed:5.0f} frames/s, ratio {speed / plain:.2f}, {megabytes(path):.2f} MB")
            for title in ("sea", "picture, pan right"):
                alone = timed(lambda one=subjects[title]: draw(one, path))  # type: ignore[misc]
                print(f"  two threads, {title}: {in_threads(subjects[title], folder, 2) / alone:.2f} times one")


def megabytes(path: Path) -> float:
    """The size of a file."""
    return path.stat().st_size / 1e6


if __name__ == "__main__":
    main()
