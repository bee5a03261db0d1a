"""Where one flight is: heard by somebody, or estimated from its times and said to be so."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from app.core import clock, db
from app.core.clock import rfc3339
from app.core.db import Row
from app.flights import service as flights
from app.flights import watch
from app.flights.errors import FlightNotFound
from app.live import areas, known, lookup, matching, numbers, paths, pictures, progress, tiles
from app.live.areas import WORLD
from app.live.errors import PositionsDisabled, PositionsUnavailable
from app.live.pictures import Aircraft
from app.live.tiles import Look
from app.providers import registry

_IDENTIFIER = re.compile(r"[A-Z0-9]{2,8}")
# A flight that is 300 km ahead of its times or behind them is still found around where it should be.
_MARGIN_DEG = 2.5
_BEFORE_DEPARTURE = timedelta(hours=1)
_MEASURES = ("latitude", "longitude", "altitude_m", "ground_speed_mps", "heading_deg", "observed_at")


@dataclass(slots=True)
class Sighting:
    """What is known of a flight or an aircraft: where it was heard and how it was found.

    `look` is the picture in which it was looked for last, None where there is no picture.
    """

    flight: Row | None = None
    aircraft: Aircraft | None = None
    by: str | None = None
    confidence: float = 0.0
    look: Look | None = None


async def track(identifier: str) -> Row:
    """Raises FlightNotFound, and PositionsUnavailable where only positions can tell whether there is one."""
    name, now = numbers.tidy(identifier), clock.now()
    if not _IDENTIFIER.fullmatch(name):
        raise FlightNotFound("Send a flight number, a callsign or an aircraft's address.")
    flight, flown = await _known(name, now)
    if flight is None and flown is None and await lookup.learn(name):
        flight, flown = await _known(name, now)
    seen = await (_of_flight(flight, now) if flight else _of_name(name, flown))
    position = _heard(seen.aircraft) if seen.aircraft else None
    if position is None and seen.flight is not None and progress.airborne(seen.flight, now):
        position = _estimated(seen.flight, now)
        seen.by, seen.confidence = "schedule", _trust(seen.flight)
    return {
        "identifier": identifier,
        "matched_by": seen.by,
        "confidence": seen.confidence,
        "flight": await _view(seen.flight) if seen.flight else None,
        "position": position,
        "progress_percent": _progress(seen.flight, position, now) if seen.flight else None,
        "track": await _path(seen),
        "meta": _meta(seen.look) if seen.look else None,
    }


async def _known(name: str, now: datetime) -> tuple[Row | None, Row | None]:
    """The flight with this number, else that of the aircraft with this address."""
    async with db.transaction() as session:
        flight = await known.numbered(session, name, now)
        flown = await known.flown_by(session, name, now) if not flight and known.is_address(name) else None
    return flight, flown


async def _of_flight(flight: Row, now: datetime) -> Sighting:
    """The aircraft that is on a flight. Of two that may be, neither is taken."""
    seen = Sighting(flight)
    if not matching.timely(flight, now):
        return seen
    address, digits, own_id = (
        flight["aircraft_icao24"],
        flight["number"].lstrip("0"),
        flights.public_id(flight),
    )
    try:
        async for looks in _where_it_may_be(flight, now):
            seen.look = looks[0]
            nearby = [
                one
                for one in pictures.merged([look.picture for look in looks])
                if one.flight_id in (None, own_id)
                and (one.icao24.upper() == address or (one.callsign or "").endswith(digits))
            ]
            rivals = matching.claims(nearby, [flight], seen.look.picture.at).get(flight["id"], [])
            if (claim := matching.settle(rivals)) is not None:
                seen.aircraft = next(one for one in nearby if one.icao24 == claim.icao24)
                seen.by, seen.confidence = claim.by, claim.confidence
                return seen
    except (PositionsUnavailable, PositionsDisabled):
        pass  # What is known of the flight itself is still an answer.
    return seen


async def _where_it_may_be(flight: Row, now: datetime) -> AsyncIterator[list[Look]]:
    """Around its place first, which costs less than the whole world. Raises what `tiles.look` raises."""
    expected = progress.place(flight, now)
    nearby = areas.around(expected.latitude, expected.longitude, _MARGIN_DEG)
    covering = areas.covering(nearby, registry.positions().price, tiles.at_hand)
    around: list[Look] = []
    if covering != [WORLD]:
        with suppress(PositionsUnavailable):  # There may be an old picture of the world.
            around = list(await asyncio.gather(*(tiles.look(tile) for tile in covering)))
    if around:
        yield around
    yield [await tiles.look(WORLD)]


async def _of_name(name: str, flown: Row | None) -> Sighting:
    """The aircraft with this address, or the only one with this callsign."""
    try:
        look = await tiles.look(WORLD)
    except (PositionsUnavailable, PositionsDisabled) as error:
        if flown is None and isinstance(error, PositionsUnavailable):
            raise
        look = None
    heard = look.picture.aircraft if look else []
    by_address = [one for one in heard if one.icao24.upper() == name]
    if by_address:
        return Sighting(await _its_flight(by_address[0]), by_address[0], "icao24", 1.0, look)
    if flown is not None:
        return Sighting(flown, look=look)
    called = [one for one in heard if one.callsign is not None and _same(one.callsign, name)]
    if not called:
        raise FlightNotFound(f"No flight {name} is known, and no aircraft of that name is heard.")
    if len(called) > 1:
        return Sighting(by="callsign", confidence=round(1 / len(called) / 2, 2), look=look)
    return Sighting(await _its_flight(called[0]), called[0], "callsign", 0.95, look)


def _same(callsign: str, name: str) -> bool:
    """Whether a callsign is the one that is asked for, or follows from the flight number that is."""
    if callsign == name:
        return True
    heard, asked = numbers.parsed(callsign), numbers.parsed(name)
    if heard is None or asked is None or heard[1] != asked[1]:
        return False
    return bool(set(numbers.carriers(heard[0])) & set(numbers.carriers(asked[0])))


async def _its_flight(aircraft: Aircraft) -> Row | None:
    if aircraft.flight_id is None:
        return None
    async with db.transaction() as session:
        return await known.with_id(session, aircraft.flight_id)


async def _view(flight: Row) -> Row:
    """The flight as it is shown. If the news of it are old, new ones are fetched for whoever asks next."""
    async with db.transaction() as session:
        view = await flights.read(session, flights.public_id(flight))
    if view["stale"]:
        watch.look_behind(view["id"])
    return view


def _heard(aircraft: Aircraft) -> Row:
    told = orjson.loads(aircraft.wire)
    return {name: told[name] for name in _MEASURES} | {"estimated": False}


def _estimated(flight: Row, now: datetime) -> Row:
    """On the great circle. Nobody has measured anything, so height and speed stay unknown."""
    expected = progress.place(flight, now)
    return dict.fromkeys(_MEASURES) | {
        "latitude": round(expected.latitude, 4),
        "longitude": round(expected.longitude, 4),
        "observed_at": rfc3339(now),
        "estimated": True,
    }


def _trust(flight: Row) -> float:
    """How far an estimate is to be trusted: by what is known of the departure."""
    if flight["departure_actual_at"] is not None:
        return 0.5
    return 0.4 if flight["status"] == "departed" or flight["departure_estimated_at"] is not None else 0.25


def _progress(flight: Row, position: Row | None, now: datetime) -> int | None:
    """Per cent of the way, by where it is, else by its times; it has arrived when somebody says so."""
    if progress.gone(flight) or flight["status"] == "diverted":
        return None
    if flight["status"] in ("landed", "cancelled"):
        return 100 if flight["status"] == "landed" else 0
    if position is not None and not position["estimated"]:
        return round(100 * progress.flown(flight, position["latitude"], position["longitude"]))
    return min(99, round(100 * progress.passed(flight, now)))


async def _path(seen: Sighting) -> list[list[object]]:
    """The aircraft's way on this flight, without what it flew before."""
    if seen.aircraft is None:
        return []
    since = progress.times(seen.flight)[0] - _BEFORE_DEPARTURE if seen.flight else None
    points = await paths.path(seen.aircraft.icao24)
    return [
        [pictures.readable(point.at), point.latitude, point.longitude, point.altitude_m]
        for point in points
        if since is None or point.at >= since.timestamp()
    ]


def _meta(look: Look) -> Row:
    return {"source": look.picture.source, "fetched_at": look.picture.fetched_at, "stale": look.stale}
