from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import clearance
from vidspec.errors import Refusal, UsageError
from vidspec.lock import Cost
from vidspec.project import open_lists

if TYPE_CHECKING:
    from vidspec.shotlist import ShotList

Shots = Callable[..., Path]

EVIL = (
    "the list sends the key of `yutoai` to `api.evil.example`, which is not its own host "
    "and which you have not trusted"
)
KEYS = {"MINIMAX_API_KEY": "sk-m", "YUTOAI_API_KEY": "sk-y", "SILICONFLOW_API_KEY": "sk-s"}


@pytest.fixture
def listed(shots: Shots, tmp_path: Path) -> Callable[..., ShotList]:
    def make(head: str = "") -> ShotList:
        (opened,), _ = open_lists([shots("- {id: a, prompt: one}", head)], {}, offline=True)
        return opened.shot_list

    return make


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), **KEYS, **more}


def test_an_account_has_the_lists_limits_over_the_tables(listed: Callable[..., ShotList], tmp_path: Path) -> None:
    shot_list = listed("providers: {minimax: {max_in_flight: 9, poll_interval: 2.5}}\n")
    found = clearance.accounts(shot_list, ["minimax"], environment(tmp_path))["minimax"]
    assert (found.max_in_flight, found.poll_interval, found.submits_per_minute) == (9, 2.5, 5.0)
    assert (found.base_url, found.key) == ("https://api.minimax.io/v1", "sk-m")


def test_every_problem_is_said_at_once(listed: Callable[..., ShotList], tmp_path: Path) -> None:
    head = 'providers: {yutoai: {base_url: "https://api.evil.example/v2"}, gately: {base_url: "https://g.example/v1"}}\n'
    with pytest.raises(UsageError) as caught:
        clearance.accounts(listed(head), ["gately", "minimax", "yutoai"], environment(tmp_path))
    assert str(caught.value).splitlines() == [
        "`GATELY_API_KEY` is not set",
        "    help: it holds the key of `gately`",
        EVIL,
        "    help: `vidspec trust api.evil.example` if you know it",
        "nothing was submitted",
    ]
    assert "sk-y" not in str(caught.value)


def test_what_the_environment_names_is_the_users_own_word(listed: Callable[..., ShotList], tmp_path: Path) -> None:
    env = environment(tmp_path, VIDSPEC_YUTOAI_BASE_URL="https://api.mine.example/v2/")
    assert clearance.accounts(listed(), ["yutoai"], env)["yutoai"].base_url == "https://api.mine.example/v2"


def test_a_list_that_needs_no_provider_needs_no_configuration(listed: Callable[..., ShotList]) -> None:
    assert clearance.accounts(listed(), [], {"XDG_CONFIG_HOME": "/nowhere"}) == {}


class Work:
    """A take as far as its price goes."""

    def __init__(self, cost: Cost | None, provider: str = "minimax", *, pays: bool = True) -> None:
        self.cost, self.pays = cost, pays
        self.take = type("Take", (), {"provider": provider})


def asked(*work: Any, answer: bool | None = True) -> list[str]:
    """The questions that are put before this work."""
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        assert answer is not None
        return answer

    clearance.consent(work, None if answer is None else ask)
    return questions


DOLLAR, YUAN = Cost(amount=1.0, currency="usd"), Cost(amount=2.0, currency="cny", basis="unsure")


@pytest.mark.parametrize(
    ("work", "question"),
    [
        ((Work(DOLLAR), Work(DOLLAR)), "this run submits 2 takes: 2.00 usd. Go on?"),
        ((Work(DOLLAR), Work(YUAN)), "this run submits 2 takes: about 1.00 usd + 2.00 cny. Go on?"),
        ((Work(None),), "this run submits 1 take: price unknown. Go on?"),
        ((Work(DOLLAR), Work(None)), "this run submits 2 takes: 1.00 usd and 1 take of unknown price. Go on?"),
    ],
    ids=["one-currency", "two-and-unsure", "unknown", "partly-unknown"],
)
def test_the_price_is_asked_once_and_an_unknown_one_is_no_nothing(work: tuple[Any, ...], question: str) -> None:
    assert asked(*work) == [question]


@pytest.mark.parametrize(
    "work",
    [(), (Work(DOLLAR, pays=False),), (Work(DOLLAR, "animatic"),), (Work(Cost(amount=0.0, currency="usd")),)],
    ids=["nothing", "not-paid", "drawn", "free"],
)
def test_what_costs_nothing_is_never_asked(work: tuple[Any, ...]) -> None:
    assert asked(*work, answer=None) == []


def test_without_anybody_to_ask_nothing_is_submitted() -> None:
    with pytest.raises(
        Refusal, match=r"this run submits 1 take: 1\.00 usd; `--yes` agrees to that; nothing was sub"
    ):
        asked(Work(DOLLAR), answer=None)


def test_a_no_is_a_no() -> None:
    with pytest.raises(Refusal, match="not agreed; nothing was submitted"):
        asked(Work(DOLLAR), answer=False)
