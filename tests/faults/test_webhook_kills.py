"""Worker processes are killed, frozen and robbed of their servers under load: every event arrives all the same."""

import asyncio
import os
import signal
from collections.abc import Iterator
from time import monotonic

import asyncpg
import pytest

from app.core import redis
from app.webhooks import health
from tests.faults.test_commits import EVERY
from tests.faults.test_webhook_cuts import COMMITS, delivered
from tests.faults.workers import Worker, worker
from tests.support.cuts import Side, wire_to
from tests.support.nursery import nursery
from tests.support.stack import free_port
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks

_SENDER = """
import asyncio
from app import subscribers
from app.core import db, redis, strangers
from app.webhooks.courier import Courier
async def send():
    db.connect(), redis.connect(), strangers.connect()
    while await subscribers.relay():
        pass
    await Courier().deliver_due()
asyncio.run(send())
"""
INSTANTS: list[tuple[str, Side]] = [("result", "before")]
if EVERY:
    INSTANTS = [(name, side) for name in COMMITS if name != "taken back" for side in ("before", "after")]


@pytest.fixture
async def crowd(hooks: Hooks) -> Crowd:
    """Two receivers that take a moment for each answer, so that something is always in flight."""
    crowd = Crowd(hooks)
    await crowd.listens("/one", "/other")
    for path in crowd.subscriptions:
        hooks.receiver.tarry(0.03, path)
    return crowd


async def backends() -> set[int]:
    """Every connection that the database has from the product's processes."""
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        found = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'jetway'"
            " AND datname = current_database()"
        )
        return {row["pid"] for row in found}
    finally:
        await connection.close()


async def terminate(pids: set[int]) -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", list(pids))
    await connection.close()


async def pass_a_minute(crowd: Crowd, since: float) -> int:
    """As if a minute had passed for what was under way at an instant and still is; gives how much that was."""
    await asyncio.sleep(max(0.0, since + 1 - monotonic()))
    lost = await crowd.lost_leases_end(monotonic() - since)
    await health.sweep()
    await crowd.hooks.waits_are_over()
    return lost


@pytest.mark.parametrize(("commit", "side"), INSTANTS)
async def test_a_sender_killed_at_a_commit_loses_no_event(hooks: Hooks, commit: str, side: Side) -> None:
    """What arrived and was not written down arrives again, with the same id and the same bytes."""
    crowd = Crowd(hooks)
    await crowd.listens("/well", "/late")
    await crowd.tell(3)
    hooks.receiver.answer(500, "/late")
    async with wire_to(os.environ["DATABASE_URL"]) as (wire, near):
        sender = nursery().start(["-c", _SENDER], {**os.environ, "DATABASE_URL": near})
        wire.arm(1, side, lambda: sender.send_signal(signal.SIGKILL), counting=COMMITS[commit])
        assert await asyncio.to_thread(sender.wait) == -signal.SIGKILL
    arrived = len(crowd.hooks.receiver.arrivals)

    await delivered(crowd)

    assert (arrived > 0) == (commit in ("health", "result"))
    # What was written down as delivered is not repeated.
    written = arrived if (commit, side) == ("result", "after") else 0
    assert arrived - written <= crowd.repeats() <= arrived


async def test_workers_that_are_killed_under_load_lose_nothing(crowd: Crowd) -> None:
    """One of two is hit again and again and is gone in the end: the other one sends what is left."""
    before = await backends()
    with worker(2) as victim, worker(1):
        await crowd.tell(1)
        await crowd.begun()
        async with crowd.telling():
            for blow in (child, connections, emptied_redis, family):
                await crowd.has_told(30)  # So that each falls upon work.
                await blow(victim, before)
                hit_at = monotonic()
        await pass_a_minute(crowd, hit_at)
        await crowd.all_delivered(20)

    assert victim.family() == []
    assert await crowd.broken() == {}


async def child(victim: Worker, _: set[int]) -> None:
    victim.kill_child()


async def family(victim: Worker, _: set[int]) -> None:
    victim.kill()


async def connections(_: Worker, before: set[int]) -> None:
    """Every connection that workers have."""
    await terminate(await backends() - before)


async def emptied_redis(_: Worker, __: set[int]) -> None:
    await redis.client().flushdb()


async def delivered_by_somebody_else(crowd: Crowd) -> None:
    for path in crowd.subscriptions:
        crowd.hooks.receiver.answer(200, path)
    await crowd.hooks.waits_are_over()
    await crowd.hooks.delivered()
    await crowd.all_delivered(1)


async def receivers_that_fail(crowd: Crowd) -> int:
    found = await crowd.hooks.sql(
        "SELECT count(*) AS n FROM webhook_subscriptions"
        " WHERE id = ANY(CAST(:ids AS uuid[])) AND failing_since IS NOT NULL",
        ids=crowd.ids,
    )
    return int(found[0]["n"])


@pytest.fixture(scope="module")
def lonely(address: str) -> Iterator[Worker]:
    """A worker without Redis and without Beat, for the two tests that follow; the second one ends it."""
    with worker(1, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as one:
        yield one


async def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(crowd: Crowd, lonely: Worker) -> None:
    """It was frozen with requests in flight; meanwhile another one has sent and written everything."""
    for path in crowd.subscriptions:
        crowd.hooks.receiver.tarry(1.0, path)
    await crowd.tell(10)
    await crowd.begun()
    lonely.signal(signal.SIGSTOP)
    in_flight = await pass_a_minute(crowd, monotonic())
    await delivered_by_somebody_else(crowd)
    table = await crowd.table()

    lonely.signal(signal.SIGCONT)
    await asyncio.sleep(1.5)

    assert await crowd.table() == table
    assert in_flight == crowd.repeats() == 2
    assert await crowd.broken() == {}


async def test_a_worker_needs_neither_redis_nor_beat_and_ends_in_time(crowd: Crowd, lonely: Worker) -> None:
    """Asked to end it waits for answers, but not for ever, and leaves nothing leased."""
    await crowd.tell(20)
    await crowd.all_delivered(30)
    crowd.hooks.receiver.hang("/other")
    crowd.hooks.receiver.tarry(1.5, "/one")
    heard = len(crowd.hooks.receiver.arrivals)
    await crowd.tell(20)
    async with asyncio.timeout(10):
        while len(crowd.hooks.receiver.arrivals) < heard + 8:  # noqa: ASYNC110  Receivers offer no event.
            await asyncio.sleep(0.02)

    took = await asyncio.to_thread(lonely.stop)

    assert took < 10
    assert lonely.family() == []
    counts = await crowd.counts()
    assert "sending" not in counts
    assert counts["delivered"] == 40 + 4  # What /one had in flight was finished.
    assert len(crowd.hooks.receiver.arrivals) == heard + 8
    history = await crowd.table()
    assert [one["attempts"] for one in history if one["error"] == "worker_lost"] == [1] * 4
    assert await receivers_that_fail(crowd) == 0
    await delivered_by_somebody_else(crowd)
    assert await crowd.broken() == {}
