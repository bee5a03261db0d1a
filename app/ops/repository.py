"""Signs of life, written and read."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Session
from app.ops.models import Heartbeat


async def note_progress(session: Session, name: str) -> None:
    statement = insert(Heartbeat).values(name=name, at=func.now())
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": func.now()}))


async def last_progress(session: Session, name: str) -> datetime | None:
    return await session.scalar(select(Heartbeat.at).where(Heartbeat.name == name))
