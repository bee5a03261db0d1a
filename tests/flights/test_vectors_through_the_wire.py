"""Flights made in UTC, published by the vendor as false local times, must come out of our API as they were made."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.airports.service import directory
from app.flights import schedule
from app.flights.times import local
from tests.flights.support import at, clock_change, segments
from tests.support.client import Answer, Client, Sandbox, in_days, iso

# Departure and block time; the landing follows.
WINTER = [
    ("AKL", "20:00", "LAX", 735),
    ("LAX", "23:00", "AKL", 780),
    ("APW", "08:00", "PPG", 50),
    ("NRT", "23:40", "HNL", 445),
]
PAST = [
    ("AKL", "2026-11-10T20:00:00+13:00", "LAX", "2026-11-10T11:15:00-08:00"),
    ("LAX", "2026-11-10T23:00:00-08:00", "AKL", "2026-11-12T09:00:00+13:00"),
    ("APW", "2026-11-10T08:00:00+13:00", "PPG", "2026-11-09T08:50:00-11:00"),
    ("NRT", "2026-11-10T23:40:00+09:00", "HNL", "2026-11-10T12:05:00-10:00"),
    ("LHR", "2026-10-25T00:30:00+01:00", "MAD", "2026-10-25T03:15:00+01:00"),
    ("LHR", "2026-03-29T00:30:00+00:00", "MAD", "2026-03-29T04:15:00+02:00"),
]
FORMATS = ["YYYY-MM-DD HH:MM:SS", "HH:MM"]


def assert_true(answer: Answer, number: str, departs: datetime, arrives: datetime) -> dict[str, Any]:
    """The offer's times are the instants, shown in the airports' own time, with everything that follows."""
    segment = segments(answer)[number]
    for name, instant, side in (("departing_at", departs, "origin"), ("arriving_at", arrives, "destination")):
        zone = directory().find(segment[side]["iata"]).zone
        assert segment[name] == local(instant, zone).isoformat()
        assert segment[side]["time_zone"] == zone.key
    block = int((arrives - departs).total_seconds()) // 60
    hours = f"{block // 60}H" if block >= 60 else ""
    minutes = f"{block % 60}M" if block % 60 else ""
    assert segment["duration"] == f"PT{hours}{minutes}"
    slices = [offer["slices"][0] for offer in answer.body["data"]]
    found: dict[str, Any] = next(s for s in slices if s["segments"][0]["flight_number"] == number)
    assert found["duration"] == segment["duration"]
    return found


@pytest.mark.parametrize("time_format", FORMATS)
@pytest.mark.parametrize(("origin", "clock", "destination", "block"), WINTER)
async def test_searches_find_the_instants_across_the_date_line(
    api: Client, sandbox: Sandbox, origin: str, clock: str, destination: str, block: int, time_format: str
) -> None:
    """Whether the vendor sends dates or not."""
    day = in_days(61 + FORMATS.index(time_format))
    departs = at(origin, day, clock)
    arrives = departs + timedelta(minutes=block)
    await sandbox.control("POST", "/settings", {"time_format": time_format})
    await sandbox.flight(origin, destination, departs, arrives, number="9801")

    answer = await api.search(origin, destination, day, limit=100)

    found = assert_true(answer, "ZZ9801", departs, arrives)
    landing = local(arrives, directory().find(destination).zone).date()
    assert found["arrival_day_offset"] == (landing - day).days
    expected = {"APW": -1, "AKL": 0, "LAX": 2}
    assert found["arrival_day_offset"] == expected.get(origin, found["arrival_day_offset"])


@pytest.mark.parametrize("time_format", FORMATS)
@pytest.mark.parametrize("forward", [True, False])
async def test_searches_find_the_instants_while_clocks_change(
    api: Client, sandbox: Sandbox, forward: bool, time_format: str
) -> None:
    """London to Madrid in the night of the change; one format each way, as a board is fetched once."""
    day = clock_change("Europe/London", forward=forward)
    if day > in_days(355):
        pytest.skip("the next change is too far ahead to be sold")
    origin, destination = ("STN", "MAD") if time_format == "HH:MM" else ("BFS", "MAD")
    await sandbox.control("POST", "/settings", {"time_format": time_format})
    departs = at(origin, day, "00:30")
    arrives = departs + timedelta(hours=2, minutes=15)
    await sandbox.flight(origin, destination, departs, arrives, number="9802")

    answer = await api.search(origin, destination, day, limit=100)

    found = assert_true(answer, "ZZ9802", departs, arrives)
    shown = found["segments"][0]["arriving_at"]
    assert shown[11:] == ("04:45:00+02:00" if forward else "02:45:00+01:00")


@pytest.mark.parametrize(("origin", "departs", "destination", "arrives"), PAST)
async def test_the_vectors_on_their_own_days(
    api: Client, sandbox: Sandbox, origin: str, departs: str, destination: str, arrives: str
) -> None:
    """Through today's endpoint, with its false offsets, while the vendor's clock reads that day."""
    leaving, landing = datetime.fromisoformat(departs), datetime.fromisoformat(arrives)
    await sandbox.flight(origin, destination, leaving, landing, number="9803")
    await sandbox.control("POST", "/clock", {"now": iso(leaving)})

    await schedule.refresh(origin, leaving.date())

    flight = (await api.get(f"/flights/ZZ9803-{leaving:%Y%m%d}-{origin}")).body
    assert flight["departure"]["scheduled_at"] == departs
    assert flight["arrival"]["scheduled_at"] == arrives
    assert flight["status"] == "departed"


async def test_every_flight_of_a_day_is_what_the_world_says(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """A whole board of a hub on an island in the middle of the date line's ocean, flight by flight."""
    day = in_days(64)
    await api.search("APW", "AKL", day)

    stored = await sql(
        "SELECT carrier || number AS flight, departs_at, arrives_at, destination FROM flights"
        " WHERE origin = 'APW' AND departure_date = :day",
        day=day,
    )
    known = (await sandbox.control("GET", f"/flights?origin=APW&date={day}"))["flights"]
    assert known
    assert {(f["flight"], iso(f["departs_at"]), iso(f["arrives_at"]), f["destination"]) for f in stored} == {
        (f["flight"], f["departure"], f["arrival"], f["destination"]) for f in known
    }


async def test_a_flights_identity_is_its_local_date(api: Client, sandbox: Sandbox) -> None:
    """Shortly after midnight in Apia it is still yesterday in UTC."""
    day: date = in_days(65)
    departs = at("APW", day, "00:20")
    await sandbox.flight("APW", "PPG", departs, departs + timedelta(minutes=45), number="9804")

    answer = await api.search("APW", "PPG", day)

    assert departs.date() < day
    assert segments(answer)["ZZ9804"]["flight_id"] == f"ZZ9804-{day:%Y%m%d}-APW"
