"""Airlines from the provider: packaged rows are completed, the provider's follow it, learned ones become its."""

from typing import Any

import pytest

from app.jobs import service
from app.providers import registry
from tests.jobs.support import FakeSource, Jobs, airline
from tests.support.client import Client, Sandbox

pytestmark = pytest.mark.usefixtures("reference_data")

GOOD = [airline(f"0{letter}") for letter in "BDFGHJ"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> Any:
    """Let the provider say this; gives the job when it is done."""

    async def run(*records: Any) -> dict[str, Any]:
        monkeypatch.setattr(registry, "schedules", lambda: FakeSource([*records, *GOOD], size=3))
        job_id = await jobs.ask("airlines.sync")
        await service.run_due()
        return await jobs.row(job_id)

    return run


@pytest.fixture
def known(sql: Any) -> Any:
    """Put an airline in the table under the designator `8Z`."""

    async def put(source: str, **more: Any) -> None:
        row = {"icao": None, "name": "Known", "callsign": None, "country": None, "active": True, **more}
        await sql(
            """
            INSERT INTO airlines (iata, icao, name, callsign, country, active, source)
            VALUES ('8Z', :icao, :name, :callsign, :country, :active, :source)
            """,
            source=source,
            **row,
        )

    return put


async def airline_8z(sql: Any) -> dict[str, Any]:
    [row] = await sql("SELECT * FROM airlines WHERE iata = '8Z'")
    return dict(row)


async def test_the_sandboxs_airlines_come_over_the_wire(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """Page by page, with the digits that their ticket numbers begin with."""
    page_size(5)
    await sql("DELETE FROM airlines")
    asked = await admin.post("/airlines/sync")

    await service.run_due(300)  # In one go, however slow this machine is.

    job = (await admin.get(asked.headers["Location"])).body
    added = job["result"]["added"]
    assert (job["status"], job["progress"]) == ("succeeded", {"done": added, "total": added})
    assert (await sandbox.calls())["/v1/airlines"] == added // 5 + 1
    [ours] = await sql("SELECT name, icao, country, active, source FROM airlines WHERE iata = 'ZZ'")
    assert ours == {
        "name": "Sandbox Air",
        "icao": "ZQS",
        "country": "GB",
        "active": True,
        "source": "aviationstack",
    }


async def test_a_packaged_airline_is_only_completed(told: Any, known: Any, sql: Any) -> None:
    """Its name and whether it flies are ours to say."""
    await known("packaged", icao="KNW")

    await told(airline("8Z", icao="KNW", name="Other", callsign="KNOWN", country="NO", active=False))

    row = await airline_8z(sql)
    assert (row["name"], row["icao"], row["callsign"], row["country"]) == ("Known", "KNW", "KNOWN", "NO")
    assert (row["active"], row["source"]) == (True, "packaged")


@pytest.mark.parametrize(
    ("code", "says"),
    [("other_airline", {"icao": "OTH"}), ("other_country", {"icao": "KNW", "country": "SE"})],
)
async def test_another_airlines_facts_are_not_mixed_in(
    told: Any, known: Any, jobs: Jobs, sql: Any, code: str, says: dict[str, Any]
) -> None:
    """Designators are given out again, and tables are slow to follow."""
    await known("packaged", icao="KNW", country="NO")
    before = await airline_8z(sql)

    job = await told(airline("8Z", callsign="OTHER", **says))

    assert await jobs.refusals(job["id"]) == {"8Z": code}
    assert await airline_8z(sql) == before


@pytest.mark.parametrize("source", ["aviationstack", "schedule"])
async def test_what_is_not_packaged_follows_the_provider(
    told: Any, known: Any, sql: Any, source: str
) -> None:
    """But nothing becomes null."""
    await known(source, icao="KNW", callsign="KNOWN")

    await told(airline("8Z", icao="NEW", name="New", active=False))

    row = await airline_8z(sql)
    assert (row["name"], row["icao"], row["callsign"], row["active"]) == ("New", "NEW", "KNOWN", False)
    assert row["source"] == "aviationstack"


async def test_a_row_that_does_not_change_is_not_touched(told: Any, known: Any, sql: Any) -> None:
    """Or every process would read everything again after every sync."""
    await known("packaged")
    before = await airline_8z(sql)

    job = await told(airline("8Z"))

    assert (job["result"]["unchanged"], job["result"]["changed"]) == (1, 0)
    assert await airline_8z(sql) == before


async def test_of_two_with_one_designator_the_one_that_flies_has_it(told: Any, sql: Any) -> None:
    """Whatever their order; between two that fly the first."""
    gone, first, second = (
        airline("8Z", name="Gone", active=False),
        airline("8Z", name="First"),
        airline("8Z", name="Second"),
    )

    await told(gone, *GOOD, first, second)

    assert (await airline_8z(sql))["name"] == "First"
