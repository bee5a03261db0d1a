"""A transaction straight on the driver keeps what other transactions promise."""

import asyncio
import os
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from app.core import db

INSERT = "INSERT INTO heartbeats (name, at) VALUES ('direct', now())"
FOUND = "SELECT name FROM heartbeats WHERE name = 'direct'"


@pytest_asyncio.fixture(autouse=True)
async def clean(sql: Any) -> AsyncIterator[None]:
    yield
    await sql("DELETE FROM heartbeats WHERE name = 'direct'")


async def ask(*statements: str) -> None:
    async with db.direct() as session:
        for statement in statements:
            await db.rows(session, statement)


async def test_work_is_committed_and_followed_up(sql: Any) -> None:
    """The follow-up sees it."""
    seen: list[Any] = []

    async def look() -> None:
        seen.extend(await sql(FOUND))

    async with db.direct() as session:
        await db.rows(session, INSERT)
        db.after_commit(session, look)

    assert seen == [{"name": "direct"}]


async def test_whoever_is_cancelled_leaves_no_transaction_open(sql: Any) -> None:
    """Wherever that happens: whoever had the connection next would work in it, and none of that would be durable."""
    for tenths in range(40):
        asking, deadline = asyncio.create_task(ask("SELECT 1")), monotonic() + tenths / 10_000
        while monotonic() < deadline:  # noqa: ASYNC110  Any step of it may be the one.
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

        await sql(INSERT)
        await ask("SELECT 1")  # It ends what was left open.
        assert await sql(FOUND) == [{"name": "direct"}]
        await sql("DELETE FROM heartbeats WHERE name = 'direct'")


async def test_any_exception_rolls_it_back(sql: Any) -> None:
    """And nothing follows."""
    followed: list[bool] = []

    async def follow() -> None:
        followed.append(True)

    async def fails() -> None:
        async with db.direct() as session:
            await db.rows(session, INSERT)
            db.after_commit(session, follow)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fails()

    assert await sql(FOUND) == []
    assert followed == []


async def test_what_postgresql_refuses_is_told_as_elsewhere(sql: Any) -> None:
    """With its state, by which a refusal is chosen; the connection serves the next one."""
    with pytest.raises(DBAPIError) as refused:
        await ask(INSERT, INSERT)

    assert getattr(refused.value.orig, "sqlstate", None) == "23505"
    assert not refused.value.connection_invalidated
    assert await sql(FOUND) == []


async def test_a_connection_that_broke_is_not_lent_again() -> None:
    """Its transaction fails as an outage of the database; whoever comes next is given another one."""
    with pytest.raises(DBAPIError) as broken:
        await ask("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1")

    assert broken.value.connection_invalidated
    async with db.direct() as session:
        assert await db.rows(session, "SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("directly", [True, False])
async def test_a_connection_that_died_in_the_pool_fails_nobody(directly: bool) -> None:
    """As after a restart of PostgreSQL: the socket tells, and a new one is opened."""
    async with db.direct() as staying:
        async with db.direct() as other:
            idle, [backend] = other.driver, await db.rows(other, "SELECT pg_backend_pid() AS pid")
        assert idle is not None
        await db.rows(staying, "SELECT pg_terminate_backend(:pid)", pid=backend["pid"])
        while not idle.is_closed():  # noqa: ASYNC110  The socket offers no event.
            await asyncio.sleep(0.01)

        begins = db.direct if directly else db.transaction
        async with begins() as following:
            assert await db.rows(following, "SELECT 1 AS one") == [{"one": 1}]


async def test_whoever_comes_after_a_cancelled_one_is_on_their_own(sql: Any) -> None:
    """Wherever it was cancelled, BEGIN included: the next one's work is durable, as another connection sees."""
    witness = await asyncpg.connect(os.environ["DATABASE_URL"])
    cancelled = 0
    for ticks in range(10):
        task = asyncio.create_task(ask("SELECT 1"))
        for _ in range(ticks):
            await asyncio.sleep(0)
        cancelled += task.cancel()
        await asyncio.wait([task])

        await ask(INSERT)

        assert await witness.execute("DELETE FROM heartbeats WHERE name = 'direct'") == "DELETE 1", ticks
    await witness.close()
    assert cancelled > 3
