"""Who flies what: by address before callsign, and never far from a flight's way or time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.live import matching, numbers, progress
from tests.live.support import Sky, know
from tests.support.client import Client

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
# Half-way between London and Frankfurt, and heading there.
HALF_WAY = (50.85, 4.1, 104.0)
pytestmark = pytest.mark.usefixtures("address")


@dataclass(frozen=True)
class Aircraft:
    icao24: str
    callsign: str | None
    latitude: float | None = HALF_WAY[0]
    longitude: float | None = HALF_WAY[1]
    heading_deg: float | None = HALF_WAY[2]


def flight(number: str = "117", **more: Any) -> dict[str, Any]:
    """A flight from London to Frankfurt that is half-way at noon."""
    return {
        "id": int(number),
        "carrier": "BA",
        "number": number,
        "origin": "LHR",
        "destination": "FRA",
        "departs_at": NOON - timedelta(minutes=45),
        "arrives_at": NOON + timedelta(minutes=45),
        "status": "scheduled",
        "missed": 0,
        "aircraft_icao24": None,
        **dict.fromkeys(("departure_estimated_at", "departure_actual_at")),
        **dict.fromkeys(("arrival_estimated_at", "arrival_actual_at")),
        **more,
    }


def matched(aircraft: list[Aircraft], *flights: dict[str, Any]) -> dict[str, tuple[str, str, float]]:
    pairs = matching.pairs(aircraft, list(flights), NOON)
    return {one: (claim.flight["number"], claim.by, claim.confidence) for one, claim in pairs.items()}


def test_an_address_and_a_callsign_together_are_nearly_certain() -> None:
    found = matched([Aircraft("4066a1", "BAW117")], flight(aircraft_icao24="4066A1"))

    assert found == {"4066a1": ("117", "icao24", 0.98)}


@pytest.mark.parametrize("callsign", ["BAW117", "BA117", "BAW0117"])
def test_a_callsign_that_follows_from_the_number_is_enough(callsign: str) -> None:
    """With ICAO's designator or IATA's, with zeros or without."""
    assert matched([Aircraft("4066a1", callsign)], flight()) == {"4066a1": ("117", "callsign", 0.85)}


def test_a_callsign_on_another_aircraft_is_less_certain() -> None:
    """Aircraft are exchanged at short notice."""
    found = matched([Aircraft("4066a1", "BAW117")], flight(aircraft_icao24="ABCDEF"))

    assert found == {"4066a1": ("117", "callsign", 0.6)}


@pytest.mark.parametrize("callsign", [None, "BAW12A", "DLH117", "BAW1170", "117", "GABCD"])
def test_no_match_is_an_ordinary_result(callsign: str | None) -> None:
    """Alphanumeric callsigns follow from nothing, and are never guessed."""
    assert matched([Aircraft("4066a1", callsign)], flight()) == {}


def test_of_two_with_one_callsign_the_one_with_the_address_is_it() -> None:
    twins = [Aircraft("4066a1", "BAW117"), Aircraft("4066a2", "BAW117")]

    assert matched(twins, flight(aircraft_icao24="4066A2")) == {"4066a2": ("117", "icao24", 0.98)}


def test_of_two_with_one_callsign_the_one_on_the_way_is_it() -> None:
    twins = [Aircraft("4066a1", "BAW117"), Aircraft("4066a2", "BAW117", 40.0, -70.0)]

    assert matched(twins, flight()) == {"4066a1": ("117", "callsign", 0.85)}


def test_of_two_that_may_be_it_nobody_is() -> None:
    assert matched([Aircraft("4066a1", "BAW117"), Aircraft("4066a2", "BAW117")], flight()) == {}


def test_the_callsign_of_the_leg_before_deceives_nobody() -> None:
    """The crew forgot to change it; the address says which flight this is."""
    before = flight(
        "116",
        departs_at=NOON - timedelta(hours=4),
        arrives_at=NOON - timedelta(hours=2),
        status="landed",
        arrival_actual_at=NOON - timedelta(hours=2),
    )
    now = flight("117", aircraft_icao24="4066A1")

    assert matched([Aircraft("4066a1", "BAW116")], before, now) == {"4066a1": ("117", "icao24", 0.9)}


def test_the_way_back_is_another_flight() -> None:
    """Though it has the number of the way there, by its callsign, and nobody has said that it landed."""
    there = flight(departs_at=NOON - timedelta(hours=3), arrives_at=NOON - timedelta(hours=1, minutes=30))
    homeward = Aircraft("4066a1", "BAW117", heading_deg=HALF_WAY[2] + 180)

    assert matched([homeward], there) == {}
    assert matched([Aircraft("4066a1", "BAW117")], there) == {"4066a1": ("117", "callsign", 0.85)}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelled"},
        {"missed": 2},
        {"status": "landed", "arrival_actual_at": NOON - timedelta(minutes=30)},
        {"departs_at": NOON + timedelta(hours=1), "arrives_at": NOON + timedelta(hours=3)},
        {"departs_at": NOON - timedelta(hours=9), "arrives_at": NOON - timedelta(hours=7)},
        {"origin": "JFK", "destination": "LAX"},
    ],
)
def test_what_cannot_be_in_the_air_there_is_not(change: dict[str, Any]) -> None:
    """Cancelled, gone, landed, too early, too late, or elsewhere."""
    assert matched([Aircraft("4066a1", "BAW117")], flight(aircraft_icao24="4066A1", **change)) == {}


def test_a_late_flight_is_still_itself_under_its_own_number() -> None:
    """Nobody has said when it left. By its address alone it may be the next one."""
    late = {"departs_at": NOON - timedelta(hours=4), "arrives_at": NOON - timedelta(hours=2)}
    known = flight(aircraft_icao24="4066A1", **late)

    assert matched([Aircraft("4066a1", "BAW117")], known)
    assert matched([Aircraft("4066a1", "BAW12A")], known) == {}
    left_in_time = known | {"departure_actual_at": known["departs_at"], "status": "departed"}
    assert matched([Aircraft("4066a1", "BAW117")], left_in_time) == {}


def test_a_diverted_flight_may_be_anywhere() -> None:
    away = Aircraft("4066a1", "BAW117", 55.0, -4.0, 300.0)

    assert matched([away], flight(status="diverted"))
    assert matched([away], flight()) == {}


def test_numbers_are_read_as_people_write_them() -> None:
    read = {
        "BA117": ("BA", "117"),
        "BAW0117": ("BAW", "117"),
        "U21234": ("U2", "1234"),
        "LH400A": ("LH", "400A"),
    }

    assert {text: numbers.parsed(text) for text in read} == read
    assert [numbers.parsed(text) for text in ("12345", "BA", "BAW12AB", "ba117", "BA12345")] == [None] * 5
    assert numbers.tidy("ba 117") == "BA117"
    assert numbers.spellings("17A") == ["17A", "017A", "0017A"]


def test_a_place_is_reckoned_along_the_great_circle() -> None:
    """From Tokyo to Honolulu it crosses the antimeridian."""
    there = flight(origin="NRT", destination="HNL")
    begin, middle = progress.place(there, NOON - timedelta(minutes=45)), progress.place(there, NOON)

    assert begin.latitude == pytest.approx(35.76, abs=0.1)
    assert begin.longitude == pytest.approx(140.4, abs=0.1)
    assert 28 < middle.latitude < 33
    assert abs(middle.longitude) > 168
    assert progress.flown(there, middle.latitude, middle.longitude) == pytest.approx(0.5, abs=0.01)


async def test_one_tile_costs_one_question_to_the_database(
    api: Client, sky: Sky, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many aircraft and viewers there are."""
    from app.live import tiles

    asked = []
    heard = tiles.flights.heard

    async def counted(*arguments: Any) -> Any:
        asked.append(len(arguments[1]))
        return await heard(*arguments)

    monkeypatch.setattr(tiles.flights, "heard", counted)
    await sky.set(extra_aircraft=1000)
    await know(sql, await sky.airborne())
    for limit in range(1, 20):
        await api.get("/flights/live", limit=limit)

    assert len(asked) == 1
    assert asked[0] > 1000
