"""Every question to the flights and the changes of their schedules."""

from datetime import date, datetime, timedelta
from typing import Any

import orjson

from app.core.db import Row, Session, rows

IDENTITY = ("carrier", "number", "departure_date", "origin")
_BATCH = 500
_FEW = 5
# Number, date and origin: where one is among a carrier's flights.
Place = tuple[str, date, str]
_TELLING = 7_002  # Advisory lock: one worker at a time tells bookings of changes.


def identity(flight: Row) -> tuple[Any, ...]:
    """What makes a flight that flight."""
    return tuple(flight[name] for name in IDENTITY)


async def locked(session: Session, identities: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
    """The flights of these identities that are known, locked in one order, by identity.

    `|| ''` leaves only the identity's own index to look them up in: before the table is first analysed, the
    planner believes as gladly in the market's, and then reads every departure of an airport for each flight.
    """
    carriers, numbers, days, origins = zip(*identities, strict=True) if identities else ((), (), (), ())
    found = await rows(
        session,
        """
        SELECT f.* FROM flights f
        WHERE (f.carrier, f.number, f.departure_date, f.origin || '') IN (
            SELECT * FROM unnest(CAST(:carriers AS text[]), CAST(:numbers AS text[]), CAST(:days AS date[]),
                                 CAST(:origins AS text[])))
        ORDER BY f.carrier, f.number, f.departure_date, f.origin
        FOR UPDATE
        """,
        carriers=list(carriers),
        numbers=list(numbers),
        days=list(days),
        origins=list(origins),
    )
    return {identity(flight): flight for flight in found}


async def locked_by_id(session: Session, ids: list[int]) -> list[Row]:
    return await rows(
        session,
        """
        SELECT * FROM flights WHERE id = ANY(CAST(:ids AS bigint[]))
        ORDER BY carrier, number, departure_date, origin FOR UPDATE
        """,
        ids=ids,
    )


async def upsert(session: Session, flights: list[Row]) -> None:
    """Store flights. What was known of them has been merged in; locks are taken in one order.

    They travel as one value: a statement with a parameter for each column of each flight costs several times
    what storing them does.
    """
    flights.sort(key=identity)
    for start in range(0, len(flights), _BATCH):
        names = list(flights[start])
        changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in IDENTITY)
        await rows(
            session,
            f"""
            INSERT INTO flights ({", ".join(names)})
            SELECT {", ".join(names)} FROM json_populate_recordset(NULL::flights, CAST(:flights AS json))
            ON CONFLICT ({", ".join(IDENTITY)}) DO UPDATE SET {changed}, missed = 0
            """,
            flights=orjson.dumps(flights[start : start + _BATCH]).decode(),
        )


async def add_changes(session: Session, changes: list[Row]) -> None:
    """Keep changes of schedules for the bookings that they touch: `flight_id`, `materiality`, before, after."""
    if changes:
        await rows(
            session,
            """
            INSERT INTO flight_changes (flight_id, materiality, before, after)
            SELECT * FROM jsonb_to_recordset(CAST(:changes AS jsonb))
                AS c(flight_id bigint, materiality text, before jsonb, after jsonb)
            """,
            changes=orjson.dumps(changes).decode(),
        )


async def waiting_changes(session: Session, most: int) -> list[Row]:
    """Changes that no booking has been told of yet, oldest first; none while another worker tells of them.

    One worker at a time, so that bookings hear of changes in the order in which they came.
    """
    [turn] = await rows(session, "SELECT pg_try_advisory_xact_lock(:lock) AS taken", lock=_TELLING)
    if not turn["taken"]:
        return []
    return await rows(
        session,
        """
        SELECT c.*, f.carrier, f.number, f.departure_date, f.origin, f.destination
        FROM flight_changes c JOIN flights f ON f.id = c.flight_id
        WHERE c.applied_at IS NULL ORDER BY c.id LIMIT :most FOR UPDATE OF c
        """,
        most=most,
    )


async def first_untold(session: Session, change: Row) -> Row | None:
    """The first of the minor changes since somebody was last told of this flight, up to a change."""
    found = await rows(
        session,
        """
        SELECT before FROM flight_changes
        WHERE flight_id = :flight_id AND id < :id AND materiality = 'minor' AND id > coalesce((
            SELECT max(id) FROM flight_changes
            WHERE flight_id = :flight_id AND id < :id AND materiality <> 'minor'), 0)
        ORDER BY id LIMIT 1
        """,
        flight_id=change["flight_id"],
        id=change["id"],
    )
    return found[0] if found else None


