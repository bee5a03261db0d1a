"""`/flights`: today, what still flies from yesterday, and three months back for those who pay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sandbox.aviationstack import envelope
from sandbox.aviationstack.envelope import Json, Object
from sandbox.aviationstack.plans import not_in_plan
from sandbox.aviationstack.rows import Call, Row, days_around, lower_operating, rows, sold
from sandbox.chance import one_in
from sandbox.world.geography import Airport
from sandbox.world.services import Flight
from sandbox.world.situation import Situation
from sandbox.world.times import wall
from sandbox.world.world import STATUSES, World

CAPPED_TOTAL = 10_000
HISTORY = timedelta(days=92)
LONGEST = timedelta(hours=30)
DELAYS = ("min_delay_dep", "min_delay_arr", "max_delay_dep", "max_delay_arr")
TESTS: dict[str, Callable[[Flight, str], bool]] = {
    "dep_iata": lambda flight, code: code in {flight.service.origin.iata, flight.service.origin.city_code},
    "arr_iata": lambda flight, code: (
        code in {flight.service.destination.iata, flight.service.destination.city_code}
    ),
    "dep_icao": lambda flight, code: code == flight.service.origin.icao,
    "arr_icao": lambda flight, code: code == flight.service.destination.icao,
    # The vendor's documents spell the departure date in two ways; both work here.
    "arr_scheduled_time_dep": lambda flight, day: day == flight.local_date.isoformat(),
    "dep_scheduled_time_dep": lambda flight, day: day == flight.local_date.isoformat(),
    "arr_scheduled_time_arr": lambda flight, day: day == flight.arrival_date.isoformat(),
}


def flights(call: Call) -> Object:
    """The answer to `/flights`."""
    params = call.params
    _check(call)
    part = envelope.window(params, call.plan.max_limit)
    selling = sold(_fitting(call, _candidates(call)), params)
    shown: list[Json] = [_record(call, selling[index]) for index in part.cut(len(selling))]
    return envelope.page(shown, part, min(len(selling), CAPPED_TOTAL))


def _check(call: Call) -> None:
    params = call.params
    if "flight_date" in params and not call.plan.extras:
        raise not_in_plan("Your current subscription plan does not support historical flights.")
    if (status := params.get("flight_status", "")) and status not in STATUSES:
        raise envelope.invalid(
            "flight_status", "invalid_flight_status", f"The status must be one of {STATUSES}"
        )
    for name in DELAYS:
        if (text := params.get(name, "")) and not text.isdigit():
            raise envelope.invalid(name, "invalid_delay", f"The {name} must be minutes")


def _candidates(call: Call) -> list[Row]:
    world, now = call.world, call.now
    if "flight_date" not in call.params:
        return _recent(world, now.replace(second=0, microsecond=0), world.version)
    day = envelope.day(call.params, "flight_date")
    if day < (now - HISTORY).date():
        raise envelope.invalid(
            "flight_date", "invalid_flight_date", "Only the last three months are available"
        )
    if day > now.date() + timedelta(days=1):
        return []
    return list(rows(world.timetable.day(day).flights))


@lru_cache(maxsize=2)
def _recent(world: World, now: datetime, _version: int) -> list[Row]:
    """Flights of the origin's own today, after yesterday's that are still in the air.

    The same rows serve for a minute, unless a scenario changes the world.
    """
    today: dict[str, date] = {}
    found = []
    for moment in days_around(now):
        for flight in world.timetable.day(moment.date()).flights:
            origin = flight.service.origin
            if (local := today.get(origin.timezone)) is None:
                local = today[origin.timezone] = wall(now, origin.zone).date()
            if flight.local_date == local or (flight.local_date < local and _in_the_air(world, flight, now)):
                found.append(flight)
    return list(rows(found))


def _in_the_air(world: World, flight: Flight, now: datetime) -> bool:
    return flight.departure > now - LONGEST and world.status(flight, now) == "active"


def _fitting(call: Call, selling: list[Row]) -> list[Row]:
    params, world, now = call.params, call.world, call.now
    for name, test in TESTS.items():
        if asked := params.get(name, "").upper():
            selling = [row for row in selling if test(row.flight, asked)]
    if status := params.get("flight_status"):
        selling = [row for row in selling if world.status(row.flight, now) == status]
    if any(params.get(name) for name in DELAYS):
        selling = [row for row in selling if _late_enough(call, row.flight)]
    return selling


def _late_enough(call: Call, flight: Flight) -> bool:
    seen = call.world.observe(flight, call.now)
    delays = {"dep": seen.departure_delay or 0, "arr": seen.arrival_delay or 0}
    for name in DELAYS:
        if not (text := call.params.get(name, "")):
            continue
        late = delays[name[-3:]]
        if late < int(text) if name.startswith("min") else late > int(text):
            return False
    return True


def _record(call: Call, row: Row) -> Object:
    flight, world = row.flight, call.world
    seen = world.observe(flight, call.now)
    codeshared = lower_operating(flight) if row.marketing else None
    return {
        "flight_date": flight.local_date.isoformat(),
        "flight_status": seen.status,
        "departure": _departure(flight, seen),
        "arrival": _arrival(flight, seen),
        "airline": {"name": row.airline.name, "iata": row.airline.iata, "icao": row.airline.icao},
        "flight": {
            "number": row.number,
            "iata": row.airline.iata + row.number,
            "icao": row.airline.icao + row.number,
            "codeshared": codeshared,
        },
        "aircraft": None if row.marketing else _aircraft(flight, call.now),
        "live": None if row.marketing else _live(world, flight, call.now),
    }


def _departure(flight: Flight, seen: Situation) -> Object:
    place = flight.service.origin
    return {
        **_place(place, flight),
        "terminal": seen.departure_terminal,
        "gate": seen.departure_gate,
        "delay": seen.departure_delay,
        "scheduled": stamp(flight.departure, place.zone),
        "estimated": stamp(seen.estimated_departure, place.zone),
        "actual": stamp(seen.actual_departure, place.zone),
        "estimated_runway": stamp(seen.actual_departure, place.zone),
        "actual_runway": stamp(seen.actual_departure, place.zone),
    }


def _arrival(flight: Flight, seen: Situation) -> Object:
    place = flight.service.destination
    return {
        **_place(place, flight),
        "terminal": seen.arrival_terminal,
        "gate": seen.arrival_gate,
        "baggage": seen.belt,
        "delay": seen.arrival_delay,
        "scheduled": stamp(flight.arrival, place.zone),
        "estimated": stamp(seen.estimated_arrival, place.zone),
        "actual": stamp(seen.actual_arrival, place.zone),
        "estimated_runway": stamp(seen.actual_arrival, place.zone),
        "actual_runway": stamp(seen.actual_arrival, place.zone),
    }


def _place(place: Airport, flight: Flight) -> Object:
    """The vendor knows the codes, but not always the name or the zone that belongs to them."""
    return {
        "airport": None if one_in(60, "name", flight.key, place.iata) else place.name,
        "timezone": None if one_in(60, "zone", flight.key, place.iata) else place.timezone,
        "iata": place.iata,
        "icao": place.icao or None,
    }


def stamp(moment: datetime | None, tz: ZoneInfo) -> str | None:
    """The local clock, with an offset that is not true: as the vendor writes every time of `/flights`."""
    if moment is None:
        return None
    return wall(moment, tz).isoformat(timespec="seconds") + "+00:00"


def _aircraft(flight: Flight, now: datetime) -> Object | None:
    """Not known before the day, and even then often only by its transponder."""
    if flight.departure - now > timedelta(hours=24) or one_in(5, "aircraft", flight.key):
        return None
    aircraft = flight.aircraft
    if one_in(3, "registration", flight.key):
        return {"registration": None, "iata": None, "icao": None, "icao24": aircraft.icao24}
    kind = aircraft.type.icao
    return {"registration": aircraft.registration, "iata": kind, "icao": kind, "icao24": aircraft.icao24}


def _live(world: World, flight: Flight, now: datetime) -> Mapping[str, Json] | None:
    """Most flights in the air have no position here either."""
    if not one_in(4, "live", flight.key):
        return None
    updated = now.replace(second=0, microsecond=0)
    place = world.position(flight, updated)
    if place is None:
        return None
    return {
        "updated": updated.isoformat(),
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude": place.altitude,
        "direction": place.track,
        "speed_horizontal": round(place.speed * 3.6, 2),
        "speed_vertical": round(place.climb * 3.6, 2),
        "is_ground": False,
    }
