"""What Beat asks for to keep the house in order."""

from app.auth import keys
from app.auth import service as accounts
from app.bookings import guests
from app.core import audit, background, clock, db, idempotency, outbox
from app.core.background import task
from app.core.config import settings
from app.core.logging import logger
from app.flights import service as flights
from app.jobs import service as jobs
from app.notifications import service as notifications
from app.ops import measuring, service
from app.payments import service as payments
from app.privacy import service as privacy
from app.providers import governor
from app.timetable import service as timetable

log = logger("jetway.ops")

_EVENTS_A_BATCH = 5000


@task("ops.beat")
async def beat() -> None:
    """A message of Beat's, handled by a worker: proof that the worker makes progress.

    A process in which the relay or the courier hangs does not count: events and webhooks wait although tasks are done.
    """
    if hanging := background.hanging():
        log.error("worker hangs", parts=hanging)
        return
    await service.note_progress(measuring.WORKER)


@task("ops.check_invariants")
async def check_invariants() -> None:
    """Ask whether what must always be true is true; what is not is told by metrics and in the log."""
    await measuring.check_invariants()


@task("ops.take_stock")
async def take_stock() -> None:
    """Count what is told by metrics and is too much to count at each scrape."""
    await measuring.take_stock()


@task("ops.purge")
async def purge() -> None:
    """Drop what nobody can use any more: old idempotency keys, dead tokens and links, failed logins and
    lookups, old jobs and their parts, old mails and pushes, old messages of the card processor, what was once spent on
    vendors, how boards and schedules of the past came about, and what once made the timetable's days old.
    """
    async with db.transaction() as session:
        await idempotency.purge(session)
        await accounts.purge(session)
        await guests.purge(session)
        await jobs.purge(session)
        await notifications.purge(session)
        await payments.purge(session)
        await governor.purge(session)
        await flights.purge(session)
        await timetable.purge(session)
    await privacy.forget_latecomers()


@task("ops.tell_of_ends")
async def tell_of_ends() -> None:
    """Owners of API keys hear of it before one ends."""
    async with db.transaction() as session:
        await keys.tell_of_ends(session)


@task("ops.drop_events")
async def drop_events() -> None:
    """Drop events that were told long ago, batch by batch, each in a transaction of its own."""
    while True:
        async with db.transaction() as session:
            if await outbox.drop_handed_on(session, settings().event_days, _EVENTS_A_BATCH) < _EVENTS_A_BATCH:
                return


@task("ops.keep_audit_months")
async def keep_audit_months() -> None:
    """Months of the audit log are there before anything happens in them, and go when nobody may look at them."""
    async with db.transaction() as session:
        dropped = await audit.keep_months(session, clock.now(), settings().audit_days)
    if dropped:
        log.info("months of the audit log dropped", partitions=dropped)
