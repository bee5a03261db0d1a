"""Many events for a few subscriptions of one account, and what must be true of them in the end."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.core import db
from tests.invariants import webhooks_broken
from tests.webhooks.support import Hooks, is_signed


@dataclass
class Crowd:
    """`told` events so far; each goes to all of the `subscriptions`, which are found by their paths."""

    hooks: Hooks
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: int = 0
    subject: str = field(default_factory=lambda: f"crowd-{uuid.uuid4().hex}")

    async def listens(self, *paths: str) -> None:
        for path in paths:
            self.subscriptions[path] = await self.hooks.subscribed("booking.changed", path=path)

    @property
    def ids(self) -> list[uuid.UUID]:
        return [uuid.UUID(one["id"].removeprefix("whs_")) for one in self.subscriptions.values()]

    async def tell(self, events: int) -> None:
        """So many in one transaction; while the database refuses, it is tried again."""
        first, self.told = self.told + 1, self.told + events
        async with asyncio.timeout(30):
            while not await self._recorded(first, first + events - 1):  # noqa: ASYNC110  Nobody tells when it is back.
                await asyncio.sleep(0.05)

    async def _recorded(self, first: int, last: int) -> bool:
        """Whether the database has these now; it may have had them without having said so."""
        try:
            await self.hooks.sql(
                "INSERT INTO outbox (type, subject, sequence, data)"
                " SELECT 'booking.changed', CAST(:subject AS text), n,"
                " jsonb_build_object('user_id', CAST(:user AS text))"
                " FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n ON CONFLICT DO NOTHING",
                subject=self.subject,
                user=self.hooks.traveller.user["id"],
                first=first,
                last=last,
            )
        except (SQLAlchemyError, OSError):
            return False
        return True

    @asynccontextmanager
    async def telling(self, pause: float = 0.005) -> AsyncIterator[None]:
        """One event after the other while the block runs."""

        async def tell() -> None:
            while not over.is_set():
                await self.tell(1)
                await asyncio.sleep(pause)

        over = asyncio.Event()
        task = asyncio.create_task(tell())
        try:
            yield
        finally:
            over.set()
            await task

    async def has_told(self, more: int) -> None:
        """Returns once it has told of so many more while it is telling, however fast this machine is."""
        wanted = self.told + more
        async with asyncio.timeout(30):
            while self.told < wanted:  # noqa: ASYNC110  Telling has no event.
                await asyncio.sleep(0.01)

    async def counts(self) -> dict[str, int]:
        """How many deliveries there are in each state."""
        found = await self.hooks.sql(
            "SELECT state, count(*) AS n FROM webhook_deliveries WHERE subscription_id = ANY(CAST(:ids AS uuid[]))"
            " GROUP BY state",
            ids=self.ids,
        )
        return {row["state"]: row["n"] for row in found}

    async def all_delivered(self, within: float) -> float:
        """Returns after how many seconds everything that was told is stored as delivered."""
        started, wanted, counts = monotonic(), self.told * len(self.subscriptions), dict[str, int]()
        while monotonic() < started + within:
            counts = await self.counts()
            if counts.get("delivered", 0) == wanted:
                return monotonic() - started
            await asyncio.sleep(0.05)
        raise AssertionError(f"of {wanted} deliveries there are {counts} after {within} s")

    async def begun(self) -> None:
        """Returns once something that was told has arrived."""
        async with asyncio.timeout(30):
            while not self.hooks.receiver.arrivals:  # noqa: ASYNC110  Receivers offer no event.
                await asyncio.sleep(0.02)

    async def table(self) -> list[dict[str, Any]]:
        """All that is stored about deliveries and attempts."""
        rows: list[dict[str, Any]] = await self.hooks.sql(
            "SELECT d.*, a.number, a.sent_at, a.status, a.error FROM webhook_deliveries d"
            " LEFT JOIN webhook_attempts a ON a.delivery_id = d.id AND a.event_at = d.event_at"
            " WHERE d.subscription_id = ANY(CAST(:ids AS uuid[])) ORDER BY d.id, a.number",
            ids=self.ids,
        )
        return rows

    async def lost_leases_end(self, since: float = 0.0) -> int:
        """As if the lease were over of what has been under way for longer than these seconds; gives how many."""
        found = await self.hooks.sql(
            "UPDATE webhook_deliveries SET lease_until = now() WHERE state = 'sending'"
            " AND lease_until <= now() + make_interval(secs => 60.0 - :since) RETURNING id",
            since=since,
        )
        return len(found)

    def repeats(self) -> int:
        """How many requests arrived beyond the first of each event at each receiver."""
        arrivals = [(one.path, one.id) for one in self.hooks.receiver.arrivals]
        return len(arrivals) - len(set(arrivals))

    async def broken(self, schedule: list[float] | None = None) -> dict[str, str]:
        """The invariants of webhooks that do not hold, also beside what the receivers say."""
        async with db.transaction() as session:
            # Nobody tells PostgreSQL how long the journal is: looked through again for each delivery it takes for ever.
            await db.rows(session, "SET LOCAL enable_nestloop = off")
            await db.rows(session, "SET LOCAL statement_timeout = '1min'")
            return await webhooks_broken(partial(db.rows, session), self.ids, self.journal(), schedule)

    def journal(self) -> list[dict[str, Any]]:
        """What the receivers heard."""
        return [
            {
                "url": self.hooks.receiver.url(one.path),
                "event_id": one.id.removeprefix("evt_"),
                "digest": hashlib.sha256(one.body).hexdigest(),
                "signed": is_signed(one, self.subscriptions[one.path]["secret"]),
            }
            for one in self.hooks.receiver.arrivals
            if one.path in self.subscriptions
        ]
