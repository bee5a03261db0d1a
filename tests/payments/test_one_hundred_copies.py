"""A hundred copies of one request under one Idempotency-Key, as impatient apps and networks send them."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.core import idempotency
from tests.invariants import broken, journal_of
from tests.payments.support import paid_at_once
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet

COPIES = 100


async def copies(client: Client, body: dict[str, Any], how_many: int = COPIES) -> list[Answer]:
    key = {"Idempotency-Key": "the-same-trip"}
    return await asyncio.gather(*(client.post("/bookings", body, key) for _ in range(how_many)))


async def test_a_hundred_copies_are_one_booking_and_one_charge(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """A hundred equal answers, byte for byte."""
    flight = await fleet.flight()
    body = paid_at_once(await fleet.offer(traveller, flight))

    answers = await copies(traveller, body)

    assert Counter(answer.status for answer in answers) == {201: COPIES}, {a.code for a in answers}
    assert len({answer.raw for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == COPIES - 1
    journal = await journal_of(sandbox)
    assert [line["what"] for line in journal if line["what"] in ("authorised", "charged")] == [
        "authorised",
        "charged",
    ]
    assert (await fleet.counts(flight))["sold"] == 1
    assert await broken(sql, [flight], journal) == {}


async def test_a_hundred_copies_that_are_declined_are_declined_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The bank is asked once; the hold is there for another card."""
    flight = await fleet.flight()
    body = paid_at_once(await fleet.offer(traveller, flight), "pm_card_chargeDeclined")

    answers = await copies(traveller, body)

    assert Counter(answer.status for answer in answers) == {402: COPIES}, {a.code for a in answers}
    assert len({answer.raw for answer in answers}) == 1
    assert [line["what"] for line in await journal_of(sandbox)] == ["declined"]
    assert len({answer.body["pnr"] for answer in answers}) == 1
    assert (await fleet.counts(flight))["held"] == 1
    assert await broken(sql, [flight], await journal_of(sandbox)) == {}


async def test_without_the_key_in_the_database_each_copy_would_book(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a claim that does not look at the key lets copies through."""
    flight = await fleet.flight()
    body = paid_at_once(await fleet.offer(traveller, flight))
    claim, numbers = idempotency.claim, iter(range(COPIES))

    async def another_key(session: Any, caller: Any, method: str, path: str, key: str, mark: bytes) -> Any:
        return await claim(session, caller, method, path, f"{key}-{next(numbers)}", mark)

    monkeypatch.setattr(idempotency, "claim", another_key)
    answers = await copies(traveller, body, 5)

    assert len({answer.raw for answer in answers}) == 5
