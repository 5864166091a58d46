"""What there is to be cut, of lists whose clips are made here and recorded by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from vidspec.errors import UsageError
from vidspec.export.gather import gather, warnings
from vidspec.ledger import Ledger
from vidspec.lock import Cost, Output, Record
from vidspec.media import Encoder
from vidspec.project import open_lists
from vidspec.store import file_digest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from vidspec.export.edit import Shot
    from vidspec.project import Opened

TWO = "- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}"


def encode(path: Path, frames: int = 4, rate: Fraction = Fraction(10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Encoder(path, width=64, height=36, rate=rate) as encoder:
        for _ in range(frames):
            encoder.write(Image.new("RGB", (64, 36), "grey"))
    return path


def opened(path: Path) -> Opened:
    (found,), _ = open_lists([path], {}, offline=True)
    return found


def record(film: Opened, slate: str, path: Path, **changes: Any) -> None:
    """Write into the lockfile that a take was rendered to a path."""
    lock, _ = film.read()
    take = next(take for take in film.takes if take.slate == slate)
    output = Output(path=str(path), sha256=file_digest(path), bytes=path.stat().st_size, fps=10.0, duration=0.4)
    made = Record(
        shot=take.shot,
        take=take.number,
        provider=take.provider,
        model=take.model,
        fingerprint=take.fingerprint,
        request=take.request,
        seed=take.seed,
        seed_rule=take.seed_rule,
        request_id="r-1",
        output=output,
        cost=Cost(amount=0.5, currency="usd"),
    )
    lock.put(slate, replace(made, **changes))
    Ledger(lock, film.lock_path).write()


def choose(film: Opened, *slates: str) -> None:
    """Mark takes as chosen that are not rendered."""
    lock, _ = film.read()
    for take in film.takes:
        if take.slate in slates:
            lock.put(take.slate, Record(shot=take.shot, take=take.number, chosen=True))
    Ledger(lock, film.lock_path).write()


def measured(film: Opened, slate: str) -> Output:
    """What is recorded of a clip."""
    found = film.read()[0].get(slate)
    assert found is not None
    assert found.output is not None
    return found.output


def actives(found: list[Shot]) -> list[tuple[str, str]]:
    return [(shot.active.slate, shot.active.kind) for shot in found]


def test_without_anything_rendered_the_first_takes_stand_there_with_the_length_that_was_asked_for(
    shots: Callable[..., Path],
) -> None:
    found = gather(opened(shots(TWO)), None, None)
    assert actives(found) == [("a-t01", "none"), ("b-t01", "none")]
    active = found[0].active
    assert (active.path, active.rate, active.length) == (None, Fraction(10), Fraction(1, 5))
    assert active.facts["prompt"] == "one"
    assert list(warnings(found, "shots.yaml")) == ["neither rendered nor drafted: `a-t01`, `b-t01`"]


def test_the_first_take_that_was_rendered_is_cut_in(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "a-t02", encode(Path("renders/a/a-t02.mp4")))
    assert actives(gather(film, None, None)) == [("a-t02", "take"), ("b-t01", "none")]
    record(film, "a-t01", encode(Path("renders/a/a-t01.mp4")))
    assert actives(gather(film, None, None)) == [("a-t01", "take"), ("b-t01", "none")]


def test_the_take_that_was_chosen_comes_before_all(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "a-t01", encode(Path("renders/a/a-t01.mp4")))
    record(film, "a-t02", encode(Path("renders/a/a-t02.mp4")), chosen=True)
    found = gather(film, None, None)
    assert actives(found)[0] == ("a-t02", "take")
    assert [version.slate for version in found[0].versions] == ["a-t01", "a-t02"]


def test_a_chosen_take_stays_though_the_list_has_fewer_takes_by_now(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "a-t01", encode(Path("renders/a/a-t01.mp4")))
    record(film, "a-t02", encode(Path("renders/a/a-t02.mp4")), chosen=True)
    record(film, "b-t01", encode(Path("renders/b/b-t01.mp4")))
    film = opened(shots("- {id: a, prompt: one}\n- {id: b, prompt: two}"))
    found = gather(film, None, None)
    assert actives(found) == [("a-t02", "take"), ("b-t01", "take")]
    assert found[0].active.facts["prompt"] == "one"
    assert actives(gather(film, "a", None)) == [("a-t01", "take")]


def test_a_draft_stands_in_until_something_is_rendered(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    encode(Path(".vidspec/drafts/a-t01.mp4"))
    encode(Path(".vidspec/drafts/b-t01.mp4"), frames=7)
    record(film, "a-t02", encode(Path("renders/a/a-t02.mp4")))
    found = gather(film, None, None)
    assert actives(found) == [("a-t02", "take"), ("b-t01", "draft")]
    assert found[1].active.path == Path(".vidspec/drafts/b-t01.mp4").resolve()
    assert found[1].active.frames == 7
    assert found[1].active.facts["clip"] == "draft"
    assert list(warnings(found, "shots.yaml")) == ["drafts stand in for what is not rendered yet: `b-t01`"]


def test_a_chosen_take_that_is_not_rendered_makes_way_and_is_told_of(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "a-t01", encode(Path("renders/a/a-t01.mp4")))
    choose(film, "a-t02")
    encode(Path(".vidspec/drafts/a-t02.mp4"))
    (shot,) = gather(film, "a", None)
    assert (shot.active.slate, shot.chosen) == ("a-t01", "a-t02")
    assert list(warnings([shot], "shots.yaml")) == ["chosen and not rendered: `a-t02`; `a-t01` stands in"]


def test_of_several_chosen_takes_that_are_not_rendered_all_are_named_with_those_in_their_place(
    shots: Callable[..., Path],
) -> None:
    film = opened(shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two, takes: 3}"))
    for slate in ("a-t01", "b-t02"):
        record(film, slate, encode(Path(f"renders/{slate}.mp4")))
    choose(film, "a-t02", "b-t03")
    assert list(warnings(gather(film, None, None), "shots.yaml")) == [
        "chosen and not rendered: `a-t02`, `b-t03`; `a-t01`, `b-t02` stand in"
    ]


def test_where_nothing_is_rendered_the_chosen_take_comes_before_the_first(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    choose(film, "a-t02")
    assert actives(gather(film, "a", None)) == [("a-t02", "none")]
    encode(Path(".vidspec/drafts/a-t01.mp4"))
    found = gather(film, "a", None)
    assert actives(found) == [("a-t01", "draft")]
    assert list(warnings(found, "shots.yaml")) == [
        "chosen and not rendered: `a-t02`; `a-t01` stands in",
        "drafts stand in for what is not rendered yet: `a-t01`",
    ]
    encode(Path(".vidspec/drafts/a-t02.mp4"))
    assert actives(gather(film, "a", None)) == [("a-t02", "draft")]


def test_a_chosen_take_that_the_selection_leaves_out_is_told_of(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    for slate in ("a-t01", "a-t02"):
        record(film, slate, encode(Path(f"renders/{slate}.mp4")), chosen=slate == "a-t02" or None)
    found = gather(film, None, "a-t02")
    assert actives(found)[0] == ("a-t01", "take")
    told = list(warnings(found[:1], "shots.yaml"))
    assert told == ["chosen and not among these takes: `a-t02`; `a-t01` stands in"]
    assert not list(warnings(gather(film, "a", None), "shots.yaml"))


def test_a_draft_of_other_settings_than_the_list_has_now_is_told_of(
    shots: Callable[..., Path], vidspec: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two}\n- {id: c, prompt: three}")
    assert vidspec("render", "shots.yaml", "--draft", "-q").returncode == 0
    found = gather(
        opened(shots("- {id: a, prompt: other}\n- {id: b, prompt: two, duration: 0.5}\n- {id: c, prompt: three}")),
        None,
        None,
    )
    assert [shot.active.outdated for shot in found] == [True, True, False]
    stand_in = "drafts stand in for what is not rendered yet"
    old = "drawn from other settings than the list has now"
    assert list(warnings(found, "shots.yaml")) == [
        f"{stand_in}: `a-t01`, `b-t01`, `c-t01`",
        f"{old}: `a-t01`, `b-t01`; `vidspec render shots.yaml --draft` draws them anew",
    ]
    assert list(warnings(found[1:], "shots.yaml"))[1] == (
        f"{old}: `b-t01`; `vidspec render shots.yaml --draft` draws it anew"
    )
    vidspec("render", "shots.yaml", "--draft", "-q")
    found = gather(opened(Path("shots.yaml")), None, None)
    assert list(warnings(found, "shots.yaml")) == [f"{stand_in}: `a-t01`, `b-t01`, `c-t01`"]
    assert found[1].active.frames == 5


def test_a_take_without_a_clip_has_the_size_that_is_recorded_else_asked_for(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    path = encode(Path("renders/b/b-t01.mp4"))
    record(film, "b-t01", path)
    assert [shot.active.size for shot in gather(film, None, None)] == [(64, 36), (64, 36)]
    output = replace(measured(film, "b-t01"), width=320, height=180)
    record(film, "b-t01", path, output=output)
    path.unlink()
    assert [shot.active.size for shot in gather(film, None, None)] == [(64, 36), (320, 180)]


def test_a_selection_leaves_out_shots_and_takes(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "a-t01", encode(Path("renders/a/a-t01.mp4")))
    record(film, "a-t02", encode(Path("renders/a/a-t02.mp4")))
    found = gather(film, "a-t02", None)
    assert actives(found) == [("a-t02", "take")]
    assert len(found[0].versions) == 1
    assert actives(gather(film, None, "a")) == [("b-t01", "none")]
    with pytest.raises(UsageError, match="matches nothing"):
        gather(film, "nowhere", None)


def test_skipped_shots_are_not_cut_in(shots: Callable[..., Path]) -> None:
    found = gather(opened(shots("- {id: a, prompt: one, skip: true}\n- {id: b, prompt: two}")), None, None)
    assert actives(found) == [("b-t01", "none")]
    with pytest.raises(UsageError, match="every shot of the list is skipped"):
        gather(opened(shots("- {id: a, prompt: one, skip: true}")), None, None)


def test_what_is_known_of_a_take_is_what_was_rendered_and_not_what_the_list_says_now(
    shots: Callable[..., Path],
) -> None:
    film = opened(shots(TWO))
    record(film, "b-t01", encode(Path("renders/b/b-t01.mp4")), seed=7, seed_used=8, trace_id="t-1")
    film = opened(shots(TWO.replace("two", "three")))
    (shot,) = gather(film, "b", None)
    facts = shot.active.facts
    assert facts["prompt"] == "two"
    assert facts["state"] == "stale"
    assert (facts["seed"], facts["request_id"], facts["trace_id"]) == (8, "r-1", "t-1")
    assert facts["price"] == {"amount": 0.5, "currency": "usd", "basis": "listed"}
    assert list(warnings([shot], "shots.yaml")) == ["rendered from other settings than the list has now: `b-t01`"]


def test_scene_tags_and_notes_are_the_shots_own(shots: Callable[..., Path]) -> None:
    entry = "- {id: a, prompt: one, scene: harbour, tags: [night], notes: Hold the end.}"
    (shot,) = gather(opened(shots(entry)), None, None)
    assert (shot.scene, shot.tags, shot.notes) == ("harbour", ("night",), "Hold the end.")


def test_a_clip_that_is_gone_keeps_its_place_and_the_length_that_is_recorded(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    path = encode(Path("renders/b/b-t01.mp4"))
    record(film, "b-t01", path)
    path.unlink()
    (shot,) = gather(film, "b", None)
    active = shot.active
    assert (active.kind, active.path, active.footage) == ("take", path.resolve(), None)
    assert (active.frames, active.rate) == (4, Fraction(10))
    assert active.trouble == "`renders/b/b-t01.mp4` does not exist"
    assert list(warnings([shot], "shots.yaml")) == [
        "b-t01: `renders/b/b-t01.mp4` does not exist",
        "`vidspec restore shots.yaml` brings back what is missing or changed, without paying",
    ]


def test_a_clip_that_is_none_is_told_of(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    path = encode(Path("renders/b/b-t01.mp4"))
    record(film, "b-t01", path)
    path.write_bytes(b"no clip" * 400)
    (shot,) = gather(film, "b", None)
    assert shot.active.trouble == "`renders/b/b-t01.mp4` is not a clip that can be read"


def test_another_clip_in_the_place_of_the_recorded_one_is_told_of(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    record(film, "b-t01", encode(Path("renders/b/b-t01.mp4")))
    encode(Path("renders/b/b-t01.mp4"), frames=9)
    (shot,) = gather(film, "b", None)
    assert shot.active.frames == 9
    assert list(warnings([shot], "shots.yaml")) == ["not the files that were rendered: `b-t01`"]


def test_every_clip_is_counted_as_it_is_measured(shots: Callable[..., Path]) -> None:
    film = opened(shots(TWO))
    for slate in ("a-t01", "a-t02", "b-t01"):
        record(film, slate, encode(Path(f"renders/{slate}.mp4")))
    told: list[tuple[int, int]] = []
    gather(film, None, None, tell=lambda number, of: told.append((number, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
