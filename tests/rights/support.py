"""Trips and what befalls them, in few words; and the packaged tables with whatever a test puts in their place."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from app.airports.service import Airport, directory
from app.rights import service
from app.rights.service import RIGHTS, build
from app.rights.trips import Disruption, Leg, Slice, Trip
from app.rules.kinds import Book

HOMES = {"AF": "FR", "BA": "GB", "LH": "DE", "UA": "US", "QF": "AU", "NH": "JP", "LX": "CH", "FI": "IS"}
NOON = datetime(2027, 2, 3, 12, tzinfo=UTC)
_KM_OF_RADIUS = 6371.0


def place(code: str) -> Airport:
    return directory().find(code)


def local(iata: str, text: str) -> datetime:
    """A clock reading at an airport as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=place(iata).zone).astimezone(UTC)


def leg(origin: Airport, destination: Airport, departs_at: datetime, hours: float, carrier: str) -> Leg:
    arrives_at = departs_at + timedelta(hours=hours)
    return Leg(origin, destination, departs_at, arrives_at, carrier, HOMES.get(carrier))


def trip(*route: str, departs_at: datetime = NOON, hours: float = 2, carrier: str = "AF") -> Trip:
    """One slice by way of these airports, an hour on the ground between flights."""
    return Trip((way(*route, departs_at=departs_at, hours=hours, carrier=carrier),))


def way(*route: str, departs_at: datetime = NOON, hours: float = 2, carrier: str = "AF") -> Slice:
    step = timedelta(hours=hours + 1)
    return Slice(
        tuple(
            leg(place(one), place(two), departs_at + number * step, hours, carrier)
            for number, (one, two) in enumerate(pairwise(route))
        )
    )


def metres_apart(metres: int, countries: tuple[str, str] = ("FR", "MA"), carrier: str = "AF") -> Trip:
    """A flight along the equator that is exactly so long."""
    degrees = math.degrees(metres / 1000 / _KM_OF_RADIUS)
    base = place("CDG")
    origin = replace(base, iata="AAA", country=countries[0], latitude=0.0, longitude=0.0)
    destination = replace(base, iata="BBB", country=countries[1], latitude=0.0, longitude=degrees)
    return Trip((Slice((leg(origin, destination, NOON, 4, carrier),)),))


def told(kind: Any, before: timedelta = timedelta(hours=1), **more: Any) -> Disruption:
    """Something that the passengers learn so long before NOON."""
    return Disruption(kind, NOON - before, **more)


def late(minutes: int, **more: Any) -> Disruption:
    return told("delayed", departure_minutes=minutes, arrival_minutes=minutes, **more)


def asked(found: Trip, disruption: Disruption, jurisdiction: str = "EU") -> dict[str, dict[str, Any]]:
    """The advice of one jurisdiction by the right that it is about."""
    rows = service.advice(found, disruption, NOON)
    return {row["right"]: row for row in rows if row["jurisdiction"] == jurisdiction}


def money(row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    amount = row["amount"] or {"amount": None, "currency": None}
    return row["applies"], amount["amount"], amount["currency"]


def tables() -> dict[str, list[dict[str, str]]]:
    return {name: [dict(row) for row in rows] for name, rows in RIGHTS.packaged().tables.items()}


def row(table: str, rule: str) -> dict[str, str]:
    """The packaged row that states a rule."""
    return next(one for one in tables()[table] if one["rule"] == rule)


def made(found: dict[str, Any]) -> service.RightsBook:
    return build(Book(1, found))
