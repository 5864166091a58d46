from __future__ import annotations

import io
import json

from vidspec.events import Event, Tally, json_lines


def test_an_event_leaves_out_what_is_not_known() -> None:
    assert Event(event="run_started", time=0.0).value() == {"event": "run_started", "time": 0.0}


def test_an_event_says_what_when_and_of_which_take() -> None:
    event = Event(
        event="submitted",
        time=1.23456,
        slate="s010-t01",
        provider="minimax",
        request_id="r1",
        details={"model": "MiniMax-Hailuo-02"},
    )
    assert event.value() == {
        "event": "submitted",
        "time": 1.235,
        "slate": "s010-t01",
        "provider": "minimax",
        "request_id": "r1",
        "model": "MiniMax-Hailuo-02",
    }


def test_totals_count_what_was_stuck_before_apart_from_what_went_wrong_in_the_run() -> None:
    tally = Tally(failed={"a-t01": "no"}, stuck={"b-t01": "failed", "c-t01": "in_doubt", "d-t01": "in_doubt"})
    found = tally.value()
    assert (found["failed"], found["in_doubt"]) == (1, 0)
    assert found["stuck"] == {"failed": 1, "blocked": 0, "in_doubt": 2}
    assert not Tally(stuck={"b-t01": "failed"}).wrong


def test_totals_count_what_stood_there_already_as_kept() -> None:
    assert Tally(kept=["a-t01"], standing=3).value()["kept"] == 4


def test_every_event_is_one_line_whatever_is_in_it() -> None:
    stream = io.StringIO()
    listen = json_lines(stream)
    events = [
        Event(event="failed", time=1, slate="a-t01", details={"reason": "two\nlines \u2028 \x00 夜"}),
        Event(event="run_finished", time=2),
    ]
    for event in events:
        listen(event)
    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [event.value() for event in events]


def test_a_line_is_there_as_soon_as_it_happened() -> None:
    class Stream(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    stream = Stream()
    json_lines(stream)(Event(event="run_started", time=0))
    assert stream.flushed == 1
