"""AviationStack's rows, read one by one: what cannot be used is dropped and counted, never the page.

The traps, all met in the wild: local times stamped `+00:00`; numbers as text; codes in any case; empty
strings for null; objects that are null; one row for each marketing carrier of a flight.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from app.core.metrics import UPSTREAM_ROWS_DROPPED
from app.providers.base import AirlineRecord, AirportRecord, FlightRecord, Movement

Json = dict[str, Any]

_AIRPORT = re.compile(r"[A-Z]{3}")
_DESIGNATOR = re.compile(r"(?=.?[A-Z])[A-Z0-9]{2}")
_ICAO_AIRPORT = re.compile(r"[A-Z][A-Z0-9]{3}")
_ICAO_AIRLINE = re.compile(r"[A-Z]{3}")
_ACCOUNTING = re.compile(r"\d{3}")
_AIRCRAFT = re.compile(r"[A-Z0-9]{2,4}")
_ICAO24 = re.compile(r"[0-9A-F]{6}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"\d{1,4}[A-Z]?")
_CLOCK = re.compile(
    r"(?:(\d{4}-\d{2}-\d{2})[tT ])?(\d{2}):(\d{2})(?::\d{2})?(?:\.\d+)?(?:Z|z|[+-]\d{2}:?\d{2})?"
)
_MOST_MINUTES = 10_000
_STATUS = {
    "scheduled": "scheduled",
    "active": "departed",
    "landed": "landed",
    "cancelled": "cancelled",
    "diverted": "diverted",
    "redirected": "diverted",
}


def flights(rows: Iterable[Json]) -> list[FlightRecord]:
    """`/flights` rows as operating flights."""
    return _folded("flights", rows, _flight)


def future_flights(rows: Iterable[Json], local_date: date) -> list[FlightRecord]:
    """`/flightsFuture` rows as operating flights; `local_date` is the date that was asked for."""
    return _folded("flightsFuture", rows, lambda row: _future_flight(row, local_date))


def airports(rows: Iterable[Json]) -> list[AirportRecord]:
    """`/airports` rows that have an IATA code; what else they lack is None, for the reader to judge."""
    found: dict[str, AirportRecord] = {}
    for row in rows:
        iata = _code(row.get("iata_code"), _AIRPORT)
        if not iata:
            UPSTREAM_ROWS_DROPPED.labels("aviationstack", "airports").inc()
            continue
        found[iata] = AirportRecord(
            iata=iata,
            icao=_code(row.get("icao_code"), _ICAO_AIRPORT),
            name=_text(row.get("airport_name"), 100),
            city_code=_code(row.get("city_iata_code"), _AIRPORT),
            country=_code(row.get("country_iso2"), _COUNTRY),
            latitude=_degrees(row.get("latitude"), 90),
            longitude=_degrees(row.get("longitude"), 180),
            time_zone=_text(row.get("timezone"), 60),
        )
    return list(found.values())


def airlines(rows: Iterable[Json]) -> list[AirlineRecord]:
    """`/airlines` rows that have an IATA designator; the first row wins where several share one."""
    found: dict[str, AirlineRecord] = {}
    for row in rows:
        iata, name = _code(row.get("iata_code"), _DESIGNATOR), _text(row.get("airline_name"), 100)
        if not iata or not name:
            UPSTREAM_ROWS_DROPPED.labels("aviationstack", "airlines").inc()
            continue
        found.setdefault(
            iata,
            AirlineRecord(
                iata=iata,
                name=name,
                icao=_code(row.get("icao_code"), _ICAO_AIRLINE),
                callsign=_text(row.get("callsign"), 60),
                country=_code(row.get("country_iso2"), _COUNTRY),
                active=_text(row.get("status"), 20) in (None, "active"),
                accounting_code=_code(row.get("iata_prefix_accounting"), _ACCOUNTING),
            ),
        )
    return list(found.values())


def _folded(endpoint: str, rows: Iterable[Json], read: Any) -> list[FlightRecord]:
    """Fold the rows of marketing carriers onto the flight that really operates."""
    operating: dict[tuple[Any, ...], FlightRecord] = {}
    for row in rows:
        try:
            flight, sold_as = read(row)
        except (ValueError, TypeError, AttributeError, OverflowError):
            UPSTREAM_ROWS_DROPPED.labels("aviationstack", endpoint).inc()
            continue
        key = (flight.carrier, flight.number, flight.departure.iata, flight.departure.scheduled)
        known = operating.get(key)
        codeshares = flight.codeshares | (known.codeshares if known else set())
        if known is None or sold_as is None:
            # A marketing row alone still proves that the operating flight exists.
            operating[key] = flight
        operating[key].codeshares = codeshares | ({sold_as} if sold_as else set())
    return list(operating.values())


def _flight(row: Json) -> tuple[FlightRecord, str | None]:
    airline, flight, aircraft = _object(row, "airline"), _object(row, "flight"), _object(row, "aircraft")
    operator = _first_object(flight.get("codeshared") or row.get("codeshared"))
    record = _record(
        carrier=operator.get("airline_iata") if operator else airline.get("iata"),
        number=operator.get("flight_number") if operator else flight.get("number"),
        departure=_movement(_object(row, "departure")),
        arrival=_movement(_object(row, "arrival")),
    )
    record.status = _STATUS.get(str(row.get("flight_status")).lower(), "unknown")
    record.aircraft_type = _code(aircraft.get("icao"), _AIRCRAFT) or _code(aircraft.get("iata"), _AIRCRAFT)
    record.aircraft_registration = _text(aircraft.get("registration"), 12)
    record.aircraft_icao24 = _code(aircraft.get("icao24"), _ICAO24)
    if operator:
        record.carrier_name, record.carrier_icao = None, _code(operator.get("airline_icao"), _ICAO_AIRLINE)
    else:
        record.carrier_name, record.carrier_icao = (
            _text(airline.get("name"), 100),
            _code(airline.get("icao"), _ICAO_AIRLINE),
        )
    return record, _sold_as(airline.get("iata"), flight.get("number")) if operator else None


def _movement(side: Json) -> Movement:
    return Movement(
        iata=_require(_code(side.get("iata"), _AIRPORT)),
        scheduled=_local(side.get("scheduled")),
        estimated=_local(side.get("estimated")),
        actual=_local(side.get("actual")),
        terminal=_text(side.get("terminal"), 10),
        gate=_text(side.get("gate"), 10),
        delay_minutes=_whole(side.get("delay")),
        baggage_belt=_text(side.get("baggage"), 10),
    )


def _future_flight(row: Json, local_date: date) -> tuple[FlightRecord, str | None]:
    airline, flight, aircraft = _object(row, "airline"), _object(row, "flight"), _object(row, "aircraft")
    operator = _first_object(row.get("codeshared"))
    operating_airline = _object(operator, "airline") if operator else airline
    operating_flight = _object(operator, "flight") if operator else flight
    record = _record(
        carrier=operating_airline.get("iataCode"),
        number=operating_flight.get("number"),
        departure=_future_movement(_object(row, "departure"), local_date),
        arrival=_future_movement(_object(row, "arrival"), local_date),
    )
    record.aircraft_type = _code(aircraft.get("modelCode"), _AIRCRAFT)
    record.carrier_name = _titled(operating_airline.get("name"))
    record.carrier_icao = _code(operating_airline.get("icaoCode"), _ICAO_AIRLINE)
    return record, _sold_as(airline.get("iataCode"), flight.get("number")) if operator else None


def _future_movement(side: Json, local_date: date) -> Movement:
    text = str(side.get("scheduledTime") or "")
    return Movement(
        iata=_require(_code(side.get("iataCode"), _AIRPORT)),
        scheduled=_local(text, local_date),
        scheduled_time_only=bool(text) and "-" not in text,
        terminal=_upper(_text(side.get("terminal"), 10)),
        gate=_upper(_text(side.get("gate"), 10)),
    )


def _record(carrier: Any, number: Any, departure: Movement, arrival: Movement) -> FlightRecord:
    """The four things without which a row says nothing: carrier, number, places and times."""
    if departure.scheduled is None or arrival.scheduled is None:
        raise ValueError("no time")
    return FlightRecord(
        carrier=_require(_code(carrier, _DESIGNATOR)),
        number=_require(_code(number, _NUMBER)),
        departure=departure,
        arrival=arrival,
    )


def _sold_as(carrier: Any, number: Any) -> str | None:
    designator, digits = _code(carrier, _DESIGNATOR), _code(number, _NUMBER)
    return f"{designator}{digits}" if designator and digits else None


def calendar_date(text: str) -> date | None:
    """A `YYYY-MM-DD` that exists, or None: the vendor also sends `0000-00-00` and 31 February."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _local(value: Any, without_date: date | None = None) -> datetime | None:
    """A clock reading at the airport. Any offset on it is false and dropped; `24:00` is the next midnight."""
    match = _CLOCK.fullmatch(str(value).strip()) if value else None
    if match is None:
        return None
    day = calendar_date(match.group(1)) if match.group(1) else without_date
    hour, minute = int(match.group(2)), int(match.group(3))
    if day is None or minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    if not 2000 <= day.year < 2100:  # Years 1 and 9999 are ways of writing null, and no zone can hold them.
        return None
    midnight = datetime.combine(day, time())
    return midnight + timedelta(hours=hour, minutes=minute)


