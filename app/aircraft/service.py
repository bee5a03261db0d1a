"""Aircraft types, by ICAO's designator or IATA's equipment code, with the seats that they usually have."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.core import tables

_TYPES = Path(__file__).with_name("data") / "types.csv"
_CABINS = ("economy", "premium_economy", "business", "first")


@dataclass(frozen=True, slots=True)
class AircraftType:
    """`seats` are a typical layout's, by cabin; operators say what their own aircraft have."""

    icao: str
    iata: tuple[str, ...]
    maker: str
    name: str
    seats: dict[str, int]


def find(code: str) -> AircraftType | None:
    """By `B77W` as well as by `77W`; several of IATA's codes may mean one type."""
    return _by_code().get(code.strip().upper())


def name(code: str) -> str | None:
    """What people call it, such as `Airbus A320`."""
    found = find(code)
    return f"{found.maker} {found.name}" if found else None


def every() -> list[AircraftType]:
    return list({id(found): found for found in _by_code().values()}.values())


@lru_cache(maxsize=1)
def _by_code() -> dict[str, AircraftType]:
    types = [
        AircraftType(
            icao=row["icao"],
            iata=tuple(row["iata"].split()),
            maker=row["maker"],
            name=row["name"],
            seats={cabin: int(row[cabin]) for cabin in _CABINS if row[cabin] != "0"},
        )
        for row in tables.read(_TYPES)
    ]
    by_iata = {code: found for found in types for code in found.iata}
    return by_iata | {found.icao: found for found in types}
