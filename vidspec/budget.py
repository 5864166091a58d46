"""What takes cost, as far as the tables know; and what a list may cost. Currencies are never added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec.fingerprint import SWITCHES
from vidspec.lock import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vidspec.capability import Model


def cost(model: Model, request: Mapping[str, Any]) -> Cost | None:
    """The price of one take by the model's price list; None where no row fits: unknown is not free."""
    for price in model.prices:
        if all(request.get(key, _absent(key)) == value for key, value in price.when.items()):
            seconds = request.get("duration")
            if price.per == "second" and not isinstance(seconds, int | float):
                return None
            amount = price.amount * float(seconds) if price.per == "second" and seconds else price.amount
            return Cost(amount=round(amount, 6), currency=price.currency, basis=price.basis)
    return None


def _absent(key: str) -> Any:
    """What a setting is that a request does not hold: a switch is off."""
    return False if key in SWITCHES else None


def totals(costs: Iterable[Cost | None]) -> dict[str, float]:
    """Sums by currency, of what is known."""
    sums: dict[str, float] = {}
    for one in costs:
        if one is not None:
            sums[one.currency] = round(sums.get(one.currency, 0.0) + one.amount, 6)
    return sums


def excesses(budget: Mapping[str, float] | None, sums: Mapping[str, float]) -> Iterator[str]:
    """A sentence for every currency in which a plan may cost more than the budget allows."""
    if budget is None:
        return
    for currency, amount in sums.items():
        if amount > 0 and currency not in budget:
            yield f"the plan may cost {amount:g} {currency}, and the budget names no {currency}"
        elif amount > budget.get(currency, 0.0):
            yield f"the plan may cost {amount:g} {currency}; the budget is {budget[currency]:g} {currency}"


def shown(sums: Mapping[str, float], *, free: str = "free") -> str:
    """Sums as a person reads them: `1.40 usd + 4.00 cny`."""
    paid = [f"{amount:.2f} {currency}" for currency, amount in sums.items() if amount > 0]
    return " + ".join(paid) or free
