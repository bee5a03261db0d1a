"""What is so for the whole installation: read just before a scrape is answered, or counted by a worker in peace."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from app import __version__
from app.core import clock, db, metrics, outbox, redis, replica
from app.core.background import QUEUE
from app.core.logging import logger
from app.ops import repository
from app.ops.invariants import INVARIANTS
from app.payments import service as payments
from app.providers import governor, registry
from app.webhooks import health as webhooks

log = logger("jetway.ops")

# Who gets something done: a worker that handles a message, Beat that sends one, and what a worker does beside tasks.
WORKER, BEAT, LOOP = "worker", "beat", "loop"
# Beat sends a message every ten seconds; three missed ones are a stop.
SILENCE = timedelta(seconds=35)
NEVER = datetime.min.replace(tzinfo=UTC)

_TIMEOUT_SECONDS = 2.0
_MOST_EVENTS = 10_000
# More of them would say no more.
_MOST_VIOLATIONS = 100
_BRIEF_MILLISECONDS = 3000
_CHANGES_A_BATCH = 20_000

metrics.BUILD.labels(__version__).set(1)


async def measure() -> None:
    """Read everything in `SHARED`; what cannot be read in time keeps its last value, and the scrape goes on."""
    await asyncio.gather(_read("postgres", _postgres), _read("redis", _redis))


async def _read(dependency: str, read: Callable[[], Awaitable[None]]) -> None:
    """What cannot be read has gone for whoever reads."""
    up = metrics.DEPENDENCY_UP.labels(dependency)
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await read()
        up.set(1)
    except Exception as error:  # noqa: BLE001  Whatever ails it, the other metrics are wanted all the more.
        log.warning("gauges not set", dependency=dependency, reason=type(error).__name__)
        up.set(0)


async def _postgres() -> None:
    await _budgets()
    await payments.measure()
    await webhooks.measure()
    await replica.lag()
    async with db.transaction() as session:
        metrics.OUTBOX_AGE.set(await outbox.age_seconds(session))
        metrics.OUTBOX_WAITING.set(await outbox.waiting(session, _MOST_EVENTS))
        for process, at in (await progress(session)).items():
            metrics.HEARTBEAT_AGE.labels(process).set((clock.now() - at).total_seconds())
        await _counted(session)
        await _postgres_itself(session)


async def progress(session: db.Session) -> dict[str, datetime]:
    """When worker and Beat last got something done, as far as they ever have.

    A worker proves it by handling a message of Beat's. While Beat sends none, its loops must do.
    """
    found = await repository.last_progress(session)
    if BEAT not in found or clock.now() - found[BEAT] > SILENCE:
        found[WORKER] = max(found.get(WORKER, NEVER), found.get(LOOP, NEVER))
    return {name: at for name in (WORKER, BEAT) if (at := found.get(name, NEVER)) != NEVER}


async def _budgets() -> None:
    budgets, endpoints = await governor.overview(registry.allowances())
    for budget in budgets:
        labels = (budget["provider"], budget["budget"])
        metrics.PROVIDER_BUDGET_SPENT.labels(*labels).set(budget["spent"])
        metrics.PROVIDER_BUDGET_LEFT.labels(*labels).set(budget["left"])
    for one in endpoints:
        metrics.PROVIDER_PAUSED.labels(one["provider"], one["endpoint"]).set(one["paused"])


async def _counted(session: db.Session) -> None:
    """What workers have counted; the oldest of the checks says since when all are known."""
    checked = dict.fromkeys(INVARIANTS, 0.0)
    for row in await repository.measurements(session):
        match row["kind"]:
            case "bookings":
                metrics.BOOKINGS_NOW.labels(row["name"]).set(row["value"])
            case "seats":
                metrics.SEATS_HELD.set(row["value"])
            case "invariant" if row["name"] in checked:
                metrics.VIOLATIONS.labels(row["name"]).set(row["value"])
                checked[row["name"]] = row["at"]
    metrics.CHECKED.set(min(checked.values()))


async def _postgres_itself(session: db.Session) -> None:
    found = await repository.postgres(session)
    for outcome in ("committed", "rolled_back"):
        metrics.POSTGRES_TRANSACTIONS.labels(outcome).set(found[outcome])
    for source in ("memory", "disk"):
        metrics.POSTGRES_BLOCKS.labels(source).set(found[f"from_{source}"])
    metrics.POSTGRES_DEADLOCKS.labels().set(found["deadlocks"])
    metrics.POSTGRES_BYTES.set(found["bytes"])
    metrics.POSTGRES_MAX_CONNECTIONS.set(found["most"])
    metrics.POSTGRES_LONGEST.set(float(found["longest"]))
    metrics.POSTGRES_LOCKS_WAITING.set(found["waiting"])
    states = await repository.connections(session)
    metrics.POSTGRES_CONNECTIONS.clear()
    for state, connections in states.items():
        metrics.POSTGRES_CONNECTIONS.labels(state).set(connections)


async def _redis() -> None:
    async with redis.client().pipeline(transaction=False) as asked:
        asked.info()
        asked.llen(QUEUE)
        found, messages = await asked.execute()
    metrics.QUEUE.set(messages)
    metrics.REDIS_MEMORY.set(found["used_memory"])
    metrics.REDIS_MEMORY_MAX.set(found["maxmemory"])
    metrics.REDIS_CLIENTS.set(found["connected_clients"])
    metrics.REDIS_HITS.labels().set(found["keyspace_hits"])
    metrics.REDIS_MISSES.labels().set(found["keyspace_misses"])
    metrics.REDIS_EVICTED.labels().set(found["evicted_keys"])
    metrics.REDIS_COMMANDS.labels().set(found["total_commands_processed"])


async def check_invariants() -> None:
    """Ask each question by itself: one that takes too long says nothing of the others, and its age tells of it."""
    for name, invariant in INVARIANTS.items():
        try:
            async with db.transaction() as session:
                await repository.be_brief(session, _BRIEF_MILLISECONDS)
                things, one = await repository.broken(session, invariant.question, _MOST_VIOLATIONS)
                await repository.keep(session, "invariant", {name: things})
        except Exception as error:  # noqa: BLE001  The others are asked.
            log.warning("invariant not checked", invariant=name, reason=type(error).__name__)
            continue
        if things:
            log.error("invariant broken", invariant=name, meaning=invariant.broken, things=things, one=one)


async def take_stock() -> None:
    """Count the bookings in each state and the seats that are held, at a cost that does not grow with what is past."""
    folded = _CHANGES_A_BATCH
    while folded == _CHANGES_A_BATCH:
        async with db.transaction() as session:
            folded = await repository.fold_tally(session, _CHANGES_A_BATCH)
    async with db.transaction() as session:
        await repository.be_brief(session, _BRIEF_MILLISECONDS)
        await repository.keep(session, "bookings", await repository.bookings_by_status(session))
        await repository.keep(session, "seats", {"held": await repository.seats_held(session)})
