"""`/v1/flights` on the wire."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conftest import Client

TEXT = str | None
ENDS = {
    "departure": (
        "terminal",
        "gate",
        "estimated",
        "actual",
        "estimated_runway",
        "actual_runway",
        "airport",
        "timezone",
    ),
    "arrival": ("terminal", "gate", "baggage", "estimated", "actual", "estimated_runway", "actual_runway"),
}


def check(row: Any) -> None:
    """The types of one row, nulls included."""
    keys = {"flight_date", "flight_status", "departure", "arrival", "airline", "flight", "aircraft", "live"}
    assert row.keys() == keys
    for end, nullable in ENDS.items():
        assert isinstance(row[end]["iata"], str)
        assert isinstance(row[end]["delay"], int | None)
        assert row[end]["scheduled"].endswith("+00:00")
        assert all(isinstance(row[end][name], TEXT) for name in nullable)
    assert isinstance(row["flight"]["number"], str)
    assert set(row["aircraft"] or {}) <= {"registration", "iata", "icao", "icao24"}
    if row["live"]:
        assert isinstance(row["live"]["latitude"], float)
        assert row["live"]["is_ground"] is False


async def test_rows_have_the_vendors_shape(client: Client) -> None:
    """Every row of a large page, with each kind of null somewhere in it."""
    rows = await client.rows("flights", limit=1000)
    for row in rows:
        check(row)
    assert any(row["aircraft"] is None for row in rows)
    assert any(row["aircraft"] and row["aircraft"]["registration"] is None for row in rows)
    assert any(row["departure"]["timezone"] is None for row in rows)
    active = await client.rows("flights", limit=1000, flight_status="active")
    assert any(row["live"] for row in active)
    assert not all(row["live"] for row in active)


async def test_local_clocks_are_stamped_as_if_they_were_utc(client: Client) -> None:
    """A flight between two known instants shows the clocks of both ends, and the origin's date."""
    await client.inject("777", "APW-PPG", "2026-11-25T19:00:00Z", "2026-11-25T19:50:00Z")
    [row] = await client.rows("flights", flight_iata="ZZ777", flight_date="2026-11-26")
    assert row["flight_date"] == "2026-11-26"
    assert row["departure"]["scheduled"] == "2026-11-26T08:00:00+00:00"
    assert row["arrival"]["scheduled"] == "2026-11-25T08:50:00+00:00"


async def test_a_codeshare_row_names_its_operating_flight(client: Client) -> None:
    """The object is in lower case and points to a row of the same departure."""
    rows = await client.rows("flights", limit=1000)
    shared = [row for row in rows if row["flight"]["codeshared"]]
    operating = {row["flight"]["iata"]: row for row in rows if not row["flight"]["codeshared"]}
    assert 0.15 < len(shared) / len(rows) < 0.45
    for row in shared[:-4]:
        named = row["flight"]["codeshared"]
        twin = operating[named["flight_iata"].upper()]
        assert all(value == value.lower() for value in named.values())
        assert twin["departure"]["scheduled"] == row["departure"]["scheduled"]
        assert row["aircraft"] is None
        assert row["live"] is None


async def test_a_city_code_stands_for_all_its_airports(client: Client) -> None:
    """LON finds Heathrow, Gatwick and the others."""
    rows = await client.rows("flights", dep_iata="LON", limit=1000)
    assert {"LHR", "LGW", "STN"} <= {row["departure"]["iata"] for row in rows}
    assert len(await client.rows("flights", dep_iata="LHR", limit=1000)) < len(rows)


async def test_filters_narrow_the_rows(client: Client) -> None:
    """By ends, carrier, status and delay."""
    ends = await client.rows("flights", dep_iata="jfk", arr_iata="LHR")
    assert {(row["departure"]["iata"], row["arrival"]["iata"]) for row in ends} == {("JFK", "LHR")}
    assert {row["airline"]["icao"] for row in await client.rows("flights", airline_icao="KQW")} == {"KQW"}
    assert {row["flight_status"] for row in await client.rows("flights", flight_status="landed")} == {
        "landed"
    }
    late = await client.rows("flights", min_delay_dep=60)
    assert late
    assert all(row["departure"]["delay"] >= 60 for row in late)


async def test_pages_join_up(client: Client) -> None:
    """Limit and offset cut one list; beyond its end there is nothing."""
    whole = await client.rows("flights", limit=50)
    parts = [*await client.rows("flights", limit=20), *await client.rows("flights", limit=30, offset=20)]
    assert parts == whole
    status, end = await client.get("flights", offset=99_999)
    assert (status, end["data"], end["pagination"]["count"]) == (200, [], 0)


async def test_a_limit_above_the_maximum_is_cut_down(client: Client) -> None:
    """The page says how much it really holds."""
    _, payload = await client.get("flights", key="basic", limit=500)
    assert payload["pagination"] | {"total": 0} == {"limit": 100, "offset": 0, "count": 100, "total": 0}
    _, payload = await client.get("flights", key="professional", limit=5000)
    assert payload["pagination"]["limit"] == len(payload["data"]) == 1000


async def test_the_same_moment_gives_the_same_bytes(client: Client) -> None:
    """As long as the clock shows the same minute."""
    first = await client.get("flights", limit=1000, flight_status="landed")
    assert first == await client.get("flights", limit=1000, flight_status="landed")


async def test_history_ends_after_three_months_and_the_future_is_empty(client: Client) -> None:
    """An old date is refused, one to come has no rows."""
    assert await client.rows("flights", flight_date="2026-11-01")
    assert await client.rows("flights", flight_date="2026-12-24") == []
    status, _ = await client.get("flights", flight_date="2026-06-01")
    assert status == 400


async def test_flights_of_yesterday_stay_while_they_are_in_the_air(client: Client) -> None:
    """And they are gone when they have landed."""
    rows = await client.rows("flights", limit=1000)
    early = [row for row in rows if row["flight_date"] < "2026-11-25"]
    assert early
    assert {row["flight_status"] for row in early} <= {"active", "scheduled", "landed", "cancelled"}
