"""Airlines, aircraft types, aircraft, and how long each takes from gate to gate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

from sandbox import tables
from sandbox.world.geography import Airport, bearing, distance


@dataclass(frozen=True, slots=True, eq=False)
class AircraftType:
    """A type, with the distances it is flown on (`sweet_*`) and the most it can do (`range_km`)."""

    icao: str
    iata: str
    name: str
    maker_line: str
    cruise_kmh: float
    climb_min: int
    sweet_min_km: int
    sweet_max_km: int
    range_km: int
    airport_size: int
    turn_min: int
    seats: int
    ceiling_m: int
    engines: int
    engine_kind: str

    def reaches(self, origin: Airport, destination: Airport) -> bool:
        """Whether it can fly there, and land on both runways."""
        smallest = min(origin.size or 1, destination.size or 1)
        return distance(origin, destination) <= self.range_km and self.airport_size <= smallest


@dataclass(frozen=True, slots=True, eq=False)
class Aircraft:
    """One airframe."""

    registration: str
    icao24: str
    type: AircraftType
    airline: Airline


@dataclass(frozen=True, slots=True, eq=False)
class Airline:
    """An airline that exists nowhere else: neither its name nor, as far as we know, its designators."""

    iata: str
    icao: str
    name: str
    callsign: str
    accounting: str | None
    country: str
    founded: str
    hubs: tuple[str, ...]
    daily: int
    types: tuple[AircraftType, ...]
    partners: tuple[str, ...]
    tail_prefix: str
    icao24_first: int
    fleet: list[Aircraft] = field(default_factory=list)

    def new_aircraft(self, kind: AircraftType) -> Aircraft:
        """Buys the next airframe."""
        index = len(self.fleet)
        letters = chr(65 + index // 26) + chr(65 + index % 26)
        aircraft = Aircraft(f"{self.tail_prefix}{letters}", f"{self.icao24_first + index:06X}", kind, self)
        self.fleet.append(aircraft)
        return aircraft


@cache
def aircraft_types() -> dict[str, AircraftType]:
    """Every type by its ICAO code."""
    return {
        row["icao"]: AircraftType(
            icao=row["icao"],
            iata=row["iata"],
            name=row["name"],
            maker_line=row["maker_line"],
            cruise_kmh=float(row["cruise_kmh"]),
            climb_min=int(row["climb_min"]),
            sweet_min_km=int(row["sweet_min_km"]),
            sweet_max_km=int(row["sweet_max_km"]),
            range_km=int(row["range_km"]),
            airport_size=int(row["airport_size"]),
            turn_min=int(row["turn_min"]),
            seats=int(row["seats"]),
            ceiling_m=int(row["ceiling_m"]),
            engines=int(row["engines"]),
            engine_kind=row["engine_kind"],
        )
        for row in tables.rows("aircraft_types")
    }


def airlines() -> dict[str, Airline]:
    """Every airline by its IATA designator, each with an empty fleet."""
    types = aircraft_types()
    return {
        row["iata"]: Airline(
            iata=row["iata"],
            icao=row["icao"],
            name=row["name"],
            callsign=row["callsign"],
            accounting=row["accounting"] or None,
            country=row["country"],
            founded=row["founded"],
            hubs=tuple(row["hubs"].split()),
            daily=int(row["daily"]),
            types=tuple(types[icao] for icao in row["fleet"].split()),
            partners=tuple(row["partners"].split()),
            tail_prefix=row["tail_prefix"],
            icao24_first=int(row["icao24_first"], 16),
        )
        for row in tables.rows("airlines")
    }


def block_minutes(kind: AircraftType, origin: Airport, destination: Airport) -> int:
    """Gate to gate: taxi and climb, then the great circle with a little detour and the westerlies."""
    km = distance(origin, destination) * 1.03
    course = math.radians(
        bearing(origin.latitude, origin.longitude, destination.latitude, destination.longitude)
    )
    latitude = abs(origin.latitude + destination.latitude) / 2
    westerly = 45.0 if latitude > 20 else 15.0
    jet = min(1.0, km / 3000)
    hours = km / (kind.cruise_kmh + westerly * jet * math.sin(course))
    return 5 * math.ceil((hours * 60 + kind.climb_min) / 5)
