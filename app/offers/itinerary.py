"""Itineraries as answers show them: flights, slices, and an offer around them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from app.airports.service import directory
from app.core import clock, money
from app.core.config import settings
from app.core.db import Row
from app.fares import service as fares
from app.fares.pricing import UnknownClass
from app.fares.products import Brand
from app.fares.quotes import Quote
from app.flights.service import public_id
from app.flights.times import local
from app.offers import terms, token
from app.offers.token import Offer


def sales_close() -> datetime:
    """What leaves later than this is on sale."""
    return clock.now() + timedelta(minutes=settings().sales_close_minutes)


def on_sale(flight: Row) -> bool:
    return bool(flight["status"] == "scheduled" and flight["departs_at"] > sales_close())


def quoted(flights: list[list[Row]], offer: Offer) -> tuple[Quote, Brand] | None:
    """What the offer's itinerary costs by the fares in force, or None if its brand is no longer sold.

    In the booking classes of the offer, whatever others have bought since.
    """
    book = fares.book()
    brand = book.brand(offer.cabin, offer.brand)
    if brand is None or offer.currency not in book.currencies:
        return None
    ends = [terms.ends_of_flights(one) for one in flights]
    agreed = terms.terms(ends, offer.cabin, offer.counts, offer.currency, offer.issued_on)
    try:
        slices = tuple(
            book.price(agreed, terms.facts_of_flights(one), booking_class, brand)
            for one, booking_class in zip(flights, offer.classes, strict=True)
        )
    except UnknownClass:
        return None
    return Quote(offer.currency, slices), brand


def offered(offer: Offer, flights: list[list[Row]], quote: Quote, brand: Brand) -> Row:
    """An offer as search shows it, at the price of the quote."""
    signed = replace(offer, total=quote.total, fares_version=fares.book().version)
    return {
        "id": token.sign(signed),
        "expires_at": clock.rfc3339(offer.expires_at),
        "price": quote.wire(),
        "cabin": offer.cabin,
        "fare_brand": brand.name,
        "conditions": conditions(brand, offer.currency),
        "baggage": baggage(brand),
        "seats_left": seats_left(flights),
        "slices": [
            slice_view(one, booking_class) for one, booking_class in zip(flights, offer.classes, strict=True)
        ],
    }


def seats_left(flights: list[list[Row]]) -> int:
    least: int = min(flight["seats_left"] for one in flights for flight in one)
    return max(least, 0)


def conditions(brand: Brand, currency: str) -> Row:
    """What the brand allows; a null fee means that it is not allowed at all."""
    book = fares.book()

    def condition(fee: int | None) -> Row:
        return {
            "allowed": fee is not None,
            "fee": None if fee is None else money.wire(book.fee(fee, currency), currency),
        }

    return {"change": condition(brand.change_fee), "refund": condition(brand.refund_fee)}


def baggage(brand: Brand) -> Row:
    return {"carry_on": brand.carry_on, "checked": brand.checked}


def slice_view(flights: list[Row], booking_class: str | None) -> Row:
    first, last = flights[0], flights[-1]
    layovers = [_layover(arriving, leaving) for arriving, leaving in pairwise(flights)]
    at_night = [_local_date(f["arrives_at"], f["destination"]) > f["departure_date"] for f in flights]
    return {
        "origin": first["origin"],
        "destination": last["destination"],
        "duration": iso_duration(last["arrives_at"] - first["departs_at"]),
        "connections": len(flights) - 1,
        "arrival_day_offset": (
            _local_date(last["arrives_at"], last["destination"]) - first["departure_date"]
        ).days,
        "overnight": any(at_night) or any(layover["overnight"] for layover in layovers),
        "booking_class": booking_class,
        "segments": [_segment(flight) for flight in flights],
        "layovers": layovers,
    }


def _layover(arriving: Row, leaving: Row) -> Row:
    """The time between two flights, and what a traveller has to do in it."""
    terminals = arriving["arrival_terminal"], leaving["departure_terminal"]
    return {
        "airport": arriving["destination"],
        "leaves_from": leaving["origin"],
        "duration": iso_duration(leaving["departs_at"] - arriving["arrives_at"]),
        "overnight": _local_date(arriving["arrives_at"], arriving["destination"]) < leaving["departure_date"],
        "airport_change": arriving["destination"] != leaving["origin"],
        "terminal_change": arriving["destination"] == leaving["origin"]
        and None not in terminals
        and terminals[0] != terminals[1],
    }


def _segment(flight: Row) -> Row:
    origin, destination = directory().find(flight["origin"]), directory().find(flight["destination"])
    return {
        "flight_id": public_id(flight),
        "flight_number": flight["carrier"] + flight["number"],
        "marketing_carrier": flight["carrier"],
        "operating_carrier": flight["carrier"],
        "operated_by": flight["operated_by"],
        "codeshares": flight["codeshares"],
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
