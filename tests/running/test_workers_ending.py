"""A worker or Beat that is asked to end does so within the seconds that containers are given, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from app.airlines import sync
from tests.jobs.support import Jobs
from tests.running.ending import started
from tests.support.client import Sandbox

_CELERY = ("-m", "celery", "--quiet", "-A", "app.worker")
_WORKER = (*_CELERY, "worker", "--concurrency=1", "--without-mingle", "--without-gossip", "-l", "WARNING")


@pytest_asyncio.fixture
async def jobs(sql: Any) -> AsyncIterator[Jobs]:
    """Nothing of them is left for other tests' workers."""
    yield Jobs(sql)
    await sql("DELETE FROM jobs")
    await sql("DELETE FROM provider_budgets")


async def test_what_takes_long_is_interrupted_and_not_lost(
    sandbox: Sandbox, jobs: Jobs, tmp_path: Path
) -> None:
    """A vendor would answer in a minute. Whoever looks after jobs whose worker has gone will find this one."""
    await sandbox.fault("slow", "/v1/airlines", delay_seconds=60)
    asked = await jobs.ask(sync.KIND)
    beat = started(*_CELERY, "beat", "--schedule", str(tmp_path / "schedule"))
    with started(*_WORKER, AVIATIONSTACK_TIMEOUT_SECONDS="60") as worker, beat as beats:
        async with asyncio.timeout(30):
            while not (await sandbox.calls()).get("/v1/airlines"):  # noqa: ASYNC110  Another process.
                await asyncio.sleep(0.1)
        worker.ask()
        beats.ask()

        assert await asyncio.to_thread(beats.ended, 10) < 4
        assert 4 < await asyncio.to_thread(worker.ended, 20) < 10
        assert (worker.process.returncode, beats.process.returncode) == (0, 0)

    job = await jobs.row(asked)
    assert (job["status"], job["lease_until"] is not None) == ("running", True)
