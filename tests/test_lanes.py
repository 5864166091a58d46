from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.events import Event
from vidspec.lanes import Count, Lane, is_ending, roughly
from vidspec.lock import Cost
from vidspec.project import open_lists

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.events import Kind
    from vidspec.planned import Planned

    Shots = Callable[..., Path]

USD = Cost(amount=1.5, currency="usd")


@pytest.fixture
def drawn(shots: Shots) -> Planned:
    (opened,), _ = open_lists([shots("- {id: a, prompt: x}")], {})
    return opened.plan().work[0]


def takes(drawn: Planned, number: int, provider: str = "minimax", **changes: Any) -> list[Planned]:
    """So many takes at a provider, `<provider>-0` and so on."""
    return [
        replace(
            drawn,
            take=replace(drawn.take, slate=f"{provider}-{place}", provider=provider),
            **{"cost": USD} | changes,
        )
        for place in range(number)
    ]


def heard(kind: Kind, time: float, slate: str, request_id: str | None = "r", **details: Any) -> Event:
    return Event(event=kind, time=time, slate=slate, request_id=request_id, details=details)


def test_a_lane_says_what_flies_waits_and_has_gone_wrong_and_nothing_else(drawn: Planned) -> None:
    count = Count(takes(drawn, 7))
    lane = count.lanes["minimax"]
    said = [(lane.going(), lane.wrong())]
    for place in range(6):
        count(heard("submitted", 1, f"minimax-{place}"))
    said.append((lane.going(), lane.wrong()))
    for place, kind in enumerate(("downloaded", "failed", "in_doubt", "blocked", "blocked")):
        count(heard(kind, 2, f"minimax-{place}"))  # type: ignore[arg-type]
    said.append((lane.going(), lane.wrong()))
    assert said == [
        ("7 waiting", ""),
        ("6 in flight, 1 waiting", ""),
        ("1 in flight, 1 waiting", "1 failed, 1 in doubt, 2 blocked"),
    ]
    assert (lane.ended, lane.total) == (count.ended, count.total) == (5, 7)


def test_requests_of_an_earlier_run_fly_from_the_start_until_they_end(drawn: Planned) -> None:
    count = Count([*takes(drawn, 2, action="collect"), *takes(drawn, 1, "nebula")])
    lane = count.lanes["minimax"]
    assert (lane.going(), count.going()) == ("2 in flight", "2 in flight, 1 waiting")
    assert not count(heard("state", 3, "minimax-0", state="running"))
    assert count(heard("downloaded", 4, "minimax-0"))
    assert (lane.going(), lane.ended, lane.seen) == ("1 in flight", 1, 0)


def test_what_is_made_here_is_drawn_and_not_in_flight(drawn: Planned) -> None:
    count = Count([*takes(drawn, 2, "animatic"), *takes(drawn, 1)])
    count(heard("submitted", 0, "animatic-0", None))
    count(heard("submitted", 0, "minimax-0"))
    assert count.lanes["animatic"].going() == "1 being drawn, 1 waiting"
    assert count.going() == "1 in flight, 1 being drawn, 1 waiting"


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (heard("downloaded", 1, "minimax-0"), True),
        (heard("downloaded", 1, "minimax-0", restored=True), True),
        (heard("failed", 1, "minimax-0"), True),
        (heard("blocked", 1, "minimax-0"), True),
        (heard("in_doubt", 1, "minimax-0"), True),
        (heard("state", 1, "minimax-0", state="kept"), True),
        (heard("state", 1, "minimax-0", state="running"), False),
        (heard("retry", 1, "minimax-0", reason="x", wait=1.0, call="poll"), False),
        (Event(event="run_finished", time=1), False),
    ],
    ids=["downloaded", "restored", "failed", "blocked", "in doubt", "kept", "running", "retry", "run"],
)
def test_a_take_ends_once(drawn: Planned, event: Event, ends: bool) -> None:
    count = Count(takes(drawn, 1))
    assert is_ending(event) is ends
    assert (count(event), count(event), count.ended) == (ends, False, int(ends))
    assert count.is_open("minimax-0") is not ends


def test_a_take_that_the_run_does_not_know_is_not_counted(drawn: Planned) -> None:
    count = Count(takes(drawn, 1))
    assert not count(heard("downloaded", 9, "gone-t01"))
    assert (count.ended, count.time) == (0, 9)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({}, "told to wait 15 s"),
        ({"per_minute": 3.0}, "told to slow to 3 a minute"),
        ({"per_minute": 0.625}, "told to slow to 0.62 a minute"),
    ],
    ids=["how long", "how fast", "slowly"],
)
def test_a_provider_that_says_no_is_said_until_the_wait_is_over(
    drawn: Planned, details: dict[str, Any], words: str
) -> None:
    count = Count(takes(drawn, 1))
    count(heard("throttled", 10, "minimax-0", reason="x", wait=20.0, call="submit", **details))
    count(heard("throttled", 11, "minimax-0", reason="x", wait=5.0, call="submit", **details))
    lane = count.lanes["minimax"]
    assert [lane.held(15), lane.held(30)] == [words, ""]


