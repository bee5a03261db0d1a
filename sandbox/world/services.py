"""The words of the timetable: services that repeat every week, lines that aircraft fly, dated flights."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sandbox.world.fleet import Aircraft, AircraftType, Airline
from sandbox.world.geography import Airport
from sandbox.world.times import wall

EVERY_DAY = 0b1111111


@dataclass(slots=True, eq=False)
class Service:
    """One flight number on one leg.

    `departs` counts minutes of the local day at the origin; `day` is that day's distance from the day on
    which the line begins, and `weekdays` has bit n set when a line beginning on weekday n flies this leg.
    """

    line: Line
    airline: Airline
    number: str
    origin: Airport
    destination: Airport
    departs: int
    day: int
    block: int
    weekdays: int
    partners: tuple[tuple[Airline, str], ...] = ()
    # Only of a flight made to order; the others' callsigns follow the habits of their airlines.
    callsign: str | None = None

    @property
    def name(self) -> str:
        return self.airline.iata + self.number


@dataclass(slots=True, eq=False)
class Line:
    """A chain of legs that begins and ends at one base, flown by as many aircraft as it takes days.

    A line with an `only` flight was made for it and has no other date.
    """

    key: str
    type: AircraftType
    services: list[Service] = field(default_factory=list)
    fleet: list[Aircraft] = field(default_factory=list)
    only: Flight | None = None

    def aircraft(self, begins: date) -> Aircraft:
        """Whose turn it is on the chain that begins on this day."""
        return self.fleet[begins.toordinal() % len(self.fleet)]


@dataclass(slots=True, eq=False)
class Flight:
    """A service on a date: the local date at the origin. `begins` is the day on which its line began."""

    service: Service
    local_date: date
    begins: date
    departure: datetime
    arrival: datetime

    @property
    def key(self) -> str:
        """`ZZ10-LHR-2026-11-22`: unique, and stable for ever."""
        return f"{self.service.name}-{self.service.origin.iata}-{self.local_date.isoformat()}"

    @property
    def aircraft(self) -> Aircraft:
        return self.service.line.aircraft(self.begins)

    @property
    def arrival_date(self) -> date:
        return wall(self.arrival, self.service.destination.zone).date()
