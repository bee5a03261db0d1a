"""Facts that others must hear of, written in the transaction that makes them true.

A row is the event. After commit the relay hands it to every subscriber, which writes what it wants to do about it
in rows of its own: those and the mark that the event was handed on are one transaction.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, func, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import db, doorbell
from app.core.db import Base, Row, Session
from app.core.logging import logger

log = logger("jetway.outbox")

RELAY = "outbox.relay"

# Given the event's row, in the relay's transaction. Its own rows are unique per event, so that twice is once.
Subscriber = Callable[[Session, Row], Awaitable[None]]


class OutboxEvent(Base):
    """`sequence` counts a subject's events from 1, so that a receiver can put them in order.

    `not_before` puts off an event that a subscriber could not take, `attempts` counts how often.
    """

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
    attempts: Mapped[int] = mapped_column(server_default="0")
    not_before: Mapped[datetime] = mapped_column(server_default=func.now())


async def record(session: Session, events: list[dict[str, Any]]) -> None:
    """Add events, each with `type`, `subject`, `sequence` and `data`, to the caller's transaction."""
    if events:
        await session.execute(insert(OutboxEvent), events)
        announce(session)


def announce(session: Session) -> None:
    """Wake the relay once the caller's events are durable; `record` does it by itself."""
    if not session.info.get("announced"):
        session.info["announced"] = True
        db.after_commit(session, lambda: doorbell.ring(RELAY))


async def relay(session: Session, subscribers: Iterable[Subscriber], most: int) -> int:
    """Hand waiting events to the subscribers, in the order they were written; returns how many there were.

    An event that a subscriber cannot take is put off, longer each time, and keeps nobody from hearing the others.
    """
    waiting = await db.rows(session, _WAITING, most=most)
    poisonous = [event["id"] for event in waiting if not await _handed_on(session, subscribers, event)]
    if waiting:
        ids = [event["id"] for event in waiting]
        await db.rows(session, _HANDED_ON, ids=ids, poisonous=poisonous)
        await db.rows(session, _PUT_OFF, poisonous=poisonous)
    return len(waiting)


async def _handed_on(session: Session, subscribers: Iterable[Subscriber], event: Row) -> bool:
    try:
        async with session.begin_nested():
            for subscriber in subscribers:
                await subscriber(session, event)
    except Exception:
        # Whatever it is, the event is kept; if the database itself has gone, nothing that follows is committed.
        log.exception("event not taken", event_id=str(event["event_id"]), type=event["type"])
        return False
    return True


_WAITING = """
    SELECT id, event_id, type, subject, sequence, data, created_at FROM outbox
    WHERE dispatched_at IS NULL AND not_before <= now()
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
"""
_HANDED_ON = """
    UPDATE outbox SET dispatched_at = now()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND id <> ALL(CAST(:poisonous AS bigint[]))
"""
_PUT_OFF = """
    UPDATE outbox SET attempts = attempts + 1,
                      not_before = now() + least(3600, 5 * 2 ^ least(attempts, 10)) * interval '1 second'
    WHERE id = ANY(CAST(:poisonous AS bigint[]))
"""
