"""Whatever a booking is made of: what goes back and what is kept add up, line by line and account by account."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bookings import cancelling, differences, ordered, travel
from app.bookings.travel import Unit
from app.core import money
from app.fares.quotes import PassengerPrice, Quote, SlicePrice, TaxLine
from app.payments import ledger
from tests.payments.support import minor

CURRENCIES = ["USD", "JPY", "KWD"]
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
amounts = st.integers(0, 10**7)
taxes = st.lists(
    st.tuples(st.sampled_from(["D1", "A1", "US"]), st.just("A tax"), amounts, st.booleans()), max_size=2
)
kinds = st.sampled_from(["adult", "child", "infant"])
reasons = st.sampled_from(["fare_rules", "void", "free_cancellation", "airline_change"])
fees = st.none() | amounts


@st.composite
def trips(draw: st.DrawFn) -> list[Unit]:
    people = draw(st.lists(kinds, min_size=1, max_size=3))
    return [
        Unit(
            position=position,
            type=kind,
            carrier=0 if kind == "infant" else None,
            slice_index=index,
            departs_at=datetime(2027, 1, 1, tzinfo=UTC),
            base=draw(amounts),
            taxes=tuple(draw(taxes)),
            unused=True,
        )
        for index in range(draw(st.integers(1, 2)))
        for position, kind in enumerate(people)
    ]


def booking(currency: str, refund_fee: int | None) -> dict[str, Any]:
    fee = None if refund_fee is None else money.wire(refund_fee, currency)
    return {
        "id": 1,
        "currency": currency,
        "conditions": {"refund": {"allowed": fee is not None, "fee": fee}},
    }


@few
@given(trips(), st.sampled_from(CURRENCIES), fees, reasons, st.lists(amounts, max_size=3))
def test_a_cancellation_is_what_was_paid(
    units: list[Unit], currency: str, fee: int | None, reason: str, extras: list[int]
) -> None:
    """Nothing is negative; what is kept is the fee, the fare or some taxes, and nothing where it is free."""
    bags = [{"position": units[0].position, "kind": "bag", "amount_minor": amount} for amount in extras]

    async def paid_extras(*_: Any) -> list[dict[str, Any]]:
        return bags

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "paid_extras", paid_extras)
        total = asyncio.run(cancelling.refundable(None, booking(currency, fee), units, reason))

    paid = sum(unit.worth for unit in units) + sum(extras)
    assert total.refund + total.penalty == paid == sum(total.accounts.values())
    for name, whole in (("refund", total.refund), ("penalty", total.penalty), ("paid", paid)):
        shown = [minor(line[name]) for line in total.lines]
        assert sum(shown) == whole
        assert all(amount >= 0 for amount in shown)
    if reason != "fare_rules":
        assert total.penalty == 0
    elif fee is not None:
        people = Counter[int]()
        for unit in units:
            people[unit.position] += unit.base
        assert total.penalty == sum(min(fee, base) for base in people.values()) + sum(extras)


@few
@given(
    trips(),
    trips(),
    st.sampled_from(CURRENCIES),
    amounts,
    amounts,
    fees,
    st.sampled_from(["fare_rules", "airline_change"]),
)
def test_a_change_is_the_difference_and_the_fee(
    old: list[Unit], new: list[Unit], currency: str, seats: int, fee: int, refund_fee: int | None, reason: str
) -> None:
    """The lines are what is due, and so is what is sold; nothing that is not refundable goes back."""
    quote = Quote(currency, (SlicePrice(tuple(_line(unit) for unit in new)),))

    due, lines, sold = differences.worked_out(booking(currency, refund_fee), old, quote, seats, reason, fee)

    assert sum(minor(line["amount"]) for line in lines) == due == sum(sold.values())
    paid, price = sum(unit.worth for unit in old) + seats, quote.total
    if reason != "fare_rules":
        assert due == -seats
    elif refund_fee is None:
        assert due == max(price - paid, 0) + fee
    else:
        assert due == price - paid + fee
    assert sold.get(ledger.PENALTIES, 0) >= 0


def _line(unit: Unit) -> PassengerPrice:
    return PassengerPrice(unit.type, 1, unit.base, tuple(TaxLine(*tax) for tax in unit.taxes))


@few
@given(trips(), st.sampled_from(CURRENCIES))
def test_what_is_left_is_priced_as_what_it_is_worth(units: list[Unit], currency: str) -> None:
    """The price that a booking shows, and its accounts."""
    total, price = travel.priced(units, currency)

    worth = sum(unit.worth for unit in units)
    assert total == worth == sum(travel.accounts(units).values()) == minor(price["total"])
    assert worth == minor(price["base"]) + minor(price["taxes"])
