"""Every question to bookings."""

import uuid
from collections.abc import Sequence

import orjson

from app.bookings import audited
from app.core import tracing
from app.core.db import Row, Session, rows

# The account, the name on the ticket and the date of birth, as one short key.
_TRAVELLER = """
    substr(sha256(convert_to(
        concat_ws(' ', b.user_id, p.ticket_name, to_char(p.born_on, 'YYYY-MM-DD')), 'UTF8')), 1, 16)
"""

_LOCKED = """
    SELECT b.*, b.hold_expires_at <= now() AS due, b.price_stands_until <= now() AS price_due FROM bookings b
"""


# Who is on a flight already stays there until that booking has ended, be it only by the clock. A booking that this
# statement cannot see yet has not ended: the twin that came second never takes the place of the first.
_UNLESS_BOOKED = """
    ON CONFLICT (flight_id, traveller) DO UPDATE SET booking_id = excluded.booking_id
    WHERE t.booking_id = excluded.booking_id OR EXISTS (
        SELECT FROM bookings o WHERE o.id = t.booking_id AND (
            o.status IN ('expired', 'cancelled') OR (o.status = 'held' AND o.hold_expires_at <= now())))
"""


async def add(
    session: Session, booking: Row, passengers: list[Row], segments: list[Row], event: Row
) -> Row | None:
    """Store a booking with its passengers, segments, first step and event, in one round trip.

    None if its PNR is in use: nothing was stored then, and another can be drawn. `trips` counts who was put on
    which flight: where it is fewer than passengers times segments, somebody is booked already, and the
    transaction must not be committed.
    """
    added = await rows(
        session,
        f"""
        WITH booking AS (
            INSERT INTO bookings (pnr, user_id, status, total_minor, currency, cabin, fare_brand, price,
                                  conditions, baggage, contact, terms, hold_expires_at, price_stands_until)
            VALUES (:pnr, :user_id, 'held', :total_minor, :currency, :cabin, :fare_brand, CAST(:price AS jsonb),
                    CAST(:conditions AS jsonb), CAST(:baggage AS jsonb), CAST(:contact AS jsonb),
                    CAST(:terms AS jsonb), :hold_expires_at, :price_stands_until)
            ON CONFLICT (pnr) DO NOTHING
            RETURNING id, user_id, sequence, created_at, updated_at),
        people AS (
            SELECT booking.id, p.* FROM booking, jsonb_to_recordset(CAST(:passengers AS jsonb)) AS p(
                position smallint, type text, title text, given_name text, family_name text, born_on date,
                gender text, infant_of smallint, ticket_name text, document jsonb, loyalty jsonb, services jsonb)),
        passengers AS (
            INSERT INTO booking_passengers (booking_id, position, type, title, given_name, family_name, born_on,
                                            gender, infant_of, ticket_name, document, loyalty)
            SELECT id, position, type, title, given_name, family_name, born_on, gender, infant_of, ticket_name,
                   nullif(document, 'null'), loyalty
            FROM people),
        services AS (
            INSERT INTO booking_services (booking_id, position, code, flight_id, text)
            SELECT people.id, people.position, s.*
            FROM people, jsonb_to_recordset(people.services) AS s(code text, flight_id bigint, text text)),
        segments AS (
            INSERT INTO booking_segments
            SELECT booking.id, s.* FROM booking, jsonb_to_recordset(CAST(:segments AS jsonb)) AS s(
                slice_index smallint, segment_index smallint, flight_id bigint, claim_id bigint,
                booking_class text)
            RETURNING flight_id),
        trips AS (
            INSERT INTO booking_trips AS t (flight_id, traveller, booking_id)
            SELECT segments.flight_id, {_TRAVELLER}, b.id FROM booking b, people p, segments ORDER BY 1, 2
            {_UNLESS_BOOKED}
            RETURNING flight_id),
        timeline AS (
            INSERT INTO booking_timeline (booking_id, sequence, type, status)
            SELECT id, sequence, 'booking.held', 'held' FROM booking),
        event AS (
            INSERT INTO outbox (type, subject, sequence, data, traceparent)
            SELECT 'booking.held', :pnr, sequence, CAST(:event AS jsonb), :traceparent FROM booking)
        SELECT id, sequence, created_at, updated_at, (SELECT count(*) FROM trips) AS trips FROM booking
        """,
        **booking,
        passengers=orjson.dumps(passengers).decode(),
        segments=orjson.dumps(segments).decode(),
        event=orjson.dumps(event).decode(),
        traceparent=tracing.traceparent(),
    )
    return added[0] if added else None


