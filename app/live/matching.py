"""Which aircraft flies which flight. Pure rules.

An aircraft's address is believed before its callsign, because crews type callsigns by hand and forget to
change them; and neither is believed of an aircraft that is far from the flight's way or its time. Where two
remain, nobody is taken for the flight. Of many airlines the callsign does not follow from the flight number:
that such a flight is not found says nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from app.core.db import Row
from app.live import numbers, progress

_EARLY = timedelta(minutes=20)
# A flight of which nobody has said when it left may be hours late and is still itself, if its own number is
# heard; by the address alone it may be the aircraft's next one. One that has landed may yet be rolling.
_LATE, _LATE_UNDER_ITS_NUMBER, _ROLLING = timedelta(minutes=45), timedelta(hours=4), timedelta(minutes=15)

By = Literal["icao24", "callsign"]


class Heard(Protocol):
    """What is asked of an aircraft here."""

    @property
    def icao24(self) -> str: ...
    @property
    def callsign(self) -> str | None: ...
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...
    @property
    def heading_deg(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """An aircraft that may be on a flight, and how sure that is, from 0 to 1."""

    icao24: str
    flight: Row
    by: By
    confidence: float


def numbers_heard(aircraft: Iterable[Heard]) -> set[tuple[str, str]]:
    """The carriers and numbers that callsigns may stand for."""
    found = set()
    for one in aircraft:
        if (told := numbers.parsed(one.callsign or "")) is not None:
            spellings = numbers.spellings(told[1])
            found |= {(carrier, number) for carrier in numbers.carriers(told[0]) for number in spellings}
    return found


def pairs(aircraft: Iterable[Heard], flights: list[Row], at: datetime) -> dict[str, Claim]:
    """Who flies what at a moment, by the aircraft's address."""
    settled = (settle(rivals) for rivals in claims(aircraft, flights, at).values())
    return {claim.icao24: claim for claim in settled if claim is not None}


def claims(aircraft: Iterable[Heard], flights: list[Row], at: datetime) -> dict[int, list[Claim]]:
    """Every aircraft that may be on one of these flights, by the flight's id."""
    by_address, by_callsign = defaultdict(list), defaultdict(list)
    for flight in flights:
        if flight["aircraft_icao24"]:
            by_address[flight["aircraft_icao24"].lower()].append(flight)
        for callsign in callsigns(flight):
            by_callsign[callsign].append(flight)
    found: dict[int, list[Claim]] = defaultdict(list)
    for one in aircraft:
        told = numbers.parsed(one.callsign or "")
        called = by_callsign.get("".join(told), []) if told else []
        flown = by_address.get(one.icao24, [])
        if (flown or called) and (claim := _claim(one, flown, called, at)) is not None:
            found[claim.flight["id"]].append(claim)
    return found


def settle(rivals: list[Claim]) -> Claim | None:
    """The one that is on the flight; None where that cannot be said."""
    strongest = [claim for claim in rivals if claim.by == "icao24"] or rivals
    return strongest[0] if len(strongest) == 1 else None


def callsigns(flight: Row) -> list[str]:
    """What the crew of a flight may have entered, if its callsign follows from its number."""
    digits = flight["number"].lstrip("0")
    return [designator + digits for designator in numbers.designators(flight["carrier"])]


def _claim(one: Heard, flown: list[Row], called: list[Row], at: datetime) -> Claim | None:
    if one.latitude is None or one.longitude is None:
        return None
    where = progress.Fix(one.latitude, one.longitude, one.heading_deg)

    def best(flights: list[Row], late: timedelta) -> Row | None:
        fitting = [flight for flight in flights if _fits(flight, where, at, late)]
        return min(fitting, key=lambda flight: progress.off_its_place(flight, where, at), default=None)

    named = [flight for flight in flown if any(flight["id"] == other["id"] for other in called)]
    if (flight := best(named, _LATE_UNDER_ITS_NUMBER)) is not None:
        return Claim(one.icao24, flight, "icao24", 0.98)
    if (flight := best(flown, _LATE)) is not None:
        return Claim(one.icao24, flight, "icao24", 0.9)
    if (flight := best(called, _LATE_UNDER_ITS_NUMBER)) is not None:
        other_aircraft = flight["aircraft_icao24"] is not None
        return Claim(one.icao24, flight, "callsign", 0.6 if other_aircraft else 0.85)
    return None


def timely(flight: Row, at: datetime, late: timedelta = _LATE_UNDER_ITS_NUMBER) -> bool:
    """Whether a flight may be on its way at a moment, so much later than it should be at most."""
    if progress.gone(flight) or flight["status"] == "cancelled":
        return False
    departs, arrives = progress.times(flight)
    if flight["status"] == "landed":
        late = _ROLLING
    elif flight["departure_actual_at"] is not None:
        late = _LATE
    return departs - _EARLY <= at <= arrives + late


def _fits(flight: Row, where: progress.Fix, at: datetime, late: timedelta) -> bool:
    return timely(flight, at, late) and progress.on_its_way(flight, where)
