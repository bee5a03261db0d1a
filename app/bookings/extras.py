"""Seats and bags: chosen, priced when they are chosen, paid for with the booking or after it."""

import uuid
from collections.abc import Sequence

from app.bookings import agreed, ordered, paying, repository, service, travel
from app.bookings.errors import BookingClosed, HoldExpired, NotInBooking, PaymentRequired
from app.bookings.schemas import BagIn, ExtrasIn, SeatIn
from app.bookings.special_services import needs_assistance
from app.core import clock, money
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.extras import service as prices
from app.fares import service as fares
from app.fares.products import Brand
from app.flights.service import public_id
from app.offers.errors import FlightNotOnSale
from app.payments import ledger
from app.payments import service as payments
from app.seats import service as seats
from app.seats.errors import SeatNotAllowed
from app.seats.sitting import Wanted


class Extras:
    """A payment's purpose: seats and bags for a booking that is paid. The seats were taken when they were chosen."""

    async def secure(self, session: Session, booking: Row, payment: Row) -> bool:  # noqa: ARG002
        return bool(booking["status"] == "confirmed")

    async def fulfil(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> dict[str, int]:
        amount = await ordered.pay_extras(session, booking["id"], payment["subject_id"])
        facts = {"reason": "extras", "amount": money.wire(amount, booking["currency"])}
        told = [*events, {"type": "booking.changed", "data": facts}]
        await repository.step(session, booking["id"], told, leaving=["confirmed"], revised=True)
        return {ledger.EXTRAS: amount}

    async def undo(self, session: Session, booking: Row, payment: Row, events: list[Row]) -> None:
        segments = {s["id"]: s for s in await repository.active_segments(session, booking["id"])}
        for extra in await ordered.order_of(session, payment["subject_id"]):
            if extra["kind"] == "seat" and extra["flight_id"] in segments:
                claim = segments[extra["flight_id"]]["claim_id"]
                await seats.release(session, [claim], [extra["position"]])
        await ordered.cancel_order(session, payment["subject_id"])
        await repository.step(session, booking["id"], events, leaving=paying.ANY_STATE)


paying.PURPOSES["extras"] = Extras()


async def order(session: Session, user_id: uuid.UUID, pnr: str, data: ExtrasIn) -> tuple[int, int, Row]:
    """Take seats and bags: the order, what is due for it now, and the booking's row. In a hold nothing is due yet.

    Raises BookingNotFound, BookingClosed, HoldExpired, PaymentInProgress, SeatTaken, SeatNotFound, SeatNotAllowed,
    BagNotAllowed, ExtrasNotSold.
    """
    booking = await paying.locked(session, user_id, pnr)
    if booking["status"] not in ("held", "confirmed"):
        raise BookingClosed(f"The booking is {booking['status']}.")
    if booking["status"] == "held" and booking["due"]:
        raise HoldExpired("The hold has run out.")
    await paying.give_up_waiting(session, booking)
    people = {
        p["position"]: p
        for p in await repository.passengers_of(session, [booking["id"]])
        if p["cancelled_at"] is None
    }
    slices = agreed.in_slices(await repository.active_segments(session, booking["id"]))
    brand = fares.book().brand(booking["cabin"], booking["fare_brand"])
    if brand is None:
        raise FlightNotOnSale("The fare of this booking is no longer sold; nothing can be added to it.")
    fly = {(unit.position, unit.slice_index) for unit in await travel.units(session, booking)}
    chosen = await _seats(session, booking, people, fly, slices, brand, data.seats)
    chosen += await _bags(session, booking, fly, slices, brand, data.bags)
    amount = sum(extra["amount_minor"] for extra in chosen)
    state = "paid" if booking["status"] == "confirmed" and amount == 0 else "pending"
    number = await ordered.next_order(session)
    await ordered.add_extras(session, booking["id"], number, [{**extra, "state": state} for extra in chosen])
    return number, amount if booking["status"] == "confirmed" else 0, booking


async def add_free(session: Session, user_id: uuid.UUID, pnr: str, data: ExtrasIn) -> Row:
    """Seats and bags for which nothing is due now. Raises what `order` raises, and PaymentRequired."""
    _, due, booking = await order(session, user_id, pnr, data)
    if due:
        problem = FieldProblem("/payment", "payment_required", "Something is to be paid for these.")
        raise PaymentRequired(errors=[problem], due=money.wire(due, booking["currency"]))
    changed = {"type": "booking.changed", "data": {"reason": "extras"}}
    await repository.step(session, booking["id"], [changed], leaving=["held", "confirmed"], revised=True)
    return await service.by_id(session, booking["id"])


async def begin(session: Session, user_id: uuid.UUID, pnr: str, data: ExtrasIn) -> str:
    """Take seats and bags and write down that they are about to be paid for; gives the payment's id.

    Raises what `order` raises, and PaymentNotOffered.
    """
    assert data.payment is not None  # noqa: S101
    payments.require_offered()
    paying.require_token(data.payment.payment_method, "/payment/payment_method")
    number, due, booking = await order(session, user_id, pnr, data)
    if not due:
        problem = FieldProblem(
            "/payment", "nothing_due", "Nothing is due for these now; leave `payment` out."
        )
        raise BookingClosed("Nothing is due for these now.", errors=[problem])
    payment = await payments.start(
        session, booking["id"], "extras", due, booking["currency"], data.payment.payment_method, number
    )
    return str(payment["id"])


async def _seats(
    session: Session,
    booking: Row,
    people: dict[int, Row],
    fly: set[tuple[int, int]],
    slices: list[list[Row]],
    brand: Brand,
    wanted: Sequence[SeatIn],
) -> list[Row]:
    flights = {public_id(flight): flight for one in slices for flight in one}
    carriers = {p["infant_of"] for p in people.values() if p["type"] == "infant"}
    chosen = []
    for index, one in enumerate(wanted):
        _require(one.flight_id in flights, f"/seats/{index}/flight_id", "Not a flight of the booking.")
        here = (one.passenger, flights[one.flight_id]["slice_index"])
        _require(here in fly, f"/seats/{index}/passenger", "Not a passenger of this flight.")
    for flight_id in dict.fromkeys(one.flight_id for one in wanted):
        flight = flights[flight_id]
        _require(flight["departs_at"] > clock.now(), "/seats", "The flight has left.")
        mine = [
            Wanted(
                position=one.passenger,
                type=people[one.passenger]["type"],
                carries_infant=one.passenger in carriers,
                needs_assistance=needs_assistance(people[one.passenger], flight["id"]),
                seat=one.seat,
            )
            for one in wanted
            if one.flight_id == flight_id
        ]
        found = await seats.find(session, flight["id"], flight["aircraft_type"], booking["cabin"], mine)
        claim = {"claim_id": flight["claim_id"], "flight_id": flight["id"], "cabin": booking["cabin"]}
        await seats.assign(session, claim, flight["aircraft_type"], mine)
        for seat, sitter in zip(found, mine, strict=True):
            price = prices.seat_price(
                flight,
                booking["cabin"],
                seat.kind,
                brand,
                booking["currency"],
                assistance=sitter.needs_assistance,
            )
            paid = await ordered.paid_seat(session, booking["id"], sitter.position, flight["id"])
            if paid is not None and price > paid:
                raise SeatNotAllowed("This seat costs more than the one that was paid for.")
            if await ordered.move_seat(session, booking["id"], sitter.position, flight["id"], sitter.seat):
                continue
            chosen.append(
                {
                    "kind": "seat",
                    "position": sitter.position,
                    "slice_index": flight["slice_index"],
                    "flight_id": flight["id"],
                    "seat": sitter.seat,
                    "quantity": 1,
                    "amount_minor": price,
                }
            )
    return chosen


async def _bags(
    session: Session,
    booking: Row,
    fly: set[tuple[int, int]],
    slices: list[list[Row]],
    brand: Brand,
    wanted: Sequence[BagIn],
) -> list[Row]:
    by_index = {one[0]["slice_index"]: one for one in slices}
    known = await ordered.extras_of(session, [booking["id"]])
    chosen: list[Row] = []
    for index, one in enumerate(wanted):
        _require(one.slice in by_index, f"/bags/{index}/slice", "Not a slice of the booking.")
        _require(
            (one.passenger, one.slice) in fly, f"/bags/{index}/passenger", "Not a passenger of this slice."
        )
        flights = by_index[one.slice]
        _require(flights[0]["departs_at"] > clock.now(), f"/bags/{index}/slice", "The flight has left.")
        had = sum(
            extra["quantity"]
            for extra in [*known, *chosen]
            if (extra["kind"], extra["position"], extra["slice_index"]) == ("bag", one.passenger, one.slice)
        )
        first = brand.checked + had + 1
        amount = sum(
            prices.bag_price(flights, booking["cabin"], piece, brand, booking["currency"])
            for piece in range(first, first + one.quantity)
        )
        chosen.append(
            {
                "kind": "bag",
                "position": one.passenger,
                "slice_index": one.slice,
                "flight_id": None,
                "seat": None,
                "quantity": one.quantity,
                "amount_minor": amount,
            }
        )
    return chosen


def _require(is_so: bool, pointer: str, message: str) -> None:
    if not is_so:
        raise NotInBooking(message, errors=[FieldProblem(pointer, "not_in_booking", message)])
