"""What a flight leg record says: its days, its times, and which legs bring no flight that is sold."""

from datetime import timedelta
from typing import Any

import pytest

from app.schedules.legs import PassedOver, Window, dated
from tests.schedules.support import Ssim, codes, entries, legs, one_leg, weekday
from tests.support.client import in_days

WINDOW = Window(in_days(-1), in_days(361))

REFUSED = [
    ({"number": "0000"}, "bad_number"),
    ({"number": "12X4"}, "bad_number"),
    ({"suffix": "7"}, "bad_number"),
    ({"origin": "QQQ"}, "unknown_airport"),
    ({"destination": "B0O"}, "bad_airport"),
    ({"destination": "OSL"}, "same_airport"),
    ({"departs": "2460"}, "bad_time"),
    ({"arrives": "24 0"}, "bad_time"),
    ({"passengers_depart": "9900"}, "bad_time"),
    ({"days": " 2 4 6 ", "last": in_days(9)}, "period_reversed"),
    ({"days": "       "}, "no_operating_day"),
    ({"days": weekday(in_days(13)), "last": in_days(12)}, "no_operating_day"),
    ({"days": "1X34567"}, "bad_days"),
    ({"days": "7654321"}, "bad_days"),
    ({"rate": "3"}, "bad_frequency"),
    ({"terminals": ("!", "")}, "bad_terminal"),
    ({"aircraft": "7?7"}, "bad_aircraft"),
    ({"date_variation": "0X"}, "bad_date_variation"),
    ({"date_variation": "09"}, "bad_date_variation"),
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_what_cannot_be_is_refused_by_name(wrong: dict[str, Any], code: str) -> None:
    """One code for each kind of mistake."""
    assert codes("ssim", one_leg(**wrong)) == {3: code}


@pytest.mark.parametrize("text", ["31FEB27", "1JAN027", "01jan27", "00XXX00", "       "])
def test_a_period_begins_on_a_date(text: str) -> None:
    """Which exists, and is written as the manual has it."""
    record = one_leg().split(b"\n")
    record[2] = record[2][:14] + text.encode() + record[2][21:]

    assert codes("ssim", b"\n".join(record)) == {3: "bad_date"}


def test_a_period_may_have_no_end() -> None:
    """Then it lasts as long as flights are sold."""
    [found] = legs("ssim", one_leg(first=in_days(300), last=None))

    flights = dated(found, WINDOW)
    assert found.last is None
    assert len(flights) == 62
    assert flights[-1].departure.scheduled
    assert flights[-1].departure.scheduled.date() == in_days(361)


def readings(mode: str = "L", **more: Any) -> list[tuple[str, str]]:
    """What the clocks at both ends show, for the leg's first flight, as days from its period's beginning."""
    [found] = legs("ssim", one_leg(mode, **more))
    flight = dated(found, WINDOW)[0]
    return [
        (f"{(one.scheduled.date() - found.first).days:+}", f"{one.scheduled:%H:%M}")
        for one in (flight.departure, flight.arrival)
        if one.scheduled
    ]


OVERNIGHT = {"origin": "JFK", "destination": "LHR", "departs": "2200", "arrives": "1000"}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"date_variation": "01", **OVERNIGHT}, [("+0", "22:00"), ("+1", "10:00")]),
        ({"date_variation": "11", "departs": "0030", "arrives": "0125"}, [("+1", "00:30"), ("+1", "01:25")]),
        (
            {"origin": "HND", "destination": "LAX", "date_variation": "0A", "departs": "0015", "arrives": "1720"},
            [("+0", "00:15"), ("-1", "17:20")],
        ),
        (
            {"origin": "HND", "destination": "LAX", "date_variation": "0J", "departs": "0015", "arrives": "1720"},
            [("+0", "00:15"), ("-1", "17:20")],
        ),
        ({"date_variation": "00", "departs": "2305", "arrives": "2400"}, [("+0", "23:05"), ("+1", "00:00")]),
        ({"date_variation": "01", "departs": "2305", "arrives": "2400"}, [("+0", "23:05"), ("+1", "00:00")]),
        ({"date_variation": "11", "departs": "2305", "arrives": "2400"}, [("+1", "23:05"), ("+2", "00:00")]),
    ],
)  # fmt: skip
def test_date_variations_count_from_the_day_of_operation(
    told: dict[str, Any], shown: list[tuple[str, str]]
) -> None:
    """Forward by digits, back by a letter; midnight at the end of a day is the next day's."""
    assert readings(**told) == shown


