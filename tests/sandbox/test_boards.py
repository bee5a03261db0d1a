"""`/v1/timetable` and `/v1/flightsFuture` on the wire."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.conftest import Client

LHR = {"iataCode": "LHR", "type": "departure"}


def texts(value: Any) -> list[str]:
    """Every text in a value; anything else but objects is a mistake."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    assert isinstance(value, str), value
    return [value]


async def test_the_future_is_written_in_lower_case(client: Client) -> None:
    """Texts only, empty ones for what is not known, and no codeshared key where there is none."""
    rows = await client.rows("flightsFuture", **LHR, date="2026-12-24")
    for row in rows:
        assert row.keys() - {"codeshared"} == {
            "weekday",
            "departure",
            "arrival",
            "aircraft",
            "airline",
            "flight",
        }
        assert row["weekday"] == "4"
        assert all(text == text.lower() for text in texts(row))
        assert row["departure"]["gate"] == ""
        assert re.fullmatch(r"2026-12-24 \d\d:\d\d:00", row["departure"]["scheduledTime"])
    assert any("codeshared" in row for row in rows)
    assert any("codeshared" not in row for row in rows)
    assert any(row["aircraft"]["modelCode"] == "" for row in rows)


async def test_a_codeshare_of_the_future_names_its_operating_flight(client: Client) -> None:
    """At the top level, and nested in another way than elsewhere."""
    rows = await client.rows("flightsFuture", **LHR, date="2026-12-24")
    operating = {row["flight"]["iataNumber"]: row for row in rows if "codeshared" not in row}
    for row in rows:
        if shared := row.get("codeshared"):
            twin = operating[shared["flight"]["iataNumber"]]
            assert shared["airline"] == twin["airline"]
            assert twin["departure"]["scheduledTime"] == row["departure"]["scheduledTime"]


async def test_limit_and_offset_are_null_unless_they_are_sent(client: Client) -> None:
    """Both boards; sent, they are honoured."""
    for function, params in (("timetable", LHR), ("flightsFuture", {**LHR, "date": "2026-12-24"})):
        _, whole = await client.get(function, **params)
        assert whole["pagination"]["limit"] is whole["pagination"]["offset"] is None
        assert whole["pagination"]["total"] == len(whole["data"])
        _, part = await client.get(function, **params, limit=3, offset=2)
        assert part["data"] == whole["data"][2:5]
        assert part["pagination"]["limit"] == 3


async def test_arrivals_are_those_of_the_local_date_there(client: Client) -> None:
    """Even when they left on the day before, or the day after."""
    await client.inject("777", "APW-PPG", "2026-12-24T19:00:00Z", "2026-12-24T19:50:00Z")
    rows = await client.rows("flightsFuture", iataCode="PPG", type="arrival", date="2026-12-24")
    [row] = [row for row in rows if row["flight"]["iataNumber"] == "zz777"]
    assert row["departure"]["scheduledTime"] == "2026-12-25 08:00:00"
    assert row["arrival"]["scheduledTime"] == "2026-12-24 08:50:00"


@pytest.mark.parametrize(
    ("departs", "arrives", "local"),
    [
        ("2026-10-24T23:30:00Z", "2026-10-25T02:15:00Z", ("2026-10-25 00:30:00", "2026-10-25 03:15:00")),
        ("2027-03-28T00:30:00Z", "2027-03-28T02:15:00Z", ("2027-03-28 00:30:00", "2027-03-28 04:15:00")),
    ],
)
async def test_the_clocks_of_both_ends_are_shown_when_they_change(
    client: Client, departs: str, arrives: str, local: tuple[str, str]
) -> None:
    """Over the end and the beginning of summer time, from instants that a test chose."""
    await client.control("POST", "/clock", {"now": "2026-10-01T00:00:00Z"})
    await client.inject("461", "LHR-MAD", departs, arrives)
    rows = await client.rows("flightsFuture", **LHR, date=local[0][:10], flight_number="461")
    [times] = [
        (r["departure"]["scheduledTime"], r["arrival"]["scheduledTime"])
        for r in rows
        if "codeshared" not in r
    ]
    assert times == local


async def test_times_may_come_without_a_date(client: Client) -> None:
    """The other format of the vendor."""
    await client.control("POST", "/settings", {"time_format": "HH:MM"})
    rows = await client.rows("flightsFuture", **LHR, date="2026-12-24")
    assert all(re.fullmatch(r"\d\d:\d\d", row["arrival"]["scheduledTime"]) for row in rows)


@pytest.mark.parametrize(
    ("mode", "refused", "accepted", "above"),
    [
        ("tomorrow_to_year", "2026-11-25", "2027-11-25", "above 2026-11-25"),
        ("week_ahead_on", "2026-12-02", "2026-12-03", "above 2026-12-02"),
        ("week_only", "2026-12-03", "2026-12-02", "below 2026-12-03"),
    ],
)
async def test_the_window_has_three_modes(
    client: Client, mode: str, refused: str, accepted: str, above: str
) -> None:
    """A date outside is a validation error that names the bound."""
    await client.control("POST", "/settings", {"window": mode})
    assert await client.rows("flightsFuture", **LHR, date=accepted)
    status, payload = await client.get("flightsFuture", **LHR, date=refused)
    assert (status, payload["error"]["code"]) == (400, "validation_error")
    [problem] = payload["error"]["context"]["date"]
    assert problem == {"key": "invalid_future_date", "message": f"The date must be {above}"}


async def test_the_board_of_today_has_text_delays_and_bare_local_times(client: Client) -> None:
    """Upper case, nulls, milliseconds, no offset."""
    rows = await client.rows("timetable", **LHR)
    stamp = r"2026-11-\d\dT\d\d:\d\d:00\.000"
    for row in rows:
        assert row["departure"]["iataCode"] == "LHR"
        assert isinstance(row["departure"]["delay"], str | None)
        assert re.fullmatch(stamp, row["departure"]["scheduledTime"])
        assert row["departure"]["actualTime"] is None or re.fullmatch(stamp, row["departure"]["actualTime"])
    assert {row["status"] for row in rows} >= {"active", "landed", "scheduled"}
    assert any(row["departure"]["delay"] for row in rows)
    assert any(row["codeshared"] for row in rows)


@pytest.mark.parametrize("function", ["timetable", "flightsFuture"])
async def test_airport_and_direction_are_required(client: Client, function: str) -> None:
    """And an airport that nobody knows has an empty board."""
    date = {} if function == "timetable" else {"date": "2026-12-24"}
    for params in ({"type": "departure"}, {"iataCode": "LHR"}, {"iataCode": "LHR", "type": "both"}):
        status, payload = await client.get(function, **params, **date)
        assert (status, payload["error"]["code"]) == (400, "validation_error")
    assert await client.rows(function, iataCode="QQQ", type="arrival", **date) == []
