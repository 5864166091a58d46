from __future__ import annotations

import io
import random
import struct
from fractions import Fraction
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import av
import pytest
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from vidspec.errors import MediaError
from vidspec.media import Encoder, frame, probe

if TYPE_CHECKING:
    from collections.abc import Sequence
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


# --- the exact frame: numbers are drawn into the pictures, and read back ---------------------------------------

WIDE, COUNT = (160, 96), 60


@cache
def drawn(number: int) -> Image.Image:
    """A picture with its number in digits, before something that moves."""
    picture = Image.new("RGB", WIDE, (30 + number % 7 * 5, 60, 90))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((number * 3 % 140, 80, number * 3 % 140 + 20, 95), fill=(200, 40, 40))
    pen.text((20, 15), f"{number:03}", font=ImageFont.load_default(40), fill=(240, 240, 240))
    return picture


@cache
def digits(number: int) -> Image.Image:
    return strokes(drawn(number))


def strokes(picture: Image.Image) -> Image.Image:
    """Where the number stands, in black and white."""
    return picture.convert("L").crop((15, 15, 140, 70)).point(lambda level: 255 * (level > 150))


def written(data: bytes) -> int:
    """The number whose drawing is nearest, by far."""
    seen = strokes(decoded(data))
    distances = [ImageStat.Stat(ImageChops.difference(seen, digits(number))).mean[0] for number in range(COUNT)]
    nearest, second = sorted(distances)[:2]
    assert nearest < 0.5 * second
    return distances.index(nearest)


def numbered(
    path: Path,
    rate: Fraction = RATE,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    times: Sequence[int] = (),
    container: str = "mp4",
    sound: float = 0.0,
) -> Path:
    """A clip of numbered frames as other encoders make them; `times` in milliseconds, else one after the other."""
    with av.open(str(path), "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, width=WIDE[0], height=WIDE[1], pix_fmt="yuv420p")
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.options = options or {}
        base = Fraction(1, 1000) if times else 1 / rate
        stream.codec_context.time_base = base
        if sound:
            track = made.add_stream("aac", rate=48000)
        for number, time in enumerate(times or range(COUNT)):
            rgb = av.VideoFrame(*WIDE, "rgb24")
            rgb.planes[0].update(drawn(number).tobytes())
            picture = rgb.reformat(format="yuv420p")
            picture.pts, picture.time_base = time, base
            made.mux(stream.encode(picture))
        made.mux(stream.encode(None))
        for number in range(int(sound * 48000 / 1024)):
            silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts = 48000, number * 1024
            made.mux(track.encode(silence))
        if sound:
            made.mux(track.encode(None))
    return path


ENCODED: dict[str, dict[str, Any]] = {
    "three frames back and forth": {"options": {"bf": "3", "g": "13"}},
    "an open group of eleven": {"options": {"bf": "3", "x264-params": "keyint=11:open-gop=1:scenecut=0:b-adapt=0"}},
    "a pyramid": {"options": {"x264-params": "bframes=8:b-pyramid=normal:keyint=37:b-adapt=0:open-gop=1:ref=5"}},
    "refreshed without keyframes": {"options": {"x264-params": "intra-refresh=1:keyint=20:bframes=3:scenecut=0"}},
    "one keyframe": {"options": {"g": "250"}},
    "MPEG-4": {"codec": "mpeg4", "options": {"bf": "2", "g": "12", "b": "2000000"}},
    "VP9": {"codec": "libvpx-vp9", "options": {"g": "17", "cpu-used": "8"}, "container": "webm"},
    "Matroska": {"options": {"bf": "3", "g": "13"}, "container": "matroska"},
    "a transport stream": {"options": {"bf": "3", "g": "13"}, "container": "mpegts"},
}
RATES = {"24": RATE, "25": Fraction(25), "30": Fraction(30), "23.976": Fraction(24000, 1001)}


@pytest.mark.parametrize("how", ENCODED.values(), ids=ENCODED)
def test_the_last_frame_is_exact_however_the_clip_was_encoded(tmp_path: Path, how: dict[str, Any]) -> None:
    path = numbered(tmp_path / "a.clip", **how)
    assert (written(frame(path, "first")), written(frame(path, "last"))) == (0, COUNT - 1)
    for number in (0, 1, 10, 11, 12, 13, 36, 37, 58, 59):
        assert written(frame(path, (number + 0.5) / 24)) == number


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_every_frame_is_shown_from_its_time_until_that_of_the_next(tmp_path: Path, rate: Fraction) -> None:
    path = numbered(tmp_path / "a.mp4", rate, options={"bf": "3", "g": "13"})
    assert written(frame(path, "last")) == COUNT - 1
    for number in range(0, COUNT, 7):
        assert written(frame(path, float(number / rate))) == number
        assert written(frame(path, float((number + 1) / rate) - 0.001)) == number
    with pytest.raises(MediaError, match="has no frame at"):
        frame(path, float(COUNT / rate) + 0.01)


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_frames_that_do_not_come_evenly_are_told_by_their_times(tmp_path: Path, container: str) -> None:
    steps = random.Random(3).choices((10, 20, 33, 40, 100, 250), k=COUNT - 1)
    times = [0, *accumulate(steps)]
    options = {"bf": "3", "x264-params": "keyint=12:open-gop=1:b-adapt=0"}
    path = numbered(tmp_path / "a.clip", options=options, times=times, container=container)
    for number in range(0, COUNT - 1, 5):
        assert written(frame(path, times[number] / 1000)) == number
        assert written(frame(path, (times[number] + times[number + 1]) / 2000)) == number
    assert written(frame(path, times[-1] / 1000)) == COUNT - 1
    assert written(frame(path, "last")) == COUNT - 1


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_sound_that_is_longer_than_the_pictures_makes_no_frames(tmp_path: Path, container: str) -> None:
    path = numbered(tmp_path / "a.clip", container=container, sound=4.0)
    assert written(frame(path, "last")) == COUNT - 1
    assert written(frame(path, 2.5)) == COUNT - 1
    with pytest.raises(MediaError, match=r"is 2\.(5|499) seconds long and has no frame at: 3"):
        frame(path, 3.0)


def edited(path: Path, first: int, frames: int) -> Path:
    """The same file, of which an edit list shows only some frames."""
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 12
    (begin,) = struct.unpack_from(">i", data, place + 4)
    struct.pack_into(">Ii", data, place, 1000 * frames // 24, begin + first * 12288 // 24)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("keyint", ["250", "12"])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0, 36, id="the end is cut off"),
        pytest.param(17, 59, id="the beginning is cut off"),
        pytest.param(17, 36, id="both are cut off"),
    ],
)
def test_what_an_edit_list_hides_is_no_frame_of_the_clip(
    tmp_path: Path, keyint: str, first: int, last: int
) -> None:
    options = {"bf": "3", "x264-params": f"keyint={keyint}:open-gop=1:scenecut=0"}
    path = edited(numbered(tmp_path / "a.mp4", options=options), first, last - first + 1)
    assert (written(frame(path, "first")), written(frame(path, "last"))) == (first, last)
    assert written(frame(path, 0.5)) == first + 12
    with pytest.raises(MediaError, match="has no frame at"):
        frame(path, (last - first + 1) / 24 + 0.01)
    assert probe(path).frames == last - first + 1


