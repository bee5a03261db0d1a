"""Flights as columns, and chains of them: what connects with a chain is found by one search.

A chain is flights of one carrier between the same airports and terminals, each of which leaves and arrives
later than the one before. Of those that arrive in time for another flight the last is then the best, and if
even its passengers wait too long, so do all others; in the same way the first that leaves late enough. Where a
flight overtakes another, a new chain begins.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.timetable.day import Day
from app.timetable.places import Places

Array = NDArray[Any]

_TIME = 32  # Bits for an instant beside the number of a chain.


def spread(first: Array, count: Array) -> tuple[Array, Array]:
    """Numbers of ranges, and what is in them: each range begins with `first` and has `count` numbers."""
    which = np.repeat(np.arange(count.size), count)
    return which, np.arange(which.size) + np.repeat(first - (np.cumsum(count) - count), count)


@dataclass(frozen=True, slots=True)
class Legs:
    """Columns of one length. Places are numbers of theirs; a flight is `row` of the window's `day`."""

    day: Array
    row: Array
    id: Array
    departs: Array
    arrives: Array
    carrier: Array
    departure_terminal: Array
    arrival_terminal: Array
    origin: Array
    destination: Array
    domestic: Array
    km: Array
    period: Array

    def take(self, which: Array) -> "Legs":
        return Legs(*(getattr(self, field.name)[which] for field in fields(Legs)))

    @property
    def size(self) -> int:
        return int(self.id.size)


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are searched, by date, and the period of the connection rules that each is in."""

    days: tuple[Day, ...]
    periods: tuple[int, ...]
    places: Places

    def legs(self, chosen: list[tuple[int, Array, Array]]) -> Legs:
        """Columns of flights: the number of a day, rows of it, and the route of each row."""
        columns: list[list[Array]] = [[] for _ in fields(Legs)]
        for number, row, route in chosen:
            day, routes = self.days[number], self.places.routes(self.days[number])
            parts = (
                np.full(row.size, number),
                row,
                *(day.id[row], day.departs[row].astype(np.int64), day.arrives[row].astype(np.int64)),
                *(day.carrier[row].astype(np.int64), day.departure_terminal[row], day.arrival_terminal[row]),
                *(routes.origin[route].astype(np.int64), routes.destination[route].astype(np.int64)),
                *(routes.domestic[route], routes.km[route], np.full(row.size, self.periods[number])),
            )
            for column, part in zip(columns, parts, strict=True):
                column.append(part)
        return Legs(*(np.concatenate(column) if column else np.zeros(0, np.int64) for column in columns))


class Chains:
    """Legs in chains, by the city where they connect. `of` has what a chain's legs have in common: its first leg."""

    def __init__(self, legs: Legs, places: Places, *, arriving: bool) -> None:
        there, other = (legs.destination, legs.origin) if arriving else (legs.origin, legs.destination)
        key = there << 32 | other << 16 | legs.carrier
        order = np.argsort(key, kind="stable")
        self.legs = legs = legs.take(order)
        key = key[order]
        terminal = legs.arrival_terminal if arriving else legs.departure_terminal
        begins = np.ones(legs.size, bool)
        begins[1:] = (
            (key[1:] != key[:-1])
            | (terminal[1:] != terminal[:-1])
            | (legs.period[1:] != legs.period[:-1])
            | (legs.departs[1:] <= legs.departs[:-1])
            | (legs.arrives[1:] <= legs.arrives[:-1])
        )
        self._start = np.flatnonzero(begins)
        self._end = np.append(self._start[1:], legs.size)
        self.of = legs.take(self._start)
        self.place = self.of.destination if arriving else self.of.origin
        times = legs.arrives if arriving else legs.departs
        self._key = (np.cumsum(begins) - 1) << _TIME | times
        self.city = places.city[self.place]
        self._count = np.bincount(self.city, minlength=places.cities)
        self._first = np.cumsum(self._count) - self._count

    def at(self, city: Array) -> tuple[Array, Array]:
        """All pairs of a city's number in the array and a chain that connects there."""
        return spread(self._first[city], self._count[city])

    def last_by(self, chain: Array, instant: Array) -> tuple[Array, Array]:
        """Which pairs have one, and the place of the last leg that arrives by then."""
        place = np.searchsorted(self._key, chain << _TIME | instant, side="right") - 1
        return place >= self._start[chain], place

    def first_from(self, chain: Array, instant: Array) -> tuple[Array, Array]:
        """Which pairs have one, and the place of the first leg that leaves then or later."""
        place = np.searchsorted(self._key, chain << _TIME | instant)
        return place < self._end[chain], place
