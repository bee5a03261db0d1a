"""From clock readings at two airports to two instants, whatever the clocks do in between."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.airports.service import Airport, directory
from app.flights.times import Leg, instants, leg, local, usual_block
from app.providers.base import Movement

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
VECTORS = [
    ("AKL", "2026-11-10T20:00", "LAX", "2026-11-10T11:15", "12:15"),
    ("LAX", "2026-11-10T23:00", "AKL", "2026-11-12T09:00", "13:00"),
    ("APW", "2026-11-10T08:00", "PPG", "2026-11-09T08:50", "0:50"),
    ("NRT", "2026-11-10T23:40", "HNL", "2026-11-10T12:05", "7:25"),
    ("LHR", "2026-10-25T00:30", "MAD", "2026-10-25T03:15", "2:45"),
    ("LHR", "2026-03-29T00:30", "MAD", "2026-03-29T04:15", "1:45"),
]


@pytest.fixture(autouse=True, scope="module")
def airports(address: str) -> None:
    """The running application has read the airports."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return at(text).replace(tzinfo=UTC)


def read(origin: str, departs: str, destination: str, arrives: str, *, time_only: bool = False) -> Leg | None:
    """The leg of two readings; without dates, the provider names the day that was asked for on both ends."""
    landing = datetime.combine(at(departs).date(), at(arrives).time()) if time_only else at(arrives)
    return leg(
        directory().find(origin),
        directory().find(destination),
        Movement(origin, at(departs), scheduled_time_only=time_only),
        Movement(destination, landing, scheduled_time_only=time_only),
    )


@pytest.mark.parametrize("time_only", [False, True])
@pytest.mark.parametrize(("origin", "departs", "destination", "arrives", "block"), VECTORS)
def test_the_block_time_is_right_across_date_lines_and_clock_changes(
    origin: str, departs: str, destination: str, arrives: str, block: str, time_only: bool
) -> None:
    """The same with dates and without."""
    found = read(origin, departs, destination, arrives, time_only=time_only)

    assert found is not None
    hours, minutes = block.split(":")
    assert found.arrives_at - found.departs_at == timedelta(hours=int(hours), minutes=int(minutes))
    assert (found.departs_local, found.arrives_local) == (at(departs), at(arrives))
    assert local(found.departs_at, directory().find(origin).zone).replace(tzinfo=None) == at(departs)
    assert local(found.arrives_at, directory().find(destination).zone).replace(tzinfo=None) == at(arrives)


def test_an_ordinary_reading_is_one_instant() -> None:
    """Summer and winter."""
    assert instants(at("2026-07-01T12:00"), LONDON) == [utc("2026-07-01T11:00")]
    assert instants(at("2026-12-01T12:00"), LONDON) == [utc("2026-12-01T12:00")]


def test_a_skipped_reading_means_as_far_past_the_change_as_it_says() -> None:
    """01:30 does not exist that night; half an hour past one is 02:30 summer time."""
    assert instants(at("2026-03-29T01:30"), LONDON) == [utc("2026-03-29T01:30")]
    assert local(utc("2026-03-29T01:30"), LONDON).strftime("%H:%M") == "02:30"


def test_a_repeated_reading_can_mean_two_instants() -> None:
    """The earlier one first, an hour apart."""
    assert instants(at("2026-10-25T01:30"), LONDON) == [utc("2026-10-25T00:30"), utc("2026-10-25T01:30")]
    assert instants(at("2026-11-01T01:30"), NEW_YORK) == [utc("2026-11-01T05:30"), utc("2026-11-01T06:30")]


def test_the_edges_of_a_change_are_not_ambiguous() -> None:
    """The first minute after a gap, and the last before and the first after a repeated hour."""
    assert instants(at("2026-03-29T02:00"), LONDON) == [utc("2026-03-29T01:00")]
    assert instants(at("2026-10-25T00:59"), LONDON) == [utc("2026-10-24T23:59")]
    assert instants(at("2026-10-25T02:00"), LONDON) == [utc("2026-10-25T02:00")]


def test_half_hour_changes_are_known_too() -> None:
    """Lord Howe Island moves its clocks by thirty minutes."""
    found = instants(at("2026-04-05T01:45"), ZoneInfo("Australia/Lord_Howe"))

    assert [second - first for first, second in pairwise(found)] == [timedelta(minutes=30)]


