"""The tables that seldom change."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Client

TABLES = {
    "airports": ({"iata_code", "icao_code", "airport_name", "timezone", "gmt", "latitude"}, 7000),
    "airlines": ({"iata_code", "icao_code", "airline_name", "callsign", "iata_prefix_accounting"}, 12),
    "airplanes": ({"registration_number", "icao_code_hex", "registration_date", "plane_age"}, 500),
    "aircraft_types": ({"plane_type_id", "iata_code", "aircraft_name"}, 10),
    "taxes": ({"tax_id", "tax_name", "iata_code"}, 1),
    "cities": ({"city_id", "city_name", "iata_code", "timezone"}, 7000),
    "countries": ({"country_iso2", "country_iso3", "continent", "population"}, 100),
}


@pytest.mark.parametrize("table", TABLES)
async def test_every_value_is_text_or_null(client: Client, table: str) -> None:
    """And a page puts its offset first, as the vendor does for these."""
    names, least = TABLES[table]
    _, payload = await client.get(table)
    assert list(payload["pagination"]) == ["offset", "limit", "count", "total"]
    assert payload["pagination"]["total"] >= least
    for row in payload["data"]:
        assert names | {"id"} <= row.keys()
        assert all(isinstance(value, str | None) for value in row.values())


async def test_ids_do_not_last(client: Client) -> None:
    """The same airport has another id tomorrow, and the same codes."""
    [today] = await client.rows("airports", limit=1)
    await client.control("POST", "/clock", {"advance_seconds": 86400})
    [tomorrow] = await client.rows("airports", limit=1)
    assert today["id"] != tomorrow["id"]
    assert today | {"id": ""} == tomorrow | {"id": ""}


async def test_offsets_are_written_with_minutes_after_a_point(client: Client) -> None:
    """Kathmandu's is 5.45, Honolulu's is -10, and summer does not count."""
    await client.control("POST", "/clock", {"now": "2026-07-01T00:00:00Z"})
    found = {}
    for code in ("KTM", "HNL", "LHR"):
        rows = await client.rows("airports", search=code)
        found[code] = next(row["gmt"] for row in rows if row["iata_code"] == code)
    assert found == {"KTM": "5.45", "HNL": "-10", "LHR": "0"}


async def test_some_dates_are_zero(client: Client) -> None:
    """An aeroplane may have been registered on no day at all."""
    rows = await client.rows("airplanes", limit=200)
    assert "0000-00-00" in {row["registration_date"] for row in rows}


async def test_a_route_has_times_and_no_days(client: Client) -> None:
    """Local times of day, sometimes null; filters on ends and airline work."""
    rows = await client.rows("routes", dep_iata="JFK", arr_iata="LHR", airline_iata="ZZ")
    assert rows
    for row in rows:
        assert row.keys() == {"departure", "arrival", "airline", "flight"}
        assert row["departure"].keys() == {"airport", "timezone", "iata", "icao", "terminal", "time"}
        assert row["flight"].keys() == {"number"}
    assert any(row["departure"]["time"] is None for row in await client.rows("routes", limit=1000))
