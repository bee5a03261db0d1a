"""A booking that can be given back within a day, and a ticket that can be voided until midnight."""

from datetime import UTC, datetime, timedelta

import pytest

from app.rights import service
from app.rights.trips import Trip
from tests.rights.support import NOON, local, made, row, tables, trip, way

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ahead", "granted"),
    [(167 * HOUR, False), (168 * HOUR - timedelta(seconds=1), False), (168 * HOUR, True), (900 * HOUR, True)],
)
def test_a_week_before_departure_there_are_24_hours(ahead: timedelta, granted: bool) -> None:
    """A week of 168 hours, on flights to, from and within the United States."""
    booked_at = NOON - ahead
    found = service.free_cancellation(trip("JFK", "LHR"), booked_at)

    assert (found is not None) == granted
    if found:
        assert (found.until, found.rule) == (booked_at + 24 * HOUR, "us-24-hours")
        assert found.source == "14 CFR 259.5(b)(4)"


@pytest.mark.parametrize(
    ("departs", "booked", "granted"),
    [
        ("2027-03-16T12:00", "2027-03-09T12:00", False),  # 167 hours: clocks go forward in between.
        ("2027-03-16T12:00", "2027-03-09T11:00", True),
        ("2027-11-09T12:00", "2027-11-02T12:00", True),  # 169 hours: clocks go back in between.
        ("2027-11-09T12:00", "2027-11-02T13:00", True),
        ("2027-11-09T12:00", "2027-11-02T13:01", False),
    ],
)
def test_hours_are_hours_also_when_clocks_change(departs: str, booked: str, granted: bool) -> None:
    flight = trip("JFK", "LHR", departs_at=local("JFK", departs))

    assert (service.free_cancellation(flight, local("JFK", booked)) is not None) == granted


@pytest.mark.parametrize(
    ("routes", "granted"),
    [
        ([("CDG", "LHR")], False),
        ([("LHR", "JFK")], True),
        ([("JFK", "LAX")], True),
        ([("NRT", "GUM")], True),
        ([("YYZ", "ORD", "MEX")], True),
        ([("CDG", "LHR"), ("LHR", "BOS")], True),
    ],
)
def test_one_flight_that_touches_the_country_is_enough(routes: list[tuple[str, ...]], granted: bool) -> None:
    booked = Trip(tuple(way(*route) for route in routes))

    assert (service.free_cancellation(booked, NOON - 200 * HOUR) is not None) == granted


def test_an_agency_may_not_be_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule binds carriers; who sells for them only writes so in the table."""
    agency = tables() | {"free_cancellation": [row("free_cancellation", "us-24-hours") | {"applies": "no"}]}
    monkeypatch.setattr(service, "book", lambda: made(agency))

    assert service.free_cancellation(trip("JFK", "LHR"), NOON - 200 * HOUR) is None


def test_advice_tells_of_it_without_any_disruption() -> None:
    """And says no once the day is over, to the second."""
    flight, booked_at = trip("JFK", "LHR"), NOON - 200 * HOUR

    def told(now: datetime) -> list[str]:
        rows = service.advice(flight, None, now, booked_at)
        assert {one["right"] for one in rows} == {"free_cancellation"}
        return [one["applies"] for one in rows]

    assert told(booked_at + 24 * HOUR) == ["yes"]
    assert told(booked_at + 24 * HOUR + timedelta(seconds=1)) == ["no"]
    assert service.advice(flight, None, NOON) == []


@pytest.mark.parametrize(
    ("zone", "sold_at", "until"),
    [
        ("UTC", "2027-02-03T00:00:00Z", "2027-02-04T00:00:00Z"),
        ("UTC", "2027-02-03T23:59:59Z", "2027-02-04T00:00:00Z"),
        ("America/New_York", "2027-02-04T04:59:59Z", "2027-02-04T05:00:00Z"),
        ("America/New_York", "2027-02-04T05:00:00Z", "2027-02-05T05:00:00Z"),
        ("Pacific/Kiritimati", "2027-02-03T10:00:00Z", "2027-02-04T10:00:00Z"),
        ("Europe/Paris", "2027-03-27T23:30:00Z", "2027-03-28T22:00:00Z"),  # A day of 23 hours.
        ("Europe/Paris", "2027-10-30T22:30:00Z", "2027-10-31T23:00:00Z"),  # A day of 25 hours.
        ("America/Havana", "2027-03-13T12:00:00Z", "2027-03-14T05:00:00Z"),  # A midnight that no clock shows.
        ("America/Havana", "2027-11-06T12:00:00Z", "2027-11-07T04:00:00Z"),  # The first of two midnights.
    ],
)
def test_a_ticket_can_be_voided_until_local_midnight(
    monkeypatch: pytest.MonkeyPatch, zone: str, sold_at: str, until: str
) -> None:
    """Of the day of sale, where the point of sale is."""
    sold_there = tables() | {"void": [row("void", "house-void") | {"time_zone": zone}]}
    monkeypatch.setattr(service, "book", lambda: made(sold_there))

    found = service.void_until(datetime.fromisoformat(sold_at))

    assert found == datetime.fromisoformat(until)
    assert found.tzinfo is UTC


def test_the_point_of_sale_moves_on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the day of its row on; before the first there is no void."""
    here, there = (row("void", "house-void") | {"time_zone": zone} for zone in ("UTC", "Asia/Tokyo"))
    moved = [
        here | {"valid_from": "2027-01-01", "valid_to": "2027-01-31"},
        there | {"valid_from": "2027-02-01"},
    ]
    monkeypatch.setattr(service, "book", lambda: made(tables() | {"void": moved}))

    assert service.void_until(datetime(2026, 12, 31, 12, tzinfo=UTC)) is None
    assert service.void_until(datetime(2027, 1, 15, 12, tzinfo=UTC)) == datetime(2027, 1, 16, tzinfo=UTC)
    assert service.void_until(datetime(2027, 2, 15, 12, tzinfo=UTC)) == datetime(2027, 2, 15, 15, tzinfo=UTC)
