"""Tracks of single aircraft, and flights that are over."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.conftest import NOON, Client

NOW = int(NOON.timestamp())
TODAY = NOW - NOW % 86_400
HOUR, DAY = 3600, 86_400
LEAVES, LANDS = "2026-11-25T09:00:00Z", "2026-11-25T16:00:00Z"


async def test_a_track_leads_from_the_gate_to_here(client: Client) -> None:
    """Latitude first, in order, on the ground only where it began, with gaps where nobody listens."""
    made = await client.inject("777", "LHR-JFK", LEAVES, LANDS)
    address = made["icao24"].lower()
    track = (await client.sky("tracks/all", icao24=address, time=0)).json
    assert list(track) == ["icao24", "callsign", "startTime", "endTime", "path"]
    assert (track["icao24"], track["callsign"]) == (address, "ZQS777  ")
    path = track["path"]
    times = [point[0] for point in path]
    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (track["startTime"], track["endTime"])
    assert times[0] == NOW - 3 * HOUR
    assert times[-1] < NOW - HOUR / 2
    assert [point[5] for point in path] == [True] + [False] * (len(path) - 1)
    assert (round(path[0][1], 1), round(path[0][2], 1)) == (51.5, -0.5)
    assert max(later - earlier for earlier, later in pairwise(times)) <= 300
    await client.switch(coverage="everywhere", track_callsign_key="calllsign")
    whole = (await client.sky("tracks/all", icao24=address, time=0)).json
    assert (whole["calllsign"], NOW <= whole["endTime"] <= NOW + 60) == ("ZQS777  ", True)


@pytest.mark.parametrize("path", ["tracks", "tracks/", "tracks/all"])
async def test_all_spellings_of_the_path_work(client: Client, path: str) -> None:
    """As do a time in the past and none at all."""
    made = await client.inject("777", "LHR-MAD", "2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z")
    address = made["icao24"].lower()
    past = await client.sky(path, icao24=address, time=NOW - DAY - 2 * HOUR)
    assert (past.status, past.json["endTime"]) == (200, NOW - DAY - HOUR - 1)
    assert (await client.sky(path, icao24=address)).status == 404


async def test_there_is_no_track_of_an_aircraft_that_does_not_fly(client: Client) -> None:
    """Nothing, with nothing said; a question that cannot be understood is another matter."""
    made = await client.inject("777", "LHR-MAD", "2026-11-25T14:00:00Z", "2026-11-25T16:00:00Z")
    for address in (made["icao24"].lower(), "000000"):
        reply = await client.sky("tracks/all", icao24=address, time=0)
        assert (reply.status, reply.body) == (404, b"")
    assert (await client.sky("tracks/all", time=0)).status == 400
    assert (await client.sky("tracks/all", icao24="000000", time=NOW - 31 * DAY)).status == 400


async def test_flights_are_what_was_flown(client: Client) -> None:
    """Yesterday's, with airports as the vendor guesses them."""
    made = await client.inject("777", "LHR-MAD", "2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z")
    asked = {"begin": TODAY - DAY, "end": TODAY - 1}
    address = made["icao24"].lower()
    [flight] = (await client.sky("flights/aircraft", icao24=address, **asked)).json
    assert (flight["estDepartureAirport"], flight["estArrivalAirport"]) == ("EGLL", "LEMD")
    assert (flight["icao24"], flight["callsign"]) == (address, "ZQS777  ")
    assert 0 <= flight["firstSeen"] - (TODAY - DAY + 9 * HOUR) < 90
    assert 0 <= (TODAY - DAY + 11 * HOUR) - flight["lastSeen"] < 70
    for kind, code in (("departure", "EGLL"), ("arrival", "lemd")):
        assert flight in (await client.sky(f"flights/{kind}", airport=code, **asked)).json
    interval = {"begin": TODAY - DAY + 10 * HOUR, "end": TODAY - DAY + 12 * HOUR}
    assert flight in (await client.sky("flights/all", **interval)).json


async def test_not_everything_can_be_guessed(client: Client) -> None:
    """Some flights have no airport at one end, and then no distance from it."""
    asked = {"begin": TODAY - DAY, "end": TODAY - DAY + 2 * HOUR}
    flights: list[dict[str, Any]] = (await client.sky("flights/all", **asked)).json
    lost = [flight for flight in flights if flight["estArrivalAirport"] is None]
    assert 0 < len(lost) < len(flights) / 5
    assert {flight["estArrivalAirportHorizDistance"] for flight in lost} == {None}
    assert {flight["arrivalAirportCandidatesCount"] for flight in lost} == {0}


async def test_todays_flights_are_known_tomorrow(client: Client) -> None:
    """Except to `/flights/all`; what nobody knows is 404 without a word."""
    made = await client.inject("777", "LHR-MAD", "2026-11-25T09:00:00Z", "2026-11-25T11:00:00Z")
    asked = {"icao24": made["icao24"].lower(), "begin": TODAY, "end": TODAY + 12 * HOUR}
    unknown = await client.sky("flights/aircraft", **asked)
    assert (unknown.status, unknown.body) == (404, b"")
    recent = await client.sky("flights/all", begin=NOW - 2 * HOUR, end=NOW)
    assert "ZQS777  " in [flight["callsign"] for flight in recent.json]
    assert all(flight["lastSeen"] <= NOW + 60 for flight in recent.json)
    await client.control("POST", "/clock", {"advance_seconds": 12 * HOUR})
    assert (await client.sky("flights/aircraft", **asked)).status == 200


async def test_flights_agree_with_the_timetable(client: Client) -> None:
    """Every departure from an airport is there, save cancelled ones and those that nobody could place."""
    truth = await client.control("GET", "/flights?origin=CPH&date=2026-11-23")
    flown = {
        flight["icao24"].lower(): flight["callsign"]
        for flight in truth["flights"]
        if not flight["cancelled_at"]
    }
    begin = int(datetime(2026, 11, 22, 23, tzinfo=UTC).timestamp())
    found = (await client.sky("flights/departure", airport="EKCH", begin=begin, end=begin + DAY)).json
    matched = [flight for flight in found if flight["icao24"] in flown]
    assert len(found) > 20
    assert len(matched) >= len(found) - 2


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("all", {"begin": NOW - 2 * HOUR - 1, "end": NOW}, 400),
        ("all", {"begin": NOW, "end": NOW - 1}, 400),
        ("all", {"begin": NOW}, 400),
        ("all", {"begin": "x", "end": NOW}, 400),
        ("aircraft", {"icao24": "000000", "begin": NOW - 2 * DAY, "end": NOW}, 404),
        ("aircraft", {"icao24": "000000", "begin": NOW - 2 * DAY - 1, "end": NOW}, 400),
        ("aircraft", {"begin": NOW - DAY, "end": NOW}, 400),
        ("arrival", {"airport": "QQQQ", "begin": NOW - DAY, "end": NOW}, 404),
        ("arrival", {"airport": "EGLL", "begin": NOW - 2 * DAY, "end": NOW}, 400),
        ("departure", {"airport": "EGLL", "begin": NOW - 2 * DAY, "end": NOW}, 400),
        ("departure", {"begin": NOW - DAY, "end": NOW}, 400),
    ],
)
async def test_intervals_have_limits(client: Client, path: str, asked: dict[str, Any], status: int) -> None:
    """Two hours for everybody, two days for one aircraft, two dates for an airport."""
    reply = await client.sky(f"flights/{path}", **asked)
    assert (reply.status, bool(reply.body)) == (status, status == 400)
