"""A replica answers what may be a moment old; whatever becomes of it, the primary answers instead."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core import db, replica
from app.core.db import Session, rows
from app.core.written import for_sqlalchemy
from app.timetable import builder
from tests.support.client import Client, in_days
from tests.support.fleet import Fleet
from tests.support.postgres import Server, asking, own_redis, replica_of
from tests.support.stack import api_process, migrate


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("primary")) as server:
        migrate(DATABASE_URL=server.url)
        yield server


@pytest.fixture(scope="module")
def standby(primary: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It waits for no reader, so that replay and reading are in each other's way at once."""
    folder = tmp_path_factory.mktemp("standby")
    with replica_of(primary, folder, max_standby_streaming_delay="0") as server:
        yield server


@pytest.fixture(scope="module")
def address(primary: Server, standby: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The product with both, and with nothing of the other tests."""
    own = {"TIMETABLE_DIR": str(tmp_path_factory.mktemp("days")), "REDIS_URL": own_redis()}
    with api_process(DATABASE_URL=primary.url, DATABASE_REPLICA_URL=standby.url, **own) as url:
        yield url


@pytest_asyncio.fixture
async def admin(http: aiohttp.ClientSession, address: str, primary: Server) -> Client:
    """Who may look at the audit log."""
    client = await Client(http, address).signed_up()
    await primary.ask("UPDATE users SET role = 'admin' WHERE id = $1 RETURNING 1", client.user["id"])
    return client


class Pools:
    """Both servers for a part of the product in this process, while all else of it goes on with its own."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = db._pool(for_sqlalchemy(primary.url))
        self.standby = db._pool(for_sqlalchemy(standby.url), default_transaction_read_only="on")

    def replica(self) -> AsyncEngine:
        return self.standby

    def transaction(self, on: AsyncEngine | None = None) -> AbstractAsyncContextManager[Session]:
        return db.transaction(on or self.primary)


@pytest_asyncio.fixture
async def pools(primary: Server, standby: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pools]:
    found = Pools(primary, standby)
    monkeypatch.setattr(replica, "_seen", replica._Seen())
    for user in (replica, builder):
        monkeypatch.setattr(user, "db", found)
    yield found
    await found.primary.dispose()
    await found.standby.dispose()


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.1)


async def ask(standby: Server, *question: Any) -> Any:
    """What the standby says, which ends whatever is in the way of its replay: the questions of tests as well."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await standby.ask(*question)
            except (asyncpg.SerializationError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)


async def health(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/admin/health")).body["checks"]["replica"]
    return found


async def newest(admin: Client) -> str:
    """The id of the last thing that was done, as the audit log tells it."""
    answer = await admin.get("/admin/audit", limit=1)
    assert answer.status == 200, answer.body
    return str(answer.body["data"][0]["id"])


async def level(primary: Server, standby: Server) -> None:
    """Wait until everything has been replayed, also what the primary has committed and not yet written to its log."""
    written = await primary.ask("SELECT pg_current_wal_insert_lsn()::text")
    reached = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
    await until(lambda: ask(standby, reached, written))


async def test_what_was_written_shows_once_it_is_replayed_or_the_replica_is_too_far_behind(
    admin: Client, primary: Server, standby: Server, http: aiohttp.ClientSession
) -> None:
    """A row that the replica does not have yet is missing: so it was the replica that was asked."""
    acted = "INSERT INTO audit_log (action, actor_kind) VALUES ('test.acted', 'system') RETURNING 1"
    await primary.ask(acted)
    await level(primary, standby)
    await until(lambda: _is(admin, "ok"))
    await ask(standby, "SELECT pg_wal_replay_pause()")
    await until(lambda: ask(standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'"))
    before = await newest(admin)
    await primary.ask(acted)
    there = str(await primary.ask("SELECT id FROM audit_log ORDER BY at DESC LIMIT 1"))

    assert await newest(admin) == before != there
    await until(lambda: _is(admin, "down"))
    assert await newest(admin) == there
    assert (await admin.get("/admin/health")).body["status"] in ("degraded", "down")
    assert await lag_metric(http, admin.base) > replica.MOST_SECONDS

    await ask(standby, "SELECT pg_wal_replay_resume()")
    await until(lambda: _is(admin, "ok"))

    async def is_told() -> bool:
        return await lag_metric(http, admin.base) <= replica.MOST_SECONDS

    await until(is_told)


async def _is(admin: Client, status: str) -> bool:
    return bool((await health(admin))["status"] == status)


async def lag_metric(http: aiohttp.ClientSession, base: str) -> float:
    token = {"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
    async with http.get(f"{base}/admin/metrics", headers=token) as answer:
        said = re.search(r"^jetway_replica_lag_seconds (\S+)$", await answer.text(), re.MULTILINE)
    assert said
    return float(said[1])


async def test_a_day_of_the_timetable_is_never_older_than_what_was_asked_for(
    pools: Pools, primary: Server, standby: Server
) -> None:
    """The replica reads it, unless it has not heard of the day's last flight."""
    async with asking(primary) as ask:
        await it_is_read_anew(Fleet(ask), primary, standby)


