"""What flight endpoints share: one row per selling carrier, and local clock readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sandbox.aviationstack.plans import Plan
from sandbox.world.fleet import Airline
from sandbox.world.services import Flight
from sandbox.world.world import World

WINDOW_MODES = ("tomorrow_to_year", "week_ahead_on", "week_only")
TIME_FORMATS = ("YYYY-MM-DD HH:MM:SS", "HH:MM")


@dataclass(slots=True)
class Settings:
    """What the vendor has changed before and may change again."""

    window: str = WINDOW_MODES[0]
    time_format: str = TIME_FORMATS[0]


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request."""

    params: Mapping[str, str]
    now: datetime
    plan: Plan
    world: World
    settings: Settings


class Row(NamedTuple):
    """A flight as one carrier sells it: the operating one, or a partner under a number of its own."""

    flight: Flight
    airline: Airline
    number: str
    marketing: bool


SELLERS: dict[str, Callable[[Row], str]] = {
    "airline_iata": lambda row: row.airline.iata,
    "airline_icao": lambda row: row.airline.icao,
    "airline_name": lambda row: row.airline.name.upper(),
    "flight_number": lambda row: row.number,
    "flight_num": lambda row: row.number,
    "flight_iata": lambda row: row.airline.iata + row.number,
    "flight_icao": lambda row: row.airline.icao + row.number,
}


def rows(flights: Iterable[Flight]) -> Iterator[Row]:
    """Every flight once for each carrier that sells it, the operating one first."""
    for flight in flights:
        service = flight.service
        yield Row(flight, service.airline, service.number, marketing=False)
        for airline, number in service.partners:
            yield Row(flight, airline, number, marketing=True)


def sold(selling: list[Row], params: Mapping[str, str]) -> list[Row]:
    """The rows that pass the filters on carrier and number."""
    for name, text in SELLERS.items():
        if asked := params.get(name, "").upper():
            selling = [row for row in selling if text(row) == asked]
    return selling


def same(params: Mapping[str, str], name: str, *values: str) -> bool:
    """Whether a parameter is absent, or equals one of the values in any case."""
    asked = params.get(name, "").upper()
    return not asked or any(asked == value.upper() for value in values)


def about(moment: datetime) -> str:
    """The day as part of what varies: some things look different tomorrow."""
    return moment.date().isoformat()


def lower_operating(flight: Flight) -> dict[str, str]:
    """The operating flight as a marketing row names it: all in lower case."""
    service = flight.service
    airline = service.airline
    return {
        "airline_name": airline.name.lower(),
        "airline_iata": airline.iata.lower(),
        "airline_icao": airline.icao.lower(),
        "flight_number": service.number.lower(),
        "flight_iata": service.name.lower(),
        "flight_icao": (airline.icao + service.number).lower(),
    }


def days_around(moment: datetime) -> tuple[datetime, datetime, datetime]:
    """Yesterday, today and tomorrow in UTC: between them they hold every local today."""
    return moment - timedelta(days=1), moment, moment + timedelta(days=1)
