"""Every question to the boards: what is known of an airport's departures on a day, and who fetches it."""

import uuid
from datetime import date, datetime, timedelta

from app.core.db import Row, Session, rows

Board = tuple[str, date]

# Pages that lie further apart are not one board.
_LONGEST_PASS = timedelta(hours=1)


async def known(session: Session, wanted: list[Board]) -> dict[Board, Row]:
    """Boards by airport and date, each with `fresh` and `waiting` (a failure not to be repeated yet).

    `partial` is a board of which some pages are stored and others still to come.
    """
    found = await rows(
        session,
        """
        SELECT airport, local_date, coalesce(fetched_at, pass_started_at) AS fetched_at, flights, failure, failed_at,
               source, fetched_at IS NOT NULL AS complete, fetched_at IS NULL AND next_offset > 0 AS partial,
               coalesce(wanted_at > fetched_at, fetched_at IS NULL) AS wanted,
               coalesce(fresh_until > now(), false) AS fresh, coalesce(retry_at > now(), false) AS waiting,
               CAST(extract(epoch FROM retry_at - now()) AS float) AS wait_seconds
        FROM schedule_boards
        WHERE (airport, local_date) IN (
            SELECT * FROM unnest(CAST(:airports AS text[]), CAST(:dates AS date[])))
        """,
        **_columns(wanted),
    )
    return {(row["airport"], row["local_date"]): row for row in found}


async def want(session: Session, boards: list[Board]) -> None:
    """Somebody needs these boards: they are worth keeping fresh."""
    await rows(
        session,
        """
        UPDATE schedule_boards SET wanted_at = now()
        WHERE (airport, local_date) IN (
            SELECT * FROM unnest(CAST(:airports AS text[]), CAST(:dates AS date[])))
        """,
        **_columns(boards),
    )


async def ageing(session: Session, most: int) -> list[Board]:
    """Boards that were needed since they were last fetched, and are old or about to be."""
    found = await rows(
        session,
        """
        SELECT airport, local_date FROM schedule_boards
        WHERE wanted_at > fetched_at AND fresh_until < now() + interval '2 minutes'
          AND local_date >= CAST(now() AT TIME ZONE 'UTC' AS date) - 1
          AND coalesce(retry_at <= now(), true) AND coalesce(lease_until <= now(), true)
        ORDER BY wanted_at DESC LIMIT :most
        """,
        most=most,
    )
    return [(row["airport"], row["local_date"]) for row in found]


async def interrupted(session: Session, most: int) -> list[Board]:
    """Boards whose first fetch stopped between two pages."""
    found = await rows(
        session,
        """
        SELECT airport, local_date FROM schedule_boards
        WHERE fetched_at IS NULL AND next_offset > 0 AND created_at > now() - interval '1 day'
          AND coalesce(retry_at <= now(), true) AND coalesce(lease_until <= now(), true)
        ORDER BY retry_at LIMIT :most
        """,
        most=most,
    )
    return [(row["airport"], row["local_date"]) for row in found]


async def lease(
    session: Session, airport: str, day: date, token: uuid.UUID, seconds: int, early: timedelta
) -> Row | None:
    """Where the caller may begin to fetch this board, or None if it is fresh, leased or failed just now.

    An interrupted fetch goes on where it stopped, unless its first pages have become old.
    """
    taken = await rows(
        session,
        """
        INSERT INTO schedule_boards AS board (airport, local_date, lease_token, lease_until, pass_started_at)
        VALUES (:airport, :day, :token, now() + make_interval(secs => :seconds), now())
        ON CONFLICT (airport, local_date) DO UPDATE
            SET lease_token = excluded.lease_token, lease_until = excluded.lease_until,
                pass_started_at = CASE
                    WHEN board.next_offset > 0 AND board.pass_started_at > now() - make_interval(secs => :longest)
                    THEN board.pass_started_at ELSE now() END
            WHERE coalesce(board.lease_until <= now(), true)
              AND coalesce(board.retry_at <= now(), true)
              AND coalesce(board.fresh_until <= now() + make_interval(secs => :early), true)
        RETURNING CASE WHEN pass_started_at = now() THEN 0 ELSE next_offset END AS next_offset,
                  pass_started_at, fetched_at IS NOT NULL AND coalesce(source, '') <> 'projection' AS published
        """,
        airport=airport,
        day=day,
        token=token,
        seconds=float(seconds),
        early=early.total_seconds(),
        longest=_LONGEST_PASS.total_seconds(),
    )
    return taken[0] if taken else None


async def page_kept(session: Session, token: uuid.UUID, next_offset: int, seconds: int) -> bool:
    """Note how far the fetch has come; false if the lease was lost to another process."""
    done = await rows(
        session,
        """
        UPDATE schedule_boards
        SET next_offset = :next_offset, lease_until = now() + make_interval(secs => :seconds)
        WHERE lease_token = :token
        RETURNING 1
        """,
        token=token,
        next_offset=next_offset,
        seconds=float(seconds),
    )
    return bool(done)


async def fetched(
    session: Session,
    token: uuid.UUID,
    flights: int,
    fresh_for: timedelta,
    source: str,
    as_of: datetime | None,
) -> bool:
    """Whether the lease still stood, so that a process that was asleep overwrites nothing newer."""
    done = await rows(
        session,
        """
        UPDATE schedule_boards
        SET fetched_at = coalesce(CAST(:as_of AS timestamptz), now()),
            fresh_until = now() + make_interval(secs => :seconds), flights = :flights, source = :source,
            failure = NULL, retry_at = NULL, lease_token = NULL, lease_until = NULL, next_offset = 0
        WHERE lease_token = :token
        RETURNING 1
        """,
        token=token,
        flights=flights,
        source=source,
        as_of=as_of,
        seconds=fresh_for.total_seconds(),
    )
    return bool(done)


async def failed(session: Session, token: uuid.UUID, failure: str, retry_after_seconds: float) -> None:
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


async def usual_departures(session: Session, airport: str) -> float:
    """Departures a day on the boards that are known of this airport; 0 if there are none."""
    found = await rows(
        session,
        """
        SELECT coalesce(avg(flights), 0)::float AS usual FROM schedule_boards
        WHERE airport = :airport AND fetched_at IS NOT NULL
        """,
        airport=airport,
    )
    return float(found[0]["usual"])


async def same_weekday(session: Session, airport: str, day: date, within: timedelta) -> Row | None:
    """The nearest known board of the same weekday whose flights somebody really published."""
    found = await rows(
        session,
        """
        SELECT local_date, fetched_at FROM schedule_boards
        WHERE airport = :airport AND fetched_at IS NOT NULL AND coalesce(source, '') <> 'projection'
          AND flights > 0 AND local_date <> :day
          AND extract(isodow FROM local_date) = extract(isodow FROM CAST(:day AS date))
          AND local_date BETWEEN CAST(:first AS date) AND CAST(:last AS date)
        ORDER BY abs(local_date - CAST(:day AS date)), local_date DESC LIMIT 1
        """,
        airport=airport,
        day=day,
        first=day - within,
        last=day + within,
    )
    return found[0] if found else None


def _columns(boards: list[Board]) -> Row:
    return {"airports": [airport for airport, _ in boards], "dates": [day for _, day in boards]}
