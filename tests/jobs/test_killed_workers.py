"""Workers are killed, and two may want the same job: it goes on where it was, and counts once."""

import asyncio
from typing import Any

import pytest

from app.jobs import service
from app.jobs.running import JobLost, Running
from app.providers import registry
from tests.jobs.support import FakeSource, Jobs, airport
from tests.support.client import Client, Sandbox

pytestmark = pytest.mark.usefixtures("reference_data")

TABLE = [airport(f"Q{a}{b}") for a in "YE" for b in "ABCDEFGH"]


async def test_the_next_worker_goes_on_at_the_next_page(
    admin: Client, sandbox: Sandbox, jobs: Jobs, page_size: Any, killed: Any
) -> None:
    """Pages that were kept are not fetched again; only the one that was under way is."""
    page_size(1000)
    asked = await admin.post("/airports/sync")

    async def three_pages_are_kept() -> bool:
        return bool((await jobs.row(asked.body["id"]))["done"] >= 3000)

    await killed(service.run_due(), three_pages_are_kept)
    first = (await sandbox.calls())["/v1/airports"]
    await service.run_due()
    assert (await jobs.row(asked.body["id"]))["status"] == "running"  # The lease still stands.
    await jobs.lose_the_worker()
    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["result"]["missing"]) == ("succeeded", 0)
    pages = -(-job["progress"]["done"] // 1000)
    assert 3 <= first <= 4
    assert pages <= (await sandbox.calls())["/v1/airports"] <= pages + 1
    assert (await jobs.row(job["id"]))["attempts"] == 2


async def test_two_workers_do_not_do_it_twice(
    admin: Client, sandbox: Sandbox, jobs: Jobs, page_size: Any
) -> None:
    """The second finds nothing to do."""
    page_size(1000)
    asked = await admin.post("/airports/sync")

    await asyncio.gather(*(service.run_due() for _ in range(4)))

    job = await jobs.row(asked.body["id"])
    assert (job["status"], job["attempts"]) == ("succeeded", 1)
    assert (await sandbox.calls())["/v1/airports"] == -(-job["done"] // 1000)


async def test_a_worker_that_comes_back_late_changes_nothing(
    jobs: Jobs, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung over a page, another one took over and finished; what it still brings is not kept."""
    slow, hanging, resumed = FakeSource(TABLE), asyncio.Event(), asyncio.Event()

    async def hang(offset: int) -> None:
        if offset == 4:
            hanging.set()
            await resumed.wait()

    slow.before_answer = hang
    monkeypatch.setattr(registry, "schedules", lambda: slow)
    job_id = await jobs.ask("airports.sync")
    late = asyncio.create_task(service.run_one(job_id))
    await hanging.wait()
    await jobs.lose_the_worker()
    monkeypatch.setattr(registry, "schedules", lambda: FakeSource(TABLE))
    await service.run_due()
    finished = await jobs.row(job_id)

    resumed.set()
    await late

    assert finished["status"] == "succeeded"
    assert await jobs.row(job_id) == finished
    assert slow.asked == [0, 2, 4]
    [items] = await sql("SELECT count(*) AS n FROM job_items")
    assert items["n"] == len(TABLE)


async def test_a_job_cannot_be_taken_while_it_is_put_in_force(jobs: Jobs) -> None:
    """However late it is: the worker that applies the result holds it until it has committed."""
    taken = []

    @service.kind("test.applies")
    async def run(job: Running) -> dict[str, Any]:
        async with job.transaction() as session:
            await jobs.lose_the_worker(session)
            taken.append(await service.run_one(job.id))
            return await job.finish(session, {"applied": True})

    job_id = await jobs.ask("test.applies")
    await service.run_due()

    assert taken == [False]
    assert (await jobs.row(job_id))["result"] == {"applied": True}


async def test_whoever_lost_the_job_cannot_finish_it(jobs: Jobs) -> None:
    """Neither with a result nor with a failure."""
    lost = []

    @service.kind("test.loses")
    async def run(job: Running) -> dict[str, Any]:
        await jobs.sql("UPDATE jobs SET lease_token = gen_random_uuid()")
        for attempt in (job.save(done=1), _finished(job)):
            with pytest.raises(JobLost):
                await attempt
            lost.append(True)
        raise RuntimeError("and now it fails too")

    job_id = await jobs.ask("test.loses")
    await service.run_due()

    job = await jobs.row(job_id)
    assert lost == [True, True]
    assert (job["status"], job["done"], job["error"]) == ("running", 0, None)


async def _finished(job: Running) -> None:
    async with job.transaction() as session:
        await job.finish(session, {})
        raise AssertionError("it could be finished")


async def test_a_job_that_kills_its_workers_is_given_up(jobs: Jobs, killed: Any) -> None:
    """After five of them."""
    started = []

    @service.kind("test.kills")
    async def run(job: Running) -> dict[str, Any]:
        started.append(job.attempts)
        await asyncio.sleep(60)
        raise AssertionError

    job_id = await jobs.ask("test.kills")
    for attempt in range(1, 6):

        async def is_under_way(attempt: int = attempt) -> bool:
            return attempt in started

        await killed(service.run_due(), is_under_way)
        await jobs.lose_the_worker()
    await service.run_due()

    job = await jobs.row(job_id)
    assert started == [1, 2, 3, 4, 5]
    assert (job["status"], job["error"]) == ("failed", "gave_up")
