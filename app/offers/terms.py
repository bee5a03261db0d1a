"""What fares depend on, read from itineraries: of a search, before they are bought, or of an offer's flights."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.airports.service import directory
from app.core.db import Row
from app.fares.pricing import SliceFacts, Terms
from app.timetable.day import EPOCH
from app.timetable.engine import Segment

_SATURDAY = 5
# From where to where a slice goes, and its local date of departure.
Ends = tuple[str, str, date]

_EPOCH = EPOCH.replace(tzinfo=None)


def terms(
    slices: Sequence[Ends], cabin: str, counts: tuple[int, int, int], currency: str, issued_on: date
) -> Terms:
    """The terms on which a journey is sold, its shape among them: one way, return or several cities."""
    shape, stay, saturday = _shape(slices), None, False
    if shape == "return":
        away, back = slices[0][2], slices[1][2]
        stay = (back - away).days
        saturday = any((away + timedelta(days=night)).weekday() == _SATURDAY for night in range(stay))
    return Terms(
        cabin=cabin,
        counts=counts,
        currency=currency,
        issued_on=issued_on,
        journey=shape,
        stay_days=stay,
        saturday_night=saturday,
    )


def _shape(slices: Sequence[Ends]) -> str:
    if len(slices) == 1:
        return "one_way"
    cities = [(_city(origin), _city(destination)) for origin, destination, _ in slices]
    there_and_back = len(cities) == 2 and cities[1] == (cities[0][1], cities[0][0])
    return "return" if there_and_back else "multi_city"


def _city(airport: str) -> str:
    return directory().find(airport).city_code


def facts_of_segments(segments: Sequence[Segment], days_later: int = 0) -> SliceFacts:
    """Of an itinerary, or of the same one so many days later."""
    first = segments[0]
    return SliceFacts(
        airline=first.carrier,
        stops=tuple(airport for one in segments for airport in (one.origin, one.destination)),
        departs_local=clock_at(first.departs + first.departs_offset) + timedelta(days=days_later),
    )


def facts_of_flights(flights: Sequence[Row]) -> SliceFacts:
    first = flights[0]
    return SliceFacts(
        airline=first["carrier"],
        stops=tuple(airport for one in flights for airport in (one["origin"], one["destination"])),
        departs_local=first["departs_local"],
    )


def ends_of_flights(flights: Sequence[Row]) -> Ends:
    return flights[0]["origin"], flights[-1]["destination"], flights[0]["departure_date"]


def clock_at(minutes: int) -> datetime:
    """What a clock shows so many minutes after the timetable's epoch."""
    return _EPOCH + timedelta(minutes=minutes)
