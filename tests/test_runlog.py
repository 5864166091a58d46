from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import runlog
from vidspec.events import Event
from vidspec.lock import Cost
from vidspec.project import open_lists
from vidspec.runlog import KEPT, Payment, Stretch, folder_of, kept, read, runs
from vidspec.take import Frame, Input

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidspec.planned import Planned
    from vidspec.runlog import RunTimes, TakeTimes

    Shots = Callable[..., Path]

BEGAN = datetime(2026, 11, 20, 10, 0, 0, 250, tzinfo=UTC)
USD = Cost(amount=1.5, currency="usd")


@pytest.fixture
def drawn(shots: Shots) -> Planned:
    (opened,), _ = open_lists([shots("- {id: a, prompt: a secret prompt}")], {})
    return opened.plan().work[0]


def take(drawn: Planned, slate: str, *needs: str, cost: Cost | None = USD, **changes: Any) -> Planned:
    inputs = tuple(Input(setting="first_frame", frame=Frame(slate=one, at="last")) for one in needs)
    made = replace(drawn.take, slate=slate, provider="minimax", model="Hailuo", inputs=inputs)
    return replace(drawn, take=made, cost=cost, **changes)


def ignore(_event: Event, /) -> None:
    """Nobody listens."""


def logged(folder: Path, work: list[Planned], *events: tuple[Any, ...], **more: Any) -> RunTimes:
    """A run of these events: (time, kind, slate, details)."""
    with kept(folder, work, ignore, now=lambda: BEGAN, **more) as hear:
        hear(Event(event="run_started", time=0.0))
        for time, kind, slate, *details in events:
            given = dict(details[0]) if details else {}
            request_id = given.pop("request_id", None)
            hear(
                Event(event=kind, time=time, slate=slate, provider="minimax", request_id=request_id, details=given)
            )
    return runs(folder)[0]


def later(drawn: Planned, folder: Path, moment: datetime) -> None:
    """A run that began at a moment, and no more."""
    with kept(folder, [take(drawn, "a-t01")], ignore, now=lambda: moment) as hear:
        hear(Event(event="run_started", time=0.0))


def one(run: RunTimes, slate: str) -> TakeTimes:
    return next(found for found in run.takes if found.slate == slate)


def spans(times: TakeTimes) -> list[tuple[str, float, float]]:
    return [(one.phase, one.start, one.end) for one in times.stretches]


# --- a take's time -----------------------------------------------------------------------------------------------


def test_a_take_waits_queues_renders_and_is_downloaded(drawn: Planned, tmp_path: Path) -> None:
    run = logged(
        tmp_path,
        [take(drawn, "a-t01")],
        (2.0, "submitted", "a-t01", {"request_id": "r1"}),
        (3.0, "state", "a-t01", {"state": "queued"}),
        (5.0, "state", "a-t01", {"state": "running"}),
        (9.0, "state", "a-t01", {"state": "succeeded"}),
        (9.5, "downloaded", "a-t01", {"path": "x"}),
        (10.0, "run_finished", None),
    )
    found = one(run, "a-t01")
    assert spans(found) == [("waiting", 0, 2), ("queued", 2, 5), ("rendering", 5, 9), ("downloading", 9, 9.5)]
    assert (found.provider, found.model, found.ending, found.end) == ("minimax", "Hailuo", "done", 9.5)
    assert found.seconds("rendering") == 4
    assert (run.seconds, run.finished, run.kind, run.started_at) == (10.0, True, "render", BEGAN)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], [("rendering", 1, 8), ("downloading", 8, 9)]),
        (["running"], [("rendering", 1, 8), ("downloading", 8, 9)]),
        (["queued"], [("queued", 1, 2), ("rendering", 2, 8), ("downloading", 8, 9)]),
        (["queued", "running"], [("queued", 1, 3), ("rendering", 3, 8), ("downloading", 8, 9)]),
    ],
    ids=["seen nowhere", "seen to run", "seen to queue", "seen to queue and to run"],
)
def test_what_was_never_seen_to_queue_was_rendering(
    drawn: Planned, tmp_path: Path, states: list[str], expected: list[tuple[str, float, float]]
) -> None:
    seen = [(2.0 + number, "state", "a-t01", {"state": state}) for number, state in enumerate(states)]
    run = logged(
        tmp_path,
        [take(drawn, "a-t01")],
        (1.0, "submitted", "a-t01", {"request_id": "r1"}),
        *seen,
        (8.0, "state", "a-t01", {"state": "succeeded"}),
        (9.0, "downloaded", "a-t01"),
    )
    assert spans(one(run, "a-t01"))[1:] == expected


