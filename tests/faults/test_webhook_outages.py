"""Servers go away under workers that deliver webhooks, and workers die by the dozen. With EVERY_FAULT=1."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from app.core import db
from app.core.config import settings
from dev.servers import Postgres, Redis
from tests.faults.test_commits import EVERY
from tests.faults.test_webhook_kills import backends, pass_a_minute, terminate
from tests.faults.workers import Worker, worker
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import migrate
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks, Receiver

TIMES = 20


async def listening(hooks: Hooks) -> Crowd:
    """Two receivers that take a moment for each answer."""
    crowd = Crowd(hooks)
    await crowd.listens("/one", "/other")
    for path in crowd.subscriptions:
        hooks.receiver.tarry(0.03, path)
    return crowd


async def at_work(crowd: Crowd) -> None:
    """Returns when a worker that was started delivers."""
    heard = len(crowd.hooks.receiver.arrivals)
    async with asyncio.timeout(30):
        while len(crowd.hooks.receiver.arrivals) == heard:
            await crowd.tell(1)
            await asyncio.sleep(0.1)


if EVERY:

    async def test_children_die_one_after_the_other_under_load(hooks: Hooks) -> None:
        """Twenty, each in the middle of its work: their parent replaces them, and no more is repeated than was lost."""
        crowd, lost = await listening(hooks), 0
        with worker(2) as victim, worker(1):
            await at_work(crowd)
            async with crowd.telling():
                for _ in range(TIMES):
                    await asyncio.sleep(random.uniform(0.2, 0.8))
                    hit_at = monotonic()
                    victim.kill_child()
                    lost += await pass_a_minute(crowd, hit_at)
            await crowd.all_delivered(60)

        assert lost > 0
        assert crowd.repeats() <= lost
        assert await crowd.broken() == {}

    async def test_families_die_one_after_the_other_under_load(hooks: Hooks) -> None:
        """Parent and children at one moment, twenty times; the next family goes on where that one was."""
        crowd, lost = await listening(hooks), 0
        for _ in range(TIMES):
            with worker(2) as victim:
                await at_work(crowd)
                async with crowd.telling():
                    await asyncio.sleep(random.uniform(0.2, 0.8))
                    victim.kill()
            lost += await pass_a_minute(crowd, monotonic())
        with worker(2):
            await crowd.all_delivered(60)

        assert lost > 0
        assert crowd.repeats() <= lost
        assert await crowd.broken() == {}

    async def test_what_a_killed_worker_had_in_flight_comes_after_its_lease(hooks: Hooks) -> None:
        """Nobody moves the time: the other worker finds it within 65 seconds, and five more pass until it is sent."""
        crowd = await listening(hooks)
        with worker(2) as victim, worker(2):
            await at_work(crowd)
            async with crowd.telling():
                await asyncio.sleep(1)
                victim.kill()
            took = await crowd.all_delivered(75)

        assert took > 50
        assert await crowd.broken([5.0]) == {}

    async def test_connections_are_cut_every_two_seconds(hooks: Hooks) -> None:
        """For a minute, all of them; nothing has to be started again, and nothing is repeated."""
        before = await backends()
        crowd = await listening(hooks)
        with worker(2):
            await at_work(crowd)
            async with crowd.telling(0.02):
                for _ in range(30):
                    await asyncio.sleep(2)
                    await terminate(await backends() - before)
            await pass_a_minute(crowd, monotonic())
            await crowd.all_delivered(20)

        assert await crowd.broken() == {}

    async def test_redis_is_stopped_and_comes_back(hooks: Hooks, tmp_path: Path) -> None:
        """In the middle of the work, twice; emptied by that, for it keeps nothing."""
        crowd = await listening(hooks)
        with Redis(tmp_path / "redis") as broker, worker(2, REDIS_URL=broker.url) as one:
            await at_work(crowd)
            async with crowd.telling():
                for _ in range(2):
                    broker.kill()
                    await asyncio.sleep(3)
                    await at_work(crowd)
                    broker.start()
                    await asyncio.sleep(2)
            await crowd.all_delivered(20)
            assert await asyncio.to_thread(one.stop) < 10

        assert crowd.repeats() == 0
        assert await crowd.broken() == {}

    @pytest.fixture
    async def other_database(
        address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Postgres]:
        """A database that survives a crash, and this process's API on it."""
        straight = db.engine()
        with Postgres(tmp_path / "postgres", durable=True) as server:
            with monkeypatch.context() as patched:
                patched.setattr(settings(), "database_url", server.url)
                db.connect()
            await asyncio.to_thread(migrate, DATABASE_URL=server.url)
            yield server
            await db.disconnect()
            db._engine = straight

    async def test_the_database_crashes_and_comes_back(
        other_database: Postgres, api: Client, receiver: Receiver, sql: Any, fleet: Fleet
    ) -> None:
        """Three times; workers go on by themselves within seconds, and everything that was committed is delivered."""
        crowd = await listening(Hooks(sql, await api.signed_up(), fleet, receiver))
        with worker(2, DATABASE_URL=other_database.url):
            await at_work(crowd)
            for _ in range(3):
                async with crowd.telling():
                    await asyncio.sleep(1)
                    other_database._end(signal.SIGQUIT)
                    await asyncio.sleep(3)
                    other_database.start()
                    started = monotonic()
                    await at_work(crowd)
                    assert monotonic() - started < 5
            await pass_a_minute(crowd, monotonic())
            await crowd.all_delivered(30)

        assert await crowd.broken() == {}

    async def test_a_random_victim_every_second(hooks: Hooks) -> None:
        """For a minute: children, families, connections, and a worker that is frozen for a while."""
        before = await backends()
        crowd = await listening(hooks)
        with worker(2) as steady:
            await at_work(crowd)
            async with crowd.telling(0.02):
                for _ in range(15):
                    with worker(2) as victim:
                        for blow in random.choices([struck_child, frozen, cut], k=3):
                            await asyncio.sleep(random.uniform(0.5, 1.5))
                            await blow(random.choice([steady, victim]), before)
                        victim.kill()
                        await pass_a_minute(crowd, monotonic())
            await asyncio.sleep(1)
            await pass_a_minute(crowd, monotonic())
            await crowd.all_delivered(60)

        assert await crowd.broken() == {}

    async def struck_child(victim: Worker, _: set[int]) -> None:
        if victim.children():
            victim.kill_child()

    async def frozen(victim: Worker, _: set[int]) -> None:
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(1)
        victim.signal(signal.SIGCONT)

    async def cut(_: Worker, before: set[int]) -> None:
        await terminate(await backends() - before)

    async def test_workers_are_replaced_twenty_times_under_load(hooks: Hooks) -> None:
        """Each is asked to end while the next is there: nothing is lost, nothing repeated, nothing left leased."""
        crowd, took = await listening(hooks), list[float]()
        async with crowd.telling(0.02):
            for _ in range(TIMES):
                with worker(2) as one:
                    await at_work(crowd)
                    took.append(await asyncio.to_thread(one.stop))
                    assert "sending" not in await crowd.counts()
        with worker(2):
            await crowd.all_delivered(120)

        assert max(took) < 10
        assert crowd.repeats() == 0
        assert {one["tries"] for one in await crowd.table()} == {1}
        assert await crowd.broken() == {}
