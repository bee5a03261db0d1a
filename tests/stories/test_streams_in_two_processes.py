"""A stream begins in one process and goes on in another, until that is stopped."""

import asyncio
import os
import signal
from typing import Any

from tests.bookings.paid import held
from tests.bookings.streamed import Stream, closed, happens, opened
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.stack import child, free_port, wait_for


async def test_streams_go_on_elsewhere_and_end_with_the_server(
    traveller: Client, fleet: Fleet, sql: Any, sandbox: Sandbox
) -> None:
    """An id means the same everywhere. Within three seconds of being told to stop a server has, though clients stay."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as here:
        last = (await here.next())["id"]
    await happens(sql, pnr, "booking.changed")
    port = free_port()
    with child("-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log") as process:
        there = Client(traveller.session, f"http://127.0.0.1:{port}", traveller.token)
        await asyncio.to_thread(wait_for, f"{there.base}/readyz")
        positions = there.session.get(f"{there.base}/flights/live/stream", params={"limit": 1})
        async with opened(there, pnr, last) as stream, positions as response:
            assert (await stream.next())["event"] == "booking.changed"
            assert (await Stream(response).next())["event"] == "positions"
            os.kill(process.pid, signal.SIGTERM)
            assert await stream.ended(3)
            assert await Stream(response).ended(3)
            await asyncio.to_thread(process.wait, 3)

    # It stopped by itself, the way it was asked to.
    assert process.returncode == 0
    await closed()
