"""What takes cost, as far as the tables know; and what a list may cost. Currencies are never added up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vidspec.errors import Overspent, UsageError
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


def amounts(texts: Iterable[str]) -> dict[str, float]:
    """Amounts as they are written (`5usd`, `0.5 cny`), by currency. Raises UsageError for what is none."""
    found: dict[str, float] = {}
    for text in texts:
        match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]{3})\s*", text)
        if match is None:
            raise UsageError(f"`{text}` is no amount: write one like `5usd`, once for each currency")
        found[match[2].lower()] = float(match[1])
    return found


def totals(costs: Iterable[Cost | None]) -> dict[str, float]:
    """Sums by currency, of what is known."""
    sums: dict[str, float] = {}
    for one in costs:
        if one is not None:
            sums[one.currency] = round(sums.get(one.currency, 0.0) + one.amount, 6)
    return sums


def excesses(budget: Mapping[str, float] | None, sums: Mapping[str, float], name: str = "budget") -> Iterator[str]:
    """A sentence for every currency in which a plan may cost more than is allowed; `name` is what allows it."""
    if budget is None:
        return
    for currency, amount in sums.items():
        if amount > 0 and currency not in budget:
            yield f"the plan may cost {amount:g} {currency}, and the {name} names no {currency}"
        elif not amount <= budget.get(currency, 0.0):
            yield f"the plan may cost {amount:g} {currency}; the {name} is {budget[currency]:g} {currency}"


def shown(sums: Mapping[str, float], *, free: str = "free") -> str:
    """Sums as a person reads them: `1.40 usd + 4.00 cny`."""
    paid = [f"{amount:.2f} {currency}" for currency, amount in sums.items() if amount > 0]
    return " + ".join(paid) or free


class Purse:
    """What a run may spend: money is held for a take before it is sent, and given back only where nothing was made.

    A price that nobody knows holds nothing. Currencies that a bound does not name may not be spent under it.
    """

    def __init__(self, bounds: Iterable[Mapping[str, float]]) -> None:
        self._bounds = tuple(bounds)
        self._held: dict[str, Cost] = {}
        self._sums: dict[str, float] = {}

    def hold(self, slate: str, cost: Cost | None) -> None:
        """Hold the price of a take. Raises Overspent where there is not enough left; it must not be sent then."""
        self.give_back(slate)
        if cost is None or not cost.amount:
            return
        wanted = round(self._sums.get(cost.currency, 0.0) + cost.amount, 6)
        if not all(wanted <= bound.get(cost.currency, 0.0) + _ROUNDING for bound in self._bounds):
            raise Overspent(f"not sent: {wanted:g} {cost.currency} would be spent, which is too much")
        self._sums[cost.currency] = wanted
        self._held[slate] = cost

    def give_back(self, slate: str) -> None:
        """Nothing was made for a take: its price is free again."""
        if (cost := self._held.pop(slate, None)) is not None:
            self._sums[cost.currency] = round(self._sums[cost.currency] - cost.amount, 6)


_ROUNDING = 1e-6
