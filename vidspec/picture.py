"""Still pictures that a shot names: what they are, and their pixels, without trusting them."""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps, UnidentifiedImageError

from vidspec.errors import MediaError
from vidspec.fingerprint import digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Picture", "look", "look_at", "pixels"]

# What Pillow reads in its own process. PostScript is not here: it would start another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO")
NAMES = {"mpo": "jpeg"}  # several JPEGs in one file, as phones write them; to everyone else it is a JPEG

_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture file: pixels as it is displayed, bytes and digest as it is stored.

    `width` and `height` are those after the EXIF orientation is applied, since providers show it so.
    """

    path: str
    format: str
    width: int
    height: int
    bytes: int
    digest: str
    alpha: bool


def look(path: Path, shown: str) -> Picture:
    """Read and decode a picture once; `shown` is its name in messages and in the result.

    Raises `MediaError` for what is missing, empty, no picture, cut short, damaged or dangerously large.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MediaError(f"`{shown}` does not exist") from None
    except OSError as error:
        raise MediaError(f"`{shown}` cannot be read: {(error.strerror or str(error)).lower()}") from error
    return look_at(data, shown)


def look_at(data: bytes, shown: str) -> Picture:
    """As `look`, for the bytes of an encoded picture: whatever its file was called."""
    with _decoded(data, f"`{shown}`") as image:
        stored = (image.format or "").lower()
        upright = ImageOps.exif_transpose(image)
        return Picture(
            path=shown,
            format=NAMES.get(stored, stored),
            width=upright.width,
            height=upright.height,
            bytes=len(data),
            digest=digest(data),
            alpha=image.has_transparency_data,
        )


def pixels(data: bytes, shown: str) -> Image.Image:
    """The pixels of an encoded picture, upright, in RGB; what is transparent comes out black.

    `shown` opens the message of the `MediaError` raised for what is no readable picture.
    """
    with _decoded(data, shown) as image:
        upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return _plain(upright)
        layered = upright.convert("RGBA")
        ground = Image.new("RGB", layered.size)
        ground.paste(layered, (0, 0), layered.getchannel("A"))
        return ground


def _plain(image: Image.Image) -> Image.Image:
    """Sixteen bits a sample become eight by division; Pillow's own conversion would clip them to white."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda level: level * (1 / 257)).convert("L").convert("RGB")
    return image.convert("RGB")


@contextmanager
def _decoded(data: bytes, shown: str) -> Iterator[Image.Image]:
    """The decoded first picture in `data`; every way in which Pillow can fail becomes one phrase."""
    if not data:
        raise MediaError(f"{shown} is empty")
    Image.init()  # else the rarer of our formats are not known yet
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
            yield image
    except UnidentifiedImageError as error:
        raise MediaError(f"{shown} is not a picture that can be read") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(f"{shown} has too many pixels to be opened safely") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise MediaError(f"{shown} is cut short or damaged") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow's remarks stay inside, and its warning about a bomb is an error.

    Filters belong to the whole process, hence the lock: two threads must not restore each other's.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
