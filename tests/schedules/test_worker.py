"""The whole way: a schedule is uploaded, a Celery worker is killed over it, and another one ends the work."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest

from app.jobs import doorbell
from tests.schedules.support import Ssim
from tests.support.client import Client, in_days
from tests.support.stack import child

_PATIENCE_SECONDS = 120
_LEGS = 45
_FLIGHTS = _LEGS * 300


@pytest.fixture
def worker() -> Iterator[Any]:
    """Start workers, which end with the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            child("-m", "celery", "-A", "app.worker", "worker", "-P", "solo", "-l", "WARNING")
        )


async def test_an_import_outlives_the_worker_that_began_it(
    admin: Client, sql: Any, carrier: str, worker: Any
) -> None:
    """Every flight is stored once, and travellers find them."""
    await sql("DELETE FROM jobs")
    made = Ssim().header().carrier(carrier, last=in_days(361))
    for number in range(1, _LEGS + 1):
        made.leg(carrier=carrier, number=str(number), first=in_days(1), last=in_days(300))
    first = worker()
    content = made.trailer(carrier).encoded()
    asked = await admin.send(
        "POST", "/admin/schedules/import", data=content, headers={"Content-Type": "text/plain"}
    )

    async def seen(status: str, done: int = 0) -> dict[str, Any]:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                job: dict[str, Any] = (await admin.get(asked.headers["Location"])).body
                assert job["status"] != "failed", job
                if job["status"] == status and job["progress"]["done"] >= done:
                    return job
                await asyncio.sleep(0.02)

    half = await seen("running", done=1)
    first.kill()
    first.wait()
    stored = await sql("SELECT count(*)::int AS n FROM flights WHERE carrier = :carrier", carrier=carrier)
    await sql("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'")
    worker()
    await doorbell.ring(UUID(asked.body["id"]))
    job = await seen("succeeded")

    assert half["progress"]["total"] == len(content)
    assert 0 < stored[0]["n"] < _FLIGHTS
    result = job["result"]
    assert (result["lines"], result["flights"], result["refused"]) == (_LEGS, _FLIGHTS, 0)
    # A batch that was stored and not yet reported when the worker died counts as unchanged.
    assert result["added"] + result["unchanged"] == _FLIGHTS
    assert result["unchanged"] <= 1000
    found = await admin.search("OSL", "BGO", in_days(100), airlines=carrier, limit=100)
    numbers = {offer["slices"][0]["segments"][0]["flight_number"] for offer in found.body["data"]}
    assert numbers <= {f"{carrier}{number}" for number in range(1, _LEGS + 1)}
    assert numbers
