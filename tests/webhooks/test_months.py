"""Deliveries are kept by the month of their event, and whole months go."""

from datetime import UTC, datetime, timedelta
from inspect import unwrap

import pytest

from app.core import clock, db, partitions
from app.core.config import settings
from app.webhooks import messages, tasks
from tests.webhooks.support import Hooks


def name(table: str, month: datetime) -> str:
    return f"{table}_{month:%Y_%m}"


async def kept() -> set[str]:
    async with db.transaction() as session:
        return {one for table in messages.TABLES for one in await partitions.partitions(session, table)}


async def test_this_month_and_the_next_are_there(hooks: Hooks) -> None:
    """Before anything happens in them."""
    await unwrap(tasks.keep_months)()
    await unwrap(tasks.keep_months)()

    month = partitions.month_of(clock.now())
    for table in messages.TABLES:
        assert {name(table, month), name(table, partitions.month_after(month))} <= await kept()


async def test_an_event_of_a_month_that_is_not_there_is_delivered_all_the_same(hooks: Hooks) -> None:
    """A backlog may be older than what Beat has made."""
    subscription = await hooks.subscribed("booking.held")
    pnr = await hooks.booked()
    long_ago = datetime(2025, 2, 28, 23, 59, 59, tzinfo=UTC)
    await hooks.sql("UPDATE outbox SET created_at = :at WHERE subject = :pnr", at=long_ago, pnr=pnr)
    await hooks.delivered()

    [arrival] = hooks.receiver.arrivals
    assert arrival.event["created_at"] == "2025-02-28T23:59:59Z"
    [delivery] = await hooks.deliveries(subscription)
    assert delivery["state"] == "delivered"
    assert "webhook_attempts_2025_02" in await kept()


async def test_months_that_nobody_may_look_at_any_more_are_dropped(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that ended longer ago than deliveries are kept, and no others."""
    made = [
        datetime(2024, 11, 1, tzinfo=UTC),
        datetime(2024, 12, 1, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    ]
    async with db.transaction() as session:
        for month in made:
            await partitions.make(session, messages.TABLES, month)
    days = settings().webhook_retention_days
    over = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days)

    for now, gone in ((over - timedelta(seconds=1), made[:1]), (over, made[:2])):
        monkeypatch.setattr(clock, "now", lambda at=now: at)
        await unwrap(tasks.keep_months)()
        present = await kept()
        for month in made:
            for table in messages.TABLES:
                assert (name(table, month) in present) == (month not in gone)
    messages._months_made.clear()
