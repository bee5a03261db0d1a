"""What payments know of who paid, and how that is forgotten. The amounts stay: the law wants them kept."""

import uuid

from app.core.db import Session, rows


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """The card's brand and last digits go, and the processor's name for it."""
    await rows(
        session,
        """
        UPDATE payments SET payment_method = 'erased', brand = NULL, last4 = NULL
        WHERE booking_id IN (SELECT id FROM bookings WHERE user_id = :user_id)
        """,
        user_id=user_id,
    )
