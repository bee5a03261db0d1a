"""Many events for a few subscriptions of one account, and what must be true of them in the end."""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

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
        """So many in one transaction."""
        await self.hooks.sql(
            "INSERT INTO outbox (type, subject, sequence, data) SELECT 'booking.changed', CAST(:subject AS text), n,"
            " jsonb_build_object('user_id', CAST(:user AS text))"
            " FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n",
            subject=self.subject,
            user=self.hooks.traveller.user["id"],
            first=self.told + 1,
            last=self.told + events,
        )
        self.told += events

    async def tell_steadily(self, events: int, pause: float = 0.01) -> None:
        """So many one by one, as a service under load does; what the database refuses is told again."""
        for _ in range(events):
            await self.tell(1)
            await asyncio.sleep(pause)

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
        return await webhooks_broken(self.hooks.sql, self.ids, self.journal(), schedule)

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
