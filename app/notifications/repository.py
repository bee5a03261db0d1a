"""Every question to mails and pushes, to the devices that pushes go to, and to what people want to hear."""

import uuid
from collections.abc import Iterator
from typing import Literal

import orjson

from app.core.db import Row, Session, rows

# What is sent in the same way, from two tables: whose a row is stands in another column of each.
Table = Literal["emails", "pushes"]
_WHOSE = {"emails": "user_id", "pushes": "device_id"}
_A_BATCH = 1000
# Whom an event is told to, and what.
_TOLD = """
    jsonb_to_recordset(CAST(:told AS jsonb)) AS t(
        event_id uuid, user_id uuid, kind text, category text, data jsonb, created_at timestamptz, traceparent text)
"""


def _batches(told: list[Row]) -> Iterator[list[Row]]:
    """A flight may have thousands of followers, and no statement may take long."""
    return (told[start : start + _A_BATCH] for start in range(0, len(told), _A_BATCH))


def _json(records: list[Row]) -> str:
    """As one value; the driver's ids are not the standard library's."""
    return orjson.dumps(records, default=str).decode()


async def add_mails(session: Session, mails: list[Row], domain: str) -> None:
    """Queue mails to addresses because of events, unless they are there already.

    Each has `event_id`, `kind`, `recipient`, `locale`, `data` and `created_at`.
    """
    if mails:
        await rows(
            session,
            """
            INSERT INTO emails (event_id, kind, recipient, locale, data, message_id, created_at, traceparent)
            SELECT event_id, kind, recipient, locale, data,
                   '<' || gen_random_uuid() || '@' || :domain || '>', created_at, traceparent
            FROM jsonb_to_recordset(CAST(:mails AS jsonb))
                AS m(event_id uuid, kind text, recipient text, locale text, data jsonb, created_at timestamptz,
                     traceparent text)
            ON CONFLICT (event_id, kind, recipient) DO NOTHING
            """,
            domain=domain,
            mails=_json(mails),
        )


async def add_mails_to_people(session: Session, told: list[Row], domain: str) -> None:
    """Queue mails to accounts, as far as they want them.

    Each has `event_id`, `user_id`, `kind`, `category`, `data` and `created_at`. Alerts go to verified addresses only;
    who has said nothing and has no device gets those of the flights that they are booked on. What an account's
    owner is to send back goes to the address that is asked.
    """
    for batch in _batches(told):
        await rows(
            session,
            f"""
            INSERT INTO emails (event_id, kind, recipient, locale, data, message_id, created_at, user_id, traceparent)
            SELECT t.event_id, t.kind, coalesce(c.email, u.email), u.locale, t.data,
                   '<' || gen_random_uuid() || '@' || :domain || '>', t.created_at, u.id, t.traceparent
            FROM {_TOLD}
            JOIN users u ON u.id = t.user_id AND u.erased_at IS NULL
            LEFT JOIN notification_preferences p ON p.user_id = u.id
            LEFT JOIN challenges c ON c.id = CAST(t.data->>'challenge_id' AS uuid)
            WHERE t.category = 'account' OR u.email_verified AND coalesce(
                p.flight_alerts_email,
                t.data ? 'pnr' AND NOT EXISTS (SELECT FROM devices d WHERE d.user_id = u.id))
            ON CONFLICT (event_id, kind, recipient) DO NOTHING
            """,
            domain=domain,
            told=_json(batch),
        )


async def add_pushes(session: Session, told: list[Row]) -> None:
    """Queue a push to each device of the accounts that want it; what is told is as in `add_mails_to_people`."""
    for batch in _batches(told):
        await rows(
            session,
            f"""
            INSERT INTO pushes (event_id, device_id, kind, data, created_at, traceparent)
            SELECT t.event_id, d.id, t.kind, t.data, t.created_at, t.traceparent
            FROM {_TOLD}
            JOIN devices d ON d.user_id = t.user_id LEFT JOIN notification_preferences p ON p.user_id = t.user_id
            WHERE coalesce(CASE t.category WHEN 'bookings' THEN p.bookings_push ELSE p.flight_alerts_push END, true)
            ON CONFLICT (event_id, device_id) DO NOTHING
            """,
            told=_json(batch),
        )


