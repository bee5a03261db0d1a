"""Providers fail in the middle, or answer with nothing: what is known stays, and the job goes on or says why not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.config import settings
from app.jobs import service
from tests.jobs.support import Jobs
from tests.support.client import Client, Sandbox

pytestmark = pytest.mark.usefixtures("reference_data")

PATHS = {"airports": "/v1/airports", "airlines": "/v1/airlines"}


async def forget_pauses(sql: Any) -> None:
    """As if the time had passed for which the vendor is left alone."""
    await sql("DELETE FROM provider_endpoints")


async def everything(sql: Any) -> Any:
    return [await sql(f"SELECT * FROM {table} ORDER BY iata") for table in PATHS]


async def test_a_quota_that_runs_out_in_the_middle_is_waited_for(
    admin: Client, sandbox: Sandbox, jobs: Jobs, sql: Any, page_size: Any
) -> None:
    """Half a table changes nothing; later the job goes on with the page that was refused."""
    page_size(1000)
    await sql("DELETE FROM airports WHERE iata = 'AAA'")
    before = await everything(sql)
    asked = await admin.post("/airports/sync")
    for _ in range(3):
        await service.run_one(seconds=0)
    await sandbox.fault("quota_exhausted", PATHS["airports"])

    await service.run_due()

    waiting = (await admin.get(asked.headers["Location"])).body
    assert (waiting["status"], waiting["error"]) == ("queued", "quota_exhausted")
    assert waiting["progress"]["done"] == 3000
    assert waiting["next_attempt_at"] > waiting["created_at"]
    assert await everything(sql) == before
    assert not await service.run_one()  # It is not its time yet.

    await sandbox.control("DELETE", "/faults")
    await forget_pauses(sql)
    await jobs.wait_is_over()
    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["error"], job["next_attempt_at"]) == ("succeeded", None, None)
    assert job["result"]["examples"]["added"] == ["AAA"]
    pages = -(-job["progress"]["done"] // 1000)
    assert (await sandbox.calls())["/v1/airports"] == pages + 1


async def test_a_spent_budget_does_not_hold_a_job_for_the_month(
    admin: Client, sandbox: Sandbox, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again within the hour, and goes on as soon as an operator has raised the budget."""
    asked = await admin.post("/airlines/sync")
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "aviationstack_calls_per_month", 0)
        await service.run_due()

    waiting = (await admin.get(asked.headers["Location"])).body
    assert (waiting["status"], waiting["error"]) == ("queued", "budget_spent")
    wait = datetime.fromisoformat(waiting["next_attempt_at"]) - datetime.fromisoformat(waiting["created_at"])
    assert wait <= timedelta(hours=1, minutes=1)
    assert await sandbox.calls() == {}

    await jobs.wait_is_over()
    await service.run_due()
    assert (await admin.get(asked.headers["Location"])).body["status"] == "succeeded"


@pytest.mark.parametrize("fault", ["error_500", "truncated", "html_200", "rate_limited", "error_php"])
async def test_a_moment_of_trouble_costs_nothing(
    admin: Client, sandbox: Sandbox, jobs: Jobs, sql: Any, page_size: Any, fault: str
) -> None:
    """The job comes to its end at the next attempt."""
    page_size(5)
    asked = await admin.post("/airlines/sync")
    await service.run_one(seconds=0)
    await sandbox.fault(fault, PATHS["airlines"], times=2)
    for _ in range(3):
        await service.run_due()
        await forget_pauses(sql)
        await jobs.wait_is_over()
    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert job["result"]["missing"] == 0 or "ZZ" not in job["result"]["examples"]["missing"]


async def test_trouble_that_does_not_end_fails_the_job(
    admin: Client, sandbox: Sandbox, jobs: Jobs, sql: Any, page_size: Any
) -> None:
    """After five attempts that came no further, with a code of ours; nothing has changed."""
    page_size(5)
    before = await everything(sql)
    asked = await admin.post("/airlines/sync")
    await service.run_one(seconds=0)
    await sandbox.fault("error_php", PATHS["airlines"])

    for _ in range(5):
        assert (await jobs.row(asked.body["id"]))["status"] == "queued"
        await service.run_due()
        await forget_pauses(sql)
        await jobs.wait_is_over()

    answer = await admin.get(asked.headers["Location"])
    assert (answer.body["status"], answer.body["error"]) == ("failed", "server_error")
    assert answer.body["finished_at"] is not None
    assert b"Argument" not in answer.raw
    assert await everything(sql) == before


@pytest.mark.parametrize("table", ["airports", "airlines"])
async def test_an_empty_answer_is_not_believed(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any, table: str
) -> None:
    """A vendor without a single airport has an outage."""
    page_size(1000)
    before = await everything(sql)
    await sandbox.fault("empty", PATHS[table])
    asked = await admin.post(f"/{table}/sync")

    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["error"]) == ("failed", "implausible")
    assert (job["result"]["usable"], job["result"]["added"]) == (0, 0)
    assert job["result"]["expected"] >= 5
    assert await everything(sql) == before


async def test_less_than_half_of_last_time_is_not_believed(
    admin: Client, sandbox: Sandbox, sql: Any, page_size: Any
) -> None:
    """Though every record that came is good."""
    page_size(1000)
    await admin.post("/airports/sync")
    await service.run_due()
    await sql("DELETE FROM airports WHERE iata = 'AAA'")
    before = await everything(sql)
    asked = await admin.post("/airports/sync")
    for _ in range(3):
        await service.run_one(seconds=0)
    await sandbox.fault("empty", PATHS["airports"])

    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["error"]) == ("failed", "implausible")
    assert job["result"]["usable"] == 3000 < job["result"]["expected"]
    assert await everything(sql) == before
