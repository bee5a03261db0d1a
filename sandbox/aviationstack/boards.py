"""`/timetable`, an airport's board of today, and `/flightsFuture`, its schedule of a later day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.aviationstack import envelope
from sandbox.aviationstack.envelope import Json, Object
from sandbox.aviationstack.rows import Call, Row, rows, same, sold
from sandbox.chance import one_in
from sandbox.world.geography import Airport
from sandbox.world.operations import terminal
from sandbox.world.services import Flight
from sandbox.world.situation import Situation
from sandbox.world.times import wall

YEAR = timedelta(days=365)
WEEK = timedelta(days=7)


def timetable(call: Call) -> Object:
    """The answer to `/timetable`."""
    airport, kind = _board(call)
    part = envelope.window(call.params, call.plan.max_limit, open_ended=True)
    flights = [] if airport is None else _flights(call, airport, kind, wall(call.now, airport.zone).date())
    status = call.params.get("status", "")
    wanted = [flight for flight in flights if not status or call.world.status(flight, call.now) == status]
    selling = sold(list(rows(wanted)), call.params)
    shown: list[Json] = [_board_row(call, selling[index], kind) for index in part.cut(len(selling))]
    return envelope.page(shown, part, len(selling))


def flights_future(call: Call) -> Object:
    """The answer to `/flightsFuture`: in lower case, with empty texts for what is not known."""
    airport, kind = _board(call)
    day = envelope.day(call.params, "date")
    _check_window(day, call.now.date(), call.settings.window)
    part = envelope.window(call.params, call.plan.max_limit, open_ended=True)
    flights = [] if airport is None else _flights(call, airport, kind, day)
    selling = sold(list(rows(flights)), call.params)
    dated = call.settings.time_format != "HH:MM"
    shown: list[Json] = [_future_row(selling[index], day, dated=dated) for index in part.cut(len(selling))]
    return envelope.page(shown, part, len(selling))


def _board(call: Call) -> tuple[Airport | None, str]:
    """The airport and the direction; an airport that nobody knows has an empty board."""
    code, kind = call.params.get("iataCode", ""), call.params.get("type", "")
    if not code:
        raise envelope.invalid("iataCode", "missing_iataCode", "The iataCode is required")
    if kind not in {"departure", "arrival"}:
        raise envelope.invalid("type", "invalid_type", "The type must be departure or arrival")
    return call.world.airports.get(code.upper()), kind


def _flights(call: Call, airport: Airport, kind: str, day: date) -> list[Flight]:
    table = call.world.timetable
    found = table.departures(airport.iata, day) if kind == "departure" else table.arrivals(airport.iata, day)
    for end in ("dep", "arr"):
        found = [flight for flight in found if same(call.params, f"{end}_iataCode", _end(flight, end).iata)]
    return found


def _end(flight: Flight, end: str) -> Airport:
    return flight.service.origin if end == "dep" else flight.service.destination


def _check_window(day: date, today: date, mode: str) -> None:
    """Each mode has been the vendor's rule for some months."""
    lowest = today + WEEK if mode == "week_ahead_on" else today
    highest = today + (WEEK if mode == "week_only" else YEAR)
    if day <= lowest:
        raise envelope.invalid("date", "invalid_future_date", f"The date must be above {lowest}")
    if day > highest:
        raise envelope.invalid(
            "date", "invalid_future_date", f"The date must be below {highest + timedelta(days=1)}"
        )


def _board_row(call: Call, row: Row, kind: str) -> Object:
    flight = row.flight
    seen = call.world.observe(flight, call.now)
    return {
        "type": kind,
        "status": seen.status,
        "airline": {"name": row.airline.name, "iataCode": row.airline.iata, "icaoCode": row.airline.icao},
        "flight": {
            "number": row.number,
            "iataNumber": row.airline.iata + row.number,
            "icaoNumber": row.airline.icao + row.number,
        },
        "codeshared": _operating(flight) if row.marketing else None,
        "departure": _board_departure(flight, seen),
        "arrival": _board_arrival(flight, seen),
    }


def _board_departure(flight: Flight, seen: Situation) -> Object:
    place = flight.service.origin
    return {
        "iataCode": place.iata,
        "icaoCode": place.icao,
        "terminal": seen.departure_terminal,
        "gate": seen.departure_gate,
        "baggage": None,
        "delay": _text(seen.departure_delay),
        **_times(place.zone, flight.departure, seen.estimated_departure, seen.actual_departure),
    }


def _board_arrival(flight: Flight, seen: Situation) -> Object:
    place = flight.service.destination
    return {
        "iataCode": place.iata,
        "icaoCode": place.icao,
        "terminal": seen.arrival_terminal,
        "gate": seen.arrival_gate,
        "baggage": seen.belt,
        "delay": _text(seen.arrival_delay),
        **_times(place.zone, flight.arrival, seen.estimated_arrival, seen.actual_arrival),
    }


def _times(tz: ZoneInfo, scheduled: datetime, estimated: datetime | None, actual: datetime | None) -> Object:
    return {
        "scheduledTime": _stamp(scheduled, tz),
        "estimatedTime": _stamp(estimated, tz),
        "actualTime": _stamp(actual, tz),
        "estimatedRunway": _stamp(actual, tz),
        "actualRunway": _stamp(actual, tz),
    }


def _stamp(moment: datetime | None, tz: ZoneInfo) -> str | None:
    return None if moment is None else wall(moment, tz).isoformat(timespec="milliseconds")


def _text(minutes: int | None) -> str | None:
    return None if minutes is None else str(minutes)


def _operating(flight: Flight) -> dict[str, Mapping[str, str]]:
    """The operating flight, lower case and nested otherwise than in `/flights`."""
    service, airline = flight.service, flight.service.airline
    return {
        "airline": {
            "name": airline.name.lower(),
            "iataCode": airline.iata.lower(),
            "icaoCode": airline.icao.lower(),
        },
        "flight": {
            "number": service.number.lower(),
            "iataNumber": service.name.lower(),
            "icaoNumber": (airline.icao + service.number).lower(),
        },
    }


def _future_row(row: Row, day: date, *, dated: bool) -> Object:
    flight, airline = row.flight, row.airline
    service, kind = flight.service, flight.service.line.type
    known = not one_in(9, "model", service.name, service.origin.iata)
    record: Object = {
        "weekday": str(day.isoweekday()),
        "departure": _future_end(service.origin, flight.departure, airline.iata, dated=dated),
        "arrival": _future_end(service.destination, flight.arrival, airline.iata, dated=dated),
        "aircraft": {
            "modelCode": kind.icao.lower() if known else "",
            "modelText": kind.name.lower() if known else "",
        },
        "airline": {
            "name": airline.name.lower(),
            "iataCode": airline.iata.lower(),
            "icaoCode": airline.icao.lower(),
        },
        "flight": {
            "number": row.number.lower(),
            "iataNumber": (airline.iata + row.number).lower(),
            "icaoNumber": (airline.icao + row.number).lower(),
        },
    }
    if row.marketing:
        record["codeshared"] = _operating(flight)
    return record


def _future_end(place: Airport, moment: datetime, airline: str, *, dated: bool) -> Object:
    local = wall(moment, place.zone)
    return {
        "iataCode": place.iata.lower(),
        "icaoCode": place.icao.lower(),
        "terminal": (terminal(place, airline) or "").lower(),
        "gate": "",
        "scheduledTime": local.isoformat(" ", "seconds") if dated else local.strftime("%H:%M"),
    }
