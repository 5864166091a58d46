from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidspec.pacing import Lengths, Rate, backoff, length, next_look

MIDDLE, SPREAD = math.log(2.0) - 0.08, 0.4
"""A log-normal length of two seconds on average."""


def sent(rate: Rate, *asked: float) -> list[float]:
    """When each of several submits goes, one after the other."""
    found: list[float] = []
    for now in asked:
        at = rate.ready_at(max([now, *found]))
        rate.sent(at)
        found.append(round(at, 3))
    return found


# --- the rate ----------------------------------------------------------------------------------------------


def test_the_first_submits_of_a_minute_go_at_once_and_the_next_wait_for_it_to_end() -> None:
    assert sent(Rate(3), *[0.0] * 7) == [0, 0, 0, 60.25, 60.25, 60.25, 120.5]


def test_a_rate_of_less_than_one_a_minute_is_one_in_so_many_minutes() -> None:
    assert sent(Rate(0.5), 0.0, 0.0) == [0.0, 120.25]


def test_a_rate_of_more_than_one_a_second_goes_out_evenly() -> None:
    assert sent(Rate(600), *[0.0] * 4) == [0.0, 0.103, 0.206, 0.309]


@pytest.mark.parametrize(
    ("late", "after"),
    [(0.004, 0.206), (0.01, 0.206), (0.05, 0.246)],
    ids=["a-little", "as-much-as-may-be", "too-much"],
)
def test_one_that_is_a_little_late_does_not_make_the_next_late(late: float, after: float) -> None:
    rate = Rate(600)
    rate.sent(0.0)
    rate.sent(0.103 + late)
    assert rate.ready_at(0.103 + late) == pytest.approx(after)


def test_the_lateness_of_what_was_refused_is_forgotten() -> None:
    rate = Rate(600)
    rate.sent(0.0)
    rate.sent(0.11)
    rate.refused(0.12, 0.0, 0.11)
    assert rate.ready_at(0.12) == pytest.approx(0.12 + 0.25)
    rate.sent(0.37)
    assert rate.ready_at(0.37) == pytest.approx(0.37 + 0.125 - 0.01)


def test_who_comes_late_waits_no_more() -> None:
    assert sent(Rate(1), 0.0, 500.0) == [0.0, 500.0]


def test_after_a_no_nothing_goes_for_as_long_as_was_said_and_then_further_apart() -> None:
    rate = Rate(4)
    rate.refused(0.0, 30.0)
    assert rate.per_minute == 3.2
    assert sent(rate, *[1.0] * 3) == [30.0, 48.75, 67.5]


def test_what_was_refused_is_not_counted() -> None:
    rate = Rate(1)
    rate.sent(0.0)
    rate.refused(0.5, 0.0, 0.0)
    assert rate.ready_at(0.5) == 0.75


def test_noes_that_come_together_count_as_one_and_noes_in_a_row_hold_longer_and_longer() -> None:
    rate = Rate(60)
    for now in (0.0, 0.1, 0.2):
        rate.refused(now, 0.0)
    assert (rate.share, rate.ready_at(0.0)) == (0.8, 0.25)
    rate.refused(1.0, 0.0)
    assert rate.ready_at(1.0) == 1.0 + 0.25 * 1.3
    for number in range(100):
        rate.refused(1000.0 * (number + 1), 0.0)
    assert rate.ready_at(100_000.0) == 100_060.0


def test_what_was_lost_is_won_back_quickly_to_near_where_it_was_and_then_little_by_little() -> None:
    rate = Rate(60)
    for now in (0.0, 10.0, 20.0, 30.0):
        rate.refused(now, 0.0)
    shares = []
    for _ in range(7):
        rate.taken()
        shares.append(round(rate.share, 2))
    assert shares == [0.8, 0.85, 0.9, 0.95, 1.0, 1.0, 1.0]


def noes(rate: Rate, limit: float, count: int) -> list[int]:
    """How many are taken between one no and the next, where a share of the rate up to `limit` is taken."""
    found, taken, now = list[int](), 0, 0.0
    while len(found) < count:
        now = rate.ready_at(now)
        rate.sent(now)
        if rate.share <= limit:
            rate.taken()
            taken += 1
        else:
            rate.refused(now, 0.0, now)
            found += [taken] if taken else []
            taken = 0
    return found


@pytest.mark.parametrize("limit", [0.9, 0.5, 0.1, 0.01], ids=str)
def test_where_the_noes_come_at_the_same_rate_fewer_and_fewer_come(limit: float) -> None:
    between = noes(Rate(6000), limit, 40)
    assert between[0] <= 2
    assert min(between[-10:]) >= 18


def test_a_limit_that_is_lifted_is_found_out() -> None:
    rate = Rate(600)
    noes(rate, 0.3, 20)
    for _ in range(150):
        rate.taken()
    assert rate.share == 1.0


def test_a_rate_that_is_far_too_high_comes_down_to_a_few_a_minute() -> None:
    rate = Rate(100_000)
    for minute in range(60):
        rate.refused(minute * 100.0, 0.0)
    assert rate.per_minute == pytest.approx(3.75)


def test_however_often_it_says_no_something_still_goes() -> None:
    rate = Rate(60)
    for minute in range(50):
        rate.refused(minute * 100.0, 1.0)
    assert rate.share == 1 / 16
    assert sent(rate, *[6000.0] * 3) == [6000.0, 6016.0, 6032.0]


