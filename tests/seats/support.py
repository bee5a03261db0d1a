"""Claims on seats of flights, and people who want to sit."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar

from app.core import db
from app.core.config import settings
from app.offers import repository as offers
from app.seats import service
from app.seats.sitting import Traveller, Wanted
from tests.support.fleet import Flight

A320 = "A320"
Row = dict[str, Any]
T = TypeVar("T")


async def at_once(work: Iterable[Awaitable[T]]) -> list[T]:
    """As many at a time as there are connections; the others would wait for one anyway, on a busy machine too long."""
    connections = asyncio.Semaphore(settings().database_pool_size)

    async def one(some: Awaitable[T]) -> T:
        async with connections:
            return await some

    return await asyncio.gather(*map(one, work))


async def claim(flight: Flight, seats: int = 1, minutes: float = 30) -> Row:
    """Seats of the flight's economy cabin, held."""
    async with db.transaction() as session:
        [row] = await offers.claim(session, [flight.id], "economy", seats, minutes)
    return {"claim_id": row["claim_id"], "flight_id": flight.id, "cabin": "economy"}


def wants(seat: str, position: int = 0, kind: str = "adult", **more: bool) -> Wanted:
    return Wanted(position=position, type=kind, seat=seat, **more)


def someone(position: int, kind: str = "adult", **more: bool) -> Traveller:
    return Traveller(position=position, type=kind, **more)


async def assign(claimed: Row, *wanted: Wanted) -> dict[int, str]:
    """In a transaction of its own; gives the seats by the passengers' positions."""
    async with db.transaction() as session:
        rows = await service.assign(session, claimed, A320, wanted)
    return {row["position"]: row["seat"] for row in rows}


async def check_in(claimed: Row, travellers: Sequence[Traveller]) -> dict[int, str]:
    async with db.transaction() as session:
        rows = await service.assign_automatically(session, claimed, A320, travellers)
    return {row["position"]: row["seat"] for row in rows}


async def seated(*claims: Row) -> dict[tuple[int, int], str]:
    """Who sits where, by claim and position."""
    async with db.transaction() as session:
        rows = await service.of_claims(session, [one["claim_id"] for one in claims])
    return {(row["claim_id"], row["position"]): row["seat"] for row in rows}


async def run_out(sql: Any, claimed: Row) -> None:
    """Let the claim have ended a moment ago; nobody is told."""
    await sql(
        "UPDATE seat_claims SET expires_at = now() - interval '1 second' WHERE id = :id",
        id=claimed["claim_id"],
    )
