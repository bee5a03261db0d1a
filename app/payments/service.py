"""Payments and refunds: started here, carried on by whoever comes by, and never done twice.

The processor is asked outside any transaction and under a name that is the same for each repetition. What it says
is written down under the payment's lock. An answer that was lost is asked for again, by the request's own process,
by the processor's message, or by the sweep.
"""

import math
import uuid
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from app.core import clock, db, money
from app.core.config import settings
from app.core.db import Row, Session
from app.core.metrics import AMOUNTS, LEDGER_DIFFERENCES, PAYMENTS_UNKNOWN, REFUNDS_OVERDUE
from app.payments import compared, ledger, repository
from app.payments.errors import (
    PaymentInProgress,
    PaymentNotFound,
    PaymentNotOffered,
    TooManyAttempts,
    TooManyFailedPayments,
)
from app.providers import registry
from app.providers.cards import Cards, Charge


class Due(NamedTuple):
    """The last day on which money may be on its way back, and the rule that says so."""

    on: date
    rule: str | None


OPEN = ("processing", "requires_action", "authorised")
_MOST_ATTEMPTS = 10
_RECENT_SECONDS = 3600
_ALARM_MINUTES = 15
# Who started a payment has so long to finish it: two calls to the processor.
_PATIENCE_SECONDS = 40.0
# An unknown result is asked for after 5 s, 30 s, 2 min, 5 min, and then every 5 minutes.
_LOOKS = (5.0, 30.0, 120.0, 300.0)


def offered() -> bool:
    """Whether this installation takes payments."""
    return bool(settings().stripe_secret_key)


def require_offered() -> None:
    """Raises PaymentNotOffered."""
    if not offered():
        raise PaymentNotOffered


async def start(
    session: Session,
    booking_id: int,
    purpose: str,
    amount: int,
    currency: str,
    method: str,
    subject_id: int | None = None,
) -> Row:
    """Write down that the booking is about to be paid for. Raises PaymentInProgress, TooManyAttempts,
    TooManyFailedPayments.

    Who tries card after card is not a traveller: a booking takes so many and no more.
    """
    if await repository.failed_of(session, booking_id) >= _MOST_ATTEMPTS:
        raise TooManyAttempts(f"{_MOST_ATTEMPTS} payments of this booking have failed; book anew.")
    await _refuse_card_after_card(session, booking_id)
    payment = await repository.add(
        session,
        {
            "booking_id": booking_id,
            "purpose": purpose,
            "subject_id": subject_id,
            "amount_minor": amount,
            "currency": currency,
            "payment_method": method,
        },
        _PATIENCE_SECONDS,
    )
    if payment is None:
        raise PaymentInProgress("Wait for the payment that is under way.", retry_after=2)
    return payment


async def _refuse_card_after_card(session: Session, booking_id: int) -> None:
    """Neither is who does so over many bookings. Raises TooManyFailedPayments."""
    most = settings().most_failed_payments
    if most is None or not settings().rate_limit_enabled:
        return
    found = await repository.unpaid_of_payer(session, booking_id, _RECENT_SECONDS)
    if found["unpaid"] >= most:
        violated: Row = {"violated-policies": ["payments"]}
        wait = max(1, math.ceil(found["wait"]))
        raise TooManyFailedPayments("Ask your bank, or try again later.", retry_after=wait, **violated)


async def read(session: Session, payment_id: int) -> Row:
    return await repository.read(session, payment_id)


async def lock(session: Session, payment_id: int) -> Row:
    return await repository.lock(session, payment_id)


async def take_due(session: Session, most: int) -> list[int]:
    """Payments that are to be looked at, kept from other sweeps for a while."""
    return await repository.take_due(session, most, _PATIENCE_SECONDS)


async def take_due_refunds(session: Session, most: int) -> Sequence[Row]:
    """Refunds that are to be sent or asked about, kept from other sweeps for a while."""
    return await repository.take_due_refunds(session, most, _PATIENCE_SECONDS)


async def postpone(session: Session, payment: Row) -> Row:
    """Nobody knows what happened: leave the payment as it is and ask again later."""
    return await repository.postpone(session, payment["id"], _LOOKS[min(payment["looks"], len(_LOOKS) - 1)])


async def refuse_unless_waiting(session: Session, booking_id: int) -> Row | None:
    """The booking's open payment if it only waits for its traveller. Raises PaymentInProgress if it does more."""
    found = await repository.open_of(session, booking_id)
    if found is not None and found["status"] != "requires_action":
        raise PaymentInProgress("Wait for the payment that is under way.", retry_after=2)
    return found


