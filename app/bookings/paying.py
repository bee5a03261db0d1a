"""Paying: authorise, secure the seats, capture, confirm.

A payment is for something: the purchase itself, a change, extras. Each such purpose says how its seats are secured
before money is taken, what becomes true when it is here, and what is undone when it does not come. Whoever finds a
payment unfinished carries it on: the request that began it, the processor's message, or the sweep.
"""

import re
import uuid
from datetime import date, timedelta
from typing import Protocol

from app.bookings import agreed, booked, ordered, repository, service, travel
from app.bookings.errors import BookingClosed, BookingNotFound, HoldExpired
from app.bookings.schemas import BookingIn
from app.core import clock, db, money
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import CardNumberRefused, FieldProblem, Unprocessable
from app.core.logging import logger
from app.core.metrics import BOOKINGS, PAYMENTS
from app.core.text import holds_card_number
from app.offers import service as offers
from app.offers.errors import PriceChanged
from app.offers.token import Offer
from app.payments import ledger
from app.payments import service as payments
from app.payments.errors import AlreadyPaid, PaymentDeclined
from app.providers.cards import CardRefused, CardUnreachable, Charge
from app.seats import service as seats
from app.tickets import service as tickets

log = logger("jetway.paying")

SEATS_GONE = "seats_gone"
# So long a traveller may take to prove who they are, if the hold lasts.
_PATIENCE = timedelta(hours=1)


