from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vidspec import plan_table
from vidspec.console import Console
from vidspec.difference import Change
from vidspec.lock import Cost, Lock, Record
from vidspec.planned import Action, Plan
from vidspec.project import open_lists

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

FREE, USD = Cost(amount=0, currency="usd"), Cost(amount=0.4, currency="usd")
UNSURE = Cost(amount=2, currency="cny", basis="unsure")

LIST = """
- {id: free, prompt: one, provider: animatic, duration: 0.2, size: 64x36, fps: 10}
- {id: known, prompt: two, provider: nebula, model: sora-2}
- {id: unsure, prompt: three, provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, size: 1280x720}
- {id: unknown, prompt: four, provider: nebula, model: veo-3.0-fast-generate-001}
- {id: later, prompt: five, provider: animatic, duration: 0.2, first_frame: {shot: free}}
"""


@pytest.fixture
def found(shots: Shots) -> Plan:
    (opened,), _ = open_lists([shots(LIST, defaults="{}")], {})
    return opened.plan()


def printed(found: Plan, slates: set[str] | None = None, **options: Any) -> str:
    stream = io.StringIO()
    every = {one.slate for one in found.takes}
    plan_table.print_plan(Console(stream), "shots.yaml", found, slates or every, **{"quiet": False, **options})
    return stream.getvalue()


def test_prices_are_listed_unsure_free_or_unknown_and_never_zero_for_unknown(found: Plan) -> None:
    prices = {one.slate: plan_table.one_price(one) for one in found.takes}
    assert prices["free-t01"] == "free"
    assert prices["later-t01"] == "free"
    assert prices["known-t01"].endswith(" usd")
    assert not prices["known-t01"].startswith("~")
    assert prices["unsure-t01"] == "~2.00 cny"
    assert prices["unknown-t01"] == "unknown"


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ([], "free"),
        ([FREE], "free"),
        ([FREE, USD, USD], "0.80 usd"),
        ([USD, UNSURE], "about 0.40 usd + 2.00 cny"),
        ([None], "price unknown"),
        ([None, None], "price unknown"),
        ([None, USD], "0.40 usd and 1 take of unknown price"),
        ([None, FREE], "1 take of unknown price"),
    ],
    ids=["nothing", "free", "sum", "unsure", "unknown", "all unknown", "some unknown", "free and unknown"],
)
def test_prices_are_summed_by_currency_and_unknown_ones_are_counted(costs: list[Cost | None], said: str) -> None:
    assert plan_table.sum_of(costs) == said


def test_an_accepted_edit_has_a_row_of_its_own_with_what_rendering_it_would_cost(found: Plan) -> None:
    known = next(one for one in found.takes if one.slate == "known-t01")
    change = Change("prompt", "two", "due")
    mark = f"sha256:{'0' * 64}"
    record = Record(shot="known", take=1, accepted=mark)
    kept = replace(known, action="keep", state="waived", reasons=(str(change),), cost=None, changes=(change,))
    waived = replace(kept, edited=known.take, edit=mark, record=record)
    lost = replace(waived, action="restore", state="missing", reasons=("the output is missing", str(change)))
    out = printed(Plan(takes=(kept, waived)), None)
    assert "  keep  known-t01    accepted: prompt: two → due; to render it: 0.40 usd\n" in out
    assert "  keep  1 take\n" in out
    assert "nothing to do: 2 keep (1 accepted edit)\n" in out
    assert plan_table.why(lost) == ("the output is missing; accepted: prompt: two → due; to render it: 0.40 usd")
    value = plan_table.plan_value(Plan(takes=(waived,)), {"known-t01"}, Lock())
    (take,) = value["takes"]
    assert (take["accepted"], take["state"], take["cost"]) == (True, "waived", None)
    assert take["changes"] == [{"setting": "prompt", "old": "two", "new": "due", "note": ""}]
    assert value["totals"]["accepted"] == 1


def test_a_take_that_is_left_stale_behind_another_says_how_it_would_be_rendered(found: Plan) -> None:
    known = next(one for one in found.takes if one.slate == "known-t01")
    change = Change("first_frame", None, {"slate": "free-t01"}, "free-t01 was rendered anew", behind=True)
    left = replace(
        known, action="keep", state="stale", reasons=(str(change),), cost=None, changes=(change,), edited=known.take
    )
    out = printed(Plan(takes=(left,)), None)
    said = "left so: first_frame: free-t01 was rendered anew; to render it, with `--with-dependants`: 0.40 usd"
    assert f"  keep  known-t01    {said}\n" in out
    assert "nothing to do: 1 keep (1 left stale)\n" in out
    (take,) = plan_table.plan_value(Plan(takes=(left,)), {"known-t01"}, Lock())["takes"]
    assert (take["accepted"], take["state"]) == (False, "stale")


def test_takes_are_grouped_by_provider_and_model_with_the_reason_of_each(found: Plan) -> None:
    lines = printed(found).splitlines()
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles[0] == "shots.yaml: 5 takes"
    assert [title.split("  ")[0] for title in titles[1:-1]] == [
        "animatic",
        "nebula · sora-2",
        "siliconflow · Wan-AI/Wan2.2-T2V-A14B",
        "nebula · veo-3.0-fast-generate-001",
    ]
    assert "  wait    later-t01  free  needs free-t01 first" in lines
    assert titles[-1].startswith("total: 4 render, 1 wait; ")
    assert titles[-1].endswith(" and 1 take of unknown price")
    assert "about " in titles[-1]


def test_a_group_of_unknown_price_says_so(found: Plan) -> None:
    assert "price unknown" in printed(found, {"unknown-t01"})
    assert "free" not in printed(found, {"unknown-t01"})


