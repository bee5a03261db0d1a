"""In production Beat and migrations do their work with PostgreSQL and Redis alone, without any key."""

import asyncio
from pathlib import Path
from typing import Any

from app.core.config import Settings
from tests.support.stack import child, run

# Empty is not set. What is left of the suite's own servers is where PostgreSQL and Redis are.
_KEYLESS = {name.upper(): "" for name in Settings.model_fields if name not in ("database_url", "redis_url")}


def test_migrations(address: str) -> None:
    """And without being told that it is such a process, it asks for the keys."""
    production = _KEYLESS | {"APP_ENV": "production"}
    del production["PROCESS"]

    assert "JWT_SECRET is missing" in run("-m", "alembic", "current", **production).stderr
    done = run("-m", "alembic", "upgrade", "head", **production, PROCESS="migration")
    assert done.returncode == 0, done.stderr[-2000:]


async def test_beat(tmp_path: Path, sql: Any) -> None:
    """It sends, and notes that it does."""
    await sql("DELETE FROM heartbeats WHERE name = 'beat'")
    schedule = ("--schedule", str(tmp_path / "schedule"), "--pidfile", "")
    told = _KEYLESS | {"APP_ENV": "production", "PROCESS": "beat", "TMPDIR": str(tmp_path)}
    with child("-m", "celery", "--quiet", "-A", "app.worker", "beat", *schedule, **told):
        async with asyncio.timeout(40):
            while not await sql("SELECT 1 FROM heartbeats WHERE name = 'beat'"):  # noqa: ASYNC110  It is a row.
                await asyncio.sleep(0.1)
