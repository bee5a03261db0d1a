"""Bad data never overwrite good: what a provider's record is not believed for is named, one by one."""

from typing import Any

import pytest

from app.jobs import service
from app.providers import registry
from tests.jobs.support import FakeSource, Jobs, airport
from tests.support.client import Client

pytestmark = pytest.mark.usefixtures("reference_data")

# Enough good ones for the whole to be plausible.
GOOD = [airport(f"QY{letter}") for letter in "ABCDEF"]
OSLO = {"name": "Oslo Gardermoen", "latitude": 60.19, "longitude": 11.1}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> Any:
    """Let the provider say this; gives the job when it is done."""

    async def run(*records: Any) -> dict[str, Any]:
        monkeypatch.setattr(registry, "schedules", lambda: FakeSource([*records, *GOOD], size=3))
        job_id = await jobs.ask("airports.sync")
        await service.run_due()
        return await jobs.row(job_id)

    return run


@pytest.mark.parametrize(
    ("code", "record"),
    [
        ("name_missing", airport(name=None)),
        ("country_missing", airport(country=None)),
        ("bad_coordinates", airport(latitude=None)),
        ("bad_coordinates", airport(latitude=0.0, longitude=0.0)),
        ("bad_coordinates", airport(latitude=91.0)),
        ("bad_coordinates", airport(longitude=-180.5)),
        ("bad_coordinates", airport(latitude=float("nan"))),
        ("unknown_time_zone", airport(time_zone=None)),
        ("unknown_time_zone", airport(time_zone="Europe/Atlantis")),
        ("unknown_time_zone", airport(time_zone="../../etc/passwd")),
        ("zone_implausible", airport(time_zone="America/New_York")),
        ("zone_implausible", airport(time_zone="Asia/Tokyo")),
    ],
)
async def test_a_new_airport_must_make_sense(told: Any, jobs: Jobs, sql: Any, code: str, record: Any) -> None:
    """Its local times would be wrong otherwise, or nobody could tell which it is."""
    job = await told(record)

    assert job["status"] == "succeeded"
    assert (job["result"]["refused"], job["result"]["added"]) == (1, len(GOOD))
    assert await jobs.refusals(job["id"]) == {"QEA": code}
    assert await sql("SELECT 1 FROM airports WHERE iata = 'QEA'") == []


@pytest.mark.parametrize(
    ("code", "told_instead"),
    [
        ("moved_too_far", {"latitude": 60.8}),
        ("other_country", {"country": "SE"}),
        ("other_time_zone", {"time_zone": "Europe/London"}),
        ("unknown_time_zone", {"time_zone": "Norway"}),
        ("bad_coordinates", {"latitude": 160.0}),
        ("zone_implausible", {"longitude": -100.0}),
    ],
)
async def test_what_we_know_better_is_not_changed(
    told: Any, jobs: Jobs, sql: Any, code: str, told_instead: dict[str, Any]
) -> None:
    """Not even where we leave something open: the record may be of another place."""
    await sql("UPDATE airports SET icao = NULL WHERE iata = 'OSL'")
    before = await sql("SELECT * FROM airports WHERE iata = 'OSL'")

    job = await told(airport("OSL", icao="ENGM", **{**OSLO, **told_instead}))

    assert await jobs.refusals(job["id"]) == {"OSL": code}
    assert job["result"]["examples"]["refused"] == ["OSL"]
    assert await sql("SELECT * FROM airports WHERE iata = 'OSL'") == before


async def test_what_we_leave_open_is_filled(told: Any, sql: Any) -> None:
    """And only that: names and small differences of place stay ours."""
    await sql("UPDATE airports SET icao = NULL WHERE iata = 'OSL'")
    [before] = await sql("SELECT * FROM airports WHERE iata = 'OSL'")

    await told(airport("OSL", icao="ENGM", **OSLO))

    [after] = await sql("SELECT * FROM airports WHERE iata = 'OSL'")
    assert after["updated_at"] > before["updated_at"]
    assert after == {**before, "icao": "ENGM", "updated_at": after["updated_at"]}


async def test_another_name_of_the_same_zone_is_no_difference(told: Any, jobs: Jobs) -> None:
    """`Asia/Calcutta` is how `Asia/Kolkata` used to be written."""
    india = {"country": "IN", "latitude": 28.57, "longitude": 77.1}

    job = await told(airport("DEL", time_zone="Asia/Calcutta", **india))

    assert (job["result"]["refused"], job["result"]["unchanged"]) == (0, 1)


async def test_the_providers_own_airports_follow_it(told: Any, jobs: Jobs, sql: Any) -> None:
    """As long as it makes sense, and never from something to nothing."""
    await told(airport(icao="ENZZ", name="Old Field", city_code="OSL"))
    await told(airport(icao=None, name="New Field", latitude=61.9, country=None, time_zone=None))
    [row] = await sql("SELECT * FROM airports WHERE iata = 'QEA'")
    assert (row["icao"], row["name"], row["latitude"]) == ("ENZZ", "New Field", 61.9)
    assert (row["country"], row["time_zone"], row["city_code"], row["city"]) == (
        "NO",
        "Europe/Oslo",
        "OSL",
        "Oslo",
    )

    job = await told(airport(name="Bad Field", longitude=-70.0, time_zone=None))

    assert await jobs.refusals(job["id"]) == {"QEA": "zone_implausible"}
    assert (await sql("SELECT * FROM airports WHERE iata = 'QEA'"))[0] == row


async def test_a_record_without_a_code_is_refused_by_its_line(told: Any, jobs: Jobs, sql: Any) -> None:
    """There is nothing else to name it by."""
    job = await told(airport("QEA"), airport(None), airport("QEB"))

    refused = await sql("SELECT line, code FROM job_refusals")
    assert refused == [{"line": 2, "code": "code_missing"}]
    assert job["result"]["refused"] == 1


async def test_refusals_are_listed_page_by_page(told: Any, admin: Client) -> None:
    """With line, code and message, in the order of the input."""
    job = await told(*(airport(f"QE{letter}", name=None) for letter in "EDCBA"))
    path = f"/admin/jobs/{job['id']}/refusals"

    first = (await admin.get(path, limit=3)).body
    second = (await admin.get(path, limit=3, cursor=first["next_cursor"])).body

    assert [one["line"] for one in first["data"] + second["data"]] == [1, 2, 3, 4, 5]
    assert first["data"][0] == {
        "line": 1,
        "code": "name_missing",
        "message": "QEE: A new airport needs a name.",
    }
    assert second["next_cursor"] is None
