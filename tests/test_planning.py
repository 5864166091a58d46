from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import fingerprint
from vidspec.difference import as_recorded, differences
from vidspec.lock import Lock, Output, Record
from vidspec.planning import plan
from vidspec.project import open_lists
from vidspec.take import Frame, Input, Take

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.planned import Plan, Planned

Shots = Callable[..., "Path"]


@dataclass
class Disk:
    """What stands in the project folder, and which clips are kept."""

    sizes: dict[str, int] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)

    def is_altered(self, output: str, digest: str) -> bool:
        return output in self.altered

    def size(self, output: str) -> int | None:
        return self.sizes.get(output)

    def holds(self, digest: str) -> bool:
        return digest in self.kept


def digest(text: str) -> str:
    return fingerprint.digest(text.encode())


def record_of(take: Take, *, clip: str = "", frames: Mapping[str, Any] | None = None) -> Record:
    """What a render of a take leaves in the lockfile; its clip is a word of four letters."""
    return Record(
        shot=take.shot,
        take=take.number,
        provider=take.provider,
        model=take.model,
        fingerprint=take.fingerprint,
        request=dict(take.request),
        defaulted=tuple(take.defaulted),
        seed=take.seed if take.seed_rule != "random" else 77,
        seed_rule=None if take.seed_rule == "none" else take.seed_rule,
        frames=frames,
        output=Output(path=take.output, sha256=digest(clip or take.slate), bytes=4),
    )


def rendered(takes: list[Take]) -> tuple[Lock, Disk]:
    """The lock and the disk after all takes have been rendered. Frames are the word of their clip and place."""
    lock, disk = Lock(), Disk()
    for take in takes:
        frames: dict[str, Any] = {}
        request = dict(take.request)
        for given in take.inputs:
            if given.frame:
                of = digest(given.frame.slate)
                png = digest(f"{of} {given.frame.at}")
                frames[given.setting] = {**given.frame.value(), "of": of, "sha256": png}
                request[given.setting] = png
        lock.put(take.slate, record_of(replace(take, request=request), frames=frames or None))
        disk.sizes[take.output] = 4
        disk.kept.add(digest(take.slate))
    return lock, disk


def opened(path: Path) -> list[Take]:
    (one,), _ = open_lists([path], {})
    return one.takes


def actions(found: Plan) -> dict[str, str]:
    return {planned.slate: planned.action for planned in found.takes}


# --- edits -----------------------------------------------------------------------------------------------------

EDITS = [
    ("prompt: old", "prompt: new", ["prompt: old → new"]),
    ("{prompt: x, duration: 1}", "{prompt: x, duration: 2}", ["duration: 1 → 2"]),
    ("{prompt: x, duration: 1}", "{prompt: x}", ["duration: 1 → 0.2"]),
    ("{prompt: x, fps: null}", "{prompt: x, fps: 12}", ["fps: 24 → 12"]),
    ("{prompt: x, camera: [push in]}", "{prompt: x}", ["camera: push in → none"]),
    ("{prompt: x}", "{prompt: x, camera: [push in, shake]}", ["camera: none → push in, shake"]),
    ("{prompt: x, size: 64x36}", "{prompt: x, size: 36x64}", ["size: 64x36 → 36x64"]),
    ("{prompt: x, size: 64x36}", "{prompt: x, size: null}", ["size: 64x36 → 1280x720"]),
    ("{prompt: x, resolution: 480p}", "{prompt: x, resolution: 720p}", ["size: 854x480 → 1280x720"]),
    (
        '{prompt: x, size: null, resolution: 480p, aspect_ratio: "9:16"}',
        "{prompt: x, size: null, resolution: 480p}",
        ["size: 480x854 → 854x480"],
    ),
    ("{prompt: x, seed: 7}", "{prompt: x, seed: 8}", ["seed: 7 → 8"]),
    ("{prompt: x, seed: 7}", "{prompt: x, seed: random}", ["seed: 7 → random"]),
    ("{prompt: x, seed: random}", "{prompt: x, seed: 7}", ["seed: 77 → 7"]),
    ("{prompt: x, takes: [7]}", "{prompt: x, takes: [9]}", ["seed: 7 → 9"]),
    ("{prompt: x, first_frame: a.png}", "{prompt: x}", ["first_frame: sha256:"]),
    ("{prompt: x, first_frame: a.png}", "{prompt: x, last_frame: a.png}", ["last_frame: none →", "first_frame: "]),
    ("{prompt: x, references: [a.png, b.png]}", "{prompt: x, references: [b.png, a.png]}", ["references: sha256:"]),
]


