"""Flight search: what is offered, in which order, on which page, and what is refused."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import BaseModel

from app.airports.service import directory
from app.core import clock
from app.fares import service as fares
from app.flights.times import local, usual_block
from app.offers.schemas import SearchAnswer
from tests.flights.support import at, early_morning, segments, truth
from tests.support.client import Client, Sandbox, in_days

ORIGIN, DESTINATION = "KOI", "JER"
OUT, BACK = 70, 74
BRANDS = ["Light", "Standard", "Flex"]
# Airline, number, departure, minutes, aircraft.
FLIGHTS = [
    ("ZZ", "9101", "06:10", 100, "A320"),
    ("K0", "9102", "09:00", 95, "DH8D"),
    ("X0", "9103", "12:30", 110, "A321"),
    ("U0", "9104", "17:45", 90, "A320"),
    ("ZZ", "9106", "22:30", 105, "B789"),
]
EVERYTHING = {f"{airline}{number}" for airline, number, *_ in FLIGHTS}
MORNINGS = (
    "TBU",
    "HIR",
    "RAR",
    "PPT",
    "YZF",
    "YYT",
    "SID",
    "ORK",
    "TLL",
    "EVN",
    "SEZ",
    "MLE",
    "RGN",
    "DRW",
    "VLI",
)


@pytest_asyncio.fixture(scope="module")
async def market(http: aiohttp.ClientSession, address: str) -> AsyncIterator[Client]:
    """Five flights there and five back, of four airlines; their boards are fetched once and stay."""
    sandbox, client = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"]), Client(http, address)
    await sandbox.control("POST", "/reset")
    for origin, destination, day in (
        (ORIGIN, DESTINATION, in_days(OUT)),
        (DESTINATION, ORIGIN, in_days(BACK)),
    ):
        for airline, number, departs, minutes, aircraft in FLIGHTS:
            leaves = at(origin, day, departs)
            more = {"airline": airline, "number": number, "aircraft": aircraft}
            await sandbox.flight(origin, destination, leaves, leaves + timedelta(minutes=minutes), **more)
        assert (await client.search(origin, destination, day)).status == 200
    yield client


async def found(client: Client, **params: Any) -> list[dict[str, Any]]:
    """The offers of the market's outbound day."""
    answer = await client.search(ORIGIN, DESTINATION, in_days(OUT), **{"limit": 100} | params)
    assert answer.status == 200, answer.body
    offers: list[dict[str, Any]] = answer.body["data"]
    return offers


def numbers(offers: list[dict[str, Any]]) -> set[str]:
    return {offer["slices"][0]["segments"][0]["flight_number"] for offer in offers}


def total(offer: dict[str, Any]) -> Decimal:
    return Decimal(offer["price"]["total"]["amount"])


def minutes(offer: dict[str, Any]) -> int:
    length = 0
    for one in offer["slices"]:
        first, last = one["segments"][0], one["segments"][-1]
        flown = datetime.fromisoformat(last["arriving_at"]) - datetime.fromisoformat(first["departing_at"])
        length += int(flown.total_seconds()) // 60
    return length


