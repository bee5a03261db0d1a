"""Where somebody listens: near airports. Over the oceans, and in the middle of deserts, nobody does."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from typing import NamedTuple

from sandbox.world.geography import EARTH_KM, airports

REACH_KM = 400.0
# The cosine of the angle that the reach spans at the centre of the earth.
NEAR = math.cos(REACH_KM / EARTH_KM)
# Decided for cells of half a degree, and once for each.
CELL = 0.5
# Airports are looked for in squares of so many degrees: a little more than the reach, so that to the north
# and to the south one square further is enough.
SQUARE = 4


class Vector(NamedTuple):
    """A point on the unit sphere."""

    x: float
    y: float
    z: float


def covered(latitude: float, longitude: float) -> bool:
    """Whether anybody hears an aircraft there."""
    return _covered(math.floor(latitude / CELL), math.floor(longitude / CELL))


@cache
def _covered(row: int, column: int) -> bool:
    latitude, longitude = (row + 0.5) * CELL, (column + 0.5) * CELL
    here = _vector(latitude, longitude)
    return any(
        here.x * other.x + here.y * other.y + here.z * other.z > NEAR
        for square in _around(latitude, longitude)
        for other in _squares().get(square, ())
    )


def _around(latitude: float, longitude: float) -> list[tuple[int, int]]:
    """The squares that lie within reach, the own one first."""
    row, column, columns = math.floor(latitude / SQUARE), math.floor(longitude / SQUARE), 360 // SQUARE
    # A degree of longitude shrinks towards the poles, where every square is near.
    poleward = min(89.0, abs(latitude) + SQUARE)
    wide = math.ceil(math.degrees(REACH_KM / EARTH_KM) / math.cos(math.radians(poleward)) / SQUARE)
    sideways = range(columns) if 2 * wide >= columns else range(-wide, wide + 1)
    found = [
        (row + up, (column + aside + columns // 2) % columns - columns // 2)
        for up in (0, -1, 1)
        for aside in sideways
    ]
    return sorted(found, key=lambda square: square != (row, column))


@cache
def _squares() -> dict[tuple[int, int], list[Vector]]:
    """All airports, by square."""
    squares: dict[tuple[int, int], list[Vector]] = defaultdict(list)
    for place in airports().values():
        square = math.floor(place.latitude / SQUARE), math.floor(place.longitude / SQUARE)
        squares[square].append(_vector(place.latitude, place.longitude))
    return squares


def _vector(latitude: float, longitude: float) -> Vector:
    up, round_ = math.radians(latitude), math.radians(longitude)
    return Vector(math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up))
