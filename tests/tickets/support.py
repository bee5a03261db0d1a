"""Held bookings made through the API, to issue tickets for, and what became of their coupons."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.core import db
from app.tickets import service
from tests.support.client import BORN, Client, adult
from tests.support.fleet import Fleet, Flight

T = TypeVar("T")

INFANT = {"type": "infant", "given_name": "Allegra", "family_name": "Lovelace", "born_on": BORN["infant"]}


@dataclass
class Trip:
    """A booking of some people on a flight, or on one there and one back."""

    id: int
    positions: list[int]
    segments: list[dict[str, Any]]

    @property
    def flights(self) -> list[int]:
        return [segment["flight_id"] for segment in self.segments]

    @property
    def slices(self) -> set[int]:
        return {segment["slice_index"] for segment in self.segments}

    def names(self, *positions: int) -> dict[int, str]:
        return {position: f"LOVELACE/ADA {position}" for position in positions or self.positions}

    async def issued(self, *positions: int) -> dict[int, list[str]]:
        return await do(service.issue, self.id, self.names(*positions), self.segments)

    async def tickets(self) -> list[dict[str, Any]]:
        return (await do(service.of_bookings, [self.id]))[self.id]

    async def statuses(self) -> str:
        """Of every coupon, by passenger, ticket and coupon number."""
        return "".join(coupon["status"] for ticket in await self.tickets() for coupon in ticket["coupons"])


# Nobody is booked twice on a flight.
_people = itertools.count(1)


async def do(function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Call a service in a transaction of its own."""
    async with db.transaction() as session:
        return await function(session, *arguments)


async def booked(
    traveller: Client,
    fleet: Fleet,
    sql: Any,
    *flights: Flight,
    adults: int = 1,
    infants: int = 0,
) -> Trip:
    """A held booking, on a new flight if none is given; two flights are there and back."""
    there, *back = flights or [await fleet.flight()]
    more = {"adults": adults, "infants": infants, **({"return_date": back[0].day} if back else {})}
    offer = await fleet.offer(traveller, there, **more)
    people = [adult(next(_people)) for _ in range(adults)] + [INFANT] * infants
    answer = await traveller.book(offer["id"], people)
    assert answer.status == 201, answer.body
    segments = await sql(
        "SELECT b.id, s.slice_index, s.segment_index, s.flight_id FROM bookings b"
        " JOIN booking_segments s ON s.booking_id = b.id WHERE b.pnr = :pnr ORDER BY 2, 3",
        pnr=answer.body["pnr"],
    )
    return Trip(segments[0].pop("id"), list(range(len(people))), segments)
