"""Airports from the provider: new ones are added, ours stand, and the job tells what it did."""

from typing import Any

import pytest

from app.jobs import service
from tests.support.client import Client, Sandbox

pytestmark = pytest.mark.usefixtures("reference_data")


async def synced(admin: Client) -> dict[str, Any]:
    asked = await admin.post("/airports/sync")
    await service.run_due(300)  # In one go, however slow this machine is.
    job: dict[str, Any] = (await admin.get(asked.headers["Location"])).body
    return job


async def test_the_whole_table_comes_page_by_page(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """One call a page; progress can be watched; nothing of ours is touched where nothing differs."""
    page_size(1000)
    before = await sql("SELECT * FROM airports ORDER BY iata")
    location = (await admin.post("/airports/sync")).headers["Location"]

    seen = []
    while await service.run_one(seconds=0):  # A page, and the rest has to wait.
        seen.append((await admin.get(location)).body)

    done = [job["progress"]["done"] for job in seen]
    assert done == [*range(1000, len(before), 1000), len(before), len(before)]
    assert {job["status"] for job in seen[:-1]} == {"queued"}
    assert {job["progress"]["total"] for job in seen} == {len(before)}
    job = seen[-1]
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert job["started_at"] <= job["finished_at"]
    assert job["result"] == {
        "added": 0,
        "changed": 0,
        "unchanged": len(before),
        "refused": 0,
        "missing": 0,
        "dropped": 0,
        "examples": {"added": [], "changed": [], "refused": [], "missing": []},
    }
    assert await sandbox.calls() == {"/v1/airports": len(seen) - 1}
    assert await sql("SELECT * FROM airports ORDER BY iata") == before


async def test_differences_are_counted_and_named(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """Added, filled in, refused, missing: each once, under its code."""
    page_size(1000)
    await sql("DELETE FROM airports WHERE iata IN ('OSL', 'LGW')")
    await sql("UPDATE airports SET icao = NULL WHERE iata = 'BGO'")
    await sql("UPDATE airports SET latitude = latitude + 1 WHERE iata = 'TRD'")
    await sql(
        "INSERT INTO airports (iata, name, city, country, latitude, longitude, time_zone, city_code)"
        " VALUES ('QEQ', 'Ours', 'Ours', 'NO', 60, 10, 'Europe/Oslo', 'QEQ')"
    )
    [known] = await sql("SELECT count(*) AS n FROM airports")

    result = (await synced(admin))["result"]

    assert {name: result[name] for name in ("added", "changed", "refused", "missing")} == {
        "added": 2,
        "changed": 1,
        "refused": 1,
        "missing": 1,
    }
    assert result["unchanged"] == known["n"] - 3
    assert result["examples"] == {
        "added": ["LGW", "OSL"],
        "changed": ["BGO"],
        "refused": ["TRD"],
        "missing": ["QEQ"],
    }
    assert await sql("SELECT name FROM airports WHERE iata = 'QEQ'") == [{"name": "Ours"}]


async def test_a_new_airport_is_complete(admin: Client, sandbox: Sandbox, sql: Any, page_size: Any) -> None:
    """Under the provider's name, in the city that its neighbours are in."""
    page_size(1000)
    [lgw] = await sql("SELECT * FROM airports WHERE iata = 'LGW'")
    await sql("DELETE FROM airports WHERE iata = 'LGW'")

    await synced(admin)

    [added] = await sql("SELECT * FROM airports WHERE iata = 'LGW'")
    told = ("icao", "name", "country", "latitude", "longitude", "time_zone", "city_code")
    assert {name: added[name] for name in told} == {name: lgw[name] for name in told}
    assert (added["city"], added["source"], added["elevation_m"]) == ("London", "aviationstack", None)
    assert added["updated_at"] > lgw["updated_at"]


async def test_a_second_sync_finds_nothing_to_do(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """What the first one added is the provider's own, and stays as it is."""
    page_size(1000)
    await sql("DELETE FROM airports WHERE iata = 'LGW'")
    await synced(admin)
    before = await sql("SELECT * FROM airports ORDER BY iata")

    result = (await synced(admin))["result"]

    assert (result["added"], result["changed"]) == (0, 0)
    assert await sql("SELECT * FROM airports ORDER BY iata") == before


async def test_rows_that_no_record_can_be_made_of_are_counted(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """And harm nobody else."""
    page_size(1000)
    before = await sql("SELECT * FROM airports ORDER BY iata")
    await sandbox.fault("bad_records", "/v1/airports", times=1)

    job = await synced(admin)

    assert job["status"] == "succeeded"
    assert job["result"]["dropped"] > 0
    assert await sql("SELECT * FROM airports ORDER BY iata") == before