async def under_way(session: Session, booking_id: int) -> bool:
    """Whether the processor may be at work for the booking at this moment."""
    found = await repository.open_of(session, booking_id)
    return found is not None and found["status"] != "requires_action"


async def ask(payment: Row, description: str) -> Charge:
    """Take the payment's next step with the processor, outside any transaction.

    Raises CardUnreachable where nobody knows what happened, and CardRefused.
    """
    cards, name = registry.cards(), public_id(payment)
    if payment["intent"] is None:
        return await cards.authorise(
            name,
            amount=payment["amount_minor"],
            currency=payment["currency"],
            method=payment["payment_method"],
            description=description,
            return_url=settings().payment_return_url or None,
            first_asked_at=payment["created_at"],
        )
    if payment["status"] == "authorised":
        return await cards.capture(name, payment["intent"])
    if payment["status"] in OPEN:
        return await cards.look(payment["intent"])
    return await _given_up(cards, name, payment["intent"])


async def _given_up(cards: Cards, name: str, intent: str) -> Charge:
    """A payment that is over for us: what is still reserved is let go, what was taken meanwhile is told."""
    charge = await cards.look(intent)
    return charge if charge.state in ("captured", "cancelled") else await cards.cancel(name, intent)


async def learn(
    session: Session, payment: Row, status: str, charge: Charge | None = None, failure: str | None = None
) -> Row:
    """Write down a payment's state. It is looked at again while it is open, and once more when it is given up."""
    return await repository.learn(
        session,
        payment["id"],
        status,
        next_look_seconds=_next_look(payment, status, charge),
        failure=failure or (charge.failure if charge and status == "failed" else None),
        **({"intent": charge.intent, "brand": charge.brand, "last4": charge.last4} if charge else {}),
    )


def _next_look(payment: Row, status: str, charge: Charge | None) -> float | None:
    if status == "captured":
        return None
    if status in OPEN:
        return _LOOKS[min(payment["looks"], len(_LOOKS) - 1)]
    over = charge is not None and charge.state == "cancelled"
    never_there = charge is None and payment["intent"] is None
    if over or never_there:
        return None
    # It is given up at once; what the processor does not let go of yet is looked at later, and ever more seldom.
    return 0.0 if payment["status"] in OPEN else _LOOKS[min(payment["looks"], len(_LOOKS) - 1)]


async def captured(session: Session, payment: Row, charge: Charge, sold: dict[str, int]) -> Row:
    """The money is here: the payment is closed, and the ledger says for what it came, by account."""
    amount, currency, name = payment["amount_minor"], payment["currency"], public_id(payment)
    lines = ledger.credited(sold)
    lines[ledger.PROCESSOR] += amount
    lines[ledger.UNAPPLIED] -= amount - sum(sold.values())
    await ledger.post(session, payment["booking_id"], "capture", f"{name}:capture", currency, lines)
    db.count(session, AMOUNTS.labels(currency, "captured"), amount)
    if charge.fee:
        fee = {ledger.PROCESSOR_FEES: charge.fee, ledger.PROCESSOR: -charge.fee}
        fee_currency = charge.fee_currency or currency
        await ledger.post(session, payment["booking_id"], "processor_fee", f"{name}:fee", fee_currency, fee)
    return await learn(session, payment, "captured", charge)


async def owe(
    session: Session,
    booking_id: int,
    amount: int,
    *,
    reason: str,
    reference: str,
    given_back: dict[str, int],
    due: Due,
) -> list[Row]:
    """Owe money back, against the latest payments first; `given_back` says from which accounts it comes.

    What of it is not refunded stays as the penalty.
    """
    left, refunds = amount, list[Row]()
    currency = ""
    for payment in reversed(await repository.of_bookings(session, [booking_id])):
        currency = payment["currency"]
        rest = payment["amount_minor"] - payment["refunded_minor"] if payment["status"] == "captured" else 0
        part = min(left, rest)
        if part > 0:
            owed = {
                "payment_id": payment["id"],
                "amount_minor": part,
                "reason": reason,
                "due_on": due.on,
                "due_rule": due.rule,
            }
            refund = await repository.add_refund(session, owed)
            if refund is None:
                raise RuntimeError("a refund would exceed what was captured")
            refunds.append(refund)
            left -= part
    if left:
        raise RuntimeError("more is owed back than was paid")
    lines = dict(given_back)
    lines[ledger.REFUNDS_OWED] = -amount
    lines[ledger.PENALTIES] = lines.get(ledger.PENALTIES, 0) - (sum(given_back.values()) - amount)
    await ledger.post(session, booking_id, "refund_owed", reference, currency, lines)
    return refunds


