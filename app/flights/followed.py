"""Every question to followed flights."""

import uuid
from datetime import date, datetime, timedelta

from app.core.db import Row, Session, rows

# Some hours after a flight should have landed nothing more is told of it.
_AHEAD = "f.arrives_at > now() - interval '6 hours' AND f.status NOT IN ('landed', 'cancelled')"


async def follow(session: Session, user_id: uuid.UUID, flight_id: int) -> tuple[datetime, bool]:
    """Since when somebody follows a flight, and whether that is new."""
    [followed] = await rows(
        session,
        """
        INSERT INTO flight_follows AS l (user_id, flight_id) VALUES (:user_id, :flight_id)
        ON CONFLICT (user_id, flight_id) DO UPDATE SET created_at = l.created_at
        RETURNING created_at, xmax = 0 AS is_new
        """,
        user_id=user_id,
        flight_id=flight_id,
    )
    return followed["created_at"], followed["is_new"]


async def unfollow(session: Session, user_id: uuid.UUID, flight_id: int) -> None:
    await rows(
        session,
        "DELETE FROM flight_follows WHERE user_id = :user_id AND flight_id = :flight_id",
        user_id=user_id,
        flight_id=flight_id,
    )


async def ahead(session: Session, user_id: uuid.UUID) -> int:
    """How many flights somebody follows that are not over."""
    [found] = await rows(
        session,
        f"""
        SELECT count(*) AS flights FROM flight_follows l JOIN flights f ON f.id = l.flight_id
        WHERE l.user_id = :user_id AND {_AHEAD}
        """,
        user_id=user_id,
    )
    return int(found["flights"])


async def since(session: Session, user_id: uuid.UUID, flight_id: int) -> datetime | None:
    """When somebody began to follow a flight; None if they do not."""
    found = await rows(
        session,
        "SELECT created_at FROM flight_follows WHERE user_id = :user_id AND flight_id = :flight_id",
        user_id=user_id,
        flight_id=flight_id,
    )
    return found[0]["created_at"] if found else None


async def of_user(
    session: Session, user_id: uuid.UUID, before: tuple[datetime, int] | None, size: int
) -> list[Row]:
    """What somebody follows, the latest first, from a place in that order on."""
    at, flight_id = before or (None, None)
    return await rows(
        session,
        f"""
        {_LISTED}
        WHERE l.user_id = :user_id AND (CAST(:at AS timestamptz) IS NULL
            OR (l.created_at, l.flight_id) < (CAST(:at AS timestamptz), CAST(:flight_id AS bigint)))
        ORDER BY l.created_at DESC, l.flight_id DESC LIMIT :size
        """,
        user_id=user_id,
        at=at,
        flight_id=flight_id,
        size=size,
    )


async def between(session: Session, before: timedelta, after: timedelta) -> list[int]:
    """The followed flights that leave soon or have arrived a short while ago."""
    found = await rows(
        session,
        """
        SELECT DISTINCT f.id FROM flights f JOIN flight_follows l ON l.flight_id = f.id
        WHERE f.departs_at < now() + make_interval(secs => :before)
          AND f.arrives_at > now() - make_interval(secs => :after)
        """,
        before=before.total_seconds(),
        after=after.total_seconds(),
    )
    return [row["id"] for row in found]


async def boards(session: Session) -> list[tuple[str, date]]:
    """Origin and local date of the followed flights that are still to leave."""
    found = await rows(
        session,
        """
        SELECT DISTINCT f.origin, f.departure_date FROM flights f JOIN flight_follows l ON l.flight_id = f.id
        WHERE f.departs_at > now()
        """,
    )
    return [(row["origin"], row["departure_date"]) for row in found]


_LISTED = """
    SELECT f.*, a.name AS airline_name, a.icao AS airline_icao, l.created_at AS followed_at
    FROM flight_follows l JOIN flights f ON f.id = l.flight_id LEFT JOIN airlines a ON a.iata = f.carrier
"""
