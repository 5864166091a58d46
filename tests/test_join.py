"""Films joined out of clips: every frame of them tells which clip it is of, and which number it has there."""

from __future__ import annotations

import math
import struct
from array import array
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import pytest
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageDraw

from vidspec.errors import MediaError
from vidspec.join import Film, Footage, Piece, join, survey
from vidspec.join.lettering import Burn
from vidspec.media import frame as frame_at
from vidspec.shape import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZE = Size(96, 54)
NTSC = Fraction(24000, 1001)
BITS = 12
RATES = [
    pytest.param(Fraction(24), id="24"),
    pytest.param(Fraction(25), id="25"),
    pytest.param(Fraction(30), id="30"),
    pytest.param(NTSC, id="23.976"),
]


class Seen(NamedTuple):
    """A frame by what is drawn on it: the clip, and the number within it; clip 0 is a black frame."""

    clip: int
    number: int


def picture(clip: int, number: int, size: Size = SIZE) -> Image.Image:
    """Twelve cells side by side, white for a bit that is set: four for the clip, eight for the number."""
    drawn = Image.new("RGB", size, (20, 20, 20))
    pen = ImageDraw.Draw(drawn)
    for bit in range(BITS):
        if (clip << 8 | number) >> bit & 1:
            pen.rectangle((size.width * bit // BITS, 0, size.width * (bit + 1) // BITS - 1, size.height), "white")
    return drawn


def framed(drawn: Image.Image) -> av.VideoFrame:
    found: av.VideoFrame = av.VideoFrame.from_image(drawn)  # type: ignore[no-untyped-call]
    return found


def read(found: av.VideoFrame, box: tuple[int, int, int, int] | None = None) -> Seen:
    """What a frame says, within a box of it (left, top, width, height)."""
    left, top, width, height = box or (0, 0, found.width, found.height)
    plane = found.planes[0]
    luma = bytes(plane)
    row = (top + height // 2) * plane.line_size
    value = sum(1 << bit for bit in range(BITS) if luma[row + left + width * (2 * bit + 1) // (2 * BITS)] > 128)
    return Seen(value >> 8, value & 255)


def seen(path: Path, box: tuple[int, int, int, int] | None = None) -> list[Seen]:
    with av.open(str(path)) as container:
        return [read(found, box) for found in container.decode(video=0)]


def clip(
    path: Path,
    number: int,
    frames: int = 12,
    *,
    rate: Fraction = Fraction(24),
    size: Size = SIZE,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pixels: str = "yuv420p",
    sound: Callable[[float], float] | None = None,
    times: list[int] | None = None,
    aspect: Fraction | None = None,
    turned: int = 0,
) -> Path:
    """A clip of numbered frames; `times` are thousandths of a second for one of no steady rate."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"preset": "veryfast", "bf": "2"})
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.width, stream.codec_context.height = size
        stream.codec_context.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, 1000) if times else 1 / rate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned:
            stream.set_display_rotation(turned)
        heard = container.add_stream("aac", rate=44100, layout="stereo") if sound else None
        if heard is not None and sound is not None:
            container.start_encoding()
            samples = round(frames / rate * 44100)
            for start in range(0, samples, 1024):
                container.mux(heard.encode(tone(sound, start, min(1024, samples - start))))
            container.mux(heard.encode(None))
        for count in range(len(times) if times else frames):
            found = framed(picture(number, count, size))
            found.pts = times[count] if times else count
            found.time_base = stream.codec_context.time_base
            container.mux(stream.encode(found))
        container.mux(stream.encode(None))
    return path


def tone(sound: Callable[[float], float], start: int, samples: int) -> av.AudioFrame:
    values = array("f", (sound((start + number) / 44100) for number in range(samples)))
    found = av.AudioFrame(format="fltp", layout="stereo", samples=samples)
    for plane in found.planes:
        plane.update(values.tobytes())
    found.sample_rate, found.pts = 44100, start
    return found


def hum(hertz: float) -> Callable[[float], float]:
    return lambda second: 0.5 * math.sin(2 * math.pi * hertz * second)


def click(at: float) -> Callable[[float], float]:
    """Silence, but for five thousandths of a second of noise from `at` on."""
    return lambda second: (0.9 if round(second * 4000) % 2 else -0.9) if at <= second < at + 0.005 else 0.0


def heard(path: Path) -> array[float]:
    """The left side of a film's sound from the first picture on, 48,000 samples a second."""
    found = array("f")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48000)
        for part in container.decode(audio=0):
            for out in resampler.resample(part):
                found.frombytes(bytes(out.planes[0])[: out.samples * 4])
    return found


def loudness(samples: array[float], begin: float, end: float) -> float:
    part = samples[round(begin * 48000) : round(end * 48000)]
    return math.sqrt(sum(value * value for value in part) / len(part))


def pitch(samples: array[float], begin: float, end: float) -> float:
    part = samples[round(begin * 48000) : round(end * 48000)]
    crossings = sum(1 for before, after in pairwise(part) if before < 0 <= after)
    return crossings / (end - begin)


def pieces(*footage: Footage, frames: int | None = None) -> list[Piece]:
    return [
        Piece(footage=one, frames=frames or one.frames, title=f"s{number}") for number, one in enumerate(footage)
    ]


def film(**changes: Any) -> Film:
    facts: dict[str, Any] = {"title": "", "rate": Fraction(24), "size": SIZE, "sound": False, "copied": True}
    return Film(**(facts | changes))


def order(*runs: tuple[int, int]) -> list[Seen]:
    return [Seen(number, count) for number, frames in runs for count in range(frames)]


# --- what a clip is --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("rate", [*RATES, pytest.param(Fraction(30000, 1001), id="29.97"), Fraction(25, 2)])
def test_the_rate_of_a_clip_is_exact_whatever_it_is_kept_in(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    found = survey(clip(tmp_path / f"a.{suffix}", 1, 30, rate=rate))
    assert (found.rate, found.frames, found.steady, found.length) == (rate, 30, True, 30 / rate)
    assert (found.size, found.start, found.sound) == (SIZE, Fraction(0), False)


def test_a_single_frame_is_a_clip(tmp_path: Path) -> None:
    found = survey(clip(tmp_path / "a.mp4", 1, 1))
    assert (found.frames, found.steady, found.length) == (1, True, Fraction(1, 24))


def test_a_clip_of_no_steady_rate_has_its_true_length(tmp_path: Path) -> None:
    found = survey(clip(tmp_path / "a.mkv", 1, times=[0, 100, 150, 400, 1000]))
    assert not found.steady
    assert found.coding is None
    assert found.frames == 5
    assert 1.0 <= found.length < 1.2


def test_what_is_seen_has_square_pixels_and_stands_upright(tmp_path: Path) -> None:
    assert survey(clip(tmp_path / "a.mp4", 1, 2, aspect=Fraction(4, 3))).size == (128, 54)
    assert survey(clip(tmp_path / "b.mp4", 1, 2, aspect=Fraction(3, 4))).size == (96, 72)
    assert survey(clip(tmp_path / "c.mp4", 1, 2, turned=90)).size == (54, 96)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: path, "does not exist", id="missing"),
        pytest.param(lambda path: path.write_bytes(b""), "is empty", id="empty"),
        pytest.param(lambda path: path.write_bytes(b"no clip at all" * 99), "not a clip", id="something else"),
        pytest.param(
            lambda path: path.write_bytes(clip(path.with_name("b.mp4"), 1, 60).read_bytes()[:-900]),
            "cut short|not a clip",
            id="cut short",
        ),
    ],
)
def test_a_file_that_is_no_clip_is_told_of(tmp_path: Path, make: Callable[[Path], Any], reason: str) -> None:
    make(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=reason):
        survey(tmp_path / "a.mp4")


def test_sound_without_pictures_is_no_clip(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="stereo")
        container.mux(stream.encode(tone(hum(440), 0, 1024)))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="only sound"):
        survey(tmp_path / "a.mp4")


def test_pictures_of_a_kind_that_nobody_can_decode_are_told_of(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", 1)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(MediaError, match="nobody here can decode"):
        survey(path)


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_the_channels_of_a_clip_are_counted(tmp_path: Path, layout: str, channels: int) -> None:
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as container:
        pictures = container.add_stream("libx264", rate=24)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        heard = container.add_stream("aac", rate=44100, layout=layout)
        frame = av.AudioFrame(format="fltp", layout=layout, samples=1024)
        frame.rate, frame.pts = 44100, 0
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux([*pictures.encode(av.VideoFrame(32, 32, "yuv420p")), *pictures.encode(None)])
        container.mux([*heard.encode(frame), *heard.encode(None)])
    assert survey(path).channels == channels


def test_sound_of_a_kind_that_nobody_can_decode_is_silence(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", 1, sound=hum(440))
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    footage = survey(path)
    assert not footage.sound
    join(pieces(footage), film(sound=True, copied=False), tmp_path / "film.mp4")
    assert loudness(heard(tmp_path / "film.mp4"), 0, 0.5) < 0.001


def test_times_beyond_reason_do_not_make_a_clip_last_for_ever(tmp_path: Path) -> None:
    found = survey(clip(tmp_path / "a.mkv", 1, times=[0, 41, 83, 900_000_000]))
    assert found.length <= 40


def test_clips_of_one_encoder_match_and_others_do_not(tmp_path: Path) -> None:
    one, same = (survey(clip(tmp_path / f"{name}.mp4", 1)).coding for name in "ab")
    assert one is not None
    assert one == same
    others = [
        clip(tmp_path / "c.mp4", 1, rate=Fraction(25)),
        clip(tmp_path / "d.mp4", 1, size=Size(64, 36)),
        clip(tmp_path / "e.mp4", 1, options={"preset": "ultrafast", "bf": "0"}),
        clip(tmp_path / "f.mkv", 1),
        clip(tmp_path / "g.mp4", 1, turned=180),
        clip(tmp_path / "h.mp4", 1, codec="mpeg4", options={}),
    ]
    assert one not in [survey(path).coding for path in others]


# --- taken over as they are ------------------------------------------------------------------------------


@pytest.mark.parametrize("bf", ["0", "2"])
@pytest.mark.parametrize("rate", RATES)
def test_matching_clips_are_joined_without_touching_a_picture(tmp_path: Path, rate: Fraction, bf: str) -> None:
    options = {"preset": "veryfast", "bf": bf}
    paths = [
        clip(tmp_path / f"{number}.mp4", number, 10 + number, rate=rate, options=options) for number in (1, 2, 3)
    ]
    join(pieces(*map(survey, paths)), film(rate=rate), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 11), (2, 12), (3, 13))
    assert payload(tmp_path / "film.mp4") == [data for path in paths for data in payload(path)]
    found = survey(tmp_path / "film.mp4")
    assert (found.rate, found.frames, found.steady, found.length) == (rate, 36, True, 36 / rate)
    assert found.start == 0


def payload(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_a_film_of_one_clip_is_that_clip(tmp_path: Path) -> None:
    join(pieces(survey(clip(tmp_path / "1.mp4", 1))), film(), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 12))


def test_the_same_pieces_give_the_same_bytes(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1))
    for name in ("a.mp4", "b.mp4"):
        join(pieces(footage, footage), film(title="Night ferry"), tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


# --- encoded anew ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_every_frame_of_clips_at_the_films_rate_is_in_it_once(tmp_path: Path, rate: Fraction) -> None:
    one = survey(clip(tmp_path / "1.mp4", 1, 11, rate=rate))
    two = survey(clip(tmp_path / "2.mp4", 2, 9, rate=rate, codec="mpeg4", options={}))
    join(pieces(one, two), film(rate=rate, copied=False), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 11), (2, 9))
    found = survey(tmp_path / "film.mp4")
    assert (found.rate, found.frames, found.steady) == (rate, 20, True)


@pytest.mark.parametrize(
    ("of", "to", "frames", "expected"),
    [
        pytest.param(12, 24, 8, [0, 0, 1, 1, 2, 2, 3, 3], id="twice as many"),
        pytest.param(48, 24, 4, [0, 2, 4, 6], id="half as many"),
        pytest.param(30, 24, 8, [0, 1, 2, 3, 5, 6, 7, 8], id="four of five"),
        pytest.param(24, 30, 10, [0, 0, 1, 2, 3, 4, 4, 5, 6, 7], id="five of four"),
    ],
)
def test_a_clip_of_another_rate_keeps_its_own_speed(
    tmp_path: Path, of: int, to: int, frames: int, expected: list[int]
) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 12, rate=Fraction(of)))
    join(pieces(footage, frames=frames), film(rate=Fraction(to), copied=False), tmp_path / "film.mp4")
    assert [one.number for one in seen(tmp_path / "film.mp4")] == expected


