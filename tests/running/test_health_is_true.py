"""Servers of its own, an API, a worker, Beat and the outside world: whatever stops is shown, and so is its return."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from dev.servers import Servers, embedded_servers
from tests.support import stack
from tests.support.client import Client, in_days
from tests.support.nursery import Process

_PATIENCE_SECONDS = 120
_CELERY = ("-m", "celery", "-A", "app.worker")


@dataclass
class Product:
    """It runs, with all that it stands on; `start` starts one of its processes, or one again."""

    servers: Servers
    address: str
    temporary: Path
    start: Callable[[str], Process]
    api: Client | None = None

    async def shows(self, **expected: str) -> None:
        await until(lambda: self._shows(expected))

    async def _shows(self, expected: dict[str, str]) -> bool:
        answer = (await self.api.get("/admin/health")).body
        found = {name: check["status"] for name, check in answer["checks"].items()} | {
            "all": answer["status"]
        }
        return expected.items() <= found.items()

    async def measures(self, sample: str) -> float | None:
        token = {"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
        text = (await self.api.get("/admin/metrics", headers=token)).raw.decode()
        return next(
            (float(line.split()[-1]) for line in text.splitlines() if line.startswith(sample + " ")), None
        )

    async def wait_30_seconds(self) -> None:
        """By letting what was shown until now be older."""
        connection = await asyncpg.connect(self.servers.postgres.url)
        await connection.execute("UPDATE heartbeats SET at = at - interval '30 seconds'")
        await connection.close()
        for sign in self.temporary.glob("jetway-alive-*/*"):
            os.utime(sign, (time.time() - 70, time.time() - 70))

    async def probe(self, process: str, *, finds: int) -> None:
        """As a container's would, until it finds that."""
        await until(lambda: asyncio.to_thread(self._probed, process, finds))

    def _probed(self, process: str, finds: int) -> bool:
        return stack.run("-m", "app", "alive", process, TMPDIR=str(self.temporary)).returncode == finds


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            if await true():
                return
            await asyncio.sleep(0.1)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    port, vendor, smtp = stack.free_port(), stack.free_port(), stack.free_port()
    with ExitStack() as running:
        servers = running.enter_context(embedded_servers(tmp_path, durable=False))
        environment = {
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.redis.url,
            "AVIATIONSTACK_BASE_URL": f"http://127.0.0.1:{vendor}",
            "TIMETABLE_DIR": str(tmp_path / "timetable"),
            "TMPDIR": str(tmp_path),
        }
        commands = {
            "sandbox": (
                "-m",
                "sandbox",
                "--host",
                "127.0.0.1",
                "--port",
                str(vendor),
                "--smtp-port",
                str(smtp),
            ),
            "api": ("-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log"),
            "worker": (*_CELERY, "worker", "-P", "solo", "-l", "WARNING"),
            "beat": (*_CELERY, "beat", "-l", "WARNING", "--schedule", str(tmp_path / "schedule")),
        }

        def start(name: str) -> Process:
            return running.enter_context(stack.child(*commands[name], **environment))

        stack.migrate(**environment)
        yield Product(servers, f"http://127.0.0.1:{port}", tmp_path, start)


async def test_whatever_stops_is_shown_and_so_is_its_return(
    product: Product, http: aiohttp.ClientSession
) -> None:
    """PostgreSQL, Redis, a worker that hangs, Beat and a vendor, one after the other, within seconds both ways."""
    sandbox, _, worker, beat = (product.start(name) for name in ("sandbox", "api", "worker", "beat"))
    stack.wait_for(f"{product.address}/readyz")
    product.api = Client(http, product.address)
    await product.shows(postgres="ok", redis="ok", worker="ok", beat="ok", aviationstack="unknown", all="ok")
    await product.probe("worker", finds=0)
    await product.probe("beat", finds=0)

    product.servers.redis.stop()
    await product.shows(redis="down", postgres="ok", all="degraded")
    assert await product.measures('jetway_dependency_up{dependency="redis"}') == 0
    assert await product.measures('jetway_dependency_up{dependency="postgres"}') == 1
    product.servers.redis.start()
    await product.shows(redis="ok")

    product.servers.postgres.stop()
    await product.shows(postgres="down", redis="ok", all="down")
    assert (await product.api.get("/readyz")).status == 503
    assert await product.measures('jetway_dependency_up{dependency="postgres"}') == 0
    product.servers.postgres.start()
    await product.shows(postgres="ok", redis="ok", worker="ok", beat="ok", all="ok")
    assert await product.measures('jetway_dependency_up{dependency="postgres"}') == 1

    worker.send_signal(signal.SIGSTOP)
    await product.wait_30_seconds()
    await product.shows(worker="down", beat="ok", all="degraded")
    await product.probe("worker", finds=1)
    assert (await product.measures('jetway_heartbeat_age_seconds{process="worker"}') or 0) > 30
    worker.send_signal(signal.SIGCONT)
    await product.shows(worker="ok", all="ok")
    await product.probe("worker", finds=0)

    beat.kill()
    await product.wait_30_seconds()
    await product.shows(beat="down", worker="ok", all="degraded")
    await product.probe("beat", finds=1)
    product.start("beat")
    await product.shows(beat="ok", worker="ok", all="ok")
    await product.probe("beat", finds=0)

    assert (await product.api.search("JFK", "LHR", in_days(40))).status == 200
    await product.shows(aviationstack="ok")
    sandbox.kill()
    assert (await product.api.search("CDG", "LHR", in_days(41))).status == 503
    await product.shows(aviationstack="down", all="degraded")
    product.start("sandbox")

    async def answers_again() -> bool:
        return (await product.api.search("AMS", "LHR", in_days(42))).status == 200

    await until(answers_again)
    await product.shows(aviationstack="ok", all="ok")
