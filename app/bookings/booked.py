"""Every question about flights that people are booked on."""

from collections.abc import Sequence
from datetime import date, timedelta

import orjson

from app.core.db import Row, Session, rows


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


# Who arrived longer ago was seen then; so the sweep looks at some weeks of flights, however many bookings there are.
_ARRIVED = """
    f.departure_date BETWEEN current_date - 30 AND current_date + 1 AND f.status <> 'cancelled'
    AND (f.status = 'landed' OR f.arrives_at < now() - interval '6 hours')
"""


async def flown(session: Session, most: int) -> Sequence[Row]:
    """Confirmed bookings whose every flight has landed, or should have; none that waits for an answer.

    Whose flight was cancelled has not flown: they are rebooked or get their money back first.
    """
    return await rows(
        session,
        f"""
        SELECT b.id FROM bookings b
        WHERE b.status = 'confirmed'
          AND b.id IN (SELECT s.booking_id FROM flights f
                       JOIN booking_segments s ON s.flight_id = f.id AND s.state = 'active' WHERE {_ARRIVED})
          AND NOT EXISTS (SELECT FROM booking_segments s JOIN flights f ON f.id = s.flight_id
                          WHERE s.booking_id = b.id AND s.state = 'active'
                            AND (f.status = 'cancelled'
                                 OR f.status <> 'landed' AND f.arrives_at >= now() - interval '6 hours'))
          AND NOT EXISTS (SELECT FROM airline_changes a WHERE a.booking_id = b.id AND a.state = 'open')
        ORDER BY b.id LIMIT :most
        """,
        most=most,
    )


