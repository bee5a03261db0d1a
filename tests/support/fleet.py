"""Flights with a known number of seats, put straight into the product's database."""

import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.offers import answers
from tests.support.client import Client, in_days

_CARRIERS = ("7Q", "8Q", "0Q")  # Nobody's.
OSLO = ZoneInfo("Europe/Oslo")
_numbers = itertools.count(100)
_turns = itertools.count()
_DAYS = range(60, 350)


@dataclass
class Flight:
    id: int
    number: str
    origin: str
    destination: str
    day: date


def _a_day() -> tuple[date, str]:
    """A day on which nobody else's flights are; when all have had their turn, another airline's begin."""
    airline, day = divmod(next(_turns), len(_DAYS))
    return in_days(_DAYS[day]), _CARRIERS[airline]


class Fleet:
    """Every flight is on a day of its own, so that tests do not see each other's."""

    def __init__(self, sql: Any) -> None:
        self.sql = sql
        self.carrier = _CARRIERS[0]

    async def flight(
        self, seats: int = 10, origin: str = "TOS", destination: str = "BGO", day: date | None = None
    ) -> Flight:
        """A flight at noon between two Norwegian airports, with so many seats in economy."""
        if day is None:
            day, self.carrier = _a_day()
        noon = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
        return await self.flight_at(noon.replace(tzinfo=OSLO), seats, origin, destination)

    async def flight_at(
        self, departs: datetime, seats: int = 10, origin: str = "TOS", destination: str = "BGO"
    ) -> Flight:
        """A flight that leaves at this instant and takes two hours; its board counts as fetched."""
        local, number = departs.astimezone(OSLO).replace(tzinfo=None, microsecond=0), str(next(_numbers))
        await self.sql(
            "INSERT INTO schedule_boards (airport, local_date, fetched_at, fresh_until, flights)"
            " VALUES (:airport, :day, now(), now() + interval '1 day', 1) ON CONFLICT DO NOTHING",
            airport=origin,
            day=local.date(),
        )
        made = await self.sql(
            """
            INSERT INTO flights (carrier, number, departure_date, origin, destination, departs_local, arrives_local,
                                 departs_at, arrives_at, status, aircraft_type, codeshares, source, observed_at)
            VALUES (:carrier, :number, :day, :origin, :destination, :departs_local, :arrives_local,
                    :departs_at, :arrives_at, 'scheduled', 'A320', '{}', 'test', now())
            RETURNING id
            """,
            carrier=self.carrier,
            number=number,
            day=local.date(),
            origin=origin,
            destination=destination,
            departs_local=local,
            arrives_local=local + timedelta(hours=2),
            departs_at=departs,
            arrives_at=departs + timedelta(hours=2),
        )
        flight = Flight(made[0]["id"], self.carrier + number, origin, destination, local.date())
        await self.sql(
            "INSERT INTO inventory (flight_id, cabin, capacity) VALUES (:id, 'economy', :seats)",
            id=flight.id,
            seats=seats,
        )
        # As after every other change of seats: a search of before does not know this flight.
        await answers.seats_moved([(origin, destination, flight.day)])
        return flight

    async def round_trip(self, seats: int = 10) -> tuple[Flight, Flight]:
        """There, and back the day after."""
        there = await self.flight(seats)
        _a_day()
        back = await self.flight(seats, there.destination, there.origin, there.day + timedelta(days=1))
        return there, back

    async def offers(self, client: Client, flight: Flight, **params: Any) -> list[dict[str, Any]]:
        """What a search finds for this flight, cheapest first."""
        found = await client.search(
            flight.origin, flight.destination, flight.day, airlines=flight.number[:2], sort="price", **params
        )
        assert found.status == 200, found.body
        offers: list[dict[str, Any]] = found.body["data"]
        return offers

    async def offer(self, client: Client, flight: Flight, **params: Any) -> dict[str, Any]:
        return (await self.offers(client, flight, **params))[0]

    async def counts(self, flight: Flight) -> dict[str, int]:
        """The counters of the flight's economy cabin beside the recount of its claims."""
        counted: list[dict[str, int]] = await self.sql(
            """
            SELECT i.capacity, i.held, i.sold,
                   (SELECT coalesce(sum(s.seats), 0) FROM seat_claims s
                    WHERE s.flight_id = i.flight_id AND s.cabin = i.cabin AND s.released_at IS NULL) AS claimed
            FROM inventory i WHERE i.flight_id = :id AND i.cabin = 'economy'
            """,
            id=flight.id,
        )
        return counted[0]

    async def run_out(self, *pnrs: str) -> None:
        """Let these holds have ended a moment ago, by the database's clock; nobody is told."""
        await self.sql(
            """
            WITH due AS (
                UPDATE bookings SET hold_expires_at = now() - interval '1 second'
                WHERE pnr = ANY(CAST(:pnrs AS text[])) RETURNING id)
            UPDATE seat_claims SET expires_at = now() - interval '1 second'
            WHERE id IN (SELECT claim_id FROM booking_segments WHERE booking_id IN (SELECT id FROM due))
            """,
            pnrs=list(pnrs),
        )