def departure(offer: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(offer["slices"][0]["segments"][0]["departing_at"])


def assert_exact(model: type[BaseModel], body: Any) -> None:
    """Every documented member and no other, at every depth."""
    read = model.model_validate(body)
    assert read.model_dump(mode="json").keys() == body.keys()

    def compare(shown: Any, documented: Any, where: str) -> None:
        if isinstance(documented, dict):
            assert shown.keys() == documented.keys(), where
            for name in documented:
                compare(shown[name], documented[name], f"{where}/{name}")
        elif isinstance(documented, list):
            assert len(shown) == len(documented), where
            for index, (one, other) in enumerate(zip(shown, documented, strict=True)):
                compare(one, other, f"{where}/{index}")

    compare(body, read.model_dump(mode="json"), "")


@pytest.mark.parametrize(
    "extra", [{}, {"return_date": in_days(BACK).isoformat(), "children": 1, "infants": 1}]
)
async def test_an_answer_is_exactly_what_is_documented(market: Client, extra: dict[str, Any]) -> None:
    """One way and return, all kinds of passengers."""
    answer = await market.search(ORIGIN, DESTINATION, in_days(OUT), **extra)

    assert answer.headers["content-type"] == "application/json"
    assert_exact(SearchAnswer, answer.body)
    assert answer.body["data"]


async def test_every_flight_is_offered_in_every_brand(market: Client) -> None:
    """Five flights, three brands in economy, each with what it allows."""
    offers = await found(market)

    assert numbers(offers) == EVERYTHING
    assert len(offers) == len({offer["id"] for offer in offers}) == len(EVERYTHING) * len(BRANDS)
    for offer in offers:
        light = offer["fare_brand"] == "Light"
        assert offer["conditions"]["refund"]["allowed"] is not light
        assert (offer["conditions"]["refund"]["fee"] is None) is light
        assert offer["cabin"] == "economy"
        assert offer["seats_left"] > 0


async def test_an_offer_lasts_half_an_hour(market: Client) -> None:
    """At least what is promised."""
    for offer in await found(market, limit=1, adults=2):
        lasts = datetime.fromisoformat(offer["expires_at"]) - clock.now()
        assert timedelta(minutes=28) < lasts <= timedelta(minutes=31)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"airlines": "ZZ"}, {"ZZ9101", "ZZ9106"}),
        ({"airlines": "zz,K0"}, {"ZZ9101", "K09102", "ZZ9106"}),
        ({"airlines": "H0"}, set()),
        ({"departure_after": "12:30"}, {"X09103", "U09104", "ZZ9106"}),
        ({"departure_after": "12:31"}, {"U09104", "ZZ9106"}),
        ({"departure_before": "12:30"}, {"ZZ9101", "K09102", "X09103"}),
        ({"departure_before": "12:29"}, {"ZZ9101", "K09102"}),
        ({"departure_after": "07:00", "departure_before": "18:00", "airlines": "U0,ZZ"}, {"U09104"}),
        ({"departure_after": "18:00", "departure_before": "07:00"}, set()),
        ({"max_connections": 0}, EVERYTHING),
        ({"cabin": "business"}, {"ZZ9101", "X09103", "U09104", "ZZ9106"}),
        ({"cabin": "first"}, set()),
    ],
)
async def test_a_filter_leaves_exactly(market: Client, params: dict[str, Any], expected: set[str]) -> None:
    """Bounds of times are included; a turboprop has no business class."""
    offers = await found(market, **params)

    assert numbers(offers) <= EVERYTHING
    assert numbers(offers) == expected
    assert {offer["cabin"] for offer in offers} <= {params.get("cabin", "economy")}


async def test_a_highest_price_is_included_and_exact(market: Client) -> None:
    """To the cent, for all passengers together."""
    offers = await found(market, adults=2, sort="price")
    middle = total(offers[7])

    kept = await found(market, adults=2, sort="price", max_price=middle)
    fewer = await found(market, adults=2, sort="price", max_price=middle - Decimal("0.01"))

    assert [total(o) for o in kept] == [total(o) for o in offers if total(o) <= middle]
    assert [total(o) for o in fewer] == [total(o) for o in offers if total(o) < middle]
    assert len(fewer) < len(kept) < len(offers)


@pytest.mark.parametrize(("sort", "key"), [("price", total), ("duration", minutes), ("departure", departure)])
async def test_offers_are_in_the_order_asked_for(market: Client, sort: str, key: Any) -> None:
    """And all of them are there, whatever the order."""
    offers = await found(market, sort=sort)

    assert [key(offer) for offer in offers] == sorted(key(offer) for offer in offers)
    assert len(offers) == len(EVERYTHING) * len(BRANDS)


