from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.console import Console
from vidspec.events import Tally
from vidspec.lock import Cost, Record
from vidspec.plan_table import amount
from vidspec.project import open_lists
from vidspec.state import Flight
from vidspec.summary import print_ending

if TYPE_CHECKING:
    from vidspec.planned import Plan

Shots = Callable[..., Path]


@pytest.mark.parametrize(
    ("tally", "interrupted", "lines"),
    [
        (Tally(), False, ["done: nothing to do"]),
        (
            Tally(rendered=["a-t01", "b-t01"], seconds=1.25),
            False,
            ["done: 2 takes rendered in 1.2 s", "      in {}/renders"],
        ),
        (
            Tally(restored=["a-t01"], kept=["b-t01"]),
            False,
            ["done: 1 take restored, 1 take kept in 0.0 s", "      in {}/renders/a"],
        ),
        (
            Tally(rendered=["a-t01"], failed={"b-t01": "disk full"}, blocked={"c-t01": "b-t01"}),
            False,
            [
                "failed    b-t01: disk full",
                "blocked   c-t01: needs b-t01",
                "not done: 1 take rendered, 1 take failed, 1 take blocked",
                "      in {}/renders/a",
            ],
        ),
        (
            Tally(blocked={"c-t01": "b-t01"}),
            False,
            ["blocked   c-t01: needs b-t01; `--select +c` makes it too", "not done: 1 take blocked"],
        ),
        (
            Tally(rendered=["a-t01"], failed={"b-t01": "x"}),
            True,
            [
                "failed    b-t01: x",
                "interrupted: 1 take rendered, 1 take failed; the same command goes on from here",
                "      in {}/renders/a",
            ],
        ),
        (
            Tally(rendered=["a-t01", "d-t01"]),
            False,
            ["done: 2 takes rendered in 0.0 s", "      in {}"],
        ),
    ],
    ids=["nothing", "all", "restored and kept", "failed", "blocked by what was not selected", "interrupted", "top"],
)
def test_the_last_words_are_what_failed_then_counts_then_where(
    shots: Shots, project: Path, tally: Tally, interrupted: bool, lines: list[str]
) -> None:
    entries = "\n".join(f"- {{id: {name}, prompt: x}}" for name in "abc")
    (opened,), _ = open_lists([shots(f"{entries}\n- {{id: d, prompt: x, output: d.mp4}}")], {})
    found: Any = opened.plan()
    stream = io.StringIO()
    slates = {one.slate for one in found.takes}
    print_ending(Console(stream), project, found, slates, tally, interrupted=interrupted)
    said = [line.rstrip("/") for line in stream.getvalue().splitlines()]
    assert said == [line.format(project) for line in lines]


# --- what to do next -------------------------------------------------------------------------------------


def _ended(found: Any, tally: Tally, **given: Any) -> list[str]:
    """What is said at the end, but for the place of the clips."""
    stream = io.StringIO()
    slates = {one.slate for one in found.takes}
    print_ending(Console(stream), Path("/"), found, slates, tally, **{"interrupted": False} | given)
    return stream.getvalue().splitlines()


@pytest.fixture
def found(shots: Shots) -> Plan:
    """Seven takes that are to be made at MiniMax."""
    entries = "\n".join(f"- {{id: {name}, prompt: x}}" for name in "abcdefg")
    (opened,), _ = open_lists([shots(entries)], {})
    plan = opened.plan()
    cost = Cost(amount=0.28, currency="usd")
    takes = [replace(one, take=replace(one.take, provider="minimax"), cost=cost) for one in plan.takes]
    return replace(plan, takes=tuple(takes))


def _flight(slate: str, **changes: Any) -> Flight:
    record = Record(shot="a", take=1, provider="minimax", cost=Cost(amount=1.0, currency="cny"))
    given: dict[str, Any] = {
        "slate": slate,
        "move": "running",
        "record": record,
        "output": "a.mp4",
        "base_url": "x",
        "since": 0.0,
    }
    return Flight(**given | changes)


@pytest.mark.parametrize(
    ("blame", "is_there", "advice"),
    [
        ("key", False, "check `MINIMAX_API_KEY`; then the same command goes on"),
        ("key", True, "check `MINIMAX_API_KEY`; then the same command looks again, free"),
        ("billing", False, "top up the account at minimax; then the same command goes on"),
        ("quota", False, "wait for more quota at minimax, or buy some; then the same command goes on"),
        ("moderation", False, "change the prompt, or send the same again with `--retry-failed`"),
        ("input", False, "change what minimax does not take, or send the same again with `--retry-failed`"),
        ("provider", False, "send the same again with `--retry-failed`"),
        ("provider", True, "the same command looks again, free"),
        ("address", False, "check the network, and the `base_url` of minimax; then the same command goes on"),
        ("outage", False, "the same command tries again"),
        ("rate", False, "the same command tries again"),
        ("outage", True, "the same command looks again, free"),
        ("lost", True, "the same command looks again, free"),
        (None, True, "the same command looks again, free"),
        (None, False, None),
    ],
)
def test_a_failure_says_what_to_do_next_by_blame(
    found: Plan, blame: str | None, is_there: bool, advice: str | None
) -> None:
    tally = Tally(failed={"a-t01": "no"}, under_way=["a-t01"] if is_there else [])
    tally.blames = {} if blame is None else {"a-t01": blame}
    said = _ended(found, tally)
    assert said[0] == "failed    a-t01: no"
    helped = [line.strip().removeprefix("help: ") for line in said if "help:" in line]
    assert helped == ([] if advice is None else [advice])
    assert all(len(line) <= 100 for line in said)