def test_without_date_variation_the_distance_tells_the_day_of_arrival() -> None:
    """Some carriers leave it blank."""
    [local] = legs("ssim", one_leg("L", date_variation="  ", **OVERNIGHT))
    assert local.arrival_day_known is False
    assert dated(local, WINDOW)[0].arrival.scheduled_time_only

    in_utc = OVERNIGHT | {"departs": "2300", "arrives": "0600", "offsets": ("-0500", "+0000")}
    [(_, departs), (day, arrives)] = readings("U", date_variation="  ", **in_utc)
    assert (departs, arrives) in {("18:00", "06:00"), ("19:00", "07:00"), ("19:00", "06:00")}
    assert day == "+1"


def test_passengers_times_are_those_that_are_kept() -> None:
    """They may be before the aircraft's, across midnight too; where there are none, the aircraft's count."""
    early = {"passengers_depart": "2355", "departs": "0010", "arrives": "0105", "passengers_arrive": "0115"}

    assert readings(**early) == [("-1", "23:55"), ("+0", "01:15")]
    assert readings(passengers_depart="    ", passengers_arrive="    ") == [("+0", "10:00"), ("+0", "10:55")]


@pytest.mark.parametrize("service", list("JSUQGBR"))
def test_scheduled_passenger_flights_are_read(service: str) -> None:
    """Whatever their kind."""
    assert len(legs("ssim", one_leg(service=service))) == 1


@pytest.mark.parametrize(
    ("told", "reason"),
    [({"service": one}, "not_for_passengers") for one in "FCPHMVX"]
    + [({"aircraft": one}, "not_by_air") for one in ("BUS", "TRN")],
)
def test_what_is_not_sold_is_passed_over(told: dict[str, str], reason: str) -> None:
    """It is no mistake of the file."""
    assert entries("ssim", one_leg(**told)) == [PassedOver(3, reason)]


def itinerary(second: dict[str, Any]) -> bytes:
    """Bergen to Oslo before midnight, and on to Trondheim after it."""
    common = {"number": "7", "variation": 3, "days": weekday(in_days(10)), "first": in_days(10)}
    made = Ssim().header().carrier()
    made.leg(
        **common,
        origin="BGO",
        destination="OSL",
        departs="2200",
        arrives="2255",
        sequence=1,
        last=in_days(24),
    )
    told = {**common, "last": in_days(24), "date_variation": "11", **second}
    made.leg(origin="OSL", destination="TRD", departs="0010", arrives="0105", sequence=2, **told)
    return made.trailer().encoded()


@pytest.mark.parametrize(
    "second",
    [
        {},
        {"first": in_days(11), "last": in_days(25), "days": weekday(in_days(11))},
    ],
    ids=["as the first leg's", "moved by a day"],
)
def test_a_later_leg_leaves_when_the_first_has_landed(second: dict[str, Any]) -> None:
    """Whether its period is the first leg's, as the manual has it, or already its own."""
    first, later = (dated(leg, WINDOW) for leg in legs("ssim", itinerary(second)))

    landings = [flight.arrival.scheduled for flight in first]
    departures = [flight.departure.scheduled for flight in later]
    assert len(landings) == len(departures) == 3
    for landing, departure in zip(landings, departures, strict=True):
        assert landing
        assert departure
        assert departure - landing == timedelta(hours=1, minutes=15)


def test_a_later_leg_alone_counts_from_the_itinerarys_day() -> None:
    """Its first leg may have been refused, or be another carrier's."""
    assert readings(sequence=2, date_variation="11", departs="0030", arrives="0125")[0] == ("+1", "00:30")
