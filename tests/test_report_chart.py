from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from vidspec.report import chart
from vidspec.report.chart import MOST_ROWS, charts, in_words
from vidspec.runlog import Payment, RunTimes, Stretch, TakeTimes

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def times(slate: str, *stretches: Stretch, provider: str = "minimax", ending: str | None = "done") -> TakeTimes:
    return TakeTimes(slate=slate, provider=provider, model="m", stretches=stretches, ending=ending)


A = times("a", Stretch("waiting", 0, 10), Stretch("rendering", 10, 90), Stretch("downloading", 90, 100))


def run(takes: Sequence[TakeTimes], seconds: float = 100.0, payments: Sequence[Payment] = ()) -> RunTimes:
    return RunTimes(
        name="x",
        started_at=BEGAN,
        kind="render",
        seconds=seconds,
        finished=True,
        takes=tuple(takes),
        payments=tuple(payments),
        slowed={"minimax": 2},
    )


def test_times_become_percents_of_the_run() -> None:
    (found,) = charts([run([A])])
    (lane,) = found.lanes
    assert [(bar.phase, bar.x, bar.width) for bar in lane.rows[0].bars] == [
        ("waiting", 0.0, 10.0),
        ("rendering", 10.0, 80.0),
        ("downloading", 90.0, 10.0),
    ]
    assert (lane.provider, lane.words, lane.folded) == ("minimax", "1 take, told to slow down 2 times", None)
    assert lane.rows[0].words == "waited 10.0 s, rendered 80.0 s, downloaded 10.0 s; done"
    assert (found.title, found.words) == ("2026-11-20 10:00 UTC", "1 take, 1 min 40 s")
    assert [phase for phase, _ in found.phases] == ["waiting", "rendering", "downloading"]


def test_takes_stand_by_provider_in_the_order_in_which_they_were_begun() -> None:
    late = times("late", Stretch("waiting", 0, 50), Stretch("rendering", 50, 60))
    never = times("never", Stretch("held", 0, 70), ending="blocked")
    other = times("other", Stretch("rendering", 0, 5), provider="nebula")
    (found,) = charts([run([late, never, other, A])])
    assert [(lane.provider, [row.slate for row in lane.rows]) for lane in found.lanes] == [
        ("minimax", ["a", "late", "never"]),
        ("nebula", ["other"]),
    ]


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0.0, ["0:00"]),
        (0.05, ["0:00", "0.01 s", "0.02 s", "0.03 s", "0.04 s", "0.05 s"]),
        (0.7, ["0:00", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s", "0.6 s", "0.7 s"]),
        (0.99, ["0:00", "0.2 s", "0.4 s", "0.6 s", "0.8 s"]),
        (1.2, ["0:00", "0:01"]),
        (6.5, ["0:00", "0:01", "0:02", "0:03", "0:04", "0:05", "0:06"]),
        (284, ["0:00", "1:00", "2:00", "3:00", "4:00"]),
        (3900, ["0:00", "10:00", "20:00", "30:00", "40:00", "50:00", "1 h"]),
        (30_000, ["0:00", "2 h", "4 h", "6 h", "8 h"]),
        (5_400, ["0:00", "15:00", "30:00", "45:00", "1 h", "1 h 15", "1 h 30"]),
    ],
)
def test_the_axis_has_round_times_and_not_too_many(seconds: float, labels: list[str]) -> None:
    (found,) = charts([run([A], seconds)])
    assert [label for _, label in found.ticks] == labels
    assert all(0 <= place <= 100 for place, _ in found.ticks)


def test_a_run_of_weeks_has_an_axis_too() -> None:
    (found,) = charts([run([A], 86_400 * 60)])
    assert 2 <= len(found.ticks) <= 9


def test_many_takes_are_folded_into_one_picture_a_line_each() -> None:
    many = [replace(A, slate=str(number)) for number in range(MOST_ROWS + 1)]
    (found,) = charts([run(many)])
    (lane,) = found.lanes
    assert lane.rows == []
    assert lane.folded is not None
    assert lane.folded.count == MOST_ROWS + 1
    paths = dict(lane.folded.paths)
    assert list(paths) == ["waiting", "rendering", "downloading"]
    assert paths["rendering"].startswith("M100.0 0h800.0v1h-800.0z")
    assert paths["rendering"].count("M") == MOST_ROWS + 1
    assert found.phases == charts([run([A])])[0].phases


def test_ten_thousand_takes_are_one_picture_of_bounded_height() -> None:
    many = [replace(A, slate=str(number)) for number in range(10_000)]
    (found,) = charts([run(many)])
    folded = found.lanes[0].folded
    assert folded is not None
    assert folded.height <= 320
    assert (len(found.table), found.left_out) == (chart.MOST_TABLE, 10_000 - chart.MOST_TABLE)


def test_spending_goes_up_in_steps_to_the_end_of_the_run() -> None:
    paid = [Payment(10, 1.0, "usd"), Payment(20, 0.5, "cny"), Payment(60, 1.0, "usd"), Payment(70, None, None)]
    (found,) = charts([run([A], payments=paid)])
    assert [(line.currency, line.total, line.path) for line in found.lines] == [
        ("usd", "2.00 usd", "M0 100H100.0V50.0H600.0V0.0H1000"),
        ("cny", "0.50 cny", "M0 100H200.0V0.0H1000"),
    ]
    assert found.unpriced == 1


def test_the_table_says_the_same_in_words() -> None:
    failed = replace(times("b", Stretch("rendering", 0, 0.01), ending="in_doubt"), reason="gone")
    (found,) = charts([run([A, failed, times("c", ending=None)])])
    assert [(one.slate, one.phases, one.ending) for one in found.table] == [
        ("a", ["", "10.0 s", "", "80.0 s", "10.0 s"], "done"),
        ("b", ["", "", "", "", ""], "in doubt: gone"),
        ("c", ["", "", "", "", ""], "the run ended first"),
    ]


def test_the_newest_run_comes_first_whoever_it_was_of_and_always() -> None:
    runs = [replace(run([A]), started_at=BEGAN + timedelta(days=day), kind="rehearsal") for day in range(15)]
    found = charts(runs)
    assert len(found) == chart.MOST_RUNS
    assert (found[0].title, found[0].id, found[0].is_rehearsal) == ("2026-12-04 10:00 UTC", "run-1", True)
    huge = run([A] * 3)
    assert len(charts([huge])) == 1


def test_runs_of_too_many_takes_are_left_out_but_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "MOST_TAKES", 2)
    assert len(charts([run([A] * 3), run([A])])) == 1


def test_a_run_that_was_stopped_says_so() -> None:
    (found,) = charts([replace(run([]), finished=False)])
    assert found.words == "0 takes, 1 min 40 s, it was stopped, or is going on"


def test_every_number_of_a_path_can_be_read_by_a_browser() -> None:
    odd = times("odd", Stretch("rendering", 0, 1e-9), Stretch("downloading", 1e-9, 33.333333))
    (found,) = charts([run([replace(odd, slate=str(number)) for number in range(40)], 33.333333)])
    folded = found.lanes[0].folded
    assert folded is not None
    for _, path in folded.paths:
        assert re.fullmatch(r"(?:M-?[\d.]+ \d+h[\d.]+v1h-[\d.]+z)+", path)


def test_a_take_in_words_leaves_out_what_took_no_time() -> None:
    assert in_words(A) == "waited 10.0 s, rendered 80.0 s, downloaded 10.0 s"
    assert in_words(times("x")) == ""
