"""The engine finds what trying every way finds, in the same order."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from app.timetable.connections import CONNECTIONS
from app.timetable.engine import itineraries, itineraries_by_date
from app.timetable.places import Places
from tests.timetable.brute import Brute
from tests.timetable.worlds import World, directory, world, worlds


def answer(asked: World) -> list[tuple[int, ...]]:
    found = itineraries(asked.days, asked.wish, CONNECTIONS.build(asked.book), Places.of(directory()))
    return [tuple(segment.id for segment in one) for one in found]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_the_engine_finds_what_trying_every_way_finds(asked: World) -> None:
    """Over cities with several airports, the date line, changes of clocks, ties, overtaking flights, every filter."""
    expected = Brute(asked.flights, asked.wish, asked.book, directory()).itineraries()

    assert answer(asked) == expected


def test_the_worlds_that_are_tried_have_journeys_of_every_kind() -> None:
    """Else the two could agree that there is nothing."""
    kinds: Counter[int] = Counter()
    for seed in range(100):
        found = answer(world(Random(seed), 200))
        kinds.update({len(one) - 1 for one in found})

    assert kinds[0] > 40
    assert kinds[1] > 30
    assert kinds[2] > 12


def test_the_order_of_the_days_does_not_matter() -> None:
    asked = world(Random(4), 250)
    rules, places = CONNECTIONS.build(asked.book), Places.of(directory())

    found = itineraries(asked.days, asked.wish, rules, places)

    assert found
    assert itineraries(asked.days[::-1], asked.wish, rules, places) == found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_several_dates_at_once_are_each_date_by_itself(asked: World) -> None:
    """For a month of prices; with one connection at most."""
    rules, places = CONNECTIONS.build(asked.book), Places.of(directory())
    dates = frozenset(day.day for day in asked.days)
    wish = replace(asked.wish, max_connections=min(asked.wish.max_connections, 1))

    together = itineraries_by_date(asked.days, wish, dates, rules, places)

    assert together.keys() == dates
    for date in dates:
        assert together[date] == itineraries(asked.days, replace(wish, day=date), rules, places)


def test_several_dates_at_once_have_one_connection_at_most() -> None:
    asked = world(Random(4), 250)
    rules, places = CONNECTIONS.build(asked.book), Places.of(directory())

    with pytest.raises(ValueError, match="dates"):
        itineraries_by_date(
            asked.days, replace(asked.wish, max_connections=2), frozenset([asked.wish.day]), rules, places
        )
