"""Periods, days of operation and frequencies become dates, in local time and in UTC, across clock changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flights import times
from app.providers.base import FlightRecord
from app.schedules.legs import FlightLeg, Refused, Window, dated
from tests.flights.support import clock_change
from tests.schedules.support import entries, legs, one_leg, row, table
from tests.support.client import in_days

WINDOW = Window(in_days(-1), in_days(361))
OSLO, DAY = ZoneInfo("Europe/Oslo"), timedelta(days=1)

patterns = st.fixed_dictionaries(
    {
        "first": st.integers(-400, 400).map(in_days),
        "length": st.one_of(st.integers(0, 30), st.integers(0, 400)),
        "days": st.sets(st.sampled_from("1234567"), min_size=1),
        "rate": st.sampled_from(" 12"),
        "departs": st.integers(0, 22 * 60 + 50),
        "moved": st.sampled_from([0, 1, -1, 2]),
        "mode": st.sampled_from("LU"),
    }
)


def enumerated(told: dict[str, Any], last: date) -> set[datetime]:
    """The departures by Oslo's clocks, day by day, from what the words mean."""
    found = set()
    for number in range(-10, 375):
        day = in_days(number)
        weeks = (day - told["first"]).days // 7
        if not told["first"] <= day <= last or str(day.isoweekday()) not in told["days"]:
            continue
        if told["rate"] == "2" and weeks % 2:
            continue
        departure = datetime(day.year, day.month, day.day) + timedelta(days=told["moved"])  # noqa: DTZ001
        departure += timedelta(minutes=told["departs"])
        if told["mode"] == "U":
            departure = departure.replace(tzinfo=UTC).astimezone(OSLO).replace(tzinfo=None, fold=0)
        if WINDOW.first <= departure.date() <= WINDOW.last:
            found.add(departure)
    return found


def passed_over(reading: datetime) -> bool:
    """Whether Oslo's clocks never show it, but show when a flight of 55 minutes lands."""
    landing = reading + timedelta(minutes=55)
    return not shown_in_oslo(reading) and shown_in_oslo(landing)


def flown(leg: FlightLeg) -> list[FlightRecord] | None:
    """Its flights that are on sale; None where it is refused, as none of them could be flown."""
    try:
        return dated(leg, WINDOW)
    except Refused:
        return None


def shown_in_oslo(reading: datetime) -> bool:
    return reading.replace(tzinfo=OSLO).astimezone(UTC).astimezone(OSLO).replace(tzinfo=None) == reading


@settings(max_examples=300, deadline=None)
@given(patterns)
def test_expanding_is_enumerating(told: dict[str, Any]) -> None:
    """Whatever the period, the days, the frequency, the hour and the time it is in."""
    last = told["first"] + timedelta(days=told["length"])
    clock = [f"{minutes // 60:02}{minutes % 60:02}" for minutes in (told["departs"], told["departs"] + 55)]
    variation = {0: "0", 1: "1", 2: "2", -1: "A"}[told["moved"]] * 2
    days = "".join(digit if digit in told["days"] else " " for digit in "1234567")
    content = one_leg(
        told["mode"],
        first=told["first"],
        last=last,
        days=days,
        rate=told["rate"],
        departs=clock[0],
        arrives=clock[1],
        date_variation=variation,
    )

    [read] = entries("ssim", content)
    expected = enumerated(told, last)

    found = flown(read) if isinstance(read, FlightLeg) else []
    if expected and all(map(passed_over, expected)):
        assert found is None
        return
    assert found is not None
    assert {flight.departure.scheduled for flight in found} == expected
    assert len(found) == len({flight.departure.scheduled for flight in found})


