"""Every question to the document numbers that are kept sealed."""

import orjson

from app.core.db import Row, Session, rows


async def documents_not_sealed_by(session: Session, newest: str, most: int) -> list[Row]:
    """Sealed document numbers that do not begin with the newest key's id; a row somebody else has is left to them."""
    return await rows(
        session,
        """
        SELECT p.booking_id, p.position, b.pnr, p.document->>'number' AS number
        FROM booking_passengers p JOIN bookings b ON b.id = p.booking_id
        WHERE p.document IS NOT NULL AND NOT starts_with(p.document->>'number', :newest)
        ORDER BY p.booking_id, p.position LIMIT :most FOR UPDATE OF p SKIP LOCKED
        """,
        newest=newest,
        most=most,
    )


async def reseal_documents(session: Session, numbers: list[Row]) -> None:
    await rows(
        session,
        """
        UPDATE booking_passengers p SET document = p.document || jsonb_build_object('number', n.number)
        FROM jsonb_to_recordset(CAST(:numbers AS jsonb)) AS n(booking_id bigint, position smallint, number text)
        WHERE p.booking_id = n.booking_id AND p.position = n.position
        """,
        numbers=orjson.dumps(numbers).decode(),
    )


async def forget_documents(session: Session, kept_days: int, most: int) -> int:
    """Drop documents whose last flight arrived so many days ago; returns how many were dropped."""
    found = await rows(
        session,
        """
        UPDATE booking_passengers SET document = NULL
        WHERE (booking_id, position) IN (
            SELECT p.booking_id, p.position FROM booking_passengers p
            WHERE p.document IS NOT NULL AND now() - make_interval(days => :kept_days) > (
                SELECT max(f.arrives_at) FROM booking_segments s JOIN flights f ON f.id = s.flight_id
                WHERE s.booking_id = p.booking_id)
            ORDER BY p.booking_id LIMIT :most FOR UPDATE OF p SKIP LOCKED)
        RETURNING booking_id
        """,
        kept_days=kept_days,
        most=most,
    )
    return len(found)
