from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.lock import Lock, Output, Record
from vidspec.project import open_lists
from vidspec.report.advice import Speech, commands
from vidspec.report.needs import Needs, price_of_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vidspec.planned import Plan

    Shots = Callable[..., Path]
    Stands = Callable[..., tuple[Needs, Plan]]

DEFAULTS = "{provider: minimax, model: MiniMax-Hailuo-02, resolution: 768p, duration: 6}"
CLIP = Output(path="a.mp4", sha256=f"sha256:{'0' * 64}", bytes=5)
STUCK = {"action": "failed", "state": "failed", "cost": None}
DOUBTFUL = {"action": "decide", "state": "in_doubt", "cost": None}
DONE = {"action": "keep", "state": "done", "cost": None}
BLOCKED = {"action": "blocked", "state": "blocked", "cost": None}
UNDER_WAY = {"action": "collect", "state": "accepted", "cost": None}


@pytest.fixture
def stands(shots: Shots) -> Stands:
    """A chain of three shots, the first with two takes: as planned but for what is changed, by slate."""

    def make(changes: dict[str, dict[str, Any]], frame: str = "{shot: a, at: last}") -> tuple[Needs, Plan]:
        entries = (
            "- {id: a, prompt: one, takes: 2}\n"
            f"- {{id: b, prompt: two, first_frame: {frame}}}\n"
            "- {id: c, prompt: three, first_frame: {shot: b, at: last}}"
        )
        (opened,), _ = open_lists([shots(entries, defaults=DEFAULTS)], {}, offline=True)
        found = opened.plan()
        takes = tuple(replace(one, **changes.get(one.slate, {})) for one in found.takes)
        done = [one for one in takes if one.action == "keep"]
        records = {
            one.slate: Record(shot=one.take.shot, take=one.take.number, fingerprint="x", output=CLIP)
            for one in done
        }
        plan = replace(found, takes=takes)
        return Needs(plan, opened.resolution.shots, Lock(records)), plan

    return make


def told(needs: Needs, plan: Plan, slate: str) -> list[tuple[str, str, str]]:
    """The commands that bring a take, what is written on them, and what they cost."""
    planned = next(one for one in plan.takes if one.slate == slate)
    found = commands(planned, None, Speech(file="x.yaml", variables={}), needs)
    return [(one.label, one.text.removeprefix("vidspec "), one.note) for one in found]


def test_a_waiting_take_is_told_with_the_price_of_all_that_it_needs(stands: Stands) -> None:
    needs, plan = stands({})
    text = "render x.yaml --select +{}"
    assert told(needs, plan, "b-t01") == [("Render with what it needs", text.format("b-t01"), "0.56 usd")]
    assert told(needs, plan, "c-t01") == [("Render with what it needs", text.format("c-t01"), "0.84 usd")]


def test_what_is_under_way_or_there_is_not_paid_again(stands: Stands) -> None:
    for has in (DONE, UNDER_WAY):
        needs, plan = stands({"a-t01": has})
        assert told(needs, plan, "c-t01")[0][2] == "0.56 usd"


def test_what_has_failed_is_tried_again_and_paid(stands: Stands) -> None:
    needs, plan = stands({"a-t01": STUCK, "b-t01": BLOCKED, "c-t01": BLOCKED})
    text = "render x.yaml --retry-failed --select +{}"
    assert told(needs, plan, "b-t01") == [("Render with what it needs", text.format("b-t01"), "0.56 usd")]
    assert told(needs, plan, "c-t01") == [("Render with what it needs", text.format("c-t01"), "0.84 usd")]


def test_what_is_in_doubt_is_sent_again_by_its_name_and_that_may_pay_twice(stands: Stands) -> None:
    needs, plan = stands({"a-t01": DOUBTFUL, "b-t01": BLOCKED})
    text = "render x.yaml --resubmit a-t01 --select +b-t01"
    assert told(needs, plan, "b-t01") == [("Render with what it needs", text, "may pay twice: 0.56 usd")]


def test_another_take_that_is_there_can_stand_in(stands: Stands) -> None:
    needs, plan = stands({"a-t01": STUCK, "a-t02": DONE, "b-t01": BLOCKED, "c-t01": BLOCKED})
    for slate, price in (("b-t01", "0.28 usd"), ("c-t01", "0.56 usd")):
        first, second = told(needs, plan, slate)
        assert first == ("Use a-t02 instead", "choose x.yaml a-t02", f"then {price}")
        assert second[0] == "Render with what it needs"


@pytest.mark.parametrize(
    "changes", [{"a-t02": STUCK}, {"a-t02": DONE, "b-t01": STUCK}], ids=["no other", "not all"]
)
def test_nothing_is_offered_that_would_not_be_enough(stands: Stands, changes: dict[str, dict[str, Any]]) -> None:
    needs, plan = stands({"a-t01": STUCK, "b-t01": BLOCKED, "c-t01": BLOCKED, **changes})
    assert [label for label, _, _ in told(needs, plan, "c-t01")] == ["Render with what it needs"]


def test_a_take_that_the_list_names_by_its_number_has_no_other_in_its_stead(stands: Stands) -> None:
    changes: dict[str, dict[str, Any]] = {"a-t01": STUCK, "a-t02": DONE, "b-t01": BLOCKED}
    needs, plan = stands(changes, "{shot: a, at: last, take: 1}")
    assert [label for label, _, _ in told(needs, plan, "b-t01")] == ["Render with what it needs"]
    needs, plan = stands(changes, "{shot: a, at: last, take: chosen}")
    assert told(needs, plan, "b-t01")[0][0] == "Use a-t02 instead"


def test_what_was_sent_before_it_was_changed_is_collected_first(stands: Stands) -> None:
    needs, plan = stands({"a-t01": UNDER_WAY, "b-t01": BLOCKED})
    assert told(needs, plan, "b-t01") == [("Collect what it needs", "render x.yaml --select a-t01", "free")]


def test_a_price_is_of_what_is_sent_alone(stands: Stands) -> None:
    def price(changes: dict[str, dict[str, Any]], slates: Sequence[str]) -> str:
        _, plan = stands(changes)
        return price_of_all([one for one in plan.takes if one.slate in slates])

    assert price({"a-t01": DONE}, ["a-t01"]) == "free"
    assert price({"a-t01": STUCK, "b-t01": BLOCKED}, ["a-t01", "b-t01"]) == "0.56 usd"
    assert price({"a-t01": {"cost": None}}, ["a-t01", "a-t02"]) == "0.28 usd and 1 take of unknown price"
