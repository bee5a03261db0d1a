"""What was sent to somebody and where to, what they want to hear, and how that is forgotten."""

import uuid

from app.core.db import Row, Session, rows

# To the account, or to the contact of one of its bookings.
_MAILS_OF = """
    FROM emails m WHERE m.id IN (
        SELECT id FROM emails WHERE user_id = :user_id
        UNION ALL
        SELECT e.id FROM bookings b JOIN emails e ON e.data->>'pnr' = b.pnr WHERE b.user_id = :user_id)
"""


async def told(session: Session, user_id: uuid.UUID) -> Row:
    """A device's token lets whoever has it write to its screen, so it is not among this."""
    return {
        "devices": await rows(
            session,
            """
            SELECT id, platform, name, locale, time_zone, created_at, seen_at
            FROM devices WHERE user_id = :user_id ORDER BY created_at
            """,
            user_id=user_id,
        ),
        "preferences": await rows(
            session,
            """
            SELECT bookings_push, flight_alerts_push, flight_alerts_email, quiet_from, quiet_to, time_zone, updated_at
            FROM notification_preferences WHERE user_id = :user_id
            """,
            user_id=user_id,
        ),
        "mails": await rows(
            session,
            f"SELECT m.kind, m.recipient, m.locale, m.data, m.state, m.created_at, m.sent_at {_MAILS_OF} ORDER BY m.id",
            user_id=user_id,
        ),
        "pushes": await rows(
            session,
            """
            SELECT p.device_id, p.kind, p.data, p.state, p.created_at, p.sent_at
            FROM pushes p JOIN devices d ON d.id = p.device_id WHERE d.user_id = :user_id ORDER BY p.id
            """,
            user_id=user_id,
        ),
    }


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """Pushes go with their devices. What waits to be sent is sent no more."""
    await rows(session, f"DELETE {_MAILS_OF}", user_id=user_id)
    for table in ("devices", "notification_preferences"):
        await rows(session, f"DELETE FROM {table} WHERE user_id = :user_id", user_id=user_id)
