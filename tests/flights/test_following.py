"""Whoever wants to hear of a flight follows it, booked or not."""

import asyncio
from inspect import unwrap
from typing import Any

import pytest
import pytest_asyncio

from app.bookings import tasks
from app.flights import following
from app.flights.service import public_id
from tests.bookings.watched import Watched
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


@pytest_asyncio.fixture
async def flight_id(fleet: Fleet, sql: Any) -> str:
    return await an_id(fleet, sql)


async def an_id(fleet: Fleet, sql: Any, origin: str = "TOS") -> str:
    made = await fleet.flight(origin=origin)
    [row] = await sql("SELECT * FROM flights WHERE id = :id", id=made.id)
    return public_id(row)


async def followed(client: Client, **params: Any) -> list[str]:
    found, cursor = [], None
    while True:
        answer = await client.get("/flights/followed", cursor=cursor, **params)
        assert answer.status == 200, answer.body
        found += [one["id"] for one in answer.body["data"]]
        cursor = answer.body["next_cursor"]
        if cursor is None:
            return found


async def test_a_flight_is_followed_once_and_left_again(traveller: Client, flight_id: str) -> None:
    """However often somebody says so; the answer is the flight, and nobody keeps a copy of it."""
    first = await traveller.post(f"/flights/{flight_id}/follow")
    again = await traveller.post(f"/flights/{flight_id.lower()}/follow")

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.body["id"] == flight_id
    assert first.headers["Cache-Control"] == "no-store"
    assert await followed(traveller) == [flight_id]

    for _ in range(2):
        assert (await traveller.send("DELETE", f"/flights/{flight_id}/follow")).status == 204
    assert await followed(traveller) == []


async def test_everybody_has_their_own(traveller: Client, api: Client, flight_id: str) -> None:
    """And whoever is not signed in has none."""
    other = await api.signed_up()
    await traveller.post(f"/flights/{flight_id}/follow")

    assert (await other.send("DELETE", f"/flights/{flight_id}/follow")).status == 204
    assert (await followed(traveller), await followed(other)) == ([flight_id], [])
    for method, path in (
        ("POST", f"{flight_id}/follow"),
        ("DELETE", f"{flight_id}/follow"),
        ("GET", "followed"),
    ):
        assert (await api.send(method, f"/flights/{path}")).code == "unauthorized"


async def test_the_latest_comes_first_page_by_page(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Each once, whatever the size of the page."""
    ids = [await an_id(fleet, sql) for _ in range(5)]
    for flight_id in ids:
        await traveller.post(f"/flights/{flight_id}/follow")

    for limit in (1, 2, 5, 100):
        assert await followed(traveller, limit=limit) == ids[::-1]
    for cursor in ("WzEsMl0", "eyJhIjoxfQ", "WyIyMDI2LTAxLTAxIiwxXQ", "????"):
        assert (await traveller.get("/flights/followed", cursor=cursor)).status == 422


@pytest.mark.parametrize(
    "how",
    [
        "status = 'landed'",
        "status = 'cancelled'",
        "departs_at = now() - interval '10 hours', arrives_at = now() - interval '7 hours'",
    ],
)
async def test_what_is_over_is_not_followed(traveller: Client, sql: Any, flight_id: str, how: str) -> None:
    """There will be no news of it; who followed it before still does."""
    before = await traveller.signed_up()
    await before.post(f"/flights/{flight_id}/follow")
    await sql(f"UPDATE flights SET {how} WHERE number = :number", number=flight_id[2:].partition("-")[0])

    assert (await traveller.post(f"/flights/{flight_id}/follow")).code == "flight_over"
    assert (await before.post(f"/flights/{flight_id}/follow")).status == 200


async def test_what_is_not_known_is_not_followed(traveller: Client) -> None:
    """Nor left."""
    for method in ("POST", "DELETE"):
        assert (await traveller.send(method, "/flights/ZZ1-20300101-JFK/follow")).code == "flight_not_found"


async def test_there_is_an_end_to_following(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many at once are counted one by one; a flight that is over makes room for another."""
    monkeypatch.setattr(following, "MOST", 2)
    ids = [await an_id(fleet, sql) for _ in range(4)]

    answers = await asyncio.gather(*(traveller.post(f"/flights/{one}/follow") for one in ids))

    assert sorted(answer.status for answer in answers) == [201, 201, 409, 409]
    refused = next(one for one, answer in zip(ids, answers, strict=True) if answer.status == 409)
    assert (await traveller.post(f"/flights/{refused}/follow")).code == "too_many_followed"
    over = (await followed(traveller))[0]
    await sql(
        "UPDATE flights SET status = 'landed' WHERE number = :number", number=over[2:].partition("-")[0]
    )
    assert (await traveller.post(f"/flights/{refused}/follow")).status == 201


async def test_a_followed_flight_is_watched_like_a_booked_one(
    traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is booked on it."""
    flight = await Watched(traveller, sandbox, sql, monkeypatch).made()
    await flight.decide(departure_delay=45)
    assert await flight.look() == []

    assert (await traveller.post(f"/flights/{flight.id}/follow")).status == 201

    assert await flight.look() == ["delayed"]


async def test_the_board_of_a_followed_flight_is_kept_fresh(
    traveller: Client, sql: Any, fleet: Fleet
) -> None:
    """Like those that people search; nobody else flies from there."""
    flight_id = await an_id(fleet, sql, origin="LKL")

    async def wanted() -> Any:
        place = {"airport": flight_id[-3:], "day": flight_id.split("-")[1]}
        found = await sql(
            "SELECT wanted_at FROM schedule_boards WHERE airport = :airport"
            " AND local_date = to_date(:day, 'YYYYMMDD')",
            **place,
        )
        return found[0]["wanted_at"]

    before = await wanted()
    await unwrap(tasks.keep_flights_fresh)()
    assert await wanted() == before

    await traveller.post(f"/flights/{flight_id}/follow")
    await unwrap(tasks.keep_flights_fresh)()
    assert await wanted() != before
