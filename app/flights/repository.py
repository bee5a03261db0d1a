"""Every question to the flights and their boards."""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Row, Session, rows
from app.flights.models import Flight, ScheduleBoard

_IDENTITY = ["carrier", "number", "departure_date", "origin"]
# What a later, poorer source must not erase: a future schedule knows no gates.
_KEPT_WHEN_NULL = {
    "aircraft_type",
    "aircraft_registration",
    "aircraft_icao24",
    "departure_terminal",
    "arrival_terminal",
}


async def boards(session: Session, wanted: list[tuple[str, date]]) -> dict[tuple[str, date], Row]:
    """Boards by airport and date, each with `fresh` and `waiting` (a failure not to be repeated yet)."""
    found = await rows(
        session,
        """
        SELECT airport, local_date, fetched_at, flights, failure, failed_at,
               coalesce(fresh_until > now(), false) AS fresh, coalesce(retry_at > now(), false) AS waiting
        FROM schedule_boards
        WHERE (airport, local_date) IN (
            SELECT * FROM unnest(CAST(:airports AS text[]), CAST(:dates AS date[])))
        """,
        airports=[airport for airport, _ in wanted],
        dates=[day for _, day in wanted],
    )
    return {(row["airport"], row["local_date"]): row for row in found}


async def lease(session: Session, airport: str, day: date, token: uuid.UUID, seconds: int) -> bool:
    """Whether the caller may fetch this board now; false if it is fresh, leased or failed a moment ago."""
    taken = await rows(
        session,
        """
        INSERT INTO schedule_boards AS board (airport, local_date, lease_token, lease_until)
        VALUES (:airport, :day, :token, now() + make_interval(secs => :seconds))
        ON CONFLICT (airport, local_date) DO UPDATE
            SET lease_token = excluded.lease_token, lease_until = excluded.lease_until
            WHERE coalesce(board.lease_until <= now(), true)
              AND coalesce(board.retry_at <= now(), true)
              AND coalesce(board.fresh_until <= now(), true)
        RETURNING 1
        """,
        airport=airport,
        day=day,
        token=token,
        seconds=float(seconds),
    )
    return bool(taken)


async def board_fetched(session: Session, token: uuid.UUID, flights: int, fresh_for: timedelta) -> bool:
    """Whether the lease still stood, so that a process that was asleep overwrites nothing newer."""
    done = await rows(
        session,
        """
        UPDATE schedule_boards
        SET fetched_at = now(), fresh_until = now() + make_interval(secs => :seconds), flights = :flights,
            failure = NULL, retry_at = NULL, lease_token = NULL, lease_until = NULL
        WHERE lease_token = :token
        RETURNING 1
        """,
        token=token,
        flights=flights,
        seconds=fresh_for.total_seconds(),
    )
    return bool(done)


async def board_failed(session: Session, token: uuid.UUID, failure: str, retry_after_seconds: int) -> None:
    await rows(
        session,
        """
        UPDATE schedule_boards
        SET failed_at = now(), failure = :failure, retry_at = now() + make_interval(secs => :seconds),
            lease_token = NULL, lease_until = NULL
        WHERE lease_token = :token
        """,
        token=token,
        failure=failure,
        seconds=float(retry_after_seconds),
    )


async def usually_busy(session: Session, airport: str) -> bool:
    """Whether this airport had departures on any day we know."""
    busy = select(ScheduleBoard.airport).where(ScheduleBoard.airport == airport, ScheduleBoard.flights > 0)
    return await session.scalar(select(busy.exists())) or False


async def upsert(session: Session, flights: list[Row]) -> None:
    """Store flights, replacing what was known of the same flight. Locks are taken in one order."""
    if not flights:
        return
    flights.sort(key=lambda flight: tuple(flight[column] for column in _IDENTITY))
    statement = insert(Flight)
    changed = {
        name: func.coalesce(statement.excluded[name], Flight.__table__.c[name])
        if name in _KEPT_WHEN_NULL
        else statement.excluded[name]
        for name in flights[0]
        if name not in _IDENTITY
    }
    for start in range(0, len(flights), 500):
        batch = statement.values(flights[start : start + 500])
        await session.execute(batch.on_conflict_do_update(index_elements=_IDENTITY, set_=changed))


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


async def last_outcomes(session: Session) -> tuple[datetime | None, datetime | None]:
    """When the provider last answered and last failed."""
    found = await session.execute(
        select(func.max(ScheduleBoard.fetched_at), func.max(ScheduleBoard.failed_at))
    )
    answered_at, failed_at = found.one()
    return answered_at, failed_at
