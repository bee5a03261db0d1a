"""Health: each dependency asked in its own way, in bounded time, all at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter

from app import __version__
from app.core import clock, db, redis
from app.core.config import settings
from app.core.db import Row
from app.flights import schedule
from app.ops import repository

_TIMEOUT_SECONDS = 2.0
# Beat sends a message every ten seconds; three missed ones are a stop.
_SILENCE = timedelta(seconds=35)

Check = Callable[[], Awaitable[Row]]


async def health() -> Row:
    """`down` without PostgreSQL, `degraded` where anything else is amiss."""
    names = ("postgres", "redis", "worker", "beat", "aviationstack", "opensky")
    checks: tuple[Check, ...] = (_postgres, _redis, _worker, _beat, _aviationstack, _opensky)
    results = dict(zip(names, await asyncio.gather(*(_timed(check) for check in checks)), strict=True))
    if results["postgres"]["status"] != "ok":
        status = "down"
    elif any(result["status"] == "down" for result in results.values()):
        status = "degraded"
    else:
        status = "ok"
    return {"status": status, "version": __version__, "checks": results}


async def ready() -> bool:
    """Whether this process can serve: the database answers."""
    return bool((await _timed(_postgres))["status"] == "ok")


async def note_progress(name: str) -> None:
    """A worker or Beat got something done just now."""
    async with db.transaction() as session:
        await repository.note_progress(session, name)


async def _timed(check: Check) -> Row:
    started = perf_counter()
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            result = await check()
    except Exception:  # noqa: BLE001  Whatever goes wrong in a check is the check's result.
        result = {"status": "down"}
    return {**result, "latency_ms": round((perf_counter() - started) * 1000, 1)}


async def _postgres() -> Row:
    await db.ping()
    return {"status": "ok"}


async def _redis() -> Row:
    await redis.ping()
    return {"status": "ok"}


async def _worker() -> Row:
    return await _progress("worker")


async def _beat() -> Row:
    return await _progress("beat")


async def _progress(name: str) -> Row:
    async with db.transaction() as session:
        last = await repository.last_progress(session, name)
    if last is None:
        return {"status": "down", "last_progress_at": None}
    alive = clock.now() - last < _SILENCE
    return {"status": "ok" if alive else "down", "last_progress_at": clock.rfc3339(last)}


async def _aviationstack() -> Row:
    """By how the last calls ended: a call for health's sake would cost budget."""
    if not settings().aviationstack_key:
        return {"status": "disabled"}
    answered, failed = await schedule.last_outcomes()
    if answered is None and failed is None:
        return {"status": "unknown"}
    return {"status": "down" if failed and (answered is None or failed > answered) else "ok"}


async def _opensky() -> Row:
    return {"status": "disabled"}
