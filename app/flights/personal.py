"""Which flights somebody follows, and how that is forgotten."""

import uuid

from app.core.db import Row, Session, rows


async def told(session: Session, user_id: uuid.UUID) -> Row:
    return {
        "followed_flights": await rows(
            session,
            """
            SELECT f.carrier || f.number AS flight_number, f.departure_date, f.origin, f.destination, l.created_at
            FROM flight_follows l JOIN flights f ON f.id = l.flight_id
            WHERE l.user_id = :user_id ORDER BY l.created_at
            """,
            user_id=user_id,
        )
    }


async def erase(session: Session, user_id: uuid.UUID) -> None:
    await rows(session, "DELETE FROM flight_follows WHERE user_id = :user_id", user_id=user_id)
