"""Facts that others must hear of, written in the transaction that makes them true.

A row is the event. After commit the relay hands it to every subscriber, which writes what it wants to do about it
in rows of its own: those and the mark that the event was handed on are one transaction. The relay looks for rows by
itself, several times a second, so that who writes one has nothing else to do and needs nothing but the database.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, String, UniqueConstraint, func, insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from app.core import db, tracing
from app.core.clock import rfc3339
from app.core.db import Base, Row, Session
from app.core.logging import logger

log = logger("jetway.outbox")

# Given rows of events, in the relay's transaction; tells whether it has written anything that is to be done now.
# Its own rows are unique per event, so that twice is once.
Subscriber = Callable[[Session, list[Row]], Awaitable[bool]]


class OutboxEvent(Base):
    """`sequence` counts a subject's events from 1, so that a receiver can put them in order.

    `not_before` puts off an event that a subscriber could not take, `attempts` counts how often. `traceparent` is what
    it was written in, if that is traced.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("subject", "sequence"),
        Index("ix_outbox_waiting", "id", postgresql_where=text("dispatched_at IS NULL")),
        Index(
            "ix_outbox_of_account", text("(data ->> 'user_id')"), postgresql_where=text("data ? 'user_id'")
        ),
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
    traceparent: Mapped[str | None] = mapped_column(String(55))


async def record(session: Session, events: list[dict[str, Any]]) -> None:
    """Add events, each with `type`, `subject`, `sequence` and `data`, to the caller's transaction."""
    if events:
        traced = {"traceparent": tracing.traceparent()}
        await session.execute(insert(OutboxEvent), [event | traced for event in events])


def envelope(event: Row) -> Row:
    """An event as the world outside sees it: in webhooks and in streams the same."""
    return {
        "id": f"evt_{event['event_id'].hex}",
        "type": event["type"],
        "created_at": rfc3339(event["created_at"]),
        "sequence": event["sequence"],
        "data": event["data"],
    }


async def relay(
    session: Session, subscribers: Iterable[Subscriber], most: int
) -> tuple[int, set[Subscriber], str | None]:
    """Hand waiting events to the subscribers, in the order they were written.

    They go as one batch. When a subscriber cannot take that, they go one by one: the event that cannot be taken is
    put off, longer each time, and keeps nobody from hearing the others.
    Returns how many events there were, which subscribers have something to do because of them, and the trace of one of
    them, if there is any.
    """
    waiting = await db.rows(session, _WAITING, most=most)
    busy: set[Subscriber] = set()
    if not waiting:
        return 0, busy, None
    for event in waiting:
        tracing.waited(event)
    poisonous: list[int] = []
    if not await _handed_on(session, subscribers, waiting, busy):
        poisonous = [
            event["id"] for event in waiting if not await _handed_on(session, subscribers, [event], busy)
        ]
        await db.rows(session, _PUT_OFF, poisonous=poisonous)
    await db.rows(session, _HANDED_ON, ids=[event["id"] for event in waiting], poisonous=poisonous)
    return len(waiting), busy, next(filter(None, (event["traceparent"] for event in waiting)), None)


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """Leave only whose they were in the notices to an account; events about bookings name nobody."""
    await db.rows(
        session,
        """
        UPDATE outbox SET data = jsonb_build_object('user_id', data->'user_id')
        WHERE type LIKE 'account.%' AND data ? 'user_id' AND data->>'user_id' = CAST(CAST(:user_id AS uuid) AS text)
        """,
        user_id=user_id,
    )


async def drop_handed_on(session: Session, days: int, most: int) -> int:
    """Drop events that everybody was told of so many days ago; returns how many.

    Only the oldest are looked at, so that it costs as little when there is nothing to drop.
    """
    dropped = await db.rows(
        session,
        """
        DELETE FROM outbox WHERE id IN (
            SELECT id FROM (SELECT id, dispatched_at FROM outbox ORDER BY id LIMIT :most) oldest
            WHERE dispatched_at < now() - make_interval(days => :days))
        RETURNING id
        """,
        days=days,
        most=most,
    )
    return len(dropped)


async def age_seconds(session: Session) -> float:
    """For how long the oldest event has waited to be handed on."""
    [found] = await db.rows(session, _AGE)
    return float(found["seconds"])


async def _handed_on(
    session: Session, subscribers: Iterable[Subscriber], events: list[Row], busy: set[Subscriber]
) -> bool:
    try:
        async with session.begin_nested():
            busy |= {subscriber for subscriber in subscribers if await subscriber(session, events)}
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise  # It is the database that has gone, and no event is to blame.
        # Whatever else it is, the events are kept.
        log.exception("events not taken", first=str(events[0]["event_id"]), events=len(events))
        return False
    return True


_WAITING = """
    SELECT id, event_id, type, subject, sequence, data, created_at, traceparent FROM outbox
    WHERE dispatched_at IS NULL AND not_before <= now()
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
"""
_AGE = """
    SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox
                     WHERE dispatched_at IS NULL ORDER BY id LIMIT 1), 0) AS seconds
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
