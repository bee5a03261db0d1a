"""What answers cost, and what happens when the credits are used up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.conftest import NOON, Client

DAY = int(NOON.timestamp()) // 86_400 * 86_400
BIG, SMALL = (
    {"lamin": 40, "lamax": 60, "lomin": 0, "lomax": 21},
    {"lamin": 50, "lamax": 55, "lomin": 0, "lomax": 5},
)


def box(height: float, width: float) -> dict[str, float]:
    return {"lamin": 30, "lamax": 30 + height, "lomin": 10, "lomax": 10 + width}


@pytest.mark.parametrize(
    ("params", "cost"),
    [
        (box(5, 5), 1),
        (box(5, 5.1), 2),
        (box(10, 10), 2),
        (box(10, 10.1), 3),
        (box(20, 20), 3),
        (box(20, 20.1), 4),
        ({}, 4),
        ({"icao24": "401f00"}, 4),
        ({"icao24": "401f00", **box(1, 1)}, 1),
    ],
)
async def test_states_cost_by_the_size_of_the_box(client: Client, params: dict[str, Any], cost: int) -> None:
    """One to four credits; an address alone narrows nothing."""
    reply = await client.sky("states/all", await client.token("user"), **params)
    assert (reply.status, reply.left) == (200, 4000 - cost)


@pytest.mark.parametrize(
    ("path", "params", "cost"),
    [
        ("tracks/all", {"icao24": "000000", "time": 0}, 4),
        ("tracks/all", {"icao24": "000000", "time": DAY}, 4),
        ("tracks/all", {"icao24": "000000", "time": DAY - 86_400}, 30),
        ("flights/aircraft", {"icao24": "000000", "begin": DAY, "end": DAY + 3600}, 4),
        ("flights/aircraft", {"icao24": "000000", "begin": DAY - 86_400, "end": DAY - 3600}, 30),
        ("flights/aircraft", {"icao24": "000000", "begin": DAY - 90_000, "end": DAY}, 180),
    ],
)
async def test_history_costs_by_the_days_it_touches(
    client: Client, path: str, params: dict[str, Any], cost: int
) -> None:
    """Nearly nothing within a day, though nothing be found."""
    reply = await client.sky(path, await client.token("user"), **params)
    assert (reply.status, reply.body, reply.left) == (404, b"", 4000 - cost)


async def test_the_three_buckets_are_independent(client: Client) -> None:
    """One that is empty leaves the others as they were."""
    token = await client.token("user")
    await client.switch(credits={"user": {"states": 5}})
    assert (await client.sky("states/all", token)).left == 1
    assert (await client.sky("states/all", token)).status == 429
    assert (await client.sky("tracks/all", token, icao24="000000", time=0)).left == 3996
    # What is left is enough for a small box.
    assert (await client.sky("states/all", token, **SMALL)).left == 0


async def test_a_refusal_for_want_of_credits_is_not_json(client: Client) -> None:
    """It says in a header when there will be credits again, unless that is switched off."""
    token = await client.token("exhausted")
    reply = await client.sky("states/all", token)
    assert reply.status == 429
    assert 0 < int(reply.headers["X-Rate-Limit-Retry-After-Seconds"]) <= 12 * 3600
    assert "Retry-After" not in reply.headers
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json
    await client.switch(rate_limit_headers=False)
    bare = await client.sky("states/all", token)
    assert (bare.status, "X-Rate-Limit-Retry-After-Seconds" in bare.headers) == (429, False)
    assert "X-Rate-Limit-Remaining" not in (await client.sky("states/all")).headers


async def test_credits_come_back_at_midnight(client: Client) -> None:
    """At midnight UTC of the sandbox's clock, as the refusal said."""
    await client.switch(credits={"anonymous": 0})
    wait = int((await client.sky("states/all")).headers["X-Rate-Limit-Retry-After-Seconds"])
    midnight = (NOON + timedelta(hours=11, minutes=59, seconds=50)).isoformat()
    await client.control("POST", "/clock", {"now": midnight})
    assert (await client.sky("states/all")).status == 429
    await client.control("POST", "/clock", {"reset": True})
    await client.control("POST", "/clock", {"advance_seconds": wait})
    assert (await client.sky("states/all")).left == 396


@pytest.mark.parametrize(
    ("profile", "daily"), [("sandbox", 1_000_000), ("user", 4000), ("feeder", 8000), ("exhausted", 0)]
)
async def test_every_client_has_its_allowance(client: Client, profile: str, daily: int) -> None:
    """Callers without a token have the smallest, and share it."""
    reply = await client.sky("states/all", await client.token(profile), **SMALL)
    assert (reply.left if reply.status == 200 else 0) == max(0, daily - 1)
    assert (await client.sky("states/all", **SMALL)).left == 399


async def test_a_request_that_is_refused_costs_nothing(client: Client) -> None:
    """Whatever was wrong with it."""
    assert (await client.sky("states/all", lamin=1)).status == 400
    assert (await client.sky("flights/all", begin=5, end=1)).status == 400
    credits_left = (await client.control("GET", "/settings"))["opensky"]["credits"]["anonymous"]
    assert credits_left == {"states": 400, "tracks": 400, "flights": 400}


async def test_allowances_can_be_changed(client: Client) -> None:
    """From now on, while what was used stays used."""
    await client.sky("states/all")
    shown = await client.switch(daily={"anonymous": 10})
    assert (shown["daily"]["anonymous"], shown["credits"]["anonymous"]["states"]) == (10, 6)
    assert (await client.sky("states/all")).left == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"credits": {"nobody": 1}},
        {"credits": {"user": -1}},
        {"credits": {"user": {"planes": 1}}},
        {"daily": {"user": "much"}},
        {"daily": {"user": True}},
        {"token_seconds": 0},
        {"token_seconds": 1.5},
        {"extra_aircraft": 1_000_000},
        {"coverage": "land"},
        {"rate_limit_headers": "no"},
        {"colour": "red"},
        [],
    ],
)
async def test_settings_that_make_no_sense_change_nothing(client: Client, wrong: Any) -> None:
    """Not even the part of them that would."""
    before = (await client.control("GET", "/settings"))["opensky"]
    body = {"extra_aircraft": 7, **wrong} if isinstance(wrong, dict) else wrong
    await client.control("POST", "/settings", {"opensky": body}, expect=400)
    assert (await client.control("GET", "/settings"))["opensky"] == before
