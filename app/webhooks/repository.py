"""Every question to subscriptions, and to deliveries as their owner sees them. Sending has its own: `leases`."""

import uuid
from datetime import datetime
from typing import Any

import orjson

from app.core.db import Row, Session, rows

_OPEN = "status <> 'deleted'"


async def add(session: Session, user_id: uuid.UUID, most: int, **subscription: Any) -> Row | None:
    """A new subscription; None if its owner has as many as they may. One is added after the other."""
    await rows(session, "SELECT id FROM users WHERE id = :user_id FOR NO KEY UPDATE", user_id=user_id)
    added = await rows(
        session,
        f"""
        INSERT INTO webhook_subscriptions (id, user_id, url, events, bookings, description, secrets)
        SELECT CAST(:id AS uuid), CAST(:user_id AS uuid), CAST(:url AS text), CAST(:events AS text[]),
               CAST(:bookings AS text[]), CAST(:description AS text), CAST(:secrets AS jsonb)
        WHERE :most > (SELECT count(*) FROM webhook_subscriptions WHERE user_id = :user_id AND {_OPEN})
        RETURNING *
        """,
        user_id=user_id,
        most=most,
        **subscription,
    )
    return added[0] if added else None


async def of_user(
    session: Session, user_id: uuid.UUID, before: tuple[datetime, uuid.UUID] | None, size: int
) -> list[Row]:
    """Newest first."""
    at, last = before or (None, None)
    return await rows(
        session,
        f"""
        SELECT * FROM webhook_subscriptions WHERE user_id = :user_id AND {_OPEN}
        {"AND (created_at, id) < (CAST(:at AS timestamptz), CAST(:last AS uuid))" if before else ""}
        ORDER BY created_at DESC, id DESC LIMIT :size
        """,
        user_id=user_id,
        at=at,
        last=last,
        size=size,
    )


async def pause_all(session: Session, user_id: uuid.UUID) -> list[Row]:
    """Those that were active until now."""
    return await rows(
        session,
        """
        UPDATE webhook_subscriptions SET status = 'paused', updated_at = now()
        WHERE user_id = :user_id AND status = 'active' RETURNING *
        """,
        user_id=user_id,
    )


async def find(
    session: Session, user_id: uuid.UUID, subscription_id: uuid.UUID, *, locked: bool = False
) -> Row | None:
    found = await rows(
        session,
        f"""
        SELECT * FROM webhook_subscriptions WHERE id = :id AND user_id = :user_id AND {_OPEN}
        {"FOR UPDATE" if locked else ""}
        """,
        id=subscription_id,
        user_id=user_id,
    )
    return found[0] if found else None


async def change(session: Session, subscription: Row) -> Row:
    """Write what may change of a subscription that is locked."""
    [changed] = await rows(
        session,
        """
        UPDATE webhook_subscriptions
        SET url = :url, events = :events, bookings = :bookings, description = :description, status = :status,
            disabled_reason = :disabled_reason, secrets = CAST(:secrets AS jsonb), failing_since = :failing_since,
            updated_at = now()
        WHERE id = :id RETURNING *
        """,
        **{name: value for name, value in subscription.items() if name != "secrets"},
        secrets=orjson.dumps(subscription["secrets"]).decode(),
    )
    return changed


async def listening(session: Session, user_ids: list[uuid.UUID]) -> list[Row]:
    """The subscriptions of these users."""
    return await rows(
        session,
        f"SELECT * FROM webhook_subscriptions WHERE user_id = ANY(CAST(:ids AS uuid[])) AND {_OPEN}",
        ids=user_ids,
    )


async def own_bookings(session: Session, user_id: uuid.UUID, pnrs: list[str]) -> set[str]:
    """Which of these bookings are the user's."""
    found = await rows(
        session,
        "SELECT pnr FROM bookings WHERE user_id = :user_id AND pnr = ANY(CAST(:pnrs AS text[]))",
        user_id=user_id,
        pnrs=pnrs,
    )
    return {row["pnr"] for row in found}


async def add_messages(session: Session, messages: list[Row]) -> None:
    """Each with `event_id`, `created_at` of the event, `type`, `body` and `traceparent`. One that is there stays."""
    await rows(
        session,
        """
        INSERT INTO webhook_messages (event_id, event_at, type, body, traceparent)
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:types AS text[]),
                             CAST(:bodies AS bytea[]), CAST(:traceparents AS text[]))
        ON CONFLICT DO NOTHING
        """,
        ids=[one["event_id"] for one in messages],
        ats=[one["created_at"] for one in messages],
        types=[one["type"] for one in messages],
        bodies=[one["body"] for one in messages],
        traceparents=[one["traceparent"] for one in messages],
    )


