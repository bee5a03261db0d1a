"""People with phones, flights that they are booked on or follow, and what their phones show in the end."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from typing import Any

import pytest

from app import subscribers
from app.core import clock, db, outbox
from app.flights import watch
from app.flights.service import public_id
from app.notifications import service
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet

_tokens = itertools.count(1)


@dataclass
class Person:
    client: Client
    token: str = ""


@dataclass
class Flown:
    """A flight; `id` is what the API calls it, `row` its number in the database."""

    id: str
    row: int
    offer: str = ""


class People:
    def __init__(
        self, api: Client, sql: Any, sandbox: Sandbox, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.api, self.sql, self.sandbox, self.fleet = api, sql, sandbox, fleet
        self.ahead = timedelta()
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + self.ahead)

    async def somebody(self, **device: Any) -> Person:
        """With a phone."""
        person = Person(await self._verified(), f"token-{next(_tokens)}:{'x' * 140}")
        answer = await self.register(person, person.token, **device)
        assert answer.status == 201, answer.body
        return person

    async def nobody(self) -> Person:
        """Without one."""
        return Person(await self._verified())

    async def _verified(self) -> Client:
        """Somebody whose address is known to be theirs, and who is not asked about it any more."""
        client = await self.api.signed_up()
        await self.sql(
            "UPDATE users SET email_verified = true WHERE email = :email", email=client.user["email"]
        )
        await self.sql("UPDATE outbox SET dispatched_at = now() WHERE type = 'account.verify_email'")
        return client

    async def register(self, person: Person, token: str, **more: Any) -> Answer:
        return await person.client.post("/devices", {"token": token, "platform": "android", **more})

    async def wants(self, person: Person, **preferences: Any) -> None:
        answer = await person.client.send("PATCH", "/notifications/preferences", json=preferences)
        assert answer.status == 200, answer.body

    async def is_quiet(self, person: Person, time_zone: str = "UTC") -> None:
        """From an hour ago until in an hour, by their clock."""
        hours = {"from": self._reading(-1), "to": self._reading(1)}
        await self.wants(person, quiet_hours=hours, time_zone=time_zone)

    def _reading(self, hours: int) -> str:
        return f"{clock.now() + timedelta(hours=hours):%H:%M}"

    async def flight(self, hours: float = 48) -> Flown:
        """A flight that leaves in so many hours."""
        departs = (datetime.now(UTC) + timedelta(hours=hours)).replace(second=0, microsecond=0)
        return await self._known((await self.fleet.flight_at(departs)).id)

    async def bookable(self) -> Flown:
        """A flight some months ahead, with an offer to book it."""
        made = await self.fleet.flight()
        flight = await self._known(made.id)
        flight.offer = (await self.fleet.offer(self.api, made))["id"]
        return flight

    async def _known(self, row_id: int) -> Flown:
        [row] = await self.sql("SELECT * FROM flights WHERE id = :id", id=row_id)
        return Flown(public_id(row), row_id)

    async def book(self, person: Person, flight: Flown) -> str:
        answer = await person.client.book(flight.offer)
        assert answer.status == 201, answer.body
        pnr: str = answer.body["pnr"]
        return pnr

    async def follow(self, person: Person, flight: Flown) -> None:
        assert (await person.client.post(f"/flights/{flight.id}/follow")).status in (200, 201)

    async def delayed(self, flight: Flown, minutes: int) -> None:
        await self._seen(flight, f"departure_estimated_at = departs_at + interval '{minutes} minutes'")

    async def leaves_from(self, flight: Flown, gate: str) -> None:
        await self._seen(flight, f"departure_gate = '{gate}'", looks=2)

    async def turns(self, flight: Flown, status: str) -> None:
        """Its status is another now."""
        times = {
            "departed": ", departure_actual_at = departs_at",
            "landed": ", departure_actual_at = departs_at, arrival_actual_at = arrives_at",
        }
        await self._seen(flight, f"status = '{status}'{times.get(status, '')}", looks=2)

    async def _seen(self, flight: Flown, change: str, looks: int = 1) -> None:
        """A provider has told of it, as often as it takes until it is believed, and the outbox has heard."""
        for _ in range(looks):
            await self.sql(
                f"UPDATE flights SET {change}, observed_at = observed_at + interval '1 minute' WHERE id = :id",
                id=flight.row,
            )
            async with db.transaction() as session:
                await watch.tell(session, [flight.row])

    async def happens(self, event_type: str, subject: str, **data: Any) -> None:
        """An event of any type."""
        event = {"type": event_type, "subject": subject, "sequence": next(_tokens) + 1000, "data": data}
        async with db.transaction() as session:
            await outbox.record(session, [event])

    async def relayed(self) -> None:
        await unwrap(subscribers.relay)()

    async def pushed(self) -> None:
        """Hand on what has happened, and push what is due."""
        await self.relayed()
        await service.push_due()

    async def told(self) -> None:
        """Hand on what has happened, and send what is due."""
        await self.pushed()
        await service.send_due()

    async def later(self, **by: float) -> None:
        """So much later; whatever waits until then is due."""
        self.ahead += timedelta(**by)
        seconds = timedelta(**by).total_seconds()
        await self.sandbox.control("POST", "/clock", {"advance_seconds": seconds})
        for table in ("pushes", "emails"):
            await self.sql(
                f"UPDATE {table} SET next_attempt_at = next_attempt_at - make_interval(secs => :seconds)"
                " WHERE state = 'queued'",
                seconds=seconds,
            )
        await self.told()

    async def received(self, person: Person) -> list[dict[str, Any]]:
        """What a phone was sent, oldest first."""
        path = f"/phones?token={person.token}"
        phones = (await self.sandbox.control("GET", path))["phones"]
        return phones[0]["received"][::-1] if phones else []

    async def titles(self, person: Person) -> list[str]:
        return [one["title"] for one in await self.received(person)]

    async def mails(self, person: Person) -> list[dict[str, Any]]:
        """What came to somebody's address, oldest first."""
        listed = (await self.sandbox.control("GET", f"/mail?to={person.client.user['email']}"))["mails"]
        return [await self.sandbox.control("GET", f"/mail/{mail['id']}") for mail in reversed(listed)]

    async def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.sql("SELECT * FROM pushes ORDER BY id")
        return found

    async def states(self) -> list[tuple[str, str | None]]:
        return [(row["state"], row["last_error"]) for row in await self.rows()]
