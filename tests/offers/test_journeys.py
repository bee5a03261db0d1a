"""Journeys to several cities: `POST /flights/search`."""

import os
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.offers.world import Leg, chains, fly, published
from tests.support.client import Answer, Client, Sandbox, as_offered, in_days

DAY = 140
STOPS = ["INV", "WIC", "ILY", "CAL", "DND", "GCI", "INV"]


def trip(*days: int) -> list[dict[str, Any]]:
    """A slice for each of these days, from each stop to the next."""
    return [
        {"origin": STOPS[n], "destination": STOPS[n + 1], "departure_date": in_days(day).isoformat()}
        for n, day in enumerate(days)
    ]


@pytest_asyncio.fixture(scope="module")
async def islands(http: aiohttp.ClientSession, address: str) -> Client:
    """Two flights a day from each stop to the next."""
    sandbox, client = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"]), Client(http, address)
    for n in range(6):
        legs = [
            Leg(f"ZZ84{n}{hour % 10}", STOPS[n], f"{hour:02}:00", STOPS[n + 1], f"{hour + 1:02}:00")
            for hour in (7, 16)
        ]
        await fly(sandbox, in_days(DAY + n), *legs)
        await published(client, in_days(DAY + n), STOPS[n])
    return client


async def ask(client: Client, slices: list[dict[str, Any]], **more: Any) -> Answer:
    return await client.post("/flights/search", {"slices": slices, **more})


@pytest.mark.parametrize("slices", [2, 3, 6])
async def test_every_way_to_travel_is_offered_as_one(islands: Client, slices: int) -> None:
    """Two flights for each slice are two to the power of the slices, in three brands."""
    answer = await ask(islands, trip(*range(DAY, DAY + slices)), limit=100)

    assert answer.status == 200, answer.body
    assert answer.body["meta"]["total"] == 2**slices * 3
    for offer in answer.body["data"]:
        ends = [(one["origin"], one["destination"]) for one in offer["slices"]]
        assert ends == [(STOPS[n], STOPS[n + 1]) for n in range(slices)]
        assert len(offer["id"]) <= 512


async def test_what_was_asked_by_post_is_told_again(islands: Client) -> None:
    """Only who asks by GET is told that nothing has changed."""
    body = {"slices": trip(DAY, DAY + 1)}
    tag = (await islands.post("/flights/search", body)).headers["etag"]

    again = await islands.post("/flights/search", body, {"If-None-Match": tag})

    assert (again.status, again.body["meta"]["total"]) == (200, 12)


async def test_a_journey_is_booked_as_one(islands: Client) -> None:
    """One price, one reference, seats on all six flights."""
    traveller = await islands.signed_up()
    offer = (await ask(traveller, trip(*range(DAY, DAY + 6)))).body["data"][0]

    booked = await traveller.book(offer["id"])

    assert booked.status == 201, booked.body
    assert (booked.body["price"], as_offered(booked.body)) == (offer["price"], offer["slices"])


async def test_slices_of_one_day_follow_each_other(islands: Client, sandbox: Sandbox) -> None:
    """The second leaves after the first has landed."""
    day = in_days(DAY + 8)
    await fly(sandbox, day, Leg("ZZ8450", "INV", "07:00", "WIC", "08:00"))
    await fly(sandbox, day, *(Leg(f"ZZ845{n}", "WIC", f"{n:02}:00", "ILY", f"{n + 1:02}:00") for n in (8, 9)))
    slices = [slice_ | {"departure_date": day.isoformat()} for slice_ in trip(DAY, DAY)]

    assert chains(await ask(islands, slices)) == ["ZZ8450 / ZZ8459"]


async def test_each_slice_has_its_own_times(islands: Client) -> None:
    """Of departure and of arrival."""
    slices = trip(DAY, DAY + 1)
    slices[0]["departure_after"] = "12:00"
    slices[1]["arrival_before"] = "10:00"

    assert chains(await ask(islands, slices)) == ["ZZ8406 / ZZ8417"]


async def test_there_and_back_is_the_same_question_either_way(islands: Client, sandbox: Sandbox) -> None:
    """A return trip costs the same as two slices that are one."""
    day = DAY + 10
    await fly(sandbox, in_days(day), Leg("ZZ8460", "INV", "07:00", "WIC", "08:00"))
    await fly(sandbox, in_days(day + 3), Leg("ZZ8461", "WIC", "07:00", "INV", "08:00"))
    there = {"origin": "INV", "destination": "WIC", "departure_date": in_days(day).isoformat()}
    back = {"origin": "WIC", "destination": "INV", "departure_date": in_days(day + 3).isoformat()}

    one = (await ask(islands, [there, back], sort="price")).body["data"]
    other = (
        await islands.search("INV", "WIC", in_days(day), return_date=in_days(day + 3), sort="price")
    ).body["data"]
    apart = (await islands.search("INV", "WIC", in_days(day), sort="price")).body["data"]
    home = (await islands.search("WIC", "INV", in_days(day + 3), sort="price")).body["data"]

    def prices(offers: list[dict[str, Any]]) -> list[Decimal]:
        return [Decimal(offer["price"]["total"]["amount"]) for offer in offers]

    assert prices(one) == prices(other)
    assert prices(one)[0] < prices(apart)[0] + prices(home)[0]


FAR = (in_days(DAY) + timedelta(days=400)).isoformat()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        (lambda s: s[:1], "/slices", "too_short"),
        (lambda s: s * 4, "/slices", "too_long"),
        (lambda s: s[::-1], "/slices", "slices_out_of_order"),
        (lambda s: [s[0], s[1] | {"destination": s[1]["origin"]}], "/slices/1/destination", "same_place"),
        (lambda s: [s[0], s[1] | {"departure_date": FAR}], "/slices/1/departure_date", "date_too_far"),
        (lambda s: [s[0], s[1] | {"departure_date": "2020-01-01"}], "/slices", "slices_out_of_order"),
        (
            lambda s: [s[0] | {"departure_date": "2020-01-01"}, s[1]],
            "/slices/0/departure_date",
            "date_in_the_past",
        ),
        (lambda s: [s[0], {}], "/slices/1/origin", "missing"),
        (lambda s: [s[0] | {"when": "soon"}, s[1]], "/slices/0/when", "extra_forbidden"),
    ],
)
async def test_an_impossible_journey_is_refused(
    islands: Client, change: Any, pointer: str, code: str
) -> None:
    """With a pointer to the slice and the field."""
    answer = await ask(islands, change(trip(DAY, DAY + 1)))

    assert (answer.status, answer.code) == (422, "validation_error"), answer.body
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.body["errors"]}


async def test_an_unknown_airport_is_not_found(islands: Client) -> None:
    """Wherever it stands."""
    slices = trip(DAY, DAY + 1)
    slices[1]["destination"] = "QQQ"

    assert (await ask(islands, slices)).code == "airport_not_found"
