"""Imported flights are found, with the very times of the file, with a provider beside it and without one."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.config import settings
from tests.flights.support import clock_change, segments
from tests.schedules.support import Ssim, load, one_leg, row, table
from tests.support.client import Answer, Client, Sandbox, in_days

# A market of which no other test and no provider knows anything.
FAR_NORTH = {"origin": "AES", "destination": "BOO", "arrives": "11:15"}
NEW_YORK, LONDON = ZoneInfo("America/New_York"), ZoneInfo("Europe/London")


def shown(answer: Answer) -> dict[str, tuple[str, str]]:
    """Departure and arrival as travellers see them, by flight number."""
    return {
        number: (segment["departing_at"], segment["arriving_at"])
        for number, segment in segments(answer).items()
    }


@pytest.fixture
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator runs it who lives on files alone."""
    monkeypatch.setattr(settings(), "aviationstack_key", "")


# Local times stay on both clocks, times in UTC stay what they are.
LOCAL = {"departs": "1830", "arrives": "0640", "date_variation": "01"}
IN_UTC = {"departs": "2300", "arrives": "0600", "date_variation": "01"}


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(("mode", "told"), [("L", LOCAL), ("U", IN_UTC)])
async def test_times_are_those_of_the_file(
    api: Client, sql: Any, carrier: str, mode: str, told: dict[str, str], forward: bool
) -> None:
    """Over the night in which London's clocks change, with the offsets that both cities have then."""
    day = clock_change("Europe/London", forward=forward) - timedelta(days=1)
    if day > in_days(355):
        pytest.skip("the next change is too far ahead to be sold")
    route = {"carrier": carrier, "origin": "JFK", "destination": "LHR"}
    await load("ssim", one_leg(mode, **route, **told, first=day, last=day))

    found = shown(await api.search("JFK", "LHR", day, airlines=carrier))

    departs, arrives = (
        datetime.combine(night, time(int(told[name][:2]), int(told[name][2:])))
        for night, name in ((day, "departs"), (day + timedelta(days=1), "arrives"))
    )
    assert found == {carrier + "101": (shown_at(departs, mode, NEW_YORK), shown_at(arrives, mode, LONDON))}


def shown_at(reading: datetime, mode: str, zone: ZoneInfo) -> str:
    if mode == "L":
        return reading.replace(tzinfo=zone).isoformat()
    return reading.replace(tzinfo=UTC).astimezone(zone).isoformat()


async def test_everything_the_file_says_is_shown(api: Client, sql: Any, carrier: str) -> None:
    """Terminals, the aircraft, and the other numbers it is sold under."""
    day = in_days(61)
    line = row(
        carrier=carrier,
        **{"from": day, "to": day},
        aircraft="320",
        departure_terminal="1",
        arrival_terminal="B",
        codeshares="KL2562",
    )
    await load("csv", table(line))

    [segment] = segments(await api.search("OSL", "BGO", day, airlines=carrier)).values()
    flight = (await api.get(f"/flights/{segment['flight_id']}")).body

    assert (flight["departure"]["terminal"], flight["arrival"]["terminal"]) == ("1", "B")
    assert (flight["aircraft"]["type"], flight["codeshares"]) == ("A320", ["KL2562"])
    assert (flight["source"], flight["projected"]) == ("import", False)


async def test_without_a_provider_a_search_does_not_wait_for_one(
    api: Client, sql: Any, carrier: str, no_provider: None
) -> None:
    """The file is the schedule, and nothing about it is stale."""
    day = in_days(301)
    await load("csv", table(row(carrier=carrier, **FAR_NORTH, **{"from": day, "to": day})))

    async with asyncio.timeout(3):
        answer = await api.search("AES", "BOO", day)

    assert list(segments(answer)) == [carrier + "101"]
    meta = answer.body["meta"]
    assert (meta["source"], meta["stale"], meta["projected"]) == ("import", False, False)

    unknown = await api.search("AES", "BOO", in_days(302))
    assert (unknown.status, unknown.code) == (503, "provider_unavailable")


async def test_there_and_back_without_a_provider(
    api: Client, sql: Any, carrier: str, no_provider: None
) -> None:
    """Both boards are the file's."""
    there, back = in_days(303), in_days(305)
    made = Ssim().header().carrier(carrier, last=in_days(361))
    made.leg(
        carrier=carrier, number="1", first=there, last=there, origin="AES", destination="BOO", arrives="1115"
    )
    made.leg(
        carrier=carrier, number="2", first=back, last=back, origin="BOO", destination="AES", arrives="1115"
    )
    await load("ssim", made.trailer(carrier).encoded())

    answer = await api.search("AES", "BOO", there, return_date=back)

    assert answer.status == 200
    assert {len(offer["slices"]) for offer in answer.body["data"]} == {2}
    assert answer.body["meta"]["stale"] is False


async def test_a_provider_that_fails_makes_a_file_stale(
    api: Client, sql: Any, sandbox: Sandbox, carrier: str
) -> None:
    """It could have known better."""
    day = in_days(304)
    await load("csv", table(row(carrier=carrier, **FAR_NORTH, **{"from": day, "to": day})))
    await sandbox.fault("rate_limited")

    answer = await api.search("AES", "BOO", day)

    assert list(segments(answer)) == [carrier + "101"]
    assert (answer.body["meta"]["source"], answer.body["meta"]["stale"]) == ("import", True)


async def test_an_imported_flight_can_be_booked(
    api: Client, traveller: Client, sql: Any, carrier: str, no_provider: None
) -> None:
    """Like any other."""
    day = in_days(306)
    await load("csv", table(row(carrier=carrier, **FAR_NORTH, **{"from": day, "to": day})))

    offer = await api.first_offer("AES", "BOO", day, airlines=carrier)
    booked = await traveller.book(offer["id"])

    assert booked.status == 201, booked.body
