"""Somebody is booked on a flight, and its schedule changes."""

from datetime import datetime, timedelta
from inspect import unwrap
from typing import Any

from app.bookings import tasks
from app.core import clock, db
from app.flights import store
from app.providers.base import FlightRecord, Movement
from tests.support.client import Client
from tests.support.fleet import Fleet, Flight

MINUTE = timedelta(minutes=1)


class Booked:
    """A held booking on a flight of the fleet, which leaves at noon and takes two hours."""

    hour = 12

    def __init__(self, traveller: Client, fleet: Fleet, sql: Any) -> None:
        self.traveller, self.fleet, self.sql = traveller, fleet, sql

    async def on(self, flight: Flight) -> "Booked":
        self.flight, self.later = flight, 0
        self.pnr = await self.another()
        return self

    async def another(self) -> str:
        """One more booking of the same flight."""
        answer = await self.traveller.book((await self.fleet.offer(self.traveller, self.flight))["id"])
        assert answer.status == 201, answer.body
        pnr: str = answer.body["pnr"]
        return pnr

    @property
    def id(self) -> str:
        return f"{self.flight.number}-{self.flight.day:%Y%m%d}-{self.flight.origin}"

    def record(self, departs: int = 0, arrives: int | None = None, **more: Any) -> FlightRecord:
        """The flight so many minutes later than it was sold."""
        noon = datetime.combine(self.flight.day, datetime.min.time()) + timedelta(hours=self.hour)
        lands = noon + timedelta(hours=2) + (departs if arrives is None else arrives) * MINUTE
        return FlightRecord(
            self.flight.number[:2],
            self.flight.number[2:],
            Movement(self.flight.origin, noon + departs * MINUTE),
            Movement(more.get("destination", self.flight.destination), lands),
            status=more.get("status", "scheduled"),
        )

    async def moves(self, departs: int = 0, arrives: int | None = None, **more: Any) -> None:
        """The provider publishes it so."""
        async with db.transaction() as session:
            kept = await store.keep(session, [self.record(departs, arrives, **more)], "aviationstack")
        assert kept.refused == []

    async def disappears(self) -> None:
        """Two complete boards do not list it."""
        for _ in range(2):
            async with db.transaction() as session:
                await store.sweep(session, self.flight.origin, self.flight.day, clock.now() + MINUTE)

    async def noted(self) -> list[str]:
        """The classes of the flight's changes that were noted, in order."""
        found = await self.sql(
            "SELECT materiality FROM flight_changes WHERE flight_id = :id ORDER BY id", id=self.flight.id
        )
        return [row["materiality"] for row in found]

    async def events(self, pnr: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.sql(
            "SELECT * FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=pnr or self.pnr
        )
        return found

    async def timeline(self) -> list[tuple[int, str]]:
        found = await self.sql(
            "SELECT t.sequence, t.type FROM booking_timeline t JOIN bookings b ON b.id = t.booking_id"
            " WHERE b.pnr = :pnr ORDER BY t.sequence",
            pnr=self.pnr,
        )
        return [(row["sequence"], row["type"]) for row in found]

    async def read(self) -> dict[str, Any]:
        answer = await self.traveller.get(f"/bookings/{self.pnr}")
        assert answer.status == 200, answer.body
        booking: dict[str, Any] = answer.body
        return booking


async def applied() -> None:
    """What Beat asks for: bookings are told of what has changed."""
    await unwrap(tasks.apply_flight_changes)()