# --- money -----------------------------------------------------------------------------------------------


def test_what_providers_have_taken_on_is_spent_by_currency_and_the_unknown_is_counted(drawn: Planned) -> None:
    cny = Cost(amount=2.0, currency="cny")
    work = [
        *takes(drawn, 2),
        *takes(drawn, 1, "leapx", cost=cny),
        *takes(drawn, 2, "gately", cost=None),
        *takes(drawn, 1, "nebula", cost=None, action="collect"),
    ]
    count = Count(work)
    said = [count.spent("spent")]
    for slate in ("minimax-0", "gately-0", "minimax-1", "leapx-0"):
        count(heard("submitted", 0, slate))
        said.append(count.spent("spent"))
    count(heard("failed", 1, "minimax-0"))
    assert said == [
        "",
        "spent 1.50 of 3.00 usd + 0.00 of 2.00 cny",
        "spent 1.50 of 3.00 usd + 0.00 of 2.00 cny + 1 unpriced",
        "spent 3.00 of 3.00 usd + 0.00 of 2.00 cny + 1 unpriced",
        "spent 3.00 of 3.00 usd + 2.00 of 2.00 cny + 1 unpriced",
    ]
    assert count.spent("for real:").startswith("for real: 3.00 of 3.00 usd")


def test_what_is_drawn_or_free_or_failed_before_it_was_sent_is_not_spent(drawn: Planned) -> None:
    free = Cost(amount=0.0, currency="usd")
    count = Count([*takes(drawn, 2), *takes(drawn, 1, "leapx", cost=free)])
    count(heard("submitted", 0, "minimax-0", None))
    count(heard("failed", 0, "minimax-1"))
    assert count.spent("spent") == ""
    lone = Count(takes(drawn, 1, cost=free))
    lone(heard("submitted", 0, "minimax-0"))
    assert lone.spent("spent") == ""


def test_where_no_price_is_known_the_takes_are_counted(drawn: Planned) -> None:
    count = Count(takes(drawn, 2, cost=None))
    said = [count.spent("spent")]
    for slate in ("minimax-0", "minimax-1"):
        count(heard("submitted", 0, slate))
        said.append(count.spent("spent"))
    assert said == ["", "1 take of unknown price", "2 takes of unknown price"]


# --- time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "flying", "now", "left"),
    [
        (0, {}, 100, 0.0),
        (0, {"a": 70.0, "b": 90.0}, 100, 50.0),
        (0, {"a": 0.0}, 100, 6.0),
        (1, {"a": 70.0, "b": 90.0}, 100, 30 + 60.0),
        (2, {"a": 70.0, "b": 90.0}, 100, 50 + 60.0),
        (3, {"a": 70.0, "b": 90.0}, 100, 30 + 120.0),
        (3, {}, 100, 120.0),
    ],
    ids=["nothing", "the youngest", "overdue", "one more", "a round", "more than a round", "free places"],
)
def test_time_is_left_for_as_many_rounds_as_there_are(
    waiting: int, flying: dict[str, float], now: float, left: float
) -> None:
    lane = Lane(total=waiting + len(flying), flying=flying, most=2, seen=2, seconds=120.0)
    assert lane.left(now) == pytest.approx(left)


def test_the_time_left_is_that_of_the_slowest_provider_as_far_as_it_was_seen(drawn: Planned) -> None:
    count = Count([*takes(drawn, 3), *takes(drawn, 2, "nebula")])
    for slate in ("minimax-0", "nebula-0"):
        count(heard("submitted", 0, slate))
    said = [count.left(50)]
    count(heard("downloaded", 60, "minimax-0"))
    said.append(count.left(60))
    count(heard("downloaded", 600, "nebula-0"))
    said.append(count.left(600))
    for slate in ("minimax-1", "minimax-2", "nebula-1"):
        count(heard("downloaded", 601, slate))
    said.append(count.left(601))
    assert said == ["", "more than 2 min left", "about 10 min left", ""]


def test_what_was_brought_back_or_collected_says_nothing_of_how_long_a_clip_takes(drawn: Planned) -> None:
    count = Count([*takes(drawn, 3), *takes(drawn, 2, "nebula", action="collect")])
    count(heard("downloaded", 1, "minimax-0", restored=True))
    count(heard("downloaded", 1, "nebula-0"))
    count(heard("submitted", 1, "minimax-1"))
    count(heard("failed", 2, "minimax-1"))
    assert count.left(2) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "10 s"), (37, "40 s"), (94, "90 s"), (95, "2 min"), (3560, "59 min"), (3600, "1 h"), (5100, "1 h 25 min")],
)
def test_a_foretold_time_is_no_finer_than_it_can_be(seconds: float, words: str) -> None:
    assert roughly(seconds) == words
