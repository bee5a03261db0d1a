"""Who sends what: a delivery is leased before it is sent, and only who holds the lease says how it went."""

import uuid
from collections.abc import Sequence

from app.core.db import Row, Session, rows

LEASE_SECONDS = 60

# Subscriptions for which anything waits, found by hopping over the index: one with a thousand deliveries that wait
# costs as little as one with a single one.
WAITING = """
    waiting AS (
        (SELECT subscription_id FROM webhook_deliveries WHERE state = 'pending' ORDER BY subscription_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.subscription_id FROM webhook_deliveries d
                WHERE d.state = 'pending' AND d.subscription_id > w.subscription_id
                ORDER BY d.subscription_id LIMIT 1)
        FROM waiting w WHERE w.subscription_id IS NOT NULL)
"""


async def claim(session: Session, token: uuid.UUID, rooms: dict[uuid.UUID, int], most: int) -> list[Row]:
    """Lease deliveries that are due, for the first time or again.

    Of each subscription at most as many as it has room for; one that is not named has room for one. So neither
    many deliveries to one receiver nor a receiver that does not answer keep others from being told.
    """
    return await rows(
        session,
        f"""
        WITH RECURSIVE {WAITING},
        rooms AS (
            SELECT s.id, coalesce(r.room, 1) AS room
            FROM waiting w JOIN webhook_subscriptions s ON s.id = w.subscription_id AND s.status = 'active'
            LEFT JOIN unnest(CAST(:subscriptions AS uuid[]), CAST(:rooms AS int[])) AS r(id, room) ON r.id = s.id
            WHERE coalesce(r.room, 1) > 0 ORDER BY random()),
        due AS (
            SELECT d.id, d.event_at FROM rooms CROSS JOIN LATERAL (
                SELECT id, event_at FROM webhook_deliveries
                WHERE subscription_id = rooms.id AND state = 'pending' AND next_attempt_at <= now()
                ORDER BY next_attempt_at LIMIT rooms.room FOR UPDATE SKIP LOCKED) d
            LIMIT :most),
        leased AS (
            UPDATE webhook_deliveries d
            SET state = 'sending', attempts = attempts + 1, tries = tries + 1, lease_token = :token,
                lease_until = now() + make_interval(secs => :seconds)
            FROM due WHERE d.id = due.id AND d.event_at = due.event_at
            RETURNING d.id, d.event_at, d.event_id, d.subscription_id, d.attempts, d.tries)
        SELECT leased.*, m.type, m.body, m.traceparent FROM leased
        JOIN webhook_messages m ON m.event_id = leased.event_id AND m.event_at = leased.event_at
        """,
        subscriptions=list(rooms),
        rooms=list(rooms.values()),
        most=most,
        token=token,
        seconds=LEASE_SECONDS,
    )


async def receivers(session: Session, subscription_ids: list[uuid.UUID]) -> list[Row]:
    """Where to send, and the secrets to sign with."""
    return await rows(
        session,
        "SELECT id, url, secrets, failing_since FROM webhook_subscriptions WHERE id = ANY(CAST(:ids AS uuid[]))",
        ids=subscription_ids,
    )


# How attempts ended, in the order in which `finish` hands them over.
_ENDED = (
    ("id", "uuid"),
    ("event_at", "timestamptz"),
    ("token", "uuid"),
    ("state", "text"),
    ("wait_seconds", "float8"),
    ("url", "text"),
    ("sent_at", "timestamptz"),
    ("signature", "text"),
    ("milliseconds", "int"),
    ("status", "smallint"),
    ("error", "text"),
    ("excerpt", "bytea"),
)


async def finish(session: Session, ended: Sequence[Row]) -> list[Row]:
    """Write how attempts ended, each with its line of history; gives the `id` of those that were still ours.

    One without `sent_at` was not made: its delivery waits again as if it had not been leased.
    """
    return await rows(
        session,
        f"""
        WITH ended AS (
            SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _ENDED)})
                AS e({", ".join(name for name, _ in _ENDED)})),
        kept AS (
            UPDATE webhook_deliveries d SET
                state = CASE WHEN e.state = 'exhausted' AND d.delivered_at IS NOT NULL THEN 'delivered'
                             ELSE e.state END,
                attempts = attempts - CAST(e.sent_at IS NULL AS int),
                tries = tries - CAST(e.sent_at IS NULL AS int),
                next_attempt_at = now() + make_interval(secs => e.wait_seconds),
                lease_token = NULL, lease_until = NULL,
                last_status = CASE WHEN e.sent_at IS NULL THEN d.last_status ELSE e.status END,
                last_error = CASE WHEN e.sent_at IS NULL THEN d.last_error ELSE e.error END,
                delivered_at = CASE WHEN e.state = 'delivered' THEN now() ELSE d.delivered_at END
            FROM ended e
            WHERE d.id = e.id AND d.event_at = e.event_at AND d.lease_token = e.token AND d.state = 'sending'
            RETURNING d.id, d.event_at, d.tries),
        history AS (
            INSERT INTO webhook_attempts (delivery_id, event_at, number, url, sent_at, signature, milliseconds,
                                          status, error, excerpt)
            SELECT k.id, k.event_at, k.tries, e.url, e.sent_at, e.signature, e.milliseconds,
                   e.status, e.error, e.excerpt
            FROM kept k JOIN ended e ON e.id = k.id AND e.event_at = k.event_at WHERE e.sent_at IS NOT NULL)
        SELECT id FROM kept
        """,
        **{name: [one[name] for one in ended] for name, _ in _ENDED},
    )


