"""Every question to bookings."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

import orjson

from app.core.db import Row, Session, rows


async def add(
    session: Session, booking: Row, passengers: list[Row], segments: list[Row], event: Row
) -> Row | None:
    """Store a booking with its passengers, segments, first step and event, in one round trip.

    None if its PNR is in use: nothing was stored then, and another can be drawn.
    """
    added = await rows(
        session,
        """
        WITH booking AS (
            INSERT INTO bookings (pnr, user_id, status, total_minor, currency, cabin, fare_brand, price,
                                  conditions, baggage, contact, hold_expires_at)
            VALUES (:pnr, :user_id, 'held', :total_minor, :currency, :cabin, :fare_brand, CAST(:price AS jsonb),
                    CAST(:conditions AS jsonb), CAST(:baggage AS jsonb), CAST(:contact AS jsonb), :hold_expires_at)
            ON CONFLICT (pnr) DO NOTHING
            RETURNING id, sequence, created_at, updated_at),
        passengers AS (
            INSERT INTO booking_passengers
            SELECT booking.id, p.* FROM booking, jsonb_to_recordset(CAST(:passengers AS jsonb)) AS p(
                position smallint, type text, title text, given_name text, family_name text, born_on date,
                gender text, infant_of smallint)),
        segments AS (
            INSERT INTO booking_segments
            SELECT booking.id, s.* FROM booking, jsonb_to_recordset(CAST(:segments AS jsonb)) AS s(
                slice_index smallint, segment_index smallint, flight_id bigint, claim_id bigint,
                booking_class text)),
        timeline AS (
            INSERT INTO booking_timeline (booking_id, sequence, type, status)
            SELECT id, sequence, 'booking.held', 'held' FROM booking),
        event AS (
            INSERT INTO outbox (type, subject, sequence, data)
            SELECT 'booking.held', :pnr, sequence, CAST(:event AS jsonb) FROM booking)
        SELECT * FROM booking
        """,
        **booking,
        passengers=orjson.dumps(passengers).decode(),
        segments=orjson.dumps(segments).decode(),
        event=orjson.dumps(event).decode(),
    )
    return added[0] if added else None


async def of_user(
    session: Session, user_id: uuid.UUID, status: str | None, before: int | None, size: int
) -> Sequence[Row]:
    """Newest first."""
    return await rows(
        session,
        f"""
        SELECT * FROM bookings
        WHERE user_id = :user_id {"AND status = :status" if status else ""} {"AND id < :before" if before else ""}
        ORDER BY id DESC LIMIT :size
        """,
        user_id=user_id,
        size=size,
        **({"status": status} if status else {}),
        **({"before": before} if before else {}),
    )


async def by_pnr(session: Session, user_id: uuid.UUID, pnr: str) -> Row | None:
    found = await rows(
        session, "SELECT * FROM bookings WHERE pnr = :pnr AND user_id = :user_id", pnr=pnr, user_id=user_id
    )
    return found[0] if found else None


async def passengers_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    return await rows(
        session,
        "SELECT * FROM booking_passengers WHERE booking_id = ANY(CAST(:ids AS bigint[])) ORDER BY booking_id, position",
        ids=booking_ids,
    )


async def segments_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Segments with what an itinerary shows of their flights."""
    return await rows(
        session,
        """
        SELECT s.booking_id, s.slice_index, s.claim_id, s.booking_class, f.*, coalesce(a.name, f.carrier) AS operated_by
        FROM booking_segments s JOIN flights f ON f.id = s.flight_id LEFT JOIN airlines a ON a.iata = f.carrier
        WHERE s.booking_id = ANY(CAST(:ids AS bigint[]))
        ORDER BY s.booking_id, s.slice_index, s.segment_index
        """,
        ids=booking_ids,
    )


async def expire_due(session: Session, user_id: uuid.UUID | None, most: int) -> Sequence[Row]:
    """Move holds that ran out, by the database's clock, to `expired`; a row somebody else has is left to them."""
    return await rows(
        session,
        f"""
        UPDATE bookings SET status = 'expired', sequence = sequence + 1, updated_at = now()
        WHERE id IN (
            SELECT id FROM bookings
            WHERE status = 'held' AND hold_expires_at <= now() {"AND user_id = :user_id" if user_id else ""}
            ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING id, pnr, sequence, status
        """,
        most=most,
        **({"user_id": user_id} if user_id else {}),
    )


async def add_steps(
    session: Session, bookings: Sequence[Row], event_type: str, data: Row | None = None
) -> None:
    await rows(
        session,
        """
        INSERT INTO booking_timeline (booking_id, sequence, type, status, data)
        SELECT id, sequence, :event_type, status, CAST(:data AS jsonb)
        FROM jsonb_to_recordset(CAST(:bookings AS jsonb)) AS b(id bigint, sequence int, status text)
        """,
        event_type=event_type,
        bookings=orjson.dumps([dict(booking) for booking in bookings]).decode(),
        data=orjson.dumps(data).decode() if data else None,
    )


async def changes_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """What was told of changes of flights, oldest first."""
    return await rows(
        session,
        """
        SELECT booking_id, data, at FROM booking_timeline
        WHERE booking_id = ANY(CAST(:ids AS bigint[])) AND type = 'booking.changed'
        ORDER BY booking_id, sequence
        """,
        ids=booking_ids,
    )


async def lock_booked_on(session: Session, flight_ids: list[int]) -> None:
    """Lock the live bookings on these flights in one order."""
    await rows(
        session,
        """
        SELECT id FROM bookings
        WHERE status IN ('held', 'confirmed') AND id IN (
            SELECT booking_id FROM booking_segments WHERE flight_id = ANY(CAST(:ids AS bigint[])))
        ORDER BY id FOR UPDATE
        """,
        ids=flight_ids,
    )


async def step_booked_on(session: Session, flight_id: int) -> Sequence[Row]:
    """The live bookings on a flight, each one step further in its history."""
    return await rows(
        session,
        """
        UPDATE bookings SET sequence = sequence + 1, updated_at = now()
        WHERE status IN ('held', 'confirmed')
          AND id IN (SELECT booking_id FROM booking_segments WHERE flight_id = :flight_id)
        RETURNING id, pnr, sequence, status
        """,
        flight_id=flight_id,
    )


async def booked_between(session: Session, before: timedelta, after: timedelta) -> list[int]:
    """The flights with live bookings that leave soon or have arrived a short while ago."""
    found = await rows(
        session,
        """
        SELECT DISTINCT f.id FROM flights f
        JOIN booking_segments s ON s.flight_id = f.id JOIN bookings b ON b.id = s.booking_id
        WHERE b.status IN ('held', 'confirmed')
          AND f.departs_at < now() + make_interval(secs => :before)
          AND f.arrives_at > now() - make_interval(secs => :after)
        """,
        before=before.total_seconds(),
        after=after.total_seconds(),
    )
    return [row["id"] for row in found]


async def booked_boards(session: Session) -> list[tuple[str, date]]:
    """Origin and local date of the booked flights that are still to leave."""
    found = await rows(
        session,
        """
        SELECT DISTINCT f.origin, f.departure_date FROM flights f
        JOIN booking_segments s ON s.flight_id = f.id JOIN bookings b ON b.id = s.booking_id
        WHERE b.status IN ('held', 'confirmed') AND f.departs_at > now()
        """,
    )
    return [(row["origin"], row["departure_date"]) for row in found]
