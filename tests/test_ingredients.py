"""Frames of other takes as a model is sent them: exact, kept by digest, and made to fit where a table allows it."""

from __future__ import annotations

import base64
import io
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image, ImageChops, ImageFilter, ImageStat

from vidspec.errors import MediaError
from vidspec.fingerprint import digest
from vidspec.ingredients import Ingredients, Pantry
from vidspec.lock import Lock, Output, Record
from vidspec.media import jpeg
from vidspec.project import open_lists
from vidspec.providers import table
from vidspec.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.capability import Still
    from vidspec.take import Take

Shots = Callable[..., Path]

SEEDANCE = "{provider: leapx, model: doubao-seedance-1-0-pro-250528}"
LIST = "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}"
HEAD = 'providers: {leapx: {base_url: "https://api.leapx.example/v1"}}\n'


def grainy(width: int, height: int) -> bytes:
    """A frame with grain, as films have it, which makes large PNGs."""
    chance = random.Random(7)
    grain = Image.frombytes("L", (width, height), chance.randbytes(width * height)).filter(ImageFilter.BoxBlur(1))
    sky = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge("RGB", [Image.blend(sky.rotate(turn), grain, 0.2) for turn in (0, 90, 180)])
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def takes(shots: Shots) -> dict[str, Take]:
    (opened,), _ = open_lists([shots(LIST, HEAD, defaults=SEEDANCE)], {})
    return {take.slate: take for take in opened.takes}