async def change_applied(session: Session, change: Row) -> None:
    """It has been dealt with, as a change of this class."""
    await rows(
        session,
        "UPDATE flight_changes SET applied_at = now(), materiality = :materiality WHERE id = :id",
        materiality=change["materiality"],
        id=change["id"],
    )


async def unseen(session: Session, airport: str, day: date, since: datetime) -> list[Row]:
    """Count a miss for each flight that a complete board did not list; gives those that were counted.

    Rows drift between pages, so one miss proves nothing; a projection is refuted at once. Where more than half
    of a board is missing, and not just a few, the board is doubted and not the flights.
    """
    return await rows(
        session,
        """
        WITH board AS (
            SELECT count(*) AS flights, count(*) FILTER (WHERE observed_at < :since) AS missing FROM flights
            WHERE origin = :airport AND departure_date = :day
              AND schedule_source NOT IN ('import', 'projection') AND missed < 2)
        UPDATE flights SET missed = CASE WHEN schedule_source = 'projection' THEN 2 ELSE missed + 1 END
        FROM board
        WHERE origin = :airport AND departure_date = :day AND observed_at < :since
          AND schedule_source <> 'import' AND missed < 2
          AND (schedule_source = 'projection' OR board.missing <= greatest(:few, board.flights / 2))
        RETURNING id, missed, departs_at, arrives_at
        """,
        airport=airport,
        day=day,
        since=since,
        few=_FEW,
    )


async def imported(
    session: Session, carrier: str, first: date, last: date, in_utc: bool, after: Place, most: int
) -> list[Row]:
    """A carrier's flights from operators' files that are still to leave between two dates, slice by slice.

    A later leg of an itinerary that began on the day before belongs to the schedule that ended then.
    """
    day = "CAST(f.departs_at AT TIME ZONE 'UTC' AS date)" if in_utc else "f.departure_date"
    return await rows(
        session,
        f"""
        SELECT f.id, f.carrier, f.number, f.origin, f.departure_date FROM flights f
        WHERE f.carrier = :carrier AND f.schedule_source = 'import' AND f.missed < 2 AND f.departs_at > now()
          AND {day} BETWEEN CAST(:first AS date) AND CAST(:last AS date)
          AND (f.number, f.departure_date, f.origin) > (:number, CAST(:date AS date), :origin)
          AND NOT ({day} = CAST(:first AS date) AND EXISTS (
              SELECT FROM flights b WHERE b.carrier = f.carrier AND b.number = f.number
                AND b.departure_date = f.departure_date - 1 AND b.destination = f.origin))
        ORDER BY f.carrier, f.number, f.departure_date, f.origin LIMIT :most
        """,
        carrier=carrier,
        first=first,
        last=last,
        number=after[0],
        date=after[1],
        origin=after[2],
        most=most,
    )


async def end(session: Session, ids: list[int]) -> list[Row]:
    """Take these flights for gone; gives those that had not been."""
    return await rows(
        session,
        """
        UPDATE flights SET missed = 2 WHERE id IN (
            SELECT id FROM flights WHERE id = ANY(CAST(:ids AS bigint[])) AND missed < 2
            ORDER BY carrier, number, departure_date, origin FOR UPDATE)
        RETURNING id, departs_at, arrives_at
        """,
        ids=ids,
    )


async def add_codeshare(session: Session, ids: list[int], designator: str) -> None:
    await rows(
        session,
        """
        UPDATE flights SET codeshares = (
            SELECT array_agg(one ORDER BY one) FROM unnest(array_append(codeshares, CAST(:designator AS varchar))) one)
        WHERE id = ANY(CAST(:ids AS bigint[]))
        """,
        ids=ids,
        designator=designator,
    )


async def published(session: Session, airport: str, day: date) -> list[Row]:
    """The flights of a board that somebody published for that day."""
    return await rows(
        session,
        """
        SELECT f.*, a.name AS airline_name, a.icao AS airline_icao
        FROM flights f LEFT JOIN airlines a ON a.iata = f.carrier
        WHERE f.origin = :airport AND f.departure_date = :day AND f.schedule_source <> 'projection' AND f.missed < 2
        """,
        airport=airport,
        day=day,
    )


