"""What becomes of a day's flights: delays that travel with the aircraft, cancellations, diversions, gates."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from sandbox.world.geography import Airport, distance, served
from sandbox.world.services import Flight, Line
from sandbox.world.timetable import dated

CANCELLED = 0.01
DIVERTED = 0.001
GATE_CHANGED = 0.06
# Aircraft that are later than this do not begin another round trip.
HOPELESS = timedelta(hours=4)
KEPT_CHAINS = 12_000
MINUTE = timedelta(minutes=1)
# The announced gate appears this long before departure.
GATE_KNOWN = timedelta(hours=10)


@dataclass(slots=True, eq=False)
class Movement:
    """The whole truth about one flight, future included; `situation` tells how much of it is known."""

    departure: datetime
    arrival: datetime
    announced: datetime
    cancelled_at: datetime | None
    diverted_to: Airport | None
    departure_terminal: str | None
    arrival_terminal: str | None
    departure_gate: str | None
    first_gate: str | None
    gate_changes_at: datetime
    arrival_gate: str | None
    belt: str | None
    forced_status: str | None = None


@dataclass(slots=True)
class Change:
    """What somebody decided about a flight, in place of fate. None leaves that part to fate."""

    at: datetime
    status: str | None = None
    departure_delay: int | None = None
    arrival_delay: int | None = None
    departure_gate: str | None = None
    arrival_gate: str | None = None
    departure_terminal: str | None = None
    arrival_terminal: str | None = None
    belt: str | None = None


class Operations:
    """Runs the timetable; the same seed and date always bring the same day."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self.changes: dict[str, Change] = {}
        self._fated = lru_cache(maxsize=KEPT_CHAINS)(self._run)
        # Chains in which somebody decided something; kept apart, so that the others stay cached.
        self._bent: dict[tuple[Line, date], dict[int, Movement]] = {}

    def movement(self, flight: Flight) -> Movement:
        """What becomes of this flight."""
        line, begins = flight.service.line, flight.begins
        chain = self._bent.get((line, begins)) or self._fated(line, begins)
        return chain[line.services.index(flight.service)]

    def change(self, flight: Flight, change: Change) -> None:
        """Decides; later legs of the same aircraft feel it."""
        self.changes[flight.key] = change
        line, begins = flight.service.line, flight.begins
        self._bent[line, begins] = self._run(line, begins)

    def clear(self) -> None:
        """Fate takes over again."""
        self.changes.clear()
        self._bent.clear()

    def _run(self, line: Line, begins: date) -> dict[int, Movement]:
        """The chain of legs that one aircraft flies from this day on, keyed by position in the line."""
        random = Random(f"{self._seed}/{line.key}/{begins.isoformat()}")
        moves: dict[int, Movement] = {}
        free_at: datetime | None = None
        grounded = hopeless = pair_cancelled = False
        for position, service in enumerate(line.services):
            if not service.weekdays >> begins.weekday() & 1:
                continue
            flight = dated(service, begins)
            # Both legs of a round trip are cancelled together: the aircraft never left its base.
            if position % 2 == 0:
                pair_cancelled = random.random() < CANCELLED
                hopeless = free_at is not None and free_at - flight.departure > HOPELESS
            move = _ordered(flight) if line.only else _fate(flight, random, free_at)
            if grounded or hopeless:
                move.cancelled_at = flight.departure
            elif pair_cancelled and not line.only:
                move.cancelled_at = flight.departure - random.randrange(60, 1080) * MINUTE
            if change := self.changes.get(flight.key):
                _apply(change, flight, move)
            moves[position] = move
            if move.cancelled_at is None:
                free_at = move.arrival + line.type.turn_min * MINUTE
                grounded = move.diverted_to is not None
        return moves


def _ordered(flight: Flight) -> Movement:
    """A flight made to order is on time until somebody decides otherwise."""
    move = _fate(flight, Random(flight.key), None)
    move.departure, move.arrival, move.diverted_to = flight.departure, flight.arrival, None
    move.first_gate = move.departure_gate
    return move