async def test_best_weighs_price_against_time(market: Client) -> None:
    """It is the default, and what is dearer, longer and later at night is never before what is not."""
    offers = await found(market)

    assert [o["slices"] for o in offers] == [o["slices"] for o in await found(market, sort="best")]
    assert total(offers[0]) <= total(offers[-1])
    for place, better in enumerate(offers):
        for worse in offers[:place]:
            dominated = total(worse) > total(better) and minutes(worse) > minutes(better)
            assert not (dominated and 6 <= departure(better).hour < 22)


@pytest.mark.parametrize("sort", ["best", "price", "duration", "departure"])
@pytest.mark.parametrize("limit", [1, 4, 15])
async def test_pages_have_no_gaps_and_no_repeats(market: Client, sort: str, limit: int) -> None:
    """Followed to the end, they are the whole answer in its order."""
    whole = await found(market, sort=sort)
    pages: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = await market.search(ORIGIN, DESTINATION, in_days(OUT), sort=sort, limit=limit, cursor=cursor)
        assert answer.body["meta"]["total"] == len(whole)
        assert 0 < len(answer.body["data"]) <= limit
        pages += answer.body["data"]
        cursor = answer.body["next_cursor"]
        if cursor is None:
            break

    def seen(offers: list[dict[str, Any]]) -> list[Any]:
        return [(offer["slices"], offer["fare_brand"], offer["price"]) for offer in offers]

    assert seen(pages) == seen(whole)


async def test_a_page_beyond_the_end_is_empty(market: Client) -> None:
    """Seats may have gone between two pages."""
    whole = await found(market, airlines="ZZ")
    last = await market.search(ORIGIN, DESTINATION, in_days(OUT), limit=len(whole) - 1)

    answer = await market.search(
        ORIGIN, DESTINATION, in_days(OUT), limit=100, airlines="H0", cursor=last.body["next_cursor"]
    )

    assert (answer.body["data"], answer.body["next_cursor"]) == ([], None)


async def test_a_return_trip_combines_every_way_out_with_every_way_back(market: Client) -> None:
    """Priced together, cheaper than the two apart."""
    there, back = in_days(OUT), in_days(BACK)
    answer = await market.search(ORIGIN, DESTINATION, there, return_date=back, limit=100)

    assert answer.body["meta"]["total"] == len(EVERYTHING) ** 2 * len(BRANDS)
    for offer in answer.body["data"]:
        out, home = offer["slices"]
        assert (
            (out["origin"], out["destination"])
            == (home["destination"], home["origin"])
            == (ORIGIN, DESTINATION)
        )
    cheapest = (await market.search(ORIGIN, DESTINATION, there, return_date=back, sort="price")).body["data"][
        0
    ]
    home = (await market.search(DESTINATION, ORIGIN, back, sort="price")).body["data"][0]
    assert total(cheapest) < total((await found(market, sort="price"))[0]) + total(home)


async def test_nobody_flies_back_before_arriving(api: Client, sandbox: Sandbox) -> None:
    """A return on the same day leaves after the landing."""
    day = in_days(76)
    for hour in (8, 14):
        for origin, destination in ((ORIGIN, DESTINATION), (DESTINATION, ORIGIN)):
            leaves = at(origin, day, f"{hour:02}:00")
            await sandbox.flight(origin, destination, leaves, leaves + timedelta(hours=2), number=f"91{hour}")

    answer = await api.search(ORIGIN, DESTINATION, day, return_date=day, limit=100, airlines="ZZ")

    hours = {tuple(s["segments"][0]["departing_at"][11:13] for s in o["slices"]) for o in answer.body["data"]}
    assert hours == {("08", "14")}


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("eur", 2), ("JPY", 0), ("KWD", 3)])
async def test_prices_come_in_the_currency_asked_for(market: Client, currency: str, decimals: int) -> None:
    """With that currency's decimals, everywhere in the offer."""
    for offer in await found(market, currency=currency, infants=1, limit=5):
        price = offer["price"]
        amounts = [price["total"], price["base"], price["taxes"]]
        amounts += [line[part] for line in price["passengers"] for part in ("base", "taxes")]
        amounts += [c["fee"] for c in offer["conditions"].values() if c["fee"]]
        assert {amount["currency"] for amount in amounts} == {currency.upper()}
        assert {len(amount["amount"].partition(".")[2]) for amount in amounts} == {decimals}
        assert total(offer) == Decimal(price["base"]["amount"]) + Decimal(price["taxes"]["amount"])


