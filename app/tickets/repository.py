"""Every question to tickets."""

from collections.abc import Sequence

import orjson

from app.core.db import Row, Session, rows

# A coupon with the first number of its set of tickets; always locked in one order, so nobody waits in a circle.
_COUPON = """
    SELECT c.*, coalesce(t.conjunction_of, t.number) AS set_number, t.issued_at
    FROM coupons c JOIN tickets t ON t.number = c.ticket_number
"""
_LOCKED = "ORDER BY c.ticket_number, c.number FOR UPDATE OF c"


async def take_serials(session: Session, accounting_code: str, count: int) -> int:
    """The last of so many serials that are the caller's from now on; others wait until this transaction ends."""
    taken = await rows(
        session,
        """
        INSERT INTO ticket_sequences AS s (accounting_code, last_serial) VALUES (:code, :count)
        ON CONFLICT (accounting_code) DO UPDATE SET last_serial = s.last_serial + excluded.last_serial
        RETURNING last_serial
        """,
        code=accounting_code,
        count=count,
    )
    last: int = taken[0]["last_serial"]
    return last


async def add(session: Session, tickets: list[Row], coupons: list[Row]) -> None:
    """Store tickets with their coupons, in one round trip."""
    await rows(
        session,
        """
        WITH tickets AS (
            INSERT INTO tickets (number, booking_id, position, conjunction_of, exchanged_for, ticket_name)
            SELECT * FROM jsonb_to_recordset(CAST(:tickets AS jsonb)) AS t(
                number char(13), booking_id bigint, position smallint, conjunction_of char(13), exchanged_for char(13),
                ticket_name text))
        INSERT INTO coupons (ticket_number, number, booking_id, position, slice_index, segment_index, flight_id)
        SELECT * FROM jsonb_to_recordset(CAST(:coupons AS jsonb)) AS c(
            ticket_number char(13), number smallint, booking_id bigint, position smallint, slice_index smallint,
            segment_index smallint, flight_id bigint)
        """,
        tickets=orjson.dumps(tickets).decode(),
        coupons=orjson.dumps(coupons).decode(),
    )


async def of_bookings(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Every coupon with its ticket, by booking, passenger, issue and number."""
    return await rows(
        session,
        """
        SELECT t.*, c.number AS coupon_number, c.slice_index, c.segment_index, c.flight_id, c.status,
               c.check_in_sequence, c.changed_at
        FROM tickets t JOIN coupons c ON c.ticket_number = t.number
        WHERE t.booking_id = ANY(CAST(:ids AS bigint[]))
        ORDER BY t.booking_id, t.position, t.issued_at, t.number, c.number
        """,
        ids=booking_ids,
    )


async def lock(
    session: Session,
    booking_id: int,
    positions: list[int] | None = None,
    slices: list[int] | None = None,
    flight_id: int | None = None,
) -> list[Row]:
    """The coupons of a booking, locked: all of them, or of some passengers, of some slices, for one flight."""
    return await rows(
        session,
        f"""
        {_COUPON}
        WHERE t.booking_id = :booking_id
          AND (CAST(:positions AS smallint[]) IS NULL OR c.position = ANY(CAST(:positions AS smallint[])))
          AND (CAST(:slices AS smallint[]) IS NULL OR c.slice_index = ANY(CAST(:slices AS smallint[])))
          AND (CAST(:flight_id AS bigint) IS NULL OR c.flight_id = CAST(:flight_id AS bigint))
        {_LOCKED}
        """,
        booking_id=booking_id,
        positions=positions,
        slices=slices,
        flight_id=flight_id,
    )


async def lock_on_flights(session: Session, flight_ids: list[int], statuses: str) -> list[Row]:
    """The coupons for these flights that have one of these statuses, locked."""
    return await rows(
        session,
        f"""
        {_COUPON}
        WHERE c.flight_id = ANY(CAST(:ids AS bigint[])) AND c.status = ANY(string_to_array(:statuses, NULL))
        {_LOCKED}
        """,
        ids=flight_ids,
        statuses=statuses,
    )


async def take_sequences(session: Session, flight_id: int, count: int) -> int:
    """The last of so many check-in sequence numbers of a flight that are the caller's from now on."""
    taken = await rows(
        session,
        """
        INSERT INTO check_in_counters AS c (flight_id, last_sequence) VALUES (:flight_id, :count)
        ON CONFLICT (flight_id) DO UPDATE SET last_sequence = c.last_sequence + excluded.last_sequence
        RETURNING last_sequence
        """,
        flight_id=flight_id,
        count=count,
    )
    last: int = taken[0]["last_sequence"]
    return last


async def move(session: Session, coupons: list[Row], status: str) -> list[Row]:
    """Give coupons a status, and the check-in sequence number that each has here; returns what was changed."""
    kept = ("ticket_number", "number", "check_in_sequence")
    return await rows(
        session,
        """
        UPDATE coupons c SET status = :status, check_in_sequence = m.check_in_sequence, changed_at = now()
        FROM jsonb_to_recordset(CAST(:moved AS jsonb)) AS m(
            ticket_number char(13), number smallint, check_in_sequence int)
        WHERE c.ticket_number = m.ticket_number AND c.number = m.number
        RETURNING c.ticket_number, c.number, c.status, c.check_in_sequence, c.changed_at
        """,
        status=status,
        moved=orjson.dumps([{name: coupon[name] for name in kept} for coupon in coupons]).decode(),
    )
