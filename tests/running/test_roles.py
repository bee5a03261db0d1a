"""An account that may do little is enough to run the product, and another one migrates."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.payments.support import bought
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.postgres import PROGRAMS, Server, asking, own_redis
from tests.support.stack import ROOT, api_process, migrate, run

_KEEPS_HOUSE = """
from app.bookings import tasks as bookings
from app.ops import tasks as ops
from app.webhooks import tasks as webhooks
for task in (ops.keep_audit_months, webhooks.keep_months, ops.purge, ops.drop_events, bookings.expire_due_holds):
    task.run()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("roles")) as found:
        # As with hosters, whoever administers the database is no superuser.
        asyncio.run(found.ask(f"CREATE ROLE administrator LOGIN CREATEROLE PASSWORD '{found.password}'"))
        asyncio.run(found.ask("ALTER DATABASE jetway OWNER TO administrator"))
        migrate(DATABASE_URL=as_role(found, "administrator"))
        administrator = found.libpq() | {"PGUSER": "administrator"}
        for _ in range(2):
            command = [PROGRAMS / "psql", "-X", "-q", "-f", ROOT / "deploy/postgres/roles.sql", "jetway"]
            subprocess.run(command, env=administrator, check=True, timeout=60)
        for role in ("jetway_owner", "jetway_app"):
            asyncio.run(found.ask(f"ALTER ROLE {role} PASSWORD '{found.password}'"))
        yield found


def as_role(server: Server, role: str) -> str:
    return server.url.replace("//jetway:", f"//{role}:")


async def test_the_product_sells_and_keeps_house_as_an_account_that_owns_nothing(
    server: Server, http: aiohttp.ClientSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It searches, books, takes money, and Beat's work is done: months are made and dropped."""
    await server.ask(
        "CREATE TABLE audit_log_2020_01 PARTITION OF audit_log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
    )
    await server.ask("ALTER TABLE audit_log_2020_01 OWNER TO jetway_months")
    environment = {
        "DATABASE_URL": as_role(server, "jetway_app"),
        "REDIS_URL": own_redis(),
        "TIMETABLE_DIR": str(tmp_path),
    }
    with api_process(**environment) as base:
        async with asking(server) as ask:
            traveller = await Client(http, base).signed_up()
            assert (await bought(traveller, Fleet(ask)))["status"] == "confirmed"

    done = run("-c", _KEEPS_HOUSE, **environment)

    assert done.returncode == 0, done.stderr[-3000:]
    months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_log'::regclass"
    assert await server.ask(months) >= 4
    assert await server.ask("SELECT to_regclass('audit_log_2020_01')") is None


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE bookings",
        "ALTER TABLE bookings ADD COLUMN note text",
        "ALTER TABLE ledger_lines DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "TRUNCATE payments",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE ROLE somebody",
        "COPY users TO PROGRAM 'cat'",
    ],
)
async def test_whoever_gets_hold_of_it_cannot_undo_what_the_database_sees_to(
    server: Server, statement: str
) -> None:
    """The books only grow, and tables stay what they are."""
    connection = await asyncpg.connect(as_role(server, "jetway_app"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_migrations_run_as_the_owner(server: Server) -> None:
    """Back and forth; what it makes new, the product's account may use."""
    owner = as_role(server, "jetway_owner")
    for command in (("downgrade", "-1"), ("upgrade", "head")):
        done = await asyncio.to_thread(run, "-m", "alembic", *command, DATABASE_URL=owner)
        assert done.returncode == 0, done.stderr[-3000:]
    connection = await asyncpg.connect(owner)
    await connection.execute("ALTER TABLE audit_log ADD COLUMN new text")
    await connection.execute("CREATE TABLE new (id bigint GENERATED ALWAYS AS IDENTITY)")
    await connection.close()

    app = await asyncpg.connect(as_role(server, "jetway_app"))
    await app.execute("INSERT INTO new DEFAULT VALUES")
    await app.close()