@pytest.fixture
def ruled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes what the model says of first frames."""

    def rule(**changes: Any) -> None:
        capabilities = table("leapx").models["doubao-seedance-1-0-pro-250528"].capabilities
        given = capabilities["image_to_video"]
        assert given.first_frame is not None
        still: Still = replace(given.first_frame, **changes)
        monkeypatch.setitem(capabilities, "image_to_video", replace(given, first_frame=still))

    return rule


def gathered(takes: Mapping[str, Take], frame: bytes, *, sent: bool = True) -> tuple[Ingredients, Store]:
    """What the second take is made from, when the frame of the first is this one."""
    project = Path.cwd()
    clip = project / takes["a-t01"].output
    clip.parent.mkdir(parents=True, exist_ok=True)
    clip.write_bytes(b"a clip")
    output = Output(path=takes["a-t01"].output, sha256=digest(b"a clip"), bytes=6)
    lock = Lock({"a-t01": Record(shot="a", take=1, fingerprint=digest(b""), output=output)})

    async def frame_of(take: Take, pictures: object, path: Path, at: str | float) -> bytes:
        await trio.lowlevel.checkpoint()
        assert (take.slate, path, at) == ("a-t01", clip, "last")
        return frame

    store = Store(project / ".vidspec")
    pantry = Pantry(project=project, store=store, lock=lambda: lock, take_of=takes, frame=frame_of)

    async def gather() -> Ingredients:
        return await pantry.gather(takes["b-t01"], sent=sent)

    return trio.run(gather), store


def sent_bytes(found: Ingredients) -> bytes:
    head, _, body = found.media["first_frame", 0].partition(",")
    assert head == f"data:image/{'png' if body.startswith('iVBOR') else 'jpeg'};base64"
    return base64.b64decode(body)


def test_a_frame_is_sent_as_it_was_taken_and_kept_by_its_digest(takes: Mapping[str, Take]) -> None:
    frame = grainy(1280, 720)
    found, store = gathered(takes, frame)
    assert sent_bytes(found) == frame == found.pictures["first_frame", 0]
    assert found.request["first_frame"] == digest(frame)
    assert store.place(digest(frame)).read_bytes() == frame
    of = digest(b"a clip")
    assert found.frames == {"first_frame": {"slate": "a-t01", "at": "last", "of": of, "sha256": digest(frame)}}
    assert found.notes == []


def test_a_frame_that_is_too_large_a_file_is_sent_as_a_jpeg_and_that_is_said(
    takes: Mapping[str, Take], ruled: Callable[..., None]
) -> None:
    frame = grainy(1280, 720)
    ruled(max_bytes=len(frame) - 1)
    found, store = gathered(takes, frame)
    data = sent_bytes(found)
    assert data.startswith(b"\xff\xd8\xff")
    assert len(data) < len(frame)
    (note,) = found.notes
    assert note.startswith("`doubao-seedance-1-0-pro-250528` does not take `last of a-t01`: it is 1.")
    assert note.endswith(f" MB; it was sent as a JPEG of {len(data) / 1e6:.1f} MB")
    assert found.pictures["first_frame", 0] == data
    assert found.request["first_frame"] == found.frames["first_frame"]["sha256"] == digest(data)
    assert store.place(digest(data)).read_bytes() == data


def test_a_frame_is_sent_as_a_jpeg_to_a_model_that_takes_nothing_else(
    takes: Mapping[str, Take], ruled: Callable[..., None]
) -> None:
    ruled(formats=("jpeg",))
    found, _ = gathered(takes, grainy(640, 360))
    assert sent_bytes(found).startswith(b"\xff\xd8\xff")
    assert found.notes[0].partition("; it was sent")[0].endswith("`last of a-t01`: it is a png")


def test_a_frame_that_is_drawn_from_and_not_sent_is_never_changed(
    takes: Mapping[str, Take], ruled: Callable[..., None]
) -> None:
    frame = grainy(1280, 720)
    ruled(max_bytes=1000)
    found, _ = gathered(takes, frame, sent=False)
    assert found.pictures["first_frame", 0] == frame
    assert (found.media, found.notes) == ({}, [])


@pytest.mark.parametrize(
    ("rule", "size", "said"),
    [
        pytest.param({"max_bytes": 9000}, (1280, 720), "it is 1.", id="too large even as a JPEG"),
        pytest.param({"max_bytes": 500_000, "formats": ("png", "webp")}, (1280, 720), "it is 1.", id="no JPEG"),
        pytest.param(
            {"max_bytes": 500_000, "formats": ()}, (1280, 720), "it is 1.", id="formats that nobody knows"
        ),
        pytest.param({"max_side": 1000}, (1280, 720), "it is 1280x720 pixels", id="too wide"),
        pytest.param({"min_side": 300}, (512, 288), "it is 512x288 pixels", id="too low"),
        pytest.param({"max_bytes": 900_000, "max_side": 1000}, (1280, 720), "it is 1", id="too large and too wide"),
        pytest.param({"formats": ("webp",)}, (640, 360), "it is a png", id="neither PNG nor JPEG"),
    ],
)
def test_what_no_table_allows_to_be_mended_is_an_error_before_anything_is_sent(
    takes: Mapping[str, Take], ruled: Callable[..., None], rule: dict[str, Any], size: tuple[int, int], said: str
) -> None:
    ruled(**rule)
    with pytest.raises(MediaError, match=f"does not take `last of a-t01`: {said}"):
        gathered(takes, grainy(*size))


def test_a_frame_as_a_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    frame = grainy(640, 360)
    data = jpeg(frame, 10_000_000)
    assert data is not None
    with Image.open(io.BytesIO(data)) as small, Image.open(io.BytesIO(frame)) as whole:
        assert small.size == whole.size
        found = ImageStat.Stat(ImageChops.difference(small.convert("RGB"), whole))
    assert max(found.mean) < 2
    assert max(high for _, high in found.extrema) <= 16
    smaller = jpeg(frame, len(data) - 1)
    assert smaller is not None
    assert len(smaller) < len(data)
    assert jpeg(frame, 1000) is None


# --- frames of frames ----------------------------------------------------------------------------------------

CHAIN = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three, first_frame: {shot: b}}
"""


