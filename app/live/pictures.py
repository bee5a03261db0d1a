"""A tile as it is kept: every aircraft in it as the bytes that viewers get, and what they are chosen by.

One process makes a picture and puts it into Redis; all decode the same bytes, the maker too. Before they are
packed, the first line is the head and each further one an aircraft.
"""

import zlib
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from app.core import clock
from app.core.clock import rfc3339
from app.flights.service import public_id
from app.live.matching import Claim
from app.providers.base import AircraftState, PositionReport

# An aircraft that was not located for a minute is elsewhere by now. One that is being tracked is shown where
# it was last, with the time, for some minutes more.
_SHOWN_SECONDS, _KEPT_SECONDS = 60, 300


class Aircraft(NamedTuple):
    icao24: str
    callsign: str | None
    latitude: float
    longitude: float
    heading_deg: float | None
    on_ground: bool
    flight_id: str | None
    flight_number: str | None
    recent: bool
    wire: bytes


class Picture(NamedTuple):
    """`time` is the source's, in seconds of the epoch; aircraft come in the order of their addresses."""

    time: int
    fetched_at: str
    source: str
    version: str
    aircraft: list[Aircraft]

    @property
    def at(self) -> datetime:
        return moment(self.time)


def encoded(report: PositionReport, matches: dict[str, Claim], source: str) -> bytes:
    """A report without aircraft that nobody has located lately; of two rows for one, the later counts."""
    located = {
        state.icao24: state
        for state in sorted(report.aircraft, key=lambda state: (state.icao24, state.positioned_at or 0))
        if state.positioned_at is not None and report.time - state.positioned_at <= _KEPT_SECONDS
    }
    head = {
        "time": report.time,
        "fetched_at": rfc3339(clock.now()),
        "source": source,
        "positioned_at": [state.positioned_at for state in located.values()],
    }
    wires = [orjson.dumps(_wire(state, matches.get(state.icao24))) for state in located.values()]
    return zlib.compress(b"\n".join([orjson.dumps(head), *wires]), level=1)


def decoded(body: bytes) -> Picture:
    first, *wires = zlib.decompress(body).split(b"\n")
    head, rows = orjson.loads(first), orjson.loads(b"[" + b",".join(wires) + b"]")
    oldest = head["time"] - _SHOWN_SECONDS
    aircraft = [
        Aircraft(
            row["icao24"],
            row["callsign"],
            row["latitude"],
            row["longitude"],
            row["heading_deg"],
            row["on_ground"],
            row["flight"] and row["flight"]["id"],
            row["flight"] and row["flight"]["flight_number"],
            positioned_at >= oldest,
            wire,
        )
        for row, wire, positioned_at in zip(rows, wires, head["positioned_at"], strict=True)
    ]
    version = blake2b(body, digest_size=8).hexdigest()
    return Picture(head["time"], head["fetched_at"], head["source"], version, aircraft)


def merged(pictures: list[Picture]) -> list[Aircraft]:
    """Each aircraft once, though it may have crossed from one picture to the next between the two."""
    if len(pictures) == 1:
        return pictures[0].aircraft
    by_time = sorted(pictures, key=lambda picture: picture.time)
    latest = {one.icao24: one for picture in by_time for one in picture.aircraft}
    return [latest[address] for address in sorted(latest)]


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@lru_cache(maxsize=1024)
def readable(second: int) -> str:
    """A second of the epoch as people read it; hundreds of aircraft share each."""
    return rfc3339(moment(second))


def _wire(state: AircraftState, claim: Claim | None) -> dict[str, Any]:
    flight = None
    if claim is not None:
        number = claim.flight["carrier"] + claim.flight["number"]
        flight = {"id": public_id(claim.flight), "flight_number": number}
    return {
        "icao24": state.icao24,
        "callsign": state.callsign,
        "latitude": state.latitude,
        "longitude": state.longitude,
        "altitude_m": state.altitude_m,
        "ground_speed_mps": state.ground_speed_mps,
        "heading_deg": state.heading_deg,
        "vertical_rate_mps": state.vertical_rate_mps,
        "on_ground": state.on_ground,
        "observed_at": readable(state.positioned_at or state.heard_at),
        "flight": flight,
    }
