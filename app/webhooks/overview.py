"""Deliveries as operators see them: of everybody, what waits and what was attempted just now."""

import uuid
from datetime import datetime
from typing import Any

from app.core.db import Row, Session, rows
from app.webhooks.leases import WAITING

RECEIVERS = ("healthy", "failing", "paused")

# As long as a lease and its write may take: an attempt becomes known that long after it was made, at most.
_KNOWN_WITHIN = "interval '2 minutes'"
# Whoever has more waiting is late; by how much the oldest tells, and counting on would take longer than it is worth.
_COUNTED = 100

# Disabled ones are about to be rid of what waits for them, so nobody need look at those.
_BY_SUBSCRIPTION = f"""
    WITH RECURSIVE {WAITING},
    by_subscription AS (
        SELECT s.*, CASE WHEN s.status = 'paused' THEN 'paused' WHEN s.failing_since IS NOT NULL THEN 'failing'
                         ELSE 'healthy' END AS receiver,
               (SELECT count(*) FROM (SELECT FROM webhook_deliveries d
                                      WHERE d.subscription_id = s.id AND d.state = 'pending' LIMIT {_COUNTED}) d
               ) AS deliveries,
               (SELECT d.next_attempt_at FROM webhook_deliveries d
                WHERE d.subscription_id = s.id AND d.state = 'pending' ORDER BY d.next_attempt_at LIMIT 1) AS next
        FROM waiting w JOIN webhook_subscriptions s ON s.id = w.subscription_id AND s.status IN ('active', 'paused'))
"""


async def waiting(session: Session) -> list[Row]:
    """For each kind of receiver that anything waits for: how many, how much, and since when it has been due."""
    return await rows(
        session,
        f"""
        {_BY_SUBSCRIPTION}
        SELECT receiver, count(*) AS receivers, sum(deliveries) AS deliveries,
               greatest(extract(epoch FROM now() - min(next)), 0) AS lag_seconds
        FROM by_subscription GROUP BY receiver
        """,
    )


async def sending(session: Session) -> Row:
    """How many deliveries are leased, and how many of these leases have run out: their sender is lost."""
    [counted] = await rows(
        session,
        """
        SELECT count(*) AS deliveries, count(*) FILTER (WHERE lease_until < now()) AS lost
        FROM webhook_deliveries WHERE state = 'sending'
        """,
    )
    return counted


async def failing(session: Session, most: int) -> list[Row]:
    """The subscriptions that fail and for which something waits, those that have failed longest first."""
    return await rows(
        session,
        f"""
        {_BY_SUBSCRIPTION}
        SELECT b.id, b.url, b.failing_since, b.deliveries, b.next, u.email FROM by_subscription b
        JOIN users u ON u.id = b.user_id WHERE b.receiver = 'failing' ORDER BY b.failing_since LIMIT :most
        """,
        most=most,
    )


async def attempts(
    session: Session,
    since: datetime,
    most: int,
    subscription_id: uuid.UUID | None = None,
    email: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Attempts that ended since a time, in the order in which they did, with what became of their deliveries.

    An attempt is written when it has ended, so those that began somewhat earlier are looked at as well.
    """
    narrowed: dict[str, tuple[str, Any]] = {
        "subscription_id": ("d.subscription_id = CAST(:subscription_id AS uuid)", subscription_id),
        "email": ("lower(u.email) = lower(:email)", email),
        "state": ("d.state = CAST(:state AS text)", state),
    }
    wanted = {name: value for name, (_, value) in narrowed.items() if value is not None}
    conditions = "".join(f" AND {narrowed[name][0]}" for name in wanted)
    return await rows(
        session,
        f"""
        SELECT * FROM (
            SELECT a.delivery_id, a.number, a.url, a.status, a.error, a.milliseconds, d.subscription_id, d.event_id,
                   d.type, d.state, d.next_attempt_at, u.email,
                   a.sent_at + make_interval(secs => coalesce(a.milliseconds, 60000) / 1000.0) AS ended_at
            FROM webhook_attempts a
            JOIN webhook_deliveries d ON d.id = a.delivery_id AND d.event_at = a.event_at
            JOIN webhook_subscriptions s ON s.id = d.subscription_id JOIN users u ON u.id = s.user_id
            WHERE a.sent_at >= CAST(:since AS timestamptz) - {_KNOWN_WITHIN}{conditions}) ended
        WHERE ended_at >= :since ORDER BY ended_at LIMIT :most
        """,
        since=since,
        most=most,
        **wanted,
    )
