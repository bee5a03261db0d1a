"""Without users the vendors are left alone: nothing is fetched because a clock has struck."""

import asyncio
import os
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.support.client import Sandbox
from tests.support.stack import run

NAME = f"jetway_quiet_{os.getpid()}"


@pytest_asyncio.fixture
async def new_database(address: str) -> AsyncIterator[str]:
    """Nothing is in it, not even tables."""
    ours = os.environ["DATABASE_URL"]
    connection = await asyncpg.connect(ours)
    await connection.execute(f"CREATE DATABASE {NAME}")
    yield re.sub(r"/[^/?]*(\?|$)", f"/{NAME}\\1", ours)
    await connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await connection.close()


async def test_every_task_of_beat_on_a_new_database_asks_nobody(sandbox: Sandbox, new_database: str) -> None:
    """Neither AviationStack nor OpenSky, and nothing is paid for."""
    worker = await asyncio.to_thread(run, "-m", "tests.flights.quiet", DATABASE_URL=new_database)
    assert worker.returncode == 0, worker.stderr

    connection = await asyncpg.connect(new_database)
    checked = await connection.fetchval("SELECT count(*) FROM zone_rules")
    paid = await connection.fetchval("SELECT count(*) FROM provider_budgets")
    await connection.close()
    assert checked > 100
    assert (await sandbox.calls(), paid) == ({}, 0)