async def it_is_read_anew(fleet: Fleet, primary: Server, standby: Server) -> None:
    flight = await fleet.flight(day=in_days(200))
    await level(primary, standby)
    asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'jetway'"
    before = await ask(standby, asked)
    assert list((await builder.build(flight.day)).id) == [flight.id]
    await until(lambda: _more(standby, asked, before))

    await ask(standby, "SELECT pg_wal_replay_pause()")
    later = await fleet.flight_at(datetime.combine(flight.day, datetime.min.time(), UTC).replace(hour=15))
    assert set((await builder.build(flight.day)).id) == {flight.id, later.id}
    await ask(standby, "SELECT pg_wal_replay_resume()")


async def _more(server: Server, statement: str, than: int) -> bool:
    return bool(await server.ask(statement) > than + 1)


async def test_a_question_that_replay_has_ended_is_asked_at_the_primary(
    pools: Pools, primary: Server, standby: Server
) -> None:
    """Rows that the replica still reads are cleared away on the primary."""
    await level(primary, standby)
    asked = []

    async def slow(session: Session) -> int:
        asked.append(await rows(session, "SELECT pg_is_in_recovery() AS on_replica"))
        sleep = "SELECT count(*) AS people, (SELECT 1 FROM pg_sleep(2 * :seconds)) FROM users"
        return int((await rows(session, sleep, seconds=1.5 if len(asked) == 1 else 0))[0]["people"])

    reading = asyncio.create_task(replica.read(slow))
    await until(
        lambda: ask(
            standby,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2%' AND pid <> pg_backend_pid())",
        )
    )
    await primary.ask("UPDATE users SET full_name = full_name")
    await primary.ask("VACUUM users")

    assert await reading == await primary.ask("SELECT count(*) FROM users")
    assert asked == [[{"on_replica": True}], [{"on_replica": False}]]


async def test_one_that_was_promoted_or_stopped_is_not_asked(
    admin: Client, pools: Pools, primary: Server, standby: Server
) -> None:
    """A promoted replica goes its own way from then on; no write of ours ever gets there."""
    await until(lambda: _is(admin, "ok"))
    await ask(standby, "SELECT pg_promote()")
    await ask(
        standby, "INSERT INTO audit_log (action, actor_kind) VALUES ('test.elsewhere', 'system') RETURNING 1"
    )
    await until(lambda: _is(admin, "down"))

    assert (await admin.get("/admin/audit", action="test.elsewhere")).body["data"] == []
    with pytest.raises(DBAPIError) as refused:
        async with db.transaction(pools.replica()) as session:
            await rows(session, "DELETE FROM heartbeats")
    assert refused.value.orig.sqlstate == asyncpg.ReadOnlySQLTransactionError.sqlstate  # type: ignore[union-attr]

    standby.kill()
    there = str(await primary.ask("SELECT id FROM audit_log ORDER BY at DESC LIMIT 1"))
    assert await newest(admin) == there
    assert (await health(admin))["lag_seconds"] is None
