"""Which faults happen, when, and what each makes of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vidspec.sandbox.delivery import DEEP, NOT_DONE, PAGE, Delivery, befallen, refused
from vidspec.sandbox.drill import Drill
from vidspec.sandbox.faults import FAULTS, ON_TASKS, fault
from vidspec.sandbox.twin import Answer, CallName, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST = Request(verb="POST", path=("video", "submit"))
GOOD = json_answer({"requestId": "a"})
CLIP = Answer(headers={"Content-Type": "video/mp4"}, body=bytes(range(100)))


class Words:
    """The words of a twin."""

    name, prefix, title = "siliconflow", "/siliconflow/v1", "Words"

    def answer(self, request: Request) -> Answer:
        return GOOD

    def call_of(self, request: Request) -> CallName | None:
        return "submit"

    def throttled(self, request: Request, *, retry_after: float | None) -> Answer:
        return json_answer({"retry": retry_after}, 429)

    def overloaded(self, request: Request) -> Answer:
        return json_answer("overloaded", 503)

    def broken(self, request: Request) -> Answer:
        return json_answer("broken", 500)

    def timed_out(self, request: Request) -> Answer:
        return json_answer("timed out", 504)

    def moderated(self) -> Mapping[str, Any]:
        return {"message": "no"}

    def paths(self) -> Mapping[str, Any]:
        return {}


# --- when --------------------------------------------------------------------------------------------------------


def happened(drill: Drill, calls: int, call: CallName = "poll") -> list[int]:
    """The numbers of the calls that a fault befell, from 1."""
    return [number for number in range(1, calls + 1) if drill.on_answer("minimax", call, "m", 0.0)]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({}, [1], id="once"),
        pytest.param({"first": 3}, [3], id="later"),
        pytest.param({"times": 2}, [1, 2], id="twice"),
        pytest.param({"first": 4, "times": 2}, [4, 5], id="twice, later"),
        pytest.param({"first": 5, "times": None}, [5, 6], id="always, later"),
        pytest.param({"chance": 1.0}, [1, 2, 3, 4, 5, 6], id="surely"),
        pytest.param({"chance": 0.0}, [], id="by no chance"),
        pytest.param({"providers": ("nebula",), "times": None}, [], id="another provider"),
        pytest.param({"calls": ("submit",), "times": None}, [], id="another call"),
        pytest.param({"model": "m*", "first": 6}, [6], id="a model"),
        pytest.param({"model": "M", "times": None}, [], id="another model"),
        pytest.param({"after": 0.1, "times": None}, [], id="not yet"),
    ],
)
def test_a_fault_happens_when_it_is_said_to(given: dict[str, Any], wanted: list[int]) -> None:
    assert happened(Drill([fault("cut", **given)]), 6) == wanted


def test_calls_before_the_time_are_not_counted() -> None:
    drill = Drill([fault("cut", after=10.0, first=2)])
    assert [bool(drill.on_answer("minimax", "poll", "m", now)) for now in (1, 9.9, 10, 11, 12)] == [
        False, False, False, True, False,
    ]  # fmt: skip


def test_a_fault_of_a_model_does_not_befall_a_call_whose_model_nobody_knows() -> None:
    assert Drill([fault("cut", model="*")]).on_answer("minimax", "poll", None, 0.0) is None


def test_only_one_fault_befalls_a_call_and_the_next_waits_its_turn() -> None:
    drill = Drill([fault("cut"), fault("empty", times=2)])
    kinds = [found and found.fault for found in (drill.on_answer("minimax", "poll", "m", 0.0) for _ in range(5))]
    assert kinds == ["cut", "empty", "empty", None, None]
    assert [(rule.seen, rule.fired) for rule in drill.rules] == [(5, 1), (5, 2)]


def test_chance_is_the_same_in_every_run_and_another_with_another_seed() -> None:
    rule = fault("cut", chance=0.3)
    one, again, other = (happened(Drill([rule], seed), 400) for seed in (1, 1, 2))
    assert one == again != other
    assert 80 < len(one) < 160


def test_two_faults_by_chance_do_not_move_each_other() -> None:
    alone = happened(Drill([fault("cut", chance=0.2), fault("slow", chance=0.0)]), 50)
    both = Drill([fault("cut", chance=0.2), fault("slow", chance=0.5)])
    kinds = [both.on_answer("minimax", "poll", "m", 0.0) for _ in range(50)]
    assert [number for number, kind in enumerate(kinds, 1) if kind and kind.fault == "cut"] == alone


def test_faults_on_tasks_all_befall_one_and_no_answer() -> None:
    drill = Drill([fault("moderation"), fault("late_row", times=2), fault("cut")])
    found = drill.on_answer("minimax", "submit", "m", 0.0)
    assert found
    assert found.fault == "cut"
    kinds = [[one.fault for one in drill.on_task("minimax", "m", 0.0)] for _ in range(3)]
    assert kinds == [["moderation", "late_row"], ["late_row"], []]


# --- what --------------------------------------------------------------------------------------------------------


def of(kind: str, answer: Answer = GOOD, *, stored: bool = False, **given: Any) -> Delivery:
    return befallen(fault(kind, **given), answer, Words(), REQUEST, stored=stored, salt="1")


@pytest.mark.parametrize(
    ("kind", "status", "stored"),
    [("throttled", 429, (503, b"SlowDown")), ("overloaded", 503, (503, b"ServiceUnavailable")),
     ("broken", 500, (500, b"InternalError"))],
)  # fmt: skip
def test_a_refusal_is_in_the_words_of_whoever_is_asked(kind: str, status: int, stored: tuple[int, bytes]) -> None:
    assert refused(fault(kind), Words(), REQUEST, stored=False, elsewhere="").status == status
    answer = refused(fault(kind), Words(), REQUEST, stored=True, elsewhere="")
    assert answer.status == stored[0]
    assert b"<Code>%s</Code>" % stored[1] in answer.body


def test_the_time_to_wait_is_passed_on() -> None:
    one = fault("throttled", retry_after=2.5)
    assert refused(one, Words(), REQUEST, stored=False, elsewhere="").body == b'{"retry": 2.5}'
    assert refused(one, Words(), REQUEST, stored=True, elsewhere="").headers["Retry-After"] == "2.5"


def test_a_redirect_leads_elsewhere() -> None:
    answer = refused(fault("redirect"), Words(), REQUEST, stored=True, elsewhere="http://localhost:1/a")
    assert (answer.status, answer.headers["Location"]) == (302, "http://localhost:1/a")


@pytest.mark.parametrize(
    ("kind", "manner"),
    [("hang", "late"), ("drop", "drop"), ("reset", "reset"), ("cut", "cut"), ("slow", "slow"), ("huge", "huge"),
     ("wrong_length", "overstated")],
)  # fmt: skip
def test_a_fault_of_the_wire_leaves_the_answer_as_it_was(kind: str, manner: str) -> None:
    delivery = of(kind)
    assert (delivery.manner, delivery.answer) == (manner, GOOD)


def test_how_long_it_takes_is_as_written() -> None:
    assert of("hang").seconds is None
    assert of("hang", seconds=3.0).seconds == 3
    assert of("slow").seconds == 10


def test_a_time_out_is_told_by_the_twin_or_by_the_store_after_a_while() -> None:
    delivery = of("timed_out", seconds=30.0)
    assert (delivery.answer.status, delivery.answer.body) == (504, b'"timed out"')
    assert (delivery.manner, delivery.seconds) == ("late", 30)
    assert b"RequestTimeout" in of("timed_out", CLIP, stored=True).answer.body


def test_rubbish_is_what_it_is_called() -> None:
    assert of("html").answer.headers["Content-Type"].startswith("text/html")
    assert of("html").answer.body == of("html_download", CLIP).answer.body == PAGE
    assert (of("empty").answer.status, of("empty").answer.body) == (200, b"")
    assert of("empty_download", CLIP).answer == Answer(headers=CLIP.headers, body=b"")
    assert of("nested").answer.body == b"[" * DEEP + b"]" * DEEP
    assert len(of("garbage").answer.body) > 100
    assert of("truncated_download", CLIP).answer.body == CLIP.body[:50]
    assert (of("link_expired", CLIP).answer.status, b"AccessDenied" in of("link_expired", CLIP).answer.body) == (
        403,
        True,
    )


def test_a_refusal_that_is_made_rubbish_looks_good() -> None:
    assert of("garbage", json_answer("no", 400)).answer.status == 200


def test_every_fault_is_a_refusal_or_does_something_to_an_answer_or_to_a_task() -> None:
    for kind in FAULTS:
        if kind in NOT_DONE:
            assert refused(fault(kind), Words(), REQUEST, stored=False, elsewhere="x").status >= 300
        elif kind not in ON_TASKS:
            assert of(kind, CLIP) != Delivery(answer=CLIP)