@pytest.mark.parametrize(
    ("departs", "arrives", "departure"),
    [
        ("2026-10-25T01:30", "2026-10-25T03:00", "2026-10-25T01:30"),
        ("2026-10-25T01:30", "2026-10-25T02:05", "2026-10-25T00:30"),
    ],
)
def test_of_a_repeated_hour_the_saner_block_time_decides(departs: str, arrives: str, departure: str) -> None:
    """London to Edinburgh takes an hour and a bit, not two and a half, and not five minutes."""
    found = read("LHR", departs, "EDI", arrives)

    assert found is not None
    assert found.departs_at == utc(departure)


def test_a_landing_in_a_repeated_hour_is_decided_the_same_way() -> None:
    """Dublin to London at 00:20 lands at 01:40, the first of the two."""
    found = read("DUB", "2026-10-25T00:20", "LHR", "2026-10-25T01:40")

    assert found is not None
    assert found.arrives_at - found.departs_at == timedelta(hours=1, minutes=20)


@pytest.mark.parametrize(
    ("origin", "departs", "destination", "arrives"),
    [
        ("LHR", "2026-12-01T10:00", "MAD", "2026-12-01T10:00"),
        ("LHR", "2026-12-01T10:00", "MAD", "2026-12-01T11:00"),
        ("LHR", "2026-12-01T10:00", "MAD", "2026-12-03T10:00"),
        ("LHR", "2026-12-01T10:00", "MAD", "2026-11-30T13:00"),
    ],
)
def test_times_that_cannot_be_are_no_leg(origin: str, departs: str, destination: str, arrives: str) -> None:
    """Landing before or at departure, or after more than any aircraft flies."""
    assert read(origin, departs, destination, arrives) is None


def test_a_missing_time_is_no_leg() -> None:
    """On either end."""
    london, madrid = directory().find("LHR"), directory().find("MAD")
    known, unknown = Movement("LHR", at("2026-12-01T10:00")), Movement("MAD", None)

    assert leg(london, madrid, known, unknown) is None
    assert leg(madrid, london, unknown, known) is None


def test_overnight_without_dates_lands_on_the_next_day() -> None:
    """Dublin to Athens, 23:40 to 05:35."""
    found = read("DUB", "2026-11-29T23:40", "ATH", "2026-11-30T05:35", time_only=True)

    assert found is not None
    assert found.arrives_local == at("2026-11-30T05:35")


def pairs() -> st.SearchStrategy[tuple[Airport, Airport]]:
    """Two airports that a jet can fly between."""
    airport = st.deferred(lambda: st.sampled_from(sorted(directory().by_iata)).map(directory().find))
    return st.tuples(airport, airport).filter(
        lambda two: two[0] is not two[1] and usual_block(*two) < timedelta(hours=15)
    )


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001  Made aware below.
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)


@given(pairs(), moments, st.integers(80, 140), st.booleans())
def test_readings_lead_back_to_the_instants_they_were_made_of(
    two: tuple[Airport, Airport], departs_at: datetime, percent: int, time_only: bool
) -> None:
    """Between any airports, on any day; inside repeated hours the choice is at least as sane as the truth."""
    origin, destination = two
    usual = usual_block(origin, destination)
    arrives_at = departs_at + timedelta(minutes=usual.total_seconds() * percent // 6000)
    departs = local(departs_at, origin.zone).replace(tzinfo=None)
    arrives = local(arrives_at, destination.zone).replace(tzinfo=None)
    assume(-1 <= (arrives.date() - departs.date()).days <= 2)

    landing = datetime.combine(departs.date(), arrives.time()) if time_only else arrives
    found = leg(
        origin,
        destination,
        Movement(origin.iata, departs),
        Movement(destination.iata, landing, scheduled_time_only=time_only),
    )

    assert found is not None
    ambiguous = len(instants(departs, origin.zone)) + len(instants(arrives, destination.zone)) > 2
    if ambiguous:
        assert abs(found.arrives_at - found.departs_at - usual) <= abs(arrives_at - departs_at - usual)
    else:
        assert (found.departs_at, found.arrives_at) == (departs_at, arrives_at)
    assert (found.departs_local, found.arrives_local) == (departs, arrives)


@given(
    st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 1439), st.sampled_from([LONDON, NEW_YORK])
)
def test_every_reading_has_an_instant(day: date, minute: int, zone: ZoneInfo) -> None:
    """One, or two in order; showing it again gives the reading, except inside a gap."""
    reading = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    found = instants(reading, zone)

    assert found == sorted(found)
    shown = {local(instant, zone).replace(tzinfo=None) for instant in found}
    assert shown == {reading} or shown == {reading + timedelta(hours=1)}
