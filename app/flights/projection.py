"""Dates that no provider publishes: the weekly pattern that was seen, moved to the day that is wanted.

Between today and the first date of the provider's window, and after its last, an airport's departures of
the same weekday stand in, marked as projected. They leave at the same clock reading and fly as long as ever;
what clocks show when they land follows, because one end may have moved its clocks in between.
"""

from datetime import date, datetime, timedelta

from app.airports.service import directory
from app.core.db import Row
from app.flights import times
from app.providers.base import DateNotOffered, FlightRecord, Movement

SOURCE = "projection"
# Schedules change with the seasons, so an older or later week says little.
REACH = timedelta(weeks=5)
_WEEK = timedelta(weeks=1)


def stand_in(day: date, today: date, refusal: DateNotOffered) -> date | None:
    """The nearest date of the same weekday that the provider publishes, or None where it did not say."""
    if refusal.first_date is not None and day < refusal.first_date:
        weeks = -(-(refusal.first_date - day).days // 7)
        return day + weeks * _WEEK
    if refusal.last_date is not None and day > refusal.last_date:
        weeks = -(-(day - refusal.last_date).days // 7)
        candidate = day - weeks * _WEEK
        return candidate if candidate > today and day - candidate <= REACH else None
    return None


def moved(pattern: list[Row], seen_on: date, day: date) -> list[FlightRecord]:
    """The flights of one board as they would be on another day: what is of the day only is left out."""
    return [_moved(flight, flight["departs_local"] + (day - seen_on)) for flight in pattern]


def _moved(flight: Row, departs: datetime) -> FlightRecord:
    places = directory()
    origin, destination = places.find(flight["origin"]), places.find(flight["destination"])
    lands_at = times.instants(departs, origin.zone)[0] + (flight["arrives_at"] - flight["departs_at"])
    lands = times.local(lands_at, destination.zone).replace(tzinfo=None)
    return FlightRecord(
        carrier=flight["carrier"],
        number=flight["number"],
        departure=Movement(origin.iata, departs, terminal=flight["departure_terminal"]),
        arrival=Movement(destination.iata, lands, terminal=flight["arrival_terminal"]),
        carrier_name=flight["airline_name"],
        carrier_icao=flight["airline_icao"],
        aircraft_type=flight["aircraft_type"],
        codeshares=set(flight["codeshares"]),
    )
