"""When passengers can check in: from a day before departure until an hour before it."""

from datetime import UTC, datetime, timedelta

from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row
from app.tickets.errors import CheckInClosed, CheckInNotOpen


def check_in_window(flight: Row, now: datetime) -> tuple[datetime, datetime]:
    """When check-in for the flight opens and closes, if it is open. Raises CheckInNotOpen, CheckInClosed.

    Hours are counted on the line of instants: a night in which clocks change is no longer and no shorter.
    """
    departs_at = flight["departs_at"].astimezone(UTC)
    opens_at = departs_at - timedelta(hours=settings().check_in_opens_hours)
    closes_at = departs_at - timedelta(minutes=settings().check_in_closes_minutes)
    if now < opens_at:
        raise CheckInNotOpen(f"Check-in opens at {rfc3339(opens_at)}.", opens_at=rfc3339(opens_at))
    if now >= closes_at:
        raise CheckInClosed(f"Check-in closed at {rfc3339(closes_at)}.", closed_at=rfc3339(closes_at))
    return opens_at, closes_at
