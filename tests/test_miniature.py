from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image

from vidspec import media, miniature
from vidspec.errors import MediaError
from vidspec.media import Encoder

if TYPE_CHECKING:
    from pathlib import Path


def clip(path: Path, *, size: tuple[int, int] = (64, 36), frames: int = 24, rate: int = 24) -> Path:
    """Frame `n` is of the grey `10 * n`, so that a frame tells which one it is."""
    with Encoder(path, width=size[0], height=size[1], rate=Fraction(rate)) as encoder:
        for number in range(frames):
            encoder.write(Image.new("RGB", size, (10 * (number % 24),) * 3))
    return path


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def grey(picture: Image.Image) -> float:
    level = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(level, tuple)
    return level[0]


# --- posters -----------------------------------------------------------------------------------------------------


def test_a_poster_is_a_small_webp_of_what_is_shown_some_way_into_the_clip(tmp_path: Path) -> None:
    data = miniature.poster(clip(tmp_path / "a.mp4", size=(640, 360)), 320)
    found = Image.open(io.BytesIO(data))
    assert (found.format, found.size) == ("WEBP", (320, 180))
    assert abs(grey(decoded(data)) - 90) <= 6  # at 0.4 s the tenth frame of 24 a second is shown


@pytest.mark.parametrize(
    ("size", "expected"),
    [((64, 36), (64, 36)), ((360, 640), (100, 178)), ((400, 104), (100, 26)), ((16, 1000), (16, 400))],
    ids=["small already", "upright", "a strip", "a needle"],
)
def test_a_poster_keeps_the_shape_and_is_never_enlarged(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert decoded(miniature.poster(clip(tmp_path / "a.mp4", size=size, frames=2), 100)).size == expected


def test_a_clip_of_oblong_pixels_is_shown_in_the_shape_in_which_it_is_played(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, width=64, height=64, pix_fmt="yuv420p")
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert decoded(miniature.poster(tmp_path / "a.mp4", 640)).size == (128, 64)


def test_a_clip_of_one_frame_has_a_poster(tmp_path: Path) -> None:
    assert decoded(miniature.poster(clip(tmp_path / "a.mp4", frames=1), 64)).size == (64, 36)


def test_of_a_clip_that_breaks_off_what_is_there_is_shown(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", size=(320, 180), frames=48)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert decoded(miniature.poster(path, 64)).size == (64, 36)


# --- small copies ------------------------------------------------------------------------------------------------


def test_a_small_copy_is_as_long_and_has_few_frames_and_pixels(tmp_path: Path) -> None:
    miniature.proxy(clip(tmp_path / "a.mp4", size=(640, 360), frames=48), tmp_path / "b.mp4", width=320, rate=12)
    found = media.probe(tmp_path / "b.mp4")
    assert (found.width, found.height, found.fps, found.codec, found.audio) == (320, 180, 12.0, "h264", False)
    assert found.duration == pytest.approx(2, abs=0.1)
    shown = [grey(decoded(media.frame(tmp_path / "b.mp4", at))) for at in (0.0, 0.5, 0.75)]
    assert shown == pytest.approx([0, 120, 180], abs=8)


def test_a_slow_clip_is_copied_with_its_frames_held(tmp_path: Path) -> None:
    miniature.proxy(clip(tmp_path / "a.mp4", frames=4, rate=4), tmp_path / "b.mp4", width=64, rate=12)
    shown = [grey(decoded(media.frame(tmp_path / "b.mp4", at))) for at in (0.0, 0.2, 0.3, 0.6)]
    assert shown == pytest.approx([0, 0, 10, 20], abs=4)


def test_of_a_long_clip_the_beginning_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniature, "LONGEST", 1.0)
    miniature.proxy(clip(tmp_path / "a.mp4", frames=96), tmp_path / "b.mp4", width=64, rate=12)
    assert media.probe(tmp_path / "b.mp4").duration == pytest.approx(1, abs=0.1)


# --- what is no clip ---------------------------------------------------------------------------------------------


def sound(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 44100, 0
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the clip is empty"),
        (b"<html>", "the clip is not a clip that can be read"),
        (b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n", "the clip is not a clip that can be read"),
        (None, "the clip does not exist"),
    ],
    ids=["empty", "a page", "a playlist", "missing"],
)
def test_what_is_no_clip_is_an_error_that_does_not_say_where_it_stands(
    tmp_path: Path, data: bytes | None, message: str
) -> None:
    path = tmp_path / "a.mp4"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(MediaError) as said:
        miniature.poster(path, 64)
    assert str(said.value) == message
    with pytest.raises(MediaError):
        miniature.proxy(path, tmp_path / "b.mp4", width=64, rate=12)


def test_sound_alone_has_no_poster(tmp_path: Path) -> None:
    sound(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="the clip has no pictures, only sound"):
        miniature.poster(tmp_path / "a.mp4", 64)
