"""Who hears of the outbox's events, and who then has something to do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from app.core import background, business, db, doorbell, outbox, tracing
from app.core.db import Row, Session
from app.core.logging import logger
from app.notifications import devices
from app.notifications import service as notifications
from app.notifications import tasks as notification_tasks
from app.webhooks import messages
from app.webhooks import service as hooks
from app.webhooks.courier import courier

log = logger("jetway.subscribers")


async def _ring_for_people() -> None:
    await doorbell.ring(notification_tasks.send_due.name)
    await doorbell.ring(notification_tasks.push_due.name)


async def _keep_from_strangers(session: Session, events: list[Row]) -> bool:
    """Who has proved that an account's address is theirs may not be who had opened it, and chosen who hears of it."""
    for event in events:
        if event["type"] == "account.claimed":
            user_id = UUID(event["data"]["user_id"])
            await hooks.pause_all(session, user_id)
            await devices.remove_all(session, user_id)
    return False


async def _count(_: Session, events: list[Row]) -> bool:
    business.tell_events(events)
    return False


async def _nobody() -> None:
    """Lines are all that there is to do."""


# Each writes rows of its own for events; then whoever works these off is woken. Who counts comes last, when the others
# have taken the events: what they refuse is handed on once more, and would be counted again.
SUBSCRIBERS: dict[outbox.Subscriber, Callable[[], Awaitable[None]]] = {
    _keep_from_strangers: _nobody,
    messages.queue: courier.wake,
    notifications.queue: _ring_for_people,
    _count: _nobody,
}

_EVENTS_A_BATCH = 500
_LOOKS_SECONDS = 0.2
_RESTS_SECONDS = 1.0


async def keep_relaying(stop: asyncio.Event) -> None:
    """Hand on what is written to the outbox until asked to stop; every worker process does, and they share the events.

    Nothing has to tell it that there is something: it needs neither a broker nor Beat.
    """
    while not stop.is_set():
        background.turned("relay")
        pause = 0.0
        try:
            if await relay() < _EVENTS_A_BATCH:
                pause = _LOOKS_SECONDS
        except Exception as error:  # noqa: BLE001  Whatever ails the database, it is tried again.
            log.warning("events not relayed", reason=type(error).__name__)
            pause = _RESTS_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def relay() -> int:
    """Hand on one batch, in a transaction of its own; returns how many events were in it."""
    async with db.transaction() as session:
        found, busy, traceparent = await outbox.relay(session, SUBSCRIBERS, _EVENTS_A_BATCH)
    with tracing.followed("wake", "producer", traceparent):
        for subscriber in busy:
            await SUBSCRIBERS[subscriber]()
    return found