def test_quiet_prints_the_totals_only(found: Plan) -> None:
    assert printed(found, quiet=True).count("\n") == 1


def test_the_json_of_a_plan_is_that_of_the_contract(shots: Shots, vidspec: Vidspec) -> None:
    shots(LIST, defaults="{}")
    ended = vidspec("plan", "shots.yaml", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    value = json.loads(ended.stdout)
    assert value["vidspec_json"] == 1
    takes = {take["slate"]: take for take in value["takes"]}
    assert list(takes) == ["free-t01", "known-t01", "unsure-t01", "unknown-t01", "later-t01"]
    for take in takes.values():
        assert (take["changes"], take["accepted"]) == ([], False)
        assert {"slate", "shot", "take", "provider", "model", "mode", "action", "reasons", "seed", "cost"} <= set(
            take
        )
        assert take["request_id"] is None
    assert takes["unknown-t01"]["cost"] is None
    assert takes["free-t01"]["cost"] == {"amount": 0, "currency": "usd", "basis": "listed"}
    assert takes["unsure-t01"]["cost"] == {"amount": 2, "currency": "cny", "basis": "unsure"}
    assert takes["later-t01"]["action"] == "wait"
    assert takes["later-t01"]["mode"] == "image_to_video"
    assert takes["later-t01"]["reasons"] == ["needs free-t01 first"]
    totals = value["totals"]
    assert totals["takes"] == 5
    assert totals["actions"] == {"render": 4, "wait": 1}
    assert totals["unknown_price"] == 1
    assert totals["cost"]["cny"] == 2


def test_the_json_names_the_request_that_made_a_clip_which_is_kept(film: Any, house: Any, vidspec: Vidspec) -> None:
    film.write(
        "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a}, model: Wan-AI/Wan2.2-I2V-A14B}"
    )
    assert film.render().returncode == 0
    for command in ("plan", "status"):
        value = json.loads(vidspec(command, "shots.yaml", "--json").stdout)
        found = {one["slate"]: (one["action"], one["request_id"]) for one in value["takes"]}
        assert found == {"a-t01": ("keep", "r1"), "b-t01": ("keep", "r2")}


def test_the_id_of_a_request_is_that_of_the_plan_where_it_has_looked_at_a_record(found: Plan) -> None:
    one, record = found.takes[0], Record(shot="free", take=1, request_id="r2")
    assert plan_table.request_id(one, None) is None
    assert plan_table.request_id(one, record) == "r2"
    assert plan_table.request_id(replace(one, record=Record(shot="free", take=1)), record) is None


def test_the_json_says_which_take_is_chosen(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    vidspec("render", "shots.yaml")
    assert vidspec("choose", "shots.yaml", "a-t02").returncode == 0
    for command in ("plan", "status"):
        value = json.loads(vidspec(command, "shots.yaml", "--json").stdout)
        assert [one["chosen"] for one in value["takes"]] == [False, True, False]


@pytest.mark.parametrize("action", ["blocked", "failed", "decide"])
def test_a_group_that_nothing_is_done_for_is_not_called_free(found: Plan, action: Action) -> None:
    (known,) = (one for one in found.takes if one.slate == "known-t01")
    lines = printed(Plan(takes=(replace(known, action=action, cost=None),))).splitlines()
    assert lines[2].endswith(" s of video, nothing to do")


def test_the_json_of_several_lists_is_a_list_of_plans(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x}", name="one.yaml")
    shots("- {id: b, prompt: x}", name="two.yaml")
    value = json.loads(vidspec("plan", "one.yaml", "two.yaml", "--json").stdout)
    assert [(one["file"], len(one["takes"])) for one in value["lists"]] == [("one.yaml", 1), ("two.yaml", 1)]


def test_the_exit_code_tells_of_work_where_it_is_asked_to(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x}\n- {id: b, prompt: x}")
    assert vidspec("plan", "shots.yaml").returncode == 0
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode").returncode == 1
    vidspec("render", "shots.yaml", "--select", "a")
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode", "--select", "a").returncode == 0
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode", "--select", "b").returncode == 1
    vidspec("render", "shots.yaml")
    ended = vidspec("plan", "shots.yaml", "--detailed-exitcode")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "nothing to do: 2 keep")


@pytest.mark.parametrize(
    ("budget", "chosen", "over"),
    [
        ("{usd: 100, cny: 1}", "*", "the plan may cost 2 cny; the budget is 1 cny"),
        ("{usd: 100}", "*", "the plan may cost 2 cny, and the budget names no cny"),
        ("{usd: 100, cny: 2}", "*", None),
        ("{usd: 100}", "known", None),
    ],
)
def test_a_plan_over_budget_says_so(
    shots: Shots, vidspec: Vidspec, budget: str, chosen: str, over: str | None
) -> None:
    shots(LIST, f"budget: {budget}\n", defaults="{}")
    ended = vidspec("plan", "shots.yaml", "--select", chosen)
    assert ended.returncode == 0
    assert ("over budget:" in ended.stdout) == (over is not None)
    assert (over or "") in ended.stdout


def test_what_is_no_longer_in_the_list_is_named(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x}\n- {id: b, prompt: y}")
    vidspec("render", "shots.yaml")
    shots("- {id: c, prompt: x}\n- {id: b, prompt: y}")
    out = vidspec("plan", "shots.yaml").stdout
    assert "  removed  a-t01  no longer in the list; its clip is kept\n" in out
    assert "`vidspec lock mv FILE a c`" in out
    assert "  hint: `vidspec lock prune shots.yaml` takes what was removed out of the lockfile\n" in out
    value = json.loads(vidspec("plan", "shots.yaml", "--json").stdout)
    assert value["removed"] == ["a-t01"]
    assert len(value["hints"]) == 1
