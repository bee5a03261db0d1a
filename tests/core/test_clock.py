"""Instants are aware, in UTC, and written in one way."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.core import clock


def test_now_is_aware_and_in_utc() -> None:
    """A naive instant would be compared with the wrong ones."""
    before = datetime.now(UTC)

    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 12, 1, 8, tzinfo=UTC), "2026-12-01T08:00:00Z"),
        (datetime(2026, 12, 1, 8, 0, 0, 999_999, tzinfo=UTC), "2026-12-01T08:00:00Z"),
        (datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))), "2026-11-30T19:15:00Z"),
        (datetime(2026, 12, 31, 23, tzinfo=timezone(timedelta(hours=-10))), "2027-01-01T09:00:00Z"),
    ],
)
def test_an_audit_time_is_written_in_utc_with_z(instant: datetime, text: str) -> None:
    """Whatever zone it came in; fractions of a second are dropped."""
    assert clock.rfc3339(instant) == text
