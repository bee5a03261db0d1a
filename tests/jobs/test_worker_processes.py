"""The whole way: an administrator asks, a Celery worker hears it, is killed, and another one ends the work."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.support import Jobs
from tests.support.client import Client, Sandbox
from tests.support.stack import child

pytestmark = pytest.mark.usefixtures("reference_data")

_PATIENCE_SECONDS = 120
_CELERY = ("-m", "celery", "-A", "app.worker")


@pytest.fixture
def processes() -> Iterator[Any]:
    """Start Celery processes, which end with the test."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(
            child(*_CELERY, *arguments, "-l", "WARNING", AVIATIONSTACK_PAGE_SIZE="2")
        )


async def test_a_sync_outlives_the_worker_that_began_it(
    admin: Client, sandbox: Sandbox, jobs: Jobs, processes: Any, tmp_path: Path
) -> None:
    """Asked for over HTTP, begun at the doorbell, killed at half, found by the sweep, ended at the next page."""
    await sandbox.fault("slow", "/v1/airlines", delay_seconds=0.5)
    worker = processes("worker", "-P", "solo")
    location = (await admin.post("/airlines/sync")).headers["Location"]

    async def seen(status: str, done: int = 0) -> dict[str, Any]:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                job: dict[str, Any] = (await admin.get(location)).body
                if job["status"] == status and job["progress"]["done"] >= done:
                    return job
                await asyncio.sleep(0.05)

    half = await seen("running", done=4)
    worker.kill()
    worker.wait()
    await sandbox.control("DELETE", "/faults")
    assert half["result"] is None
    await jobs.lose_the_worker()
    processes("worker", "-P", "solo")
    processes("beat", "--schedule", str(tmp_path / "schedule"))

    job = await seen("succeeded")

    assert job["progress"]["done"] == job["progress"]["total"] > half["progress"]["done"]
    assert job["started_at"] == half["started_at"]
    pages = -(-job["progress"]["done"] // 2)
    assert (await sandbox.calls())["/v1/airlines"] in (pages, pages + 1, pages + 2)
