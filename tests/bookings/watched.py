"""A flight that leaves in three hours, somebody who is booked on it, and a worker that looks at it."""

import itertools
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from typing import Any

import pytest

from app.airports.service import directory
from app.bookings import tasks
from app.core import clock
from app.flights import schedule, times
from tests.flights.support import early_morning
from tests.support.client import Client, Sandbox

# Somewhere it is morning.
MARKETS = {
    "PPT": "BOB",
    "ANC": "FAI",
    "BTV": "JFK",
    "PDL": "LIS",
    "FAE": "KEF",
    "KHI": "LHE",
    "PEN": "KUL",
    "NOU": "BNE",
}
_numbers = itertools.count(8100)


class Watched:
    """`key` names it in the sandbox, `id` in the product, `row` in its database."""

    def __init__(
        self, traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.traveller, self.sandbox, self.sql = traveller, sandbox, sql
        self.ahead = timedelta()
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + self.ahead)

    async def made(self, hours: float = 3) -> "Watched":
        """The flight exists, and its airport's board of today has been fetched."""
        self.origin = early_morning(*MARKETS)
        destination, self.number = MARKETS[self.origin], str(next(_numbers))
        self.departs = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)
        block = times.usual_block(directory().find(self.origin), directory().find(destination))
        lands = (self.departs + block).replace(second=0, microsecond=0)
        made = await self.sandbox.flight(self.origin, destination, self.departs, lands, number=self.number)
        self.key, self.destination = made["key"], destination
        day = self.departs.astimezone(directory().find(self.origin).zone).date()
        self.id = f"ZZ{self.number}-{day:%Y%m%d}-{self.origin}"
        await self.sql(
            "UPDATE schedule_boards SET fresh_until = NULL, retry_at = NULL WHERE airport = :airport",
            airport=self.origin,
        )
        await schedule.refresh(self.origin, day)
        self.row_id = (await self.row())["id"]
        return self

    async def booked(self) -> "Watched":
        """And somebody has a seat on it."""
        await self.made()
        day = self.departs.astimezone(directory().find(self.origin).zone).date()
        offers = (
            await self.traveller.search(self.origin, self.destination, day, airlines="ZZ", limit=100)
        ).body["data"]
        [offer, *_] = [o for o in offers if o["slices"][0]["segments"][0]["flight_id"] == self.id]
        answer = await self.traveller.book(offer["id"])
        assert answer.status == 201, answer.body
        self.pnr = answer.body["pnr"]
        await self.sandbox.control("DELETE", "/journal")
        return self

    async def decide(self, **decision: Any) -> None:
        """Something happens at the airport."""
        await self.sandbox.control("PATCH", f"/flights/{self.key}", decision)

    async def look(self) -> list[str]:
        """A quarter of an hour later Beat asks for a look; the events that are new."""
        before = len(await self.events())
        await self.time_passes()
        await unwrap(tasks.watch_flights)()
        return [event["type"].removeprefix("flight.") for event in (await self.events())[before:]]

    async def time_passes(self) -> None:
        self.ahead += timedelta(minutes=15)
        await self.sql("UPDATE flights SET next_look_at = NULL WHERE id = :id", id=self.row_id)

    async def row(self) -> dict[str, Any]:
        [found] = await self.sql(
            "SELECT * FROM flights WHERE carrier = 'ZZ' AND number = :number", number=self.number
        )
        row: dict[str, Any] = found
        return row

    async def events(self) -> list[dict[str, Any]]:
        """What was told of the flight, in order."""
        found: list[dict[str, Any]] = await self.sql(
            "SELECT * FROM outbox WHERE subject = :id ORDER BY sequence", id=self.id
        )
        return found

    async def calls(self) -> int:
        """How often the vendor was asked for this flight."""
        asked = (await self.sandbox.control("GET", "/journal?path=/v1/flights"))["requests"]
        return sum(one["params"].get("flight_iata") == f"ZZ{self.number}" for one in asked)
