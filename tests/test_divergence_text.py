"""Divergences as they are printed: readable with colour, without it, and at any width."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.console import Console, width
from vidspec.difference import Change
from vidspec.divergence import Divergence, Divergences
from vidspec.divergence_text import divergences_value, print_divergences, verdict
from vidspec.lock import Cost
from vidspec.planned import Planned
from vidspec.take import Take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.divergence import Word

CENTS = Cost(amount=0.4, currency="usd")
SHA = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
FERRY = "a ferryman in a yellow oilskin casts off from a wooden pier before dawn, 35mm film, slow push in"

TWO = "shots.yaml: 2 takes differ: 2 changed"
FOUR = "shots.yaml: 4 takes differ: 1 changed, 1 new, 2 removed"


def take(slate: str) -> Take:
    return Take(
        slate=slate,
        shot=slate.partition("-")[0],
        number=1,
        scene=None,
        tags=(),
        provider="nebula",
        model="sora-2",
        mode="text_to_video",
        request={"prompt": "x"},
        defaulted=frozenset(),
        seed=None,
        seed_rule="none",
        inputs=(),
        output=f"{slate}.mp4",
        variables={},
    )


def divergence(
    slate: str,
    *changes: Change,
    word: Word = "changed",
    cost: Cost | None = CENTS,
    origins: Mapping[str, str] | None = None,
    aside: str = "",
) -> Divergence:
    planned = Planned(
        take=take(slate), action="render", state="stale", reasons=("edited",), cost=cost, changes=tuple(changes)
    )
    return Divergence(word=word, planned=planned, cost=cost, origins=origins or {}, aside=aside)


def left_alone(slate: str) -> Divergence:
    """One that a render leaves as it is, until those behind others are asked for."""
    one = divergence(slate)
    return replace(one, planned=replace(one.planned, action="keep", edited=one.planned.take))


def found(*differing: Divergence, removed: tuple[str, ...] = (), notes: tuple[Planned, ...] = ()) -> Divergences:
    return Divergences(takes=9, found=differing, removed=removed, notes=notes)


def printed(divergences: Divergences, columns: int = 80, *, colour: bool = False) -> str:
    stream = io.StringIO()
    print_divergences(Console(stream, colour=colour), "shots.yaml", "shots.lock", divergences, columns)
    return stream.getvalue()


def edit(change: Change, columns: int = 80, origins: Mapping[str, str] | None = None) -> list[str]:
    """The lines of one change."""
    lines = printed(found(divergence("a-t01", change, origins=origins)), columns).splitlines()
    return lines[1 : lines.index("")]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (Change("seed", 7, 8), "  seed: 7 → 8"),
        (Change("seed", 7, "random"), "  seed: 7 → random"),
        (Change("duration", 5, 6.5), "  duration: 5 → 6.5"),
        (Change("audio", False, True), "  audio: false → true"),
        (Change("camera", ["push in", "shake"], None), "  camera: push in, shake → none"),
        (Change("camera", [], ["shake"]), "  camera: none → shake"),
        (Change("options", {"cfg": 1}, {"cfg": 2}), "  options: cfg: 1 → cfg: 2"),
        (Change("negative_prompt", None, "none"), '  negative_prompt: none → "none"'),
        (Change("negative_prompt", "text", ""), '  negative_prompt: text → ""'),
        (Change("prompt", "x\x1b[2J", "y"), "  prompt: x\\x1b[2J → y"),
        (
            Change("first_frame", SHA, {"slate": "b-t01", "at": "last"}, "b-t01 was rendered anew"),
            "  first_frame: last of b-t01 (b-t01 was rendered anew)",
        ),
        (
            Change("first_frame", OTHER, {"slate": "b-t01", "at": "last"}, "now last of b-t01"),
            "  first_frame: first of b-t01 → last of b-t01",
        ),
    ],
    ids=[
        "numbers", "number and word", "fractions", "switch", "list and none", "empty list", "mapping",
        "the word none", "empty text", "terminal codes", "same frame", "another frame",
    ],
)  # fmt: skip
def test_what_is_short_stands_on_one_line(change: Change, line: str) -> None:
    assert edit(change, origins={SHA: "last of b-t01", OTHER: "first of b-t01"}) == [line]


def test_a_long_prompt_is_shown_in_full_twice_with_its_words_marked_and_wrapped() -> None:
    change = Change("prompt", FERRY, FERRY.replace("yellow", "red").replace("casts", "slowly casts"))
    assert edit(change, 64) == [
        "  prompt:",
        "    - a ferryman in a [-yellow-] oilskin casts off from a wooden",
        "      pier before dawn, 35mm film, slow push in",
        "    + a ferryman in a {+red+} oilskin {+slowly+} casts off from",
        "      a wooden pier before dawn, 35mm film, slow push in",
    ]


def test_with_colour_the_words_that_differ_are_bold_and_there_are_no_brackets() -> None:
    change = Change("prompt", FERRY, FERRY.replace("yellow", "red"))
    said = printed(found(divergence("a-t01", change)), 200, colour=True)
    assert "a ferryman in a \033[31;1myellow\033[0m oilskin casts" in said
    assert "a ferryman in a \033[32;1mred\033[0m oilskin casts" in said
    assert "[-" not in said
    assert "{+" not in said


def test_with_colour_texts_that_have_little_in_common_are_in_colour_as_a_whole() -> None:
    said = printed(found(divergence("a-t01", Change("prompt", "a" * 50, "b" * 50))), 120, colour=True)
    assert f"\033[31m{'a' * 50}\033[0m" in said
    assert f"\033[32m{'b' * 50}\033[0m" in said


def test_digests_are_shown_in_full_with_what_they_are_of() -> None:
    assert edit(Change("first_frame", SHA, OTHER), 120, {OTHER: "frames/new.png"}) == [
        "  first_frame:",
        f"    - {SHA}",
        f"    + {OTHER} (frames/new.png)",
    ]


def test_of_several_pictures_those_that_stay_are_told_once() -> None:
    third = f"sha256:{'ef' * 32}"
    assert edit(Change("references", [SHA, OTHER], [OTHER, third]), 120) == [
        "  references:",
        f"    - {SHA}",
        f"      {OTHER}",
        f"    + {third}",
    ]


@pytest.mark.parametrize("columns", [40, 61, 116])
def test_no_line_of_an_edit_is_wider_than_the_terminal(columns: int) -> None:
    changes = (
        Change("prompt", FERRY, FERRY.replace("off", "off " + "夜" * 50)),
        Change("first_frame", SHA, OTHER),
        Change("model", "MiniMax-Hailuo-02", "doubao-seedance-1-0-lite-t2v-250428"),
    )
    slates = [divergence(f"s{number:03}-t01", *changes) for number in range(30)]
    lines = printed(found(*slates), columns).splitlines()
    assert [line for line in lines[:-1] if width(line) > columns and "to render again" not in line] == []


def test_takes_with_the_very_same_changes_are_shown_together() -> None:
    same = Change("seed", 7, 8)
    lines = printed(
        found(divergence("a-t01", same), divergence("b-t01", Change("seed", 7, 9)), divergence("a-t02", same))
    ).splitlines()
    assert lines[0] == "changed  a-t01 a-t02  0.80 usd to render again"
    assert lines[3] == "changed  b-t01  0.40 usd to render again"


@pytest.mark.parametrize(
    ("differing", "head"),
    [
        (divergence("a-t01", cost=None), "changed  a-t01  price unknown"),
        (divergence("a-t01", cost=Cost(amount=2, currency="cny", basis="unsure")), "~2.00 cny to render again"),
        (divergence("a-t01", cost=Cost(amount=0, currency="usd"), aside="it is kept"), "a-t01  free: it is kept"),
        (
            divergence("a-t01", word="accepted"),
            "accepted  a-t01  kept as it was rendered; 0.40 usd to render again",
        ),
    ],
    ids=["unknown", "unsure", "aside", "accepted"],
)
def test_a_header_says_what_rendering_again_would_cost(differing: Divergence, head: str) -> None:
    assert printed(found(differing)).splitlines()[0].endswith(head)


def test_a_take_that_a_render_leaves_says_how_it_is_rendered_all_the_same() -> None:
    change = Change("first_frame", SHA, {"slate": "b-t01", "at": "last"}, "b-t01 was rendered anew", behind=True)
    one = divergence("a-t01", change)
    left = replace(one, planned=replace(one.planned, action="keep", edited=one.planned.take))
    assert printed(found(left)).splitlines()[0] == (
        "changed  a-t01  0.40 usd to render again, with `--with-dependants`"
    )


def test_new_and_removed_takes_and_notes_have_a_line_each_in_columns() -> None:
    missing = Planned(
        take=take("c-t01"), action="restore", state="missing", reasons=("the output is missing",), cost=None
    )
    failed = Planned(take=take("d-t01"), action="failed", state="failed", reasons=("refused",), cost=None)
    lines = printed(
        found(divergence("a-t01", word="new"), removed=("bb-t01",), notes=(missing, failed))
    ).splitlines()
    assert lines[:4] == [
        "new      a-t01   0.40 usd  nebula · sora-2, text to video",
        "removed  bb-t01            no longer in the list; its clip is kept",
        "missing  c-t01             the output is missing; a render brings it back, free",
        "failed   d-t01             refused; a render leaves it so until `--retry-failed`",
    ]
    assert lines[5] == "hint: `vidspec lock prune shots.yaml` takes what was removed out of the lockfile"


@pytest.mark.parametrize(
    ("divergences", "line"),
    [
        (found(), "in step: shots.lock records 9 takes of shots.yaml"),
        (
            found(divergence("a-t01", word="accepted")),
            "in step: shots.lock records 9 takes of shots.yaml; 1 accepted edit",
        ),
        (found(divergence("a-t01")), "shots.yaml: 1 take differs: 1 changed; to render it: 0.40 usd"),
        (
            found(divergence("a-t01"), divergence("b-t01", word="new", cost=None), removed=("c-t01", "d-t01")),
            f"{FOUR}; to render them: 0.40 usd and 1 take of unknown price",
        ),
        (found(removed=("c-t01",)), "shots.yaml: 1 take differs: 1 removed"),
        (
            found(left_alone("a-t01")),
            "shots.yaml: 1 take differs: 1 changed; to render it, with `--with-dependants`: 0.40 usd",
        ),
        (
            found(divergence("a-t01"), left_alone("b-t01")),
            f"{TWO}; to render them: 0.40 usd, and with `--with-dependants`: 0.80 usd",
        ),
    ],
    ids=["nothing", "accepted", "one", "several", "removed alone", "one left alone", "one of two left alone"],
)
def test_the_last_line_counts_and_prices_what_differs(divergences: Divergences, line: str) -> None:
    assert verdict("shots.yaml", "shots.lock", divergences) == line
    assert printed(divergences).splitlines()[-1] == line


def test_the_json_tells_each_take_with_its_changes_and_the_totals() -> None:
    missing = Planned(take=take("c-t01"), action="restore", state="missing", reasons=("gone",), cost=None)
    value: dict[str, Any] = divergences_value(
        found(
            divergence("a-t01", Change("first_frame", SHA, {"slate": "b-t01", "at": 1.5}, "now 1.5 of b-t01")),
            divergence("b-t01", Change("seed", 7, 8), word="accepted"),
            divergence("n-t01", word="new", cost=None),
            removed=("z-t01",),
            notes=(missing,),
        )
    )
    assert [(one["slate"], one["state"], one["accepted"]) for one in value["takes"]] == [
        ("a-t01", "stale", False),
        ("b-t01", "waived", True),
        ("n-t01", "new", False),
    ]
    assert value["takes"][0]["changes"] == [
        {"setting": "first_frame", "old": SHA, "new": {"slate": "b-t01", "at": 1.5}, "note": "now 1.5 of b-t01"}
    ]
    assert value["takes"][0]["cost"] == {"amount": 0.4, "currency": "usd", "basis": "listed"}
    assert value["takes"][2]["cost"] is None
    assert value["removed"] == ["z-t01"]
    assert value["hints"] == []
    assert value["notes"] == [{"slate": "c-t01", "state": "missing", "reasons": ["gone"]}]
    assert value["totals"] == {
        "takes": 9, "changed": 1, "new": 1, "removed": 1, "accepted": 1, "cost": {"usd": 0.4}, "cost_left": {},
        "unknown_price": 1,
    }  # fmt: skip