def test_a_take_is_held_until_those_that_it_needs_are_there_and_waits_from_then_on(
    drawn: Planned, tmp_path: Path
) -> None:
    run = logged(
        tmp_path,
        [take(drawn, "a-t01"), take(drawn, "b-t01", "a-t01", "elsewhere-t01")],
        (1.0, "submitted", "a-t01", {"request_id": "r1"}),
        (5.0, "downloaded", "a-t01"),
        (6.5, "submitted", "b-t01", {"request_id": "r2"}),
        (8.0, "downloaded", "b-t01"),
    )
    assert spans(one(run, "b-t01")) == [("held", 0, 5), ("waiting", 5, 6.5), ("rendering", 6.5, 8)]


def test_what_is_drawn_here_renders_until_it_is_there_and_costs_nothing(drawn: Planned, tmp_path: Path) -> None:
    run = logged(
        tmp_path, [take(drawn, "a-t01")], (1.0, "submitted", "a-t01", {"model": "x"}), (2.0, "downloaded", "a-t01")
    )
    assert spans(one(run, "a-t01")) == [("waiting", 0, 1), ("rendering", 1, 2)]
    assert run.payments == ()


@pytest.mark.parametrize(
    ("begun", "expected"),
    [([], [("rendering", 0, 4)]), ([3.0], [("waiting", 0, 3), ("rendering", 3, 4)])],
    ids=["from the beginning", "from where it is said to begin"],
)
def test_a_request_of_an_earlier_run_is_at_its_provider(
    drawn: Planned, tmp_path: Path, begun: list[float], expected: list[tuple[str, float, float]]
) -> None:
    told = [(time, "state", "a-t01", {"state": "begun"}) for time in begun]
    work = [take(drawn, "a-t01", action="collect", state="accepted")]
    run = logged(
        tmp_path, work, *told, (4.0, "state", "a-t01", {"state": "succeeded"}), (5.0, "downloaded", "a-t01")
    )
    assert spans(one(run, "a-t01")) == [*expected, ("downloading", 4, 5)]
    assert run.payments == ()


