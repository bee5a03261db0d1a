"""How many bookings there are in each state is known without reading any, and is always true."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.bookings.models import STATUSES
from app.core import db
from app.ops import measuring, repository
from tests.payments.support import bought, held
from tests.support.client import Client
from tests.support.fleet import Fleet

COUNTED = "SELECT status, count(*) AS bookings FROM bookings GROUP BY status"


async def tallied() -> tuple[dict[str, int], dict[str, int]]:
    """What the tally says and what a count finds, at one moment."""
    async with db.transaction() as session:
        await db.rows(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        counted = {row["status"]: row["bookings"] for row in await db.rows(session, COUNTED)}
        return await repository.bookings_by_status(session), dict.fromkeys(STATUSES, 0) | counted


async def cancelled(traveller: Client, fleet: Fleet) -> None:
    pnr = (await bought(traveller, fleet))["pnr"]
    quote = (await traveller.post(f"/bookings/{pnr}/cancellations")).body
    assert (await traveller.post(f"/bookings/{pnr}/cancellations/{quote['id']}/confirm")).status == 200


@pytest.mark.parametrize(
    ("does", "expected"), [(held, {"held": 1}), (bought, {"confirmed": 1}), (cancelled, {"cancelled": 1})]
)
async def test_whatever_becomes_of_a_booking_is_tallied(
    traveller: Client, fleet: Fleet, does: Callable[..., Awaitable[Any]], expected: dict[str, int]
) -> None:
    """Each step leaves one state and enters another; what was there before the test is counted as well."""
    before, _ = await tallied()

    await does(traveller, fleet)

    after, counted = await tallied()
    assert after == counted
    assert {name: after[name] - before[name] for name in STATUSES if after[name] != before[name]} == expected


async def test_what_is_rolled_back_is_not_tallied(traveller: Client, fleet: Fleet) -> None:
    """The tally is part of the transaction that it tells of."""
    pnr = (await held(traveller, fleet))["pnr"]
    before, _ = await tallied()

    async with db.transaction() as session:
        await db.rows(session, "UPDATE bookings SET status = 'expired' WHERE pnr = :pnr", pnr=pnr)
        assert (await repository.bookings_by_status(session))["expired"] == before["expired"] + 1
        await session.rollback()

    assert (await tallied())[0] == before


async def test_folding_changes_no_sum_however_many_do_it(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, at the same time, and while a booking is made: few rows are left."""
    monkeypatch.setattr(measuring, "_CHANGES_A_BATCH", 20)
    await sql(
        "INSERT INTO booking_tally SELECT 'held', CASE WHEN n % 2 = 0 THEN 1 ELSE -1 END FROM generate_series(1, 500) n"
    )

    await asyncio.gather(*(measuring.take_stock() for _ in range(3)), held(traveller, fleet))

    after, counted = await tallied()
    assert after == counted
    [left] = await sql("SELECT count(*) AS changes FROM booking_tally")
    assert left["changes"] < 60


async def test_taking_stock_reads_no_booking(sql: Any) -> None:
    """It goes on while nobody may read the bookings, so what it takes does not depend on how many they are."""
    await sql("UPDATE measurements SET at = at - interval '1 hour'")

    async with db.transaction() as session:
        await db.rows(session, "LOCK TABLE bookings, inventory IN ACCESS EXCLUSIVE MODE")
        await measuring.take_stock()

    found = await sql(
        "SELECT name FROM measurements WHERE kind = 'bookings' AND at > now() - interval '1 minute'"
    )
    assert {row["name"] for row in found} == {*STATUSES}
