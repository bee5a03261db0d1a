"""Bringing the airports up to date with the provider's: what is vouched for by a better source stands.

An airport's place and zone turn every local time into an instant, so a provider may add airports and correct
its own, fill what the packaged data leave open, and nothing else.
"""

import math
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from app.airports import repository
from app.airports.service import distance_km
from app.core import clock
from app.core.db import Row, Session
from app.jobs import reference
from app.jobs import service as jobs
from app.jobs.reference import Refused
from app.providers import registry

KIND = "airports.sync"

_MOST_KM = 50
# China keeps one time from its east to its far west, three hours from the sun's; nobody is further off.
_MOST_HOURS = 4.0
_DEGREES_AN_HOUR = 15
_NEEDED = {"name": "name_missing", "country": "country_missing"}


async def ask(session: Session, admin: uuid.UUID) -> Row:
    """The job that does it: a new one, or the one under way."""
    return await jobs.create(session, KIND, {}, admin, only_one=KIND)


@jobs.kind(KIND)
async def run(job: jobs.Running) -> Row:
    """Fetch the provider's airports, compare, and put what is good in force at once."""
    source = registry.schedules()
    gathered = await reference.gather(job, source.airports_page, _better)
    async with job.transaction() as session:
        known = {row["iata"]: row for row in await repository.every_locked(session)}
        cities = {row["city_code"]: row["city"] for row in known.values()} | {
            row["iata"]: row["city"] for row in known.values() if row["iata"] == row["city_code"]
        }
        diff = reference.compare(gathered, known, lambda new, old: _settled(new, old, cities, source.name))
        own = sum(row["source"] == source.name for row in known.values())
        reference.require_plausible(diff, own, await jobs.last_result(session, KIND))
        await repository.put(session, [*diff.added.values(), *diff.changed.values()])
        await job.refuse(session, diff.refusals)
        return await job.finish(session, diff.result())


def _better(candidate: Row, rival: Row) -> bool:
    """Of two records with one code, the one that makes sense."""
    return _makes_sense(candidate) and not _makes_sense(rival)


def _makes_sense(record: Row) -> bool:
    try:
        _check(record)
    except Refused:
        return False
    return all(record[name] is not None for name in ("name", "country", "latitude", "time_zone"))


def _settled(record: Row, before: Row | None, cities: dict[str, str], source: str) -> Row:
    """The airport as it shall be. Raises Refused."""
    _check(record)
    if before is None:
        return _new(record, cities, source)
    if before["source"] == source:
        after = before | {
            name: value for name, value in record.items() if name in before and value is not None
        }
        _check(after)
        return after
    _agree(record, before)
    return before | {"icao": before["icao"] or record["icao"]}


def _new(record: Row, cities: dict[str, str], source: str) -> Row:
    """The provider names no cities: a neighbour under the same city code may know."""
    for name, code in _NEEDED.items():
        if record[name] is None:
            raise Refused(code, f"A new airport needs a {name}.")
    if record["latitude"] is None or record["longitude"] is None:
        raise Refused("bad_coordinates", "A new airport needs its coordinates.")
    if record["time_zone"] is None:
        raise Refused("unknown_time_zone", "A new airport needs its time zone.")
    city_code = record["city_code"] or record["iata"]
    kept = {
        name: record[name]
        for name in ("iata", "icao", "name", "country", "latitude", "longitude", "time_zone")
    }
    return kept | {
        "city": cities.get(city_code, record["name"]),
        "city_code": city_code,
        "elevation_m": None,
        "source": source,
    }


def _check(airport: Row) -> None:
    """What can be said of an airport by itself, as far as it is given. Raises Refused."""
    latitude, longitude, zone = airport["latitude"], airport["longitude"], airport["time_zone"]
    placed = latitude is not None and longitude is not None
    if placed and not _on_earth(latitude, longitude):
        raise Refused("bad_coordinates", "There is no airport at these coordinates.")
    if zone is not None and zone not in _zones():
        raise Refused("unknown_time_zone", "The time zone is not in the tz database.")
    if placed and zone is not None:
        offset = clock.now().astimezone(_zone(zone)).utcoffset() or timedelta()
        # Around the date line, clocks a day apart show the same hour under the same sun.
        ahead = offset / timedelta(hours=1) - longitude / _DEGREES_AN_HOUR
        if abs((ahead + 12) % 24 - 12) > _MOST_HOURS:
            raise Refused("zone_implausible", "The time zone does not fit the longitude.")


def _on_earth(latitude: float, longitude: float) -> bool:
    """0, 0 is in the sea, and how some tables write that they do not know."""
    finite = math.isfinite(latitude) and math.isfinite(longitude)
    return finite and abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)


def _agree(record: Row, known: Row) -> None:
    """Raise Refused where the record speaks of another place: its other words are not to be believed either."""
    if record["latitude"] is not None and record["longitude"] is not None:
        moved = distance_km(known["latitude"], known["longitude"], record["latitude"], record["longitude"])
        if moved > _MOST_KM:
            raise Refused("moved_too_far", f"It would be {moved:.0f} km from where it is known to be.")
    if record["country"] not in (None, known["country"]):
        raise Refused("other_country", f"It is known to be in {known['country']}.")
    if record["time_zone"] is not None and not _same_clock(record["time_zone"], known["time_zone"]):
        raise Refused("other_time_zone", f"Its zone is known to be {known['time_zone']}.")


@lru_cache(maxsize=4096)
def _same_clock(one: str, other: str) -> bool:
    """Whether two zones have shown the same time all this year: many have several names."""
    if one == other:
        return True
    start = datetime(clock.now().year, 1, 1, tzinfo=UTC)
    weeks = (start + timedelta(weeks=week) for week in range(53))
    return all(
        at.astimezone(_zone(one)).utcoffset() == at.astimezone(_zone(other)).utcoffset() for at in weeks
    )


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """By itself the library keeps eight, and reads the others from their files for each airport anew."""
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zones() -> set[str]:
    return available_timezones()
