"""Ten seats and five hundred buyers, all at once; as many come in at a time as a busy shop lets in."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from app.core import db
from app.offers import repository
from tests.invariants import broken, journal_of
from tests.payments.support import paid_at_once
from tests.support.client import Answer, Client, Sandbox, adult, booking, patiently
from tests.support.fleet import Fleet, Flight

BUYERS, SEATS, ACCOUNTS = 500, 10, 10
AT_A_TIME = 50


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def buyers(http: aiohttp.ClientSession, address: str) -> AsyncIterator[list[Client]]:
    """A few accounts, each of which books for many people."""
    yield await asyncio.gather(*(Client(http, address).signed_up() for _ in range(ACCOUNTS)))


async def rush(buyers: list[Client], bodies: list[dict[str, Any]]) -> list[Answer]:
    """Each body by one of the accounts."""
    door = asyncio.Semaphore(AT_A_TIME)

    async def come_in(buyer: Client, body: dict[str, Any]) -> Answer:
        async with door:
            return await patiently(lambda: buyer.post("/bookings", body))

    return await asyncio.gather(*(come_in(buyers[n % ACCOUNTS], body) for n, body in enumerate(bodies)))


def of_everybody(offer_id: str) -> list[dict[str, Any]]:
    return [booking(offer_id, [adult(700_000 + number)]) for number in range(BUYERS)]


def nobody_else(answers: list[Answer]) -> None:
    """Ten bookings, and 490 who are told clearly."""
    assert Counter(answer.status for answer in answers) == {201: SEATS, 409: BUYERS - SEATS}
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}


async def test_ten_of_five_hundred_hold_a_seat(buyers: list[Client], fleet: Fleet, sql: Any) -> None:
    """No seat is left, and none is held twice."""
    flight = await fleet.flight(SEATS)
    offer = await fleet.offer(buyers[0], flight)

    answers = await rush(buyers, of_everybody(offer["id"]))

    nobody_else(answers)
    assert await fleet.counts(flight) == {"capacity": SEATS, "held": SEATS, "sold": 0, "claimed": SEATS}
    assert await broken(sql, [flight]) == {}


async def test_ten_of_five_hundred_pay_and_fly(
    buyers: list[Client], fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Who pays with the booking: ten charges, ten confirmed, and nobody pays for nothing."""
    flight = await fleet.flight(SEATS)
    paid = paid_at_once(await fleet.offer(buyers[0], flight))
    bodies = [paid | {"passengers": [adult(800_000 + number)]} for number in range(BUYERS)]

    answers = await rush(buyers, bodies)

    nobody_else(answers)
    assert {answer.body["status"] for answer in answers if answer.status == 201} == {"confirmed"}
    journal = await journal_of(sandbox)
    assert sum(line["what"] == "charged" for line in journal) == SEATS
    assert await fleet.counts(flight) == {"capacity": SEATS, "held": 0, "sold": SEATS, "claimed": SEATS}
    assert await broken(sql, [flight], journal) == {}


async def test_without_the_guard_more_would_fly(
    buyers: list[Client], fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who looks first and takes then sells more than there is, and the invariants see it."""
    flight = await fleet.flight(SEATS)
    offer = await fleet.offer(buyers[0], flight)
    monkeypatch.setattr(repository, "claim", _look_then_take)

    answers = await rush(buyers, of_everybody(offer["id"])[:100])

    assert sum(answer.status == 201 for answer in answers) > SEATS
    found = await broken(sql, [flight])
    await _forget(sql, flight)
    assert "a counter differs from the recount of its claims, or is beyond the capacity" in found


async def _look_then_take(session: db.Session, ids: list[int], cabin: str, seats: int, _: float) -> Any:
    known = await repository.flights(session, ids, cabin)
    if any(known[flight]["seats_left"] < seats for flight in ids):
        return []
    await asyncio.sleep(0.02)
    claims = await db.rows(
        session,
        "INSERT INTO seat_claims (flight_id, cabin, seats, expires_at)"
        " SELECT id, 'economy', 1, now() + interval '1 hour' FROM flights WHERE id = ANY(CAST(:ids AS bigint[]))"
        " RETURNING id AS claim_id, flight_id, expires_at AS claim_expires_at",
        ids=ids,
    )
    return [known[claim["flight_id"]] | claim for claim in claims]


async def _forget(sql: Any, flight: Flight) -> None:
    """Let the corrupted claims not trouble others, such as the sweep of ended holds."""
    await sql("UPDATE seat_claims SET released_at = now() WHERE flight_id = :id", id=flight.id)