def test_a_clip_of_no_steady_rate_shows_each_picture_when_it_is_due(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mkv", 1, times=[0, 100, 150, 400, 900]))
    join(pieces(footage, frames=10), film(rate=Fraction(10), copied=False), tmp_path / "film.mp4")
    assert [one.number for one in seen(tmp_path / "film.mp4")] == [0, 1, 2, 2, 3, 3, 3, 3, 3, 4]


def test_the_last_picture_stays_where_a_piece_is_longer_than_its_clip(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 3))
    join(pieces(footage, frames=5), film(copied=False), tmp_path / "film.mp4")
    assert [one.number for one in seen(tmp_path / "film.mp4")] == [0, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0, 20, id="the end is cut off"),
        pytest.param(17, 47, id="the beginning is cut off"),
        pytest.param(17, 20, id="both are cut off"),
    ],
)
@pytest.mark.parametrize("keyint", ["250", "12"])
def test_what_an_edit_list_hides_is_not_in_the_film(tmp_path: Path, keyint: str, first: int, last: int) -> None:
    path = clip(tmp_path / "1.mp4", 1, 48, options={"bf": "3", "x264-params": f"keyint={keyint}:scenecut=0"})
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 12
    (begin,) = struct.unpack_from(">i", data, place + 4)
    struct.pack_into(">Ii", data, place, 1000 * (last - first + 1) // 24, begin + first * 12288 // 24)
    path.write_bytes(data)
    footage = survey(path)
    assert footage.frames == last - first + 1
    assert footage.coding is None
    join(pieces(footage), film(copied=False), tmp_path / "film.mp4")
    assert [one.number for one in seen(tmp_path / "film.mp4")] == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("size", "box"),
    [
        pytest.param(Size(48, 54), (24, 0, 48, 54), id="bars left and right"),
        pytest.param(Size(192, 54), (0, 14, 96, 26), id="bars above and below"),
        pytest.param(Size(192, 108), (0, 0, 96, 54), id="larger"),
        pytest.param(Size(64, 36), (0, 0, 96, 54), id="smaller"),
    ],
)
def test_a_clip_of_another_size_is_fitted_in_between_black_bars(
    tmp_path: Path, size: Size, box: tuple[int, int, int, int]
) -> None:
    whole = survey(clip(tmp_path / "1.mp4", 1, 4))
    other = survey(clip(tmp_path / "2.mp4", 2, 4, size=size))
    join(pieces(whole, other, whole), film(copied=False), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4")[:4] == order((1, 4))
    assert seen(tmp_path / "film.mp4", box)[4:8] == order((2, 4))
    assert seen(tmp_path / "film.mp4")[8:] == order((1, 4))
    with av.open(str(tmp_path / "film.mp4")) as container:
        found = list(container.decode(video=0))[5]
    plane = found.planes[0]
    luma, line = bytes(plane), plane.line_size
    left, top, width, height = box
    if width < 96:
        assert max(luma[20 * line : 20 * line + left - 3]) <= 20
        assert max(luma[20 * line + left + width + 3 : 20 * line + 96]) <= 20
    if height < 54:
        assert max(luma[: (top - 3) * line]) <= 20


def test_wide_pixels_and_turned_clips_come_out_as_they_are_meant_to_be_seen(tmp_path: Path) -> None:
    wide = survey(clip(tmp_path / "1.mp4", 1, 3, size=Size(72, 54), aspect=Fraction(4, 3)))
    assert wide.size == SIZE
    upside = survey(clip(tmp_path / "2.mp4", 2, 3, turned=180))
    join(pieces(wide, upside), film(copied=False), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4")[:3] == order((1, 3))
    turned = [mirrored(one) for one in seen(tmp_path / "film.mp4")[3:]]
    assert turned == order((2, 3))


def mirrored(one: Seen) -> Seen:
    """What a frame says that was read from right to left."""
    bits = f"{one.clip << 8 | one.number:0{BITS}b}"
    value = int(bits[::-1], 2)
    return Seen(value >> 8, value & 255)


@pytest.mark.parametrize("turned", [90, -90])
def test_a_clip_that_lies_on_its_side_is_put_upright_the_right_way(tmp_path: Path, turned: int) -> None:
    path = tmp_path / "1.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 96, 54, "yuv420p"
        stream.set_display_rotation(turned)
        drawn = Image.new("RGB", SIZE, "black")
        drawn.paste("white", (0, 0, 96, 20))  # the upper edge of what is stored
        container.mux(stream.encode(framed(drawn)))
        container.mux(stream.encode(None))
    footage = survey(path)
    join(pieces(footage), film(size=Size(54, 96), copied=False), tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        plane = next(container.decode(video=0)).planes[0]
    row = bytes(plane)[48 * plane.line_size : 48 * plane.line_size + 54]
    left, right = row[5] > 128, row[48] > 128
    assert (left, right) == ((True, False) if turned == 90 else (False, True))


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv420p10le", "yuvj420p"])
def test_other_kinds_of_pixels_are_brought_to_those_that_players_take(tmp_path: Path, pixels: str) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 3, pixels=pixels, options={"preset": "veryfast"}))
    join(pieces(footage), film(copied=False), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 3))
    with av.open(str(tmp_path / "film.mp4")) as container:
        found = next(container.decode(video=0))
    assert found.format.name == "yuv420p"
    assert (found.colorspace, found.color_range) == (Colorspace.ITU709, ColorRange.MPEG)


