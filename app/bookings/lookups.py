"""Every question to guests' attempts and links."""

import uuid
from collections.abc import Sequence
from typing import Any

from app.core import tracing
from app.core.db import Row, Session, rows


async def family_names(session: Session, pnr: str) -> Sequence[Row]:
    """The travellers' family names, and the booking they are of."""
    return await rows(
        session,
        """
        SELECT b.id AS booking_id, b.pnr, p.family_name, split_part(p.ticket_name, '/', 1) AS latin FROM bookings b
        JOIN booking_passengers p ON p.booking_id = b.id WHERE b.pnr = :pnr ORDER BY p.position
        """,
        pnr=pnr,
    )


async def add_lookup(session: Session, address: str, pnr: str) -> int:
    """Note a guest's attempt; it counts as a failure until it has ended well."""
    added = await rows(
        session,
        "INSERT INTO guest_lookups (address, pnr) VALUES (:address, :pnr) RETURNING id",
        address=address,
        pnr=pnr,
    )
    return int(added[0]["id"])


_LAST_ALLOWED = """
    SELECT extract(epoch FROM at + interval '{minutes} minutes' - now()) FROM guest_lookups
    WHERE matched IS NOT TRUE AND id <> :attempt AND at > now() - interval '{minutes} minutes' {which}
    ORDER BY at DESC OFFSET {before} LIMIT 1
"""


async def lookup_wait(session: Session, attempt: int, address: str, pnr: str) -> int | None:
    """The seconds until an attempt would be within every limit; None when this one is.

    The last failure that a limit allows says when there is room again.
    """
    found = await rows(
        session,
        f"""
        SELECT ceil(greatest(
            ({_LAST_ALLOWED.format(minutes=15, which="AND address = :address", before=4)}),
            ({_LAST_ALLOWED.format(minutes=60, which="AND pnr = :pnr", before=9)}),
            ({_LAST_ALLOWED.format(minutes=5, which="", before=19)})))::int AS wait
        """,
        attempt=attempt,
        address=address,
        pnr=pnr,
    )
    wait: int | None = found[0]["wait"]
    return None if wait is None else max(wait, 1)


async def end_lookup(session: Session, attempt: int, matched: bool) -> None:
    await rows(
        session, "UPDATE guest_lookups SET matched = :matched WHERE id = :id", matched=matched, id=attempt
    )


async def forget_lookup(session: Session, attempt: int) -> None:
    """An attempt that was refused guessed nothing, and must not make the wait longer."""
    await rows(session, "DELETE FROM guest_lookups WHERE id = :id", id=attempt)


async def add_link(session: Session, **link: Any) -> None:
    """Keep a link that is asked for, and the event that has it mailed, where there is a booking.

    Beyond ten of an address or three of a booking in the time that a link lives, nothing is kept.
    """
    await rows(
        session,
        """
        WITH link AS (
            INSERT INTO guest_links (id, booking_id, address, nonce, token_hash, expires_at)
            SELECT CAST(:link_id AS uuid), CAST(:booking_id AS bigint), CAST(:address AS text),
                   CAST(:nonce AS bytea), CAST(:token_hash AS bytea),
                   now() + make_interval(mins => :minutes)
            WHERE 10 > (SELECT count(*) FROM guest_links
                        WHERE address = :address AND created_at > now() - make_interval(mins => :minutes))
              AND 3 > (SELECT count(*) FROM guest_links
                       WHERE booking_id = :booking_id AND created_at > now() - make_interval(mins => :minutes))
            RETURNING id)
        INSERT INTO outbox (type, subject, sequence, data, traceparent)
        SELECT 'guest.link_requested', 'guest-link:' || id, 1,
               jsonb_build_object('pnr', CAST(:pnr AS text), 'link_id', id), :traceparent
        FROM link WHERE CAST(:pnr AS text) IS NOT NULL
        """,
        traceparent=tracing.traceparent(),
        **link,
    )


async def live_link(session: Session, link_id: uuid.UUID) -> Row | None:
    found = await rows(
        session,
        """
        SELECT nonce, token_hash, expires_at FROM guest_links
        WHERE id = :id AND used_at IS NULL AND expires_at > now()
        """,
        id=link_id,
    )
    return found[0] if found else None


async def spend_link(session: Session, token_hash: bytes) -> str | None:
    """The booking of a link that can still be used, which it cannot from here on."""
    found = await rows(
        session,
        """
        UPDATE guest_links l SET used_at = now() FROM bookings b
        WHERE b.id = l.booking_id AND l.token_hash = :token_hash AND l.used_at IS NULL AND l.expires_at > now()
        RETURNING b.pnr
        """,
        token_hash=token_hash,
    )
    return found[0]["pnr"] if found else None


async def purge_guests(session: Session) -> None:
    """Drop attempts that no limit counts any more, and links that lead nowhere."""
    await rows(session, "DELETE FROM guest_lookups WHERE at < now() - interval '1 day'")
    await rows(session, "DELETE FROM guest_links WHERE created_at < now() - interval '1 day'")


async def live_holds(session: Session, user_id: uuid.UUID) -> Row:
    """How many unpaid bookings an account holds, and the seconds until the first of them ends.

    Whoever asks next for the same account waits until this transaction has ended, and counts what it has added.
    """
    await rows(
        session,
        "SELECT pg_advisory_xact_lock(hashtextextended('holds ' || CAST(:user_id AS text), 0))",
        user_id=str(user_id),
    )
    found = await rows(
        session,
        """
        SELECT count(*) AS held, extract(epoch FROM min(hold_expires_at) - now()) AS wait FROM bookings
        WHERE user_id = :user_id AND status = 'held' AND hold_expires_at > now()
        """,
        user_id=user_id,
    )
    return found[0]
