"""How much a change of schedule means: a table of limits, and what holds for every change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.flights import changes

TODAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)
CLASSES = ["minor", "notable", "material", "significant"]
HOME, ABROAD = ("TOS", "BGO"), ("TOS", "CPH")


@pytest.fixture(autouse=True, scope="module")
def airports(address: str) -> None:
    """The running application knows them."""


def schedule(between: tuple[str, str], departs: int = 0, arrives: int = 0) -> dict[str, Any]:
    """So many minutes later than noon, and than two hours after it."""
    return {
        "origin": between[0],
        "destination": between[1],
        "departs_at": NOON + timedelta(minutes=departs),
        "arrives_at": NOON + timedelta(minutes=120 + arrives),
    }


def materiality(between: tuple[str, str], departs: int, arrives: int) -> str:
    return changes.materiality(schedule(between), schedule(between, departs, arrives), TODAY)


LIMITS = [
    # minutes later, at home, abroad
    (1, "minor", "minor"),
    (14, "minor", "minor"),
    (15, "notable", "notable"),
    (59, "notable", "notable"),
    (60, "material", "material"),
    (179, "material", "material"),
    (180, "significant", "material"),
    (359, "significant", "material"),
    (360, "significant", "significant"),
]


@pytest.mark.parametrize(("minutes", "at_home", "abroad"), LIMITS)
@pytest.mark.parametrize("direction", [1, -1])
def test_the_limits(minutes: int, at_home: str, abroad: str, direction: int) -> None:
    """Later or earlier; three hours at home and six abroad are the law."""
    moved = minutes * direction

    assert materiality(HOME, moved, moved) == at_home
    assert materiality(ABROAD, moved, moved) == abroad


@pytest.mark.parametrize(
    ("departs", "arrives", "expected"),
    [
        (-180, 0, "significant"),  # leaves much earlier
        (0, 180, "significant"),  # arrives much later
        (180, 0, "material"),  # leaves later, and arrives when it did
        (0, -180, "material"),  # arrives earlier
        (10, 14, "minor"),
        (0, 15, "notable"),
        (-60, 0, "material"),
    ],
)
def test_leaving_earlier_and_arriving_later_are_what_hurts(departs: int, arrives: int, expected: str) -> None:
    """The rest is a matter of how far it moved."""
    assert materiality(HOME, departs, arrives) == expected


@pytest.mark.parametrize("places", [("TOS", "OSL"), ("EVE", "BGO"), ("EVE", "OSL")])
def test_another_airport_is_always_significant(places: tuple[str, str]) -> None:
    """At either end, however near."""
    assert changes.materiality(schedule(HOME), schedule(places), TODAY) == "significant"


shifts = st.integers(-700, 700)


@hypothesis(max_examples=200, deadline=None)
@given(departs=shifts, arrives=shifts, more=st.integers(0, 300))
def test_a_larger_change_never_means_less(departs: int, arrives: int, more: int) -> None:
    """Away from what was sold, in the direction in which it has moved already."""
    further = [shift + more if shift >= 0 else shift - more for shift in (departs, arrives)]
    for between in (HOME, ABROAD):
        less, greater = materiality(between, departs, arrives), materiality(between, *further)
        assert CLASSES.index(less) <= CLASSES.index(greater)


@hypothesis(max_examples=100, deadline=None)
@given(departs=shifts, arrives=shifts)
def test_what_is_the_same_to_a_traveller_is_no_change(departs: int, arrives: int) -> None:
    """And what differs is one, with what it was and what it is."""
    before, after = schedule(HOME), schedule(HOME, departs, arrives)

    change = changes.of(before, after, 7)

    if (departs, arrives) == (0, 0):
        assert change is None
    else:
        assert change is not None
        assert change["flight_id"] == 7
        assert change["before"] != change["after"]
        assert change["after"]["departs_at"] == f"{after['departs_at']:%Y-%m-%dT%H:%M:%SZ}"