@pytest.mark.parametrize(("before", "after", "reasons"), EDITS, ids=[f"{old} to {new}" for old, new, _ in EDITS])
def test_an_edit_makes_the_take_stale_and_names_what_changed(
    shots: Shots, project: Path, before: str, after: str, reasons: list[str]
) -> None:
    from PIL import Image

    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (64, 36), (number, 0, 0)).save(project / name)

    def entry(text: str) -> str:
        body = text if text.startswith("{") else f"{{{text}}}"
        return f"- {{id: s, {body[1:]}"

    lock, disk = rendered(opened(shots(entry(before))))
    (found,) = plan(opened(shots(entry(after))), lock, disk).takes
    assert (found.action, found.state) == ("render", "stale")
    assert len(found.reasons) == len(reasons)
    assert all(reason.startswith(start) for reason, start in zip(found.reasons, reasons, strict=True))


SAME = [
    ("prompt: x", "prompt: x, notes: a rainy night, tags: [night], scene: pier"),
    ("prompt: x, audio: false, watermark: false", "prompt: x"),
    ("prompt: x, fps: null", "prompt: x, fps: 24"),
    ("prompt: x, size: 1280x720", "prompt: x, size: null"),
    ("prompt: x, size: 1280x720", 'prompt: x, size: null, resolution: 720p, aspect_ratio: "16:9"'),
    ('prompt: x, size: null, resolution: 720p, aspect_ratio: "16:9"', "prompt: x, size: 1280x720"),
    ("prompt: x, takes: 1", "prompt: x, takes: 3"),
    ("prompt: x", "prompt: x, seed: auto"),
    ('prompt: "x"', "prompt: \"{{ 'x' }}\""),
]


@pytest.mark.parametrize(("before", "after"), SAME, ids=[f"{old} to {new}" for old, new in SAME])
def test_what_changes_nothing_that_is_sent_leaves_the_take_alone(shots: Shots, before: str, after: str) -> None:
    lock, disk = rendered(opened(shots(f"- {{id: s, {before}}}")))
    found = plan(opened(shots(f"- {{id: s, {after}}}")), lock, disk).takes[0]
    assert (found.action, found.state, found.reasons) == ("keep", "done", ())


NEBULA = "{provider: nebula, prompt: x, audio: false}"


@pytest.mark.parametrize(
    ("model", "before", "after"),
    [
        ("veo-3.0-generate-001", "size: 1280x720", 'resolution: 720p, aspect_ratio: "16:9"'),
        ("doubao-seedance-1-0-pro-250528", "size: 1280x720", 'resolution: 720p, aspect_ratio: "16:9"'),
        ("wan2.5-i2v-preview", "first_frame: a.png, size: 1280x720", "first_frame: a.png, resolution: 720p"),
    ],
)
def test_one_shape_said_in_another_way_leaves_the_take_alone_whatever_the_model_is_sent(
    shots: Shots, project: Path, model: str, before: str, after: str
) -> None:
    from PIL import Image

    Image.new("RGB", (1280, 720)).save(project / "a.png")
    for one, other in ((before, after), (after, before)):
        lock, disk = rendered(opened(shots(f"- {{id: s, model: {model}, {one}}}", defaults=NEBULA)))
        found = plan(opened(shots(f"- {{id: s, model: {model}, {other}}}", defaults=NEBULA)), lock, disk).takes[0]
        assert (found.action, found.reasons) == ("keep", ())
    larger = other.replace("1280x720", "1920x1080").replace("720p", "1080p")
    found = plan(opened(shots(f"- {{id: s, model: {model}, {larger}}}", defaults=NEBULA)), lock, disk).takes[0]
    assert found.action == "render"


