"""`/states`: everything that somebody hears at a moment, one row for each aircraft."""

from __future__ import annotations

import math
from typing import NamedTuple

from sandbox.faults import Answer
from sandbox.opensky.credits import area_cost
from sandbox.opensky.rows import CATEGORY, LATITUDE, LONGITUDE, SENSORS, Row, everyone
from sandbox.opensky.wire import Call, Json, Refusal, json_answer, second

OLDEST = 3600
RESOLUTION, ANONYMOUS_RESOLUTION = 5, 10
TRUE = frozenset({"1", "true"})
# The one receiver that belongs to anybody stands near Heathrow, and these own it.
OWNERS = frozenset({"feeder", "sandbox"})
RECEIVER = 1408245132


class Box(NamedTuple):
    """Degrees, the edges included."""

    south: float
    west: float
    north: float
    east: float

    @property
    def area(self) -> float:
        return (self.north - self.south) * (self.east - self.west)

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


EDGES = {"lamin": 90.0, "lomin": 180.0, "lamax": 90.0, "lomax": 180.0}
HEARD_BY_RECEIVER = Box(49.0, -4.5, 54.0, 3.5)


def everything(call: Call) -> Answer:
    """The answer to `/states/all`."""
    box, at = _box(call), _at(call)
    call.pay("states", area_cost(box.area if box else None))
    return _answer(call, at, box)


def own(call: Call) -> Answer:
    """The answer to `/states/own`: what one's own receivers hear, free of charge."""
    if call.client is None:
        raise Refusal(403, "Forbidden")
    at = _at(call)
    if call.client not in OWNERS:
        return json_answer({"time": at, "states": None})
    return _answer(call, at, HEARD_BY_RECEIVER, [RECEIVER])


def _answer(call: Call, at: int, box: Box | None, sensors: Json = None) -> Answer:
    rows = everyone(call.airspace, at, call.airspace.edition, call.settings.coverage)
    if addresses := set(call.params.getlist("icao24")):
        rows = [row for row in rows if row[0] in addresses]
    if box:
        rows = [row for row in rows if _inside(box, row)]
    extended = call.params.get("extended", "").lower() in TRUE
    shown: list[Json] = [row if extended else row[:CATEGORY] for row in rows]
    if sensors:
        shown = [[*row[:SENSORS], sensors, *row[SENSORS + 1 :]] for row in shown if isinstance(row, list)]
    return json_answer({"time": at, "states": shown or None})


def _inside(box: Box, row: Row) -> bool:
    latitude, longitude = row[LATITUDE], row[LONGITUDE]
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return box.holds(latitude, longitude)
    return False


def _at(call: Call) -> int:
    """The moment of the answer. Whoever has no token gets the newest, and not every five seconds."""
    newest = int(call.now.timestamp())
    asked = second(call.params, "time", 0)
    if call.client is None:
        if asked and call.settings.anonymous_time == "refused":
            raise Refusal(400, "History is not available to anonymous users")
        return newest - newest % ANONYMOUS_RESOLUTION
    if asked and asked < newest - OLDEST:
        raise Refusal(400, "History is limited to one hour")
    at = min(asked or newest, newest)
    return at - at % RESOLUTION


def _box(call: Call) -> Box | None:
    given = [name for name in EDGES if call.params.get(name)]
    if not given:
        return None
    if len(given) < len(EDGES):
        raise Refusal(400, "A bounding box needs lamin, lomin, lamax and lomax")
    box = Box(*(_degrees(call.params[name], name) for name in EDGES))
    if box.south > box.north or box.west > box.east:
        raise Refusal(400, "The bounding box is inside out")
    return box


def _degrees(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Nothing that is not a number passes the comparison.
    if not abs(value) <= EDGES[name]:
        raise Refusal(400, f"{name} must be degrees within -{EDGES[name]:.0f} and {EDGES[name]:.0f}")
    return value
