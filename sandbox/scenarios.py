"""Flights as the controls show and change them: the truth, in UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, fields, replace
from typing import Any

from sandbox.opensky.coverage import covered
from sandbox.world import callsigns
from sandbox.world.airspace import Airspace
from sandbox.world.operations import Change
from sandbox.world.services import Flight
from sandbox.world.times import iso, parse
from sandbox.world.world import STATUSES, World

NEEDED = ("airline", "number", "origin", "destination", "departure", "arrival")
DECIDABLE = {field.name for field in fields(Change)} - {"at"}
MINUTES = {"departure_delay", "arrival_delay"}


def find(
    world: World,
    now: dt.datetime,
    origin: str | None = None,
    destination: str | None = None,
    date: str | None = None,
) -> list[Flight]:
    """The flights of a local departure date: today's in UTC when none is given."""
    day = dt.date.fromisoformat(date) if date else now.date()
    return [
        flight
        for flight in world.timetable.day(day).flights
        if origin in {None, flight.service.origin.iata}
        and destination in {None, flight.service.destination.iata}
    ]


def flight(world: World, key: str) -> Flight:
    """The flight with this key."""
    found = world.timetable.find(key)
    if found is None:
        raise LookupError(key)
    return found


def inject(world: World, body: dict[str, Any]) -> Flight:
    """A flight made to order, between two instants."""
    if missing := [name for name in NEEDED if name not in body]:
        raise ValueError(f"{missing} missing")
    return world.inject(
        airline=body["airline"],
        number=str(body["number"]),
        origin=body["origin"],
        destination=body["destination"],
        departure=parse(body["departure"]),
        arrival=parse(body["arrival"]),
        aircraft=body.get("aircraft", "A320"),
        icao24=body.get("icao24"),
        callsign=body.get("callsign"),
    )


def decide(world: World, key: str, body: dict[str, Any], now: dt.datetime) -> Flight:
    """Adds to what was decided before about this flight."""
    chosen = flight(world, key)
    if unknown := body.keys() - DECIDABLE:
        raise ValueError(f"{sorted(unknown)} not understood; known are {sorted(DECIDABLE)}")
    if body.get("status") not in {None, *STATUSES}:
        raise ValueError(f"status must be one of {STATUSES}")
    for name, value in body.items():
        if not isinstance(value, int if name in MINUTES else str | None):
            raise TypeError(f"{name} has the wrong type")
    before = world.operations.changes.get(key, Change(now))
    world.change(chosen, replace(before, at=now, **body))
    return chosen


def truth(world: World, flight: Flight, now: dt.datetime) -> dict[str, Any]:
    """All there is to know, what has not happened yet included."""
    service, move, seen = flight.service, world.movement(flight), world.observe(flight, now)
    place = world.position(flight, now)
    return {
        "key": flight.key,
        "flight": service.name,
        "callsign": callsigns.callsign(flight),
        "callsign_derivable": callsigns.derivable(flight),
        "airline": service.airline.iata,
        "number": service.number,
        "origin": service.origin.iata,
        "destination": service.destination.iata,
        "date": flight.local_date.isoformat(),
        "departure": iso(flight.departure),
        "arrival": iso(flight.arrival),
        "block_minutes": service.block,
        "real_departure": iso(move.departure),
        "real_arrival": iso(move.arrival),
        "cancelled_at": iso(move.cancelled_at) if move.cancelled_at else None,
        "diverted_to": move.diverted_to.iata if move.diverted_to else None,
        "status": seen.status,
        "departure_terminal": seen.departure_terminal,
        "departure_gate": seen.departure_gate,
        "arrival_gate": seen.arrival_gate,
        "belt": seen.belt,
        "aircraft": flight.aircraft.type.icao,
        "registration": flight.aircraft.registration,
        "icao24": flight.aircraft.icao24,
        "codeshares": [airline.iata + number for airline, number in service.partners],
        "position": asdict(place) if place else None,
    }


def positions(airspace: Airspace, moment: dt.datetime, icao24: str | None = None) -> list[dict[str, Any]]:
    """Every aircraft in the air and where it really is, heard by somebody or not; extra traffic comes last."""
    return [
        {
            "icao24": leg.flight.aircraft.icao24,
            "callsign": callsigns.callsign(leg.flight),
            "key": leg.flight.key,
            "flight": leg.flight.service.name,
            "origin": leg.flight.service.origin.iata,
            "destination": leg.goal.iata,
            "covered": covered(place.latitude, place.longitude),
            **asdict(place),
        }
        for leg, place in airspace.flying(moment)
        if icao24 is None or leg.flight.aircraft.icao24 == icao24.upper()
    ]
