"""Pages of an answer while the world moves: nothing twice, nothing left out, and counts that agree."""

import os
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.offers.world import Leg, fly, published
from tests.support.client import Answer, Client, Sandbox, in_days

DAY = 150
HOURS = range(6, 18)


@pytest_asyncio.fixture(scope="module")
async def market(http: aiohttp.ClientSession, address: str) -> Client:
    """Twelve flights of three airlines."""
    sandbox, client = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"]), Client(http, address)
    airlines = ("ZZ", "K0", "X0")
    legs = [
        Leg(f"{airlines[hour % 3]}85{hour:02}", "CAL", f"{hour:02}:00", "GCI", f"{hour + 2:02}:{hour:02}")
        for hour in HOURS
    ]
    for day in range(DAY, DAY + 4):
        await fly(sandbox, in_days(day), *legs)
        await published(client, in_days(day), "CAL")
    return client


async def pages(client: Client, day: int, between: Any = None, **params: Any) -> list[Answer]:
    """Every page, with something happening between them."""
    found, cursor = [], None
    while True:
        answer = await client.search("CAL", "GCI", in_days(day), limit=5, cursor=cursor, **params)
        assert answer.status == 200, answer.body
        found.append(answer)
        cursor = answer.body["next_cursor"]
        if cursor is None:
            return found
        if between is not None:
            await between(len(found))


def seen(answers: list[Answer]) -> list[tuple[str, str]]:
    return [
        (offer["slices"][0]["segments"][0]["flight_number"], offer["fare_brand"])
        for answer in answers
        for offer in answer.body["data"]
    ]


EVERYTHING = {
    (f"{('ZZ', 'K0', 'X0')[hour % 3]}85{hour:02}", brand)
    for hour in HOURS
    for brand in ("Light", "Standard", "Flex")
}


@pytest.mark.parametrize("sort", ["price", "best"])
async def test_pages_fit_together_while_prices_move(market: Client, sql: Any, sort: str) -> None:
    """Flights fill up between the pages, so that their lowest booking classes close."""
    day = DAY if sort == "price" else DAY + 1

    async def fill(page: int) -> None:
        await sql(
            "INSERT INTO inventory (flight_id, cabin, capacity, sold)"
            " SELECT id, 'economy', 150, :sold FROM flights WHERE origin = 'CAL' AND departure_date = :day"
            " ON CONFLICT (flight_id, cabin) DO UPDATE SET sold = excluded.sold",
            sold=min(10 + page * 15, 140),
            day=in_days(day),
        )

    found = seen(await pages(market, day, fill, sort=sort))

    assert len(found) == len(set(found))
    assert set(found) == EVERYTHING


async def test_pages_go_on_when_redis_was_emptied(market: Client, sql: Any) -> None:
    """After the last offer that was shown, wherever that is now."""
    from app.core import redis

    async def empty(_: int) -> None:
        await redis.client().flushdb()

    found = seen(await pages(market, DAY + 2, empty, sort="price"))

    assert len(found) == len(set(found))
    assert set(found) == EVERYTHING


async def test_a_page_leaves_out_what_was_taken_off_sale(market: Client, sql: Any) -> None:
    """A cancelled flight is on no later page."""
    gone: list[str] = []

    async def cancel(page: int) -> None:
        if page == 1:
            cancelled = await sql(
                "UPDATE flights SET status = 'cancelled' WHERE origin = 'CAL' AND departure_date = :day"
                " AND number = '8517' RETURNING carrier, number",
                day=in_days(DAY + 3),
            )
            gone.extend(row["carrier"] + row["number"] for row in cancelled)

    first, *others = await pages(market, DAY + 3, cancel, sort="departure")

    assert gone
    assert gone[0] not in {flight for flight, _ in seen(others)}
    assert len(set(seen([first, *others]))) == len(EVERYTHING) - 3


async def test_counts_are_those_of_all_pages(market: Client) -> None:
    """However many are shown."""
    whole = await market.search("CAL", "GCI", in_days(DAY + 2), limit=100)
    small = await market.search("CAL", "GCI", in_days(DAY + 2), limit=1)

    facets = whole.body["meta"]["facets"]
    assert small.body["meta"]["facets"] == facets
    total = whole.body["meta"]["total"]
    assert {one["value"]: one["count"] for one in facets["airlines"]} == dict.fromkeys(
        ("ZZ", "K0", "X0"), total // 3
    )
    for name in ("connections", "departure_times", "fare_brands"):
        assert sum(one["count"] for one in facets[name]) == total
    assert facets["refundable"] == facets["with_bag"] == total * 2 // 3
    prices = sorted(
        (float(offer["price"]["total"]["amount"]), offer["price"]["total"]) for offer in whole.body["data"]
    )
    assert facets["price"] == {"lowest": prices[0][1], "highest": prices[-1][1]}
    assert facets["duration_minutes"]["shortest"] == 126


@pytest.mark.parametrize(
    ("wish", "brands"),
    [
        ({"refundable": True}, {"Standard", "Flex"}),
        ({"with_bag": True}, {"Standard", "Flex"}),
        ({}, {"Light", "Standard", "Flex"}),
    ],
)
async def test_brands_are_filtered_by_what_they_include(
    market: Client, wish: dict[str, Any], brands: set[str]
) -> None:
    """What a traveller does not want is not counted either."""
    answer = await market.search("CAL", "GCI", in_days(DAY + 2), limit=100, **wish)

    assert {offer["fare_brand"] for offer in answer.body["data"]} == brands
    assert answer.body["meta"]["total"] == len(HOURS) * len(brands)
    assert {one["value"] for one in answer.body["meta"]["facets"]["fare_brands"]} == brands


@pytest.mark.parametrize(
    "cursor", ["W10", "WzEsMl0", "WyJhIiwtMSxbXSwiIl0", "bnVsbA", "MQ", "WyJhIiwxLFsiYSJdLCIiXQ"]
)
async def test_a_cursor_of_somebody_else_is_refused(market: Client, cursor: str) -> None:
    """Of another endpoint, or made up."""
    answer = await market.search("CAL", "GCI", in_days(DAY + 2), cursor=cursor)

    assert (answer.status, answer.code) == (422, "validation_error")
    assert answer.body["errors"][0]["code"] == "invalid_cursor"
