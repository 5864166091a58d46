from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from vidspec import animatic, studio
from vidspec.media import probe
from vidspec.providers import PROVIDERS, table
from vidspec.shape import Size
from vidspec.take import Frame, Input, Take

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.animatic import Drawing


def take(request: dict[str, Any], **fields: Any) -> Take:
    given = {
        "slate": "a-t01",
        "shot": "a",
        "number": 1,
        "scene": "pier",
        "tags": (),
        "provider": "animatic",
        "model": "animatic",
        "mode": "text_to_video",
        "request": request,
        "defaulted": frozenset(),
        "seed": 7,
        "seed_rule": "auto",
        "inputs": (),
        "output": "a.mp4",
        "variables": {},
    }
    return Take(**{**given, **fields})


def png(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 9)).save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """What would have been drawn."""
    drawn: list[Drawing] = []
    monkeypatch.setattr(animatic, "draw", lambda one, path, progress: drawn.append(one))
    return drawn


@pytest.mark.parametrize(
    ("request_", "picture", "size"),
    [
        ({"size": "1366x768"}, None, (1366, 768)),
        ({"resolution": "720p", "aspect_ratio": "9:16"}, None, (720, 1280)),
        ({"resolution": "480p"}, None, (854, 480)),
        ({"resolution": "480p"}, Size(300, 600), (480, 960)),
        ({"resolution": "480p", "aspect_ratio": "1:1"}, Size(300, 600), (480, 480)),
        ({"resolution": "720p", "aspect_ratio": "adaptive"}, Size(100, 100), (720, 720)),
        ({}, None, (1280, 720)),
        ({"resolution": "4k"}, None, (1280, 720)),
    ],
    ids=str,
)
def test_the_size_is_what_the_request_promises(
    request_: dict[str, Any], picture: Size | None, size: tuple[int, int]
) -> None:
    assert studio.size_of(take(request_), picture) == size


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_shape_that_a_provider_offers_can_be_drafted(provider: str) -> None:
    """H.264 takes even sizes only; one odd row in a table would end a whole run of drafts."""
    shapes = 0
    for model in table(provider).models.values():
        for capability in model.capabilities.values():
            for tier, ratios in (capability.shape.tiers if capability.shape else {}).items():
                for ratio, size in ratios.items():
                    request = {"resolution": tier, "aspect_ratio": ratio, **({"size": size} if size else {})}
                    found = studio.size_of(take(request), Size(1001, 667))
                    assert found.width % 2 == found.height % 2 == 0, (model.name, request)
                    assert size is None or str(found) == size
                    shapes += 1
    assert shapes or not any(
        capability.shape and capability.shape.tiers
        for model in table(provider).models.values()
        for capability in model.capabilities.values()
    )


def test_a_request_is_drawn_with_all_that_it_says(drawing: list[Drawing], tmp_path: Path) -> None:
    request = {"prompt": "rain", "size": "64x36", "duration": 0.5, "fps": 12, "camera": ["push in"]}
    pictures = {("first_frame", 0): png(8, 8), ("references", 1): b"b", ("references", 0): b"a"}
    studio.draw(take(request), pictures, tmp_path / "a.mp4", title="Film")
    (one,) = drawing
    assert (one.prompt, one.title, one.scene, one.slate) == ("rain", "Film", "pier", "a-t01")
    assert (one.width, one.height, one.duration, one.fps, one.seed) == (64, 36, 0.5, 12, 7)
    assert one.camera == ("push in",)
    assert one.first_frame == pictures["first_frame", 0]
    assert one.references == (b"a", b"b")
    assert (one.label, one.note) == ("animatic", "text to video")


def test_what_a_request_does_not_say_is_as_the_contract_says(drawing: list[Drawing], tmp_path: Path) -> None:
    studio.draw(take({}), {}, tmp_path / "a.mp4", title="")
    (one,) = drawing
    assert (one.width, one.height, one.fps, one.duration) == (1280, 720, 24, 5)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"mode": "remix", "request": {"remix_of": "video_1"}}, "remix of video_1"),
        (
            {
                "mode": "remix",
                "request": {"remix_of": "sha256:0"},
                "inputs": (Input(setting="remix_of", frame=Frame(slate="b-t02", at=None)),),
            },
            "remix of b-t02",
        ),
        (
            {"inputs": (Input(setting="first_frame", url="https://cdn.example.com/a.png?token=secret"),)},
            "text to video, first frame: cdn.example.com",
        ),
        ({"request": {"audio": True}}, "text to video, sound"),
    ],
    ids=["remix of an id", "remix of a take", "address", "sound"],
)
def test_what_cannot_be_drawn_is_named(
    drawing: list[Drawing], tmp_path: Path, fields: dict[str, Any], note: str
) -> None:
    studio.draw(take(**{"request": {}, **fields}), {}, tmp_path / "a.mp4", title="")
    assert drawing[0].note == note


def test_a_remote_model_is_named_with_its_provider(drawing: list[Drawing], tmp_path: Path) -> None:
    studio.draw(take({}, provider="minimax", model="MiniMax-Hailuo-02"), {}, tmp_path / "a.mp4", title="")
    assert drawing[0].label == "minimax · MiniMax-Hailuo-02"


def test_a_drawing_is_a_clip_of_that_size_and_length(tmp_path: Path) -> None:
    shares: list[tuple[int, int]] = []
    request = {"prompt": "rain", "size": "64x36", "duration": 0.5, "fps": 12}
    studio.draw(
        take(request), {}, tmp_path / "a.mp4", title="", progress=lambda done, of: shares.append((done, of))
    )
    found = probe(tmp_path / "a.mp4")
    assert (found.width, found.height, found.frames) == (64, 36, 6)
    assert shares[-1] == (6, 6)


def test_only_what_needs_no_key_is_local() -> None:
    assert [name for name in PROVIDERS if studio.is_local(name)] == ["animatic"]