def test_a_setting_removed_after_a_render_for_another_reason_makes_the_take_stale(shots: Shots) -> None:
    """What was written stays written in the record, also when the take is rendered anew with it."""
    lock, disk = rendered(opened(shots("- {id: s, prompt: old, resolution: 480p}")))
    (second,) = plan(opened(shots("- {id: s, prompt: new, resolution: 480p}")), lock, disk).takes
    assert second.record is not None
    lock.put("s-t01", record_of(as_recorded(second.take, second.record)))
    (third,) = plan(opened(shots("- {id: s, prompt: new, size: null}")), lock, disk).takes
    assert third.reasons == ("size: 854x480 → 1280x720",)


# --- tables that change ----------------------------------------------------------------------------------------


@pytest.fixture
def take() -> Take:
    return Take(
        slate="s-t01",
        shot="s",
        number=1,
        scene=None,
        tags=(),
        provider="animatic",
        model="animatic",
        mode="text_to_video",
        request={"mode": "text_to_video", "prompt": "x", "size": "1280x720", "duration": 5, "fps": 24},
        defaulted=frozenset({"size", "duration", "fps"}),
        seed=7,
        seed_rule="auto",
        inputs=(),
        output="renders/s/s-t01.mp4",
        variables={},
    )


def one(take: Take, record: Record, **disk: Any) -> Planned:
    (found,) = plan([take], Lock({take.slate: record}), Disk(**{"sizes": {take.output: 4}, **disk})).takes
    return found


@pytest.mark.parametrize(
    "then",
    [
        pytest.param({"duration": 4}, id="another default length"),
        pytest.param(
            {"size": "1920x1080", "resolution": "1080p", "aspect_ratio": "16:9"}, id="another default size"
        ),
        pytest.param({"size": None}, id="no default size"),
        pytest.param({"fps": None}, id="a default that there was not"),
        pytest.param({"enhance_prompt": True}, id="a default that is no more"),
        pytest.param({"audio": False}, id="a switch that was off"),
    ],
)
def test_a_default_that_has_changed_leaves_a_finished_take_alone(take: Take, then: dict[str, Any]) -> None:
    request = {key: value for key, value in {**take.request, **then}.items() if value is not None}
    defaulted = frozenset(request) - {"mode", "prompt"}
    record = record_of(replace(take, request=request, defaulted=defaulted))
    assert one(take, record).action == "keep"
    edited = replace(take, request={**take.request, "prompt": "y"})
    found = one(edited, record)
    assert found.reasons == ("prompt: x → y",)
    assert found.take.request == {**request, "prompt": "y"}


@pytest.mark.parametrize("then", [("none", None), ("auto", 99)], ids=["no seed", "another seed from the slate"])
def test_a_seed_that_nobody_wrote_may_change_in_the_table(take: Take, then: tuple[Any, int | None]) -> None:
    record = record_of(replace(take, seed_rule=then[0], seed=then[1]))
    assert one(take, record).action == "keep"
    assert one(replace(take, seed_rule="none", seed=None), record).action == "keep"


def test_defaults_of_one_model_are_not_sent_to_another(take: Take) -> None:
    record = record_of(
        replace(take, provider="minimax", model="MiniMax-Hailuo-02", request={**take.request, "duration": 6})
    )
    found = one(take, record)
    assert found.reasons == (
        "provider: minimax → animatic",
        "model: MiniMax-Hailuo-02 → animatic",
        "duration: 6 → 5",
    )
    assert found.take.request["duration"] == 5


