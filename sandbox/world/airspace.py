"""Who is in the air around a moment, or about to be, or was just now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sandbox.world import situation
from sandbox.world.extras import Extras
from sandbox.world.geography import Airport
from sandbox.world.operations import Movement
from sandbox.world.services import Flight
from sandbox.world.situation import Position
from sandbox.world.world import World

HOUR = timedelta(hours=1)
LATEST = timedelta(hours=12)
# A transponder is on for so long before departure and after arrival.
AWAKE = timedelta(minutes=12)


class Leg(NamedTuple):
    """A flight and what becomes of it."""

    flight: Flight
    move: Movement

    @property
    def goal(self) -> Airport:
        """Where it lands in the end."""
        return self.move.diverted_to or self.flight.service.destination

    def position(self, moment: datetime) -> Position | None:
        """Where the aircraft is, or None when it is not in the air."""
        return situation.position(self.flight, self.move, moment)

    def stands_at(self, moment: datetime) -> Airport | None:
        """The airport on which it stands or rolls with its transponder on."""
        if self.move.departure - AWAKE <= moment < self.move.departure:
            return self.flight.service.origin
        if self.move.arrival <= moment < self.move.arrival + AWAKE:
            return self.goal
        return None


class Airspace:
    """The flights of the timetable, and extra traffic when there is any."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.extra = 0
        self._extras = Extras(world.seed)
        # Of some 9,000 flights few are under way in a given hour, and only those are looked at again.
        self._in_hour = lru_cache(maxsize=8)(self._of_hour)

    def set_extra(self, count: int) -> None:
        """Adds or takes away traffic."""
        self.extra = count
        self._extras.make(count)

    def reset(self) -> None:
        self.extra = 0

    @property
    def edition(self) -> tuple[int, int]:
        """Changes whenever somebody changes what flies."""
        return self.world.version, self.extra

    def legs(self, moment: datetime) -> Iterator[Leg]:
        """Every leg that is under way at the moment, and some of the same hour that are not."""
        yield from self._in_hour(moment.replace(minute=0, second=0, microsecond=0), self.world.version)
        for flight, move in self._extras.legs(moment, self.extra):
            yield Leg(flight, move)

    def flying(self, moment: datetime) -> Iterator[tuple[Leg, Position]]:
        """Every aircraft in the air, with its true position."""
        for leg in self.legs(moment):
            if (place := leg.position(moment)) is not None:
                yield leg, place

    def between(
        self, begin: datetime, end: datetime, wanted: Callable[[Flight], bool] | None = None
    ) -> Iterator[Leg]:
        """The legs of the timetable that may be under way at some time in the interval."""
        # A date before yesterday's can still be local today, and the longest flight takes most of a day.
        day, last = begin.date() - timedelta(days=2), end.date() + timedelta(days=1)
        while day <= last:
            for flight in self.world.timetable.day(day).flights:
                # Fate is asked last, because it takes longest to answer.
                if wanted is not None and not wanted(flight):
                    continue
                leg = Leg(flight, self.world.movement(flight))
                if leg.move.cancelled_at is None:
                    yield leg
            day += timedelta(days=1)

    def _of_hour(self, hour: datetime, _version: int) -> list[Leg]:
        first, last = hour - AWAKE, hour + HOUR + AWAKE

        def planned_near(flight: Flight) -> bool:
            return flight.departure <= last and flight.arrival >= first - LATEST

        # Fate never makes a flight early, nor late by half a day. People can.
        wanted = None if self.world.operations.changes else planned_near
        return [
            leg
            for leg in self.between(hour, hour + HOUR, wanted)
            if leg.move.departure <= last and leg.move.arrival >= first
        ]
