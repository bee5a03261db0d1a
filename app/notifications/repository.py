"""Every question to mails."""

import uuid

import orjson

from app.core.db import Row, Session, rows


async def add(session: Session, event: Row, kind: str, recipient: str, locale: str, message_id: str) -> None:
    """Queue a mail because of an event, unless it is there already."""
    await rows(
        session,
        """
        INSERT INTO emails (event_id, kind, recipient, locale, data, message_id, created_at)
        VALUES (:event_id, :kind, :recipient, :locale, CAST(:data AS jsonb), :message_id, :created_at)
        ON CONFLICT (event_id, kind, recipient) DO NOTHING
        """,
        event_id=event["event_id"],
        kind=kind,
        recipient=recipient,
        locale=locale,
        data=orjson.dumps(event["data"]).decode(),
        message_id=message_id,
        created_at=event["created_at"],
    )


async def claim(session: Session, token: uuid.UUID, lease_seconds: int) -> Row | None:
    """Take a mail that is due, or one whose sender has not been heard of; a row somebody else has is theirs."""
    claimed = await rows(
        session,
        """
        UPDATE emails SET state = 'sending', attempts = attempts + 1, lease_token = :token,
                          lease_until = now() + make_interval(secs => :seconds)
        WHERE id = (
            SELECT id FROM emails
            WHERE state = 'queued' AND next_attempt_at <= now() OR state = 'sending' AND lease_until <= now()
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        token=token,
        seconds=lease_seconds,
    )
    return claimed[0] if claimed else None


async def finish(session: Session, mail: Row, state: str, error: str | None, wait_seconds: float = 0) -> bool:
    """Write how an attempt ended, or nothing where another sender has taken the mail over since; tells which."""
    finished = await rows(
        session,
        """
        UPDATE emails SET state = :state, last_error = :error, lease_token = NULL, lease_until = NULL,
                          next_attempt_at = now() + make_interval(secs => :seconds),
                          sent_at = CASE WHEN :is_sent THEN now() END
        WHERE id = :id AND lease_token = :token RETURNING id
        """,
        state=state,
        error=error,
        seconds=wait_seconds,
        is_sent=state == "sent",
        id=mail["id"],
        token=mail["lease_token"],
    )
    return bool(finished)


async def purge(session: Session, days: int) -> None:
    """Drop mails of long ago, because they hold addresses."""
    await rows(
        session,
        "DELETE FROM emails WHERE state IN ('sent', 'failed') AND created_at < now() - make_interval(days => :days)",
        days=days,
    )
