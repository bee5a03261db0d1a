"""What becomes of the timetable on the day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.world.operations import Change, Movement
from sandbox.world.services import Flight
from sandbox.world.world import World

DAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def scenario(world: World) -> Iterator[World]:
    """The shared world, with every decision forgotten afterwards."""
    yield world
    world.reset()


def chains(world: World, first: date, days: int) -> dict[str, list[tuple[Flight, Movement]]]:
    """What each aircraft really flew, in order."""
    flown = defaultdict(list)
    begins = {first + timedelta(days=n) for n in range(days)}
    for n in range(-1, days + 3):
        for flight in world.timetable.day(first + timedelta(days=n)).flights:
            if flight.begins in begins and (move := world.movement(flight)).cancelled_at is None:
                flown[flight.aircraft.registration].append((flight, move))
    for legs in flown.values():
        legs.sort(key=lambda leg: leg[1].departure)
    return flown


@pytest.mark.parametrize("first", [DAY, date(2026, 10, 23), date(2027, 3, 12), date(2027, 3, 26)])
def test_no_aircraft_is_in_two_places_at_once(world: World, first: date) -> None:
    """Not on ordinary days, nor when clocks change: legs join up, with time to turn round between them."""
    for registration, legs in chains(world, first, 4).items():
        for (before, landed), (after, left) in pairwise(legs):
            turn = left.departure - landed.arrival
            assert turn >= timedelta(minutes=before.service.line.type.turn_min), (registration, before.key)
            if landed.diverted_to is None:
                assert before.service.destination is after.service.origin, (
                    registration,
                    before.key,
                    after.key,
                )


def test_some_flights_are_late_and_few_are_cancelled(world: World) -> None:
    """About one in a hundred does not go."""
    flights = [f for n in range(4) for f in world.timetable.day(DAY + timedelta(days=n)).flights]
    moves = [(flight, world.movement(flight)) for flight in flights]
    cancelled = sum(move.cancelled_at is not None for _, move in moves) / len(moves)
    late = sum(move.departure - flight.departure > timedelta(minutes=15) for flight, move in moves) / len(
        moves
    )
    assert 0.003 < cancelled < 0.025
    assert 0.1 < late < 0.35
    assert any(move.diverted_to for _, move in moves)


def test_every_status_is_seen_in_the_middle_of_a_day(world: World) -> None:
    """All that can happen by itself happens."""
    seen = Counter(world.status(flight, NOON) for flight in world.timetable.day(DAY).flights)
    assert {"scheduled", "active", "landed", "cancelled"} <= seen.keys()


def test_the_future_is_not_known(world: World) -> None:
    """Days ahead a flight is on time and has no gate; afterwards it has actual times."""
    flight = next(
        f
        for f in world.timetable.day(DAY).flights
        if f.departure > NOON and not world.movement(f).cancelled_at
    )
    before = world.observe(flight, flight.departure - timedelta(days=3))
    after = world.observe(flight, world.movement(flight).arrival + timedelta(hours=1))
    assert (before.status, before.departure_delay, before.departure_gate) == ("scheduled", None, None)
    assert before.estimated_departure == flight.departure
    assert before.actual_departure is None
    assert after.actual_departure == world.movement(flight).departure


def test_a_delay_reaches_later_legs_of_the_same_aircraft(scenario: World) -> None:
    """What the turn-round cannot absorb is handed on."""
    line = next(
        line for line in scenario.lines if len(line.services) >= 4 and line.services[0].weekdays == 127
    )
    first, second = (
        next(f for f in scenario.timetable.departures(s.origin.iata, DAY) if f.service is s)
        for s in line.services[:2]
    )
    scenario.change(first, Change(NOON, status="scheduled", departure_delay=240))
    ready = scenario.movement(first).arrival + timedelta(minutes=line.type.turn_min)
    assert scenario.movement(second).departure >= ready > second.departure


def test_an_aircraft_in_the_air_is_on_its_way(world: World) -> None:
    """Halfway in time it is between the airports, high and fast; on the ground it has no position."""
    flight = next(f for f in world.timetable.departures("JFK", DAY) if f.service.destination.iata == "LHR")
    move = world.movement(flight)
    place = world.position(flight, move.departure + (move.arrival - move.departure) / 2)
    assert place is not None
    assert -74 < place.longitude < 0
    assert place.latitude > 45
    assert place.altitude > 10_000
    assert 200 < place.speed < 270
    assert world.position(flight, move.departure - timedelta(minutes=1)) is None
