"""Clock changes and the date line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sandbox.world.times import instant, parse, wall, zone
from sandbox.world.world import World

NEW_YORK = zone("America/New_York")


def test_a_reading_that_does_not_exist_moves_forward() -> None:
    """02:30 on the night when New York skips from 02:00 to 03:00 becomes 03:30."""
    moment = instant(date(2027, 3, 14), 150, NEW_YORK)
    assert moment == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert wall(moment, NEW_YORK) == datetime(2027, 3, 14, 3, 30)  # noqa: DTZ001


def test_a_reading_that_comes_twice_is_the_first() -> None:
    """01:30 on the night when New York goes back is still in daylight saving time."""
    assert instant(date(2026, 11, 1), 90, NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_an_instant_without_an_offset_is_refused() -> None:
    """Nobody knows what it means."""
    with pytest.raises(ValueError, match="offset"):
        parse("2026-11-25T12:00:00")


def test_block_time_does_not_change_with_the_clocks(world: World) -> None:
    """The night flight from London takes as long on the nights when clocks change, only its arrival moves."""
    arrivals = {}
    for day in (date(2026, 10, 24), date(2026, 10, 25), date(2027, 3, 28)):
        flight = next(f for f in world.timetable.departures("LHR", day) if f.service.name == "ZZ461")
        assert (flight.arrival - flight.departure).total_seconds() == 135 * 60
        arrivals[day.isoformat()] = wall(flight.arrival, flight.service.destination.zone).strftime("%H:%M")
    assert arrivals == {"2026-10-24": "03:45", "2026-10-25": "02:45", "2027-03-28": "04:45"}


def test_an_arrival_may_be_on_the_day_before_the_departure(world: World) -> None:
    """Apia is a calendar day ahead of Pago Pago."""
    flight = next(
        f for f in world.timetable.departures("APW", date(2026, 11, 25)) if f.service.number == "991"
    )
    assert flight.arrival_date == date(2026, 11, 24)
    assert flight in world.timetable.arrivals("PPG", date(2026, 11, 24))
