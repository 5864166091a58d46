from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from vidspec.errors import MediaError
from vidspec.media import Encoder, frame, probe

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (64, 48)
RATE = Fraction(24)


def grey(number: int) -> tuple[int, int, int]:
    level = 20 + 9 * number
    return level, level, level


def clip(path: Path, frames: int = 24, rate: Fraction = RATE, size: tuple[int, int] = SIZE) -> Path:
    """Frame `n` is of the grey number `n`, so that a frame tells which one it is."""
    with Encoder(path, width=size[0], height=size[1], rate=rate) as encoder:
        for number in range(frames):
            encoder.write(Image.new("RGB", size, grey(number % 24)))
    return path


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def number_of(data: bytes) -> int:
    level = decoded(data).getpixel((30, 20))
    assert isinstance(level, tuple)
    return round((level[0] - 20) / 9)


def sounding(path: Path, *, pictures: bool) -> Path:
    """A second of silence in AAC, alone or beside pictures."""
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=44100)
        if pictures:
            seen = container.add_stream("libx264", rate=24, width=64, height=48, pix_fmt="yuv420p")
            container.mux(seen.encode(av.VideoFrame(64, 48, "yuv420p")))
            container.mux(seen.encode(None))
        silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 44100, 0
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("rate", "fps"),
    [
        pytest.param(Fraction(24000, 1001), 23.976, id="23.976"),
        pytest.param(Fraction(30000, 1001), 29.97, id="29.97"),
        pytest.param(Fraction(60), 60.0, id="60"),
        pytest.param(Fraction(12), 12.0, id="12"),
        pytest.param(Fraction(25, 2), 12.5, id="12.5"),
    ],
)
def test_size_rate_frames_and_length_are_read_back_as_written(tmp_path: Path, rate: Fraction, fps: float) -> None:
    found = probe(clip(tmp_path / "a.mp4", frames=31, rate=rate, size=(66, 50)))
    assert (found.width, found.height, found.frames, found.codec, found.audio) == (66, 50, 31, "h264", False)
    assert found.fps == pytest.approx(fps, abs=0.001)
    assert found.duration == pytest.approx(31 / float(rate), abs=0.0005)


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    found = probe(clip(tmp_path / "a.mp4", frames=1))
    assert found.frames == 1
    assert found.duration == pytest.approx(1 / 24)


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    assert clip(tmp_path / "a.mp4").read_bytes() == clip(tmp_path / "b.mp4").read_bytes()


def test_a_clip_can_start_before_it_is_whole_on_the_wire(tmp_path: Path) -> None:
    data = clip(tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_name_of_the_file_need_not_tell_its_format(tmp_path: Path) -> None:
    assert probe(clip(tmp_path / "a.part")).frames == 24


def test_the_last_frame_is_the_true_last_one(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=24 * 5 - 3)  # far from any keyframe
    assert number_of(frame(path, "last")) == 20
    assert number_of(frame(path, "first")) == 0


@pytest.mark.parametrize(
    ("at", "number"),
    [
        pytest.param(0.0, 0, id="at the start"),
        pytest.param(1 / 24 - 0.001, 0, id="just before the second frame"),
        pytest.param(1 / 24, 1, id="as the second frame comes"),
        pytest.param(0.5, 12, id="in the middle"),
        pytest.param(0.999, 23, id="shortly before the end"),
        pytest.param(1.0, 23, id="at the very end"),
    ],
)
def test_a_time_gives_the_frame_shown_then(tmp_path: Path, at: float, number: int) -> None:
    assert number_of(frame(clip(tmp_path / "a.mp4"), at)) == number


@pytest.mark.parametrize(
    "at", [pytest.param(1.2, id="late"), pytest.param(-0.1, id="early"), pytest.param(float("nan"), id="never")]
)
def test_a_time_outside_the_clip_is_an_error_that_says_its_length(tmp_path: Path, at: float) -> None:
    with pytest.raises(MediaError, match="is 1 seconds long and has no frame at"):
        frame(clip(tmp_path / "a.mp4"), at)


def test_a_frame_is_a_png_in_rgb_and_always_the_same(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    first = decoded(frame(path, 0.5))
    assert (first.format, first.mode, first.size) == ("PNG", "RGB", SIZE)
    assert frame(path, 0.5) == frame(path, 0.5)


COLOURS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255), "black": (0, 0, 0),
    "skin": (224, 172, 105), "night": (20, 25, 40),
}  # fmt: skip


@pytest.mark.parametrize("colour", [pytest.param(value, id=name) for name, value in COLOURS.items()])
@pytest.mark.parametrize("size", [pytest.param((64, 48), id="small"), pytest.param((1280, 720), id="large")])
def test_colours_survive(tmp_path: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> None:
    with Encoder(tmp_path / "a.mp4", width=size[0], height=size[1], rate=RATE) as encoder:
        encoder.write(Image.new("RGB", size, colour))
    seen = decoded(frame(tmp_path / "a.mp4", "first")).getpixel((20, 20))
    assert isinstance(seen, tuple)
    assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) <= 2


