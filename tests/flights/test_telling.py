"""What is told of a flight: each thing once, and nothing that a vendor takes back a minute later."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.flights import status
from tests.flights.news import Watcher, flight, late

GONE: dict[str, Any] = {"status": "departed", "departure_actual_at": late(4)}
DOWN: dict[str, Any] = {"status": "landed", "arrival_actual_at": late(124)}


def test_an_uneventful_flight_is_told_when_it_leaves_and_lands() -> None:
    """However often it is looked at."""
    watcher = Watcher()
    days = [{}, {}, GONE, {}, {}, DOWN, {}, {}]

    assert [watcher.sees(**changes) for changes in days] == [[], [], ["departed"], [], [], ["landed"], [], []]


def test_what_was_missed_is_told_in_order() -> None:
    """Nobody looked while it flew."""
    assert Watcher().sees(**GONE | DOWN) == ["departed", "landed"]


def test_a_landing_without_a_departure_is_told_alone() -> None:
    """Nobody knows when it left, so nobody is told."""
    watcher = Watcher()

    assert watcher.sees(**DOWN) == ["landed"]
    assert watcher.sees(departure_actual_at=late(4)) == []


@pytest.mark.parametrize("state", ["departed", "landed", "cancelled", "diverted"])
def test_a_mere_word_needs_a_second_look(state: str) -> None:
    """A later one; asking the database again is none."""
    watcher = Watcher()

    assert watcher.sees(status=state) == []
    assert watcher.looks_at_the_same_again() == []
    assert watcher.sees(status=state) == [state]
    assert watcher.sees(status=state) == []


@pytest.mark.parametrize("state", ["departed", "landed", "cancelled", "diverted"])
def test_a_word_that_is_taken_back_was_nothing(state: str) -> None:
    """However often it flickers."""
    watcher = Watcher()

    for _ in range(4):
        assert watcher.sees(status=state) == []
        assert watcher.sees(status="scheduled") == []


def test_a_cancelled_flight_may_come_back() -> None:
    """After a second look as well; its delays are told again then."""
    watcher = Watcher()
    watcher.sees(status="cancelled")
    watcher.sees(status="cancelled")

    assert watcher.sees(status="scheduled", departure_estimated_at=late(45)) == []
    assert watcher.flight["announced_status"] == "cancelled"
    assert watcher.sees() == ["delayed"]
    assert watcher.flight["announced_status"] == "scheduled"


def test_of_a_cancelled_flight_neither_delay_nor_gate_is_told() -> None:
    """It has none."""
    watcher = Watcher(departure_gate="A1")
    watcher.sees()
    watcher.sees(status="cancelled", departure_estimated_at=late(90), departure_gate="B2")

    assert watcher.sees() == ["cancelled"]
    assert watcher.sees() == []


def test_a_flight_that_leaves_after_all_is_told() -> None:
    """Cancelled by mistake."""
    watcher = Watcher()
    watcher.sees(status="cancelled")
    assert watcher.sees() == ["cancelled"]

    assert watcher.sees(**GONE) == ["departed"]


DELAYS: list[tuple[list[int], list[tuple[int, int]]]] = [
    # minutes late, look by look; what is told: minutes, and what was told before
    ([0, 5, 14], []),
    ([15], [(15, 0)]),
    ([20, 25, 30, 34], [(20, 0)]),
    ([20, 35], [(20, 0), (35, 20)]),
    ([90, 60, 80], [(90, 0), (60, 90), (80, 60)]),
    ([20, 10, 5], [(20, 0), (5, 20)]),
    ([17, 4], [(17, 0), (4, 17)]),
    ([40, 0], [(40, 0), (0, 40)]),
    ([14, 16, 14, 16, 14, 16], [(16, 0)]),
    ([30, 44, 30, 44, 16], [(30, 0)]),
    ([-30, 0, 14], []),
]


@pytest.mark.parametrize(("minutes", "told"), DELAYS)
def test_a_delay_is_told_when_it_has_moved_by_a_quarter_of_an_hour(
    minutes: list[int], told: list[tuple[int, int]]
) -> None:
    """Counted from what was told last; and when the flight is on time again."""
    watcher = Watcher()
    for late_by in minutes:
        watcher.sees(departure_estimated_at=late(late_by))

    assert [
        (news.data["delay_minutes"], news.data["previous_delay_minutes"]) for news in watcher.told
    ] == told
    assert set(watcher.types) <= {"delayed"}


def test_a_schedule_that_moves_along_takes_the_delay_away() -> None:
    """What was late is the plan now."""
    watcher = Watcher()
    watcher.sees(departure_estimated_at=late(60))

    assert watcher.sees(departs_at=late(60)) == ["delayed"]
    assert watcher.told[-1].data == {"delay_minutes": 0, "previous_delay_minutes": 60}


def test_the_first_gate_is_no_change() -> None:
    """It is on the board."""
    watcher = Watcher()

    assert [watcher.sees(departure_gate=gate) for gate in (None, "A1", "A1", None)] == [[]] * 4


def test_another_gate_is_told_after_a_second_look() -> None:
    """With the one it was."""
    watcher = Watcher(departure_gate="A1")
    watcher.sees()

    assert [watcher.sees(departure_gate=gate) for gate in ("B2", "B2", "B2")] == [[], ["gate_changed"], []]
    assert watcher.told[0].data == {"gate": "B2", "previous_gate": "A1"}


def test_gates_that_flicker_are_not_told() -> None:
    """Back and forth, or another one at every look."""
    watcher = Watcher(departure_gate="A1")

    for gate in ("B2", "A1", "B2", "A1", "C3", "D4", "E5", "A1"):
        assert watcher.sees(departure_gate=gate) == []


looks = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["scheduled", "departed", "landed", "cancelled", "diverted", "unknown"]),
        "departure_estimated_at": st.none() | st.integers(-20, 200).map(late),
        "departure_actual_at": st.none() | st.just(late(4)),
        "arrival_actual_at": st.none() | st.just(late(124)),
        "departure_gate": st.none() | st.sampled_from(["A1", "B2", "C3"]),
    }
)


@hypothesis(max_examples=100, deadline=None)
@given(seen=st.lists(st.tuples(looks, st.integers(0, 3)), max_size=12))
def test_looking_at_the_same_again_tells_nothing(seen: list[tuple[dict[str, Any], int]]) -> None:
    """A task that runs twice, or a second worker, adds no event, whatever has happened."""
    careful, hasty = Watcher(), Watcher()
    for look, again in seen:
        careful.sees(**look)
        hasty.sees(**look)
        for _ in range(again):
            assert hasty.looks_at_the_same_again() == []

    assert hasty.told == careful.told


@hypothesis(max_examples=100, deadline=None)
@given(seen=st.lists(looks, max_size=12))
def test_whatever_a_vendor_says_a_flight_leaves_once_and_lands_once(seen: list[dict[str, Any]]) -> None:
    """In that order, once it goes through what is believed; only a flight that was called off leaves again."""
    watcher = Watcher()
    for look in seen:
        known = {name: watcher.flight[name] for name in flight()}
        observed = watcher.flight["observed_at"] + timedelta(minutes=1)
        watcher.sees(**status.merged(known, flight(**look, observed_at=observed)))

    taken_back = sum(one in ("cancelled", "diverted") for one in watcher.types)
    assert watcher.types.count("departed") <= 1 + watcher.types.count("cancelled")
    assert watcher.types.count("landed") <= 1 + taken_back
    if not taken_back:
        assert [one for one in watcher.types if one in ("departed", "landed")] in (
            [],
            ["departed"],
            ["landed"],
            ["departed", "landed"],
        )


@hypothesis(max_examples=100, deadline=None)
@given(minutes=st.lists(st.integers(-30, 300), min_size=1, max_size=20))
def test_what_was_told_of_a_delay_is_never_far_from_the_truth(minutes: list[int]) -> None:
    """Less than a quarter of an hour, and nobody thinks a flight late that is on time."""
    watcher = Watcher()
    for late_by in minutes:
        told = watcher.sees(departure_estimated_at=late(late_by))
        believed = watcher.flight["announced_delay_minutes"]
        assert abs(believed - max(0, late_by)) < 15
        assert believed < 15 or late_by >= 5
        assert len(told) <= 1
