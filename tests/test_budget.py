from __future__ import annotations

import pytest

from vidspec import budget
from vidspec.errors import Overspent, UsageError
from vidspec.lock import Cost
from vidspec.providers import PROVIDERS, table


def usd(amount: float, basis: str = "listed") -> Cost:
    return Cost(amount=amount, currency="usd", basis=basis)


def test_currencies_are_never_added_up() -> None:
    costs = [usd(1.5), None, usd(0.25), Cost(amount=4, currency="cny")]
    assert budget.totals(costs) == {"usd": 1.75, "cny": 4}


def test_sums_of_small_prices_are_not_blurred() -> None:
    assert budget.totals([usd(0.1)] * 3) == {"usd": 0.3}


@pytest.mark.parametrize(
    ("allowed", "sums", "sentences"),
    [
        (None, {"usd": 1e9}, []),
        ({"usd": 2}, {"usd": 2}, []),
        ({"usd": 2}, {"usd": 2.01}, ["the plan may cost 2.01 usd; the budget is 2 usd"]),
        ({"usd": 2}, {"cny": 1}, ["the plan may cost 1 cny, and the budget names no cny"]),
        ({"usd": 2}, {"cny": 0}, []),
        ({}, {"usd": 0.5}, ["the plan may cost 0.5 usd, and the budget names no usd"]),
        ({"usd": 0}, {"usd": 0}, []),
        ({"usd": 0}, {"usd": 1}, ["the plan may cost 1 usd; the budget is 0 usd"]),
        (
            {"usd": 1, "cny": 9},
            {"usd": 2, "cny": 10},
            ["the plan may cost 2 usd; the budget is 1 usd", "the plan may cost 10 cny; the budget is 9 cny"],
        ),
    ],
)
def test_a_budget_names_every_currency_that_goes_beyond_it(
    allowed: dict[str, float] | None, sums: dict[str, float], sentences: list[str]
) -> None:
    assert list(budget.excesses(allowed, sums)) == sentences


@pytest.mark.parametrize(
    ("sums", "text"),
    [
        ({}, "free"),
        ({"usd": 0}, "free"),
        ({"usd": 1.4, "cny": 4}, "1.40 usd + 4.00 cny"),
        ({"usd": 0, "cny": 1}, "1.00 cny"),
    ],
    ids=["nothing", "zero", "two", "zero and one"],
)
def test_sums_are_shown_by_currency(sums: dict[str, float], text: str) -> None:
    assert budget.shown(sums) == text


def test_drawing_is_free() -> None:
    assert budget.cost(table("animatic").models["animatic"], {"duration": 600}) == usd(0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_price_by_the_second_needs_a_length(provider: str) -> None:
    """Else it would be the price of one second, or of nothing."""
    for model in table(provider).models.values():
        for price in model.prices:
            found = budget.cost(model, {**price.when, "duration": None})
            long, longer = (budget.cost(model, {**price.when, "duration": seconds}) for seconds in (5, 10))
            if "duration" in price.when:
                continue
            if price.per == "second":
                assert found is None
                assert long is not None
                assert longer is not None
                assert longer.amount == pytest.approx(2 * long.amount)
            else:
                assert found == long == longer


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_that_no_row_fits_has_no_price(provider: str) -> None:
    for model in table(provider).models.values():
        rows = [price for price in model.prices if price.when]
        if rows and len(rows) == len(model.prices):
            assert budget.cost(model, dict.fromkeys(rows[0].when, "no such value")) is None


def test_a_switch_that_is_not_in_the_request_is_off() -> None:
    model = table("nebula").models["veo-3.0-generate-preview"]
    off = budget.cost(model, {"duration": 8, "audio": False})
    assert off is not None
    assert budget.cost(model, {"duration": 8}) == off
    assert budget.cost(model, {"duration": 8, "audio": True}) != off


# --- the purse ---------------------------------------------------------------------------------------------


def test_money_is_held_before_and_given_back_only_where_nothing_was_made() -> None:
    purse = budget.Purse([{"usd": 3.0}])
    purse.hold("a", usd(2))
    with pytest.raises(Overspent, match="not sent: 4 usd would be spent, which is too much"):
        purse.hold("b", usd(2))
    purse.give_back("a")
    purse.hold("b", usd(2))
    purse.hold("c", usd(1))


def test_a_take_that_is_tried_again_holds_its_price_once() -> None:
    purse = budget.Purse([{"usd": 2.0}])
    for _ in range(5):
        purse.hold("a", usd(2))


def test_the_narrower_bound_counts_and_currencies_stay_apart() -> None:
    purse = budget.Purse([{"usd": 9.0, "cny": 1.0}, {"usd": 1.0}])
    purse.hold("a", usd(1))
    with pytest.raises(Overspent):
        purse.hold("b", usd(0.01))
    with pytest.raises(Overspent):
        purse.hold("c", Cost(amount=1, currency="cny"))


def test_what_nobody_has_a_price_for_holds_nothing() -> None:
    purse = budget.Purse([{"usd": 0.0}])
    purse.hold("a", None)
    purse.hold("b", usd(0))


def test_sums_that_fit_exactly_are_not_refused_for_their_last_digit() -> None:
    purse = budget.Purse([{"usd": 0.3}])
    for name in "abc":
        purse.hold(name, usd(0.1))


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [(["5usd"], {"usd": 5}), ([" 0.50 CNY", "2usd"], {"cny": 0.5, "usd": 2}), ([], {})],
    ids=["one", "two", "none"],
)
def test_amounts_are_read_by_currency(texts: list[str], amounts: dict[str, float]) -> None:
    assert budget.amounts(texts) == amounts


@pytest.mark.parametrize("text", ["5", "usd", "-5usd", "5 dollars", "1e3usd", "", "nanusd", "5usd,2cny"])
def test_what_is_no_amount_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="is no amount: write one like `5usd`"):
        budget.amounts([text])