@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709])
@pytest.mark.parametrize("levels", [ColorRange.MPEG, ColorRange.JPEG])
def test_colours_stay_what_they_are(tmp_path: Path, matrix: Colorspace, levels: ColorRange) -> None:
    colour = (200, 60, 40)
    path = tmp_path / "1.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "4"})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 96, 54, "yuv420p"
        context.colorspace, context.color_range = 5 if matrix == Colorspace.ITU601 else 1, levels
        found = framed(Image.new("RGB", SIZE, colour)).reformat(
            format="yuv420p", dst_colorspace=matrix, src_color_range=ColorRange.JPEG, dst_color_range=levels
        )
        container.mux(stream.encode(found))
        container.mux(stream.encode(None))
    join(pieces(survey(path)), film(copied=False, size=Size(64, 36)), tmp_path / "film.mp4")
    assert shade(tmp_path / "film.mp4") == pytest.approx(colour, abs=4)


def shade(path: Path) -> tuple[int, ...]:
    import io

    found = Image.open(io.BytesIO(frame_at(path, "first"))).getpixel((30, 20))
    assert isinstance(found, tuple)
    return found


# --- sound -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "encoded"])
def test_sound_is_heard_with_its_own_pictures_and_silence_elsewhere(tmp_path: Path, copied: bool) -> None:
    paths = [
        clip(tmp_path / "1.mp4", 1, 24, sound=hum(440)),
        clip(tmp_path / "2.mp4", 2, 12),
        clip(tmp_path / "3.mp4", 3, 24, sound=hum(880)),
    ]
    join(pieces(*map(survey, paths)), film(sound=True, copied=copied), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 24), (2, 12), (3, 24))
    samples = heard(tmp_path / "film.mp4")
    assert len(samples) == pytest.approx(2.5 * 48000, abs=1024)
    assert pitch(samples, 0.1, 0.9) == pytest.approx(440, abs=5)
    assert loudness(samples, 1.05, 1.45) < 0.001
    assert pitch(samples, 1.6, 2.4) == pytest.approx(880, abs=5)
    assert loudness(samples, 0.1, 0.9) == pytest.approx(0.5 / math.sqrt(2), abs=0.03)


