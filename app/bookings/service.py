"""Holding seats, reading bookings, and letting holds run out."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from app.bookings import agreed, documents, quotes, repository, special_services
from app.bookings import passengers as travellers
from app.bookings.errors import BookingNotFound, DuplicateTrip
from app.bookings.schemas import BookingIn
from app.core import clock, cursors, db, money, outbox
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.core.metrics import BOOKINGS
from app.fares.quotes import Quote
from app.flights.service import public_id
from app.offers import itinerary, token
from app.offers import service as offers
from app.offers.service import Reservation
from app.offers.token import Offer
from app.payments import service as payments
from app.seats import service as seats
from app.tickets import service as tickets

# No vowels, so no words; no 0, 1, I, L, O, so nothing to misread.
_PNR_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_PNR_DRAWS = 5
_SWEEP = 200
_LAST_ID = 2**63 - 1


async def create(session: Session, user_id: uuid.UUID, data: BookingIn) -> Row:
    """Hold the seats of an offer until `hold_expires_at`.

    Raises OfferNotFound, OfferExpired, DuplicateTrip, and what `passengers`, `documents`, `special_services` and
    `offers.reserve` raise.
    """
    booking, flights = await hold(session, user_id, data)
    people = [{**person, "cancelled_at": None} for person in booking["passengers"]]
    return _view(booking, Parts(people={booking["id"]: people}, segments={booking["id"]: flights}))


async def hold(session: Session, user_id: uuid.UUID, data: BookingIn) -> tuple[Row, list[Row]]:
    """The booking that `create` makes, with its segments."""
    travellers.refuse_card_numbers(data)
    offer = token.read(data.offer_id)
    travellers.check(data.passengers, offer.counts)
    reservation = await offers.reserve(session, offer)
    departures = [one[0]["departure_date"] for one in reservation.flights]
    travellers.check_ages(data.passengers, departures[0], departures[-1])
    documents.check(data.passengers, reservation.flights)
    booking = await _stored(session, user_id, data, offer, reservation)
    outbox.announce(session)
    db.after_commit(session, lambda: _count("held", 1))
    flights = [
        flight | {"slice_index": index, "booking_class": offer.classes[index], "segment_state": "active"}
        for index, one in enumerate(reservation.flights)
        for flight in one
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
    return {"data": await views(session, found[:size]), "next_cursor": following}


async def read(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Raises BookingNotFound, also for somebody else's."""
    await expire_due(session, user_id)
    wanted = reference(pnr)
    booking = await repository.by_pnr(session, user_id, wanted) if wanted else None
    if booking is None:
        raise BookingNotFound("You have no booking with this reference.")
    return (await views(session, [booking]))[0]


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


