"""`GET /flights/track/{identifier}`: one flight, how it was found, and what is not known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.config import settings
from app.live import lookup
from sandbox.chance import one_in
from tests.live.support import Sky, km, know
from tests.support.client import Client

FIELDS = {
    "identifier",
    "matched_by",
    "confidence",
    "flight",
    "position",
    "progress_percent",
    "track",
    "meta",
}
POSITION = {
    "latitude",
    "longitude",
    "altitude_m",
    "ground_speed_mps",
    "heading_deg",
    "observed_at",
    "estimated",
}


async def tracked(api: Client, identifier: str) -> dict[str, Any]:
    answer = await api.get(f"/flights/track/{identifier}")
    assert answer.status == 200, answer.body
    assert answer.body.keys() == FIELDS
    assert answer.body["position"] is None or answer.body["position"].keys() == POSITION
    found: dict[str, Any] = answer.body
    return found


async def test_a_flight_is_where_it_really_is(api: Client, sky: Sky, sql: Any) -> None:
    """With the flight itself, how far it has come, and the way; 771 has a callsign that follows from it."""
    flight = await sky.airborne(number="771")
    await know(sql, flight)

    found = await tracked(api, flight["flight"])

    [truth] = await sky.truth(flight["icao24"])
    assert km(found["position"], truth) < 3
    assert found["position"]["estimated"] is False
    assert (found["matched_by"], found["confidence"]) == ("icao24", 0.98)
    assert found["flight"]["flight_number"] == flight["flight"]
    assert 48 <= found["progress_percent"] <= 54
    assert [len(point) for point in found["track"]] == [4] * len(found["track"])
    assert found["meta"]["source"] == "opensky"


@pytest.mark.parametrize("written", ["ZZ{n}", "zz{n}", "ZQS{n}", "ZZ0{n}", "ZZ%20{n}", "zz-{n}"])
async def test_a_number_may_be_written_in_many_ways(api: Client, sky: Sky, sql: Any, written: str) -> None:
    flight = await sky.airborne(number="771")
    await know(sql, flight)

    answer = await api.session.get(f"{api.base}/flights/track/{written.format(n=flight['number'])}")

    found = await answer.json()
    assert found["flight"]["flight_number"] == "ZZ771"
    assert found["position"]["estimated"] is False


async def test_a_marketing_number_means_the_flight_that_is_flown(api: Client, sky: Sky, sql: Any) -> None:
    flight = await sky.airborne()
    await know(sql, flight, codeshares=["X0741"])

    found = await tracked(api, "X0741")

    assert found["flight"]["flight_number"] == flight["flight"]
    assert found["position"]["estimated"] is False


async def test_an_address_finds_its_aircraft(api: Client, sky: Sky, sql: Any) -> None:
    """In capitals or not; with the flight, if that is known."""
    flight = await sky.airborne()
    unknown = await tracked(api, flight["icao24"])
    assert (unknown["matched_by"], unknown["confidence"], unknown["flight"]) == ("icao24", 1.0, None)
    assert unknown["progress_percent"] is None
    await sky.forget()
    await know(sql, flight)

    known = await tracked(api, flight["icao24"].lower())

    assert known["flight"]["flight_number"] == flight["flight"]
    assert known["position"]["estimated"] is False


async def test_a_callsign_that_follows_from_nothing_finds_its_aircraft(
    api: Client, sky: Sky, sql: Any
) -> None:
    """The address leads on to the flight."""
    flight = await sky.airborne(callsign="ZQS4YT")
    await know(sql, flight)

    found = await tracked(api, "zqs4yt")

    assert (found["matched_by"], found["confidence"]) == ("callsign", 0.95)
    assert found["flight"]["flight_number"] == flight["flight"]
    by_number = await tracked(api, flight["flight"])
    assert (by_number["matched_by"], by_number["confidence"]) == ("icao24", 0.9)


async def test_a_callsign_of_two_aircraft_has_no_position(api: Client, sky: Sky) -> None:
    """Neither is taken for the other."""
    for minutes in (20, 60):
        await sky.airborne(callsign="TWIN1", icao24=f"40FFA{minutes // 20}", minutes=minutes)

    found = await tracked(api, "TWIN1")

    assert (found["position"], found["flight"], found["matched_by"]) == (None, None, "callsign")
    assert found["confidence"] < 0.5


async def test_a_number_of_two_aircraft_is_estimated(api: Client, sky: Sky, sql: Any) -> None:
    """Nobody can say which of them it is."""
    flights = [
        await sky.airborne(callsign="ZQS880", icao24=f"40FFB{n}", number=str(880 + n)) for n in range(2)
    ]
    await know(sql, flights[0], icao24=None)

    found = await tracked(api, "ZZ880")

    assert (found["matched_by"], found["position"]["estimated"]) == ("schedule", True)
    assert found["track"] == []


async def test_what_nobody_hears_is_estimated_and_says_so(api: Client, sky: Sky, sql: Any) -> None:
    """Over the sea there are no receivers. Height and speed stay unknown."""
    flight = await sky.airborne("AKL", "PPT", minutes=150, left=150)
    departed = datetime.fromisoformat(flight["departure"])
    await know(sql, flight, status="departed", actual=departed)

    found = await tracked(api, flight["flight"])

    [truth] = await sky.truth(flight["icao24"])
    position = found["position"]
    assert (position["estimated"], found["matched_by"], found["confidence"]) == (True, "schedule", 0.5)
    assert km(position, truth) < 100
    measures = ("altitude_m", "ground_speed_mps", "heading_deg")
    assert [position[name] for name in measures] == [None] * 3
    assert 48 <= found["progress_percent"] <= 52
    assert found["track"] == []


@pytest.mark.parametrize(
    ("minutes", "left", "status", "percent"),
    [
        (-120, 240, "scheduled", 0),
        (240, -120, "landed", 100),
        (60, 60, "cancelled", 0),
    ],
)
async def test_a_flight_on_the_ground_has_no_position(
    api: Client, sky: Sky, sql: Any, minutes: int, left: int, status: str, percent: int
) -> None:
    """Nor is one made up, and nobody is asked for one."""
    flight = await sky.airborne(minutes=minutes, left=left)
    await know(sql, flight, status=status)

    found = await tracked(api, flight["flight"])

    assert (found["position"], found["matched_by"], found["confidence"]) == (None, None, 0.0)
    assert found["progress_percent"] == percent
    assert await sky.calls() == []


async def test_of_a_number_the_flight_in_the_air_is_meant(api: Client, sky: Sky, sql: Any) -> None:
    """Else the next one to leave, else the one that left last."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)

    async def dated(hours: float, status: str) -> str:
        leaves = now + timedelta(hours=hours)
        flight = {
            "airline": "ZZ",
            "number": "555",
            "origin": "LHR",
            "destination": "FRA",
            "icao24": None,
            "date": leaves.date().isoformat(),
            "departure": leaves.isoformat(),
            "arrival": (leaves + timedelta(hours=1.5)).isoformat(),
        }
        await know(sql, flight, status=status)
        return f"ZZ555-{leaves:%Y%m%d}-LHR"

    yesterday = await dated(-36, "landed")
    assert (await tracked(api, "ZZ555"))["flight"]["id"] == yesterday
    tomorrow = await dated(36, "scheduled")
    assert (await tracked(api, "ZZ555"))["flight"]["id"] == tomorrow
    aloft = await dated(-0.5, "departed")
    assert (await tracked(api, "ZZ555"))["flight"]["id"] == aloft


