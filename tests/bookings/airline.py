"""The airline changes a flight of a booking that is paid for, and the traveller answers."""

from inspect import unwrap
from typing import Any

from app.bookings import tasks
from app.core import db
from app.flights import watch
from tests.bookings.changed import Booked, applied
from tests.bookings.paid import bought
from tests.support.client import Answer
from tests.support.fleet import Flight

Row = dict[str, Any]


class Paid(Booked):
    """A booking that is paid for, on one flight or there and back; the airline changes the first one."""

    async def buys(self, *flights: Flight, changed: Flight | None = None, **more: Any) -> "Paid":
        flights = flights or (await self.fleet.flight(),)
        booking = await bought(self.traveller, self.fleet, self.sql, *flights, **more)
        self.flight, self.pnr, self.paid = changed or flights[0], booking["pnr"], booking
        return self

    async def is_moved(self, minutes: int) -> Row:
        """The airline publishes another time, and bookings are told; gives what can be answered last."""
        await self.moves(minutes)
        await applied()
        return await self.asked()

    async def is_cancelled(self, status: str = "cancelled") -> Row:
        """Two looks say so, and bookings are told."""
        for second in range(2):
            await self.moves(0, status=status)
            await self.sql(
                "UPDATE flights SET observed_at = observed_at + make_interval(secs => :later) WHERE id = :id",
                later=float(second),
                id=self.flight.id,
            )
            async with db.transaction() as session:
                await watch.tell(session, [self.flight.id])
        await applied()
        return await self.asked()

    async def asked(self) -> Row:
        """The newest change; nothing where there is none."""
        return next(reversed((await self.read())["airline_changes"]), {})

    async def answers(self, how: str, change: Row, body: Any = None) -> Answer:
        return await self.traveller.post(f"/bookings/{self.pnr}/airline-changes/{change['id']}/{how}", body)

    async def says_nothing(self, change: Row) -> Row:
        """Until the deadline is over; gives the booking."""
        await self.sql(
            "UPDATE airline_changes SET deadline_at = now() WHERE public_id = CAST(:id AS uuid)",
            id=change["id"].removeprefix("aic_"),
        )
        await unwrap(tasks.lapse_airline_changes)()
        return await self.read()
