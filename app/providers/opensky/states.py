"""OpenSky's rows, read one by one: what cannot be used is dropped and counted, never the page.

The traps, all met in the wild: rows of 16 to 19 columns, read by position; `states` that is null; whole
numbers for fractions; callsigns padded, blank, in lower case; the longitude first in states and the latitude
first in tracks.
"""

import re
from typing import Any

import orjson

from app.providers.base import AircraftState, PositionReport, ProviderError, TrackPoint

_ADDRESS = re.compile(r"[0-9a-f]{6}")
# Up to the vertical rate everything is needed; of what comes behind, only the geometric height.
_FEWEST_COLUMNS, _GEOMETRIC = 12, 13
_LATEST = 4_102_444_800  # The year 2100, long before which a time in milliseconds would be noticed.


def report(body: bytes) -> PositionReport:
    """The answer to `/states/all`. Raises ProviderError where it is not one."""
    payload = _json(body)
    rows, time = payload.get("states"), _second(payload.get("time"))
    if time is None or not isinstance(rows, list | None) or "states" not in payload:
        raise ProviderError("unreadable", retry_after_seconds=5)
    read = [_state(row) for row in rows or ()]
    heard = [state for state in read if state is not None]
    return PositionReport(time, heard, len(read) - len(heard))


def track(body: bytes) -> tuple[list[TrackPoint], int]:
    """The answer to `/tracks`, and how many points could not be used."""
    path = _json(body).get("path")
    if not isinstance(path, list | None):
        raise ProviderError("unreadable", retry_after_seconds=5)
    read = [_point(one) for one in path or ()]
    points = sorted(point for point in read if point is not None)
    return points, len(read) - len(points)


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        raise ProviderError("unreadable", retry_after_seconds=5)
    return payload


def _state(row: Any) -> AircraftState | None:
    if not isinstance(row, list) or len(row) < _FEWEST_COLUMNS:
        return None
    address, heard_at = row[0], _second(row[4])
    if not isinstance(address, str) or heard_at is None:
        return None
    address = address.strip().lower()
    if not _ADDRESS.fullmatch(address):
        return None
    longitude, latitude = _within(row[5], 180), _within(row[6], 90)
    if longitude is None or latitude is None:
        longitude = latitude = None
    height = _number(row[7])
    if height is None and len(row) > _GEOMETRIC:
        height = _number(row[_GEOMETRIC])
    return AircraftState(
        address,
        _callsign(row[1]),
        latitude,
        longitude,
        height,
        _number(row[9]),
        _number(row[10]),
        _number(row[11]),
        row[8] is True,
        _second(row[3]) if latitude is not None else None,
        heard_at,
    )


def _point(point: Any) -> TrackPoint | None:
    if not isinstance(point, list) or len(point) < 4:
        return None
    at, latitude, longitude = _second(point[0]), _within(point[1], 90), _within(point[2], 180)
    if at is None or latitude is None or longitude is None:
        return None
    return TrackPoint(at, latitude, longitude, _number(point[3]))


def _callsign(value: Any) -> str | None:
    """As crews should have entered it; they also leave it blank."""
    if not isinstance(value, str):
        return None
    text = value.strip().upper()
    if not (text.isascii() and text.isalnum()):
        text = "".join(c for c in text if c.isascii() and c.isalnum())
    return text[:8] or None


def _number(value: Any) -> float | None:
    """A whole number stays one, and true and false are none."""
    return value if type(value) is float or type(value) is int else None


def _within(value: Any, most: int) -> float | None:
    number = _number(value)
    return number if number is not None and -most <= number <= most else None


def _second(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 < number < _LATEST else None