async def booked_before(session: Session, booking_id: int) -> Row:
    """The first passenger of a booking whom another one has on a flight of its, with that one's PNR."""
    found = await rows(
        session,
        f"""
        SELECT o.pnr, p.position FROM bookings b
        JOIN booking_passengers p ON p.booking_id = b.id JOIN booking_segments s ON s.booking_id = b.id
        JOIN booking_trips t ON t.flight_id = s.flight_id AND t.traveller = {_TRAVELLER} AND t.booking_id <> b.id
        JOIN bookings o ON o.id = t.booking_id
        WHERE b.id = :booking_id
        ORDER BY p.position, s.slice_index, s.segment_index LIMIT 1
        """,
        booking_id=booking_id,
    )
    return found[0]


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


async def by_id(session: Session, booking_id: int) -> Row:
    return (await rows(session, "SELECT * FROM bookings WHERE id = :id", id=booking_id))[0]


async def owner(session: Session, pnr: str) -> uuid.UUID | None:
    found = await rows(session, "SELECT user_id FROM bookings WHERE pnr = :pnr", pnr=pnr)
    return found[0]["user_id"] if found else None


async def addressees(session: Session, pnrs: list[str]) -> list[Row]:
    return await rows(
        session,
        """
        SELECT b.pnr, b.contact->>'email' AS email, u.locale, b.status
        FROM bookings b JOIN users u ON u.id = b.user_id
        WHERE b.pnr = ANY(CAST(:pnrs AS text[])) AND b.contact ? 'email'
        """,
        pnrs=pnrs,
    )


