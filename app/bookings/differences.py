"""What a change costs: what was paid for the old flights against the price of the new ones, and the fee."""

from collections import Counter

from app.bookings import travel
from app.bookings.travel import Unit
from app.core import money
from app.core.db import Row
from app.fares.quotes import Quote
from app.offers.token import Offer
from app.payments import ledger

FARE_RULES = "fare_rules"


def worked_out(
    booking: Row, old: list[Unit], quote: Quote, seats_paid: int, reason: str, fee: int
) -> tuple[int, list[Row], dict[str, int]]:
    """What is due, its lines, and what is sold by it, by the ledger's accounts, which adds up to what is due.

    Of a fare that is not refundable nothing goes back; where the airline caused the change, the new flights are worth
    what was paid for the old ones.
    """
    worth = sum(unit.worth for unit in old)
    sold: Counter[str] = Counter()
    sold.subtract(travel.accounts(old))
    if reason != FARE_RULES:
        quote_total, fee = worth, 0
        sold.update(travel.accounts(old))
    else:
        quote_total = quote.total
        sold.update(_accounts(quote))
    sold[ledger.EXTRAS] -= seats_paid
    difference = quote_total - worth - seats_paid
    due = difference + fee
    refundable = booking["conditions"]["refund"]["allowed"] or reason != FARE_RULES
    forfeited = -difference if difference < 0 and not refundable else 0
    due += forfeited
    sold[ledger.PENALTIES] += fee + forfeited
    parts = [
        ("new_flights", quote_total),
        ("old_flights", -worth),
        ("old_seats", -seats_paid),
        ("change_fee", fee),
        ("not_refundable", forfeited),
    ]
    lines = [
        {"kind": kind, "amount": money.wire(minor, booking["currency"])} for kind, minor in parts if minor
    ]
    return due, lines, {account: amount for account, amount in sold.items() if amount}


def same_worth(booking: Row, slices: list[int], offer: Offer) -> list[Row]:
    """Parts of new slices that are together worth what the old ones were: the first has it all if they are fewer."""
    known = {part["slice"]: part["each"] for part in booking["terms"]["parts"]}
    old = [known[index] for index in sorted(set(slices))]
    parts = []
    for number in range(len(offer.slices)):
        mine = old[number:] if number == len(offer.slices) - 1 else old[number : number + 1]
        each = [
            {
                "type": one["type"],
                "count": one["count"],
                "base": sum(o["base"] for part in mine for o in part if o["type"] == one["type"]),
                "taxes": [
                    tax for part in mine for o in part if o["type"] == one["type"] for tax in o["taxes"]
                ],
            }
            for one in old[0]
        ]
        parts.append({"slice": number, "each": each})
    return parts


def _accounts(quote: Quote) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in quote.slices:
        for line in one.passengers:
            found[ledger.FARES] += line.base
            for tax in line.tax_lines:
                found[ledger.taxes(tax.code)] += tax.amount
    return found