async def timeline(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Everything that happened to a booking, in order. Raises BookingNotFound."""
    await expire_due(session, user_id)
    wanted = reference(pnr)
    booking = await repository.by_pnr(session, user_id, wanted) if wanted else None
    if booking is None:
        raise BookingNotFound("You have no booking with this reference.")
    steps = await repository.timeline(session, booking["id"])
    return {"data": [{**step, "at": clock.rfc3339(step["at"])} for step in steps]}


async def by_id(session: Session, booking_id: int) -> Row:
    """A booking as its owner sees it, by our own id."""
    return (await views(session, [await repository.by_id(session, booking_id)]))[0]


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
        pnr = "".join(secrets.choice(_PNR_ALPHABET) for _ in range(6))
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


async def views(session: Session, bookings: Sequence[Row]) -> list[Row]:
    """Bookings as answers show them, in the same few queries however many there are."""
    if not bookings:
        return []
    ids = [booking["id"] for booking in bookings]
    segments = await repository.segments_of(session, ids)
    sitting = await seats.of_claims(session, [segment["claim_id"] for segment in segments])
    found = Parts(
        people=_by_booking(await repository.passengers_of(session, ids)),
        segments=_by_booking(segments),
        changes=_by_booking(await repository.changes_of(session, ids)),
        airline_changes=_by_booking(await quotes.airline_changes_of(session, ids)),
        extras=_by_booking(await quotes.extras_of(session, ids)),
        payments=_by_booking(await payments.of_bookings(session, ids)),
        refunds=_by_booking(await payments.refunds_of(session, ids)),
        tickets=await tickets.of_bookings(session, ids),
        seats={(seat["claim_id"], seat["position"]): seat["seat"] for seat in sitting},
    )
    return [_view(booking, found) for booking in bookings]


@dataclass(frozen=True, slots=True)
class Parts:
    """What belongs to bookings, by their id."""

    people: dict[int, list[Row]]
    segments: dict[int, list[Row]]
    changes: dict[int, list[Row]] = field(default_factory=dict)
    airline_changes: dict[int, list[Row]] = field(default_factory=dict)
    extras: dict[int, list[Row]] = field(default_factory=dict)
    payments: dict[int, list[Row]] = field(default_factory=dict)
    refunds: dict[int, list[Row]] = field(default_factory=dict)
    tickets: dict[int, list[Row]] = field(default_factory=dict)
    seats: dict[tuple[int, int], str] = field(default_factory=dict)


def _by_booking(found: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in found:
        grouped.setdefault(row["booking_id"], []).append(row)
    return grouped


def _view(booking: Row, parts: Parts) -> Row:
    """A booking as every answer shows it. A booking that ended shows the flights that it ended with."""
    held, terms, currency = booking["status"] == "held", booking["terms"], booking["currency"]
    every = parts.segments[booking["id"]]
    flown = [s for s in every if s["segment_state"] == "active"] or [
        s for s in every if s["removed_by"] in (None, "cancellation")
    ]
    slices = sorted(agreed.in_slices(flown), key=lambda one: one[0]["departs_at"])
    extras = parts.extras.get(booking["id"], [])
    open_payment = next(
        (p for p in parts.payments.get(booking["id"], []) if p["status"] in payments.OPEN), None
    )
    unpaid = sum(extra["amount_minor"] for extra in extras if extra["state"] == "pending")
    return {
        "pnr": booking["pnr"],
        "status": booking["status"],
        "price": booking["price"],
        "cabin": booking["cabin"],
        "fare_brand": booking["fare_brand"],
        "conditions": booking["conditions"],
        "baggage": booking["baggage"],
        "passengers": [_passenger(person, booking, slices, parts) for person in parts.people[booking["id"]]],
        "slices": [
            {**itinerary.slice_view(one, one[0]["booking_class"]), "index": one[0]["slice_index"]}
            for one in slices
        ],
        "contact": booking["contact"],
        "hold_expires_at": clock.rfc3339(booking["hold_expires_at"]) if held else None,
        "price_guaranteed_until": clock.rfc3339(booking["price_stands_until"]) if held else None,
        "amount_due": money.wire(booking["total_minor"] + unpaid if held else unpaid, currency),
        "extras": [_extra(extra, every, currency) for extra in extras],
        "cancellation": {name: terms.get(name) for name in ("free_until", "free_rule", "void_until")},
        "schedule_changes": [
            {**change["data"], "at": clock.rfc3339(change["at"])}
            for change in parts.changes.get(booking["id"], [])
        ],
        "airline_changes": [_airline_change(c, every) for c in parts.airline_changes.get(booking["id"], [])],
        "payments": [payments.view(payment) for payment in parts.payments.get(booking["id"], [])],
        "refunds": [payments.refund_view(refund) for refund in parts.refunds.get(booking["id"], [])],
        "available_actions": _actions(
            booking, slices, open_payment, parts.airline_changes.get(booking["id"], [])
        ),
        "created_at": clock.rfc3339(booking["created_at"]),
        "updated_at": clock.rfc3339(booking["updated_at"]),
    }


def _actions(booking: Row, slices: list[list[Row]], paying: Row | None, changes: list[Row]) -> list[str]:
    """What can be done with a booking now, by its state, what was agreed, and the clock."""
    busy = paying is not None and paying["status"] != "requires_action"
    if busy or booking["status"] not in ("held", "confirmed"):
        return []
    if booking["status"] == "held":
        if booking["hold_expires_at"] <= clock.now():
            return []
        return (["pay"] if payments.offered() else []) + ["cancel", "choose_seats", "add_bags"]
    ahead = [one for one in slices if one[0]["departs_at"] > clock.now()]
    actions = ["cancel", "choose_seats", "add_bags"] if ahead else []
    if ahead and booking["conditions"]["change"]["allowed"]:
        actions.append("change")
    if any(tickets.can_check_in(flight, clock.now()) for one in slices for flight in one):
        actions.append("check_in")
    options = [option for change in changes if change["state"] == "open" for option in change["options"]]
    return actions + [
        f"airline_change.{option}" for option in ("accept", "rebook", "refund") if option in options
    ]


def _extra(extra: Row, segments: list[Row], currency: str) -> Row:
    flight = next((s for s in segments if s["id"] == extra["flight_id"]), None)
    return {
        "kind": extra["kind"],
        "passenger": extra["position"],
        "slice": extra["slice_index"],
        "flight_id": public_id(flight) if flight else None,
        "seat": extra["seat"],
        "quantity": extra["quantity"],
        "amount": money.wire(extra["amount_minor"], currency),
        "status": extra["state"],
    }


def _airline_change(change: Row, segments: list[Row]) -> Row:
    flight = next(s for s in segments if s["id"] == change["flight_id"])
    return {
        "id": f"aic_{change['public_id'].hex}",
        "flight_id": public_id(flight),
        "slice": change["slice_index"],
        "materiality": change["materiality"],
        "before": change["facts"]["before"],
        "after": change["facts"]["after"],
        "options": change["options"],
        "status": change["state"],
        "deadline": clock.rfc3339(change["deadline_at"]),
        "passenger_rights": change["advice"],
        "created_at": clock.rfc3339(change["created_at"]),
    }


def _passenger(passenger: Row, booking: Row, slices: list[list[Row]], parts: Parts) -> Row:
    position = passenger["position"]
    issued = [t for t in parts.tickets.get(booking["id"], []) if t["position"] == position]
    segments = [s for s in parts.segments[booking["id"]] if s["segment_state"] == "active"]
    sitting = [(s, parts.seats.get((s["claim_id"], position))) for s in segments]
    return _person(passenger, booking["pnr"], slices) | {
        "ticket_number": next((t["number"] for t in reversed(issued) if not t["conjunction_of"]), None),
        "tickets": [_ticket(ticket, parts.segments[booking["id"]]) for ticket in issued],
        "seats": [{"flight_id": public_id(flight), "seat": seat} for flight, seat in sitting if seat],
        "status": "cancelled" if passenger["cancelled_at"] else "active",
    }


def _ticket(ticket: Row, segments: list[Row]) -> Row:
    flights = {segment["id"]: public_id(segment) for segment in segments}
    return {
        "number": ticket["number"],
        "check_digit": ticket["check_digit"],
        "issued_at": clock.rfc3339(ticket["issued_at"]),
        "coupons": [
            {
                "number": coupon["number"],
                "slice": coupon["slice_index"],
                "flight_id": flights[coupon["flight_id"]],
                "status": coupon["status"],
            }
            for coupon in ticket["coupons"]
        ],
    }


def _person(passenger: Row, pnr: str, slices: list[list[Row]]) -> Row:
    return {
        "type": passenger["type"],
        "title": passenger["title"],
        "given_name": passenger["given_name"],
        "family_name": passenger["family_name"],
        "born_on": str(passenger["born_on"]),
        "gender": passenger["gender"],
        "infant_of": passenger["infant_of"],
        "ticket_name": passenger["ticket_name"],
        "document": documents.shown(passenger["document"], pnr, passenger["position"]),
        "loyalty": passenger["loyalty"],
        "services": special_services.shown(passenger["services"], slices),
    }