def test_defaults_of_one_mode_are_not_sent_in_another(take: Take) -> None:
    record = record_of(take)
    request = {**take.request, "mode": "image_to_video", "first_frame": digest("a"), "size": "720x1280"}
    found = one(replace(take, mode="image_to_video", request=request), record)
    assert found.take.request["size"] == "720x1280"


def test_a_size_that_follows_the_picture_follows_the_new_picture(take: Take) -> None:
    first = {**take.request, "mode": "image_to_video", "first_frame": digest("a")}
    wide = replace(take, mode="image_to_video", request=first)
    tall = replace(wide, request={**first, "first_frame": digest("b"), "size": "720x1280"})
    found = one(tall, record_of(wide))
    assert found.take.request["size"] == "720x1280"
    assert "size: 1280x720 → 720x1280" in found.reasons


def test_a_random_seed_is_drawn_once_and_then_kept(take: Take) -> None:
    rolled = replace(take, seed=None, seed_rule="random")
    record = record_of(rolled)
    assert one(rolled, record).action == "keep"
    edited = replace(rolled, request={**take.request, "prompt": "y"})
    assert one(edited, record).take.seed == 77


# --- clips on disk -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "kept", "action", "state", "reason"),
    [
        (4, False, "keep", "done", None),
        (None, True, "restore", "missing", "the output is missing"),
        (None, False, "render", "missing", "the output is missing"),
        (9, True, "restore", "changed", "the output is 9 bytes, not 4"),
        (9, False, "render", "changed", "the output is 9 bytes, not 4"),
        (0, True, "restore", "changed", "the output is 0 bytes, not 4"),
    ],
    ids=["there", "missing, kept", "missing, lost", "foreign, kept", "foreign, lost", "empty, kept"],
)
def test_a_clip_that_is_not_there_is_restored_where_it_is_kept(
    take: Take, size: int | None, kept: bool, action: str, state: str, reason: str | None
) -> None:
    sizes = {} if size is None else {take.output: size}
    found = one(take, record_of(take), sizes=sizes, kept={digest(take.slate)} if kept else set())
    assert (found.action, found.state) == (action, state)
    assert found.reasons == ((reason,) if reason else ())
    assert (found.cost is None) == (action != "render")


@pytest.mark.parametrize(
    ("sizes", "action"),
    [({"old.mp4": 4}, "restore"), ({"old.mp4": 5}, "render"), ({}, "render"), ({"renders/s/s-t01.mp4": 4}, "keep")],
    ids=["the clip at its old place", "another clip there", "nothing there", "moved by hand"],
)
def test_an_output_with_a_new_name_is_brought_from_the_old_place(
    take: Take, sizes: dict[str, int], action: str
) -> None:
    record = record_of(replace(take, output="old.mp4"))
    found = one(take, record, sizes=sizes)
    assert found.action == action
    assert found.reasons == (() if action == "keep" else ("output: old.mp4 → renders/s/s-t01.mp4",))


def test_an_edit_undone_brings_the_former_clip_back_free(take: Take) -> None:
    old, new = record_of(take, clip="old!"), record_of(replace(take, request={**take.request, "prompt": "y"}))
    found = one(take, new.superseding(old), kept={digest("old!")})
    assert (found.action, found.state, found.cost) == ("restore", "stale", None)
    assert found.reasons == ("prompt: y → x", "it was rendered so before")
    assert found.record is not None
    assert found.record == replace(old, superseded=(new,))
    assert one(take, new.superseding(old)).action == "render"


# --- chains ------------------------------------------------------------------------------------------------------

CHAIN = """
- {id: a, prompt: %s}
- {id: b, prompt: two, first_frame: {shot: a, at: last}}
- {id: c, prompt: three, first_frame: {shot: b, at: 0.1}}
- {id: d, prompt: four}
"""


def test_what_needs_a_new_take_waits_for_it(shots: Shots) -> None:
    found = plan(opened(shots(CHAIN % "one")), Lock(), Disk())
    assert actions(found) == {"a-t01": "render", "b-t01": "wait", "c-t01": "wait", "d-t01": "render"}
    assert [planned.reasons for planned in found.takes] == [
        ("never rendered",),
        ("needs a-t01 first",),
        ("needs b-t01 first",),
        ("never rendered",),
    ]


