"""Several API processes of one host: whichever is asked tells of all, and nothing counted is taken back or twice."""

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from app.core.config import settings
from tests.support.nursery import Process
from tests.support.stack import child, free_port, run, wait_for

Serve = Callable[[], tuple[str, Process]]
_PATIENCE_SECONDS = 30
_REQUESTS = 'jetway_http_request_seconds_count{method="GET",route="/airports/{iata}",status="200"}'


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start processes as `uvicorn --workers` does, but each has a port, so that a test knows whom it asks."""
    with ExitStack() as stack:

        def start() -> tuple[str, Process]:
            port = free_port()
            command = ("-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log")
            process = stack.enter_context(child(*command, METRICS_DIR=str(tmp_path / "metrics")))
            wait_for(f"http://127.0.0.1:{port}/readyz")
            return f"http://127.0.0.1:{port}", process

        yield start


async def told(http: aiohttp.ClientSession, address: str) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
    async with http.get(f"{address}/admin/metrics", headers=headers) as answer:
        text = await answer.text()
    return {name: float(value) for name, value in re.findall(r"^([a-z].*) (\S+)$", text, re.MULTILINE)}


async def ask(http: aiohttp.ClientSession, address: str, times: int) -> None:
    for _ in range(times):
        async with http.get(f"{address}/airports/JFK") as answer:
            assert answer.status == 200


async def until(http: aiohttp.ClientSession, address: str, requests: int) -> dict[str, float]:
    """Scrape until so many are told of; on the way there the number never goes back."""
    before = 0.0
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while (found := await told(http, address))[_REQUESTS] != requests:
            assert before <= found[_REQUESTS] < requests
            before = found[_REQUESTS]
            await asyncio.sleep(0.05)
    return found


async def test_whoever_is_asked_tells_of_all_and_of_the_dead(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    """Requests of all are added up; one is killed, and one ends well: what they had counted stays, and stays once."""
    (one, first), (other, second) = serve(), serve()
    await ask(http, one, 3)
    await ask(http, other, 40)
    found = await until(http, one, 43)
    assert found["jetway_processes"] == 2
    assert found["jetway_database_pool_size"] == 2 * settings().database_pool_size
    assert found['jetway_dependency_up{dependency="postgres"}'] == 1
    by_the_other = await told(http, other)
    assert by_the_other[_REQUESTS] == 43
    assert by_the_other["process_start_time_seconds"] == found["process_start_time_seconds"]

    second.kill()
    second.wait()

    found = await told(http, one)
    assert (found[_REQUESTS], found["jetway_processes"]) == (43, 1)
    other, second = serve()
    await ask(http, other, 7)
    assert (await told(http, other))[_REQUESTS] == 50
    first.terminate()
    first.wait()

    assert [(await told(http, other))[_REQUESTS] for _ in range(3)] == [50] * 3
    assert (await told(http, other))["jetway_processes"] == 1
    left = {
        file.suffix for file in (tmp_path / "metrics").iterdir() if not file.name.startswith(str(second.pid))
    }
    assert left == {".json", ""}, "of the dead there is one file, and the lock"


def test_a_folder_that_cannot_be_made_is_refused_in_a_line(tmp_path: Path) -> None:
    """As any other setting that is wrong, before anything is connected to; commands, which need none, go on."""
    (tmp_path / "taken").write_text("a file")
    wrong = {"METRICS_DIR": str(tmp_path / "taken/metrics"), "DATABASE_URL": "postgresql://127.0.0.1:1/none"}

    done = run("-m", "uvicorn", "app.main:app", "--port", "1", **wrong)

    assert done.returncode == 1
    assert done.stderr == (
        "Jetway does not start: METRICS_DIR: Not a folder that can be written to: Not a directory.\n"
    )
    assert run("-m", "app", "env-example", **wrong).returncode == 0