class Purpose(Protocol):
    """What a payment is for. All of it happens in the caller's transaction, under the booking's lock."""

    async def secure(self, session: Session, booking: Row, payment: Row) -> bool:
        """Make sure of what is paid for; false if it cannot be had any more."""
        ...

    async def fulfil(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> dict[str, int]:
        """Make true what was paid for, tell it after `events`, and say what was sold, by the ledger's accounts."""
        ...

    async def undo(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> None:
        """Give back what `secure` took, or what was reserved before, and tell `events`."""
        ...


class Purchase:
    """The booking itself."""

    async def secure(self, session: Session, booking: Row, payment: Row) -> bool:  # noqa: ARG002
        if booking["status"] not in ("held", "expired"):
            return False
        segments = await repository.active_segments(session, booking["id"])
        async with session.begin_nested() as savepoint:
            renewed = await offers.secure(session, segments, booking["cabin"], agreed.seats_of(booking))
            # Once the hold has run out its travellers may have been booked on these flights anew.
            late = booking["status"] == "expired" or booking["due"]
            if (
                renewed is None
                or (late and not await repository.renew_trips(session, booking["id"]))
                or not await _kept_together(session, booking, renewed)
            ):
                await savepoint.rollback()
                return False
        if booking["status"] == "expired":
            await repository.step(
                session,
                booking["id"],
                [{"type": "booking.held", "data": {"reason": "late_payment"}}],
                leaving=["expired"],
                to="held",
                held_for_seconds=settings().payment_grace_minutes * 60,
            )
        return True

    async def fulfil(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> dict[str, int]:  # noqa: ARG002
        total = {"total": money.wire(booking["total_minor"], booking["currency"])}
        told = [*events, {"type": "booking.confirmed", "data": total}]
        segments = await repository.active_segments(session, booking["id"])
        terms = agreed.at_sale()
        await repository.step(
            session, booking["id"], told, leaving=["held"], to="confirmed", revised=True, agreed=terms
        )
        sold = agreed.sold_by(booking["terms"])
        if extras := await ordered.pay_extras(session, booking["id"]):
            sold[ledger.EXTRAS] = extras
        people = await repository.passengers_of(session, [booking["id"]])
        names = {person["position"]: person["ticket_name"] for person in people}
        await tickets.issue(session, booking["id"], names, travel.coupons_of(segments))
        db.count(session, BOOKINGS.labels("confirmed"))
        return sold

    async def undo(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> None:
        """A declined card leaves the hold as it was; seats that were secured for a payment that failed are free."""
        if payment["status"] != "authorised":
            await repository.step(session, booking["id"], events, leaving=ANY_STATE)
            return
        segments = await repository.active_segments(session, booking["id"])
        await offers.release(session, [segment["claim_id"] for segment in segments], segments)
        await ordered.cancel_extras(session, booking["id"], None)
        ended = [*events, {"type": "booking.expired", "data": {"reason": "payment_failed"}}]
        await repository.step(session, booking["id"], ended, leaving=["held"], to="expired")


async def _kept_together(session: Session, booking: Row, renewed: dict[int, int]) -> bool:
    """Let segments and chosen seats belong to new claims; false if somebody else has a seat that was ordered."""
    await booked.renew_claims(session, booking["id"], renewed)
    await seats.move(session, renewed)
    return not await ordered.seats_lost(session, booking["id"])


ANY_STATE = ("held", "confirmed", "cancelled", "expired", "completed")
PURPOSES: dict[str, Purpose] = {"purchase": Purchase()}


def require_token(method: str, pointer: str) -> None:
    """What is no payment method of the processor's goes no further. Raises CardNumberRefused, Unprocessable."""
    if holds_card_number(method):
        message = "Send the processor's token, not a card's number."
        raise CardNumberRefused(message, errors=[FieldProblem(pointer, CardNumberRefused.code, message)])
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", method):
        message = "Not a payment method of the card processor."
        raise Unprocessable(message, errors=[FieldProblem(pointer, "payment_method", message)])


async def begin(session: Session, user_id: uuid.UUID, pnr: str, method: str) -> str:
    """Write down that a held booking is about to be paid for; gives the payment's id.

    Raises BookingNotFound, AlreadyPaid, HoldExpired, BookingClosed, PaymentInProgress, PaymentNotOffered, and what
    `require_token` raises.
    """
    payments.require_offered()
    require_token(method, "/payment_method")
    booking = await locked(session, user_id, pnr)
    if booking["status"] in ("confirmed", "completed"):
        raise AlreadyPaid
    if booking["status"] == "expired" or (booking["status"] == "held" and booking["due"]):
        raise HoldExpired("The hold has run out and the seats may be sold to others; search again.")
    if booking["status"] != "held":
        raise BookingClosed("The booking was cancelled.")
    await give_up_waiting(session, booking)
    return await _begun(session, booking, method)


async def begin_with_booking(session: Session, user_id: uuid.UUID, data: BookingIn) -> str:
    """Hold the seats of an offer and write down that they are about to be paid for; gives the payment's id.

    Raises what `service.create` and `begin` raise.
    """
    payments.require_offered()
    assert data.payment is not None  # noqa: S101
    require_token(data.payment.payment_method, "/payment/payment_method")
    booking, _ = await service.hold(session, user_id, data)
    held = await repository.lock(session, booking["id"])
    return await _begun(session, held, data.payment.payment_method)


async def renew_price(user_id: uuid.UUID, pnr: str) -> None:
    """Price the held seats again once their price is promised no more. Raises PriceChanged, once for each rise.

    The new price is kept although the request is refused: whoever has seen it may pay it.
    """
    async with db.transaction() as session:
        booking = await locked(session, user_id, pnr)
        if booking["status"] != "held" or booking["due"] or not booking["price_due"]:
            return
        if await payments.under_way(session, booking["id"]):
            return  # It was begun at the price that stood then, and nobody knows whether it is paid.
        offer = await _offer_of(session, booking)
        quote = await offers.requoted(session, offer)
        if quote is None:
            raise BookingClosed("The fare of this booking is no longer sold.")
        risen = quote.total > booking["total_minor"]
        if risen:
            await give_up_waiting(session, booking)  # It is for the old price.
            terms = {**booking["terms"], "parts": service.parts_of(quote)}
            await repository.reprice(session, booking["id"], quote.total, quote.wire(), terms)
    if risen:
        old, new = (money.wire(minor, booking["currency"]) for minor in (booking["total_minor"], quote.total))
        raise PriceChanged("Pay again to accept the new price.", old_total=old, new_total=new)


async def carry_on(payment_id: int, finished: "Finished | None" = None) -> tuple[Row, Charge | None]:
    """Take a payment as far as it goes now. `finished` is called in the transaction that ends it.

    The payment may come back `processing` or `authorised`: then nobody knows yet, and the sweep will ask again.
    """
    charge: Charge | None = None
    while True:
        async with db.transaction() as session:
            payment = await payments.read(session, payment_id)
            description = f"Booking {await repository.pnr_of(session, payment['booking_id'])}"
        # What was given up is let go by the sweep, which need not be waited for.
        over = payment["status"] not in payments.OPEN and (finished is not None or payment["intent"] is None)
        if over or payment["status"] == "captured":
            return await _told(payment, charge, finished)
        try:
            charge, failure = await payments.ask(payment, description), None
        except CardRefused as error:
            charge, failure = None, error.code
        except CardUnreachable:
            async with db.transaction() as session:
                payment = await payments.postpone(session, payment)
                # Somebody else may have found out while this call waited: then there is something to tell.
                if finished is not None and payment["status"] not in ("processing", "authorised"):
                    await finished(session, payment, charge)
            return payment, charge
        async with db.transaction() as session:
            before, payment = await _learn(session, payment_id, charge, failure)
            over = payment["status"] not in ("processing", "authorised")
            if over and finished is not None:
                await finished(session, payment, charge)
        if not (payment["status"] == "authorised" and before != "authorised"):
            return payment, charge


class Finished(Protocol):
    async def __call__(self, session: Session, payment: Row, charge: Charge | None) -> None: ...


async def _told(payment: Row, charge: Charge | None, finished: Finished | None) -> tuple[Row, Charge | None]:
    if finished is not None:
        async with db.transaction() as session:
            await finished(session, payment, charge)
    return payment, charge


async def _learn(
    session: Session, payment_id: int, charge: Charge | None, failure: str | None
) -> tuple[str, Row]:
    """Write down what the processor says; returns the payment's state before, and the payment."""
    booking, payment = await _both(session, payment_id)
    before: str = payment["status"]
    said = charge.state if charge else "failed"
    waiting = before in ("processing", "requires_action")
    if said == "captured" and charge and before != "captured":
        return before, await _captured(session, booking, payment, charge)
    if said == "requires_action" and waiting and _abandoned(booking, payment):
        return before, await _given_up(session, booking, payment)
    if said == "authorised" and waiting:
        if await PURPOSES[payment["purpose"]].secure(session, booking, payment):
            return before, await payments.learn(session, payment, "authorised", charge)
        return before, await _failed(session, booking, payment, charge, SEATS_GONE)
    if said in ("failed", "cancelled") and before in payments.OPEN:
        return before, await _failed(session, booking, payment, charge, failure)
    now = said if said == "requires_action" and waiting else before
    return before, await payments.learn(session, payment, now, charge, payment["failure"])


async def _captured(session: Session, booking: Row, payment: Row, charge: Charge) -> Row:
    """The money is here: what it is for becomes true, or it goes back by itself."""
    purpose = PURPOSES[payment["purpose"]]
    told = {"payment_id": payments.public_id(payment), "amount": _amount(payment)}
    if payment["status"] == "authorised" or await purpose.secure(session, booking, payment):
        sold = await purpose.fulfil(session, booking, payment, [{"type": "payment.succeeded", "data": told}])
        db.count(session, PAYMENTS.labels("captured"))
        return await payments.captured(session, payment, charge, sold)
    captured = await payments.captured(session, payment, charge, {})
    await payments.owe(
        session,
        booking["id"],
        payment["amount_minor"],
        reason="late_payment",
        reference=f"{payments.public_id(payment)}:late",
        given_back={ledger.UNAPPLIED: payment["amount_minor"]},
        due=agreed.refund_due(await repository.segments_of(session, [booking["id"]])),
    )
    late = {"type": "payment.failed", "data": {**told, "reason": SEATS_GONE, "refunded": True}}
    await repository.step(session, booking["id"], [late], leaving=ANY_STATE)
    db.count(session, PAYMENTS.labels("late"))
    return captured


async def _failed(
    session: Session, booking: Row, payment: Row, charge: Charge | None, failure: str | None
) -> Row:
    reason = failure or (charge.failure if charge else None) or "failed"
    told = {"payment_id": payments.public_id(payment), "amount": _amount(payment), "reason": reason}
    event = {"type": "payment.failed", "data": told}
    await PURPOSES[payment["purpose"]].undo(session, booking, payment, [event])
    db.count(session, PAYMENTS.labels("failed"))
    return await payments.learn(session, payment, "failed", charge, reason)


async def give_up_waiting(session: Session, booking: Row) -> None:
    """Let go of a payment whose traveller has not proved who they are; whatever was reserved goes back.

    Raises PaymentInProgress while nobody knows what became of another.
    """
    waiting = await payments.refuse_unless_waiting(session, booking["id"])
    if waiting is not None:
        await _given_up(session, booking, waiting)


async def _given_up(session: Session, booking: Row, payment: Row) -> Row:
    told = {"payment_id": payments.public_id(payment), "amount": _amount(payment), "reason": "given_up"}
    event = {"type": "payment.failed", "data": told}
    await PURPOSES[payment["purpose"]].undo(session, booking, payment, [event])
    return await payments.learn(session, payment, "cancelled", failure="given_up")


def _abandoned(booking: Row, payment: Row) -> bool:
    """Whether a traveller who has not proved who they are is waited for no more."""
    hold_is_gone = booking["status"] == "expired" or (booking["status"] == "held" and booking["due"])
    return bool(hold_is_gone) or clock.now() - payment["created_at"] > _PATIENCE


async def locked(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """The caller's booking, locked. Raises BookingNotFound."""
    wanted = service.reference(pnr)
    booking = await repository.lock_by_pnr(session, user_id, wanted) if wanted else None
    if booking is None:
        raise BookingNotFound("You have no booking with this reference.")
    return booking


async def find(user_id: uuid.UUID, pnr: str, payment_id: str) -> int:
    """Our own id of a payment of the caller's. Raises BookingNotFound, PaymentNotFound."""
    async with db.transaction() as session:
        booking = await locked(session, user_id, pnr)
        return int((await payments.find(session, booking["id"], payment_id))["id"])


def declined(payment: Row) -> PaymentDeclined | HoldExpired:
    """Why a payment came to nothing, as it is answered."""
    if payment["failure"] == SEATS_GONE:
        return HoldExpired(
            "The seats were sold to others while the payment was under way; nothing was charged."
        )
    return PaymentDeclined(
        "Nothing was charged; try another card.",
        decline_code=payment["failure"],
        payment_id=payments.public_id(payment),
    )


async def _begun(session: Session, booking: Row, method: str) -> str:
    amount = booking["total_minor"] + await ordered.unpaid_extras(session, booking["id"])
    payment = await payments.start(session, booking["id"], "purchase", amount, booking["currency"], method)
    if not booking["hold_prolonged"]:
        until = (await repository.prolong(session, booking["id"], settings().payment_grace_minutes))[
            "hold_expires_at"
        ]
        segments = await repository.active_segments(session, booking["id"])
        await offers.prolong(session, [segment["claim_id"] for segment in segments], until)
    return str(payment["id"])


async def _offer_of(session: Session, booking: Row) -> Offer:
    """The offer that the booking was made of, as far as its price depends on it."""
    slices: dict[int, list[int]] = {}
    classes: dict[int, str] = {}
    for segment in await repository.active_segments(session, booking["id"]):
        slices.setdefault(segment["slice_index"], []).append(segment["id"])
        classes[segment["slice_index"]] = segment["booking_class"]
    terms = booking["terms"]
    return Offer(
        slices=tuple(tuple(slices[index]) for index in sorted(slices)),
        classes="".join(classes[index] for index in sorted(classes)),
        cabin=booking["cabin"],
        brand=booking["fare_brand"],
        counts=tuple(terms["counts"]),
        total=booking["total_minor"],
        currency=booking["currency"],
        fares_version=0,
        issued_on=date.fromisoformat(terms["issued_on"]),
        expires_at=booking["hold_expires_at"],
    )


async def _both(session: Session, payment_id: int) -> tuple[Row, Row]:
    """A payment and its booking, locked in the order in which everybody locks them."""
    booking_id = (await payments.read(session, payment_id))["booking_id"]
    booking = await repository.lock(session, booking_id)
    return booking, await payments.lock(session, payment_id)


def _amount(payment: Row) -> money.Wire:
    return money.wire(payment["amount_minor"], payment["currency"])
