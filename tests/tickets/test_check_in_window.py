"""Check-in is open from 24 hours to 60 minutes before departure, whatever the clocks on the wall do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.config import settings
from app.tickets.check_in import check_in_window
from app.tickets.errors import CheckInClosed, CheckInNotOpen

MOMENT = timedelta(microseconds=1)
ZONES = [
    "America/New_York",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]


@pytest.mark.parametrize(
    ("zone", "departs", "opens"),
    [
        ("America/New_York", "2026-11-01T12:00", "2026-10-31T13:00-04:00"),  # Clocks went back in the night.
        ("America/New_York", "2027-03-14T12:00", "2027-03-13T11:00-05:00"),  # And forward.
        ("Europe/London", "2026-10-25T00:30", "2026-10-24T00:30+01:00"),  # They go back an hour after.
        ("Europe/London", "2026-10-25T03:15", "2026-10-24T04:15+01:00"),
        ("Pacific/Auckland", "2026-11-10T20:00", "2026-11-09T20:00+13:00"),  # Lands before it left.
        ("Pacific/Apia", "2026-11-10T08:00", "2026-11-09T08:00+13:00"),  # Lands on the day before.
        ("Pacific/Pago_Pago", "2026-11-09T08:50", "2026-11-08T08:50-11:00"),
        ("Australia/Lord_Howe", "2026-10-04T12:00", "2026-10-03T11:30+10:30"),  # Half an hour forward.
    ],
)
def test_a_day_before_is_24_hours_before(zone: str, departs: str, opens: str) -> None:
    """By the clock at the airport that is sometimes another time of day."""
    departs_at = datetime.fromisoformat(departs).replace(tzinfo=ZoneInfo(zone))
    expected = datetime.fromisoformat(opens)

    opens_at, closes_at = check_in_window({"departs_at": departs_at}, expected)

    assert opens_at == expected
    assert closes_at - opens_at == timedelta(hours=23)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001  A clock reading.
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_it_is_open_between_two_instants_and_at_no_other(reading: datetime, zone: str, late: bool) -> None:
    """To the microsecond: the first is in, the last is not; hours that clocks repeat or skip included."""
    instant = reading.replace(tzinfo=ZoneInfo(zone), fold=late).astimezone(UTC)
    flight = {"departs_at": instant.astimezone(ZoneInfo(zone))}
    opens_at, closes_at = instant - timedelta(hours=24), instant - timedelta(hours=1)

    for now in (opens_at, opens_at + MOMENT, closes_at - MOMENT):
        assert check_in_window(flight, now) == (opens_at, closes_at)
    with pytest.raises(CheckInNotOpen) as early:
        check_in_window(flight, opens_at - MOMENT)
    assert early.value.members == {"opens_at": f"{opens_at:%Y-%m-%dT%H:%M:%SZ}"}
    for now in (closes_at, instant, instant + timedelta(days=1)):
        with pytest.raises(CheckInClosed):
            check_in_window(flight, now)


def test_an_airline_has_its_own_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """By two settings."""
    monkeypatch.setattr(settings(), "check_in_opens_hours", 48)
    monkeypatch.setattr(settings(), "check_in_closes_minutes", 45)
    departs_at = datetime(2027, 1, 10, 12, tzinfo=UTC)

    assert check_in_window({"departs_at": departs_at}, departs_at - timedelta(hours=30)) == (
        departs_at - timedelta(hours=48),
        departs_at - timedelta(minutes=45),
    )
