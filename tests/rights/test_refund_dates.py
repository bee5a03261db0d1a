"""The day by which money must have been sent back."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import pytest

from app.rights import service
from app.rights.trips import Trip
from tests.rights.support import trip, way

US, EU = partial(trip, "JFK", "LAX", carrier="UA"), partial(trip, "CDG", "FRA")
UK = partial(trip, "LHR", "EDI", carrier="BA")
ELSEWHERE = partial(trip, "SYD", "AKL", carrier="QF")
BOTH = partial(trip, "CDG", "JFK")


@pytest.mark.parametrize(
    ("booked", "method", "requested", "due", "rule"),
    [
        # Friday to Tuesday of the week after next.
        (US, "card", "2027-03-05T15:00:00Z", "2027-03-16", "us-refund-card"),
        # Saturday and Sunday count as the Friday before.
        (US, "card", "2027-03-06T15:00:00Z", "2027-03-16", "us-refund-card"),
        (US, "card", "2027-03-07T15:00:00Z", "2027-03-16", "us-refund-card"),
        (US, "card", "2027-03-08T15:00:00Z", "2027-03-17", "us-refund-card"),
        # Thanksgiving is no business day.
        (US, "card", "2027-11-24T15:00:00Z", "2027-12-06", "us-refund-card"),
        # Independence Day on a Sunday is kept on Monday; Juneteenth on a Saturday was kept on Friday.
        (US, "card", "2027-07-02T15:00:00Z", "2027-07-14", "us-refund-card"),
        (US, "card", "2027-06-17T15:00:00Z", "2027-06-29", "us-refund-card"),
        # Late on Friday in New York, already Saturday in London; then already Monday there.
        (US, "card", "2027-03-06T03:00:00Z", "2027-03-16", "us-refund-card"),
        (US, "card", "2027-03-09T03:00:00Z", "2027-03-17", "us-refund-card"),
        (US, "other", "2027-03-05T15:00:00Z", "2027-03-19", "house-refund"),
        (US, "voucher", "2027-03-05T15:00:00Z", "2027-03-19", "house-refund"),
        (EU, "card", "2027-03-05T15:00:00Z", "2027-03-12", "eu261-refund"),
        (EU, "other", "2027-03-05T15:00:00Z", "2027-03-12", "eu261-refund"),
        # Past midnight in Brussels.
        (EU, "card", "2027-03-05T23:30:00Z", "2027-03-13", "eu261-refund"),
        (UK, "card", "2027-03-05T23:30:00Z", "2027-03-12", "uk261-refund"),
        (ELSEWHERE, "card", "2027-03-05T15:00:00Z", "2027-03-19", "house-refund"),
        # Both rule: the earlier day counts.
        (BOTH, "card", "2027-03-05T15:00:00Z", "2027-03-12", "eu261-refund"),
        (
            lambda: Trip((way("CDG", "FRA"), way("SYD", "AKL"))),
            "card",
            "2027-03-05T15:00:00Z",
            "2027-03-12",
            "eu261-refund",
        ),
    ],
)
def test_the_earliest_day_of_all_rules_counts(
    booked: Callable[[], Trip], method: str, requested: str, due: str, rule: str
) -> None:
    found = service.refund_due(booked(), method, datetime.fromisoformat(requested))

    assert (found.on, found.rule) == (date.fromisoformat(due), rule)


def test_before_a_law_came_into_force_it_is_not_the_one() -> None:
    """The American deadlines are of 28 October 2024."""
    friday = datetime(2024, 10, 18, 15, tzinfo=UTC)

    def rule(day: datetime) -> str:
        return service.refund_due(trip("JFK", "LAX", departs_at=day, carrier="UA"), "card", friday).rule

    assert rule(datetime(2024, 10, 27, 15, tzinfo=UTC)) == "house-refund"
    assert rule(datetime(2024, 10, 28, 15, tzinfo=UTC)) == "us-refund-card"
