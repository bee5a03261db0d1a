"""What an aircraft's transponder makes of a flight: squawk, category, and what is missing or late."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache, lru_cache

from sandbox import tables
from sandbox.opensky.wire import padded
from sandbox.world.callsigns import callsign
from sandbox.world.services import Flight

ADS_B, MLAT = 0, 2
CATEGORIES = {"C208": 2, "DH8D": 3, "B789": 6, "A359": 6, "B77W": 6, "A388": 6}
LARGE = 4
# On the ground directions come in 128 steps.
FACING_STEP = 360 / 128
# Three ways in which a callsign that nobody entered arrives.
BLANKS = (None, "", "        ")


@dataclass(frozen=True, slots=True)
class Look:
    """The same for the whole flight. Delays count seconds before the moment of the answer."""

    address: str
    callsign: str | None
    country: str
    squawk: str | None
    source: int
    category: int
    heard: int
    located: int
    height_error: float | None
    place_on_ground: bool
    speed_on_ground: bool
    facing: float
    offset: float


@lru_cache(maxsize=16_384)
def look(flight: Flight) -> Look:
    """One number decides about all of it; its parts are told apart by different divisors."""
    luck = zlib.crc32(flight.key.encode())
    # A flight made to order has no oddities, so that a test gets what it ordered.
    odd = flight.service.line.only is None
    heard = luck % 4
    late = 20 + luck % 280 if odd and luck % 59 == 0 else luck // 4 % 3
    kind = flight.aircraft.type.icao
    return Look(
        address=flight.aircraft.icao24.lower(),
        callsign=padded(sent) if (sent := callsign(flight)) else BLANKS[luck % len(BLANKS)],
        country=_countries()[flight.service.airline.country],
        squawk=None if odd and luck % 8 == 3 else f"{luck // 16 % 4096:04o}",
        source=MLAT if odd and luck % 41 == 0 else ADS_B,
        category=-1 if odd and luck % 67 == 0 else CATEGORIES.get(kind, LARGE),
        heard=heard,
        located=heard + late,
        height_error=None if odd and luck % 19 == 0 else (luck % 31 - 10) * 7.62,
        place_on_ground=not (odd and luck % 5 == 0),
        speed_on_ground=not (odd and luck % 7 == 0),
        facing=luck % 128 * FACING_STEP,
        offset=(luck % 2001 - 1000) / 1000,
    )


@cache
def _countries() -> dict[str, str]:
    return {row["iso2"]: row["name"] for row in tables.rows("countries")}
