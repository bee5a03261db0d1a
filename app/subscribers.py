"""Who hears of the outbox's events, and which task then has something to do."""

from app.core import db, doorbell, outbox
from app.core.background import task
from app.notifications import service as notifications
from app.notifications import tasks as notification_tasks

# Each writes rows of its own for an event, which the task then works off.
SUBSCRIBERS = {notifications.queue: notification_tasks.send_due.name}

_EVENTS_A_BATCH = 100
_BATCHES_A_RUN = 50


@task(outbox.RELAY)
async def relay() -> None:
    """Hand on what waits in the outbox, batch by batch, each in a transaction of its own."""
    await doorbell.heard(outbox.RELAY)
    for _ in range(_BATCHES_A_RUN):
        async with db.transaction() as session:
            found = await outbox.relay(session, SUBSCRIBERS, _EVENTS_A_BATCH)
        if found:
            for following in SUBSCRIBERS.values():
                await doorbell.ring(following)
        if found < _EVENTS_A_BATCH:
            return
