"""The command itself, on projects whose clips are made here: each frame tells its shot and its number."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import resource
import signal
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import fromstring

import av
import pytest
from PIL import Image, ImageDraw

from vidspec.commands import export
from vidspec.commands.export import CREDENTIALS, Wishes
from vidspec.console import Console
from vidspec.errors import ShotListError, UsageError
from vidspec.export.bar import Bar
from vidspec.ledger import Ledger
from vidspec.lock import Output, Record
from vidspec.media import Encoder
from vidspec.project import open_lists
from vidspec.store import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vidspec.commands.export import Kind

otio: Any = pytest.importorskip("opentimelineio")

NTSC = Fraction(24000, 1001)
RATES = [
    pytest.param(Fraction(24), id="24"),
    pytest.param(Fraction(25), id="25"),
    pytest.param(Fraction(30), id="30"),
    pytest.param(NTSC, id="23.976"),
]
LENGTHS = {"a": 7, "b": 12, "c": 1, "d": 9}
LIST = "\n".join(
    f"- {{id: {name}, scene: {'harbour' if name in 'bc' else ''}, prompt: {name}}}" for name in LENGTHS
)


class Done(NamedTuple):
    """What a call returned and printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Calls the command in the project's folder."""

    def run(kind: Kind, out: str, **wishes: Any) -> Done:
        options: dict[str, Any] = {"chosen": None, "left_out": None, "force": False, "json": False, "quiet": False}
        options |= {key: wishes.pop(key) for key in list(wishes) if key in options}
        capsys.readouterr()
        code = export.run(
            kind, Path("shots.yaml"), Path(out), variables={}, wishes=Wishes(**wishes), console=Console(), **options
        )
        return Done(code, *capsys.readouterr())

    return run


