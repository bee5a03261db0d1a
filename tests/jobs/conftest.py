"""Jobs as operators ask for them and as workers in this process do them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import pytest_asyncio

from app.core.config import settings
from tests.jobs.support import Jobs
from tests.support.client import Client

_EMPTIED = ("job_items", "job_inputs", "job_refusals", "jobs", "provider_endpoints", "provider_budgets")
_KEPT = ("airports", "airlines")


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    """Somebody who may ask for jobs."""
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client


@pytest_asyncio.fixture(autouse=True)
async def no_jobs(sql: Any) -> None:
    """Neither jobs of other tests, nor pauses after what they did to the vendor."""
    for table in _EMPTIED:
        await sql(f"DELETE FROM {table}")


@pytest_asyncio.fixture
async def reference_data(sql: Any) -> AsyncIterator[None]:
    """Airports and airlines, which are after the test as they were before it."""
    for table in _KEPT:
        await sql(f"CREATE TABLE kept_{table} AS TABLE {table}")
    yield
    for table in _KEPT:
        await sql(f"DELETE FROM {table}")
        await sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        await sql(f"DROP TABLE kept_{table}")


@pytest.fixture
def page_size(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the vendor be asked for so many rows at a time."""
    return lambda rows: monkeypatch.setattr(settings(), "aviationstack_page_size", rows)


@pytest.fixture
def jobs(sql: Any) -> Jobs:
    return Jobs(sql)


@pytest.fixture
def killed() -> Any:
    """Let something run until a condition holds, then stop it where it stands, as a kill does."""

    async def run(work: Coroutine[Any, Any, Any], until: Callable[[], Awaitable[bool]]) -> None:
        task = asyncio.create_task(work)
        async with asyncio.timeout(20):
            while not await until():
                assert not task.done(), "it was done before it could be killed"
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return run
