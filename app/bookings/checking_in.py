"""Check-in and boarding passes: from a day before departure until an hour before it.

Whoever asks for boarding passes while check-in is open is checked in, as apps expect; who has no seat is given one.
"""

import uuid
from collections.abc import Collection

from app.bookings import audited, paying, repository, service
from app.bookings.errors import BookingClosed, NotInBooking
from app.bookings.special_services import needs_assistance
from app.core import clock
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.flights.service import public_id
from app.seats import service as seats
from app.seats.sitting import Traveller
from app.tickets import service as tickets
from app.tickets.check_in import check_in_window
from app.tickets.coupons import CHECK_IN
from app.tickets.errors import NotCheckedIn


async def check_in(
    session: Session, user_id: uuid.UUID, pnr: str, flight_id: str, passengers: Collection[int] | None
) -> Row:
    """Check passengers in on a flight, all of them where none is named; gives the booking.

    Raises BookingNotFound, BookingClosed, CheckInNotOpen, CheckInClosed, CouponNotAllowed, SeatNotAllowed.
    """
    booking = await _confirmed(session, user_id, pnr)
    segments = await repository.active_segments(session, booking["id"])
    flight = next((s for s in segments if public_id(s) == flight_id), None)
    if flight is None:
        problem = FieldProblem("/flight_id", "not_in_booking", "Not a flight of the booking.")
        raise NotInBooking("The booking has no such flight.", errors=[problem])
    check_in_window(flight, clock.now())
    await _checked_in(session, booking, flight, passengers)
    return await service.by_id(session, booking["id"])


async def open_flights(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    """Check in whoever can be on the flights whose check-in is open; gives the booking.

    Raises BookingNotFound, BookingClosed, SeatNotAllowed.
    """
    booking = await _confirmed(session, user_id, pnr)
    segments = await repository.active_segments(session, booking["id"])
    issued = (await tickets.of_bookings(session, [booking["id"]]))[booking["id"]]
    waiting = {
        (ticket["position"], coupon["flight_id"])
        for ticket in issued
        for coupon in ticket["coupons"]
        if coupon["status"] in CHECK_IN.before
    }
    for flight in segments:
        ready = {position for position, flight_id in waiting if flight_id == flight["id"]}
        if ready and tickets.can_check_in(flight, clock.now()):
            await _checked_in(session, booking, flight, ready)
    return await service.by_id(session, booking["id"])


async def passes(session: Session, booking: Row) -> list[Row]:
    """What passengers of a booking, as answers show it, board with: their coupons, and the gate.

    Raises BookingClosed, and where nobody is checked in CheckInNotOpen, CheckInClosed or NotCheckedIn.
    """
    _check_paid(booking)
    booking_id = await repository.id_of(session, booking["pnr"])
    flights = {flight["id"]: flight for flight in await repository.active_segments(session, booking_id)}
    found = [
        _pass(ticket, coupon, flights[coupon["flight_id"]])
        for ticket in (await tickets.of_bookings(session, [booking_id]))[booking_id]
        for coupon in ticket["coupons"]
        if pass_of(coupon) and coupon["flight_id"] in flights
    ]
    if not found:
        now, every = clock.now(), sorted(flights.values(), key=lambda flight: flight["departs_at"])
        check_in_window(next((flight for flight in every if flight["departs_at"] > now), every[-1]), now)
        raise NotCheckedIn("Check-in is open, and nobody of this booking is checked in.")
    return found


def pass_of(coupon: Row) -> bool:
    """Whether a coupon is one to board with, or was."""
    return coupon["status"] in ("C", "L", "F") and coupon["check_in_sequence"] is not None


def _pass(ticket: Row, coupon: Row, flight: Row) -> Row:
    return {
        "passenger": ticket["position"],
        "flight_id": public_id(flight),
        "slice": coupon["slice_index"],
        "gate": flight["departure_gate"],
        "ticket_number": ticket["number"],
        "coupon": coupon["number"],
        "status": coupon["status"],
        "sequence": coupon["check_in_sequence"],
        "issued_at": coupon["changed_at"],
    }


async def _checked_in(
    session: Session, booking: Row, flight: Row, passengers: Collection[int] | None
) -> None:
    people = [
        p for p in await repository.passengers_of(session, [booking["id"]]) if p["cancelled_at"] is None
    ]
    kept = await tickets.kept(session, booking["id"])
    here = [p for p in people if (p["position"], flight["slice_index"]) in kept]
    named = [p for p in here if passengers is None or p["position"] in passengers]
    if not named or (passengers and len(named) < len(set(passengers))):
        problem = FieldProblem("/passengers", "not_in_booking", "Not passengers of this flight.")
        raise NotInBooking("Not all of these fly here.", errors=[problem])
    carriers = {p["infant_of"] for p in here if p["type"] == "infant"}
    # An infant is checked in with the adult who carries it, whoever was named.
    along = [p for p in here if p["type"] == "infant" and p["infant_of"] in {n["position"] for n in named}]
    together = {p["position"]: p for p in [*named, *along]}.values()
    travellers = [
        Traveller(
            position=p["position"],
            type=p["type"],
            carries_infant=p["position"] in carriers,
            needs_assistance=needs_assistance(p, flight["id"]),
        )
        for p in together
        if p["type"] != "infant"
    ]
    claim = {"claim_id": flight["claim_id"], "flight_id": flight["id"], "cabin": booking["cabin"]}
    await seats.assign_automatically(session, claim, flight["aircraft_type"], travellers)
    positions = {p["position"] for p in together}
    await tickets.check_in(session, booking["id"], positions, flight["id"])
    facts = {"passengers": sorted(positions), "flight_id": public_id(flight)}
    await audited.note(session, booking, [{"type": "booking.checked_in", "data": facts}])


async def _confirmed(session: Session, user_id: uuid.UUID, pnr: str) -> Row:
    booking = await paying.locked(session, user_id, pnr)
    _check_paid(booking)
    return booking


def _check_paid(booking: Row) -> None:
    if booking["status"] not in ("confirmed", "completed"):
        raise BookingClosed("Only a booking that is paid has boarding passes.")
