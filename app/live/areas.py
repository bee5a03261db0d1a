"""Parts of the map: the boxes that viewers ask for, and the tiles in which they are fetched and shared."""

import math
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from app.providers.base import Box

_DEGREES = re.compile(r"-?\d{1,3}(\.\d{1,15})?")
_EDGES = (180.0, 90.0, 180.0, 90.0)
# Each grid begins at the south pole and at the antimeridian, so no tile crosses either.
_SIZES = (5, 10, 20)


class Tile(NamedTuple):
    """A square of a grid; size 0 is the whole world."""

    size: int
    column: int
    row: int

    @property
    def name(self) -> str:
        return f"{self.size}.{self.column}.{self.row}" if self.size else "world"

    @property
    def box(self) -> Box | None:
        if not self.size:
            return None
        west, south = self.column * self.size - 180, self.row * self.size - 90
        return Box(west, south, west + self.size, south + self.size)


WORLD = Tile(0, 0, 0)
Price = Callable[[Box | None], int]


def boxes(text: str) -> list[Box]:
    """`west,south,east,north` as one box, or as two where it crosses the antimeridian. Raises ValueError."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(_EDGES) or not all(_DEGREES.fullmatch(part) for part in parts):
        raise ValueError("Send four numbers in degrees: west,south,east,north")
    west, south, east, north = degrees = [float(part) for part in parts]
    if any(abs(value) > edge for value, edge in zip(degrees, _EDGES, strict=True)):
        raise ValueError("Longitudes go from -180 to 180 and latitudes from -90 to 90")
    if south >= north:
        raise ValueError("South must be less than north")
    if west == east or (west, east) == (180.0, -180.0):
        raise ValueError("West and east must differ")
    halves = [(west, east)] if west < east else [(west, 180.0), (-180.0, east)]
    return [Box(left, south, right, north) for left, right in halves if left < right]


def around(latitude: float, longitude: float, degrees: float) -> list[Box]:
    """The box of that many degrees to every side."""
    south, north = max(-90.0, latitude - degrees), min(90.0, latitude + degrees)
    west, east = longitude - degrees, longitude + degrees
    if west < -180:
        return [Box(west + 360, south, 180.0, north), Box(-180.0, south, east, north)]
    if east > 180:
        return [Box(west, south, 180.0, north), Box(-180.0, south, east - 360, north)]
    return [Box(west, south, east, north)]


def covering(wanted: list[Box], price: Price, at_hand: Callable[[Tile], bool]) -> list[Tile]:
    """The tiles that show these boxes for the fewest credits; of equals, the fewest. What is at hand is free."""

    def cost(tiles: list[Tile]) -> tuple[int, int]:
        return sum(price(tile.box) for tile in tiles if not at_hand(tile)), len(tiles)

    most = price(WORLD.box)
    grids = [_grid(size, wanted, most) for size in _SIZES]
    return min([*(tiles for tiles in grids if tiles), [WORLD]], key=cost)


def _grid(size: int, wanted: Iterable[Box], most: int) -> list[Tile]:
    """A grid's tiles under these boxes; none if they are more than it can pay to fetch."""
    found: dict[Tile, None] = {}
    for box in wanted:
        columns = range(math.floor((box.west + 180) / size), math.ceil((box.east + 180) / size))
        rows = range(math.floor((box.south + 90) / size), math.ceil((box.north + 90) / size))
        if len(columns) * len(rows) > most:
            return []
        found.update(dict.fromkeys(Tile(size, column, row) for column in columns for row in rows))
    return list(found)
