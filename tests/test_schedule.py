from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.schedule import Job, Schedule, chains_first


def schedule(*jobs: tuple[Any, ...], there: set[str] | None = None) -> Schedule:
    """Jobs as (slate, needs…), all in the lane `x`."""
    return Schedule((Job(slate, "x", needs) for slate, *needs in jobs), there or set())


def drained(jobs: Schedule) -> list[str]:
    """Everything that may start, each finished at once."""
    order = []
    while (slate := jobs.take("x")) is not None:
        order.append(slate)
        jobs.finished(slate)
    return order


def test_jobs_come_in_the_order_of_the_list() -> None:
    assert drained(schedule(("c",), ("a",), ("b",))) == ["c", "a", "b"]


def test_a_job_comes_when_all_that_it_needs_is_finished() -> None:
    jobs = schedule(("d", "b", "c"), ("a",), ("b", "a"), ("c", "a"))
    assert drained(jobs) == ["a", "b", "c", "d"]


def test_what_is_there_already_is_not_waited_for() -> None:
    assert drained(schedule(("b", "a"), there={"a"})) == ["b"]


def test_a_job_is_given_out_once() -> None:
    jobs = schedule(("a",), ("b",))
    assert [jobs.take("x"), jobs.take("x"), jobs.take("x")] == ["a", "b", None]


def test_a_failure_ends_all_behind_it_and_nothing_else() -> None:
    jobs = schedule(("a",), ("b", "a"), ("c", "b", "d"), ("d",), ("e", "d"))
    assert jobs.take("x") == "a"
    assert sorted(jobs.failed("a")) == ["b", "c"]
    assert drained(jobs) == ["d", "e"]
    assert not jobs.is_open("x")


def test_a_second_failure_ends_nothing_twice() -> None:
    jobs = schedule(("a",), ("b",), ("c", "a", "b"))
    assert jobs.failed("a") == ["c"]
    assert jobs.failed("b") == []
    assert not jobs.is_open("x")


def test_a_job_that_needs_what_nobody_makes_ends_with_all_behind_it() -> None:
    jobs = schedule(("a", "gone"), ("b", "a"), ("c",))
    assert jobs.unreachable() == {"a": "gone", "b": "a"}
    assert drained(jobs) == ["c"]
    assert not jobs.is_open("x")


def test_each_lane_is_open_as_long_as_it_has_jobs_and_may_wait_for_another() -> None:
    jobs = Schedule([Job("a", "slow", ()), Job("b", "fast", ["a"])], set())
    assert jobs.lanes() == ["slow", "fast"]
    assert jobs.take("fast") is None
    assert jobs.is_open("fast")
    assert jobs.take("slow") == "a"
    jobs.finished("a")
    assert not jobs.is_open("slow")
    assert jobs.take("fast") == "b"


def test_what_has_the_longest_chain_behind_it_is_begun_first_and_else_the_list_decides() -> None:
    jobs = [Job("a", "x", ()), Job("b", "x", ()), Job("c", "x", ["b"]), Job("d", "x", ()), Job("e", "x", ["c"])]
    assert [job.slate for job in chains_first(jobs)] == ["b", "c", "a", "d", "e"]
    assert drained(Schedule(chains_first(jobs), set())) == ["b", "c", "a", "d", "e"]
    assert [job.slate for job in chains_first(jobs[:2])] == ["a", "b"]


def test_what_is_to_be_collected_goes_before_every_chain() -> None:
    jobs = [Job("a", "x", ()), Job("b", "x", ["a"]), Job("late", "x", ()), Job("soon", "x", ())]
    assert [job.slate for job in chains_first(jobs, {"late", "soon"})] == ["late", "soon", "a", "b"]


def test_a_chain_that_stands_last_in_the_list_does_not_begin_last() -> None:
    """Nine takes of a minute, and three that need each other, at two slots: twelve minutes' work in six."""
    jobs = [*(Job(f"s{number}", "x", ()) for number in range(9)), *chained("a", "b", "c")]
    assert minutes(jobs, slots=2) == 7
    assert minutes(chains_first(jobs), slots=2) == 6


def chained(*slates: str) -> list[Job]:
    """Jobs of which each needs the one before."""
    return [Job(slate, "x", slates[max(0, place - 1) : place]) for place, slate in enumerate(slates)]


def minutes(jobs: list[Job], *, slots: int) -> int:
    """How long jobs of a minute each take."""
    schedule, passed = Schedule(jobs, set()), 0
    while begun := [slate for _ in range(slots) if (slate := schedule.take("x")) is not None]:
        for slate in begun:
            schedule.finished(slate)
        passed += 1
    return passed


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_fails_every_job_ends_exactly_once_and_after_its_needs(data: st.DataObject) -> None:
    count = data.draw(st.integers(min_value=1, max_value=12))
    order = data.draw(st.permutations(range(count)))
    needs = {
        f"s{number}": [f"s{other}" for other in data.draw(st.sets(st.sampled_from(order[:place]), max_size=3))]
        if place
        else []
        for place, number in enumerate(order)
    }
    jobs = Schedule((Job(f"s{number}", "x", needs[f"s{number}"]) for number in range(count)), set())
    good: list[str] = []
    bad: list[str] = []
    while (slate := jobs.take("x")) is not None:
        assert set(needs[slate]) <= set(good)
        if data.draw(st.booleans()):
            jobs.finished(slate)
            good.append(slate)
        else:
            bad += [slate, *jobs.failed(slate)]
    assert sorted(good + bad) == sorted(needs)
    assert not jobs.is_open("x")
