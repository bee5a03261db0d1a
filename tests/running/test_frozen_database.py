"""PostgreSQL stops in the midst of everything without closing a connection: nobody waits for it for long."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.faults.support import Request, hold, hold_and_pay, moved_at_the_processor, require_whole
from tests.faults.workers import Worker, worker
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.postgres import Ask, Server, asking, frozen, own_redis
from tests.support.stack import api_process, migrate

# What a statement may take at PostgreSQL, and what is waited beyond that for an answer.
ANSWERED_WITHIN = 5 + 2
# A connection is waited for as well, and this machine is busy.
AT_MOST = ANSWERED_WITHIN + 4 + 1.5
# A check is given two seconds, and so is a connection that is given up before it is cut off.
TOLD_WITHIN = 2 + 2 + 1.5
BACK_WITHIN = 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("postgres")) as server:
        migrate(DATABASE_URL=server.url)
        yield server


@pytest.fixture(scope="module")
def address(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The product with few connections, and with nothing of the other tests."""
    own = {"TIMETABLE_DIR": str(tmp_path_factory.mktemp("days")), "REDIS_URL": own_redis()}
    with api_process(DATABASE_URL=server.url, DATABASE_POOL_SIZE="4", **own) as url:
        yield url


@pytest.fixture(scope="module")
def hands(server: Server, address: str) -> Iterator[Worker]:
    """Who hands on what is written, in a process with connections of its own."""
    with worker(DATABASE_URL=server.url, REDIS_URL=own_redis()) as hands:
        yield hands


@pytest_asyncio.fixture
async def ask(server: Server) -> AsyncIterator[Ask]:
    async with asking(server) as ask:
        yield ask


async def timed(asked: Awaitable[Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    async with asyncio.timeout(AT_MOST + 10):
        return await asked, time.monotonic() - began


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = BACK_WITHIN) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def bought(traveller: Client, request: Request) -> Answer:
    return await traveller.post(request.path, request.body, {"Idempotency-Key": "frozen"})


async def test_whoever_asks_a_frozen_database_is_told_within_seconds(
    http: aiohttp.ClientSession, address: str, server: Server, ask: Ask, sandbox: Sandbox, hands: Worker
) -> None:
    """More of them than there are connections, and one who is paying. When it goes on, so does everything: the one
    who paid has one booking and one charge, and nobody has to start anything again.
    """
    traveller, fleet = await Client(http, address).signed_up(), Fleet(ask)
    paying, holding, another = [await flow(traveller, fleet) for flow in (hold_and_pay, hold, hold)]
    await traveller.post(holding.path, holding.body)
    await until(lambda: _is_handed_on(ask), 30)
    processes = hands.family()
    await asyncio.gather(
        *(traveller.get("/bookings") for _ in range(8))
    )  # All connections are there, and idle.
    await sandbox.fault("slow", "/v1/payment_intents", delay_seconds=1, times=1)
    paid = asyncio.create_task(timed(bought(traveller, paying)))
    await until(lambda: _is_called(sandbox))

    with frozen(server):
        others = [
            timed(asked)
            for asked in (
                *(traveller.get("/bookings") for _ in range(5)),
                traveller.post(another.path, another.body),
                traveller.get("/readyz"),
                traveller.get("/admin/health"),
                traveller.get("/livez"),
            )
        ]
        *refused, (ready, looked), (health, asked), (lives, _) = [await paid, *await asyncio.gather(*others)]

    for answer, seconds in refused:
        assert answer.status == 503, answer.body
        assert answer.code in ("database_unavailable", "try_again")
        assert answer.body["retryable"]
        assert seconds < AT_MOST
    assert refused[0][0].code == "database_unavailable"
    assert max(looked, asked) < TOLD_WITHIN
    assert (ready.status, health.status, lives.status) == (503, 503, 200)
    assert health.body["checks"]["postgres"]["status"] == "down"

    await until(lambda: _is_ready(traveller))
    answers = await asyncio.gather(*(traveller.get("/bookings") for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    # Whoever made these steps is taken for gone after a minute.
    await ask("UPDATE idempotency_keys SET locked_at = locked_at - interval '61 s' WHERE status IS NULL")
    again = await bought(traveller, paying)
    assert again.status == 201, again.body
    [one] = (await traveller.get("/bookings", status="confirmed")).body["data"]
    assert one["pnr"] == again.body["pnr"]
    assert await moved_at_the_processor(sandbox, ask, one["pnr"]) == paying.moved
    await require_whole(sandbox, ask, one["pnr"], paying)
    await until(lambda: _is_handed_on(ask), 15)
    assert hands.family() == processes


async def _is_called(sandbox: Sandbox) -> bool:
    return "/v1/payment_intents" in await sandbox.calls()


async def _is_handed_on(ask: Ask) -> bool:
    [found] = await ask("SELECT count(*) AS all, count(dispatched_at) AS handed_on FROM outbox")
    return 0 < found["all"] == found["handed_on"]


async def _is_ready(traveller: Client) -> bool:
    return (await traveller.get("/readyz")).status == 200