async def test_every_passenger_is_on_the_bill(market: Client) -> None:
    """Children for less, infants for little."""
    (offer,) = await found(market, adults=2, children=3, infants=1, airlines="U0", sort="price", limit=1)
    lines = {line["type"]: line for line in offer["price"]["passengers"]}

    assert {kind: line["count"] for kind, line in lines.items()} == {"adult": 2, "child": 3, "infant": 1}
    each = {kind: Decimal(line["base"]["amount"]) / line["count"] for kind, line in lines.items()}
    assert each["adult"] > each["child"] > each["infant"] > 0
    assert lines["infant"]["taxes"]["amount"] == "0.00"


async def test_city_codes_mean_all_their_airports(api: Client, sandbox: Sandbox) -> None:
    """New York to London is every flight between any of their airports, and no other."""
    day = in_days(77)
    cities = {code: {airport.iata for airport in directory().serving(code)} for code in ("NYC", "LON")}
    assert {"JFK", "LGA", "EWR"} <= cities["NYC"]
    assert {"LHR", "LGW", "STN"} <= cities["LON"]

    answer = await api.search("NYC", "lon", day, limit=100)

    real = [
        flight
        for origin in sorted(cities["NYC"])
        for flight in (await sandbox.control("GET", f"/flights?origin={origin}&date={day}"))["flights"]
        if flight["destination"] in cities["LON"]
    ]
    assert real
    assert set(segments(answer)) == {flight["flight"] for flight in real}
    assert answer.body["meta"]["total"] == len(real) * len(BRANDS)


MARKETS = [("BOS", "JFK"), ("CTS", "HND"), ("BLR", "DEL"), ("CUN", "MEX"), ("APW", "AKL"), ("LPB", "BOG")]


@pytest.mark.parametrize(("origin", "destination"), MARKETS)
async def test_what_is_offered_is_what_flies(
    api: Client, sandbox: Sandbox, origin: str, destination: str
) -> None:
    """As many flights as in the world, each at its true instants."""
    day = in_days(78 + MARKETS.index((origin, destination)))
    real = await truth(sandbox, origin, destination, day)

    answer = await api.search(origin, destination, day, limit=100)

    shown = {
        (
            segment["flight_number"],
            *(datetime.fromisoformat(segment[n]) for n in ("departing_at", "arriving_at")),
        )
        for segment in segments(answer).values()
    }
    assert shown == {
        (f["flight"], datetime.fromisoformat(f["departure"]), datetime.fromisoformat(f["arrival"]))
        for f in real
    }
    assert answer.body["meta"]["total"] == len(real) * len(BRANDS)
    assert answer.body["meta"]["stale"] is False
    for offer in answer.body["data"]:
        (segment,) = offer["slices"][0]["segments"]
        zone = directory().find(origin).zone
        assert departure(offer).utcoffset() == local(departure(offer), zone).utcoffset()
        assert segment["departing_at"][:10] == day.isoformat()


async def test_the_last_day_on_sale_can_be_searched(api: Client, sandbox: Sandbox) -> None:
    """A year ahead, less what zones and the provider take."""
    assert (await api.search("IPC", "SCL", in_days(360))).status == 200