async def add_deliveries(session: Session, deliveries: list[tuple[Row, Row]]) -> list[Row]:
    """Of events to subscriptions, unless they are there; gives the `id` of the new ones."""
    return await rows(
        session,
        """
        INSERT INTO webhook_deliveries (event_id, event_at, type, subscription_id, state)
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:types AS text[]),
                             CAST(:subscriptions AS uuid[]), CAST(:states AS text[]))
        ON CONFLICT DO NOTHING RETURNING id
        """,
        ids=[event["event_id"] for event, _ in deliveries],
        ats=[event["created_at"] for event, _ in deliveries],
        types=[event["type"] for event, _ in deliveries],
        subscriptions=[subscription["id"] for _, subscription in deliveries],
        states=[
            "cancelled" if subscription["status"] == "disabled" else "pending"
            for _, subscription in deliveries
        ],
    )


async def deliveries_of(
    session: Session,
    subscription_id: uuid.UUID,
    before: tuple[datetime, uuid.UUID] | None,
    size: int,
    **wanted: Any,
) -> list[Row]:
    """Newest event first; `wanted` may narrow `states`, `types`, `since` and `until`, each None for any."""
    at, last = before or (None, None)
    return await rows(
        session,
        f"""
        SELECT * FROM webhook_deliveries
        WHERE subscription_id = :subscription_id
          {"AND (event_at, id) < (CAST(:at AS timestamptz), CAST(:last AS uuid))" if before else ""}
          {"AND state = ANY(CAST(:states AS text[]))" if wanted["states"] else ""}
          {"AND type = ANY(CAST(:types AS text[]))" if wanted["types"] else ""}
          {"AND event_at >= :since" if wanted["since"] else ""}
          {"AND event_at <= :until" if wanted["until"] else ""}
        ORDER BY event_at DESC, id DESC LIMIT :size
        """,
        subscription_id=subscription_id,
        at=at,
        last=last,
        size=size,
        **wanted,
    )


async def delivery(
    session: Session, user_id: uuid.UUID, delivery_id: uuid.UUID, *, locked: bool = False
) -> Row | None:
    """A delivery of the user's, with the `body` and the `url` as it is now."""
    found = await rows(
        session,
        f"""
        SELECT d.*, m.body, s.url, s.status AS subscription_status FROM webhook_deliveries d
        JOIN webhook_subscriptions s ON s.id = d.subscription_id
        JOIN webhook_messages m ON m.event_id = d.event_id AND m.event_at = d.event_at
        WHERE d.id = :id AND s.user_id = :user_id AND s.status <> 'deleted'
        {"FOR UPDATE OF d" if locked else ""}
        """,
        id=delivery_id,
        user_id=user_id,
    )
    return found[0] if found else None


async def attempts_of(session: Session, delivery: Row) -> list[Row]:
    """In their order."""
    return await rows(
        session,
        "SELECT * FROM webhook_attempts WHERE delivery_id = :id AND event_at = :event_at ORDER BY number",
        id=delivery["id"],
        event_at=delivery["event_at"],
    )


async def send_again(session: Session, delivery: Row, attempts: int) -> Row:
    """Make a delivery due now, as if so many of its scheduled attempts had been made."""
    [changed] = await rows(
        session,
        """
        UPDATE webhook_deliveries SET state = 'pending', attempts = :attempts, next_attempt_at = now()
        WHERE id = :id AND event_at = :event_at RETURNING *
        """,
        attempts=attempts,
        id=delivery["id"],
        event_at=delivery["event_at"],
    )
    return changed


async def replay(
    session: Session,
    subscription_id: uuid.UUID,
    since: datetime,
    until: datetime | None,
    states: list[str],
    types: list[str] | None,
    most: int,
) -> int:
    """Begin anew with what ended in one of these states, the oldest first; returns how many there were."""
    found = await rows(
        session,
        f"""
        WITH again AS (
            SELECT id, event_at FROM webhook_deliveries
            WHERE subscription_id = :subscription_id AND state = ANY(CAST(:states AS text[])) AND event_at >= :since
              {"AND event_at <= :until" if until else ""}
              {"AND type = ANY(CAST(:types AS text[]))" if types else ""}
            ORDER BY event_at, id LIMIT :most FOR UPDATE)
        UPDATE webhook_deliveries d SET state = 'pending', attempts = 0, next_attempt_at = now()
        FROM again WHERE d.id = again.id AND d.event_at = again.event_at RETURNING d.id
        """,
        subscription_id=subscription_id,
        since=since,
        until=until,
        states=states,
        types=types,
        most=most,
    )
    return len(found)


async def sealed_otherwise(session: Session, prefix: str, most: int) -> list[Row]:
    """Subscriptions with a secret that was not sealed with the key whose texts begin like this, locked."""
    return await rows(
        session,
        """
        SELECT id, secrets FROM webhook_subscriptions
        WHERE EXISTS (SELECT FROM jsonb_array_elements(secrets) one WHERE NOT starts_with(one->>'sealed', :prefix))
        ORDER BY id LIMIT :most FOR UPDATE
        """,
        prefix=prefix,
        most=most,
    )


async def keep_secrets(session: Session, subscription_id: uuid.UUID, secrets: list[Row]) -> None:
    await rows(
        session,
        "UPDATE webhook_subscriptions SET secrets = CAST(:secrets AS jsonb) WHERE id = :id",
        id=subscription_id,
        secrets=orjson.dumps(secrets).decode(),
    )