def test_a_finished_chain_is_finished(shots: Shots) -> None:
    takes = opened(shots(CHAIN % "one"))
    assert set(actions(plan(takes, *rendered(takes))).values()) == {"keep"}


def test_a_change_upstream_makes_all_behind_it_stale(shots: Shots) -> None:
    lock, disk = rendered(opened(shots(CHAIN % "one")))
    found = plan(opened(shots(CHAIN % "uno")), lock, disk)
    assert actions(found) == {"a-t01": "render", "b-t01": "wait", "c-t01": "wait", "d-t01": "keep"}
    assert [planned.reasons for planned in found.takes][:3] == [
        ("prompt: one → uno",),
        ("first_frame: a-t01 will be rendered anew",),
        ("first_frame: b-t01 will be rendered anew",),
    ]
    assert {planned.state for planned in found.takes[:3]} == {"stale"}


def test_an_upstream_clip_that_is_restored_makes_nothing_stale(shots: Shots) -> None:
    takes = opened(shots(CHAIN % "one"))
    lock, disk = rendered(takes)
    del disk.sizes["renders/a/a-t01.mp4"]
    assert actions(plan(takes, lock, disk)) == {
        "a-t01": "restore", "b-t01": "keep", "c-t01": "keep", "d-t01": "keep",
    }  # fmt: skip


def test_an_upstream_clip_that_must_be_made_again_may_be_another(shots: Shots) -> None:
    """A plan that says nothing of what follows would cost more than it showed, a run later."""
    takes = opened(shots(CHAIN % "one"))
    lock, disk = rendered(takes)
    del disk.sizes["renders/a/a-t01.mp4"]
    disk.kept.clear()
    assert actions(plan(takes, lock, disk)) == {
        "a-t01": "render", "b-t01": "wait", "c-t01": "wait", "d-t01": "keep",
    }  # fmt: skip


def test_an_upstream_that_was_rendered_anew_since_makes_its_dependants_stale(shots: Shots) -> None:
    takes = opened(shots(CHAIN % "one"))
    lock, disk = rendered(takes)
    lock.put("a-t01", record_of(takes[0], clip="anew"))
    found = plan(takes, lock, disk)
    assert found.takes[1].reasons == ("first_frame: a-t01 was rendered anew",)
    assert actions(found) == {"a-t01": "keep", "b-t01": "render", "c-t01": "wait", "d-t01": "keep"}


@pytest.mark.parametrize(
    ("place", "told"),
    [("first", "first of a-t01"), ("0.1", "0.1 s of a-t01"), ("last, take: 2", "last of a-t02")],
    ids=["first", "a time", "another take"],
)
def test_another_frame_of_the_same_take_makes_the_take_stale(shots: Shots, place: str, told: str) -> None:
    entries = "- {{id: a, prompt: one, takes: 2}}\n- {{id: b, prompt: two, first_frame: {{shot: a, at: {}}}}}"
    lock, disk = rendered(opened(shots(entries.format("last"))))
    found = plan(opened(shots(entries.format(place))), lock, disk).takes[-1]
    assert found.action == "render"
    assert found.reasons == (f"first_frame: last of a-t01 → {told}",)


def test_a_chain_may_be_written_backwards_and_be_as_long_as_a_list(shots: Shots) -> None:
    count = 3000
    takes = [
        Take(
            slate=f"s{number:05}-t01",
            shot=f"s{number:05}",
            number=1,
            scene=None,
            tags=(),
            provider="animatic",
            model="animatic",
            mode="image_to_video",
            request={"mode": "image_to_video", "first_frame": {}},
            defaulted=frozenset(),
            seed=1,
            seed_rule="auto",
            inputs=(Input(setting="first_frame", frame=Frame(slate=f"s{number + 1:05}-t01", at="last")),)
            if number < count - 1
            else (),
            output=f"{number}.mp4",
            variables={},
        )
        for number in range(count)
    ]
    found = plan(takes, Lock(), Disk())
    assert [planned.action for planned in found.takes] == ["wait"] * (count - 1) + ["render"]


