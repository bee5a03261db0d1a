"""Whatever happens in whatever order, the counters agree with a recount."""

import asyncio
import itertools
from random import Random
from typing import Any

import pytest

from app.bookings import service
from app.core import db
from tests.support.client import Client, adult
from tests.support.fleet import Fleet, Flight

STEPS = 25

# Each must find nothing.
INVARIANTS = {
    "a counter differs from the recount of its claims": """
        SELECT i.flight_id FROM inventory i LEFT JOIN seat_claims s
            ON s.flight_id = i.flight_id AND s.cabin = i.cabin AND s.released_at IS NULL
        WHERE i.flight_id = ANY(:ids) GROUP BY i.flight_id, i.cabin
        HAVING i.held <> coalesce(sum(s.seats) FILTER (WHERE s.expires_at IS NOT NULL), 0)
            OR i.sold <> coalesce(sum(s.seats) FILTER (WHERE s.expires_at IS NULL), 0)
            OR i.held + i.sold > i.capacity""",
    "a claim belongs to no booking": """
        SELECT s.id FROM seat_claims s LEFT JOIN booking_segments b ON b.claim_id = s.id
        WHERE s.flight_id = ANY(:ids) AND b.claim_id IS NULL""",
    "an expired booking keeps seats, or a held one that is not due has none": """
        SELECT b.pnr FROM bookings b JOIN booking_segments g ON g.booking_id = b.id
            JOIN seat_claims s ON s.id = g.claim_id
        WHERE s.flight_id = ANY(:ids) AND ((b.status = 'expired' AND s.released_at IS NULL)
            OR (b.status = 'held' AND b.hold_expires_at > now() AND s.released_at IS NOT NULL))""",
    "a claim is not for the people who need a seat": """
        SELECT b.pnr FROM bookings b JOIN booking_segments g ON g.booking_id = b.id
            JOIN seat_claims s ON s.id = g.claim_id
        WHERE s.flight_id = ANY(:ids) AND s.seats <> (
            SELECT count(*) FROM booking_passengers p WHERE p.booking_id = b.id AND p.type <> 'infant')""",
    "timeline, outbox and sequence differ": """
        SELECT b.pnr FROM bookings b JOIN booking_segments g ON g.booking_id = b.id
        WHERE g.flight_id = ANY(:ids) AND (
            b.sequence <> (SELECT count(*) FROM booking_timeline t WHERE t.booking_id = b.id)
            OR b.sequence <> (SELECT count(*) FROM outbox o WHERE o.subject = b.pnr)
            OR b.sequence <> (SELECT max(sequence) FROM outbox o WHERE o.subject = b.pnr))""",
}


async def broken(sql: Any, flights: list[Flight]) -> list[str]:
    """The invariants that do not hold."""
    ids = [flight.id for flight in flights]
    return [name for name, question in INVARIANTS.items() if await sql(question, ids=ids)]


class Mix:
    """Random buyers, ended holds, readers and sweepers, some of them at the same time."""

    def __init__(self, seed: int, traveller: Client, fleet: Fleet) -> None:
        self.random, self.traveller, self.fleet = Random(seed), traveller, fleet
        self.offers: list[tuple[str, int]] = []
        self.pnrs: list[str] = []
        self.people = itertools.count()

    async def prepare(self) -> list[Flight]:
        """A trip there and back, and a flight beside it, in offers for one and for two."""
        there, back = await self.fleet.round_trip(4)
        other = await self.fleet.flight(3)
        for people in (1, 2):
            for flight, more in ((there, {}), (back, {}), (other, {}), (there, {"return_date": back.day})):
                offer = await self.fleet.offer(self.traveller, flight, adults=people, **more)
                self.offers.append((offer["id"], people))
        return [there, back, other]

    async def book(self) -> None:
        offer, people = self.random.choice(self.offers)
        answer = await self.traveller.book(offer, [adult(next(self.people)) for _ in range(people)])
        assert answer.status == 201 or answer.code == "sold_out", answer.body
        if answer.status == 201:
            self.pnrs.append(answer.body["pnr"])

    async def run_out(self) -> None:
        await self.fleet.run_out(
            *self.random.sample(self.pnrs, min(len(self.pnrs), self.random.randint(1, 4)))
        )

    async def sweep(self) -> None:
        async with db.transaction() as session:
            await service.expire_due(session, most=self.random.randint(1, 5))

    async def read(self) -> None:
        if self.pnrs:
            assert (await self.traveller.get(f"/bookings/{self.random.choice(self.pnrs)}")).status == 200

    async def at_once(self) -> None:
        crowd = self.random.choices([self.book, self.sweep, self.read], [5, 2, 1], k=12)
        await asyncio.gather(*(one() for one in crowd))

    async def step(self) -> None:
        steps = [self.book, self.run_out, self.sweep, self.read, self.at_once]
        await self.random.choices(steps, [4, 3, 1, 1, 3])[0]()


@pytest.mark.parametrize("seed", range(4))
async def test_the_books_balance_after_every_step(
    traveller: Client, fleet: Fleet, sql: Any, seed: int
) -> None:
    """Seats, bookings, timeline and outbox tell one story."""
    mix = Mix(seed, traveller, fleet)
    flights = await mix.prepare()

    for number in range(STEPS):
        await mix.step()
        assert await broken(sql, flights) == [], f"after step {number} of seed {seed}"

    assert len(mix.pnrs) > 8


async def test_the_recount_notices_a_lost_seat(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The negative control: each planted corruption is seen by its question."""
    flight = await fleet.flight()
    booked = (await traveller.book((await fleet.offer(traveller, flight))["id"])).body["pnr"]
    assert await broken(sql, [flight]) == []
    plants = [
        "UPDATE inventory SET held = held + 1 WHERE flight_id = :id",
        "INSERT INTO seat_claims (flight_id, cabin, seats) VALUES (:id, 'first', 1)",
        "UPDATE seat_claims SET seats = 2 WHERE flight_id = :id",
        "UPDATE bookings SET status = 'expired', sequence = 7 WHERE pnr = :pnr",
    ]
    seen: set[str] = set()
    for plant in plants:
        await sql(
            plant,
            **{name: value for name, value in (("id", flight.id), ("pnr", booked)) if f":{name}" in plant},
        )
        seen |= set(await broken(sql, [flight]))

    assert seen == set(INVARIANTS)
