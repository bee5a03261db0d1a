"""What somebody's webhooks are and what they were sent, and how that is forgotten."""

import uuid

from app.core.db import Row, Session, rows

_OF_USER = "SELECT id FROM webhook_subscriptions WHERE user_id = :user_id"


async def told(session: Session, user_id: uuid.UUID) -> Row:
    """Without the secrets that sign."""
    return {
        "webhook_subscriptions": await rows(
            session,
            """
            SELECT id, url, events, bookings, description, status, disabled_reason, failing_since, created_at,
                   updated_at
            FROM webhook_subscriptions WHERE user_id = :user_id ORDER BY created_at
            """,
            user_id=user_id,
        ),
        "webhook_deliveries": await rows(
            session,
            f"""
            SELECT d.id, d.subscription_id, d.type, d.state, d.tries, d.event_at, d.delivered_at, d.last_status,
                   d.last_error, convert_from(m.body, 'UTF8') AS body
            FROM webhook_deliveries d JOIN webhook_messages m ON m.event_id = d.event_id AND m.event_at = d.event_at
            WHERE d.subscription_id IN ({_OF_USER}) ORDER BY d.event_at
            """,
            user_id=user_id,
        ),
    }


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """Who is sending at this moment finds nothing to write the answer to. A message that others were sent stays theirs.

    The subscription stays as one that was deleted, with nothing in it.
    """
    await rows(
        session,
        f"""
        WITH deliveries AS (
            DELETE FROM webhook_deliveries WHERE subscription_id IN ({_OF_USER}) RETURNING id, event_id, event_at),
        attempts AS (
            DELETE FROM webhook_attempts a USING deliveries d WHERE a.delivery_id = d.id AND a.event_at = d.event_at)
        DELETE FROM webhook_messages m USING deliveries d
        WHERE m.event_id = d.event_id AND m.event_at = d.event_at AND NOT EXISTS (
            SELECT FROM webhook_deliveries o WHERE o.event_id = m.event_id AND o.event_at = m.event_at
              AND o.subscription_id NOT IN ({_OF_USER}))
        """,
        user_id=user_id,
    )
    await rows(
        session,
        """
        UPDATE webhook_subscriptions SET url = 'https://erased.invalid/', description = NULL, bookings = NULL,
            status = 'deleted', disabled_reason = NULL, failing_since = NULL, secrets = '[]', updated_at = now()
        WHERE user_id = :user_id
        """,
        user_id=user_id,
    )
