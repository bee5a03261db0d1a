"""The live view: who is seen, where, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from sandbox.opensky.coverage import covered
from sandbox.world.geography import distance
from sandbox.world.world import World
from tests.sandbox.conftest import NOON, Client

NOW = int(NOON.timestamp())
OVER_ENGLAND = {"lamin": 50, "lamax": 54, "lomin": -4, "lomax": 2}


async def rows(client: Client, **params: Any) -> list[list[Any]]:
    found: list[list[Any]] = (await client.sky("states/all", await client.token(), **params)).json["states"]
    return found or []


def stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")


async def test_the_sky_is_full(client: Client) -> None:
    """Hundreds of aircraft of all airlines, some of them on the ground, each once."""
    seen = await rows(client)
    assert 350 < len(seen) < 800
    assert len({row[0] for row in seen}) == len(seen)
    assert 20 < sum(row[8] for row in seen) < 150
    assert len({row[2] for row in seen}) == 11
    assert {len(row) for row in seen} == {17}
    assert {len(row) for row in await rows(client, extended=1)} == {18}


async def test_every_column_has_the_vendors_type(client: Client) -> None:
    """Numbers are whole or not as it happens; longitude comes before latitude."""
    whole_and_broken: set[type] = set()
    for row in await rows(client, extended="true"):
        assert row[0] == row[0].lower()
        assert len(row[0]) == 6
        assert row[1] is None or row[1] == "" or len(row[1]) == 8
        assert isinstance(row[4], int)
        assert row[3] is None or (isinstance(row[3], int) and row[3] <= row[4])
        assert row[5] is None or abs(row[5]) <= 180
        assert row[6] is None or abs(row[6]) <= 90
        assert (row[3] is None) == (row[5] is None) == (row[6] is None)
        assert row[7] is None if row[8] else row[7] is not None
        assert row[12] is None
        assert row[14] is None or (len(row[14]) == 4 and row[14].isdigit())
        assert (row[15], row[16] in {0, 2}) == (False, True)
        whole_and_broken |= {type(row[index]) for index in (7, 9, 10, 11) if row[index] is not None}
    assert whole_and_broken == {int, float}


async def test_oddities_are_few_but_there(client: Client) -> None:
    """Blank callsigns, old positions, unknown places and speeds, a category that does not exist."""
    seen = await rows(client, extended=1)
    assert 0 < sum(not (row[1] or "").strip() for row in seen) < 20
    old = [row for row in seen if row[3] and row[4] - row[3] > 15]
    assert 0 < len(old) < 30
    assert max(row[4] for row in old) >= NOW - 5
    ground = [row for row in seen if row[8]]
    assert {row[5] is None for row in ground} == {True, False}
    assert {row[9] is None for row in ground} == {True, False}
    assert 0 < sum(row[17] == -1 for row in seen) < 25
    assert any(row[14] is None for row in seen)
    assert any(row[14] and row[14].startswith("0") for row in seen)


async def test_positions_are_true_for_their_own_time(client: Client) -> None:
    """Old ones as well: the aircraft was there then."""
    flying = [row for row in await rows(client) if not row[8]]
    for row in flying[::25]:
        asked = f"/positions?icao24={row[0]}&at={stamp(row[3])}"
        truth = await client.control("GET", asked)
        [place] = truth["positions"]
        assert (place["longitude"], place["latitude"]) == (row[5], row[6])
        assert abs(place["altitude"] - row[7]) < 4
        assert place["callsign"] == (row[1] or "").strip()


async def test_nobody_listens_over_the_oceans(client: Client) -> None:
    """Unless somebody is made to."""
    truth = (await client.control("GET", f"/positions?at={stamp(NOW)}"))["positions"]
    seen = {row[0] for row in await rows(client)}
    missing = [place for place in truth if place["icao24"].lower() not in seen]
    assert 20 < len(missing) < 150
    atlantic = await client.inject("777", "LHR-JFK", "2026-11-25T08:30:00Z", "2026-11-25T15:30:00Z")
    address = atlantic["icao24"].lower()
    assert await rows(client, icao24=address) == []
    await client.switch(coverage="everywhere")
    [row] = await rows(client, icao24=address)
    assert -60 < row[5] < -20
    assert len(await rows(client)) >= len(seen) + len(missing)


def test_coverage_reaches_four_hundred_kilometres_from_every_airport(world: World) -> None:
    """Give or take the half degree for which it is decided; beyond the date line as well as at the poles."""
    random = Random(1)
    places = list(world.airports.values())
    for _ in range(150):
        here = random.choice(places)
        # Sideways and upwards by up to twelve degrees, so that some points lie far out.
        latitude = max(-89.0, min(89.0, here.latitude + random.uniform(-12, 12)))
        longitude = (here.longitude + random.uniform(-12, 12) + 180) % 360 - 180
        point = replace(here, latitude=latitude, longitude=longitude)
        nearest = min(distance.__wrapped__(point, place) for place in places)
        if abs(nearest - 400) > 45:
            assert covered(latitude, longitude) is (nearest < 400), (latitude, longitude, nearest)


async def test_a_box_holds_what_lies_inside(client: Client) -> None:
    """And nothing without a position; a box with nobody in it has no list at all."""
    everyone, inside = await rows(client), await rows(client, **OVER_ENGLAND)
    expected = [row for row in everyone if row[6] and 50 <= row[6] <= 54 and -4 <= row[5] <= 2]
    assert inside == expected != []
    empty = await client.sky("states/all", lamin=-89, lamax=-88, lomin=0, lomax=1)
    assert (empty.json["states"], empty.json["time"] % 10) == (None, 0)


async def test_addresses_choose_aircraft(client: Client) -> None:
    """Several at once, in lower case only."""
    one, two = (row[0] for row in (await rows(client))[:2])
    params = [("icao24", one), ("icao24", two)]
    reply = await client.send("GET", "/api/states/all", params=params)
    assert {row[0] for row in reply.json["states"]} == {one, two}
    letters = next(row[0] for row in await rows(client) if row[0] != row[0].upper())
    assert await rows(client, icao24=letters.upper()) == []
    entry = (await client.control("GET", "/journal"))["requests"]
    assert {"icao24": f"{one},{two}"} in [request["params"] for request in entry]


async def test_time_is_rounded_and_an_hour_deep(client: Client) -> None:
    """Five seconds with a token, ten without; nobody without one sees the past."""
    token = await client.token()
    past = await client.sky("states/all", token, time=NOW - 1803)
    assert past.json["time"] == NOW - 1805
    assert past.json["states"] != (await client.sky("states/all", token)).json["states"]
    assert (await client.sky("states/all", token, time=NOW - 4000)).status == 400
    assert (await client.sky("states/all", token, time=NOW + 9000)).json["time"] < NOW + 60
    assert (await client.sky("states/all", time=NOW)).status == 400
    await client.switch(anonymous_time="ignored")
    assert (await client.sky("states/all", time=NOW - 1803)).json["time"] >= NOW


@pytest.mark.parametrize(
    "wrong",
    [
        {"lamin": 50},
        {**OVER_ENGLAND, "lamin": 55},
        {**OVER_ENGLAND, "lomin": 170, "lomax": -170},
        {**OVER_ENGLAND, "lamax": 91},
        {**OVER_ENGLAND, "lomax": "east"},
        {**OVER_ENGLAND, "lomax": "nan"},
        {"time": "noon"},
        {"time": "9" * 5000},
        {"time": "0" * 5000},
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    """With the vendor's error object."""
    refused = await client.sky("states/all", await client.token(), **wrong)
    assert (refused.status, refused.json["status"], refused.json["error"]) == (400, 400, "Bad Request")


async def test_ones_own_receivers_need_a_token(client: Client) -> None:
    """They cost nothing, and whoever has none sees nothing."""
    assert (await client.sky("states/own")).status == 403
    heard = await client.sky("states/own", await client.token("feeder"))
    assert "X-Rate-Limit-Remaining" not in heard.headers
    assert all(row[12] and 49 <= row[6] <= 54 for row in heard.json["states"])
    assert (await client.sky("states/own", await client.token("user"))).json["states"] is None


async def test_a_wrong_path_is_not_an_empty_answer(client: Client) -> None:
    """Nor is a wrong method."""
    wrong = await client.sky("states/everything")
    assert (wrong.status, wrong.json["path"]) == (404, "/api/states/everything")
    assert (await client.send("POST", "/api/states/all")).status == 405
