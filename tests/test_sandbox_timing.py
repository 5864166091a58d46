"""How long the twins take, and how much they take on."""

from __future__ import annotations

import pytest

from vidspec.sandbox.timing import LIMITS, Schedule, Window
from vidspec.sandbox.twins import TWINS

TYPICAL = (60.0, 120.0)


def test_every_twin_has_its_limits() -> None:
    assert set(LIMITS) == set(TWINS)


def test_a_window_counts_the_last_sixty_seconds() -> None:
    window = Window()
    for now in (0.0, 10.0, 59.9):
        window.add(now)
    assert [window.count(now) for now in (59.9, 60.0, 69.9, 70.0, 500.0)] == [3, 2, 2, 1, 0]


def test_eight_render_times_in_ten_are_within_what_is_typical() -> None:
    schedule = Schedule("a", None)
    spans = [schedule.span("m", 0.0, TYPICAL) for _ in range(2000)]
    lengths = [ends - begins for begins, ends in spans]
    within = sum(TYPICAL[0] <= length <= TYPICAL[1] for length in lengths) / len(lengths)
    assert 0.75 < within < 0.85
    assert min(lengths) >= 36
    assert max(lengths) <= 192
    assert len({round(length, 6) for length in lengths}) > 1900
    assert all(0 < begins < 60 for begins, _ in spans)


def test_the_same_tasks_have_the_same_times_in_every_run_and_whatever_other_models_do() -> None:
    one, other = Schedule("a", None), Schedule("a", None)
    alone = [one.span("m", 0.0, TYPICAL) for _ in range(3)]
    mixed = []
    for _ in range(3):
        other.span("n", 0.0, TYPICAL)
        mixed.append(other.span("m", 0.0, TYPICAL))
    assert alone == mixed
    assert Schedule("b", None).span("m", 0.0, TYPICAL) != alone[0]


def test_a_task_begins_after_it_was_accepted() -> None:
    early, late = Schedule("a", None), Schedule("a", None)
    begins, ends = early.span("m", 0.0, TYPICAL)
    assert late.span("m", 1000.0, TYPICAL) == pytest.approx((begins + 1000, ends + 1000))


def test_what_goes_beyond_the_slots_waits_until_one_is_free() -> None:
    schedule = Schedule("yutoai", 2)
    spans = [schedule.span("m", 0.0, TYPICAL) for _ in range(5)]
    for begins, _ in spans:
        running = sum(other_begins <= begins < other_ends for other_begins, other_ends in spans)
        assert running <= 2
    ends = sorted(ends for _, ends in spans)
    assert spans[2][0] == ends[0]
    assert spans[4][0] >= ends[2]


@pytest.mark.parametrize("typical", [(0.0, 0.0), (5.0, 5.0), (9.0, 3.0), (-4.0, 2.0)], ids=str)
def test_bounds_that_are_none_still_make_a_span(typical: tuple[float, float]) -> None:
    begins, ends = Schedule("a", None).span("m", 7.0, typical)
    assert 7 < begins < ends < 30