def encode(path: Path, shot: int, frames: int, rate: Fraction, size: tuple[int, int] = (96, 54)) -> Path:
    """A clip of numbered frames: twelve cells side by side, white for a bit that is set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Encoder(path, width=size[0], height=size[1], rate=rate) as encoder:
        for number in range(frames):
            drawn = Image.new("RGB", size, (20, 20, 20))
            pen = ImageDraw.Draw(drawn)
            for bit in range(12):
                if (shot << 8 | number) >> bit & 1:
                    pen.rectangle((size[0] * bit // 12, 0, size[0] * (bit + 1) // 12 - 1, size[1]), "white")
            encoder.write(drawn)
    return path


def seen(path: Path) -> list[tuple[int, int]]:
    """The shot and the number of every frame of a film."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            row = bytes(plane)[frame.height // 2 * plane.line_size :]
            value = sum(1 << bit for bit in range(12) if row[frame.width * (2 * bit + 1) // 24] > 128)
            found.append((value >> 8, value & 255))
    return found


def record(slate: str, path: Path) -> None:
    """Write into the lockfile that a take was rendered to a path."""
    (film,), _ = open_lists([Path("shots.yaml")], {}, offline=True)
    lock, _ = film.read()
    take = next(take for take in film.takes if take.slate == slate)
    output = Output(path=str(path), sha256=file_digest(path), bytes=path.stat().st_size, fps=24.0, duration=0.5)
    made = Record(
        shot=take.shot,
        take=take.number,
        provider=take.provider,
        model=take.model,
        fingerprint=take.fingerprint,
        request=take.request,
        seed=take.seed,
        seed_rule=take.seed_rule,
        output=output,
    )
    lock.put(slate, made)
    Ledger(lock, film.lock_path).write()


@pytest.fixture
def filmed(shots: Callable[..., Path]) -> Callable[..., None]:
    """A project of four shots, rendered at a rate."""

    def make(rate: Fraction = Fraction(24), *, but: tuple[str, ...] = ()) -> None:
        shots(LIST, head="title: Night ferry\n")
        for number, (name, frames) in enumerate(LENGTHS.items(), 1):
            if name not in but:
                record(f"{name}-t01", encode(Path(f"renders/{name}/{name}-t01.mp4"), number, frames, rate))

    return make


def whole(*names: str) -> list[tuple[int, int]]:
    """Every frame of some shots."""
    numbers = {name: number for number, name in enumerate(LENGTHS, 1)}
    return [(numbers[name], frame) for name in names for frame in range(LENGTHS[name])]


@pytest.mark.parametrize("rate", RATES)
def test_every_kind_of_export_agrees_to_the_frame(
    filmed: Callable[..., None], call: Callable[..., Done], rate: Fraction
) -> None:
    filmed(rate)
    nominal = round(rate)
    begins, total = [0, 7, 19, 20], 29
    for kind, name in (("otio", "film.otio"), ("edl", "film.edl"), ("fcpxml", "film.fcpxml"), ("cut", "film.mp4")):
        assert call(kind, name).code == 0

    timeline = otio.adapters.read_from_file("film.otio")
    places = [
        clip.transformed_time_range(clip.trimmed_range(), timeline.tracks)
        for clip in timeline.tracks[0].find_clips()
    ]
    assert [place.start_time.value for place in places] == begins
    assert [place.duration.value for place in places] == list(LENGTHS.values())
    assert {place.start_time.rate for place in places} == {float(rate)}

    listed = otio.adapters.read_from_file("film.edl", rate=nominal)
    assert [clip.range_in_parent().start_time.value for clip in listed.find_clips()] == begins
    assert [clip.source_range.duration.value for clip in listed.find_clips()] == list(LENGTHS.values())

    clips = list(fromstring(Path("film.fcpxml").read_text()).iter("asset-clip"))
    assert [Fraction(str(clip.get("offset")).removesuffix("s")) * rate for clip in clips] == begins

    assert seen(Path("film.mp4")) == whole(*LENGTHS)
    with av.open("film.mp4") as container:
        assert container.streams.video[0].average_rate == rate
        assert container.streams.video[0].frames == total
        assert [one["metadata"]["title"] for one in container.chapters()] == [
            "a-t01",
            "b-t01 · harbour",
            "c-t01 · harbour",
            "d-t01",
        ]


def test_the_links_of_a_timeline_lead_to_the_clips(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed()
    call("otio", "edit/v1/film.otio")
    call("otio", "film.otio", absolute=True)
    below = otio.adapters.read_from_file("edit/v1/film.otio")
    for clip in below.find_clips():
        assert Path("edit/v1", clip.media_reference.target_url).resolve().is_file()
    for clip in otio.adapters.read_from_file("film.otio").find_clips():
        assert clip.media_reference.target_url == Path(f"renders/{clip.name[0]}/{clip.name}.mp4").resolve().as_uri()


def test_it_is_said_what_was_written(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed(NTSC)
    done = call("otio", "film.otio")
    assert done == (0, "film.otio: 4 shots, 29 frames, 00:00:01:05 at 23.976 frames a second\n", "")
    done = call("cut", "film.mp4")
    assert done.out.splitlines() == [
        "film.mp4: 4 shots, 29 frames, 00:00:01:05 at 23.976 frames a second, 96x54",
        "    pictures copied as they are; no sound",
        f"    {CREDENTIALS}",
    ]
    done = call("cut", "film.mp4", slates=True)
    assert "    pictures encoded anew: slates are written into them; no sound\n" in done.out


def test_quiet_says_nothing(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed(but=("b",))
    assert call("otio", "film.otio", quiet=True) == (0, "", "")


def test_a_program_is_told_the_same(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed(NTSC)
    done = call("cut", "film.mp4", json=True)
    assert done.err == ""
    value = json.loads(done.out)
    assert value["vidspec_json"] == 1
    assert {
        key: value[key] for key in ("kind", "file", "rate", "frames", "copied", "sound", "content_credentials")
    } == {
        "kind": "cut",
        "file": "film.mp4",
        "rate": "24000/1001",
        "frames": 29,
        "copied": True,
        "sound": False,
        "content_credentials": False,
    }
    assert value["shots"][1] == {
        "shot": "b",
        "slate": "b-t01",
        "clip": "take",
        "path": "renders/b/b-t01.mp4",
        "missing": False,
        "begin": 7,
        "frames": 12,
        "clip_rate": "24000/1001",
        "clip_frames": 12,
    }


def test_a_draft_stands_in_and_makes_way_in_a_later_export(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed(but=("b",))
    encode(Path(".vidspec/drafts/b-t01.mp4"), 9, 20, Fraction(24))
    done = call("otio", "film.otio")
    assert "warning: drafts stand in for what is not rendered yet: `b-t01`\n" in done.err
    call("cut", "film.mp4")
    assert seen(Path("film.mp4")) == [*whole("a"), *((9, frame) for frame in range(20)), *whole("c", "d")]
    assert urls("film.otio")["b-t01"] == ".vidspec/drafts/b-t01.mp4"

    record("b-t01", encode(Path("renders/b/b-t01.mp4"), 2, 12, Fraction(24)))
    assert call("otio", "film.otio").err == ""
    call("cut", "film.mp4")
    assert urls("film.otio")["b-t01"] == "renders/b/b-t01.mp4"
    assert seen(Path("film.mp4")) == whole(*LENGTHS)


def urls(path: str) -> dict[str, str]:
    return {
        clip.name: getattr(clip.media_reference, "target_url", "")
        for clip in otio.adapters.read_from_file(path).find_clips()
    }


def test_a_timeline_that_was_cut_by_hand_is_linked_anew_and_not_written_over(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed(but=("b",))
    call("otio", "film.otio", flat=True)
    timeline = otio.adapters.read_from_file("film.otio")
    del timeline.tracks[0][0]
    otio.adapters.write_to_file(timeline, "film.otio")
    record("b-t01", encode(Path("renders/b/b-t01.mp4"), 2, 12, Fraction(24)))
    with pytest.raises(UsageError, match="not as an export has left it"):
        call("otio", "film.otio")
    done = call("otio", "new.otio", relink=Path("film.otio"))
    assert done.out == "new.otio: 3 clips linked anew\n"
    assert "warning: not in the cut: `a`\n" in done.err
    assert urls("new.otio") == {name: f"renders/{name[0]}/{name}.mp4" for name in ("b-t01", "c-t01", "d-t01")}
    assert (
        json.loads(call("otio", "film.otio", relink=Path("film.otio"), force=True, json=True).out)["relinked"] == 3
    )


def test_with_nothing_rendered_a_timeline_is_all_gaps_and_a_cut_is_refused(
    shots: Callable[..., Path], call: Callable[..., Done]
) -> None:
    shots(LIST)
    done = call("otio", "film.otio")
    assert done.code == 0
    assert "warning: neither rendered nor drafted: `a-t01`, `b-t01`, `c-t01`, `d-t01`\n" in done.err
    timeline = otio.adapters.read_from_file("film.otio")
    assert all(clip.media_reference.is_missing_reference for clip in timeline.find_clips())
    assert timeline.duration() == otio.opentime.RationalTime(8, 10)
    assert call("fcpxml", "film.fcpxml").code == 0
    for kind, name in (("edl", "film.edl"), ("cut", "film.mp4")):
        with pytest.raises(UsageError, match=r"nothing is rendered|neither rendered nor drafted"):
            call(kind, name)
        assert not Path(name).exists()


def test_a_card_may_stand_where_a_clip_is_missing(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed(but=("b",))
    with pytest.raises(UsageError, match="b-t01 is neither rendered nor drafted"):
        call("cut", "film.mp4")
    assert not Path("film.mp4").exists()
    done = call("cut", "film.mp4", black=True)
    assert "pictures encoded anew: there are black ones among them" in done.out
    found = seen(Path("film.mp4"))
    asked = round(0.2 * 24)
    assert found[:7] == whole("a")
    assert found[7 + asked :] == whole("c", "d")
    assert len(found) == 7 + asked + 10


def test_a_clip_that_is_gone_is_offline_in_a_timeline_and_stops_a_cut(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed()
    Path("renders/b/b-t01.mp4").unlink()
    done = call("otio", "film.otio")
    assert "warning: b-t01: `renders/b/b-t01.mp4` does not exist\n" in done.err
    assert "`vidspec restore shots.yaml` brings back" in done.err
    assert urls("film.otio")["b-t01"] == "renders/b/b-t01.mp4"
    with pytest.raises(UsageError, match="b-t01 cannot be read"):
        call("cut", "film.mp4")


def test_a_clip_without_pictures_is_told_of(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed()
    with av.open("renders/b/b-t01.mp4", "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="stereo")
        silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 44100, 0
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    assert "has no pictures, only sound" in call("edl", "film.edl").err
    with pytest.raises(UsageError, match="has no pictures, only sound"):
        call("cut", "film.mp4")


def test_clips_of_other_sizes_rates_and_codecs_make_one_film(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed()
    record("b-t01", encode(Path("renders/b/b-t01.mp4"), 2, 30, Fraction(30), (192, 108)))
    with av.open("renders/d/d-t01.mkv", "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 96, 54, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(96, 54, "yuv420p")))
        container.mux(stream.encode(None))
    record("d-t01", Path("renders/d/d-t01.mkv"))
    done = call("cut", "film.mp4")
    assert "96x54\n" in done.out
    assert "pictures encoded anew: not 24 frames a second: `b-t01`" in done.out
    found = seen(Path("film.mp4"))
    assert found[:7] == whole("a")
    assert [frame for shot, frame in found[7:31]] == [5 * frame // 4 for frame in range(24)]
    assert {shot for shot, _ in found[7:31]} == {2}
    assert len(found) == 7 + 24 + 1 + 5


def test_rate_size_and_timecode_may_be_wished_for(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed()
    call("cut", "film.mp4", rate="48", size="192x108")
    with av.open("film.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.codec_context.width, stream.frames) == (Fraction(48), 192, 58)
    call("edl", "film.edl", start="01:00:00:00")
    assert "00:00:00:00 00:00:00:07 01:00:00:00 01:00:00:07" in Path("film.edl").read_text()


@pytest.mark.parametrize(
    ("kind", "name", "wishes", "reason"),
    [
        pytest.param("cut", "film.avi", {}, r"does not end in `\.mp4`", id="ending"),
        pytest.param("otio", "film.mp4", {}, r"does not end in `\.otio`", id="another kind's ending"),
        pytest.param("cut", "film.mp4", {"rate": "fast"}, "`--rate`: fast", id="rate"),
        pytest.param("cut", "film.mp4", {"size": "big"}, "`--size`: `big`", id="size"),
        pytest.param("edl", "film.edl", {"start": "1h"}, "`--start`: 1h", id="start"),
        pytest.param("otio", "film.otio", {"chosen": "nowhere"}, "matches nothing", id="selection"),
        pytest.param("cut", "renders/a/a-t01.mp4", {"force": True}, "one of the files that are read", id="a clip"),
        pytest.param("otio", "new.otio", {"relink": Path("gone.otio")}, "cannot be read", id="relink"),
        pytest.param(
            "otio",
            "n.otio",
            {"relink": Path("a.otio"), "flat": True},
            "`--flat` does not go with `--relink`",
            id="flat",
        ),
        pytest.param(
            "otio",
            "n.otio",
            {"relink": Path("a.otio"), "rate": "25"},
            "`--rate` does not go with",
            id="rate of a cut",
        ),
        pytest.param(
            "otio",
            "n.otio",
            {"relink": Path("a.otio"), "start": "01:00:00:00"},
            "`--start` does not",
            id="start of a cut",
        ),
        pytest.param("edl", "film.edl", {"rate": "16"}, "cannot count 16 frames a second", id="rate of a list"),
        pytest.param("otio", "shots.yaml/f.otio", {}, "`shots.yaml` is not a folder", id="below a file"),
        pytest.param("cut", "/proc/film.mp4", {}, "cannot write `/proc/film.mp4`: [a-z]", id="no place for files"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    filmed: Callable[..., None],
    call: Callable[..., Done],
    kind: Kind,
    name: str,
    wishes: dict[str, Any],
    reason: str,
) -> None:
    filmed()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=reason):
        call(kind, name, **wishes)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_more_events_than_every_reader_takes_are_written_and_told_of(
    filmed: Callable[..., None], call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed()
    monkeypatch.setattr("vidspec.export.edl.MOST_EVENTS", 3)
    assert call("edl", "film.edl").err == "warning: some programs read no more than 3 events of such a list\n"
    assert len(re.findall(r"^\d{3}", Path("film.edl").read_text(), re.MULTILINE)) == 4


@pytest.mark.parametrize("rate", [Fraction(16), Fraction(10), Fraction(100)], ids=str)
def test_a_list_of_clips_whose_rate_cannot_be_counted_is_written_at_one_that_can(
    filmed: Callable[..., None], call: Callable[..., Done], rate: Fraction
) -> None:
    filmed(rate)
    other = 60 if rate > 60 else 24
    done = call("edl", "film.edl", start="00:00:01:00")
    reason = f"an edit list cannot count {rate} frames a second, which most clips have"
    assert (done.code, done.err) == (0, f"warning: {reason}: it is written at {other}\n")
    listed = otio.adapters.read_from_file("film.edl", rate=other)
    lengths = [max(1, int(length / rate * other)) for length in LENGTHS.values()]
    assert [clip.source_range.duration.value for clip in listed.find_clips()] == lengths
    assert [clip.range_in_parent().start_time.value for clip in listed.find_clips()] == [
        sum(lengths[:number]) for number in range(4)
    ]
    assert f"00:00:01:00 00:00:01:{lengths[0]:02}\n" in Path("film.edl").read_text()
    given = Path("film.edl").read_text()
    assert call("edl", "film.edl", rate=str(other), start="00:00:01:00").err == ""
    assert Path("film.edl").read_text() == given


def test_what_a_selection_leaves_out_of_a_timeline_is_not_said_to_be_of_another_list(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed()
    call("otio", "some.otio", chosen="a b")
    for options, words in (
        ({"chosen": "c"}, "`--select`"),
        ({"left_out": "a b"}, "`--exclude`"),
        ({"chosen": "b c", "left_out": "b"}, "`--select`, `--exclude`"),
    ):
        with pytest.raises(UsageError) as refused:
            call("otio", "new.otio", relink=Path("some.otio"), **options)
        reason = f"{words} leaves out every clip of `some.otio` that is a shot of this list: `a`, `b`"
        assert str(refused.value) == reason
    assert call("otio", "new.otio", relink=Path("some.otio"), chosen="b c").code == 0


def test_a_timeline_of_a_shot_that_is_skipped_by_now_is_not_said_to_be_of_another_list(
    filmed: Callable[..., None], call: Callable[..., Done], shots: Callable[..., Path]
) -> None:
    filmed()
    call("otio", "some.otio", chosen="a")
    shots(LIST.replace("{id: a,", "{id: a, skip: true,"))
    with pytest.raises(
        UsageError, match=r"`skip` leaves out every clip of `some\.otio` that is a shot of this list: `a`"
    ):
        call("otio", "new.otio", relink=Path("some.otio"))


def test_a_cut_of_what_is_not_rendered_has_the_size_that_the_list_asks_for(
    shots: Callable[..., Path], call: Callable[..., Done]
) -> None:
    shots(LIST)
    assert ", 64x36\n" in call("cut", "film.mp4", black=True).out


def test_a_list_with_errors_is_not_exported(shots: Callable[..., Path], call: Callable[..., Done]) -> None:
    shots("- {id: a, prompt: one, provider: nobody}")
    with pytest.raises(ShotListError):
        call("otio", "film.otio")


def test_without_the_library_a_timeline_is_refused_and_a_cut_is_not(
    filmed: Callable[..., None], call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed()
    monkeypatch.setitem(__import__("sys").modules, "opentimelineio", None)
    for kind, name in (("otio", "film.otio"), ("edl", "film.edl")):
        with pytest.raises(UsageError, match=r"pip install 'vidspec\[otio\]'"):
            call(kind, name)
    assert call("fcpxml", "film.fcpxml").code == 0
    assert call("cut", "film.mp4").code == 0


def test_a_selection_makes_a_film_of_some_shots(filmed: Callable[..., None], call: Callable[..., Done]) -> None:
    filmed()
    call("cut", "film.mp4", chosen="scene:harbour")
    assert seen(Path("film.mp4")) == whole("b", "c")
    call("cut", "film.mp4", left_out="b")
    assert seen(Path("film.mp4")) == whole("a", "c", "d")


def test_what_is_being_made_is_shown_on_a_terminal_and_is_gone_in_the_end(
    filmed: Callable[..., None], call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    done = call("cut", "film.mp4", slates=True)
    assert re.search(r"\r\x1b\[2K.*\d+%  [a-d]-t01, \d of 4", done.err)
    assert done.err.endswith("\r\x1b[2K")


def test_the_bar_is_drawn_seldom_and_in_signs_that_the_stream_has() -> None:
    now = 0.0
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    bar = Bar(Console(stream, colour=False), lambda: now)
    bar.show(0.5, "a-t01")
    bar.show(0.6, "a-t01")
    now = 1.0
    bar.measuring(3, 4)
    stream.flush()
    stream.seek(0)
    assert stream.read() == (
        f"\r\x1b[2K{'#' * 12}{'-' * 12}  50%  a-t01\r\x1b[2K{'#' * 18}{'-' * 6}  75%  3 of 4 clips"
    )


def test_a_disk_that_is_full_in_the_middle_of_a_cut_is_told_of_and_nothing_is_left(
    filmed: Callable[..., None], call: Callable[..., Done]
) -> None:
    filmed()
    with small_files(200), pytest.raises(UsageError) as refused:
        call("cut", "film.mp4", slates=True)
    assert str(refused.value) == f"cannot write `film.mp4`: {os.strerror(errno.EFBIG).lower()}"
    assert not [path for path in Path().iterdir() if path.name.startswith((".film", "film."))]


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_cut_that_is_stopped_leaves_nothing_behind(
    filmed: Callable[..., None], call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed()

    def stop(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vidspec.join.film._copied", stop)
    with pytest.raises(KeyboardInterrupt):
        call("cut", "film.mp4")
    assert not [path for path in Path().iterdir() if path.name.startswith((".film", "film."))]


def test_the_chosen_take_goes_into_the_cut(shots: Callable[..., Path], call: Callable[..., Done]) -> None:
    shots("- {id: a, prompt: one, takes: 3}")
    for number in (1, 2, 3):
        record(f"a-t0{number}", encode(Path(f"renders/a/a-t0{number}.mp4"), number, 5, Fraction(24)))
    (film,), _ = open_lists([Path("shots.yaml")], {}, offline=True)
    lock, _ = film.read()
    found = lock.get("a-t03")
    assert found is not None
    lock.put("a-t03", replace(found, chosen=True))
    Ledger(lock, film.lock_path).write()
    call("cut", "film.mp4")
    assert seen(Path("film.mp4")) == [(3, frame) for frame in range(5)]
    call("otio", "film.otio")
    (clip,) = otio.adapters.read_from_file("film.otio").find_clips()
    assert clip.active_media_reference_key == "a-t03"
    assert sorted(clip.media_references()) == ["a-t01", "a-t02", "a-t03"]
