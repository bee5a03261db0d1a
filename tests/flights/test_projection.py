"""Dates that the vendor does not publish: the pattern of other weeks stands in, and is marked."""

from datetime import timedelta
from typing import Any

import pytest

from app.flights import schedule
from app.providers.base import ProviderError
from tests.flights.pattern import AIRPORT, OTHER, assert_true, departures, search, window
from tests.flights.support import board, calls, clock_change, time_to_try_again
from tests.providers.vendor import Answer, Params, Vendor, future, page, refusal
from tests.support.client import Client, Sandbox, in_days

pytestmark = pytest.mark.usefixtures("nothing_known")


async def test_a_date_before_the_window_is_filled_from_the_week_that_is_published(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """One refused call, one for the pattern; the answer and its flights say what they are."""
    day = in_days(4)
    await window(sandbox, "week_ahead_on")

    answer = await search(api, day)

    assert (answer.status, answer.body["meta"]["projected"]) == (200, True)
    assert answer.body["meta"]["source"] == "projection"
    assert answer.body["data"]
    await assert_true(sandbox, sql, day)
    assert [await calls(sandbox, AIRPORT, when) for when in (day, day + timedelta(weeks=1))] == [1, 1]
    segment = answer.body["data"][0]["slices"][0]["segments"][0]
    flight = (await api.get(f"/flights/{segment['flight_id']}")).body
    assert (flight["projected"], flight["source"], flight["departure"]["gate"]) == (True, "projection", None)
    pattern = (await search(api, day + timedelta(weeks=1))).body["meta"]
    assert (pattern["projected"], pattern["source"]) == (False, "aviationstack")


async def test_a_date_after_the_window_is_filled_from_the_days_that_are_published(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """Of the same weekday, the nearest; up to five weeks on."""
    await window(sandbox, "week_only")

    for ahead in (10, 3 + 35):
        day = in_days(ahead)
        answer = await search(api, day)
        assert (answer.status, answer.body["meta"]["projected"]) == (200, True)
        await assert_true(sandbox, sql, day)

    assert await calls(sandbox, AIRPORT, in_days(3)) == 1
    assert [await calls(sandbox, AIRPORT, in_days(ahead)) for ahead in (10, 38)] == [1, 0]


@pytest.mark.parametrize("forward", [True, False])
async def test_clocks_that_change_in_between_move_the_instants(
    sandbox: Sandbox, sql: Any, forward: bool
) -> None:
    """Flights leave at the same reading, fly as long as ever, and land at what the clock there shows."""
    day = clock_change("Europe/Stockholm", forward=forward) + timedelta(days=3)
    before = day - timedelta(weeks=1)
    if day > in_days(350):
        pytest.skip("too far ahead to be published today")
    await schedule.refresh(AIRPORT, before)
    await window(sandbox, "week_only")

    await schedule.refresh(AIRPORT, day)

    await assert_true(sandbox, sql, day)
    pattern, projected = await departures(sql, before), await departures(sql, day)
    for name, flight in projected.items():
        assert flight["departs_local"] - pattern[name]["departs_local"] == timedelta(weeks=1)
        moved = flight["departs_at"] - pattern[name]["departs_at"]
        assert moved == timedelta(weeks=1, hours=-1 if forward else 1)


async def test_beyond_every_pattern_nothing_is_invented(api: Client, sandbox: Sandbox) -> None:
    """Nobody knows, and the vendor is asked once."""
    await window(sandbox, "week_only")

    answers = [await search(api, in_days(7 + 36)) for _ in range(3)]

    assert {(answer.status, answer.code) for answer in answers} == {(503, "provider_unavailable")}
    assert await sandbox.calls() == {"/v1/flightsFuture": 1}


async def test_a_pattern_that_cannot_be_fetched_just_now_is_tried_again_soon(
    vendor: Vendor, sql: Any
) -> None:
    """That the date itself is not offered will not change, but that is not what was missing."""
    problem = {"key": "invalid_future_date", "message": f"The date must be above {in_days(7)}"}

    def answer(_: str, params: Params) -> Answer:
        if params["date"] == str(in_days(4)):
            return refusal(400, "validation_error", context={"date": [problem]})
        return page(vendor.rows, params) if vendor.rows else refusal(500, "internal_error")

    vendor.says(answer)

    with pytest.raises(ProviderError, match="date_not_offered"):
        await schedule.refresh(AIRPORT, in_days(4))

    known = await board(sql, AIRPORT, in_days(4))
    assert (known["retry_at"] - known["failed_at"]).total_seconds() <= 60
    vendor.rows = [future(500, AIRPORT, OTHER)]
    await time_to_try_again(sql)
    await schedule.refresh(AIRPORT, in_days(4))
    assert list(await departures(sql, in_days(4))) == ["ZZ500"]


async def test_without_the_providers_word_for_long_a_pattern_stands_in(sandbox: Sandbox, sql: Any) -> None:
    """The month's calls are used up: last week's flights are better than none."""
    await schedule.refresh(AIRPORT, in_days(20))
    await sandbox.fault("quota_exhausted")

    await schedule.refresh(AIRPORT, in_days(27))

    await assert_true(sandbox, sql, in_days(27))
    assert (await board(sql, AIRPORT, in_days(27)))["source"] == "projection"
