"""Health: each dependency asked in its own way, in bounded time, all at once."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import perf_counter
from typing import Any

from app import __version__
from app.core import audit, clock, cursors, db, redis
from app.core.config import settings
from app.core.db import Row, Session
from app.ops import measuring, repository
from app.providers import governor, registry

_TIMEOUT_SECONDS = 2.0

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


async def providers() -> list[Row]:
    """What each vendor may still be asked, and how its endpoints do."""
    budgets, endpoints = await governor.overview(registry.allowances())
    enabled = {"aviationstack": bool(settings().aviationstack_key), "opensky": settings().opensky_enabled}
    return [
        {
            "provider": name,
            "enabled": switched_on,
            "budgets": [_without_provider(budget) for budget in budgets if budget["provider"] == name],
            "endpoints": [_endpoint(one) for one in endpoints if one["provider"] == name],
        }
        for name, switched_on in enabled.items()
    ]


def _without_provider(budget: Row) -> Row:
    return {
        name: clock.rfc3339(value) if name.startswith("period_") else value
        for name, value in budget.items()
        if name != "provider"
    }


def _endpoint(row: Row) -> Row:
    def at(instant: datetime | None) -> str | None:
        return clock.rfc3339(instant) if instant else None

    return {
        "endpoint": row["endpoint"],
        "state": "paused" if row["paused"] else "open",
        "reason": row["pause_reason"] if row["paused"] else None,
        "paused_until": at(row["paused_until"]) if row["paused"] else None,
        "failures_in_a_row": row["failures"],
        "seconds_between_calls": row["spacing_seconds"],
        "last_success_at": at(row["last_success_at"]),
        "last_failure_at": at(row["last_failure_at"]),
        "last_failure": row["last_failure"],
        "first_date": str(row["first_date"]) if row["first_date"] else None,
        "last_date": str(row["last_date"]) if row["last_date"] else None,
    }


async def audited(session: Session, cursor: str | None, size: int, **wanted: Any) -> Row:
    """The audit log, newest first."""
    found = await audit.page(session, _place(cursor), size + 1, **wanted)
    last = found[size - 1] if len(found) > size else None
    return {
        "data": [_entry(row) for row in found[:size]],
        "next_cursor": cursors.pack([last["at"].isoformat(), last["id"].hex]) if last else None,
    }


def _place(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    if cursor is None:
        return None
    try:
        at, last = cursors.unpack(cursor)
        place = datetime.fromisoformat(at), uuid.UUID(hex=last)
    except (TypeError, ValueError, AttributeError):
        raise cursors.invalid() from None
    if place[0].tzinfo is None or not 1900 < place[0].year < 2100:
        raise cursors.invalid()
    return place


def _entry(row: Row) -> Row:
    return {
        "id": str(row["id"]),
        "at": row["at"].isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "action": row["action"],
        "actor": {"kind": row["actor_kind"], "id": str(row["actor"]) if row["actor"] else None},
        **{name: row[name] for name in ("subject", "network", "request_id", "data")},
    }


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
    return await _progress(measuring.WORKER)


async def _beat() -> Row:
    return await _progress(measuring.BEAT)


async def _progress(name: str) -> Row:
    async with db.transaction() as session:
        last = (await measuring.progress(session)).get(name)
    if last is None:
        return {"status": "down", "last_progress_at": None}
    alive = clock.now() - last < measuring.SILENCE
    return {"status": "ok" if alive else "down", "last_progress_at": clock.rfc3339(last)}


async def _aviationstack() -> Row:
    return await _provider("aviationstack", enabled=bool(settings().aviationstack_key))


async def _opensky() -> Row:
    return await _provider("opensky", enabled=settings().opensky_enabled)


async def _provider(name: str, *, enabled: bool) -> Row:
    """By how the last calls ended: a call for health's sake would cost budget."""
    if not enabled:
        return {"status": "disabled"}
    answered, failed = await governor.last_outcomes(name)
    if answered is None and failed is None:
        return {"status": "unknown"}
    return {"status": "down" if failed and (answered is None or failed > answered) else "ok"}
