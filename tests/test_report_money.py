from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vidspec.lock import Cost, Lock, Output, Record
from vidspec.project import open_lists
from vidspec.report.money import money, on_card
from vidspec.state import Flight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vidspec.planned import Planned
    from vidspec.state import Move

    Shots = Callable[..., Path]

USD = Cost(amount=0.28, currency="usd")
CNY = Cost(amount=2.0, currency="cny", basis="unsure")
CLIP = Output(path="a.mp4", sha256=f"sha256:{'0' * 64}", bytes=5)


def rendered(cost: Cost | None, request_id: str | None = "r-0", **more: object) -> Record:
    record = Record(
        shot="a", take=1, provider="minimax", fingerprint="x", output=CLIP, request_id=request_id, cost=cost
    )
    return replace(record, **more)  # type: ignore[arg-type]


def flight(move: Move, cost: Cost | None = USD, request_id: str | None = "r-1") -> Flight:
    record = Record(shot="a", take=1, provider="minimax", cost=cost)
    return Flight(
        slate="a-t01", move=move, record=record, output="a.mp4", base_url="x", since=0, request_id=request_id
    )


@pytest.fixture
def takes(shots: Shots) -> Sequence[Planned]:
    """Three takes that would be paid for."""
    entry = "- {id: a, provider: minimax, model: MiniMax-Hailuo-02, prompt: one, takes: 3}"
    (opened,), _ = open_lists([shots(entry, defaults="{resolution: 768p, duration: 6}")], {}, offline=True)
    return opened.plan().takes


def test_what_is_under_way_is_spent_and_what_is_in_doubt_stands_apart(takes: Sequence[Planned]) -> None:
    lock = Lock({"a-t01": rendered(CNY)})
    flights = {"a-t02": flight("running"), "a-t03": flight("in_doubt", CNY, None)}
    found = money([replace(one, action="keep") for one in takes], lock, flights)
    assert (found.spent, found.under_way) == ("about 2.00 cny + 0.28 usd", "0.28 usd")
    assert (found.in_doubt, found.failed, found.to_pay) == ("about 2.00 cny", "", "")


@pytest.mark.parametrize(
    ("move", "spent", "under_way", "failed", "in_doubt"),
    [
        ("intended", "", "", "", "0.28 usd"),
        ("accepted", "0.28 usd", "0.28 usd", "", ""),
        ("expired", "0.28 usd", "0.28 usd", "", ""),
        ("failed", "0.28 usd", "", "0.28 usd", ""),
    ],
)
def test_every_life_of_a_take_counts_where_it_belongs(
    takes: Sequence[Planned], move: Move, spent: str, under_way: str, failed: str, in_doubt: str
) -> None:
    found = money(takes, Lock(), {"a-t01": flight(move)})
    assert (found.spent, found.under_way, found.failed, found.in_doubt) == (spent, under_way, failed, in_doubt)


def test_what_was_refused_was_not_paid(takes: Sequence[Planned]) -> None:
    found = money(takes, Lock(), {"a-t01": flight("refused", request_id=None)})
    assert (found.spent, found.failed) == ("", "")


@pytest.mark.parametrize("move", ["accepted", "failed"])
def test_a_clip_that_is_fetched_once_more_is_not_paid_twice(takes: Sequence[Planned], move: Move) -> None:
    lock = Lock({"a-t01": rendered(CNY, "r-2", superseded=(rendered(USD, "r-1"),))})
    found = money(takes, lock, {"a-t01": flight(move)})
    assert (found.spent, found.under_way) == ("about 2.00 cny + 0.28 usd", "")
    assert on_card(lock.get("a-t01"), flight(move)) == "~2.00 cny"


def test_a_price_that_nobody_knows_is_counted_and_is_not_nothing(takes: Sequence[Planned]) -> None:
    lock = Lock({"a-t01": rendered(None)})
    flights = {"a-t02": flight("accepted", None), "a-t03": flight("in_doubt", None, None)}
    found = money(takes, lock, flights)
    assert (found.spent, found.under_way, found.in_doubt) == ("2 unpriced", "1 unpriced", "price unknown")


def test_what_is_free_is_not_still_to_be_paid(takes: Sequence[Planned]) -> None:
    def to_pay(*costs: Cost | None) -> str:
        return money([replace(one, cost=cost) for one, cost in zip(takes, costs, strict=False)], Lock(), {}).to_pay

    assert to_pay(Cost(amount=0, currency="usd"), Cost(amount=0, currency="usd")) == ""
    assert to_pay(Cost(amount=0, currency="usd"), USD) == "0.28 usd"
    assert to_pay(None) == "price unknown"


@pytest.mark.parametrize(
    ("record", "life", "said"),
    [
        (None, None, ""),
        (rendered(USD), None, "0.28 usd"),
        (rendered(None), None, "price unknown"),
        (rendered(None, None), None, ""),
        (None, flight("running"), "0.28 usd"),
        (None, flight("running", None), "price unknown"),
        (None, flight("in_doubt", CNY, None), "perhaps ~2.00 cny"),
        (rendered(USD), flight("running", CNY), "0.28 usd + ~2.00 cny under way"),
        (rendered(USD), flight("in_doubt", CNY, None), "0.28 usd + perhaps ~2.00 cny"),
        (rendered(USD), flight("failed"), "0.28 usd"),
        (None, flight("failed"), ""),
    ],
    ids=[
        "nothing",
        "a clip",
        "a clip without a price",
        "a drawing",
        "under way",
        "under way without a price",
        "in doubt",
        "anew and under way",
        "anew and in doubt",
        "a clip, and then failed",
        "failed",
    ],
)
def test_a_card_says_what_its_take_has_cost(record: Record | None, life: Flight | None, said: str) -> None:
    assert on_card(record, life) == said
