"""`/tracks`: the way that one aircraft has come. Latitude first, unlike in `/states`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

from sandbox.faults import Answer
from sandbox.opensky.coverage import covered
from sandbox.opensky.credits import LIVE, history_cost
from sandbox.opensky.looks import look
from sandbox.opensky.rows import HEIGHT_STEP
from sandbox.opensky.wire import (
    Call,
    Json,
    Refusal,
    json_answer,
    moment,
    nothing_found,
    number,
    required,
    second,
)
from sandbox.world.airspace import Leg
from sandbox.world.situation import CLIMB_S

HISTORY = timedelta(days=30)
# While it climbs or descends much happens, and afterwards little.
CLOSE, WIDE = 60, 300


def track(call: Call) -> Answer:
    """The answer to `/tracks`: of the flight under way, or of the one at a time in the past."""
    address, asked = required(call.params, "icao24"), second(call.params, "time", 0)
    at = min(moment(asked), call.now) if asked else call.now
    if at < call.now - HISTORY:
        raise Refusal(400, "Tracks are kept for 30 days")
    call.pay("tracks", history_cost(at, at, call.now) if asked else LIVE)
    for leg in call.airspace.legs(at):
        if look(leg.flight).address == address and leg.position(at) is not None:
            return _answer(call, leg)
    return nothing_found()


def _answer(call: Call, leg: Leg) -> Answer:
    path = [point for at in _times(call, leg) if (point := _point(leg, at, call.settings.coverage))]
    if not path:
        return nothing_found()
    seen = look(leg.flight)
    return json_answer(
        {
            "icao24": seen.address,
            call.settings.track_callsign_key: seen.callsign,
            "startTime": path[0][0],
            "endTime": path[-1][0],
            "path": path,
        }
    )


def _times(call: Call, leg: Leg) -> Iterator[int]:
    """From departure to now, or to the last second in the air."""
    begin = math.ceil(leg.move.departure.timestamp())
    end = min(int(call.now.timestamp()), math.ceil(leg.move.arrival.timestamp()) - 1)
    lands = leg.move.arrival.timestamp()
    at = begin
    while at < end:
        yield at
        at += CLOSE if at < begin + CLIMB_S or at >= lands - CLIMB_S else WIDE
    yield end


def _point(leg: Leg, at: int, coverage: str) -> list[Json] | None:
    place = leg.position(moment(at))
    if place is None or (coverage != "everywhere" and not covered(place.latitude, place.longitude)):
        return None
    height = round(place.altitude / HEIGHT_STEP) * HEIGHT_STEP
    return [
        at,
        number(place.latitude, 4),
        number(place.longitude, 4),
        number(height),
        # Once in a while nobody has heard the direction.
        None if at % 23 == 0 else number(place.track),
        at <= leg.move.departure.timestamp(),
    ]