async def refund(refund: Row) -> tuple[str, str | None, str | None]:
    """Ask the processor for a refund: its state, reference and failure. Raises CardUnreachable, CardRefused."""
    repaid = await registry.cards().refund(
        f"ref_{refund['public_id'].hex}",
        refund["intent"],
        amount=refund["amount_minor"],
        currency=refund["currency"],
        reference=refund["reference"],
    )
    return repaid.state, repaid.reference, repaid.failure


async def refund_settled(
    session: Session, refund: Row, status: str, reference: str | None, failure: str | None
) -> Row | None:
    """Write down what became of a refund; None if that was known.

    A refund that failed waits for an operator. It may have succeeded before: then its money is back and owed again.
    """
    again = _wait(refund) if status == "pending" else None
    settled = await repository.settle_refund(session, refund["id"], status, reference, failure, again)
    if settled is None or settled["before"] == status:
        return None
    amount, name = refund["amount_minor"], f"ref_{refund['public_id'].hex}"
    kind, moved = "refund", {ledger.REFUNDS_OWED: amount, ledger.PROCESSOR: -amount}
    if status == "failed":
        kind, name, moved = "refund_failed", f"{name}:failed", {a: -minor for a, minor in moved.items()}
    if "succeeded" in (status, settled["before"]):
        await ledger.post(session, refund["booking_id"], kind, name, refund["currency"], moved)
    if status == "succeeded":
        db.count(session, AMOUNTS.labels(refund["currency"], "refunded"), amount)
    return settled


async def refund_unknown(session: Session, refund: Row) -> None:
    """Nobody knows what became of a refund: leave it as it is and ask again later."""
    await repository.postpone_refund(session, refund["id"], _wait(refund))


def _wait(refund: Row) -> float:
    return _LOOKS[min(refund["tries"], len(_LOOKS)) - 1]


async def purge(session: Session) -> None:
    await repository.purge(session)


async def measure() -> None:
    """Set the gauges of what is owed too long and of what differs from the processor's books."""
    async with db.transaction() as session:
        PAYMENTS_UNKNOWN.set(await repository.unknown_for(session, _ALARM_MINUTES))
        REFUNDS_OVERDUE.set(await repository.overdue_refunds(session))
        latest = await compared.reconciliations(session, None, 1)
    LEDGER_DIFFERENCES.set(sum(len(day["differences"]) for day in latest))


async def find(session: Session, booking_id: int, payment_id: str) -> Row:
    """Raises PaymentNotFound."""
    try:
        wanted = uuid.UUID(payment_id.removeprefix("pay_"))
    except ValueError:
        raise PaymentNotFound from None
    found = await repository.by_public_id(session, booking_id, wanted)
    if found is None:
        raise PaymentNotFound
    return found


def public_id(payment: Row) -> str:
    return f"pay_{payment['public_id'].hex}"


def view(payment: Row, charge: Charge | None = None) -> Row:
    """A payment as answers show it; how to prove who pays is only shown to whoever is paying."""
    acting = charge is not None and payment["status"] == "requires_action"
    return {
        "id": public_id(payment),
        "purpose": payment["purpose"],
        "status": payment["status"],
        "amount": money.wire(payment["amount_minor"], payment["currency"]),
        "refunded": money.wire(payment["refunded_minor"], payment["currency"]),
        "card": {"brand": payment["brand"], "last4": payment["last4"]} if payment["last4"] else None,
        "failure": payment["failure"],
        "next_action": {"client_secret": charge.secret, "url": charge.action_url}
        if acting and charge
        else None,
        "created_at": clock.rfc3339(payment["created_at"]),
        "captured_at": clock.rfc3339(payment["captured_at"]) if payment["captured_at"] else None,
    }


def refund_view(refund: Row) -> Row:
    return {
        "id": f"ref_{refund['public_id'].hex}",
        "payment_id": f"pay_{refund['payment_public_id'].hex}",
        "status": refund["status"],
        "amount": money.wire(refund["amount_minor"], refund["currency"]),
        "reason": refund["reason"],
        "due_on": str(refund["due_on"]),
        "due_rule": refund["due_rule"],
        "created_at": clock.rfc3339(refund["created_at"]),
        "succeeded_at": clock.rfc3339(refund["succeeded_at"]) if refund["succeeded_at"] else None,
    }


async def of_bookings(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Payments, oldest first."""
    return await repository.of_bookings(session, booking_ids)


async def refunds_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Refunds, oldest first."""
    return await repository.refunds_of(session, booking_ids)