def test_a_key_is_named_as_the_list_names_it(found: Plan) -> None:
    tally = Tally(failed={"a-t01": "no"}, blames={"a-t01": "key"})
    said = _ended(found, tally, keys={"minimax": "OUR_KEY"})
    assert "help: check `OUR_KEY`;" in said[1]


def test_failures_of_one_kind_stand_together_and_many_of_one_reason_in_one_line(found: Plan) -> None:
    closed = "not sent: no money"
    tally = Tally(failed={f"{name}-t01": closed for name in "acdefg"} | {"b-t01": "sunset"})
    tally.blames = dict.fromkeys(tally.failed, "billing") | {"b-t01": "moderation"}
    assert _ended(found, tally)[:-1] == [
        "failed    a-t01, c-t01, d-t01 and 3 more: not sent: no money",
        "          help: top up the account at minimax; then the same command goes on",
        "failed    b-t01: sunset",
        "          help: change the prompt, or send the same again with `--retry-failed`",
    ]
    tally.failed["a-t01"] = "no money"
    tally.failed["c-t01"] = "no money at all"
    assert [line.partition(":")[0] for line in _ended(found, tally)[:6]] == [
        "failed    a-t01",
        "failed    c-t01",
        "failed    d-t01",
        "failed    e-t01",
        "failed    f-t01",
        "failed    g-t01",
    ]


def test_a_take_in_doubt_is_left_to_a_person_who_is_told_how(found: Plan) -> None:
    first = replace(found.takes[0], action="decide", reasons=("the answer was lost",))
    tally = Tally(in_doubt={"b-t01": "no answer"})
    assert _ended(replace(found, takes=(first, *found.takes[1:])), tally) == [
        "in doubt  b-t01: no answer",
        "          help: see whether the provider has it; `--resubmit b-t01` may pay twice",
        "in doubt  a-t01: the answer was lost",
        "          help: see whether the provider has it; `--resubmit a-t01` may pay twice",
        "not done: 1 take in doubt",
    ]


def test_what_failed_before_says_so_and_what_to_do(found: Plan) -> None:
    first = replace(found.takes[0], action="failed", reasons=("sunset",), cost=None)
    first = replace(first, flight=_flight("a-t01", move="failed", blame="moderation"))
    said = _ended(replace(found, takes=(first,)), Tally())
    assert said == [
        "failed    a-t01: sunset (before)",
        "          help: change the prompt, or send the same again with `--retry-failed`",
        "not done: nothing to do",
    ]


def test_what_only_the_lockfile_knows_of_costs_what_that_says(found: Plan) -> None:
    record = _flight("a-t01").record
    first = replace(found.takes[0], action="collect", cost=None, record=record)
    assert record.cost is not None
    said = _ended(replace(found, takes=(first,)), Tally(under_way=["a-t01"]), interrupted=True)[-1]
    assert said == f"still at providers: 1 take, {amount(record.cost)}; the same command collects it, free"


@pytest.mark.parametrize(
    ("under_way", "line"),
    [
        (["b-t01"], "1 take, 0.28 usd; the same command collects it, free"),
        (
            ["b-t01", "c-t01", "a-t01", "gone-t01"],
            "4 takes, 0.56 usd + 2.00 cny; the same command collects them, free",
        ),
        (["b-t01", "g-t01"], "2 takes, 0.28 usd + 1 unpriced; the same command collects them, free"),
    ],
    ids=["one", "collected and orphaned", "of unknown price"],
)
def test_what_is_still_under_way_is_counted_with_what_it_costs(
    found: Plan, under_way: list[str], line: str
) -> None:
    first = replace(found.takes[0], action="collect", cost=None, flight=_flight("a-t01"))
    last = replace(found.takes[-1], cost=None)
    found = replace(found, takes=(first, *found.takes[1:-1], last), orphans=(_flight("gone-t01"),))
    tally = Tally(under_way=under_way)
    assert _ended(found, tally, interrupted=True) == [
        "interrupted: nothing was finished; the same command goes on from here",
        f"still at providers: {line}",
    ]
    assert _ended(found, tally, interrupted=True, is_rehearsed=True) == ["interrupted: nothing was finished"]