@pytest.mark.parametrize("rate", RATES)
def test_sound_does_not_drift_however_many_clips_there_are(tmp_path: Path, rate: Fraction) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 7, rate=rate, sound=click(0.1)))
    count = 30
    join(pieces(*[footage] * count), film(sound=True, rate=rate), tmp_path / "film.mp4")
    samples = heard(tmp_path / "film.mp4")
    clicks = list(onsets(samples))
    assert len(clicks) == count
    for number, at in enumerate(clicks):
        assert at == pytest.approx(float(number * 7 / rate) + 0.1, abs=0.004)


def onsets(samples: array[float]) -> Iterator[float]:
    """The seconds at which it becomes loud after a while of silence."""
    last = -10000
    for number, value in enumerate(samples):
        if abs(value) > 0.3:
            if number - last > 2000:
                yield number / 48000
            last = number


def test_sound_longer_or_shorter_than_the_pictures_goes_with_them(tmp_path: Path) -> None:
    long = survey(clip(tmp_path / "1.mp4", 1, 24, sound=hum(440)))
    after = survey(clip(tmp_path / "2.mp4", 2, 24))
    cut = [
        Piece(footage=long, frames=12, title=""),
        Piece(footage=after, frames=24, title=""),
        Piece(footage=long, frames=30, title=""),
    ]
    join(cut, film(sound=True, copied=False), tmp_path / "film.mp4")
    samples = heard(tmp_path / "film.mp4")
    assert pitch(samples, 0.05, 0.45) == pytest.approx(440, abs=6)
    assert loudness(samples, 0.55, 1.45) < 0.001
    assert pitch(samples, 1.55, 2.45) == pytest.approx(440, abs=5)
    assert loudness(samples, 2.55, 2.7) < 0.001


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_sound_of_other_containers_has_no_gaps(tmp_path: Path, suffix: str) -> None:
    footage = survey(
        clip(tmp_path / f"1.{suffix}", 1, 48, sound=hum(440), options={"preset": "veryfast", "bf": "0"})
    )
    join(pieces(footage), film(sound=True, copied=False), tmp_path / "film.mp4")
    samples = heard(tmp_path / "film.mp4")
    assert pitch(samples, 0.1, 1.9) == pytest.approx(440, abs=2)
    steps = [loudness(samples, begin / 100, begin / 100 + 0.01) for begin in range(10, 190)]
    assert min(steps) > 0.25


