"""The world as one object: what vendors ask and what scenarios change."""

from __future__ import annotations

import re
from datetime import datetime

from sandbox.world import situation
from sandbox.world.fleet import Aircraft, Airline, aircraft_types, airlines
from sandbox.world.geography import airports
from sandbox.world.operations import Change, Movement, Operations
from sandbox.world.planning import Planner
from sandbox.world.services import Flight, Line, Service
from sandbox.world.situation import Position, Situation
from sandbox.world.times import wall
from sandbox.world.timetable import Timetable

STATUSES = ("scheduled", "active", "landed", "cancelled", "incident", "diverted")


class World:
    """One seed, one world."""

    def __init__(self, seed: str = "jetway") -> None:
        self.seed = seed
        self.airports = airports()
        self.airlines: dict[str, Airline] = airlines()
        self.lines = Planner(self.airlines, seed).plan()
        self.timetable = Timetable(self.lines)
        self.operations = Operations(seed)
        self.version = 0

    @property
    def fleet(self) -> list[Aircraft]:
        """Every airframe, by registration."""
        owned = (aircraft for airline in self.airlines.values() for aircraft in airline.fleet)
        return sorted(owned, key=lambda aircraft: aircraft.registration)

    def movement(self, flight: Flight) -> Movement:
        return self.operations.movement(flight)

    def observe(self, flight: Flight, now: datetime) -> Situation:
        return situation.observe(flight, self.movement(flight), now)

    def status(self, flight: Flight, now: datetime) -> str:
        return situation.status(self.movement(flight), now)

    def position(self, flight: Flight, now: datetime) -> Position | None:
        return situation.position(flight, self.movement(flight), now)

    def change(self, flight: Flight, change: Change) -> None:
        """Decides about a flight."""
        self.version += 1
        self.operations.change(flight, change)

    def inject(
        self,
        *,
        airline: str,
        number: str,
        origin: str,
        destination: str,
        departure: datetime,
        arrival: datetime,
        aircraft: str = "A320",
        icao24: str | None = None,
        callsign: str | None = None,
    ) -> Flight:
        """Adds a flight between two instants, whatever the timetable says."""
        carrier, kind = self.airlines[airline], aircraft_types()[aircraft]
        place, goal = self.airports[origin], self.airports[destination]
        if not re.fullmatch(r"\d{1,4}[A-Z]?", number):
            raise ValueError(f"{number!r} is not a flight number")
        if arrival <= departure:
            raise ValueError("a flight arrives after it departs")
        if icao24 is not None and not re.fullmatch(r"[0-9A-Fa-f]{6}", icao24):
            raise ValueError(f"{icao24!r} is not a transponder's address")
        if callsign is not None and len(callsign) > 8:
            raise ValueError("a callsign has eight characters at most")
        local = wall(departure, place.zone)
        line = Line(f"injected-{airline}{number}-{origin}-{local.date()}", kind)
        # The airframe is not added to the fleet: reference data do not change with a scenario.
        address = (icao24 or self._spare_address(carrier, line.key)).upper()
        line.fleet = [Aircraft(f"{carrier.tail_prefix}0{number}", address, kind, carrier)]
        block = int((arrival - departure).total_seconds()) // 60
        service = Service(
            line, carrier, number, place, goal, local.hour * 60 + local.minute, 0, block, 0b1111111
        )
        service.callsign = callsign
        line.services = [service]
        flight = Flight(service, local.date(), local.date(), departure, arrival)
        line.only = flight
        self.version += 1
        self.timetable.inject(flight)
        return flight

    def _spare_address(self, carrier: Airline, line: str) -> str:
        """A transponder's address for an airframe made to order: from the end of the airline's own range."""
        ordered = [flight.service.line for flight in self.timetable.injected.values()]
        used = {other.fleet[0].icao24 for other in ordered if other.key != line}
        free = range(carrier.icao24_first + 255, carrier.icao24_first + len(carrier.fleet) - 1, -1)
        addresses = (f"{address:06X}" for address in free)
        return next((address for address in addresses if address not in used), f"{free.start:06X}")

    def reset(self) -> None:
        """Forgets every scenario. When there was none, what was worked out before still holds."""
        if self.timetable.injected or self.operations.changes:
            self.version += 1
        self.timetable.clear_injected()
        self.operations.clear()
