"""From the places and dates of a question to airports: what each slice connects, and on which day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import partial

from app.airports.service import Airport, directory
from app.core import clock
from app.core.errors import FieldProblem, Unprocessable
from app.fares import service as fares
from app.flights.times import local
from app.offers.questions import Question, SliceWish

_FURTHEST = timedelta(days=361)


@dataclass(frozen=True, slots=True)
class Market:
    """The airports of a slice and its local day of departure, with the clock times that were asked for."""

    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    day: date
    departs: tuple[int, int] | None = None
    arrives: tuple[int, int] | None = None


def markets_of(question: Question) -> list[Market]:
    """A market for each slice. Raises AirportNotFound, and Unprocessable for what no airline could sell."""
    known_currency(question.currency)
    return [
        _market(wish, partial(question.pointer, position)) for position, wish in enumerate(question.wishes)
    ]


def known_currency(currency: str) -> None:
    """Raises Unprocessable."""
    if currency not in fares.book().currencies:
        raise impossible("currency", "unknown_currency", "No fares in this currency")


def apart(origin: str, destination: str, pointer: str) -> tuple[list[Airport], list[Airport]]:
    """The airports of two places. Raises AirportNotFound, and Unprocessable where they share one."""
    places = directory()
    origins, destinations = places.serving(origin), places.serving(destination)
    if {airport.iata for airport in origins} & {airport.iata for airport in destinations}:
        raise impossible(pointer, "same_place", "Origin and destination are the same place")
    return origins, destinations


def today_at(airports: list[Airport]) -> date:
    """The local date where it is earliest."""
    return min(local(clock.now(), airport.zone).date() for airport in airports)


def too_far(day: date, today: date) -> bool:
    return day - today > _FURTHEST


def impossible(pointer: str, code: str, message: str) -> Unprocessable:
    return Unprocessable(message + ".", errors=[FieldProblem(pointer, code, message)])


def _market(wish: SliceWish, pointer: Callable[[str], str]) -> Market:
    origins, destinations = apart(wish.origin, wish.destination, pointer("destination"))
    today = today_at(origins)
    if wish.departure_date < today:
        raise impossible(pointer("departure_date"), "date_in_the_past", "The date has passed at the origin")
    if too_far(wish.departure_date, today):
        message = f"Flights are sold {_FURTHEST.days} days ahead"
        raise impossible(pointer("departure_date"), "date_too_far", message)
    return Market(
        tuple(airport.iata for airport in origins),
        tuple(airport.iata for airport in destinations),
        wish.departure_date,
        _window(wish.departure_after, wish.departure_before),
        _window(wish.arrival_after, wish.arrival_before),
    )


def _window(after: time | None, before: time | None) -> tuple[int, int] | None:
    """Minutes of the day, both included."""
    if after is None and before is None:
        return None
    first = after.hour * 60 + after.minute if after else 0
    last = before.hour * 60 + before.minute if before else 24 * 60 - 1
    return first, last
