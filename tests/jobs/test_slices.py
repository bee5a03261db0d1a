"""A long job takes turns with everything else that a worker has to do, and goes on where it was."""

from typing import Any

import pytest

from app.core import db
from app.jobs import service
from app.jobs.running import JobFailed, Running
from app.providers.base import ProviderError
from tests.jobs.support import Jobs
from tests.support.client import Client


@service.kind("test.counts")
async def count(job: Running) -> dict[str, Any]:
    """One step for each chunk of the input; every other line is refused."""
    position = (job.cursor or {"position": 0})["position"]
    async for chunk in job.input(position):
        position += 1
        refused = (
            [{"line": position, "code": "even", "message": "Only odd lines."}] if position % 2 == 0 else []
        )
        items = {} if refused else {chunk.decode(): {"position": position}}
        await job.save(cursor={"position": position}, done=position, total=12, items=items, refusals=refused)
    return {"staged": sorted(await job.staged())}


async def asked(jobs: Jobs) -> Any:
    return await jobs.ask("test.counts", inputs=[f"line {number:02}".encode() for number in range(1, 13)])


async def test_a_job_stops_itself_when_its_time_is_up(jobs: Jobs) -> None:
    """With what it has done, for any worker to go on with; that is no failed attempt."""
    job_id, done = await asked(jobs), []
    while await service.run_one(seconds=0):
        job = await jobs.row(job_id)
        done.append((job["status"], job["done"], job["attempts"]))

    assert done[:12] == [("queued", position, 0) for position in range(1, 13)]
    job = await jobs.row(job_id)
    assert (job["status"], job["total"]) == ("succeeded", 12)
    assert job["result"] == {"staged": [f"line {number:02}" for number in range(1, 13, 2)]}
    assert await jobs.sql("SELECT array_agg(line ORDER BY line) AS lines FROM job_refusals") == [
        {"lines": [2, 4, 6, 8, 10, 12]}
    ]


async def test_jobs_take_turns(jobs: Jobs) -> None:
    """A long one keeps no other waiting until it is done."""
    first, second = await asked(jobs), await asked(jobs)
    for _ in range(6):
        await service.run_one(seconds=0)

    assert {(await jobs.row(job_id))["done"] for job_id in (first, second)} == {3}


async def test_a_failure_that_is_meant_is_shown(jobs: Jobs, admin: Client) -> None:
    """With its code and what it wants to say; what was staged stays to be looked at."""

    @service.kind("test.refuses")
    async def run(job: Running) -> dict[str, Any]:
        await job.save(items={"a": {}})
        raise JobFailed("implausible", {"rows": 1})

    job_id = await jobs.ask("test.refuses")
    await service.run_due()

    seen = (await admin.get(f"/admin/jobs/{job_id}")).body
    assert (seen["status"], seen["error"], seen["result"]) == ("failed", "implausible", {"rows": 1})
    assert seen["finished_at"] is not None


async def test_a_failure_that_is_not_meant_says_nothing(jobs: Jobs, admin: Client) -> None:
    """But a code: what broke is in the log, for us."""

    @service.kind("test.breaks")
    async def run(job: Running) -> dict[str, Any]:
        raise RuntimeError("select * from secrets")

    job_id = await jobs.ask("test.breaks")
    await service.run_due()

    answer = await admin.get(f"/admin/jobs/{job_id}")
    assert (answer.body["status"], answer.body["error"]) == ("failed", "internal_error")
    assert b"secrets" not in answer.raw


async def test_a_hiccup_of_the_database_is_not_the_jobs_fault(jobs: Jobs) -> None:
    """It is tried again a little later."""

    @service.kind("test.hiccups")
    async def run(job: Running) -> dict[str, Any]:
        if job.attempts == 1:
            async with db.transaction() as session:
                await db.rows(session, "SET LOCAL statement_timeout = 10")
                await db.rows(session, "SELECT pg_sleep(1)")
        return {}

    job_id = await jobs.ask("test.hiccups")
    await service.run_due()
    job = await jobs.row(job_id)
    assert (job["status"], job["error"], job["attempts"]) == ("queued", "interrupted", 1)

    await jobs.wait_is_over()
    await service.run_due()

    assert (await jobs.row(job_id))["status"] == "succeeded"


@pytest.mark.parametrize("gets_on", [True, False])
async def test_attempts_count_from_where_it_last_got_on(jobs: Jobs, gets_on: bool) -> None:
    """A job that comes a little further every time is not given up."""

    @service.kind("test.crawls")
    async def run(job: Running) -> dict[str, Any]:
        step = (job.cursor or {"step": 0})["step"]
        if step < 8:
            await job.save(cursor={"step": step + 1 if gets_on else 0})
            raise ProviderError("server_error", retry_after_seconds=1)
        return {}

    job_id = await jobs.ask("test.crawls")
    for _ in range(9):
        await service.run_due()
        await jobs.wait_is_over()

    job = await jobs.row(job_id)
    assert (job["status"], job["error"]) == ("succeeded", None) if gets_on else ("failed", "server_error")


async def test_a_kind_that_nobody_here_knows_is_left_to_others(jobs: Jobs) -> None:
    """Another release may be running next to this one."""
    job_id = await jobs.ask("test.of_the_next_release")
    await service.run_due()

    assert (await jobs.row(job_id))["status"] == "queued"


async def test_the_parts_of_old_jobs_are_dropped(jobs: Jobs, sql: Any) -> None:
    """A week after they ended; the jobs stay to be read, and what is newer stays whole."""
    old, new = await asked(jobs), await asked(jobs)
    await service.run_due()
    await sql("UPDATE jobs SET finished_at = now() - interval '8 days' WHERE id = :id", id=old)

    async with db.transaction() as session:
        await service.purge(session)

    for table in ("job_items", "job_inputs"):
        assert await sql(f"SELECT DISTINCT job_id FROM {table}") == [{"job_id": new}]
    assert len(await sql("SELECT DISTINCT job_id FROM job_refusals")) == 2
    assert (await jobs.row(old))["result"] is not None
