"""What the vendor does to its answers now and then, through the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core import clock, db
from app.core.config import settings
from app.providers.base import ProviderError
from app.providers.opensky.client import OpenSky
from tests.live.support import EUROPE, STATES, TRACKS, Sky, know
from tests.support.client import Client


async def live(api: Client, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get("/flights/live", **query)
    assert (answer.status, answer.body["meta"]["stale"]) == (200, False), answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def test_a_null_is_an_empty_sky(api: Client, sky: Sky) -> None:
    """And no failure."""
    await sky.sandbox.fault("opensky_states_null", STATES)

    assert await live(api) == []


@pytest.mark.parametrize("fault", ["opensky_long_rows", "opensky_short_rows", "wrong_content_type", "bom"])
async def test_other_columns_and_wrappings_change_nothing(api: Client, sky: Sky, fault: str) -> None:
    flight = await sky.airborne()
    await sky.sandbox.fault(fault, STATES)

    addresses = {row["icao24"] for row in await live(api, bbox=EUROPE)}

    assert flight["icao24"].lower() in addresses


async def test_aircraft_without_a_position_are_on_no_map(api: Client, sky: Sky) -> None:
    await sky.sandbox.fault("opensky_null_positions", STATES)

    assert await live(api) == []


async def test_old_positions_are_not_shown_as_present(api: Client, sky: Sky, sql: Any) -> None:
    """On the map they are left out; of a flight that is tracked the last one is shown, with its time."""
    flight = await sky.airborne()
    await know(sql, flight)
    await sky.sandbox.fault("opensky_old_positions", STATES)

    assert await live(api) == []
    position = (await api.get(f"/flights/track/{flight['flight']}")).body["position"]
    age = datetime.now(UTC) - datetime.fromisoformat(position["observed_at"])
    assert timedelta(minutes=4) < age < timedelta(minutes=5)
    assert position["estimated"] is False


async def test_odd_callsigns_are_understood(api: Client, sky: Sky, sql: Any) -> None:
    """In lower case, with the IATA designator, or with zeros in front."""
    flights = [await sky.airborne(number=str(9600 + n), minutes=30 + n) for n in range(3)]
    for flight in flights:
        await know(sql, flight, icao24=None)
    await sky.sandbox.fault("opensky_odd_callsigns", STATES)

    found = {row["flight"]["flight_number"]: row["callsign"] for row in await live(api) if row["flight"]}

    callsigns = [found[flight["flight"]] for flight in flights]
    assert all(callsign == callsign.upper().strip() for callsign in callsigns)


async def test_ages_are_counted_by_the_vendors_clock(
    api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours may be wrong by a day."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)

    await sky.set(extra_aircraft=200)  # At night there are few.

    rows = await live(api, bbox=EUROPE)

    assert len(rows) > 3
    ages = [datetime.now(UTC) - datetime.fromisoformat(row["observed_at"]) for row in rows]
    assert all(timedelta(seconds=-2) < age < timedelta(seconds=80) for age in ages)


@pytest.mark.parametrize("key", ["callsign", "calllsign"])
async def test_a_track_is_read_under_both_names_of_its_callsign(
    api: Client, sky: Sky, sql: Any, key: str
) -> None:
    flight = await sky.airborne()
    await know(sql, flight)
    await sky.set(track_callsign_key=key)

    track = (await api.get(f"/flights/track/{flight['flight']}")).body["track"]

    assert len(track) > 10
    # From London eastward: in a track that is swapped the longitude would be 51.
    assert all(48 < latitude < 53 and -1 < longitude < 10 for _, latitude, longitude, _ in track)
    assert [point[0] for point in track] == sorted(point[0] for point in track)


async def test_an_empty_404_is_no_track(sky: Sky) -> None:
    """And no failure: the vendor answers so where it has nothing."""
    assert await OpenSky().track("000000") == []

    [call] = await sky.calls(TRACKS)
    assert call["status"] == 404
    [endpoint] = await endpoints("tracks")
    assert (endpoint["failures"], endpoint["last_failure"]) == (0, None)


async def test_a_404_with_a_text_is_a_failure(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has moved the path, and somebody must look."""
    monkeypatch.setattr(settings(), "opensky_base_url", settings().opensky_base_url + "/moved")

    with pytest.raises(ProviderError, match="refused"):
        await OpenSky().states(None)
    with pytest.raises(ProviderError, match="refused"):
        await OpenSky().track("000000")


async def test_a_track_that_fails_leaves_the_position(api: Client, sky: Sky, sql: Any) -> None:
    flight = await sky.airborne()
    await know(sql, flight)
    await sky.sandbox.fault("opensky_500", TRACKS)

    answer = await api.get(f"/flights/track/{flight['flight']}")

    assert answer.body["position"]["estimated"] is False
    assert answer.body["track"] == []


async def endpoints(name: str) -> list[dict[str, Any]]:
    async with db.transaction() as session:
        sql = "SELECT * FROM provider_endpoints WHERE provider = 'opensky' AND endpoint = :name"
        return await db.rows(session, sql, name=name)
