"""Refunds on their way: asked of the processor until it says what became of them, and told to the booking."""

from app.bookings import repository
from app.bookings.paying import ANY_STATE
from app.core import db, doorbell, money
from app.core.db import Row
from app.core.logging import logger
from app.core.metrics import REFUNDS
from app.payments import service as payments
from app.providers.cards import CardRefused, CardUnreachable

SETTLE_REFUNDS = "bookings.settle_refunds"

log = logger("jetway.refunds")


async def ring() -> None:
    """Let a worker send what is owed back at once, rather than with the next sweep."""
    await doorbell.ring(SETTLE_REFUNDS)


async def settle(refund: Row) -> None:
    """One step of a refund. Where nobody knows, it is asked again under the same name."""
    try:
        status, reference, failure = await payments.refund(refund)
    except CardUnreachable:
        async with db.transaction() as session:
            await payments.refund_unknown(session, refund)
        return
    except CardRefused as error:
        status, reference, failure = "failed", None, error.code
    async with db.transaction() as session:
        await repository.lock(session, refund["booking_id"])
        settled = await payments.refund_settled(session, refund, status, reference, failure)
        if settled is None:
            return
        facts = {
            "payment_id": f"pay_{refund['payment_public_id'].hex}",
            "refund_id": f"ref_{refund['public_id'].hex}",
            "amount": money.wire(refund["amount_minor"], refund["currency"]),
        }
        if status == "succeeded":
            event = {"type": "payment.refunded", "data": facts}
            await repository.step(session, refund["booking_id"], [event], leaving=ANY_STATE)
    REFUNDS.labels(status).inc()
    if status == "failed":
        log.error("refund failed", refund=str(refund["public_id"]), reason=failure)