class Frames:
    """Takes frames, and remembers of what."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str | float, list[bytes]]] = []

    async def __call__(
        self, take: Take, pictures: Mapping[tuple[str, int], bytes], path: Path, at: str | float
    ) -> bytes:
        await trio.lowlevel.checkpoint()
        self.taken.append((take.slate, at, list(pictures.values())))
        return f"{at} of {take.slate}".encode()


def chained(entries: str, shots: Shots, *, kept: bool, last: str, defaults: str | None = None) -> Frames:
    """The frames that are taken for a take of a list whose other takes are all there."""
    (opened,), _ = open_lists([shots(entries, **({"defaults": defaults} if defaults else {}))], {})
    takes = {take.slate: take for take in opened.takes}
    project, lock = Path.cwd(), Lock()
    store = Store(project / ".vidspec")
    for take in takes.values():
        clip = take.slate.encode()
        (project / take.output).parent.mkdir(parents=True, exist_ok=True)
        (project / take.output).write_bytes(clip)
        frames = {
            given.setting: {
                **given.frame.value(),
                "of": digest(given.frame.slate.encode()),
                "sha256": store.keep_bytes(b"as it was kept") if kept else digest(b"gone"),
            }
            for given in take.inputs
            if given.frame is not None
        }
        output = Output(path=take.output, sha256=digest(clip), bytes=len(clip))
        record = Record(
            shot=take.shot,
            take=1,
            fingerprint=digest(b""),
            request=dict(take.request),
            frames=frames,
            output=output,
        )
        lock.put(take.slate, record)
    taker = Frames()
    pantry = Pantry(project=project, store=store, lock=lambda: lock, take_of=takes, frame=taker)

    async def gather() -> None:
        found = await pantry.gather(takes[last], sent=False)
        taker.taken.append((last, "made", list(found.pictures.values())))

    trio.run(gather)
    return taker


def test_what_a_clip_was_made_from_is_not_taken_again_where_it_is_kept(shots: Shots) -> None:
    assert chained(CHAIN, shots, kept=True, last="c-t01").taken == [
        ("b-t01", "last", [b"as it was kept"]),
        ("c-t01", "made", [b"last of b-t01"]),
    ]


def test_what_a_clip_was_made_from_is_taken_again_where_it_is_kept_no_more(shots: Shots) -> None:
    assert chained(CHAIN, shots, kept=False, last="c-t01").taken == [
        ("a-t01", "last", []),
        ("b-t01", "last", [b"last of a-t01"]),
        ("c-t01", "made", [b"last of b-t01"]),
    ]


def test_another_frame_than_the_one_that_a_clip_was_made_from_is_taken_anew(shots: Shots) -> None:
    (opened,), _ = open_lists([shots(CHAIN)], {})
    take = opened.takes[1]
    (given,) = take.inputs
    store = Store(Path.cwd() / ".vidspec")
    source = {"slate": "a-t01", "at": "first", "of": digest(b"a"), "sha256": store.keep_bytes(b"kept")}
    pantry = Pantry(project=Path.cwd(), store=store, lock=Lock, take_of={}, frame=Frames())
    record = Record(shot="b", take=1, frames={"first_frame": source})
    found = Ingredients(request=dict(take.request))
    assert not pantry._add_kept(given, record, found)
    at_last = replace(record, frames={"first_frame": {**source, "at": "last"}})
    assert pantry._add_kept(given, at_last, found)
    assert found.pictures == {("first_frame", 0): b"kept"}
    outside = Path.cwd() / "private.png"
    outside.write_bytes(b"of somebody else")
    for sha256 in (f"sha256:xx{outside}", f"sha256:{'0' * 64}", 7, None):
        bent = replace(record, frames={"first_frame": {**source, "at": "last", "sha256": sha256}})
        assert not pantry._add_kept(given, bent, found)
    store.place(str(source["sha256"])).write_bytes(b"damaged")
    assert not pantry._add_kept(given, at_last, found)


def test_a_remix_is_drawn_from_where_its_clip_begins(shots: Shots) -> None:
    remix = (
        "- {id: a, prompt: one}\n- {id: b, prompt: two, remix_of: {shot: a}, resolution: null, aspect_ratio: null}"
    )
    sora = '{provider: nebula, model: sora-2, resolution: 720p, aspect_ratio: "16:9"}'
    assert chained(remix, shots, kept=False, last="b-t01", defaults=sora).taken == [
        ("a-t01", "first", []),
        ("b-t01", "made", [b"first of a-t01"]),
    ]


@pytest.mark.slow
def test_a_chain_of_which_the_last_is_made_later_may_be_as_long_as_a_list(
    shots: Shots, vidspec: Callable[..., Any]
) -> None:
    """Longer than Python lets calls be inside of calls."""
    count = sys.getrecursionlimit() // 3
    entries = "- {id: s0, prompt: x, duration: 0.1}\n" + "".join(
        f"- {{id: s{number}, prompt: x, duration: 0.1, first_frame: {{shot: s{number - 1}}}}}\n"
        for number in range(1, count)
    )
    shots(entries, defaults="{provider: animatic, size: 16x16, fps: 10}")
    assert vidspec("render", "shots.yaml", "--exclude", f"s{count - 1}").returncode == 0
    assert vidspec("render", "shots.yaml").returncode == 0
