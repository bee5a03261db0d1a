"""Bookings as answers show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.bookings import agreed, booked, documents, ordered, quotes, repository, special_services
from app.core import clock, money
from app.core.db import Row, Session
from app.flights.service import public_id
from app.offers import itinerary
from app.payments import service as payments
from app.seats import service as seats
from app.tickets import service as tickets


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
        changes=_by_booking(await booked.changes_of(session, ids)),
        airline_changes=_by_booking(await quotes.airline_changes_of(session, ids)),
        extras=_by_booking(await ordered.extras_of(session, ids)),
        payments=_by_booking(await payments.of_bookings(session, ids)),
        refunds=_by_booking(await payments.refunds_of(session, ids)),
        tickets=await tickets.of_bookings(session, ids),
        seats={(seat["claim_id"], seat["position"]): seat["seat"] for seat in sitting},
    )
    return [view(booking, found) for booking in bookings]


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


def view(booking: Row, parts: Parts) -> Row:
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
            booking,
            slices,
            open_payment,
            parts.airline_changes.get(booking["id"], []),
            parts.tickets.get(booking["id"], []),
        ),
        "created_at": clock.rfc3339(booking["created_at"]),
        "updated_at": clock.rfc3339(booking["updated_at"]),
    }


def _actions(
    booking: Row, slices: list[list[Row]], paying: Row | None, changes: list[Row], issued: list[Row]
) -> list[str]:
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
    waiting = {c["flight_id"] for ticket in issued for c in ticket["coupons"] if c["status"] == "O"}
    ahead_soon = [flight for one in slices for flight in one if flight["id"] in waiting]
    if any(tickets.can_check_in(flight, clock.now()) for flight in ahead_soon):
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
