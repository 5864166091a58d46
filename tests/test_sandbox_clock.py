"""The fast clock: how fast it is, that it can be held, and that deadlines keep to it."""

from __future__ import annotations

import time

import pytest
import trio

from vidspec.errors import UsageError
from vidspec.sandbox.clock import MOST_SPEED, FastClock, held_while_drawing, parse_speed


class Real:
    """Real seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def started(rate: float) -> tuple[FastClock, Real]:
    """A clock on real seconds that are moved by hand, at 0."""
    real = Real()
    clock = FastClock(rate, real=real)
    real.seconds += 5
    clock.start_clock()
    return clock, real


# --- by itself ---------------------------------------------------------------------------------------------------


def test_time_begins_at_nothing_and_passes_at_the_rate() -> None:
    clock, real = started(60)
    assert clock.current_time() == 0
    real.seconds += 0.5
    assert clock.current_time() == pytest.approx(30)


@pytest.mark.parametrize(
    ("rate", "deadline", "wanted"),
    [
        pytest.param(60, 30, 0.5, id="fast"),
        pytest.param(0.5, 30, 60, id="slow"),
        pytest.param(60, -1, 0, id="over"),
        pytest.param(60, 0, 0, id="now"),
        pytest.param(60, float("inf"), float("inf"), id="never"),
    ],
)
def test_a_deadline_comes_as_much_sooner_as_the_clock_is_faster(
    rate: float, deadline: float, wanted: float
) -> None:
    clock, _ = started(rate)
    assert clock.deadline_to_sleep_time(deadline) == pytest.approx(wanted)


def test_a_held_clock_stands_still_and_goes_on_from_where_it_stood() -> None:
    clock, real = started(10)
    real.seconds += 1
    with clock.held():
        real.seconds += 100
        assert clock.current_time() == pytest.approx(10)
        assert clock.deadline_to_sleep_time(11) == float("inf")
        assert clock.deadline_to_sleep_time(9) == 0
    assert clock.current_time() == pytest.approx(10)
    real.seconds += 1
    assert clock.current_time() == pytest.approx(20)


def test_holds_are_counted() -> None:
    clock, real = started(10)
    clock.pause()
    clock.pause()
    clock.resume()
    real.seconds += 1
    assert clock.current_time() == 0
    clock.resume()
    real.seconds += 1
    assert clock.current_time() == pytest.approx(10)


def test_a_clock_that_nobody_holds_cannot_be_let_go() -> None:
    clock, _ = started(1)
    with pytest.raises(RuntimeError, match="not held"):
        clock.resume()


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")], ids=str)
def test_a_rate_is_positive_and_finite(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        FastClock(rate)


# --- in a run ----------------------------------------------------------------------------------------------------


def test_sleepers_wake_in_the_order_of_their_virtual_times() -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await trio.sleep(seconds)
        woken.append((name, trio.current_time()))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for name, seconds in (("late", 60), ("early", 20), ("middle", 40)):
                nursery.start_soon(sleeper, name, seconds)

    begun = time.perf_counter()
    trio.run(main, clock=FastClock(600))
    assert [name for name, _ in woken] == ["early", "middle", "late"]
    assert all(at >= wanted for (_, at), wanted in zip(woken, (20, 40, 60), strict=True))
    assert 0.1 <= time.perf_counter() - begun < 10


def test_a_deadline_that_falls_into_a_pause_waits_for_its_end() -> None:
    clock = FastClock(100)
    seen = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep_a_little)
            with clock.held():
                before = trio.current_time()
                await trio.to_thread.run_sync(time.sleep, 0.05)  # 5 virtual seconds, if the clock were let go
                seen.append(trio.current_time() - before)
                assert len(seen) == 1

    async def sleep_a_little() -> None:
        await trio.sleep(1)
        seen.append(trio.current_time())

    trio.run(main, clock=clock)
    assert seen[0] == 0
    assert seen[1] >= 1


@pytest.mark.parametrize(
    ("wants", "stands"), [pytest.param(True, True, id="wanted"), pytest.param(False, False, id="not wanted")]
)
def test_drawing_holds_the_running_clock_where_that_is_wanted(wants: bool, stands: bool) -> None:
    async def main() -> bool:
        with held_while_drawing():
            before = trio.current_time()
            await trio.to_thread.run_sync(time.sleep, 0.01)
            return trio.current_time() == before

    assert trio.run(main, clock=FastClock(50, hold_while_drawing=wants)) is stands


def test_drawing_under_the_usual_clock_holds_nothing() -> None:
    async def main() -> bool:
        with held_while_drawing():
            return True

    assert trio.run(main)


# --- as it is written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "speed"), [("10x", 10), ("1.5x", 1.5), ("60", 60), (" 2x ", 2), ("0.1x", 0.1)])
def test_a_speed_is_written_as_a_number_with_or_without_an_x(text: str, speed: float) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "10 x", "1e3", "601x", "fast", "١٠x", "1.x", "nan"])
def test_what_is_no_speed_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=f"is no speed: write one like `10x`, at most `{MOST_SPEED:g}x`"):
        parse_speed(text)
