"""Who reads a flight near its departure gets what is known at once, and makes the next answer a newer one."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.flights import watch
from tests.bookings.watched import Watched
from tests.flights.support import until
from tests.support.client import Answer, Client, Sandbox, in_days


@pytest.fixture
async def flight(traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return await Watched(traveller, sandbox, sql, monkeypatch).made()


async def read(api: Client, flight: Watched) -> Answer:
    answer = await api.get(f"/flights/{flight.id}")
    assert answer.status == 200, answer.body
    return answer


async def looked() -> None:
    """Whatever was begun behind answers has ended."""
    await asyncio.gather(*watch._looking.values(), return_exceptions=True)


async def test_a_fresh_flight_is_only_read(api: Client, flight: Watched) -> None:
    """No vendor is asked for what it has just said."""
    await read(api, flight)
    await looked()

    assert await flight.calls() == 0


async def test_an_old_flight_is_renewed_behind_the_answer(api: Client, flight: Watched) -> None:
    """The first reader sees the old state, marked stale, the next one the new."""
    await flight.decide(departure_delay=50)
    flight.ahead = timedelta(minutes=30)

    first = await read(api, flight)
    await looked()
    second = await read(api, flight)

    assert (first.body["stale"], first.body["status"]) == (True, "scheduled")
    assert (second.body["stale"], second.body["status"]) == (False, "delayed")
    assert await flight.calls() == 1


async def test_twenty_readers_are_one_call(api: Client, flight: Watched) -> None:
    """While the vendor takes its time."""
    flight.ahead = timedelta(minutes=30)
    await flight.sandbox.fault("slow", delay_seconds=1.5)

    answers = await asyncio.gather(*(read(api, flight) for _ in range(20)))

    assert {answer.body["stale"] for answer in answers} == {True}

    async def renewed() -> bool:
        return not (await read(api, flight)).body["stale"]

    await until(renewed)
    assert await flight.calls() == 1


async def test_a_flight_that_the_vendor_does_not_know_is_not_asked_for_by_every_reader(
    api: Client, flight: Watched
) -> None:
    """It stays stale; that is no reason to spend the month's calls on it."""
    await flight.sandbox.control("POST", "/reset")
    flight.ahead = timedelta(minutes=30)

    for _ in range(10):
        assert (await read(api, flight)).body["stale"] is True
        await looked()

    assert await flight.calls() == 1


async def test_a_vendor_that_fails_is_not_asked_by_every_reader(api: Client, flight: Watched) -> None:
    """One look fails; the next one is made some minutes later."""
    await flight.sandbox.fault("rate_limited")
    flight.ahead = timedelta(minutes=30)

    for _ in range(10):
        await read(api, flight)
        await looked()

    assert await flight.calls() == 1


async def test_a_flight_far_ahead_is_never_asked_for(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """There are no news of it, however old its schedule is."""
    offer = await api.first_offer("FAE", "KEF", in_days(277))
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    await sql(
        "UPDATE flights SET observed_at = now() - interval '9 days' WHERE departure_date = :day",
        day=in_days(277),
    )
    await sandbox.control("DELETE", "/journal")

    assert (await api.get(f"/flights/{flight}")).body["stale"] is True
    await looked()

    assert await sandbox.calls() == {}
