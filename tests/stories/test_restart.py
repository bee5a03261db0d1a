"""Servers come and go between a search and a booking, and caches are emptied."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.core import redis
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import api_process, free_port


@pytest.fixture
def fleet(sql: Any) -> Fleet:
    return Fleet(sql)


@pytest.fixture
def processes() -> Iterator[Any]:
    """Start API processes in the middle of a test; they end with it."""
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(api_process(**environment))


async def test_an_offer_is_honoured_by_a_process_that_starts_later(
    traveller: Client, fleet: Fleet, processes: Any
) -> None:
    """It shares no memory with the one that made it; tokens, offers and repeated keys are good everywhere."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    base = processes()
    later = Client(traveller.session, base, traveller.token)

    booked = await later.book(offer["id"], **{"Idempotency-Key": "across"})

    assert (booked.status, booked.body["price"]) == (201, offer["price"])
    assert (await traveller.book(offer["id"], **{"Idempotency-Key": "across"})).raw == booked.raw
    assert (await traveller.get(f"/bookings/{booked.body['pnr']}")).body == booked.body
    assert (await fleet.counts(flight))["held"] == 1


async def test_emptying_redis_between_search_and_booking_loses_nothing(
    traveller: Client, fleet: Fleet
) -> None:
    """Offers, sessions and keys live elsewhere."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    first = await traveller.book(offer["id"], **{"Idempotency-Key": "emptied"})

    await redis.client().flushdb()

    assert (await traveller.book(offer["id"], **{"Idempotency-Key": "emptied"})).raw == first.raw
    assert (await traveller.book(offer["id"])).status == 201
    refreshed = await traveller.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})
    assert refreshed.status == 200
    assert (await fleet.offer(traveller, flight, limit=97))["seats_left"] == 8


async def test_emptying_redis_shows_no_old_seats(traveller: Client, fleet: Fleet) -> None:
    """A generation that is forgotten starts over, but no answer survives that was computed under it."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    await traveller.book(offer["id"])
    await redis.client().flushdb()

    assert (await fleet.offer(traveller, flight))["seats_left"] == 9


async def test_a_process_without_redis_searches_and_sells(
    traveller: Client, fleet: Fleet, processes: Any, sql: Any
) -> None:
    """From its start on: nothing listens where Redis should be."""
    base = processes(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    alone = await Client(traveller.session, base).signed_up()
    flight = await fleet.flight()
    offer = await fleet.offer(alone, flight)

    booked = await alone.book(offer["id"])

    assert booked.status == 201
    assert (await fleet.offer(alone, flight))["seats_left"] == offer["seats_left"] - 1
    events = await sql("SELECT data FROM outbox WHERE subject = :pnr", pnr=booked.body["pnr"])
    assert json.loads(json.dumps(events[0]["data"]))["status"] == "held"