def _object(row: Json, name: str) -> Json:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _first_object(value: Any) -> Json:
    """A codeshare, given as an object or as a list of them."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def _text(value: Any, longest: int) -> str | None:
    """Printable text of a sane length; the vendor's ways of writing null are None."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    text = "".join(c for c in str(value) if c.isprintable()).strip()
    return None if not text or len(text) > longest or text.lower() in ("null", "n/a", "none") else text


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def _titled(value: Any) -> str | None:
    """A name that arrives in lower case, as a name is written."""
    text = _text(value, 100)
    return " ".join(word[:1].upper() + word[1:] for word in text.split()) if text else None


def _code(value: Any, pattern: re.Pattern[str]) -> str | None:
    text = _text(value, 12)
    return text.upper() if text and pattern.fullmatch(text.upper()) else None


def _whole(value: Any) -> int | None:
    """Minutes of some sane number, however they are written."""
    try:
        minutes = int(float(value)) if value not in (None, "") else None
    except (TypeError, ValueError, OverflowError):
        return None
    return minutes if minutes is not None and abs(minutes) <= _MOST_MINUTES else None


def _degrees(value: Any, most: int) -> float | None:
    """An angle within its bounds, however it is written; NaN is none."""
    try:
        degrees = float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return degrees if degrees is not None and -most <= degrees <= most else None


def _require(value: str | None) -> str:
    if value is None:
        raise ValueError("missing")
    return value
