"""The calendar of prices: each day's is what a search of that day finds, and it costs few calls."""

import os
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.offers.test_search import assert_exact
from tests.offers.world import Leg, fly, published
from tests.support.client import Answer, Client, Sandbox, in_days

ORIGIN, HUB, DESTINATION = "PIK", "ACI", "LEQ"
MONTH = (in_days(150).replace(day=1) + timedelta(days=31)).replace(day=1)
DAYS = [MONTH + timedelta(days=n) for n in range(monthrange(MONTH.year, MONTH.month)[1])]


@pytest_asyncio.fixture(scope="module")
async def market(http: aiohttp.ClientSession, address: str) -> Client:
    """The first week of the month is flown: on some days directly, on others with a connection, on Sunday not."""
    sandbox, client = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"]), Client(http, address)
    for day in DAYS[:7]:
        if day.weekday() < 3:
            await fly(sandbox, day, Leg("ZZ8701", ORIGIN, "10:00", DESTINATION, "11:30"))
            await fly(sandbox, day, Leg("ZZ8702", ORIGIN, "23:00", DESTINATION, "00:30"))
        elif day.weekday() < 6:
            await fly(sandbox, day, Leg("ZZ8703", ORIGIN, "10:00", HUB, "11:00"))
            await fly(sandbox, day, Leg("ZZ8704", HUB, "12:30", DESTINATION, "13:30"))
        await fly(sandbox, day, Leg("ZZ8705", DESTINATION, "18:00", ORIGIN, "19:30"))
        await published(client, day, ORIGIN, HUB, DESTINATION)
    return client


async def month(client: Client, **params: Any) -> Answer:
    answer = await client.get(
        "/flights/calendar", origin=ORIGIN, destination=DESTINATION, month=f"{MONTH:%Y-%m}", **params
    )
    assert answer.status == 200, answer.body
    return answer


async def lowest(client: Client, day: date, **params: Any) -> Any:
    found = await client.search(ORIGIN, DESTINATION, day, sort="price", limit=1, **params)
    assert found.status == 200, found.body
    return found.body["data"][0]["price"]["total"] if found.body["data"] else None


async def test_a_month_costs_a_call_for_each_weekday(market: Client, sandbox: Sandbox) -> None:
    """Not one for each day; and none when it is asked for again."""
    await sandbox.control("DELETE", "/journal")

    answer = await month(market)

    assert [day["departure_date"] for day in answer.body["data"]] == [day.isoformat() for day in DAYS]
    asked = (await sandbox.control("GET", "/journal"))["requests"]
    assert len(asked) <= 7
    await month(market, adults=2)
    assert len((await sandbox.control("GET", "/journal"))["requests"]) == len(asked)


async def test_each_days_price_is_what_a_search_finds(market: Client) -> None:
    """On the days whose flights are known, with connections once their boards are."""
    for day in DAYS[:7]:
        await lowest(market, day, airlines="ZZ")

    answer = await month(market, adults=2, children=1, currency="EUR")

    for shown, day in zip(answer.body["data"], DAYS[:7], strict=False):
        found = await lowest(market, day, adults=2, children=1, currency="EUR")
        assert shown["price"] == found, day
        assert shown["projected"] is False
        assert shown["connections"] == (None if found is None else 0 if day.weekday() < 3 else 1)
    assert sum(day["price"] is not None for day in answer.body["data"][:7]) == 6
    prices = [day["price"] for day in answer.body["data"] if day["price"]]
    assert answer.body["meta"]["lowest"] in prices
    assert Decimal(answer.body["meta"]["lowest"]["amount"]) == min(Decimal(p["amount"]) for p in prices)


async def test_other_weeks_stand_in_and_say_so(market: Client) -> None:
    """The same weekday of a week that is known."""
    answer = await month(market)

    for shown, day in list(zip(answer.body["data"], DAYS, strict=True))[7:]:
        assert shown["projected"] is (day.weekday() < 6)
        assert (shown["price"] is None) is (day.weekday() == 6)