async def landed(session: Session) -> list[int]:
    """Flights that have landed, or should have some hours ago, with coupons of people who were on them."""
    found = await rows(
        session,
        f"""
        SELECT f.id FROM flights f
        WHERE {_ARRIVED} AND EXISTS (SELECT FROM coupons c WHERE c.flight_id = f.id AND c.status IN ('C', 'L'))
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


async def copy_services(session: Session, booking_id: int, left: int, entered: int) -> None:
    """Ask on the flight that takes another one's place for what was asked for on that one."""
    await rows(
        session,
        """
        INSERT INTO booking_services (booking_id, position, code, flight_id, text)
        SELECT booking_id, position, code, CAST(:entered AS bigint), text FROM booking_services
        WHERE booking_id = :booking_id AND flight_id = :left
        ON CONFLICT DO NOTHING
        """,
        booking_id=booking_id,
        left=left,
        entered=entered,
    )


async def owners(session: Session, pnrs: list[str]) -> list[Row]:
    """Whose bookings these are: `pnr`, `user_id`."""
    return await rows(
        session,
        "SELECT pnr, user_id FROM bookings WHERE pnr = ANY(CAST(:pnrs AS text[]))",
        pnrs=pnrs,
    )


async def concerned(session: Session, flights: list[tuple[str, str, date, str]]) -> list[Row]:
    """Who has a live booking on these flights, with its `pnr`, and who follows them, without one.

    Flights are told by carrier, number, departure date and origin.
    """
    carriers, numbers, dates, origins = zip(*flights, strict=True)
    return await rows(
        session,
        """
        WITH wanted AS (
            SELECT f.id, f.carrier, f.number, f.departure_date, f.origin
            FROM unnest(CAST(:carriers AS text[]), CAST(:numbers AS text[]), CAST(:dates AS date[]),
                        CAST(:origins AS text[])) AS w(carrier, number, departure_date, origin)
            JOIN flights f USING (carrier, number, departure_date, origin))
        SELECT w.carrier, w.number, w.departure_date, w.origin, b.user_id, b.pnr
        FROM wanted w JOIN booking_segments s ON s.flight_id = w.id AND s.state = 'active'
        JOIN bookings b ON b.id = s.booking_id AND b.status IN ('held', 'confirmed')
        UNION
        SELECT w.carrier, w.number, w.departure_date, w.origin, l.user_id, NULL
        FROM wanted w JOIN flight_follows l ON l.flight_id = w.id
        """,
        carriers=list(carriers),
        numbers=list(numbers),
        dates=list(dates),
        origins=list(origins),
    )


# Of each watched booking its subjects: itself and the flights that it is on, with the last event that was told, and
# the last that there is. A flight that came to the booking later is told of from the moment at which it came; what
# was being told just then may have begun a little earlier, and waited for its turn.
_SUBJECTS = """
    WITH watched AS (
        SELECT w.n, w.sequence, w.flights, b.id, b.pnr, b.status, b.sequence AS latest
        FROM jsonb_to_recordset(CAST(:watched AS jsonb)) AS w(n int, pnr text, sequence int, flights jsonb)
        JOIN bookings b ON b.pnr = w.pnr),
    flying AS (
        SELECT DISTINCT w.n, f.event_sequence AS latest,
               f.carrier || f.number || to_char(f.departure_date, '-YYYYMMDD-') || f.origin AS subject
        FROM watched w JOIN booking_segments s ON s.booking_id = w.id AND s.state = 'active'
        JOIN flights f ON f.id = s.flight_id
        WHERE w.status NOT IN ('expired', 'cancelled')),
    subjects AS (
        SELECT n, CAST(pnr AS text) AS subject, sequence AS after, latest, false AS flies FROM watched
        UNION ALL
        SELECT n, f.subject, coalesce(
                   CAST(w.flights->>f.subject AS int),
                   (SELECT min(o.sequence) - 1 FROM outbox came
                    JOIN outbox o ON o.subject = f.subject AND o.created_at > came.created_at - interval '5 seconds'
                    WHERE came.subject = w.pnr AND came.sequence = w.sequence + 1),
                   f.latest), f.latest, true
        FROM flying f JOIN watched w USING (n))
"""


async def standing(session: Session, watched: Row) -> Row:
    """A booking as it stands: `status`, `sequence` and `flights`, each with the number of its last event.

    `kept` says whether everything is there that followed what was told of it before.
    """
    found = await rows(
        session,
        _SUBJECTS
        + """
        SELECT (SELECT status FROM watched) AS status, max(latest) FILTER (WHERE NOT flies) AS sequence,
               coalesce(jsonb_object_agg(subject, latest) FILTER (WHERE flies), '{}') AS flights,
               bool_and(after = latest OR EXISTS (
                   SELECT FROM outbox o WHERE o.subject = s.subject AND o.sequence = s.after + 1)) AS kept
        FROM subjects s
        """,
        watched=orjson.dumps([{"n": 0, **watched}]).decode(),
    )
    return found[0]


async def news(session: Session, watched: list[Row], most: int) -> list[Row]:
    """What has happened to bookings and their flights since the events that were told last, in the order of writing.

    At most so many events of each booking, numbered `n` by its place in the list; `flights` are those that it is on
    now, with the numbers from which they are told of. One snapshot sees all, and in it each subject's events are
    complete up to the last: they are numbered under the lock of the booking's row, or the flight's.
    """
    return await rows(
        session,
        _SUBJECTS
        + """
        SELECT w.n, w.flights, e.*
        FROM (SELECT n, coalesce(jsonb_object_agg(subject, after) FILTER (WHERE flies), '{}') AS flights
              FROM subjects GROUP BY n HAVING bool_or(latest > after)) w
        CROSS JOIN LATERAL (
            SELECT o.id, o.event_id, o.type, o.subject, o.sequence, o.data, o.created_at
            FROM subjects s JOIN outbox o ON o.subject = s.subject AND o.sequence > s.after
            WHERE s.n = w.n AND s.latest > s.after AND o.type NOT LIKE 'guest.%'
            ORDER BY o.id LIMIT :most) e
        ORDER BY w.n, e.id
        """,
        watched=orjson.dumps([{"n": n, **one} for n, one in enumerate(watched)]).decode(),
        most=most,
    )
