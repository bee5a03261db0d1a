"""Meals while one waits, the money back, another way: from how many hours on."""

from datetime import timedelta
from typing import Any

import pytest

from app.rights.trips import Disruption
from tests.rights.support import NOON, asked, late, metres_apart, told, trip

KM = 1000


@pytest.mark.parametrize(
    ("metres", "countries", "minutes", "applies"),
    [
        (1_500 * KM, ("FR", "MA"), 119, "no"),
        (1_500 * KM, ("FR", "MA"), 120, "yes"),
        (1_500 * KM + 1, ("FR", "MA"), 179, "no"),
        (1_500 * KM + 1, ("FR", "MA"), 180, "yes"),
        (3_500 * KM, ("FR", "EG"), 180, "yes"),
        (3_500 * KM + 1, ("FR", "EG"), 239, "no"),
        (3_500 * KM + 1, ("FR", "EG"), 240, "yes"),
        (3_500 * KM + 1, ("FR", "ES"), 180, "yes"),
    ],
)
def test_care_begins_by_distance(metres: int, countries: tuple[str, str], minutes: int, applies: str) -> None:
    """Two, three or four hours late in leaving; circumstances excuse nothing."""
    assert asked(metres_apart(metres, countries), late(minutes))["care"]["applies"] == applies


def test_who_is_told_before_leaving_home_is_not_waiting() -> None:
    """More than a day before."""
    flight = trip("CDG", "FRA")

    assert asked(flight, told("cancelled", timedelta(hours=24)))["care"]["applies"] == "yes"
    assert asked(flight, told("cancelled", timedelta(hours=25)))["care"]["applies"] == "no"


@pytest.mark.parametrize(("minutes", "applies"), [(299, "no"), (300, "yes")])
def test_five_hours_late_in_leaving_the_money_is_due(minutes: int, applies: str) -> None:
    """In the EU and the UK, for who does not travel."""
    found = asked(trip("CDG", "FRA"), late(minutes))

    assert found["reimbursement"]["applies"] == applies
    assert "rebooking" not in found


@pytest.mark.parametrize("kind", ["cancelled", "denied_boarding"])
def test_who_cannot_fly_chooses_money_or_another_way(kind: str) -> None:
    found = asked(trip("CDG", "FRA"), told(kind))

    assert {right: found[right]["applies"] for right in ("reimbursement", "rebooking", "care")} == {
        "reimbursement": "yes",
        "rebooking": "yes",
        "care": "yes",
    }


@pytest.mark.parametrize(
    ("route", "change", "applies"),
    [
        (("JFK", "LAX"), {"arrival_minutes": 179}, "no"),
        (("JFK", "LAX"), {"arrival_minutes": 180}, "yes"),
        (("JFK", "LAX"), {"departure_minutes": -179}, "no"),
        (("JFK", "LAX"), {"departure_minutes": -180}, "yes"),
        (("JFK", "SJU"), {"arrival_minutes": 180}, "yes"),
        (("JFK", "LAX", "NRT"), {"arrival_minutes": 180}, "no"),
        (("JFK", "NRT"), {"arrival_minutes": 359}, "no"),
        (("JFK", "NRT"), {"arrival_minutes": 360}, "yes"),
        (("JFK", "NRT"), {"departure_minutes": -359}, "no"),
        (("JFK", "NRT"), {"departure_minutes": -360}, "yes"),
        (("JFK", "LAX"), {"changes": frozenset({"other_airport"})}, "yes"),
        (("JFK", "LAX"), {"changes": frozenset({"more_connections"})}, "yes"),
        (("JFK", "LAX"), {"changes": frozenset({"accessibility_lost"})}, "yes"),
    ],
)
def test_significant_changes_in_the_united_states(
    route: tuple[str, ...], change: dict[str, Any], applies: str
) -> None:
    """Three hours at home, its territories included; six abroad; and what no minutes measure."""
    changed = Disruption("schedule_change", NOON - timedelta(days=30), **change)

    assert asked(trip(*route, carrier="UA"), changed, "US")["reimbursement"]["applies"] == applies


def test_a_lower_class_gives_part_of_the_price_in_europe_and_all_in_the_united_states() -> None:
    """There is no amount: nobody has said what the flight cost."""
    flight = trip("CDG", "JFK")
    eu, us = (asked(flight, told("downgraded"), one)["reimbursement"] for one in ("EU", "US"))

    assert (eu["rule"], eu["applies"], eu["amount"]) == ("eu261-downgraded", "yes", None)
    assert (us["rule"], us["applies"]) == ("us-downgraded", "yes")


def test_a_diversion_ends_at_another_airport() -> None:
    found = asked(trip("JFK", "LAX", carrier="UA"), told("diverted"), "US")["reimbursement"]

    assert (found["rule"], found["applies"]) == ("us-other-airport", "yes")