@given(st.floats(0.2, 300), st.lists(st.floats(0, 30), min_size=1, max_size=120), st.data())
def test_no_minute_holds_more_submits_than_allowed(
    per_minute: float, gaps: list[float], data: st.DataObject
) -> None:
    rate, now, times = Rate(per_minute), 0.0, list[float]()
    for gap in gaps:
        now = rate.ready_at(now + gap)
        rate.sent(now)
        if data.draw(st.booleans()):
            rate.refused(now, data.draw(st.floats(0, 5)), now)
        else:
            times.append(now)
    assert times == sorted(times)
    count = max(1, int(per_minute))
    for first, after in zip(times, times[count:], strict=False):
        assert after - first >= 60 * count / per_minute


# --- trying again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "chance", "seconds"),
    [(1, 1.0, 1.0), (1, 0.0, 0.5), (4, 1.0, 8.0), (50, 1.0, 60.0), (10**6, 0.0, 30.0)],
    ids=["first", "first-early", "fourth", "at-most", "for-ever"],
)
def test_waits_double_up_to_a_minute_and_are_spread(attempt: int, chance: float, seconds: float) -> None:
    assert backoff(attempt, chance) == seconds


# --- when to look ------------------------------------------------------------------------------------------


def looked_at(known: tuple[float, float] | None) -> tuple[float, float]:
    """Looks per clip and the median lag, over many clips whose lengths are drawn."""
    chance = random.Random(7)
    looks, lags = [], []
    for _ in range(1500):
        length = math.exp(chance.gauss(MIDDLE, SPREAD))
        now, count = 0.0, 0
        while now < length:
            now += next_look(known, now, 1.0, chance.random())
            count += 1
        looks.append(count)
        lags.append(now - length)
    return statistics.mean(looks), statistics.median(lags)


def test_with_what_is_known_a_clip_is_seen_soon_and_with_few_looks() -> None:
    looks, lag = looked_at((MIDDLE, SPREAD))
    assert looks < 5.5
    assert lag < 0.15


def test_what_a_table_says_serves_nearly_as_well() -> None:
    looks, lag = looked_at(Lengths().known((1.2, 3.1)))
    assert looks < 5.5
    assert lag < 0.17


def test_where_nothing_is_known_looks_come_at_the_interval() -> None:
    assert [next_look(None, elapsed, 10.0, 1.0) for elapsed in (0.0, 5.0, 500.0)] == [10.0, 10.0, 10.0]
    assert next_look(None, 0.0, 10.0, 0.0) == 8.0


@given(st.floats(0.01, 5000), st.floats(0.05, 60), st.floats(-3, 8), st.floats(0.08, 2))
def test_after_the_first_look_no_gap_is_longer_than_the_interval(
    elapsed: float, interval: float, middle: float, spread: float
) -> None:
    assert 0 < next_look((middle, spread), elapsed, interval, 0.5) <= interval


def test_the_first_look_waits_until_there_is_a_chance_at_all() -> None:
    known = (math.log(150), 0.3)
    assert 50 < next_look(known, 0.0, 10.0, 0.5) < 110


def test_lengths_are_learnt_from_what_was_seen() -> None:
    lengths, chance = Lengths(), random.Random(3)
    assert lengths.known(()) is None
    for _ in range(300):
        lengths.saw(math.exp(chance.gauss(MIDDLE, SPREAD)))
    known = lengths.known(())
    assert known is not None
    assert known[0] == pytest.approx(MIDDLE, abs=0.1)
    assert known[1] == pytest.approx(SPREAD, abs=0.1)


def test_the_first_few_that_lie_close_together_do_not_make_the_rest_late() -> None:
    lengths = Lengths()
    for seconds in (58.0, 60.0, 62.0):
        lengths.saw(seconds)
    known = lengths.known(())
    assert known is not None
    assert known[1] > 0.25
    assert next_look(known, 120.0, 5.0, 0.5) > 2.5


@pytest.mark.parametrize(("missed", "found", "seconds"), [(0.0, 10.0, 9.0), (10.0, 12.0, 11.0)])
def test_a_clip_took_until_between_the_last_look_that_missed_it_and_the_one_that_found_it(
    missed: float, found: float, seconds: float
) -> None:
    assert length(missed, found) == pytest.approx(seconds)


def test_what_is_learnt_from_looks_is_what_clips_take() -> None:
    lengths, chance = Lengths(), random.Random(5)
    for _ in range(600):
        took, now, missed = math.exp(chance.gauss(MIDDLE, SPREAD)), 0.0, 0.0
        while now < took:
            missed = now
            now += next_look(lengths.known(()), now, 1.0, chance.random())
        lengths.saw(length(missed, now))
    known = lengths.known(())
    assert known is not None
    assert known[0] == pytest.approx(MIDDLE, abs=0.08)
    assert known[1] == pytest.approx(SPREAD, abs=0.04)


def test_what_was_seen_outweighs_a_wrong_table() -> None:
    lengths = Lengths()
    for _ in range(60):
        lengths.saw(20.0)
    known = lengths.known((240, 540))
    assert known is not None
    assert math.exp(known[0]) < 30


def test_what_was_seen_long_ago_counts_for_less() -> None:
    lengths = Lengths()
    for _ in range(1000):
        lengths.saw(5.0)
    for _ in range(600):
        lengths.saw(50.0)
    known = lengths.known(())
    assert known is not None
    assert math.exp(known[0]) > 40


@pytest.mark.parametrize("typical", [(), (5.0,), (5.0, 5.0), (0.0, 9.0), (9.0, 5.0)])
def test_a_table_that_says_nothing_is_not_believed(typical: tuple[float, ...]) -> None:
    assert Lengths().known(typical) is None


def test_lengths_that_are_all_alike_leave_some_doubt() -> None:
    lengths = Lengths()
    for _ in range(50):
        lengths.saw(10.0)
    known = lengths.known(())
    assert known is not None
    assert known[1] == 0.08
