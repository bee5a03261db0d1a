"""A booking, what happens to it, and the mails that come of it."""

from typing import Any

from app import subscribers
from app.core import db, outbox
from app.notifications import service
from tests.support.client import Client, Sandbox, adult
from tests.support.fleet import Fleet

TO = "ada@example.com"
# A booking is completed only by way of being confirmed: the database knows.
_WAY = {"completed": ["confirmed", "completed"]}


class Mails:
    def __init__(self, sql: Any, sandbox: Sandbox, traveller: Client, fleet: Fleet) -> None:
        self.sql, self.sandbox, self.traveller, self.fleet = sql, sandbox, traveller, fleet

    async def booked(self, email: str = TO, **passenger: Any) -> str:
        """A held booking with this contact."""
        offer = await self.fleet.offer(self.traveller, await self.fleet.flight())
        body = {"offer_id": offer["id"], "passengers": [adult(**passenger)], "contact": {"email": email}}
        answer = await self.traveller.post("/bookings", body)
        assert answer.status == 201, answer.body
        pnr: str = answer.body["pnr"]
        return pnr

    async def happens(self, pnr: str, event_type: str, status: str | None = None, **data: Any) -> None:
        """An event of this type; with a status the booking is in it."""
        for reached in _WAY.get(status or "", [status] if status else []):
            await self.sql("UPDATE bookings SET status = :status WHERE pnr = :pnr", status=reached, pnr=pnr)
        [counted] = await self.sql(
            "UPDATE bookings SET sequence = sequence + 1 WHERE pnr = :pnr RETURNING sequence", pnr=pnr
        )
        event = {"type": event_type, "subject": pnr, "sequence": counted["sequence"]}
        async with db.transaction() as session:
            await outbox.record(session, [{**event, "data": {"pnr": pnr, **data}}])

    async def relayed(self) -> None:
        await subscribers.relay()

    async def sent(self) -> list[dict[str, Any]]:
        """Hand on and send what is due; the mails that have arrived, oldest first."""
        await self.relayed()
        await service.send_due()
        return await self.arrived()

    async def arrived(self) -> list[dict[str, Any]]:
        listed = (await self.sandbox.control("GET", "/mail"))["mails"]
        return [await self.sandbox.control("GET", f"/mail/{mail['id']}") for mail in reversed(listed)]

    async def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.sql("SELECT * FROM emails ORDER BY id")
        return found

    async def states(self) -> list[tuple[str, str | None]]:
        return [(row["state"], row["last_error"]) for row in await self.rows()]

    async def waits_are_over(self) -> None:
        """As if the moment had come for which mails wait."""
        await self.sql("UPDATE emails SET next_attempt_at = now() WHERE state = 'queued'")

    async def sender_is_lost(self) -> None:
        """As if nobody had heard of whoever sends mails for a minute."""
        await self.sql("UPDATE emails SET lease_until = now() - interval '1 second' WHERE state = 'sending'")
