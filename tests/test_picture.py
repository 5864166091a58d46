from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from vidspec.errors import MediaError
from vidspec.picture import FORMATS, look, look_at, pixels

if TYPE_CHECKING:
    from pathlib import Path


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_a_picture_is_known_by_its_bytes_not_its_name(tmp_path: Path, kind: str) -> None:
    data = encoded(Image.new("RGB", (40, 30), (200, 120, 40)), kind)
    found = look(saved(tmp_path, data), "stills/a.jpg")
    assert (found.path, found.format, found.width, found.height, found.alpha) == (
        "stills/a.jpg",
        kind,
        40,
        30,
        False,
    )
    assert (found.bytes, found.digest) == (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}")


def test_bytes_that_are_no_file_are_looked_at_as_a_file_is(tmp_path: Path) -> None:
    data = encoded(Image.new("RGBA", (40, 30)), "webp")
    assert look_at(data, "a") == look(saved(tmp_path, data), "a")
    with pytest.raises(MediaError, match="`images` is empty"):
        look_at(b"", "images")


def test_the_library_knows_every_format_that_we_name() -> None:
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)


def test_alpha_is_seen(tmp_path: Path) -> None:
    assert look(saved(tmp_path, encoded(Image.new("RGBA", (4, 4)), "png")), "a").alpha


def test_several_pictures_in_a_jpeg_are_a_jpeg(tmp_path: Path) -> None:
    one = Image.new("RGB", (8, 8))
    assert look(saved(tmp_path, encoded(one, "mpo", save_all=True, append_images=[one])), "a").format == "jpeg"


def test_width_and_height_are_those_of_the_picture_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    found = look(saved(tmp_path, encoded(Image.new("RGB", (40, 30)), "jpeg", exif=exif.tobytes())), "a")
    assert (found.width, found.height) == (30, 40)


def png_header(width: int, height: int) -> bytes:
    """A tiny file that claims to be a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


WHOLE = encoded(Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), 50).convert("RGB"), "png")
JPEG = encoded(Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), 50).convert("RGB"), "jpeg")
BAD = {
    "zero bytes": (b"", "`a.png` is empty"),
    "a web page": (b"<html>403</html>", "`a.png` is not a picture that can be read"),
    "PostScript": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "`a.png` is not a picture that can be read",
    ),
    "a PNG cut short": (WHOLE[: len(WHOLE) // 2], "`a.png` is cut short or damaged"),
    "a JPEG cut short": (JPEG[: len(JPEG) // 2], "`a.png` is cut short or damaged"),
    "a PNG with a wrong bit": (WHOLE[:60] + b"\x00\xff\x00\xff" + WHOLE[64:], "`a.png` is cut short or damaged"),
    "a large bomb": (png_header(12_000, 12_000), "`a.png` has too many pixels to be opened safely"),
    "a huge bomb": (png_header(60_000, 60_000), "`a.png` has too many pixels to be opened safely"),
}


@pytest.mark.parametrize(("data", "phrase"), [pytest.param(*case, id=name) for name, case in BAD.items()])
def test_a_bad_picture_is_one_clear_phrase(tmp_path: Path, data: bytes, phrase: str) -> None:
    with pytest.raises(MediaError) as caught:
        look(saved(tmp_path, data), "a.png")
    assert str(caught.value) == phrase


def test_a_missing_picture_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"`stills/a\.png` does not exist"):
        look(tmp_path / "none", "stills/a.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="`a` cannot be read: is a directory"):
        look(tmp_path, "a")


def test_the_library_s_warnings_stay_inside_in_threads_too(tmp_path: Path) -> None:
    path = saved(tmp_path, png_header(12_000, 12_000))
    before = list(warnings.filters)

    def refused(_: int) -> bool:
        with pytest.raises(MediaError):
            look(path, "a.png")
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(refused, range(40)))
    assert list(warnings.filters) == before


def test_pixels_are_rgb_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = Image.new("RGB", (16, 16))
    turned.paste((255, 255, 255), (0, 0, 16, 8))
    found = pixels(encoded(turned, "png", exif=exif.tobytes()), "the first frame")
    assert (found.mode, found.getpixel((8, 2)), found.getpixel((8, 13))) == ("RGB", (0, 0, 0), (255, 255, 255))


def test_what_is_transparent_comes_out_black() -> None:
    found = pixels(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "png"), "a")
    assert found.getpixel((1, 1)) == (0, 0, 0)


def test_sixteen_bits_keep_their_brightness() -> None:
    found = pixels(encoded(Image.new("I;16", (4, 4), 32896), "png"), "a")
    assert found.getpixel((1, 1)) == (128, 128, 128)
