"""Every question to erasures."""

import uuid
from datetime import datetime

from app.core.db import Row, Session, rows


async def lock(session: Session, user_id: uuid.UUID) -> Row | None:
    """An account to which nobody adds anything until this transaction ends, not even a booking."""
    found = await rows(session, "SELECT id, erased_at FROM users WHERE id = :id FOR UPDATE", id=user_id)
    return found[0] if found else None


async def note(session: Session, user_id: uuid.UUID) -> None:
    await rows(
        session, "INSERT INTO erasures (user_id) VALUES (:user_id) ON CONFLICT DO NOTHING", user_id=user_id
    )


async def every(session: Session, after: tuple[datetime, uuid.UUID] | None, most: int) -> list[Row]:
    """Erasures in the order in which they were done, from a place in it on."""
    at, user_id = after or (None, None)
    return await rows(
        session,
        """
        SELECT user_id, at FROM erasures
        WHERE CAST(:at AS timestamptz) IS NULL
           OR (at, user_id) > (CAST(:at AS timestamptz), CAST(:user_id AS uuid))
        ORDER BY at, user_id LIMIT :most
        """,
        at=at,
        user_id=user_id,
        most=most,
    )


# Where a request that was under way during an erasure may still leave something, and how that is seen.
_LEFT = {
    "bookings": "user_id = u.id AND contact <> '{}'",
    "webhook_subscriptions": "user_id = u.id AND status <> 'deleted'",
    "idempotency_keys": "caller = u.id",
} | dict.fromkeys(
    ("devices", "flight_follows", "notification_preferences", "sessions", "api_keys", "challenges"),
    "user_id = u.id",
)


async def come_back(session: Session) -> list[uuid.UUID]:
    """Accounts that were erased in the last days, and of which something is there again."""
    left = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE {seen})" for table, seen in _LEFT.items())
    found = await rows(
        session, f"SELECT u.id FROM users u WHERE u.erased_at > now() - interval '2 days' AND ({left})"
    )
    return [row["id"] for row in found]