async def note_health(
    session: Session, answered: list[uuid.UUID], failed: list[uuid.UUID], hours: float
) -> list[Row]:
    """Keep since when receivers have failed; disables and gives those that have for too long.

    One success clears the clock.
    """
    await rows(
        session,
        """
        WITH news AS (
            SELECT id FROM webhook_subscriptions
            WHERE id = ANY(CAST(:answered AS uuid[])) AND failing_since IS NOT NULL
               OR id = ANY(CAST(:failed AS uuid[])) AND failing_since IS NULL
            ORDER BY id FOR NO KEY UPDATE)
        UPDATE webhook_subscriptions s
        SET failing_since = CASE WHEN s.id = ANY(CAST(:failed AS uuid[])) THEN now() END
        FROM news WHERE news.id = s.id
        """,
        answered=answered,
        failed=failed,
    )
    return await rows(
        session,
        """
        UPDATE webhook_subscriptions SET status = 'disabled', disabled_reason = 'failing', updated_at = now()
        WHERE id = ANY(CAST(:failed AS uuid[])) AND status IN ('active', 'paused')
          AND failing_since <= now() - make_interval(secs => 3600.0 * :hours)
        RETURNING *
        """,
        failed=failed,
        hours=hours,
    )


async def disable_gone(session: Session, subscription_ids: list[uuid.UUID]) -> list[Row]:
    """Disable those whose receiver has answered that it is gone; gives those that were not disabled before."""
    return await rows(
        session,
        """
        UPDATE webhook_subscriptions SET status = 'disabled', disabled_reason = 'gone', updated_at = now()
        WHERE id = ANY(CAST(:ids AS uuid[])) AND status IN ('active', 'paused') RETURNING *
        """,
        ids=subscription_ids,
    )


async def cancel_unwanted(session: Session, most: int) -> int:
    """Cancel what waits for subscriptions that are disabled or deleted; returns how many deliveries there were."""
    cancelled = await rows(
        session,
        f"""
        WITH RECURSIVE {WAITING},
        unwanted AS (
            SELECT d.id, d.event_at FROM waiting w
            JOIN webhook_subscriptions s ON s.id = w.subscription_id AND s.status IN ('disabled', 'deleted')
            JOIN webhook_deliveries d ON d.subscription_id = s.id AND d.state = 'pending'
            LIMIT :most FOR UPDATE OF d SKIP LOCKED)
        UPDATE webhook_deliveries d
        SET state = CASE WHEN delivered_at IS NULL THEN 'cancelled' ELSE 'delivered' END
        FROM unwanted u WHERE d.id = u.id AND d.event_at = u.event_at RETURNING d.id
        """,
        most=most,
    )
    return len(cancelled)


async def take_back(session: Session, last_attempt: int, wait_seconds: float, most: int) -> int:
    """Let what a lost sender had leased wait again; returns how many. Whether it was sent nobody knows."""
    found = await rows(
        session,
        """
        WITH lost AS (
            SELECT id, event_at, lease_until - make_interval(secs => :lease) AS leased_at
            FROM webhook_deliveries WHERE state = 'sending' AND lease_until <= now()
            ORDER BY lease_until LIMIT :most FOR UPDATE SKIP LOCKED),
        back AS (
            UPDATE webhook_deliveries d SET
                state = CASE WHEN attempts < :last_attempt THEN 'pending'
                             WHEN delivered_at IS NOT NULL THEN 'delivered' ELSE 'exhausted' END,
                next_attempt_at = now() + make_interval(secs => :wait), lease_token = NULL, lease_until = NULL,
                last_status = NULL, last_error = 'worker_lost'
            FROM lost WHERE d.id = lost.id AND d.event_at = lost.event_at
            RETURNING d.id, d.event_at, d.tries, lost.leased_at),
        history AS (
            INSERT INTO webhook_attempts (delivery_id, event_at, number, sent_at, error)
            SELECT id, event_at, tries, leased_at, 'worker_lost' FROM back
            -- A line that is there already, against all rules, must not keep every other delivery from coming back.
            ON CONFLICT DO NOTHING)
        SELECT id FROM back
        """,
        last_attempt=last_attempt,
        most=most,
        wait=wait_seconds,
        lease=LEASE_SECONDS,
    )
    return len(found)


async def times_told(session: Session, subject: str) -> int:
    """The number of the last event about a subject that is kept."""
    [counted] = await rows(
        session,
        "SELECT coalesce(max(sequence), 0) AS n FROM outbox WHERE subject = :subject",
        subject=subject,
    )
    return int(counted["n"])
