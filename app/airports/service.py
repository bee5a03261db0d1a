"""The airport directory: every airport in memory, found by code, name, country or nearness."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import airportsdata

from app.airports import repository, search
from app.airports.errors import AirportNotFound
from app.core import db
from app.core.copies import Copy
from app.core.db import Row

_FOOT_IN_METRES = 0.3048
_EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class Airport:
    iata: str
    icao: str | None
    name: str
    city: str
    country: str
    latitude: float
    longitude: float
    elevation_m: int | None
    time_zone: str
    city_code: str

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def wire(self) -> Row:
        """The airport as `GET /airports/{iata}` shows it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @cached_property
    def stop(self) -> Row:
        """The airport as a segment shows it."""
        return {"iata": self.iata, "name": self.name, "city": self.city, "time_zone": self.time_zone}


class Directory:
    """All airports of one process; built at start, read by everyone."""

    def __init__(self, airports: list[Airport]) -> None:
        self.by_iata = {airport.iata: airport for airport in airports}
        self.by_city: dict[str, list[Airport]] = {}
        for airport in airports:
            self.by_city.setdefault(airport.city_code, []).append(airport)

    @cached_property
    def _finder(self) -> "_Finder":
        return _Finder(self.by_iata.values())

    def warm(self) -> None:
        """Make the index for people who type; otherwise the first of them waits for it."""
        _ = self._finder

    def find(self, iata: str) -> Airport:
        """Raises AirportNotFound."""
        airport = self.by_iata.get(iata.upper())
        if airport is None:
            raise AirportNotFound(f"There is no airport {iata.upper()}.")
        return airport

    def serving(self, code: str) -> list[Airport]:
        """The airports meant by an airport's or a city's code. Raises AirportNotFound.

        A code that is both, such as `IST`, means the airport: that is what travellers type it for.
        """
        code = code.upper()
        if code in self.by_iata:
            return [self.by_iata[code]]
        if code in self.by_city:
            return self.by_city[code]
        raise AirportNotFound(f"No airport or city has the code {code}.")

    def search(self, query: str, country: str | None) -> list[Airport]:
        """Best first: codes, the city, how cities begin, words; where little is found, what was mistyped."""
        return self._finder.find(query, country)

    def near(self, latitude: float, longitude: float, country: str | None) -> list[Airport]:
        """Nearest first."""
        candidates = [a for a in self.by_iata.values() if not country or a.country == country]
        return sorted(
            candidates, key=lambda a: (distance_km(latitude, longitude, a.latitude, a.longitude), a.iata)
        )


class _Finder:
    """The airports in the order in which people prefer them, by all that they are found by."""

    def __init__(self, airports: Iterable[Airport]) -> None:
        self._preferred = sorted(airports, key=search.preference)
        self._index = search.index(self._preferred)
        self._of_country: dict[str, set[int]] = {}
        for number, airport in enumerate(self._preferred):
            self._of_country.setdefault(airport.country, set()).add(number)

    def find(self, query: str, country: str | None) -> list[Airport]:
        among = self._of_country.get(country, set()) if country else None
        return [self._preferred[number] for number in self._index.find(query, among)]


def _build(rows: list[Row]) -> Directory:
    columns = Airport.__dataclass_fields__
    return Directory([Airport(**{name: row[name] for name in columns}) for row in rows])


copy = Copy(repository.stamp, repository.every, _build, Directory.warm)


def directory() -> Directory:
    """The airports as they were when they were last read; `load` or `ready` must have been called."""
    return copy.value


async def ready() -> None:
    """Have the airports in memory as they are now; for tasks, which a process may run before anything else."""
    await (copy.refresh() if copy.is_read else load())


async def load(*, complete: bool = False) -> None:
    """Read the airports into memory, after filling an empty table from the package that brings them.

    With `complete`, airports that the package has and the table has not are added to what is there.
    """
    async with db.transaction() as session:
        if complete or not await repository.any_airport(session):
            await repository.add_missing(session, _packaged())
        await repository.regroup(session, {iata: code for iata, (code, _) in search.areas().items()})
    await copy.refresh()


def _packaged() -> list[Row]:
    return [
        {
            "iata": iata,
            "icao": entry["icao"] or None,
            "name": entry["name"],
            "city": entry["city"] or entry["name"],
            "country": entry["country"],
            "latitude": entry["lat"],
            "longitude": entry["lon"],
            "elevation_m": round(entry["elevation"] * _FOOT_IN_METRES),
            "time_zone": entry["tz"],
            "city_code": search.areas().get(iata, (iata, ""))[0],
        }
        for iata, entry in airportsdata.load("IATA").items()
    ]


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in kilometres."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    h = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))
