"""Connections as a traveller finds them: over HTTP, with the provider behind it."""

import os

import aiohttp
import pytest_asyncio

from tests.flights.support import calls
from tests.offers.world import Leg, chains, fly, published
from tests.support.client import Client, Sandbox, as_offered, in_days

FIRST = 130
# Stornoway and Sumburgh have no flight to each other; Benbecula, Tiree and Islay lie between.
LEGS = (
    Leg("ZZ8001", "SYY", "08:00", "BEB", "08:40"),
    Leg("ZZ8002", "BEB", "09:30", "LSI", "11:00"),
    Leg("ZZ8003", "BEB", "09:20", "LSI", "10:50"),  # 40 minutes are too short.
    Leg("K08004", "BEB", "09:40", "LSI", "11:10"),  # Another airline, with which nobody agreed.
    Leg("ZZ8005", "SYY", "15:00", "TRE", "16:00"),
    Leg("ZZ8006", "TRE", "18:00", "LSI", "19:40"),
    Leg("ZZ8007", "LSI", "12:00", "BEB", "13:30"),
    Leg("ZZ8008", "BEB", "15:00", "SYY", "15:40"),
    Leg("ZZ8009", "LSI", "12:30", "TRE", "14:00"),
)


@pytest_asyncio.fixture(scope="module")
async def islands(http: aiohttp.ClientSession, address: str) -> Client:
    sandbox, client = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"]), Client(http, address)
    await fly(sandbox, in_days(FIRST), *LEGS)
    await published(client, in_days(FIRST), "SYY", "BEB", "TRE", "LSI")
    return client


async def test_where_nothing_flies_directly_connections_are_found(islands: Client) -> None:
    """By the same airline, with time enough between the flights, and none that takes longer for nothing."""
    answer = await islands.search("SYY", "LSI", in_days(FIRST), limit=100)

    assert set(chains(answer)) == {"ZZ8001+ZZ8002", "ZZ8005+ZZ8006"}
    [layover] = answer.body["data"][0]["slices"][0]["layovers"]
    first, second = answer.body["data"][0]["slices"][0]["segments"]
    assert layover["airport"] == first["destination"]["iata"] == second["origin"]["iata"]
    assert (layover["overnight"], layover["airport_change"]) == (False, False)
    assert {offer["slices"][0]["connections"] for offer in answer.body["data"]} == {1}


async def test_a_connection_can_be_booked(islands: Client) -> None:
    """Seats are held on both flights."""
    traveller = await islands.signed_up()
    offer = await traveller.first_offer("SYY", "LSI", in_days(FIRST))

    booked = await traveller.book(offer["id"])

    assert booked.status == 201, booked.body
    assert as_offered(booked.body) == offer["slices"]
    assert booked.body["price"] == offer["price"]
    read = await traveller.get(f"/bookings/{booked.body['pnr']}")
    assert as_offered(read.body) == offer["slices"]


async def test_without_connections_nothing_is_found_and_nobody_is_asked(
    islands: Client, sandbox: Sandbox
) -> None:
    """Who wants direct flights only gets none here, for the one call of the origin's board."""
    answer = await islands.search("SYY", "LSI", in_days(FIRST + 1), max_connections=0)

    assert chains(answer) == []
    assert await calls(sandbox, "SYY", in_days(FIRST + 1)) == 1
    assert await calls(sandbox, "LSI", in_days(FIRST + 1)) == 0


async def test_few_boards_are_asked_for(islands: Client, sandbox: Sandbox) -> None:
    """Both ends' and those of the airports that both fly to; searching again asks for none."""
    await sandbox.control("DELETE", "/journal")
    day = in_days(FIRST + 2)
    await fly(sandbox, day, *LEGS)

    found = chains(await islands.search("SYY", "LSI", day))
    asked = [
        entry["params"].get("iataCode") for entry in (await sandbox.control("GET", "/journal"))["requests"]
    ]

    assert set(found) == {"ZZ8001+ZZ8002", "ZZ8005+ZZ8006"}
    assert sorted(asked) == ["BEB", "LSI", "SYY", "TRE"]
    await islands.search("SYY", "LSI", day, sort="price")
    again = (await sandbox.control("GET", "/journal"))["requests"]
    assert len(again) == len(asked)


async def test_a_direct_flight_is_enough_to_ask_for_no_more(islands: Client, sandbox: Sandbox) -> None:
    """What a provider charges for is spent only where it is needed."""
    day = in_days(FIRST + 3)
    await fly(sandbox, day, *LEGS, Leg("ZZ8010", "SYY", "10:00", "LSI", "11:30"))
    await sandbox.control("DELETE", "/journal")

    found = chains(await islands.search("SYY", "LSI", day))

    assert found == ["ZZ8010"]
    assert len((await sandbox.control("GET", "/journal"))["requests"]) == 1


async def test_who_asks_for_connections_gets_them_beside_direct_flights(
    islands: Client, sandbox: Sandbox
) -> None:
    """For the few calls that it takes."""
    day = in_days(FIRST + 6)
    await fly(sandbox, day, *LEGS, Leg("ZZ8014", "SYY", "10:00", "LSI", "11:30"))
    await sandbox.control("DELETE", "/journal")

    found = chains(await islands.search("SYY", "LSI", day, max_connections=1))

    assert set(found) == {"ZZ8014", "ZZ8001+ZZ8002", "ZZ8005+ZZ8006"}
    assert len((await sandbox.control("GET", "/journal"))["requests"]) == 4


async def test_connections_can_be_chosen(islands: Client) -> None:
    """Through which airports, and through which not; how long it may take; when it leaves and arrives."""
    day = in_days(FIRST)

    async def found(**wish: object) -> set[str]:
        return set(chains(await islands.search("SYY", "LSI", day, limit=100, **wish)))

    assert await found(via="TRE") == await found(avoid="BEB") == {"ZZ8005+ZZ8006"}
    assert await found(via="TRE,BEB") == {"ZZ8001+ZZ8002", "ZZ8005+ZZ8006"}
    assert await found(avoid="BEB,TRE") == await found(via="GLA") == set()
    assert await found(max_duration=180) == {"ZZ8001+ZZ8002"}
    assert await found(departure_after="12:00") == await found(arrival_after="12:00") == {"ZZ8005+ZZ8006"}
    assert await found(departure_before="12:00") == await found(arrival_before="12:00") == {"ZZ8001+ZZ8002"}
    assert await found(airlines="K0") == set()


async def test_connections_across_a_night_are_marked(islands: Client, sandbox: Sandbox) -> None:
    """In the layover, in the slice, and in the day of arrival."""
    day = in_days(FIRST + 4)
    await fly(
        sandbox,
        day,
        Leg("ZZ8011", "SYY", "21:00", "BEB", "21:40"),
        Leg("ZZ8012", "BEB", "00:30", "LSI", "02:00", later=1),
        Leg("ZZ8013", "LSI", "21:00", "BEB", "22:30"),
    )
    await islands.search("BEB", "LSI", in_days(FIRST + 5))

    answer = await islands.search("SYY", "LSI", day)

    assert chains(answer) == ["ZZ8011+ZZ8012"]
    [one] = answer.body["data"][0]["slices"]
    assert one["overnight"] is True
    assert one["layovers"][0]["overnight"] is True
    assert one["arrival_day_offset"] == 1
    assert one["duration"] == "PT5H"
