"""Changing to other flights: a quote from an offer, then its confirmation, with payment where something is due.

New seats are taken before the old ones are let go; the traveller never stands without either. What was paid for the
old flights is set against the new ones, the fee is added, and a difference in the traveller's favour goes back
where the fare is refundable.
"""

import uuid
from datetime import datetime, timedelta
from itertools import pairwise

from app.bookings import agreed, booked, differences, ordered, paying, quotes, repository, service, travel
from app.bookings.differences import FARE_RULES
from app.bookings.errors import (
    BookingClosed,
    ChangeNotAllowed,
    DuplicateTrip,
    PassengersMismatch,
    PaymentRequired,
    QuoteExpired,
    QuoteNotFound,
    QuoteSuperseded,
)
from app.bookings.schemas import ChangeIn
from app.bookings.travel import Unit
from app.core import clock, db, money
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.offers import service as offers
from app.offers import token
from app.offers.token import Offer
from app.payments import ledger
from app.payments import service as payments
from app.seats import service as seats
from app.tickets import service as tickets

_QUOTE_MINUTES = 20


class Change:
    """A payment's purpose: what a change costs."""

    async def secure(self, session: Session, booking: Row, payment: Row) -> bool:
        if booking["status"] != "confirmed":
            return False
        pending = await repository.active_segments(session, booking["id"], "pending")
        if not pending:
            return False
        old = (await quotes.change_quote_by_id(session, payment["subject_id"]))["slices"]
        seated = _seated([unit for unit in await travel.units(session, booking) if unit.slice_index in old])
        renewed = await offers.secure(session, pending, booking["cabin"], seated)
        if renewed is not None:
            await booked.renew_claims(session, booking["id"], renewed)
        return renewed is not None

    async def fulfil(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> dict[str, int]:
        quote = await quotes.change_quote_by_id(session, payment["subject_id"])
        await _apply(session, booking, quote, events)
        return dict(quote["accounts"])

    async def undo(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> None:
        pending = await repository.active_segments(session, booking["id"], "pending")
        await offers.release(session, [segment["claim_id"] for segment in pending], pending)
        await quotes.remove_slices(session, booking["id"], _indexes(pending), "failed")
        await quotes.move_change(session, payment["subject_id"], "failed")
        await repository.step(session, booking["id"], events, leaving=paying.ANY_STATE)


paying.PURPOSES["change"] = Change()


async def quote(session: Session, user_id: uuid.UUID, pnr: str, data: ChangeIn) -> Row:
    """What it costs to fly an offer's flights instead of these slices; nothing is changed yet.

    Raises BookingNotFound, BookingClosed, ChangeNotAllowed, PassengersMismatch, OfferNotFound, OfferExpired,
    FlightNotOnSale, PaymentInProgress.
    """
    booking = await paying.locked(session, user_id, pnr)
    _require_same_brand(booking, data.offer_id)
    allowed = booking["conditions"]["change"]
    if booking["status"] == "confirmed" and not allowed["allowed"]:
        raise ChangeNotAllowed("The fare does not allow changes; cancel and book anew.")
    fee = money.minor(allowed["fee"]) if allowed["allowed"] else 0
    return await quoted(session, booking, data.slices, data.offer_id, FARE_RULES, fee)


async def quoted(
    session: Session, booking: Row, slices: list[int], offer_id: str, reason: str, fee: int
) -> Row:
    """Keep a quote for a change. `fee` is for each passenger with a seat; a change that the airline caused has none,
    and costs no difference either.
    """
    await payments.refuse_unless_waiting(session, booking["id"])
    offer = token.read(offer_id)
    old = await _leaving(session, booking, slices, offer)
    priced = await offers.on_sale(session, offer)
    await _require_order(session, booking, slices, priced.flights)
    kept = await ordered.paid_extras(session, booking["id"], [(u.position, u.slice_index) for u in old])
    seats_paid = sum(extra["amount_minor"] for extra in kept if extra["kind"] == "seat")
    due, lines, sold = differences.worked_out(
        booking, old, priced.quote, seats_paid, reason, fee * _seated(old)
    )
    expires = min(clock.now() + timedelta(minutes=_QUOTE_MINUTES), offer.expires_at)
    added = await quotes.add_change_quote(
        session,
        {
            "booking_id": booking["id"],
            "revision": booking["revision"],
            "slices": sorted(set(slices)),
            "offer": offer_id,
            "reason": reason,
            "fee_minor": fee * _seated(old) if reason == FARE_RULES else 0,
            "difference_minor": priced.quote.total - sum(unit.worth for unit in old)
            if reason == FARE_RULES
            else 0,
            "due_minor": due,
            "lines": lines,
            "accounts": sold,
            "parts": service.parts_of(priced.quote)
            if reason == FARE_RULES
            else differences.same_worth(booking, slices, offer),
            "expires_at": min(expires, min(unit.departs_at for unit in old)),
        },
    )
    return _view(booking, added)


async def is_due(user_id: uuid.UUID, pnr: str, quote_id: str) -> bool:
    """Whether a change takes a payment. Raises BookingNotFound, QuoteNotFound."""
    async with db.transaction() as session:
        booking = await paying.locked(session, user_id, pnr)
        return bool((await _named(session, booking, quote_id))["due_minor"] > 0)


async def confirm_free(session: Session, user_id: uuid.UUID, pnr: str, quote_id: str) -> Row:
    """Make a change for which nothing is due.

    Raises BookingNotFound, QuoteNotFound, QuoteExpired, QuoteSuperseded, SoldOut, PriceChanged, PaymentInProgress.
    """
    booking = await paying.locked(session, user_id, pnr)
    found = await _found(session, booking, quote_id)
    await paying.give_up_waiting(session, booking)
    await carry_out(session, booking, found)
    return await service.snapshot(session, booking["pnr"])


async def carry_out(session: Session, booking: Row, found: Row) -> None:
    """Make a change that costs nothing true: seats, tickets, and what goes back."""
    await _reserve(session, booking, found)
    pending = await repository.active_segments(session, booking["id"], "pending")
    units = await travel.units(session, booking)
    if await offers.secure(session, pending, booking["cabin"], _seated(units)) is None:
        raise RuntimeError("seats that were just taken are gone")
    found = await quotes.change_quote_by_id(session, found["id"])
    await _apply(session, booking, found, [])
    name = f"chg_{found['public_id'].hex}"
    if found["due_minor"] < 0:
        await payments.owe(
            session,
            booking["id"],
            -found["due_minor"],
            reason="change",
            reference=name,
            given_back={account: -amount for account, amount in found["accounts"].items()},
            due=agreed.refund_due(pending),
        )
    else:
        lines = ledger.credited(found["accounts"])
        await ledger.post(session, booking["id"], "change", name, booking["currency"], lines)


async def begin(session: Session, user_id: uuid.UUID, pnr: str, quote_id: str, method: str | None) -> str:
    """Take the new seats and write down that a change is about to be paid for; gives the payment's id.

    Raises what `confirm_free` raises, and PaymentRequired without a payment method.
    """
    booking = await paying.locked(session, user_id, pnr)
    found = await _found(session, booking, quote_id)
    if method is None:
        problem = FieldProblem("/payment", "payment_required", "Something is to be paid for this change.")
        raise PaymentRequired(errors=[problem], due=money.wire(found["due_minor"], booking["currency"]))
    payments.require_offered()
    paying.require_token(method, "/payment/payment_method")
    await paying.give_up_waiting(session, booking)
    await _reserve(session, booking, found)
    payment = await payments.start(
        session, booking["id"], "change", found["due_minor"], booking["currency"], method, found["id"]
    )
    return str(payment["id"])


async def _reserve(session: Session, booking: Row, found: Row) -> None:
    """Hold the seats of the new flights beside the old ones."""
    offer = token.read(found["offer"])
    twin = await repository.booked_elsewhere(session, booking["id"], offer.flight_ids)
    if twin is not None:
        raise DuplicateTrip("Another booking of yours has a traveller on these flights.", pnr=twin)
    left = [segment["id"] for segment in await repository.active_segments(session, booking["id"])]
    await offers.lock(session, [*left, *offer.flight_ids], booking["cabin"])
    reservation = await offers.reserve(session, offer)
    first = await quotes.next_slice(session, booking["id"])
    segments = [
        {
            "slice_index": first + i,
            "segment_index": j,
            "flight_id": flight["id"],
            "claim_id": flight["claim_id"],
            "booking_class": offer.classes[i],
        }
        for i, flights in enumerate(reservation.flights)
        for j, flight in enumerate(flights)
    ]
    await quotes.add_pending_segments(session, booking["id"], segments)
    new = sorted({segment["slice_index"] for segment in segments})
    await quotes.move_change(session, found["id"], "paying", new)


async def _apply(session: Session, booking: Row, found: Row, events: list[Row]) -> None:
    """Let the new flights take the place of the old ones."""
    old_slices, new_slices = found["slices"], found["new_slices"]
    leaving = [unit for unit in await travel.units(session, booking) if unit.slice_index in old_slices]
    positions = {unit.position for unit in leaving}
    segments = await repository.active_segments(session, booking["id"])
    old = [segment for segment in segments if segment["slice_index"] in old_slices]
    claims = [segment["claim_id"] for segment in old]
    replaced = await tickets.take_out(session, booking["id"], positions, set(old_slices))
    await seats.release(session, claims)
    await offers.release(session, claims, old)
    await quotes.remove_slices(session, booking["id"], old_slices, "change")
    await quotes.activate_slices(session, booking["id"], new_slices)
    await ordered.move_extras(session, booking["id"], old_slices, new_slices)
    await quotes.move_change(session, found["id"], "done")
    await quotes.close_airline_changes(session, booking["id"], old_slices, "rebooked")
    parts = booking["terms"]["parts"] + [
        {"slice": index, "each": part["each"]} for index, part in zip(new_slices, found["parts"], strict=True)
    ]
    new = [
        s for s in await repository.active_segments(session, booking["id"]) if s["slice_index"] in new_slices
    ]
    terms = {
        "parts": parts,
        "changed": found["reason"] == FARE_RULES or booking["terms"].get("changed", False),
    }
    facts = {
        "reason": "changed" if found["reason"] == FARE_RULES else found["reason"],
        "removed_slices": old_slices,
        "added_slices": new_slices,
        "due": money.wire(found["due_minor"], booking["currency"]),
    }
    event = {"type": "booking.changed", "data": facts}
    moved = await repository.step(
        session, booking["id"], [*events, event], leaving=["confirmed"], revised=True, agreed=terms
    )
    if moved is None:
        raise RuntimeError("a change of a booking that is not confirmed")
    people = await repository.passengers_of(session, [booking["id"]])
    names = {p["position"]: p["ticket_name"] for p in people if p["position"] in positions}
    await tickets.issue(session, booking["id"], names, travel.coupons_of(new), replaced)
    await _carry_over(session, booking, old, new)
    await repository.renew_trips(session, booking["id"])
    await travel.price_what_is_left(session, moved)


async def _carry_over(session: Session, booking: Row, old: list[Row], new: list[Row]) -> None:
    """What was asked for on the old flights is asked for on the new ones, first for first; on more, as on the last."""
    for number, flight in enumerate(new):
        left = old[min(number, len(old) - 1)]
        await booked.copy_services(session, booking["id"], left["id"], flight["id"])


async def _leaving(session: Session, booking: Row, slices: list[int], offer: Offer) -> list[Unit]:
    """The units that a change takes away: all who still travel, on these slices, none of which has begun."""
    if booking["status"] != "confirmed":
        raise BookingClosed(f"The booking is {booking['status']}; only what is paid can be changed.")
    units = await travel.units(session, booking)
    old = [unit for unit in units if unit.slice_index in slices]
    known = {unit.slice_index for unit in units}
    for index, wanted in enumerate(slices):
        if wanted not in known:
            problem = FieldProblem(
                f"/slices/{index}", "change_not_allowed", "Not a slice that is left in the booking."
            )
            raise ChangeNotAllowed("The booking has no such slice.", errors=[problem])
    if any(not unit.unused or unit.departs_at <= clock.now() for unit in old):
        raise ChangeNotAllowed("A flight of this has left; only what is still to be flown can be changed.")
    if travel.counts(old) != tuple(offer.counts) or any(
        travel.counts([unit for unit in old if unit.slice_index == index]) != tuple(offer.counts)
        for index in {unit.slice_index for unit in old}
    ):
        problem = FieldProblem(
            "/offer_id", "passengers_mismatch", "Search for those who travel on these slices."
        )
        raise PassengersMismatch("The offer is not for the people who travel.", errors=[problem])
    if offer.currency != booking["currency"] or offer.cabin != booking["cabin"]:
        problem = FieldProblem(
            "/offer_id", "change_not_allowed", "Search in the booking's currency and cabin."
        )
        raise ChangeNotAllowed("The offer is in another currency or cabin.", errors=[problem])
    return old


def _require_same_brand(booking: Row, offer_id: str) -> None:
    """Who has paid for conditions keeps them and no others: the new flights are bought in the booking's brand.

    Raises ChangeNotAllowed, OfferNotFound, OfferExpired.
    """
    if token.read(offer_id).brand != booking["fare_brand"]:
        problem = FieldProblem(
            "/offer_id", "change_not_allowed", f"Choose an offer of {booking['fare_brand']}."
        )
        raise ChangeNotAllowed("The offer is of another fare brand.", errors=[problem])


async def _require_order(session: Session, booking: Row, slices: list[int], flights: list[list[Row]]) -> None:
    """What is left and what is new must be flown one after the other."""
    segments = await repository.active_segments(session, booking["id"])
    left = [one for one in agreed.in_slices(segments) if one[0]["slice_index"] not in slices]
    journey = sorted([*left, *flights], key=lambda one: one[0]["departs_at"])
    for before, after in pairwise(journey):
        if after[0]["departs_at"] < before[-1]["arrives_at"]:
            raise ChangeNotAllowed("The new flights overlap with others of the booking.")


async def _named(session: Session, booking: Row, quote_id: str) -> Row:
    """Raises QuoteNotFound."""
    try:
        wanted = uuid.UUID(quote_id.removeprefix("chg_"))
    except ValueError:
        raise QuoteNotFound from None
    found = await quotes.change_quote(session, booking["id"], wanted)
    if found is None:
        raise QuoteNotFound
    return found


async def _found(session: Session, booking: Row, quote_id: str) -> Row:
    """Raises QuoteNotFound, QuoteSuperseded, QuoteExpired, BookingClosed."""
    found = await _named(session, booking, quote_id)
    if booking["status"] != "confirmed" or found["state"] == "done":
        raise BookingClosed("This was changed already, or the booking is no more.")
    if not found["newest"] or found["revision"] != booking["revision"]:
        raise QuoteSuperseded
    if found["run_out"]:
        raise QuoteExpired
    return found


def _seated(units: list[Unit]) -> int:
    return len({unit.position for unit in units if unit.type != "infant"})


def _indexes(segments: list[Row]) -> list[int]:
    return sorted({segment["slice_index"] for segment in segments})


def _view(booking: Row, added: Row) -> Row:
    def wire(minor: int) -> money.Wire:
        return money.wire(minor, booking["currency"])

    expires: datetime = added["expires_at"]
    return {
        "id": f"chg_{added['public_id'].hex}",
        "reason": added["reason"],
        "slices": added["slices"],
        "fare_difference": wire(added["difference_minor"]),
        "fee": wire(added["fee_minor"]),
        "amount_due": wire(max(added["due_minor"], 0)),
        "refund": wire(max(-added["due_minor"], 0)),
        "lines": added["lines"],
        "expires_at": clock.rfc3339(expires),
    }