@pytest.mark.parametrize(
    "tagged", [pytest.param(True, id="tagged"), pytest.param(False, id="guessed from its size")]
)
def test_a_clip_in_bt601_keeps_its_colours(tmp_path: Path, tagged: bool) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, width=64, height=48, pix_fmt="yuv420p")
        if tagged:
            stream.codec_context.colorspace, stream.codec_context.color_range = 6, ColorRange.MPEG
        rgb = av.VideoFrame(64, 48, "rgb24")
        rgb.planes[0].update(bytes((0, 200, 60)) * (64 * 48))
        yuv = rgb.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601)
        container.mux(stream.encode(yuv))
        container.mux(stream.encode(None))
    seen = decoded(frame(tmp_path / "a.mp4", "first")).getpixel((20, 20))
    assert isinstance(seen, tuple)
    assert max(abs(one - other) for one, other in zip(seen, (0, 200, 60), strict=True)) <= 4


def test_the_clip_says_which_colours_it_means(tmp_path: Path) -> None:
    with av.open(str(clip(tmp_path / "a.mp4"))) as container:
        first = next(container.decode(video=0))
    assert (first.colorspace, first.color_range, first.color_primaries, first.color_trc) == (1, 1, 1, 1)


def test_sound_is_noticed(tmp_path: Path) -> None:
    assert probe(sounding(tmp_path / "a.mp4", pictures=True)).audio


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.mp4` has no pictures, only sound"):
        probe(sounding(tmp_path / "a.mp4", pictures=False))


TITLE, HANDLER = b"Last light", b"A handler"
LATIN = bytes(range(0xE0, 0xEA))


def titled(path: Path, container: str) -> Path:
    """A clip with words in Latin-1 where the format says UTF-8."""
    with av.open(str(path), "w", format=container) as made:
        made.metadata["title"] = TITLE.decode()
        stream = made.add_stream("libx264", rate=24, width=64, height=48, pix_fmt="yuv420p")
        stream.metadata["handler_name"] = HANDLER.decode()
        made.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        made.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(TITLE, LATIN).replace(HANDLER, LATIN[: len(HANDLER)]))
    assert path.read_bytes().count(LATIN[: len(HANDLER)]) >= 2
    return path


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_words_in_a_clip_that_are_not_utf_8_are_no_fault_of_its_pictures(tmp_path: Path, container: str) -> None:
    path = titled(tmp_path / "a.mp4", container)
    assert (probe(path).width, probe(path).frames) == (64, 1)
    assert decoded(frame(path, "last")).size == SIZE


def test_a_library_that_cannot_be_told_how_to_read_words_reads_clips_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, asked = av.open, list[set[str]]()

    def other(file: str, *, options: dict[str, str], **more: Any) -> Any:
        asked.append(set(more))
        if more:
            raise TypeError("open() got an unexpected keyword argument 'metadata_errors'")
        return opening(file, options=options)

    path = clip(tmp_path / "a.mp4")
    monkeypatch.setattr(av, "open", other)
    assert probe(path).frames == 24
    assert asked == [{"metadata_errors"}, set()]


BAD = {
    "empty": (b"", "is empty"),
    "a web page": (b"<html><body>403 Forbidden</body></html>", "is not a clip"),
    "zeros": (bytes(20_000), "is not a clip"),
    "a playlist": (b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n", "is not a clip"),
    "JSON": (b'{"status": "failed"}', "is not a clip"),
}


@pytest.mark.parametrize(("data", "phrase"), [pytest.param(*case, id=name) for name, case in BAD.items()])
def test_what_is_no_clip_is_an_error_that_names_the_file(tmp_path: Path, data: bytes, phrase: str) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    for read in (probe, lambda given: frame(given, "last")):
        with pytest.raises(MediaError, match=rf"bad\.mp4` {phrase}"):
            read(path)


def test_a_picture_is_no_clip(tmp_path: Path) -> None:
    Image.new("RGB", SIZE).save(tmp_path / "a.mp4", "PNG")
    with pytest.raises(MediaError, match="is not a clip"):
        probe(tmp_path / "a.mp4")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_clip_cut_short_is_found(tmp_path: Path, share: float) -> None:
    with Encoder(tmp_path / "a.mp4", width=64, height=48, rate=RATE) as encoder:
        for number in range(48):
            encoder.write(Image.linear_gradient("L").resize(SIZE).rotate(number * 7).convert("RGB"))
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError, match=r"cut\.mp4` is"):
        probe(tmp_path / "cut.mp4")


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not exist"):
        probe(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    ("width", "height", "rate"),
    [
        pytest.param(63, 48, RATE, id="odd width"),
        pytest.param(64, 0, RATE, id="no height"),
        pytest.param(64, 48, Fraction(0), id="no rate"),
    ],
)
def test_an_encoder_refuses_what_cannot_be(tmp_path: Path, width: int, height: int, rate: Fraction) -> None:
    with pytest.raises(ValueError, match="cannot be encoded"):
        Encoder(tmp_path / "a.mp4", width=width, height=height, rate=rate)


@pytest.mark.parametrize(
    "picture",
    [pytest.param(Image.new("RGB", (62, 48)), id="size"), pytest.param(Image.new("RGBA", SIZE), id="mode")],
)
def test_an_encoder_takes_only_rgb_of_its_size(tmp_path: Path, picture: Image.Image) -> None:
    with (
        pytest.raises(ValueError, match="is no frame of"),
        Encoder(tmp_path / "a.mp4", width=64, height=48, rate=RATE) as encoder,
    ):
        encoder.write(picture)
