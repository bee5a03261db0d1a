"""What is agreed with a booking and kept with it: until when it can be given back for nothing, and why.

The rules are data of their day; a booking keeps what they said when it was made.
"""

from collections import Counter
from collections.abc import Sequence

from app.airlines import service as airlines
from app.airports.service import directory
from app.core import clock
from app.core.db import Row
from app.payments import ledger
from app.payments.service import Due
from app.rights import service as rights
from app.rights.trips import Leg, Slice, Trip


def at_purchase(slices: Sequence[Sequence[Row]]) -> Row:
    """Until when the booking, made now, can be cancelled for nothing, by which rule."""
    free = rights.free_cancellation(trip_of(slices), clock.now())
    if free is None:
        return {"free_until": None, "free_rule": None}
    return {"free_until": clock.rfc3339(free.until), "free_rule": free.rule, "free_source": free.source}


def at_sale() -> Row:
    """Until when tickets sold now can be made never to have been."""
    until = rights.void_until(clock.now())
    return {"void_until": clock.rfc3339(until) if until else None}


def seats_of(booking: Row) -> int:
    """Seats at purchase: infants travel on a lap."""
    adults, children, _ = booking["terms"]["counts"]
    return int(adults + children)


def sold_by(terms: Row) -> dict[str, int]:
    """The price agreed at purchase, by the ledger's accounts."""
    counts = dict(zip(("adult", "child", "infant"), terms["counts"], strict=True))
    sold: Counter[str] = Counter()
    for part in terms["parts"]:
        for one in part["each"]:
            sold[ledger.FARES] += one["base"] * counts[one["type"]]
            for code, _, amount, _ in one["taxes"]:
                sold[ledger.taxes(code)] += amount * counts[one["type"]]
    return dict(sold)


def refund_due(segments: Sequence[Row]) -> Due:
    """When money that is asked back now must be on its way, by card."""
    due = rights.refund_due(trip_of(in_slices(segments)), "card", clock.now())
    return Due(due.on, due.rule)


def trip_of(slices: Sequence[Sequence[Row]]) -> Trip:
    """Flights as the rules of passengers' rights look at them."""
    return Trip(tuple(Slice(tuple(_leg(flight) for flight in one)) for one in slices))


def in_slices(segments: Sequence[Row]) -> list[list[Row]]:
    """A booking's segments, slice by slice."""
    found: dict[int, list[Row]] = {}
    for segment in segments:
        found.setdefault(segment["slice_index"], []).append(segment)
    return [found[index] for index in sorted(found)]


def _leg(flight: Row) -> Leg:
    airline = airlines.directory().by_iata.get(flight["carrier"])
    return Leg(
        origin=directory().find(flight["origin"]),
        destination=directory().find(flight["destination"]),
        departs_at=flight["departs_at"],
        arrives_at=flight["arrives_at"],
        carrier=flight["carrier"],
        carrier_country=airline.country if airline else None,
    )
