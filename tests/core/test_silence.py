"""A database that says nothing for longer than its own limits allow is given up, and so is the connection to it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from app.core import db, outbox
from app.timetable import repository as timetable
from tests.support.fleet import Fleet

PATIENCE = 0.3
SILENT = "SELECT pg_sleep(:seconds)"
BACKEND = "SELECT pg_backend_pid() AS pid"


@asynccontextmanager
async def impatient(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What is asked in it is given up long before PostgreSQL would end it."""
    shared = db.engine()
    with monkeypatch.context() as patched:
        patched.setattr(db, "_SILENCE_SECONDS", PATIENCE - db._STATEMENT_SECONDS)
        db.connect()
    ours = db.engine()
    try:
        yield
    finally:
        db._engine = shared
        # What this process does by itself has asked here as well.
        while ours.pool.checkedout():  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await ours.dispose()


async def copied(day: Any) -> bytearray:
    async with db.transaction() as session:
        await timetable.begin_reading(session)
        return await timetable.flights(session, day)


@pytest.mark.parametrize("directly", [True, False])
async def test_whoever_hears_nothing_gives_up_and_leaves_no_connection(
    address: str, monkeypatch: pytest.MonkeyPatch, directly: bool
) -> None:
    """Told as an outage at once, not after having tried to roll back; others find as many connections as ever."""
    begins = db.direct if directly else db.transaction

    async def waits() -> None:
        async with begins() as session:
            left.extend(await db.rows(session, BACKEND))
            await db.rows(session, SILENT, seconds=3.0)

    left: list[dict[str, Any]] = []
    async with impatient(monkeypatch):
        began = monotonic()
        with pytest.raises(DBAPIError) as given_up:
            await waits()

        assert monotonic() - began < 2.5
        assert given_up.value.connection_invalidated
        async with AsyncExitStack() as lent:
            for _ in range(db.engine().pool.size()):  # type: ignore[attr-defined]
                assert await db.rows(await lent.enter_async_context(begins()), BACKEND) != left


@pytest.mark.parametrize("seconds", [60, PATIENCE])
async def test_a_day_of_the_timetable_may_take_as_long_as_it_was_given(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """It is copied by the driver itself, and is more patient than all else; beyond that it ends as all else does."""
    flight = await fleet.flight()
    # This one alone: tests before may have had many fly on its day.
    slowly = f"CASE id WHEN {flight.id} THEN CAST(pg_sleep(0.12) AS text) ELSE '' END"
    slow = timetable._FIXED.replace("convert_to(", f"convert_to({slowly} || ")
    monkeypatch.setattr(timetable, "_FIXED", slow)
    monkeypatch.setattr(timetable, "_BUILD_SECONDS", seconds)
    monkeypatch.setattr(db, "_SILENCE_SECONDS", 0)
    async with impatient(monkeypatch):
        if seconds > 1:
            assert flight.id.to_bytes(8, "big") in await copied(flight.day)
        else:
            monkeypatch.setattr(db, "_SILENCE_SECONDS", -seconds / 2)  # PostgreSQL would end it by itself.
            with pytest.raises(DBAPIError) as given_up:
                await copied(flight.day)
            assert given_up.value.connection_invalidated


async def test_no_event_is_blamed_for_it(address: str, monkeypatch: pytest.MonkeyPatch, sql: Any) -> None:
    """Handing on is tried again soon, with all events: none of them counts as one that cannot be taken."""
    subject = f"silence-{uuid.uuid4()}"
    async with db.transaction() as session:
        event = {"type": "test.silence", "subject": subject, "sequence": 1, "data": {}}
        await outbox.record(session, [event])

    async def says_nothing(session: db.Session, _: list[db.Row]) -> bool:
        await db.rows(session, SILENT, seconds=1.0)
        return False

    async def relays() -> None:
        async with db.transaction() as session:
            await outbox.relay(session, [says_nothing], 10_000)

    async with impatient(monkeypatch):
        with pytest.raises(DBAPIError):
            await relays()

    [left] = await sql("DELETE FROM outbox WHERE subject = :subject RETURNING attempts", subject=subject)
    assert left == {"attempts": 0}
