"""Where a flight should be by now: its expected times, and its way along the great circle."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from app.airports.service import Airport, directory, distance_km
from app.core.db import Row

# How much longer than the great circle flights go, around weather and along airways.
_DETOUR, _DETOUR_KM = 1.25, 200.0
_GONE = ("landed", "cancelled", "diverted")


# Nearer to an airport aircraft turn in every direction.
_TURNING_KM, _WRONG_WAY_DEG = 150.0, 100.0


class Point(NamedTuple):
    latitude: float
    longitude: float


class Fix(NamedTuple):
    """Where an aircraft is, and in which direction it flies."""

    latitude: float
    longitude: float
    heading_deg: float | None


def times(flight: Row) -> tuple[datetime, datetime]:
    """When it leaves and arrives: what happened, else what is estimated, else what is planned.

    An estimate of the arrival that leaves half of the usual time at most is not believed.
    """
    departs = flight["departure_actual_at"] or flight["departure_estimated_at"] or flight["departs_at"]
    block, landed = flight["arrives_at"] - flight["departs_at"], flight["arrival_actual_at"]
    if landed is not None and landed > departs:
        return departs, landed
    told = flight["arrival_estimated_at"]
    return departs, told if told is not None and told - departs > block / 2 else departs + block


def gone(flight: Row) -> bool:
    """Whether it was dropped from the schedule; nothing is known of such a flight."""
    return bool(flight["missed"] >= 2)


def airborne(flight: Row, now: datetime) -> bool:
    """Whether it is believed to be in the air, by its times."""
    departs, arrives = times(flight)
    return flight["status"] not in _GONE and not gone(flight) and departs <= now < arrives


def place(flight: Row, now: datetime) -> Point:
    """Where it is expected, if it keeps to the great circle and to its times."""
    departs, arrives = times(flight)
    share = (now - departs) / (arrives - departs)
    return _between(*_ends(flight), min(1.0, max(0.0, share)))


def on_its_way(flight: Row, where: Fix) -> bool:
    """Whether an aircraft there, flying in that direction, can be on this flight.

    One that was diverted may be anywhere.
    """
    if flight["status"] == "diverted":
        return True
    gone, left, direct = _distances(flight, where.latitude, where.longitude)
    if gone + left > direct * _DETOUR + _DETOUR_KM:
        return False
    if where.heading_deg is None or min(gone, left) < _TURNING_KM:
        return True
    destination = directory().find(flight["destination"])
    off = abs(where.heading_deg - _bearing(where, destination)) % 360
    return min(off, 360 - off) < _WRONG_WAY_DEG


def flown(flight: Row, latitude: float, longitude: float) -> float:
    """The part of its way that an aircraft there has behind it."""
    gone, left, _ = _distances(flight, latitude, longitude)
    return gone / (gone + left) if gone + left else 1.0


def off_its_place(flight: Row, where: Fix, now: datetime) -> float:
    """Kilometres between there and where the flight is expected."""
    expected = place(flight, now)
    return distance_km(expected.latitude, expected.longitude, where.latitude, where.longitude)


def passed(flight: Row, now: datetime) -> float:
    """The part of its time that has passed."""
    departs, arrives = times(flight)
    return min(1.0, max(0.0, (now - departs) / max(arrives - departs, timedelta(minutes=1))))


def _ends(flight: Row) -> tuple[Airport, Airport]:
    return directory().find(flight["origin"]), directory().find(flight["destination"])


def _distances(flight: Row, latitude: float, longitude: float) -> tuple[float, float, float]:
    origin, destination = _ends(flight)
    return (
        distance_km(origin.latitude, origin.longitude, latitude, longitude),
        distance_km(latitude, longitude, destination.latitude, destination.longitude),
        distance_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude),
    )


def _between(origin: Airport, destination: Airport, share: float) -> Point:
    """A point on the great circle, by the weights that the two ends have there."""
    start, end = _vector(origin), _vector(destination)
    angle = math.acos(max(-1.0, min(1.0, sum(a * b for a, b in zip(start, end, strict=True)))))
    if angle < 1e-9:
        return Point(origin.latitude, origin.longitude)
    before, after = math.sin((1 - share) * angle), math.sin(share * angle)
    x, y, z = (a * before + b * after for a, b in zip(start, end, strict=True))
    return Point(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def _vector(airport: Airport) -> tuple[float, float, float]:
    up, round_ = math.radians(airport.latitude), math.radians(airport.longitude)
    return math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up)


def _bearing(here: Fix, there: Airport) -> float:
    """The direction in which the great circle begins, in degrees from north."""
    up, other_up = math.radians(here.latitude), math.radians(there.latitude)
    round_ = math.radians(there.longitude - here.longitude)
    east = math.sin(round_) * math.cos(other_up)
    north = math.cos(up) * math.sin(other_up) - math.sin(up) * math.cos(other_up) * math.cos(round_)
    return math.degrees(math.atan2(east, north)) % 360