async def claim(session: Session, table: Table, token: uuid.UUID, lease_seconds: int) -> Row | None:
    """Take a row that is due, or one whose sender has not been heard of; a row somebody else has is theirs."""
    claimed = await rows(
        session,
        f"""
        UPDATE {table} SET state = 'sending', attempts = attempts + 1, lease_token = :token,
                          lease_until = now() + make_interval(secs => :seconds)
        WHERE id = (
            SELECT id FROM {table}
            WHERE state = 'queued' AND next_attempt_at <= now() OR state = 'sending' AND lease_until <= now()
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        token=token,
        seconds=lease_seconds,
    )
    return claimed[0] if claimed else None


async def finish(
    session: Session,
    table: Table,
    row: Row,
    state: str,
    error: str | None,
    wait_seconds: float = 0,
    *,
    tried: bool = True,
) -> bool:
    """Write how an attempt ended, or nothing where another sender has taken the row over since; tells which.

    One that was put off before anything was tried is no attempt.
    """
    finished = await rows(
        session,
        f"""
        UPDATE {table} SET state = :state, last_error = :error, lease_token = NULL, lease_until = NULL,
                          attempts = attempts - CASE WHEN :tried THEN 0 ELSE 1 END,
                          next_attempt_at = now() + make_interval(secs => :seconds),
                          sent_at = CASE WHEN :is_sent THEN now() END
        WHERE id = :id AND lease_token = :token RETURNING id
        """,
        state=state,
        error=error,
        tried=tried,
        seconds=wait_seconds,
        is_sent=state == "sent",
        id=row["id"],
        token=row["lease_token"],
    )
    return bool(finished)


async def rest(session: Session, table: Table, seconds: float) -> None:
    """Put off whatever is due now, because the other side has asked for quiet."""
    await rows(
        session,
        f"""
        UPDATE {table} SET next_attempt_at = now() + make_interval(secs => :seconds)
        WHERE id IN (SELECT id FROM {table} WHERE state = 'queued' AND next_attempt_at <= now()
                     FOR UPDATE SKIP LOCKED)
        """,
        seconds=seconds,
    )


async def last_sent(session: Session, table: Table, row: Row, kinds: tuple[str, ...]) -> Row | None:
    """What was last sent to the reader of this row, in a day, of these kinds and about the same flight."""
    found = await rows(
        session,
        f"""
        SELECT kind, data, sent_at FROM {table}
        WHERE {_WHOSE[table]} = :whose AND kind = ANY(CAST(:kinds AS text[])) AND state = 'sent'
          AND data->>'flight_id' = :flight_id AND sent_at > now() - interval '1 day'
        ORDER BY sent_at DESC LIMIT 1
        """,
        whose=row[_WHOSE[table]],
        kinds=list(kinds),
        flight_id=row["data"]["flight_id"],
    )
    return found[0] if found else None


async def purge(session: Session, table: Table, days: int) -> None:
    """Drop what was sent long ago, because it tells who travels where."""
    await rows(
        session,
        f"DELETE FROM {table} WHERE state IN ('sent', 'failed') AND created_at < now() - make_interval(days => :days)",
        days=days,
    )


async def preferences(session: Session, user_id: uuid.UUID) -> Row | None:
    """What an account has said, NULL where it has not; its `locale`, `has_device`, and the zone of its last device."""
    found = await rows(
        session,
        """
        SELECT p.bookings_push, p.flight_alerts_push, p.flight_alerts_email, p.quiet_from, p.quiet_to, p.time_zone,
               u.locale, d.id IS NOT NULL AS has_device, d.time_zone AS device_zone
        FROM users u LEFT JOIN notification_preferences p ON p.user_id = u.id
        LEFT JOIN LATERAL (SELECT id, time_zone FROM devices WHERE user_id = u.id
                           ORDER BY time_zone IS NULL, seen_at DESC LIMIT 1) d ON true
        WHERE u.id = :user_id
        """,
        user_id=user_id,
    )
    return found[0] if found else None


async def keep_preferences(session: Session, user_id: uuid.UUID, said: Row) -> None:
    await rows(
        session,
        """
        INSERT INTO notification_preferences (user_id, bookings_push, flight_alerts_push, flight_alerts_email,
                                              quiet_from, quiet_to, time_zone)
        VALUES (:user_id, :bookings_push, :flight_alerts_push, :flight_alerts_email, :quiet_from, :quiet_to, :time_zone)
        ON CONFLICT (user_id) DO UPDATE SET
            bookings_push = excluded.bookings_push, flight_alerts_push = excluded.flight_alerts_push,
            flight_alerts_email = excluded.flight_alerts_email, quiet_from = excluded.quiet_from,
            quiet_to = excluded.quiet_to, time_zone = excluded.time_zone, updated_at = now()
        """,
        user_id=user_id,
        **{name: said.get(name) for name in _SAID},
    )


async def ask_again(session: Session, user_id: uuid.UUID) -> None:
    """Let what waits for somebody's quiet hours to end be asked about again now."""
    await rows(
        session,
        """
        UPDATE pushes SET next_attempt_at = now()
        WHERE state = 'queued' AND last_error = 'quiet_hours'
          AND device_id IN (SELECT id FROM devices WHERE user_id = :user_id)
        """,
        user_id=user_id,
    )
    await rows(
        session,
        """
        UPDATE emails SET next_attempt_at = now()
        WHERE state = 'queued' AND last_error = 'quiet_hours' AND user_id = :user_id
        """,
        user_id=user_id,
    )


_SAID = ("bookings_push", "flight_alerts_push", "flight_alerts_email", "quiet_from", "quiet_to", "time_zone")


async def take_device(session: Session, token_hash: bytes, user_id: uuid.UUID) -> None:
    """Take a token away from any other account, with whatever waits to be pushed to it.

    Whoever registers the same token in this moment waits, so that it is one account's in the end.
    """
    await rows(
        session,
        "SELECT pg_advisory_xact_lock(hashtextextended(encode(CAST(:hash AS bytea), 'hex'), 0))",
        hash=token_hash,
    )
    await rows(
        session,
        "DELETE FROM devices WHERE token_hash = :hash AND user_id <> :user_id",
        hash=token_hash,
        user_id=user_id,
    )


async def other_devices(session: Session, user_id: uuid.UUID, token_hash: bytes) -> int:
    [found] = await rows(
        session,
        "SELECT count(*) AS devices FROM devices WHERE user_id = :user_id AND token_hash <> :hash",
        user_id=user_id,
        hash=token_hash,
    )
    return int(found["devices"])


async def keep_device(session: Session, **device: object) -> Row:
    """The device as it is now. One that is known keeps its id and its sealed token."""
    [kept] = await rows(
        session,
        """
        INSERT INTO devices (id, user_id, token_hash, token, platform, name, locale, time_zone)
        VALUES (:id, :user_id, :token_hash, :token, :platform, :name, :locale, :time_zone)
        ON CONFLICT (token_hash) DO UPDATE SET platform = excluded.platform, name = excluded.name,
            locale = excluded.locale, time_zone = excluded.time_zone, seen_at = now()
        RETURNING *
        """,
        **device,
    )
    return kept


async def devices(session: Session, user_id: uuid.UUID) -> list[Row]:
    return await rows(
        session, "SELECT * FROM devices WHERE user_id = :user_id ORDER BY seen_at DESC, id", user_id=user_id
    )


async def device(session: Session, device_id: uuid.UUID) -> Row | None:
    found = await rows(session, "SELECT * FROM devices WHERE id = :id", id=device_id)
    return found[0] if found else None


async def remove_device(session: Session, user_id: uuid.UUID, device_id: uuid.UUID) -> bool:
    """Whether there was one."""
    removed = await rows(
        session,
        "DELETE FROM devices WHERE id = :id AND user_id = :user_id RETURNING id",
        id=device_id,
        user_id=user_id,
    )
    return bool(removed)


async def forget_device(session: Session, device: Row) -> None:
    """Drop a device whose token is nobody's any more, unless it has been registered again since it was read."""
    await rows(
        session,
        "DELETE FROM devices WHERE id = :id AND seen_at = :seen_at",
        id=device["id"],
        seen_at=device["seen_at"],
    )


async def devices_not_sealed_by(session: Session, newest: str, most: int) -> list[Row]:
    """Devices whose token does not begin with the newest key's id; a row somebody else has is left to them."""
    return await rows(
        session,
        """
        SELECT id, token FROM devices WHERE NOT starts_with(token, :newest)
        ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
        """,
        newest=newest,
        most=most,
    )


async def reseal_devices(session: Session, sealed: list[Row]) -> None:
    await rows(
        session,
        """
        UPDATE devices d SET token = s.token
        FROM jsonb_to_recordset(CAST(:sealed AS jsonb)) AS s(id uuid, token text) WHERE d.id = s.id
        """,
        sealed=_json(sealed),
    )
