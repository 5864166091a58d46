"""How takes hang together: what is said under a plan, and what its JSON holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.chains import Web, lines
from vidspec.lock import Cost
from vidspec.project import open_lists

if TYPE_CHECKING:
    from vidspec.planned import Plan

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

SORA = '{provider: nebula, model: sora-2, resolution: 720p, aspect_ratio: "16:9", duration: 4}'
FILM = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three, first_frame: {shot: b}}
- {id: d, prompt: four}
- {id: e, prompt: five, first_frame: {shot: a}}
"""


def planned(path: Path) -> Plan:
    (opened,), _ = open_lists([path], {})
    return opened.plan()


def said(plan: Plan, slates: set[str] | None = None, thorough: Plan | None = None) -> dict[str, str]:
    """The notes under a plan by their labels."""
    return dict(lines(Web(plan, {one.slate for one in plan.takes} if slates is None else slates, thorough)))


def kept(plan: Plan, *slates: str) -> Plan:
    """The plan, some takes of it done."""
    takes = [
        replace(one, action="keep", state="done", cost=None) if one.slate in slates else one for one in plan.takes
    ]
    return replace(plan, takes=tuple(takes))


def test_a_list_without_continuity_has_nothing_to_say(shots: Shots) -> None:
    assert said(planned(shots("- {id: a, prompt: x}\n- {id: b, prompt: y}"))) == {}


def test_waves_and_the_longest_chain_are_told_with_its_price(shots: Shots) -> None:
    assert said(planned(shots(FILM, defaults=SORA))) == {
        "waves:": "3, of 2, 2 and 1 takes; each take begins as soon as what it needs is there",
        "longest chain:": "a-t01 → b-t01 → c-t01; 3 generations, 1.20 usd",
    }


@pytest.mark.parametrize(
    ("done", "price"),
    [
        (("a-t01",), "0.80 usd now, 1.20 usd for all of it anew"),
        (("a-t01", "b-t01", "c-t01"), "1.20 usd for all of it anew"),
    ],
    ids=["some of it", "all of it"],
)
def test_of_a_chain_that_is_made_already_it_is_told_what_is_due_and_what_all_would_cost(
    shots: Shots, done: tuple[str, ...], price: str
) -> None:
    notes = said(kept(planned(shots(FILM, defaults=SORA)), *done))
    assert notes["longest chain:"] == f"a-t01 → b-t01 → c-t01; 3 generations, {price}"


def test_one_wave_is_not_worth_a_word(shots: Shots) -> None:
    plan = kept(planned(shots(FILM, defaults=SORA)), "a-t01", "b-t01", "d-t01", "e-t01")
    assert "waves:" not in said(plan)


def test_prices_that_nobody_knows_are_said_to_be_unknown(shots: Shots) -> None:
    plan = planned(shots(FILM, defaults=SORA))
    unpriced = replace(
        plan, takes=tuple(replace(one, cost=None) if one.slate == "a-t01" else one for one in plan.takes)
    )
    (chain, *_) = Web(unpriced, {"a-t01", "b-t01", "c-t01"}).chains
    assert chain.due == [None, *[Cost(amount=0.4, currency="usd")] * 2]
    veo = shots(FILM.replace("prompt: one", "prompt: one, model: veo-3.0-fast-generate-001"), defaults=SORA)
    assert said(planned(veo))["longest chain:"].endswith("3 generations, 0.80 usd and 1 take of unknown price")


def chain_of(count: int) -> str:
    first = "- {id: s01, prompt: x}\n"
    return first + "".join(
        f"- {{id: s{number:02}, prompt: x, first_frame: {{shot: s{number - 1:02}}}}}\n"
        for number in range(2, count + 1)
    )


@pytest.mark.parametrize(
    ("count", "hint"),
    [
        (3, None),
        (
            4,
            "`s04-t01` is of generation 4: every hop softens the picture; one key frame for several shots does not",
        ),
        (
            9,
            (
                "`s09-t01` is of generation 9 (and 5 more takes from the 4th on): every hop softens the picture; "
                "one key frame for several shots does not"
            ),
        ),
    ],
)
def test_from_four_generations_on_it_is_told_that_each_hop_softens(
    shots: Shots, count: int, hint: str | None
) -> None:
    assert said(planned(shots(chain_of(count)))).get("hint:") == hint


def test_of_a_long_chain_the_first_takes_and_the_last_are_named(shots: Shots) -> None:
    notes = said(planned(shots(chain_of(30))))
    assert notes["longest chain:"].startswith("s01-t01 → s02-t01 → s03-t01 → s04-t01 → … 25 more … → s30-t01; 30")
    assert notes["waves:"].startswith("30, of 1, 1, 1, 1, … 25 more … and 1 takes; ")


def test_only_what_has_to_do_with_the_selection_is_told(shots: Shots) -> None:
    plan = planned(shots(f"{FILM}- {{id: f, prompt: x}}\n- {{id: g, prompt: x, first_frame: {{shot: f}}}}"))
    assert said(plan, {"d-t01"}) == {}
    assert said(plan, {"g-t01"}) == {"longest chain:": "f-t01 → g-t01; 2 generations, free"}
    assert said(plan, {"f-t01", "g-t01"})["waves:"].startswith("2, of 1 and 1 takes")


