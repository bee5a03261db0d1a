"""The one place that reads the machine's clock, so that a test can move it.

Instants are always aware and in UTC. Holds expire by the database's clock, not by this one.
"""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def rfc3339(instant: datetime) -> str:
    """An instant as `2026-12-01T08:00:00Z`, for audit times; fractions of a second are dropped."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