@pytest.mark.parametrize("frames", [{"first_frame": "a"}, {"first_frame": None}, {"first_frame": []}, {}], ids=str)
def test_a_record_whose_frames_somebody_has_broken_makes_the_take_stale(shots: Shots, frames: Any) -> None:
    takes = opened(shots(CHAIN % "one"))
    lock, disk = rendered(takes)
    record = lock.get("b-t01")
    assert record is not None
    lock.put("b-t01", replace(record, frames=frames))
    assert actions(plan(takes, lock, disk))["b-t01"] == "render"


# --- lists that change -------------------------------------------------------------------------------------------


def test_shots_that_are_gone_are_named_and_a_renamed_one_is_recognised(shots: Shots) -> None:
    lock, disk = rendered(opened(shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")))
    found = plan(opened(shots("- {id: pier, prompt: one, takes: 2}\n- {id: b, prompt: two}")), lock, disk)
    assert found.removed == ("a-t01", "a-t02")
    assert found.hints == ("`pier` looks like `a`, which is rendered: `vidspec lock mv FILE a pier`",)
    assert actions(found) == {"pier-t01": "render", "pier-t02": "render", "b-t01": "keep"}


def test_a_removed_shot_that_looks_like_nothing_new_gives_no_hint(shots: Shots) -> None:
    lock, disk = rendered(opened(shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")))
    assert plan(opened(shots("- {id: b, prompt: two}")), lock, disk).hints == ()
    assert plan(opened(shots("- {id: b, prompt: two}\n- {id: c, prompt: three}")), lock, disk).hints == ()


# --- prices ------------------------------------------------------------------------------------------------------


def test_a_plan_adds_up_what_is_known_and_counts_what_is_not(shots: Shots) -> None:
    takes = opened(
        shots(
            """
            - {id: a, prompt: one, provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, size: 1280x720}
            - {id: b, prompt: two, provider: minimax, model: MiniMax-Hailuo-02}
            - {id: c, prompt: three, provider: animatic}
            """,
            defaults="{takes: 2}",
        )
    )
    found = plan(takes, Lock(), Disk())
    known = [one.cost for one in found.takes if one.cost is not None]
    assert sum(found.costs.values()) == pytest.approx(sum(cost.amount for cost in known))
    assert len(found.unpriced) == len(found.takes) - len(known)
    assert {one.slate for one in found.work} == {take.slate for take in takes}


LONG = "the night turns to dawn, a small boat has reached the rock"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f"{LONG}, the lamp goes out", f"{LONG}, the lamp is still lit",
         "prompt: …rock, the lamp goes out → …rock, the lamp is still lit"),
        (LONG, f"{LONG}, silent", "prompt: …reached the rock → …reached the rock, silent"),
        (f"by day {LONG}", f"by night {LONG}",
         "prompt: by day the night turns to dawn, a small… → by night the night turns to dawn, a sma…"),
        ("a fox in the snow", "a fox in the rain", "prompt: a fox in the snow → a fox in the rain"),
    ],
    ids=["at the end", "something added", "at the beginning", "short texts"],
)  # fmt: skip
def test_a_reason_shows_where_two_long_texts_part(shots: Shots, old: str, new: str, reason: str) -> None:
    lock, disk = rendered(opened(shots(f"- {{id: s, prompt: '{old}'}}")))
    found = plan(opened(shots(f"- {{id: s, prompt: '{new}'}}")), lock, disk).takes[0]
    assert found.reasons == (reason,)


def test_a_reason_cannot_steer_the_terminal(take: Take) -> None:
    record = record_of(replace(take, request={**take.request, "prompt": "\x1b[2J\x07 old"}))
    (reason,) = map(str, differences(take, record))
    assert reason == "prompt: �[2J� old → x"