# --- what is written into it -----------------------------------------------------------------------------


def test_every_piece_is_a_chapter_that_begins_with_its_own_first_frame(tmp_path: Path) -> None:
    rate = NTSC
    paths = [clip(tmp_path / f"{number}.mp4", number, 10 + number, rate=rate) for number in (1, 2, 3)]
    titles = ["s010-t01 · harbour", "s020-t01 (draft)", "夜の渡し船"]
    cut = [
        Piece(footage=survey(path), frames=10 + number, title=title)
        for number, (path, title) in enumerate(zip(paths, titles, strict=True), 1)
    ]
    join(cut, film(rate=rate, title="Night ferry · 夜"), tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        chapters = container.chapters()
        assert container.metadata["title"] == "Night ferry · 夜"
    assert [chapter["metadata"]["title"] for chapter in chapters] == titles
    for number, chapter in enumerate(chapters, 1):
        assert chapter["time_base"] is not None
        second = float(chapter["start"] * chapter["time_base"])
        assert at(tmp_path / "film.mp4", second) == Seen(number, 0)


def at(path: Path, second: float) -> Seen:
    """What is seen at a second of a film."""
    with av.open(str(path)) as container:
        due = [found for found in container.decode(video=0) if found.time <= second + 1e-9]
    return read(due[-1])


def test_the_index_of_a_film_stands_before_its_pictures(tmp_path: Path) -> None:
    join(pieces(survey(clip(tmp_path / "1.mp4", 1))), film(), tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "encoded"])
