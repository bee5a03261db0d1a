"""What airports are found by: their codes, cities and names, what else people call them, and how many use them."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from app.core import tables
from app.core.autocomplete import Entry, Index, folded

_DATA = Path(__file__).with_name("data")


class Airport(Protocol):
    """As much of an airport as is searched."""

    @property
    def iata(self) -> str: ...
    @property
    def icao(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def city_code(self) -> str: ...


@lru_cache(maxsize=1)
def areas() -> dict[str, tuple[str, str]]:
    """The metropolitan area of an airport that belongs to one: its code and name."""
    return {
        iata: (area["code"], area["name"])
        for area in tables.read(_DATA / "cities.csv")
        for iata in area["airports"].split()
    }


@lru_cache(maxsize=1)
def _synonyms() -> dict[tuple[str, str], list[str]]:
    """What else people call it: by `city` or `airport`, because many codes are both, and the code."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in tables.read(_DATA / "synonyms.csv"):
        found.setdefault((row["means"], row["code"]), []).append(row["name"])
    return found


@lru_cache(maxsize=1)
def _passengers() -> dict[str, float]:
    """Millions a year, for the airports that many mean."""
    return {row["iata"]: float(row["passengers_millions"]) for row in tables.read(_DATA / "popularity.csv")}


def preference(airport: Airport) -> tuple[float, bool, str, str]:
    """Sorts the airports: the busy first, then those that call themselves international, then by the alphabet."""
    minor = "international" not in airport.name.casefold()
    return -_passengers().get(airport.iata, 0), minor, folded(airport.city), airport.iata


def index(airports: Sequence[Airport]) -> Index:
    """Of airports in the order of `preference`."""
    return Index([_entry(airport) for airport in airports], noise="airport")


def _entry(airport: Airport) -> Entry:
    # Some cities are written with the town or the island that the airport stands on.
    parts = [part for whole in airport.city.split("/") for part in whole.split(",")]
    area = areas().get(airport.iata, ("", ""))[1]
    of_city = _synonyms().get(("city", airport.city_code), [])
    of_airport = _synonyms().get(("airport", airport.iata), [])
    return Entry(
        codes=(airport.iata, airport.city_code, airport.icao),
        names=(airport.city, *parts, area),
        aliases=(*of_city, *of_airport),
        text=airport.name,
    )
