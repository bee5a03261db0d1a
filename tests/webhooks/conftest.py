"""Webhooks from an event to a receiver."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.core import strangers
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.webhooks.support import Hooks, Receiver, receiving


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def hooks(sql: Any, traveller: Client, fleet: Fleet, receiver: Receiver) -> AsyncIterator[Hooks]:
    """An outbox in which nothing waits, no deliveries, and nobody else who subscribes."""
    await sql("UPDATE outbox SET dispatched_at = now() WHERE dispatched_at IS NULL")
    await sql("UPDATE webhook_subscriptions SET status = 'paused' WHERE status = 'active'")
    await _forgotten(sql)
    strangers.connect()
    yield Hooks(sql, traveller, fleet, receiver)
    await strangers.disconnect()
    await _forgotten(sql)


async def _forgotten(sql: Any) -> None:
    """What a test has bent must not trouble the next one's senders, which see the deliveries of everybody."""
    await sql("DELETE FROM webhook_attempts")
    await sql("DELETE FROM webhook_deliveries")
