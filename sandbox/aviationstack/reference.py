"""The tables that seldom change. Every value is text or null, and no `id` survives the day."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

from sandbox import tables
from sandbox.aviationstack import envelope
from sandbox.aviationstack.envelope import Object
from sandbox.aviationstack.plans import not_in_plan
from sandbox.aviationstack.rows import Call, about
from sandbox.chance import one_in
from sandbox.world.fleet import Aircraft, AircraftType, Airline, aircraft_types
from sandbox.world.geography import Airport, airports
from sandbox.world.operations import terminal
from sandbox.world.services import Service
from sandbox.world.times import wall, zone
from sandbox.world.timetable import dated

T = TypeVar("T")


def listing(
    call: Call, things: Sequence[T], text: Callable[[T], str], record: Callable[[T, int, Call], Object]
) -> Object:
    """A page of a table; `search` looks into the text of each thing."""
    part = envelope.window(call.params, call.plan.max_limit)
    if asked := call.params.get("search", "").lower():
        if not call.plan.extras:
            raise not_in_plan("Your current subscription plan does not support the search.")
        things = [thing for thing in things if asked in text(thing).lower()]
    shown = [record(things[index], index, call) for index in part.cut(len(things))]
    return envelope.page(shown, part, len(things), offset_first=True)


def airports_page(call: Call) -> Object:
    """The answer to `/airports`: every airport there is, served or not."""
    return listing(
        call, list(call.world.airports.values()), lambda a: f"{a.iata} {a.name} {a.city}", _airport
    )


def airlines_page(call: Call) -> Object:
    """The answer to `/airlines`."""
    return listing(
        call, list(call.world.airlines.values()), lambda a: f"{a.iata} {a.icao} {a.name}", _airline
    )


def airplanes_page(call: Call) -> Object:
    """The answer to `/airplanes`."""
    return listing(call, call.world.fleet, lambda a: f"{a.registration} {a.type.name}", _airplane)


def aircraft_types_page(call: Call) -> Object:
    """The answer to `/aircraft_types`."""
    return listing(call, list(aircraft_types().values()), lambda t: f"{t.iata} {t.name}", _aircraft_type)


def taxes_page(call: Call) -> Object:
    """The answer to `/taxes`."""
    return listing(call, tables.rows("taxes"), lambda row: row["tax_name"], _tax)


def cities_page(call: Call) -> Object:
    """The answer to `/cities`."""
    return listing(call, _cities(), lambda a: f"{a.city_code} {a.city}", _city)


def countries_page(call: Call) -> Object:
    """The answer to `/countries`."""
    return listing(call, list(_countries().values()), lambda row: f"{row['iso2']} {row['name']}", _country)


def routes_page(call: Call) -> Object:
    """The answer to `/routes`: every flight number once, with times of day and no days."""
    services = call.world.timetable.services
    for name, text in ROUTE_FILTERS.items():
        if asked := call.params.get(name, "").upper():
            services = [service for service in services if text(service) == asked]
    part = envelope.window(call.params, call.plan.max_limit)
    shown = [_route(services[index], call.now) for index in part.cut(len(services))]
    return envelope.page(shown, part, len(services))


ROUTE_FILTERS: dict[str, Callable[[Service], str]] = {
    "airline_iata": lambda service: service.airline.iata,
    "airline_icao": lambda service: service.airline.icao,
    "dep_iata": lambda service: service.origin.iata,
    "dep_icao": lambda service: service.origin.icao,
    "arr_iata": lambda service: service.destination.iata,
    "arr_icao": lambda service: service.destination.icao,
    "flight_number": lambda service: service.number,
    "flight_num": lambda service: service.number,
}


def _route(service: Service, now: datetime) -> Object:
    flight = dated(service, now.date())
    ends = []
    for place, moment in ((service.origin, flight.departure), (service.destination, flight.arrival)):
        hidden = one_in(40, "route", service.name, place.iata)
        end: Object = {
            "airport": place.name,
            "timezone": place.timezone,
            "iata": place.iata,
            "icao": place.icao or None,
            "terminal": terminal(place, service.airline.iata),
            "time": None if hidden else wall(moment, place.zone).strftime("%H:%M:%S"),
        }
        ends.append(end)
    airline = service.airline
    return {
        "departure": ends[0],
        "arrival": ends[1],
        "airline": {
            "name": airline.name,
            "callsign": airline.callsign,
            "iata": airline.iata,
            "icao": airline.icao,
        },
        "flight": {"number": service.number},
    }


def _airport(place: Airport, index: int, call: Call) -> Object:
    country = _countries().get(place.country)
    return {
        "id": _id("airports", index, call),
        "gmt": gmt(place.timezone, call.now),
        "airport_id": str(index + 1),
        "iata_code": place.iata,
        "city_iata_code": place.city_code,
        "icao_code": place.icao or None,
        "country_iso2": place.country,
        "geoname_id": None if one_in(8, "geoname", place.iata) else _number("geoname", place.iata, 6_000_000),
        "latitude": str(place.latitude),
        "longitude": str(place.longitude),
        "airport_name": place.name,
        "country_name": country["name"] if country else None,
        "phone_number": None,
        "timezone": place.timezone,
    }


def _airline(airline: Airline, index: int, call: Call) -> Object:
    country = _countries()[airline.country]
    age = 4 + zlib.crc32(airline.iata.encode()) % 90 / 10
    return {
        "id": _id("airlines", index, call),
        "airline_id": str(index + 1),
        "airline_name": airline.name,
        "iata_code": airline.iata,
        "icao_code": airline.icao,
        "callsign": airline.callsign,
        "iata_prefix_accounting": airline.accounting,
        "type": "scheduled,division" if one_in(5, "type", airline.iata) else "scheduled",
        "status": "active",
        "fleet_size": str(len(airline.fleet)),
        "fleet_average_age": f"{age:.1f}",
        "date_founded": airline.founded,
        "hub_code": airline.hubs[0],
        "country_name": country["name"],
        "country_iso2": airline.country,
    }


def _airplane(aircraft: Aircraft, index: int, call: Call) -> Object:
    kind, tail = aircraft.type, aircraft.registration
    built = 2005 + zlib.crc32(tail.encode()) % 20
    return {
        "id": _id("airplanes", index, call),
        "airplane_id": str(index + 1),
        "registration_number": tail,
        "production_line": kind.maker_line,
        "iata_type": kind.iata,
        "model_name": None,
        "model_code": kind.icao,
        "icao_code_hex": aircraft.icao24,
        "iata_code_short": kind.iata,
        "iata_code_long": kind.icao,
        "construction_number": _number("msn", tail, 1000),
        "line_number": None,
        "plane_series": None,
        "airline_iata_code": aircraft.airline.iata,
        "airline_icao_code": aircraft.airline.icao,
        "plane_owner": None if one_in(3, "owner", tail) else aircraft.airline.name,
        "engines_count": str(kind.engines),
        "engines_type": kind.engine_kind,
        "plane_age": str(max(0, call.now.year - built)),
        "plane_status": "active",
        "plane_class": None,
        "test_registration_number": None,
        "rollout_date": None,
        "first_flight_date": None if one_in(2, "first", tail) else f"{built}-03-02",
        "delivery_date": f"{built}-05-17",
        "registration_date": "0000-00-00" if one_in(4, "registered", tail) else f"{built}-05-20",
    }


def _aircraft_type(kind: AircraftType, index: int, call: Call) -> Object:
    return {
        "id": _id("aircraft_types", index, call),
        "plane_type_id": str(index + 1),
        "iata_code": kind.iata,
        "aircraft_name": kind.name,
    }


def _tax(row: dict[str, str], index: int, call: Call) -> Object:
    return {
        "id": _id("taxes", index, call),
        "tax_id": row["tax_id"],
        "tax_name": row["tax_name"],
        "iata_code": row["iata_code"],
    }


def _city(place: Airport, index: int, call: Call) -> Object:
    return {
        "id": _id("cities", index, call),
        "gmt": gmt(place.timezone, call.now),
        "city_id": str(index + 1),
        "iata_code": place.city_code,
        "country_iso2": place.country,
        "geoname_id": None
        if one_in(8, "city", place.city_code)
        else _number("city", place.city_code, 2_000_000),
        "latitude": str(place.latitude),
        "longitude": str(place.longitude),
        "city_name": place.city,
        "timezone": place.timezone,
    }


def _country(row: dict[str, str], index: int, call: Call) -> Object:
    return {
        "id": _id("countries", index, call),
        "country_id": str(index + 1),
        "country_name": row["name"],
        "country_iso2": row["iso2"],
        "country_iso3": row["iso3"],
        "country_iso_numeric": row["numeric"],
        "continent": row["continent"],
        "capital": row["capital"] or None,
        "currency_code": row["currency"] or None,
        "currency_name": row["currency_name"] or None,
        "fips_code": None,
        "phone_prefix": row["phone"] or None,
        "population": None,
    }


def gmt(name: str, now: datetime) -> str:
    """The offset outside daylight saving time, as the vendor writes it: `-10`, `5.45`."""
    local = now.astimezone(zone(name))
    offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else ""
    return f"{sign}{hours}.{rest}" if rest else f"{sign}{hours}"


def _id(table: str, index: int, call: Call) -> str:
    """Another number every day, as after a reload of the vendor's tables."""
    return str(1_000_000 + zlib.crc32(f"{table}/{about(call.now)}".encode()) % 8_000_000 + index)


def _number(kind: str, of: str, first: int) -> str:
    return str(first + zlib.crc32(f"{kind}/{of}".encode()) % 1_000_000)


@cache
def _countries() -> dict[str, dict[str, str]]:
    return {row["iso2"]: row for row in tables.rows("countries")}


@cache
def _cities() -> list[Airport]:
    """One airport for each city code: the largest stands for its city."""
    cities: dict[str, Airport] = {}
    for place in sorted(airports().values(), key=lambda place: (-place.size, place.iata)):
        cities.setdefault(place.city_code, place)
    return sorted(cities.values(), key=lambda place: place.city_code)