async def test_there_and_back_is_priced_together(market: Client) -> None:
    """The way back so many days later."""
    answer = await month(market, stay_days=3)

    for shown, day in zip(answer.body["data"], DAYS[:4], strict=False):
        back = day + timedelta(days=3)
        assert shown["return_date"] == back.isoformat()
        assert shown["price"] == await lowest(market, day, return_date=back)


async def test_nobody_flies_back_before_having_arrived(market: Client, sandbox: Sandbox) -> None:
    """Where the cheapest way there lands too late for the way back, a dearer one is taken, or there is none."""
    day = DAYS[14]
    there = Leg("ZZ8706", ORIGIN, "23:30", DESTINATION, "01:00")
    await fly(sandbox, day, there, Leg("ZZ8707", ORIGIN, "08:00", DESTINATION, "09:30"))
    await fly(sandbox, day + timedelta(days=1), Leg("ZZ8708", DESTINATION, "00:30", ORIGIN, "02:00"))
    await published(market, day, ORIGIN)
    await published(market, day + timedelta(days=1), DESTINATION)

    shown = (await month(market, stay_days=1)).body["data"][14]

    found = await market.search(
        ORIGIN, DESTINATION, day, return_date=day + timedelta(days=1), sort="price", limit=1
    )
    [offer] = found.body["data"]
    assert offer["slices"][0]["segments"][0]["flight_number"] == "ZZ8707"
    assert shown["price"] == offer["price"]["total"]


async def test_a_full_flight_is_not_the_cheapest(market: Client, sql: Any) -> None:
    """Seats are looked at, day by day, until the lowest price is known."""
    day = next(day for day in DAYS[:7] if day.weekday() == 1)
    before = (await month(market)).body["data"][day.day - 1]["price"]
    sold = "INSERT INTO inventory (flight_id, cabin, capacity, sold) SELECT id, 'economy', 100, :sold FROM flights"
    where = " WHERE origin = :origin AND departure_date = :day AND number = :number"
    await sql(sold + where, sold=100, origin=ORIGIN, day=day, number="8702")
    await sql(sold + where, sold=97, origin=ORIGIN, day=day, number="8701")

    after = (await month(market)).body["data"][day.day - 1]["price"]

    assert Decimal(after["amount"]) > Decimal(before["amount"])
    assert after == await lowest(market, day, max_duration=500)
    assert (await month(market, adults=4)).body["data"][day.day - 1]["price"] is None


async def test_an_answer_is_exactly_what_is_documented(market: Client) -> None:
    """One way and return."""
    from app.offers.schemas import CalendarAnswer

    assert_exact(CalendarAnswer, (await month(market)).body)
    assert_exact(CalendarAnswer, (await month(market, stay_days=2, currency="GBP")).body)


@pytest.mark.parametrize(
    ("params", "pointer", "code"),
    [
        ({"month": "2020-01"}, "month", "date_in_the_past"),
        ({"month": "2090-01"}, "month", "date_too_far"),
        ({"month": "2027-13"}, "month", "string_pattern_mismatch"),
        ({"month": None}, "month", "missing"),
        ({"destination": ORIGIN}, "destination", "same_place"),
        ({"stay_days": 0}, "stay_days", "greater_than_equal"),
        ({"max_connections": 2}, "max_connections", "less_than_equal"),
        ({"currency": "XXX"}, "currency", "unknown_currency"),
        ({"adults": 8, "children": 2}, "children", "too_many_passengers"),
    ],
)
async def test_an_impossible_question_is_refused(
    market: Client, params: dict[str, Any], pointer: str, code: str
) -> None:
    """With a pointer to the parameter."""
    asked = {"origin": ORIGIN, "destination": DESTINATION, "month": f"{MONTH:%Y-%m}"} | params

    answer = await market.get("/flights/calendar", **asked)

    assert (answer.status, answer.code) == (422, "validation_error"), answer.body
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.body["errors"]}