@pytest.mark.parametrize("action", ["collect", "restore"])
def test_a_clip_that_is_under_way_or_kept_and_paid_for_waits_for_nothing(shots: Shots, action: Any) -> None:
    plan = planned(shots(FILM, defaults=SORA))
    takes = [replace(one, action=action) if one.slate == "b-t01" else one for one in plan.takes]
    web = Web(replace(plan, takes=tuple(takes)), {one.slate for one in takes})
    assert web.waves == [["a-t01", "b-t01", "d-t01"], ["c-t01", "e-t01"]]


def test_what_a_remix_is_made_from_counts_as_a_generation(shots: Shots) -> None:
    path = shots(
        "- {id: a, prompt: one}\n"
        "- {id: b, prompt: two, remix_of: {shot: a}, resolution: null, aspect_ratio: null, duration: null}",
        defaults=SORA,
    )
    assert said(planned(path))["longest chain:"] == "a-t01 → b-t01; 2 generations, 0.80 usd"


I2V = "model: Wan-AI/Wan2.2-I2V-A14B"
PAID = f"""
- {{id: a, prompt: one}}
- {{id: b, prompt: two, {I2V}, first_frame: {{shot: a}}}}
- {{id: c, prompt: three, {I2V}, first_frame: {{shot: b}}}}
- {{id: d, prompt: four, {I2V}, first_frame: {{shot: a}}}}
"""


def test_what_goes_stale_behind_a_render_is_counted_priced_and_not_rendered_unasked(
    film: Any, shots: Shots, vidspec: Vidspec
) -> None:
    film.write(PAID)
    assert film.render().returncode == 0
    film.write(PAID.replace("one", "uno"))
    out = vidspec("plan", "shots.yaml").stdout
    left = (
        "  left stale: b-t01, c-t01, d-t01, 3 takes behind others; with `--with-dependants`: about 6.00 cny more\n"
    )
    assert left in out
    assert out.endswith("total: 1 render, 3 keep (2 left stale); 5 s of video; about 2.00 cny\n")
    graph = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)["graph"]
    assert graph["dependants"] == {"takes": ["b-t01", "c-t01", "d-t01"], "cost": {"cny": 6.0}, "unknown_price": 0}
    assert graph["waves"] == [["a-t01"]]

    film.render()  # what is behind is left, and still told of
    out = vidspec("plan", "shots.yaml").stdout
    assert left in out
    assert "left stale: c-t01, 1 take" in vidspec("plan", "shots.yaml", "--select", "c").stdout
    assert "left stale:" not in vidspec("plan", "shots.yaml", "--select", "a").stdout

    out = vidspec("plan", "shots.yaml", "--with-dependants").stdout
    assert "left stale" not in out
    assert "waves: 2, of 2 and 1 takes" in out
    assert film.render("--with-dependants").returncode == 0
    assert "left stale" not in vidspec("plan", "shots.yaml").stdout


def test_what_goes_stale_outside_of_a_selection_is_told_where_it_is_behind_it(film: Any, vidspec: Vidspec) -> None:
    film.write(PAID)
    assert film.render().returncode == 0
    film.write(PAID.replace("one", "uno").replace("two", "due"))
    out = vidspec("plan", "shots.yaml", "--select", "b").stdout
    assert "left stale: c-t01, 1 take behind others; with `--with-dependants`: about 2.00 cny more\n" in out
    out = vidspec("plan", "shots.yaml", "--select", "a").stdout
    assert "left stale: c-t01, d-t01, 2 takes behind others" in out


def test_the_json_of_a_plan_says_how_takes_hang_together(shots: Shots, vidspec: Vidspec) -> None:
    shots(FILM, defaults=SORA)
    value = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)
    assert {one["slate"]: one["needs"] for one in value["takes"] if one["needs"]} == {
        "b-t01": ["a-t01"],
        "c-t01": ["b-t01"],
        "e-t01": ["a-t01"],
    }
    assert value["graph"] == {
        "waves": [["a-t01", "d-t01"], ["b-t01", "e-t01"], ["c-t01"]],
        "depth": 3,
        "chains": [
            {
                "takes": ["a-t01", "b-t01", "c-t01"],
                "generations": 3,
                "cost": {"usd": 1.2},
                "unknown_price": 0,
                "due": {"cost": {"usd": 1.2}, "unknown_price": 0},
            },
            {
                "takes": ["a-t01", "e-t01"],
                "generations": 2,
                "cost": {"usd": 0.8},
                "unknown_price": 0,
                "due": {"cost": {"usd": 0.8}, "unknown_price": 0},
            },
        ],
        "dependants": {"takes": [], "cost": {}, "unknown_price": 0},
    }


def test_the_json_of_a_list_without_continuity_has_the_same_keys(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x}")
    assert json.loads(vidspec("plan", "shots.yaml", "--json").stdout)["graph"] == {
        "waves": [["a-t01"]],
        "depth": 1,
        "chains": [],
        "dependants": {"takes": [], "cost": {}, "unknown_price": 0},
    }


def test_many_long_chains_make_no_endless_json(shots: Shots) -> None:
    ends = "".join(f"- {{id: z{number:03}, prompt: x, first_frame: {{shot: s99}}}}\n" for number in range(150))
    plan = planned(shots(chain_of(99) + ends))
    chains = Web(plan, {one.slate for one in plan.takes}).value()["chains"]
    assert len(chains) == 100
    assert {one["generations"] for one in chains} == {100}
