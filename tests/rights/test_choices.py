"""What passengers may choose after a change, and until when we ask them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.rights import service
from app.rights.trips import Disruption, Rerouting, Trip
from tests.rights.support import NOON, told, trip

HOUR = timedelta(hours=1)
OURS = partial(trip, "SYD", "AKL", carrier="QF")
HOME = partial(trip, "SYD", "MEL", carrier="QF")
EU = partial(trip, "CDG", "FRA")
LATER = NOON + timedelta(hours=9)


def changed(days: int = 30, **more: Any) -> Disruption:
    return told("schedule_change", timedelta(days=days), **more)


@pytest.mark.parametrize(
    ("booked", "disruption", "options", "significant"),
    [
        (OURS, changed(arrival_minutes=59), ("accept",), False),
        (OURS, changed(arrival_minutes=60), ("accept", "rebook"), False),
        (OURS, changed(departure_minutes=60), ("accept", "rebook"), False),
        (OURS, changed(departure_minutes=-60), ("accept", "rebook"), False),
        (OURS, changed(arrival_minutes=359), ("accept", "rebook"), False),
        (OURS, changed(arrival_minutes=360), ("accept", "rebook", "refund"), True),
        (OURS, changed(departure_minutes=-360), ("accept", "rebook", "refund"), True),
        (HOME, changed(arrival_minutes=179), ("accept", "rebook"), False),
        (HOME, changed(arrival_minutes=180), ("accept", "rebook", "refund"), True),
        (HOME, changed(changes=frozenset({"more_connections"})), ("accept", "rebook", "refund"), True),
        (EU, changed(departure_minutes=-60), ("accept", "rebook"), False),
        (EU, changed(departure_minutes=-61), ("accept", "rebook", "refund"), True),
        (EU, changed(departure_minutes=299), ("accept", "rebook"), False),
        (EU, changed(departure_minutes=300), ("accept", "rebook", "refund"), True),
        (OURS, told("cancelled"), ("rebook", "refund"), True),
        (OURS, told("denied_boarding"), ("rebook", "refund"), True),
        (OURS, told("cancelled", rerouting=Rerouting(NOON, LATER)), ("accept", "rebook", "refund"), True),
        (OURS, told("downgraded"), ("accept", "rebook", "refund"), True),
        (OURS, told("diverted"), ("accept", "rebook", "refund"), True),
    ],
)
def test_the_greater_the_change_the_more_may_be_chosen(
    booked: Callable[[], Trip], disruption: Disruption, options: tuple[str, ...], significant: bool
) -> None:
    """From a word of thanks to the money back."""
    found = service.change_options(booked(), disruption, disruption.known_at)

    assert (found.options, found.significant) == (options, significant)


@pytest.mark.parametrize(
    ("ahead", "due"),
    [
        (337 * HOUR, NOON - 168 * HOUR),
        (336 * HOUR, NOON - 168 * HOUR),
        (335 * HOUR, NOON - 72 * HOUR),
        (168 * HOUR, NOON - 72 * HOUR),
        (167 * HOUR, NOON - 24 * HOUR),
        (72 * HOUR, NOON - 24 * HOUR),
        (71 * HOUR, NOON - 6 * HOUR),
        (24 * HOUR, NOON - 6 * HOUR),
        (23 * HOUR, NOON),
        (2 * HOUR, NOON),
        (1 * HOUR, NOON + 1 * HOUR),
        (-3 * HOUR, NOON + 5 * HOUR),
    ],
)
def test_an_answer_is_due_by_how_early_it_was_told(ahead: timedelta, due: Any) -> None:
    """Nobody has less than two hours."""
    found = service.change_options(OURS(), told("cancelled", ahead), NOON)

    assert found.deadline == due


def test_a_flight_that_leaves_earlier_is_answered_earlier() -> None:
    found = service.change_options(OURS(), changed(departure_minutes=-120), NOON)

    assert found.deadline == NOON - 2 * HOUR - 168 * HOUR


def test_after_the_deadline_the_law_stands_and_our_own_rule_does_not() -> None:
    """Unless the flight is gone: then there is nothing else to accept."""
    change = changed(arrival_minutes=600, departure_minutes=600)
    due = service.change_options(OURS(), change, NOON).deadline

    assert service.change_options(OURS(), change, due).options == ("accept", "rebook", "refund")
    lapsed = service.change_options(OURS(), change, due + timedelta(seconds=1))
    assert (lapsed.options, lapsed.significant, lapsed.rules) == (("accept",), True, ())
    legal = service.change_options(EU(), change, due + timedelta(seconds=1))
    assert (legal.options, legal.rules) == (("accept", "refund"), ("eu261-delay-5-hours",))
    gone = told("cancelled", timedelta(days=30))
    assert service.change_options(OURS(), gone, due + timedelta(days=1)).options == ("rebook", "refund")


def test_the_rules_that_gave_it_are_named() -> None:
    """The law's before our own."""
    found = service.change_options(trip("CDG", "JFK"), told("cancelled"), NOON)

    assert found.rules == ("eu261-cancelled", "us-cancelled", "house-cancelled")
