"""Server-sent events come when they are sent, for as long as somebody looks on."""

import asyncio
from typing import Any

from tests.bookings.paid import held
from tests.bookings.streamed import happens, opened
from tests.running.edge.conftest import PATIENCE
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_an_event_arrives_at_once_and_late(
    traveller: Client, outside: Client, fleet: Fleet, sql: Any
) -> None:
    """Nothing is kept until there is more of it, and no patience with slow clients ends a stream that waits."""
    pnr = (await held(traveller, fleet))["pnr"]
    outside.token = traveller.token
    async with opened(outside, pnr) as stream:
        assert (await stream.next())["event"] == "snapshot"
        assert "content-encoding" not in stream.response.headers
        await asyncio.sleep(PATIENCE * 0.9)
        await happens(sql, pnr, "booking.changed")
        assert (await stream.next())["event"] == "booking.changed"
        await asyncio.sleep(PATIENCE * 0.9)
        await happens(sql, pnr, "booking.changed")
        assert (await stream.next())["event"] == "booking.changed"
