"""What paying answers: the payment or the booking, what was declined, or that nobody knows yet."""

import uuid
from typing import Protocol

from starlette.responses import Response

from app.bookings import paying, service
from app.bookings.schemas import BookingIn
from app.core import db
from app.core.db import Row, Session
from app.core.web.idempotency import Once, Steps
from app.payments import service as payments
from app.providers.cards import Charge


class Shown(Protocol):
    """What a payment that came to something is answered with."""

    async def __call__(self, session: Session, payment: Row, charge: Charge | None) -> Row: ...


async def held(once: Once, user_id: uuid.UUID, data: BookingIn) -> Response:
    """The booking that holds an offer's seats."""
    async with db.direct() as session:
        return await once(session, user_id, 201, lambda: service.create(session, user_id, data))


async def the_payment(session: Session, payment: Row, charge: Charge | None) -> Row:  # noqa: ARG001
    return payments.view(payment, charge)


async def the_booking(session: Session, payment: Row, charge: Charge | None) -> Row:
    """The booking; a payment that waits for its traveller says how to go on."""
    booking = await service.by_id(session, payment["booking_id"])
    views = [
        payments.view(payment, charge) if p["id"] == payments.public_id(payment) else p
        for p in booking["payments"]
    ]
    return {**booking, "payments": views}


async def settled(payment_id: str, steps: Steps, shown: Shown, status: int = 201) -> Response:
    """Carry a payment on and answer with what came of it, kept in the transaction that ends it.

    202 while nobody knows: the payment is found out about without the client, who may also ask again.
    """
    answer: list[Response] = []

    async def finished(session: Session, payment: Row, charge: Charge | None) -> None:
        if payment["status"] in ("failed", "cancelled"):
            refusal = paying.declined(payment)
            refusal.members["pnr"] = (await service.by_id(session, payment["booking_id"]))["pnr"]
            answer[:] = [await steps.keep(session, refusal)]
        else:
            answer[:] = [await steps.keep(session, await shown(session, payment, charge), status)]

    payment, charge = await paying.carry_on(int(payment_id), finished)
    if answer:
        return answer[0]
    async with db.transaction() as session:
        body = await shown(session, payment, charge)
        pnr = (await service.by_id(session, payment["booking_id"]))["pnr"]
        return await steps.leave(session, body, f"/bookings/{pnr}")
