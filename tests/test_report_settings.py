from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.contrast import Piece
from vidspec.lock import Output, Record
from vidspec.project import open_lists
from vidspec.report.settings import Sent, Setting, compared, in_words, reworded, sent
from vidspec.take import Frame, Input

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.report.settings import Reworded
    from vidspec.take import Take

    Shots = Callable[..., Path]

DIGEST = f"sha256:{'0' * 64}"
CLIP = Output(path="a.mp4", sha256=DIGEST, bytes=5)


@pytest.fixture
def drawn(shots: Shots) -> Take:
    (opened,), _ = open_lists([shots("- {id: a, prompt: x, seed: 5}")], {})
    return opened.takes[0]


def record(take: Take, **changes: Any) -> Record:
    """The record of a take that was rendered just as it would be sent."""
    made = Record(
        shot=take.shot,
        take=take.number,
        provider=take.provider,
        model=take.model,
        fingerprint=take.fingerprint,
        request=dict(take.request),
        defaulted=tuple(take.defaulted),
        seed=take.seed,
        output=CLIP,
    )
    return replace(made, **changes)


def values(found: Sent) -> dict[str, str]:
    return {name: one.value for name, one in found.settings.items()}


def shown(text: Reworded) -> tuple[str, str]:
    """Both sides, with brackets around what is marked."""
    return tuple(
        "".join(f"[{one.text}]" if one.differs else one.text for one in side) for side in (text.old, text.new)
    )  # type: ignore[return-value]


# --- what was sent -----------------------------------------------------------------------------------------------


def test_what_nobody_wrote_is_told_from_what_was_written(drawn: Take) -> None:
    found = sent(replace(drawn, defaulted=frozenset({"fps"})), None).settings
    assert (found["fps"].value, found["fps"].by_default) == ("10 fps", True)
    assert (found["duration"].value, found["duration"].by_default) == ("0.2 s", False)
    assert "resolution" not in found
    assert "model" not in found  # it is called as its provider


def test_a_clip_is_told_by_what_made_it_and_not_by_what_is_written_now(drawn: Take) -> None:
    before = record(drawn, request={"prompt": "old", "size": "64x36"}, seed=7, seed_used=8, provider="minimax")
    found = sent(drawn, before)
    assert found.texts == {"prompt": "old"}
    assert values(found) == {"provider": "minimax", "model": "animatic", "size": "64x36", "seed": "8"}


def test_a_record_without_a_clip_says_nothing(drawn: Take) -> None:
    assert sent(drawn, Record(shot="a", take=1)) == sent(drawn, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Input(setting="first_frame", path="frames/夜.png", digest=DIGEST), "frames/夜.png"),
        (Input(setting="first_frame", url="https://u:p@x.example/a.png?sig=1"), "https://x.example/a.png?…"),
        (Input(setting="first_frame", frame=Frame(slate="b-t01", at="last")), "last frame of b-t01"),
        (Input(setting="first_frame", frame=Frame(slate="b-t01", at=2.5)), "b-t01 at 2.5 s"),
        (Input(setting="first_frame", frame=Frame(slate="b-t01", at=None)), "the clip b-t01"),
    ],
    ids=["a file", "an address without what is secret", "a frame", "a moment", "a clip"],
)
def test_a_picture_is_told_by_where_it_comes_from(drawn: Take, given: Input, words: str) -> None:
    take = replace(drawn, inputs=(given,), request={**drawn.request, "first_frame": DIGEST})
    assert values(sent(take, None))["first_frame"] == words


def test_a_recorded_picture_is_told_by_its_path_or_its_frame_and_else_by_its_digest(drawn: Take) -> None:
    request = {"first_frame": DIGEST, "last_frame": DIGEST, "references": [DIGEST, DIGEST]}
    frames = {"last_frame": {"slate": "b-t01", "at": "first", "of": DIGEST}}
    known = record(drawn, request=request, frames=frames, pictures={"references.1": "girl.png"})
    assert {name: one for name, one in values(sent(drawn, known)).items() if name in request} == {
        "first_frame": "sha256:00000000…",
        "last_frame": "first frame of b-t01",
        "references": "sha256:00000000…, girl.png",
    }


