"""Boxes: refused where they make no sense, and cut in two at the antimeridian."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live import areas
from app.live.areas import WORLD, Tile
from app.providers.base import Box
from app.providers.opensky.client import OpenSky
from tests.live.support import Sky
from tests.support.client import Client

BAD = [
    "",
    "1,2,3",
    "1,2,3,4,5",
    "a,b,c,d",
    "nan,0,1,1",
    "0,inf,1,1",
    "1e1,0,20,1",
    "0,10,10,0",
    "0,10,10,10",
    "10,0,10,10",
    "-181,0,10,10",
    "0,-91,10,10",
    "0,0,181,10",
    "0,0,10,90.5",
    "180,0,-180,10",
]
LONGITUDES, LATITUDES = st.integers(-180, 180), st.integers(-90, 90)


@pytest.mark.parametrize("bbox", BAD)
async def test_a_box_that_makes_no_sense_is_refused(api: Client, sky: Sky, bbox: str) -> None:
    """By us, before it costs anything."""
    answer = await api.get("/flights/live", bbox=bbox)

    assert (answer.status, answer.code) == (422, "validation_error")
    assert [error["pointer"] for error in answer.body["errors"]] == ["bbox"]
    assert await sky.calls() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("airline", "ABCD"),
        ("airline", "A"),
        ("flight_number", "1234"),
        ("flight_number", "BA12345"),
        ("limit", "0"),
        ("limit", "10001"),
    ],
)
async def test_other_filters_are_checked_too(api: Client, sky: Sky, name: str, value: str) -> None:
    answer = await api.get("/flights/live", **{name: value})

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [name]


async def test_a_box_across_the_antimeridian_has_both_sides(api: Client, sky: Sky) -> None:
    """The vendor gets boxes that it understands only."""
    await sky.set(coverage="everywhere")
    west = await sky.airborne("AKL", "NAN", minutes=60, left=60)
    east = await sky.airborne("APW", "NAN", minutes=5, left=100)
    answer = await api.get("/flights/live", bbox="170,-40,-170,-10", limit=10_000)

    seen = {row["icao24"]: row["longitude"] for row in answer.body["data"]}
    assert 170 <= seen[west["icao24"].lower()] <= 180
    assert -180 <= seen[east["icao24"].lower()] <= -170
    assert all(longitude >= 170 or longitude <= -170 for longitude in seen.values())


async def test_the_vendor_never_gets_a_box_inside_out(api: Client, sky: Sky) -> None:
    """Not at the poles and not at the edges of the map."""
    for bbox in ("175,60,-175,90", "-180,-90,-179,-89", "179,89,180,90", "-1,-1,1,1"):
        assert (await api.get("/flights/live", bbox=bbox)).status == 200

    for call in await sky.calls():
        params = {name: float(value) for name, value in call["params"].items()}
        if params:
            assert -90 <= params["lamin"] < params["lamax"] <= 90
            assert -180 <= params["lomin"] < params["lomax"] <= 180
        assert call["status"] == 200


async def test_the_client_itself_refuses_a_box_inside_out() -> None:
    """It would cost credits and show the wrong part of the world."""
    for box in (Box(10, 0, 0, 10), Box(0, 10, 10, 0), Box(0, 0, 200, 10)):
        with pytest.raises(ValueError, match="not a box"):
            await OpenSky().states(box)


@pytest.mark.parametrize(
    ("bbox", "tiles"),
    [
        ("1,51,4,54", [Tile(5, 36, 28)]),  # Inside of one small tile: one credit.
        ("0,50,5,55", [Tile(5, 36, 28)]),  # Just as large as one.
        ("-2,51,2,54", [Tile(5, 35, 28), Tile(5, 36, 28)]),  # Two for two credits.
        ("1,51,9,59", [Tile(10, 18, 14)]),  # A larger one for two instead of four.
        ("-5,46,10,52", [WORLD]),  # Everything else costs more than all there is.
        ("1,31,19,49", [Tile(20, 9, 6)]),
        ("-180,-90,180,90", [WORLD]),
    ],
)
def test_the_cheapest_tiles_are_taken(bbox: str, tiles: list[Tile]) -> None:
    """Of tiles that cost the same, the fewest."""
    assert areas.covering(areas.boxes(bbox), OpenSky().price, lambda _: False) == tiles


def test_what_is_at_hand_costs_nothing() -> None:
    """While somebody looks at the whole world, no part of it is fetched again."""
    found = areas.covering(areas.boxes("1,51,4,54"), OpenSky().price, lambda tile: tile == WORLD)

    assert found == [WORLD]


@given(LONGITUDES, LATITUDES, LONGITUDES, LATITUDES)
def test_tiles_cover_their_box(west: int, south: int, east: int, north: int) -> None:
    """Every corner and the middle, for no more than the whole world costs."""
    if west == east or south >= north or (west, east) == (180, -180):
        return
    boxes = areas.boxes(f"{west},{south},{east},{north}")
    tiles = areas.covering(boxes, OpenSky().price, lambda _: False)

    assert sum(OpenSky().price(tile.box) for tile in tiles) <= OpenSky().price(None)
    for box in boxes:
        for longitude in (box.west, (box.west + box.east) / 2, box.east):
            for latitude in (box.south, (box.south + box.north) / 2, box.north):
                assert any(_holds(tile.box, longitude, latitude) for tile in tiles)


def _holds(box: Any, longitude: float, latitude: float) -> bool:
    return box is None or (box.west <= longitude <= box.east and box.south <= latitude <= box.north)
