"""Every question to bookings."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import orjson

from app.core.db import Row, Session, rows

_LOCKED = """
    SELECT b.*, b.hold_expires_at <= now() AS due, b.price_stands_until <= now() AS price_due FROM bookings b
"""


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
                                  conditions, baggage, contact, terms, hold_expires_at, price_stands_until)
            VALUES (:pnr, :user_id, 'held', :total_minor, :currency, :cabin, :fare_brand, CAST(:price AS jsonb),
                    CAST(:conditions AS jsonb), CAST(:baggage AS jsonb), CAST(:contact AS jsonb),
                    CAST(:terms AS jsonb), :hold_expires_at, :price_stands_until)
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


async def by_id(session: Session, booking_id: int) -> Row:
    return (await rows(session, "SELECT * FROM bookings WHERE id = :id", id=booking_id))[0]


async def owner(session: Session, pnr: str) -> uuid.UUID | None:
    found = await rows(session, "SELECT user_id FROM bookings WHERE pnr = :pnr", pnr=pnr)
    return found[0]["user_id"] if found else None


async def addressee(session: Session, pnr: str) -> Row | None:
    found = await rows(
        session,
        """
        SELECT b.contact->>'email' AS email, u.locale, b.status
        FROM bookings b JOIN users u ON u.id = b.user_id WHERE b.pnr = :pnr
        """,
        pnr=pnr,
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
            INSERT INTO outbox (type, subject, sequence, data)
            SELECT type, pnr, sequence, jsonb_build_object('pnr', pnr, 'status', status) || coalesce(data, '{}')
            FROM told)
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
    )
    return moved[0] if moved else None


async def active_segments(session: Session, booking_id: int, state: str = "active") -> list[Row]:
    """The segments that are flown, in their order, with what an itinerary shows of their flights."""
    found = await segments_of(session, [booking_id])
    return [segment for segment in found if segment["segment_state"] == state]


async def pnr_of(session: Session, booking_id: int) -> str:
    pnr: str = (await rows(session, "SELECT pnr FROM bookings WHERE id = :id", id=booking_id))[0]["pnr"]
    return pnr


async def unpaid_extras(session: Session, booking_id: int) -> int:
    """What the extras that are ordered and not paid for come to."""
    found = await rows(
        session,
        """
        SELECT coalesce(sum(amount_minor), 0)::bigint AS amount FROM booking_extras
        WHERE booking_id = :id AND state = 'pending'
        """,
        id=booking_id,
    )
    amount: int = found[0]["amount"]
    return amount


async def prolong(session: Session, booking_id: int, minutes: float) -> Row:
    """Hold a booking for at least so long from now; once only, and it says until when."""
    return (
        await rows(
            session,
            """
            UPDATE bookings SET hold_prolonged = true,
                hold_expires_at = greatest(hold_expires_at, now() + make_interval(secs => :seconds))
            WHERE id = :id RETURNING hold_expires_at
            """,
            id=booking_id,
            seconds=minutes * 60,
        )
    )[0]


async def renew_claims(session: Session, booking_id: int, renewed: dict[int, int]) -> None:
    """Let segments have new claims for their old ones."""
    await rows(
        session,
        """
        UPDATE booking_segments s SET claim_id = n.new
        FROM unnest(CAST(:old AS bigint[]), CAST(:new AS bigint[])) AS n(old, new)
        WHERE s.booking_id = :booking_id AND s.claim_id = n.old
        """,
        booking_id=booking_id,
        old=list(renewed),
        new=list(renewed.values()),
    )


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


async def changes_of(session: Session, booking_ids: list[int]) -> Sequence[Row]:
    """What was told of changes of flights, oldest first."""
    return await rows(
        session,
        """
        SELECT booking_id, data, at FROM booking_timeline
        WHERE booking_id = ANY(CAST(:ids AS bigint[])) AND type = 'booking.changed' AND data ? 'materiality'
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


async def live_on(session: Session, flight_id: int) -> Sequence[Row]:
    """The live bookings that fly with a flight."""
    return await rows(
        session,
        """
        SELECT * FROM bookings
        WHERE status IN ('held', 'confirmed') AND id IN (
            SELECT booking_id FROM booking_segments WHERE flight_id = :flight_id AND state = 'active')
        ORDER BY id
        """,
        flight_id=flight_id,
    )


async def flown(session: Session, most: int) -> Sequence[Row]:
    """Confirmed bookings whose last flight has landed, or should have some hours ago."""
    return await rows(
        session,
        """
        SELECT b.id, array_agg(f.id) AS flights FROM bookings b
        JOIN booking_segments s ON s.booking_id = b.id AND s.state = 'active' JOIN flights f ON f.id = s.flight_id
        WHERE b.status = 'confirmed'
          AND NOT EXISTS (SELECT FROM airline_changes a WHERE a.booking_id = b.id AND a.state = 'open')
        GROUP BY b.id
        HAVING bool_and(f.status = 'landed' OR f.arrives_at < now() - interval '6 hours')
        ORDER BY b.id LIMIT :most
        """,
        most=most,
    )


async def landed(session: Session) -> list[int]:
    """Flights that have landed, or should have some hours ago, with coupons that were used on them."""
    found = await rows(
        session,
        """
        SELECT DISTINCT f.id FROM flights f JOIN coupons c ON c.flight_id = f.id AND c.status IN ('C', 'L')
        WHERE (f.status = 'landed' OR f.arrives_at < now() - interval '6 hours') AND f.status <> 'cancelled'
        """,
    )
    return [row["id"] for row in found]


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


async def family_names(session: Session, pnr: str) -> Sequence[Row]:
    """The travellers' family names, and the booking they are of."""
    return await rows(
        session,
        """
        SELECT b.id AS booking_id, b.pnr, p.family_name FROM bookings b
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
        INSERT INTO outbox (type, subject, sequence, data)
        SELECT 'guest.link_requested', 'guest-link:' || id, 1,
               jsonb_build_object('pnr', CAST(:pnr AS text), 'link_id', id)
        FROM link WHERE CAST(:pnr AS text) IS NOT NULL
        """,
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
