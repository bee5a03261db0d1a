"""Facts that others must hear of, written in the transaction that makes them true.

A row is the event; whoever delivers it reads it from here after commit, at least once.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, func, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Session


class OutboxEvent(Base):
    """`sequence` counts a subject's events from 1, so that a receiver can put them in order."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("subject", "sequence"),
        Index("ix_outbox_waiting", "id", postgresql_where=text("dispatched_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    type: Mapped[str]
    subject: Mapped[str]
    sequence: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dispatched_at: Mapped[datetime | None]


async def record(session: Session, events: list[dict[str, Any]]) -> None:
    """Add events, each with `type`, `subject`, `sequence` and `data`, to the caller's transaction."""
    if events:
        await session.execute(insert(OutboxEvent), events)
