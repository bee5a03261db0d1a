"""Itineraries as answers show them: flights, slices, and an offer around them."""

from datetime import date, datetime, timedelta

from app.airports.service import directory, distance_km
from app.core import clock, money
from app.core.db import Row
from app.flights.service import public_id
from app.flights.times import local
from app.offers import fares, token
from app.offers.fares import Brand, PricedFlight, Quote
from app.offers.token import Offer


def priced(flight: Row) -> PricedFlight:
    """The facts about a flight that its fare depends on."""
    origin, destination = directory().find(flight["origin"]), directory().find(flight["destination"])
    km = distance_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude)
    return PricedFlight(round(km), flight["departs_local"], origin.country, destination.country)


def quoted(flights: list[list[Row]], offer: Offer) -> tuple[Quote, Brand] | None:
    """What the offer's itinerary costs by the fares in force, or None if its brand is no longer sold."""
    filed = fares.table()
    brand = filed.brand(offer.cabin, offer.brand)
    if brand is None or offer.currency not in filed.currencies:
        return None
    slices = [[priced(flight) for flight in one] for one in flights]
    return filed.quote(slices, offer.cabin, brand, offer.counts, offer.issued_on, offer.currency), brand


def offered(offer: Offer, flights: list[list[Row]], quote: Quote, brand: Brand) -> Row:
    """An offer as search shows it."""
    return {
        "id": token.sign(offer),
        "expires_at": clock.rfc3339(offer.expires_at),
        "price": quote.wire(),
        "cabin": offer.cabin,
        "fare_brand": brand.name,
        "conditions": conditions(brand, offer.currency),
        "baggage": baggage(brand),
        "seats_left": min(flight["seats_left"] for one in flights for flight in one),
        "slices": [slice_view(one) for one in flights],
    }


def conditions(brand: Brand, currency: str) -> Row:
    """What the brand allows; a null fee means that it is not allowed at all."""
    filed = fares.table()

    def condition(fee: int | None) -> Row:
        return {
            "allowed": fee is not None,
            "fee": None if fee is None else money.wire(filed.fee(fee, currency), currency),
        }

    return {"change": condition(brand.change_fee), "refund": condition(brand.refund_fee)}


def baggage(brand: Brand) -> Row:
    return {"carry_on": brand.carry_on, "checked": brand.checked}


def slice_view(flights: list[Row]) -> Row:
    segments = [_segment(flight) for flight in flights]
    first, last = flights[0], flights[-1]
    return {
        "origin": first["origin"],
        "destination": last["destination"],
        "duration": iso_duration(last["arrives_at"] - first["departs_at"]),
        "connections": len(flights) - 1,
        "arrival_day_offset": (
            _local_date(last["arrives_at"], last["destination"]) - first["departure_date"]
        ).days,
        "segments": segments,
    }


def _segment(flight: Row) -> Row:
    origin, destination = directory().find(flight["origin"]), directory().find(flight["destination"])
    return {
        "flight_id": public_id(flight),
        "flight_number": flight["carrier"] + flight["number"],
        "marketing_carrier": flight["carrier"],
        "operating_carrier": flight["carrier"],
        "operated_by": flight["operated_by"],
        "origin": origin.stop | {"terminal": flight["departure_terminal"]},
        "destination": destination.stop | {"terminal": flight["arrival_terminal"]},
        "departing_at": local(flight["departs_at"], origin.zone).isoformat(),
        "arriving_at": local(flight["arrives_at"], destination.zone).isoformat(),
        "duration": iso_duration(flight["arrives_at"] - flight["departs_at"]),
        "aircraft": flight["aircraft_type"],
    }


def _local_date(instant: datetime, iata: str) -> date:
    return local(instant, directory().find(iata).zone).date()


def iso_duration(length: timedelta) -> str:
    """ISO 8601, to the minute: `PT7H25M`, `PT50M`."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or not hours else "")