@pytest.mark.parametrize("identifier", ["ZZ9999", "ABC123", "abcdef", "nonsense", "!!", "ZZ", "%C3%A9%C3%A9"])
async def test_what_nobody_knows_is_not_found(api: Client, sky: Sky, identifier: str) -> None:
    answer = await api.session.get(f"{api.base}/flights/track/{identifier}")

    assert (answer.status, (await answer.json())["code"]) == (404, "flight_not_found")


async def test_a_flight_far_from_its_time_is_found_all_the_same(api: Client, sky: Sky, sql: Any) -> None:
    """It left two hours late and nobody has said so: where it should be it is not, but in the world it is."""
    flight = await sky.airborne("JFK", "LAX", minutes=90, left=240)
    leaves = datetime.fromisoformat(flight["departure"]) - timedelta(hours=2)
    await know(sql, flight, departs_at=leaves, arrives_at=leaves + timedelta(minutes=330))

    found = await tracked(api, flight["flight"])

    [truth] = await sky.truth(flight["icao24"])
    assert found["position"]["estimated"] is False
    assert km(found["position"], truth) < 3
    assert [bool(call["params"]) for call in await sky.calls()] == [True, False]


async def test_a_flight_that_nobody_has_searched_for_is_looked_up(api: Client, sky: Sky) -> None:
    """Once, with the provider of schedules; also where its callsign follows from nothing."""
    for n in range(10):
        flight = await sky.airborne(callsign=f"ZQS{n}XK")
        if not one_in(5, "aircraft", flight["key"]):  # Of some flights the vendor does not know the aircraft.
            break
    for _ in range(3):
        found = await tracked(api, flight["flight"])

    assert found["flight"]["flight_number"] == flight["flight"]
    assert (found["matched_by"], found["position"]["estimated"]) == ("icao24", False)
    assert len(await sky.calls("/v1/flights")) == 1


async def test_looking_up_is_limited(api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number once in ten minutes, and all together a tenth of a month's calls: numbers are cheap to type."""
    for _ in range(3):
        assert (await api.get("/flights/track/ZZ9990")).status == 404
    assert len(await sky.calls("/v1/flights")) == 1
    monkeypatch.setattr(lookup, "_SHARE", 3.5 * 30 / settings().aviationstack_calls_per_month)
    for number in range(9980, 9989):
        assert (await api.get(f"/flights/track/ZZ{number}")).status == 404

    assert len(await sky.calls("/v1/flights")) == 3