async def test_a_flight_without_enough_seats_is_not_offered(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """Neither full, nor with fewer seats than travellers; infants need none."""
    day = in_days(84)
    leaves = at(ORIGIN, day, "10:00")
    await sandbox.flight(ORIGIN, DESTINATION, leaves, leaves + timedelta(hours=2), number="9120")
    assert "ZZ9120" in segments(await api.search(ORIGIN, DESTINATION, day))
    await sql(
        "INSERT INTO inventory (flight_id, cabin, capacity, held, sold)"
        " SELECT id, 'economy', 10, 3, 5 FROM flights WHERE number = '9120' AND departure_date = :day",
        day=day,
    )

    async def offered(**passengers: int) -> bool:
        return "ZZ9120" in segments(await api.search(ORIGIN, DESTINATION, day, limit=99, **passengers))

    assert await offered(adults=2, infants=2)
    assert not await offered(adults=3)
    assert not await offered(adults=1, children=2)
    offers = (await api.search(ORIGIN, DESTINATION, day, limit=98)).body["data"]
    assert {offer["seats_left"] for offer in offers} == {2}
    await sql("UPDATE inventory SET held = 5 WHERE capacity = 10 AND held = 3 AND sold = 5")
    assert "ZZ9120" not in segments(await api.search(ORIGIN, DESTINATION, day, limit=97))


async def soon(sandbox: Sandbox, number: str, minutes_ahead: int) -> tuple[str, date, Any]:
    """A flight that leaves so soon today, from somewhere where it is early in the morning."""
    origin = early_morning(*MORNINGS)
    leaves = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes_ahead + 1)
    lands = leaves + usual_block(directory().find(origin), directory().find("SIN"))
    made = await sandbox.flight(origin, "SIN", leaves, lands, number=number, aircraft="B789")
    return origin, local(leaves, directory().find(origin).zone).date(), made


async def test_todays_flights_are_offered_unless_cancelled_or_about_to_leave(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """Sales close an hour before departure."""
    origin, day, _ = await soon(sandbox, "9131", 30)
    await soon(sandbox, "9132", 58)
    await soon(sandbox, "9133", 65)
    await soon(sandbox, "9134", 240)
    _, _, cancelled = await soon(sandbox, "9135", 250)
    await sandbox.control("PATCH", f"/flights/{cancelled['key']}", {"status": "cancelled"})
    await sql(
        "DELETE FROM schedule_boards WHERE airport = :origin AND local_date = :day", origin=origin, day=day
    )

    answer = await api.search(origin, "SIN", day, limit=100, airlines="ZZ")

    mine = {number for number in segments(answer) if number.startswith("ZZ913")}
    assert mine == {"ZZ9133", "ZZ9134"}
    flight = await api.get(f"/flights/ZZ9135-{day:%Y%m%d}-{origin}")
    assert flight.body["status"] == "cancelled"


async def test_a_search_writes_nothing_but_the_schedule(market: Client, sql: Any) -> None:
    """No offers, no seats: they exist in tokens until somebody books."""
    tables = ("bookings", "inventory", "seat_claims", "idempotency_keys")
    before = [await sql(f"SELECT count(*) FROM {table}") for table in tables]

    await asyncio.gather(*(found(market, adults=n) for n in range(1, 8)))

    assert [await sql(f"SELECT count(*) FROM {table}") for table in tables] == before


async def test_flights_far_apart_in_time_stay_apart(market: Client) -> None:
    """Every slice's duration and day offset follow from its instants."""
    for offer in await found(market, sort="departure"):
        (one,) = offer["slices"]
        (segment,) = one["segments"]
        left, landed = (datetime.fromisoformat(segment[name]) for name in ("departing_at", "arriving_at"))
        assert one["arrival_day_offset"] == (landed.date() - left.date()).days
        hours, rest = divmod(int((landed - left).total_seconds()) // 60, 60)
        assert one["duration"] == "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    assert all(departure(a) <= departure(b) for a, b in pairwise(await found(market, sort="departure")))


def test_the_brands_are_the_filed_ones() -> None:
    """The tests above count on three in economy."""
    assert [brand.name for brand in fares.book().brands("economy")] == BRANDS
