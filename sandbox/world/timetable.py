"""What is published for a date: each day's flights, worked out when first asked for and kept for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from sandbox.world.services import Flight, Line, Service
from sandbox.world.times import instant

KEPT_DAYS = 40


@dataclass(slots=True, eq=False)
class Day:
    """The flights of one local departure date, by departure instant, and where to find them."""

    flights: list[Flight] = field(default_factory=list)
    departing: dict[str, list[Flight]] = field(default_factory=lambda: defaultdict(list))
    arriving: dict[str, list[Flight]] = field(default_factory=lambda: defaultdict(list))


class Timetable:
    """All services, and their flights by date; injected flights are kept beside the regular ones."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.services = [service for line in lines for service in line.services]
        self.injected: dict[str, Flight] = {}
        self._regular = lru_cache(maxsize=KEPT_DAYS)(self._regular_day)
        self._mixed: dict[date, Day] = {}

    def day(self, day: date) -> Day:
        """All flights of a local departure date."""
        return self._mixed.get(day) or self._regular(day)

    def inject(self, flight: Flight) -> None:
        """Adds a flight of its own; one with the same key is replaced."""
        self.injected[flight.key] = flight
        added = {key: other for key, other in self.injected.items() if other.local_date == flight.local_date}
        regular = self._regular(flight.local_date).flights
        kept = [other for other in regular if other.key not in added]
        self._mixed[flight.local_date] = _indexed([*kept, *added.values()])

    def clear_injected(self) -> None:
        self.injected.clear()
        self._mixed.clear()

    def departures(self, iata: str, day: date) -> list[Flight]:
        """Leaving an airport on its local date."""
        return self.day(day).departing.get(iata, [])

    def arrivals(self, iata: str, day: date) -> list[Flight]:
        """Reaching an airport on its local date, which may be the day before they left."""
        near = (day + timedelta(days=offset) for offset in (-2, -1, 0, 1))
        found = [
            flight
            for departed in near
            for flight in self.day(departed).arriving.get(iata, [])
            if flight.arrival_date == day
        ]
        return sorted(found, key=lambda flight: (flight.arrival, flight.key))

    def find(self, key: str) -> Flight | None:
        """The flight with this key."""
        try:
            day = date.fromisoformat(key[-10:])
        except ValueError:
            return None
        return next((flight for flight in self.day(day).flights if flight.key == key), None)

    def _regular_day(self, day: date) -> Day:
        weekday = day.weekday()
        return _indexed(
            [
                dated(service, day - timedelta(days=service.day))
                for service in self.services
                if service.weekdays >> (weekday - service.day) % 7 & 1
            ]
        )


def _indexed(flights: list[Flight]) -> Day:
    """A day's flights in order, and by airport."""
    flights.sort(key=lambda flight: (flight.departure, flight.service.name, flight.service.origin.iata))
    day = Day(flights)
    for flight in flights:
        day.departing[flight.service.origin.iata].append(flight)
        day.arriving[flight.service.destination.iata].append(flight)
    return day


def dated(service: Service, begins: date) -> Flight:
    """The flight of a service when its line begins on this day."""
    if service.line.only is not None:
        return service.line.only
    day = begins + timedelta(days=service.day)
    departure = instant(day, service.departs, service.origin.zone)
    return Flight(service, day, begins, departure, departure + timedelta(minutes=service.block))
