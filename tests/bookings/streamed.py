"""Somebody watches a booking, and things happen to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from app.bookings import events, repository
from app.core import db
from app.flights import watch
from tests.support.client import Answer, Client
from tests.support.fleet import Flight
from tests.support.sse import event

Row = dict[str, Any]
ANY_STATE = ("held", "confirmed", "cancelled", "expired", "completed")


class Stream:
    """An open stream of a booking's events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, seconds: float = 5) -> Row:
        """The next event: its `id`, `event` and `data`."""
        async with asyncio.timeout(seconds):
            while "event" not in (fields := await event(self.response)):
                pass
        return fields | {"data": orjson.loads(fields["data"])}

    async def take(self, count: int) -> list[Row]:
        return [await self.next() for _ in range(count)]

    async def is_silent(self, seconds: float = 0.8) -> bool:
        """Whether nothing more is told for a while; the stream cannot be read any further."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False

    async def ended(self, seconds: float = 3) -> bool:
        """Whether the server ends it properly within so many seconds."""
        async with asyncio.timeout(seconds):
            await self.response.content.read()
        return self.response.content.at_eof()


@asynccontextmanager
async def opened(client: Client, pnr: str, last: str | None = None, **query: str) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {client.token}"} | ({"Last-Event-ID": last} if last else {})
    path, timeout = f"{client.base}/bookings/{pnr}/events", aiohttp.ClientTimeout(total=None)
    async with client.session.get(path, params=query, headers=headers, timeout=timeout) as response:
        assert response.status == 200, await response.text()
        yield Stream(response)


async def refused(client: Client, pnr: str, **query: str) -> Answer:
    """The answer of a stream that does not begin."""
    async with asyncio.timeout(5):
        return await client.get(f"/bookings/{pnr}/events", **query)


async def closed(seconds: float = 3) -> None:
    """Wait until no stream of a booking is open in this process."""
    async with asyncio.timeout(seconds):
        while events.crowd.open:  # noqa: ASYNC110  It happens in another task.
            await asyncio.sleep(0.02)


async def nothing_lent(seconds: float = 3) -> None:
    """Wait until no connection to the database is lent; what the process asks for itself takes no longer."""
    async with asyncio.timeout(seconds):
        while db.engine().pool.checkedout():  # type: ignore[attr-defined]  # noqa: ASYNC110  It happens in other tasks.
            await asyncio.sleep(0.02)


async def happens(sql: Any, pnr: str, *types: str) -> None:
    """Steps of a booking, in one transaction."""
    [booking] = await sql("SELECT id FROM bookings WHERE pnr = :pnr", pnr=pnr)
    async with db.transaction() as session:
        await step(session, booking["id"], *types)


async def step(session: db.Session, booking_id: int, *types: str) -> None:
    told = [{"type": kind, "data": {"n": n}} for n, kind in enumerate(types)]
    assert await repository.step(session, booking_id, told, leaving=ANY_STATE)


async def is_late(sql: Any, flight: Flight, minutes: int) -> None:
    """The flight is expected to leave so much later, which is told."""
    await sql(
        "UPDATE flights SET departure_estimated_at = departs_at + make_interval(mins => :minutes) WHERE id = :id",
        minutes=minutes,
        id=flight.id,
    )
    async with db.transaction() as session:
        await watch.tell(session, [flight.id])


async def leaves_from(sql: Any, flight: Flight, *gates: str) -> None:
    """Gates are published one after the other, each seen twice; the first is no change."""
    for gate in gates:
        for _ in range(2):
            await sql(
                "UPDATE flights SET departure_gate = :gate, observed_at = observed_at + interval '1 second'"
                " WHERE id = :id",
                gate=gate,
                id=flight.id,
            )
            async with db.transaction() as session:
                await watch.tell(session, [flight.id])


def types(found: Sequence[Row]) -> list[str]:
    return [one["event"] for one in found]
