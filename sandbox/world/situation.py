"""What can be known about a flight at a moment: status, estimates, gates, and where it is in the air."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.world.geography import Airport, bearing, distance, point_between
from sandbox.world.operations import GATE_KNOWN, Movement
from sandbox.world.services import Flight

ON_TIME = 3
CLIMB_S = 1200


@dataclass(frozen=True, slots=True)
class Situation:
    """The known part of a movement. Delays are whole minutes, None when on time or unknown."""

    status: str
    departure_delay: int | None
    arrival_delay: int | None
    estimated_departure: datetime
    estimated_arrival: datetime | None
    actual_departure: datetime | None
    actual_arrival: datetime | None
    departure_terminal: str | None
    arrival_terminal: str | None
    departure_gate: str | None
    arrival_gate: str | None
    belt: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees, metres, degrees, metres a second."""

    latitude: float
    longitude: float
    altitude: float
    track: float
    speed: float
    climb: float


def status(move: Movement, now: datetime) -> str:
    """`scheduled`, `active`, `landed`, `cancelled`, `diverted` or `incident`."""
    if move.forced_status is not None:
        return move.forced_status
    if move.cancelled_at is not None and now >= move.cancelled_at:
        return "cancelled"
    if now < move.departure:
        return "scheduled"
    if move.diverted_to is not None and now >= move.arrival - timedelta(minutes=25):
        return "diverted"
    return "active" if now < move.arrival else "landed"


def observe(flight: Flight, move: Movement, now: datetime) -> Situation:
    """Looks at a flight."""
    state = status(move, now)
    flying = move.cancelled_at is None
    left = flying and now >= move.departure
    # A diverted flight never arrives where it was going.
    arrived = flying and now >= move.arrival and move.diverted_to is None
    announced = flying and now >= min(move.announced, move.departure)
    gate_known = now >= flight.departure - GATE_KNOWN
    return Situation(
        status=state,
        departure_delay=_minutes(flight.departure, move.departure) if announced else None,
        arrival_delay=_minutes(flight.arrival, move.arrival) if announced else None,
        estimated_departure=move.departure if announced else flight.departure,
        estimated_arrival=move.arrival if announced else None,
        actual_departure=move.departure if left else None,
        actual_arrival=move.arrival if arrived else None,
        departure_terminal=move.departure_terminal,
        arrival_terminal=move.arrival_terminal,
        departure_gate=_gate(move, now) if gate_known or now >= move.gate_changes_at else None,
        arrival_gate=move.arrival_gate if left else None,
        belt=move.belt if left and now >= move.arrival - timedelta(minutes=20) else None,
    )


def position(flight: Flight, move: Movement, now: datetime) -> Position | None:
    """Where the aircraft is, or None when it is not in the air."""
    if move.cancelled_at is not None or not move.departure <= now < move.arrival:
        return None
    origin: Airport = flight.service.origin
    goal: Airport = move.diverted_to or flight.service.destination
    total = (move.arrival - move.departure).total_seconds()
    gone = (now - move.departure).total_seconds()
    latitude, longitude = point_between(origin, goal, gone / total)
    ceiling = float(flight.service.line.type.ceiling_m)
    ramp = min(CLIMB_S, total / 2)
    share = min(1.0, gone / ramp, (total - gone) / ramp)
    climbing = (gone < ramp) - (total - gone < ramp)
    return Position(
        latitude=round(latitude, 4),
        longitude=round(longitude, 4),
        altitude=round(ceiling * share, 1),
        track=round(bearing(latitude, longitude, goal.latitude, goal.longitude), 1),
        speed=round(distance(origin, goal) * 1000 / total, 1),
        climb=round(climbing * ceiling / ramp, 1),
    )


def _gate(move: Movement, now: datetime) -> str | None:
    return move.departure_gate if now >= move.gate_changes_at else move.first_gate


def _minutes(planned: datetime, real: datetime) -> int | None:
    """None below a few minutes, and never negative: early is not late."""
    late = round((real - planned).total_seconds() / 60)
    return late if late > ON_TIME else None