def test_a_mov_file_is_one(tmp_path: Path, copied: bool) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1))
    join(pieces(footage, footage), film(kind="mov", copied=copied), tmp_path / "film.mov")
    assert b"ftypqt" in (tmp_path / "film.mov").read_bytes()[:16]
    assert seen(tmp_path / "film.mov") == order((1, 12), (1, 12))


def luma(path: Path, number: int) -> Image.Image:
    with av.open(str(path)) as container:
        found = list(container.decode(video=0))[number]
    plane = found.planes[0]
    return Image.frombytes("L", (found.width, found.height), bytes(plane), "raw", "L", plane.line_size)


def extremes(sheet: Image.Image) -> tuple[int, int]:
    """The darkest and the brightest level."""
    return min(sheet.tobytes()), max(sheet.tobytes())


def test_a_slate_is_burnt_into_the_corner_and_nothing_else_is_touched(tmp_path: Path) -> None:
    size = Size(640, 360)
    footage = survey(clip(tmp_path / "1.mp4", 1, 6, size=size))
    plain = Piece(footage=footage, frames=6, title="")
    burnt = Piece(footage=footage, frames=6, title="", burnt="s010-t01")
    join([plain, burnt], film(size=size, copied=False), tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4") == order((1, 6), (1, 6))
    before, after = luma(tmp_path / "film.mp4", 3), luma(tmp_path / "film.mp4", 9)
    corner = (0, 344, 100, 360)
    assert extremes(after.crop(corner))[0] < 60
    assert extremes(after.crop(corner))[1] > 150
    rest = (0, 0, 640, 330)
    difference = [
        abs(one - two) for one, two in zip(before.crop(rest).tobytes(), after.crop(rest).tobytes(), strict=True)
    ]
    assert sum(difference) / len(difference) < 2


def test_the_burnt_timecode_runs_with_the_film_and_not_with_the_clip() -> None:
    size, rate = Size(640, 360), Fraction(24)
    grey = framed(Image.new("RGB", size, "grey")).reformat(format="yuv420p")
    here = Burn(size, "s010-t01", rate=rate, start=0)
    there = Burn(size, "s010-t01", rate=rate, start=86)
    assert levels(here(grey, 90)) == levels(there(grey, 4))
    assert levels(here(grey, 90)) != levels(here(grey, 91))
    assert levels(Burn(size, "s010-t02", rate=rate, start=0)(grey, 90)) != levels(here(grey, 90))


def levels(found: av.VideoFrame) -> bytes:
    return bytes(found.planes[0])


def test_a_frame_is_left_as_it_is_when_a_slate_is_burnt_into_its_copy() -> None:
    grey = framed(Image.new("RGB", (640, 360), "grey")).reformat(format="yuv420p")
    before = levels(grey)
    assert levels(Burn(Size(640, 360), "s010-t01", rate=Fraction(24), start=0)(grey, 0)) != before
    assert levels(grey) == before


@pytest.mark.parametrize("size", [Size(2, 2), Size(16, 16), Size(48, 200), Size(400, 20), Size(1080, 1920)])
@pytest.mark.parametrize("text", ["s010-t01", "", "夜" * 60, "a" * 300, "\u202eخ\U0001f600"])
def test_odd_sizes_and_odd_texts_are_lettered_without_harm(tmp_path: Path, size: Size, text: str) -> None:
    cut = [Piece(footage=None, frames=2, title=text, burnt=text or " ", card=("not rendered", text))]
    join(cut, film(size=size, copied=False), tmp_path / "film.mp4")
    found = survey(tmp_path / "film.mp4")
    assert (found.frames, found.size) == (2, size)


def test_a_card_says_what_is_missing_on_black(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 4, sound=hum(440)))
    cut = [
        Piece(footage=footage, frames=4, title="s010-t01"),
        Piece(footage=None, frames=24, title="s020-t01", card=("not rendered", "the ferry leaves")),
    ]
    join(cut, film(size=Size(640, 360), copied=False, sound=True), tmp_path / "film.mp4")
    card = luma(tmp_path / "film.mp4", 10)
    assert extremes(card.crop((0, 0, 640, 60)))[1] <= 20
    assert extremes(card)[1] > 200
    assert loudness(heard(tmp_path / "film.mp4"), 0.25, 1.1) < 0.001
    assert survey(tmp_path / "film.mp4").frames == 28


def test_progress_counts_every_frame_and_may_stop_the_work(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1, 5))
    told: list[tuple[int, int]] = []
    join(
        pieces(footage, footage),
        film(),
        tmp_path / "film.mp4",
        progress=lambda number, done: told.append((number, done)),
    )
    assert told == [(number // 5, number + 1) for number in range(10)]

    def stop(number: int, done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join(pieces(footage), film(copied=False), tmp_path / "film.mp4", progress=stop)


def test_a_clip_that_is_gone_by_now_is_named(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1))
    (tmp_path / "1.mp4").unlink()
    for copied in (True, False):
        with pytest.raises(MediaError, match=r"1\.mp4"):
            join(pieces(footage), film(copied=copied), tmp_path / "film.mp4")


def test_a_place_that_cannot_be_written_to_is_an_error_of_the_system(tmp_path: Path) -> None:
    footage = survey(clip(tmp_path / "1.mp4", 1))
    with pytest.raises(OSError, match="No such file"):
        join(pieces(footage), film(), tmp_path / "nowhere" / "film.mp4")