def _fate(flight: Flight, random: Random, free_at: datetime | None) -> Movement:
    service = flight.service
    departure = flight.departure + _own_delay(random) * MINUTE
    if free_at is not None and free_at > departure:
        departure = free_at
    flown = round(service.block * random.uniform(0.93, 1.04))
    elsewhere = random.random() < DIVERTED
    gates = [_gate(random, service.origin), _gate(random, service.origin), _gate(random, service.destination)]
    changed = random.random() < GATE_CHANGED
    return Movement(
        departure=departure,
        arrival=departure + flown * MINUTE,
        announced=flight.departure - 90 * MINUTE,
        cancelled_at=None,
        diverted_to=_alternate(service.destination) if elsewhere else None,
        departure_terminal=terminal(service.origin, service.airline.iata),
        arrival_terminal=terminal(service.destination, service.airline.iata),
        departure_gate=gates[0],
        first_gate=gates[1] if changed else gates[0],
        gate_changes_at=flight.departure - 70 * MINUTE,
        arrival_gate=gates[2],
        belt=str(random.randrange(1, 6 * service.destination.size)) if service.destination.size else None,
    )


def _own_delay(random: Random) -> int:
    """Minutes late for reasons of its own: mostly none, sometimes hours."""
    luck = random.random()
    if luck < 0.6:
        return 0
    if luck < 0.88:
        return random.randrange(3, 25)
    if luck < 0.97:
        return random.randrange(25, 75)
    return random.randrange(75, 200)


def _apply(change: Change, flight: Flight, move: Movement) -> None:
    """Bends fate; what a status implies for the times follows from it."""
    if change.departure_delay is not None:
        flown = move.arrival - move.departure
        move.departure = flight.departure + change.departure_delay * MINUTE
        move.arrival = move.departure + flown
        move.announced = change.at
    if change.arrival_delay is not None:
        move.arrival = max(flight.arrival + change.arrival_delay * MINUTE, move.departure + MINUTE)
        move.announced = change.at
    for name in ("departure_gate", "arrival_gate", "departure_terminal", "arrival_terminal", "belt"):
        if (value := getattr(change, name)) is not None:
            setattr(move, name, value)
    if change.departure_gate is not None:
        move.gate_changes_at = change.at
    if change.status is not None:
        _force(change.status, change.at, flight, move)


def _force(status: str, at: datetime, flight: Flight, move: Movement) -> None:
    move.cancelled_at = at if status == "cancelled" else None
    move.diverted_to = _alternate(flight.service.destination) if status == "diverted" else None
    flown = move.arrival - move.departure
    if status == "scheduled":
        move.departure = max(move.departure, at + MINUTE)
        move.arrival = move.departure + flown
    elif status == "active":
        move.departure = min(move.departure, at)
        move.arrival = max(move.departure + flown, at + MINUTE)
    elif status in {"landed", "diverted"}:
        move.arrival = min(move.arrival, at)
        move.departure = min(move.departure, move.arrival - flown)
    # The other statuses follow from the times, and go on doing so; an incident is nothing that times tell.
    move.forced_status = status if status == "incident" else None


def terminal(airport: Airport, airline: str) -> str | None:
    """Where an airline lives at an airport; small airports have one building without a number."""
    if airport.size < 2:
        return None
    names = ("1", "2", "3", "2B", "I") if airport.size == 3 else ("1", "2")
    return names[zlib.crc32(f"{airport.iata}{airline}".encode()) % len(names)]


def _gate(random: Random, airport: Airport) -> str | None:
    number = random.randrange(1, 12 * max(1, airport.size))
    pier = random.choice("ABCDE")
    if airport.size == 0:
        return None
    return f"{pier}{number}" if airport.size > 1 else str(number)


def _alternate(airport: Airport) -> Airport:
    """The nearest other airport."""
    return min(
        (place for place in served() if place is not airport), key=lambda place: distance(place, airport)
    )
