"""The airport directory: every airport in memory, found by code, name, country or nearness."""

import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import airportsdata

from app.airports import repository
from app.airports.errors import AirportNotFound
from app.core import db
from app.core.db import Row

_FOOT_IN_METRES = 0.3048
_EARTH_RADIUS_KM = 6371.0
# Metropolitan areas that the airport data leave incomplete: IATA's NYC has three airports.
_CITY_CODES = {"EWR": "NYC"}


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

    @cached_property
    def searchable(self) -> tuple[str, str]:
        return folded(self.city), folded(self.name)


class Directory:
    """All airports of one process; built at start, read by everyone."""

    def __init__(self, airports: list[Airport]) -> None:
        self.by_iata = {airport.iata: airport for airport in airports}
        self.by_city: dict[str, list[Airport]] = {}
        for airport in airports:
            self.by_city.setdefault(airport.city_code, []).append(airport)

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

    @lru_cache(maxsize=4096)  # noqa: B019  There is one directory a process, replaced as a whole.
    def search(self, query: str, country: str | None) -> list[Airport]:
        """Best first: exact IATA, city code, exact city, then prefixes of city, name and words."""
        wanted = folded(query)
        ranked = []
        for airport in self.by_iata.values():
            if country and airport.country != country:
                continue
            rank = _rank(airport, wanted) if wanted else 0
            if rank is not None:
                ranked.append((rank, airport.city, airport.iata, airport))
        ranked.sort(key=lambda entry: entry[:3])
        return [entry[3] for entry in ranked]

    def near(self, latitude: float, longitude: float, country: str | None) -> list[Airport]:
        """Nearest first."""
        candidates = [a for a in self.by_iata.values() if not country or a.country == country]
        return sorted(
            candidates, key=lambda a: (distance_km(latitude, longitude, a.latitude, a.longitude), a.iata)
        )


_directory: Directory | None = None


def directory() -> Directory:
    if _directory is None:
        raise RuntimeError("airports.service.load() was not called")
    return _directory


async def load() -> None:
    """Read the airports into memory, after filling an empty table from the package that brings them."""
    global _directory
    async with db.transaction() as session:
        stored = await repository.every(session)
        if not stored:
            await repository.add_missing(session, _packaged())
            stored = await repository.every(session)
    _directory = Directory([Airport(**row) for row in stored])


def _packaged() -> list[Row]:
    areas = {
        iata: code for code, area in airportsdata.load_iata_macs().items() for iata in area["airports"]
    } | _CITY_CODES
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
            "city_code": areas.get(iata, iata),
        }
        for iata, entry in airportsdata.load("IATA").items()
    ]


def folded(text: str) -> str:
    """Lower case without accents: `São Paulo` and `sao paulo` are the same to a traveller."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold().strip()


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in kilometres."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    h = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))


def _rank(airport: Airport, wanted: str) -> int | None:
    city, name = airport.searchable
    tests = (
        airport.iata.casefold() == wanted,
        airport.city_code.casefold() == wanted,
        (airport.icao or "").casefold() == wanted,
        city == wanted,
        city.startswith(wanted),
        name.startswith(wanted),
        any(word.startswith(wanted) for word in f"{city} {name}".split()),
    )
    return next((rank for rank, hit in enumerate(tests) if hit), None)