async def passengers_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Passengers, each with the special services they asked for."""
    return await rows(
        session,
        """
        SELECT p.*, coalesce((
            SELECT jsonb_agg(jsonb_build_object('code', s.code, 'flight_id', s.flight_id, 'text', s.text))
            FROM booking_services s WHERE s.booking_id = p.booking_id AND s.position = p.position), '[]') AS services
        FROM booking_passengers p
        WHERE p.booking_id = ANY(CAST(:ids AS bigint[])) ORDER BY p.booking_id, p.position
        """,
        ids=booking_ids,
    )


async def segments_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """Segments with what an itinerary shows of their flights."""
    return await rows(
        session,
        """
        SELECT s.booking_id, s.slice_index, s.segment_index, s.claim_id, s.booking_class, s.state AS segment_state,
               s.removed_by, f.*, coalesce(a.name, f.carrier) AS operated_by
        FROM booking_segments s JOIN flights f ON f.id = s.flight_id LEFT JOIN airlines a ON a.iata = f.carrier
        WHERE s.booking_id = ANY(CAST(:ids AS bigint[]))
        ORDER BY s.booking_id, s.slice_index, s.segment_index
        """,
        ids=booking_ids,
    )


async def expire_due(session: Session, user_id: uuid.UUID | None, most: int) -> Sequence[Row]:
    """Move holds that ran out, by the database's clock, to `expired`; a row somebody else has is left to them.

    While nobody knows what became of a payment, its booking is left to whoever finds out.
    """
    return await rows(
        session,
        f"""
        UPDATE bookings SET status = 'expired', sequence = sequence + 1, updated_at = now()
        WHERE id IN (
            SELECT id FROM bookings
            WHERE status = 'held' AND hold_expires_at <= now() {"AND user_id = :user_id" if user_id else ""}
              AND NOT EXISTS (SELECT FROM payments p
                              WHERE p.booking_id = bookings.id AND p.status IN ('processing', 'authorised'))
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


async def lock(session: Session, booking_id: int) -> Row:
    """A booking, locked; `due` says whether its hold has run out by the database's clock."""
    return (await rows(session, _LOCKED + "WHERE b.id = :id FOR UPDATE", id=booking_id))[0]


async def lock_by_pnr(session: Session, user_id: uuid.UUID, pnr: str) -> Row | None:
    found = await rows(
        session, _LOCKED + "WHERE b.pnr = :pnr AND b.user_id = :user_id FOR UPDATE", pnr=pnr, user_id=user_id
    )
    return found[0] if found else None


async def step(
    session: Session,
    booking_id: int,
    events: list[Row],
    *,
    leaving: Sequence[str],
    to: str | None = None,
    revised: bool = False,
    held_for_seconds: float | None = None,
    agreed: Row | None = None,
) -> Row | None:
    """Take a booking a step further: its state, a line of its history and an event for each of `events`.

    `agreed` is added to its terms. None if the booking is in none of the states it may leave; nothing is written then.
    """
    moved = await rows(
        session,
        """
        WITH moved AS (
            UPDATE bookings SET status = coalesce(CAST(:to AS varchar), status), sequence = sequence + :count,
                revision = revision + CAST(:revised AS int), updated_at = now(),
                terms = terms || CAST(:agreed AS jsonb),
                hold_expires_at = coalesce(
                    now() + make_interval(secs => CAST(:held AS double precision)), hold_expires_at)
            WHERE id = :id AND status = ANY(CAST(:leaving AS text[])) RETURNING *),
        told AS (
            SELECT m.id, m.pnr, m.status, m.sequence - :count + e.n AS sequence, e.type, e.data
            FROM moved m, jsonb_to_recordset(CAST(:events AS jsonb)) AS e(n int, type text, data jsonb)),
        timeline AS (
            INSERT INTO booking_timeline (booking_id, sequence, type, status, data)
            SELECT id, sequence, type, status, data FROM told),
        outbox AS (
            INSERT INTO outbox (type, subject, sequence, data, traceparent)
            SELECT type, pnr, sequence, jsonb_build_object('pnr', pnr, 'status', status) || coalesce(data, '{}'),
                   :traceparent FROM told)
        SELECT * FROM moved
        """,
        id=booking_id,
        to=to,
        count=len(events),
        revised=int(revised),
        held=held_for_seconds,
        agreed=orjson.dumps(agreed or {}).decode(),
        leaving=list(leaving),
        events=orjson.dumps([{"n": n, **event} for n, event in enumerate(events, 1)]).decode(),
        traceparent=tracing.traceparent(),
    )
    if not moved:
        return None
    await audited.note(session, moved[0], events)
    return moved[0]


async def active_segments(session: Session, booking_id: int, state: str = "active") -> list[Row]:
    """The segments that are flown, in their order, with what an itinerary shows of their flights."""
    found = await segments_of(session, [booking_id])
    return [segment for segment in found if segment["segment_state"] == state]


async def pnr_of(session: Session, booking_id: int) -> str:
    pnr: str = (await rows(session, "SELECT pnr FROM bookings WHERE id = :id", id=booking_id))[0]["pnr"]
    return pnr


async def id_of(session: Session, pnr: str) -> int:
    booking_id: int = (await rows(session, "SELECT id FROM bookings WHERE pnr = :pnr", pnr=pnr))[0]["id"]
    return booking_id


async def prolong(session: Session, booking_id: int, minutes: float) -> Row:
    """Hold a booking for at least so long from now; once only, and it says until when.

    A price that stands as long as the seats are held goes on doing so.
    """
    return (
        await rows(
            session,
            """
            WITH longer AS (
                SELECT greatest(hold_expires_at, now() + make_interval(secs => :seconds)) AS until
                FROM bookings WHERE id = :id)
            UPDATE bookings SET hold_prolonged = true, hold_expires_at = until,
                price_stands_until = CASE WHEN price_stands_until < hold_expires_at THEN price_stands_until
                                          ELSE until END
            FROM longer WHERE id = :id RETURNING hold_expires_at
            """,
            id=booking_id,
            seconds=minutes * 60,
        )
    )[0]


async def reprice(session: Session, booking_id: int, total: int, price: Row, terms: Row) -> None:
    """Another price, which stands as long as the seats are held."""
    await rows(
        session,
        """
        UPDATE bookings SET total_minor = :total, price = CAST(:price AS jsonb), terms = CAST(:terms AS jsonb),
            price_stands_until = hold_expires_at, updated_at = now()
        WHERE id = :id
        """,
        id=booking_id,
        total=total,
        price=orjson.dumps(price).decode(),
        terms=orjson.dumps(terms).decode(),
    )


async def timeline(session: Session, booking_id: int) -> Sequence[Row]:
    return await rows(
        session,
        "SELECT sequence, type, status, data, at FROM booking_timeline WHERE booking_id = :id ORDER BY sequence",
        id=booking_id,
    )


async def renew_trips(session: Session, booking_id: int) -> bool:
    """Keep who is on which flight by this booking as it is now: after a change, a part given up, or a late payment.

    False where somebody is on a flight by another booking meanwhile.
    """
    await rows(session, "DELETE FROM booking_trips WHERE booking_id = :id", id=booking_id)
    [counted] = await rows(
        session,
        f"""
        WITH wanted AS (
            SELECT s.flight_id, {_TRAVELLER} AS traveller, b.id
            FROM bookings b JOIN booking_passengers p ON p.booking_id = b.id AND p.cancelled_at IS NULL
                JOIN booking_segments s ON s.booking_id = b.id AND s.state = 'active'
            WHERE b.id = :booking_id AND (
                NOT EXISTS (SELECT FROM coupons c WHERE c.booking_id = b.id)
                OR EXISTS (SELECT FROM coupons c WHERE c.booking_id = b.id AND c.position = p.position
                           AND c.slice_index = s.slice_index AND c.segment_index = s.segment_index
                           AND c.status NOT IN ('E', 'R', 'V')))),
        taken AS (
            INSERT INTO booking_trips AS t (flight_id, traveller, booking_id) SELECT * FROM wanted ORDER BY 1, 2
            {_UNLESS_BOOKED}
            RETURNING flight_id)
        SELECT (SELECT count(*) FROM taken) = (SELECT count(*) FROM wanted) AS all_taken
        """,
        booking_id=booking_id,
    )
    return bool(counted["all_taken"])


async def booked_elsewhere(session: Session, booking_id: int, flight_ids: list[int]) -> str | None:
    """The reference of another live booking of the same account that has one of these travellers on these flights."""
    found = await rows(
        session,
        f"""
        SELECT o.pnr FROM bookings b JOIN booking_passengers p ON p.booking_id = b.id AND p.cancelled_at IS NULL
            JOIN booking_trips t ON t.traveller = {_TRAVELLER} AND t.flight_id = ANY(CAST(:flight_ids AS bigint[]))
            JOIN bookings o ON o.id = t.booking_id AND o.id <> b.id
        WHERE b.id = :booking_id AND NOT (
            o.status IN ('expired', 'cancelled') OR (o.status = 'held' AND o.hold_expires_at <= now()))
        ORDER BY o.id LIMIT 1
        """,
        booking_id=booking_id,
        flight_ids=flight_ids,
    )
    return found[0]["pnr"] if found else None
