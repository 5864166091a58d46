from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidspec.pacing import Rate, backoff, look_after


def test_the_first_submits_of_a_minute_go_at_once_and_the_next_wait_for_it_to_end() -> None:
    rate = Rate(3)
    assert [rate.book(0.0) for _ in range(7)] == [0, 0, 0, 60.25, 60.25, 60.25, 120.5]


def test_a_rate_of_less_than_one_a_minute_is_one_in_so_many_minutes() -> None:
    rate = Rate(0.5)
    assert [rate.book(0.0), rate.book(0.0)] == [0.0, 120.25]


def test_who_comes_late_waits_no_more() -> None:
    rate = Rate(1)
    rate.book(0.0)
    assert rate.book(500.0) == 500.0


def test_nothing_goes_before_the_moment_that_the_provider_has_named() -> None:
    rate = Rate(60)
    rate.hold_off(30.0)
    rate.hold_off(20.0)
    assert rate.book(1.0) == 30.0


@given(st.floats(0.2, 30), st.lists(st.floats(0, 30), min_size=1, max_size=80))
def test_no_minute_holds_more_submits_than_allowed(per_minute: float, gaps: list[float]) -> None:
    rate, now, sent = Rate(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        sent.append(rate.book(now))
    assert sent == sorted(sent)
    count = max(1, int(per_minute))
    for first, after in itertools.pairwise(sent[::count]):
        assert after - first >= 60 * count / per_minute


@pytest.mark.parametrize(
    ("attempt", "chance", "seconds"),
    [(1, 1.0, 1.0), (1, 0.0, 0.5), (4, 1.0, 8.0), (50, 1.0, 60.0), (10**6, 0.0, 30.0)],
    ids=["first", "first-early", "fourth", "at-most", "for-ever"],
)
def test_waits_double_up_to_a_minute_and_are_spread(attempt: int, chance: float, seconds: float) -> None:
    assert backoff(attempt, chance) == seconds


@pytest.mark.parametrize("chance", [0.0, 0.4, 1.0])
def test_a_look_is_never_later_than_the_interval(chance: float) -> None:
    assert 8.0 <= look_after(10.0, chance) <= 10.0
