"""After the database was restored to an earlier moment: what travellers paid since, which only the processor knows.

A payment or refund whose row is there goes on by itself, because the processor is asked under its name. Here it is
about those whose rows are gone. A payment for a booking that is still held here, or has expired, is taken in and goes
the way of every payment: the seats are secured, or the money goes back. The rest is for people to decide.
"""

import re
import uuid
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app.bookings import lookups, ordered, paying, repository
from app.core import db, money
from app.core.clock import now
from app.core.db import Row, Session
from app.payments import compared
from app.payments import repository as payments
from app.payments.service import OPEN
from app.providers import registry
from app.providers.cards import Made

# The processor's clock and ours differ, and a backup's own end is known to a second.
_AROUND = timedelta(minutes=5)
_DESCRIBED = re.compile(r"Booking ([A-Z0-9]{6})")


class Forgotten(NamedTuple):
    """A movement of money of which nothing is known here. `booking` is the state of what it was for, None for none.

    `taken_in` is what became of a payment that was taken in, `can_be` says that it could be.
    """

    what: Literal["charge", "reservation", "refund"]
    reference: str
    amount: money.Wire
    pnr: str | None
    booking: str | None
    can_be: bool = False
    taken_in: str | None = None


async def forgotten(since: datetime, *, take_in: bool) -> list[Forgotten]:
    """What was paid and given back since then, and is in none of our rows; oldest first."""
    return [*await _refunds(since), *await _payments(since, take_in=take_in)][::-1]


async def _payments(since: datetime, *, take_in: bool) -> list[Forgotten]:
    made = {
        name: one
        async for one in registry.cards().made(since - _AROUND)
        if (name := _own(one.name, "pay_")) and _matters(one)
    }
    async with db.transaction() as session:
        known = await compared.known_payments(session, list(made))
    return [await _payment(name, one, take_in) for name, one in made.items() if name not in known]


def _matters(one: Made) -> bool:
    """Whether money is with the processor, or may be."""
    return one.charge.state not in ("failed", "cancelled") and one.refunded < one.charge.amount


async def _payment(name: uuid.UUID, one: Made, take_in: bool) -> Forgotten:
    described = _DESCRIBED.fullmatch(one.description)
    pnr, payment_id, became = described[1] if described else None, None, None
    async with db.transaction() as session:
        booking = await _booking(session, pnr)
        fits = booking is not None and await _fits(session, booking, one)
        if booking and fits and take_in:
            payment_id = await payments.adopt(session, _row(name, booking["id"], one))
    if payment_id is not None:
        became = (await paying.carry_on(payment_id))[0]["status"]
        async with db.transaction() as session:
            booking = await _booking(session, pnr)
    return Forgotten(
        "charge" if one.charge.state == "captured" else "reservation",
        one.charge.intent,
        money.wire(one.charge.amount - one.refunded, one.charge.currency),
        pnr,
        booking["status"] if booking else None,
        fits,
        None if became in OPEN else became,
    )


async def _booking(session: Session, pnr: str | None) -> Row | None:
    found = await lookups.known(session, pnr) if pnr else None
    return await repository.lock(session, found) if found is not None else None


async def _fits(session: Session, booking: Row, one: Made) -> bool:
    """Whether it is the whole price of a booking that nobody has paid for here."""
    price = booking["total_minor"] + await ordered.unpaid_extras(session, booking["id"])
    return (
        booking["status"] in ("held", "expired", "cancelled")
        and not any(
            row["status"] == "captured" for row in await payments.of_bookings(session, [booking["id"]])
        )
        and one.refunded == 0
        and (one.charge.amount, one.charge.currency) == (price, booking["currency"])
    )


def _row(name: uuid.UUID, booking_id: int, one: Made) -> Row:
    return {
        "public_id": name,
        "booking_id": booking_id,
        "amount_minor": one.charge.amount,
        "currency": one.charge.currency,
        "intent": one.charge.intent,
    }


async def _refunds(since: datetime) -> list[Forgotten]:
    made = {
        name: line
        async for line in registry.cards().books(since - _AROUND, now() + _AROUND)
        if (name := _own(line.name, "ref_"))
    }
    found = []
    async with db.transaction() as session:
        known = await compared.known_refunds(session, list(made))
        for name, line in made.items():
            pnr = await compared.pnr_of_intent(session, line.intent or "")
            booking = await _booking(session, pnr)
            # Where the payment is forgotten as well, what is left of it is told of there.
            if name not in known and booking is not None:
                amount = money.wire(abs(line.amount), line.currency)
                found.append(
                    Forgotten("refund", line.refund or line.reference, amount, pnr, booking["status"])
                )
    return found


def _own(name: str | None, prefix: str) -> uuid.UUID | None:
    """What we named so; None for others' names."""
    try:
        return uuid.UUID((name or "").removeprefix(prefix)) if (name or "").startswith(prefix) else None
    except ValueError:
        return None
