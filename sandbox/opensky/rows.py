"""Rows of `/states`: what each aircraft sends, in eighteen columns."""

from __future__ import annotations

import math
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from sandbox.opensky.coverage import covered
from sandbox.opensky.looks import Look, look
from sandbox.opensky.wire import Json, moment, number
from sandbox.world.airspace import Airspace, Leg
from sandbox.world.geography import Airport

Row: TypeAlias = list[Json]
# When, and at which longitude and latitude.
Fix: TypeAlias = tuple[int, float, float] | tuple[None, None, None]

LONGITUDE, LATITUDE, SENSORS, CATEGORY = 5, 6, 12, 17
# Heights come in steps of 25 feet, rates of climb in steps of 64 feet a minute.
HEIGHT_STEP, CLIMB_STEP = 7.62, 0.32512


@lru_cache(maxsize=8)
def everyone(airspace: Airspace, at: int, _edition: tuple[int, int], coverage: str) -> list[Row]:
    """One row for each aircraft, with all columns. The same rows serve until the next full step of time."""
    moments = [moment(at - seconds) for seconds in range(10)]
    flying: dict[str, Row] = {}
    standing: dict[str, Row] = {}
    for leg in airspace.legs(moments[0]):
        seen = look(leg.flight)
        if leg.move.departure <= moments[0] < leg.move.arrival:
            if (row := _in_the_air(leg, seen, at, moments, coverage)) is not None:
                flying[seen.address] = row
        elif (place := leg.stands_at(moments[0])) is not None:
            standing[seen.address] = _on_the_ground(place, seen, at)
    # An aircraft that was sent up again at once is in the air.
    return list((standing | flying).values())


def _in_the_air(leg: Leg, seen: Look, at: int, moments: list[datetime], coverage: str) -> Row | None:
    """The position belongs to its own time, which may be some minutes ago."""
    located = min(seen.located, at - math.ceil(leg.move.departure.timestamp()))
    place = leg.position(moments[located] if located < len(moments) else moment(at - located))
    if place is None or (coverage != "everywhere" and not covered(place.latitude, place.longitude)):
        return None
    height = round(place.altitude / HEIGHT_STEP) * HEIGHT_STEP
    return _row(
        seen,
        at,
        (at - located, place.longitude, place.latitude),
        height=height,
        motion=(place.speed, place.track, round(place.climb / CLIMB_STEP) * CLIMB_STEP),
        geometric=None if seen.height_error is None else height + seen.height_error,
    )


def _on_the_ground(place: Airport, seen: Look, at: int) -> Row:
    """A surface message holds no height, and often little else."""
    where = (at - seen.heard, place.longitude + seen.offset / 100, place.latitude + seen.offset / 150)
    speed = round(abs(seen.offset) * 10, 1) if abs(seen.offset) > 0.5 else 0
    return _row(
        seen,
        at,
        where if seen.place_on_ground else (None, None, None),
        height=None,
        motion=(speed if seen.speed_on_ground else None, seen.facing, None),
        geometric=None,
    )


def _row(
    seen: Look,
    at: int,
    fix: Fix,
    *,
    height: float | None,
    motion: tuple[float | None, float, float | None],
    geometric: float | None,
) -> Row:
    speed, track, climb = motion
    return [
        seen.address,
        seen.callsign,
        seen.country,
        fix[0],
        at - seen.heard if fix[0] is None else max(fix[0], at - seen.heard),
        number(fix[1], 4),
        number(fix[2], 4),
        number(height),
        height is None,
        number(speed),
        number(track),
        number(climb),
        None,
        number(geometric),
        seen.squawk,
        False,
        seen.source,
        seen.category,
    ]
