"""Where airports lie, in arrays: their cities, countries and distances."""

from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.airports.service import Directory
from app.timetable import codes
from app.timetable.day import Day

Array = NDArray[Any]

_EARTH_RADIUS_KM = 6371.0
_DAYS_KEPT = 64  # Of a big day, one megabyte.


class Routes:
    """What the routes of a day are besides codes: the places they join, and whether in one country.

    No flight of the day leaves outside of `begins` and `ends`.
    """

    __slots__ = ("_circles", "begins", "destination", "domestic", "ends", "km", "origin")

    def __init__(self, day: Day, places: "Places") -> None:
        self.origin = places.number[day.origin]
        self.destination = places.number[day.destination]
        self.km = places.km(self.origin, self.destination)
        self.domestic = places.country[self.origin] == places.country[self.destination]
        self.begins = int(day.departs.min(initial=np.iinfo(np.int32).max))
        self.ends = int(day.departs.max(initial=np.iinfo(np.int32).min))
        self._circles: tuple[Array, Array] | None = None

    def circles(self, day: Day, circle: Array) -> Array:
        """The bits that a table has for the carriers of each route, kept until another table is asked."""
        kept = self._circles
        if kept is None or kept[0] is not circle:
            kept = self._circles = circle, np.bitwise_or.reduceat(circle[day.carrier], day.first[:-1])
        return kept[1]


class Places:
    """Every airport has a number from 1, by city and code: the airports of a city follow each other.

    `number` finds it by packed code, and is 0 for an airport that the directory does not have. `code`, `city`,
    `country` and `position` are by that number; cities have numbers of their own.
    """

    def __init__(self, directory: Directory) -> None:
        airports = sorted(directory.by_iata.values(), key=lambda airport: (airport.city_code, airport.iata))
        cities = {code: number for number, code in enumerate(sorted(directory.by_city), start=1)}
        self.cities = len(cities) + 1
        self.code = np.array([0] + [codes.pack(airport.iata) for airport in airports], "<u2")
        self.city = np.array([0] + [cities[airport.city_code] for airport in airports], "<u2")
        self.country = np.array([0] + [codes.pack(airport.country) for airport in airports], "<u2")
        self.position = _on_a_sphere([(airport.latitude, airport.longitude) for airport in airports])
        self.number = np.zeros(codes.AIRPORTS, "<u2")
        self.number[self.code[1:]] = np.arange(1, len(self.code))
        self._routes: WeakKeyDictionary[Day, Routes] = WeakKeyDictionary()

    @staticmethod
    @lru_cache(maxsize=2)
    def of(directory: Directory) -> "Places":
        """Made once for each directory; there is another whenever an airport has changed."""
        return Places(directory)

    def numbers(self, airports: tuple[str, ...]) -> Array:
        """The numbers of those that the directory has, each once."""
        found = {int(self.number[codes.pack(code)]) for code in airports}
        return np.array(sorted(found - {0}), np.intp)

    def km(self, origin: Array, destination: Array) -> Array:
        """Great-circle distances; not a number where an airport is unknown."""
        chord = self.position[origin] - self.position[destination]
        half = np.sqrt(np.einsum("...i,...i->...", chord, chord)) / 2
        km: Array = 2 * _EARTH_RADIUS_KM * np.arcsin(np.minimum(half, 1.0))
        return km

    def routes(self, day: Day) -> Routes:
        """Of a day, kept no longer than the day is."""
        found = self._routes.get(day)
        if found is None:
            if len(self._routes) >= _DAYS_KEPT:
                self._routes.clear()
            found = self._routes[day] = Routes(day, self)
        return found


def _on_a_sphere(degrees: list[tuple[float, float]]) -> Array:
    """Points on a sphere of radius 1; the first is nowhere."""
    latitude, longitude = np.radians(np.array([(np.nan, np.nan), *degrees])).T
    across = np.cos(latitude)
    return np.stack((across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)), axis=-1)
