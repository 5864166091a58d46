"""The money of a page: what was paid for takes, what may have been, and what is to be paid yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec import budget
from vidspec.plan_table import amount, price, sum_of
from vidspec.state import UNMADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vidspec.lock import Cost, Lock, Record
    from vidspec.planned import Planned
    from vidspec.state import Flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Sums in words, empty where there is nothing to be said.

    `spent` is what providers have accepted, former clips and what has failed since too; `under_way` and `failed`
    are parts of it. What is `in_doubt` may have been paid, and is in no other sum.
    """

    spent: str
    under_way: str
    failed: str
    in_doubt: str
    to_pay: str


def money(takes: Sequence[Planned], lock: Lock, flights: Mapping[str, Flight]) -> Money:
    """The sums of takes, by what is recorded of them, and by their present lives at providers, by slate."""
    records = [record for one in takes if (record := lock.get(one.slate))]
    rendered = [one for record in records for one in (record, *record.superseded) if one.rendered]
    known = {(one.provider, one.request_id) for one in rendered}
    live = [flight for one in takes if (flight := flights.get(one.slate))]
    accepted = [one for one in live if one.request_id and (one.record.provider, one.request_id) not in known]
    under_way = [one.record.cost for one in accepted if one.collectable]
    failed = [one.record.cost for one in accepted if one.move in UNMADE]
    doubtful = [one.record.cost for one in live if one.doubtful]
    return Money(
        spent=_sum([*_paid(rendered), *under_way, *failed]),
        under_way=_sum(under_way),
        failed=_sum(failed),
        in_doubt=sum_of(doubtful) if doubtful else "",
        to_pay=_to_pay([one for one in takes if one.pays]),
    )


def paid(record: Record) -> str:
    """What a clip has cost; nothing for one that was drawn here."""
    if record.cost is None:
        return "price unknown" if record.request_id else ""
    return amount(record.cost)


def on_card(record: Record | None, flight: Flight | None) -> str:
    """What the card of a take says of its price: of its clip, and of what was sent for it since."""
    clip = paid(record) if record is not None and record.rendered else ""
    former = () if record is None else (record, *record.superseded)
    fetched = {one.request_id for one in former if one.rendered}
    if flight is None or not flight.is_live or (flight.request_id and flight.request_id in fetched):
        return clip
    worth = "price unknown" if flight.record.cost is None else amount(flight.record.cost)
    if flight.doubtful:
        return " + ".join(filter(None, (clip, f"perhaps {worth}")))
    return f"{clip} + {worth} under way" if clip else worth


def _paid(records: Iterable[Record]) -> Iterator[Cost | None]:
    """The prices of clips, without those that were drawn here."""
    return (one.cost for one in records if one.cost is not None or one.request_id)


def _sum(costs: Sequence[Cost | None]) -> str:
    """Sums by currency, and how many have no price; nothing where nothing was paid."""
    unpriced = sum(1 for one in costs if one is None)
    unsure = any(one and one.amount and one.basis == "unsure" for one in costs)
    known = budget.shown(budget.totals(costs), free="")
    words = [f"{'about ' if unsure else ''}{known}" if known else "", f"{unpriced} unpriced" if unpriced else ""]
    return " + ".join(filter(None, words))


def _to_pay(work: Sequence[Planned]) -> str:
    """The price of what would be sent; nothing where all of it is free."""
    return price(work) if any(one.cost is None or one.cost.amount for one in work) else ""