@pytest.mark.parametrize(
    ("kind", "details", "ending"),
    [
        ("failed", {"reason": "no"}, "failed"),
        ("blocked", {"reason": "no"}, "blocked"),
        ("in_doubt", {"reason": "no"}, "in_doubt"),
        ("downloaded", {"restored": True}, "restored"),
        ("state", {"state": "kept"}, "kept"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_take_that_is_never_sent_waits_until_it_ends(
    drawn: Planned, tmp_path: Path, kind: str, details: dict[str, Any], ending: str
) -> None:
    run = logged(tmp_path, [take(drawn, "a-t01")], (3.0, kind, "a-t01", details), (9.0, "run_finished", None))
    found = one(run, "a-t01")
    assert spans(found) == [("waiting", 0, 3)]
    assert (found.ending, found.reason) == (ending, details.get("reason"))


def test_a_run_that_was_killed_ends_with_its_last_event(drawn: Planned, tmp_path: Path) -> None:
    work = [take(drawn, "a-t01"), take(drawn, "b-t01")]
    run = logged(
        tmp_path,
        work,
        (1.0, "submitted", "a-t01", {"request_id": "r1"}),
        (4.0, "state", "a-t01", {"state": "running"}),
    )
    assert not run.finished
    assert spans(one(run, "a-t01")) == [("waiting", 0, 1), ("rendering", 1, 4)]
    assert spans(one(run, "b-t01")) == [("waiting", 0, 4)]
    assert one(run, "b-t01").ending is None


def test_what_stood_before_the_run_is_no_part_of_it_but_what_the_list_no_longer_has_is(
    drawn: Planned, tmp_path: Path
) -> None:
    run = logged(
        tmp_path,
        [take(drawn, "a-t01")],
        (0.0, "state", "stuck-t01", {"state": "failed", "reason": "before"}),
        (1.0, "state", "gone-t01", {"state": "running", "request_id": "r9"}),
        (2.0, "downloaded", "gone-t01", {"request_id": "r9"}),
    )
    assert [found.slate for found in run.takes] == ["a-t01", "gone-t01"]
    assert (one(run, "gone-t01").provider, one(run, "gone-t01").ending) == ("minimax", "done")


# --- money -------------------------------------------------------------------------------------------------------


def test_spending_goes_up_with_every_submit_by_currency_and_what_is_unknown_is_counted(
    drawn: Planned, tmp_path: Path
) -> None:
    cny = Cost(amount=2.0, currency="cny", basis="unsure")
    work = [take(drawn, "a"), take(drawn, "b", cost=cny), take(drawn, "c"), take(drawn, "d", cost=None)]
    sent = [(float(time), "submitted", slate, {"request_id": "r"}) for time, slate in enumerate("abcd", 1)]
    run = logged(tmp_path, work, *sent, (5.0, "throttled", "a", {"wait": 3}), (6.0, "throttled", "b", {"wait": 3}))
    assert run.spending() == {"usd": [(1.0, 1.5), (3.0, 3.0)], "cny": [(2.0, 2.0)]}
    assert (run.unpriced, run.slowed) == (1, {"minimax": 2})
    assert run.payments[0] == Payment(1.0, 1.5, "usd")


# --- the file ----------------------------------------------------------------------------------------------------


def test_the_log_says_when_the_run_began_and_holds_every_event_but_no_prompt(
    drawn: Planned, tmp_path: Path
) -> None:
    here = BEGAN.astimezone(timezone(timedelta(hours=5)))
    event = Event(event="failed", time=1.0, slate="a-t01", details={"reason": "nein \u2028 夜\n", "odd": {1, 2}})
    with kept(tmp_path / "runs", [take(drawn, "a-t01")], ignore, kind="rehearsal", now=lambda: here) as hear:
        hear(Event(event="run_started", time=0.0))
        hear(event)
    (path,) = (tmp_path / "runs").iterdir()
    assert path.name == "20261120T100000.000250Z.jsonl"
    head, *lines = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert (head["vidspec_run"], head["started_at"], head["kind"]) == (
        1,
        "2026-11-20T10:00:00.000250Z",
        "rehearsal",
    )
    assert [line["event"] for line in lines] == ["run_started", "failed"]
    assert lines[1]["reason"] == "nein \u2028 夜\n"
    assert "secret prompt" not in path.read_text("utf-8")
    run = read(path)
    assert run is not None
    assert (run.kind, run.name, run.started_at) == ("rehearsal", "20261120T100000.000250Z", BEGAN)


def test_every_event_is_passed_on_also_where_the_log_cannot_be_written(drawn: Planned, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    told: list[Event] = []
    events = [Event(event="run_started", time=0.0), Event(event="run_finished", time=1.0)]
    with kept(tmp_path / "runs", [take(drawn, "a-t01")], told.append) as hear:
        for event in events:
            hear(event)
    assert told == events


def test_what_a_listener_raises_is_its_own_affair_and_the_log_has_the_event(drawn: Planned, tmp_path: Path) -> None:
    def gone(_event: Event, /) -> None:
        raise BrokenPipeError

    with (
        pytest.raises(BrokenPipeError),
        kept(tmp_path, [take(drawn, "a-t01")], gone, now=lambda: BEGAN) as hear,
    ):
        hear(Event(event="run_started", time=0.0))
    (run,) = runs(tmp_path)
    assert run.started_at == BEGAN


def test_a_run_that_never_starts_leaves_no_log(drawn: Planned, tmp_path: Path) -> None:
    with kept(tmp_path / "runs", [take(drawn, "a-t01")], ignore):
        pass
    assert not (tmp_path / "runs").exists()


def test_only_the_newest_runs_are_kept_and_they_come_newest_first(drawn: Planned, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for number in range(KEPT + 3):
        later(drawn, tmp_path, BEGAN + timedelta(days=number))
    found = [run.started_at for run in runs(tmp_path)]
    assert found == [BEGAN + timedelta(days=number) for number in range(KEPT + 2, 2, -1)]
    assert (tmp_path / "notes.txt").exists()


def test_a_log_is_bounded_and_its_beginning_stays(
    drawn: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runlog, "MOST_BYTES", 600)
    run = logged(
        tmp_path / "runs",
        [take(drawn, "a-t01")],
        *((float(time), "state", "a-t01", {"state": "running"}) for time in range(1, 50)),
    )
    assert 0 < run.seconds < 49
    (path,) = (tmp_path / "runs").iterdir()
    assert path.stat().st_size <= 600


def test_a_link_that_stands_where_a_log_would_be_is_not_written_through(drawn: Planned, tmp_path: Path) -> None:
    folder, other = tmp_path / "runs", tmp_path / "other"
    folder.mkdir()
    other.write_text("precious")
    (folder / "20261120T100000.000250Z.jsonl").symlink_to(other)
    with kept(folder, [take(drawn, "a-t01")], ignore, now=lambda: BEGAN) as hear:
        hear(Event(event="run_started", time=0.0))
    assert other.read_text() == "precious"


# --- what is no log ----------------------------------------------------------------------------------------------


HEAD = '{"vidspec_run": 1, "started_at": "2026-11-20T10:00:00.000000Z", "takes": {"a": {"provider": "x"}}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "no json",
        HEAD.replace('": 1', '": 2'),
        HEAD.replace("10:00", "25:00"),
        "\ud800",
        "[" * 9999,
    ],
    ids=["nothing", "no head", "a list", "text", "another version", "no moment", "no text", "nested"],
)
def test_what_is_no_log_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "20261120T100000.000000Z.jsonl").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert runs(tmp_path) == []


def test_a_folder_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    assert runs(folder_of(tmp_path, "shots")) == []


def test_a_pipe_in_place_of_a_log_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "20261120T100000.000000Z.jsonl")
    assert runs(tmp_path) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "submitted", "time": NaN, "slate": "a"}',
        '{"event": "submitted", "time": 1e999, "slate": "a"}',
        '{"event": "submitted", "time": -1, "slate": "a"}',
        '{"event": "submitted", "time": true, "slate": "a"}',
        '{"event": "submitted", "time": "1", "slate": "a"}',
        '{"event": ["submitted"], "time": 1, "slate": "a"}',
        '{"event": "submitted", "time": 1, "slate": {"a": 1}}',
        '{"event": "state", "time": 1, "slate": "a", "state": ["running"]}',
        '{"event": "submitted", "time": 1, "sla',
        "null",
    ],
)
def test_a_line_that_makes_no_sense_is_passed_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "20261120T100000.000000Z.jsonl"
    path.write_text(f'{HEAD}\n{line}\n{{"event": "failed", "time": 7, "slate": "a", "reason": 5}}\n')
    run = read(path)
    assert run is not None
    (found,) = run.takes
    assert found.stretches == (Stretch("waiting", 0.0, 7.0),)
    assert (found.ending, found.reason) == ("failed", None)


@pytest.mark.parametrize(
    "takes",
    [
        '"x"',
        '{"a": 5}',
        '{"a": {"needs": "b", "cost": 3, "provider": 9}}',
        '{"a": {"needs": [1, "a"], "cost": {"amount": -1}}}',
    ],
)
def test_a_head_that_makes_no_sense_is_no_fault(tmp_path: Path, takes: str) -> None:
    path = tmp_path / "20261120T100000.000000Z.jsonl"
    head = f'{{"vidspec_run": 1, "started_at": "2026-11-20T10:00:00.000000Z", "takes": {takes}}}'
    path.write_text(f'{head}\n{{"event": "submitted", "time": 2, "slate": "a", "request_id": "r"}}\n')
    run = read(path)
    assert run is not None
    assert run.payments == (Payment(2.0, None, None),)