@settings(max_examples=100, deadline=None)
@given(patterns)
def test_both_formats_mean_the_same(told: dict[str, Any]) -> None:
    """What can be said in both."""
    last = told["first"] + timedelta(days=told["length"])
    hours, minutes = divmod(told["departs"], 60)
    later = divmod(told["departs"] + 55, 60)
    days = "".join(digit if digit in told["days"] else " " for digit in "1234567")
    record = one_leg(
        first=told["first"],
        last=last,
        days=days,
        departs=f"{hours:02}{minutes:02}",
        arrives=f"{later[0]:02}{later[1]:02}",
        offsets=("     ", "     "),
    )
    line = row(
        **{"from": told["first"], "to": last, "days": days.replace(" ", ".")},
        departs=f"{hours:02}:{minutes:02}",
        arrives=f"{later[0]:02}:{later[1]:02}",
    )

    [one], [other] = entries("ssim", record), entries("csv", table(line))

    if not isinstance(one, FlightLeg) or not isinstance(other, FlightLeg):
        assert type(one) is type(other)
    else:
        assert flown(one) == flown(other)


def around(day: date) -> Window:
    return Window(day - timedelta(days=3), day + timedelta(days=3))


def instants(mode: str, day: date, **more: Any) -> list[datetime]:
    """When the flights of three days leave, as they are stored; clocks may change beyond what is on sale today."""
    [leg] = legs("ssim", one_leg(mode, first=day - timedelta(days=1), last=day + timedelta(days=1), **more))
    found = []
    for flight in dated(leg, around(day)):
        kept = times.leg(leg.origin, leg.destination, flight.departure, flight.arrival)
        assert kept
        found.append(kept.departs_at)
    return found


def hours_of(found: list[datetime]) -> list[str]:
    return [f"{one:%H:%M}" for one in found]


def test_local_times_stay_on_the_clock_when_it_changes() -> None:
    """So the instants move."""
    forward, back = clock_change("Europe/Oslo", forward=True), clock_change("Europe/Oslo", forward=False)

    assert hours_of(instants("L", forward)) == ["09:00", "08:00", "08:00"]
    assert hours_of(instants("L", back)) == ["08:00", "09:00", "09:00"]


@pytest.mark.parametrize("before", [0, 1])
def test_a_day_without_such_a_time_spoils_no_other(before: int) -> None:
    """Neither as the first nor as the last of those that are on sale; a leg that has only such days is refused."""
    day = clock_change("Europe/Oslo", forward=True)
    [leg] = legs("ssim", one_leg(first=day - 4 * DAY, last=day + 4 * DAY, departs="0205", arrives="0300"))
    there = Window(day - 3 * DAY * before, day + 3 * DAY * (1 - before))

    assert len(dated(leg, there)) == 4
    with pytest.raises(Refused):
        dated(leg, Window(day, day))


def test_utc_times_stay_when_the_clock_changes() -> None:
    """So the clock shows another time."""
    forward = clock_change("Europe/Oslo", forward=True)
    [leg] = legs("ssim", one_leg("U", first=forward - timedelta(days=1), last=forward + timedelta(days=1)))

    assert hours_of(instants("U", forward)) == ["10:00", "10:00", "10:00"]
    clock = [
        flight.departure.scheduled for flight in dated(leg, around(forward)) if flight.departure.scheduled
    ]
    assert hours_of(clock) == ["11:00", "12:00", "12:00"]


def test_in_the_hour_that_is_repeated_utc_is_exact() -> None:
    """Both half past twos are told apart, whatever the flight's length would suggest."""
    back = clock_change("Europe/Oslo", forward=False)

    for departs, arrives in (("0030", "0125"), ("0130", "0225"), ("0030", "0155"), ("0130", "0255")):
        found = instants("U", back, departs=departs, arrives=arrives)
        assert {f"{one:%H%M}" for one in found} == {departs}


def test_in_the_hour_that_is_repeated_the_files_offset_decides() -> None:
    """Local time has the offset beside it."""
    back = clock_change("Europe/Oslo", forward=False)
    told = {"departs": "0230", "arrives": "0325"}

    _, winter, _ = instants("L", back, offsets=("+0100", "+0100"), **told)
    _, summer, _ = instants("L", back, offsets=("+0200", "+0100"), **told)

    assert hours_of([summer, winter]) == ["00:30", "01:30"]


def test_an_offset_that_the_airport_never_has_is_not_believed() -> None:
    """Elsewhere in the year nobody asks it."""
    day = in_days(30)

    assert instants("L", day, offsets=("+0900", "-0330")) == instants("L", day, offsets=("     ", "+0200"))
