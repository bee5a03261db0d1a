"""Holding seats, reading bookings, and letting holds run out."""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from app.bookings import agreed, repository
from app.bookings import passengers as travellers
from app.bookings.errors import BookingNotFound
from app.bookings.schemas import BookingIn
from app.core import clock, cursors, db, outbox
from app.core.config import settings
from app.core.db import Row, Session
from app.core.metrics import BOOKINGS
from app.fares.quotes import Quote
from app.offers import itinerary, token
from app.offers import service as offers
from app.offers.service import Reservation
from app.offers.token import Offer

# No vowels, so no words; no 0, 1, I, L, O, so nothing to misread.
_PNR_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_PNR_DRAWS = 5
_SWEEP = 200
_LAST_ID = 2**63 - 1


async def create(session: Session, user_id: uuid.UUID, data: BookingIn) -> Row:
    """Hold the seats of an offer until `hold_expires_at`.

    Raises OfferNotFound, OfferExpired, and what `passengers.check` and `offers.reserve` raise.
    """
    booking, flights = await hold(session, user_id, data)
    return _view(booking, _passenger_rows(data), flights)


async def hold(session: Session, user_id: uuid.UUID, data: BookingIn) -> tuple[Row, list[list[Row]]]:
    """The booking that `create` makes, with its flights."""
    offer = token.read(data.offer_id)
    travellers.check(data.passengers, offer.counts)
    reservation = await offers.reserve(session, offer)
    travellers.check_ages(data.passengers, reservation.flights[-1][0]["departure_date"])
    booking = await _stored(session, user_id, data, offer, reservation)
    outbox.announce(session)
    db.after_commit(session, lambda: _count("held", 1))
    flights = [
        [flight | {"booking_class": offer.classes[position]} for flight in one]
        for position, one in enumerate(reservation.flights)
    ]
    return booking, flights


async def page(
    session: Session, user_id: uuid.UUID, status: str | None, cursor: str | None, size: int
) -> Row:
    """The caller's bookings, newest first."""
    await expire_due(session, user_id)
    before = cursors.decode(cursor, last=_LAST_ID)
    found = await repository.of_user(session, user_id, status, before, size + 1)
    following = cursors.encode(found[size - 1]["id"]) if len(found) > size else None
    return {"data": await _views(session, found[:size]), "next_cursor": following}


async def read(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Raises BookingNotFound, also for somebody else's."""
    await expire_due(session, user_id)
    wanted = reference(pnr)
    booking = await repository.by_pnr(session, user_id, wanted) if wanted else None
    if booking is None:
        raise BookingNotFound("You have no booking with this reference.")
    return (await _views(session, [booking]))[0]


def reference(pnr: str) -> str | None:
    """A booking reference as it is stored; None for what cannot be one, which the database might choke on."""
    wanted = pnr.upper()
    return wanted if len(wanted) == 6 and set(wanted) <= set(_PNR_ALPHABET) else None


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


async def addressee(session: Session, pnr: str) -> Row | None:
    """Where mail about a booking goes: `email` and `locale`, and the booking's `status` as it is now."""
    return await repository.addressee(session, pnr)


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
        db.after_commit(session, lambda: _count("expired", len(due)))
    return len(due)


def _price_stands_until(reservation: Reservation) -> datetime:
    """The price may be promised for less time than the seats; both clocks start with the hold, by the database's."""
    minutes = settings().price_guarantee_minutes
    if minutes is None:
        return reservation.expires_at
    begun = reservation.expires_at - timedelta(minutes=settings().hold_minutes)
    return min(begun + timedelta(minutes=minutes), reservation.expires_at)


async def _count(status: str, bookings: int) -> None:
    BOOKINGS.labels(status).inc(bookings)


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
    documents: Row = {
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
    encoded = {name: orjson.dumps(value).decode() for name, value in documents.items()}
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
        pnr = "".join(secrets.choice(_PNR_ALPHABET) for _ in range(6))
        event = {
            "pnr": pnr,
            "status": "held",
            "total": documents["price"]["total"],
            "hold_expires_at": clock.rfc3339(reservation.expires_at),
        }
        added = await repository.add(
            session, {**booking, **encoded, "pnr": pnr}, _passenger_rows(data), segments, event
        )
        if added is not None:
            return {**booking, **documents, **added, "pnr": pnr, "status": "held"}
    raise RuntimeError("no free PNR in several draws")


def _passenger_rows(data: BookingIn) -> list[Row]:
    return [
        {**passenger.model_dump(mode="json"), "position": position, "infant_of": carrier}
        for position, (passenger, carrier) in enumerate(
            zip(data.passengers, travellers.assigned(data.passengers), strict=True)
        )
    ]


async def _views(session: Session, bookings: Sequence[Row]) -> list[Row]:
    """Bookings with their passengers and flights, in three queries however many there are."""
    if not bookings:
        return []
    ids = [booking["id"] for booking in bookings]
    people: dict[int, list[Row]] = defaultdict(list)
    for person in await repository.passengers_of(session, ids):
        people[person["booking_id"]].append(person)
    flown: dict[int, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for segment in await repository.segments_of(session, ids):
        flown[segment["booking_id"]][segment["slice_index"]].append(segment)
    changed: dict[int, list[Row]] = defaultdict(list)
    for change in await repository.changes_of(session, ids):
        changed[change["booking_id"]].append({**change["data"], "at": clock.rfc3339(change["at"])})
    return [
        _view(b, people[b["id"]], [flown[b["id"]][i] for i in sorted(flown[b["id"]])], changed[b["id"]])
        for b in bookings
    ]


def _view(
    booking: Row, passengers: list[Row], slices: list[list[Row]], changes: list[Row] | None = None
) -> Row:
    """A booking as every answer shows it."""
    held = booking["status"] == "held"
    return {
        "pnr": booking["pnr"],
        "status": booking["status"],
        "price": booking["price"],
        "cabin": booking["cabin"],
        "fare_brand": booking["fare_brand"],
        "conditions": booking["conditions"],
        "baggage": booking["baggage"],
        "passengers": [_passenger(passenger) for passenger in passengers],
        "slices": [itinerary.slice_view(flights, flights[0]["booking_class"]) for flights in slices],
        "contact": booking["contact"],
        "hold_expires_at": clock.rfc3339(booking["hold_expires_at"]) if held else None,
        "schedule_changes": changes or [],
        "payments": [],
        "available_actions": [],
        "created_at": clock.rfc3339(booking["created_at"]),
        "updated_at": clock.rfc3339(booking["updated_at"]),
    }


def _passenger(passenger: Row) -> Row:
    return {
        "type": passenger["type"],
        "title": passenger["title"],
        "given_name": passenger["given_name"],
        "family_name": passenger["family_name"],
        "born_on": str(passenger["born_on"]),
        "gender": passenger["gender"],
        "infant_of": passenger["infant_of"],
        "ticket_name": "/".join(
            travellers.ticket_name(passenger[part]) for part in ("family_name", "given_name")
        ),
        "ticket_number": None,
    }
