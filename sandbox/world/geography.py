"""Airports, cities and the sphere that they lie on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import airportsdata

from sandbox import tables
from sandbox.world.times import zone

EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True, eq=False)
class Airport:
    """One airport. `size` is 0 where no invented airline flies, else 1 (an airstrip) to 3 (a hub)."""

    iata: str
    icao: str
    name: str
    city: str
    city_code: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    size: int
    curfew: bool

    @property
    def zone(self) -> ZoneInfo:
        return zone(self.timezone)


@cache
def airports() -> dict[str, Airport]:
    """Every airport with an IATA code."""
    network = {row["iata"]: row for row in tables.rows("network")}
    nowhere = {"size": "0", "curfew": "0"}
    metropolis = {
        iata: (code, str(area["name"]))
        for code, area in airportsdata.load_iata_macs().items()
        for iata in area["airports"]
    }
    places = {}
    for iata, row in sorted(airportsdata.load("IATA").items()):
        ours = network.get(iata, nowhere)
        code, city = metropolis.get(iata, (iata, row["city"]))
        places[iata] = Airport(
            iata=iata,
            icao=row["icao"],
            name=row["name"],
            city=city,
            city_code=code,
            country=row["country"],
            latitude=row["lat"],
            longitude=row["lon"],
            timezone=row["tz"],
            size=int(ours["size"]),
            curfew=ours["curfew"] == "1",
        )
    return places


def served() -> list[Airport]:
    """The airports that the invented airlines fly to."""
    return [airport for airport in airports().values() if airport.size]


@cache
def distance(a: Airport, b: Airport) -> float:
    """Great-circle kilometres."""
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    dlat, dlon = lat2 - lat1, math.radians(b.longitude - a.longitude)
    h = math.sin(dlat / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def bearing(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """The initial great-circle course in degrees, 0 to 360."""
    p1, p2, dlon = math.radians(lat1), math.radians(lat2), math.radians(lon2 - lon1)
    x = math.sin(dlon) * math.cos(p2)
    y = math.cos(p1) * math.sin(p2) - math.sin(p1) * math.cos(p2) * math.cos(dlon)
    return math.degrees(math.atan2(x, y)) % 360


def point_between(a: Airport, b: Airport, fraction: float) -> tuple[float, float]:
    """Latitude and longitude after `fraction` of the great circle from `a` to `b`."""
    angle = distance(a, b) / EARTH_KM
    if angle == 0:
        return a.latitude, a.longitude
    wa, wb = math.sin((1 - fraction) * angle) / math.sin(angle), math.sin(fraction * angle) / math.sin(angle)
    lat1, lon1, lat2, lon2 = map(math.radians, (a.latitude, a.longitude, b.latitude, b.longitude))
    x = wa * math.cos(lat1) * math.cos(lon1) + wb * math.cos(lat2) * math.cos(lon2)
    y = wa * math.cos(lat1) * math.sin(lon1) + wb * math.cos(lat2) * math.sin(lon2)
    z = wa * math.sin(lat1) + wb * math.sin(lat2)
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))
