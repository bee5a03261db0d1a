"""Reading and filling the airports table."""

from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.airports.models import Airport
from app.core.db import Row, Session

_SEEDING = 7_001  # Advisory lock: one process fills the empty table, the others wait for it.


async def every(session: Session) -> list[Row]:
    table = Airport.__table__
    return [dict(row) for row in (await session.execute(select(table).order_by(table.c.iata))).mappings()]


async def add_missing(session: Session, airports: Iterable[Row]) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEEDING})
    await session.execute(insert(Airport).on_conflict_do_nothing(), list(airports))