def test_a_picture_of_the_list_is_named_only_where_it_is_the_one_that_was_sent(drawn: Take) -> None:
    same = Input(setting="first_frame", path="a.png", digest=DIGEST)
    other = Input(setting="last_frame", path="b.png", digest=f"sha256:{'1' * 64}")
    take = replace(drawn, inputs=(same, other))
    found = values(sent(take, record(drawn, request={"first_frame": DIGEST, "last_frame": DIGEST})))
    assert (found["first_frame"], found["last_frame"]) == ("a.png", "sha256:00000000…")


def test_options_are_settings_of_their_own(drawn: Take) -> None:
    found = values(sent(replace(drawn, request={"options": {"cfg": 1.5, "fast": True}}), None))
    assert (found["cfg"], found["fast"]) == ("1.5", "on")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        (False, "off"),
        (["push in", "tilt up"], "push in, tilt up"),
        ({"a": [1, True]}, "a 1, on"),
        ({"slate": "b-t01", "at": "last"}, "last frame of b-t01"),
        ("<b>", "<b>"),
    ],
)
def test_a_value_in_words(value: Any, words: str) -> None:
    assert in_words(value) == words


# --- takes against each other ------------------------------------------------------------------------------------


def of(prompt: str | None, **settings: str) -> Sent:
    named = {name: Setting(name=name.replace("_", " "), value=value) for name, value in settings.items()}
    return Sent(texts={"prompt": prompt} if prompt else {}, settings=named)


def test_what_takes_share_is_told_once_and_what_differs_of_each() -> None:
    found = compared([of("a", size="1x1", seed="1"), of("a", size="1x1", seed="2", audio="on")])
    assert [(one.name, one.value, one.differs) for one in found.settings] == [("size", "1x1", False)]
    assert [[(one.name, one.value) for one in own] for own in found.own] == [
        [("seed", "1"), ("audio", "none")],
        [("seed", "2"), ("audio", "on")],
    ]
    assert all(one.differs for own in found.own for one in own)
    assert (found.texts, found.varying, found.reworded) == ({"prompt": "a"}, frozenset(), [{}, {}])


def test_a_take_that_is_alone_has_nothing_of_its_own() -> None:
    found = compared([of("a", seed="1")])
    assert (found.own, found.varying) == ([[]], frozenset())


def test_of_a_prompt_that_differs_the_first_is_told_whole_and_of_others_the_words() -> None:
    found = compared([of("a ferry in the rain"), of("a ferry in the fog"), of(None)])
    assert found.texts == {"prompt": "a ferry in the rain"}
    assert found.varying == {"prompt"}
    assert [list(one) for one in found.reworded] == [[], ["prompt"], ["prompt"]]
    assert shown(found.reworded[1]["prompt"]) == ("a ferry in the [rain]", "a ferry in the [fog]")


# --- words -------------------------------------------------------------------------------------------------------

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"


def test_of_what_is_alike_only_what_stands_beside_the_difference_is_shown() -> None:
    old, new = shown(reworded(f"{LONG} rain {LONG} end", f"{LONG} fog {LONG} end"))
    assert "[rain]" in old
    assert new.startswith("… ")
    assert new.endswith(" …")
    assert "seventeen [fog] one two" in new
    assert len(new) < 120


def test_words_that_were_added_are_shown_alone() -> None:
    found = reworded("a cat", "a black cat")
    assert found.old == []
    assert shown(found)[1] == "a [black ]cat" or shown(found)[1] == "a [black] cat"


def test_texts_that_have_little_in_common_are_shown_whole() -> None:
    assert reworded("a cat", LONG).new == [Piece(LONG)]


@pytest.mark.parametrize("sign", ["\u200d", "\u202e", "\x07"], ids=["a joiner", "a direction", "a bell"])
def test_a_text_with_signs_that_are_not_seen_is_left_as_it_is(sign: str) -> None:
    text = f"👩{sign}👧 on a boat"
    found = reworded("👩 on a boat", text)
    assert (found.old, found.new) == ([], [Piece(text)])


def test_a_line_break_is_no_such_sign() -> None:
    assert shown(reworded("one\ntwo three", "one\ntwo four")) == ("one\ntwo [three]", "one\ntwo [four]")
