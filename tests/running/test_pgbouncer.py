"""The product behind PgBouncer, which lends it three connections, each for one transaction at a time."""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.payments.support import bought
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.postgres import Server, asking, own_redis
from tests.support.programs import program
from tests.support.stack import ROOT, api_process, free_port, migrate, run

GUIDE = (ROOT / "docs/guides/managed-services.md").read_text()
# Where the product's processes keep sixteen connections each, and whoever comes has another one each time.
_LENT = 3
_LOOKS_ONCE = """
import asyncio
from app.core import db
async def look():
    db.connect()
    await asyncio.gather(*(db.ping() for _ in range(8)))
    for _ in range(40):
        async with db.transaction() as session:
            await db.rows(session, "SELECT :one AS one", one="1")
asyncio.run(look())
"""
# Whatever a worker does: events are handed on, and all that Beat orders is done once.
_WORKS = """
import asyncio
import app.worker
from app import subscribers
from app.core import db, redis
from app.core.background import celery

async def hand_on():
    db.connect()
    redis.connect()
    await subscribers.relay()
    await redis.disconnect()
    await db.disconnect()

asyncio.run(hand_on())
for entry in celery.conf.beat_schedule.values():
    celery.tasks[entry["task"]].run()
"""


def told(name: str) -> str:
    """What the guide says that PgBouncer, or the role, is to be told."""
    found = re.search(rf"^{name} .*$", GUIDE, re.MULTILINE)
    assert found, name
    return found[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("pooled")) as found:
        migrate(DATABASE_URL=found.url)
        for setting in re.findall(r"^ALTER ROLE jetway_app (SET .+);$", GUIDE, re.MULTILINE):
            asyncio.run(found.ask(f"ALTER ROLE jetway {setting}"))
        yield found


@contextmanager
def pgbouncer(server: Server, folder: Path) -> Iterator[str]:
    """Gives the address at which it lends connections to that server."""
    port, far = free_port(), server.libpq()
    (folder / "users").write_text(f'"jetway" "{server.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
jetway = host={far["PGHOST"]} port={far["PGPORT"]} password={server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {_LENT}
server_round_robin = 1
{told("ignore_startup_parameters")}
"""
    )
    account = None
    if server.account:  # It refuses to be root as PostgreSQL does.
        account = server.account.uid
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, account)
    process = subprocess.Popen([program("pgbouncer"), "-q", str(folder / "pgbouncer.ini")], user=account)
    url = re.sub(r"@[^/]+/", f"@127.0.0.1:{port}/", server.url)
    try:
        deadline = time.monotonic() + 20
        while asyncio.run(_refused(url)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


async def _refused(url: str) -> bool:
    try:
        await (await asyncpg.connect(url, statement_cache_size=0, timeout=2)).close()
    except (OSError, asyncpg.PostgresError):
        return True
    return False


@pytest.fixture(scope="module")
def pooled(server: Server) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="jetway-pgbouncer-") as folder:
        with pgbouncer(server, Path(folder)) as url:
            yield url


async def test_it_sells_and_works_through_connections_that_change_hands(
    server: Server, pooled: str, http: aiohttp.ClientSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Searched, held by twenty at once, paid, and a worker's part: nobody gets another's statement or transaction."""
    environment = {
        "DATABASE_URL": pooled,
        "DATABASE_POOLER": "transaction",
        "REDIS_URL": own_redis(),
        "TIMETABLE_DIR": str(tmp_path),
    }
    with api_process(**environment) as base:
        async with asking(server) as ask:
            traveller = await Client(http, base).signed_up()
            fleet = Fleet(ask)
            flight = await fleet.flight(seats=30)
            offer = await fleet.offer(traveller, flight)
            held = await asyncio.gather(*(traveller.book(offer["id"]) for _ in range(20)))
            paid = await bought(traveller, fleet)
        done = await asyncio.to_thread(run, "-c", _WORKS, **environment)

    assert done.returncode == 0, done.stderr[-3000:]
    assert await server.ask("SELECT count(*) FROM outbox WHERE dispatched_at IS NULL") == 0
    assert [answer.status for answer in held] == [201] * 20
    assert paid["status"] == "confirmed"
    assert await server.ask(f"SELECT held FROM inventory WHERE flight_id = {flight.id}") == 20
    backends = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'jetway' AND pid <> pg_backend_pid()"
    assert await server.ask(backends) <= _LENT


async def test_limits_on_time_are_the_roles(pooled: str) -> None:
    """What a process asks for when it connects does not get through, so the guide has the role ask."""
    connection = await asyncpg.connect(pooled, statement_cache_size=0)
    shown = {
        name: await connection.fetchval(f"SHOW {name}")
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    }
    await connection.close()

    assert shown == {
        "lock_timeout": "2s",
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "10s",
    }


@pytest.mark.parametrize(("pooler", "works"), [("transaction", True), ("", False)])
async def test_without_the_setting_statements_get_lost(pooled: str, pooler: str, works: bool) -> None:
    """The control: those that were prepared on one connection are looked for on another."""
    done = await asyncio.to_thread(run, "-c", _LOOKS_ONCE, DATABASE_URL=pooled, DATABASE_POOLER=pooler)

    assert (done.returncode == 0) is works, done.stderr[-2000:]
    assert ("prepared statement" in done.stderr) is not works
