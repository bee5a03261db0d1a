"""Holding seats, reading bookings, and letting holds run out."""

import math
import secrets
import uuid
from datetime import datetime, timedelta

import orjson

from app.bookings import agreed, documents, lookups, repository, special_services, views
from app.bookings import passengers as travellers
from app.bookings.errors import BookingNotFound, DuplicateTrip, TooManyHolds
from app.bookings.schemas import BookingIn
from app.bookings.views import Parts
from app.core import clock, cursors, db, outbox
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.core.metrics import BOOKINGS
from app.fares.quotes import Quote
from app.offers import itinerary, token
from app.offers import service as offers
from app.offers.service import Reservation
from app.offers.token import Offer

# No vowels, so no words; no 0, 1, I, L, O, so nothing to misread.
_PNR_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_PNR_LENGTH = 6
_PNR_DRAWS = 5
_SWEEP = 200
_LAST_ID = 2**63 - 1


async def create(session: Session, user_id: uuid.UUID, data: BookingIn) -> Row:
    """Hold the seats of an offer until `hold_expires_at`.

    Raises OfferNotFound, OfferExpired, TooManyHolds, DuplicateTrip, and what `passengers`, `documents`,
    `special_services` and `offers.reserve` raise.
    """
    booking, flights = await hold(session, user_id, data)
    people = [{**person, "cancelled_at": None} for person in booking["passengers"]]
    return views.view(booking, Parts(people={booking["id"]: people}, segments={booking["id"]: flights}))


async def hold(session: Session, user_id: uuid.UUID, data: BookingIn) -> tuple[Row, list[Row]]:
    """The booking that `create` makes, with its segments."""
    travellers.refuse_card_numbers(data)
    offer = token.read(data.offer_id)
    travellers.check(data.passengers, offer.counts)
    await _refuse_too_many_holds(session, user_id)
    reservation = await offers.reserve(session, offer)
    departures = [one[0]["departure_date"] for one in reservation.flights]
    travellers.check_ages(data.passengers, departures[0], departures[-1])
    documents.check(data.passengers, reservation.flights)
    booking = await _stored(session, user_id, data, offer, reservation)
    db.count(session, BOOKINGS.labels("held"))
    flights = [
        flight | {"slice_index": index, "booking_class": offer.classes[index], "segment_state": "active"}
        for index, one in enumerate(reservation.flights)
        for flight in one
    ]
    return booking, flights


async def _refuse_too_many_holds(session: Session, user_id: uuid.UUID) -> None:
    """Seats that are held for nothing are not for sale. Raises TooManyHolds."""
    most = settings().most_live_holds
    if most is None or not settings().rate_limit_enabled:
        return
    found = await lookups.live_holds(session, user_id)
    if found["held"] >= most:
        violated: Row = {"violated-policies": ["holds"]}
        wait = max(1, math.ceil(found["wait"]))
        raise TooManyHolds(f"Pay for one of the {most} or let it go.", retry_after=wait, **violated)


async def page(
    session: Session, user_id: uuid.UUID, status: str | None, cursor: str | None, size: int
) -> Row:
    """The caller's bookings, newest first."""
    await expire_due(session, user_id)
    before = cursors.decode(cursor, last=_LAST_ID)
    found = await repository.of_user(session, user_id, status, before, size + 1)
    following = cursors.encode(found[size - 1]["id"]) if len(found) > size else None
    return {"data": await views.views(session, found[:size]), "next_cursor": following}