def test_pictures_that_begin_after_the_sound_are_counted_from_the_first_of_them(tmp_path: Path) -> None:
    times = [500 + 40 * number for number in range(COUNT)]
    path = numbered(tmp_path / "a.mp4", times=times, options={"bf": "3"}, sound=4.0)
    assert [written(frame(path, at)) for at in (0.0, 0.401, 1.0)] == [0, 10, 25]
    assert written(frame(path, "last")) == COUNT - 1


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


KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114)}
"""How much red and blue there is in the light, by the number that H.264 has for the matrix."""


def levels(colour: tuple[int, int, int], matrix: int, *, full: bool) -> tuple[int, int, int]:
    """Y, Cb and Cr by the definition of the matrix, rounded once."""
    kr, kb = KR_KB[matrix]
    red, green, blue = (one / 255 for one in colour)
    light = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - light) / (2 - 2 * kb), (red - light) / (2 - 2 * kr)
    if full:
        return round(255 * light), *(min(255, round(128 + 255 * one)) for one in chroma)  # type: ignore[return-value]
    return round(16 + 219 * light), *(round(128 + 224 * one) for one in chroma)  # type: ignore[return-value]


@pytest.mark.parametrize("colour", [pytest.param(value, id=name) for name, value in COLOURS.items()])
@pytest.mark.parametrize("full", [pytest.param(True, id="full"), pytest.param(False, id="limited")])
@pytest.mark.parametrize("matrix", KR_KB, ids=["709", "601 of 625 lines", "601"])
def test_colours_are_those_of_the_clip_s_own_matrix_and_range_to_within_three_levels(
    tmp_path: Path, matrix: int, full: bool, colour: tuple[int, int, int]
) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, width=64, height=48, pix_fmt="yuv420p")
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = ColorRange.JPEG if full else ColorRange.MPEG
        stream.codec_context.options = {"qp": "0"}
        picture = av.VideoFrame(64, 48, "yuv420p")
        for plane, level in zip(picture.planes, levels(colour, matrix, full=full), strict=True):
            plane.update(bytes([level]) * plane.buffer_size)
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    seen = decoded(frame(tmp_path / "a.mp4", "last")).getpixel((20, 20))
    assert isinstance(seen, tuple)
    assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) <= 3


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
