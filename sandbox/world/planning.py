"""Turns demand into lines: times of day that people and neighbours accept, and aircraft that get home."""

from __future__ import annotations

import math
from collections import defaultdict
from random import Random

from sandbox import tables
from sandbox.world.fleet import AircraftType, Airline, aircraft_types, block_minutes
from sandbox.world.geography import Airport, airports, distance
from sandbox.world.network import Demand, demands
from sandbox.world.services import EVERY_DAY, Line, Service
from sandbox.world.times import DAY, widest_shift

LONG_HAUL_MIN = 330
# Left free at the end of every chain, so that one day's delays do not reach into the aircraft's next turn.
RECOVERY_MIN = 330
WAVES = (8 * 60, 11 * 60, 14 * 60, 18 * 60, 21 * 60 + 30)
SHARED = 0.3


class Planner:
    """Makes the whole weekly timetable from one seed."""

    def __init__(self, airlines: dict[str, Airline], seed: str) -> None:
        self.airlines = airlines
        self.random = Random(f"{seed}/network")
        self.lines: list[Line] = []
        self._used: dict[str, set[int]] = defaultdict(set)
        self._next: dict[tuple[str, bool], int] = {}
        self._next_shared: dict[str, int] = defaultdict(lambda: 4001)

    def plan(self) -> list[Line]:
        """Every line of every airline."""
        self._fixed()
        short: dict[tuple[str, str, str], list[tuple[Demand, AircraftType]]] = defaultdict(list)
        for demand in demands(self.airlines, self.random):
            kind = self._choose_type(demand)
            if block_minutes(kind, demand.base, demand.destination) > LONG_HAUL_MIN:
                self._long_line(demand, kind)
            else:
                short[demand.airline.iata, demand.base.iata, kind.icao].append((demand, kind))
        for trips in short.values():
            self.random.shuffle(trips)
            while trips:
                self._short_line(trips)
        for line in self.lines:
            self._staff(line)
        return self.lines

    def _fixed(self) -> None:
        for row in tables.rows("fixed"):
            airline, kind = self.airlines[row["airline"]], aircraft_types()[row["type"]]
            base, away, number = airports()[row["base"]], airports()[row["destination"]], int(row["number"])
            self._used[airline.iata] |= {number, number + 1}
            line = self._new_line(kind)
            back = _minutes(row["returns"]) + DAY * int(row["returns_day"])
            self._leg(
                line, airline, number, (base, away), _minutes(row["departs"]), int(row["block"]), EVERY_DAY
            )
            self._leg(line, airline, number + 1, (away, base), back, int(row["return_block"]), EVERY_DAY)

    def _choose_type(self, demand: Demand) -> AircraftType:
        km = distance(demand.base, demand.destination)
        able = [kind for kind in demand.airline.types if kind.reaches(demand.base, demand.destination)]
        fitting = [kind for kind in able if kind.sweet_min_km <= km <= kind.sweet_max_km]
        if not fitting:
            return min(able, key=lambda kind: abs(kind.sweet_max_km - km))
        larger = demand.base.size * demand.destination.size
        return self.random.choices(fitting, [kind.seats ** (larger / 9) for kind in fitting])[0]

    def _long_line(self, demand: Demand, kind: AircraftType) -> None:
        """One round trip on its own aircraft, leaving in one of the day's waves."""
        start = self.random.choice(WAVES) + 5 * self.random.randrange(24)
        self._round_trip(self._new_line(kind), demand, start, self.random.randrange(0, 90, 5))

    def _short_line(self, trips: list[tuple[Demand, AircraftType]]) -> None:
        """One aircraft's day: round trips from base until it is too late to begin another."""
        kind = trips[0][1]
        line = self._new_line(kind)
        minute = 360 + 5 * self.random.randrange(30)
        latest = minute + DAY - RECOVERY_MIN - kind.turn_min
        while trips:
            demand = trips[-1][0]
            trip = 2 * block_minutes(kind, demand.base, demand.destination) + kind.turn_min
            if line.services and minute + trip > min(latest, 23 * 60 + 30):
                return
            trips.pop()
            # A red-eye: the evening's last departure eastward, arriving with the morning.
            if not line.services and trip > 420 and self.random.random() < 0.25:
                minute = 22 * 60 + 5 * self.random.randrange(20)
            minute = self._round_trip(line, demand, minute, self.random.randrange(0, 25, 5))

    def _round_trip(self, line: Line, demand: Demand, earliest: int, pause: int) -> int:
        """Adds both legs; returns the first minute (at base) at which the aircraft may leave again."""
        out, back = (demand.base, demand.destination), (demand.destination, demand.base)
        turn, number = line.type.turn_min, self._number(demand.airline, line.type)
        block = block_minutes(line.type, *out)
        leaves = _acceptable(earliest, block, out)
        self._leg(line, demand.airline, number, out, leaves, block, demand.weekdays)
        ready = leaves + block + widest_shift(out[0].timezone, out[1].timezone) + turn + pause
        block = block_minutes(line.type, *back)
        returns = _acceptable(ready, block, back)
        self._leg(line, demand.airline, number + 1, back, returns, block, demand.weekdays)
        return _round5(returns + block + widest_shift(back[0].timezone, back[1].timezone) + turn + pause)

    def _new_line(self, kind: AircraftType) -> Line:
        line = Line(f"line-{len(self.lines)}", kind)
        self.lines.append(line)
        return line

    def _leg(
        self,
        line: Line,
        airline: Airline,
        number: int,
        between: tuple[Airport, Airport],
        minute: int,
        block: int,
        weekdays: int,
    ) -> None:
        day, departs = divmod(minute, DAY)
        partners = self._partners(airline)
        line.services.append(
            Service(line, airline, str(number), *between, departs, day, block, weekdays, partners)
        )

    def _number(self, airline: Airline, kind: AircraftType) -> int:
        """Two numbers in a row, the way out odd: small ones are kept for wide bodies."""
        wide = kind.airport_size > 1
        number = self._next.get((airline.iata, wide), 1 if wide else 301)
        while number in self._used[airline.iata]:
            number += 2
        self._used[airline.iata] |= {number, number + 1}
        self._next[airline.iata, wide] = number + 2
        return number

    def _partners(self, airline: Airline) -> tuple[tuple[Airline, str], ...]:
        """The airlines that sell this leg under numbers of their own."""
        if self.random.random() >= SHARED:
            return ()
        chosen = self.random.sample(airline.partners, self.random.choice((1, 1, 2)))
        shared = []
        for iata in chosen:
            shared.append((self.airlines[iata], str(self._next_shared[iata])))
            self._next_shared[iata] += 1
        return tuple(shared)

    def _staff(self, line: Line) -> None:
        """Gives the line as many aircraft as it has days under way."""
        first, last = line.services[0], line.services[-1]
        home = last.day * DAY + last.departs + last.block
        home += widest_shift(last.origin.timezone, last.destination.timezone)
        under_way = home + line.type.turn_min + RECOVERY_MIN - first.departs
        count = max(1, math.ceil(under_way / DAY))
        line.fleet = [first.airline.new_aircraft(line.type) for _ in range(count)]


def _acceptable(earliest: int, block: int, between: tuple[Airport, Airport]) -> int:
    """The first minute from `earliest` at which neither end sleeps; the earliest if there is none."""
    origin, destination = between
    shift = widest_shift(origin.timezone, destination.timezone)
    earliest = _round5(earliest)
    for minute in range(earliest, earliest + DAY, 5):
        if _awake(minute, origin) and _awake(minute + block + shift, destination):
            return minute
    return earliest


def _awake(minute: int, airport: Airport) -> bool:
    """Curfew airports sleep from 23:30 to 06:00, the others only in the dead of night."""
    opens, closes = (6 * 60, 23 * 60 + 30) if airport.curfew else (4 * 60 + 30, 25 * 60)
    clock = minute % DAY
    return opens <= clock <= closes or clock + DAY < closes


def _round5(minute: int) -> int:
    return 5 * math.ceil(minute / 5)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