async def newest(session: Session, airport: str, day: date) -> Row | None:
    """Who vouches for what is stored of a board, and since when; None if nothing is."""
    found = await rows(
        session,
        """
        SELECT schedule_source, observed_at FROM flights
        WHERE origin = :airport AND departure_date = :day AND missed < 2
        ORDER BY observed_at DESC LIMIT 1
        """,
        airport=airport,
        day=day,
    )
    return found[0] if found else None


async def by_identity(session: Session, carrier: str, number: str, day: date, origin: str) -> Row | None:
    found = await rows(
        session,
        """
        SELECT f.*, a.name AS airline_name, a.icao AS airline_icao
        FROM flights f LEFT JOIN airlines a ON a.iata = f.carrier
        WHERE f.carrier = :carrier AND f.number = :number AND f.departure_date = :day AND f.origin = :origin
        """,
        carrier=carrier,
        number=number,
        day=day,
        origin=origin,
    )
    return found[0] if found else None


async def due_for_a_look(
    session: Session, ids: list[int], most: int, lease: timedelta, *, now: bool = False
) -> list[Row]:
    """Those of these flights whose next look is due, taken for a while so that nobody else looks too.

    With `now`, a look that is planned for later is made now; one under way is left to who makes it.
    """
    return await rows(
        session,
        """
        UPDATE flights SET next_look_at = now() + make_interval(secs => :lease)
        WHERE id IN (
            SELECT id FROM flights
            WHERE id = ANY(CAST(:ids AS bigint[])) AND (
                coalesce(next_look_at <= now(), true)
                OR CAST(:at_once AS boolean) AND next_look_at > now() + make_interval(secs => :lease))
            ORDER BY next_look_at NULLS FIRST LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING id, carrier, number, departure_date, origin, destination, departs_at, arrives_at, status,
                  departure_estimated_at, arrival_estimated_at, observed_at, pending
        """,
        ids=ids,
        most=most,
        lease=lease.total_seconds(),
        at_once=now,
    )


async def look_again(session: Session, flight_id: int, at: datetime) -> None:
    await rows(session, "UPDATE flights SET next_look_at = :at WHERE id = :id", at=at, id=flight_id)


async def announced(session: Session, flight: Row) -> None:
    """Keep what was just told of a flight, and what awaits a second look."""
    await rows(
        session,
        """
        UPDATE flights SET announced_status = :announced_status, announced_delay_minutes = :announced_delay_minutes,
            announced_gate = :announced_gate, pending = :pending, event_sequence = :event_sequence
        WHERE id = :id
        """,
        **{
            name: flight[name]
            for name in (
                "id",
                "announced_status",
                "announced_delay_minutes",
                "announced_gate",
                "pending",
                "event_sequence",
            )
        },
    )


async def purge(session: Session) -> None:
    """Forget when boards of past days were fetched, and how the schedules of flights changed that have long flown.

    Whoever searches looks back some weeks to know on which weekdays a route is flown.
    """
    await rows(session, "DELETE FROM schedule_boards WHERE local_date < current_date - 100")
    await rows(
        session,
        """
        DELETE FROM flight_changes c USING flights f
        WHERE f.id = c.flight_id AND c.applied_at < now() - interval '90 days'
          AND f.departs_at < now() - interval '90 days'
        """,
    )


# Whatever says that somebody once had to do with a flight; the books lead to it.
_REFERRING = (
    *("seat_claims", "seat_assignments", "booking_segments", "booking_trips", "booking_extras"),
    *("booking_services", "coupons", "check_in_counters", "airline_changes"),
)


async def drop_unbooked(session: Session, day: date, most: int) -> int:
    """Drop flights of a date that nobody ever held a seat on, with all that is known of them; returns how many."""
    nobody = " AND ".join(f"NOT EXISTS (SELECT FROM {table} WHERE flight_id = f.id)" for table in _REFERRING)
    gone = await rows(
        session,
        f"""
        WITH gone AS (
            SELECT f.id FROM flights f WHERE f.departure_date = :day AND {nobody}
            LIMIT :most FOR UPDATE SKIP LOCKED),
        changes AS (DELETE FROM flight_changes WHERE flight_id IN (SELECT id FROM gone)),
        follows AS (DELETE FROM flight_follows WHERE flight_id IN (SELECT id FROM gone)),
        seats AS (DELETE FROM inventory WHERE flight_id IN (SELECT id FROM gone))
        DELETE FROM flights WHERE id IN (SELECT id FROM gone) RETURNING id
        """,
        day=day,
        most=most,
    )
    return len(gone)
