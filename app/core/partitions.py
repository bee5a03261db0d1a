"""Tables that are kept by the month: `name_2026_11` holds what happened in November 2026, by UTC.

Months are made ahead of time, and dropped whole when nobody needs what is in them.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from app.core.db import Session, rows

_MONTH = re.compile(r"_(\d{4})_(\d{2})$")


def month_of(instant: datetime) -> datetime:
    """The first moment of a month."""
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(month: datetime) -> datetime:
    return month_of(month + timedelta(days=32))


async def make(session: Session, tables: Iterable[str], month: datetime) -> None:
    """The partitions of a month, where they are missing. Tables are named by our own code only."""
    # Whether a table exists is not judged under a lock by PostgreSQL itself, so that two at once would collide.
    await rows(session, "SELECT pg_advisory_xact_lock(7001)")
    begins, ends = month_of(month), month_after(month_of(month))
    for table in tables:
        await rows(
            session,
            f"CREATE TABLE IF NOT EXISTS {table}_{begins:%Y_%m} PARTITION OF {table} "
            f"FOR VALUES FROM ('{begins.isoformat()}') TO ('{ends.isoformat()}')",
        )


async def drop_before(session: Session, tables: Iterable[str], instant: datetime) -> list[str]:
    """Drop the partitions of months that were over at an instant; gives their names."""
    dropped = []
    for table in tables:
        for name in await partitions(session, table):
            match = _MONTH.search(name)
            month = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC) if match else None
            if month and month_after(month) <= instant:
                await rows(session, f"DROP TABLE {name}")
                dropped.append(name)
    return dropped


async def partitions(session: Session, table: str) -> list[str]:
    """The names of a table's partitions, in order."""
    found = await rows(
        session,
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = CAST(:name AS regclass) ORDER BY 1",
        name=table,
    )
    return [row["name"] for row in found]
