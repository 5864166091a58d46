"""Files that change, at exact virtual times: when that is told, and when it is not told yet."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock

from vidspec.watch.lookout import EVERY, LONG, MOST_LOOKS, RECORDS_EVERY, REST, Change, Lookout, Mark, look

if TYPE_CHECKING:
    from collections.abc import Callable

LIST, PICTURE, LOCK = Path("shots.yaml"), Path("a.png"), Path("shots.lock")
Steps = dict[float, dict[Path, Mark | None]]


class Disk:
    """Files that change at given times: each step holds until the next."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def look(self, path: Path) -> Mark | None:
        marks = {LIST: Mark(1, 10, 1), LOCK: Mark(1, 10, 2)}
        for time, changes in self._steps.items():
            if time <= trio.current_time() + 1e-9:
                marks |= changes  # type: ignore[arg-type]
        return marks.get(path)


def told(
    steps: Steps, *, until: float, follow: Callable[[Lookout], None] | None = None
) -> list[tuple[float, Change]]:
    """The changes that are told within some seconds, and when."""
    found: list[tuple[float, Change]] = []

    async def main() -> None:
        lookout = Lookout([LIST], [LOCK], Disk(steps).look)
        if follow is not None:
            follow(lookout)
        with trio.move_on_after(until):
            while True:
                change = await lookout.change()
                found.append((round(trio.current_time(), 6), change))

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return found


SAVED, RECORDED = Change(saved=True), Change(saved=False)


def test_what_never_changes_is_never_told() -> None:
    assert told({}, until=100) == []


@pytest.mark.parametrize(
    "mark", [Mark(2, 10, 1), Mark(1, 11, 1), Mark(1, 10, 9)], ids=["later", "longer", "another in its place"]
)
def test_a_save_is_told_once_when_it_has_been_at_rest(mark: Mark) -> None:
    assert told({0.6: {LIST: mark}}, until=100) == [(3 * EVERY + REST, SAVED)]


def test_a_file_that_is_written_in_steps_is_told_when_the_last_is_done() -> None:
    steps: Steps = {0.1 * step: {LIST: Mark(step, 10 + step, 1)} for step in range(3, 9)}
    ((when, change),) = told(steps, until=100)
    assert change == SAVED
    assert 0.8 + REST <= when <= 0.8 + 3 * REST


@pytest.mark.parametrize("half", [None, Mark(2, 0, 1)], ids=["taken away", "emptied"])
def test_a_file_that_is_put_back_at_once_was_never_gone(half: Mark | None) -> None:
    steps: Steps = {1.0: {LIST: half}, 1.0 + REST * (LONG - 2): {LIST: Mark(3, 12, 5)}}
    ((when, _),) = told(steps, until=100)
    assert when > 1.0 + REST * (LONG - 2)


@pytest.mark.parametrize("half", [None, Mark(2, 0, 1)], ids=["taken away", "emptied"])
def test_a_file_that_stays_away_is_told_after_a_while_and_again_when_it_returns(half: Mark | None) -> None:
    found = told({1.0: {LIST: half}, 20.0: {LIST: Mark(3, 12, 5)}}, until=100)
    assert found == [(1.0 + REST * LONG, SAVED), (pytest.approx(20.0 + REST, abs=EVERY), SAVED)]


def test_what_is_as_it_was_when_it_comes_to_rest_is_not_told() -> None:
    steps: Steps = {1.0: {LIST: None}, 1.5: {LIST: Mark(1, 10, 1)}}
    assert told(steps, until=100) == []


def test_what_never_comes_to_rest_is_told_all_the_same() -> None:
    steps: Steps = {REST * step: {LIST: Mark(step, step, 1)} for step in range(10, 10_000)}
    first, *_ = told(steps, until=3 * REST * MOST_LOOKS)
    assert first[0] == pytest.approx(1.0 + REST * MOST_LOOKS, abs=EVERY + REST)


def test_records_are_told_apart_and_only_so_often() -> None:
    steps: Steps = {0.1 * step: {LOCK: Mark(step, step, 2)} for step in range(10, 60)}
    found = told(steps, until=100)
    assert {change for _, change in found} == {RECORDED}
    times = [time for time, _ in found]
    assert times[0] == 1.0 + REST
    assert times[-1] >= 5.9
    assert all(later - sooner >= RECORDS_EVERY for sooner, later in pairwise(times))


def test_a_save_does_not_wait_for_records_that_never_rest() -> None:
    steps: Steps = {0.05 * step: {LOCK: Mark(step, step, 2)} for step in range(400)}
    found = told({**steps, 5.01: {LIST: Mark(2, 11, 1)}}, until=20)
    (save,) = (time for time, change in found if change == SAVED)
    assert save <= 5.01 + EVERY + 2 * REST


def test_a_file_that_is_followed_later_is_looked_at_from_then_on() -> None:
    steps: Steps = {0.0: {PICTURE: Mark(7, 1, 3)}, 5.0: {PICTURE: Mark(8, 2, 3)}}
    found = told(steps, until=100, follow=lambda lookout: lookout.follow([LIST, PICTURE], since=8))
    assert [change for _, change in found] == [SAVED]
    assert found[0][0] >= 5.0


def test_a_file_that_was_changed_while_it_was_read_is_told_at_once() -> None:
    steps: Steps = {0.0: {PICTURE: Mark(7, 1, 3)}}
    found = told(steps, until=100, follow=lambda lookout: lookout.follow([LIST, PICTURE], since=7))
    assert found == [(REST, SAVED)]


def test_a_file_that_is_followed_no_more_is_not_told() -> None:
    def follow(lookout: Lookout) -> None:
        lookout.follow([LIST, PICTURE], since=99)
        lookout.follow([LIST], since=99)

    assert told({0.0: {PICTURE: Mark(7, 1, 3)}, 5.0: {PICTURE: None}}, until=100, follow=follow) == []


# --- the real disk -----------------------------------------------------------------------------------------


def test_a_real_file_has_another_mark_after_every_kind_of_save(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    marks = [look(path)]
    path.write_text("a")
    marks.append(look(path))
    path.write_text("ab")
    marks.append(look(path))
    (tmp_path / "new").write_text("ab")
    (tmp_path / "new").replace(path)
    marks.append(look(path))
    assert marks[0] is None
    assert len(set(marks)) == 4


def test_what_cannot_be_a_file_has_no_mark(tmp_path: Path) -> None:
    assert look(tmp_path / "a\0b") is None
    assert look(tmp_path / ("a" * 5000)) is None
    (tmp_path / "loop").symlink_to("loop")
    assert look(tmp_path / "loop") is None


def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("abc")
    (tmp_path / "link").symlink_to("real")
    assert look(tmp_path / "link") == look(tmp_path / "real")