async def read(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Raises BookingNotFound, also for somebody else's."""
    return (await views.views(session, [await find(session, user_id, pnr)]))[0]


async def find(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """A booking as it is stored. Raises BookingNotFound, also for somebody else's."""
    await expire_due(session, user_id)
    wanted = reference(pnr)
    booking = await repository.by_pnr(session, user_id, wanted) if wanted else None
    if booking is None:
        raise BookingNotFound("You have no booking with this reference.")
    return booking


def reference(pnr: str) -> str | None:
    """A booking reference as it is stored; None for what cannot be one, which the database might choke on."""
    wanted = pnr.upper()
    return wanted if len(wanted) == _PNR_LENGTH and set(wanted) <= set(_PNR_ALPHABET) else None


def _drawn_reference() -> str:
    """One draw for all six characters, because each asks the system for random bytes."""
    drawn, letters = secrets.randbelow(len(_PNR_ALPHABET) ** _PNR_LENGTH), ""
    for _ in range(_PNR_LENGTH):
        drawn, letter = divmod(drawn, len(_PNR_ALPHABET))
        letters += _PNR_ALPHABET[letter]
    return letters


def parts_of(quote: Quote) -> list[Row]:
    """What one passenger of each type pays for each slice."""
    return [{"slice": index, "each": each} for index, each in enumerate(quote.parts())]


async def snapshot(session: Session, pnr: str) -> Row:
    """A booking as its owner sees it, for our own tasks and for who has proven to be let in.

    Raises BookingNotFound.
    """
    owner = await repository.owner(session, pnr)
    if owner is None:
        raise BookingNotFound
    return await read(session, owner, pnr)


async def timeline(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Everything that happened to a booking, in order. Raises BookingNotFound."""
    booking = await find(session, user_id, pnr)
    steps = await repository.timeline(session, booking["id"])
    return {"data": [{**step, "at": clock.rfc3339(step["at"])} for step in steps]}


async def by_id(session: Session, booking_id: int) -> Row:
    """A booking as its owner sees it, by our own id."""
    return (await views.views(session, [await repository.by_id(session, booking_id)]))[0]


async def addressees(session: Session, pnrs: list[str]) -> dict[str, Row]:
    """Where mail about bookings goes: `email` and `locale`, and the booking's `status` as it is now."""
    return {row["pnr"]: row for row in await repository.addressees(session, pnrs)} if pnrs else {}


async def expire_due(session: Session, user_id: uuid.UUID | None = None, most: int = _SWEEP) -> int:
    """Let holds run out, of one user or of everybody; returns how many did.

    Called by whoever reads as well as by the sweeper, so a hold ends on time with every worker down.
    """
    due = await repository.expire_due(session, user_id, most)
    if due:
        segments = await repository.segments_of(session, [booking["id"] for booking in due])
        await offers.release(session, [segment["claim_id"] for segment in segments], list(segments))
        await repository.add_steps(session, due, "booking.expired")
        await outbox.record(
            session,
            [
                {
                    "type": "booking.expired",
                    "subject": booking["pnr"],
                    "sequence": booking["sequence"],
                    "data": {"pnr": booking["pnr"], "status": "expired"},
                }
                for booking in due
            ],
        )
        db.count(session, BOOKINGS.labels("expired"), len(due))
    return len(due)


def _price_stands_until(reservation: Reservation) -> datetime:
    """The price may be promised for less time than the seats; both clocks start with the hold, by the database's."""
    minutes = settings().price_guarantee_minutes
    if minutes is None:
        return reservation.expires_at
    begun = reservation.expires_at - timedelta(minutes=settings().hold_minutes)
    return min(begun + timedelta(minutes=minutes), reservation.expires_at)


async def _stored(
    session: Session, user_id: uuid.UUID, data: BookingIn, offer: Offer, reservation: Reservation
) -> Row:
    quote, brand = reservation.quote, reservation.brand
    booking: Row = {
        "user_id": user_id,
        "total_minor": quote.total,
        "currency": quote.currency,
        "cabin": offer.cabin,
        "fare_brand": brand.name,
        "hold_expires_at": reservation.expires_at,
        "price_stands_until": _price_stands_until(reservation),
    }
    terms: Row = {
        "price": quote.wire(),
        "conditions": itinerary.conditions(brand, quote.currency),
        "baggage": itinerary.baggage(brand),
        "contact": data.contact.model_dump(),
        "terms": {
            "counts": offer.counts,
            "issued_on": str(offer.issued_on),
            "parts": parts_of(quote),
            **agreed.at_purchase(reservation.flights),
        },
    }
    encoded = {name: orjson.dumps(value).decode() for name, value in terms.items()}
    segments = [
        {
            "slice_index": i,
            "segment_index": j,
            "flight_id": flight["id"],
            "claim_id": flight["claim_id"],
            "booking_class": offer.classes[i],
        }
        for i, flights in enumerate(reservation.flights)
        for j, flight in enumerate(flights)
    ]
    for _ in range(_PNR_DRAWS):
        pnr = _drawn_reference()
        event = {
            "pnr": pnr,
            "status": "held",
            "total": terms["price"]["total"],
            "hold_expires_at": clock.rfc3339(reservation.expires_at),
        }
        people = _passenger_rows(data, pnr, reservation.flights)
        added = await repository.add(session, {**booking, **encoded, "pnr": pnr}, people, segments, event)
        if added is not None:
            if added["trips"] < len(people) * len(segments):
                raise await _duplicate_trip(session, added["id"])
            return {**booking, **terms, **added, "pnr": pnr, "status": "held", "passengers": people}
    raise RuntimeError("no free PNR in several draws")


async def _duplicate_trip(session: Session, booking_id: int) -> DuplicateTrip:
    before = await repository.booked_before(session, booking_id)
    message = f"Already on one of these flights by booking {before['pnr']}"
    problem = FieldProblem(f"/passengers/{before['position']}", DuplicateTrip.code, message)
    return DuplicateTrip(f"{message}.", errors=[problem], pnr=before["pnr"])


def _passenger_rows(data: BookingIn, pnr: str, slices: list[list[Row]]) -> list[Row]:
    """Raises InvalidService."""
    carriers = travellers.assigned(data.passengers)
    return [
        travellers.stored(passenger)
        | {
            "position": position,
            "infant_of": carriers[position],
            "document": documents.sealed(passenger.document, pnr, position),
            "services": special_services.requested(position, passenger.services, slices),
        }
        for position, passenger in enumerate(data.passengers)
    ]
