"""What is owed for cancelled, late and overbooked flights, by distance, lateness and notice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.rights.trips import Disruption, Rerouting, Slice, Trip
from tests.rights.support import NOON, asked, late, local, metres_apart, money, told, trip, way

DAY = timedelta(days=1)
KM = 1000


@pytest.mark.parametrize(
    ("metres", "countries", "amount"),
    [
        (1 * KM, ("FR", "MA"), "250.00"),
        (1_500 * KM, ("FR", "MA"), "250.00"),
        (1_500 * KM + 1, ("FR", "MA"), "400.00"),
        (1_500 * KM, ("FR", "ES"), "250.00"),
        (1_500 * KM + 1, ("FR", "ES"), "400.00"),
        (3_500 * KM, ("FR", "MA"), "400.00"),
        (3_500 * KM + 1, ("FR", "MA"), "600.00"),
        (3_500 * KM + 1, ("FR", "ES"), "400.00"),
        (9_400 * KM, ("FR", "RE"), "400.00"),
        (19_000 * KM, ("FR", "NZ"), "600.00"),
    ],
)
def test_the_amount_goes_by_distance(metres: int, countries: tuple[str, str], amount: str) -> None:
    """To the metre; within the EU, its outermost regions included, it is never the highest."""
    found = asked(metres_apart(metres, countries), told("cancelled"))["compensation"]

    assert money(found) == ("maybe", amount, "EUR")
    assert found["inputs"]["distance_km"] == metres // 1000


@pytest.mark.parametrize(
    ("metres", "countries", "amount"),
    [
        (1_500 * KM, ("GB", "FR"), "220.00"),
        (1_500 * KM + 1, ("GB", "MA"), "350.00"),
        (3_500 * KM, ("GB", "EG"), "350.00"),
        (3_500 * KM + 1, ("GB", "US"), "520.00"),
    ],
)
def test_the_united_kingdom_pays_in_pounds(metres: int, countries: tuple[str, str], amount: str) -> None:
    """By the same distances."""
    found = asked(metres_apart(metres, countries, "BA"), told("cancelled"), "UK")["compensation"]

    assert money(found) == ("maybe", amount, "GBP")


@pytest.mark.parametrize(
    ("metres", "minutes", "expected"),
    [
        (1_000 * KM, 179, ("no", None, None)),
        (1_000 * KM, 180, ("maybe", "250.00", "EUR")),
        (2_000 * KM, 180, ("maybe", "400.00", "EUR")),
        (5_000 * KM, 179, ("no", None, None)),
        (5_000 * KM, 180, ("maybe", "300.00", "EUR")),
        (5_000 * KM, 239, ("maybe", "300.00", "EUR")),
        (5_000 * KM, 240, ("maybe", "600.00", "EUR")),
    ],
)
def test_three_hours_late_is_as_good_as_cancelled(
    metres: int, minutes: int, expected: tuple[str, str | None, str | None]
) -> None:
    """At the last destination; on the longest flights it is half until four hours."""
    assert money(asked(metres_apart(metres), late(minutes))["compensation"]) == expected


@pytest.mark.parametrize(
    ("metres", "minutes", "amount"),
    [
        (1_000 * KM, 119, "125.00"),
        (1_000 * KM, 120, "250.00"),
        (2_000 * KM, 179, "200.00"),
        (2_000 * KM, 180, "400.00"),
        (5_000 * KM, 239, "300.00"),
        (5_000 * KM, 240, "600.00"),
    ],
)
def test_another_way_that_is_nearly_as_good_halves_it(metres: int, minutes: int, amount: str) -> None:
    """If it arrives less than two, three or four hours late."""
    booked = metres_apart(metres)
    arrives_at = booked.slices[0].arrives_at + timedelta(minutes=minutes)
    rerouting = Rerouting(NOON - timedelta(hours=3), arrives_at)

    assert money(asked(booked, told("cancelled", rerouting=rerouting))["compensation"])[1] == amount


@pytest.mark.parametrize(
    ("ahead", "leaves", "arrives", "applies"),
    [
        (14 * DAY, None, None, "no"),
        (14 * DAY - timedelta(seconds=1), None, None, "maybe"),
        (14 * DAY - timedelta(seconds=1), -120, 239, "no"),
        (10 * DAY, -121, 239, "maybe"),
        (10 * DAY, -120, 240, "maybe"),
        (7 * DAY, -120, 239, "no"),
        (7 * DAY - timedelta(seconds=1), -120, 239, "maybe"),
        (7 * DAY - timedelta(seconds=1), -60, 119, "no"),
        (1 * DAY, -61, 119, "maybe"),
        (1 * DAY, -60, 120, "maybe"),
        (timedelta(), -60, 119, "no"),
        (-1 * DAY, None, None, "maybe"),
        (-1 * DAY, 0, 119, "no"),
    ],
)
def test_who_is_told_early_is_owed_nothing(
    ahead: timedelta, leaves: int | None, arrives: int | None, applies: str
) -> None:
    """Two weeks ahead; later, only with another way within a window."""
    booked = trip("CDG", "FRA")
    rerouting = None
    if leaves is not None and arrives is not None:
        arrives_at = booked.slices[0].arrives_at + timedelta(minutes=arrives)
        rerouting = Rerouting(NOON + timedelta(minutes=leaves), arrives_at)

    assert asked(booked, told("cancelled", ahead, rerouting=rerouting))["compensation"]["applies"] == applies


@pytest.mark.parametrize(
    ("departs", "known", "applies"),
    [
        ("2027-04-05T10:00", "2027-03-22T10:00", "no"),  # 335 hours: clocks go forward in between.
        ("2027-04-05T10:00", "2027-03-22T10:01", "maybe"),
        ("2027-11-05T10:00", "2027-10-22T10:00", "no"),  # 337 hours: clocks go back in between.
        ("2027-11-05T10:00", "2027-10-22T10:01", "maybe"),
    ],
)
def test_days_of_notice_are_days_of_the_calendar(departs: str, known: str, applies: str) -> None:
    """By the clock at the airport, also over the nights on which it is changed."""
    booked = trip("CDG", "FRA", departs_at=local("CDG", departs))
    found = asked(booked, Disruption("cancelled", local("CDG", known)))["compensation"]

    assert found["applies"] == applies


@pytest.mark.parametrize(
    ("minutes", "ahead", "expected"),
    [
        (-60, 1 * DAY, ("no", None, None)),
        (-61, 1 * DAY, ("maybe", "250.00", "EUR")),
        (-61, 8 * DAY, ("no", None, None)),
        (-121, 8 * DAY, ("maybe", "250.00", "EUR")),
        (-600, 14 * DAY, ("no", None, None)),
    ],
)
def test_a_flight_brought_forward_counts_as_cancelled(
    minutes: int, ahead: timedelta, expected: tuple[str, str | None, str | None]
) -> None:
    """By more than an hour; half is never enough, though it arrives early."""
    earlier = told("schedule_change", ahead, departure_minutes=minutes, arrival_minutes=minutes)

    assert money(asked(trip("CDG", "FRA"), earlier)["compensation"]) == expected


def test_who_is_denied_boarding_has_a_right_that_nothing_excuses() -> None:
    """The others depend on circumstances that nobody has judged yet."""
    booked = trip("CDG", "FRA")

    assert money(asked(booked, told("denied_boarding"))["compensation"]) == ("yes", "250.00", "EUR")
    assert asked(booked, told("cancelled"))["compensation"]["applies"] == "maybe"


def test_distance_is_to_the_last_destination() -> None:
    """A short first flight that makes one miss a long one counts as long."""
    short = asked(trip("FRA", "CDG"), late(240))["compensation"]
    long = asked(trip("FRA", "CDG", "JFK"), late(240))["compensation"]

    assert (money(short)[1], money(long)[1]) == ("250.00", "600.00")
    assert long["inputs"]["distance_km"] == 6187


def test_advice_says_where_it_is_from() -> None:
    """With the rule, its source, its first day and what was looked at."""
    found = asked(trip("CDG", "JFK"), late(200))["compensation"]

    assert found["rule"] == "eu261-late-compensation"
    assert "C-402/07" in found["source"]
    assert "Art. 7(1)(c)" in found["source"]
    assert found["valid_from"] == "2009-11-19"
    assert found["text"]
    assert found["inputs"] == {
        "event": "later_arrival",
        "minutes": 200,
        "minutes_needed": 180,
        "origin": "CDG",
        "destination": "JFK",
        "distance_km": 5833,
        "carrier": "AF",
        "date": "2027-02-03",
        "known_at": "2027-02-03T11:00:00Z",
        "amount_rule": "eu261-7-1-c",
        "late_minutes": 200,
        "notice_rule": None,
        "halved": True,
    }


def test_the_second_leg_of_the_way_home_can_be_what_is_late() -> None:
    """The leg that is named is judged, with its own carrier."""
    home = way("JFK", "LHR", "CDG", carrier="BA")
    first, second = home.legs
    mixed = Trip((Slice((first, replace(second, carrier="AF", carrier_country="FR"))),))

    assert asked(mixed, late(300, leg=0)) == {}
    assert asked(mixed, late(300, leg=1))["compensation"]["applies"] == "maybe"
